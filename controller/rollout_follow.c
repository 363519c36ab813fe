/* Telling what another process does, and what a rollout's state means for an
 * exit status. */
#include <signal.h>
#include <time.h>

#include "common/term.h"
#include "controller/rollout_event.h"
#include "controller/rollout_run.h"

static int take_all(const struct mm_rollout_count *c, void *arg, struct mm_err *err)
{
	(void)err;
	if (c->wave < 0)
		*(struct mm_rollout_count *)arg = *c;
	return 0;
}

int mm_rollout_exit(struct mm_store *s, const struct mm_rollout *r, int *bits, struct mm_err *err)
{
	struct mm_rollout_count all = {.wave = -1};
	if (mm_store_rollout_counts(s, r->id, take_all, &all, err) < 0)
		return -1;
	int64_t open = all.by[MM_RH_WAITING] + all.by[MM_RH_RELEASED] + all.by[MM_RH_SENT];
	*bits = r->state == MM_RO_HALTED ? MM_EX_HALTED : MM_EX_OK;
	if (all.by[MM_RH_FAILED] + all.by[MM_RH_REVERTED] > 0)
		*bits |= MM_EX_HOSTS_FAILED;
	if (all.by[MM_RH_UNREACHABLE] + all.by[MM_RH_LATE] > 0)
		*bits |= MM_EX_UNREACHABLE;
	if (open + all.by[MM_RH_LOGIN] > 0)
		*bits |= MM_EX_DIFF;
	return 0;
}

/* Half a second, or until Ctrl-C: 1. */
static int nap(void)
{
	const struct timespec half = {.tv_nsec = 500000000};
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	return sigtimedwait(&set, NULL, &half) > 0;
}

static void show(const struct mm_rollout_state *st)
{
	struct mm_ro_count n;
	mm_ro_count(st->hosts, st->n, -1, &n);
	mm_progress("rollout %lld: wave %lld of %lld; %lld of %lld hosts have answered; driven by %s",
	    (long long)st->r.id, (long long)st->r.wave + 1, (long long)st->r.waves, (long long)n.answered,
	    (long long)n.hosts, *st->r.owner != '\0' ? st->r.owner : "nobody");
}

static int follow(struct mm_rollout_state *st, const struct mm_rollout_how *how, struct mm_err *err)
{
	enum mm_ro_state state = MM_RO_COUNT;
	int64_t wave = -1;
	for (;;) {
		if ((st->r.state != state || st->r.wave != wave) && how->events)
			mm_rollout_event(st);
		state = st->r.state;
		wave = st->r.wave;
		/* Nobody drives it any more, and it does not stand: ours to go on. */
		if ((state != MM_RO_RUNNING && state != MM_RO_BAKING) ||
		    st->r.lease_until < mm_store_now(st->store))
			return 0;
		show(st);
		if (nap() > 0)
			return MM_EX_INTERRUPTED;
		if (mm_rollout_state_look(st, err) < 0)
			return -1;
	}
}

int mm_rollout_follow(
    struct mm_ctl *c, const struct mm_rollout_how *how, struct mm_rollout_end *end, struct mm_err *err)
{
	struct mm_rollout_state st;
	sigset_t set, before;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, &before);
	int rc = mm_rollout_state_load(c->store, how->rollout, &st, err);
	if (rc == 0)
		rc = follow(&st, how, err);
	if (rc >= 0 && mm_rollout_exit(c->store, &st.r, &end->exit_bits, err) < 0)
		rc = -1;
	mm_progress_clear();
	if (rc == MM_EX_INTERRUPTED)
		end->exit_bits = MM_EX_INTERRUPTED;
	if (rc >= 0)
		end->state = st.r.state;
	mm_rollout_state_free(&st);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return rc < 0 ? -1 : 0;
}
