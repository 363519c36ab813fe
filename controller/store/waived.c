/*
 * Which waiver covers what: all of them are read once for a walk, those of one
 * host or one user are found by name, and those of a group by asking whether
 * the place's user is in it.
 */
#include "common/text.h"
#include "controller/store/walks.h"

struct scope {
	const char *host, *user, *group, *client, *account, *check; /* "" = any */
	struct mm_waiver_of w;
};

struct mm_waivers {
	struct mm_store *s;
	struct mm_arena *a;
	struct scope *all; /* those that reach furthest first */
	size_t n, cap;
	const struct scope **by_user, **by_host; /* sorted by name, then as in `all` */
	const struct scope **broad;              /* of no one user and no one host */
	size_t n_user, n_host, n_broad;
	/* what covers something of the place asked about last */
	const struct scope **here;
	size_t n_here;
	char *host, *user;
};

static void add(struct mm_waivers *w, struct mm_q *q, int64_t now)
{
	struct scope *v = mm_arena_push(w->a, &w->all, &w->n, &w->cap, sizeof(*w->all));

	*v = (struct scope){.host = mm_arena_strdup(w->a, mm_q_str(q, 1)),
	    .user = mm_arena_strdup(w->a, mm_q_str(q, 2)),
	    .group = mm_arena_strdup(w->a, mm_q_str(q, 3)),
	    .client = mm_arena_strdup(w->a, mm_q_str(q, 4)),
	    .account = mm_arena_strdup(w->a, mm_q_str(q, 5)),
	    .check = mm_arena_strdup(w->a, mm_q_str(q, 6)),
	    .w = {.id = mm_q_int(q, 0),
		.until = mm_q_int(q, 7),
		.owner = mm_arena_strdup(w->a, mm_q_str(q, 8)),
		.reason = mm_arena_strdup(w->a, mm_q_str(q, 9))}};
	v->w.expired = v->w.until <= now;
}

static int in_order(const struct scope *x, const struct scope *y)
{
	return (x > y) - (x < y);
}

static int by_user(const void *x, const void *y)
{
	const struct scope *a = *(const struct scope *const *)x, *b = *(const struct scope *const *)y;
	int rc = strcmp(a->user, b->user);

	return rc ? rc : in_order(a, b);
}

static int by_host(const void *x, const void *y)
{
	const struct scope *a = *(const struct scope *const *)x, *b = *(const struct scope *const *)y;
	int rc = strcmp(a->host, b->host);

	return rc ? rc : in_order(a, b);
}

static int by_place(const void *x, const void *y)
{
	return in_order(*(const struct scope *const *)x, *(const struct scope *const *)y);
}

static void sort_out(struct mm_waivers *w)
{
	w->by_user = mm_arena_alloc(w->a, w->n + 1, sizeof(*w->by_user));
	w->by_host = mm_arena_alloc(w->a, w->n + 1, sizeof(*w->by_host));
	w->broad = mm_arena_alloc(w->a, w->n + 1, sizeof(*w->broad));
	w->here = mm_arena_alloc(w->a, w->n + 1, sizeof(*w->here));
	for (size_t i = 0; i < w->n; i++) {
		const struct scope *v = &w->all[i];

		if (*v->user)
			w->by_user[w->n_user++] = v;
		else if (*v->host)
			w->by_host[w->n_host++] = v;
		else
			w->broad[w->n_broad++] = v;
	}
	qsort(w->by_user, w->n_user, sizeof(*w->by_user), by_user);
	qsort(w->by_host, w->n_host, sizeof(*w->by_host), by_host);
}

int mm_waivers_load(
    struct mm_store *s, const struct mm_moment *m, struct mm_waivers **out, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_waivers *w = mm_arena_alloc(a, 1, sizeof(*w));
	struct mm_q q;
	int rc;

	*w = (struct mm_waivers){.s = s, .a = a};
	if (mm_q_start(s, &q, MM_SQL_WAIVERS_AT, err, "i", m->now)) {
		mm_arena_free(a);
		return -1;
	}
	while ((rc = mm_q_step(&q, err)) == 1)
		add(w, &q, m->now);
	mm_q_done(&q);
	sort_out(w);
	if (rc < 0)
		mm_waivers_free(w);
	else
		*out = w;
	return rc;
}

void mm_waivers_free(struct mm_waivers *w)
{
	if (!w)
		return;
	free(w->host);
	free(w->user);
	mm_arena_free(w->a);
}

bool mm_waivers_any(const struct mm_waivers *w)
{
	return w->n > 0;
}

static int is_member(struct mm_waivers *w, const struct scope *v, const char *user, struct mm_err *err)
{
	int64_t one = 0;
	int rc = *v->group ? mm_q_one(w->s, &one, MM_SQL_MEMBER_OF, err, "tt", user, v->group) : 0;

	return rc < 0 ? -1 : rc == 0;
}

static int take(
    struct mm_waivers *w, const struct scope *v, const char *host, const char *user, struct mm_err *err)
{
	int in;

	if ((*v->host && !mm_streq(v->host, host)) || (*v->user && !mm_streq(v->user, user)))
		return 0;
	in = is_member(w, v, user, err);
	if (in > 0)
		w->here[w->n_here++] = v;
	return in < 0 ? -1 : 0;
}

/* The first of a sorted list whose name is `name`, or what would come behind it. */
static size_t first_of(const struct scope **list, size_t n, const char *name, bool user)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (strcmp(user ? list[mid]->user : list[mid]->host, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int gather(struct mm_waivers *w, const char *host, const char *user, struct mm_err *err)
{
	w->n_here = 0;
	for (size_t i = first_of(w->by_user, w->n_user, user, true);
	     i < w->n_user && mm_streq(w->by_user[i]->user, user); i++)
		if (take(w, w->by_user[i], host, user, err))
			return -1;
	for (size_t i = first_of(w->by_host, w->n_host, host, false);
	     i < w->n_host && mm_streq(w->by_host[i]->host, host); i++)
		if (take(w, w->by_host[i], host, user, err))
			return -1;
	for (size_t i = 0; i < w->n_broad; i++)
		if (take(w, w->broad[i], host, user, err))
			return -1;
	if (w->n_here > 1)
		qsort(w->here, w->n_here, sizeof(*w->here), by_place);
	return 0;
}

int mm_waivers_place(struct mm_waivers *w, const char *host, const char *user, bool *any, struct mm_err *err)
{
	if (w->n > 0 && (!w->host || !mm_streq(w->user, user) || !mm_streq(w->host, host))) {
		free(w->host);
		free(w->user);
		w->host = mm_xstrdup(host);
		w->user = mm_xstrdup(user);
		if (gather(w, host, user, err))
			return -1;
	}
	*any = w->n_here > 0;
	return 0;
}

struct mm_waiver_of mm_waivers_find(
    const struct mm_waivers *w, const char *client, const char *account, const char *check)
{
	for (size_t i = 0; i < w->n_here; i++) {
		const struct scope *v = w->here[i];

		if ((!*v->client || mm_streq(v->client, client)) &&
		    (!*v->account || mm_streq(v->account, account)) &&
		    (!*v->check || mm_streq(v->check, check)))
			return v->w;
	}
	return (struct mm_waiver_of){.id = 0, .owner = "", .reason = ""};
}

struct mm_waiver_of mm_waivers_find_either(
    const struct mm_waivers *w, const char *client, const char *account, const char *check, const char *other)
{
	struct mm_waiver_of a = mm_waivers_find(w, client, account, check);
	struct mm_waiver_of b = mm_waivers_find(w, client, account, other);

	return b.id > 0 && b.until > a.until ? b : a;
}
