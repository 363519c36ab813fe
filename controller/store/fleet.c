/*
 * Counting: hosts, places and settings. Findings are counted in SQL by
 * (host, user, state, action, stale) and judged here with the one table of
 * schemas/state; walks in order of host are merged, nothing is kept.
 */
#include "common/text.h"
#include "controller/store/internal.h"

static const struct mm_evidence_filter everything;

static int64_t edge_of(struct mm_store *s, int64_t stale_after)
{
	return mm_store_now(s) - (stale_after > 0 ? stale_after : INT64_C(86400) * MM_STALE_DAYS);
}

/* A walk that stands on a row, or is at its end. */
struct cursor {
	struct mm_q q;
	int row; /* 1, 0 */
};

static int cursor_next(struct cursor *c, struct mm_err *err)
{
	c->row = mm_q_step(&c->q, err);
	return c->row < 0 ? -1 : 0;
}

static int cursor_first(struct cursor *c, struct mm_err *err)
{
	if (cursor_next(c, err)) {
		mm_q_done(&c->q);
		return -1;
	}
	return 0;
}

static int findings_open(
    struct cursor *c, struct mm_store *s, const struct mm_evidence_filter *f, struct mm_err *err)
{
	if (mm_q_start(s, &c->q, MM_SQL_COUNT_FINDINGS, err, "ttttiti", f->host, f->user, f->tag, f->group,
		edge_of(s, f->stale_after), f->client, mm_store_now(s)))
		return -1;
	return cursor_first(c, err);
}

static int logins_open(
    struct cursor *c, struct mm_store *s, const struct mm_evidence_filter *f, struct mm_err *err)
{
	if (mm_q_start(s, &c->q, MM_SQL_COUNT_LOGINS, err, "ttttii", f->host, f->user, f->tag, f->group,
		edge_of(s, f->stale_after), mm_store_now(s)))
		return -1;
	return cursor_first(c, err);
}

static int hosts_open(
    struct mm_q *q, struct mm_store *s, const struct mm_evidence_filter *f, struct mm_err *err)
{
	return mm_q_start(s, q, MM_SQL_HOST_ROWS, err, "tttt", f->host, f->user, f->tag, f->group);
}

/* Columns of MM_SQL_COUNT_FINDINGS. */
static enum mm_audit finding_audit(struct mm_q *q, int *state)
{
	int s = mm_state_by_name(mm_q_str(q, 2)), a = mm_action_by_name(mm_q_str(q, 3));
	bool stale = mm_q_int(q, 4) != 0, waived = mm_q_int(q, 6) != 0;

	if (stale || s < 0 || a < 0)
		s = MM_ST_UNKNOWN;
	*state = s;
	return mm_audit_of(
	    mm_verdict((enum mm_state)s, a < 0 ? MM_ACT_NONE : (enum mm_action)a).audit, stale, waived);
}

/* ---- one line per host */

/* Add up the rows of one host; rows of hosts before it belong to none that is shown. */
static int host_findings(struct cursor *c, struct mm_host_row *r, struct mm_err *err)
{
	int order, state;

	for (; c->row && (order = strcmp(mm_q_str(&c->q, 0), r->host)) <= 0;) {
		if (order == 0)
			r->settings[finding_audit(&c->q, &state)] += mm_q_int(&c->q, 5);
		if (cursor_next(c, err))
			return -1;
	}
	return 0;
}

/* A login that was not proven lately leaves its place unknown, whatever the settings are. */
static enum mm_audit login_audit(struct mm_q *q, int result, bool stale)
{
	if (result < 0)
		return MM_AUDIT_UNKNOWN;
	return mm_audit_of(
	    mm_login_verdict((enum mm_result)result, mm_q_str(q, 5)).audit, stale, mm_q_int(q, 6) != 0);
}

static int host_logins(struct cursor *c, struct mm_host_row *r, struct mm_err *err)
{
	int order;

	for (; c->row && (order = strcmp(mm_q_str(&c->q, 0), r->host)) <= 0;) {
		int result = mm_result_by_name(mm_q_str(&c->q, 2));
		bool stale = mm_q_int(&c->q, 3) != 0;
		int64_t n = order == 0 ? mm_q_int(&c->q, 4) : 0;

		r->logins_by[login_audit(&c->q, result, stale)] += n;
		if (stale)
			r->logins_stale += n;
		else if (result >= 0)
			r->logins[result] += n;
		if (cursor_next(c, err))
			return -1;
	}
	return 0;
}

/* Columns of MM_SQL_HOST_ROWS. */
static void host_from_row(struct mm_q *q, int64_t edge, struct mm_arena *a, struct mm_host_row *r)
{
	*r = (struct mm_host_row){.host = mm_q_str(q, 0),
	    .address = mm_q_str(q, 1),
	    .seen = mm_q_int(q, 3),
	    .received = mm_q_int(q, 4),
	    .agent = mm_q_str(q, 5),
	    .revision = mm_q_int(q, 6),
	    .expired = mm_q_int(q, 7) != 0,
	    .users = mm_q_int(q, 8)};
	r->tags = mm_split_lines(a, mm_q_text(q, 2), &r->n_tags);
	r->stale = r->seen > 0 && r->seen < edge;
	mm_push_from_row(q, 9, &r->push);
}

struct host_walk {
	struct mm_q hosts;
	struct cursor findings, logins;
	int64_t edge;
};

static int walk_hosts(struct host_walk *w,
    int (*cb)(const struct mm_host_row *r, void *arg, struct mm_err *err), void *arg, struct mm_err *err)
{
	struct mm_host_row r;
	int rc;

	while ((rc = mm_q_step(&w->hosts, err)) == 1) {
		struct mm_arena *a = mm_arena_new();

		host_from_row(&w->hosts, w->edge, a, &r);
		rc = host_findings(&w->findings, &r, err) || host_logins(&w->logins, &r, err)
			 ? -1
			 : cb(&r, arg, err);
		mm_arena_free(a);
		if (rc)
			break;
	}
	return rc;
}

int mm_store_host_rows(struct mm_store *s, const struct mm_evidence_filter *f,
    int (*cb)(const struct mm_host_row *r, void *arg, struct mm_err *err), void *arg, struct mm_err *err)
{
	struct host_walk w;
	int rc = -1;

	f = f ? f : &everything;
	w.edge = edge_of(s, f->stale_after);
	if (hosts_open(&w.hosts, s, f, err))
		return -1;
	if (findings_open(&w.findings, s, f, err))
		goto hosts;
	if (logins_open(&w.logins, s, f, err))
		goto findings;
	rc = walk_hosts(&w, cb, arg, err);
	mm_q_done(&w.logins.q);
findings:
	mm_q_done(&w.findings.q);
hosts:
	mm_q_done(&w.hosts);
	return rc;
}

/* ---- the whole fleet */

/* Which of two audit results of one place is the one to show. */
static int weight(enum mm_audit a)
{
	static const int w[MM_AUDIT_COUNT] = {[MM_AUDIT_FAIL] = 4,
	    [MM_AUDIT_UNKNOWN] = 3,
	    [MM_AUDIT_WAIVED] = 2,
	    [MM_AUDIT_PASS] = 1,
	    [MM_AUDIT_NOT_APPLICABLE] = 0};

	return w[a];
}

/* One (host, user): the unit that is compliant or not. */
struct place {
	char *host, *user;
	enum mm_audit worst;
	bool stale;
};

static void place_add(struct place *p, enum mm_audit audit, bool stale)
{
	if (weight(audit) > weight(p->worst))
		p->worst = audit;
	p->stale = p->stale || stale;
}

static bool at_place(struct cursor *c, const struct place *p)
{
	return c->row && mm_streq(mm_q_str(&c->q, 0), p->host) && mm_streq(mm_q_str(&c->q, 1), p->user);
}

static int place_findings(struct cursor *c, struct place *p, struct mm_fleet *out, struct mm_err *err)
{
	int state;

	while (at_place(c, p)) {
		bool stale = mm_q_int(&c->q, 4) != 0;
		int64_t n = mm_q_int(&c->q, 5);
		enum mm_audit audit = finding_audit(&c->q, &state);

		place_add(p, audit, stale);
		out->settings += n;
		out->settings_by[audit] += n;
		if (stale)
			out->settings_stale += n;
		else
			out->settings_state[state] += n;
		if (cursor_next(c, err))
			return -1;
	}
	return 0;
}

static int place_logins(struct cursor *c, struct place *p, struct mm_fleet *out, struct mm_err *err)
{
	while (at_place(c, p)) {
		int result = mm_result_by_name(mm_q_str(&c->q, 2));
		bool stale = mm_q_int(&c->q, 3) != 0;
		int64_t n = mm_q_int(&c->q, 4);

		place_add(p, login_audit(&c->q, result, stale), stale);
		out->logins += n;
		if (stale)
			out->logins_stale += n;
		else if (result >= 0)
			out->logins_result[result] += n;
		if (cursor_next(c, err))
			return -1;
	}
	return 0;
}

/* The cursor whose place comes first; both are in order of (host, user). */
static struct cursor *first_of(struct cursor *a, struct cursor *b)
{
	int order;

	if (!a->row || !b->row)
		return a->row ? a : b;
	order = strcmp(mm_q_str(&a->q, 0), mm_q_str(&b->q, 0));
	if (order == 0)
		order = strcmp(mm_q_str(&a->q, 1), mm_q_str(&b->q, 1));
	return order <= 0 ? a : b;
}

static int next_place(
    struct cursor *findings, struct cursor *logins, struct mm_fleet *out, struct mm_err *err)
{
	struct cursor *at = first_of(findings, logins);
	struct place p = {.host = mm_xstrdup(mm_q_str(&at->q, 0)),
	    .user = mm_xstrdup(mm_q_str(&at->q, 1)),
	    .worst = MM_AUDIT_NOT_APPLICABLE};
	int rc = place_findings(findings, &p, out, err) || place_logins(logins, &p, out, err) ? -1 : 0;

	out->places++;
	out->places_by[p.worst]++;
	out->places_stale += p.stale;
	free(p.host);
	free(p.user);
	return rc;
}

static int fleet_places(
    struct mm_store *s, const struct mm_evidence_filter *f, struct mm_fleet *out, struct mm_err *err)
{
	struct cursor findings, logins;
	int rc = -1;

	if (findings_open(&findings, s, f, err))
		return -1;
	if (logins_open(&logins, s, f, err))
		goto out;
	rc = 0;
	while (!rc && (findings.row || logins.row))
		rc = next_place(&findings, &logins, out, err);
	mm_q_done(&logins.q);
out:
	mm_q_done(&findings.q);
	return rc;
}

static void count_host(const struct mm_host_row *r, struct mm_fleet *out)
{
	out->hosts++;
	if (r->seen == 0)
		out->hosts_never++;
	else if (r->stale)
		out->hosts_stale++;
	else
		out->hosts_fresh++;
	if (r->seen && !r->stale && !r->expired && out->revision > 0 && r->revision == out->revision)
		out->hosts_current++;
	if (r->seen && (out->oldest_seen == 0 || r->seen < out->oldest_seen))
		out->oldest_seen = r->seen;
	if (r->seen > out->newest_seen)
		out->newest_seen = r->seen;
	if (!r->push.pending)
		return;
	out->hosts_pending++;
	if (r->push.unreachable)
		out->hosts_unreachable++;
	else if (*r->push.outcome)
		out->hosts_refused++;
}

static int fleet_hosts(
    struct mm_store *s, const struct mm_evidence_filter *f, struct mm_fleet *out, struct mm_err *err)
{
	int64_t edge = edge_of(s, f->stale_after);
	struct mm_host_row r;
	struct mm_q q;
	int rc;

	if (hosts_open(&q, s, f, err))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1) {
		struct mm_arena *a = mm_arena_new();

		host_from_row(&q, edge, a, &r);
		count_host(&r, out);
		mm_arena_free(a);
	}
	mm_q_done(&q);
	return rc;
}

static int fleet_numbers(
    struct mm_store *s, const struct mm_evidence_filter *f, struct mm_fleet *out, struct mm_err *err)
{
	struct mm_q q;
	int64_t bare = 0, unheard = 0;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_FLEET, err, "tttt", f->host, f->user, f->tag, f->group))
		return -1;
	rc = mm_q_step(&q, err);
	if (rc == 1) {
		out->users = mm_q_int(&q, 0);
		out->users_seen = mm_q_int(&q, 1);
		bare = mm_q_int(&q, 2); /* looked at, and there was nothing to find */
		out->reports = mm_q_int(&q, 3);
		unheard = mm_q_int(&q, 4); /* listed for a host that has said nothing of them */
	}
	mm_q_done(&q);
	out->places += bare + unheard;
	out->places_by[MM_AUDIT_UNKNOWN] += unheard;
	out->places_unheard = unheard;
	out->places_by[MM_AUDIT_NOT_APPLICABLE] += bare;
	return rc < 0 ? -1 : 0;
}

static int fleet_revision(struct mm_store *s, struct mm_fleet *out, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_revision r;
	int rc = mm_store_revision_get(s, 0, a, &r, err);

	if (rc == 0) {
		out->revision = r.number;
		out->revision_time = r.time;
	}
	mm_arena_free(a);
	return rc < 0 ? -1 : 0;
}

int mm_store_fleet(
    struct mm_store *s, const struct mm_evidence_filter *f, struct mm_fleet *out, struct mm_err *err)
{
	struct mm_fleet all = {.now = mm_store_now(s)};

	f = f ? f : &everything;
	all.stale_after = all.now - edge_of(s, f->stale_after);
	if (fleet_revision(s, &all, err) || fleet_places(s, f, &all, err) || fleet_hosts(s, f, &all, err) ||
	    fleet_numbers(s, f, &all, err))
		return -1;
	if (mm_q_one(s, &all.seals_bad, MM_SQL_SEALS_BAD_COUNT, err, "i", all.now - all.stale_after) < 0)
		return -1;
	*out = all;
	return 0;
}
