/*
 * The limits that a host is given at its enrolment: what a controller may
 * configure there, even with a good signature.
 */
#ifndef MM_CONTROLLER_ENROLL_LIMITS_H
#define MM_CONTROLLER_ENROLL_LIMITS_H

#include "controller/enroll_script.h"
#include "controller/store/store.h"

/* As the admin says; what he does not say is taken from the current policy
 * (its domain and servers, its password programs). Neither is an error: a
 * host without limits would obey anybody who has the signing key. */
int mm_enroll_limits(struct mm_store *s, const struct mm_opt_list *domains,
    const struct mm_opt_list *programs, const struct mm_opt_list *clients, struct mm_arena *a,
    struct mm_enrolment *out, struct mm_err *err);

#endif
