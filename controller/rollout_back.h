/*
 * Taking a rollout back: the text that the touched hosts had before becomes
 * the next revision, and a rollout of its own brings it to them, and to
 * nobody else.
 */
#ifndef MM_CONTROLLER_ROLLOUT_BACK_H
#define MM_CONTROLLER_ROLLOUT_BACK_H

#include "controller/rollout_make.h"

struct mm_rollout_back {
	struct mm_rollout_made made;
	int64_t before;    /* the revision whose text comes back; 0 = none: nobody had any */
	int64_t revision;  /* its number now */
	int64_t hosts;     /* touched, and taken back */
	int64_t others;    /* of them: had yet another revision before */
	int64_t new_hosts; /* touched, but had nothing before: they stay as they are */
	int64_t gone;      /* touched, but not in the inventory any more */
};

/* Where none of the hosts had anything before, a policy that asks for nothing
 * becomes the next revision: what we made is taken away there, and former
 * values come back. The old rollout is ended first. MM_EX_FAILED when it touched nobody, MM_EX_NOPERM when
 * the revision, stored by then, waits for an approval. */
int mm_rollout_back(struct mm_ctl *c, int64_t id, const struct mm_rollout_opts *o, struct mm_arena *a,
    struct mm_rollout_back *out, struct mm_err *err);

#endif
