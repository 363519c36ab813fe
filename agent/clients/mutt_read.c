/* What mutt's variables and hooks say, as settings. */
#include <regex.h>
#include <string.h>

#include "agent/clients/adapter.h"
#include "agent/clients/mutt.h"
#include "agent/clients/sh.h"
#include "agent/formats/muttrc.h"
#include "common/text.h"

struct look {                          /* one reading */
	const struct mm_mutt_state *s; /* everything */
	struct mm_mutt_state own;      /* our own file alone */
	struct mm_arena *a;
	struct mm_view *out;
	struct mm_seen_account *acc;
	struct mm_mutt_incoming in;
	struct mm_mutt_url smtp;
	bool has_smtp;
};

/* ---- where the servers are */

static const char *text_of(const struct mm_mutt_state *s, const char *name)
{
	const char *t = mm_mutt_text(s, name, "");

	return t != NULL ? t : "";
}

struct mm_mutt_incoming mm_mutt_incoming(const struct mm_mutt_state *s, struct mm_arena *a)
{
	struct mm_mutt_incoming in = {0};
	const char *names[] = {"spoolfile", "folder"};

	for (size_t i = 0; i < 2; i++)
		if (mm_mutt_url_parse(text_of(s, names[i]), a, &in.url) &&
		    !mm_streq(in.url.protocol, "smtp")) {
			in.var = names[i];
			return in;
		}
	if (mm_mutt_pop_host_parse(text_of(s, "pop_host"), a, &in.url))
		in.var = "pop_host";
	return in;
}

const struct mm_mutt_var *mm_mutt_handed_on(const struct mm_mutt_state *s)
{
	const struct mm_mutt_var *v = mm_mutt_get(s, "sendmail");
	const char *url = mm_mutt_text(s, "smtp_url", "");

	if (v == NULL || v->kind != 's' || url == NULL || url[0] != '\0')
		return NULL;
	return strstr(v->text, "msmtp") != NULL ? v : NULL;
}

/* ---- hooks */

static bool matches(const char *pattern, const char *subject)
{
	bool negated = pattern[0] == '!';
	regex_t re;
	bool hit;

	if (negated)
		pattern += 1 + strspn(pattern + 1, " \t");
	if (regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return false;
	hit = regexec(&re, subject, 0, NULL, 0) == 0;
	regfree(&re);
	return hit != negated;
}

/* As mutt writes it for account-hook: without a port that is the usual one. */
static bool matches_server(const struct look *l, const char *pattern, const struct mm_mutt_url *u)
{
	struct mm_mutt_url bare = *u;
	const char *with, *without;

	bare.path = "";
	if (bare.port == NULL)
		bare.port = "";
	with = mm_mutt_url_print(&bare, l->a);
	bare.user = NULL;
	without = mm_mutt_url_print(&bare, l->a);
	if (matches(pattern, with) || matches(pattern, without))
		return true;
	with = mm_arena_printf(l->a, "%.*s/", (int)(strrchr(with, ':') - with), with);
	return matches(pattern, with);
}

static bool folder_matches(const struct look *l, const char *pattern)
{
	const char *folder = text_of(l->s, "folder"), *spool = text_of(l->s, "spoolfile");

	if (pattern[0] == '=' || pattern[0] == '+')
		return true;
	if (spool[0] == '=' || spool[0] == '+')
		spool = mm_arena_printf(l->a, "%s/%s", folder, spool + 1);
	return matches(pattern, spool) || matches(pattern, folder);
}

static bool is_prefix(const char *const *v, const char *s)
{
	for (; *v != NULL; v++)
		if (mm_starts_with(s, *v))
			return true;
	return false;
}

/* Would this hook run for the account at all? */
static bool concerns(const struct look *l, const struct mm_mutt_hook *h, const char *var)
{
	static const char *const sending[] = {"from", "realname", "smtp_", "sendmail", NULL};

	if (strcmp(h->name, "account-hook") == 0)
		return (l->in.var != NULL && !mm_starts_with(var, "smtp_") &&
			   matches_server(l, h->pattern, &l->in.url)) ||
		       (l->has_smtp && mm_starts_with(var, "smtp_") &&
			   matches_server(l, h->pattern, &l->smtp));
	if (strcmp(h->name, "folder-hook") == 0)
		return folder_matches(l, h->pattern);
	if (h->pattern == NULL)
		return true;
	return is_prefix(sending, var);
}

static const char *mailbox(const char *from, struct mm_arena *a, const char **name);

/* Does the header line "From: ..." say something else? */
static bool other_from(const struct look *l, const char *line, bool name)
{
	const char *said_name, *said, *ours_name, *ours;

	if (strncasecmp(line, "From:", 5) != 0)
		return false;
	said = mailbox(line + 5, l->a, &said_name);
	ours = mailbox(text_of(l->s, "from"), l->a, &ours_name);
	if (ours_name == NULL)
		ours_name = text_of(l->s, "realname");
	return name ? said_name != NULL && !mm_streq(said_name, ours_name) : !mm_streq_nocase(said, ours);
}

static bool sets_other(const struct look *l, const struct mm_mutt_hook *h, const char *var)
{
	struct mm_mutt_state t = {.r = l->s->r, .neomutt = l->s->neomutt};
	const struct mm_mutt_var *v, *now = mm_mutt_get(l->s, var);
	struct mm_text text = {.p = h->command, .n = strlen(h->command)};

	if (mm_mutt_eval_text(&t, text, h->path, h->line, NULL) != 0)
		return false;
	for (size_t i = 0; i < t.n_hooks; i++)
		if (strcmp(t.hooks[i].name, "my_hdr") == 0 &&
		    (strcmp(var, "from") == 0 || strcmp(var, "realname") == 0) &&
		    other_from(l, t.hooks[i].command, var[0] == 'r'))
			return true;
	v = mm_mutt_get(&t, var);
	return v != NULL &&
	       (now == NULL || now->kind != v->kind || v->kind == '?' || strcmp(v->text, now->text) != 0);
}

static void overridden(struct mm_seen *seen, const char *path, int line, const char *by)
{
	if (seen->over_path != NULL)
		return;
	seen->over_path = path;
	seen->over_line = line;
	seen->over_by = by;
}

/* A later line of the user's, or a hook, that sets the variable otherwise. */
static void look_for_override(const struct look *l, struct mm_seen *seen, const char *var)
{
	const struct mm_mutt_var *own = mm_mutt_get(&l->own, var), *now = mm_mutt_get(l->s, var);

	if (own != NULL && now != NULL && strcmp(own->path, now->path) != 0 &&
	    (own->kind != now->kind || strcmp(own->text, now->text) != 0))
		overridden(seen, now->path, now->line, "a later line of the user's");
	for (size_t i = l->s->n_hooks; i-- > 0;) {
		const struct mm_mutt_hook *h = &l->s->hooks[i];
		bool name = strcmp(var, "realname") == 0;

		if (strcmp(h->name, "my_hdr") == 0) {
			if ((name || strcmp(var, "from") == 0) && other_from(l, h->command, name))
				overridden(seen, h->path, h->line, "my_hdr From");
		} else if (concerns(l, h, var) && sets_other(l, h, var)) {
			overridden(seen, h->path, h->line, h->name);
		}
	}
}

/* Through a tunnel it speaks with a program: to no host that we know, and
 * without any TLS of its own. */
static void look_for_tunnel(struct look *l, enum mm_side side)
{
	static const enum mm_setting lost[] = {
	    MM_SET_IN_HOST, MM_SET_IN_PORT, MM_SET_IN_SECURITY, MM_SET_IN_TLS_MIN};
	const struct mm_mutt_var *v = mm_mutt_get(l->s, "tunnel");

	if (v == NULL || v->kind == 'n' || v->text[0] == '\0')
		return;
	for (size_t i = 0; i < sizeof(lost) / sizeof(lost[0]); i++)
		overridden(&l->acc->s[mm_setting_on_side(lost[i], side)], v->path, v->line, "a tunnel");
}

/* Our file names the server twice: for the inbox, and for the other folders. */
static void look_for_other_server(struct look *l)
{
	static const char *const names[] = {"spoolfile", "folder"};
	struct mm_mutt_url u;

	for (size_t i = 0; i < 2; i++) {
		const struct mm_mutt_var *own = mm_mutt_get(&l->own, names[i]),
					 *now = mm_mutt_get(l->s, names[i]);

		if (own == NULL || now == NULL || strcmp(own->path, now->path) == 0 ||
		    (mm_mutt_url_parse(text_of(l->s, names[i]), l->a, &u) &&
			mm_streq(u.host, l->in.url.host) && mm_streq(u.port, l->in.url.port) &&
			mm_streq(u.user, l->in.url.user) && u.tls == l->in.url.tls))
			continue;
		overridden(&l->acc->s[MM_SET_IN_HOST], now->path, now->line, "a later line of the user's");
	}
}

/* ---- settings */

static struct mm_seen *put(struct look *l, enum mm_setting id, const char *var, const char *value)
{
	const struct mm_mutt_var *v = mm_mutt_get(l->s, var);
	struct mm_seen *seen = &l->acc->s[id];

	seen->value = value;
	seen->from_default = v == NULL && value != NULL;
	seen->path = v != NULL ? v->path : NULL;
	seen->line = v != NULL ? v->line : 0;
	look_for_override(l, seen, var);
	return seen;
}

/* The address in "Name <address>", and the name. */
static const char *mailbox(const char *from, struct mm_arena *a, const char **name)
{
	const char *open = strrchr(from, '<'), *close = open != NULL ? strchr(open, '>') : NULL;
	size_t n;

	*name = NULL;
	from += strspn(from, " \t");
	if (close == NULL) {
		n = strlen(from);
		while (n > 0 && (from[n - 1] == ' ' || from[n - 1] == '\t'))
			n--;
		return n > 0 ? mm_arena_strndup(a, from, n) : NULL;
	}
	n = (size_t)(open - from);
	while (n > 0 && (from[n - 1] == ' ' || from[n - 1] == '"'))
		n--;
	while (n > 0 && from[0] == '"') {
		from++;
		n--;
	}
	if (n > 0)
		*name = mm_arena_strndup(a, from, n);
	return mm_arena_strndup(a, open + 1, (size_t)(close - open) - 1);
}

static bool flag(const struct mm_mutt_state *s, const char *name, bool dflt)
{
	const struct mm_mutt_var *v = mm_mutt_get(s, name);

	if (v == NULL)
		return dflt;
	return v->kind == 's' && (mm_streq_nocase(v->text, "yes") || mm_streq_nocase(v->text, "ask-yes"));
}

static void see_identity(struct look *l)
{
	const char *env = l->s->r->env(l->s->r, "EMAIL"), *name = NULL;
	const char *from = mm_mutt_text(l->s, "from", env != NULL ? env : "");
	const char *real = mm_mutt_text(l->s, "realname", NULL);
	const struct mm_mutt_var *header = mm_mutt_get(l->s, "use_from");

	put(l, MM_SET_ADDRESS, "from", from != NULL ? mailbox(from, l->a, &name) : NULL);
	if (header != NULL && !flag(l->s, "use_from", true))
		overridden(&l->acc->s[MM_SET_ADDRESS], header->path, header->line, "use_from=no");
	if (name != NULL)
		put(l, MM_SET_REAL_NAME, "from", name);
	else
		put(l, MM_SET_REAL_NAME, "realname", real != NULL && real[0] != '\0' ? real : NULL);
}

static void see_security(struct look *l, enum mm_setting id, const struct mm_mutt_url *u, const char *var)
{
	bool force = flag(l->s, "ssl_force_tls", true), offered = flag(l->s, "ssl_starttls", true);

	if (u->tls)
		put(l, id, var, "tls");
	else if (force)
		put(l, id, var, "starttls");
	else
		put(l, id, mm_mutt_get(l->s, "ssl_force_tls") != NULL ? "ssl_force_tls" : var,
		    offered ? "starttls, if offered" : "none");
	if (!u->tls && offered && !force)
		l->acc->s[id].note =
		    "With ssl_force_tls=no the password goes in clear when the server offers no TLS.";
}

static const char *auth_word(const struct mm_mutt_state *s, const char *var)
{
	const char *t = mm_mutt_text(s, var, "");

	if (t == NULL)
		return NULL;
	if (t[0] == '\0' || mm_streq_nocase(t, "plain:login") || mm_streq_nocase(t, "login:plain"))
		return "password";
	return t;
}

static const char *lower(const char *s, struct mm_arena *a)
{
	char *out = mm_arena_strdup(a, s);

	for (char *p = out; p != NULL && *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return out;
}

static void see_password(
    struct look *l, enum mm_setting id, const char *var, const struct mm_mutt_url *u, const char *url_var)
{
	const struct mm_mutt_var *v = mm_mutt_get(l->s, var), *url = mm_mutt_get(l->s, url_var);
	bool clear = v != NULL && v->kind == 's' && v->text[0] != '\0';

	put(l, id, var, v != NULL && v->kind == 'e' ? mm_sh_from_backtick(v->text, l->a) : NULL);
	if (clear)
		mm_add_trap(l->a, l->out, v->path, v->line, "The password stands in clear text in the file.");
	if (u->has_password && url != NULL) {
		mm_add_trap(
		    l->a, l->out, url->path, url->line, "The password stands in clear text in an address.");
		overridden(&l->acc->s[id], url->path, url->line, "the password in the address");
	}
}

static const char *tls_min(const struct mm_mutt_state *s, const char **var)
{
	static const struct {
		const char *name, *version;
		bool dflt;
	} v[] = {{"ssl_use_sslv2", "ssl2", false}, {"ssl_use_sslv3", "ssl3", false},
	    {"ssl_use_tlsv1", "1.0", false}, {"ssl_use_tlsv1_1", "1.1", false},
	    {"ssl_use_tlsv1_2", "1.2", true}, {"ssl_use_tlsv1_3", "1.3", true}};

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		*var = v[i].name;
		if (flag(s, v[i].name, v[i].dflt))
			return v[i].version;
	}
	return NULL;
}

static void see_tls(struct look *l, enum mm_setting min, enum mm_setting ca)
{
	const char *var, *version = tls_min(l->s, &var),
			 *file = mm_mutt_text(l->s, "ssl_ca_certificates_file", "");

	put(l, min, var, version);
	put(l, ca, "ssl_ca_certificates_file", file != NULL && file[0] != '\0' ? file : NULL);
	if (l->acc->s[ca].path != NULL && mm_starts_with(l->acc->s[ca].path, "/etc/"))
		l->acc->s[ca].from_default = true; /* the distribution's */
}

static void see_incoming(struct look *l)
{
	const struct mm_mutt_url *u = &l->in.url;
	bool pop = mm_streq(u->protocol, "pop3");
	const char *var = l->in.var, *user = pop ? "pop_user" : "imap_user",
		   *name = mm_mutt_text(l->s, user, "");

	l->acc->has_incoming = true;
	put(l, MM_SET_IN_PROTOCOL, var, u->protocol);
	put(l, MM_SET_IN_HOST, var, u->host);
	put(l, MM_SET_IN_PORT, var,
	    u->port != NULL ? u->port
	    : pop           ? (u->tls ? "995" : "110")
	    : u->tls        ? "993"
			    : "143");
	see_security(l, MM_SET_IN_SECURITY, u, var);
	put(l, MM_SET_IN_AUTH, pop ? "pop_authenticators" : "imap_authenticators",
	    lower(auth_word(l->s, pop ? "pop_authenticators" : "imap_authenticators"), l->a));
	if (u->user != NULL)
		put(l, MM_SET_IN_USERNAME, var, u->user);
	else
		put(l, MM_SET_IN_USERNAME, user, name != NULL && name[0] != '\0' ? name : l->s->r->login);
	see_password(l, MM_SET_IN_PASSWORD_COMMAND, pop ? "pop_pass" : "imap_pass", u, var);
	see_tls(l, MM_SET_IN_TLS_MIN, MM_SET_IN_CA_FILE);
	look_for_tunnel(l, MM_SIDE_INCOMING);
	look_for_other_server(l);
	put(l, MM_SET_IN_LEAVE_ON_SERVER, pop ? "pop_delete" : "",
	    pop && flag(l->s, "pop_delete", false) ? "no" : "yes");
}

static void see_sender(struct look *l)
{
	const char *user = l->s->neomutt ? mm_mutt_text(l->s, "smtp_user", "") : "";
	const char *idle = mm_mutt_text(l->s, MM_MUTT_IDLE_USER, "");
	const char *var = l->smtp.user != NULL ? "smtp_url" : "smtp_user";

	if (l->smtp.user != NULL)
		user = l->smtp.user;
	if (user != NULL && user[0] != '\0') {
		put(l, MM_SET_OUT_USERNAME, var, user);
		put(l, MM_SET_OUT_AUTH, "smtp_authenticators",
		    lower(auth_word(l->s, "smtp_authenticators"), l->a));
		return;
	}
	put(l, MM_SET_OUT_USERNAME, MM_MUTT_IDLE_USER, idle != NULL && idle[0] != '\0' ? idle : NULL);
	put(l, MM_SET_OUT_AUTH, "smtp_url", "none"); /* without a name it does not log in */
}

static void see_outgoing(struct look *l)
{
	const struct mm_mutt_url *u = &l->smtp;

	l->acc->has_outgoing = true;
	put(l, MM_SET_OUT_PROTOCOL, "smtp_url", "smtp");
	put(l, MM_SET_OUT_HOST, "smtp_url", u->host);
	put(l, MM_SET_OUT_PORT, "smtp_url", u->port != NULL ? u->port : u->tls ? "465" : "25");
	see_security(l, MM_SET_OUT_SECURITY, u, "smtp_url");
	see_sender(l);
	see_password(l, MM_SET_OUT_PASSWORD_COMMAND, "smtp_pass", u, "smtp_url");
	see_tls(l, MM_SET_OUT_TLS_MIN, MM_SET_OUT_CA_FILE);
	look_for_tunnel(l, MM_SIDE_OUTGOING);
}

static void see_handed_on(struct look *l, const struct mm_mutt_var *v)
{
	l->acc->has_outgoing = true;
	for (int i = MM_SET_OUT_PROTOCOL; i < MM_SET_COUNT; i++) {
		l->acc->s[i].note = "Mail is handed to msmtp; the setting is checked in its configuration.";
		overridden(&l->acc->s[i], v->path, v->line, "sendmail, which hands mail to msmtp,");
	}
}

static void traps(struct look *l)
{
	static const struct {
		const char *var, *text;
		bool bad;
	} v[] = {{"ssl_verify_host", "The name in the server's certificate is not verified.", false},
	    {"ssl_verify_dates", "Expired certificates are accepted.", false},
	    {"ssl_verify_partial_chains", "Certificates without a complete chain are accepted.", true}};

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		const struct mm_mutt_var *var = mm_mutt_get(l->s, v[i].var);

		if (var != NULL && flag(l->s, v[i].var, !v[i].bad) == v[i].bad)
			mm_add_trap(l->a, l->out, var->path, var->line, v[i].text);
	}
	for (size_t i = 0; i < l->s->n_traps; i++)
		mm_add_trap(l->a, l->out, l->s->traps[i].path, l->s->traps[i].line, l->s->traps[i].text);
}

int mm_mutt_read(struct mm_reader *r, const struct mm_mutt_kind *k, const struct mm_place *p,
    struct mm_view *out, struct mm_err *err)
{
	struct mm_mutt_state s = {.r = r, .neomutt = k->neomutt};
	struct look l = {.s = &s, .own = {.r = r, .neomutt = k->neomutt}, .a = r->arena, .out = out};
	const struct mm_mutt_var *handed;

	*out = (struct mm_view){0};
	if (mm_mutt_eval(&s, p->path, err) != 0 ||
	    mm_mutt_eval_file(&l.own, mm_mutt_own_path(r, k), err) != 0)
		return -1;
	l.acc = mm_arena_alloc(r->arena, 1, sizeof(*l.acc));
	l.in = mm_mutt_incoming(&s, r->arena);
	l.has_smtp = mm_mutt_url_parse(text_of(&s, "smtp_url"), r->arena, &l.smtp);
	handed = mm_mutt_handed_on(&s);
	traps(&l);
	if (l.in.var == NULL && !l.has_smtp && handed == NULL)
		return 0; /* no server: no account */
	l.acc->key = MM_MUTT_KEY;
	l.acc->label = "";
	see_identity(&l);
	if (l.in.var != NULL)
		see_incoming(&l);
	if (l.has_smtp)
		see_outgoing(&l);
	else if (handed != NULL)
		see_handed_on(&l, handed);
	out->accounts = l.acc;
	out->n = 1;
	return 0;
}
