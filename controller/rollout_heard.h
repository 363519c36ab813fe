/*
 * What people's sessions say of a rollout afterwards: a login run proves (or
 * takes back) what could not be tested when the settings came, and its report
 * arrives with a later push or check-in.
 */
#ifndef MM_CONTROLLER_ROLLOUT_HEARD_H
#define MM_CONTROLLER_ROLLOUT_HEARD_H

#include "controller/store/store_rollout.h"

/* Reports of login runs of this host were stored: the newest rollout that it
 * has answered counts its people anew, by the evidence that is newer than
 * what it was sent. Nobody who was counted as tested is dropped. */
int mm_rollout_heard(struct mm_store *s, const char *host, struct mm_err *err);

#endif
