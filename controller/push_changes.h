/*
 * Changes of many hosts, grouped: the same change on a thousand hosts is one
 * entry with a count. Values that are each user's own (names, addresses) do
 * not split a group.
 */
#ifndef MM_CONTROLLER_PUSH_CHANGES_H
#define MM_CONTROLLER_PUSH_CHANGES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/mem.h"
#include "schemas/report.h"

struct mm_change_place {
	struct mm_change_place *next;
	const char *host, *user, *path, *desired, *found;
	int line;
};

struct mm_change {
	struct mm_change *next; /* in its bucket */
	const char *client, *account, *setting, *reason;
	enum mm_action action;
	enum mm_state state;
	const char *desired, *found;         /* of the first place; may be NULL */
	bool desired_differs, found_differs; /* among the places */
	size_t count, hosts;                 /* places; distinct hosts */
	struct mm_change_place *first, **last;
	const char *last_host; /* of the place that was added last */
};

/* An account is taken away, or given back as it was before. */
bool mm_change_removes(const struct mm_change *c);

/* Whom it touches; lists are sorted and end with NULL. */
struct mm_changes_sum {
	size_t changes, removals;
	size_t users, hosts;
	const char *const *clients;
	const char *const *servers; /* that the changed sides will talk to */
	size_t n_servers;
	const char *const *paying[MM_COST_COUNT]; /* users whom it costs something: MM_COST_... */
	size_t n_paying[MM_COST_COUNT];
};

struct mm_changes;
struct mm_changes *mm_changes_new(struct mm_arena *a); /* lives in `a`; its sets do not */
void mm_changes_free(struct mm_changes *c);            /* the sets; NULL is allowed */
/* Add a finding whose action is MM_ACT_WOULD_CHANGE; texts are copied. */
void mm_changes_add(struct mm_changes *c, const char *host, const struct mm_finding *f);
/* All findings of a report, in its order: to which servers do the changes lead? */
void mm_changes_servers(struct mm_changes *c, const struct mm_finding *f, size_t n);
struct mm_changes_sum mm_changes_sum(const struct mm_changes *c);
/* All groups: removals first, then those with most places; places by host and user. NULL-terminated,
 * in the arena. */
const struct mm_change *const *mm_changes_sorted(struct mm_changes *c, size_t *n);

#endif
