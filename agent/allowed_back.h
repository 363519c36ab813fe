/*
 * What stood there before us does not come back when the policy, or this
 * host, forbids it: whoever wrote it, and whoever asks.
 */
#ifndef MM_AGENT_ALLOWED_BACK_H
#define MM_AGENT_ALLOWED_BACK_H

#include "agent/converge.h"

/* Of one side of an account, as it is now (NULL: it is not there) and as it
 * would be then: why it must not be so again; NULL: it may. In c->arena. */
const char *mm_forbidden_back(const struct mm_converge *c, enum mm_side side,
    const struct mm_seen_account *now, const struct mm_seen_account *then);

#endif
