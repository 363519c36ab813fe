/*
 * The summaries in `places`: made anew from the rows, in the transaction that
 * wrote the rows, whenever rows of a user on a host were written.
 */
#include "common/text.h"
#include "controller/store/internal.h"

#define KINDS_MAX 64 /* and with the longest names of clients 30 KiB */
#define TEXT_MAX (KINDS_MAX * 512u)

void mm_intake_changed(struct mm_intake *t, const char *user, unsigned what)
{
	struct mm_changed_place *last = t->n_changed ? &t->changed[t->n_changed - 1] : NULL;

	if (last && mm_streq(last->user, user)) {
		last->what |= what;
		return;
	}
	last = mm_arena_push(t->a, &t->changed, &t->n_changed, &t->cap_changed, sizeof(*t->changed));
	*last = (struct mm_changed_place){.user = mm_arena_strdup(t->a, user), .what = what};
}

static int by_user(const void *a, const void *b)
{
	return strcmp(((const struct mm_changed_place *)a)->user, ((const struct mm_changed_place *)b)->user);
}

void mm_intake_sort_changed(struct mm_intake *t)
{
	if (t->n_changed > 1)
		qsort(t->changed, t->n_changed, sizeof(*t->changed), by_user);
}

int mm_intake_summaries(struct mm_intake *t, struct mm_err *err)
{
	unsigned what = 0;

	mm_intake_sort_changed(t);
	for (size_t i = 0; i < t->n_changed; i++) {
		const struct mm_changed_place *c = &t->changed[i];

		what |= c->what;
		if (i + 1 < t->n_changed && mm_streq(c[1].user, c->user))
			continue;
		if (mm_place_renew(t->s, t->in->head->host, c->user, what, err))
			return -1;
		what = 0;
	}
	return 0;
}

struct totals {
	int64_t oldest, newest, claimed, kinds;
};

/* Columns from `col` on: COUNT, MIN(seen), MAX(seen), MAX(evidence). */
static void add_totals(struct mm_q *q, int col, struct totals *t)
{
	int64_t oldest = mm_q_int(q, col + 1), newest = mm_q_int(q, col + 2);

	if (t->kinds++ == 0 || oldest < t->oldest)
		t->oldest = oldest;
	if (newest > t->newest)
		t->newest = newest;
	if (mm_q_int(q, col + 3))
		t->claimed = 1;
}

static int read_kinds(struct mm_q *q, bool settings, struct mm_buf *b, struct totals *t, struct mm_err *err)
{
	int rc, count = settings ? 3 : 2;

	while ((rc = mm_q_step(q, err)) == 1) {
		if (t->kinds > 0)
			mm_buf_addc(b, '\n');
		add_totals(q, count, t);
		if (settings)
			mm_buf_addf(b, "%lld %s %s %s", (long long)mm_q_int(q, 3), mm_q_str(q, 1),
			    mm_q_str(q, 2), mm_q_str(q, 0));
		else
			mm_buf_addf(
			    b, "%lld %s %s", (long long)mm_q_int(q, 2), mm_q_str(q, 0), mm_q_str(q, 1));
	}
	return rc;
}

static int renew(struct mm_store *s, const char *host, const char *user, bool settings, struct mm_err *err)
{
	struct mm_buf b = MM_BUF_INIT(TEXT_MAX);
	struct totals t = {0};
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, settings ? MM_SQL_PLACE_SETTINGS : MM_SQL_PLACE_LOGINS, err, "tt", host, user))
		return -1;
	rc = read_kinds(&q, settings, &b, &t, err);
	mm_q_done(&q);
	if (!rc && mm_q_run(s, settings ? MM_SQL_PLACE_SET_SETTINGS : MM_SQL_PLACE_SET_LOGINS, err, "tttiii",
		       host, user, t.kinds > KINDS_MAX || !mm_buf_ok(&b) ? "*" : mm_buf_str(&b), t.oldest,
		       t.newest, t.claimed) < 0)
		rc = -1;
	if (!rc && t.kinds == 0 && mm_q_run(s, MM_SQL_PLACE_DROP, err, "tt", host, user) < 0)
		rc = -1;
	mm_buf_free(&b);
	return rc;
}

int mm_place_renew(struct mm_store *s, const char *host, const char *user, unsigned what, struct mm_err *err)
{
	if ((what & MM_CHANGED_SETTINGS) && renew(s, host, user, true, err))
		return -1;
	return (what & MM_CHANGED_LOGINS) ? renew(s, host, user, false, err) : 0;
}

static int users_of(struct mm_store *s, const char *host, struct mm_arena *a, const char ***users, size_t *n,
    struct mm_err *err)
{
	size_t cap = 0;
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_PLACES_OF, err, "t", host))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1) {
		const char **slot = mm_arena_push(a, users, n, &cap, sizeof(**users));

		*slot = mm_arena_strdup(a, mm_q_str(&q, 0));
	}
	mm_q_done(&q);
	return rc;
}

int mm_places_renew(struct mm_store *s, const char *host, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	const char **users = NULL;
	size_t n = 0;
	int rc = users_of(s, host, a, &users, &n, err);

	for (size_t i = 0; !rc && i < n; i++)
		rc = mm_place_renew(s, host, users[i], MM_CHANGED_SETTINGS | MM_CHANGED_LOGINS, err);
	mm_arena_free(a);
	return rc;
}
