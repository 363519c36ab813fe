/*
 * A rollout in the memory of the process that drives it: its hosts as
 * controller/rollout/decide.h wants them, kept equal to the store.
 */
#ifndef MM_CONTROLLER_ROLLOUT_STATE_H
#define MM_CONTROLLER_ROLLOUT_STATE_H

#include "controller/rollout/decide.h"
#include "controller/rollout/terms.h"
#include "controller/store/store_rollout.h"

struct mm_rollout_name {
	const char *id;
	size_t at; /* in `hosts` */
};

struct mm_rollout_state {
	struct mm_store *store;
	struct mm_arena *a;    /* hosts, names */
	struct mm_arena *head; /* texts of `r` */
	struct mm_rollout r;
	struct mm_ro_terms terms;
	struct mm_ro_host *hosts;
	const char **ids;              /* of the hosts */
	int64_t *revisions;            /* that they are to have */
	struct mm_rollout_name *names; /* sorted */
	size_t n, cap, cap_ids, cap_revisions;
	size_t n_servers; /* for rates */
	int64_t seq;      /* of the newest change that was read */
};

/* 1: there is no such rollout. Free it in any case. */
int mm_rollout_state_load(struct mm_store *s, int64_t id, struct mm_rollout_state *out, struct mm_err *err);
void mm_rollout_state_free(struct mm_rollout_state *st);
/* What others have changed since. */
int mm_rollout_state_look(struct mm_rollout_state *st, struct mm_err *err);
/* The place of a host; SIZE_MAX when it is not in the rollout. */
size_t mm_rollout_state_find(const struct mm_rollout_state *st, const char *id);
/* For mm_ro_decide(). */
struct mm_ro_now mm_rollout_state_now(const struct mm_rollout_state *st);
/* What comes next, without doing it: for those who only look. */
void mm_rollout_state_ahead(const struct mm_rollout_state *st, struct mm_ro_decision *out);

/* The same sentence of a head alone, as it is now. */
int mm_rollout_why(
    struct mm_store *s, const struct mm_rollout *r, struct mm_arena *a, const char **out, struct mm_err *err);

/* Processes are told apart by number only within their namespace: its name, in `buf`. */
const char *mm_rollout_our_space(char *buf, size_t n);
/* A process of this machine that was killed: its lease need not run out. */
bool mm_rollout_driver_died(const struct mm_rollout *holder);
/* Does anybody carry it on, by all that is known? */
bool mm_rollout_is_driven(const struct mm_rollout *r, int64_t now);

#endif
