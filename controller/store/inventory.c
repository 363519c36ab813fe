/*
 * What the workstations said of themselves: the system they run, and the
 * mail programs that they have.
 */
#include "common/text.h"
#include "controller/store/internal.h"
#include "controller/store/store_rollout.h"

static bool listed(const char *const *lines, size_t n, const char *line)
{
	for (size_t i = 0; i < n; i++)
		if (mm_streq(lines[i], line))
			return true;
	return false;
}

/* Columns: host os seen, "client version" lines, clients with findings. */
static void from_row(struct mm_q *q, struct mm_arena *a, struct mm_inventory *i)
{
	size_t n = 0, n_used = 0;
	const char *const *lines = mm_split_lines(a, mm_q_text(q, 3), &n);
	const char *const *used = mm_split_lines(a, mm_q_text(q, 4), &n_used);
	struct mm_inventory_client *c = mm_arena_alloc(a, n + 1, sizeof(*c));

	for (size_t k = 0; k < n; k++) {
		const char *blank = strchr(lines[k], ' ');

		c[k].name = blank ? mm_arena_strndup(a, lines[k], (size_t)(blank - lines[k])) : lines[k];
		c[k].version = blank ? blank + 1 : "";
		c[k].used = listed(used, n_used, c[k].name);
	}
	*i = (struct mm_inventory){.host = mm_q_str(q, 0),
	    .os = mm_q_str(q, 1),
	    .clients = c,
	    .n_clients = n,
	    .seen = mm_q_int(q, 2)};
}

int mm_store_inventory(struct mm_store *s, const char *host,
    int (*cb)(const struct mm_inventory *i, void *arg, struct mm_err *err), void *arg, struct mm_err *err)
{
	struct mm_inventory i;
	struct mm_arena *a;
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_INVENTORY, err, "t", host))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1) {
		a = mm_arena_new();
		from_row(&q, a, &i);
		rc = cb(&i, arg, err);
		mm_arena_free(a);
		if (rc)
			break;
	}
	mm_q_done(&q);
	return rc;
}

/* ---- what a report says */

#define REFRESH_S 86400 /* so often it is written down that nothing has changed */

struct known {
	const struct mm_system *now;
	struct mm_arena *a;
	bool same;
	int64_t seen;
	const char **gone; /* clients that are not there any more */
	size_t n_gone;
};

static const struct mm_installed *find(const struct mm_system *s, const char *client)
{
	for (size_t i = 0; i < s->n_clients; i++)
		if (mm_streq(s->clients[i].client, client))
			return &s->clients[i];
	return NULL;
}

static int compare(const struct mm_inventory *i, void *arg, struct mm_err *err)
{
	struct known *k = arg;
	size_t cap = 0;

	(void)err;
	k->seen = i->seen;
	k->same = i->seen > 0 && mm_streq(i->os, k->now->os) && i->n_clients == k->now->n_clients;
	for (size_t n = 0; n < i->n_clients; n++) {
		const struct mm_installed *c = find(k->now, i->clients[n].name);

		if (c && mm_streq(c->version, i->clients[n].version))
			continue;
		k->same = false;
		if (c)
			continue;
		const char **slot = mm_arena_push(k->a, &k->gone, &k->n_gone, &cap, sizeof(*k->gone));
		*slot = mm_arena_strdup(k->a, i->clients[n].name);
	}
	return 0;
}

static int write_all(struct mm_intake *t, const struct known *k, struct mm_err *err)
{
	const char *host = t->in->head->host;

	if (mm_q_run(t->s, MM_SQL_INVENTORY_SET, err, "tti", host, k->now->os, t->seen) < 0)
		return -1;
	for (size_t i = 0; !k->same && i < k->now->n_clients; i++)
		if (mm_q_run(t->s, MM_SQL_INVENTORY_CLIENT_SET, err, "ttt", host, k->now->clients[i].client,
			k->now->clients[i].version) < 0)
			return -1;
	for (size_t i = 0; i < k->n_gone; i++)
		if (mm_q_run(t->s, MM_SQL_INVENTORY_CLIENT_GONE, err, "tt", host, k->gone[i]) < 0)
			return -1;
	return 0;
}

int mm_intake_inventory(struct mm_intake *t, struct mm_err *err)
{
	struct known k = {.now = t->in->head->machine, .a = t->a};

	/* A user's own session does not speak for the host. */
	if (!k.now || t->in->head->evidence != MM_EV_ATTESTED)
		return 0;
	if (mm_store_inventory(t->s, t->in->head->host, compare, &k, err))
		return -1;
	if (t->seen < k.seen || (k.same && t->seen - k.seen < REFRESH_S))
		return 0;
	return write_all(t, &k, err);
}
