#include "agent/secrets.h"

#include "agent/secret_source.h"
#include "common/mem.h"
#include "common/text.h"

static const struct {
	const char *cls, *text;
} words[MM_CRED_COUNT] = {
    [MM_CRED_FOUND] = {"", ""},
    [MM_CRED_NONE] = {"NO_CREDENTIAL_SOURCE", "The login is not tested, nothing says where the password is."},
    [MM_CRED_UNAVAILABLE] = {"CREDENTIAL_UNAVAILABLE",
	"The login is not tested, the password could not be had."},
    [MM_CRED_TIMEOUT] = {"CREDENTIAL_TIMEOUT", "The login is not tested, the password did not come in time."},
    [MM_CRED_FORBIDDEN] = {"CREDENTIAL_FORBIDDEN",
	"The login is not tested, this computer does not allow to take the password from there."},
    [MM_CRED_LOCKED] = {"CREDENTIAL_LOCKED", "The login is not tested, your keyring is locked."},
    [MM_CRED_MISSING] = {"CREDENTIAL_MISSING", "The login is not tested, no password is stored for it."},
    [MM_CRED_NO_SERVICE] = {"CREDENTIAL_NO_SERVICE", "The login is not tested, no keyring is at work."},
    [MM_CRED_UNSAFE] = {"CREDENTIAL_UNSAFE",
	"The login is not tested, the file with the password is open to others."},
    [MM_CRED_BAD] = {"CREDENTIAL_BAD", "The login is not tested, what is stored is no password."},
    [MM_CRED_NO_TICKET] = {"NO_TICKET",
	"There is no Kerberos ticket, so the login is not tested; log in again."},
    [MM_CRED_TICKET_KIND] = {"TICKET_CACHE_KIND",
	"The login is not tested, the Kerberos ticket is out of its reach."},
    [MM_CRED_NO_CERT] = {"NO_CLIENT_CERT", "The login is not tested, there is no certificate for it."},
};

const char *mm_credential_class(enum mm_credential c)
{
	return words[c].cls;
}

const char *mm_credential_text(enum mm_credential c)
{
	return words[c].text;
}

/* In the order in which auto asks. The command stands for itself: where the
 * policy names one, nothing else is asked. */
static const struct mm_secret_source *const sources[] = {
    &mm_source_command, &mm_source_service, &mm_source_netrc, &mm_source_systemd, NULL};
static const struct mm_secret_source *const automatic[] = {&mm_source_service, &mm_source_netrc, NULL};

static bool allowed(const struct mm_finder *f, const char *word)
{
	return f->conf == NULL || mm_conf_allows_credential(f->conf, word);
}

static const char *not_allowed(const struct mm_finder *f, const char *word)
{
	return mm_arena_printf(f->arena, "limits.credentials in agent.conf does not name %s.", word);
}

static enum mm_credential ask(const struct mm_finder *f, const struct mm_wish *w,
    const struct mm_secret_source *src, struct mm_found *out)
{
	if (!allowed(f, src->word)) {
		out->admin = not_allowed(f, src->word);
		return MM_CRED_FORBIDDEN;
	}
	struct mm_secret *s = mm_secret_new();
	enum mm_credential got = src->get(f, w, s, &out->admin);
	if (got == MM_CRED_FOUND)
		out->secret = s;
	else
		mm_secret_free(s);
	return got;
}

static bool is_token(const struct mm_wish *w)
{
	return mm_streq(w->auth, "xoauth2") || mm_streq(w->auth, "oauthbearer");
}

/* The first source that has it; of those that have not, the first is the one
 * that is told about. A locked keyring may have it: nothing behind it is asked. */
static enum mm_credential ask_all(const struct mm_finder *f, const struct mm_wish *w, struct mm_found *out)
{
	enum mm_credential first = MM_CRED_NONE;
	for (size_t i = 0; automatic[i] != NULL; i++) {
		struct mm_found one = {.secret = NULL};
		if (!automatic[i]->there(f, w))
			continue;
		enum mm_credential got = ask(f, w, automatic[i], &one);
		if (first == MM_CRED_NONE || got == MM_CRED_FOUND)
			*out = one;
		if (first == MM_CRED_NONE)
			first = got;
		if (got != MM_CRED_MISSING && got != MM_CRED_NO_SERVICE && got != MM_CRED_FORBIDDEN)
			return got == MM_CRED_FOUND ? got : (*out = one, got);
	}
	return first;
}

static enum mm_credential nothing(const struct mm_finder *f, const struct mm_wish *w, struct mm_found *out)
{
	const char *why = is_token(w) ? "the policy names no command that prints the token"
				      : "there is no password command, no session bus and no ~/.netrc";
	out->admin = mm_arena_printf(
	    f->arena, "Nothing was asked for the password of %s: %s.", mm_side_name(w->side), why);
	return MM_CRED_NONE;
}

static enum mm_credential by_word(const struct mm_finder *f, const struct mm_wish *w, struct mm_found *out)
{
	for (size_t i = 0; sources[i] != NULL; i++)
		if (mm_streq(sources[i]->word, w->source))
			return ask(f, w, sources[i], out);
	out->admin = "The setting credential says that no source is asked.";
	return MM_CRED_NONE;
}

static enum mm_credential find(const struct mm_finder *f, const struct mm_wish *w, struct mm_found *out)
{
	if (w->source != NULL && !mm_streq(w->source, "auto"))
		return by_word(f, w, out);
	if (w->command != NULL)
		return ask(f, w, &mm_source_command, out);
	enum mm_credential got = is_token(w) ? MM_CRED_NONE : ask_all(f, w, out);
	return got == MM_CRED_NONE ? nothing(f, w, out) : got;
}

enum mm_credential mm_credential_get(const struct mm_finder *f, const struct mm_wish *w, struct mm_found *out)
{
	*out = (struct mm_found){.secret = NULL};
	enum mm_credential got = find(f, w, out);
	if (got != MM_CRED_FOUND && f->prompt && !mm_streq(w->source, "none")) {
		struct mm_secret *s = mm_secret_new();
		if (mm_source_prompt.get(f, w, s, &out->admin) == MM_CRED_FOUND) {
			out->secret = s;
			return MM_CRED_FOUND;
		}
		mm_secret_free(s);
	}
	if (out->admin == NULL)
		out->admin = mm_credential_text(got);
	return got;
}

/* ---- a client certificate */

enum mm_credential mm_client_cert_get(
    const struct mm_finder *f, const struct mm_wish *w, struct mm_found *out)
{
	*out = (struct mm_found){.admin = "The policy sets no client_cert."};
	if (w->client_cert == NULL)
		return MM_CRED_NO_CERT;
	if (!allowed(f, "client-cert")) {
		out->admin = not_allowed(f, "client-cert");
		return MM_CRED_FORBIDDEN;
	}
	struct mm_secret *s = mm_secret_new_max(MM_SECRET_PEM_MAX);
	enum mm_credential got = mm_secret_file(f, w->client_cert, 0077, s, &out->admin);
	if (got == MM_CRED_FOUND && mm_secret_len(s) > 0) {
		out->secret = s;
		return got;
	}
	mm_secret_free(s);
	return got == MM_CRED_MISSING || got == MM_CRED_FOUND ? MM_CRED_NO_CERT : got;
}
