/*
 * Counting: places, hosts and the fleet. What a place comes to says places.c;
 * here it is added up, by workstation and over all. Walks in order of host
 * are merged, nothing is kept. Of the past, what was known of a workstation
 * then stands in the reports that had come from it.
 */
#include "common/text.h"
#include "controller/store/walks.h"

/* ---- one line per host */

/* Columns of MM_SQL_HOST_ROWS. */
static void host_from_row(
    struct mm_q *q, const struct mm_moment *m, struct mm_arena *a, struct mm_host_row *r)
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
	r->stale = r->seen > 0 && r->seen < m->edge;
	mm_push_from_row(q, 9, &r->push);
}

/* The same of the past; what was owed to a workstation then is not kept. */
static int host_as_it_was(struct mm_store *s, const struct mm_moment *m, struct mm_arena *a,
    struct mm_host_row *r, struct mm_err *err)
{
	struct mm_q q;
	int rc;

	r->agent = "";
	r->push = (struct mm_push_state){.host = "", .op = "", .request_id = "", .outcome = "", .text = ""};
	if (mm_q_start(s, &q, MM_SQL_HOST_SEEN_AT, err, "ti", r->host, m->now))
		return -1;
	rc = mm_q_step(&q, err);
	if (rc == 1) {
		r->seen = mm_q_int(&q, 0);
		r->received = mm_q_int(&q, 1);
		r->agent = mm_arena_strdup(a, mm_q_str(&q, 2));
		r->revision = mm_q_int(&q, 3);
		r->expired = mm_q_int(&q, 4) != 0;
		r->stale = r->seen < m->edge;
	}
	mm_q_done(&q);
	return rc < 0 ? -1 : 0;
}

struct host_walk {
	struct mm_store *s;
	struct mm_moment m;
	struct mm_q hosts;
	int row; /* of hosts */
	struct mm_place_walk places;
};

/* Add up the places of one host; those of hosts before it belong to none that is shown. */
static int host_places(struct host_walk *w, struct mm_host_row *r, struct mm_err *err)
{
	const struct mm_place *p = &w->places.p;
	int order;

	while (w->places.row && (order = strcmp(p->host, r->host)) <= 0) {
		if (order == 0) {
			r->users += w->m.past != 0;
			r->logins_stale += p->logins_stale;
			for (int i = 0; i < MM_AUDIT_COUNT; i++) {
				r->settings[i] += p->settings_by[i];
				r->logins_by[i] += p->logins_by[i];
			}
			for (int i = 0; i < MM_LOGIN_COUNT; i++)
				r->logins[i] += p->logins_result[i];
		}
		if (mm_place_walk_next(&w->places, err))
			return -1;
	}
	return 0;
}

/* The next host: of the past also one that has retired since, and is known by what it had told. */
static int next_host(
    struct host_walk *w, struct mm_arena *a, struct mm_host_row *r, bool *retired, struct mm_err *err)
{
	*retired =
	    w->m.past && w->places.row && (!w->row || strcmp(w->places.p.host, mm_q_str(&w->hosts, 0)) < 0);
	if (*retired)
		*r = (struct mm_host_row){.host = mm_arena_strdup(a, w->places.p.host), .address = ""};
	else if (!w->m.past)
		host_from_row(&w->hosts, &w->m, a, r);
	else
		*r = (struct mm_host_row){.host = mm_q_str(&w->hosts, 0), .address = mm_q_str(&w->hosts, 1)};
	if (!w->m.past)
		return 0;
	if (!*retired)
		r->tags = mm_split_lines(a, mm_q_text(&w->hosts, 2), &r->n_tags);
	return host_as_it_was(w->s, &w->m, a, r, err);
}

static int one_host(struct host_walk *w,
    int (*cb)(const struct mm_host_row *r, void *arg, struct mm_err *err), void *arg, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_host_row r;
	bool retired = false;
	int rc = next_host(w, a, &r, &retired, err);

	if (!rc)
		rc = host_places(w, &r, err);
	if (!rc)
		rc = cb(&r, arg, err);
	mm_arena_free(a);
	if (!rc && !retired) {
		w->row = mm_q_step(&w->hosts, err);
		rc = w->row < 0 ? -1 : 0;
	}
	return rc;
}

int mm_store_host_rows(struct mm_store *s, const struct mm_evidence_filter *f,
    int (*cb)(const struct mm_host_row *r, void *arg, struct mm_err *err), void *arg, struct mm_err *err)
{
	struct host_walk w = {.s = s};
	int rc;

	f = f ? f : &mm_everything;
	w.m = mm_moment_of(s, f);
	if (mm_place_walk_open(&w.places, s, f, false, err))
		return -1;
	rc = f->at
		 ? mm_q_start(
		       s, &w.hosts, MM_SQL_HOSTS_AT, err, "tttti", f->host, f->user, f->tag, f->group, f->at)
		 : mm_q_start(s, &w.hosts, MM_SQL_HOST_ROWS, err, "tttt", f->host, f->user, f->tag, f->group);
	if (!rc) {
		w.row = mm_q_step(&w.hosts, err);
		rc = w.row < 0 ? -1 : 0;
		while (!rc && (w.row || (w.m.past && w.places.row)))
			rc = one_host(&w, cb, arg, err);
		mm_q_done(&w.hosts);
	}
	mm_place_walk_close(&w.places);
	return rc;
}

/* ---- the whole fleet */

static void count_place(const struct mm_place *p, struct mm_fleet *out)
{
	out->places++;
	out->places_by[p->worst]++;
	out->places_stale += p->stale;
	out->settings += p->settings;
	out->settings_stale += p->settings_stale;
	out->logins += p->logins;
	out->logins_stale += p->logins_stale;
	for (int i = 0; i < MM_AUDIT_COUNT; i++)
		out->settings_by[i] += p->settings_by[i];
	for (int i = 0; i < MM_ST_COUNT; i++)
		out->settings_state[i] += p->settings_state[i];
	for (int i = 0; i < MM_LOGIN_COUNT; i++)
		out->logins_result[i] += p->logins_result[i];
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

static int hosts_by_row(
    struct mm_store *s, const struct mm_evidence_filter *f, struct mm_fleet *out, struct mm_err *err)
{
	struct mm_moment m = mm_moment_of(s, f);
	struct mm_host_row r;
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_HOST_ROWS, err, "tttt", f->host, f->user, f->tag, f->group))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1) {
		struct mm_arena *a = mm_arena_new();

		host_from_row(&q, &m, a, &r);
		count_host(&r, out);
		mm_arena_free(a);
	}
	mm_q_done(&q);
	return rc;
}

static int all_hosts(struct mm_store *s, const struct mm_moment *m, struct mm_fleet *out, struct mm_err *err)
{
	struct mm_q q;
	int rc;

	/* revision -1: of no revision at all, none is current */
	if (mm_q_start(s, &q, MM_SQL_HOSTS_COUNT, err, "ii", m->edge, out->revision > 0 ? out->revision : -1))
		return -1;
	rc = mm_q_step(&q, err);
	if (rc == 1) {
		out->hosts = mm_q_int(&q, 0);
		out->hosts_never = out->hosts - mm_q_int(&q, 1);
		out->hosts_stale = mm_q_int(&q, 2);
		out->hosts_fresh = mm_q_int(&q, 1) - out->hosts_stale;
		out->hosts_current = mm_q_int(&q, 3);
		out->oldest_seen = mm_q_int(&q, 4);
		out->newest_seen = mm_q_int(&q, 5);
	}
	mm_q_done(&q);
	if (rc < 0 || mm_q_start(s, &q, MM_SQL_HOSTS_PENDING, err, ""))
		return -1;
	rc = mm_q_step(&q, err);
	if (rc == 1) {
		out->hosts_pending = mm_q_int(&q, 0);
		out->hosts_unreachable = mm_q_int(&q, 1);
		out->hosts_refused = mm_q_int(&q, 2);
	}
	mm_q_done(&q);
	return rc < 0 ? -1 : 0;
}

static int fleet_places(struct mm_store *s, const struct mm_evidence_filter *f, struct mm_fleet *out,
    int64_t *covered, struct mm_err *err)
{
	struct mm_place_walk w;
	int rc = 0;

	if (mm_place_walk_open(&w, s, f, false, err))
		return -1;
	while (!rc && w.row) {
		count_place(&w.p, out);
		rc = mm_place_walk_next(&w, err);
	}
	*covered = w.covered;
	mm_place_walk_close(&w);
	return rc;
}

static int fleet_now(
    struct mm_store *s, const struct mm_evidence_filter *f, struct mm_fleet *out, struct mm_err *err)
{
	bool chosen = f->host || f->user || f->tag || f->group;
	struct mm_moment m = mm_moment_of(s, f);
	int64_t covered = 0, bare = 0, unheard = 0;
	struct mm_q q;
	int rc;

	if (fleet_places(s, f, out, &covered, err) ||
	    (chosen ? hosts_by_row(s, f, out, err) : all_hosts(s, &m, out, err)) ||
	    mm_q_start(s, &q, MM_SQL_FLEET, err, "tttt", f->host, f->user, f->tag, f->group))
		return -1;
	rc = mm_q_step(&q, err);
	if (rc == 1) {
		out->users = mm_q_int(&q, 0);
		out->users_seen = mm_q_int(&q, 1);
		bare = mm_q_int(&q, 2) - covered; /* looked at, and there was nothing to find */
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

/* ---- the fleet as it stood */

static int by_number(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

	return (a > b) - (a < b);
}

static uint64_t hash_of(const char *s)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * UINT64_C(1099511628211);
	return h;
}

struct past {
	struct mm_store *s;
	struct mm_moment m;
	struct mm_place_walk places;
	struct mm_cover_walk cover;
	struct mm_fleet *out;
	struct mm_arena *a;
	uint64_t *users; /* that have evidence: eight bytes each, so that they can be counted once */
	size_t n, cap;
};

static void heard(struct past *w)
{
	uint64_t *slot = mm_arena_push(w->a, &w->users, &w->n, &w->cap, sizeof(*w->users));

	*slot = hash_of(w->places.p.user);
	count_place(&w->places.p, w->out);
}

/* A user who is listed for a host: heard of by then, looked at without a find, or not heard of. */
static int listed(struct past *w, const char *host, const char *user, struct mm_err *err)
{
	struct mm_cover c;
	int order = -1;

	while (w->places.row && (order = strcmp(w->places.p.host, host)) <= 0) {
		if (order == 0 && (order = strcmp(w->places.p.user, user)) > 0)
			break;
		heard(w);
		if (mm_place_walk_next(&w->places, err))
			return -1;
		if (order == 0)
			return 0;
	}
	if (mm_cover_of(&w->cover, host, user, &c, err))
		return -1;
	w->out->places++;
	w->out->places_unheard += c.seen == 0;
	w->out->places_by[c.seen ? MM_AUDIT_NOT_APPLICABLE : MM_AUDIT_UNKNOWN]++;
	return 0;
}

static int past_places(struct past *w, const struct mm_evidence_filter *f, struct mm_err *err)
{
	struct mm_q q;
	int rc;

	if (mm_q_start(
		w->s, &q, MM_SQL_HOST_USERS_AT, err, "tttti", f->host, f->user, f->tag, f->group, w->m.now))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1)
		if (listed(w, mm_q_str(&q, 0), mm_q_str(&q, 1), err)) {
			rc = -1;
			break;
		}
	mm_q_done(&q);
	while (!rc && w->places.row) {
		heard(w);
		rc = mm_place_walk_next(&w->places, err);
	}
	if (w->n > 0)
		qsort(w->users, w->n, sizeof(*w->users), by_number);
	for (size_t i = 0; i < w->n; i++)
		w->out->users_seen += i == 0 || w->users[i] != w->users[i - 1];
	return rc;
}

static int add_host(const struct mm_host_row *r, void *arg, struct mm_err *err)
{
	(void)err;
	count_host(r, arg);
	return 0;
}

static int fleet_at(
    struct mm_store *s, const struct mm_evidence_filter *f, struct mm_fleet *out, struct mm_err *err)
{
	struct past w = {.s = s, .m = mm_moment_of(s, f), .out = out, .a = mm_arena_new()};
	struct mm_q q;
	int rc = -1;

	if (mm_cover_open(&w.cover, s, f, &w.m, err) || mm_place_walk_open(&w.places, s, f, false, err))
		goto out;
	rc = past_places(&w, f, err);
	mm_place_walk_close(&w.places);
	if (!rc)
		rc = mm_store_host_rows(s, f, add_host, out, err);
	if (rc || (rc = mm_q_start(
		       s, &q, MM_SQL_FLEET_AT, err, "tttti", f->host, f->user, f->tag, f->group, w.m.now)))
		goto out;
	rc = mm_q_step(&q, err);
	if (rc == 1) {
		out->users = mm_q_int(&q, 0);
		out->reports = mm_q_int(&q, 1);
	}
	mm_q_done(&q);
	rc = rc < 0 ? -1 : 0;
out:
	mm_cover_close(&w.cover);
	mm_arena_free(w.a);
	return rc;
}

static int fleet_revision(
    struct mm_store *s, const struct mm_evidence_filter *f, struct mm_fleet *out, struct mm_err *err)
{
	struct mm_revision r = {.number = 0};
	int rc = mm_store_revision_at(s, f->at, &r.number, &r.time, err);

	if (rc == 0) {
		out->revision = r.number;
		out->revision_time = r.time;
	}
	return rc < 0 ? -1 : 0;
}

int mm_store_fleet(
    struct mm_store *s, const struct mm_evidence_filter *f, struct mm_fleet *out, struct mm_err *err)
{
	struct mm_fleet all = {0};
	struct mm_moment m;

	f = f ? f : &mm_everything;
	m = mm_moment_of(s, f);
	all.now = m.now;
	all.stale_after = m.now - m.edge;
	if (fleet_revision(s, f, &all, err) ||
	    (f->at ? fleet_at(s, f, &all, err) : fleet_now(s, f, &all, err)))
		return -1;
	if (mm_q_one(s, &all.seals_bad, MM_SQL_SEALS_BAD_COUNT, err, "i", all.now - all.stale_after) < 0)
		return -1;
	if (mm_q_one(s, &all.alarms, MM_SQL_ALARM_COUNT, err, "") < 0)
		return -1;
	*out = all;
	return 0;
}
