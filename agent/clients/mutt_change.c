/* What is written into mutt's own file, and the block that sources it. */
#include <string.h>

#include "agent/clients/adapter.h"
#include "agent/clients/folder.h"
#include "agent/clients/mutt.h"
#include "agent/clients/sh.h"
#include "agent/formats/muttrc.h"
#include "common/text.h"

struct writer {
	struct mm_edit_list edits;
	struct mm_arena *a;
	const struct mm_mutt_state *s;
	const struct mm_change *c;
	const struct mm_seen_account *seen; /* NULL: a new one */
};

static void set(struct writer *w, const char *name, char kind, const char *value)
{
	mm_want_edit(&w->edits, w->a, MM_EDIT_SET, "", name, kind, value);
}

static const char *wanted(const struct writer *w, enum mm_setting s)
{
	return w->c->want->v[s];
}

/* For variables that join several settings: what is wanted, else what is
 * there, else what the policy has. */
static const char *joined(const struct writer *w, enum mm_setting s)
{
	if (wanted(w, s) != NULL)
		return wanted(w, s);
	if (w->seen != NULL && w->seen->s[s].value != NULL)
		return w->seen->s[s].value;
	return w->c->full->v[s];
}

static bool any_wanted(const struct writer *w, const enum mm_setting *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (wanted(w, v[i]) != NULL)
			return true;
	return false;
}

/* Several settings make one address; all of them must be known. */
static int address(struct writer *w, enum mm_setting first, struct mm_mutt_url *u, struct mm_err *err)
{
	bool in = first == MM_SET_IN_PROTOCOL;
	const char *port = joined(w, in ? MM_SET_IN_PORT : MM_SET_OUT_PORT);
	const char *auth = joined(w, MM_SET_OUT_AUTH);

	*u = (struct mm_mutt_url){.protocol = joined(w, first), .path = ""};
	u->host = joined(w, in ? MM_SET_IN_HOST : MM_SET_OUT_HOST);
	u->tls = mm_streq(joined(w, in ? MM_SET_IN_SECURITY : MM_SET_OUT_SECURITY), "tls");
	u->user = joined(w, in ? MM_SET_IN_USERNAME : MM_SET_OUT_USERNAME);
	if (!in && mm_streq(auth, "none"))
		u->user = NULL; /* mutt logs in when there is a name */
	if (u->protocol == NULL || u->host == NULL)
		return mm_err_set(err, MM_EX_FAILED, "the policy names no server");
	if (port == NULL)
		port = mm_arena_printf(w->a, "%d",
		    mm_default_port(u->protocol, joined(w, in ? MM_SET_IN_SECURITY : MM_SET_OUT_SECURITY)));
	u->port = port;
	return 0;
}

/* Rewrite the variables that hold the server's address now; folders like
 * "+Sent" were made addresses when they were set. */
static bool rewrite(struct writer *w, const struct mm_mutt_url *u)
{
	static const char *const names[] = {"folder", "spoolfile", "record", "postponed", "trash", "mbox"};
	const char *host = w->seen != NULL ? w->seen->s[MM_SET_IN_HOST].value : NULL;
	bool any = false;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && host != NULL; i++) {
		const char *text = mm_mutt_text(w->s, names[i], "");
		struct mm_mutt_url now, then = *u;

		if (text == NULL || !mm_mutt_url_parse(text, w->a, &now) ||
		    !mm_streq_nocase(now.host, host) || !mm_streq(now.protocol, u->protocol))
			continue;
		then.path = now.path;
		set(w, names[i], 's', mm_mutt_url_print(&then, w->a));
		any = true;
	}
	return any;
}

/* Where it is set, it is the name that mutt logs in with, whatever the
 * address says. */
static void write_login(struct writer *w, const struct mm_mutt_url *u)
{
	const char *login = mm_mutt_text(w->s, "imap_login", "");

	if (mm_streq(u->protocol, "imap") && (login == NULL || login[0] != '\0') && u->user != NULL)
		set(w, "imap_login", 's', u->user);
}

static int write_incoming(struct writer *w, struct mm_err *err)
{
	static const enum mm_setting parts[] = {
	    MM_SET_IN_PROTOCOL, MM_SET_IN_HOST, MM_SET_IN_PORT, MM_SET_IN_SECURITY, MM_SET_IN_USERNAME};
	struct mm_mutt_url u;

	if (!any_wanted(w, parts, sizeof(parts) / sizeof(parts[0])))
		return 0;
	if (address(w, MM_SET_IN_PROTOCOL, &u, err) != 0)
		return -1;
	if (mm_streq(u.protocol, "pop3"))
		set(w, "pop_host", 's', mm_mutt_url_print(&u, w->a));
	write_login(w, &u);
	if (rewrite(w, &u))
		return 0;
	if (mm_streq(u.protocol, "imap")) {
		set(w, "folder", 's', mm_mutt_url_print(&u, w->a));
		set(w, "spoolfile", 's', "+INBOX");
	} else {
		set(w, "spoolfile", 's', mm_mutt_url_print(&u, w->a));
	}
	return 0;
}

/* Whole addresses: what "+Sent" means hangs on where it stands. */
static int write_folders(struct writer *w, struct mm_err *err)
{
	struct mm_mutt_url u;

	for (enum mm_setting s = MM_SET_FOLDER_SENT; s <= MM_SET_FOLDER_TRASH; s++) {
		if (wanted(w, s) == NULL)
			continue;
		if (address(w, MM_SET_IN_PROTOCOL, &u, err) != 0)
			return -1;
		u.path = mm_percent(wanted(w, s), "-._~/", w->a);
		set(w, mm_mutt_folder_var(s), 's', mm_mutt_url_print(&u, w->a));
	}
	return 0;
}

static int write_outgoing(struct writer *w, struct mm_err *err)
{
	static const enum mm_setting parts[] = {MM_SET_OUT_PROTOCOL, MM_SET_OUT_HOST, MM_SET_OUT_PORT,
	    MM_SET_OUT_SECURITY, MM_SET_OUT_USERNAME, MM_SET_OUT_AUTH};
	struct mm_mutt_url u;

	if (!any_wanted(w, parts, sizeof(parts) / sizeof(parts[0])))
		return 0;
	if (address(w, MM_SET_OUT_PROTOCOL, &u, err) != 0)
		return -1;
	set(w, "smtp_url", 's', mm_mutt_url_print(&u, w->a));
	if (u.user == NULL && joined(w, MM_SET_OUT_USERNAME) != NULL)
		set(w, MM_MUTT_IDLE_USER, 's', joined(w, MM_SET_OUT_USERNAME));
	return 0;
}

/* STARTTLS and cleartext are told apart by variables for all servers. */
static void write_starttls(struct writer *w)
{
	const char *in = joined(w, MM_SET_IN_SECURITY), *out = joined(w, MM_SET_OUT_SECURITY);
	bool required = mm_streq(in, "starttls") || mm_streq(out, "starttls");

	if (wanted(w, MM_SET_IN_SECURITY) == NULL && wanted(w, MM_SET_OUT_SECURITY) == NULL)
		return;
	if (required || mm_streq(in, "none") || mm_streq(out, "none")) {
		set(w, "ssl_starttls", 'b', required ? "yes" : "no");
		set(w, "ssl_force_tls", 'b', required ? "yes" : "no");
	}
}

const char *mm_mutt_token_command(const char *authenticators)
{
	return authenticators[0] == 'i'   ? "imap_oauth_refresh_command"
	       : authenticators[0] == 'p' ? "pop_oauth_refresh_command"
					  : "smtp_oauth_refresh_command";
}

static void write_auth(struct writer *w, enum mm_setting s, const char *var)
{
	const char *auth = wanted(w, s), *now = mm_mutt_text(w->s, var, "");
	const char *token = mm_mutt_text(w->s, mm_mutt_token_command(var), "");
	bool open = mm_mutt_doubt(w->s, var) != NULL;

	if (auth == NULL || mm_streq(auth, "none"))
		return;
	if (!mm_streq(auth, "password"))
		set(w, var, 's', auth);
	else if (now == NULL || now[0] != '\0' || token == NULL || token[0] != '\0' || open)
		/* left alone, mutt takes what the server offers */
		set(w, var, 's', "plain:login");
}

static int write_password(struct writer *w, enum mm_setting s, const char *var, struct mm_err *err)
{
	const char *line;

	if (wanted(w, s) == NULL)
		return 0;
	line = mm_sh_backtick(wanted(w, s), w->a, err);
	if (line == NULL)
		return -1;
	set(w, var, 'e', line);
	return 0;
}

static void write_tls(struct writer *w)
{
	const char *in = wanted(w, MM_SET_IN_TLS_MIN), *ca = wanted(w, MM_SET_IN_CA_FILE);
	const char *min = in != NULL ? in : wanted(w, MM_SET_OUT_TLS_MIN),
		   *cert = wanted(w, MM_SET_IN_CLIENT_CERT);
	static const char *const old[] = {"ssl_use_sslv2", "ssl_use_sslv3"}; /* not known everywhere */

	if (ca == NULL)
		ca = wanted(w, MM_SET_OUT_CA_FILE);
	if (ca != NULL)
		set(w, "ssl_ca_certificates_file", 's', ca);
	if (cert == NULL)
		cert = wanted(w, MM_SET_OUT_CLIENT_CERT);
	if (cert != NULL)
		set(w, "ssl_client_cert", 's', cert);
	if (min == NULL)
		return;
	for (size_t i = 0; i < 2; i++) {
		const char *on = mm_mutt_text(w->s, old[i], "no");

		if (on == NULL || mm_streq_nocase(on, "yes"))
			set(w, old[i], 'b', "no");
	}
	set(w, "ssl_use_tlsv1", 'b', "no");
	set(w, "ssl_use_tlsv1_1", 'b', "no");
	set(w, "ssl_use_tlsv1_2", 'b', mm_streq(min, "1.3") ? "no" : "yes");
	set(w, "ssl_use_tlsv1_3", 'b', "yes");
}

static int write_account(struct writer *w, struct mm_err *err)
{
	bool pop = mm_streq(joined(w, MM_SET_IN_PROTOCOL), "pop3"), handed = mm_mutt_handed_on(w->s) != NULL;
	const char *keep = wanted(w, MM_SET_IN_LEAVE_ON_SERVER);

	if (wanted(w, MM_SET_ADDRESS) != NULL)
		set(w, "from", 's', wanted(w, MM_SET_ADDRESS));
	if (wanted(w, MM_SET_REAL_NAME) != NULL)
		set(w, "realname", 's', wanted(w, MM_SET_REAL_NAME));
	if (write_incoming(w, err) != 0 || write_folders(w, err) != 0 ||
	    write_password(w, MM_SET_IN_PASSWORD_COMMAND, pop ? "pop_pass" : "imap_pass", err) != 0)
		return -1;
	write_auth(w, MM_SET_IN_AUTH, pop ? "pop_authenticators" : "imap_authenticators");
	if (pop && keep != NULL)
		set(w, "pop_delete", 's', mm_streq(keep, "yes") ? "no" : "yes");
	if (!handed) {
		if (write_outgoing(w, err) != 0 ||
		    write_password(w, MM_SET_OUT_PASSWORD_COMMAND, "smtp_pass", err) != 0)
			return -1;
		write_auth(w, MM_SET_OUT_AUTH, "smtp_authenticators");
	}
	write_starttls(w);
	write_tls(w);
	return 0;
}

/* What the block says; ~ where the file is below the home. */
static const char *block(struct mm_reader *r, const char *own)
{
	size_t n = strlen(r->home);
	const char *path = own;

	if (strncmp(own, r->home, n) == 0 && own[n] == '/')
		path = mm_arena_printf(r->arena, "~%s", own + n);
	if (strpbrk(path, " \t\"'\\$`#;") != NULL)
		path = mm_muttrc_quote(path, r->arena);
	return mm_arena_printf(r->arena, "source %s", path);
}

/* Does the account stand in the user's own files? What the system's files
 * give to everybody is not his. */
static bool is_users(const struct mm_seen_account *acc)
{
	const enum mm_setting v[] = {MM_SET_IN_HOST, MM_SET_OUT_HOST};

	for (size_t i = 0; i < 2; i++)
		if (acc->s[v[i]].value != NULL && acc->s[v[i]].path != NULL &&
		    !mm_starts_with(acc->s[v[i]].path, "/etc/"))
			return true;
	return acc->s[MM_SET_OUT_HOST].over_path != NULL && !acc->has_incoming;
}

static int refuse_second(const struct mm_mutt_kind *k, const struct mm_seen_account *acc, struct mm_err *err)
{
	const char *host = acc->s[MM_SET_IN_HOST].value;

	if (host == NULL)
		host = acc->s[MM_SET_OUT_HOST].value;
	if (host == NULL)
		return mm_err_set(err, MM_EX_DIFF,
		    "%s reads local mail here and hands mail to msmtp; it is left to that", k->name);
	return mm_err_set(err, MM_EX_DIFF,
	    "%s is set up for another account here (%s), and one account of it is managed", k->name, host);
}

int mm_mutt_change(struct mm_reader *r, const struct mm_mutt_kind *k, const struct mm_place *p,
    const struct mm_view *now, const struct mm_change *c, struct mm_edits *out, struct mm_err *err)
{
	struct mm_mutt_state s = {.r = r, .neomutt = k->neomutt, .own = mm_mutt_own_path(r, k)};
	struct writer w = {.a = r->arena, .s = &s, .c = c};
	const char *own = mm_mutt_own_path(r, k);
	struct mm_edit_list source = {0};

	*out = (struct mm_edits){.key = MM_MUTT_KEY};
	if (c->kind == MM_CHANGE_REMOVE)
		return 0; /* with our file goes everything that is ours */
	if (c->kind == MM_CHANGE_ADD && now->n > 0 && is_users(&now->accounts[0]))
		return refuse_second(k, &now->accounts[0], err);
	if (c->kind == MM_CHANGE_SET && now->n > 0)
		w.seen = &now->accounts[0];
	if (mm_mutt_eval(&s, p->path, err) != 0 || write_account(&w, err) != 0)
		return -1;
	mm_want_file(out, r->arena, own, &mm_format_muttrc, &w.edits, 0600);
	if (w.edits.n > 0 && !mm_streq(own, p->path))
		mm_want_edit(&source, r->arena, MM_EDIT_BLOCK_SET, k->block, k->neomutt ? "finish" : "", 's',
		    block(r, own));
	mm_want_file(out, r->arena, p->path, &mm_format_muttrc, &source, 0600);
	return 0;
}
