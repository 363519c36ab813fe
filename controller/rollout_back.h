/*
 * Taking a rollout back: what the touched hosts had before becomes the next
 * revisions, one for each text, and a rollout of its own brings every host its
 * former one, and nobody else anything.
 */
#ifndef MM_CONTROLLER_ROLLOUT_BACK_H
#define MM_CONTROLLER_ROLLOUT_BACK_H

#include "controller/rollout/former.h"
#include "controller/rollout_make.h"

struct mm_rollout_back {
	struct mm_rollout_made made;
	const struct mm_ro_former *formers; /* what they had; the revisions follow in this order */
	size_t n;
	int64_t first, last; /* the revisions that were made of it; the last one is the current one */
	int64_t gone;        /* touched, but not in the inventory any more */
	bool under_way;      /* it is being taken back already, by made.id: nothing else is set */
};

/* Where hosts had nothing before, theirs is a policy that asks for nothing:
 * what we made is taken away there, and former values come back. The old rollout is ended.
 * All of it is stored, or nothing. MM_EX_FAILED when it touched nobody, or a former text does not
 * hold any more; MM_EX_NOPERM when one has too few approvals (mm_store_revision_back()). */
int mm_rollout_back(struct mm_ctl *c, int64_t id, const struct mm_rollout_opts *o, struct mm_arena *a,
    struct mm_rollout_back *out, struct mm_err *err);

/* Which rollout takes this one back, or has: the newest that was not given up. 1: none. */
int mm_rollout_taken_back(
    struct mm_store *s, int64_t of, int64_t *by, enum mm_ro_state *state, struct mm_err *err);

#endif
