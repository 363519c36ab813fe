/*
 * Balsa: accounts that are there, edited in place.
 *
 * Files: ~/.config/balsa/config (2.6.5 and later), ~/.balsa/config, and
 * config-private beside it with the user names, key files both. An account is
 * a mailbox on a server, [folder-N] or [mailbox-N]; mail goes out through the
 * server [smtp-server-NAME] that the identity names. Balsa writes everything
 * from memory when it ends: nothing is edited while it runs. Passwords hang
 * on protocol, server and user. New accounts it makes itself: they are some
 * six groups, which its first start asks for.
 *
 * Sources: libbalsa/server.c and what Balsa 2.6.4 wrote of what it had read.
 */
#include <string.h>

#include "agent/clients/clients.h"
#include "agent/clients/keys.h"
#include "agent/formats/keyfile.h"
#include "common/text.h"

#define IDENTITY "identity-"
#define SMTP "smtp-server-"
#define GROUPS_MAX 512

struct config {
	struct mm_reader *r;
	const char *path, *private_path;
	struct mm_doc doc, private_doc;
	const char *groups[GROUPS_MAX]; /* of doc, each once */
	size_t n_groups;
};

struct account {
	const char *group; /* folder-N, mailbox-N */
	bool imap;
	const char *identity; /* groups, or NULL */
	const char *smtp;
};

static int find_groups(struct config *c, struct mm_err *err)
{
	for (size_t i = 0; i < c->doc.n; i++) {
		const char *name = c->doc.items[i].section;
		size_t k = 0;

		while (k < c->n_groups && strcmp(c->groups[k], name) != 0)
			k++;
		if (k < c->n_groups)
			continue;
		if (c->n_groups == GROUPS_MAX)
			return mm_err_set(err, MM_EX_DATAERR, "%s: more than %d groups", c->path, GROUPS_MAX);
		c->groups[c->n_groups++] = name;
	}
	return 0;
}

static int load(struct mm_reader *r, const char *path, struct config *c, struct mm_err *err)
{
	*c = (struct config){.r = r, .path = path};
	c->private_path = mm_arena_printf(r->arena, "%s-private", path);
	if (mm_load_doc(r, path, &mm_format_keyfile, &c->doc, err) != 0 || find_groups(c, err) != 0)
		return -1;
	return mm_load_doc(r, c->private_path, &mm_format_keyfile, &c->private_doc, err);
}

static struct mm_native get_from(const struct mm_doc *d, const char *path, const char *group, const char *key)
{
	const struct mm_item *it = group != NULL ? mm_keyfile_find(d, group, key) : NULL;

	if (it == NULL || it->kind != 's' || it->value[0] == '\0')
		return (struct mm_native){.text = NULL};
	return (struct mm_native){.text = it->value, .path = path, .line = it->line};
}

static struct mm_native get(const struct config *c, const char *group, const char *key)
{
	return get_from(&c->doc, c->path, group, key);
}

static bool is_true(const char *v)
{
	return mm_streq(v, "true") || mm_streq(v, "1");
}

/* ---- what belongs together */

/* The i-th group that begins so, or NULL. */
static const char *nth_group(const struct config *c, const char *prefix, size_t i)
{
	for (size_t k = 0; k < c->n_groups; k++)
		if (mm_starts_with(c->groups[k], prefix) && i-- == 0)
			return c->groups[k];
	return NULL;
}

static const char *named(const struct config *c, const char *prefix, const char *name)
{
	const char *g;

	for (size_t i = 0; name != NULL && (g = nth_group(c, prefix, i)) != NULL; i++)
		if (strcmp(g + strlen(prefix), name) == 0)
			return g;
	return NULL;
}

static const char *smtp_of(const struct config *c, const char *identity)
{
	const char *g = named(c, SMTP, get(c, identity, "SmtpServer").text);

	return g != NULL ? g : nth_group(c, SMTP, 0);
}

/* The one with the user name as its address, else the current one. */
static const char *identity_of(const struct config *c, const char *user)
{
	const char *g;

	for (size_t i = 0; user != NULL && (g = nth_group(c, IDENTITY, i)) != NULL; i++)
		if (mm_streq_nocase(get(c, g, "Address").text, user))
			return g;
	g = named(c, IDENTITY, get(c, "identity", "CurrentIdentity").text);
	return g != NULL ? g : nth_group(c, IDENTITY, 0);
}

static bool is_account(const struct config *c, const char *group, struct account *out)
{
	const char *type = get(c, group, "Type").text;
	bool imap = mm_starts_with(group, "folder-") && mm_streq(type, "LibBalsaMailboxImap");

	if (!imap && !(mm_starts_with(group, "mailbox-") && mm_streq(type, "LibBalsaMailboxPOP3")))
		return false;
	*out = (struct account){.group = group, .imap = imap};
	out->identity = identity_of(c, get_from(&c->private_doc, c->private_path, group, "Username").text);
	out->smtp = smtp_of(c, out->identity);
	return true;
}

static struct account *accounts(const struct config *c, size_t *n)
{
	struct account *v = mm_arena_alloc(c->r->arena, c->doc.n + 1, sizeof(*v));
	const char *g;

	*n = 0;
	for (size_t i = 0; (g = nth_group(c, "", i)) != NULL; i++)
		if (is_account(c, g, &v[*n]))
			(*n)++;
	return v;
}

/* ---- reading */

struct side {
	enum mm_setting host, port, security, auth, user;
};
static const struct side incoming = {
    MM_SET_IN_HOST, MM_SET_IN_PORT, MM_SET_IN_SECURITY, MM_SET_IN_AUTH, MM_SET_IN_USERNAME};
static const struct side outgoing = {
    MM_SET_OUT_HOST, MM_SET_OUT_PORT, MM_SET_OUT_SECURITY, MM_SET_OUT_AUTH, MM_SET_OUT_USERNAME};

static const char *const securities[] = {"tls", "starttls", "starttls, or none", "none"};

/* Older versions had SSL and TLSMode, which count where Security is no number. */
static const char *security_of(const struct config *c, const char *group, struct mm_native *v)
{
	int64_t n;

	*v = get(c, group, "Security");
	if (v->text != NULL && mm_parse_int(v->text, -1000000, 1000000, &n) == 0)
		return n >= 1 && n <= 4 ? securities[n - 1] : v->text;
	*v = get(c, group, "SSL");
	if (is_true(v->text))
		return "tls";
	*v = get(c, group, "TLSMode");
	if (mm_streq(v->text, "0"))
		return "none";
	return mm_streq(v->text, "1") ? "starttls, or none" : "starttls";
}

static void see_server(const struct config *c, const char *group, const struct side *s, const char *label,
    struct mm_seen_account *acc, struct mm_view *out)
{
	struct mm_native server = get(c, group, "Server"), port = get(c, group, "Port"), v;
	const char *colon = server.text != NULL ? strrchr(server.text, ':') : NULL;
	struct mm_native user = get_from(&c->private_doc, c->private_path, group, "Username");
	struct mm_arena *a = c->r->arena;

	if (server.text != NULL)
		mm_see(acc, s->host, server,
		    colon != NULL ? mm_arena_strndup(a, server.text, (size_t)(colon - server.text))
				  : server.text);
	if (colon != NULL)
		mm_see(acc, s->port, server, colon + 1);
	else
		mm_see(acc, s->port, port, port.text);
	mm_see(acc, s->security, (struct mm_native){.text = NULL}, security_of(c, group, &v));
	mm_see(acc, s->security, v, acc->s[s->security].value);
	mm_see(acc, s->user, user, user.text != NULL ? user.text : c->r->login);
	v = get(c, group, "Anonymous");
	mm_see(acc, s->auth, v, is_true(v.text) ? "anonymous" : "password");
	v = get(c, group, "Security");
	if (v.text == NULL)
		v = server;
	if (strstr(acc->s[s->security].value, "none") != NULL)
		mm_add_trap(a, out,
		    strcmp(acc->s[s->security].value, "none") == 0 ? MM_TRAP_CLEAR : MM_TRAP_OPPORTUNISTIC,
		    c->path, v.line,
		    mm_arena_printf(a, "'%s' %s: the password goes in clear text.", label,
			strcmp(acc->s[s->security].value, "none") == 0
			    ? "does without encryption"
			    : "does without encryption where the server offers none"))
		    ->key = acc->key;
	v = get_from(&c->private_doc, c->private_path, group, "Password");
	if (v.text != NULL)
		mm_add_trap(a, out, MM_TRAP_PASSWORD, v.path, v.line,
		    mm_arena_printf(
			a, "'%s' keeps its password in the file, where anybody can make it out.", label))
		    ->key = acc->key;
}

static void see_text(struct mm_seen_account *acc, enum mm_setting s, struct mm_native v)
{
	mm_see(acc, s, v, v.text);
}

static void see(const struct config *c, const struct account *a, struct mm_view *out)
{
	struct mm_seen_account *acc = &out->accounts[out->n++];
	struct mm_native v = get(c, a->group, "Name");

	*acc = (struct mm_seen_account){.key = a->group,
	    .label = v.text != NULL ? v.text : a->group,
	    .has_incoming = true,
	    .has_outgoing = a->smtp != NULL};
	v = get(c, a->group, "Type");
	mm_see(acc, MM_SET_IN_PROTOCOL, v, a->imap ? "imap" : "pop3");
	see_server(c, a->group, &incoming, acc->label, acc, out);
	v = get(c, a->group, "Delete");
	if (!a->imap)
		mm_see(acc, MM_SET_IN_LEAVE_ON_SERVER, v, is_true(v.text) ? "no" : "yes");
	mm_trap_deletes(c->r->arena, out, acc, c->path);
	see_text(acc, MM_SET_ADDRESS, get(c, a->identity, "Address"));
	see_text(acc, MM_SET_REAL_NAME, get(c, a->identity, "FullName"));
	see_text(acc, MM_SET_REPLY_TO, get(c, a->identity, "ReplyTo"));
	if (a->smtp == NULL)
		return;
	mm_see(acc, MM_SET_OUT_PROTOCOL, (struct mm_native){.text = NULL}, "smtp");
	see_server(c, a->smtp, &outgoing, acc->label, acc, out);
}

static int read_place(struct mm_reader *r, const struct mm_place *p, struct mm_view *out, struct mm_err *err)
{
	struct config *c = mm_arena_alloc(r->arena, 1, sizeof(*c));
	const struct account *v;
	size_t n;

	*out = (struct mm_view){0};
	if (load(r, p->path, c, err) != 0)
		return -1;
	v = accounts(c, &n);
	out->accounts = mm_arena_alloc(r->arena, n + 1, sizeof(*out->accounts));
	for (size_t i = 0; i < n; i++)
		see(c, &v[i], out);
	mm_trap_accepted(r, out, mm_arena_printf(r->arena, "%s/certificates", mm_path_dir(r->arena, p->path)),
	    MM_PEM_MARK, "Balsa");
	return 0;
}

/* ---- places */

static int find(struct mm_reader *r, bool create, struct mm_place **places, size_t *n, struct mm_err *err)
{
	const char *const paths[] = {mm_config_path(r, "balsa/config"), mm_home_path(r, ".balsa/config")};

	(void)err;
	(void)create;
	if (mm_find_first(r, "balsa", paths, 2, paths[1], false, places, n) != 0)
		return -1;
	for (size_t i = 0; i < *n && mm_running(r, "balsa"); i++)
		(*places)[i].busy = "Balsa is running, and would write its old settings back when it ends";
	return 0;
}

/* ---- writing */

struct writer {
	struct config c;
	const struct account *all, *now;
	size_t n;
	struct mm_edit_list edits, private_edits;
};

static void want(struct writer *w, const char *group, const char *key, const char *value)
{
	mm_want_set(&w->edits, w->c.r->arena, group, key, value);
}

static void want_user(struct writer *w, const char *group, const char *user)
{
	bool there = false;

	if (user == NULL)
		return;
	for (size_t i = 0; i < w->c.private_doc.n; i++)
		there = there || strcmp(w->c.private_doc.items[i].section, group) == 0;
	if (!there)
		mm_want_edit(&w->private_edits, w->c.r->arena, MM_EDIT_SECTION_ADD, group, "", 's', NULL);
	mm_want_set(&w->private_edits, w->c.r->arena, group, "Username", user);
}

/* Server and port are one key. */
static void write_server(struct writer *w, const char *group, const struct side *s, const struct mm_values *v,
    const struct mm_values *full)
{
	const char *security = v->v[s->security];

	if (v->v[s->host] != NULL || v->v[s->port] != NULL)
		want(w, group, "Server",
		    mm_arena_printf(w->c.r->arena, "%s:%s", full->v[s->host], full->v[s->port]));
	if (security != NULL)
		want(w, group, "Security",
		    strcmp(security, "tls") == 0        ? "1"
		    : strcmp(security, "starttls") == 0 ? "2"
							: "4");
	if (v->v[s->auth] != NULL)
		want(w, group, "Anonymous", "false");
	want_user(w, group, v->v[s->user]);
}

static bool any_of(const struct mm_values *v, enum mm_side side)
{
	for (enum mm_setting s = 0; s < MM_SET_COUNT; s++)
		if (v->v[s] != NULL && mm_setting_def(s)->side == side)
			return true;
	return false;
}

/* Is what is to be changed there, and nobody else's too? */
static int check_own(const struct writer *w, bool out, struct mm_err *err)
{
	size_t identities = 0, servers = 0;
	const char *g;

	for (size_t i = 0; i < w->n; i++)
		identities += mm_streq(w->all[i].identity, w->now->identity) ? 1 : 0;
	for (size_t i = 0; (g = nth_group(&w->c, IDENTITY, i)) != NULL; i++)
		servers += mm_streq(smtp_of(&w->c, g), w->now->smtp) ? 1 : 0;
	if (w->now->identity == NULL || (out && w->now->smtp == NULL))
		return mm_err_set(
		    err, MM_EX_DIFF, "there is no identity, or no server to send through, to be set");
	if (identities > 1)
		return mm_err_set(
		    err, MM_EX_DIFF, "several accounts share the identity, which Balsa ties to none");
	if (out && servers > 1)
		return mm_err_set(err, MM_EX_DIFF, "other identities send through the same server");
	return 0;
}

static int set(struct writer *w, const struct mm_change *ch, struct mm_err *err)
{
	const struct mm_values *v = ch->want;
	bool out = any_of(v, MM_SIDE_OUTGOING);

	if (v->v[MM_SET_IN_PROTOCOL] != NULL)
		return mm_err_set(err, MM_EX_DIFF, "in Balsa an account cannot change between IMAP and POP3");
	if ((out || any_of(v, MM_SIDE_ACCOUNT)) && check_own(w, out, err) != 0)
		return -1;
	write_server(w, w->now->group, &incoming, v, ch->full);
	if (v->v[MM_SET_IN_LEAVE_ON_SERVER] != NULL && !w->now->imap)
		want(w, w->now->group, "Delete",
		    strcmp(v->v[MM_SET_IN_LEAVE_ON_SERVER], "yes") == 0 ? "false" : "true");
	want(w, w->now->identity, "Address", v->v[MM_SET_ADDRESS]);
	want(w, w->now->identity, "FullName", v->v[MM_SET_REAL_NAME]);
	want(w, w->now->identity, "ReplyTo", v->v[MM_SET_REPLY_TO]);
	if (out)
		write_server(w, w->now->smtp, &outgoing, v, ch->full);
	return 0;
}

static int change(struct mm_reader *r, const struct mm_place *p, const struct mm_view *now,
    const struct mm_change *ch, struct mm_edits *out, struct mm_err *err)
{
	struct writer w = {.n = 0};

	(void)now;
	*out = (struct mm_edits){.key = ch->key};
	if (ch->kind == MM_CHANGE_REMOVE)
		return 0; /* none was made, and what was set is taken back */
	if (ch->kind == MM_CHANGE_ADD)
		return mm_err_set(err, MM_EX_DIFF, "a new account is made in Balsa itself");
	if (load(r, p->path, &w.c, err) != 0)
		return -1;
	w.all = accounts(&w.c, &w.n);
	for (size_t i = 0; i < w.n; i++)
		if (strcmp(w.all[i].group, ch->key) == 0)
			w.now = &w.all[i];
	if (w.now == NULL)
		return mm_err_set(err, MM_EX_FAILED, "%s: %s is not there", p->path, ch->key);
	if (set(&w, ch, err) != 0)
		return -1;
	mm_want_file(out, r->arena, w.c.private_path, &mm_format_keyfile, &w.private_edits, 0600);
	mm_want_file(out, r->arena, p->path, &mm_format_keyfile, &w.edits, 0);
	if (ch->want->v[MM_SET_IN_HOST] != NULL || ch->want->v[MM_SET_IN_PORT] != NULL ||
	    ch->want->v[MM_SET_IN_USERNAME] != NULL) {
		out->note = "Balsa will ask for the password again";
		out->costs = MM_COST_PASSWORD;
	}
	return 0;
}

/* ---- what it cannot hold */

#define NO_AUTH "Balsa takes the best way of logging in that the server offers, and has no setting for it."
#define NO_CA "Balsa trusts the system's authorities and has no setting for others."
#define NO_PIN "Balsa cannot pin a public key."
#define NO_FLOOR "Balsa has no setting for it: the system's GnuTLS decides."
#define NO_CERT "Balsa's client certificates have a password of their own, which cannot be set from outside."

static const char *unsupported(enum mm_setting s, const char *value, const struct mm_values *all)
{
	static const struct mm_cannot rows[] = {MM_CANNOT_PAIR(PASSWORD_COMMAND, MM_CLIENT_NOT_ITS_BUSINESS),
	    MM_CANNOT_FOLDERS(
		"Balsa has one folder of each kind for all accounts, which is left to the user."),
	    {MM_SET_ORGANISATION, NULL, "Balsa has no organisation."}, {MM_SET_IN_AUTH, "password", NO_AUTH},
	    {MM_SET_OUT_AUTH, "password", NO_AUTH}, MM_CANNOT_PAIR(CA_FILE, NO_CA),
	    MM_CANNOT_PAIR(PIN, NO_PIN), MM_CANNOT_PAIR(TLS_MIN, NO_FLOOR),
	    MM_CANNOT_PAIR(CLIENT_CERT, NO_CERT), {MM_SET_NONE, NULL, NULL}};

	if (s == MM_SET_IN_LEAVE_ON_SERVER)
		return mm_streq(all->v[MM_SET_IN_PROTOCOL], "imap") ? MM_CLIENT_NOT_ITS_BUSINESS : NULL;
	return mm_cannot(rows, s, value);
}

const struct mm_client mm_client_balsa = {
    .name = "balsa",
    .label = "Balsa",
    .programs = (const char *const[]){"balsa", NULL},
    .incoming = true,
    .outgoing = true,
    .evidence = MM_EVIDENCE_ALL,
    .tls = MM_TLS_GIO,
    .unsupported = unsupported,
    .find = find,
    .read = read_place,
    .change = change,
};
