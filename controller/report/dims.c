#include "controller/report/dims.h"

#include <stdlib.h>
#include <string.h>

#include "common/text.h"

struct counts {
	struct mm_dim_count *v;
	size_t n, cap, last;
	int64_t left;
};

struct person {
	const char *login;
	size_t first, n; /* in `groups` */
};

struct mm_dims {
	struct mm_arena *a;
	struct counts dim[MM_DIM_COUNT];
	struct person *people; /* in order of login */
	size_t n_people, cap_people;
	size_t *groups; /* places in dim[MM_DIM_GROUP] */
	size_t n_groups, cap_groups;
	size_t in_none;                                                  /* place of the people in no group */
	const char *only;                                                /* group */
	char host[MM_REPORT_NAME_MAX + 1], user[MM_REPORT_NAME_MAX + 1]; /* of the last result */
	const struct person *who;
	int64_t place;
};

const char *mm_dim_name(enum mm_dim d)
{
	static const char *const name[MM_DIM_COUNT] = {"all", "check", "group", "client"};
	return name[d];
}

int64_t mm_dim_failing(const struct mm_dim_count *c)
{
	return c->by[MM_OUT_DRIFTED] + c->by[MM_OUT_FAILED];
}

int64_t mm_dim_whole(const struct mm_dim_count *c)
{
	int64_t n = 0;
	for (int i = 0; i < MM_OUT_COUNT; i++)
		n += i == MM_OUT_NOT_APPLICABLE ? 0 : c->by[i];
	return n;
}

static struct mm_dim_count *push(struct mm_dims *d, enum mm_dim dim, const char *name)
{
	struct counts *c = &d->dim[dim];
	struct mm_dim_count *v = mm_arena_push(d->a, &c->v, &c->n, &c->cap, sizeof(*c->v));
	*v = (struct mm_dim_count){.name = mm_arena_strdup(d->a, name)};
	return v;
}

#define NOWHERE SIZE_MAX

/* Names are few, or come in runs: the last is looked at first. */
static size_t place_of(struct mm_dims *d, enum mm_dim dim, const char *name)
{
	struct counts *c = &d->dim[dim];
	if (c->last < c->n && mm_streq(c->v[c->last].name, name))
		return c->last;
	for (size_t i = 0; i < c->n; i++)
		if (mm_streq(c->v[i].name, name))
			return c->last = i;
	if (c->n >= MM_DIM_NAMES_MAX)
		return NOWHERE;
	push(d, dim, name);
	return c->last = c->n - 1;
}

/* ---- who is in which group */

static int take_member(const char *login, const char *group, void *arg, struct mm_err *err)
{
	(void)err;
	struct mm_dims *d = arg;
	if (d->only != NULL && !mm_streq(d->only, group))
		return 0;
	struct person *p = d->n_people > 0 ? &d->people[d->n_people - 1] : NULL;
	if (p == NULL || !mm_streq(p->login, login)) {
		p = mm_arena_push(d->a, &d->people, &d->n_people, &d->cap_people, sizeof(*d->people));
		*p = (struct person){.login = mm_arena_strdup(d->a, login), .first = d->n_groups};
	}
	size_t *g = mm_arena_push(d->a, &d->groups, &d->n_groups, &d->cap_groups, sizeof(*d->groups));
	*g = place_of(d, MM_DIM_GROUP, group);
	p->n++;
	return 0;
}

static int by_login(const void *key, const void *person)
{
	return strcmp(key, ((const struct person *)person)->login);
}

static const struct person *find_person(const struct mm_dims *d, const char *login)
{
	if (d->n_people == 0)
		return NULL;
	return bsearch(login, d->people, d->n_people, sizeof(*d->people), by_login);
}

int mm_dims_new(
    struct mm_store *s, const char *group, struct mm_arena *a, struct mm_dims **out, struct mm_err *err)
{
	struct mm_dims *d = mm_arena_alloc(a, 1, sizeof(*d));
	*d = (struct mm_dims){.a = a, .only = group};
	push(d, MM_DIM_ALL, "");
	if (group == NULL)
		push(d, MM_DIM_GROUP, ""); /* those in none */
	if (mm_store_membership_each(s, take_member, d, err) < 0)
		return -1;
	*out = d;
	return 0;
}

/* ---- counting */

static void count(struct mm_dim_count *c, const struct mm_dims *d, const struct mm_check_result *r)
{
	bool fails = r->outcome == MM_OUT_DRIFTED || r->outcome == MM_OUT_FAILED;
	c->by[r->outcome]++;
	c->stale += r->stale && r->outcome == MM_OUT_UNKNOWN;
	c->claimed += r->evidence == MM_EV_CLAIMED && r->seen > 0;
	c->expired_waivers +=
	    r->waiver.id > 0 && r->waiver.expired && (fails || r->outcome == MM_OUT_UNKNOWN);
	if (r->seen > 0 && (c->oldest == 0 || r->seen < c->oldest))
		c->oldest = r->seen;
	if (*r->user == '\0')
		return;
	if (c->place != d->place)
		c->users++;
	c->place = d->place;
	if (fails && c->place_failing != d->place) {
		c->users_failing++;
		c->place_failing = d->place;
	}
}

static struct mm_dim_count *check_at(struct mm_dims *d, size_t index)
{
	struct counts *c = &d->dim[MM_DIM_CHECK];
	while (c->n <= index)
		push(d, MM_DIM_CHECK, NULL);
	return &c->v[index];
}

static void count_check(struct mm_dims *d, const struct mm_check_result *r)
{
	struct mm_dim_count *c = check_at(d, r->check->index);
	c->name = r->check->id;
	c->check = r->check;
	count(c, d, r);
}

static void count_at(struct mm_dims *d, enum mm_dim dim, size_t at, const struct mm_check_result *r)
{
	if (at == NOWHERE)
		d->dim[dim].left++;
	else
		count(&d->dim[dim].v[at], d, r);
}

static void count_groups(struct mm_dims *d, const struct mm_check_result *r)
{
	/* the system's own files are nobody's */
	if (*r->user == '\0' || mm_streq(r->user, "*"))
		return;
	if (d->who == NULL && d->only == NULL)
		count_at(d, MM_DIM_GROUP, 0, r);
	for (size_t i = 0; d->who != NULL && i < d->who->n; i++)
		count_at(d, MM_DIM_GROUP, d->groups[d->who->first + i], r);
}

/* A (host, user) begins: is it another than before? */
static void at_place(struct mm_dims *d, const struct mm_check_result *r)
{
	if (d->place > 0 && mm_streq(d->host, r->host) && mm_streq(d->user, r->user))
		return;
	d->place++;
	d->who = find_person(d, r->user);
	snprintf(d->host, sizeof(d->host), "%s", r->host);
	snprintf(d->user, sizeof(d->user), "%s", r->user);
}

void mm_dims_add(struct mm_dims *d, const struct mm_check_result *r)
{
	at_place(d, r);
	count(&d->dim[MM_DIM_ALL].v[0], d, r);
	count_check(d, r);
	if (*r->client != '\0')
		count_at(d, MM_DIM_CLIENT, place_of(d, MM_DIM_CLIENT, r->client), r);
	count_groups(d, r);
}

/* ---- parts of the fleet */

struct mm_dims *mm_dims_part(const struct mm_dims *d, struct mm_arena *a)
{
	struct mm_dims *p = mm_arena_alloc(a, 1, sizeof(*p));
	*p = (struct mm_dims){.a = a,
	    .people = d->people,
	    .n_people = d->n_people,
	    .groups = d->groups,
	    .n_groups = d->n_groups,
	    .only = d->only};
	push(p, MM_DIM_ALL, "");
	for (size_t i = 0; i < d->dim[MM_DIM_GROUP].n; i++)
		push(p, MM_DIM_GROUP, d->dim[MM_DIM_GROUP].v[i].name);
	return p;
}

static void add_counts(struct mm_dim_count *c, const struct mm_dim_count *more)
{
	for (int i = 0; i < MM_OUT_COUNT; i++)
		c->by[i] += more->by[i];
	c->stale += more->stale;
	c->claimed += more->claimed;
	c->expired_waivers += more->expired_waivers;
	c->users += more->users;
	c->users_failing += more->users_failing;
	if (more->oldest > 0 && (c->oldest == 0 || more->oldest < c->oldest))
		c->oldest = more->oldest;
}

static int64_t results_in(const struct mm_dim_count *c)
{
	return mm_dim_whole(c) + c->by[MM_OUT_NOT_APPLICABLE];
}

static void join_clients(struct mm_dims *d, const struct counts *part)
{
	for (size_t i = 0; i < part->n; i++) {
		size_t at = place_of(d, MM_DIM_CLIENT, part->v[i].name);
		if (at == NOWHERE)
			d->dim[MM_DIM_CLIENT].left += results_in(&part->v[i]);
		else
			add_counts(&d->dim[MM_DIM_CLIENT].v[at], &part->v[i]);
	}
}

void mm_dims_join(struct mm_dims *d, const struct mm_dims *part)
{
	const struct counts *check = &part->dim[MM_DIM_CHECK], *group = &part->dim[MM_DIM_GROUP];
	add_counts(&d->dim[MM_DIM_ALL].v[0], &part->dim[MM_DIM_ALL].v[0]);
	for (size_t i = 0; i < check->n; i++) {
		struct mm_dim_count *c = check_at(d, i);
		if (check->v[i].check != NULL) {
			c->check = check->v[i].check;
			c->name = c->check->id;
		}
		add_counts(c, &check->v[i]);
	}
	for (size_t i = 0; i < group->n; i++)
		add_counts(&d->dim[MM_DIM_GROUP].v[i], &group->v[i]);
	join_clients(d, &part->dim[MM_DIM_CLIENT]);
	for (enum mm_dim dim = MM_DIM_ALL; dim < MM_DIM_COUNT; dim++)
		d->dim[dim].left += part->dim[dim].left;
}

/* ---- looking at them */

static int descending(int64_t a, int64_t b)
{
	return (a < b) - (a > b);
}

static int worse(const void *x, const void *y)
{
	const struct mm_dim_count *a = *(const struct mm_dim_count *const *)x,
				  *b = *(const struct mm_dim_count *const *)y;
	int64_t fa = mm_dim_failing(a), fb = mm_dim_failing(b);
	int rc = descending(fa > 0, fb > 0);
	if (rc == 0 && fa > 0 && a->check != NULL && b->check != NULL)
		rc = descending(a->check->severity, b->check->severity);
	if (rc == 0)
		rc = descending(fa, fb);
	if (rc == 0)
		rc = descending(a->by[MM_OUT_UNKNOWN], b->by[MM_OUT_UNKNOWN]);
	return rc != 0 ? rc : strcmp(a->name, b->name);
}

const struct mm_dim_count *const *mm_dims_get(const struct mm_dims *d, enum mm_dim dim, size_t *n)
{
	const struct counts *c = &d->dim[dim];
	const struct mm_dim_count **v = mm_arena_alloc(d->a, c->n + 1, sizeof(*v));
	*n = 0;
	for (size_t i = 0; i < c->n; i++)
		if (results_in(&c->v[i]) > 0)
			v[(*n)++] = &c->v[i];
	if (*n > 0)
		qsort(v, *n, sizeof(*v), worse);
	return v;
}

const struct mm_dim_count *mm_dims_all(const struct mm_dims *d)
{
	return &d->dim[MM_DIM_ALL].v[0];
}

int64_t mm_dims_left(const struct mm_dims *d, enum mm_dim dim)
{
	return d->dim[dim].left;
}

/* ---- samples */

static struct mm_sample sample(
    enum mm_dim dim, const struct mm_dim_count *c, const char *baseline, int64_t revision)
{
	return (struct mm_sample){.dimension = mm_dim_name(dim),
	    .name = c->name,
	    .baseline = baseline,
	    .revision = revision,
	    .compliant = c->by[MM_OUT_COMPLIANT],
	    .drifted = c->by[MM_OUT_DRIFTED],
	    .failed = c->by[MM_OUT_FAILED],
	    .unknown = c->by[MM_OUT_UNKNOWN],
	    .waived = c->by[MM_OUT_WAIVED],
	    .deferred = c->by[MM_OUT_DEFERRED],
	    .notapplicable = c->by[MM_OUT_NOT_APPLICABLE],
	    .stale = c->stale};
}

int mm_dims_sample(const struct mm_dims *d, struct mm_store *s, const char *baseline, struct mm_err *err)
{
	struct mm_sample *v = NULL;
	size_t n = 0, cap = 0;
	int64_t revision = 0;
	struct mm_arena *a = mm_arena_new();
	int rc = mm_store_revision_current(s, &revision, err);
	for (enum mm_dim dim = MM_DIM_ALL; dim < MM_DIM_COUNT; dim++) {
		size_t count = 0;
		const struct mm_dim_count *const *c = mm_dims_get(d, dim, &count);
		for (size_t i = 0; i < count && n < MM_SAMPLES_A_DAY; i++) {
			struct mm_sample *one = mm_arena_push(a, &v, &n, &cap, sizeof(*v));
			*one = sample(dim, c[i], baseline, revision);
		}
	}
	if (rc == 0 && n > 0)
		rc = mm_store_samples_put(s, v, n, err);
	mm_arena_free(a);
	return rc;
}
