#include "controller/rollout_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/digest.h"
#include "common/term.h"
#include "common/text.h"
#include "controller/push/local.h"
#include "controller/rollout/assign.h"
#include "controller/rollout_event.h"
#include "controller/rollout_land.h"
#include "controller/rollout_state.h"

#define FETCHED_S 1800 /* a host that fetched its request is waited for */
#define AGAIN_S 900    /* and then tried again after this time */
#define BATCH 256      /* hosts that one transaction claims */

struct drive {
	struct mm_ctl *c;
	struct mm_store *store;
	const struct mm_rollout_how *how;
	struct mm_rollout_lease lease;
	struct mm_rollout_state st;
	struct mm_rollout_end *end;
	struct mm_arena *a;
	size_t *target; /* by host: its place among the targets; SIZE_MAX = not in the inventory */
	size_t *host;   /* by target */
	size_t batch[BATCH], n_batch, at;
	size_t in_flight;
	int64_t looked, renewed; /* ms */
	int64_t told;            /* hours that were said */
	struct mm_ro_decision d;
	bool dirty; /* decide again */
	bool over;
};

static int lost(struct mm_err *err)
{
	return mm_err_set(err, MM_EX_FAILED, "another process has taken the rollout over");
}

/* What a driver's function of the store returned: -1 with an error, or 0. */
static int held(int rc, struct mm_err *err)
{
	return rc == MM_ROLLOUT_LOST ? lost(err) : rc < 0 ? -1 : 0;
}

/* ---- keeping up */

static int renew(struct drive *d, struct mm_err *err)
{
	struct mm_rollout holder;
	if (mm_now_ms() - d->renewed < MM_ROLLOUT_RENEW_MS)
		return 0;
	d->renewed = mm_now_ms();
	return held(
	    mm_store_rollout_lease(d->store, &d->lease, MM_ROLLOUT_LEASE_S, d->st.head, &holder, err), err);
}

static int look(struct drive *d, bool now, struct mm_err *err)
{
	if (!now && mm_now_ms() - d->looked < MM_ROLLOUT_LOOK_MS)
		return 0;
	d->looked = mm_now_ms();
	d->dirty = true;
	if (renew(d, err) < 0)
		return -1;
	return mm_rollout_state_look(&d->st, err);
}

/* ---- sending */

static int want(struct drive *d, size_t i, struct mm_arena *work, struct mm_err *err)
{
	const char *host = d->st.ids[i];
	struct mm_push_state p = {.revision = 0};
	if (mm_store_push_get(d->store, host, work, &p, err) < 0)
		return -1;
	if (p.pending && p.revision == d->st.revisions[i])
		return 0;
	return mm_store_push_want(d->store, host, d->st.revisions[i], d->how->rollout, NULL, err);
}

/* It has left the inventory meanwhile. */
static int gone(struct drive *d, size_t i, struct mm_err *err)
{
	const struct mm_rollout_host h = {.host = d->st.ids[i],
	    .state = MM_RH_SUPERSEDED,
	    .outcome = "gone",
	    .text = "it is no longer in the inventory"};
	d->st.hosts[i].state = MM_RH_SUPERSEDED;
	return mm_store_rollout_landed(d->store, d->st.r.id, &h, err) < 0 ? -1 : 0;
}

static int claim_one(struct drive *d, size_t i, struct mm_arena *work, bool *ours, struct mm_err *err)
{
	const char *host = d->st.ids[i];
	int rc = mm_store_rollout_claim(d->store, &d->lease, host, "", err);
	*ours = rc == 0 && d->target[i] != SIZE_MAX;
	if (rc != 0)
		return rc == 1 ? 0 : held(rc, err);
	d->st.hosts[i].state = MM_RH_SENT;
	d->st.hosts[i].tries++;
	d->st.hosts[i].sent = mm_store_now(d->store);
	return d->target[i] == SIZE_MAX ? gone(d, i, err) : want(d, i, work, err);
}

/* Written down before anything is sent. */
static int claim(struct drive *d, const size_t *send, size_t n, struct mm_err *err)
{
	struct mm_arena *work = mm_arena_new();
	int rc = mm_store_begin(d->store, err);
	bool refused = false;
	d->n_batch = d->at = 0;
	for (size_t k = 0; rc == 0 && k < n; k++) {
		bool ours;
		rc = claim_one(d, send[k], work, &ours, err);
		if (rc == 0 && ours)
			d->batch[d->n_batch++] = send[k];
		refused = refused || !ours;
	}
	mm_arena_free(work);
	if (rc == 0)
		rc = mm_store_commit(d->store, err);
	else
		mm_store_rollback(d->store);
	if (rc == 0)
		d->in_flight += d->n_batch;
	return rc == 0 && refused ? look(d, true, err) : rc;
}

/* ---- what is decided */

static int change(struct drive *d, int rc, struct mm_err *err)
{
	if (held(rc, err) < 0)
		return -1;
	enum mm_ro_state before = d->st.r.state;
	int64_t wave = d->st.r.wave;
	if (look(d, true, err) < 0)
		return -1;
	if (d->how->events && (d->st.r.state != before || d->st.r.wave != wave))
		mm_rollout_event(&d->st);
	return 0;
}

static int act(struct drive *d, const size_t *send, struct mm_err *err)
{
	const struct mm_ro_decision *is = &d->d;
	const char *because = mm_ro_because_name(is->because);
	switch (is->act) {
	case MM_ROA_SEND:
		return claim(d, send, is->n_send, err);
	case MM_ROA_BAKE:
		return change(d, mm_store_rollout_bake(d->store, &d->lease, err), err);
	case MM_ROA_NEXT:
		return change(d, mm_store_rollout_next(d->store, &d->lease, err), err);
	case MM_ROA_PAUSE:
		return change(
		    d, mm_store_rollout_stop(d->store, &d->lease, MM_RO_PAUSED, because, is->text, err), err);
	case MM_ROA_HALT:
		return change(
		    d, mm_store_rollout_stop(d->store, &d->lease, MM_RO_HALTED, because, is->text, err), err);
	case MM_ROA_DONE:
		return change(d, mm_store_rollout_done(d->store, &d->lease, is->text, err), err);
	case MM_ROA_WAIT:
	case MM_ROA_REST:
		break;
	}
	return 0;
}

/* The hours are said once: until then nothing happens. */
static void tell_wait(struct drive *d)
{
	bool waits = d->d.act == MM_ROA_WAIT && d->d.because == MM_ROB_HOURS;
	if (waits && d->how->events && d->told != d->d.until)
		mm_rollout_event_waits(&d->st, d->d.text);
	if (waits)
		d->told = d->d.until;
}

/* 1: it changed something, or hosts are to be sent. */
static int decide(struct drive *d, struct mm_err *err)
{
	size_t send[BATCH];
	struct mm_ro_now now = mm_rollout_state_now(&d->st);
	mm_ro_decide(&d->st.terms, &now, d->st.hosts, d->st.n, send, BATCH, &d->d);
	d->dirty = false;
	tell_wait(d);
	if (act(d, send, err) < 0)
		return -1;
	return d->d.act != MM_ROA_WAIT && d->d.act != MM_ROA_REST;
}

/* ---- what the engine asks */

static int begin(void *ctx, const struct mm_push_summary *s, struct mm_err *err)
{
	struct drive *d = ctx;
	(void)err;
	d->target = mm_arena_alloc(d->a, d->st.n + 1, sizeof(*d->target));
	d->host = mm_arena_alloc(d->a, s->n + 1, sizeof(*d->host));
	for (size_t i = 0; i < d->st.n; i++)
		d->target[i] = SIZE_MAX;
	for (size_t t = 0; t < s->n; t++) {
		d->host[t] = mm_rollout_state_find(&d->st, s->targets[t].host.id);
		if (d->host[t] == SIZE_MAX)
			continue;
		d->target[d->host[t]] = t;
		s->targets[t].owed = d->st.revisions[d->host[t]];
	}
	return 0;
}

/* Nothing can be sent now: is that the end? */
static int nothing_now(struct drive *d)
{
	if (d->in_flight > 0)
		return MM_PUSH_LATER;
	if (d->d.act == MM_ROA_WAIT && d->how->patient)
		return MM_PUSH_LATER;
	d->over = true;
	return 0;
}

static int next(void *ctx, size_t *i, struct mm_err *err)
{
	struct drive *d = ctx;
	if (look(d, false, err) < 0)
		return -1;
	while (d->at == d->n_batch && !d->over) {
		bool due = d->d.until > 0 && d->d.until <= mm_store_now(d->store);
		if (!d->dirty && !due)
			return nothing_now(d);
		int rc = decide(d, err);
		if (rc < 0)
			return -1;
		if (rc > 0)
			d->dirty = true;
	}
	if (d->over)
		return 0;
	*i = d->target[d->batch[d->at++]];
	return 1;
}

static void remember(struct drive *d, size_t i, const struct mm_rollout_host *h)
{
	struct mm_ro_host *m = &d->st.hosts[i];
	m->state = h->state == MM_RH_UNREACHABLE && m->late ? MM_RH_LATE : h->state;
	m->next_try = h->next_try;
	m->users = h->users;
	m->tested = h->tested;
	m->verified = h->verified;
	d->dirty = true;
}

static int done(void *ctx, size_t t, const struct mm_host_result *r, struct mm_err *err)
{
	struct drive *d = ctx;
	size_t i = d->host[t];
	const char *id = d->st.ids[i];
	struct mm_rollout_host h = mm_rollout_host_of(r, id);
	if (h.state == MM_RH_UNREACHABLE)
		h.next_try =
		    mm_store_now(d->store) + mm_ro_retry_after(d->st.r.seed, id, d->st.hosts[i].tries);
	d->in_flight--;
	int rc = mm_store_rollout_landed(d->store, d->st.r.id, &h, err);
	if (rc < 0)
		return -1;
	if (rc == 0)
		remember(d, i, &h);
	if (d->how->events)
		mm_rollout_event_host(&h);
	return rc > 0 ? look(d, true, err) : 0;
}

static const char *say(void *ctx)
{
	const struct drive *d = ctx;
	return mm_arena_printf(d->st.head, "wave %lld of %lld%s%s", (long long)d->st.r.wave + 1,
	    (long long)d->st.r.waves, *d->d.text != '\0' ? ": " : "", d->d.text);
}

/* ---- the whole */

static void name_lease(struct mm_rollout_lease *l, int64_t rollout)
{
	char host[40] = "", space[40], id[MM_ID_LEN];
	(void)gethostname(host, sizeof(host) - 1);
	mm_random_id(id);
	*l = (struct mm_rollout_lease){.rollout = rollout, .pid = (int64_t)getpid()};
	(void)snprintf(l->owner, sizeof(l->owner), "process %lld on %s (%s %.8s)", (long long)getpid(), host,
	    mm_rollout_our_space(space, sizeof(space)), id);
}

static int ask_lease(struct drive *d, struct mm_rollout *holder, struct mm_err *err)
{
	*holder = (struct mm_rollout){.owner = ""};
	return mm_store_rollout_lease(d->store, &d->lease, MM_ROLLOUT_LEASE_S, d->a, holder, err);
}

static int bury(struct drive *d, const struct mm_rollout *holder, struct mm_err *err)
{
	struct mm_rollout_lease of_dead = {.rollout = d->lease.rollout, .pid = holder->owner_pid};
	(void)snprintf(of_dead.owner, sizeof(of_dead.owner), "%s", holder->owner);
	return mm_store_rollout_release(d->store, &of_dead, err) < 0 ? -1 : 0;
}

/* 1: another process has it. */
static int take_lease(struct drive *d, struct mm_err *err)
{
	struct mm_rollout holder;
	int rc = ask_lease(d, &holder, err);
	if (rc == MM_ROLLOUT_LOST && mm_rollout_driver_died(&holder)) {
		if (bury(d, &holder, err) < 0)
			return -1;
		rc = ask_lease(d, &holder, err);
	}
	d->renewed = mm_now_ms();
	if (rc == MM_ROLLOUT_LOST) {
		d->end->elsewhere = true;
		d->end->holder = holder.owner;
	}
	if (rc == 1)
		return mm_err_set(err, MM_EX_FAILED, "there is no rollout %lld", (long long)d->lease.rollout);
	return rc < 0 ? -1 : rc != 0;
}

/* What nobody waits for any more: of a driver before us, or what we leave behind. */
static int reclaim(struct drive *d, struct mm_err *err)
{
	int64_t now = mm_store_now(d->store), n = 0;
	return held(
	    mm_store_rollout_reclaim(d->store, &d->lease, true, now - FETCHED_S, now + AGAIN_S, &n, err),
	    err);
}

static int run(struct drive *d, struct mm_push_summary *sum, struct mm_err *err)
{
	const struct mm_push_feed feed = {.begin = begin, .next = next, .done = done, .say = say, .ctx = d};
	const char **only = mm_arena_alloc(d->a, d->st.n + 1, sizeof(*only));
	for (size_t i = 0; i < d->st.n; i++)
		only[i] = d->st.names[i].id;
	const struct mm_selection sel = {.only = only, .n_only = d->st.n};
	const struct mm_push_how how = {.op = MM_OP_APPLY,
	    .parallel = d->st.terms.window,
	    .timeout_s = d->how->timeout_s,
	    .identity = d->how->identity,
	    .progress = d->how->progress,
	    .revision = d->st.r.revision,
	    .feed = &feed};
	d->end->begun = true;
	d->dirty = true;
	return mm_push_run_op(d->c, &sel, &how, sum, err);
}

static int conclude(struct drive *d, const struct mm_push_summary *sum, struct mm_err *err)
{
	struct mm_rollout_end *end = d->end;
	if (reclaim(d, err) < 0 || mm_rollout_state_look(&d->st, err) < 0 ||
	    mm_rollout_exit(d->store, &d->st.r, &end->exit_bits, err) < 0)
		return -1;
	struct mm_ro_decision ahead;
	mm_rollout_state_ahead(&d->st, &ahead);
	end->again = ahead.act == MM_ROA_SEND ? mm_store_now(d->store) : ahead.until;
	end->state = d->st.r.state;
	if (sum->interrupted && d->how->events)
		mm_rollout_event_left(&d->st);
	return 0;
}

int mm_rollout_drive(struct mm_ctl *c, const struct mm_rollout_how *how, struct mm_arena *a,
    struct mm_push_summary *sum, struct mm_rollout_end *end, struct mm_err *err)
{
	struct drive d = {.c = c, .how = how, .end = end, .a = a};
	*end = (struct mm_rollout_end){.holder = ""};
	if (mm_ctl_open(c, err) < 0)
		return -1;
	d.store = c->store;
	name_lease(&d.lease, how->rollout);
	int rc = take_lease(&d, err);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	rc = reclaim(&d, err);
	if (rc == 0)
		rc = mm_rollout_state_load(d.store, how->rollout, &d.st, err);
	if (rc == 0 && how->events)
		mm_rollout_event(&d.st);
	if (rc == 0)
		rc = run(&d, sum, err);
	if (rc == 0)
		rc = conclude(&d, sum, err);
	struct mm_err later = MM_ERR_NONE;
	if (mm_store_rollout_release(d.store, &d.lease, rc == 0 ? err : &later) < 0)
		rc = -1;
	mm_rollout_state_free(&d.st);
	return rc != 0 ? -1 : 0;
}
