/* When a push is a rollout. */
#ifndef MM_CONTROLLER_PUSH_ROLL_H
#define MM_CONTROLLER_PUSH_ROLL_H

#include "controller/push_cmd.h"

/* A push of --all (without --limit) is one, if more than one host is chosen
 * and one of them does not have the current revision yet, unless a rollout has
 * brought this revision already; so is every push with an option of rollouts.
 * One of this revision that is under way is gone on with. True: done, *status
 * is the exit status. False: it is an ordinary push. */
bool mm_push_roll(struct mm_ctl *c, const char *what, const struct mm_push_cmd *o, int *status);

#endif
