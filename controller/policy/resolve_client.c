/* Modes per client and setting, `create`, and the sheet of a resolved user. */
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "controller/policy/layers.h"

struct modes {
	const struct mm_layers *l;
	struct mm_arena *a;
	struct mm_diags *d;
	const char *user;
};

/* What one scope says about something that has a word; word NULL: nothing. */
struct said {
	const char *word;
	struct mm_origin at;
};

typedef struct said ask_fn(const struct mm_scope *sc, const char *client, int set);

static struct said ask_mode(const struct mm_scope *sc, const char *client, int set)
{
	const struct mm_pclient *c = mm_scope_client(sc, client);
	const struct mm_pmode *m = c == NULL ? NULL : set < MM_SET_COUNT ? &c->setting[set] : &c->mode;
	if (m == NULL || m->mode < 0)
		return (struct said){NULL, {NULL, 0}};
	return (struct said){mm_mode_name((enum mm_mode)m->mode), m->at};
}

static struct said ask_scope(const struct mm_scope *sc, const char *client, int set)
{
	const struct mm_pclient *c = mm_scope_client(sc, client);
	(void)set;
	if (c == NULL || c->scope.mode < 0)
		return (struct said){NULL, {NULL, 0}};
	return (struct said){mm_reach_name((enum mm_reach)c->scope.mode), c->scope.at};
}

static struct said ask_create(const struct mm_scope *sc, const char *client, int set)
{
	(void)client;
	(void)set;
	if (sc->create < 0)
		return (struct said){NULL, {NULL, 0}};
	return (struct said){mm_create_name((enum mm_create)sc->create), sc->create_at};
}

static void tie(const struct modes *m, ask_fn *ask, const char *client, int set, size_t i, struct said x)
{
	const char *what = client == NULL        ? "create"
			   : ask == ask_scope    ? mm_arena_printf(m->a, "scope of client %s", client)
			   : set == MM_SET_COUNT ? mm_arena_printf(m->a, "mode of client %s", client)
						 : mm_arena_printf(m->a, "mode of %s of client %s",
						       mm_setting_def((enum mm_setting)set)->id, client);
	for (size_t k = 0; k < i; k++) {
		struct said y = ask(m->l->scopes[k], client, set);
		if (y.word != NULL && mm_scopes_tie(m->l->scopes[i], m->l->scopes[k]) &&
		    !mm_streq(x.word, y.word))
			mm_conflict_report(m->d, what, &(struct mm_wish){m->l->scopes[i], x.at, x.word},
			    &(struct mm_wish){m->l->scopes[k], y.at, y.word}, m->user, 0);
	}
}

static void trail(
    const struct modes *m, struct mm_trail *t, const char *dflt, ask_fn *ask, const char *client, int set)
{
	static const struct mm_origin nowhere = {NULL, 0};
	if (dflt != NULL)
		mm_trail_add(t, m->a, MM_LAYER_BUILTIN, NULL, nowhere, dflt, dflt);
	for (size_t i = 0; i < m->l->n_others; i++) {
		struct said x = ask(m->l->others[i], client, set);
		if (x.word != NULL)
			mm_trail_add_other(t, m->a, m->l->others[i], x.at, x.word, m->user);
	}
	for (size_t i = 0; i < m->l->n; i++) {
		struct said x = ask(m->l->scopes[i], client, set);
		if (x.word == NULL)
			continue;
		mm_trail_add(t, m->a, m->l->scopes[i]->layer, m->l->scopes[i], x.at, x.word, x.word);
		tie(m, ask, client, set, i, x);
	}
	mm_trail_judge(t, m->l->explain ? m->a : NULL, nowhere);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(
	    ((const struct mm_resolved_client *)a)->name, ((const struct mm_resolved_client *)b)->name);
}

static void add_client(struct mm_resolved *r, size_t *cap, const char *name, struct mm_arena *a)
{
	for (size_t i = 0; i < r->n_clients; i++)
		if (mm_streq(r->clients[i].name, name))
			return;
	struct mm_resolved_client *c = mm_arena_push(a, &r->clients, &r->n_clients, cap, sizeof(*c));
	*c = (struct mm_resolved_client){.name = name};
}

void mm_resolve_clients(
    struct mm_resolved *r, const struct mm_layers *l, struct mm_arena *a, struct mm_diags *d)
{
	struct modes m = {.l = l, .a = a, .d = d, .user = r->user};
	size_t cap = 0;
	for (size_t i = 0; i < l->n; i++)
		for (size_t k = 0; k < l->scopes[i]->n_clients; k++)
			add_client(r, &cap, l->scopes[i]->clients[k].name.text, a);
	if (r->n_clients > 1)
		qsort(r->clients, r->n_clients, sizeof(*r->clients), by_name);
	for (size_t i = 0; i < r->n_clients; i++) {
		struct mm_resolved_client *c = &r->clients[i];
		trail(&m, &c->mode, mm_mode_name(MM_MODE_AUDIT), ask_mode, c->name, MM_SET_COUNT);
		trail(&m, &c->scope, mm_reach_name(MM_REACH_USER), ask_scope, c->name, MM_SET_COUNT);
		for (int s = 0; s < MM_SET_COUNT; s++)
			trail(&m, &c->setting[s], NULL, ask_mode, c->name, s);
	}
	trail(&m, &r->create, mm_create_name(MM_CREATE_EXISTING), ask_create, NULL, MM_SET_COUNT);
}

/* ---- the sheet */

void mm_sheet_account_of(const struct mm_resolved_account *r, struct mm_account *out, struct mm_arena *a)
{
	const struct mm_paccount *acc = r->account;
	const char **hosts = mm_arena_alloc(a, acc->replaces.n + 1, sizeof(*hosts));
	for (size_t i = 0; i < acc->replaces.n; i++)
		hosts[i] = acc->replaces.items[i].text;
	*out = (struct mm_account){.name = acc->name.text,
	    .label = acc->label.text != NULL ? acc->label.text : acc->name.text,
	    .renamed_from = acc->renamed_from.text,
	    .replaces = hosts};
	for (int i = 0; i < MM_SET_COUNT; i++)
		out->want.v[i] = r->set[i].value;
}

void mm_sheet_rule_of(const struct mm_resolved_client *r, struct mm_client_rule *out)
{
	*out = (struct mm_client_rule){.client = r->name,
	    .mode = (enum mm_mode)mm_mode_by_name(r->mode.value),
	    .scope = (enum mm_reach)mm_reach_by_name(r->scope.value)};
	for (int i = 0; i < MM_SET_COUNT; i++)
		out->setting_mode[i] =
		    r->setting[i].value != NULL ? mm_mode_by_name(r->setting[i].value) : -1;
}

/* What the system provides is only looked at in the user's own files, by an
 * agent that does not know the scope, too. */
static void look_only(struct mm_client_rule *r)
{
	if (r->scope != MM_REACH_SYSTEM || r->mode == MM_MODE_IGNORE)
		return;
	r->mode = MM_MODE_AUDIT;
	for (int i = 0; i < MM_SET_COUNT; i++)
		if (r->setting_mode[i] != MM_MODE_IGNORE)
			r->setting_mode[i] = -1;
}

struct mm_sheet mm_resolve_sheet(const struct mm_resolved *r, int64_t revision, struct mm_arena *a)
{
	const struct mm_rules *rules = &r->policy->rules;
	struct mm_account *accounts = mm_arena_alloc(a, r->n_accounts + 1, sizeof(*accounts));
	struct mm_client_rule *clients = mm_arena_alloc(a, r->n_clients + 1, sizeof(*clients));
	for (size_t i = 0; i < r->n_accounts; i++)
		mm_sheet_account_of(&r->accounts[i], &accounts[i], a);
	for (size_t i = 0; i < r->n_clients; i++) {
		mm_sheet_rule_of(&r->clients[i], &clients[i]);
		look_only(&clients[i]);
	}
	return (struct mm_sheet){.user = r->user,
	    .revision = revision,
	    .accounts = accounts,
	    .n_accounts = r->n_accounts,
	    .clients = clients,
	    .n_clients = r->n_clients,
	    .create = (enum mm_create)mm_create_by_name(r->create.value),
	    .allow_cleartext = rules->allow_cleartext,
	    .tls_min = rules->tls_min,
	    .check = rules->check};
}
