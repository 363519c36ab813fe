/* What happens in a rollout, a line for each event on stderr. */
#ifndef MM_CONTROLLER_ROLLOUT_EVENT_H
#define MM_CONTROLLER_ROLLOUT_EVENT_H

#include "controller/rollout_state.h"

/* State and wave as they are now. */
void mm_rollout_event(const struct mm_rollout_state *st);
/* A host that did not end well; nothing for one that did. */
void mm_rollout_event_host(const struct mm_rollout_host *h);
/* It waits for longer than one likes to look at a silent screen. */
void mm_rollout_event_waits(const struct mm_rollout_state *st, const char *why);
/* The driver was stopped: how it goes on. */
void mm_rollout_event_left(const struct mm_rollout_state *st);

#endif
