#include "controller/policy/parse.h"

#include <string.h>

#include "common/text.h"

struct mm_origin mm_parse_at(const struct mm_parser *p, const config_setting_t *s)
{
	return mm_source_at(p->src, config_setting_source_line(s));
}

bool mm_parse_skip(const config_setting_t *s)
{
	const char *name = config_setting_name(s);
	return name != NULL && name[0] == '*';
}

bool mm_parse_bad(const config_setting_t *s)
{
	return config_setting_type(s) == CONFIG_TYPE_INT64;
}

bool mm_parse_is_block(struct mm_parser *p, config_setting_t *s, const char *what)
{
	if (config_setting_is_group(s))
		return true;
	if (!mm_parse_bad(s))
		mm_diag_error(
		    p->diags, mm_parse_at(p, s), "%s must be a block; write { name = value; ... }", what);
	return false;
}

static bool wants_secret(const char *key)
{
	static const char *const words[] = {"password", "passwd", "pass", "passphrase", "secret",
	    "client_secret", "token", "pin_code", "pw", NULL};
	for (size_t i = 0; words[i] != NULL; i++)
		if (mm_streq_nocase(key, words[i]) || (i < 5 && mm_ends_with(key, words[i])))
			return true;
	return false;
}

void mm_parse_unknown(
    struct mm_parser *p, const config_setting_t *s, const char *what, const char *const *known)
{
	const char *key = config_setting_name(s), *near = mm_nearest(key, known);
	const char *who = what[0] != '\0' ? mm_arena_printf(p->scratch, "%s: ", what) : "";
	struct mm_origin at = mm_parse_at(p, s);
	if (wants_secret(key)) {
		mm_diag_error(p->diags, at,
		    "%s%s: a policy never holds a secret; name a program that prints it with "
		    "password_command",
		    who, key);
		return;
	}
	if (near != NULL) {
		mm_diag_error(p->diags, at, "%sunknown key %s; did you mean %s?", who, key, near);
		return;
	}
	struct mm_buf b = MM_BUF_INIT(1024);
	for (size_t i = 0; known[i] != NULL; i++)
		mm_buf_addf(&b, "%s%s", i > 0 ? ", " : "", known[i]);
	mm_diag_error(p->diags, at, "%sunknown key %s; known are %s", who, key, mm_buf_str(&b));
	mm_buf_free(&b);
}

void mm_parse_keys(
    struct mm_parser *p, config_setting_t *block, const struct mm_key *keys, void *into, const char *what)
{
	const char *known[32] = {NULL};
	for (size_t i = 0; keys[i].name != NULL; i++)
		known[i] = keys[i].name;
	for (int i = 0; i < config_setting_length(block); i++) {
		config_setting_t *s = config_setting_get_elem(block, (unsigned)i);
		size_t k = 0;
		if (mm_parse_skip(s))
			continue;
		while (keys[k].name != NULL && strcmp(keys[k].name, config_setting_name(s)) != 0)
			k++;
		if (keys[k].name == NULL)
			mm_parse_unknown(p, s, what, known);
		else
			keys[k].read(p, s, into,
			    mm_arena_printf(
				p->scratch, "%s%s%s", what, what[0] != '\0' ? ": " : "", keys[k].name));
	}
}

void mm_parse_named(struct mm_parser *p, config_setting_t *s, void *into, const char *what, const char *kind,
    void (*use)(struct mm_parser *p, config_setting_t *x, void *into, const char *who))
{
	if (!mm_parse_is_block(p, s, what))
		return;
	for (int i = 0; i < config_setting_length(s); i++) {
		config_setting_t *x = config_setting_get_elem(s, (unsigned)i);
		const char *who = mm_arena_printf(p->scratch, "%s %s", kind, config_setting_name(x));
		if (!mm_parse_skip(x) && mm_parse_is_block(p, x, who))
			use(p, x, into, who);
	}
}

/* ---- single keys */

static void read_format(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	int format = 0;
	(void)into;
	if (mm_parse_number(p, s, what, 1, INT32_MAX, &format) == 0 && format != MM_POLICY_FORMAT)
		mm_diag_error(p->diags, mm_parse_at(p, s),
		    "format %d is not known to this version; write format = %d, or update mailmuster", format,
		    MM_POLICY_FORMAT);
}

static void read_org_name(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	struct mm_policy *pol = into;
	mm_parse_text(p, s, what, &pol->organisation);
}

static void read_org_domain(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	struct mm_policy *pol = into;
	if (mm_parse_text(p, s, what, &pol->domain) == 0 && !mm_is_hostname(pol->domain.text))
		mm_diag_error(p->diags, pol->domain.at,
		    "%s \"%s\" is no domain; write for example acme.example", what, pol->domain.text);
}

static void read_organisation(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	static const struct mm_key keys[] = {
	    {"name", read_org_name}, {"domain", read_org_domain}, {NULL, NULL}};
	if (mm_parse_is_block(p, s, what))
		mm_parse_keys(p, s, keys, into, what);
}

/* ---- endpoints */

static enum mm_side side_of(config_setting_t *s)
{
	const char *protocol;
	if (config_setting_lookup_string(s, "protocol", &protocol) != CONFIG_TRUE)
		return MM_SIDE_COUNT;
	if (mm_streq_nocase(protocol, "smtp"))
		return MM_SIDE_OUTGOING;
	return mm_streq_nocase(protocol, "imap") || mm_streq_nocase(protocol, "pop3") ? MM_SIDE_INCOMING
										      : MM_SIDE_COUNT;
}

static void known_keys(enum mm_side side, const char **known, size_t max)
{
	size_t n = 0;
	for (int i = 0; i < MM_SET_COUNT; i++) {
		const struct mm_setting_def *d = mm_setting_def((enum mm_setting)i);
		if (d->side == side && n + 1 < max)
			known[n++] = d->key;
	}
	known[n] = NULL;
}

static void read_endpoint(struct mm_parser *p, config_setting_t *s, struct mm_endpoint *e, const char *what)
{
	const char *known[MM_SET_COUNT + 1];
	enum mm_side side = side_of(s), rows = side == MM_SIDE_COUNT ? MM_SIDE_INCOMING : side;
	e->side = side;
	known_keys(rows, known, MM_SET_COUNT);
	for (int i = 0; i < config_setting_length(s); i++) {
		config_setting_t *x = config_setting_get_elem(s, (unsigned)i);
		if (mm_parse_skip(x))
			continue;
		const char *key = config_setting_name(x);
		enum mm_setting set = mm_setting_by_key(rows, key);
		if (mm_streq(key, "protocol") && side == MM_SIDE_COUNT &&
		    config_setting_type(x) == CONFIG_TYPE_STRING)
			mm_diag_error(p->diags, mm_parse_at(p, x),
			    "%s: protocol \"%s\"; write imap, pop3 or smtp", what,
			    config_setting_get_string(x));
		else if (set != MM_SET_NONE)
			mm_parse_setting(p, x, set, what, &e->set.v[set]);
		else if (mm_setting_by_key(MM_SIDE_INCOMING, key) != MM_SET_NONE)
			mm_diag_error(p->diags, mm_parse_at(p, x),
			    "%s: %s is for incoming mail only; remove it", what, key);
		else
			mm_parse_unknown(p, x, what, known);
	}
	if (config_setting_get_member(s, "protocol") == NULL)
		mm_diag_error(p->diags, e->name.at,
		    "%s has no protocol; write protocol = \"imap\", \"pop3\" or \"smtp\"", what);
}

static void endpoint_entry(struct mm_parser *p, config_setting_t *x, void *into, const char *who)
{
	struct mm_policy *pol = into;
	const char *name = config_setting_name(x);
	struct mm_endpoint *e =
	    mm_arena_push(p->arena, &pol->endpoints, &pol->n_endpoints, &pol->cap_endpoints, sizeof(*e));
	*e = (struct mm_endpoint){.name = {mm_arena_strdup(p->arena, name), mm_parse_at(p, x)}};
	read_endpoint(p, x, e, who);
}

static void read_endpoints(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	mm_parse_named(p, s, into, what, "endpoint", endpoint_entry);
}

/* ---- accounts */

static void read_account(struct mm_parser *p, config_setting_t *s, struct mm_paccount *acc, const char *what)
{
	const char *known[MM_SET_COUNT + 8] = {"label", "renamed_from", "replaces", "incoming", "outgoing"};
	known_keys(MM_SIDE_ACCOUNT, known + 5, MM_SET_COUNT);
	for (int i = 0; i < config_setting_length(s); i++) {
		config_setting_t *x = config_setting_get_elem(s, (unsigned)i);
		if (mm_parse_skip(x))
			continue;
		const char *key = config_setting_name(x);
		const char *where = mm_arena_printf(p->scratch, "%s: %s", what, key);
		enum mm_setting set = mm_setting_by_key(MM_SIDE_ACCOUNT, key);
		struct mm_said *text = mm_streq(key, "label")          ? &acc->label
				       : mm_streq(key, "renamed_from") ? &acc->renamed_from
				       : mm_streq(key, "incoming")     ? &acc->incoming
				       : mm_streq(key, "outgoing")     ? &acc->outgoing
								       : NULL;
		if (set != MM_SET_NONE)
			mm_parse_setting(p, x, set, what, &acc->set.v[set]);
		else if (text != NULL)
			mm_parse_text(p, x, where, text);
		else if (mm_streq(key, "replaces"))
			mm_parse_list(p, x, where, &acc->replaces);
		else
			mm_parse_unknown(p, x, what, known);
	}
}

static void account_entry(struct mm_parser *p, config_setting_t *x, void *into, const char *who)
{
	struct mm_policy *pol = into;
	const char *name = config_setting_name(x);
	struct mm_paccount *acc =
	    mm_arena_push(p->arena, &pol->accounts, &pol->n_accounts, &pol->cap_accounts, sizeof(*acc));
	*acc = (struct mm_paccount){.name = {mm_arena_strdup(p->arena, name), mm_parse_at(p, x)}};
	if (!mm_is_account_name(name))
		mm_diag_error(p->diags, acc->name.at,
		    "account %s: a name has 1 to %d of a-z, 0-9, - and _; choose another", name, MM_NAME_MAX);
	read_account(p, x, acc, who);
}

static void read_accounts(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	mm_parse_named(p, s, into, what, "account", account_entry);
}

/* ---- final and rules */

static void read_final(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	struct mm_policy *pol = into;
	struct mm_said_list list = {0};
	const char *ids[MM_SET_COUNT + 1] = {NULL};
	for (int i = 0; i < MM_SET_COUNT; i++)
		ids[i] = mm_setting_def((enum mm_setting)i)->id;
	mm_parse_list(p, s, what, &list);
	for (size_t i = 0; i < list.n; i++) {
		enum mm_setting set = mm_setting_by_id(list.items[i].text);
		const char *near = mm_nearest(list.items[i].text, ids);
		if (set != MM_SET_NONE)
			pol->final[set] = list.items[i].at;
		else
			mm_diag_error(p->diags, list.items[i].at, "final: no setting has the id %s; %s%s%s",
			    list.items[i].text,
			    near != NULL ? "did you mean " : "write for example incoming.host",
			    near != NULL ? near : "", near != NULL ? "?" : "");
	}
}

static void read_allow_cleartext(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	struct mm_rules *r = into;
	r->allow_cleartext_at = mm_parse_at(p, s);
	mm_parse_bool(p, s, what, &r->allow_cleartext);
}

static int tls_by_name(const char *word)
{
	return mm_streq(word, "1.2") ? 2 : mm_streq(word, "1.3") ? 3 : -1;
}

static void read_tls_min(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	struct mm_rules *r = into;
	int minor;
	r->tls_min_at = mm_parse_at(p, s);
	if (mm_parse_word(p, s, what, tls_by_name, "\"1.2\" or \"1.3\"", &minor) == 0)
		r->tls_min = minor == 3 ? "1.3" : "1.2";
}

static void read_check(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	struct mm_rules *r = into;
	int level;
	r->check_at = mm_parse_at(p, s);
	if (mm_parse_word(p, s, what, mm_level_by_name, "reach, tls, login or roundtrip", &level) == 0)
		r->check = (enum mm_level)level;
}

static void read_approvals(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	struct mm_rules *r = into;
	r->approvals_at = mm_parse_at(p, s);
	mm_parse_number(p, s, what, 0, MM_APPROVALS_MAX, &r->approvals);
}

static int discover_by_name(const char *s)
{
	return strcmp(s, "known") == 0 ? 0 : strcmp(s, "all") == 0 ? 1 : -1;
}

static void read_discover(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	struct mm_rules *r = into;
	int all;
	r->discover_at = mm_parse_at(p, s);
	if (mm_parse_word(p, s, what, discover_by_name, "known or all", &all) == 0)
		r->discover_all = all == 1;
}

static void read_rules(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	static const struct mm_key keys[] = {{"allow_cleartext", read_allow_cleartext},
	    {"tls_min", read_tls_min}, {"check", read_check}, {"approvals", read_approvals},
	    {"discover", read_discover}, {NULL, NULL}};
	struct mm_policy *pol = into;
	if (mm_parse_is_block(p, s, what))
		mm_parse_keys(p, s, keys, &pol->rules, what);
}

void mm_parse_policy(struct mm_parser *p, const char *clean)
{
	static const struct mm_key keys[] = {{"format", read_format}, {"organisation", read_organisation},
	    {"endpoints", read_endpoints}, {"accounts", read_accounts}, {"groups", mm_parse_groups},
	    {"hosts", mm_parse_hosts}, {"users", mm_parse_users}, {"final", read_final},
	    {"rules", read_rules}, {"audit", mm_parse_audit}, {NULL, NULL}};
	config_t cfg;
	config_init(&cfg);
	if (config_read_string(&cfg, clean) != CONFIG_TRUE) {
		int line = config_error_line(&cfg);
		mm_diag_error(p->diags, mm_source_at(p->src, line > 0 ? (size_t)line : 1),
		    "%s; compare with mailmuster-policy(5)", config_error_text(&cfg));
	} else {
		config_setting_t *root = config_root_setting(&cfg);
		mm_parse_keys(p, root, keys, p->policy, "");
		if (config_setting_get_member(root, "format") == NULL)
			mm_diag_error(p->diags, mm_source_at(p->src, 1),
			    "no format; write format = %d; in the first line", MM_POLICY_FORMAT);
	}
	config_destroy(&cfg);
}
