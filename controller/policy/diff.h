/*
 * What two policies want differently, key by key, whatever their text looks
 * like: order, comments and files do not count. A unified diff of the texts
 * is another thing and not done here.
 */
#ifndef MM_POLICY_DIFF_H
#define MM_POLICY_DIFF_H

#include <jansson.h>
#include <stdio.h>

#include "controller/policy/policy.h"

/* One key of a policy in flat form: "endpoints.in.port", "groups.staff.
 * override.work.incoming.host", "rules.check", "final.incoming.host" ... */
struct mm_flat {
	const char *key;
	const char *value; /* NULL: unset */
	struct mm_origin at;
};

struct mm_flat_list { /* sorted by key */
	struct mm_flat *items;
	size_t n, cap;
};

void mm_policy_flatten(const struct mm_policy *p, struct mm_arena *a, struct mm_flat_list *out);

struct mm_policy_change {
	const char *key;
	bool had, has;                     /* false, true: added; true, false: removed; both: changed */
	const char *old_value, *new_value; /* NULL: unset, or not there */
	struct mm_origin old_at, new_at;
};

struct mm_policy_diff { /* sorted by key; empty: both want the same */
	struct mm_policy_change *items;
	size_t n, cap;
};

/* From `before` (NULL: nothing) to `after`. Strings are borrowed from both. */
void mm_policy_diff(const struct mm_policy *before, const struct mm_policy *after, struct mm_arena *a,
    struct mm_policy_diff *out);

/* One line each: "~ endpoints.in.port: 993 -> 1993 (policy.conf:3)". */
void mm_policy_diff_print(const struct mm_policy_diff *d, FILE *f);
/* [{key, change: "added" | "removed" | "changed", old, new, file?, line?}] */
json_t *mm_policy_diff_json(const struct mm_policy_diff *d);

#endif
