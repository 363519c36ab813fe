#include "controller/push_causes.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

#define BUCKETS 1024

struct mm_causes {
	struct mm_arena *a;
	struct mm_cause *buckets[BUCKETS];
	size_t n;
	const char *host, *user; /* of the latest place */
};

struct mm_causes *mm_causes_new(struct mm_arena *a)
{
	struct mm_causes *c = mm_arena_alloc(a, 1, sizeof(*c));
	c->a = a;
	return c;
}

/* FNV-1a */
static uint32_t add_hash(uint32_t h, const char *s)
{
	for (const char *p = s; *p != '\0'; p++)
		h = (h ^ (unsigned char)*p) * 16777619u;
	return (h ^ 0xffu) * 16777619u;
}

static bool same(const struct mm_cause *g, const struct mm_login *l)
{
	return g->result == l->result && g->port == l->port && mm_streq(g->cls, l->cls) &&
	       mm_streq(g->protocol, l->protocol) && mm_streq(g->server, l->host) &&
	       (*l->host != '\0' || mm_streq(g->text, l->text));
}

static struct mm_cause *cause_of(struct mm_causes *c, const struct mm_login *l)
{
	uint32_t h = add_hash(add_hash(2166136261u + (uint32_t)l->port, l->cls), l->host);
	struct mm_cause **bucket = &c->buckets[h % BUCKETS];
	for (struct mm_cause *g = *bucket; g != NULL; g = g->next)
		if (same(g, l))
			return g;
	struct mm_cause *g = mm_arena_alloc(c->a, 1, sizeof(*g));
	*g = (struct mm_cause){
	    .next = *bucket,
	    .result = l->result,
	    .cls = mm_arena_strdup(c->a, l->cls),
	    .protocol = mm_arena_strdup(c->a, l->protocol),
	    .server = mm_arena_strdup(c->a, l->host),
	    .port = l->port,
	    .text = mm_arena_strdup(c->a, l->text),
	    .admin = mm_arena_strdup(c->a, l->admin),
	    .fix = mm_arena_strdup(c->a, l->ladder.fix != NULL ? l->ladder.fix : ""),
	};
	*bucket = g;
	c->n++;
	return g;
}

void mm_causes_add(struct mm_causes *c, const char *host, const struct mm_login *l)
{
	struct mm_cause *g = cause_of(c, l);
	g->logins++;
	if (g->latest != NULL && mm_streq(g->latest->host, host) && mm_streq(g->latest->user, l->user))
		return;
	/* The two sides of an account come one after the other. */
	if (!mm_streq(c->host, host))
		c->host = mm_arena_strdup(c->a, host);
	if (!mm_streq(c->user, l->user))
		c->user = mm_arena_strdup(c->a, l->user);
	struct mm_cause_place *p = mm_arena_alloc(c->a, 1, sizeof(*p));
	*p = (struct mm_cause_place){.host = c->host, .user = c->user};
	if (g->latest != NULL)
		g->latest->next = p;
	else
		g->first = p;
	g->latest = p;
	g->n_places++;
}

/* ---- counting and order */

static int by_text(const void *x, const void *y)
{
	const char *const *a = x, *const *b = y;
	return strcmp(*a, *b);
}

static size_t distinct(const char **names, size_t n)
{
	size_t count = 0;
	qsort(names, n, sizeof(*names), by_text);
	for (size_t i = 0; i < n; i++)
		count += i == 0 || strcmp(names[i - 1], names[i]) != 0;
	return count;
}

static int by_place(const void *x, const void *y)
{
	const struct mm_cause_place *const *a = x, *const *b = y;
	int rc = strcmp((*a)->host, (*b)->host);
	return rc != 0 ? rc : strcmp((*a)->user, (*b)->user);
}

/* Hosts answer in any order. */
static void sort_places(struct mm_cause *g)
{
	struct mm_cause_place **list = mm_xcalloc(g->n_places + 1, sizeof(struct mm_cause_place *));
	size_t n = 0;
	for (struct mm_cause_place *p = g->first; p != NULL; p = p->next)
		list[n++] = p;
	qsort(list, n, sizeof(struct mm_cause_place *), by_place);
	for (size_t i = 0; i < n; i++)
		list[i]->next = list[i + 1];
	g->first = list[0];
	g->latest = n > 0 ? list[n - 1] : NULL;
	free(list);
}

static void count_distinct(struct mm_cause *g)
{
	const char **names = mm_xcalloc(g->n_places + 1, sizeof(*names));
	size_t n = 0;
	for (const struct mm_cause_place *p = g->first; p != NULL; p = p->next)
		names[n++] = p->user;
	g->users = distinct(names, n);
	n = 0;
	for (const struct mm_cause_place *p = g->first; p != NULL; p = p->next)
		names[n++] = p->host;
	g->hosts = distinct(names, n);
	free(names);
}

static int rank(const struct mm_cause *g)
{
	static const int ranks[] = {[MM_AUDIT_FAIL] = 0,
	    [MM_AUDIT_UNKNOWN] = 1,
	    [MM_AUDIT_NOT_APPLICABLE] = 2,
	    [MM_AUDIT_PASS] = 3,
	    [MM_AUDIT_WAIVED] = 2};
	return ranks[mm_login_verdict(g->result, g->cls).audit];
}

static int in_order(const void *x, const void *y)
{
	const struct mm_cause *const *a = x, *const *b = y;
	if (rank(*a) != rank(*b))
		return rank(*a) - rank(*b);
	if ((*a)->logins != (*b)->logins)
		return (*a)->logins > (*b)->logins ? -1 : 1;
	int rc = strcmp((*a)->server, (*b)->server);
	rc = rc != 0 ? rc : (*a)->port - (*b)->port;
	rc = rc != 0 ? rc : strcmp((*a)->protocol, (*b)->protocol);
	return rc != 0 ? rc : strcmp((*a)->cls, (*b)->cls);
}

const struct mm_cause *const *mm_causes_sorted(struct mm_causes *c, size_t *n)
{
	const struct mm_cause **list = mm_arena_alloc(c->a, c->n + 1, sizeof(*list));
	size_t k = 0;
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct mm_cause *g = c->buckets[i]; g != NULL; g = g->next) {
			sort_places(g);
			count_distinct(g);
			list[k++] = g;
		}
	if (k > 0)
		qsort(list, k, sizeof(*list), in_order);
	*n = k;
	return list;
}
