/*
 * What became of a host, in the words of a rollout, and written down there.
 */
#ifndef MM_CONTROLLER_ROLLOUT_LAND_H
#define MM_CONTROLLER_ROLLOUT_LAND_H

#include "controller/push_op.h"
#include "controller/store/store_rollout.h"

/* Only "ok" is ok: taken back comes before a finding that failed, and that
 * before a login that failed. */
enum mm_rh_state mm_rollout_state_of(const struct mm_host_result *r);
/* Borrows its texts from `r`. next_try is not set. */
struct mm_rollout_host mm_rollout_host_of(const struct mm_host_result *r, const char *host);

/* A host has answered to, or refused, an apply that no rollout sent: a push
 * by hand, or `fetched` by a check-in that has claimed it. A rollout of the
 * same revision counts the result, those of older revisions are overtaken.
 * Not to be called when the host was not reached. */
int mm_rollout_hear(struct mm_store *s, const char *host, int64_t revision, const struct mm_host_result *r,
    struct mm_err *err);

#endif
