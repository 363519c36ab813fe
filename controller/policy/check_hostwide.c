/* scope = "system": what no file for everybody can hold is said before it is
 * rolled out. What depends on who the users of a host are (an address that is
 * not the login's) is known only then, and reported by the host. */
#include "common/text.h"
#include "controller/policy/check.h"

struct checker {
	const struct mm_policy *p;
	const struct mm_known_route *routes; /* NULL: any client has one */
	struct mm_diags *d;
};

static const struct mm_known_route *route(const struct checker *c, const char *client)
{
	for (const struct mm_known_route *r = c->routes; r->client != NULL; r++)
		if (mm_streq(r->client, client))
			return r;
	return NULL;
}

static const char *names_of(const struct checker *c)
{
	const char *all = "";
	for (const struct mm_known_route *r = c->routes; r->client != NULL; r++)
		if (r->why_not == NULL)
			all = mm_arena_printf(
			    c->d->arena, "%s%s%s", all, all[0] != '\0' ? ", " : "", r->client);
	return all;
}

static bool ignored(const struct mm_pclient *cl, enum mm_setting s)
{
	int mode = cl->setting[s].mode >= 0 ? cl->setting[s].mode : cl->mode.mode;
	return mode == MM_MODE_IGNORE;
}

/* Something of one person's, in a file for all of them. */
static void check_account(const struct checker *c, const struct mm_scope *sc, const struct mm_pclient *cl,
    const struct mm_paccount *acc)
{
	static const enum mm_setting personal[] = {MM_SET_REAL_NAME, MM_SET_REPLY_TO, MM_SET_ORGANISATION};
	for (size_t i = 0; i < sizeof(personal) / sizeof(*personal); i++) {
		const struct mm_setting_def *def = mm_setting_def(personal[i]);
		const struct mm_override *o = mm_scope_override(sc, acc->name.text);
		const struct mm_pvalue *v = &acc->set.v[personal[i]];
		if (o != NULL && o->set->v[personal[i]].at.file != NULL)
			v = &o->set->v[personal[i]];
		if (!v->template || ignored(cl, personal[i]))
			continue;
		mm_diag_error(c->d, cl->scope.at,
		    "%s %s: clients: %s: scope is system, but %s of account %s (%s:%d) differs from user to "
		    "user and one file holds it for all; write settings = { account = { %s = \"ignore\"; }; "
		    "}; or scope = \"user\"",
		    mm_layer_name(sc->layer), sc->name.text, cl->name.text, def->id, acc->name.text,
		    v->at.file, v->at.line, def->key);
	}
}

static bool concerns(const struct mm_scope *sc, const char *account)
{
	for (size_t i = 0; i < sc->accounts.n; i++)
		if (mm_streq(sc->accounts.items[i].text, account))
			return true;
	return sc->accounts.n == 0;
}

static void check_client(const struct checker *c, const struct mm_scope *sc, const struct mm_pclient *cl)
{
	if (cl->scope.mode != MM_REACH_SYSTEM)
		return;
	if (sc->layer == MM_LAYER_USER)
		mm_diag_error(c->d, cl->scope.at,
		    "user %s: clients: %s: one user cannot decide for the whole host; write scope = "
		    "\"system\" in a group or a host",
		    sc->name.text, cl->name.text);
	if (c->routes == NULL)
		return;
	const struct mm_known_route *r = route(c, cl->name.text);
	if (r == NULL || r->why_not != NULL)
		mm_diag_error(c->d, cl->scope.at,
		    "%s %s: clients: %s: this client cannot be set up through the system's files%s%s; write "
		    "scope = \"user\" (those that can: %s)",
		    mm_layer_name(sc->layer), sc->name.text, cl->name.text, r != NULL ? ": " : "",
		    r != NULL ? r->why_not : "", names_of(c));
	for (size_t i = 0; r != NULL && r->identity && i < c->p->n_accounts; i++)
		if (concerns(sc, c->p->accounts[i].name.text))
			check_account(c, sc, cl, &c->p->accounts[i]);
}

void mm_check_hostwide(const struct mm_policy *p, const struct mm_policy_opts *opts, struct mm_diags *d)
{
	const struct checker c = {.p = p, .routes = opts != NULL ? opts->known_routes : NULL, .d = d};
	const struct mm_scopes *lists[] = {&p->groups, &p->hosts, &p->users};
	for (size_t l = 0; l < 3; l++)
		for (size_t i = 0; i < lists[l]->n; i++)
			for (size_t k = 0; k < lists[l]->items[i].n_clients; k++)
				check_client(&c, &lists[l]->items[i], &lists[l]->items[i].clients[k]);
}

bool mm_policy_has_hostwide(const struct mm_policy *p)
{
	const struct mm_scopes *lists[] = {&p->groups, &p->hosts, &p->users};
	for (size_t l = 0; l < 3; l++)
		for (size_t i = 0; i < lists[l]->n; i++)
			for (size_t k = 0; k < lists[l]->items[i].n_clients; k++)
				if (lists[l]->items[i].clients[k].scope.mode == MM_REACH_SYSTEM)
					return true;
	return false;
}
