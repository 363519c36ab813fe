/*
 * `mailmuster-agent login`: at the beginning of a session, as the user.
 *
 * Applies the user's stored sheet, puts a report into the spool, and returns.
 * Login checks that are due run in a process of their own, which ends after
 * MM_PROBE_SECONDS at the latest and spools its own report. Never speaks to
 * the controller; never asks; a run that finds nothing to do and nothing new
 * to tell costs a few milliseconds.
 */
#ifndef MM_AGENT_LOGIN_H
#define MM_AGENT_LOGIN_H

#include "agent/blockers.h"
#include "agent/conf.h"

/* A report that says what the last one said is not spooled again before this
 * time is over (seconds). */
#define MM_LOGIN_REPEAT_S (20 * 3600)

/* `wait`: run due login checks here instead of detached. `blockers`, where it
 * is not NULL, is set to what keeps changes waiting. */
int mm_login_session(const struct mm_conf *c, bool wait, struct mm_blockers *blockers, struct mm_err *err);
/* What waits is waited for no longer: the next login or request comes back to it. */
void mm_login_give_up(const struct mm_conf *c);

#endif
