#include "controller/rollout_state.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/rollout/assign.h"
#include "controller/rollout_servers.h"

static void fill(struct mm_ro_host *out, const struct mm_rollout_host *h)
{
	out->wave = h->wave;
	out->rank = h->rank;
	out->state = h->state;
	out->late = h->late;
	out->forgiven = h->forgiven;
	out->tries = h->tries;
	out->next_try = h->next_try;
	out->sent = h->sent;
	out->users = h->users;
	out->tested = h->tested;
	out->verified = h->verified;
}

static int take(const struct mm_rollout_host *h, void *arg, struct mm_err *err)
{
	struct mm_rollout_state *st = arg;
	/* Three arrays of one length; the first push counts for all. */
	size_t n = st->n;
	size_t at = n;
	(void)err;
	struct mm_ro_host *place = mm_arena_push(st->a, &st->hosts, &st->n, &st->cap, sizeof(*place));
	*place = (struct mm_ro_host){.not_before = mm_ro_jitter(&st->terms, st->r.seed, h->host)};
	fill(place, h);
	const char **id = mm_arena_push(st->a, &st->ids, &n, &st->cap_ids, sizeof(*id));
	*id = mm_arena_strdup(st->a, h->host);
	int64_t *revision = mm_arena_push(st->a, &st->revisions, &at, &st->cap_revisions, sizeof(*revision));
	*revision = h->revision;
	if (h->seq > st->seq)
		st->seq = h->seq;
	return 0;
}

static int by_id(const void *x, const void *y)
{
	const struct mm_rollout_name *a = x, *b = y;
	return strcmp(a->id, b->id);
}

static void sort_names(struct mm_rollout_state *st)
{
	st->names = mm_arena_alloc(st->a, st->n + 1, sizeof(*st->names));
	for (size_t i = 0; i < st->n; i++)
		st->names[i] = (struct mm_rollout_name){st->ids[i], i};
	if (st->n > 0)
		qsort(st->names, st->n, sizeof(*st->names), by_id);
}

static int load_head(struct mm_rollout_state *st, int64_t id, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	int rc = mm_store_rollout_get(st->store, id, a, &st->r, err);
	mm_arena_free(st->head);
	st->head = a;
	return rc;
}

/* What the store says of one that is done was written when it was: hosts come later. */
static void tell_done(struct mm_rollout_state *st)
{
	struct mm_ro_count n;
	char text[MM_RO_TEXT];
	if (st->r.state != MM_RO_DONE)
		return;
	mm_ro_count(st->hosts, st->n, -1, &n);
	mm_ro_done_text(&n, text);
	st->r.why = mm_arena_strdup(st->head, text);
}

static int take_all(const struct mm_rollout_count *c, void *arg, struct mm_err *err)
{
	struct mm_ro_count *n = arg;
	(void)err;
	if (c->wave >= 0)
		return 0;
	n->hosts = c->hosts - c->by[MM_RH_SUPERSEDED];
	n->tested = c->tested;
	n->verified = c->verified;
	for (int i = 0; i < MM_RH_COUNT; i++) {
		n->by[i] = c->by[i];
		n->answered += mm_rh_answered((enum mm_rh_state)i) ? c->by[i] : 0;
	}
	return 0;
}

int mm_rollout_why(
    struct mm_store *s, const struct mm_rollout *r, struct mm_arena *a, const char **out, struct mm_err *err)
{
	struct mm_ro_count n = {.hosts = 0};
	char text[MM_RO_TEXT];
	*out = r->why;
	if (r->state != MM_RO_DONE)
		return 0;
	if (mm_store_rollout_counts(s, r->id, take_all, &n, err) < 0)
		return -1;
	mm_ro_done_text(&n, text);
	*out = mm_arena_strdup(a, text);
	return 0;
}

int mm_rollout_state_load(struct mm_store *s, int64_t id, struct mm_rollout_state *out, struct mm_err *err)
{
	*out = (struct mm_rollout_state){.store = s, .a = mm_arena_new()};
	int rc = load_head(out, id, err);
	if (rc != 0)
		return rc;
	if (mm_ro_terms_from_json(out->r.terms, strlen(out->r.terms), &out->terms, err) < 0 ||
	    mm_store_rollout_hosts(s, id, 0, take, out, err) < 0)
		return -1;
	sort_names(out);
	tell_done(out);
	return out->terms.rate > 0 ? mm_rollout_loads(out, err) : 0;
}

void mm_rollout_state_free(struct mm_rollout_state *st)
{
	mm_arena_free(st->a);
	mm_arena_free(st->head);
	*st = (struct mm_rollout_state){.store = NULL};
}

size_t mm_rollout_state_find(const struct mm_rollout_state *st, const char *id)
{
	const struct mm_rollout_name key = {.id = id};
	const struct mm_rollout_name *found =
	    st->n > 0 ? bsearch(&key, st->names, st->n, sizeof(key), by_id) : NULL;
	return found != NULL ? found->at : SIZE_MAX;
}

static int take_change(const struct mm_rollout_host *h, void *arg, struct mm_err *err)
{
	struct mm_rollout_state *st = arg;
	size_t i = mm_rollout_state_find(st, h->host);
	(void)err;
	if (i != SIZE_MAX)
		fill(&st->hosts[i], h);
	if (h->seq > st->seq)
		st->seq = h->seq;
	return 0;
}

int mm_rollout_state_look(struct mm_rollout_state *st, struct mm_err *err)
{
	int rc = load_head(st, st->r.id, err);
	if (rc > 0)
		return mm_err_set(err, MM_EX_FAILED, "the rollout is not in the store any more");
	if (rc < 0)
		return -1;
	if (st->r.seq > st->seq &&
	    mm_store_rollout_hosts(st->store, st->r.id, st->seq, take_change, st, err) < 0)
		return -1;
	tell_done(st);
	return 0;
}

/* ---- the driver */

const char *mm_rollout_our_space(char *buf, size_t n)
{
	ssize_t got = readlink("/proc/self/ns/pid", buf, n - 1);
	buf[got > 0 ? got : 0] = '\0';
	return buf;
}

bool mm_rollout_driver_died(const struct mm_rollout *holder)
{
	char host[40] = "", space[40], mark[96];
	(void)gethostname(host, sizeof(host) - 1);
	(void)snprintf(mark, sizeof(mark), " on %s (%s ", host, mm_rollout_our_space(space, sizeof(space)));
	return *space != '\0' && strstr(holder->owner, mark) != NULL && holder->owner_pid > 0 &&
	       holder->owner_pid <= INT32_MAX && kill((pid_t)holder->owner_pid, 0) < 0 && errno == ESRCH;
}

bool mm_rollout_is_driven(const struct mm_rollout *r, int64_t now)
{
	return *r->owner != '\0' && r->lease_until >= now && !mm_rollout_driver_died(r);
}

/* ---- what comes next */

struct mm_ro_now mm_rollout_state_now(const struct mm_rollout_state *st)
{
	return (struct mm_ro_now){.now = mm_store_now(st->store),
	    .state = st->r.state,
	    .wave = st->r.wave,
	    .n_waves = st->r.waves,
	    .wave_since = st->r.wave_since,
	    .bake_since = st->r.bake_since,
	    .approved = st->r.approved,
	    .n_servers = st->n_servers};
}

void mm_rollout_state_ahead(const struct mm_rollout_state *st, struct mm_ro_decision *out)
{
	struct mm_ro_now now = mm_rollout_state_now(st);
	size_t none[1];
	mm_ro_decide(&st->terms, &now, st->hosts, st->n, none, 1, out);
}
