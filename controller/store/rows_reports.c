/*
 * Reports, and up to when a user is known completely, against the entries of
 * the audit log that tell of them. What a report covers makes `coverage`: it is
 * made again here, report by report. Memory grows with the number of places.
 */
#include "common/text.h"
#include "controller/store/chain.h"
#include "controller/store/internal.h"

/* A report as far as it says up to when somebody is known. */
struct known {
	int64_t seen, evidence, revision, expired;
	bool vouched;
};

struct cover {
	const char *user;
	struct known best, other; /* other.seen = 0: none */
	bool loose;               /* a later report was silent: the user may have left the host meanwhile */
	bool met;
};

struct host {
	const char *name;
	struct cover *covers;
	size_t n, cap;
	int64_t unclear; /* the newest report of which nobody knows whom it covers; -1 = none */
};

/* A report that somebody was erased from, if an erasure says so; nobody knows then whom it covers. */
struct erased {
	const char *place;
	int64_t seq;
};

struct mm_rows_reports {
	struct mm_store *s;
	struct mm_row_check c;
	struct mm_arena *a;
	struct host **slots; /* by hash, NULL = free; n < cap / 2 */
	size_t n, cap;
	struct erased *bare;
	size_t n_bare, cap_bare;
	int64_t *erasures; /* entries of such reports */
	size_t n_erasures, cap_erasures;
};

static const char *member(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

static int fault(struct mm_rows_reports *r, const char *place, const char *text, struct mm_err *err)
{
	return r->c.cb(place, text, r->c.arg, err);
}

/* ---- hosts and their users */

static struct host **slot_of(const struct mm_rows_reports *r, const char *name)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (const char *p = name; *p; p++)
		h = (h ^ (unsigned char)*p) * UINT64_C(1099511628211);
	for (size_t at = (size_t)h & (r->cap - 1);; at = (at + 1) & (r->cap - 1))
		if (!r->slots[at] || mm_streq(r->slots[at]->name, name))
			return &r->slots[at];
}

static void grow(struct mm_rows_reports *r)
{
	struct host **old = r->slots;
	size_t n = r->cap;

	r->cap = n ? 2 * n : 1024;
	r->slots = mm_xcalloc(r->cap, sizeof(struct host *));
	for (size_t i = 0; i < n; i++)
		if (old[i])
			*slot_of(r, old[i]->name) = old[i];
	free(old);
}

static struct host *host_of(struct mm_rows_reports *r, const char *name)
{
	struct host **at = slot_of(r, name), *h = *at;

	if (h)
		return h;
	if (r->cap < 2 * (r->n + 1)) {
		grow(r);
		at = slot_of(r, name);
	}
	h = *at = mm_arena_alloc(r->a, 1, sizeof(*h));
	*h = (struct host){.name = mm_arena_strdup(r->a, name), .unclear = -1};
	r->n++;
	return h;
}

static struct cover *cover_of(struct host *h, const char *user, size_t n)
{
	for (size_t i = 0; i < h->n; i++)
		if (strlen(h->covers[i].user) == n && memcmp(h->covers[i].user, user, n) == 0)
			return &h->covers[i];
	return NULL;
}

/* As set_coverage() does. */
static void cover(
    struct mm_rows_reports *r, struct host *h, const char *user, size_t n, const struct known *k)
{
	struct cover *c = cover_of(h, user, n);

	if (!c) {
		c = mm_arena_push(r->a, &h->covers, &h->n, &h->cap, sizeof(*h->covers));
		*c = (struct cover){.user = mm_arena_printf(r->a, "%.*s", (int)n, user), .best = *k};
	} else if (k->seen >= c->best.seen) {
		*c = (struct cover){.user = c->user, .best = *k};
	} else if (c->loose) {
		c->other = *k;
	}
}

/* Of whom does it say nothing, although it is of the whole host? */
static void loosen(struct host *h, const struct known *k)
{
	for (size_t i = 0; i < h->n; i++)
		h->covers[i].loose = h->covers[i].loose || h->covers[i].best.seen < k->seen;
}

static void take(
    struct mm_rows_reports *r, const char *host, const char *covers, bool whole, const struct known *k)
{
	struct host *h = host_of(r, host);

	if (!covers) {
		h->unclear = k->seen > h->unclear ? k->seen : h->unclear;
		return;
	}
	for (const char *p = covers; *p;) {
		size_t n = strcspn(p, "\n");

		if (n > 0 && !memchr(p, '\t', n))
			cover(r, h, p, n, k);
		p += n + (p[n] == '\n');
	}
	if (whole)
		loosen(h, k);
}

/* ---- reports */

/* Columns from `col` on: MM_SQL_ROW_REPORT. */
static struct mm_report_row row_from(struct mm_q *q, int col)
{
	return (struct mm_report_row){.salt = mm_q_str(q, col),
	    .covers = mm_q_text(q, col + 1),
	    .user = mm_q_text(q, col + 2),
	    .agent = mm_q_str(q, col + 3),
	    .received = mm_q_int(q, col + 4),
	    .seen = mm_q_int(q, col + 5),
	    .expired = mm_q_int(q, col + 6),
	    .epoch = mm_q_int(q, col + 7),
	    .serial = mm_q_int(q, col + 8)};
}

static struct known known_from(const struct mm_report_row *row, struct mm_q *q, int evidence, int revision)
{
	return (struct known){.seen = row->seen,
	    .evidence = mm_q_int(q, evidence),
	    .revision = mm_q_int(q, revision),
	    .expired = row->expired};
}

/* Columns: MM_SQL_ROW_REPORT. */
static bool same_report(struct mm_q *q, int64_t seq, const json_t *o)
{
	static const char *const names[] = {"request", "op", "evidence", "collected", "revision", "findings",
	    "logins", "frames", "key", "signature", NULL};

	for (int i = 0; names[i]; i++)
		if (!mm_streq(mm_q_str(q, i), member(o, names[i])))
			return false;
	return mm_q_int(q, 10) == seq;
}

static bool same_row(const struct mm_report_row *row, const json_t *o, bool *vouched)
{
	const char *said = member(o, "row");
	char sum[MM_SHA256_HEX];

	*vouched = *said != '\0';
	if (!*vouched || !row->covers)
		return true;
	mm_report_row_digest(row, sum);
	return mm_streq(sum, said);
}

static int look(struct mm_rows_reports *r, struct mm_q *q, int64_t seq, const char *host, const char *place,
    const json_t *o, struct mm_err *err)
{
	struct mm_report_row row = row_from(q, 11);
	struct known k = known_from(&row, q, 20, 21);

	r->c.v->reports++;
	if (!same_report(q, seq, o) || !same_row(&row, o, &k.vouched))
		return fault(r, place, "changed: the log tells otherwise", err);
	r->c.v->reports_unvouched += !k.vouched;
	if (k.vouched && !row.covers) {
		struct erased *e = mm_arena_push(r->a, &r->bare, &r->n_bare, &r->cap_bare, sizeof(*e));
		*e = (struct erased){.place = place, .seq = seq};
	}
	take(r, host, row.covers, !row.user, &k);
	return 0;
}

int mm_rows_report(
    struct mm_rows_reports *r, int64_t seq, const char *host, const json_t *o, struct mm_err *err)
{
	const char *id = member(o, "id"), *place;
	struct mm_q q;
	int rc;

	/* Of a program that did not write down what there is to compare. */
	if (!json_object_get(o, "collected"))
		return 0;
	place = mm_arena_printf(r->a, "reports: host %s, report %s", host, id);
	if (mm_q_start(r->s, &q, MM_SQL_ROW_REPORT, err, "tt", host, id))
		return -1;
	rc = mm_q_step(&q, err);
	rc = rc < 0 ? -1 : rc == 0 ? fault(r, place, "removed", err) : look(r, &q, seq, host, place, o, err);
	mm_q_done(&q);
	return rc;
}

void mm_rows_host_removed(struct mm_rows_reports *r, const char *host)
{
	struct host *h = host_of(r, host);

	h->n = 0;
	h->unclear = -1;
}

void mm_rows_erasure(struct mm_rows_reports *r, const json_t *o)
{
	const json_t *list = json_object_get(o, "reports");

	for (size_t i = 0; i < json_array_size(list); i++) {
		int64_t *at =
		    mm_arena_push(r->a, &r->erasures, &r->n_erasures, &r->cap_erasures, sizeof(*r->erasures));
		*at = json_integer_value(json_array_get(list, i));
	}
}

/* Those whose entries were pruned, or that are older than their entries. */
static int take_older(struct mm_rows_reports *r, int64_t anchor, struct mm_err *err)
{
	int64_t first = INT64_MAX;
	struct mm_q q;
	int rc = 0;

	if (mm_q_one(r->s, &first, MM_SQL_AUDIT_FIRST_TIME, err, "") < 0 ||
	    mm_q_start(r->s, &q, MM_SQL_ROW_REPORTS_OLDER, err, "i", anchor))
		return -1;
	while (!rc && (rc = mm_q_step(&q, err)) == 1) {
		struct mm_report_row row = row_from(&q, 2);
		struct known k = known_from(&row, &q, 11, 12);

		rc = anchor > 0 && row.received > first
			 ? fault(r,
			       mm_arena_printf(
				   r->a, "reports: host %s, report %s", mm_q_str(&q, 0), mm_q_str(&q, 1)),
			       "inserted: no entry of the log tells of it", err)
			 : 0;
		r->c.v->reports++;
		r->c.v->reports_unvouched++;
		take(r, mm_q_str(&q, 0), row.covers, !row.user, &k);
	}
	mm_q_done(&q);
	return rc;
}

struct mm_rows_reports *mm_rows_reports_new(
    struct mm_store *s, const struct mm_row_check *c, int64_t anchor, struct mm_err *err)
{
	struct mm_rows_reports *r = mm_xcalloc(1, sizeof(*r));

	*r = (struct mm_rows_reports){.s = s, .c = *c, .a = mm_arena_new()};
	grow(r);
	if (take_older(r, anchor, err) == 0)
		return r;
	mm_rows_reports_free(r);
	return NULL;
}

void mm_rows_reports_free(struct mm_rows_reports *r)
{
	if (!r)
		return;
	free(r->slots);
	mm_arena_free(r->a);
	free(r);
}

/* ---- the end */

static int surplus(struct mm_rows_reports *r, int64_t anchor, struct mm_err *err)
{
	struct mm_q q;
	int rc;

	if (mm_q_start(r->s, &q, MM_SQL_ROW_REPORTS_SURPLUS, err, "i", anchor))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1)
		if ((rc = fault(r,
			 mm_arena_printf(
			     r->a, "reports: host %s, report %s", mm_q_str(&q, 0), mm_q_str(&q, 1)),
			 "inserted: no entry of the log tells of it", err)))
			break;
	mm_q_done(&q);
	return rc;
}

static int by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int look_erased(struct mm_rows_reports *r, struct mm_err *err)
{
	if (r->n_erasures > 1)
		qsort(r->erasures, r->n_erasures, sizeof(*r->erasures), by_number);
	for (size_t i = 0; i < r->n_bare; i++)
		if ((r->n_erasures == 0 || !bsearch(&r->bare[i].seq, r->erasures, r->n_erasures,
					       sizeof(*r->erasures), by_number)) &&
		    fault(r, r->bare[i].place, "changed: whom it covers was removed, and no erasure says so",
			err))
			return -1;
	return 0;
}

static bool same_cover(const struct mm_q *at, const struct known *k)
{
	struct mm_q *q = (struct mm_q *)(uintptr_t)at;

	return mm_q_int(q, 2) == k->seen && mm_q_int(q, 3) == k->evidence && mm_q_int(q, 4) == k->revision &&
	       mm_q_int(q, 5) == k->expired;
}

/* A row of `coverage`. */
static int look_cover(struct mm_rows_reports *r, struct mm_q *q, struct mm_err *err)
{
	const char *user = mm_q_str(q, 1);
	struct host *h = host_of(r, mm_q_str(q, 0));
	struct cover *c = cover_of(h, user, strlen(user));
	const char *place = NULL;

	r->c.v->covered++;
	if (c)
		c->met = true;
	if (c && (same_cover(q, &c->best) || (c->loose && c->other.seen > 0 && same_cover(q, &c->other)))) {
		r->c.v->covered_unvouched += !(same_cover(q, &c->best) ? c->best : c->other).vouched;
		return 0;
	}
	if (h->unclear >= (c ? c->best.seen : 0) && h->unclear >= mm_q_int(q, 2)) {
		r->c.v->covered_unvouched++;
		return 0;
	}
	place = mm_arena_printf(r->a, "coverage: host %s, user %s", h->name, user);
	return fault(r, place,
	    c ? "changed: no report says that this user was known completely at that time"
	      : "inserted: no report says that this user was ever known completely",
	    err);
}

static int look_covers(struct mm_rows_reports *r, struct mm_err *err)
{
	struct mm_q q;
	int rc;

	if (mm_q_start(r->s, &q, MM_SQL_COVERAGE, err, "tt", NULL, NULL))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1)
		if ((rc = look_cover(r, &q, err)))
			break;
	mm_q_done(&q);
	return rc;
}

static int look_missing(struct mm_rows_reports *r, const struct host *h, struct mm_err *err)
{
	for (size_t i = 0; i < h->n; i++) {
		const struct cover *c = &h->covers[i];

		if (!c->met && !c->loose && c->best.vouched &&
		    fault(r, mm_arena_printf(r->a, "coverage: host %s, user %s", h->name, c->user), "removed",
			err))
			return -1;
	}
	return 0;
}

int mm_rows_reports_end(struct mm_rows_reports *r, int64_t anchor, struct mm_err *err)
{
	if (surplus(r, anchor, err) || look_erased(r, err) || look_covers(r, err))
		return -1;
	for (size_t i = 0; i < r->cap; i++)
		if (r->slots[i] && look_missing(r, r->slots[i], err))
			return -1;
	return 0;
}
