/* What push and the rollout commands have in common: drive a rollout (or
 * follow who does), and say what came of it. */
#ifndef MM_CONTROLLER_ROLLOUT_GO_H
#define MM_CONTROLLER_ROLLOUT_GO_H

#include "controller/rollout_run.h"

/* Returns the exit status. `what` is the command's name. */
int mm_rollout_go(struct mm_ctl *c, const char *what, const struct mm_rollout_how *how, bool json);

#endif
