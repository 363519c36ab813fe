/* What the commands that change users and groups have in common. */
#ifndef MM_CONTROLLER_PEOPLE_H
#define MM_CONTROLLER_PEOPLE_H

#include "controller/cmd.h"
#include "controller/policy/diag.h"

/* How many of what a command did. */
struct mm_tally_put {
	int64_t n[3]; /* by enum mm_put */
	int64_t removed;
};

/* End the transaction of a change: if the current policy does not hold any
 * more for these people (NULL-terminated; NULL = everybody), say why, line by line,
 * and undo everything. `diags` may hold complaints already. 0, or the exit status. */
int mm_people_end(struct mm_ctl *c, const char *what, const char *const *logins, struct mm_diags *diags);

/* Print what was done: "3 added, 1 changed, 40 kept". */
void mm_people_done(const struct mm_tally_put *t, bool json);

/* NULL-terminated copy of a list in `a`. */
const char *const *mm_list(struct mm_arena *a, const char *const *items, size_t n);

/* What a user may be called and have: complaints as text, or NULL. */
const char *mm_user_trouble(const struct mm_store_user *u, struct mm_arena *a);

#endif
