#include "controller/push_changes.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/text.h"

#define BUCKETS 1024

struct mm_changes {
	struct mm_arena *a;
	struct mm_change *buckets[BUCKETS];
	size_t n, places, removals;
	json_t *users, *hosts, *clients, *servers, *paying[MM_COST_COUNT]; /* names as keys */
};

struct mm_changes *mm_changes_new(struct mm_arena *a)
{
	struct mm_changes *c = mm_arena_alloc(a, 1, sizeof(*c));
	c->a = a;
	c->users = json_object();
	c->hosts = json_object();
	c->clients = json_object();
	c->servers = json_object();
	for (int i = 0; i < MM_COST_COUNT; i++)
		c->paying[i] = json_object();
	return c;
}

void mm_changes_free(struct mm_changes *c)
{
	if (c == NULL)
		return;
	json_decref(c->users);
	json_decref(c->hosts);
	json_decref(c->clients);
	json_decref(c->servers);
	for (int i = 0; i < MM_COST_COUNT; i++)
		json_decref(c->paying[i]);
}

static bool removes(const char *setting)
{
	return *setting == '\0';
}

bool mm_change_removes(const struct mm_change *c)
{
	return removes(c->setting);
}

/* FNV-1a; NULL and "" differ. */
static uint32_t add_hash(uint32_t h, const char *s)
{
	for (const char *p = s != NULL ? s : "\1"; *p != '\0'; p++)
		h = (h ^ (unsigned char)*p) * 16777619u;
	return (h ^ 0xffu) * 16777619u;
}

/* Is the value of this setting usually each user's own? A server's name is
 * what a change of servers is about, although it can be a template, too. */
static bool personal(const char *setting)
{
	enum mm_setting s = mm_setting_by_id(setting);
	if (removes(setting))
		return true; /* the mail program's own name of the account */
	if (s == MM_SET_NONE || (mm_setting_def(s)->flags & MM_SETF_TEMPLATE) == 0)
		return false;
	return mm_setting_def(s)->type != MM_TYPE_HOST && mm_setting_def(s)->type != MM_TYPE_PATH;
}

static bool same_group(const struct mm_change *g, const struct mm_finding *f, bool own)
{
	return g->action == f->action && g->state == f->state && mm_streq(g->client, f->client) &&
	       mm_streq(g->account, f->account) && mm_streq(g->setting, f->setting) &&
	       (own || (mm_streq(g->desired, f->desired) && mm_streq(g->found, f->found)));
}

static struct mm_change *group_of(struct mm_changes *c, const struct mm_finding *f)
{
	bool own = personal(f->setting);
	uint32_t h = add_hash(add_hash(add_hash(2166136261u, f->client), f->account), f->setting);
	if (!own)
		h = add_hash(add_hash(h, f->desired), f->found);
	struct mm_change **bucket = &c->buckets[h % BUCKETS];
	for (struct mm_change *g = *bucket; g != NULL; g = g->next)
		if (same_group(g, f, own))
			return g;
	struct mm_change *g = mm_arena_alloc(c->a, 1, sizeof(*g));
	*g = (struct mm_change){
	    .next = *bucket,
	    .client = mm_arena_strdup(c->a, f->client),
	    .account = mm_arena_strdup(c->a, f->account),
	    .setting = mm_arena_strdup(c->a, f->setting),
	    .reason = mm_arena_strdup(c->a, f->reason),
	    .action = f->action,
	    .state = f->state,
	    .desired = mm_arena_strdup(c->a, f->desired),
	    .found = mm_arena_strdup(c->a, f->found),
	};
	g->last = &g->first;
	*bucket = g;
	c->n++;
	return g;
}

static void count(struct mm_changes *c, const char *host, const struct mm_finding *f)
{
	c->places++;
	c->removals += removes(f->setting);
	json_object_set_new(c->users, f->user, json_true());
	json_object_set_new(c->hosts, host, json_true());
	json_object_set_new(c->clients, f->client, json_true());
	for (int i = 0; i < MM_COST_COUNT; i++)
		if ((f->costs & 1u << i) != 0)
			json_object_set_new(c->paying[i], f->user, json_true());
}

void mm_changes_add(struct mm_changes *c, const char *host, const struct mm_finding *f)
{
	struct mm_change *g = group_of(c, f);
	struct mm_change_place *p = mm_arena_alloc(c->a, 1, sizeof(*p));
	*p = (struct mm_change_place){
	    .host = mm_arena_strdup(c->a, host),
	    .user = mm_arena_strdup(c->a, f->user),
	    .path = mm_arena_strdup(c->a, f->override_path != NULL ? f->override_path : f->path),
	    .desired = mm_arena_strdup(c->a, f->desired),
	    .found = mm_arena_strdup(c->a, f->found),
	    .line = f->line,
	};
	count(c, host, f);
	/* The findings of a host come in one piece. */
	if (!mm_streq(g->last_host, p->host))
		g->hosts++;
	g->last_host = p->host;
	g->count++;
	g->desired_differs = g->desired_differs || !mm_streq(g->desired, f->desired);
	g->found_differs = g->found_differs || !mm_streq(g->found, f->found);
	*g->last = p;
	g->last = &p->next;
}

/* ---- the servers */

static bool same_account(const struct mm_finding *f, const struct mm_finding *g)
{
	return mm_streq(f->user, g->user) && mm_streq(f->client, g->client) && mm_streq(f->path, g->path) &&
	       mm_streq(f->account, g->account);
}

/* The settings of one account: a side that changes, and where it leads. */
static void look_at_account(struct mm_changes *c, const struct mm_finding *f, size_t n)
{
	const char *host[MM_SIDE_COUNT] = {NULL};
	bool changes[MM_SIDE_COUNT] = {false};
	for (size_t i = 0; i < n; i++) {
		enum mm_setting s = mm_setting_by_id(f[i].setting);
		if (s == MM_SET_NONE)
			continue;
		enum mm_side side = mm_setting_def(s)->side;
		changes[side] = changes[side] || f[i].action == MM_ACT_WOULD_CHANGE;
		if (s == MM_SET_IN_HOST || s == MM_SET_OUT_HOST)
			host[side] = f[i].desired;
	}
	for (int side = 0; side < MM_SIDE_COUNT; side++)
		if (changes[side] && host[side] != NULL)
			json_object_set_new(c->servers, host[side], json_true());
}

void mm_changes_servers(struct mm_changes *c, const struct mm_finding *f, size_t n)
{
	for (size_t i = 0, k; i < n; i = k) {
		for (k = i + 1; k < n && same_account(&f[i], &f[k]); k++)
			continue;
		look_at_account(c, &f[i], k - i);
	}
}

/* ---- what came of it */

static int by_place(const void *x, const void *y)
{
	const struct mm_change_place *const *a = x, *const *b = y;
	int rc = strcmp((*a)->host, (*b)->host);
	rc = rc != 0 ? rc : strcmp((*a)->user, (*b)->user);
	return rc != 0 ? rc : strcmp((*a)->path, (*b)->path);
}

/* Hosts answer in any order; two plans of the same are to read the same. */
static void sort_places(struct mm_change *g)
{
	struct mm_change_place **list = mm_xcalloc(g->count, sizeof(struct mm_change_place *)), **link;
	size_t n = 0;
	for (struct mm_change_place *p = g->first; p != NULL; p = p->next)
		list[n++] = p;
	qsort(list, n, sizeof(struct mm_change_place *), by_place);
	link = &g->first;
	for (size_t i = 0; i < n; i++) {
		*link = list[i];
		link = &list[i]->next;
	}
	*link = NULL;
	g->last = link;
	free(list);
}

static int by_count(const void *x, const void *y)
{
	const struct mm_change *const *a = x, *const *b = y;
	if (mm_change_removes(*a) != mm_change_removes(*b))
		return mm_change_removes(*a) ? -1 : 1;
	if ((*a)->count != (*b)->count)
		return (*a)->count > (*b)->count ? -1 : 1;
	int rc = strcmp((*a)->client, (*b)->client);
	rc = rc != 0 ? rc : strcmp((*a)->account, (*b)->account);
	return rc != 0 ? rc : strcmp((*a)->setting, (*b)->setting);
}

const struct mm_change *const *mm_changes_sorted(struct mm_changes *c, size_t *n)
{
	const struct mm_change **list = mm_arena_alloc(c->a, c->n + 1, sizeof(*list));
	size_t k = 0;
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct mm_change *g = c->buckets[i]; g != NULL; g = g->next) {
			sort_places(g);
			list[k++] = g;
		}
	if (k > 0)
		qsort(list, k, sizeof(*list), by_count);
	*n = k;
	return list;
}

static int by_name(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

/* The members of a set, in order and NULL-terminated. */
static const char *const *sorted_names(struct mm_arena *a, json_t *set, size_t *n)
{
	const char **list = mm_arena_alloc(a, json_object_size(set) + 1, sizeof(*list)), *name;
	size_t k = 0;
	json_t *v;

	json_object_foreach(set, name, v) list[k++] = name;
	if (k > 0)
		qsort(list, k, sizeof(*list), by_name);
	if (n != NULL)
		*n = k;
	return list;
}

struct mm_changes_sum mm_changes_sum(const struct mm_changes *c)
{
	struct mm_changes_sum s = {.changes = c->places,
	    .removals = c->removals,
	    .users = json_object_size(c->users),
	    .hosts = json_object_size(c->hosts),
	    .clients = sorted_names(c->a, c->clients, NULL)};

	s.servers = sorted_names(c->a, c->servers, &s.n_servers);
	for (int i = 0; i < MM_COST_COUNT; i++)
		s.paying[i] = sorted_names(c->a, c->paying[i], &s.n_paying[i]);
	return s;
}
