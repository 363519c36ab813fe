/*
 * What becomes of the hosts of a rollout: claimed before something is sent,
 * landed when it has come to an end, put back when nobody waits any more.
 */
#include "common/text.h"
#include "controller/store/rollout_internal.h"

int mm_rollout_bump(struct mm_store *s, int64_t id, struct mm_err *err)
{
	return mm_q_run(s, MM_SQL_ROLLOUT_SEQ, err, "i", id) < 0 ? -1 : 0;
}

/* ---- before it is sent */

static int claim(struct mm_store *s, int64_t id, const char *host, const char *request_id, bool checkin,
    struct mm_err *err)
{
	int n;

	if (mm_rollout_bump(s, id, err))
		return -1;
	n = mm_q_run(
	    s, MM_SQL_ROLLOUT_CLAIM, err, "ittii", id, host, request_id, mm_store_now(s), (int64_t)checkin);
	return n < 0 ? -1 : n == 0;
}

static int claim_leased(struct mm_store *s, const struct mm_rollout_lease *l, const char *host,
    const char *request_id, struct mm_err *err)
{
	int rc = mm_rollout_leased(s, l, err);

	return rc ? rc : claim(s, l->rollout, host, request_id, false, err);
}

int mm_store_rollout_claim(struct mm_store *s, const struct mm_rollout_lease *l, const char *host,
    const char *request_id, struct mm_err *err)
{
	if (mm_store_begin(s, err))
		return -1;
	return mm_rollout_end(s, claim_leased(s, l, host, request_id, err), err);
}

static int checkin(
    struct mm_store *s, int64_t id, const char *host, const char *request_id, struct mm_err *err)
{
	int64_t room = 0;

	if (mm_q_one(s, &room, MM_SQL_ROLLOUT_FLIGHT, err, "i", id) < 0)
		return -1;
	return room ? claim(s, id, host, request_id, true, err) : 1;
}

int mm_store_rollout_checkin(
    struct mm_store *s, int64_t id, const char *host, const char *request_id, struct mm_err *err)
{
	if (mm_store_begin(s, err))
		return -1;
	return mm_rollout_end(s, checkin(s, id, host, request_id, err), err);
}

/* ---- what came of it */

static enum mm_rh_state landing_state(const struct mm_rollout_host *was, enum mm_rh_state now)
{
	if (was->late && (now == MM_RH_UNREACHABLE || now == MM_RH_RELEASED))
		return MM_RH_LATE;
	return now;
}

static int write_landing(struct mm_store *s, int64_t id, const struct mm_rollout_host *was,
    const struct mm_rollout_host *h, struct mm_err *err)
{
	bool put_back = h->state == MM_RH_RELEASED;
	/* What was forgiven is what it did before this was sent. */
	bool forgiven = was->forgiven && !(was->state == MM_RH_SENT && mm_rh_answered(h->state));
	int64_t tries = was->tries - (put_back && was->state == MM_RH_SENT && was->tries > 0);

	return mm_q_run(s, MM_SQL_ROLLOUT_LANDED, err, "ittiiiiiiiiitt", id, h->host,
		   mm_rh_state_name(landing_state(was, h->state)), h->next_try, tries,
		   (int64_t)(was->touched || h->touched), (int64_t)forgiven,
		   put_back ? was->landed : mm_store_now(s), h->users, h->tested, h->verified, h->failed,
		   h->outcome ? h->outcome : "", h->text ? h->text : "") < 0
		   ? -1
		   : 0;
}

static int landed(
    struct mm_store *s, int64_t id, const struct mm_rollout_host *h, struct mm_arena *a, struct mm_err *err)
{
	struct mm_rollout_host was;
	int rc = mm_store_rollout_host(s, id, h->host, a, &was, err);

	if (rc)
		return rc;
	if (was.state == MM_RH_WAITING || (h->request_id && !mm_streq(h->request_id, was.request_id)))
		return 1;
	/* An answer is not taken back by an attempt that came to nothing. */
	if (mm_rh_answered(was.state) && !mm_rh_answered(h->state) && h->state != MM_RH_SUPERSEDED)
		return 1;
	if (mm_rollout_bump(s, id, err))
		return -1;
	if (was.state != MM_RH_SUPERSEDED)
		return write_landing(s, id, &was, h, err);
	if (h->touched && mm_q_run(s, MM_SQL_ROLLOUT_TOUCHED, err, "it", id, h->host) < 0)
		return -1;
	return 1;
}

int mm_store_rollout_landed(
    struct mm_store *s, int64_t id, const struct mm_rollout_host *h, struct mm_err *err)
{
	struct mm_arena *a;
	int rc;

	if (mm_store_begin(s, err))
		return -1;
	a = mm_arena_new();
	rc = mm_rollout_end(s, landed(s, id, h, a, err), err);
	mm_arena_free(a);
	return rc;
}

static int reclaim(struct mm_store *s, const struct mm_rollout_lease *l, bool pushed, int64_t checkin_before,
    int64_t next_try, int64_t *n, struct mm_err *err)
{
	int rc = mm_rollout_leased(s, l, err);
	int back = 0, expired;

	if (rc)
		return rc;
	if (mm_rollout_bump(s, l->rollout, err))
		return -1;
	if (pushed && (back = mm_q_run(s, MM_SQL_ROLLOUT_RECLAIM, err, "i", l->rollout)) < 0)
		return -1;
	expired = mm_q_run(s, MM_SQL_ROLLOUT_EXPIRE, err, "iii", l->rollout, checkin_before, next_try);
	if (expired < 0)
		return -1;
	*n = back + expired;
	return 0;
}

int mm_store_rollout_reclaim(struct mm_store *s, const struct mm_rollout_lease *l, bool pushed,
    int64_t checkin_before, int64_t next_try, int64_t *n, struct mm_err *err)
{
	int64_t count = 0;
	int rc;

	if (mm_store_begin(s, err))
		return -1;
	rc = mm_rollout_end(s, reclaim(s, l, pushed, checkin_before, next_try, &count, err), err);
	if (!rc)
		*n = count;
	return rc;
}

/* ---- what one host is to have */

/* Columns: id revision host's state, window, rollout's state. */
static int read_released(struct mm_store *s, const char *host, struct mm_rollout_offer *o, struct mm_err *err)
{
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_ROLLOUT_RELEASED, err, "t", host))
		return -1;
	rc = mm_q_step(&q, err);
	if (rc == 1) {
		int state = mm_rh_state_by_name(mm_q_str(&q, 2));

		o->rollout = mm_q_int(&q, 0);
		o->revision = mm_q_int(&q, 1);
		o->state = state >= 0 ? (enum mm_rh_state)state : MM_RH_SUPERSEDED;
	}
	mm_q_done(&q);
	return rc < 0 ? -1 : 0;
}

static int read_held(struct mm_store *s, const char *host, struct mm_rollout_offer *o, struct mm_err *err)
{
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_ROLLOUT_HELD, err, "t", host))
		return -1;
	rc = mm_q_step(&q, err);
	if (rc == 1) {
		o->held = mm_q_int(&q, 0);
		o->held_by = mm_q_int(&q, 1);
	}
	mm_q_done(&q);
	return rc < 0 ? -1 : 0;
}

int mm_store_rollout_offer(
    struct mm_store *s, const char *host, struct mm_rollout_offer *out, struct mm_err *err)
{
	struct mm_rollout_offer o = {.state = MM_RH_WAITING};
	int64_t room = 0, one = 0;
	int rc = mm_q_one(s, &one, MM_SQL_ROLLOUT_ANY, err, "t", host);

	if (rc) {
		*out = o;
		return rc < 0 ? -1 : 0;
	}
	o.any = true;
	if (read_released(s, host, &o, err) || read_held(s, host, &o, err))
		return -1;
	if (o.state == MM_RH_RELEASED || o.state == MM_RH_UNREACHABLE || o.state == MM_RH_LATE) {
		if (mm_q_one(s, &room, MM_SQL_ROLLOUT_FLIGHT, err, "i", o.rollout) < 0)
			return -1;
		o.claimable = room != 0;
	}
	*out = o;
	return 0;
}

static int overtaken(struct mm_store *s, const char *host, int64_t revision, int64_t *n, struct mm_err *err)
{
	char text[64];
	int changed;

	snprintf(text, sizeof(text), "it was sent revision %lld otherwise", (long long)revision);
	if (mm_q_run(s, MM_SQL_ROLLOUT_OVERTAKEN_SEQ, err, "ti", host, revision) < 0)
		return -1;
	changed = mm_q_run(s, MM_SQL_ROLLOUT_OVERTAKEN, err, "tit", host, revision, text);
	if (changed < 0)
		return -1;
	*n = changed;
	return 0;
}

int mm_store_rollout_overtaken(
    struct mm_store *s, const char *host, int64_t revision, int64_t *n, struct mm_err *err)
{
	int64_t count = 0;

	if (mm_store_begin(s, err) || mm_store_end(s, overtaken(s, host, revision, &count, err), err))
		return -1;
	if (n)
		*n = count;
	return 0;
}

int mm_rollout_forget_host(struct mm_store *s, const char *host, struct mm_err *err)
{
	if (mm_q_run(s, MM_SQL_ROLLOUT_OVERTAKEN_SEQ, err, "ti", host, INT64_MAX) < 0)
		return -1;
	return mm_q_run(s, MM_SQL_ROLLOUT_OVERTAKEN, err, "tit", host, INT64_MAX,
		   "it was removed from the inventory") < 0
		   ? -1
		   : 0;
}
