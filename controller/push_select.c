#include "controller/push_select.h"

#include <stdlib.h>
#include <string.h>

#include "common/text.h"

struct choosing {
	struct mm_store *store;
	const struct mm_selection *sel;
	struct mm_arena *a;
	struct mm_target *targets; /* malloced: it grows, and would leave its former selves in `a` */
	size_t n, cap;
	struct mm_target last; /* what it has in common with the next is there already */
	const char **users;    /* of --user and --group, sorted */
	size_t n_users, cap_users;
	bool by_user;
	size_t *seen_host, *seen_tag; /* how often each name of the options was met */
};

static int compare(const void *x, const void *y)
{
	const char *const *a = x, *const *b = y;
	return strcmp(*a, *b);
}

static void add_user(struct choosing *c, const char *login)
{
	const char **place = mm_arena_push(c->a, &c->users, &c->n_users, &c->cap_users, sizeof(*place));
	*place = mm_arena_strdup(c->a, login);
}

static int take_member(const struct mm_store_user *u, void *arg, struct mm_err *err)
{
	(void)err;
	add_user(arg, u->login);
	return 0;
}

/* Users of the options, and members of their groups, as one sorted list. */
static int gather_users(struct choosing *c, struct mm_err *err)
{
	const struct mm_selection *s = c->sel;
	struct mm_store_user u;
	struct mm_store_group g;
	c->by_user = s->users.n > 0 || s->groups.n > 0;
	for (size_t i = 0; i < s->users.n; i++) {
		int rc = mm_store_user_get(c->store, s->users.items[i], c->a, &u, err);
		if (rc != 0)
			return rc < 0 ? -1
				      : mm_err_set(
					    err, MM_EX_FAILED, "there is no user \"%s\"", s->users.items[i]);
		add_user(c, s->users.items[i]);
	}
	for (size_t i = 0; i < s->groups.n; i++) {
		int rc = mm_store_group_get(c->store, s->groups.items[i], c->a, &g, err);
		if (rc != 0)
			return rc < 0 ? -1
				      : mm_err_set(err, MM_EX_FAILED, "there is no group \"%s\"",
					    s->groups.items[i]);
		if (mm_store_user_each(c->store, s->groups.items[i], take_member, c, err) < 0)
			return -1;
	}
	if (c->n_users > 0)
		qsort(c->users, c->n_users, sizeof(*c->users), compare);
	return 0;
}

static bool has_user(const struct choosing *c, const struct mm_store_host *h)
{
	if (!c->by_user)
		return true;
	if (h->all_users)
		return c->n_users > 0;
	for (size_t i = 0; i < h->n_users; i++)
		if (bsearch(&h->users[i], c->users, c->n_users, sizeof(*c->users), compare) != NULL)
			return true;
	return false;
}

/* Is one of the host's names in the list of the option? Counts what was met. */
static bool listed(const struct mm_opt_list *l, size_t *seen, const char *const *names, size_t n)
{
	bool found = l->n == 0;
	for (size_t i = 0; i < l->n; i++)
		for (size_t k = 0; k < n; k++)
			if (strcmp(l->items[i], names[k]) == 0) {
				seen[i]++;
				found = true;
			}
	return found;
}

static bool same_list(const char *const *x, const char *const *y, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!mm_streq(x[i], y[i]))
			return false;
	return true;
}

static const char *const *copy_list(struct mm_arena *a, const char *const *items, size_t n)
{
	const char **out = mm_arena_alloc(a, n + 1, sizeof(*out));
	for (size_t i = 0; i < n; i++)
		out[i] = mm_arena_strdup(a, items[i]);
	return out;
}

static const char *copy(struct mm_arena *a, const char *text, const char *last)
{
	return mm_streq(text, last) ? last : mm_arena_strdup(a, text);
}

static void add_target(struct choosing *c, const struct mm_store_host *h)
{
	const struct mm_store_host *last = &c->last.host;
	bool same_tags =
	    last->tags != NULL && h->n_tags == last->n_tags && same_list(h->tags, last->tags, h->n_tags);
	struct mm_target t = {.host = *h};
	t.host.id = mm_arena_strdup(c->a, h->id);
	t.host.address = *h->address != '\0' ? mm_arena_strdup(c->a, h->address) : t.host.id;
	t.host.account = copy(c->a, h->account, last->account);
	t.host.proxy_command = copy(c->a, h->proxy_command, last->proxy_command);
	t.host.transport = copy(c->a, h->transport, last->transport);
	t.host.tags = same_tags ? last->tags : copy_list(c->a, h->tags, h->n_tags);
	t.host.users = copy_list(c->a, h->users, h->n_users);
	t.host.report_key = NULL;
	if (c->n == c->cap) {
		c->cap = c->cap == 0 ? 64 : 2 * c->cap;
		c->targets = mm_xrealloc(c->targets, c->cap, sizeof(*c->targets));
	}
	c->targets[c->n++] = c->last = t;
}

static int take_host(const struct mm_store_host *h, void *arg, struct mm_err *err)
{
	struct choosing *c = arg;
	(void)err;
	/* Both, so that every name of the options is counted. */
	bool by_name = listed(&c->sel->hosts, c->seen_host, &h->id, 1);
	bool by_tag = listed(&c->sel->tags, c->seen_tag, h->tags, h->n_tags);
	if (c->sel->only != NULL &&
	    bsearch(&h->id, c->sel->only, c->sel->n_only, sizeof(*c->sel->only), compare) == NULL)
		return 0;
	if (!by_name || !by_tag || !has_user(c, h))
		return 0;
	add_target(c, h);
	return 0;
}

/* Names that no host has are most likely typing errors. */
static int check_seen(
    struct choosing *c, const struct mm_opt_list *l, const size_t *seen, const char *what, struct mm_err *err)
{
	for (size_t i = 0; i < l->n; i++)
		if (seen[i] == 0)
			return mm_err_set(err, MM_EX_FAILED, "there is no %s \"%s\"", what, l->items[i]);
	(void)c;
	return 0;
}

/* Both walks are in order of host id: a merge. */
struct merging {
	struct choosing *c;
	size_t at;
	size_t kept;
};

static struct mm_target *find(struct choosing *c, size_t *at, const char *host)
{
	while (*at < c->n && strcmp(c->targets[*at].host.id, host) < 0)
		(*at)++;
	return *at < c->n && strcmp(c->targets[*at].host.id, host) == 0 ? &c->targets[*at] : NULL;
}

static int take_key(const struct mm_hostkey *k, void *arg, struct mm_err *err)
{
	struct merging *m = arg;
	struct mm_target *t = find(m->c, &m->at, k->host);
	struct mm_sshkey key;
	if (t == NULL || t->n_keys >= MM_SSHKEYS_MAX)
		return 0;
	if (mm_sshkey_from_blob(k->blob, k->len, m->c->a, &key, err) < 0)
		return mm_err_prefix(err, "host key of %s in the store", k->host);
	struct mm_sshkey *keys = mm_arena_alloc(m->c->a, t->n_keys + 1, sizeof(key));
	for (size_t i = 0; i < t->n_keys; i++)
		keys[i] = t->keys[i];
	keys[t->n_keys++] = key;
	t->keys = keys;
	return 0;
}

static int take_push(const struct mm_push_state *p, void *arg, struct mm_err *err)
{
	struct merging *m = arg;
	struct mm_target *t = find(m->c, &m->at, p->host);
	(void)err;
	if (t == NULL)
		return 0;
	t->last_unreachable = p->unreachable;
	t->has = p->done_revision;
	if (m->c->sel->pending && p->pending) {
		/* Those that are pending move to the front, still in order. */
		struct mm_target kept = *t;
		kept.owed = p->revision;
		m->c->targets[m->kept++] = kept;
	}
	return 0;
}

static int by_reach(const void *x, const void *y)
{
	const struct mm_target *a = x, *b = y;
	if (a->last_unreachable != b->last_unreachable)
		return a->last_unreachable ? 1 : -1;
	return strcmp(a->host.id, b->host.id);
}

static int choose(struct choosing *c, struct mm_err *err)
{
	const struct mm_selection *s = c->sel;
	struct merging m = {.c = c};
	if (gather_users(c, err) < 0 || mm_store_host_each(c->store, NULL, take_host, c, err) < 0 ||
	    check_seen(c, &s->hosts, c->seen_host, "host", err) < 0 ||
	    check_seen(c, &s->tags, c->seen_tag, "host with the tag", err) < 0)
		return -1;
	if (mm_store_hostkey_each(c->store, s->hosts.n == 1 ? s->hosts.items[0] : NULL, take_key, &m, err) <
	    0)
		return -1;
	m.at = 0;
	if (mm_store_push_each(c->store, MM_PUSH_ALL, take_push, &m, err) < 0)
		return -1;
	if (s->pending)
		c->n = m.kept;
	if (c->n > 0)
		qsort(c->targets, c->n, sizeof(*c->targets), by_reach);
	if (s->limit > 0 && c->n > (size_t)s->limit)
		c->n = (size_t)s->limit;
	return 0;
}

int mm_select_users(struct mm_store *s, const struct mm_selection *sel, struct mm_arena *a,
    const char *const **out, size_t *n, struct mm_err *err)
{
	struct choosing c = {.store = s, .sel = sel, .a = a};
	if (gather_users(&c, err) < 0)
		return -1;
	*out = c.users;
	*n = c.n_users;
	return 0;
}

int mm_select(struct mm_store *s, const struct mm_selection *sel, struct mm_arena *a, struct mm_target **out,
    size_t *n, struct mm_err *err)
{
	if (!sel->all && !sel->pending && sel->only == NULL &&
	    sel->hosts.n + sel->tags.n + sel->groups.n + sel->users.n == 0)
		return mm_err_set(err, MM_EX_USAGE,
		    "which hosts? --all, --host, --tag, --group, --user (--help says more)");
	struct choosing c = {.store = s, .sel = sel, .a = a};
	c.seen_host = mm_arena_alloc(a, sel->hosts.n + 1, sizeof(*c.seen_host));
	c.seen_tag = mm_arena_alloc(a, sel->tags.n + 1, sizeof(*c.seen_tag));
	int rc = choose(&c, err);
	if (rc == 0) {
		*out = mm_arena_alloc(a, c.n + 1, sizeof(**out));
		for (size_t i = 0; i < c.n; i++)
			(*out)[i] = c.targets[i];
		*n = c.n;
	}
	free(c.targets);
	return rc;
}
