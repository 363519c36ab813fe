/*
 * The difference between two moments: what stood at the one and what stands at
 * the other, matched by what a row is about. What changed in between and came
 * back is no difference; that is told by events.h.
 *
 * Two walks in the same order side by side: memory does not grow.
 * Conventions are those of store.h.
 */
#ifndef MM_CONTROLLER_STORE_CHANGES_H
#define MM_CONTROLLER_STORE_CHANGES_H

#include "controller/store/store.h"

enum mm_turn {
	MM_TURN_WORSE,
	MM_TURN_BETTER,
	MM_TURN_NEW,
	MM_TURN_GONE,  /* also: of a user or host that is not looked after any more */
	MM_TURN_OTHER, /* counts as before, and is another value, state or class */
	MM_TURN_COUNT
};
const char *mm_turn_name(enum mm_turn c); /* worse, better, new, gone, changed */

/* One of the two may be NULL: it was not there. Rows are valid during the call only. */
struct mm_change_cbs {
	int (*finding)(enum mm_turn c, const struct mm_finding_row *then, const struct mm_finding_row *now,
	    void *arg, struct mm_err *err);
	int (*login)(enum mm_turn c, const struct mm_login_row *then, const struct mm_login_row *now,
	    void *arg, struct mm_err *err);
};
/* Of the filter's rows between `since` and filter->at (0 = now): first the
 * findings, then the logins, each in the order of mm_store_findings(). What
 * either moment does not tell apart is left out. */
int mm_store_changes(struct mm_store *s, const struct mm_evidence_filter *f, int64_t since,
    const struct mm_change_cbs *cbs, void *arg, struct mm_err *err);

#endif
