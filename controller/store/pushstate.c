#include "common/text.h"
#include "controller/store/internal.h"
#include "schemas/request.h"

void mm_push_from_row(struct mm_q *q, int col, struct mm_push_state *out)
{
	*out = (struct mm_push_state){.host = mm_q_str(q, col),
	    .revision = mm_q_int(q, col + 1),
	    .done_revision = mm_q_int(q, col + 2),
	    .pending = mm_q_int(q, col + 3) != 0,
	    .op = mm_q_str(q, col + 4),
	    .request_id = mm_q_str(q, col + 5),
	    .queued = mm_q_int(q, col + 6),
	    .attempts = mm_q_int(q, col + 7),
	    .last_attempt = mm_q_int(q, col + 8),
	    .next_retry = mm_q_int(q, col + 9),
	    .outcome = mm_q_str(q, col + 10),
	    .text = mm_q_str(q, col + 11),
	    .unreachable = mm_q_int(q, col + 12) != 0};
}

static int push_want(struct mm_store *s, const char *host, int64_t revision, int64_t rollout,
    const char *plan, struct mm_err *err)
{
	struct mm_arena *a;
	const char *approved_by;
	int rc = -1;

	if (mm_q_run(s, MM_SQL_PUSH_WANT, err, "tii", host, revision, mm_store_now(s)) < 0)
		return -1;
	a = mm_arena_new();
	if (mm_revision_approvers(s, revision, a, &approved_by, err) == 0)
		rc = mm_store_audit(s, "push", host,
		    mm_detail(a, "revision", mm_arena_printf(a, "%lld", (long long)revision), "approved_by",
			approved_by, "rollout",
			rollout > 0 ? mm_arena_printf(a, "%lld", (long long)rollout) : NULL, "plan", plan,
			NULL),
		    false, err);
	mm_arena_free(a);
	return rc;
}

int mm_store_push_want(struct mm_store *s, const char *host, int64_t revision, int64_t rollout,
    const char *plan, struct mm_err *err)
{
	bool own;

	if (mm_store_join(s, &own, err))
		return -1;
	return mm_store_leave(s, own, push_want(s, host, revision, rollout, plan, err), err);
}

int mm_store_push_result(struct mm_store *s, const struct mm_push_state *r, struct mm_err *err)
{
	int64_t now = mm_store_now(s);

	/* A plan that fails must not become a push, nor one that works hide that a push is owed. */
	if (!mm_streq(r->op, mm_op_name(MM_OP_APPLY)))
		return 0;
	return mm_q_run(s, MM_SQL_PUSH_RESULT, err, "tiittiitti", r->host, r->revision, (int64_t)r->pending,
		   r->op, r->request_id, now, r->next_retry, r->outcome, r->text, (int64_t)r->unreachable) < 0
		   ? -1
		   : 0;
}

int mm_store_push_get(
    struct mm_store *s, const char *host, struct mm_arena *a, struct mm_push_state *out, struct mm_err *err)
{
	struct mm_push_state p;
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_PUSH_GET, err, "t", host))
		return -1;
	rc = mm_q_step(&q, err);
	if (rc == 1) {
		mm_push_from_row(&q, 0, &p);
		p.host = mm_arena_strdup(a, p.host);
		p.op = mm_arena_strdup(a, p.op);
		p.request_id = mm_arena_strdup(a, p.request_id);
		p.outcome = mm_arena_strdup(a, p.outcome);
		p.text = mm_arena_strdup(a, p.text);
		*out = p;
	}
	mm_q_done(&q);
	return rc < 0 ? -1 : !rc;
}

int mm_store_push_each(struct mm_store *s, enum mm_push_which which,
    int (*cb)(const struct mm_push_state *p, void *arg, struct mm_err *err), void *arg, struct mm_err *err)
{
	/* Everything that is pending is due at the end of time. */
	int64_t due = which == MM_PUSH_DUE ? mm_store_now(s) : INT64_MAX;
	struct mm_push_state p;
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_PUSH_EACH, err, "ii", (int64_t)(which == MM_PUSH_ALL), due))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1) {
		mm_push_from_row(&q, 0, &p);
		if ((rc = cb(&p, arg, err)))
			break;
	}
	mm_q_done(&q);
	return rc;
}
