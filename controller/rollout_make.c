#include "controller/rollout_make.h"

#include <string.h>

#include "common/digest.h"
#include "common/text.h"
#include "controller/policy_store.h"
#include "controller/rollout_servers.h"

bool mm_rollout_opts_any(const struct mm_rollout_opts *o)
{
	return o->waves != NULL || o->max_failed != NULL || o->max_unreachable != NULL ||
	       o->max_login_failed != NULL || o->gate != NULL || o->bake != NULL || o->min_tested != NULL ||
	       o->min_reported != NULL || o->in_flight != NULL || o->maintenance != NULL ||
	       o->jitter != NULL || o->rate != NULL || o->approve_each || o->sticky || o->detach;
}

struct pair {
	const char *name, *value;
};

static int set_all(struct mm_ro_terms *t, const struct pair *p, struct mm_err *err)
{
	for (; p->name != NULL; p++)
		if (p->value != NULL && mm_ro_terms_set(t, p->name, p->value, err) < 0)
			return -1;
	return 0;
}

/* A handful of people: whoever pushes sits in front of it. */
static const struct pair small[] = {
    {"waves", "1,100%"}, {"bake", "0"}, {"min_tested", "0"}, {"min_reported", "0"}, {NULL, NULL}};
/* Back to what was: everywhere, at once, whatever happens on single hosts. */
static const struct pair back[] = {{"waves", "100%"}, {"bake", "0"}, {"gate", "0"}, {"min_tested", "0"},
    {"min_reported", "0"}, {"failed", "any"}, {"login", "any"}, {"unreachable", "any"}, {NULL, NULL}};

/* Where the policy has no login tried, none can be waited for. */
static const struct pair no_logins[] = {{"gate", "0"}, {"min_tested", "0"}, {NULL, NULL}};

static int terms_of(const struct mm_rollout_opts *o, const struct mm_rollout_new *what, bool logins,
    struct mm_ro_terms *out, struct mm_err *err)
{
	const struct pair given[] = {{"waves", o->waves}, {"failed", o->max_failed},
	    {"login", o->max_login_failed}, {"unreachable", o->max_unreachable}, {"gate", o->gate},
	    {"min_tested", o->min_tested}, {"min_reported", o->min_reported}, {"bake", o->bake},
	    {"approve", o->approve_each ? "yes" : NULL}, {"window", o->in_flight}, {"hours", o->maintenance},
	    {"jitter", o->jitter}, {"rate", o->rate}, {"sticky", o->sticky ? "yes" : NULL}, {NULL, NULL}};
	mm_ro_terms_default(out);
	if (what->kind == MM_ROLLOUT_ROLLBACK && set_all(out, back, err) < 0)
		return -1;
	if (what->kind == MM_ROLLOUT_APPLY && what->n <= MM_ROLLOUT_SMALL && set_all(out, small, err) < 0)
		return -1;
	if (!logins && set_all(out, no_logins, err) < 0)
		return -1;
	return set_all(out, given, err);
}

/* ---- what is known of the hosts */

struct knowing {
	struct mm_arena *a;
	struct mm_ro_candidate *hosts; /* in order of id */
	size_t n, at;
};

/* Both walks are in order of host id: a merge. */
static int take_inventory(const struct mm_inventory *i, void *arg, struct mm_err *err)
{
	struct knowing *k = arg;
	(void)err;
	while (k->at < k->n && strcmp(k->hosts[k->at].id, i->host) < 0)
		k->at++;
	if (k->at == k->n || !mm_streq(k->hosts[k->at].id, i->host))
		return 0;
	struct mm_ro_candidate *c = &k->hosts[k->at];
	struct mm_ro_client *clients = mm_arena_alloc(k->a, i->n_clients + 1, sizeof(*clients));
	bool any_used = false;
	for (size_t n = 0; n < i->n_clients; n++)
		any_used = any_used || i->clients[n].used;
	/* Programs that nobody uses would only make the first wave larger, when it is known who does. */
	for (size_t n = 0; n < i->n_clients; n++)
		if (i->clients[n].used || !any_used)
			clients[c->n_clients++] =
			    (struct mm_ro_client){mm_arena_strdup(k->a, i->clients[n].name),
				mm_arena_strdup(k->a, i->clients[n].version)};
	c->os = mm_arena_strdup(k->a, i->os);
	c->clients = clients;
	return 0;
}

static int by_id(const void *x, const void *y)
{
	const struct mm_ro_candidate *a = x, *b = y;
	return strcmp(a->id, b->id);
}

static int know(struct mm_ctl *c, const struct mm_rollout_new *what, struct knowing *k, struct mm_err *err)
{
	struct mm_server_finder *f = NULL;
	struct mm_host_servers s;
	/* What is taken back goes everywhere at once: there is no first wave to choose. */
	bool chooses = what->kind != MM_ROLLOUT_ROLLBACK;
	int rc = chooses ? mm_server_finder_new(c->store, what->revision, &f, err) : 0;
	k->hosts = mm_arena_alloc(k->a, what->n + 1, sizeof(*k->hosts));
	k->n = what->n;
	for (size_t i = 0; rc == 0 && i < what->n; i++) {
		s = (struct mm_host_servers){.n = 0};
		if (chooses)
			rc = mm_server_find(f, &what->targets[i].host, k->a, &s, err);
		k->hosts[i] = (struct mm_ro_candidate){.id = what->targets[i].host.id,
		    .os = "",
		    .servers = rc == 0 ? s.names : NULL,
		    .n_servers = rc == 0 ? s.n : 0,
		    .last_unreachable = what->targets[i].last_unreachable,
		    .revision = what->revisions != NULL ? what->revisions[i] : what->revision};
	}
	mm_server_finder_free(f);
	if (rc != 0)
		return -1;
	if (k->n > 0)
		qsort(k->hosts, k->n, sizeof(*k->hosts), by_id);
	return mm_store_inventory(c->store, NULL, take_inventory, k, err);
}

/* ---- stored */

static int store(struct mm_ctl *c, const struct mm_rollout_new *what, const struct knowing *k,
    const char *seed, struct mm_rollout_made *out, struct mm_err *err)
{
	struct mm_rollout_member *members = mm_arena_alloc(k->a, k->n + 1, sizeof(*members));
	struct mm_buf terms = MM_BUF_INIT(65536);
	for (size_t i = 0; i < k->n; i++)
		members[i] = (struct mm_rollout_member){
		    k->hosts[i].id, k->hosts[i].wave, k->hosts[i].rank, k->hosts[i].revision};
	mm_ro_terms_json(&out->terms, &terms);
	const struct mm_rollout r = {.revision = what->revision,
	    .first = what->first,
	    .kind = what->kind,
	    .of = what->of,
	    .selection = what->selection,
	    .terms = mm_buf_str(&terms),
	    .seed = seed,
	    .waves = (int64_t)out->plan.n_waves,
	    .window = out->terms.window,
	    .hosts = (int64_t)k->n};
	int rc = mm_store_rollout_create(c->store, &r, members, k->n, &out->id, err);
	mm_buf_free(&terms);
	return rc;
}

static int has_logins(struct mm_ctl *c, int64_t revision, bool *logins, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_stored_policy p;
	int rc = mm_policy_stored(c->store, revision, a, &p, err);
	if (rc > 0)
		rc = mm_err_set(err, MM_EX_FAILED, "there is no revision %lld", (long long)revision);
	if (rc == 0)
		*logins = p.policy->rules.check >= MM_LEVEL_LOGIN;
	mm_arena_free(a);
	return rc;
}

int mm_rollout_make(struct mm_ctl *c, const struct mm_rollout_new *what, const struct mm_rollout_opts *o,
    struct mm_arena *a, struct mm_rollout_made *out, struct mm_err *err)
{
	struct knowing k = {.a = a};
	char seed[MM_ID_LEN];
	bool logins = true;
	*out = (struct mm_rollout_made){.id = 0};
	if (what->n == 0)
		return mm_err_set(err, MM_EX_FAILED, "there is no host to bring it to");
	if (has_logins(c, what->revision, &logins, err) < 0 ||
	    terms_of(o, what, logins, &out->terms, err) < 0 ||
	    mm_store_revision_pushable(c->store, what->revision, err) < 0 || know(c, what, &k, err) < 0)
		return -1;
	mm_random_id(seed);
	mm_ro_assign(&out->terms, seed, k.hosts, k.n, a, &out->plan);
	mm_ro_worst_case(&out->terms, &out->plan, a, &out->worst);
	return store(c, what, &k, seed, out, err);
}
