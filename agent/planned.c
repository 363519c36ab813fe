#include "agent/planned.h"

#include <string.h>

#include "agent/collect.h"
#include "schemas/plan.h"

struct look {
	const struct mm_user_batch *like;
	struct mm_plan_digest *d;
};

static void user_done(void *ctx, const struct mm_worker_result *res)
{
	struct look *l = ctx;
	struct mm_collect c;
	struct mm_arena *a = mm_arena_new();

	mm_collect_init(&c, a);
	mm_collect_frames(&c, res->findings);
	for (size_t i = 0; i < c.n_findings; i++)
		mm_plan_digest_add(l->d, &c.findings[i]);
	mm_arena_free(a);
}

static void tick(void *ctx)
{
	const struct mm_workers *w = &((struct look *)ctx)->like->w;

	if (w->tick != NULL)
		w->tick(w->ctx);
}

int mm_planned_holds(const struct mm_user_batch *like, struct mm_user_job *jobs, size_t n, const char *expect,
    struct mm_err *err)
{
	struct look l = {.like = like, .d = mm_plan_digest_new()};
	struct mm_user_batch b = {.conf = like->conf, .how = MM_HOW_PLAN, .w = like->w};
	char now[MM_SHA256_HEX];
	size_t changes;

	b.w.done = user_done;
	b.w.tick = tick;
	b.w.ctx = &l;
	mm_serve_users(&b, jobs, n);
	changes = mm_plan_digest_end(l.d, now);
	if (changes == 0 || strcmp(now, expect) == 0)
		return 0;
	return mm_err_set(err, MM_EX_NOPERM,
	    "%zu change%s would be made here, and they are not those of the plan: plan again", changes,
	    changes == 1 ? "" : "s");
}
