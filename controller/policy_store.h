/*
 * Between the store and the policy library: the stored policy, people as
 * subjects, and whether the policy holds for everybody who is in the store.
 */
#ifndef MM_CONTROLLER_POLICY_STORE_H
#define MM_CONTROLLER_POLICY_STORE_H

#include "controller/policy/policy.h"
#include "controller/policy/resolve.h"
#include "controller/store/store.h"

struct mm_stored_policy {
	struct mm_revision revision;
	struct mm_policy *policy;
};

/* Load a stored revision (0 = the current one). 1: there is none. */
int mm_policy_stored(
    struct mm_store *s, int64_t number, struct mm_arena *a, struct mm_stored_policy *out, struct mm_err *err);

/* Borrows from `u`. */
struct mm_subject mm_subject_of(const struct mm_store_user *u, struct mm_arena *a);

/* Does the policy hold for these people: no contradiction between groups of
 * equal priority, nothing missing that a template needs, no impossible
 * combination? Everything that is wrong becomes an error in `d`. `logins` is
 * NULL-terminated; NULL = everybody. 0, or -1 when the store failed. */
int mm_policy_holds(struct mm_store *s, const struct mm_policy *p, const char *const *logins,
    struct mm_diags *d, struct mm_err *err);

#endif
