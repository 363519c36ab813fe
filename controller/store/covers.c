/*
 * Up to when a user on a host is known completely. Of the present that stands
 * in `coverage`, which is walked in the same order as the rows that ask; of a
 * moment in the past it is what had been received by then: the reports say.
 */
#include "common/text.h"
#include "controller/store/walks.h"

int mm_cover_open(struct mm_cover_walk *w, struct mm_store *s, const struct mm_evidence_filter *f,
    const struct mm_moment *m, struct mm_err *err)
{
	*w = (struct mm_cover_walk){.s = s, .m = *m};
	if (m->past)
		return 0;
	if (mm_q_start(s, &w->q, MM_SQL_COVERAGE, err, "tt", f->host, f->user))
		return -1;
	w->open = true;
	w->row = mm_q_step(&w->q, err);
	if (w->row >= 0)
		return 0;
	mm_cover_close(w);
	return -1;
}

void mm_cover_close(struct mm_cover_walk *w)
{
	if (w->open)
		mm_q_done(&w->q);
	w->open = false;
	free(w->host);
	free(w->user);
	w->host = w->user = NULL;
}

static void from_row(struct mm_q *q, int col, struct mm_cover *c)
{
	*c = (struct mm_cover){.seen = mm_q_int(q, col),
	    .evidence = mm_q_int(q, col + 1) ? MM_EV_CLAIMED : MM_EV_ATTESTED,
	    .revision = mm_q_int(q, col + 2),
	    .expired = mm_q_int(q, col + 3) != 0};
}

static int order(struct mm_cover_walk *w, const char *host, const char *user)
{
	int rc = strcmp(mm_q_str(&w->q, 0), host);

	return rc ? rc : strcmp(mm_q_str(&w->q, 1), user);
}

static int of_the_present(struct mm_cover_walk *w, const char *host, const char *user, struct mm_err *err)
{
	int rc = 0;

	while (w->row > 0 && (rc = order(w, host, user)) < 0)
		w->row = mm_q_step(&w->q, err);
	if (w->row > 0 && rc == 0)
		from_row(&w->q, 2, &w->found);
	return w->row < 0 ? -1 : 0;
}

/* The newest evidence among the reports of `host` that were received at or
 * before the moment and speak for `what`. Of a view only what is younger than
 * the edge counts as fresh, and nothing is received before it was collected:
 * the reports of that time are looked at first. */
static int newest(struct mm_store *s, const struct mm_moment *m, const char *host, const char *what,
    struct mm_cover *out, struct mm_err *err)
{
	const int64_t from[] = {m->edge, 0};
	struct mm_q q;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < 2; i++) {
		if (mm_q_start(s, &q, MM_SQL_COVERED_AT, err, "tiit", host, from[i], m->now, what))
			return -1;
		rc = mm_q_step(&q, err);
		if (rc == 1)
			from_row(&q, 0, out);
		mm_q_done(&q);
	}
	return rc < 0 ? -1 : 0;
}

static int of_the_past(struct mm_cover_walk *w, const char *host, const char *user, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	int rc = newest(w->s, &w->m, host, mm_arena_printf(a, "\n%s\n", user), &w->found, err);

	mm_arena_free(a);
	return rc;
}

int mm_cover_of(
    struct mm_cover_walk *w, const char *host, const char *user, struct mm_cover *out, struct mm_err *err)
{
	if (!w->host || !mm_streq(w->user, user) || !mm_streq(w->host, host)) {
		free(w->host);
		free(w->user);
		w->host = mm_xstrdup(host);
		w->user = mm_xstrdup(user);
		w->found = (struct mm_cover){.seen = 0};
		if (w->m.past ? of_the_past(w, host, user, err) : of_the_present(w, host, user, err))
			return -1;
	}
	*out = w->found;
	return 0;
}

int mm_login_seen_at(struct mm_store *s, const struct mm_moment *m, const char *host, const char *user,
    const char *account, const char *side, int64_t *seen, struct mm_err *err)
{
	struct mm_cover c = {.seen = 0};
	struct mm_arena *a = mm_arena_new();
	int rc = newest(s, m, host, mm_arena_printf(a, "\n%s\t%s\t%s\n", user, account, side), &c, err);

	mm_arena_free(a);
	*seen = c.seen;
	return rc;
}
