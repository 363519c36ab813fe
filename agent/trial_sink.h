/*
 * Findings about sides of accounts that are on trial wait here until it is
 * known what came of it; all others pass through.
 */
#ifndef MM_AGENT_TRIAL_SINK_H
#define MM_AGENT_TRIAL_SINK_H

#include "agent/collect.h"
#include "agent/confirm.h"

struct mm_trial_sink {
	struct mm_sink sink; /* first member */
	struct mm_sink *to;
	struct mm_converge *c;
	struct mm_collect kept;
};

/* `c` is the run whose findings come; its journal says what is on trial. */
void mm_trial_sink_begin(struct mm_trial_sink *t, struct mm_converge *c, struct mm_sink *to);
/* What waits goes on: `settled` NULL when nothing was decided. What was taken
 * back is looked at afresh. */
void mm_trial_sink_end(struct mm_trial_sink *t, const struct mm_settled_list *settled);

/* Look again, and tell only of what was decided on: for a report that comes
 * after that of the change. */
void mm_settled_tell(struct mm_converge *c, const struct mm_settled_list *settled);

#endif
