#include "controller/rollout_back.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "controller/policy_store.h"

#define NOTHING "format = 1;\n" /* a policy for nobody */

struct had {
	const char *host;
	int64_t before;
};

struct touched {
	struct mm_arena *a;
	struct had *hosts; /* sorted */
	size_t n, cap;
	const struct mm_ro_former *formers;
	int64_t *revisions; /* that the formers have become */
	size_t n_formers;
};

static int take(const struct mm_rollout_host *h, void *arg, struct mm_err *err)
{
	struct touched *t = arg;
	(void)err;
	if (!h->touched)
		return 0;
	struct had *had = mm_arena_push(t->a, &t->hosts, &t->n, &t->cap, sizeof(*had));
	*had = (struct had){mm_arena_strdup(t->a, h->host), h->before};
	return 0;
}

static int by_host(const void *x, const void *y)
{
	const struct had *a = x, *b = y;
	return strcmp(a->host, b->host);
}

/* ---- the revisions */

/* As policy rollback: the text must still hold for everybody. */
static int store_text(
    struct mm_ctl *c, int64_t before, int64_t of, struct mm_arena *a, int64_t *number, struct mm_err *err)
{
	struct mm_stored_policy p;
	struct mm_diags d;
	int rc = mm_policy_stored(c->store, before, a, &p, err);
	if (rc > 0)
		return mm_err_set(err, MM_EX_FAILED, "there is no revision %lld", (long long)before);
	if (rc < 0)
		return -1;
	mm_diags_init(&d, a);
	if (mm_policy_holds(c->store, p.policy, NULL, &d, err) < 0)
		return -1;
	if (d.errors > 0) {
		mm_diags_err(&d, err);
		return mm_err_prefix(err, "revision %lld cannot come back", (long long)before);
	}
	/* The author stays: nobody becomes the approver of a text of one's own. */
	struct mm_revision r = p.revision;
	r.message =
	    mm_arena_printf(a, "rollback of rollout %lld to revision %lld", (long long)of, (long long)before);
	return mm_store_revision_back(c->store, &r, before, number, err);
}

static int store_nothing(
    struct mm_ctl *c, int64_t of, struct mm_arena *a, int64_t *number, struct mm_err *err)
{
	const struct mm_revision r = {.text = NOTHING,
	    .len = strlen(NOTHING),
	    .author = c->who,
	    .author_uid = (int64_t)c->uid,
	    .message = mm_arena_printf(
		a, "rollback of rollout %lld: for hosts that had no settings of ours", (long long)of),
	    .source = ""};
	return mm_store_revision_back(c->store, &r, 0, number, err);
}

/* A revision that asked for nothing came of an earlier rollback: it is nothing once more. */
static int forget_nothings(struct mm_ctl *c, struct touched *t, int64_t *before, struct mm_err *err)
{
	struct mm_revision r;
	size_t n;
	const struct mm_ro_former *f = mm_ro_formers(before, t->n, t->a, &n);
	for (size_t k = 0; k < n; k++) {
		int rc = f[k].before > 0 ? mm_store_revision_get(c->store, f[k].before, t->a, &r, err) : 1;
		if (rc < 0)
			return -1;
		for (size_t i = 0; rc == 0 && mm_streq(r.text, NOTHING) && i < t->n; i++)
			if (before[i] == f[k].before)
				t->hosts[i].before = 0;
	}
	for (size_t i = 0; i < t->n; i++)
		before[i] = t->hosts[i].before;
	return 0;
}

static int store_texts(struct mm_ctl *c, int64_t of, struct touched *t, struct mm_err *err)
{
	int64_t *before = mm_arena_alloc(t->a, t->n + 1, sizeof(*before));
	for (size_t i = 0; i < t->n; i++)
		before[i] = t->hosts[i].before;
	if (forget_nothings(c, t, before, err) < 0)
		return -1;
	t->formers = mm_ro_formers(before, t->n, t->a, &t->n_formers);
	t->revisions = mm_arena_alloc(t->a, t->n_formers + 1, sizeof(*t->revisions));
	for (size_t i = 0; i < t->n_formers; i++) {
		int64_t had = t->formers[i].before;
		int rc = had > 0 ? store_text(c, had, of, t->a, &t->revisions[i], err)
				 : store_nothing(c, of, t->a, &t->revisions[i], err);
		if (rc < 0)
			return -1;
	}
	return 0;
}

/* ---- the rollout */

static int take_open(const struct mm_rollout_count *c, void *arg, struct mm_err *err)
{
	int64_t *open = arg;
	(void)err;
	if (c->wave < 0)
		*open = c->by[MM_RH_UNREACHABLE] + c->by[MM_RH_LATE] + c->by[MM_RH_SENT];
	return 0;
}

/* One that is done, but for hosts that are off, must not come to them later. */
static int end_old(struct mm_ctl *c, const struct mm_rollout *r, struct mm_err *err)
{
	int64_t open = 0;
	if (r->state == MM_RO_ABORTED || r->state == MM_RO_SUPERSEDED)
		return 0;
	if (r->state == MM_RO_DONE && mm_store_rollout_counts(c->store, r->id, take_open, &open, err) < 0)
		return -1;
	return r->state == MM_RO_DONE && open == 0 ? 0 : mm_store_rollout_abort(c->store, r->id, true, err);
}

static int64_t revision_for(const struct touched *t, const char *host)
{
	const struct had key = {.host = host}, *had = bsearch(&key, t->hosts, t->n, sizeof(key), by_host);
	size_t i = 0;
	assert(had != NULL);
	while (t->formers[i].before != had->before)
		i++;
	return t->revisions[i];
}

static int bring(struct mm_ctl *c, int64_t of, const struct touched *t, const struct mm_rollout_opts *o,
    struct mm_rollout_back *out, struct mm_err *err)
{
	const char **hosts = mm_arena_alloc(t->a, t->n + 1, sizeof(*hosts));
	struct mm_target *targets;
	size_t n;
	for (size_t i = 0; i < t->n; i++)
		hosts[i] = t->hosts[i].host;
	const struct mm_selection sel = {.only = hosts, .n_only = t->n};
	if (mm_select(c->store, &sel, t->a, &targets, &n, err) < 0)
		return -1;
	int64_t *revisions = mm_arena_alloc(t->a, n + 1, sizeof(*revisions));
	for (size_t i = 0; i < n; i++)
		revisions[i] = revision_for(t, targets[i].host.id);
	out->formers = t->formers;
	out->n = t->n_formers;
	out->first = t->revisions[0];
	out->last = t->revisions[t->n_formers - 1];
	out->gone = (int64_t)(t->n - n);
	const struct mm_rollout_new what = {.revision = out->last,
	    .first = out->first,
	    .kind = MM_ROLLOUT_ROLLBACK,
	    .of = of,
	    .selection = mm_arena_printf(t->a, "what rollout %lld touched", (long long)of),
	    .targets = targets,
	    .n = n,
	    .revisions = revisions};
	return mm_rollout_make(c, &what, o, t->a, &out->made, err);
}

struct search {
	int64_t of, id;
	enum mm_ro_state state;
};

static int take_rollback(const struct mm_rollout *r, void *arg, struct mm_err *err)
{
	struct search *s = arg;
	bool holds = r->state != MM_RO_ABORTED && r->state != MM_RO_SUPERSEDED;
	(void)err;
	if (r->kind == MM_ROLLOUT_ROLLBACK && r->of == s->of && holds && r->id > s->id) {
		s->id = r->id;
		s->state = r->state;
	}
	return 0;
}

int mm_rollout_taken_back(
    struct mm_store *s, int64_t of, int64_t *by, enum mm_ro_state *state, struct mm_err *err)
{
	struct search found = {.of = of};
	if (mm_store_rollout_each(s, false, take_rollback, &found, err) < 0)
		return -1;
	*by = found.id;
	*state = found.state;
	return found.id > 0 ? 0 : 1;
}

/* 1: somebody has said it already, and it is not through. */
static int is_under_way(struct mm_ctl *c, int64_t of, struct mm_rollout_back *out, struct mm_err *err)
{
	enum mm_ro_state state;
	int64_t by;
	int rc = mm_rollout_taken_back(c->store, of, &by, &state, err);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (state != MM_RO_RUNNING && state != MM_RO_BAKING)
		return mm_err_set(err, MM_EX_FAILED,
		    "rollout %lld takes it back already, and is %s: mailmuster rollout show %lld",
		    (long long)by, mm_ro_state_name(state), (long long)by);
	out->made.id = by;
	out->under_way = true;
	return 1;
}

static int take_back(struct mm_ctl *c, int64_t id, const struct mm_rollout_opts *o, struct mm_arena *a,
    struct mm_rollout_back *out, struct mm_err *err)
{
	struct touched t = {.a = a};
	struct mm_rollout r;
	int rc = mm_store_rollout_get(c->store, id, a, &r, err);
	if (rc > 0)
		return mm_err_set(err, MM_EX_FAILED, "there is no rollout %lld", (long long)id);
	if (rc == 0)
		rc = is_under_way(c, id, out, err);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (mm_store_rollout_hosts(c->store, id, 0, take, &t, err) < 0)
		return -1;
	if (t.n == 0)
		return mm_err_set(err, MM_EX_FAILED, "it has touched no host: mailmuster rollout abort %lld",
		    (long long)id);
	qsort(t.hosts, t.n, sizeof(*t.hosts), by_host);
	if (end_old(c, &r, err) < 0 || store_texts(c, id, &t, err) < 0)
		return -1;
	return bring(c, id, &t, o, out, err);
}

int mm_rollout_back(struct mm_ctl *c, int64_t id, const struct mm_rollout_opts *o, struct mm_arena *a,
    struct mm_rollout_back *out, struct mm_err *err)
{
	*out = (struct mm_rollout_back){.n = 0};
	if (mm_store_begin(c->store, err) < 0)
		return -1;
	if (take_back(c, id, o, a, out, err) == 0)
		return mm_store_commit(c->store, err);
	mm_store_rollback(c->store);
	return -1;
}
