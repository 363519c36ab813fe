/*
 * The summaries in `places`: made anew from the rows, in the transaction that
 * wrote the rows, whenever rows of a user on a host were written.
 */
#include <stdlib.h>

#include "common/text.h"
#include "controller/store/internal.h"
#include "schemas/facts.h"

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

/* ---- what it holds */

/* Rows that are counted together. */
struct kind {
	const char *words[3]; /* client, state, action; or result, class, "" */
	int64_t n;
};

struct part {
	struct kind *kinds;
	size_t n, cap;
	bool more; /* kinds than there is room for */
	int64_t rows, oldest, newest, claimed;
};

struct mm_summary {
	struct mm_arena *a;
	struct part settings, logins;
};

struct mm_summary *mm_summary_new(struct mm_arena *a)
{
	struct mm_summary *x = mm_arena_alloc(a, 1, sizeof(*x));

	x->a = a;
	return x;
}

static bool same_kind(const struct kind *k, const char *const words[3])
{
	/* What differs first is last. */
	return mm_streq(k->words[2], words[2]) && mm_streq(k->words[1], words[1]) &&
	       mm_streq(k->words[0], words[0]);
}

static void count(struct part *p, const char *const words[3], struct mm_arena *a)
{
	for (size_t i = p->n; i-- > 0;)
		if (same_kind(&p->kinds[i], words)) {
			p->kinds[i].n++;
			return;
		}
	if (p->n == KINDS_MAX) {
		p->more = true;
		return;
	}
	struct kind *k = mm_arena_push(a, &p->kinds, &p->n, &p->cap, sizeof(*k));
	k->n = 1;
	for (int i = 0; i < 3; i++)
		k->words[i] = mm_arena_strdup(a, words[i]);
}

void mm_summary_row(struct mm_summary *x, struct mm_q *q, const struct mm_summary_cols *cols)
{
	struct part *p = cols->settings ? &x->settings : &x->logins;
	int64_t seen = mm_q_int(q, cols->seen);
	const char *words[3] = {"", "", ""};

	if (cols->settings && mm_is_fact(mm_q_str(q, cols->setting)))
		return;
	for (int i = 0; i < 3 && cols->words[i] >= 0; i++)
		words[i] = mm_q_str(q, cols->words[i]);
	count(p, words, x->a);
	if (p->rows++ == 0 || seen < p->oldest)
		p->oldest = seen;
	if (seen > p->newest)
		p->newest = seen;
	if (mm_q_int(q, cols->evidence))
		p->claimed = 1;
}

/* ---- writing */

static int by_words(const void *a, const void *b)
{
	const struct kind *x = a, *y = b;

	for (int i = 0; i < 3; i++) {
		int c = strcmp(x->words[i], y->words[i]);

		if (c)
			return c;
	}
	return 0;
}

static void put_kinds(struct part *p, bool settings, struct mm_buf *b)
{
	if (p->n > 1)
		qsort(p->kinds, p->n, sizeof(*p->kinds), by_words);
	for (size_t i = 0; i < p->n; i++) {
		const char *const *w = p->kinds[i].words;

		if (i > 0)
			mm_buf_addc(b, '\n');
		mm_buf_add_int(b, p->kinds[i].n);
		if (settings)
			mm_buf_addf(b, " %s %s %s", w[1], w[2], w[0]);
		else
			mm_buf_addf(b, " %s %s", w[0], w[1]);
	}
}

static int write_part(
    struct mm_store *s, const char *host, const char *user, bool settings, struct part *p, struct mm_err *err)
{
	struct mm_buf b = MM_BUF_INIT(TEXT_MAX);
	int rc;

	put_kinds(p, settings, &b);
	rc = mm_q_run(s, settings ? MM_SQL_PLACE_SET_SETTINGS : MM_SQL_PLACE_SET_LOGINS, err, "tttiii", host,
	    user, p->more || !mm_buf_ok(&b) ? "*" : mm_buf_str(&b), p->oldest, p->newest, p->claimed);
	if (rc >= 0 && p->rows == 0)
		rc = mm_q_run(s, MM_SQL_PLACE_DROP, err, "tt", host, user);
	mm_buf_free(&b);
	return rc < 0 ? -1 : 0;
}

int mm_summary_write(struct mm_store *s, const char *host, const char *user, unsigned what,
    struct mm_summary *x, struct mm_err *err)
{
	if ((what & MM_CHANGED_SETTINGS) && write_part(s, host, user, true, &x->settings, err))
		return -1;
	return (what & MM_CHANGED_LOGINS) ? write_part(s, host, user, false, &x->logins, err) : 0;
}

/* ---- from the rows alone */

static int add_rows(struct mm_store *s, const char *host, const char *user, bool settings,
    struct mm_summary *x, struct mm_err *err)
{
	static const struct mm_summary_cols of_settings = {.settings = true,
						.setting = 1,
						.evidence = 4,
						.seen = 5,
						.words = {0, 2, 3}},
					    of_logins = {.evidence = 2, .seen = 3, .words = {0, 1, -1}};
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, settings ? MM_SQL_PLACE_SETTINGS : MM_SQL_PLACE_LOGINS, err, "tt", host, user))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1)
		mm_summary_row(x, &q, settings ? &of_settings : &of_logins);
	mm_q_done(&q);
	return rc;
}

int mm_place_renew(struct mm_store *s, const char *host, const char *user, unsigned what, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_summary *x = mm_summary_new(a);
	int rc = 0;

	if (what & MM_CHANGED_SETTINGS)
		rc = add_rows(s, host, user, true, x, err);
	if (!rc && (what & MM_CHANGED_LOGINS))
		rc = add_rows(s, host, user, false, x, err);
	if (!rc)
		rc = mm_summary_write(s, host, user, what, x, err);
	mm_arena_free(a);
	return rc;
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
