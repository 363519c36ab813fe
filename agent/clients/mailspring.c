/*
 * Mailspring: read, and never written.
 *
 * config.json, member "*", array `accounts`; a port is a number or a text.
 * Passwords and OAuth2 tokens are in the keyring (service "Mailspring"), one
 * JSON for all accounts. An account's id is a hash of its address, servers
 * and user names, under which the sync engine keeps its mail and the keyring
 * its password; the program makes both anew when the account is set up again
 * in its own window, and a value changed in the file leaves them behind.
 *
 * Sources: Foundry376/Mailspring (app/src/flux/models/account.ts,
 * stores/account-store.ts, config-persistence-manager.ts, key-manager.ts),
 * Mailspring-Sync (Account.cpp: what must be there; MailUtils.cpp: any word
 * but "SSL / TLS" and "STARTTLS" is no encryption).
 */
#include <string.h>

#include "agent/clients/clients.h"
#include "agent/clients/keys.h"
#include "common/json.h"
#include "common/text.h"

static const char why_not[] =
    "Mailspring's accounts can be changed in Mailspring only: it keeps mail and password under an id that is "
    "made of servers and user names.";

/* ---- lines: a parsed document has lost them */

struct spot { /* a member of an account, or of the `settings` in it */
	size_t account;
	const char *key; /* not decoded, not terminated */
	size_t n;
	int line;
};

struct scan { /* over a text that is JSON for certain */
	const char *p, *end;
	int line;
	int depth;
	int base; /* depth within the array of accounts, 0 before it */
	size_t account;
	struct mm_arena *a;
	struct spot *v;
	size_t n, cap;
};

static char next_char(struct scan *s)
{
	while (s->p < s->end && strchr(" \t\r\n", *s->p) != NULL)
		s->line += *s->p++ == '\n';
	return s->p < s->end ? *s->p : '\0';
}

static void take_string(struct scan *s)
{
	const char *begin = ++s->p;
	struct spot spot = {.account = s->account, .key = begin, .line = s->line};

	while (s->p < s->end && *s->p != '"')
		s->p += *s->p == '\\' ? 2 : 1;
	spot.n = (size_t)(s->p - begin);
	s->p++;
	if (next_char(s) != ':')
		return;
	s->p++;
	if (s->base == 0 && s->depth == 2 && spot.n == 8 && memcmp(begin, "accounts", 8) == 0 &&
	    next_char(s) == '[')
		s->base = s->depth + 1;
	else if (s->base > 0 && s->account > 0 && s->depth <= s->base + 2)
		*(struct spot *)mm_arena_push(s->a, &s->v, &s->n, &s->cap, sizeof(*s->v)) = spot;
}

static void scan(struct scan *s)
{
	while (s->p < s->end && (s->base == 0 || s->depth >= s->base - 1)) {
		char c = next_char(s);

		if (c == '"') {
			take_string(s);
			continue;
		}
		if (c == '{' && s->base > 0 && s->depth == s->base)
			s->account++;
		if (c == '{' || c == '[')
			s->depth++;
		if (c == '}' || c == ']')
			s->depth--;
		if (s->base > 0 && c == ']' && s->depth == s->base - 1)
			return;
		s->p += s->p < s->end;
	}
}

/* ---- one account */

struct reader {
	struct mm_arena *a;
	const char *path;
	const struct scan *lines;
	size_t i;
	const json_t *account, *settings;
	struct mm_view *view;
	struct mm_seen_account *out;
};

static int line_of(const struct reader *r, const char *key)
{
	for (size_t k = 0; k < r->lines->n; k++) {
		const struct spot *s = &r->lines->v[k];

		if (s->account == r->i + 1 && s->n == strlen(key) && memcmp(s->key, key, s->n) == 0)
			return s->line;
	}
	return 0;
}

static struct mm_native get(const struct reader *r, const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);
	struct mm_native out = {.path = r->path, .line = line_of(r, key)};

	if (json_is_string(v))
		out.text = mm_arena_strdup(r->a, json_string_value(v));
	else if (json_is_integer(v))
		out.text = mm_arena_printf(r->a, "%lld", (long long)json_integer_value(v));
	else if (json_is_boolean(v))
		out.text = json_is_true(v) ? "true" : "false";
	return out;
}

static void trap(struct reader *r, enum mm_trap_kind kind, int line, const char *text)
{
	mm_add_trap(r->a, r->view, kind, r->path, line, mm_arena_printf(r->a, "'%s' %s", r->out->label, text))
	    ->key = r->out->key;
}

static struct mm_native setting(const struct reader *r, bool incoming, const char *name)
{
	return get(r, r->settings, mm_arena_printf(r->a, "%s_%s", incoming ? "imap" : "smtp", name));
}

static void see_security(struct reader *r, bool incoming)
{
	enum mm_setting s = incoming ? MM_SET_IN_SECURITY : MM_SET_OUT_SECURITY;
	struct mm_native v = setting(r, incoming, "security");
	bool tls = mm_streq(v.text, "SSL / TLS"), starttls = mm_streq(v.text, "STARTTLS");

	if (v.text == NULL)
		return;
	mm_see(r->out, s, v, tls ? "tls" : starttls ? "starttls" : "none");
	if (tls || starttls)
		return;
	if (!mm_streq(v.text, "none"))
		r->out->s[s].note =
		    mm_arena_printf(r->a, "Mailspring takes '%s' for no encryption at all.", v.text);
	trap(r, MM_TRAP_CLEAR, v.line,
	    mm_arena_printf(r->a, "has no encryption for %s mail: the password goes in clear text.",
		incoming ? "incoming" : "outgoing"));
}

static void look_for_traps(struct reader *r, bool incoming)
{
	struct mm_native insecure = setting(r, incoming, "allow_insecure_ssl");
	struct mm_native password = setting(r, incoming, "password");

	if (mm_streq(insecure.text, "true"))
		trap(r, MM_TRAP_NO_VERIFY, insecure.line,
		    mm_arena_printf(r->a, "takes any certificate of the server of %s mail.",
			incoming ? "incoming" : "outgoing"));
	if (password.text != NULL && password.text[0] != '\0')
		trap(r, MM_TRAP_PASSWORD, password.line, "keeps a password in clear text in the file.");
}

static void see_side(struct reader *r, bool incoming)
{
	static const struct {
		const char *name;
		enum mm_setting in, out;
	} rows[] = {{"host", MM_SET_IN_HOST, MM_SET_OUT_HOST}, {"port", MM_SET_IN_PORT, MM_SET_OUT_PORT},
	    {"username", MM_SET_IN_USERNAME, MM_SET_OUT_USERNAME}};
	struct mm_native host = setting(r, incoming, "host"), provider = get(r, r->account, "provider");
	struct mm_seen *auth = &r->out->s[incoming ? MM_SET_IN_AUTH : MM_SET_OUT_AUTH];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mm_native v = setting(r, incoming, rows[i].name);

		mm_see(r->out, incoming ? rows[i].in : rows[i].out, v, v.text);
	}
	mm_see(r->out, incoming ? MM_SET_IN_PROTOCOL : MM_SET_OUT_PROTOCOL, host, incoming ? "imap" : "smtp");
	see_security(r, incoming);
	auth->value = "password";
	auth->from_default = true;
	if (!mm_streq(provider.text, "imap")) {
		auth->unsure_path = r->path;
		auth->unsure_line = provider.line;
		auth->unsure_why =
		    "whether a password or an OAuth2 token is used is known to the keyring only";
	}
	look_for_traps(r, incoming);
}

static void see_account(struct reader *r)
{
	struct mm_native id = get(r, r->account, "id"), label = get(r, r->account, "label");
	struct mm_native address = get(r, r->account, "emailAddress"), name = get(r, r->account, "name");

	r->out->key = id.text != NULL ? id.text : mm_arena_printf(r->a, "%zu", r->i + 1);
	r->out->label = label.text != NULL ? label.text : address.text != NULL ? address.text : r->out->key;
	mm_see(r->out, MM_SET_ADDRESS, address, address.text);
	mm_see(r->out, MM_SET_REAL_NAME, name, name.text);
	r->out->has_incoming = setting(r, true, "host").text != NULL;
	r->out->has_outgoing = setting(r, false, "host").text != NULL;
	if (r->out->has_incoming)
		see_side(r, true);
	if (r->out->has_outgoing)
		see_side(r, false);
	if (get(r, r->settings, "refresh_token").text != NULL)
		trap(r, MM_TRAP_PASSWORD, get(r, r->settings, "refresh_token").line,
		    "keeps an OAuth2 token in clear text in the file.");
}

/* ---- the adapter */

static int find(struct mm_reader *r, bool create, struct mm_place **places, size_t *n, struct mm_err *err)
{
	const char *const paths[] = {mm_config_path(r, "Mailspring/config.json"),
	    mm_home_path(r, "snap/mailspring/common/config.json"),
	    mm_home_path(r, ".var/app/com.getmailspring.Mailspring/config/Mailspring/config.json")};

	(void)create, (void)err; /* none is ever made */
	return mm_find_first(
	    r, "mailspring", paths, sizeof(paths) / sizeof(paths[0]), NULL, false, places, n);
}

static int read_place(struct mm_reader *r, const struct mm_place *p, struct mm_view *out, struct mm_err *err)
{
	struct mm_text text;
	const json_t *accounts, *account;
	json_t *doc;
	size_t i;

	*out = (struct mm_view){0};
	if (mm_read_text(r, p->path, &text, err) <= 0)
		return err != NULL && mm_have_file(r, p->path) ? -1 : 0;
	doc = mm_json_load(p->path, text.p, text.n, err);
	if (doc == NULL)
		return -1;
	accounts = json_object_get(json_object_get(doc, "*"), "accounts");
	struct scan lines = {.p = text.p, .end = text.p + text.n, .line = 1, .a = r->arena};
	scan(&lines);
	out->accounts = mm_arena_alloc(r->arena, json_array_size(accounts) + 1, sizeof(*out->accounts));
	json_array_foreach(accounts, i, account)
	{
		struct reader one = {.a = r->arena,
		    .path = p->path,
		    .lines = &lines,
		    .i = out->n,
		    .account = account,
		    .settings = json_object_get(account, "settings"),
		    .view = out,
		    .out = &out->accounts[out->n]};

		if (!json_is_object(account))
			continue;
		out->n++;
		see_account(&one);
	}
	json_decref(doc);
	return 0;
}

static const char *unsupported(enum mm_setting s, const char *value, const struct mm_values *all)
{
	static const struct mm_cannot rows[] = {
	    {MM_SET_IN_PASSWORD_COMMAND, NULL, MM_CLIENT_NOT_ITS_BUSINESS},
	    {MM_SET_OUT_PASSWORD_COMMAND, NULL, MM_CLIENT_NOT_ITS_BUSINESS},
	    {MM_SET_IN_CA_FILE, NULL, "Mailspring trusts the machine's authorities."},
	    {MM_SET_OUT_CA_FILE, NULL, "Mailspring trusts the machine's authorities."},
	    {MM_SET_IN_TLS_MIN, NULL, "Mailspring has no setting for TLS versions."},
	    {MM_SET_OUT_TLS_MIN, NULL, "Mailspring has no setting for TLS versions."},
	    {MM_SET_IN_PIN, NULL, "Mailspring cannot pin a server's key."},
	    {MM_SET_OUT_PIN, NULL, "Mailspring cannot pin a server's key."}, {MM_SET_NONE, NULL, NULL}};
	const char *why = mm_cannot(rows, s, value);

	if (s == MM_SET_IN_LEAVE_ON_SERVER && !mm_streq(all->v[MM_SET_IN_PROTOCOL], "pop3"))
		return MM_CLIENT_NOT_ITS_BUSINESS;
	return why != NULL ? why : why_not;
}

static int change(struct mm_reader *r, const struct mm_place *p, const struct mm_view *now,
    const struct mm_change *ch, struct mm_edits *out, struct mm_err *err)
{
	(void)r, (void)p, (void)now;
	*out = (struct mm_edits){.key = ch->key};
	return ch->kind == MM_CHANGE_REMOVE ? 0 : mm_err_set(err, MM_EX_DIFF, "%s", why_not);
}

const struct mm_client mm_client_mailspring = {
    .name = "mailspring",
    .label = "Mailspring",
    .programs = (const char *const[]){"mailspring", NULL},
    .incoming = true,
    .outgoing = true,
    .evidence = MM_EVIDENCE_ALL,
    .unsupported = unsupported,
    .find = find,
    .read = read_place,
    .change = change,
};
