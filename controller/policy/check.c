#include "controller/policy/check.h"

#include "common/text.h"

struct checker {
	struct mm_policy *p;
	struct mm_diags *d;
	const char **endpoint_names, **account_names; /* NULL-terminated, for suggestions */
};

static const char *hint(const struct checker *c, const char *name, const char *const *known, const char *what)
{
	const char *near = mm_nearest(name, known);
	return near != NULL ? mm_arena_printf(c->d->arena, "did you mean %s?", near)
			    : mm_arena_printf(c->d->arena, "define it in %s", what);
}

/* ---- endpoints */

static void check_endpoint(const struct checker *c, const struct mm_endpoint *e)
{
	const char *what = mm_arena_printf(c->d->arena, "endpoint %s", e->name.text);
	struct mm_judge j = {.side = e->side, .rules = &c->p->rules, .what = what};
	if (e->side == MM_SIDE_COUNT)
		return; /* reported by the reader */
	for (int i = 0; i < MM_SET_COUNT; i++)
		if (e->set.v[i].at.file != NULL)
			j.v[i] = &e->set.v[i];
	mm_check_values(&j, c->d);
	bool used = false;
	for (size_t i = 0; i < c->p->n_accounts; i++)
		used = used || mm_streq(c->p->accounts[i].incoming.text, e->name.text) ||
		       mm_streq(c->p->accounts[i].outgoing.text, e->name.text);
	if (!used)
		mm_diag_warn(
		    c->d, e->name.at, "%s is used by no account; remove it, or name it in one", what);
}

/* ---- accounts */

/* The endpoint of one side, whose rows become the account's. */
static void link_side(const struct checker *c, struct mm_paccount *acc, enum mm_side side)
{
	const struct mm_said *ref = side == MM_SIDE_INCOMING ? &acc->incoming : &acc->outgoing;
	const char *key = mm_side_name(side), *name = acc->name.text;
	if (ref->at.file == NULL)
		mm_diag_error(
		    c->d, acc->name.at, "account %s has no %s endpoint; write %s = \"NAME\"", name, key, key);
	if (ref->text == NULL)
		return;
	const struct mm_endpoint *e = mm_policy_endpoint(c->p, ref->text);
	if (e == NULL) {
		mm_diag_error(c->d, ref->at, "account %s: %s: no endpoint %s; %s", name, key, ref->text,
		    hint(c, ref->text, c->endpoint_names, "endpoints"));
		return;
	}
	if (e->side != side && e->side != MM_SIDE_COUNT)
		mm_diag_error(c->d, ref->at, "account %s: %s: endpoint %s is %s; name %s", name, key,
		    ref->text,
		    e->side == MM_SIDE_OUTGOING ? "smtp, which does not receive"
						: "for incoming mail, which does not send",
		    side == MM_SIDE_INCOMING ? "an imap or pop3 endpoint" : "an smtp endpoint");
	if (e->side != side)
		return;
	for (int i = 0; i < MM_SET_COUNT; i++)
		if (mm_setting_def((enum mm_setting)i)->side == side)
			acc->set.v[i] = e->set.v[i];
}

/* rules.tls_min is the floor of every endpoint that does not name its own. */
static void link_floor(const struct checker *c, struct mm_paccount *acc)
{
	const struct mm_rules *r = &c->p->rules;
	enum mm_setting rows[] = {MM_SET_IN_TLS_MIN, MM_SET_OUT_TLS_MIN};
	for (size_t i = 0; i < 2; i++)
		if (acc->set.v[rows[i]].at.file == NULL && r->tls_min_at.file != NULL)
			acc->set.v[rows[i]] = (struct mm_pvalue){.text = r->tls_min, .at = r->tls_min_at};
}

static bool overridden_somewhere(const struct mm_policy *p, const char *account, enum mm_setting s)
{
	const struct mm_scopes *lists[] = {&p->groups, &p->hosts, &p->users};
	for (size_t l = 0; l < 3; l++)
		for (size_t i = 0; i < lists[l]->n; i++) {
			const struct mm_override *o = mm_scope_override(&lists[l]->items[i], account);
			if (o != NULL && o->set->v[s].at.file != NULL)
				return true;
		}
	return false;
}

static void check_required(const struct checker *c, const struct mm_paccount *acc)
{
	for (int i = 0; i < MM_SET_COUNT; i++) {
		enum mm_setting s = (enum mm_setting)i;
		const struct mm_setting_def *def = mm_setting_def(s);
		const struct mm_said *ref = def->side == MM_SIDE_INCOMING ? &acc->incoming : &acc->outgoing;
		const struct mm_endpoint *e =
		    def->side != MM_SIDE_ACCOUNT ? mm_policy_endpoint(c->p, ref->text) : NULL;
		bool computed =
		    def->dflt != NULL || mm_streq(def->key, "port") || mm_streq(def->key, "protocol");
		if (!(def->flags & MM_SETF_REQUIRED) || computed || acc->set.v[i].at.file != NULL ||
		    overridden_somewhere(c->p, acc->name.text, s))
			continue;
		if (def->side == MM_SIDE_ACCOUNT)
			mm_diag_error(c->d, acc->name.at, "account %s has no %s; write %s = \"%%{%s}\"",
			    acc->name.text, def->key, def->key, def->key);
		else if (e != NULL && e->side == def->side)
			mm_diag_error(c->d, e->name.at, "endpoint %s has no %s; write %s = \"...\"",
			    e->name.text, def->key, def->key);
	}
}

static void check_renamed(const struct checker *c, const struct mm_paccount *acc)
{
	const struct mm_said *old = &acc->renamed_from;
	if (old->text == NULL)
		return;
	if (!mm_is_account_name(old->text))
		mm_diag_error(c->d, old->at,
		    "account %s: renamed_from \"%s\" cannot have been a name; correct it", acc->name.text,
		    old->text);
	else if (mm_policy_account(c->p, old->text) != NULL)
		mm_diag_error(c->d, old->at,
		    "account %s: renamed_from %s, which still exists; remove one of the two", acc->name.text,
		    old->text);
	for (const struct mm_paccount *x = c->p->accounts; x < acc; x++)
		if (mm_streq(x->renamed_from.text, old->text))
			mm_diag_error(c->d, old->at,
			    "account %s: renamed_from %s, as account %s already is; keep one", acc->name.text,
			    old->text, x->name.text);
}

static bool assigned(const struct mm_policy *p, const char *account)
{
	const struct mm_scopes *lists[] = {&p->groups, &p->hosts, &p->users};
	for (size_t l = 0; l < 3; l++)
		for (size_t i = 0; i < lists[l]->n; i++)
			for (size_t k = 0; k < lists[l]->items[i].accounts.n; k++)
				if (mm_streq(lists[l]->items[i].accounts.items[k].text, account))
					return true;
	return false;
}

/* What the account says itself, before anybody overrides it. */
static void check_own_values(const struct checker *c, const struct mm_paccount *acc)
{
	struct mm_judge j = {.rules = &c->p->rules, .side = MM_SIDE_ACCOUNT};
	j.what = mm_arena_printf(c->d->arena, "account %s", acc->name.text);
	for (int i = 0; i < MM_SET_COUNT; i++)
		if (acc->set.v[i].at.file != NULL)
			j.v[i] = &acc->set.v[i];
	mm_check_folders(&j, c->d);
}

static void check_account(const struct checker *c, struct mm_paccount *acc)
{
	link_side(c, acc, MM_SIDE_INCOMING);
	link_side(c, acc, MM_SIDE_OUTGOING);
	link_floor(c, acc);
	check_required(c, acc);
	check_renamed(c, acc);
	check_own_values(c, acc);
	if (acc->replaces.n > MM_REPLACES_MAX)
		mm_diag_error(c->d, acc->replaces.items[0].at,
		    "account %s: replaces has more than %d hosts; shorten it", acc->name.text,
		    MM_REPLACES_MAX);
	for (size_t i = 0; i < acc->replaces.n; i++)
		if (!mm_is_hostname(acc->replaces.items[i].text))
			mm_diag_error(c->d, acc->replaces.items[i].at,
			    "account %s: replaces \"%s\" is no host name; write a name such as "
			    "mail.old.example",
			    acc->name.text, acc->replaces.items[i].text);
	if (!assigned(c->p, acc->name.text))
		mm_diag_warn(c->d, acc->name.at,
		    "account %s is given to nobody; name it in the accounts of a group", acc->name.text);
}

/* ---- groups, hosts, users */

static void check_override(const struct checker *c, const struct mm_override *o, const char *what)
{
	const struct mm_paccount *acc = mm_policy_account(c->p, o->account.text);
	if (acc == NULL) {
		mm_diag_error(c->d, o->account.at, "%s: no account %s; %s", what, o->account.text,
		    hint(c, o->account.text, c->account_names, "accounts"));
		return;
	}
	struct mm_judge j = {.rules = &c->p->rules, .only = o->set};
	j.what = mm_arena_printf(c->d->arena, "%s of %s", what, o->account.text);
	for (int i = 0; i < MM_SET_COUNT; i++) {
		const struct mm_pvalue *mine = &o->set->v[i], *org = &acc->set.v[i];
		j.v[i] = mine->at.file != NULL ? mine : org->at.file != NULL ? org : NULL;
		if (mine->at.file != NULL && org->at.file != NULL && c->p->final[i].file != NULL)
			mm_diag_warn(c->d, mine->at,
			    "%s: %s has no effect, %s:%d makes it final; remove one of the two", j.what,
			    mm_setting_def((enum mm_setting)i)->id, c->p->final[i].file, c->p->final[i].line);
	}
	mm_check_folders(&j, c->d);
	for (int side = MM_SIDE_INCOMING; side <= MM_SIDE_OUTGOING; side++) {
		j.side = (enum mm_side)side;
		mm_check_values(&j, c->d);
	}
}

/* Two accounts that Thunderbird would take for one (facts: type, user and
 * host must be unique), as far as the policy alone can tell. */
static bool same_server(const struct mm_paccount *x, const struct mm_paccount *y)
{
	static const enum mm_setting rows[] = {MM_SET_IN_PROTOCOL, MM_SET_IN_USERNAME, MM_SET_IN_HOST};
	for (size_t i = 0; i < 3; i++)
		if (x->set.v[rows[i]].text == NULL ||
		    !mm_pvalue_equal(rows[i], &x->set.v[rows[i]], &y->set.v[rows[i]]))
			return false;
	return true;
}

static bool overridden_incoming(const struct mm_policy *p, const struct mm_paccount *acc)
{
	return overridden_somewhere(p, acc->name.text, MM_SET_IN_PROTOCOL) ||
	       overridden_somewhere(p, acc->name.text, MM_SET_IN_USERNAME) ||
	       overridden_somewhere(p, acc->name.text, MM_SET_IN_HOST);
}

static void check_twins(const struct checker *c, const struct mm_scope *sc, size_t i, const char *what)
{
	const struct mm_said *y = &sc->accounts.items[i];
	const struct mm_paccount *b = mm_policy_account(c->p, y->text);
	for (size_t k = 0; k < i && b != NULL; k++) {
		const struct mm_paccount *a = mm_policy_account(c->p, sc->accounts.items[k].text);
		if (a != NULL && a != b && same_server(a, b) && !overridden_incoming(c->p, a) &&
		    !overridden_incoming(c->p, b))
			mm_diag_error(c->d, y->at,
			    "%s: accounts %s and %s have the same protocol, user name and host; a client "
			    "would drop one, join "
			    "them",
			    what, a->name.text, b->name.text);
	}
}

static void check_scope(const struct checker *c, const struct mm_scope *sc)
{
	const char *what = mm_arena_printf(c->d->arena, "%s %s", mm_layer_name(sc->layer), sc->name.text);
	for (size_t i = 0; i < sc->accounts.n; i++) {
		const struct mm_said *x = &sc->accounts.items[i];
		if (mm_policy_account(c->p, x->text) == NULL)
			mm_diag_error(c->d, x->at, "%s: no account %s; %s", what, x->text,
			    hint(c, x->text, c->account_names, "accounts"));
		check_twins(c, sc, i, what);
	}
	what = mm_arena_printf(c->d->arena, "%s: override", what);
	for (size_t i = 0; i < sc->n_overrides; i++)
		check_override(c, &sc->overrides[i], what);
}

static void check_scopes(const struct checker *c, const struct mm_scopes *list)
{
	for (size_t i = 0; i < list->n; i++)
		check_scope(c, &list->items[i]);
}

static void collect_names(struct checker *c)
{
	struct mm_policy *p = c->p;
	c->endpoint_names = mm_arena_alloc(c->d->arena, p->n_endpoints + 1, sizeof(*c->endpoint_names));
	c->account_names = mm_arena_alloc(c->d->arena, p->n_accounts + 1, sizeof(*c->account_names));
	for (size_t i = 0; i < p->n_endpoints; i++)
		c->endpoint_names[i] = p->endpoints[i].name.text;
	for (size_t i = 0; i < p->n_accounts; i++)
		c->account_names[i] = p->accounts[i].name.text;
}

void mm_check_policy(struct mm_policy *p, struct mm_diags *d)
{
	struct checker c = {.p = p, .d = d};
	collect_names(&c);
	for (size_t i = 0; i < p->n_endpoints; i++)
		check_endpoint(&c, &p->endpoints[i]);
	for (size_t i = 0; i < p->n_accounts; i++)
		check_account(&c, &p->accounts[i]);
	check_scopes(&c, &p->groups);
	check_scopes(&c, &p->hosts);
	check_scopes(&c, &p->users);
}
