#include "agent/probe/sites.h"

#include <search.h>
#include <string.h>
#include <strings.h>

#include "agent/probe/clock.h"
#include "common/err.h"

static int by_place(const void *a, const void *b)
{
	const struct mm_server *x = a, *y = b;
	int rc = strcasecmp(x->host, y->host);
	return rc != 0 ? rc : (x->port > y->port) - (x->port < y->port);
}

/* The one in the tree that is like `key`; else a copy of it, that is new. */
static void *find_or_add(struct mm_sites *p, void **tree, const void *key, size_t size,
    int (*compare)(const void *, const void *), bool *is_new)
{
	void **slot = tfind(key, tree, compare);
	*is_new = slot == NULL;
	if (slot != NULL)
		return *slot;
	void *fresh = mm_arena_alloc(p->mem, 1, size);
	memcpy(fresh, key, size);
	if (tsearch(fresh, tree, compare) == NULL)
		mm_oom();
	return fresh;
}

static struct mm_server *server_of(struct mm_sites *p, const struct mm_endpoint *ep)
{
	bool is_new;
	struct mm_server key = {.host = ep->host, .port = ep->port};
	struct mm_server *s = find_or_add(p, &p->servers, &key, sizeof(key), by_place, &is_new);
	if (is_new) {
		s->asked = mm_clock_ms();
		s->name = mm_resolver_ask(p->resolver, s->host);
		mm_pace_init(&s->pace, p->per_server, p->per_second);
	}
	return s;
}

struct mm_site *mm_sites_of(struct mm_sites *p, const struct mm_test *t, const struct mm_probe_task *task)
{
	bool is_new;
	struct mm_site key = {.ep = t->ep, .task = task};
	struct mm_site *s = find_or_add(p, &p->by_endpoint, &key, sizeof(key), mm_site_compare, &is_new);
	if (!is_new)
		return s;
	s->server = server_of(p, &t->ep);
	s->limits = &t->limits;
	s->ep.has_secret = s->ep.has_ticket = false;
	s->next_all = p->all;
	p->all = s;
	return s;
}

static void keep(void *p)
{
	(void)p; /* it lives in the arena */
}

void mm_sites_end(struct mm_sites *p)
{
	tdestroy(p->by_endpoint, keep);
	tdestroy(p->servers, keep);
}
