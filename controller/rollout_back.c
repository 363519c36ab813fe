#include "controller/rollout_back.h"

#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "controller/policy_store.h"

struct touched {
	struct mm_arena *a;
	const char **hosts; /* that had something before */
	int64_t *before;    /* by host */
	size_t n, cap, cap_before;
	const char **fresh; /* that had nothing */
	size_t n_fresh, cap_fresh;
};

#define NOTHING "format = 1;\n" /* a policy for nobody */

static int take(const struct mm_rollout_host *h, void *arg, struct mm_err *err)
{
	struct touched *t = arg;
	size_t n = t->n;
	(void)err;
	if (!h->touched)
		return 0;
	const char **host = h->before == 0
				? mm_arena_push(t->a, &t->fresh, &t->n_fresh, &t->cap_fresh, sizeof(*host))
				: mm_arena_push(t->a, &t->hosts, &t->n, &t->cap, sizeof(*host));
	*host = mm_arena_strdup(t->a, h->host);
	if (h->before == 0)
		return 0;
	int64_t *before = mm_arena_push(t->a, &t->before, &n, &t->cap_before, sizeof(*before));
	*before = h->before;
	return 0;
}

/* What most of them had; of equally many the newest. */
static int64_t most(const struct touched *t, int64_t *others)
{
	int64_t best = 0;
	size_t best_n = 0;
	for (size_t i = 0; i < t->n; i++) {
		size_t n = 0;
		if (t->before[i] == best)
			continue;
		for (size_t k = i; k < t->n; k++)
			n += t->before[k] == t->before[i];
		if (n > best_n || (n == best_n && t->before[i] > best)) {
			best = t->before[i];
			best_n = n;
		}
	}
	*others = (int64_t)(t->n - best_n);
	return best;
}

/* As policy rollback: the text must still hold for everybody. */
static int store_text(
    struct mm_ctl *c, int64_t before, int64_t of, struct mm_arena *a, int64_t *number, struct mm_err *err)
{
	struct mm_stored_policy p;
	struct mm_diags d;
	bool kept;
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
	const struct mm_revision r = {.text = p.revision.text,
	    .len = p.revision.len,
	    .author = c->who,
	    .author_uid = (int64_t)c->uid,
	    .message = mm_arena_printf(
		a, "rollback of rollout %lld to revision %lld", (long long)of, (long long)before),
	    .source = p.revision.source,
	    .approvals = p.revision.approvals};
	return mm_store_revision_add(c->store, &r, "policy.rollback", number, &kept, err);
}

static int store_nothing(
    struct mm_ctl *c, int64_t of, struct mm_arena *a, int64_t *number, struct mm_err *err)
{
	bool kept;
	const struct mm_revision r = {.text = NOTHING,
	    .len = strlen(NOTHING),
	    .author = c->who,
	    .author_uid = (int64_t)c->uid,
	    .message = mm_arena_printf(
		a, "rollback of rollout %lld: nobody had any settings of ours", (long long)of),
	    .source = ""};
	return mm_store_revision_add(c->store, &r, "policy.rollback", number, &kept, err);
}

static int by_text(const void *x, const void *y)
{
	const char *const *a = x, *const *b = y;
	return strcmp(*a, *b);
}

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
	return r->state == MM_RO_DONE && open == 0 ? 0 : mm_store_rollout_abort(c->store, r->id, err);
}

static int bring(struct mm_ctl *c, const struct mm_rollout *r, struct touched *t,
    const struct mm_rollout_opts *o, struct mm_rollout_back *out, struct mm_err *err)
{
	struct mm_target *targets;
	size_t n;
	qsort(t->hosts, t->n, sizeof(*t->hosts), by_text);
	const struct mm_selection sel = {.only = t->hosts, .n_only = t->n};
	if (mm_select(c->store, &sel, t->a, &targets, &n, err) < 0)
		return -1;
	out->hosts = (int64_t)n;
	out->gone = (int64_t)(t->n - n);
	const struct mm_rollout_new what = {.revision = out->revision,
	    .kind = MM_ROLLOUT_ROLLBACK,
	    .of = r->id,
	    .selection = mm_arena_printf(t->a, "what rollout %lld touched", (long long)r->id),
	    .targets = targets,
	    .n = n};
	return mm_rollout_make(c, &what, o, t->a, &out->made, err);
}

int mm_rollout_back(struct mm_ctl *c, int64_t id, const struct mm_rollout_opts *o, struct mm_arena *a,
    struct mm_rollout_back *out, struct mm_err *err)
{
	struct touched t = {.a = a};
	struct mm_rollout r;
	*out = (struct mm_rollout_back){.before = 0};
	int rc = mm_store_rollout_get(c->store, id, a, &r, err);
	if (rc > 0)
		return mm_err_set(err, MM_EX_FAILED, "there is no rollout %lld", (long long)id);
	if (rc < 0 || mm_store_rollout_hosts(c->store, id, 0, take, &t, err) < 0)
		return -1;
	if (t.n == 0 && t.n_fresh == 0)
		return mm_err_set(err, MM_EX_FAILED, "it has touched no host: mailmuster rollout abort %lld",
		    (long long)id);
	if (end_old(c, &r, err) < 0)
		return -1;
	if (t.n == 0) {
		t.hosts = t.fresh;
		t.n = t.n_fresh;
		rc = store_nothing(c, id, a, &out->revision, err);
	} else {
		out->new_hosts = (int64_t)t.n_fresh;
		out->before = most(&t, &out->others);
		rc = store_text(c, out->before, id, a, &out->revision, err);
	}
	if (rc < 0)
		return -1;
	return bring(c, &r, &t, o, out, err);
}
