/*
 * msmtp: edited in place, inside the account.
 *
 * Files: ~/.msmtprc, else $XDG_CONFIG_HOME/msmtp/config (src/msmtp.c of
 * 1.8.23, seen with strace). Accounts inherit what was set explicitly, in
 * order; `defaults` counts for the accounts behind it.
 */
#include <string.h>

#include "agent/clients/adapter.h"
#include "agent/clients/clients.h"
#include "agent/clients/sh.h"
#include "agent/formats/msmtprc.h"
#include "common/text.h"

enum key {
	K_HOST,
	K_PORT,
	K_TLS,
	K_STARTTLS,
	K_AUTH,
	K_USER,
	K_PASSWORDEVAL,
	K_FROM,
	K_TRUST,
	K_CERT,
	K_KEY,
	K_PRIORITIES,
	K_PASSWORD,
	K_CERTCHECK,
	K_PROTOCOL,
	K_SOCKET,
	K_AUTO_FROM,
	K_HOST_OVERRIDE,
	K_COUNT
};

static const char *const key_names[K_COUNT] = {
    [K_HOST] = "host",
    [K_PORT] = "port",
    [K_TLS] = "tls",
    [K_STARTTLS] = "tls_starttls",
    [K_AUTH] = "auth",
    [K_USER] = "user",
    [K_PASSWORDEVAL] = "passwordeval",
    [K_FROM] = "from",
    [K_TRUST] = "tls_trust_file",
    [K_CERT] = "tls_cert_file",
    [K_KEY] = "tls_key_file",
    [K_PRIORITIES] = "tls_priorities",
    [K_PASSWORD] = "password",
    [K_CERTCHECK] = "tls_certcheck",
    [K_PROTOCOL] = "protocol",
    [K_SOCKET] = "socket",
    [K_AUTO_FROM] = "auto_from",
    [K_HOST_OVERRIDE] = "tls_host_override",
};

#define PRIORITIES_12 "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"
#define PRIORITIES_13 "NORMAL:-VERS-ALL:+VERS-TLS1.3"

struct value {
	const char *text; /* NULL: not set */
	int line;
	bool here;  /* it stands in the account itself */
	int unsure; /* the line of an eval behind it, which may have set it otherwise; 0: none */
};

struct account {
	const char *name;
	const char *parents;
	bool has_keys, by_eval;
	struct value own[K_COUNT]; /* explicit or inherited from an account */
	struct value dflt[K_COUNT];
};

struct config {
	struct account *v;
	size_t n, cap;
	struct value dflt[K_COUNT];
	bool evals;         /* the output of a command may define accounts */
	const char *broken; /* NULL, or why msmtp refuses the whole file */
	int broken_line;
};

static int find(struct mm_reader *r, bool create, struct mm_place **places, size_t *n, struct mm_err *err)
{
	const char *const paths[] = {mm_home_path(r, ".msmtprc"), mm_config_path(r, "msmtp/config")};
	bool have = false;

	(void)err;
	*places = NULL;
	*n = 0;
	for (size_t i = 0; i < 2; i++) {
		struct mm_place p = {.path = paths[i], .label = "", .exists = true, .in_use = !have};

		if (!mm_have_file(r, paths[i]))
			continue;
		have = true;
		mm_add_place(r->arena, places, n, &p);
	}
	if (!have && create && r->program(r, "msmtp")) {
		struct mm_place p = {.path = paths[0], .label = "", .in_use = true};

		mm_add_place(r->arena, places, n, &p);
	}
	return 0;
}

static struct account *account(struct config *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->v[i].name, name) == 0)
			return &c->v[i];
	return NULL;
}

static struct account *open_account(struct config *c, struct mm_arena *a, const char *name)
{
	struct account *acc = mm_arena_push(a, &c->v, &c->n, &c->cap, sizeof(*c->v));

	*acc = (struct account){.name = name, .parents = ""};
	memcpy(acc->dflt, c->dflt, sizeof(acc->dflt));
	return acc;
}

/* Names parted by commas; blanks around them do not count. */
static const char *next_name(const char **p, struct mm_arena *a)
{
	const char *s = *p + strspn(*p, " \t,"), *e = s + strcspn(s, ",");

	*p = e;
	while (e > s && (e[-1] == ' ' || e[-1] == '\t'))
		e--;
	return e > s ? mm_arena_strndup(a, s, (size_t)(e - s)) : NULL;
}

static void inherit(
    struct config *c, struct mm_arena *a, const char *name, const char *path, int line, struct mm_view *out)
{
	struct account *acc = account(c, name);
	const char *p, *from;

	if (acc == NULL)
		return;
	p = acc->parents;
	while ((from = next_name(&p, a)) != NULL) {
		const struct account *parent = account(c, from);

		if (parent == NULL || parent == acc) {
			c->broken = mm_arena_printf(a,
			    "Account '%s' inherits from '%s', which is not defined before it: msmtp "
			    "refuses the whole file.",
			    name, from);
			c->broken_line = line;
			if (c->evals)
				mm_add_trap(a, out, path, line, c->broken);
			continue;
		}
		for (int k = 0; k < K_COUNT; k++)
			if (parent->own[k].text != NULL || parent->own[k].unsure != 0) {
				acc->own[k] = parent->own[k];
				acc->own[k].here = false;
			}
	}
}

static int key_index(const char *name)
{
	for (int k = 0; k < K_COUNT; k++)
		if (strcmp(key_names[k], name) == 0)
			return k;
	return -1;
}

/* One line of a command's output stands here in truth. */
static void doubt(struct value *v, int line)
{
	for (int k = 0; k < K_COUNT; k++)
		v[k].unsure = line;
}

static void take_item(
    struct config *c, struct mm_arena *a, const struct mm_item *it, const char *path, struct mm_view *out)
{
	bool dflt = it->section[0] == '\0', header = it->kind == 'c';
	struct account *acc = dflt ? NULL : account(c, it->section);
	int k = header ? -1 : key_index(it->key);

	if (!dflt && acc == NULL)
		acc = open_account(c, a, it->section);
	if (header && !dflt) {
		acc->parents = it->value;
		inherit(c, a, it->section, path, it->line, out);
	} else if (acc != NULL) {
		acc->has_keys = true;
		acc->by_eval = acc->by_eval || strcmp(it->key, "eval") == 0;
	}
	if (!header && strcmp(it->key, "eval") == 0) {
		c->evals = true;
		doubt(dflt ? c->dflt : acc->own, it->line);
	}
	if (k < 0)
		return;
	*(dflt ? &c->dflt[k] : &acc->own[k]) =
	    (struct value){.text = it->value, .line = it->line, .here = !dflt};
}

static int load(
    struct mm_reader *r, const char *path, struct config *c, struct mm_view *out, struct mm_err *err)
{
	struct mm_text t;
	struct mm_doc d;
	int rc = mm_read_text(r, path, &t, err);

	if (rc <= 0)
		return rc;
	if (mm_format_msmtprc.parse(t, r->arena, &d, err) != 0)
		return mm_err_prefix(err, "%s", path);
	for (size_t i = 0; i < d.n; i++)
		take_item(c, r->arena, &d.items[i], path, out);
	if (c->broken != NULL && !c->evals)
		return mm_err_set(err, MM_EX_DATAERR, "%s: line %d: %s", path, c->broken_line, c->broken);
	return 0;
}

static struct value get(const struct account *acc, enum key k)
{
	struct value v = acc->own[k].text != NULL ? acc->own[k] : acc->dflt[k];

	if (v.unsure == 0)
		v.unsure = acc->own[k].unsure;
	return v;
}

static bool on(struct value v, bool dflt)
{
	return v.text == NULL ? dflt : strcmp(v.text, "off") != 0;
}

static void look_for_doubt(struct mm_seen *s, const char *path, struct value v)
{
	if (v.unsure == 0)
		return;
	s->unsure_path = path;
	s->unsure_line = v.unsure;
	s->unsure_why = "the output of a command is read there";
	s->unsure_open |= !v.here; /* a new line comes behind it */
}

static void overridden(struct mm_seen *s, const char *path, struct value by, const char *name)
{
	if (s->over_path != NULL)
		return;
	s->over_path = path;
	s->over_line = by.line;
	s->over_by = name;
}

static void put(
    struct mm_seen_account *s, enum mm_setting id, const char *path, struct value v, const char *text)
{
	s->s[id].value = text;
	s->s[id].from_default = v.text == NULL && text != NULL;
	s->s[id].path = v.text != NULL ? path : NULL;
	s->s[id].line = v.text != NULL ? v.line : 0;
	look_for_doubt(&s->s[id], path, v);
}

/* auth and, where TLS is off, what it means then: "on" never sends a
 * password in clear, "plain" does. */
static const char *auth_word(const struct account *acc)
{
	struct value v = get(acc, K_AUTH);

	if (v.text == NULL || strcmp(v.text, "off") == 0)
		return "none";
	if (v.text[0] == '\0' || strcmp(v.text, "on") == 0)
		return "password";
	return !on(get(acc, K_TLS), false) && strcmp(v.text, "plain") == 0 ? "password" : v.text;
}

static const char *tls_min(struct value v)
{
	static const struct {
		const char *priorities, *min;
	} known[] = {{PRIORITIES_12, "1.2"}, {PRIORITIES_13, "1.3"},
	    {"NORMAL:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.3", "1.2"}, {"NORMAL:-VERS-ALL:+VERS-TLS1.2", "1.2"},
	    {"NORMAL:-VERS-TLS1.1:-VERS-TLS1.0", "1.2"}, {"NORMAL:-VERS-TLS1.0:-VERS-TLS1.1", "1.2"},
	    {"SECURE128:-VERS-ALL:+VERS-TLS1.3", "1.3"}, {"", "1.0"}, {"NORMAL", "1.0"}};

	if (v.text == NULL)
		return "1.0"; /* GnuTLS 3.7 NORMAL */
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].priorities, v.text) == 0)
			return known[i].min;
	return v.text;
}

static const char *text_or_null(struct value v)
{
	return v.text != NULL && v.text[0] != '\0' ? v.text : NULL;
}

static void see_tls(struct mm_seen_account *s, const struct account *acc, const char *path)
{
	struct value tls = get(acc, K_TLS), st = get(acc, K_STARTTLS), port = get(acc, K_PORT);
	bool secure = on(tls, false), implicit = secure && !on(st, true);

	put(s, MM_SET_OUT_SECURITY, path, secure && st.text != NULL ? st : tls,
	    !secure    ? "none"
	    : implicit ? "tls"
		       : "starttls");
	look_for_doubt(&s->s[MM_SET_OUT_SECURITY], path, tls);
	if (secure)
		look_for_doubt(&s->s[MM_SET_OUT_SECURITY], path, st);
	put(s, MM_SET_OUT_PORT, path, port, port.text != NULL ? port.text : implicit ? "465" : "25");
}

/* Keys that win over others, whatever those say. */
static void see_others(struct mm_seen_account *s, const struct account *acc, const char *path)
{
	struct value password = get(acc, K_PASSWORD), unix_socket = get(acc, K_SOCKET),
		     from = get(acc, K_AUTO_FROM);
	struct mm_seen *command = &s->s[MM_SET_OUT_PASSWORD_COMMAND];

	password.here = true; /* a command of ours does not stand in its place */
	look_for_doubt(command, path, password);
	if (text_or_null(password) != NULL) {
		overridden(command, path, password, "password");
		command->note = "A password stands in the file; msmtp then never runs the command.";
	}
	if (text_or_null(unix_socket) != NULL) {
		overridden(&s->s[MM_SET_OUT_HOST], path, unix_socket, "socket");
		overridden(&s->s[MM_SET_OUT_PORT], path, unix_socket, "socket");
	}
	if (from.text != NULL && on(from, false))
		overridden(&s->s[MM_SET_ADDRESS], path, from, "auto_from");
}

/* Certificate and key may lie in two files; ours is one with both. */
static void see_client_cert(
    struct mm_seen_account *s, const struct account *acc, const char *path, struct mm_arena *a)
{
	struct value cert = get(acc, K_CERT), key = get(acc, K_KEY);
	const char *c = text_or_null(cert), *k = text_or_null(key), *both = c;

	if (c != NULL && !mm_streq(c, k))
		both = mm_arena_printf(a, "%s, with the key in %s", c, k != NULL ? k : "no file");
	put(s, MM_SET_OUT_CLIENT_CERT, path, cert, both);
	look_for_doubt(&s->s[MM_SET_OUT_CLIENT_CERT], path, key);
}

static void see(struct mm_seen_account *s, const struct account *acc, const char *path, struct mm_arena *a)
{
	struct value v = get(acc, K_PASSWORDEVAL), trust = get(acc, K_TRUST), proto = get(acc, K_PROTOCOL);

	s->key = s->label = acc->name;
	s->has_outgoing = true;
	put(s, MM_SET_ADDRESS, path, get(acc, K_FROM), text_or_null(get(acc, K_FROM)));
	put(s, MM_SET_OUT_PROTOCOL, path, proto, proto.text != NULL ? proto.text : "smtp");
	put(s, MM_SET_OUT_HOST, path, get(acc, K_HOST), text_or_null(get(acc, K_HOST)));
	see_tls(s, acc, path);
	put(s, MM_SET_OUT_AUTH, path, get(acc, K_AUTH), auth_word(acc));
	put(s, MM_SET_OUT_USERNAME, path, get(acc, K_USER), text_or_null(get(acc, K_USER)));
	put(s, MM_SET_OUT_PASSWORD_COMMAND, path, v, text_or_null(v) != NULL ? mm_sh_argv(v.text, a) : NULL);
	put(s, MM_SET_OUT_TLS_MIN, path, get(acc, K_PRIORITIES), tls_min(get(acc, K_PRIORITIES)));
	put(s, MM_SET_OUT_CA_FILE, path, trust,
	    trust.text != NULL && strcmp(trust.text, "system") == 0 ? NULL : text_or_null(trust));
	see_client_cert(s, acc, path, a);
	see_others(s, acc, path);
}

static void traps(const struct account *acc, const char *path, struct mm_arena *a, struct mm_view *out)
{
	struct value check = get(acc, K_CERTCHECK), auth = get(acc, K_AUTH), pw = get(acc, K_PASSWORD),
		     name = get(acc, K_HOST_OVERRIDE);

	if (check.text != NULL && !on(check, true))
		mm_add_trap(a, out, path, check.line,
		    mm_arena_printf(a, "Account '%s' does not verify the server's certificate.", acc->name));
	if (!on(get(acc, K_TLS), false) && auth.text != NULL &&
	    (strcmp(auth.text, "plain") == 0 || strcmp(auth.text, "login") == 0))
		mm_add_trap(a, out, path, auth.line,
		    mm_arena_printf(a, "Account '%s' sends the password in clear text.", acc->name));
	if (text_or_null(name) != NULL)
		mm_add_trap(a, out, path, name.line,
		    mm_arena_printf(
			a, "Account '%s' takes a server's certificate for another name.", acc->name));
	if (text_or_null(pw) != NULL)
		mm_add_trap(a, out, path, pw.line,
		    mm_arena_printf(
			a, "Account '%s' keeps its password in clear text in the file.", acc->name));
	if (acc->by_eval)
		mm_add_trap(a, out, path, 0,
		    mm_arena_printf(a,
			"Account '%s' takes settings from the output of a command (eval), which "
			"is not run to find out.",
			acc->name));
}

static int read_place(struct mm_reader *r, const struct mm_place *p, struct mm_view *out, struct mm_err *err)
{
	struct config c = {0};

	*out = (struct mm_view){0};
	if (load(r, p->path, &c, out, err) != 0)
		return -1;
	out->accounts = mm_arena_alloc(r->arena, c.n + 1, sizeof(*out->accounts));
	for (size_t i = 0; i < c.n; i++) {
		const struct account *acc = &c.v[i];
		bool alias = !acc->has_keys && acc->parents[0] != '\0';

		if (alias)
			continue; /* "account default : work" */
		see(&out->accounts[out->n++], acc, p->path, r->arena);
		traps(acc, p->path, r->arena, out);
	}
	return 0;
}

static const char *auth_value(const struct mm_values *want, const struct mm_values *full)
{
	const char *w = want->v[MM_SET_OUT_AUTH];

	if (mm_streq(w, "none"))
		return "off";
	if (!mm_streq(w, "password"))
		return w;
	return mm_streq(full->v[MM_SET_OUT_SECURITY], "none") ? "plain" : "on";
}

struct writer {
	struct mm_edit_list edits;
	struct mm_arena *a;
	const char *section;
};

static void want(struct writer *w, enum key k, const char *value)
{
	if (value != NULL)
		mm_want_edit(&w->edits, w->a, MM_EDIT_SET, w->section, key_names[k], 's', value);
}

static int write_account(
    struct writer *w, const struct mm_values *v, const struct mm_values *full, struct mm_err *err)
{
	const char *security = v->v[MM_SET_OUT_SECURITY], *command = v->v[MM_SET_OUT_PASSWORD_COMMAND], *line;
	/* What "password" becomes depends on whether there is TLS. */
	bool auth = v->v[MM_SET_OUT_AUTH] != NULL ||
		    (security != NULL && mm_streq(full->v[MM_SET_OUT_AUTH], "password"));
	const char *min = v->v[MM_SET_OUT_TLS_MIN];

	want(w, K_HOST, v->v[MM_SET_OUT_HOST]);
	want(w, K_PORT, v->v[MM_SET_OUT_PORT]);
	if (security != NULL) {
		want(w, K_TLS, mm_streq(security, "none") ? "off" : "on");
		if (!mm_streq(security, "none"))
			want(w, K_STARTTLS, mm_streq(security, "starttls") ? "on" : "off");
	}
	if (auth)
		want(w, K_AUTH, auth_value(v->v[MM_SET_OUT_AUTH] != NULL ? v : full, full));
	want(w, K_USER, v->v[MM_SET_OUT_USERNAME]);
	if (command != NULL) {
		line = mm_sh_line(command, w->a, err);
		if (line == NULL)
			return -1;
		want(w, K_PASSWORDEVAL, line);
	}
	want(w, K_FROM, v->v[MM_SET_ADDRESS]);
	want(w, K_TRUST, v->v[MM_SET_OUT_CA_FILE]);
	want(w, K_CERT, v->v[MM_SET_OUT_CLIENT_CERT]);
	want(w, K_KEY, v->v[MM_SET_OUT_CLIENT_CERT]);
	if (min != NULL)
		want(w, K_PRIORITIES, mm_streq(min, "1.3") ? PRIORITIES_13 : PRIORITIES_12);
	return 0;
}

/* Said only where it is not what msmtp does by itself. */
static void write_protocol(struct writer *w, struct config *c, const struct mm_change *ch)
{
	const struct account *acc = ch->kind == MM_CHANGE_SET ? account(c, ch->key) : NULL;
	struct value now = acc != NULL ? get(acc, K_PROTOCOL) : c->dflt[K_PROTOCOL];

	if (now.text != NULL || now.unsure != 0)
		want(w, K_PROTOCOL, ch->want->v[MM_SET_OUT_PROTOCOL]);
}

static const char *free_name(struct config *c, const char *name, struct mm_arena *a)
{
	const char *try = name;

	for (int i = 2; account(c, try) != NULL; i++)
		try = mm_arena_printf(a, "%s-%d", name, i);
	return try;
}

static void add(struct writer *w, struct config *c, const struct mm_change *ch, struct mm_edits *out)
{
	w->section = out->key = free_name(c, ch->account, w->a);
	mm_want_edit(&w->edits, w->a, MM_EDIT_SECTION_ADD, out->key, "", 's', NULL);
}

/* An account that inherits from ours would make msmtp refuse the file. */
static int check_removal(const struct config *c, const char *key, struct mm_arena *a, struct mm_err *err)
{
	for (size_t i = 0; i < c->n; i++) {
		const char *p = c->v[i].parents, *name;

		if (strcmp(c->v[i].name, "default") == 0 && !c->v[i].has_keys)
			continue;
		while ((name = next_name(&p, a)) != NULL)
			if (strcmp(name, key) == 0)
				return mm_err_set(err, MM_EX_FAILED,
				    "account '%s' cannot be removed: account '%s' inherits from it", key,
				    c->v[i].name);
	}
	return 0;
}

static void drop_alias(struct writer *w, const struct config *c, const char *key)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->v[i].name, "default") == 0 && !c->v[i].has_keys &&
		    strcmp(c->v[i].parents, key) == 0)
			mm_want_edit(&w->edits, w->a, MM_EDIT_SECTION_REMOVE, "default", "", 's', NULL);
}

static int change(struct mm_reader *r, const struct mm_place *p, const struct mm_view *now,
    const struct mm_change *ch, struct mm_edits *out, struct mm_err *err)
{
	struct writer w = {.a = r->arena, .section = ch->key};
	struct mm_view ignored = {0};
	struct config c = {0};

	(void)now;
	*out = (struct mm_edits){.key = ch->key};
	if (load(r, p->path, &c, &ignored, err) != 0)
		return -1;
	if (ch->kind == MM_CHANGE_REMOVE) {
		if (ch->created && check_removal(&c, ch->key, r->arena, err) != 0)
			return -1;
		if (ch->created)
			drop_alias(&w, &c, ch->key);
	} else {
		if (ch->kind == MM_CHANGE_ADD)
			add(&w, &c, ch, out);
		if (write_account(&w, ch->want, ch->full, err) != 0)
			return -1;
		write_protocol(&w, &c, ch);
		if (ch->kind == MM_CHANGE_ADD && ch->index == 0 && account(&c, "default") == NULL &&
		    strcmp(out->key, "default") != 0)
			mm_want_edit(&w.edits, r->arena, MM_EDIT_SECTION_ADD, "default", "", 's', out->key);
	}
	mm_want_file(
	    out, r->arena, p->path, &mm_format_msmtprc, &w.edits, ch->kind == MM_CHANGE_ADD ? 0600 : 0);
	return 0;
}

static const char *unsupported(enum mm_setting s, const char *value, const struct mm_values *all)
{
	(void)all;
	if (s == MM_SET_REAL_NAME || s == MM_SET_REPLY_TO || s == MM_SET_ORGANISATION)
		return "msmtp sends the header that the mail program wrote; it has no setting for this.";
	if (s == MM_SET_OUT_PIN)
		return "msmtp can pin a certificate, not a public key.";
	if (s == MM_SET_OUT_PASSWORD_COMMAND && strlen(value) > MM_MSMTPRC_LINE_MAX - 60)
		return "The password command is too long: msmtp takes lines of at most 499 bytes.";
	return NULL;
}

const struct mm_client mm_client_msmtp = {
    .name = "msmtp",
    .label = "msmtp",
    .programs = (const char *const[]){"msmtp", NULL},
    .outgoing = true,
    .unsupported = unsupported,
    .find = find,
    .read = read_place,
    .change = change,
};
