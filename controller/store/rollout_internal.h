/*
 * Between the files of the store that keep rollouts.
 */
#ifndef MM_CONTROLLER_STORE_ROLLOUT_INTERNAL_H
#define MM_CONTROLLER_STORE_ROLLOUT_INTERNAL_H

#include "controller/store/internal.h"
#include "controller/store/store_rollout.h"

/* An entry of the audit log about a rollout, with one detail (name NULL: none). */
int mm_rollout_note(struct mm_store *s, int64_t id, const char *action, const char *name, const char *value,
    struct mm_err *err);

/* Ends a transaction whose result may be 1 or MM_ROLLOUT_LOST: these changed nothing. */
int mm_rollout_end(struct mm_store *s, int rc, struct mm_err *err);

/* 0: it is ours now; MM_ROLLOUT_LOST; -1. */
int mm_rollout_leased(struct mm_store *s, const struct mm_rollout_lease *l, struct mm_err *err);

/* Before rows of rollout_hosts are changed. */
int mm_rollout_bump(struct mm_store *s, int64_t id, struct mm_err *err);

/* hosts.c: a host that is removed is served by no rollout any more. */
int mm_rollout_forget_host(struct mm_store *s, const char *host, struct mm_err *err);

#endif
