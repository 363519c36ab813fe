/*
 * What comes of a change on trial (trial.h) once its login was tested:
 *
 *   passed                                          confirmed
 *   failed for a definite reason (definite.h), and
 *   the former settings are known to have worked    taken back: the inverse of exactly the trial's
 *                                                   edits, that side alone, in every client changed
 *   the same, not known to have worked              kept: nothing that worked was broken
 *   anything else, or what stood there before is
 *   what the policy or this host forbids            open: tried again with the user's next session
 *
 * Before the files, the journal learns what is being taken back, so that
 * nobody who comes in between does it again. Nothing is taken back of what
 * somebody has changed since, and nothing under a running program.
 */
#ifndef MM_AGENT_CONFIRM_H
#define MM_AGENT_CONFIRM_H

#include "agent/converge.h"
#include "agent/probe_run.h"

enum mm_settled_how { MM_SETTLED_OPEN, MM_SETTLED_CONFIRMED, MM_SETTLED_KEPT, MM_SETTLED_REVERTED };

struct mm_settled {
	const char *client, *path, *account;
	enum mm_side side;
	enum mm_settled_how how;
	const char *why; /* of an open one: why not more */
};

struct mm_settled_list {
	struct mm_settled *s;
	size_t n, cap;
};
const struct mm_settled *mm_settled_find(const struct mm_settled_list *l, const char *client,
    const char *path, const char *account, enum mm_side side);

/* Those that were proven by a login that a killed run has not told us of.
 * True: the journal is changed, not saved. */
bool mm_confirm_proven(struct mm_converge *c);

/* Decide on every trial of the journal and act; the journal is saved. `now`
 * is per account of the sheet. -1: the journal cannot be written. */
int mm_confirm(struct mm_converge *c, const struct mm_outcome (*outcome)[MM_SIDE_COUNT],
    struct mm_settled_list *out, struct mm_err *err);

#endif
