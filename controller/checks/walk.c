/*
 * The engine: one pass over the store, each piece of evidence to the tests
 * that look at it.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "controller/checks/engine.h"

/* ---- findings */

static bool is_better_unsaid(const struct mm_finding *f)
{
	return f->state == MM_ST_UNSUPPORTED || f->state == MM_ST_UNKNOWN || f->state == MM_ST_ERROR ||
	       f->state == MM_ST_UNCONFIRMED;
}

static const char *or_say(const char *reason, const char *otherwise)
{
	return reason != NULL && reason[0] != '\0' ? reason : otherwise;
}

/* What a setting's row says is in effect. NULL: nothing is (the program does not use
 * it), or *it says why that is not known. */
static const char *in_effect(const struct mm_finding *f, struct mm_item *it)
{
	enum mm_audit verdict = mm_verdict(f->state, f->action).audit;
	bool ours = f->action == MM_ACT_CREATED || f->action == MM_ACT_ADOPTED ||
		    f->action == MM_ACT_CORRECTED || f->action == MM_ACT_REMOVED;
	it->outcome = MM_OUT_UNKNOWN;
	if (f->state == MM_ST_DEFERRED) {
		it->outcome = MM_OUT_DEFERRED;
		it->why = or_say(f->reason, "it could not be looked at");
	} else if (is_better_unsaid(f)) {
		it->why = or_say(f->reason, f->state == MM_ST_UNCONFIRMED
						? "it was changed, and no login has proven it yet"
						: "the agent could not tell what is in effect");
	} else if (verdict == MM_AUDIT_NOT_APPLICABLE) {
		it->outcome = MM_OUT_NOT_APPLICABLE;
	} else if (verdict == MM_AUDIT_PASS) {
		const char *v = ours || f->found == NULL ? f->desired : f->found;
		if (v == NULL)
			it->outcome = MM_OUT_NOT_APPLICABLE; /* taken away */
		return v;
	} else if (f->found == NULL) {
		it->why = or_say(f->reason, "it is not set, and what the program does then was not told");
	} else {
		return f->found;
	}
	return NULL;
}

static const char *fact_value(const struct mm_finding *f, struct mm_item *it)
{
	if (f->found != NULL && f->state != MM_ST_UNKNOWN)
		return f->found;
	it->outcome = MM_OUT_UNKNOWN;
	it->why = or_say(f->reason, "the agent could not tell");
	return NULL;
}

static struct mm_item item_of(const struct mm_finding_row *r)
{
	return (struct mm_item){.method = MM_METHOD_EXAMINE,
	    .setting = r->f.setting,
	    .path = r->f.override_path != NULL ? r->f.override_path : r->f.path,
	    .line = r->f.line,
	    .found = r->f.found,
	    .wanted = r->f.desired,
	    .since = r->since,
	    .seen = r->seen,
	    .stale = r->stale,
	    .claimed = r->evidence == MM_EV_CLAIMED};
}

static void ask(struct mm_engine *e, struct mm_cells *a, size_t check, const struct mm_look *l,
    const struct mm_item *from)
{
	struct mm_item it = *from;
	struct mm_say *say = &e->say;
	struct mm_look look = *l;
	look.check = &e->b->checks[check];
	say->said = false;
	say->found = say->wanted = NULL;
	say->why = "";
	e->plan.tests[check]->finding(&look, say);
	if (!say->said)
		return;
	it.outcome = say->outcome;
	it.why = say->why;
	if (say->found != NULL)
		it.found = say->found;
	if (say->wanted != NULL)
		it.wanted = say->wanted;
	it.changed = l->row->f.state == MM_ST_DRIFTED || l->row->f.state == MM_ST_REMOVED;
	mm_cell_fold(e, &a->cells[check], check, a->name, &it);
}

/* Rows of one account in one file come together, auth before security. */
static void remember_auth(
    struct mm_engine *e, const struct mm_finding *f, enum mm_setting set, const char *value)
{
	if (strcmp(e->auth_of, f->account) != 0) {
		snprintf(e->auth_of, sizeof(e->auth_of), "%s", f->account);
		e->auth[MM_SIDE_INCOMING][0] = e->auth[MM_SIDE_OUTGOING][0] = '\0';
	}
	if (set == MM_SET_IN_AUTH || set == MM_SET_OUT_AUTH) {
		char *auth = e->auth[mm_setting_def(set)->side];
		snprintf(auth, sizeof(e->auth[0]), "%s", value != NULL ? value : "");
	}
}

/* The fact of the same account in the same file came before its settings. */
static bool is_decided(struct mm_engine *e, size_t check, const struct mm_finding *f, bool is_fact)
{
	if (!e->plan.tests[check]->fact_decides)
		return false;
	if (!is_fact)
		return strcmp(e->told_of, f->account) == 0 && strcmp(e->told_path, f->path) == 0;
	snprintf(e->told_of, sizeof(e->told_of), "%s", f->account);
	snprintf(e->told_path, sizeof(e->told_path), "%s", f->path);
	return false;
}

static void all_of(
    struct mm_engine *e, struct mm_cells *a, const struct mm_plan_ids *ids, const struct mm_item *it)
{
	for (size_t i = 0; i < ids->n; i++) {
		struct mm_item mine = *it;
		mm_cell_fold(e, &a->cells[ids->v[i]], ids->v[i], a->name, &mine);
	}
}

/* An account, a client or a user as a whole could not be looked at: that
 * holds for every check of them. */
static void as_a_whole(
    struct mm_engine *e, struct mm_cells *a, const struct mm_finding_row *r, struct mm_item *it)
{
	if (mm_verdict(r->f.state, r->f.action).audit != MM_AUDIT_UNKNOWN)
		return;
	it->outcome = r->f.state == MM_ST_DEFERRED ? MM_OUT_DEFERRED : MM_OUT_UNKNOWN;
	it->why = or_say(r->f.reason, "it could not be looked at");
	all_of(e, a, &e->plan.account, it);
	if (r->f.account[0] == '\0')
		all_of(e, a, &e->plan.client, it);
	if (strcmp(e->client, MM_CHECKS_AGENT) == 0 && !e->has_logins)
		all_of(e, a, &e->plan.only_login, it);
}

static int take_finding(const struct mm_finding_row *r, void *arg, struct mm_err *err)
{
	struct mm_engine *e = arg;
	static const struct mm_plan_ids none = {NULL, 0};
	if (strcmp(e->client, r->f.client) != 0) {
		if (mm_cells_flush(e, err) != 0)
			return -1;
		snprintf(e->client, sizeof(e->client), "%s", r->f.client);
	}
	struct mm_cells *a = mm_cells_of(e, r->f.account);
	const struct mm_plan_slot *slot = mm_plan_slot(&e->plan, r->f.setting);
	struct mm_look l = {.row = r,
	    .set = slot != NULL ? slot->set : MM_SET_NONE,
	    .fact = slot != NULL ? slot->fact : MM_FACT_NONE,
	    .value = "",
	    .auth = ""};
	const struct mm_plan_ids *ids = slot != NULL ? &slot->ids : &none;
	struct mm_item it = item_of(r);
	bool is_fact = mm_is_fact(r->f.setting);
	if (r->f.setting[0] == '\0')
		as_a_whole(e, a, r, &it);
	for (size_t i = 0; !is_fact && i < e->plan.every.n; i++)
		ask(e, a, e->plan.every.v[i], &l, &it);
	if (slot == NULL)
		return 0;
	const char *value = is_fact ? fact_value(&r->f, &it) : in_effect(&r->f, &it);
	if (!is_fact) {
		a->live |= r->f.state != MM_ST_UNMANAGED;
		a->speaks |= a->live && (l.set == MM_SET_IN_SECURITY || l.set == MM_SET_OUT_SECURITY);
		remember_auth(e, &r->f, l.set, value);
		l.auth = e->auth[mm_setting_def(l.set)->side];
	}
	if (value == NULL) {
		for (size_t i = 0; it.outcome != MM_OUT_NOT_APPLICABLE && i < ids->n; i++) {
			struct mm_item mine = it;
			if (!is_decided(e, ids->v[i], &r->f, is_fact))
				mm_cell_fold(e, &a->cells[ids->v[i]], ids->v[i], a->name, &mine);
		}
		return 0;
	}
	l.value = it.found = value;
	for (size_t i = 0; i < ids->n; i++)
		if (!is_decided(e, ids->v[i], &r->f, is_fact))
			ask(e, a, ids->v[i], &l, &it);
	return 0;
}

/* ---- logins */

static int take_login(const struct mm_login_row *r, void *arg, struct mm_err *err)
{
	struct mm_engine *e = arg;
	struct mm_cells *a = mm_cells_of(e, r->l.account);
	struct mm_look_login l = {.row = r, .now = e->now};
	char path[MM_REPORT_NAME_MAX + 16];
	snprintf(path, sizeof(path), "%.*s:%d", MM_REPORT_NAME_MAX, r->l.host, r->l.port);
	e->has_logins = true;
	for (size_t i = 0; i < e->plan.login.n; i++) {
		size_t check = e->plan.login.v[i];
		struct mm_say *say = &e->say;
		say->said = false;
		say->found = say->wanted = NULL;
		say->why = "";
		l.check = &e->b->checks[check];
		e->plan.tests[check]->login(&l, say);
		struct mm_item it = {.outcome = say->outcome,
		    .method = MM_METHOD_TEST,
		    .setting = MM_CHECK_LOGIN,
		    .path = path,
		    .found = say->found,
		    .wanted = say->wanted,
		    .why = say->why,
		    .since = r->since,
		    .seen = r->seen,
		    .stale = r->stale,
		    .claimed = r->evidence == MM_EV_CLAIMED};
		if (say->said)
			mm_cell_fold(e, &a->cells[check], check, a->name, &it);
	}
	return e->tap != NULL ? e->tap->take(r, e->tap->arg, err) : 0;
}

/* ---- places and hosts */

static int begin_unit(struct mm_engine *e, const char *host, const char *user, struct mm_err *err)
{
	e->host = host;
	e->user = user;
	e->client[0] = '\0';
	e->auth_of[0] = e->told_path[0] = '\0';
	e->n = 0;
	e->has_logins = false;
	if (e->texts != NULL)
		mm_arena_reset(e->texts);
	memset(e->counted, 0, e->b->n * sizeof(*e->counted));
	memset(e->failing, 0, e->b->n * sizeof(*e->failing));
	return mm_waivers_place(e->waivers, host, user, &e->waivable, err);
}

/* Listed for the host, and nothing was ever heard of him there. */
static void unheard(struct mm_engine *e)
{
	struct mm_cells *a = mm_cells_of(e, "");
	for (size_t check = 0; check < e->b->n; check++) {
		const struct mm_test *t = e->plan.tests[check];
		struct mm_item it = {.outcome = MM_OUT_UNKNOWN,
		    .method = t != NULL && t->scope == MM_SCOPE_LOGIN ? MM_METHOD_TEST : MM_METHOD_EXAMINE,
		    .setting = "",
		    .why = "nothing was ever reported of this user on this host"};
		if (t != NULL && t->scope <= MM_SCOPE_LOGIN)
			mm_cell_fold(e, &a->cells[check], check, "", &it);
	}
}

static int take_place(const struct mm_walk_place *p, void *arg, struct mm_err *err)
{
	struct mm_engine *e = arg;
	if (begin_unit(e, p->host, p->user, err) != 0)
		return -1;
	if (!p->heard)
		unheard(e);
	return 0;
}

static int end_place(void *arg, struct mm_err *err)
{
	struct mm_engine *e = arg;
	if (mm_cells_flush(e, err) != 0)
		return -1;
	for (size_t i = 0; i < e->b->n; i++) {
		e->sums[i].users += e->counted[i];
		e->sums[i].users_failing += e->failing[i];
	}
	return 0;
}

/* One result that was said of a host or of the fleet. */
static int single(struct mm_engine *e, size_t check, int64_t seen, bool stale, struct mm_err *err)
{
	struct mm_cell c = {.used = false};
	struct mm_item it = {.outcome = e->say.outcome,
	    .method = MM_METHOD_EXAMINE,
	    .setting = "",
	    .found = e->say.found,
	    .wanted = e->say.wanted,
	    .why = e->say.why,
	    .seen = seen,
	    .stale = stale};
	mm_cell_fold(e, &c, check, "", &it);
	return mm_cell_emit(e, check, "", &c, err);
}

static int take_host(const struct mm_walk_host *h, void *arg, struct mm_err *err)
{
	struct mm_engine *e = arg;
	struct mm_look_host l = {
	    .host = h, .now = e->now, .stale_after = e->stale_after, .revision = e->revision.number};
	if (begin_unit(e, h->host, "", err) != 0)
		return -1;
	for (size_t i = 0; i < e->plan.host.n; i++) {
		size_t check = e->plan.host.v[i];
		l.check = &e->b->checks[check];
		e->say = (struct mm_say){.why = ""};
		e->plan.tests[check]->host(&l, &e->say);
		bool stale = e->say.seen > 0 && e->say.seen < e->now - e->stale_after;
		if (e->say.said && single(e, check, e->say.seen, stale, err) != 0)
			return -1;
	}
	return 0;
}

static int fleet(struct mm_engine *e, struct mm_arena *a, struct mm_err *err)
{
	struct mm_look_fleet l = {.store = e->store,
	    .filter = e->filter,
	    .a = a,
	    .revision = e->revision,
	    .now = e->now,
	    .stale_after = e->stale_after};
	if (begin_unit(e, "", "", err) != 0)
		return -1;
	for (size_t i = 0; i < e->plan.fleet.n; i++) {
		size_t check = e->plan.fleet.v[i];
		l.check = &e->b->checks[check];
		e->say = (struct mm_say){.why = ""};
		if (e->plan.tests[check]->fleet(&l, &e->say, err) != 0)
			return -1;
		if (e->say.said && single(e, check, e->now, false, err) != 0)
			return -1;
	}
	return 0;
}

static int load(struct mm_engine *e, struct mm_arena *a, struct mm_err *err)
{
	const struct mm_moment m = {.now = e->now, .edge = e->now - e->stale_after, .past = e->filter->at};
	int64_t number = 0, time;
	if (mm_waivers_load(e->store, &m, &e->waivers, err) != 0)
		return -1;
	int rc = mm_store_revision_at(e->store, e->filter->at, &number, &time, err);
	if (rc == 0)
		rc = mm_store_revision_get(e->store, number, a, &e->revision, err);
	return rc < 0 ? -1 : 0;
}

static int places(struct mm_engine *e, struct mm_err *err)
{
	static const struct mm_walk_cbs cbs = {.host = take_host,
	    .place = take_place,
	    .login = take_login,
	    .finding = take_finding,
	    .place_end = end_place};
	struct mm_walk_cbs mine = cbs;
	if (e->plan.login.n == 0)
		mine.login = NULL;
	if (e->plan.account.n + e->plan.client.n + e->plan.login.n == 0) {
		if (e->plan.host.n == 0)
			return 0;
		mine = (struct mm_walk_cbs){.host = take_host};
	}
	if (e->tap != NULL)
		e->tap->told = mine.login != NULL;
	return mm_store_walk(e->store, e->filter, &mine, e, err);
}

static int run(struct mm_engine *e, unsigned what, struct mm_arena *a, struct mm_err *err)
{
	if (load(e, a, err) != 0 || ((what & MM_CHECKS_FLEET) && fleet(e, a, err) != 0))
		return -1;
	return what & MM_CHECKS_PLACES ? places(e, err) : 0;
}

int mm_checks_walk(struct mm_store *s, const struct mm_baseline *b, const struct mm_evidence_filter *f,
    mm_result_cb *cb, void *arg, struct mm_check_sum *sums, struct mm_err *err)
{
	const struct mm_checks_how how = {.baseline = b,
	    .filter = f,
	    .cb = cb,
	    .arg = arg,
	    .sums = sums,
	    .what = MM_CHECKS_FLEET | MM_CHECKS_PLACES};
	return mm_checks_run(s, &how, err);
}

int mm_checks_run(struct mm_store *s, const struct mm_checks_how *how, struct mm_err *err)
{
	static const struct mm_evidence_filter everything;
	const struct mm_baseline *b = how->baseline;
	const struct mm_evidence_filter *f = how->filter != NULL ? how->filter : &everything;
	struct mm_arena *a = mm_arena_new();
	struct mm_engine e = {.store = s,
	    .b = b,
	    .filter = f,
	    .cb = how->cb,
	    .tap = how->tap,
	    .arg = how->arg,
	    .texts = how->cb != NULL ? mm_arena_new() : NULL,
	    .sums = how->sums != NULL ? how->sums : mm_arena_alloc(a, b->n + 1, sizeof(*how->sums)),
	    .now = f->at != 0 ? f->at : mm_store_now(s),
	    .stale_after = f->stale_after > 0 ? f->stale_after : INT64_C(86400) * MM_STALE_DAYS,
	    .counted = mm_arena_alloc(a, b->n + 1, sizeof(bool)),
	    .failing = mm_arena_alloc(a, b->n + 1, sizeof(bool))};
	for (size_t i = 0; i < b->n; i++) {
		assert(b->checks[i].index == i);
		e.sums[i] = (struct mm_check_sum){.check = &b->checks[i]};
	}
	mm_plan_make(&e.plan, b, a);
	int rc = run(&e, how->what, a, err);
	for (size_t i = 0; i < e.cap; i++)
		free(e.accounts[i].cells);
	free(e.accounts);
	mm_waivers_free(e.waivers);
	mm_arena_free(e.texts);
	mm_arena_free(a);
	return rc;
}

void mm_check_sums_join(struct mm_check_sum *sums, const struct mm_check_sum *more, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct mm_check_sum *s = &sums[i];
		const struct mm_check_sum *m = &more[i];
		s->results += m->results;
		for (int o = 0; o < MM_OUT_COUNT; o++)
			s->by[o] += m->by[o];
		s->stale += m->stale;
		s->claimed += m->claimed;
		s->expired_waivers += m->expired_waivers;
		s->users += m->users;
		s->users_failing += m->users_failing;
		if (m->oldest > 0 && (s->oldest == 0 || m->oldest < s->oldest))
			s->oldest = m->oldest;
	}
}
