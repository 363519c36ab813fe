/*
 * A preflight in numbers: for whom do the new settings work?
 *
 * Everything that was learned is a cause (controller/push_causes.h): the
 * outcome of a login, and also why there is none - a host that did not
 * answer, a home that is not there. So the whole is in the numbers: nobody of
 * the selection is left out. A person is judged by the worst that is known of
 * any of the hosts: one machine where it fails is a call to the help desk.
 *
 * Nothing of it is stored: it says nothing about the settings in force.
 */
#ifndef MM_CONTROLLER_PREFLIGHT_H
#define MM_CONTROLLER_PREFLIGHT_H

#include "controller/push_op.h"

/* Classes of people without a login; the server is "", the text says more. */
#define MM_CLS_NOT_ANSWERED "HOST_NOT_ANSWERED" /* the host; the text is its outcome */
#define MM_CLS_NOT_SERVED "NOT_SERVED"          /* the host could do nothing for this person */
#define MM_CLS_NOT_LOGGED_IN "NOT_LOGGED_IN"    /* the policy's rules.check asks for less than a login */

struct mm_preflight_people {
	size_t all, works, fails, unknown; /* people; all = the sum of the others */
	size_t open_hosts; /* did not answer, and whoever logs in there: their people are not counted */
};

/* What a host's answer says of its people. */
void mm_preflight_login(struct mm_push_summary *s, const char *host, const struct mm_login *l);
void mm_preflight_finding(
    struct mm_push_summary *s, const struct mm_host_result *r, const struct mm_finding *f);
/* A cause that has nothing to do with any server. */
void mm_preflight_without_login(
    struct mm_push_summary *s, const char *host, const char *user, const char *cls, const char *text);
/* At the end (preflight_end.c): those who stand in no answer, and the exit status. */
int mm_preflight_conclude(struct mm_push_summary *s, struct mm_request_builder *b,
    const struct mm_held_ask *ask, struct mm_err *err);
struct mm_preflight_people mm_preflight_count(const struct mm_push_summary *s);

#endif
