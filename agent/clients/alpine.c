/*
 * Alpine: variables of pinerc, edited in place; inside a server's braces only
 * host, port, security and user.
 *
 * Files, the later wins: /etc/pine.conf, ~/.pinerc, ~/.pinercex,
 * /etc/pinerc.fixed (Debian's name). The program keeps its variables in
 * memory and writes ~/.pinerc anew when the user saves a setting, also over
 * what somebody else changed meanwhile: nothing is edited while it runs.
 *
 * Sources: pith/conf.c, imap/src/c-client/mail.c (mail_valid_net_parse) and
 * smtp.c of Alpine 2.26, its help texts, and what it did on the wire. It tries
 * one SASL mechanism after the other and a plain login at last, so that
 * "password" is what it always does.
 */
#include <string.h>
#include <strings.h>

#include "agent/clients/alpine_from.h"
#include "agent/clients/alpine_server.h"
#include "agent/clients/clients.h"
#include "agent/clients/keys.h"
#include "agent/clients/mailurl.h"
#include "agent/formats/pinerc.h"
#include "common/text.h"

#define KEY "main"

enum var {
	V_INBOX,
	V_SMTP,
	V_NAME,
	V_USER,
	V_DOMAIN,
	V_RANGE,
	V_HEADERS,
	V_FEATURES,
	V_SENDMAIL,
	V_FCC,
	V_POSTPONED,
	V_COUNT
};

static const char *const names[V_COUNT] = {
    [V_INBOX] = "inbox-path",
    [V_SMTP] = "smtp-server",
    [V_NAME] = "personal-name",
    [V_USER] = "user-id",
    [V_DOMAIN] = "user-domain",
    [V_RANGE] = "encryption-protocol-range",
    [V_HEADERS] = "customized-hdrs",
    [V_FEATURES] = "feature-list",
    [V_SENDMAIL] = "sendmail-path",
    [V_FCC] = "default-fcc",
    [V_POSTPONED] = "postponed-folder",
};

struct value {
	const char *text; /* NULL: nowhere */
	const char *path;
	int line;
};

struct config {
	struct value own[V_COUNT];  /* the user's file or the system's below it */
	struct value over[V_COUNT]; /* what wins over the user's file */
};

static bool starts_with_nocase(const char *s, const char *prefix)
{
	return strncasecmp(s, prefix, strlen(prefix)) == 0;
}

/* ---- reading */

static int take_file(struct mm_reader *r, const char *path, struct value *into, struct mm_err *err)
{
	struct mm_text t;
	struct mm_doc d;
	int rc = mm_read_text(r, path, &t, err);

	if (rc <= 0)
		return rc;
	if (mm_format_pinerc.parse(t, r->arena, &d, err) != 0)
		return mm_err_prefix(err, "%s", path);
	for (size_t i = 0; i < d.n; i++)
		for (int v = 0; v < V_COUNT; v++)
			if (strcmp(d.items[i].key, names[v]) == 0)
				into[v] = (struct value){d.items[i].value, path, d.items[i].line};
	return 0;
}

static int load(struct mm_reader *r, const char *path, struct config *c, struct mm_err *err)
{
	*c = (struct config){.own = {{NULL, NULL, 0}}};
	if (take_file(r, "/etc/pine.conf", c->own, err) != 0 || take_file(r, path, c->own, err) != 0 ||
	    take_file(r, mm_home_path(r, ".pinercex"), c->over, err) != 0)
		return -1;
	return take_file(r, "/etc/pinerc.fixed", c->over, err);
}

struct look {
	struct mm_arena *a;
	const char *login;
	const struct config *c;
	struct mm_seen_account *acc;
	struct mm_view *out;
};

static struct value effective(const struct config *c, enum var v)
{
	return c->over[v].text != NULL ? c->over[v] : c->own[v];
}

static void put(struct look *l, enum mm_setting id, enum var v, const char *text)
{
	struct value at = effective(l->c, v);
	struct mm_seen *s = &l->acc->s[id];

	*s = (struct mm_seen){
	    .value = text, .from_default = at.text == NULL && text != NULL, .path = at.path, .line = at.line};
	if (at.text != NULL && mm_pinerc_expands(at.text)) {
		mm_see_unsure(s, (struct mm_native){.path = at.path, .line = at.line},
		    "a variable of the environment is put in there");
		s->unsure_open = true;
	}
	if (l->c->over[v].text != NULL) {
		s->over_path = at.path;
		s->over_line = at.line;
		s->over_by = names[v];
		s->over_holds = true;
	}
}

static void see_trap(struct look *l, enum var v, const struct mm_pine_server *s)
{
	struct value at = effective(l->c, v);

	if (mm_pine_flag(s, "novalidate-cert", l->a) != NULL)
		mm_add_trap(l->a, l->out, MM_TRAP_NO_VERIFY, at.path, at.line,
		    mm_arena_printf(
			l->a, "%s: the server's certificate is not verified (/novalidate-cert).", names[v]));
	if (mm_starts_with(mm_pine_security(s, l->a), "starttls if") &&
	    (v == V_INBOX || mm_pine_flag(s, "user", l->a) != NULL))
		mm_add_trap(l->a, l->out, MM_TRAP_OPPORTUNISTIC, at.path, at.line,
		    mm_arena_printf(l->a,
			"%s: without /tls or /ssl the password goes in clear text where the server does not "
			"offer STARTTLS.",
			names[v]));
}

static void see_range(struct look *l, enum mm_setting id)
{
	struct value v = effective(l->c, V_RANGE);
	const char *min = v.text == NULL || mm_starts_with(v.text, "no_min") ? "1.0"
			  : mm_starts_with(v.text, "tls1_2")                 ? "1.2"
			  : mm_starts_with(v.text, "tls1_3")                 ? "1.3"
									     : v.text;

	put(l, id, V_RANGE, min);
}

/* A folder on the server of the inbox, by its name there; what is elsewhere as
 * it stands. Without a server it is one of the first collection, which may
 * lie on this computer. */
static const char *folder_name(const struct look *l, const char *text, const struct mm_pine_server *inbox)
{
	struct mm_pine_server s;

	if (text == NULL || text[0] == '\0')
		return NULL;
	if (text[0] != '{')
		return mm_arena_printf(l->a, "%s, in the first of folder-collections", text);
	if (!mm_pine_server_parse(text + 1, "}", l->a, &s) || !mm_streq_nocase(s.host, inbox->host) ||
	    !mm_streq(mm_pine_flag(&s, "user", l->a), mm_pine_flag(inbox, "user", l->a)))
		return text;
	return s.tail;
}

static void see_folders(struct look *l, const struct mm_pine_server *inbox)
{
	put(l, MM_SET_FOLDER_SENT, V_FCC, folder_name(l, effective(l->c, V_FCC).text, inbox));
	put(l, MM_SET_FOLDER_DRAFTS, V_POSTPONED, folder_name(l, effective(l->c, V_POSTPONED).text, inbox));
}

static void see_incoming(struct look *l)
{
	const char *path = effective(l->c, V_INBOX).text;
	struct mm_pine_server s;
	bool pop3, tls;

	if (path == NULL || path[0] != '{' || !mm_pine_server_parse(path + 1, "}", l->a, &s))
		return; /* mail of this computer */
	pop3 = mm_pine_is_pop3(&s, l->a);
	tls = mm_pine_flag(&s, "ssl", l->a) != NULL;
	l->acc->has_incoming = true;
	put(l, MM_SET_IN_PROTOCOL, V_INBOX, pop3 ? "pop3" : "imap");
	put(l, MM_SET_IN_HOST, V_INBOX, s.host);
	put(l, MM_SET_IN_PORT, V_INBOX,
	    s.port != NULL ? s.port
	    : pop3         ? (tls ? "995" : "110")
			   : (tls ? "993" : "143"));
	put(l, MM_SET_IN_SECURITY, V_INBOX, mm_pine_security(&s, l->a));
	put(l, MM_SET_IN_AUTH, V_INBOX, "password");
	put(l, MM_SET_IN_USERNAME, V_INBOX, mm_pine_flag(&s, "user", l->a));
	see_range(l, MM_SET_IN_TLS_MIN);
	see_trap(l, V_INBOX, &s);
	if (!pop3)
		see_folders(l, &s);
}

static const char *smtp_port(const struct mm_pine_server *s, struct mm_arena *a)
{
	if (s->port != NULL)
		return s->port;
	if (mm_pine_flag(s, "ssl", a) != NULL)
		return "465";
	return mm_pine_flag(s, "submit", a) != NULL ? "587" : "25";
}

static const enum mm_setting smtp_ids[] = {
    MM_SET_OUT_HOST, MM_SET_OUT_PORT, MM_SET_OUT_SECURITY, MM_SET_OUT_AUTH, MM_SET_OUT_USERNAME};
#define N_SMTP (sizeof(smtp_ids) / sizeof(smtp_ids[0]))

static void smtp_values(const struct mm_pine_server *s, struct mm_arena *a, const char *out[N_SMTP])
{
	const char *user = mm_pine_flag(s, "user", a);
	const char *const v[N_SMTP] = {
	    s->host, smtp_port(s, a), mm_pine_security(s, a), user != NULL ? "password" : "none", user};

	memcpy(out, v, sizeof(v));
}

/* The servers behind the first are tried in turn where it does not answer:
 * in what they differ, nobody knows which one takes the mail. */
static void see_more_servers(struct look *l, const char *list, const char *const first[N_SMTP])
{
	struct value at = effective(l->c, V_SMTP);
	struct mm_native here = {.path = at.path, .line = at.line};
	const char *v[N_SMTP];
	struct mm_pine_server s;

	while (list[strspn(list, ", \t")] != '\0') {
		if (!mm_pine_server_parse(list + strspn(list, ", \t"), ",", l->a, &s))
			return;
		smtp_values(&s, l->a, v);
		for (size_t i = 0; i < N_SMTP; i++)
			if (!mm_setting_equal(smtp_ids[i], v[i], first[i]))
				mm_see_unsure(&l->acc->s[smtp_ids[i]], here,
				    "further servers of smtp-server are tried when the first does not "
				    "answer");
		see_trap(l, V_SMTP, &s);
		list = s.tail;
	}
}

static void see_outgoing(struct look *l)
{
	const char *list = effective(l->c, V_SMTP).text, *v[N_SMTP];
	struct value mailer = effective(l->c, V_SENDMAIL);
	struct mm_pine_server s;

	if (list == NULL || !mm_pine_server_parse(list, ",", l->a, &s))
		return; /* hands mail to this computer's mailer */
	l->acc->has_outgoing = true;
	put(l, MM_SET_OUT_PROTOCOL, V_SMTP, "smtp");
	smtp_values(&s, l->a, v);
	for (size_t i = 0; i < N_SMTP; i++)
		put(l, smtp_ids[i], V_SMTP, v[i]);
	see_range(l, MM_SET_OUT_TLS_MIN);
	see_trap(l, V_SMTP, &s);
	see_more_servers(l, s.tail, v);
	if (mailer.text != NULL && mailer.text[0] != '\0') {
		struct mm_seen *host = &l->acc->s[MM_SET_OUT_HOST];

		host->over_path = mailer.path;
		host->over_line = mailer.line;
		host->over_by = names[V_SENDMAIL];
		host->over_holds = false;
	}
}

/* The value of From that counts, or NULL. */
static const char *own_from(const struct config *c, struct mm_arena *a)
{
	return mm_pine_forbids_from(effective(c, V_FEATURES).text)
		   ? NULL
		   : mm_pine_from(effective(c, V_HEADERS).text, a);
}

/* Without a From of the user's own it is made of the login, whatever user-id
 * says (that is for PC-Alpine), and user-domain. */
static void see_identity(struct look *l)
{
	const char *from = own_from(l->c, l->a), *domain = effective(l->c, V_DOMAIN).text, *name = NULL;

	if (from != NULL) {
		put(l, MM_SET_ADDRESS, V_HEADERS, mm_mailbox_parse(from, l->a, &name));
		put(l, MM_SET_REAL_NAME, V_HEADERS, name);
		return;
	}
	if (domain != NULL && domain[0] != '\0')
		put(l, MM_SET_ADDRESS, V_DOMAIN, mm_arena_printf(l->a, "%s@%s", l->login, domain));
	put(l, MM_SET_REAL_NAME, V_NAME, effective(l->c, V_NAME).text);
}

static int read_place(struct mm_reader *r, const struct mm_place *p, struct mm_view *out, struct mm_err *err)
{
	struct config c;
	struct look l = {.a = r->arena, .login = r->login, .c = &c, .out = out};

	*out = (struct mm_view){0};
	if (load(r, p->path, &c, err) != 0)
		return -1;
	l.acc = out->accounts = mm_arena_alloc(r->arena, 1, sizeof(*out->accounts));
	l.acc->key = l.acc->label = KEY;
	see_incoming(&l);
	see_outgoing(&l);
	if (l.acc->has_incoming || l.acc->has_outgoing) {
		see_identity(&l);
		out->n = 1;
		mm_pine_passfile(r, l.acc);
	}
	return 0;
}

static int find(struct mm_reader *r, bool create, struct mm_place **places, size_t *n, struct mm_err *err)
{
	struct mm_place p = {.path = mm_home_path(r, ".pinerc"), .label = "", .in_use = true};

	(void)err;
	*places = NULL;
	*n = 0;
	p.exists = mm_have_file(r, p.path);
	if (!p.exists && (!create || !r->program(r, "alpine")))
		return 0;
	if (mm_running(r, "alpine"))
		p.busy = "Alpine is running, and would write its old settings back when one is saved";
	mm_add_place(r->arena, places, n, &p);
	return 0;
}

/* ---- writing */

struct writer {
	struct mm_edit_list edits;
	struct mm_arena *a;
	const struct config *c;
	const struct mm_values *want, *full;
};

static const char *chosen(const struct writer *w, enum mm_setting s, const char *now)
{
	return w->want->v[s] != NULL ? w->want->v[s] : now;
}

/* The flags that are not ours stay, in their order. */
static void add_flags(
    struct mm_buf *b, const struct mm_pine_server *now, bool security, bool user, bool protocol)
{
	for (size_t i = 0; i < now->n; i++) {
		const char *f = now->flags[i];
		bool pop = starts_with_nocase(f, "pop3") || starts_with_nocase(f, "service=") ||
			   starts_with_nocase(f, "imap");

		if ((security && mm_pine_is_security_flag(f)) || (user && starts_with_nocase(f, "user=")) ||
		    (protocol && pop))
			continue;
		mm_buf_addf(b, "/%s", f);
	}
}

static const char *spelled_server(struct writer *w, const struct mm_pine_server *now, enum mm_setting host,
    enum mm_setting port, enum mm_setting security, enum mm_setting username, bool login)
{
	struct mm_buf b = MM_BUF_INIT(MM_PINERC_LINE_MAX);
	const char *sec = w->want->v[security], *user = w->want->v[username],
		   *at = chosen(w, port, now->port);
	bool pop3 = host == MM_SET_IN_HOST && w->want->v[MM_SET_IN_PROTOCOL] != NULL;
	const char *out;

	mm_buf_adds(&b, chosen(w, host, now->host));
	if (at != NULL)
		mm_buf_addf(&b, ":%s", at);
	if (pop3 && mm_streq(w->want->v[MM_SET_IN_PROTOCOL], "pop3"))
		mm_buf_adds(&b, "/pop3");
	if (sec != NULL)
		mm_buf_adds(&b, strcmp(sec, "tls") == 0        ? "/ssl"
				: strcmp(sec, "starttls") == 0 ? "/tls"
							       : "/notls");
	if (user != NULL && login)
		mm_buf_addf(&b, "/user=%s", mm_pine_quoted(user, w->a));
	add_flags(&b, now, sec != NULL, user != NULL || !login, pop3);
	out = mm_arena_strdup(w->a, mm_buf_str(&b));
	mm_buf_free(&b);
	return out;
}

static void want(struct writer *w, enum var v, const char *value)
{
	mm_want_edit(&w->edits, w->a, MM_EDIT_SET, "", names[v], 's', value);
}

static bool any_of(const struct mm_values *v, enum mm_side side)
{
	for (int s = 0; s < MM_SET_COUNT; s++)
		if (v->v[s] != NULL && mm_setting_def((enum mm_setting)s)->side == side)
			return true;
	return false;
}

static void write_incoming(struct writer *w)
{
	const char *path = w->c->own[V_INBOX].text;
	struct mm_pine_server now = {.host = "", .tail = ""};
	bool there = path != NULL && path[0] == '{' && mm_pine_server_parse(path + 1, "}", w->a, &now);

	want(w, V_INBOX,
	    mm_arena_printf(w->a, "{%s}%s",
		spelled_server(
		    w, &now, MM_SET_IN_HOST, MM_SET_IN_PORT, MM_SET_IN_SECURITY, MM_SET_IN_USERNAME, true),
		there && now.tail[0] != '\0' ? now.tail : "INBOX"));
}

/* On the server as it will be; with it goes what named the old one. */
static void write_folder(struct writer *w, enum mm_setting s, enum var v)
{
	const char *path = w->c->own[V_INBOX].text, *old = w->c->own[v].text, *folder = w->want->v[s];
	struct mm_pine_server now = {.host = ""}, there = {.host = ""};
	bool had = path != NULL && path[0] == '{' && mm_pine_server_parse(path + 1, "}", w->a, &now);

	if (folder == NULL && had && old != NULL && any_of(w->want, MM_SIDE_INCOMING) && old[0] == '{' &&
	    mm_pine_server_parse(old + 1, "}", w->a, &there) && mm_streq_nocase(there.host, now.host) &&
	    mm_streq(there.tail, w->full->v[s]))
		folder = there.tail;
	if (folder == NULL || (!had && w->want->v[MM_SET_IN_HOST] == NULL))
		return;
	want(w, v,
	    mm_arena_printf(w->a, "{%s}%s",
		spelled_server(
		    w, &now, MM_SET_IN_HOST, MM_SET_IN_PORT, MM_SET_IN_SECURITY, MM_SET_IN_USERNAME, true),
		folder));
}

static void write_outgoing(struct writer *w)
{
	const char *list = w->c->own[V_SMTP].text, *auth = w->full->v[MM_SET_OUT_AUTH];
	struct mm_pine_server now = {.host = "", .tail = ""};

	if (list == NULL || !mm_pine_server_parse(list, ",", w->a, &now))
		now = (struct mm_pine_server){.host = "", .tail = ""};
	want(w, V_SMTP,
	    mm_arena_printf(w->a, "%s%s",
		spelled_server(w, &now, MM_SET_OUT_HOST, MM_SET_OUT_PORT, MM_SET_OUT_SECURITY,
		    MM_SET_OUT_USERNAME, !mm_streq(auth, "none")),
		now.tail));
}

static void write_account(struct writer *w)
{
	const struct mm_values *v = w->want;
	const char *min =
	    mm_streq(w->full->v[MM_SET_IN_TLS_MIN], "1.3") || mm_streq(w->full->v[MM_SET_OUT_TLS_MIN], "1.3")
		? "tls1_3,tls1_3"
		: "tls1_2,tls1_3";

	if (any_of(v, MM_SIDE_INCOMING))
		write_incoming(w);
	write_folder(w, MM_SET_FOLDER_SENT, V_FCC);
	write_folder(w, MM_SET_FOLDER_DRAFTS, V_POSTPONED);
	if (any_of(v, MM_SIDE_OUTGOING))
		write_outgoing(w);
	if (v->v[MM_SET_IN_TLS_MIN] != NULL || v->v[MM_SET_OUT_TLS_MIN] != NULL)
		want(w, V_RANGE, min);
}

/* The login is the one part of the address that no variable holds: another
 * takes a From. */
static int write_identity(struct writer *w, const struct mm_change *ch, const struct mm_seen_account *now,
    const char *login, struct mm_err *err)
{
	const char *address = mm_joined(ch, now, MM_SET_ADDRESS),
		   *name = mm_joined(ch, now, MM_SET_REAL_NAME);
	const char *at = address != NULL ? strchr(address, '@') : NULL;
	const struct mm_values *v = w->want;
	bool same, from = own_from(w->c, w->a) != NULL;

	if ((v->v[MM_SET_ADDRESS] == NULL && v->v[MM_SET_REAL_NAME] == NULL) || at == NULL)
		return 0;
	same = strlen(login) == (size_t)(at - address) && mm_starts_with(address, login);
	if (v->v[MM_SET_ADDRESS] != NULL) {
		want(w, V_USER, mm_arena_strndup(w->a, address, (size_t)(at - address)));
		want(w, V_DOMAIN, at + 1);
	}
	if (v->v[MM_SET_REAL_NAME] != NULL)
		want(w, V_NAME, name);
	if (!from && (same || v->v[MM_SET_ADDRESS] == NULL))
		return 0;
	if (mm_pine_forbids_from(effective(w->c, V_FEATURES).text))
		return mm_err_set(err, MM_EX_DIFF,
		    "Alpine makes the sender of the login here: no-allow-changing-from is in feature-list");
	want(w, V_HEADERS,
	    mm_pine_with_from(w->c->own[V_HEADERS].text, mm_mailbox_print(address, name, w->a), w->a));
	return 0;
}

static int change(struct mm_reader *r, const struct mm_place *p, const struct mm_view *now,
    const struct mm_change *ch, struct mm_edits *out, struct mm_err *err)
{
	struct config c;
	struct writer w = {.a = r->arena, .c = &c, .want = ch->want, .full = ch->full};

	*out = (struct mm_edits){.key = KEY};
	if (ch->kind == MM_CHANGE_REMOVE)
		return 0;
	if (ch->kind == MM_CHANGE_ADD && now->n > 0)
		return mm_err_set(err, MM_EX_DIFF,
		    "Alpine is set up for another account here (%s), and it has one inbox",
		    now->accounts[0].s[MM_SET_IN_HOST].value != NULL
			? now->accounts[0].s[MM_SET_IN_HOST].value
			: now->accounts[0].s[MM_SET_OUT_HOST].value);
	if (load(r, p->path, &c, err) != 0)
		return -1;
	write_account(&w);
	if (write_identity(&w, ch, now->n > 0 ? &now->accounts[0] : NULL, r->login, err) != 0)
		return -1;
	mm_want_file(
	    out, r->arena, p->path, &mm_format_pinerc, &w.edits, ch->kind == MM_CHANGE_ADD ? 0600 : 0);
	return 0;
}

static const char *no_text(const char *value)
{
	return mm_pinerc_expands(value) || strchr(value, '"') != NULL || strchr(value, '\\') != NULL
		   ? "Alpine's file cannot hold this text."
		   : NULL;
}

/* A brace ends the server's specification, whatever stands around it. */
static const char *no_user(const char *value)
{
	return strpbrk(value, "{}") != NULL ? "Alpine's file cannot hold this user name." : no_text(value);
}

/* Names go to the server as they stand, which has its own alphabet. */
static const char *no_folder(const char *value)
{
	for (const char *p = value; *p != '\0'; p++)
		if ((unsigned char)*p >= 0x80 || strchr("&{}", *p) != NULL)
			return "Alpine's file holds names of folders in plain ASCII only.";
	return no_text(value);
}

#define NO_COMMAND "Alpine has no password command: it asks."
#define NO_AUTH "Alpine chooses the way to log in itself."
#define NO_HEADER "Alpine takes this from customized-hdrs, which is left to the user."
#define NO_CA "Alpine trusts the authorities of the system."
#define NO_PIN "Alpine cannot pin a public key."
#define NO_CERT "Alpine has no client certificates."

static const char *unsupported(enum mm_setting s, const char *v, const struct mm_values *all)
{
	static const struct mm_cannot rows[] = {MM_CANNOT_PAIR(PASSWORD_COMMAND, NO_COMMAND),
	    {MM_SET_IN_AUTH, "password", NO_AUTH}, {MM_SET_OUT_AUTH, "password none", NO_AUTH},
	    {MM_SET_REPLY_TO, NULL, NO_HEADER}, {MM_SET_ORGANISATION, NULL, NO_HEADER},
	    MM_CANNOT_PAIR(CA_FILE, NO_CA), MM_CANNOT_PAIR(PIN, NO_PIN), MM_CANNOT_PAIR(CLIENT_CERT, NO_CERT),
	    {MM_SET_FOLDER_TRASH, NULL, "Alpine has no folder for deleted mail: it is marked."},
	    {MM_SET_FOLDER_JUNK, NULL, "Alpine has no folder for junk."},
	    /* It looks into the mailbox and leaves it there. */
	    {MM_SET_IN_LEAVE_ON_SERVER, NULL, MM_CLIENT_NOT_ITS_BUSINESS}, {MM_SET_NONE, NULL, NULL}};

	switch (s) {
	case MM_SET_OUT_USERNAME:
		return mm_streq(all->v[MM_SET_OUT_AUTH], "none") ? MM_CLIENT_NOT_ITS_BUSINESS : no_user(v);
	case MM_SET_IN_USERNAME:
		return no_user(v);
	case MM_SET_REAL_NAME:
	case MM_SET_ADDRESS:
		return no_text(v);
	case MM_SET_FOLDER_SENT:
	case MM_SET_FOLDER_DRAFTS:
		return no_folder(v);
	default:
		return mm_cannot(rows, s, v);
	}
}

const struct mm_client mm_client_alpine = {
    .name = "alpine",
    .label = "Alpine",
    .programs = (const char *const[]){"alpine", NULL},
    .incoming = true,
    .outgoing = true,
    .evidence = MM_EVIDENCE_ALL,
    .tls = MM_TLS_OPENSSL,
    .unsupported = unsupported,
    .find = find,
    .read = read_place,
    .change = change,
};
