/*
 * The words of a rollout: what state it is in, and what became of each of
 * its hosts. The store and --json use the names.
 */
#ifndef MM_ROLLOUT_WORDS_H
#define MM_ROLLOUT_WORDS_H

#include <stdbool.h>

enum mm_ro_state {
	MM_RO_RUNNING,    /* hosts of the present wave are being served */
	MM_RO_BAKING,     /* the wave has settled; its bake time runs, unreachable hosts are tried again */
	MM_RO_PAUSED,     /* by an admin, inconclusive, or waiting for an approval: nothing new is sent */
	MM_RO_HALTED,     /* a budget or the gate stopped it: nothing new is sent */
	MM_RO_DONE,       /* every wave has settled; hosts of the late lane still get it */
	MM_RO_ABORTED,    /* by an admin, for good */
	MM_RO_SUPERSEDED, /* newer rollouts have taken over every host that was left */
	MM_RO_COUNT
};

/* What is sent counts as in flight until it lands. */
enum mm_rh_state {
	MM_RH_WAITING,     /* its wave has not begun */
	MM_RH_RELEASED,    /* its wave is open: it may have the revision, and has not been sent it */
	MM_RH_SENT,        /* in flight */
	MM_RH_OK,          /* answered; what was to be done is done, no login failed */
	MM_RH_FAILED,      /* refused, or the agent could not do it */
	MM_RH_UNREACHABLE, /* not reached; tried again at next_try while its wave is open */
	MM_RH_LOGIN,       /* done, but a login check that should pass failed */
	MM_RH_LATE,        /* was unreachable when its wave closed; gets it when it appears */
	MM_RH_SUPERSEDED,  /* a newer revision was sent, or is to be sent, by another rollout or push */
	MM_RH_REVERTED,    /* the agent took the change back because it broke a login */
	MM_RH_COUNT
};

const char *mm_ro_state_name(enum mm_ro_state s);
int mm_ro_state_by_name(const char *name); /* -1 = none of them */
/* May hosts be sent something new in this state? (done: the late lane only) */
bool mm_ro_state_live(enum mm_ro_state s);

const char *mm_rh_state_name(enum mm_rh_state s);
int mm_rh_state_by_name(const char *name); /* -1 = none of them */
/* Has the host answered for this revision? */
bool mm_rh_answered(enum mm_rh_state s);

#endif
