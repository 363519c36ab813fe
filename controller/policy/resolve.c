#include "controller/policy/resolve.h"

#include "common/text.h"
#include "controller/policy/check.h"
#include "controller/policy/layers.h"

struct job {
	const struct mm_policy *p;
	const struct mm_subject *u;
	struct mm_arena *a;
	struct mm_diags *d;
	struct mm_layers layers;
};

/* ---- one setting of one account */

/* What a layer wants, with placeholders filled in. A value that cannot be is
 * an error only if it wins, so the reason waits in the step. */
static void add_value(struct job *j, struct mm_trail *t, enum mm_setting set, enum mm_layer layer,
    const struct mm_scope *scope, const struct mm_pvalue *v)
{
	const char *value = v->text, *trouble = NULL;
	if (v->template) {
		struct mm_err err = MM_ERR_NONE;
		const char *expanded;
		value = NULL;
		if (mm_template_expand_value(set, v->text, j->u, j->a, &expanded, &err) != 0 ||
		    mm_setting_canon(set, expanded, j->a, &value, &err) != 0)
			trouble = mm_arena_strdup(j->a, err.text);
	}
	mm_trail_add(t, j->a, layer, scope, v->at, v->text, value)->trouble = trouble;
}

static const struct mm_pvalue *wish(const struct mm_scope *sc, const char *account, enum mm_setting set)
{
	const struct mm_override *o = mm_scope_override(sc, account);
	return o != NULL && o->set->v[set].at.file != NULL ? &o->set->v[set] : NULL;
}

/* Two groups of equal priority that want different things. */
static void check_tie(
    struct job *j, const char *account, enum mm_setting set, size_t i, const struct mm_pvalue *v)
{
	const struct mm_scope *x = j->layers.scopes[i];
	for (size_t k = 0; k < i; k++) {
		const struct mm_scope *y = j->layers.scopes[k];
		const struct mm_pvalue *w = mm_scopes_tie(x, y) ? wish(y, account, set) : NULL;
		if (w == NULL || mm_pvalue_equal(set, v, w))
			continue;
		mm_conflict_report(j->d,
		    mm_arena_printf(j->a, "%s of account %s", mm_setting_def(set)->id, account),
		    &(struct mm_wish){x, v->at, v->text}, &(struct mm_wish){y, w->at, w->text}, j->u->login,
		    0);
	}
}

/* The built-in value: the table's, or the usual port. */
static const char *builtin(struct job *j, const struct mm_resolved_account *r, enum mm_setting set)
{
	const struct mm_setting_def *d = mm_setting_def(set);
	bool in = d->side == MM_SIDE_INCOMING;
	if (!mm_streq(d->key, "port"))
		return d->dflt;
	int port = mm_default_port(r->set[in ? MM_SET_IN_PROTOCOL : MM_SET_OUT_PROTOCOL].value,
	    r->set[in ? MM_SET_IN_SECURITY : MM_SET_OUT_SECURITY].value);
	return port > 0 ? mm_arena_printf(j->a, "%d", port) : NULL;
}

/* Why a setting means nothing with the others as they are; NULL: it does. */
static const char *pointless(const struct mm_resolved_account *r, enum mm_setting set)
{
	const struct mm_setting_def *d = mm_setting_def(set);
	bool in = d->side == MM_SIDE_INCOMING;
	if (d->side == MM_SIDE_ACCOUNT)
		return NULL;
	if (set == MM_SET_IN_LEAVE_ON_SERVER && !mm_streq(r->set[MM_SET_IN_PROTOCOL].value, "pop3"))
		return "for pop3 only";
	bool tls = mm_streq(d->key, "tls_min") || mm_streq(d->key, "ca_file") || mm_streq(d->key, "pin");
	if (tls && mm_streq(r->set[in ? MM_SET_IN_SECURITY : MM_SET_OUT_SECURITY].value, "none"))
		return "security is none";
	if (mm_streq(d->key, "password_command") &&
	    mm_streq(r->set[in ? MM_SET_IN_AUTH : MM_SET_OUT_AUTH].value, "none"))
		return "auth is none";
	return NULL;
}

static void resolve_setting(struct job *j, struct mm_resolved_account *r, enum mm_setting set)
{
	struct mm_trail *t = &r->set[set];
	const char *account = r->account->name.text, *dflt = builtin(j, r, set), *no = pointless(r, set);
	const struct mm_pvalue *org = &r->account->set.v[set], *v;
	struct mm_origin final = j->p->final[set];
	if (dflt != NULL)
		mm_trail_add(t, j->a, MM_LAYER_BUILTIN, NULL, (struct mm_origin){NULL, 0}, dflt, dflt);
	if (org->at.file != NULL)
		add_value(j, t, set, MM_LAYER_ORGANISATION, NULL, org);
	for (size_t i = 0; i < j->layers.n_others; i++)
		if ((v = wish(j->layers.others[i], account, set)) != NULL)
			mm_trail_add_other(t, j->a, j->layers.others[i], v->at, v->text, j->u->login);
	for (size_t i = 0; i < j->layers.n; i++) {
		const struct mm_scope *sc = j->layers.scopes[i];
		if ((v = wish(sc, account, set)) == NULL)
			continue;
		add_value(j, t, set, sc->layer, sc, v);
		if (final.file == NULL || org->at.file == NULL)
			check_tie(j, account, set, i, v);
	}
	if (no != NULL) {
		mm_trail_drop(t, j->layers.explain ? j->a : NULL, no);
		return;
	}
	mm_trail_judge(t, j->layers.explain ? j->a : NULL, final);
}

/* ---- one account */

static void report_missing(struct job *j, const struct mm_resolved_account *r, enum mm_setting set)
{
	const struct mm_setting_def *d = mm_setting_def(set);
	const struct mm_trail_step *w = r->set[set].winner;
	const char *account = r->account->name.text, *login = j->u->login;
	if (w != NULL && w->trouble != NULL)
		mm_diag_error(j->d, w->at,
		    "%s of account %s cannot be filled in: %s; complete or correct user %s", d->id, account,
		    w->trouble, login);
	else if (r->set[set].value == NULL && (d->flags & MM_SETF_REQUIRED))
		mm_diag_error(j->d, w != NULL ? w->at : r->account->name.at,
		    "account %s of %s has no %s; give it a value, or do not unset it", account, login, d->id);
}

/* A login needs a name, except where the ticket or the certificate has it. */
static void check_username(
    struct job *j, const struct mm_resolved_account *r, enum mm_setting name, enum mm_setting auth)
{
	const char *how = r->set[auth].value;
	bool needs = !mm_streq(how, "none") && !mm_streq(how, "external") && !mm_streq(how, "gssapi");
	if (needs && r->set[name].value == NULL && r->set[name].winner == NULL)
		mm_diag_error(j->d, r->account->name.at,
		    "account %s of %s has no %s; write username = \"%%{login}\"", r->account->name.text,
		    j->u->login, mm_setting_def(name)->id);
}

static void check_account(struct job *j, const struct mm_resolved_account *r)
{
	struct mm_pvalue *values = mm_arena_alloc(j->a, MM_SET_COUNT, sizeof(*values));
	struct mm_judge judge = {.rules = &j->p->rules, .errors_only = true};
	judge.what = mm_arena_printf(j->a, "account %s of %s", r->account->name.text, j->u->login);
	for (int i = 0; i < MM_SET_COUNT; i++) {
		const struct mm_trail *t = &r->set[i];
		report_missing(j, r, (enum mm_setting)i);
		if (t->winner == NULL || t->winner->layer == MM_LAYER_BUILTIN)
			continue;
		values[i] = (struct mm_pvalue){.text = t->value, .at = t->winner->at};
		judge.v[i] = &values[i];
	}
	check_username(j, r, MM_SET_IN_USERNAME, MM_SET_IN_AUTH);
	check_username(j, r, MM_SET_OUT_USERNAME, MM_SET_OUT_AUTH);
	mm_check_folders(&judge, j->d);
	for (int side = MM_SIDE_INCOMING; side <= MM_SIDE_OUTGOING; side++) {
		judge.side = (enum mm_side)side;
		mm_check_values(&judge, j->d);
	}
}

static void resolve_account(struct job *j, struct mm_resolved_account *r)
{
	/* Others depend on these: the usual port, what is pointless. */
	static const enum mm_setting first[] = {MM_SET_IN_PROTOCOL, MM_SET_IN_SECURITY, MM_SET_IN_AUTH,
	    MM_SET_OUT_PROTOCOL, MM_SET_OUT_SECURITY, MM_SET_OUT_AUTH};
	bool done[MM_SET_COUNT] = {false};
	for (size_t i = 0; i < sizeof(first) / sizeof(*first); i++) {
		resolve_setting(j, r, first[i]);
		done[first[i]] = true;
	}
	for (int i = 0; i < MM_SET_COUNT; i++)
		if (!done[i])
			resolve_setting(j, r, (enum mm_setting)i);
	check_account(j, r);
}

/* ---- all accounts */

static void add_accounts(struct job *j, struct mm_resolved *r, const struct mm_scope *sc)
{
	for (size_t i = 0; i < sc->accounts.n; i++) {
		const struct mm_paccount *acc = mm_policy_account(j->p, sc->accounts.items[i].text);
		bool seen = acc == NULL;
		for (size_t k = 0; k < r->n_accounts; k++)
			seen = seen || r->accounts[k].account == acc;
		if (!seen)
			r->accounts[r->n_accounts++].account = acc;
	}
}

static bool twins(const struct mm_resolved_account *x, const struct mm_resolved_account *y)
{
	static const enum mm_setting rows[] = {MM_SET_IN_PROTOCOL, MM_SET_IN_USERNAME, MM_SET_IN_HOST};
	for (size_t i = 0; i < 3; i++)
		if (x->set[rows[i]].value == NULL ||
		    !mm_setting_equal(rows[i], x->set[rows[i]].value, y->set[rows[i]].value))
			return false;
	return true;
}

/* Thunderbird deletes one of two accounts with the same type, user and host. */
static void check_twins(struct job *j, const struct mm_resolved *r)
{
	for (size_t i = 1; i < r->n_accounts; i++)
		for (size_t k = 0; k < i; k++)
			if (twins(&r->accounts[i], &r->accounts[k]))
				mm_diag_error(j->d, r->accounts[i].account->name.at,
				    "accounts %s and %s of %s have the same protocol, user name and host; a "
				    "client would "
				    "drop one, give only one of them",
				    r->accounts[k].account->name.text, r->accounts[i].account->name.text,
				    j->u->login);
}

int mm_resolve(const struct mm_policy *p, const struct mm_subject *u, const char *host, unsigned flags,
    struct mm_arena *a, struct mm_resolved **out, struct mm_diags *d)
{
	struct job j = {.p = p, .u = u, .a = a, .d = d};
	size_t before = d->errors;
	struct mm_resolved *r = mm_arena_alloc(a, 1, sizeof(*r));
	*r = (struct mm_resolved){.policy = p,
	    .user = mm_arena_strdup(a, u->login),
	    .host = mm_arena_strdup(a, host),
	    .accounts = mm_arena_alloc(a, p->n_accounts + 1, sizeof(*r->accounts))};
	mm_layers_of(p, u, host, (flags & MM_RESOLVE_EXPLAIN) != 0, a, &j.layers);
	for (size_t i = 0; i < j.layers.n; i++)
		add_accounts(&j, r, j.layers.scopes[i]);
	for (size_t i = 0; i < r->n_accounts; i++)
		resolve_account(&j, &r->accounts[i]);
	check_twins(&j, r);
	mm_resolve_clients(r, &j.layers, a, d);
	if (r->n_accounts > MM_SHEET_ACCOUNTS_MAX || r->n_clients > MM_SHEET_CLIENTS_MAX)
		mm_diag_error(d, (struct mm_origin){p->name, 0},
		    "%s has more than %d accounts or %d clients; give fewer", u->login, MM_SHEET_ACCOUNTS_MAX,
		    MM_SHEET_CLIENTS_MAX);
	if (d->errors > before)
		return -1;
	*out = r;
	return 0;
}
