/*
 * Rollouts as a whole: the lease, what the driver decided, what an admin
 * does. Each is one transaction that reads the present state and writes the
 * next one.
 */
#include "common/text.h"
#include "controller/store/rollout_internal.h"

int mm_rollout_end(struct mm_store *s, int rc, struct mm_err *err)
{
	if (rc < 0) {
		mm_store_rollback(s);
		return -1;
	}
	return mm_store_commit(s, err) ? -1 : rc;
}

/* ---- the lease */

int mm_rollout_leased(struct mm_store *s, const struct mm_rollout_lease *l, struct mm_err *err)
{
	int64_t ours = 0;
	int rc = mm_q_one(s, &ours, MM_SQL_ROLLOUT_LEASED, err, "iti", l->rollout, l->owner, mm_store_now(s));

	return rc < 0 ? -1 : rc == 0 ? 0 : MM_ROLLOUT_LOST;
}

static int lease(struct mm_store *s, const struct mm_rollout_lease *l, int64_t seconds, struct mm_arena *a,
    struct mm_rollout *holder, struct mm_err *err)
{
	int64_t now = mm_store_now(s);
	int n =
	    mm_q_run(s, MM_SQL_ROLLOUT_LEASE, err, "itiii", l->rollout, l->owner, l->pid, now + seconds, now);
	struct mm_rollout r;
	struct mm_arena *mine;
	int rc;

	if (n != 0)
		return n < 0 ? -1 : 0;
	mine = mm_arena_new();
	rc = mm_store_rollout_get(s, l->rollout, holder ? a : mine, &r, err);
	if (rc == 0 && holder)
		*holder = r;
	mm_arena_free(mine);
	return rc ? rc : MM_ROLLOUT_LOST;
}

int mm_store_rollout_lease(struct mm_store *s, const struct mm_rollout_lease *l, int64_t seconds,
    struct mm_arena *a, struct mm_rollout *holder, struct mm_err *err)
{
	if (mm_store_begin(s, err))
		return -1;
	return mm_rollout_end(s, lease(s, l, seconds, a, holder, err), err);
}

int mm_store_rollout_release(struct mm_store *s, const struct mm_rollout_lease *l, struct mm_err *err)
{
	return mm_q_run(s, MM_SQL_ROLLOUT_UNLEASE, err, "it", l->rollout, l->owner) < 0 ? -1 : 0;
}

/* ---- from one state to the next */

struct act {
	const char *action; /* of the audit log */
	unsigned from;      /* states that allow it, 1 << enum mm_ro_state */
	/* Changes *r, which has the new why and because already; 0, or -1 with an error. */
	int (*change)(struct mm_store *s, struct mm_rollout *r, const struct mm_rollout *was,
	    const struct act *d, struct mm_err *err);
	enum mm_ro_state to;
	const char *because, *why;
	const char *verb; /* "paused": an admin is told that it cannot be */
};

#define IN(state) (1u << (state))
#define UNDER_WAY (IN(MM_RO_RUNNING) | IN(MM_RO_BAKING))

static int write_state(struct mm_store *s, const struct mm_rollout *r, struct mm_err *err)
{
	return mm_q_run(s, MM_SQL_ROLLOUT_SET, err, "itttiiiii", r->id, mm_ro_state_name(r->state),
		   r->because, r->why, r->wave, r->wave_since, r->bake_since, r->approved,
		   mm_store_now(s)) < 0
		   ? -1
		   : 0;
}

static int note_change(
    struct mm_store *s, const struct mm_rollout *r, const struct act *d, struct mm_err *err)
{
	char number[32];

	snprintf(number, sizeof(number), "%lld", (long long)r->wave);
	if (*r->why)
		return mm_rollout_note(s, r->id, d->action, "why", r->why, err);
	return mm_rollout_note(s, r->id, d->action, "wave", number, err);
}

static int act_on(struct mm_store *s, struct mm_rollout *r, const struct act *d, struct mm_err *err)
{
	struct mm_rollout next = *r;

	next.because = d->because ? d->because : "";
	next.why = d->why ? d->why : "";
	if (d->change(s, &next, r, d, err))
		return -1;
	*r = next;
	return write_state(s, r, err) || note_change(s, r, d, err) ? -1 : 0;
}

static int to_state(struct mm_store *s, struct mm_rollout *r, const struct mm_rollout *was,
    const struct act *d, struct mm_err *err)
{
	(void)s;
	(void)was;
	(void)err;
	r->state = d->to;
	return 0;
}

/* ---- the driver's */

static int driver_act(struct mm_store *s, const struct mm_rollout_lease *l, const struct act *d,
    struct mm_arena *a, struct mm_err *err)
{
	struct mm_rollout r;
	int rc = mm_rollout_leased(s, l, err);

	if (!rc)
		rc = mm_store_rollout_get(s, l->rollout, a, &r, err);
	if (rc)
		return rc;
	return (d->from & IN(r.state)) != 0 ? act_on(s, &r, d, err) : 1;
}

static int drive(
    struct mm_store *s, const struct mm_rollout_lease *l, const struct act *d, struct mm_err *err)
{
	struct mm_arena *a;
	int rc;

	if (mm_store_begin(s, err))
		return -1;
	a = mm_arena_new();
	rc = mm_rollout_end(s, driver_act(s, l, d, a, err), err);
	mm_arena_free(a);
	return rc;
}

static int start_bake(struct mm_store *s, struct mm_rollout *r, const struct mm_rollout *was,
    const struct act *d, struct mm_err *err)
{
	(void)was;
	(void)d;
	(void)err;
	r->state = MM_RO_BAKING;
	r->bake_since = mm_store_now(s);
	return 0;
}

int mm_store_rollout_bake(struct mm_store *s, const struct mm_rollout_lease *l, struct mm_err *err)
{
	static const struct act d = {
	    .action = "rollout.bake", .from = IN(MM_RO_RUNNING), .change = start_bake};

	return drive(s, l, &d, err);
}

static int make_late(struct mm_store *s, int64_t id, struct mm_err *err)
{
	return mm_rollout_bump(s, id, err) || mm_q_run(s, MM_SQL_ROLLOUT_MAKE_LATE, err, "i", id) < 0 ? -1
												      : 0;
}

static int open_wave(struct mm_store *s, struct mm_rollout *r, const struct mm_rollout *was,
    const struct act *d, struct mm_err *err)
{
	(void)was;
	(void)d;
	r->state = MM_RO_RUNNING;
	r->wave++;
	r->wave_since = mm_store_now(s);
	r->bake_since = 0;
	if (r->wave >= r->waves)
		return mm_err_set(err, MM_EX_FAILED, "rollout %lld has no further wave", (long long)r->id);
	if (make_late(s, r->id, err))
		return -1;
	return mm_q_run(s, MM_SQL_ROLLOUT_OPEN, err, "ii", r->id, r->wave) < 0 ? -1 : 0;
}

int mm_store_rollout_next(struct mm_store *s, const struct mm_rollout_lease *l, struct mm_err *err)
{
	static const struct act d = {.action = "rollout.wave", .from = UNDER_WAY, .change = open_wave};

	return drive(s, l, &d, err);
}

static int finish(struct mm_store *s, struct mm_rollout *r, const struct mm_rollout *was, const struct act *d,
    struct mm_err *err)
{
	return to_state(s, r, was, d, err) || make_late(s, r->id, err) ? -1 : 0;
}

int mm_store_rollout_done(
    struct mm_store *s, const struct mm_rollout_lease *l, const char *why, struct mm_err *err)
{
	const struct act d = {
	    .action = "rollout.done", .from = UNDER_WAY, .change = finish, .to = MM_RO_DONE, .why = why};

	return drive(s, l, &d, err);
}

int mm_store_rollout_stop(struct mm_store *s, const struct mm_rollout_lease *l, enum mm_ro_state state,
    const char *because, const char *why, struct mm_err *err)
{
	bool halt = state == MM_RO_HALTED;
	/* Those of the late lane can halt what is done. */
	const struct act d = {.action = halt ? "rollout.halt" : "rollout.pause",
	    .from = UNDER_WAY | (halt ? IN(MM_RO_DONE) : 0),
	    .change = to_state,
	    .to = halt ? MM_RO_HALTED : MM_RO_PAUSED,
	    .because = because,
	    .why = why};

	return drive(s, l, &d, err);
}

/* ---- an admin's */

static int admin_act(
    struct mm_store *s, int64_t id, const struct act *d, struct mm_arena *a, struct mm_err *err)
{
	struct mm_rollout r;
	int rc = mm_store_rollout_get(s, id, a, &r, err);

	if (rc < 0)
		return -1;
	if (rc)
		return mm_err_set(err, MM_EX_FAILED, "there is no rollout %lld", (long long)id);
	if ((d->from & IN(r.state)) == 0)
		return mm_err_set(err, MM_EX_FAILED, "rollout %lld is %s: it cannot be %s", (long long)id,
		    mm_ro_state_name(r.state), d->verb);
	return act_on(s, &r, d, err);
}

static int administer(struct mm_store *s, int64_t id, const struct act *d, struct mm_err *err)
{
	struct mm_arena *a;
	int rc;

	if (mm_store_begin(s, err))
		return -1;
	a = mm_arena_new();
	rc = mm_store_end(s, admin_act(s, id, d, a, err), err);
	mm_arena_free(a);
	return rc;
}

int mm_store_rollout_pause(struct mm_store *s, int64_t id, struct mm_err *err)
{
	static const struct act d = {.action = "rollout.pause",
	    .from = UNDER_WAY,
	    .change = to_state,
	    .to = MM_RO_PAUSED,
	    .why = "an admin has paused it",
	    .verb = "paused"};

	return administer(s, id, &d, err);
}

static void go_on(struct mm_store *s, struct mm_rollout *r)
{
	r->state = r->bake_since > 0 ? MM_RO_BAKING : MM_RO_RUNNING;
	if (r->bake_since > 0)
		r->bake_since = mm_store_now(s);
}

static int resume(struct mm_store *s, struct mm_rollout *r, const struct mm_rollout *was, const struct act *d,
    struct mm_err *err)
{
	(void)d;
	go_on(s, r);
	if (mm_rollout_bump(s, r->id, err) || mm_q_run(s, MM_SQL_ROLLOUT_HURRY, err, "i", r->id) < 0)
		return -1;
	if (was->state == MM_RO_HALTED && mm_q_run(s, MM_SQL_ROLLOUT_FORGIVE, err, "i", r->id) < 0)
		return -1;
	return 0;
}

int mm_store_rollout_resume(struct mm_store *s, int64_t id, struct mm_err *err)
{
	static const struct act d = {.action = "rollout.resume",
	    .from = IN(MM_RO_PAUSED) | IN(MM_RO_HALTED),
	    .change = resume,
	    .verb = "resumed"};

	return administer(s, id, &d, err);
}

/* What waits for an approval, or for more to be known, goes on; what an
 * admin has paused stays so. */
static int approve(struct mm_store *s, struct mm_rollout *r, const struct mm_rollout *was,
    const struct act *d, struct mm_err *err)
{
	(void)d;
	(void)err;
	r->approved = r->wave;
	if (was->state != MM_RO_PAUSED)
		return 0;
	if (*was->because != '\0')
		go_on(s, r);
	else
		r->why = was->why;
	return 0;
}

int mm_store_rollout_approve(struct mm_store *s, int64_t id, struct mm_err *err)
{
	static const struct act d = {.action = "rollout.approve",
	    .from = UNDER_WAY | IN(MM_RO_PAUSED),
	    .change = approve,
	    .verb = "approved"};

	return administer(s, id, &d, err);
}

static int give_up(struct mm_store *s, struct mm_rollout *r, const struct mm_rollout *was,
    const struct act *d, struct mm_err *err)
{
	return to_state(s, r, was, d, err) || mm_q_run(s, MM_SQL_ROLLOUT_WITHDRAW, err, "i", r->id) < 0 ? -1
													: 0;
}

int mm_store_rollout_abort(struct mm_store *s, int64_t id, bool taken_back, struct mm_err *err)
{
	const struct act d = {.action = "rollout.abort",
	    .from = UNDER_WAY | IN(MM_RO_PAUSED) | IN(MM_RO_HALTED) | IN(MM_RO_DONE),
	    .change = give_up,
	    .to = MM_RO_ABORTED,
	    .why = taken_back ? "an admin has taken it back" : "an admin has aborted it",
	    .verb = "aborted"};

	return administer(s, id, &d, err);
}

static int retry(struct mm_store *s, int64_t id, bool failed, bool unreachable, struct mm_arena *a,
    int64_t *n, struct mm_err *err)
{
	struct act d = {.action = "rollout.retry",
	    .change = to_state,
	    .verb = "retried",
	    .from = UNDER_WAY | IN(MM_RO_PAUSED) | IN(MM_RO_HALTED) | IN(MM_RO_DONE)};
	struct mm_rollout r;
	int rc = mm_store_rollout_get(s, id, a, &r, err), changed;

	if (rc)
		return rc < 0 ? -1 : mm_err_set(err, MM_EX_FAILED, "there is no rollout %lld", (long long)id);
	if ((d.from & IN(r.state)) == 0)
		return mm_err_set(err, MM_EX_FAILED, "rollout %lld is %s: it cannot be %s", (long long)id,
		    mm_ro_state_name(r.state), d.verb);
	if (mm_rollout_bump(s, id, err))
		return -1;
	changed = mm_q_run(s, MM_SQL_ROLLOUT_RETRY, err, "iii", id, (int64_t)failed, (int64_t)unreachable);
	if (changed < 0)
		return -1;
	*n = changed;
	if (changed == 0)
		return 0;
	d.to = r.state == MM_RO_HALTED || r.state == MM_RO_DONE ? MM_RO_RUNNING : r.state;
	d.because = d.to == r.state ? r.because : "";
	d.why = d.to == r.state ? r.why : "";
	return act_on(s, &r, &d, err);
}

int mm_store_rollout_retry(
    struct mm_store *s, int64_t id, bool failed, bool unreachable, int64_t *n, struct mm_err *err)
{
	struct mm_arena *a;
	int64_t count = 0;
	int rc;

	if (mm_store_begin(s, err))
		return -1;
	a = mm_arena_new();
	rc = mm_store_end(s, retry(s, id, failed, unreachable, a, &count, err), err);
	mm_arena_free(a);
	if (!rc)
		*n = count;
	return rc;
}
