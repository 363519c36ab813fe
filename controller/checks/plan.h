/*
 * Which check looks at what: made once for a walk, so that a finding costs
 * one look-up however many checks there are. Inside controller/checks.
 */
#ifndef MM_CONTROLLER_CHECKS_PLAN_H
#define MM_CONTROLLER_CHECKS_PLAN_H

#include "controller/checks/tests.h"

#define MM_PLAN_SLOTS 256 /* a power of two, more than there are settings and facts */

struct mm_plan_ids { /* places in the baseline's checks */
	uint16_t *v;
	size_t n;
};

struct mm_plan_slot {
	const char *id; /* NULL = free */
	enum mm_setting set;
	enum mm_fact fact;
	struct mm_plan_ids ids;
};

struct mm_plan {
	const struct mm_baseline *b;
	const struct mm_test **tests; /* of each check; NULL: turned off */
	struct mm_plan_slot slots[MM_PLAN_SLOTS];
	struct mm_plan_ids every; /* those that look at each setting */
	struct mm_plan_ids login, host, fleet;
	struct mm_plan_ids account, client, only_login; /* by scope */
};

void mm_plan_make(struct mm_plan *p, const struct mm_baseline *b, struct mm_arena *a);
/* NULL: no setting or fact of this version. */
const struct mm_plan_slot *mm_plan_slot(const struct mm_plan *p, const char *id);

#endif
