/*
 * Inside controller/policy: what a policy that can be read may still have
 * wrong. Grammar, types and ranges are the business of scan.c and parse*.c.
 */
#ifndef MM_POLICY_CHECK_H
#define MM_POLICY_CHECK_H

#include "controller/policy/policy.h"

/* References, combinations, rules: everything that needs the whole policy.
 * Completes the accounts with the rows of their endpoints. */
void mm_check_policy(struct mm_policy *p, struct mm_diags *d);

/* scope = "system": does the client have a way, and room for what is said? */
void mm_check_hostwide(const struct mm_policy *p, const struct mm_policy_opts *opts, struct mm_diags *d);

/* Do the values of one side of an account fit together and obey the rules?
 * `v` has a row per setting, NULL where nothing is said. */
struct mm_judge {
	const struct mm_pvalue *v[MM_SET_COUNT];
	enum mm_side side;
	const struct mm_rules *rules;
	const char *what; /* in front of each message: "endpoint imap_main" */
	/* Only what this block has a part in is reported; NULL: everything. */
	const struct mm_block *only;
	bool errors_only;
};
/* Two folder roles on one mailbox, and folders of an account that is read by POP3. */
void mm_check_folders(const struct mm_judge *j, struct mm_diags *d);
void mm_check_values(const struct mm_judge *j, struct mm_diags *d);

#endif
