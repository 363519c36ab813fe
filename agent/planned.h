/*
 * An apply that carries out a plan: does the plan still hold? Everybody whom
 * the request is about is looked at once more, as a plan would.
 */
#ifndef MM_AGENT_PLANNED_H
#define MM_AGENT_PLANNED_H

#include "agent/serve_users.h"

/* 0: what would change is what the plan says, or nothing. -1, with
 * MM_EX_NOPERM: this host has moved on. `like` says how users are served;
 * its way, its done() and what it does besides the run are not used. */
int mm_planned_holds(const struct mm_user_batch *like, struct mm_user_job *jobs, size_t n, const char *expect,
    struct mm_err *err);

#endif
