/*
 * Rollouts: made, read and counted. What is done with them stands in
 * rollout_acts.c, what becomes of their hosts in rollout_hosts.c.
 */
#include "common/text.h"
#include "controller/store/rollout_internal.h"

static const char *const kinds[MM_ROLLOUT_KIND_COUNT] = {
    [MM_ROLLOUT_APPLY] = "apply",
    [MM_ROLLOUT_ROLLBACK] = "rollback",
};

const char *mm_rollout_kind_name(enum mm_rollout_kind k)
{
	return kinds[k];
}

/* ---- rows */

static enum mm_ro_state state_of(const char *word)
{
	int s = mm_ro_state_by_name(word);

	/* Of a newer program: nothing is to be sent. */
	return s >= 0 ? (enum mm_ro_state)s : MM_RO_PAUSED;
}

static enum mm_rh_state host_state_of(const char *word)
{
	int s = mm_rh_state_by_name(word);

	return s >= 0 ? (enum mm_rh_state)s : MM_RH_SUPERSEDED;
}

static void from_row(struct mm_q *q, struct mm_rollout *r)
{
	*r = (struct mm_rollout){.id = mm_q_int(q, 0),
	    .revision = mm_q_int(q, 1),
	    .kind =
		mm_streq(mm_q_str(q, 2), kinds[MM_ROLLOUT_ROLLBACK]) ? MM_ROLLOUT_ROLLBACK : MM_ROLLOUT_APPLY,
	    .of = mm_q_int(q, 3),
	    .selection = mm_q_str(q, 4),
	    .terms = mm_q_str(q, 5),
	    .seed = mm_q_str(q, 6),
	    .state = state_of(mm_q_str(q, 7)),
	    .why = mm_q_str(q, 8),
	    .because = mm_q_str(q, 9),
	    .waves = mm_q_int(q, 10),
	    .wave = mm_q_int(q, 11),
	    .wave_since = mm_q_int(q, 12),
	    .bake_since = mm_q_int(q, 13),
	    .approved = mm_q_int(q, 14),
	    .window = mm_q_int(q, 15),
	    .hosts = mm_q_int(q, 16),
	    .who = mm_q_str(q, 17),
	    .reason = mm_q_str(q, 18),
	    .created = mm_q_int(q, 19),
	    .changed = mm_q_int(q, 20),
	    .seq = mm_q_int(q, 21),
	    .owner = mm_q_str(q, 22),
	    .owner_pid = mm_q_int(q, 23),
	    .lease_until = mm_q_int(q, 24),
	    .first = mm_q_int(q, 25)};
}

static void keep(struct mm_arena *a, struct mm_rollout *r)
{
	const char **texts[] = {
	    &r->selection, &r->terms, &r->seed, &r->why, &r->because, &r->who, &r->reason, &r->owner};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		*texts[i] = mm_arena_strdup(a, *texts[i]);
}

static void host_from_row(struct mm_q *q, struct mm_rollout_host *h)
{
	*h = (struct mm_rollout_host){.rollout = mm_q_int(q, 0),
	    .host = mm_q_str(q, 1),
	    .wave = mm_q_int(q, 2),
	    .rank = mm_q_int(q, 3),
	    .state = host_state_of(mm_q_str(q, 4)),
	    .late = mm_q_int(q, 5) != 0,
	    .forgiven = mm_q_int(q, 6) != 0,
	    .touched = mm_q_int(q, 7) != 0,
	    .by_checkin = mm_q_int(q, 8) != 0,
	    .tries = mm_q_int(q, 9),
	    .next_try = mm_q_int(q, 10),
	    .sent = mm_q_int(q, 11),
	    .landed = mm_q_int(q, 12),
	    .request_id = mm_q_str(q, 13),
	    .before = mm_q_int(q, 14),
	    .users = mm_q_int(q, 15),
	    .tested = mm_q_int(q, 16),
	    .verified = mm_q_int(q, 17),
	    .failed = mm_q_int(q, 18),
	    .outcome = mm_q_str(q, 19),
	    .text = mm_q_str(q, 20),
	    .seq = mm_q_int(q, 21),
	    .revision = mm_q_int(q, 22)};
}

/* ---- reading */

static int read_one(struct mm_q *q, struct mm_arena *a, struct mm_rollout *out, struct mm_err *err)
{
	struct mm_rollout r;
	int rc = mm_q_step(q, err);

	if (rc == 1) {
		from_row(q, &r);
		keep(a, &r);
		*out = r;
	}
	mm_q_done(q);
	return rc < 0 ? -1 : !rc;
}

int mm_store_rollout_get(
    struct mm_store *s, int64_t id, struct mm_arena *a, struct mm_rollout *out, struct mm_err *err)
{
	struct mm_q q;

	if (mm_q_start(s, &q, MM_SQL_ROLLOUT_GET, err, "i", id))
		return -1;
	return read_one(&q, a, out, err);
}

int mm_store_rollout_last(struct mm_store *s, struct mm_arena *a, struct mm_rollout *out, struct mm_err *err)
{
	struct mm_q q;

	if (mm_q_start(s, &q, MM_SQL_ROLLOUT_LAST, err, ""))
		return -1;
	return read_one(&q, a, out, err);
}

int mm_store_rollout_each(struct mm_store *s, bool live,
    int (*cb)(const struct mm_rollout *r, void *arg, struct mm_err *err), void *arg, struct mm_err *err)
{
	struct mm_rollout r;
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_ROLLOUT_EACH, err, "i", (int64_t)live))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1) {
		from_row(&q, &r);
		if ((rc = cb(&r, arg, err)))
			break;
	}
	mm_q_done(&q);
	return rc;
}

static int walk_hosts(struct mm_q *q,
    int (*cb)(const struct mm_rollout_host *h, void *arg, struct mm_err *err), void *arg, struct mm_err *err)
{
	struct mm_rollout_host h;
	int rc;

	while ((rc = mm_q_step(q, err)) == 1) {
		host_from_row(q, &h);
		if ((rc = cb(&h, arg, err)))
			break;
	}
	mm_q_done(q);
	return rc;
}

int mm_store_rollout_hosts(struct mm_store *s, int64_t id, int64_t after,
    int (*cb)(const struct mm_rollout_host *h, void *arg, struct mm_err *err), void *arg, struct mm_err *err)
{
	struct mm_q q;
	int rc = after == 0 ? mm_q_start(s, &q, MM_SQL_ROLLOUT_HOSTS, err, "i", id)
			    : mm_q_start(s, &q, MM_SQL_ROLLOUT_HOSTS_SINCE, err, "ii", id, after);

	return rc ? -1 : walk_hosts(&q, cb, arg, err);
}

int mm_store_rollout_due(struct mm_store *s, int64_t id, size_t max,
    int (*cb)(const struct mm_rollout_host *h, void *arg, struct mm_err *err), void *arg, struct mm_err *err)
{
	struct mm_q q;

	if (mm_q_start(s, &q, MM_SQL_ROLLOUT_DUE, err, "iii", id, mm_store_now(s), (int64_t)max))
		return -1;
	return walk_hosts(&q, cb, arg, err);
}

int mm_store_rollout_host(struct mm_store *s, int64_t id, const char *host, struct mm_arena *a,
    struct mm_rollout_host *out, struct mm_err *err)
{
	struct mm_rollout_host h;
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_ROLLOUT_HOST, err, "it", id, host))
		return -1;
	rc = mm_q_step(&q, err);
	if (rc == 1) {
		host_from_row(&q, &h);
		h.host = mm_arena_strdup(a, h.host);
		h.request_id = mm_arena_strdup(a, h.request_id);
		h.outcome = mm_arena_strdup(a, h.outcome);
		h.text = mm_arena_strdup(a, h.text);
		*out = h;
	}
	mm_q_done(&q);
	return rc < 0 ? -1 : !rc;
}

/* ---- counting */

static void count_row(struct mm_q *q, struct mm_rollout_count *c)
{
	int64_t n = mm_q_int(q, 2);

	c->hosts += n;
	c->by[host_state_of(mm_q_str(q, 1))] += n;
	c->late += mm_q_int(q, 3);
	c->forgiven += mm_q_int(q, 4);
	c->touched += mm_q_int(q, 5);
	c->users += mm_q_int(q, 6);
	c->tested += mm_q_int(q, 7);
	c->verified += mm_q_int(q, 8);
	c->failed += mm_q_int(q, 9);
}

int mm_store_rollout_counts(struct mm_store *s, int64_t id,
    int (*cb)(const struct mm_rollout_count *c, void *arg, struct mm_err *err), void *arg, struct mm_err *err)
{
	struct mm_rollout_count all = {.wave = -1}, one = {.wave = -1};
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_ROLLOUT_COUNTS, err, "i", id))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1) {
		if (one.wave >= 0 && one.wave != mm_q_int(&q, 0)) {
			if ((rc = cb(&one, arg, err)))
				break;
			one = (struct mm_rollout_count){.hosts = 0};
		}
		one.wave = mm_q_int(&q, 0);
		count_row(&q, &one);
		count_row(&q, &all);
	}
	mm_q_done(&q);
	if (!rc && one.wave >= 0)
		rc = cb(&one, arg, err);
	return rc ? rc : cb(&all, arg, err);
}

/* ---- creation */

int mm_rollout_note(struct mm_store *s, int64_t id, const char *action, const char *name, const char *value,
    struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	int rc = mm_store_audit(s, action, mm_arena_printf(a, "%lld", (long long)id),
	    mm_detail(a, name, value, NULL), false, err);

	mm_arena_free(a);
	return rc;
}

static int note_creation(
    struct mm_store *s, int64_t id, const struct mm_rollout *r, size_t n, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	const char *approved_by, *detail;

	if (mm_revision_approvers(s, r->revision, a, &approved_by, err) < 0) {
		mm_arena_free(a);
		return -1;
	}
	detail = mm_detail(a, "kind", kinds[r->kind], "revision",
	    mm_arena_printf(a, "%lld", (long long)r->revision), "first_revision",
	    r->first > 0 && r->first != r->revision ? mm_arena_printf(a, "%lld", (long long)r->first) : NULL,
	    "of", r->of > 0 ? mm_arena_printf(a, "%lld", (long long)r->of) : NULL, "selection", r->selection,
	    "hosts", mm_arena_printf(a, "%zu", n), "approved_by", approved_by, "terms", r->terms, NULL);
	int rc = mm_store_audit(
	    s, "rollout.create", mm_arena_printf(a, "%lld", (long long)id), detail, false, err);

	mm_arena_free(a);
	return rc;
}

/* Hosts that older rollouts had still to serve are this one's now. */
static int take_over(struct mm_store *s, int64_t id, struct mm_err *err)
{
	char text[64];

	snprintf(text, sizeof(text), "rollout %lld has taken it over", (long long)id);
	if (mm_q_run(s, MM_SQL_ROLLOUT_WITHDRAW_OLDER, err, "i", id) < 0 ||
	    mm_q_run(s, MM_SQL_ROLLOUT_TAKE_SEQ, err, "i", id) < 0 ||
	    mm_q_run(s, MM_SQL_ROLLOUT_TAKE_HOSTS, err, "it", id, text) < 0)
		return -1;
	snprintf(text, sizeof(text), "rollout %lld has taken over what was left", (long long)id);
	return mm_q_run(s, MM_SQL_ROLLOUT_TAKE_WHOLE, err, "iti", id, text, mm_store_now(s)) < 0 ? -1 : 0;
}

static int create(struct mm_store *s, const struct mm_rollout *r, const struct mm_rollout_member *hosts,
    size_t n, int64_t *id, struct mm_err *err)
{
	if (mm_q_one(s, id, MM_SQL_ROLLOUT_NEW_ID, err, "") < 0 ||
	    mm_q_run(s, MM_SQL_ROLLOUT_ADD, err, "iititttiiititi", *id, r->revision, kinds[r->kind], r->of,
		r->selection, r->terms, r->seed, r->waves, r->window, (int64_t)n, s->who, mm_store_now(s),
		s->reason ? s->reason : "", r->first > 0 ? r->first : r->revision) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (mm_q_run(s, MM_SQL_ROLLOUT_HOST_ADD, err, "itiii", *id, hosts[i].host, hosts[i].wave,
			hosts[i].rank, hosts[i].revision > 0 ? hosts[i].revision : r->revision) < 0)
			return mm_err_prefix(err, "host \"%s\"", hosts[i].host);
	return take_over(s, *id, err) ? -1 : note_creation(s, *id, r, n, err);
}

int mm_store_rollout_create(struct mm_store *s, const struct mm_rollout *r,
    const struct mm_rollout_member *hosts, size_t n, int64_t *id, struct mm_err *err)
{
	int64_t made = 0;

	if (n == 0 || r->waves < 1 || r->window < 1)
		return mm_err_set(err, MM_EX_FAILED, "a rollout needs a host, a wave and a window");
	if (mm_store_begin(s, err) || mm_store_end(s, create(s, r, hosts, n, &made, err), err))
		return -1;
	*id = made;
	return 0;
}
