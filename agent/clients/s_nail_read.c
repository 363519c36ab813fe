/* What s-nail's variables mean. */
#include <string.h>

#include "agent/clients/s_nail.h"
#include "agent/formats/mailrc.h"
#include "common/text.h"

const struct mm_word mm_snail_auth[] = {{"plain", "plain"}, {"login", "login"}, {"cram-md5", "cram-md5"},
    {"gssapi", "gssapi"}, {"oauthbearer", "oauthbearer"}, {"external", "external"}, {"none", "none"},
    {"externanon", "external"}, {NULL, NULL}};
const struct mm_word mm_snail_floor[] = {{"TLSv1.2", "1.2"}, {"TLSv1.3", "1.3"}, {"TLSv1.1", "1.1"},
    {"TLSv1", "1.0"}, {"SSLv3", "1.0"}, {"None", "1.0"}, {NULL, NULL}};

/* ---- a side's server */

static const struct {
	const char *scheme, *protocol, *port;
} schemes[] = {{"imap", "imap", "143"}, {"imaps", "imap", "993"}, {"pop3", "pop3", "110"},
    {"pop3s", "pop3", "995"}, {"smtp", "smtp", "25"}, {"smtps", "smtp", "465"}, {"submission", "smtp", "587"},
    {"submissions", "smtp", "465"}};

static bool take_url(struct mm_snail_side *s, const char *text, struct mm_arena *a)
{
	const char *server = strstr(text, "://");
	const char *at = server != NULL ? strchr(server, '@') : NULL;

	if (!mm_mail_url_parse(text, a, &s->url) || s->url.mechanism[0] != '\0')
		return false;
	for (size_t i = s->in ? 0 : 4, end = s->in ? 4 : 8; i < end; i++)
		if (mm_streq(s->url.scheme, schemes[i].scheme)) {
			s->protocol = schemes[i].protocol;
			s->port = s->url.port != NULL ? s->url.port : schemes[i].port;
			/* a user name that is not percent-encoded */
			s->refused = at != NULL && strcspn(server + 3, "/") > (size_t)(at - server - 3) &&
				     memchr(at + 1, '@', strcspn(at + 1, "/")) != NULL;
			return true;
		}
	return false;
}

static void find_incoming(struct mm_snail_side *s, const struct mm_snail_env *e)
{
	static const char *const names[] = {"inbox", "MAIL", "folder"};

	for (size_t i = 0; i < 3 && s->var == NULL; i++) {
		const struct mm_snail_var *v = mm_snail_get(e, names[i]);

		if (v == NULL || v->value == NULL)
			continue;
		if (take_url(s, v->value, e->f->r->arena))
			s->var = v;
		else if (v->value[0] != '\0' && v->value[0] != '+' && v->value[0] != '%' && i == 0)
			return; /* a mailbox of this computer */
	}
}

static void find_outgoing(struct mm_snail_side *s, const struct mm_snail_env *e)
{
	struct mm_arena *a = e->f->r->arena;
	const struct mm_snail_var *v = mm_snail_get(e, "smtp");
	const char *text;

	if (v == NULL)
		v = mm_snail_get(e, "mta");
	if (v == NULL || v->value == NULL)
		return;
	text = v->value;
	if (strstr(text, "://") == NULL && (!e->v15 || mm_streq(v->name, "smtp")) && text[0] != '/' &&
	    !mm_streq(text, "test"))
		text = mm_arena_printf(a, "smtp://%s", text);
	if (take_url(s, text, a))
		s->var = v;
	else
		s->program = true;
}

struct mm_snail_side mm_snail_side(const struct mm_snail_env *e, bool in)
{
	struct mm_snail_side s = {.in = in, .protocol = in ? "imap" : "smtp", .port = ""};
	struct mm_arena *a = e->f->r->arena;
	const struct mm_snail_var *from = mm_snail_get(e, "from");
	const char *name,
	    *address = from != NULL && from->value != NULL ? mm_mailbox_parse(from->value, a, &name) : NULL;

	if (in)
		find_incoming(&s, e);
	else
		find_outgoing(&s, e);
	if (s.var == NULL)
		return s;
	if (!in && !e->v15) {
		s.refused |= s.url.user != NULL;
		if (address != NULL)
			s.user_var = mm_snail_get(e, mm_arena_printf(a, "smtp-auth-user-%s", address));
		if (s.user_var == NULL)
			s.user_var = mm_snail_get(e, "smtp-auth-user");
	} else if (s.url.user == NULL) {
		s.user_var = mm_snail_chain(e, "user", NULL, &s.url);
	}
	s.user = s.user_var != NULL ? s.user_var->value : s.url.user;
	return s;
}

/* The length of "NAME = VALUE" up to a comma that is not escaped. */
static size_t pair_length(const char *p)
{
	size_t n = 0;

	for (; p[n] != '\0' && p[n] != ','; n++)
		if (p[n] == '\\' && p[n + 1] != '\0')
			n++;
	return n;
}

static bool names_pair(const char *p, size_t n, const char *name)
{
	size_t k = strlen(name);

	if (n < k || strncasecmp(p, name, k) != 0)
		return false;
	k += strspn(p + k, " \t*");
	return k < n && p[k] == '=';
}

const char *mm_snail_pair(const char *pairs, const char *name, struct mm_arena *a)
{
	const char *found = NULL;

	for (const char *p = pairs; p != NULL && *p != '\0'; p += *p == ',' ? 1 : 0) {
		size_t n;

		p += strspn(p, " \t");
		n = pair_length(p);
		if (names_pair(p, n, name)) {
			size_t v = strcspn(p, "=") + 1;

			v += strspn(p + v, " \t");
			found = v < n ? mm_arena_strndup(a, p + v, n - v) : "";
		}
		p += n;
	}
	return found;
}

const char *mm_snail_set_pair(const char *pairs, const char *name, const char *value, struct mm_arena *a)
{
	struct mm_buf b = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);
	const char *out;

	for (const char *p = pairs != NULL ? pairs : ""; *p != '\0'; p += *p == ',' ? 1 : 0) {
		size_t n = pair_length(p), blank = strspn(p, " \t");

		if (!names_pair(p + blank, n - (blank < n ? blank : n), name)) {
			mm_buf_adds(&b, b.len > 0 ? "," : "");
			mm_buf_add(&b, p, n);
		}
		p += n;
	}
	mm_buf_addf(&b, "%s%s=%s", b.len > 0 ? "," : "", name, value);
	out = mm_arena_strdup(a, mm_buf_str(&b));
	mm_buf_free(&b);
	return out;
}

/* ---- what an account looks like */

struct look {
	const struct mm_snail_env *e;
	struct mm_arena *a;
	struct mm_seen_account *acc;
	struct mm_view *out;
};

static struct mm_native native(const struct mm_snail_var *v)
{
	if (v == NULL)
		return (struct mm_native){.text = NULL};
	return (struct mm_native){
	    .text = v->value != NULL ? v->value : "", .path = v->set->path, .line = v->set->line};
}

/* What could be otherwise: a condition, a value nobody knows, a command's output. `open`: a new line is
 * certain. */
static void doubt(struct look *l, struct mm_seen *seen, const struct mm_snail_var *v)
{
	const struct mm_snail_event *o = l->e->opaque;
	const char *account = l->e->account;
	bool own = v != NULL && mm_streq(v->set->section, mm_streq(account, MM_SNAIL_NOBODY) ? "" : account);

	if (v != NULL && v->set->perhaps)
		mm_see_unsure(seen, native(v), "it stands under a condition");
	else if (v != NULL && v->value == NULL)
		mm_see_unsure(seen, native(v), "a variable that is not known stands in the value");
	else if (o != NULL && (v == NULL || v->step < l->e->opaque_step))
		mm_see_unsure(seen, (struct mm_native){.text = "", .path = o->path, .line = o->line},
		    "what a command says or does there is not known");
	else
		return;
	seen->unsure_open = !own || v->value == NULL;
}

static void see(struct look *l, enum mm_setting s, const struct mm_snail_var *v, const char *value)
{
	mm_see(l->acc, s, native(v), value);
	doubt(l, &l->acc->s[s], v);
	if (v != NULL && v->after)
		mm_see_over(&l->acc->s[s], native(v), "a line behind the entering of the account", NULL);
}

/* Both sides may have it from one line. */
static void trap(struct look *l, enum mm_trap_kind kind, struct mm_native at, const char *text)
{
	const char *whole = mm_arena_printf(l->a, "'%s' %s", l->acc->key, text);

	for (size_t i = 0; i < l->out->n_traps; i++)
		if (l->out->traps[i].line == at.line && mm_streq(l->out->traps[i].text, whole))
			return;
	mm_add_trap(l->a, l->out, kind, at.path, at.line, whole)->key = l->acc->key;
}

static enum mm_setting side(const struct mm_snail_side *s, enum mm_setting in)
{
	return s->in ? in : mm_setting_on_side(in, MM_SIDE_OUTGOING);
}

static void see_security(struct look *l, const struct mm_snail_side *s)
{
	const char *flag = mm_arena_printf(l->a, "%s-use-starttls", s->protocol);
	const struct mm_snail_var *v = mm_snail_chain(l->e, flag, s->user, &s->url);
	bool tls = mm_ends_with(s->url.scheme, "s");

	see(l, side(s, MM_SET_IN_SECURITY), tls || v == NULL ? s->var : v,
	    tls         ? "tls"
	    : v != NULL ? "starttls"
			: "none");
}

static void see_auth(struct look *l, const struct mm_snail_side *s)
{
	const char *name = mm_arena_printf(l->a, "%s-auth", s->protocol);
	const struct mm_snail_var *v = mm_snail_chain(l->e, name, s->user, &s->url);
	const char *dflt = mm_streq(s->protocol, "imap") ? "login" : s->in || l->e->v15 ? "plain" : "none";

	see(l, side(s, MM_SET_IN_AUTH), v,
	    v == NULL || v->value == NULL ? dflt : mm_word_canon(mm_snail_auth, v->value));
}

static void see_tls(struct look *l, const struct mm_snail_side *s)
{
	const struct mm_snail_var *ca = mm_snail_chain(l->e, "tls-ca-file", s->user, &s->url);
	const struct mm_snail_var *pairs = mm_snail_chain(l->e, "tls-config-pairs", s->user, &s->url);
	const char *floor = pairs != NULL ? mm_snail_pair(pairs->value, "MinProtocol", l->a) : NULL;
	const char *cert = pairs != NULL ? mm_snail_pair(pairs->value, "Certificate", l->a) : NULL;
	const char *path = ca != NULL ? ca->value : NULL;

	if (path != NULL && mm_starts_with(path, "~/"))
		path = mm_home_path(l->e->f->r, path + 2);
	see(l, side(s, MM_SET_IN_CA_FILE), ca, path);
	see(l, side(s, MM_SET_IN_TLS_MIN), floor != NULL ? pairs : NULL,
	    floor != NULL ? mm_word_canon(mm_snail_floor, floor) : "1.0"); /* the system's OpenSSL takes it */
	see(l, side(s, MM_SET_IN_CLIENT_CERT), cert != NULL ? pairs : NULL, cert);
}

static const struct mm_snail_var *clear_password(const struct mm_snail_env *e, const struct mm_snail_side *s)
{
	const struct mm_snail_var *v;

	if (s->url.has_password)
		return s->var;
	if (!s->in && !e->v15) {
		v = mm_snail_get(e, "smtp-auth-password");
		for (size_t i = 0; v == NULL && i < e->n; i++)
			if (mm_starts_with(e->v[i].name, "smtp-auth-password-"))
				v = &e->v[i];
		return v;
	}
	return mm_snail_chain(e, "password", s->user, &s->url);
}

static void see_password(struct look *l, const struct mm_snail_side *s)
{
	enum mm_setting set = side(s, MM_SET_IN_PASSWORD_COMMAND);
	const struct mm_snail_var *clear = clear_password(l->e, s), *pipe = mm_snail_get(l->e, "netrc-pipe");
	const struct mm_snail_var *on = mm_snail_chain(l->e, "netrc-lookup", s->user, &s->url);
	bool used = pipe != NULL && pipe->value != NULL && on != NULL && l->e->v15;

	see(l, set, used ? pipe : NULL,
	    used ? mm_snail_from_pipe(pipe->value, s->url.host, s->user, l->a) : NULL);
	if (clear == NULL)
		return;
	mm_see_over(&l->acc->s[set], native(clear), "a password in the file",
	    "A password stands in the file; it is neither looked at nor replaced.");
	trap(l, MM_TRAP_PASSWORD, native(clear), "keeps its password in clear text in the file.");
}

static void see_traps(struct look *l, const struct mm_snail_side *s)
{
	const struct mm_snail_var *verify = mm_snail_chain(l->e, "tls-verify", s->user, &s->url);
	const struct mm_snail_var *proxy = mm_snail_chain(l->e, "socks-proxy", s->user, &s->url);
	const struct mm_snail_var *hold = mm_snail_get(l->e, "hold");

	if (verify == NULL) /* the old name, which is still understood */
		verify = mm_snail_chain(l->e, "ssl-verify", s->user, &s->url);
	doubt(l, &l->acc->verify, verify);
	if (s->refused)
		trap(l, MM_TRAP_OTHER, native(s->var),
		    "has an address that s-nail refuses: percent-encode the user name, and set v15-compat.");
	if (verify != NULL &&
	    (mm_streq_nocase(verify->value, "warn") || mm_streq_nocase(verify->value, "ignore")))
		trap(l, MM_TRAP_NO_VERIFY, native(verify),
		    "does not verify the server's certificate (tls-verify).");
	if (mm_streq(l->acc->s[side(s, MM_SET_IN_SECURITY)].value, "none"))
		trap(l, MM_TRAP_CLEAR, native(s->var), "does without encryption.");
	if (proxy != NULL)
		trap(l, MM_TRAP_OTHER, native(proxy), MM_THROUGH_PROXY);
	if (s->in && hold == NULL)
		trap(l, MM_TRAP_OTHER, native(s->var),
		    "moves read mail from the server into a file of this computer (no `hold`).");
}

static void see_side(struct look *l, const struct mm_snail_side *s)
{
	see(l, side(s, MM_SET_IN_PROTOCOL), s->var, s->protocol);
	see(l, side(s, MM_SET_IN_HOST), s->var, s->url.host);
	see(l, side(s, MM_SET_IN_PORT), s->url.port != NULL ? s->var : NULL, s->port);
	see(l, side(s, MM_SET_IN_USERNAME),
	    s->user_var != NULL   ? s->user_var
	    : s->url.user != NULL ? s->var
				  : NULL,
	    s->refused ? NULL : s->user);
	see_security(l, s);
	see_auth(l, s);
	see_tls(l, s);
	see_password(l, s);
	if (s->in) {
		const struct mm_snail_var *hold = mm_snail_get(l->e, "hold");

		see(l, MM_SET_IN_LEAVE_ON_SERVER, hold, hold != NULL ? "yes" : "no");
	}
	see_traps(l, s);
}

static void see_identity(struct look *l)
{
	const struct mm_snail_var *from = mm_snail_get(l->e, "from");
	const char *name = NULL, *address = NULL;

	if (from != NULL && from->value != NULL)
		address = mm_mailbox_parse(from->value, l->a, &name);
	see(l, MM_SET_ADDRESS, from, address);
	see(l, MM_SET_REAL_NAME, from, name);
	see(l, MM_SET_REPLY_TO, mm_snail_get(l->e, "reply-to"),
	    mm_snail_get(l->e, "reply-to") != NULL ? mm_snail_get(l->e, "reply-to")->value : NULL);
	see(l, MM_SET_ORGANISATION, mm_snail_get(l->e, "ORGANIZATION"),
	    mm_snail_get(l->e, "ORGANIZATION") != NULL ? mm_snail_get(l->e, "ORGANIZATION")->value : NULL);
}

static void handed_on(struct look *l)
{
	const struct mm_snail_var *v = mm_snail_get(l->e, "smtp");

	if (v == NULL)
		v = mm_snail_get(l->e, "mta");
	for (enum mm_setting s = 0; s < MM_SET_COUNT; s++)
		if (mm_setting_def(s)->side == MM_SIDE_OUTGOING)
			mm_see_over(&l->acc->s[s], native(v), v->name,
			    "Mail is handed to a program; the setting is checked in its configuration.");
}

static bool look_at(
    struct mm_snail_files *f, const char *account, struct mm_seen_account *acc, struct mm_view *out)
{
	struct mm_snail_env e = mm_snail_env(f, account);
	struct look l = {.e = &e, .a = f->r->arena, .acc = acc, .out = out};
	struct mm_snail_side in = mm_snail_side(&e, true), smtp = mm_snail_side(&e, false);

	if (in.var == NULL && smtp.var == NULL)
		return false;
	*acc = (struct mm_seen_account){.key = account,
	    .label = mm_streq(f->entered, account) ? mm_arena_printf(l.a, "%s (entered)", account) : account,
	    .has_incoming = in.var != NULL,
	    .has_outgoing = smtp.var != NULL || smtp.program};
	see_identity(&l);
	if (in.var != NULL)
		see_side(&l, &in);
	if (smtp.var != NULL)
		see_side(&l, &smtp);
	else if (smtp.program)
		handed_on(&l);
	return true;
}

int mm_snail_read(struct mm_reader *r, const struct mm_place *p, struct mm_view *out, struct mm_err *err)
{
	struct mm_snail_files f;

	*out = (struct mm_view){0};
	if (mm_snail_load(&f, r, p->path, out, err) != 0)
		return -1;
	out->accounts = mm_arena_alloc(r->arena, f.n_accounts + 1, sizeof(*out->accounts));
	for (size_t i = 0; i < f.n_accounts; i++)
		if (look_at(&f, f.accounts[i].name, &out->accounts[out->n], out))
			out->n++;
	if (f.entered == NULL && look_at(&f, MM_SNAIL_NOBODY, &out->accounts[out->n], out))
		out->n++;
	return 0;
}
