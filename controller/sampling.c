#include "controller/sampling.h"

#include "controller/report/dims.h"
#include "controller/report_checks.h"

static int count(const struct mm_check_result *r, void *arg, struct mm_err *err)
{
	(void)err;
	mm_dims_add(arg, r);
	return 0;
}

static int measure(struct mm_ctl *c, struct mm_arena *a, struct mm_err *err)
{
	const struct mm_evidence_filter everything = {.at = 0};
	struct mm_judged_by by;
	struct mm_dims *dims;
	if (mm_judge_by(c, NULL, NULL, a, &by, err) != 0 || mm_dims_new(c->store, NULL, a, &dims, err) != 0 ||
	    mm_checks_walk(c->store, by.baseline, &everything, count, dims, NULL, err) != 0)
		return -1;
	return mm_dims_sample(dims, c->store, by.baseline->id, err);
}

int mm_sample_today(struct mm_ctl *c, struct mm_err *err)
{
	int64_t taken;
	if (mm_store_samples_taken(c->store, &taken, err) != 0)
		return -1;
	if (taken > 0)
		return 0;
	struct mm_arena *a = mm_arena_new();
	int rc = measure(c, a, err);
	mm_arena_free(a);
	return rc;
}
