/*
 * GNOME Online Accounts: the accounts of IMAP and SMTP, edited in place. They
 * are what Evolution and Geary take from there; there is no POP3.
 *
 * File: $XDG_CONFIG_HOME/goa-1.0/accounts.conf, a group an account. Accounts
 * of other providers log in by OAuth and are not ours. goa-daemon notices a
 * change at once and logs in with it, shows accounts that come and go, and of
 * one that it knows the old values until it is started anew: then
 * evolution-data-server takes up the new ones and keeps its own names for the
 * account. Switching its mail off and on (MailDisabled) shows the new values
 * too, but evolution-data-server does not look at them, and the daemon writes
 * the file. Passwords hang on the name of the group.
 *
 * Sources: src/goabackend/goaimapsmtpprovider.c, goamailclient.c of
 * gnome-online-accounts 3.46, and what the daemon did.
 */
#include "agent/clients/goa.h"

#include <string.h>

#include "agent/clients/adapter.h"
#include "agent/clients/clients.h"
#include "agent/clients/keys.h"
#include "agent/formats/keyfile.h"
#include "common/text.h"

#define PREFIX "Account "
#define OURS PREFIX "account_mailmuster_"
#define NO_POP3 "GNOME Online Accounts has no POP3."
#define ANY_CERTIFICATE " (any certificate)"

struct server { /* one side of an account */
	const char *host, *user, *ssl, *tls, *lax;
	const char *port_tls, *port;
	enum mm_setting s_host, s_port, s_security, s_user;
};

static const struct server imap = {.host = "ImapHost",
    .user = "ImapUserName",
    .ssl = "ImapUseSsl",
    .tls = "ImapUseTls",
    .lax = "ImapAcceptSslErrors",
    .port_tls = "993",
    .port = "143",
    .s_host = MM_SET_IN_HOST,
    .s_port = MM_SET_IN_PORT,
    .s_security = MM_SET_IN_SECURITY,
    .s_user = MM_SET_IN_USERNAME};
static const struct server smtp = {.host = "SmtpHost",
    .user = "SmtpUserName",
    .ssl = "SmtpUseSsl",
    .tls = "SmtpUseTls",
    .lax = "SmtpAcceptSslErrors",
    .port_tls = "465",
    .port = "587",
    .s_host = MM_SET_OUT_HOST,
    .s_port = MM_SET_OUT_PORT,
    .s_security = MM_SET_OUT_SECURITY,
    .s_user = MM_SET_OUT_USERNAME};

/* ---- reading */

struct group {
	struct mm_arena *a;
	const struct mm_doc *doc;
	const char *name, *path, *login;
};

static struct mm_native get(const struct group *g, const char *key)
{
	const struct mm_item *it = mm_keyfile_find(g->doc, g->name, key);

	if (it == NULL || it->kind != 's' || it->value[0] == '\0')
		return (struct mm_native){.text = NULL};
	return (struct mm_native){.text = it->value, .path = g->path, .line = it->line};
}

/* g_key_file_get_boolean(): what is not there, or no boolean, is false. */
static bool yes(const struct group *g, const char *key)
{
	const char *v = get(g, key).text;
	size_t n = v != NULL ? strcspn(v, " \t\n\f\r") : 0;

	return v != NULL && v[n + strspn(v + n, " \t\n\f\r")] == '\0' &&
	       ((n == 4 && strncmp(v, "true", n) == 0) || (n == 1 && v[0] == '1'));
}

/* g_network_address_parse(): "host", "host:port", "[address]:port". */
static const char *split(const char *text, struct mm_arena *a, const char **port)
{
	const char *colon = strrchr(text, ':'), *end = strchr(text, ']');

	*port = NULL;
	if (text[0] == '[' && end != NULL) {
		if (end[1] == ':')
			*port = end + 2;
		return mm_arena_strndup(a, text + 1, (size_t)(end - text - 1));
	}
	if (colon == NULL || colon != strchr(text, ':'))
		return text;
	*port = colon + 1;
	return mm_arena_strndup(a, text, (size_t)(colon - text));
}

static const char *security_of(const struct group *g, const struct server *s, struct mm_native *v)
{
	const char *word = yes(g, s->ssl) ? "tls" : yes(g, s->tls) ? "starttls" : "none";

	*v = get(g, yes(g, s->tls) && !yes(g, s->ssl) ? s->tls : s->ssl);
	if (strcmp(word, "none") == 0 || !yes(g, s->lax))
		return word;
	*v = get(g, s->lax);
	return mm_arena_printf(g->a, "%s" ANY_CERTIFICATE, word);
}

static void see_server(const struct group *g, const struct server *s, struct mm_seen_account *acc)
{
	struct mm_native host = get(g, s->host), user = get(g, s->user), v;
	const char *security = security_of(g, s, &v), *port = NULL;

	mm_see(acc, s->s_security, v, security);
	if (host.text != NULL) {
		mm_see(acc, s->s_host, host, split(host.text, g->a, &port));
		if (port != NULL)
			mm_see(acc, s->s_port, host, port);
		else
			mm_see(acc, s->s_port, (struct mm_native){.text = NULL},
			    mm_starts_with(security, "tls") ? s->port_tls : s->port);
	}
	mm_see(acc, s->s_user, user, user.text != NULL ? user.text : g->login);
}

static void see_smtp_auth(const struct group *g, struct mm_seen_account *acc)
{
	bool login = yes(g, "SmtpAuthLogin"), plain = yes(g, "SmtpAuthPlain");

	if (!yes(g, "SmtpUseAuth")) {
		mm_see(acc, MM_SET_OUT_AUTH, get(g, "SmtpUseAuth"), "none");
		acc->s[MM_SET_OUT_USERNAME] = (struct mm_seen){.value = NULL};
		return;
	}
	mm_see(acc, MM_SET_OUT_AUTH, get(g, login ? "SmtpAuthLogin" : "SmtpAuthPlain"),
	    !login  ? "plain"
	    : plain ? "password"
		    : "login");
}

static void switched_off(const struct group *g, struct mm_seen_account *acc)
{
	const struct mm_item *it = mm_keyfile_find(g->doc, g->name, "Enabled");
	struct mm_native at = {.path = g->path, .line = it != NULL ? it->line : 0};

	mm_see_all_over(acc, at, "Enabled, which is not true,");
}

static void see(const struct group *g, struct mm_seen_account *acc)
{
	struct mm_native name = get(g, "PresentationIdentity"), v;

	*acc = (struct mm_seen_account){.key = g->name,
	    .label = name.text != NULL ? name.text : g->name,
	    .has_incoming = true,
	    .has_outgoing = get(g, smtp.host).text != NULL};
	v = get(g, "EmailAddress");
	mm_see(acc, MM_SET_ADDRESS, v, v.text);
	v = get(g, "Name");
	mm_see(acc, MM_SET_REAL_NAME, v, v.text);
	mm_see(acc, MM_SET_IN_PROTOCOL, (struct mm_native){.text = NULL}, "imap");
	mm_see(acc, MM_SET_IN_AUTH, (struct mm_native){.text = NULL}, "password");
	see_server(g, &imap, acc);
	if (acc->has_outgoing) {
		mm_see(acc, MM_SET_OUT_PROTOCOL, (struct mm_native){.text = NULL}, "smtp");
		see_server(g, &smtp, acc);
		see_smtp_auth(g, acc);
	}
	if (!yes(g, "Enabled"))
		switched_off(g, acc);
}

static void traps(
    const struct group *g, const struct server *s, const struct mm_seen_account *acc, struct mm_view *out)
{
	const char *security = acc->s[s->s_security].value;

	if (get(g, s->host).text == NULL)
		return;
	if (yes(g, s->lax))
		mm_add_trap(g->a, out, MM_TRAP_NO_VERIFY, g->path, get(g, s->lax).line,
		    mm_arena_printf(
			g->a, "'%s' takes any certificate for its server: %s.", acc->label, s->lax))
		    ->key = acc->key;
	if (mm_streq(security, "none"))
		mm_add_trap(g->a, out, MM_TRAP_CLEAR, g->path, get(g, s->host).line,
		    mm_arena_printf(g->a,
			"'%s' does without encryption for %s: the password goes in clear text.", acc->label,
			s->host))
		    ->key = acc->key;
}

static bool is_ours_to_see(const struct group *g)
{
	return mm_streq(get(g, "Provider").text, "imap_smtp") && !yes(g, "IsTemporary") &&
	       get(g, imap.host).text != NULL;
}

static bool first_header(const struct mm_doc *d, size_t i)
{
	if (d->items[i].kind != 'c' || !mm_starts_with(d->items[i].section, PREFIX))
		return false;
	for (size_t k = 0; k < i; k++)
		if (d->items[k].kind == 'c' && strcmp(d->items[k].section, d->items[i].section) == 0)
			return false;
	return true;
}

static int read_place(struct mm_reader *r, const struct mm_place *p, struct mm_view *out, struct mm_err *err)
{
	struct mm_doc *doc = mm_arena_alloc(r->arena, 1, sizeof(*doc));

	*out = (struct mm_view){0};
	if (mm_load_doc(r, p->path, &mm_format_keyfile, doc, err) != 0)
		return -1;
	out->accounts = mm_arena_alloc(r->arena, doc->n + 1, sizeof(*out->accounts));
	for (size_t i = 0; i < doc->n; i++) {
		struct group g = {.a = r->arena,
		    .doc = doc,
		    .name = doc->items[i].section,
		    .path = p->path,
		    .login = r->login};
		struct mm_seen_account *acc = &out->accounts[out->n];

		if (!first_header(doc, i) || !is_ours_to_see(&g))
			continue;
		see(&g, acc);
		traps(&g, &imap, acc, out);
		traps(&g, &smtp, acc, out);
		out->n++;
	}
	return 0;
}

static const char *path_of(struct mm_reader *r)
{
	return mm_config_path(r, "goa-1.0/accounts.conf");
}

bool mm_goa_has(struct mm_reader *r, const struct mm_values *account)
{
	struct mm_place p = {.path = path_of(r)};
	struct mm_view view;
	struct mm_err err;

	if (read_place(r, &p, &view, &err) != 0)
		return false;
	for (size_t i = 0; i < view.n; i++) {
		const struct mm_seen *s = view.accounts[i].s;

		if (s[MM_SET_IN_HOST].over_path == NULL &&
		    mm_streq_nocase(s[MM_SET_ADDRESS].value, account->v[MM_SET_ADDRESS]) &&
		    mm_streq_nocase(s[MM_SET_IN_HOST].value, account->v[MM_SET_IN_HOST]))
			return true;
	}
	return false;
}

/* ---- places */

static int find(struct mm_reader *r, bool create, struct mm_place **places, size_t *n, struct mm_err *err)
{
	struct mm_place p = {.path = path_of(r), .label = "", .in_use = true};

	(void)err;
	*places = NULL;
	*n = 0;
	p.exists = mm_have_file(r, p.path);
	if (p.exists || (create && r->program(r, "gnome-control-center")))
		mm_add_place(r->arena, places, n, &p);
	return 0;
}

/* ---- writing */

struct writer {
	struct mm_edit_list edits;
	struct group g;
	const struct mm_seen_account *now; /* NULL: a new one */
};

static void want(struct writer *w, const char *key, const char *value)
{
	mm_want_set(&w->edits, w->g.a, w->g.name, key, value);
}

static void want_bool(struct writer *w, const char *key, bool value)
{
	want(w, key, value ? "true" : "false");
}

static const char *pick(const struct writer *w, const struct mm_values *v, enum mm_setting s)
{
	return v->v[s] != NULL ? v->v[s] : w->now != NULL ? w->now->s[s].value : NULL;
}

/* Host and port are one key, and the port that is not said hangs on the security. */
static void write_server(struct writer *w, const struct server *s, const struct mm_values *v)
{
	const char *host = pick(w, v, s->s_host), *port = pick(w, v, s->s_port),
		   *security = v->v[s->s_security];

	if ((v->v[s->s_host] != NULL || v->v[s->s_port] != NULL || security != NULL) && host != NULL)
		want(w, s->host,
		    mm_arena_printf(w->g.a, strchr(host, ':') != NULL ? "[%s]%s%s" : "%s%s%s", host,
			port != NULL ? ":" : "", port != NULL ? port : ""));
	want(w, s->user, v->v[s->s_user]);
	if (security == NULL)
		return;
	want_bool(w, s->ssl, strcmp(security, "tls") == 0);
	want_bool(w, s->tls, strcmp(security, "starttls") == 0);
	want_bool(w, s->lax, false);
}

static void write_account(struct writer *w, const struct mm_values *v)
{
	const char *auth = v->v[MM_SET_OUT_AUTH];

	want(w, "EmailAddress", v->v[MM_SET_ADDRESS]);
	want(w, "Name", v->v[MM_SET_REAL_NAME]);
	write_server(w, &imap, v);
	write_server(w, &smtp, v);
	if (auth == NULL)
		return;
	want_bool(w, "SmtpUseAuth", strcmp(auth, "none") != 0);
	want_bool(w, "SmtpAuthLogin", strcmp(auth, "login") == 0);
	want_bool(w, "SmtpAuthPlain", strcmp(auth, "plain") == 0 || strcmp(auth, "password") == 0);
}

static bool taken(const void *ctx, const char *name)
{
	const struct mm_doc *d = ctx;

	for (size_t i = 0; i < d->n; i++)
		if (strcmp(d->items[i].section, name) == 0)
			return true;
	return false;
}

/* The name is a part of an object's path: letters, digits and _. */
static const char *new_group(const struct mm_doc *d, const char *account, struct mm_arena *a)
{
	char *base = mm_arena_printf(a, OURS "%s", account);
	const char *name = base;

	for (char *p = base + strlen(OURS); *p != '\0'; p++)
		*p = *p == '-' ? '_' : *p;
	for (int i = 2; taken(d, name); i++)
		name = mm_arena_printf(a, "%s_%d", base, i);
	return name;
}

static int add(struct writer *w, const struct mm_change *ch, struct mm_edits *out, struct mm_err *err)
{
	static const enum mm_setting needed[] = {MM_SET_ADDRESS, MM_SET_IN_HOST, MM_SET_IN_PORT,
	    MM_SET_IN_SECURITY, MM_SET_IN_USERNAME, MM_SET_OUT_HOST, MM_SET_OUT_PORT, MM_SET_OUT_SECURITY,
	    MM_SET_OUT_AUTH, MM_SET_OUT_USERNAME};
	struct mm_values v = *ch->want;

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (v.v[needed[i]] == NULL)
			v.v[needed[i]] = ch->full->v[needed[i]];
	if (v.v[MM_SET_IN_HOST] == NULL || v.v[MM_SET_OUT_HOST] == NULL)
		return mm_err_set(
		    err, MM_EX_DIFF, "such an account fetches mail and sends it: both are needed");
	w->g.name = out->key = new_group(w->g.doc, ch->account, w->g.a);
	mm_want_edit(&w->edits, w->g.a, MM_EDIT_SECTION_ADD, w->g.name, "", 's', NULL);
	want(w, "Provider", "imap_smtp");
	want(w, "Identity", v.v[MM_SET_ADDRESS]);
	want(w, "PresentationIdentity", v.v[MM_SET_ADDRESS]);
	want_bool(w, "Enabled", true);
	write_account(w, &v);
	out->note = "the password is asked for by the desktop's settings, under Online Accounts";
	out->costs = MM_COST_PASSWORD;
	return 0;
}

static void take_away(struct writer *w)
{
	for (size_t i = 0; i < w->g.doc->n; i++) {
		const struct mm_item *it = &w->g.doc->items[i];

		if (it->kind != 'c' && it->wins && strcmp(it->section, w->g.name) == 0)
			mm_want_edit(&w->edits, w->g.a, MM_EDIT_DELETE, it->section, it->key, 's', NULL);
	}
	mm_want_edit(&w->edits, w->g.a, MM_EDIT_SECTION_REMOVE, w->g.name, "", 's', NULL);
}

static const struct mm_seen_account *by_key(const struct mm_view *v, const char *key)
{
	for (size_t i = 0; i < v->n; i++)
		if (strcmp(v->accounts[i].key, key) == 0)
			return &v->accounts[i];
	return NULL;
}

/* Accounts that come and go it sees. Of one that it knows it shows the old values, and so do the programs
 * that ask it; those take up the account where they left it when the daemon is started anew. */
static void notify(struct mm_edits *out)
{
	static const struct mm_need restart = {.kind = MM_NEED_RESTART,
	    .service = "org.gnome.OnlineAccounts",
	    .program = "goa-daemon",
	    .failed = "goa-daemon could not be started anew: the desktop shows the change at the next login"};

	out->needs = &restart;
	out->n_needs = 1;
}

static int change(struct mm_reader *r, const struct mm_place *p, const struct mm_view *now,
    const struct mm_change *ch, struct mm_edits *out, struct mm_err *err)
{
	struct mm_doc doc;
	struct writer w = {.g = {.a = r->arena, .doc = &doc, .name = ch->key, .path = p->path}};

	*out = (struct mm_edits){.key = ch->key};
	if (mm_load_doc(r, p->path, &mm_format_keyfile, &doc, err) != 0)
		return -1;
	if (ch->kind != MM_CHANGE_REMOVE && mm_streq(ch->full->v[MM_SET_IN_PROTOCOL], "pop3"))
		return mm_err_set(err, MM_EX_DIFF, NO_POP3);
	if (ch->kind == MM_CHANGE_REMOVE) {
		if (ch->created)
			take_away(&w);
		else
			notify(out);
	} else if (ch->kind == MM_CHANGE_SET) {
		w.now = by_key(now, ch->key);
		write_account(&w, ch->want);
		notify(out);
	} else if (add(&w, ch, out, err) != 0) {
		return -1;
	}
	mm_want_file(
	    out, r->arena, p->path, &mm_format_keyfile, &w.edits, ch->kind == MM_CHANGE_ADD ? 0600 : 0);
	return 0;
}

/* ---- what it cannot hold */

static const char *unsupported(enum mm_setting s, const char *value, const struct mm_values *all)
{
	static const struct mm_cannot rows[] = {MM_CANNOT_PAIR(PASSWORD_COMMAND, MM_CLIENT_NOT_ITS_BUSINESS),
	    MM_CANNOT_FOLDERS(
		"GNOME Online Accounts holds no folders: the programs that use the account choose them."),
	    {MM_SET_IN_LEAVE_ON_SERVER, NULL, MM_CLIENT_NOT_ITS_BUSINESS},
	    {MM_SET_IN_PROTOCOL, "imap", NO_POP3},
	    {MM_SET_REPLY_TO, NULL, "GNOME Online Accounts holds no reply address."},
	    {MM_SET_ORGANISATION, NULL, "GNOME Online Accounts holds no organisation."},
	    {MM_SET_IN_AUTH, "password",
		"GNOME Online Accounts leaves no choice of the way to log in to IMAP."},
	    {MM_SET_OUT_AUTH, "password plain login none",
		"GNOME Online Accounts cannot be set to this way of logging in."},
	    MM_CANNOT_PAIR(CA_FILE, "GNOME Online Accounts trusts the system's authorities only."),
	    MM_CANNOT_PAIR(PIN, "GNOME Online Accounts cannot pin a public key."),
	    MM_CANNOT_PAIR(TLS_MIN, "There is no setting for it: the system's GnuTLS decides."),
	    MM_CANNOT_PAIR(CLIENT_CERT, "GNOME Online Accounts has no client certificates."),
	    {MM_SET_NONE, NULL, NULL}};

	if (s == MM_SET_OUT_USERNAME && mm_streq(all->v[MM_SET_OUT_AUTH], "none"))
		return MM_CLIENT_NOT_ITS_BUSINESS;
	return mm_cannot(rows, s, value);
}

const struct mm_client mm_client_goa = {
    .name = "goa",
    .label = "GNOME Online Accounts",
    .programs = (const char *const[]){"gnome-control-center", NULL},
    .package = "gnome-online-accounts",
    .incoming = true,
    .outgoing = true,
    .evidence = MM_EVIDENCE_ALL,
    .tls = MM_TLS_GIO,
    .unsupported = unsupported,
    .find = find,
    .read = read_place,
    .change = change,
};
