/*
 * himalaya 2: a server is an address (imaps://host:993; without a scheme it
 * is TLS), a login is one table of SASL. User names pass through shellexpand:
 * $NAME and a leading ~/ are replaced, $$ is a dollar sign. The address and the
 * name of the person are keys of himalaya-tui, which shares the file.
 */
#include <string.h>

#include "agent/clients/himalaya.h"
#include "agent/clients/mailurl.h"
#include "common/text.h"

struct side {
	enum mm_side side;
	const char *protocol, *tls; /* schemes: "imap", "imaps" */
	const char *port_tls, *port_clear;
	enum mm_setting host, port, security, auth, username, command, ca, floor, proto;
	enum mm_setting url[4];
};

static const struct side sides[] = {
    {.side = MM_SIDE_INCOMING,
	.protocol = "imap",
	.tls = "imaps",
	.port_tls = "993",
	.port_clear = "143",
	.host = MM_SET_IN_HOST,
	.port = MM_SET_IN_PORT,
	.security = MM_SET_IN_SECURITY,
	.auth = MM_SET_IN_AUTH,
	.username = MM_SET_IN_USERNAME,
	.command = MM_SET_IN_PASSWORD_COMMAND,
	.ca = MM_SET_IN_CA_FILE,
	.floor = MM_SET_IN_TLS_MIN,
	.proto = MM_SET_IN_PROTOCOL,
	.url = {MM_SET_IN_HOST, MM_SET_IN_PORT, MM_SET_IN_SECURITY, MM_SET_NONE}},
    {.side = MM_SIDE_OUTGOING,
	.protocol = "smtp",
	.tls = "smtps",
	.port_tls = "465",
	.port_clear = NULL,
	.host = MM_SET_OUT_HOST,
	.port = MM_SET_OUT_PORT,
	.security = MM_SET_OUT_SECURITY,
	.auth = MM_SET_OUT_AUTH,
	.username = MM_SET_OUT_USERNAME,
	.command = MM_SET_OUT_PASSWORD_COMMAND,
	.ca = MM_SET_OUT_CA_FILE,
	.floor = MM_SET_OUT_TLS_MIN,
	.proto = MM_SET_OUT_PROTOCOL,
	.url = {MM_SET_OUT_HOST, MM_SET_OUT_PORT, MM_SET_OUT_SECURITY, MM_SET_NONE}},
};
#define N_SIDES (sizeof(sides) / sizeof(sides[0]))

static const struct mm_key account[] = {
    {.s = MM_SET_ADDRESS, .key = "email"},
    {.s = MM_SET_REAL_NAME, .key = "display-name"},
    {.s = MM_SET_FOLDER_SENT, .key = "mailbox.alias.sent"},
    {.s = MM_SET_FOLDER_DRAFTS, .key = "mailbox.alias.drafts"},
    {.s = MM_SET_FOLDER_TRASH, .key = "mailbox.alias.trash"},
};
#define N_ACCOUNT (sizeof(account) / sizeof(account[0]))

static const char *const names[][2] = {{"mailbox.alias.sent", "mailbox.aliases.sent"},
    {"mailbox.alias.drafts", "mailbox.aliases.drafts"}, {"mailbox.alias.trash", "mailbox.aliases.trash"},
    {"imap.sasl.plain.username", "imap.sasl.plain.authcid"},
    {"smtp.sasl.plain.username", "smtp.sasl.plain.authcid"},
    {"imap.sasl.plain.password.command", "imap.sasl.plain.passwd.command"},
    {"smtp.sasl.plain.password.command", "smtp.sasl.plain.passwd.command"},
    {"imap.sasl.plain.password.raw", "imap.sasl.plain.passwd.raw"},
    {"smtp.sasl.plain.password.raw", "smtp.sasl.plain.passwd.raw"}, {NULL, NULL}};

static const char *const mechanisms[] = {
    "plain", "login", "scram-sha-256", "oauthbearer", "xoauth2", "anonymous", NULL};

static struct mm_toml_at with_names(const struct mm_toml_at *at)
{
	struct mm_toml_at own = *at;

	own.names = names;
	return own;
}

static const char *key_of(const struct mm_toml_at *at, const struct side *k, const char *rest)
{
	return mm_arena_printf(at->a, "%s.%s", k->protocol, rest);
}

/* The mechanism whose table is there, or NULL: nobody logs in. */
static const char *mechanism(const struct mm_toml_at *at, const struct side *k)
{
	for (size_t i = 0; mechanisms[i] != NULL; i++)
		if (mm_toml_has_table(at, mm_arena_printf(at->a, "%s.sasl.%s", k->protocol, mechanisms[i])))
			return mechanisms[i];
	return NULL;
}

static bool is_token(const char *mech)
{
	return mm_streq(mech, "oauthbearer") || mm_streq(mech, "xoauth2");
}

static const char *sasl_key(
    const struct mm_toml_at *at, const struct side *k, const char *mech, const char *rest)
{
	return mm_arena_printf(at->a, "%s.sasl.%s.%s", k->protocol, mech, rest);
}

static const char *secret_key(
    const struct mm_toml_at *at, const struct side *k, const char *mech, const char *rest)
{
	return mm_arena_printf(
	    at->a, "%s.sasl.%s.%s.%s", k->protocol, mech, is_token(mech) ? "token" : "password", rest);
}

/* ---- reading */

static void see_user(
    struct mm_seen_account *s, const struct side *k, const struct mm_toml_at *at, const char *mech)
{
	struct mm_native v = mm_get_toml(at, sasl_key(at, k, mech, "username"));
	char *out, *w;

	if (v.text == NULL)
		return;
	out = w = mm_arena_strdup(at->a, v.text);
	for (const char *p = v.text; *p != '\0'; p++) {
		*w++ = *p;
		if (p[0] == '$' && p[1] == '$')
			p++;
		else if (p[0] == '$')
			mm_see_unsure(&s->s[k->username], v, "an environment variable is put into it");
	}
	*w = '\0';
	mm_see(s, k->username, v, out);
	if (s->s[k->username].unsure_path != NULL)
		s->s[k->username].value = v.text;
}

static void see_login(
    struct mm_seen_account *s, const struct side *k, const struct mm_toml_at *at, struct mm_view *out)
{
	const char *mech = mechanism(at, k), *auth = mech;
	struct mm_native raw, none = {.text = NULL};
	const struct mm_item *command;

	if (mech == NULL) {
		mm_see(s, k->auth, none, "none");
		return;
	}
	if (mm_streq(mech, "plain") || mm_streq(mech, "login"))
		auth = "password";
	see_user(s, k, at, mech);
	mm_see(s, k->auth, mm_get_toml(at, sasl_key(at, k, mech, "username")), auth);
	command = mm_toml_find(at, secret_key(at, k, mech, "command"));
	mm_see(s, k->command, mm_get_toml(at, secret_key(at, k, mech, "command")),
	    mm_toml_command(command, false, at->a));
	raw = mm_get_toml(at, secret_key(at, k, mech, "raw"));
	if (raw.text == NULL)
		return;
	mm_see_over(&s->s[k->command], raw, "raw", MM_HIMALAYA_RAW);
	mm_trap_of(at->a, out, MM_TRAP_PASSWORD, raw, s, "keeps its password in clear text in the file.");
}

static void see_side(
    struct mm_seen_account *s, const struct side *k, const struct mm_toml_at *at, struct mm_view *out)
{
	struct mm_native v = mm_get_toml(at, key_of(at, k, "server")), none = {.text = NULL};
	const char *text;
	struct mm_mail_url u;
	bool tls, starttls = mm_toml_yes(at, key_of(at, k, "starttls"));

	if (v.text == NULL)
		return;
	text = strstr(v.text, "://") != NULL ? v.text : mm_arena_printf(at->a, "%s://%s", k->tls, v.text);
	if (!mm_mail_url_parse(text, at->a, &u) || !mm_starts_with(u.scheme, k->protocol)) {
		mm_see_side_over(s, v, k->side, "server",
		    "The connection is made by another program; the setting is checked there.");
		return;
	}
	tls = mm_streq(u.scheme, k->tls);
	*(k->side == MM_SIDE_INCOMING ? &s->has_incoming : &s->has_outgoing) = true;
	mm_see(s, k->proto, v, k->protocol);
	mm_see(s, k->host, v, u.host);
	mm_see(s, k->port, v, u.port != NULL ? u.port : tls ? k->port_tls : k->port_clear);
	mm_see(s, k->security, starttls && !tls ? mm_get_toml(at, key_of(at, k, "starttls")) : v,
	    tls        ? "tls"
	    : starttls ? "starttls"
		       : "none");
	mm_see(s, k->ca, mm_get_toml(at, key_of(at, k, "tls.cert")),
	    mm_get_toml(at, key_of(at, k, "tls.cert")).text);
	mm_see(s, k->floor, none, "1.2");
	see_login(s, k, at, out);
	if (mm_streq(s->s[k->security].value, "none"))
		mm_trap_of(at->a, out, MM_TRAP_CLEAR, v, s,
		    k->side == MM_SIDE_INCOMING ? "fetches mail without encryption."
						: "sends mail without encryption.");
}

void mm_himalaya_see_v2(struct mm_seen_account *s, const struct mm_toml_at *plain, struct mm_view *out)
{
	struct mm_toml_at at = with_names(plain);

	mm_keys_see(account, N_ACCOUNT, mm_get_toml, &at, at.a, s);
	for (size_t i = 0; i < N_SIDES; i++)
		see_side(s, &sides[i], &at, out);
}

/* ---- writing */

struct writer {
	const struct mm_toml_at *at;
	const struct mm_change *ch;
	const struct mm_seen_account *now;
	struct mm_edit_list *l;
};

static void want(const struct writer *w, const char *key, char kind, const char *value)
{
	mm_toml_want(w->at, w->l, key, kind, value);
}

static void write_server(const struct writer *w, const struct side *k)
{
	const char *security = mm_joined(w->ch, w->now, k->security);
	struct mm_mail_url u = {.scheme = mm_streq(security, "tls") ? k->tls : k->protocol,
	    .mechanism = "",
	    .host = mm_joined(w->ch, w->now, k->host),
	    .port = mm_joined(w->ch, w->now, k->port),
	    .rest = ""};
	bool starttls = mm_streq(security, "starttls");

	if (!mm_wants_any(w->ch, k->url))
		return;
	want(w, key_of(w->at, k, "server"), 's', mm_mail_url_print(&u, w->at->a));
	if (starttls || mm_toml_yes(w->at, key_of(w->at, k, "starttls")))
		want(w, key_of(w->at, k, "starttls"), 'b', starttls ? "true" : "false");
}

static const char *wanted_mechanism(const struct writer *w, const struct side *k, const char *old)
{
	const char *auth = mm_joined(w->ch, w->now, k->auth);

	if (!mm_streq(auth, "password"))
		return auth;
	return mm_streq(old, "login") ? old : "plain";
}

static int write_user(
    const struct writer *w, const struct side *k, const char *mech, const char *user, struct mm_err *err)
{
	const char *out = "";

	if (user[0] == '~' && (user[1] == '\0' || user[1] == '/'))
		return mm_err_set(err, MM_EX_DIFF, "himalaya takes a user name with ~ for a path.");
	for (; *user != '\0'; user++)
		out = mm_arena_printf(w->at->a, "%s%c%s", out, *user, *user == '$' ? "$" : "");
	want(w, sasl_key(w->at, k, mech, "username"), 's', out);
	return 0;
}

static void write_command(const struct writer *w, const struct side *k, const char *mech, const char *command)
{
	const char *const *argv;
	size_t n;

	if (command != NULL && mm_argv_parse(command, w->at->a, &argv, &n, NULL) == 0)
		want(w, secret_key(w->at, k, mech, "command"), 'u', mm_toml_array(argv, w->at->a));
}

/* Exactly one mechanism may stand there: another one is left as it is. */
static int write_login(const struct writer *w, const struct side *k, struct mm_err *err)
{
	const char *old = mechanism(w->at, k), *mech = wanted_mechanism(w, k, old);
	const char *user = w->ch->want->v[k->username], *command = w->ch->want->v[k->command];

	if (user == NULL && command == NULL && w->ch->want->v[k->auth] == NULL)
		return 0;
	if (old != NULL && !mm_streq(old, mech))
		return mm_err_set(err, MM_EX_DIFF,
		    "The account logs in in another way (%s), with keys of its own: it is left as it is.",
		    old);
	if (user != NULL && write_user(w, k, mech, user, err) != 0)
		return -1;
	if (mm_toml_find(w->at, secret_key(w->at, k, mech, "raw")) == NULL) /* both would be one too many */
		write_command(w, k, mech, command);
	return 0;
}

int mm_himalaya_write_v2(const struct mm_toml_at *plain, const struct mm_change *ch,
    const struct mm_seen_account *now, struct mm_edit_list *l, struct mm_err *err)
{
	struct mm_toml_at at = with_names(plain);
	struct writer w = {.at = &at, .ch = ch, .now = now, .l = l};

	if (mm_toml_keys_want(account, N_ACCOUNT, ch->want, &at, l, err) != 0)
		return -1;
	for (size_t i = 0; i < N_SIDES; i++) {
		write_server(&w, &sides[i]);
		if (write_login(&w, &sides[i], err) != 0)
			return -1;
		want(&w, key_of(&at, &sides[i], "tls.cert"), 's', ch->want->v[sides[i].ca]);
	}
	return 0;
}
