#include "controller/rollout_go.h"

#include <stdio.h>

#include "controller/push_print.h"
#include "controller/rollout_print.h"

/* What the summary cannot know: where the rollout stands. */
static int print_stand(struct mm_ctl *c, int64_t id, struct mm_err *err)
{
	struct mm_rollout_state st;
	struct mm_arena *a = mm_arena_new();
	int rc = mm_rollout_state_load(c->store, id, &st, err);
	if (rc == 0) {
		printf("Rollout %lld: %s%s%s\n", (long long)id, mm_ro_state_name(st.r.state),
		    *st.r.why != '\0' ? ": " : "", st.r.why);
		if (st.r.state != MM_RO_DONE || st.r.seq == 0)
			printf("Next: %s\n", mm_rollout_next_text(&st, a));
	}
	mm_rollout_state_free(&st);
	mm_arena_free(a);
	return rc;
}

static int print_json(struct mm_ctl *c, int64_t id, const struct mm_push_summary *sum, struct mm_err *err)
{
	struct mm_rollout_state st;
	json_t *r = NULL;
	int rc = mm_rollout_state_load(c->store, id, &st, err);
	if (rc == 0)
		r = mm_rollout_json(&st, err);
	mm_rollout_state_free(&st);
	if (r == NULL)
		return -1;
	if (sum == NULL) {
		mm_ctl_json(r);
		return 0;
	}
	json_object_del(r, "host_rows"); /* the hosts stand in the summary */
	mm_push_print_json(sum, "rollout", r);
	return 0;
}

static int tell(
    struct mm_ctl *c, int64_t id, bool json, const struct mm_push_summary *sum, struct mm_err *err)
{
	if (json)
		return print_json(c, id, sum, err);
	if (sum != NULL)
		mm_push_print(sum);
	return print_stand(c, id, err);
}

/* Drive it; while somebody else does, follow. */
static int run(struct mm_ctl *c, const struct mm_rollout_how *how, struct mm_arena *a,
    struct mm_push_summary *sum, struct mm_rollout_end *end, struct mm_err *err)
{
	for (;;) {
		if (mm_rollout_drive(c, how, a, sum, end, err) < 0)
			return -1;
		if (!end->elsewhere)
			return 0;
		if (how->events)
			fprintf(stderr, "rollout %lld is driven by %s: following\n", (long long)how->rollout,
			    end->holder);
		if (mm_rollout_follow(c, how, end, err) < 0)
			return -1;
		bool stands = end->state != MM_RO_RUNNING && end->state != MM_RO_BAKING;
		if (stands || end->exit_bits == MM_EX_INTERRUPTED)
			return 0;
	}
}

int mm_rollout_go(struct mm_ctl *c, const char *what, const struct mm_rollout_how *how, bool json)
{
	struct mm_push_summary sum = {0};
	struct mm_rollout_end end = {.begun = false};
	struct mm_err err = MM_ERR_NONE;
	struct mm_arena *a = mm_arena_new();
	int status, rc = run(c, how, a, &sum, &end, &err);
	bool served = rc == 0 && end.begun;
	status = end.exit_bits | (served ? sum.exit_status : MM_EX_OK);
	if (served && sum.interrupted)
		status = MM_EX_INTERRUPTED;
	sum.exit_status = status;
	if (rc == 0)
		rc = tell(c, how->rollout, json, served ? &sum : NULL, &err);
	if (rc != 0)
		status = mm_ctl_fail(what, &err);
	if (sum.arena != NULL)
		mm_push_summary_free(&sum);
	mm_arena_free(a);
	return status;
}
