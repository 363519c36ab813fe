#include "controller/rollout_servers.h"

#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "controller/policy_store.h"

#define SERVERS_OF_USER 32

struct person {
	const char *login;
	const char *servers[SERVERS_OF_USER]; /* one entry for each login */
	size_t n;
};

struct mm_server_finder {
	struct mm_store *store;
	struct mm_arena *a;
	struct mm_stored_policy p;
	struct person **people; /* sorted by login */
	size_t n, cap;
};

int mm_server_finder_new(
    struct mm_store *s, int64_t revision, struct mm_server_finder **out, struct mm_err *err)
{
	struct mm_server_finder *f = mm_xcalloc(1, sizeof(*f));
	f->store = s;
	f->a = mm_arena_new();
	int rc = mm_policy_stored(s, revision, f->a, &f->p, err);
	if (rc > 0)
		rc = mm_err_set(err, MM_EX_FAILED, "there is no revision %lld", (long long)revision);
	if (rc != 0)
		mm_server_finder_free(f);
	else
		*out = f;
	return rc;
}

void mm_server_finder_free(struct mm_server_finder *f)
{
	if (f == NULL)
		return;
	mm_arena_free(f->a);
	free(f);
}

static void add_server(struct mm_server_finder *f, struct person *p, const char *host)
{
	if (host == NULL || p->n >= SERVERS_OF_USER)
		return;
	p->servers[p->n++] = mm_arena_strdup(f->a, host);
}

static int resolve(struct mm_server_finder *f, struct person *p, struct mm_err *err)
{
	struct mm_arena *work = mm_arena_new();
	struct mm_store_user u;
	struct mm_resolved *r;
	struct mm_diags d;
	int rc = mm_store_user_get(f->store, p->login, work, &u, err);
	if (rc == 0) {
		struct mm_subject s = mm_subject_of(&u, work);
		mm_diags_init(&d, work);
		if (mm_resolve(f->p.policy, &s, NULL, 0, work, &r, &d) == 0)
			for (size_t i = 0; i < r->n_accounts; i++) {
				add_server(f, p, r->accounts[i].set[MM_SET_IN_HOST].value);
				add_server(f, p, r->accounts[i].set[MM_SET_OUT_HOST].value);
			}
	}
	mm_arena_free(work);
	return rc < 0 ? -1 : 0;
}

/* Where the login is, or belongs. */
static size_t place_of(const struct mm_server_finder *f, const char *login, bool *found)
{
	size_t lo = 0, hi = f->n;
	*found = false;
	while (lo < hi && !*found) {
		size_t mid = lo + (hi - lo) / 2;
		int order = strcmp(f->people[mid]->login, login);
		*found = order == 0;
		if (order < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return *found ? hi : lo;
}

static int person_of(
    struct mm_server_finder *f, const char *login, const struct person **out, struct mm_err *err)
{
	bool found;
	size_t at = place_of(f, login, &found);
	if (!found) {
		struct person *p = mm_arena_alloc(f->a, 1, sizeof(*p));
		p->login = mm_arena_strdup(f->a, login);
		if (resolve(f, p, err) < 0)
			return -1;
		struct person **place =
		    mm_arena_push(f->a, &f->people, &f->n, &f->cap, sizeof(struct person *));
		*place = p;
		memmove(&f->people[at + 1], &f->people[at], (f->n - 1 - at) * sizeof(struct person *));
		f->people[at] = p;
	}
	*out = f->people[at];
	return 0;
}

static int by_text(const void *x, const void *y)
{
	const char *const *a = x, *const *b = y;
	return strcmp(*a, *b);
}

/* Sort the names of all logins, then count the same ones. */
static void count(const char **all, size_t n, struct mm_arena *a, struct mm_host_servers *out)
{
	const char **names = mm_arena_alloc(a, n + 1, sizeof(*names));
	int64_t *logins = mm_arena_alloc(a, n + 1, sizeof(*logins));
	size_t k = 0;
	if (n > 0)
		qsort(all, n, sizeof(*all), by_text);
	for (size_t i = 0; i < n; i++) {
		if (k == 0 || !mm_streq(names[k - 1], all[i]))
			names[k++] = mm_arena_strdup(a, all[i]);
		logins[k - 1]++;
	}
	*out = (struct mm_host_servers){.names = names, .logins = logins, .n = k};
}

int mm_server_find(struct mm_server_finder *f, const struct mm_store_host *h, struct mm_arena *a,
    struct mm_host_servers *out, struct mm_err *err)
{
	size_t n_users = h->all_users ? 0 : h->n_users, n = 0;
	const char **all = mm_xcalloc(n_users * SERVERS_OF_USER + 1, sizeof(*all));
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < n_users; i++) {
		const struct person *p;
		rc = person_of(f, h->users[i], &p, err);
		for (size_t k = 0; rc == 0 && k < p->n; k++)
			all[n++] = p->servers[k];
	}
	if (rc == 0)
		count(all, n, a, out);
	free(all);
	return rc;
}

/* ---- the loads of a rollout */

struct loading {
	struct mm_rollout_state *st;
	struct mm_server_finder *f;
	const char **servers; /* their numbers are their places */
	size_t cap;
};

static unsigned number_of(struct loading *l, const char *name)
{
	for (size_t i = 0; i < l->st->n_servers; i++)
		if (mm_streq(l->servers[i], name))
			return (unsigned)i;
	const char **place = mm_arena_push(l->st->a, &l->servers, &l->st->n_servers, &l->cap, sizeof(*place));
	*place = mm_arena_strdup(l->st->a, name);
	return (unsigned)(l->st->n_servers - 1);
}

static int load_host(const struct mm_store_host *h, void *arg, struct mm_err *err)
{
	struct loading *l = arg;
	struct mm_host_servers s;
	size_t i = mm_rollout_state_find(l->st, h->id);
	if (i == SIZE_MAX)
		return 0;
	struct mm_arena *work = mm_arena_new();
	int rc = mm_server_find(l->f, h, work, &s, err);
	if (rc == 0) {
		struct mm_ro_load *loads = mm_arena_alloc(l->st->a, s.n + 1, sizeof(*loads));
		for (size_t k = 0; k < s.n; k++)
			loads[k] = (struct mm_ro_load){number_of(l, s.names[k]), s.logins[k]};
		l->st->hosts[i].loads = loads;
		l->st->hosts[i].n_loads = s.n;
	}
	mm_arena_free(work);
	return rc;
}

int mm_rollout_loads(struct mm_rollout_state *st, struct mm_err *err)
{
	struct loading l = {.st = st};
	if (mm_server_finder_new(st->store, st->r.revision, &l.f, err) != 0)
		return -1;
	int rc = mm_store_host_each(st->store, NULL, load_host, &l, err);
	mm_server_finder_free(l.f);
	return rc;
}
