#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "controller/policy/parse.h"

#define MODES "enforce, audit, default or ignore"

/* ---- override = { ACCOUNT = { account = {}; incoming = {}; outgoing = {}; unset = []; }; }; */

static int side_by_name(const char *name)
{
	for (int i = 0; i < MM_SIDE_COUNT; i++)
		if (mm_streq(mm_side_name((enum mm_side)i), name))
			return i;
	return -1;
}

static void side_keys(enum mm_side side, const char **known)
{
	size_t n = 0;
	for (int i = 0; i < MM_SET_COUNT; i++)
		if (mm_setting_def((enum mm_setting)i)->side == side)
			known[n++] = mm_setting_def((enum mm_setting)i)->key;
	known[n] = NULL;
}

static void read_side(
    struct mm_parser *p, config_setting_t *s, enum mm_side side, const char *what, struct mm_block *set)
{
	const char *known[MM_SET_COUNT + 1];
	side_keys(side, known);
	if (!mm_parse_is_block(p, s, what))
		return;
	for (int i = 0; i < config_setting_length(s); i++) {
		config_setting_t *x = config_setting_get_elem(s, (unsigned)i);
		if (mm_parse_skip(x))
			continue;
		enum mm_setting row = mm_setting_by_key(side, config_setting_name(x));
		if (row == MM_SET_NONE)
			mm_parse_unknown(p, x, what, known);
		else
			mm_parse_setting(p, x, row, what, &set->v[row]);
	}
}

static void read_unset(struct mm_parser *p, config_setting_t *s, const char *what, struct mm_block *set)
{
	struct mm_said_list list = {0};
	mm_parse_list(p, s, what, &list);
	for (size_t i = 0; i < list.n; i++) {
		struct mm_said *x = &list.items[i];
		enum mm_setting row = mm_setting_by_id(x->text);
		if (row == MM_SET_NONE)
			mm_diag_error(p->diags, x->at,
			    "%s: no setting has the id %s; write for example incoming.pin", what, x->text);
		else if (set->v[row].at.file != NULL)
			mm_diag_error(p->diags, x->at,
			    "%s: %s is given a value here as well; keep one of the two", what, x->text);
		else
			set->v[row] = (struct mm_pvalue){.at = x->at};
	}
}

static void read_override(struct mm_parser *p, config_setting_t *s, struct mm_override *o, const char *what)
{
	static const char *const known[] = {"account", "incoming", "outgoing", "unset", NULL};
	config_setting_t *unset = NULL;
	for (int i = 0; i < config_setting_length(s); i++) {
		config_setting_t *x = config_setting_get_elem(s, (unsigned)i);
		if (mm_parse_skip(x))
			continue;
		const char *key = config_setting_name(x);
		const char *where = mm_arena_printf(p->scratch, "%s: %s", what, key);
		int side = side_by_name(key);
		if (side >= 0)
			read_side(p, x, (enum mm_side)side, where, o->set);
		else if (mm_streq(key, "unset"))
			unset = x;
		else
			mm_parse_unknown(p, x, what, known);
	}
	if (unset != NULL)
		read_unset(p, unset, mm_arena_printf(p->scratch, "%s: unset", what), o->set);
}

static void read_overrides(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	struct mm_scope *sc = into;
	if (!mm_parse_is_block(p, s, what))
		return;
	for (int i = 0; i < config_setting_length(s); i++) {
		config_setting_t *x = config_setting_get_elem(s, (unsigned)i);
		const char *name = config_setting_name(x);
		const char *where = mm_arena_printf(p->scratch, "%s of %s", what, name);
		if (mm_parse_skip(x) || !mm_parse_is_block(p, x, where))
			continue;
		struct mm_override *o =
		    mm_arena_push(p->arena, &sc->overrides, &sc->n_overrides, &sc->cap_overrides, sizeof(*o));
		*o = (struct mm_override){.account = {mm_arena_strdup(p->arena, name), mm_parse_at(p, x)},
		    .set = mm_arena_alloc(p->arena, 1, sizeof(*o->set))};
		read_override(p, x, o, where);
	}
}

/* ---- clients = { NAME = "MODE"; NAME = { mode = "MODE"; settings = { SIDE = { KEY = "MODE"; }; }; }; }; */

static void read_mode(struct mm_parser *p, config_setting_t *s, const char *what, struct mm_pmode *out)
{
	int mode;
	if (mm_parse_word(p, s, what, mm_mode_by_name, MODES, &mode) == 0)
		*out = (struct mm_pmode){mode, mm_parse_at(p, s)};
}

static void read_side_modes(
    struct mm_parser *p, config_setting_t *s, enum mm_side side, const char *what, struct mm_pclient *c)
{
	const char *known[MM_SET_COUNT + 1];
	side_keys(side, known);
	if (!mm_parse_is_block(p, s, what))
		return;
	for (int i = 0; i < config_setting_length(s); i++) {
		config_setting_t *x = config_setting_get_elem(s, (unsigned)i);
		if (mm_parse_skip(x))
			continue;
		const char *key = config_setting_name(x);
		enum mm_setting row = mm_setting_by_key(side, key);
		if (row == MM_SET_NONE)
			mm_parse_unknown(p, x, what, known);
		else
			read_mode(p, x, mm_arena_printf(p->scratch, "%s: %s", what, key), &c->setting[row]);
	}
}

static void read_client_mode(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	struct mm_pclient *c = into;
	read_mode(p, s, what, &c->mode);
}

static void read_client_scope(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	struct mm_pclient *c = into;
	int scope;
	if (mm_parse_word(p, s, what, mm_reach_by_name, "user or system", &scope) == 0)
		c->scope = (struct mm_pmode){scope, mm_parse_at(p, s)};
}

static void read_client_settings(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	static const char *const known[] = {"account", "incoming", "outgoing", NULL};
	struct mm_pclient *c = into;
	if (!mm_parse_is_block(p, s, what))
		return;
	for (int i = 0; i < config_setting_length(s); i++) {
		config_setting_t *x = config_setting_get_elem(s, (unsigned)i);
		if (mm_parse_skip(x))
			continue;
		const char *key = config_setting_name(x);
		int side = side_by_name(key);
		if (side < 0)
			mm_parse_unknown(p, x, what, known);
		else
			read_side_modes(
			    p, x, (enum mm_side)side, mm_arena_printf(p->scratch, "%s: %s", what, key), c);
	}
}

static void client_known(struct mm_parser *p, const struct mm_pclient *c, const char *what)
{
	if (!mm_is_account_name(c->name.text)) /* the form of adapters' names is the same */
		mm_diag_error(p->diags, c->name.at,
		    "%s: client %s: a name has 1 to %d of a-z, 0-9, - and _; correct it", what, c->name.text,
		    MM_NAME_MAX);
	const char *const *known = p->opts != NULL ? p->opts->known_clients : NULL;
	size_t i = 0;
	if (known == NULL)
		return;
	while (known[i] != NULL && !mm_streq(known[i], c->name.text))
		i++;
	const char *near = mm_nearest(c->name.text, known);
	if (known[i] == NULL)
		mm_diag_warn(p->diags, c->name.at, "%s: no adapter for the client %s; %s%s%s", what,
		    c->name.text, near != NULL ? "did you mean " : "hosts will report it as unsupported",
		    near != NULL ? near : "", near != NULL ? "?" : "");
}

static struct mm_pclient *new_client(
    struct mm_parser *p, struct mm_scope *sc, const char *name, struct mm_origin at)
{
	struct mm_pclient *c =
	    mm_arena_push(p->arena, &sc->clients, &sc->n_clients, &sc->cap_clients, sizeof(*c));
	c->name = (struct mm_said){mm_arena_strdup(p->arena, name), at};
	c->mode = c->scope = (struct mm_pmode){.mode = -1};
	c->setting = mm_arena_alloc(p->arena, MM_SET_COUNT, sizeof(*c->setting));
	for (int i = 0; i < MM_SET_COUNT; i++)
		c->setting[i].mode = -1;
	return c;
}

static void read_clients(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	static const struct mm_key keys[] = {{"mode", read_client_mode}, {"scope", read_client_scope},
	    {"settings", read_client_settings}, {NULL, NULL}};
	struct mm_scope *sc = into;
	if (!mm_parse_is_block(p, s, what))
		return;
	for (int i = 0; i < config_setting_length(s); i++) {
		config_setting_t *x = config_setting_get_elem(s, (unsigned)i);
		if (mm_parse_skip(x))
			continue;
		const char *name = config_setting_name(x);
		const char *where = mm_arena_printf(p->scratch, "%s: %s", what, name);
		struct mm_pclient *c = new_client(p, sc, name, mm_parse_at(p, x));
		client_known(p, c, what);
		if (config_setting_type(x) == CONFIG_TYPE_STRING)
			read_mode(p, x, where, &c->mode);
		else if (config_setting_is_group(x))
			mm_parse_keys(p, x, keys, c, where);
		else if (!mm_parse_bad(x))
			mm_diag_error(p->diags, c->name.at,
			    "%s: write a mode (" MODES ") or { mode = ...; scope = ...; settings = ...; }",
			    where);
	}
}

/* ---- what groups, hosts and users share */

static void read_scope_accounts(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	struct mm_scope *sc = into;
	mm_parse_list(p, s, what, &sc->accounts);
}

static void read_scope_create(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	struct mm_scope *sc = into;
	sc->create_at = mm_parse_at(p, s);
	mm_parse_word(p, s, what, mm_create_by_name, "existing, always or never", &sc->create);
}

static void read_scope_priority(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	struct mm_scope *sc = into;
	sc->priority_at = mm_parse_at(p, s);
	mm_parse_number(p, s, what, 0, MM_PRIORITY_MAX, &sc->priority);
}

static void read_scope_name(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	(void)into;
	(void)what;
	(void)p;
	(void)s;
}

static struct mm_scope *new_scope(
    struct mm_parser *p, struct mm_scopes *list, enum mm_layer layer, const char *name, struct mm_origin at)
{
	struct mm_scope *sc = mm_arena_push(p->arena, &list->items, &list->n, &list->cap, sizeof(*sc));
	*sc = (struct mm_scope){.layer = layer, .name = {mm_arena_strdup(p->arena, name), at}, .create = -1};
	return sc;
}

static int by_name(const void *a, const void *b)
{
	const struct mm_scope *x = a, *y = b;
	int c = strcmp(x->name.text, y->name.text);
	return c != 0 ? c : (x->name.at.line > y->name.at.line) - (x->name.at.line < y->name.at.line);
}

static void sort(struct mm_parser *p, struct mm_scopes *list, const char *kind)
{
	if (list->n > 1)
		qsort(list->items, list->n, sizeof(*list->items), by_name);
	for (size_t i = 1; i < list->n; i++) {
		const struct mm_said *x = &list->items[i - 1].name, *y = &list->items[i].name;
		if (mm_streq(x->text, y->text))
			mm_diag_error(p->diags, y->at, "duplicate %s %s, first given at %s:%d; join the two",
			    kind, y->text, x->at.file, x->at.line);
	}
}

static void group_entry(struct mm_parser *p, config_setting_t *x, void *into, const char *who)
{
	static const struct mm_key keys[] = {{"priority", read_scope_priority},
	    {"accounts", read_scope_accounts}, {"override", read_overrides}, {"clients", read_clients},
	    {"create", read_scope_create}, {NULL, NULL}};
	struct mm_policy *pol = into;
	const char *name = config_setting_name(x);
	struct mm_scope *g = new_scope(p, &pol->groups, MM_LAYER_GROUP, name, mm_parse_at(p, x));
	mm_parse_keys(p, x, keys, g, who);
	if (config_setting_get_member(x, "priority") == NULL)
		mm_diag_error(
		    p->diags, g->name.at, "%s has no priority; write priority = 10; (higher wins)", who);
}

void mm_parse_groups(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	struct mm_policy *pol = into;
	mm_parse_named(p, s, into, what, "group", group_entry);
	sort(p, &pol->groups, "group");
}

/* hosts = ( { host = "..."; ... } ) and users = ( { user = "..."; ... } ) */
static void read_list(struct mm_parser *p, config_setting_t *s, struct mm_scopes *list, enum mm_layer layer)
{
	const char *kind = mm_layer_name(layer);
	const struct mm_key keys[] = {{kind, read_scope_name}, {"accounts", read_scope_accounts},
	    {"override", read_overrides}, {"clients", read_clients}, {"create", read_scope_create},
	    {NULL, NULL}};
	if (!config_setting_is_list(s)) {
		if (!mm_parse_bad(s))
			mm_diag_error(p->diags, mm_parse_at(p, s),
			    "%ss must be a list; write ( { %s = \"name\"; ... }, ... )", kind, kind);
		return;
	}
	for (int i = 0; i < config_setting_length(s); i++) {
		config_setting_t *x = config_setting_get_elem(s, (unsigned)i), *n;
		struct mm_said name;
		if (mm_parse_skip(x) ||
		    !mm_parse_is_block(p, x, mm_arena_printf(p->scratch, "element %d of %ss", i + 1, kind)))
			continue;
		n = config_setting_get_member(x, kind);
		if (n == NULL)
			mm_diag_error(p->diags, mm_parse_at(p, x),
			    "element %d of %ss has no %s; write %s = \"name\"; first", i + 1, kind, kind,
			    kind);
		if (n == NULL || mm_parse_text(p, n, kind, &name) != 0)
			continue;
		if (!mm_is_login(name.text))
			mm_diag_error(p->diags, name.at,
			    "%s \"%s\": a name has letters, digits, _ . @ and -; correct it", kind,
			    name.text);
		struct mm_scope *sc = new_scope(p, list, layer, name.text, name.at);
		mm_parse_keys(p, x, keys, sc, mm_arena_printf(p->scratch, "%s %s", kind, name.text));
	}
	sort(p, list, kind);
}

void mm_parse_hosts(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	struct mm_policy *pol = into;
	(void)what;
	read_list(p, s, &pol->hosts, MM_LAYER_HOST);
}

void mm_parse_users(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	struct mm_policy *pol = into;
	(void)what;
	read_list(p, s, &pol->users, MM_LAYER_USER);
}
