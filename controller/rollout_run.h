/*
 * Driving a rollout: one process that holds its lease sends its hosts through
 * the push engine, as controller/rollout/decide.h says, and writes down what
 * becomes of them. Killed at any moment it forgets nobody: what was in flight
 * is sent again by whoever takes the lease next.
 */
#ifndef MM_CONTROLLER_ROLLOUT_RUN_H
#define MM_CONTROLLER_ROLLOUT_RUN_H

#include "controller/push_op.h"
#include "controller/store/store_rollout.h"

#define MM_ROLLOUT_LEASE_S 60 /* renewed every MM_ROLLOUT_RENEW_MS */
#define MM_ROLLOUT_RENEW_MS 15000
#define MM_ROLLOUT_LOOK_MS 500 /* what other commands have done meanwhile */

struct mm_rollout_how {
	int64_t rollout;
	int64_t timeout_s;    /* for one host, 0 = MM_PUSH_TIMEOUT_S */
	const char *identity; /* as in struct mm_push_how */
	bool patient;         /* wait through bakes and hours; else return when nothing can be sent */
	bool events;          /* a line for each event on stderr */
	bool progress;
};

struct mm_rollout_end {
	bool elsewhere;         /* another process drives it; nothing was done */
	const char *holder;     /* which, in the arena that was given */
	bool begun;             /* the summary holds something */
	enum mm_ro_state state; /* when it ended */
	int64_t again; /* unix seconds: when there is something to do again; 0 = when an admin acts */
	int exit_bits; /* MM_EX_HALTED, or MM_EX_DIFF when it stands before its end */
};

/* -1: an error of ours, the rollout stays as it is stored. Free *sum when
 * end->begun. */
int mm_rollout_drive(struct mm_ctl *c, const struct mm_rollout_how *how, struct mm_arena *a,
    struct mm_push_summary *sum, struct mm_rollout_end *end, struct mm_err *err);

/* Another process drives it: tell what happens until it stands. Ctrl-C ends
 * the telling only. */
int mm_rollout_follow(
    struct mm_ctl *c, const struct mm_rollout_how *how, struct mm_rollout_end *end, struct mm_err *err);

/* What a rollout in this state, with these hosts, means for an exit status:
 * MM_EX_HALTED, hosts failed, unreachable, differences left. */
int mm_rollout_exit(struct mm_store *s, const struct mm_rollout *r, int *bits, struct mm_err *err);

#endif
