#include "controller/rollout/assign.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "common/digest.h"
#include "common/text.h"

#define NO_WAVE (-1)

/* One host while it is being assigned. */
struct item {
	struct mm_ro_candidate *host;
	uint64_t hash;
	size_t *strata; /* numbers of its combinations */
	size_t n_strata;
	size_t gain; /* combinations that it would add; an upper bound until looked at */
};

struct work {
	struct item *items; /* in order of hash */
	size_t n;
	struct mm_arena *a;
	const char **names; /* sorted distinct combinations */
	size_t n_names;
	bool *have; /* one for each: wave 0 holds it */
};

uint64_t mm_ro_hash(const char *seed, const char *host)
{
	struct mm_sha256_ctx *c = mm_sha256_begin();
	uint8_t sum[MM_SHA256_LEN];
	uint64_t v;

	mm_sha256_add(c, seed, strlen(seed) + 1);
	mm_sha256_add(c, host, strlen(host));
	mm_sha256_end(c, sum);
	memcpy(&v, sum, sizeof(v));
	return be64toh(v);
}

#define RETRY_FIRST_S 60
#define RETRY_MAX_S 21600
#define SPLAY 10 /* percent */

int64_t mm_ro_retry_after(const char *seed, const char *host, int64_t tries)
{
	int64_t wait = RETRY_FIRST_S, splay;

	for (int64_t i = 1; i < tries && wait < RETRY_MAX_S; i++)
		wait *= 2;
	if (wait > RETRY_MAX_S)
		wait = RETRY_MAX_S;
	splay = wait * SPLAY / 100;
	return wait - splay + (int64_t)(mm_ro_hash(seed, host) % (uint64_t)(2 * splay + 1));
}

int64_t mm_ro_jitter(const struct mm_ro_terms *t, const char *seed, const char *host)
{
	if (t->jitter_s == 0)
		return 0;
	return (int64_t)(mm_ro_hash(seed, host) % (uint64_t)(t->jitter_s + 1));
}

/* ---- combinations */

static const char *known(const char *s)
{
	return s != NULL ? s : "";
}

static bool is_unknown(const struct mm_ro_candidate *h)
{
	return *known(h->os) == '\0' && h->n_clients == 0 && h->n_servers == 0;
}

static const char *combination(
    struct mm_arena *a, const struct mm_ro_candidate *h, size_t client, size_t server)
{
	bool c = client < h->n_clients, s = server < h->n_servers;

	return mm_arena_printf(a, "%s\n%s\n%s\n%s", c ? known(h->clients[client].name) : "",
	    c ? known(h->clients[client].version) : "", s ? known(h->servers[server]) : "", known(h->os));
}

/* All of them into w->names, with repetitions; how many of each host into n_strata. */
static void list_combinations(struct work *w)
{
	size_t cap = 0;

	for (size_t i = 0; i < w->n; i++) {
		const struct mm_ro_candidate *h = w->items[i].host;
		size_t clients = h->n_clients > 0 ? h->n_clients : 1;
		size_t servers = h->n_servers > 0 ? h->n_servers : 1;
		size_t n = is_unknown(h) ? 0 : clients * servers;

		if (n > MM_RO_HOST_STRATA_MAX)
			n = MM_RO_HOST_STRATA_MAX;
		w->items[i].n_strata = n;
		for (size_t k = 0; k < n; k++) {
			const char **slot =
			    mm_arena_push(w->a, &w->names, &w->n_names, &cap, sizeof(*w->names));
			*slot = combination(w->a, h, k % clients, k / clients);
		}
	}
}

static int by_text(const void *x, const void *y)
{
	const char *const *a = x, *const *b = y;

	return strcmp(*a, *b);
}

static void number_combinations(struct work *w)
{
	const char **listed = w->names;
	const char **sorted;
	size_t total = w->n_names, n = 0, at = 0;

	if (total == 0)
		return;
	sorted = mm_arena_alloc(w->a, total, sizeof(*sorted));
	memcpy(sorted, listed, total * sizeof(*sorted));
	qsort(sorted, total, sizeof(*sorted), by_text);
	for (size_t i = 0; i < total; i++)
		if (n == 0 || strcmp(sorted[n - 1], sorted[i]) != 0)
			sorted[n++] = sorted[i];
	for (size_t i = 0; i < w->n; i++) {
		struct item *it = &w->items[i];

		it->strata = mm_arena_alloc(w->a, it->n_strata + 1, sizeof(*it->strata));
		it->gain = it->n_strata;
		for (size_t k = 0; k < it->n_strata; k++, at++) {
			const char **p = bsearch(&listed[at], sorted, n, sizeof(*sorted), by_text);
			it->strata[k] = p != NULL ? (size_t)(p - sorted) : 0;
		}
	}
	w->names = sorted;
	w->n_names = n;
	w->have = mm_arena_alloc(w->a, n, sizeof(*w->have));
}

/* ---- wave 0 */

static size_t gain_of(const struct work *w, const struct item *it)
{
	size_t gain = 0;

	for (size_t k = 0; k < it->n_strata; k++)
		if (!w->have[it->strata[k]])
			gain++;
	return gain;
}

static void take_first(struct work *w, struct item *it)
{
	it->host->wave = 0;
	for (size_t k = 0; k < it->n_strata; k++)
		w->have[it->strata[k]] = true;
}

/* One pass over the hosts that may add `gain` combinations: gains only
 * shrink, so this is the greedy cover without looking at all hosts anew for
 * each choice. Returns how many were taken. */
static int64_t take_pass(struct work *w, size_t gain, bool unreachable)
{
	int64_t taken = 0;

	for (size_t i = 0; i < w->n; i++) {
		struct item *it = &w->items[i];

		if (it->host->wave != NO_WAVE || it->gain != gain ||
		    it->host->last_unreachable != unreachable)
			continue;
		it->gain = gain_of(w, it);
		if (it->gain == gain) {
			take_first(w, it);
			taken++;
		}
	}
	return taken;
}

static int64_t cover(struct work *w)
{
	size_t most = 0;
	int64_t taken = 0;

	for (size_t i = 0; i < w->n; i++)
		if (w->items[i].n_strata > most)
			most = w->items[i].n_strata;
	/* Who could not be reached stands only for what nobody else has. */
	for (int unreachable = 0; unreachable < 2; unreachable++)
		for (size_t gain = most; gain > 0; gain--)
			taken += take_pass(w, gain, unreachable != 0);
	return taken;
}

/* ---- all waves */

/* The next in order of hash who are in no wave yet. */
static int64_t fill(struct work *w, int64_t wave, int64_t room, bool unreachable_too, size_t *from)
{
	int64_t taken = 0;

	for (size_t i = *from; i < w->n && taken < room; i++) {
		struct mm_ro_candidate *h = w->items[i].host;

		if (h->wave != NO_WAVE || (h->last_unreachable && !unreachable_too))
			continue;
		h->wave = wave;
		taken++;
		if (unreachable_too)
			*from = i + 1;
	}
	return taken;
}

static int64_t wave_size(const struct mm_ro_terms *t, size_t wave, int64_t hosts)
{
	int64_t n = mm_share_of(&t->waves[wave < t->n_waves ? wave : t->n_waves - 1], hosts);

	return n > 0 ? n : 1;
}

static void fill_waves(const struct mm_ro_terms *t, struct work *w, struct mm_ro_plan *p)
{
	int64_t left = p->hosts;
	size_t from = 0, cap = 0, none = 0;

	while (left > 0) {
		int64_t size = wave_size(t, p->n_waves, p->hosts);
		int64_t *slot;
		int64_t n = 0;

		if (p->n_waves == 0) {
			p->asked = size < p->hosts ? size : p->hosts;
			n = cover(w);
			n += fill(w, 0, size - n, false, &none);
		}
		n += fill(w, (int64_t)p->n_waves, size - n, true, &from);
		slot = mm_arena_push(w->a, &p->sizes, &p->n_waves, &cap, sizeof(*p->sizes));
		*slot = n;
		left -= n;
	}
}

static int by_hash(const void *x, const void *y)
{
	const struct item *a = x, *b = y;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	return strcmp(a->host->id, b->host->id);
}

static int by_place(const void *x, const void *y)
{
	const struct item *a = x, *b = y;

	if (a->host->wave != b->host->wave)
		return a->host->wave < b->host->wave ? -1 : 1;
	if (a->host->last_unreachable != b->host->last_unreachable)
		return a->host->last_unreachable ? 1 : -1;
	return by_hash(x, y);
}

static void say(struct work *w, struct mm_ro_plan *p)
{
	p->strata = (int64_t)w->n_names;
	for (size_t i = 0; i < w->n; i++)
		if (is_unknown(w->items[i].host))
			p->unknown++;
	p->note = "";
	if (p->n_waves > 0 && p->sizes[0] > p->asked)
		p->note = mm_arena_printf(w->a,
		    "the first wave has %lld hosts instead of %lld, so that each of %lld combinations of "
		    "client, "
		    "version, mail server and OS release is in it",
		    (long long)p->sizes[0], (long long)p->asked, (long long)p->strata);
}

void mm_ro_assign(const struct mm_ro_terms *t, const char *seed, struct mm_ro_candidate *hosts, size_t n,
    struct mm_arena *a, struct mm_ro_plan *out)
{
	struct mm_ro_plan p = {.hosts = (int64_t)n};
	struct work w = {.n = n, .a = mm_arena_new()};

	w.items = mm_arena_alloc(w.a, n + 1, sizeof(*w.items));
	for (size_t i = 0; i < n; i++) {
		hosts[i].wave = NO_WAVE;
		w.items[i] =
		    (struct item){.host = &hosts[i], .hash = mm_ro_hash(t->sticky ? "" : seed, hosts[i].id)};
	}
	qsort(w.items, n, sizeof(*w.items), by_hash);
	list_combinations(&w);
	number_combinations(&w);
	fill_waves(t, &w, &p);
	qsort(w.items, n, sizeof(*w.items), by_place);
	for (size_t i = 0; i < n; i++)
		w.items[i].host->rank = (int64_t)i;
	say(&w, &p);
	/* What the caller keeps, out of the memory that goes. */
	int64_t *sizes = mm_arena_alloc(a, p.n_waves + 1, sizeof(*sizes));
	if (p.n_waves > 0)
		memcpy(sizes, p.sizes, p.n_waves * sizeof(*sizes));
	p.sizes = sizes;
	p.note = mm_arena_strdup(a, p.note);
	mm_arena_free(w.a);
	*out = p;
}
