/*
 * fdm: edited in place, the words of one account.
 *
 * File: ~/.fdm.conf, else /etc/fdm.conf, which is only read; `include` is
 * followed, and an account is changed in the file where it stands. Macros are
 * taken for what they are at that point, and decide what stands within ifdef (none
 * is given on the command line); what the output of a command makes is not known. Certificates are verified
 * only with `set verify-certificates`, and then their chain alone, not the host's name (fdm 1.9). Fetched
 * mail is deleted from the server without `keep`. Two accounts of one name are fatal.
 */
#include <string.h>

#include "agent/clients/clients.h"
#include "agent/clients/keys.h"
#include "agent/clients/mailurl.h"
#include "agent/clients/sh.h"
#include "agent/formats/fdmconf.h"
#include "agent/formats/fdmconf_lex.h"
#include "common/text.h"

#define INCLUDES_MAX 16 /* files, the first one included */

static int find(struct mm_reader *r, bool create, struct mm_place **places, size_t *n, struct mm_err *err)
{
	const char *const paths[] = {mm_home_path(r, ".fdm.conf")};

	(void)err;
	return mm_find_first(r, "fdm", paths, 1, paths[0], create, places, n);
}

struct macro {
	const char *name, *value; /* NULL: not known */
};

struct word {
	const char *key, *value; /* NULL: not known */
	char kind;
	int line;
};

struct account {
	const char *name, *path, *state;
	int line;
	const char *off; /* NULL, or why a plain start does not fetch it */
	struct mm_native off_at;
	struct word *words;
	size_t n, cap;
};

struct files {
	struct mm_reader *r;
	struct macro *macros;
	size_t n_macros, cap_macros;
	struct account *v;
	size_t n, cap;
	struct mm_view *view;
	unsigned count;
	bool verifies;
	struct mm_native proxy;
	unsigned depth; /* of ifdef */
	bool dead;      /* nothing counts here */
	struct mm_native dead_at;
};

static bool is_defined(const struct files *f, const char *name)
{
	for (size_t i = 0; i < f->n_macros; i++)
		if (strcmp(f->macros[i].name, name) == 0)
			return true;
	return false;
}

/* ifdef, ifndef, endif: are they this item? */
static bool take_condition(struct files *f, const char *path, const struct mm_item *it)
{
	bool ifdef = strcmp(it->key, "ifdef") == 0, ifndef = strcmp(it->key, "ifndef") == 0;

	if (it->section[0] != '\0' || (!ifdef && !ifndef && strcmp(it->key, "endif") != 0))
		return false;
	if (ifdef || ifndef) {
		f->depth++;
		if (!f->dead && is_defined(f, it->value) != ifdef) {
			f->dead = true;
			f->dead_at = (struct mm_native){.text = it->key, .path = path, .line = it->line};
		}
	} else if (f->depth > 0 && --f->depth == 0) {
		f->dead = false; /* one that is false counts until the outermost ends (lex.c) */
	}
	return true;
}

static const char *macro_value(const void *ctx, const char *name)
{
	const struct files *f = ctx;

	for (size_t i = f->n_macros; i-- > 0;)
		if (strcmp(f->macros[i].name, name) == 0)
			return f->macros[i].value;
	return NULL;
}

static void take_word(struct files *f, const struct mm_item *it)
{
	struct account *acc = &f->v[f->n - 1];
	struct word *w = mm_arena_push(f->r->arena, &acc->words, &acc->n, &acc->cap, sizeof(*acc->words));

	*w = (struct word){.key = it->key, .value = it->value, .kind = it->kind, .line = it->line};
	if (it->kind == 'v')
		w->value = mm_fdm_expand(it->value, macro_value, f, f->r->arena);
}

static int walk(struct files *f, const char *path, struct mm_err *err);

static int take_include(struct files *f, const char *path, const struct mm_item *it, struct mm_err *err)
{
	const char *name = mm_fdm_expand(it->value, macro_value, f, f->r->arena);

	if (name != NULL && name[0] == '~' && name[1] == '/')
		name = mm_home_path(f->r, name + 2);
	else if (name != NULL && name[0] != '/')
		name = mm_arena_printf(f->r->arena, "%s/%s", mm_path_dir(f->r->arena, path), name);
	if (name == NULL || f->count >= INCLUDES_MAX || !mm_have_file(f->r, name)) {
		mm_add_trap(f->r->arena, f->view, MM_TRAP_OTHER, path, it->line,
		    "A file that is included here cannot be looked at.");
		return 0;
	}
	return walk(f, name, err);
}

static void take_account(struct files *f, const char *path, const struct mm_item *it)
{
	struct mm_arena *a = f->r->arena;
	struct account acc = {.name = it->section, .path = path, .state = it->value, .line = it->line};

	if (f->dead) {
		acc.off = mm_arena_printf(a, "%s, which leaves the account out,",
		    mm_streq(f->dead_at.text, "ifdef") ? "ifdef" : "ifndef");
		acc.off_at = f->dead_at;
	} else if (it->value[0] == 'd') {
		acc.off = "disabled, by which it is never fetched by itself,";
		acc.off_at = (struct mm_native){.path = path, .line = it->line};
	}
	for (size_t i = 0; i < f->n && !f->dead; i++)
		if (strcmp(f->v[i].name, it->section) == 0 &&
		    (f->v[i].off == NULL || f->v[i].state[0] == 'd'))
			mm_add_trap(a, f->view, MM_TRAP_OTHER, path, it->line,
			    mm_arena_printf(
				a, "A second account '%s': fdm refuses the whole file.", it->section));
	*(struct account *)mm_arena_push(a, &f->v, &f->n, &f->cap, sizeof(*f->v)) = acc;
}

static int take_item(struct files *f, const char *path, const struct mm_item *it, struct mm_err *err)
{
	struct mm_arena *a = f->r->arena;

	if (take_condition(f, path, it) || (f->dead && it->section[0] == '\0'))
		return 0;
	if (it->section[0] == '\0' && (it->key[0] == '$' || it->key[0] == '%')) {
		struct macro m = {.name = it->key, .value = mm_fdm_expand(it->value, macro_value, f, a)};

		*(struct macro *)mm_arena_push(a, &f->macros, &f->n_macros, &f->cap_macros, sizeof(m)) = m;
	} else if (strcmp(it->key, "include") == 0 && it->section[0] == '\0') {
		return take_include(f, path, it, err);
	} else if (strcmp(it->key, "proxy") == 0 && it->section[0] == '\0') {
		f->proxy = (struct mm_native){.text = it->value, .path = path, .line = it->line};
	} else if (it->section[0] == '\0') {
		f->verifies = f->verifies || strcmp(it->key, "verify-certificates") == 0;
	} else if (strcmp(it->key, "account") == 0) {
		take_account(f, path, it);
	} else {
		take_word(f, it);
	}
	return 0;
}

static int walk(struct files *f, const char *path, struct mm_err *err)
{
	struct mm_doc d;

	f->count++;
	if (mm_load_doc(f->r, path, &mm_format_fdmconf, &d, err) != 0)
		return -1;
	for (size_t i = 0; i < d.n; i++)
		if (take_item(f, path, &d.items[i], err) != 0)
			return -1;
	return 0;
}

static const struct word *word(const struct account *acc, const char *key)
{
	for (size_t i = 0; i < acc->n; i++)
		if (strcmp(acc->words[i].key, key) == 0)
			return &acc->words[i];
	return NULL;
}

static struct mm_native native(const struct account *acc, const struct word *w)
{
	if (w == NULL)
		return (struct mm_native){.text = NULL};
	return (struct mm_native){
	    .text = w->value != NULL ? w->value : "", .path = acc->path, .line = w->line};
}

static struct mm_native get(const struct account *acc, const char *key)
{
	return native(acc, word(acc, key));
}

static void see_text(
    struct mm_seen_account *s, const struct account *acc, enum mm_setting setting, const char *key)
{
	const struct word *w = word(acc, key);
	bool known = w != NULL && w->value != NULL && w->kind != 'e';

	mm_see(s, setting, native(acc, w), known ? w->value : NULL);
	if (w == NULL || known)
		return;
	s->s[setting].unsure_path = acc->path;
	s->s[setting].unsure_line = w->line;
	s->s[setting].unsure_why = "the output of a command is the value";
	s->s[setting].unsure_open = true; /* what we write stands in its place */
}

static void see_login(struct mm_seen_account *s, const struct account *acc, struct mm_arena *a)
{
	const struct word *pass = word(acc, "pass"), *login = word(acc, "no-login");
	const struct word *cram = word(acc, "no-cram-md5"), *apop = word(acc, "no-apop");
	bool pop = mm_streq(s->s[MM_SET_IN_PROTOCOL].value, "pop3");
	const char *auth = login != NULL && cram == NULL ? "cram-md5" : "password";

	see_text(s, acc, MM_SET_IN_USERNAME, "user");
	mm_see(s, MM_SET_IN_AUTH, native(acc, login != NULL ? login : pop ? apop : cram), auth);
	mm_see(s, MM_SET_IN_PASSWORD_COMMAND, native(acc, pass),
	    pass != NULL && pass->kind == 'e' ? mm_sh_argv(pass->value, a) : NULL);
	if (pass != NULL && pass->kind != 'e')
		mm_see_over(&s->s[MM_SET_IN_PASSWORD_COMMAND], native(acc, pass), "pass",
		    "A password stands in the file; it is neither looked at nor replaced.");
}

static void see_ports(struct mm_seen_account *s)
{
	static const char *const names[][2] = {
	    {"imap", "143"}, {"imaps", "993"}, {"pop3", "110"}, {"pop3s", "995"}};
	struct mm_seen *port = &s->s[MM_SET_IN_PORT];
	bool tls = mm_streq(s->s[MM_SET_IN_SECURITY].value, "tls");
	bool pop = mm_streq(s->s[MM_SET_IN_PROTOCOL].value, "pop3");

	for (size_t i = 0; i < 4; i++)
		if (mm_streq(port->value, names[i][0]))
			port->value = names[i][1];
	if (port->value == NULL && port->unsure_path == NULL)
		mm_see(s, MM_SET_IN_PORT, (struct mm_native){.text = NULL},
		    pop ? (tls ? "995" : "110") : (tls ? "993" : "143"));
}

static void see(struct mm_seen_account *s, const struct account *acc, struct mm_arena *a)
{
	struct mm_native type = get(acc, "protocol"), tls = get(acc, "tls"), starttls = get(acc, "starttls"),
			 insecure, keep;

	*s = (struct mm_seen_account){.key = acc->name, .label = acc->name, .has_incoming = true};
	if (acc->state[0] == 'd')
		s->label = mm_arena_printf(a, "%s (disabled)", acc->name);
	mm_see(s, MM_SET_IN_PROTOCOL, type, type.text);
	mm_see(s, MM_SET_IN_SECURITY, starttls.text != NULL ? starttls : type,
	    tls.text != NULL        ? "tls"
	    : starttls.text != NULL ? "starttls"
				    : "none");
	see_text(s, acc, MM_SET_IN_HOST, "server");
	if (word(acc, "server") != NULL && word(acc, "server")->kind == 'c') {
		mm_see(s, MM_SET_IN_HOST, (struct mm_native){.text = NULL}, NULL);
		mm_see_over(&s->verify, get(acc, "server"), "pipe", NULL);
		mm_see_over(&s->s[MM_SET_IN_HOST], get(acc, "server"), "pipe",
		    "fdm speaks with the program that pipe names, not with a server.");
	}
	see_text(s, acc, MM_SET_IN_PORT, "port");
	see_ports(s);
	see_login(s, acc, a);
	insecure = get(acc, "insecure");
	keep = get(acc, "keep");
	mm_see(s, MM_SET_IN_TLS_MIN, insecure, insecure.text != NULL ? "1.0" : "1.1");
	mm_see(s, MM_SET_IN_LEAVE_ON_SERVER, keep, keep.text != NULL ? "yes" : "no");
	if (acc->off != NULL)
		mm_see_all_over(s, acc->off_at, acc->off);
}

static void traps(const struct files *f, const struct account *acc, const struct mm_seen_account *s)
{
	struct mm_native pass = get(acc, "pass");
	const struct word *secret = word(acc, "pass");
	const struct {
		struct mm_native at;
		bool on;
		const char *text;
		enum mm_trap_kind kind;
	} t[] = {
	    {pass, secret != NULL && secret->kind == 'c', "keeps its password in clear text in the file.",
		MM_TRAP_PASSWORD},
	    {get(acc, "no-verify"), get(acc, "no-verify").text != NULL,
		"does not verify the server's certificate (no-verify).", MM_TRAP_NO_VERIFY},
	    {get(acc, "protocol"), !f->verifies && get(acc, "no-verify").text == NULL,
		"does not verify the server's certificate: fdm does so only with `set verify-certificates`.",
		MM_TRAP_NO_VERIFY},
	    {get(acc, "protocol"),
		f->verifies && get(acc, "no-verify").text == NULL &&
		    !mm_streq(s->s[MM_SET_IN_SECURITY].value, "none"),
		"takes any name in the server's certificate: fdm looks only at who signed it.",
		MM_TRAP_CHAIN_ONLY},
	    {f->proxy, f->proxy.text != NULL, MM_THROUGH_PROXY, MM_TRAP_OTHER},
	    {get(acc, "insecure"), get(acc, "insecure").text != NULL,
		"allows old versions of TLS (insecure).", MM_TRAP_OTHER},
	    {get(acc, "protocol"), mm_streq(s->s[MM_SET_IN_SECURITY].value, "none"),
		"does without encryption.", MM_TRAP_CLEAR},
	    {get(acc, "protocol"), get(acc, "keep").text == NULL,
		"deletes fetched mail from the server (no `keep`).", MM_TRAP_OTHER},
	};

	/* The first is about the secret. What is left out is dangerous only by what stands there for all to
	 * read. */
	for (size_t i = 0; i < (acc->off != NULL && acc->state[0] != 'd' ? 1 : sizeof(t) / sizeof(t[0])); i++)
		if (t[i].on)
			mm_add_trap(f->r->arena, f->view, t[i].kind,
			    t[i].at.path != NULL ? t[i].at.path : acc->path, t[i].at.line,
			    mm_arena_printf(f->r->arena, "'%s' %s", acc->name, t[i].text))
			    ->key = acc->name;
}

static int read_place(struct mm_reader *r, const struct mm_place *p, struct mm_view *out, struct mm_err *err)
{
	struct files f = {.r = r, .view = out};

	*out = (struct mm_view){0};
	if (walk(&f, p->path, err) != 0)
		return -1;
	out->accounts = mm_arena_alloc(r->arena, f.n + 1, sizeof(*out->accounts));
	for (size_t i = 0; i < f.n; i++) {
		if (f.v[i].n == 0) /* no server: nothing stands behind its name */
			continue;
		see(&out->accounts[out->n], &f.v[i], r->arena);
		traps(&f, &f.v[i], &out->accounts[out->n++]);
	}
	return 0;
}

/* ---- changing */

struct writer {
	struct mm_edit_list edits;
	struct mm_arena *a;
	const struct mm_change *ch;
	const char *name;
	const struct account *acc; /* NULL: a new one */
};

static void want(struct writer *w, const char *key, const char *value)
{
	mm_want_set(&w->edits, w->a, w->name, key, value);
}

static void flag(struct writer *w, const char *key, bool on)
{
	bool has = w->acc != NULL && word(w->acc, key) != NULL;

	if (on && !has)
		want(w, key, "yes");
	else if (!on && has)
		mm_want_edit(&w->edits, w->a, MM_EDIT_DELETE, w->name, key, 's', NULL);
}

static void write_security(struct writer *w)
{
	const struct mm_values *v = w->ch->want;
	bool tls = mm_streq(v->v[MM_SET_IN_SECURITY], "tls");
	bool starttls = mm_streq(v->v[MM_SET_IN_SECURITY], "starttls");

	if (v->v[MM_SET_IN_SECURITY] == NULL)
		return;
	if (!starttls) /* fatal beside the other */
		flag(w, "starttls", false);
	flag(w, "tls", tls);
	if (starttls)
		flag(w, "starttls", true);
	flag(w, "no-verify", false);
}

/* fdm reads strings within $(...) itself, and knows no \' there. */
static const char *command(const char *argv, struct mm_arena *a, struct mm_err *err)
{
	const char *line = mm_sh_line(argv, a, err);
	struct mm_buf b = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);
	const char *out;

	for (const char *p = line; p != NULL && *p != '\0'; p++) {
		if (mm_starts_with(p, "'\\''")) {
			mm_buf_adds(&b, "'\"'\"'");
			p += 3;
		} else {
			mm_buf_addc(&b, *p);
		}
	}
	out = line != NULL ? mm_arena_strdup(a, mm_buf_str(&b)) : NULL;
	mm_buf_free(&b);
	return out;
}

static int write_account(struct writer *w, struct mm_err *err)
{
	const struct mm_values *v = w->ch->want;
	const char *argv = v->v[MM_SET_IN_PASSWORD_COMMAND], *auth = v->v[MM_SET_IN_AUTH], *line;

	want(w, "server", v->v[MM_SET_IN_HOST]);
	want(w, "port", v->v[MM_SET_IN_PORT]);
	want(w, "user", v->v[MM_SET_IN_USERNAME]);
	if (argv != NULL) {
		line = command(argv, w->a, err);
		if (line == NULL)
			return -1;
		mm_want_edit(&w->edits, w->a, MM_EDIT_SET, w->name, "pass", 'e', line);
	}
	write_security(w);
	if (auth != NULL && mm_streq(w->ch->full->v[MM_SET_IN_PROTOCOL], "imap")) {
		flag(w, "no-login", mm_streq(auth, "cram-md5"));
		if (mm_streq(auth, "cram-md5"))
			flag(w, "no-cram-md5", false);
	}
	if (w->ch->full->v[MM_SET_IN_TLS_MIN] != NULL) /* nearer to it */
		flag(w, "insecure", false);
	if (w->acc == NULL || v->v[MM_SET_IN_LEAVE_ON_SERVER] != NULL)
		flag(w, "keep", true);
	return 0;
}

static bool taken(const void *ctx, const char *name)
{
	const struct files *f = ctx;

	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->v[i].name, name) == 0)
			return true;
	return false;
}

static void add(struct writer *w, const struct files *f, struct mm_edits *out)
{
	w->name = out->key = mm_free_name(w->ch->account, taken, f, w->a);
	mm_want_edit(
	    &w->edits, w->a, MM_EDIT_SECTION_ADD, w->name, "", 's', w->ch->full->v[MM_SET_IN_PROTOCOL]);
	out->note = "fdm keeps this account's mail on the server until a rule of the user's matches it.";
	/* Others that rely on its absence are not disturbed; there it is a trap of its own. */
	if (f->n == 0 && !f->verifies)
		mm_want_set(&w->edits, w->a, "", "verify-certificates", "yes");
}

/* Only new mail, every time: what is kept is not fetched again. */
static void fetch_once(struct writer *w)
{
	if (mm_streq(w->ch->full->v[MM_SET_IN_PROTOCOL], "pop3"))
		want(w, "cache", mm_arena_printf(w->a, "~/.fdm-%s.cache", w->name));
	else
		want(w, "only", "new-only");
}

static int change(struct mm_reader *r, const struct mm_place *p, const struct mm_view *now,
    const struct mm_change *ch, struct mm_edits *out, struct mm_err *err)
{
	struct mm_view scratch = {0};
	struct files f = {.r = r, .view = &scratch};
	struct writer w = {.a = r->arena, .ch = ch, .name = ch->key};

	(void)now;
	*out = (struct mm_edits){.key = ch->key};
	if (ch->kind == MM_CHANGE_REMOVE)
		return 0;
	if (walk(&f, p->path, err) != 0)
		return -1;
	for (size_t i = 0; ch->kind == MM_CHANGE_SET && i < f.n; i++)
		if (mm_streq(f.v[i].name, ch->key) && (w.acc == NULL || f.v[i].off == NULL))
			w.acc = &f.v[i];
	if (ch->kind == MM_CHANGE_ADD)
		add(&w, &f, out);
	else if (w.acc == NULL)
		return mm_err_set(err, MM_EX_FAILED, "'%s' is not in the file", ch->key);
	if (w.acc != NULL && ch->want->v[MM_SET_IN_PROTOCOL] != NULL &&
	    !mm_streq(get(w.acc, "protocol").text, ch->want->v[MM_SET_IN_PROTOCOL]))
		return mm_err_set(err, MM_EX_DIFF, "'%s' is an account of another protocol", ch->key);
	if (write_account(&w, err) != 0)
		return -1;
	if (ch->kind == MM_CHANGE_ADD)
		fetch_once(&w);
	mm_want_file(out, r->arena, w.acc != NULL ? w.acc->path : p->path, &mm_format_fdmconf, &w.edits,
	    ch->kind == MM_CHANGE_ADD ? 0600 : 0);
	return 0;
}

static const char *unsupported(enum mm_setting s, const char *value, const struct mm_values *all)
{
	static const struct mm_cannot rows[] = {MM_CANNOT_IDENTITY,
	    {MM_SET_IN_PIN, NULL, "fdm cannot pin a public key."},
	    {MM_SET_IN_CA_FILE, NULL, "fdm takes the system's certificates, and no other file."},
	    {MM_SET_IN_CLIENT_CERT, NULL, "fdm has no client certificates."},
	    {MM_SET_IN_LEAVE_ON_SERVER, "yes", MM_FETCHER_NEVER_DELETES},
	    {MM_SET_IN_TLS_MIN, NULL,
		"fdm takes TLS 1.1 and newer, and has no setting for it: the system's OpenSSL has one."},
	    {MM_SET_IN_AUTH, "password cram-md5", "fdm does not log in in this way."},
	    {MM_SET_NONE, NULL, NULL}};

	if (s == MM_SET_IN_AUTH && mm_streq(value, "cram-md5") &&
	    mm_streq(all->v[MM_SET_IN_PROTOCOL], "pop3"))
		return "fdm does not log in in this way.";
	return mm_cannot(rows, s, value);
}

const struct mm_client mm_client_fdm = {
    .name = "fdm",
    .label = "fdm",
    .programs = (const char *const[]){"fdm", NULL},
    .incoming = true,
    .evidence = MM_EVIDENCE_ALL,
    .tls = MM_TLS_OPENSSL,
    .unsupported = unsupported,
    .find = find,
    .read = read_place,
    .change = change,
};
