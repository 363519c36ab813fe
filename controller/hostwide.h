/*
 * The system's sheet of a host: what its users share of the clients that the
 * policy wants set up through the system's files.
 */
#ifndef MM_CONTROLLER_HOSTWIDE_H
#define MM_CONTROLLER_HOSTWIDE_H

#include "controller/policy_store.h"

struct mm_hostwide_job {
	struct mm_store *store;
	const struct mm_stored_policy *p;
	const char *host; /* NULL: the policy says nothing about this host */
	const struct mm_store_host *users;
};

/* In `a`; NULL: nothing is asked for system-wide. */
int mm_hostwide_of(
    const struct mm_hostwide_job *j, struct mm_arena *a, const struct mm_sheet **out, struct mm_err *err);

#endif
