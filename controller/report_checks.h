/*
 * What a report is judged by: the baseline that the policy chose, or another
 * for once; its checks as a list; and what their results mean for an exit status.
 */
#ifndef MM_CONTROLLER_REPORT_CHECKS_H
#define MM_CONTROLLER_REPORT_CHECKS_H

#include "controller/checks/check.h"
#include "controller/cmd.h"

struct mm_judged_by {
	const struct mm_baseline *baseline;
	const char *by; /* "the policy", "--baseline", ... */
};

/* `name` NULL: the current revision's, with its tailoring, in the texts that it was
 * imported with. `check` not NULL: that one alone. Everything lies in `a`. */
int mm_judge_by(struct mm_ctl *c, const char *name, const char *check, struct mm_arena *a,
    struct mm_judged_by *out, struct mm_err *err);

/* Every check with controls, rationale, sections and fixes, to standard output. */
void mm_list_checks(const struct mm_judged_by *j, bool json);

/* MM_EX_DIFF when a check failed, or is not known to hold; what is waived is neither. */
int mm_checks_exit(const struct mm_baseline *b, const struct mm_check_sum *sums);

#endif
