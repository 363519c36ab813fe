/*
 * Claws Mail and Sylpheed: blocks of accountrc, edited in place.
 *
 * Files: ~/.claws-mail/accountrc, ~/.sylpheed-2.0/accountrc. Both programs
 * read it when they start and write the whole file anew when they end, so
 * that nothing is edited while one runs. Their keys have the same names and
 * other numbers behind them: the tables are never shared.
 *
 * Sources: src/prefs_account.c, src/account.c, src/common/ssl.c of Claws Mail
 * 4.1.1; libsylph/prefs_account.[ch] of Sylpheed 3.8; what the programs wrote
 * and how they logged in.
 */
#include "agent/clients/claws.h"

#include <string.h>

#include "agent/clients/adapter.h"
#include "agent/clients/clients.h"
#include "agent/clients/gnutls.h"
#include "agent/formats/accountrc.h"
#include "common/text.h"

#define NUMBER_MAX 99999

/* ---- places */

static int find(struct mm_reader *r, const struct mm_claws_dialect *d, bool create, struct mm_place **places,
    size_t *n, struct mm_err *err)
{
	const char *dir = mm_home_path(r, d->dir), *const * names;
	struct mm_place p = {
	    .path = mm_arena_printf(r->arena, "%s/accountrc", dir), .label = "", .in_use = true};

	*places = NULL;
	*n = 0;
	p.exists = mm_have_file(r, p.path);
	if (!p.exists && (!create || !r->program(r, d->program)))
		return 0;
	if (mm_running(r, d->comm))
		p.busy = mm_arena_printf(
		    r->arena, "%s is running, and would write its old settings back when it ends", d->label);
	else if (!p.exists && r->list(r, dir, &names, err) <= 0)
		p.busy = mm_arena_printf(r->arena,
		    "%s was never started: its first start makes the folders that an account needs",
		    d->label);
	mm_add_place(r->arena, places, n, &p);
	return 0;
}

/* ---- writing */

struct writer {
	struct mm_edit_list edits;
	struct mm_arena *a;
	struct mm_claws_block b; /* as it is now */
	const char *label;       /* of an account that is made */
};

/* The key as it is spelled in the file, where it is there. */
static void want(struct writer *w, const char *key, const char *value)
{
	const struct mm_item *it = mm_claws_item(&w->b, key);

	if (value != NULL)
		mm_want_edit(
		    &w->edits, w->a, MM_EDIT_SET, w->b.section, it != NULL ? it->key : key, 's', value);
}

static void want_port(struct writer *w, const char *switch_key, const char *key, const char *value)
{
	want(w, key, value);
	if (value != NULL)
		want(w, switch_key, "1");
}

static const char *security_number(const char *word)
{
	if (word == NULL)
		return NULL;
	return strcmp(word, "tls") == 0 ? "1" : strcmp(word, "starttls") == 0 ? "2" : "0";
}

static const char *auth_number(const struct mm_claws_word *w, const char *word)
{
	for (; word != NULL && w->number != NULL; w++)
		if (w->ours && strcmp(w->word, word) == 0)
			return w->number;
	return NULL;
}

static void write_incoming(struct writer *w, const struct mm_values *v, const struct mm_values *full)
{
	const struct mm_claws_dialect *d = w->b.d;
	bool imap = mm_streq(full->v[MM_SET_IN_PROTOCOL], "imap");
	const char *leave = v->v[MM_SET_IN_LEAVE_ON_SERVER];

	if (v->v[MM_SET_IN_PROTOCOL] != NULL)
		want(w, "protocol", imap ? d->imap : d->pop3);
	want(w, "receive_server", v->v[MM_SET_IN_HOST]);
	want(w, "user_id", v->v[MM_SET_IN_USERNAME]);
	want(w, imap ? "ssl_imap" : "ssl_pop", security_number(v->v[MM_SET_IN_SECURITY]));
	if (imap) {
		want_port(w, "set_imapport", "imap_port", v->v[MM_SET_IN_PORT]);
		want(w, "imap_auth_method", auth_number(d->imap_auth, v->v[MM_SET_IN_AUTH]));
	} else {
		want_port(w, "set_popport", "pop_port", v->v[MM_SET_IN_PORT]);
		if (v->v[MM_SET_IN_AUTH] != NULL) {
			want(w, d->pop_auth_key, "0");
			want(w, "protocol", d->pop3);
		}
	}
	if (leave != NULL && !imap)
		want(w, "remove_mail", strcmp(leave, "yes") == 0 ? "0" : "1");
	if (d->client_cert)
		want(w, "in_ssl_client_cert_file", v->v[MM_SET_IN_CLIENT_CERT]);
}

/* An empty name means the incoming one: where that one changes, the outgoing
 * one has to be said to stay what it is. */
static const char *outgoing_user(const struct writer *w, const struct mm_values *v)
{
	bool borrowed =
	    mm_claws_text(&w->b, "smtp_user_id") == NULL && mm_claws_text(&w->b, "user_id") != NULL;

	if (v->v[MM_SET_OUT_USERNAME] != NULL || v->v[MM_SET_IN_USERNAME] == NULL || !borrowed)
		return v->v[MM_SET_OUT_USERNAME];
	return mm_claws_text(&w->b, "user_id");
}

static void write_outgoing(struct writer *w, const struct mm_values *v)
{
	const struct mm_claws_dialect *d = w->b.d;
	const char *auth = v->v[MM_SET_OUT_AUTH];

	want(w, "smtp_server", v->v[MM_SET_OUT_HOST]);
	want_port(w, "set_smtpport", "smtp_port", v->v[MM_SET_OUT_PORT]);
	want(w, "ssl_smtp", security_number(v->v[MM_SET_OUT_SECURITY]));
	if (auth != NULL) {
		want(w, "use_smtp_auth", strcmp(auth, "none") == 0 ? "0" : "1");
		want(w, "smtp_auth_method",
		    auth_number(d->smtp_auth, strcmp(auth, "password") == 0 ? "plain" : auth));
	}
	want(w, "smtp_user_id", outgoing_user(w, v));
	if (d->client_cert)
		want(w, "out_ssl_client_cert_file", v->v[MM_SET_OUT_CLIENT_CERT]);
}

/* One floor for both sides: the higher of the two is as good as either. */
static void write_floor(struct writer *w, const struct mm_values *v, const struct mm_values *full)
{
	const char *in = full->v[MM_SET_IN_TLS_MIN], *out = full->v[MM_SET_OUT_TLS_MIN];
	const char *min = mm_streq(in, "1.3") || mm_streq(out, "1.3") ? "1.3" : "1.2";

	if (!w->b.d->gnutls || (v->v[MM_SET_IN_TLS_MIN] == NULL && v->v[MM_SET_OUT_TLS_MIN] == NULL))
		return;
	want(w, "gnutls_set_priority", "1");
	want(w, "gnutls_priority", mm_gnutls_priorities(min));
}

/* A folder is named below its account, which has the name that stands there or is written now. */
static void write_folders(struct writer *w, const struct mm_values *v)
{
	const char *label = mm_claws_text(&w->b, "account_name");
	const char *root = mm_claws_folder_root(label != NULL ? label : w->label, w->a);

	for (const struct mm_claws_folder *f = mm_claws_folders; f->on != NULL; f++) {
		if (v->v[f->s] == NULL)
			continue;
		want(w, f->on, "1");
		want(w, f->key, mm_arena_printf(w->a, "%s%s", root, v->v[f->s]));
	}
}

static void write_account(struct writer *w, const struct mm_values *v, const struct mm_values *full)
{
	want(w, "name", v->v[MM_SET_REAL_NAME]);
	want(w, "address", v->v[MM_SET_ADDRESS]);
	want(w, "organization", v->v[MM_SET_ORGANISATION]);
	if (v->v[MM_SET_REPLY_TO] != NULL) {
		want(w, "set_autoreplyto", "1");
		want(w, "auto_replyto", v->v[MM_SET_REPLY_TO]);
	}
	if (full->v[MM_SET_IN_HOST] != NULL)
		write_incoming(w, v, full);
	write_folders(w, v);
	write_outgoing(w, v);
	write_floor(w, v, full);
}

static int64_t highest(const struct mm_doc *doc, const char *prefix, int64_t most)
{
	for (size_t i = 0; i < doc->n; i++) {
		int64_t no;

		if (mm_starts_with(doc->items[i].section, prefix) &&
		    mm_parse_int(doc->items[i].section + strlen(prefix), 0, NUMBER_MAX, &no) == 0 &&
		    no > most)
			most = no;
	}
	return most;
}

/* A number that nothing hangs on: Claws Mail finds passwords by it, also
 * those of an account that was removed. */
static int new_section(
    struct mm_reader *r, const struct writer *w, const char *path, const char **out, struct mm_err *err)
{
	const char *store = mm_arena_printf(r->arena, "%s/passwordstorerc", mm_path_dir(r->arena, path));
	int64_t most = highest(w->b.doc, MM_CLAWS_PREFIX, 0);
	struct mm_doc secrets;

	if (w->b.d->versions) {
		if (mm_claws_load(r, store, &secrets, err) != 0)
			return -1;
		most = highest(&secrets, "account:", most);
	}
	if (most >= NUMBER_MAX)
		return mm_err_set(err, MM_EX_DATAERR, "%s: no free account number", path);
	*out = mm_arena_printf(r->arena, MM_CLAWS_PREFIX "%lld", (long long)most + 1);
	return 0;
}

static int add(
    struct mm_reader *r, struct writer *w, const struct mm_change *ch, const char *path, struct mm_err *err)
{
	bool first = highest(w->b.doc, MM_CLAWS_PREFIX, 0) == 0;
	const char *label = ch->label != NULL && ch->label[0] != '\0' ? ch->label : ch->account;

	if (new_section(r, w, path, &w->b.section, err) != 0)
		return -1;
	mm_want_edit(&w->edits, w->a, MM_EDIT_SECTION_ADD, w->b.section, "", 's', NULL);
	w->label = label;
	want(w, "account_name", label);
	if (first)
		want(w, "is_default", "1");
	if (w->b.d->versions) {
		want(w, "config_version", "4");
		want(w, "ssl_certs_auto_accept", "1"); /* of certificates that are valid */
	}
	return 0;
}

/* The program put some ninety keys of its own into the block. */
static void take_away(struct writer *w)
{
	for (size_t i = 0; i < w->b.doc->n; i++) {
		const struct mm_item *it = &w->b.doc->items[i];

		if (it->kind != 'c' && it->wins && strcmp(it->section, w->b.section) == 0)
			mm_want_edit(&w->edits, w->a, MM_EDIT_DELETE, it->section, it->key, 's', NULL);
	}
	mm_want_edit(&w->edits, w->a, MM_EDIT_SECTION_REMOVE, w->b.section, "", 's', NULL);
}

/* Passwords are kept by the account's number; the cache of an IMAP account lies
 * below server and user name. */
static unsigned costs(const struct mm_change *ch)
{
	const char *const *v = ch->want->v;

	if (ch->kind == MM_CHANGE_ADD)
		return MM_COST_PASSWORD;
	if (!mm_streq(ch->full->v[MM_SET_IN_PROTOCOL], "imap"))
		return 0;
	return v[MM_SET_IN_HOST] != NULL || v[MM_SET_IN_USERNAME] != NULL ? MM_COST_FETCH : 0;
}

static int change(struct mm_reader *r, const struct mm_claws_dialect *d, const struct mm_place *p,
    const struct mm_change *ch, struct mm_edits *out, struct mm_err *err)
{
	struct writer w = {.a = r->arena, .label = ""};
	struct mm_doc doc;

	*out = (struct mm_edits){.key = ch->key};
	if (mm_claws_load(r, p->path, &doc, err) != 0)
		return -1;
	w.b = mm_claws_open(d, &doc, ch->key != NULL ? ch->key : "", p->path);
	if (ch->kind == MM_CHANGE_REMOVE) {
		if (ch->created)
			take_away(&w);
	} else {
		if (ch->kind == MM_CHANGE_ADD && add(r, &w, ch, p->path, err) != 0)
			return -1;
		write_account(&w, ch->want, ch->full);
		out->key = w.b.section;
		out->costs = costs(ch);
	}
	mm_want_file(
	    out, r->arena, p->path, &mm_format_accountrc, &w.edits, ch->kind == MM_CHANGE_ADD ? 0600 : 0);
	return 0;
}

/* ---- what it cannot hold */

static const char *no_auth(
    const struct mm_claws_dialect *d, enum mm_setting s, const char *v, const struct mm_values *all)
{
	bool in = s == MM_SET_IN_AUTH, pop = in && !mm_streq(all->v[MM_SET_IN_PROTOCOL], "imap");

	if (strcmp(v, "password") == 0 || (!in && strcmp(v, "none") == 0))
		return NULL;
	if (!pop && auth_number(in ? d->imap_auth : d->smtp_auth, v) != NULL)
		return NULL;
	return "The program cannot be set to this way of logging in.";
}

static const char *unsupported(
    const struct mm_claws_dialect *d, enum mm_setting s, const char *v, const struct mm_values *all)
{
	switch (s) {
	case MM_SET_IN_PASSWORD_COMMAND:
	case MM_SET_OUT_PASSWORD_COMMAND:
		return MM_CLIENT_NOT_ITS_BUSINESS;
	case MM_SET_IN_AUTH:
	case MM_SET_OUT_AUTH:
		return no_auth(d, s, v, all);
	case MM_SET_IN_CA_FILE:
	case MM_SET_OUT_CA_FILE:
		return "The program trusts the system's authorities and has no setting for others.";
	case MM_SET_IN_PIN:
	case MM_SET_OUT_PIN:
		return "The program cannot pin a public key.";
	case MM_SET_IN_TLS_MIN:
		if (d->gnutls && mm_streq(all->v[MM_SET_IN_PROTOCOL], "imap"))
			return "The program's IMAP has no setting for it: the system's GnuTLS decides.";
		return d->gnutls ? NULL : "The program has no setting for it: the system's OpenSSL decides.";
	case MM_SET_OUT_TLS_MIN:
		return d->gnutls ? NULL : "The program has no setting for it: the system's OpenSSL decides.";
	case MM_SET_IN_CLIENT_CERT:
	case MM_SET_OUT_CLIENT_CERT:
		return d->client_cert ? NULL : "The program has no client certificates.";
	case MM_SET_FOLDER_JUNK:
		return "The program has one folder for junk for all accounts, which is left to the user.";
	case MM_SET_IN_LEAVE_ON_SERVER:
		return mm_streq(all->v[MM_SET_IN_PROTOCOL], "imap") ? MM_CLIENT_NOT_ITS_BUSINESS : NULL;
	default:
		return NULL;
	}
}

/* ---- the two programs */

#define PROGRAM(name_)                                                                                       \
	static int name_##_find(                                                                             \
	    struct mm_reader *r, bool create, struct mm_place **places, size_t *n, struct mm_err *err)       \
	{                                                                                                    \
		return find(r, &mm_##name_, create, places, n, err);                                         \
	}                                                                                                    \
	static int name_##_read(                                                                             \
	    struct mm_reader *r, const struct mm_place *p, struct mm_view *out, struct mm_err *err)          \
	{                                                                                                    \
		return mm_claws_read(r, &mm_##name_, p, out, err);                                           \
	}                                                                                                    \
	static int name_##_change(struct mm_reader *r, const struct mm_place *p, const struct mm_view *now,  \
	    const struct mm_change *ch, struct mm_edits *out, struct mm_err *err)                            \
	{                                                                                                    \
		(void)now;                                                                                   \
		return change(r, &mm_##name_, p, ch, out, err);                                              \
	}                                                                                                    \
	static const char *name_##_unsupported(                                                              \
	    enum mm_setting s, const char *v, const struct mm_values *all)                                   \
	{                                                                                                    \
		return unsupported(&mm_##name_, s, v, all);                                                  \
	}

PROGRAM(claws)
PROGRAM(sylpheed)

const struct mm_client mm_client_claws = {
    .name = "claws",
    .label = "Claws Mail",
    .programs = (const char *const[]){"claws-mail", NULL},
    .incoming = true,
    .outgoing = true,
    .evidence = MM_EVIDENCE_ALL,
    .tls = MM_TLS_GNUTLS,
    .unsupported = claws_unsupported,
    .find = claws_find,
    .read = claws_read,
    .change = claws_change,
};

const struct mm_client mm_client_sylpheed = {
    .name = "sylpheed",
    .label = "Sylpheed",
    .programs = (const char *const[]){"sylpheed", NULL},
    .incoming = true,
    .outgoing = true,
    .evidence = MM_EVIDENCE_ALL,
    .tls = MM_TLS_OPENSSL,
    .unsupported = sylpheed_unsupported,
    .find = sylpheed_find,
    .read = sylpheed_read,
    .change = sylpheed_change,
};
