/*
 * What was looked at beside the settings (schemas/facts.h), for each account
 * of a place that was read, and for its files: positive evidence, not only
 * what is wrong.
 *
 * An adapter says by mm_client.evidence where it looks everywhere, and by
 * traps what it found; "well" is said only of what both together prove. What
 * hangs on a line that nobody can be certain of is unknown, with the reason.
 * Of accounts that no policy knows the domain and such a weakness is told,
 * but neither a server nor a sentence.
 */
#ifndef MM_AGENT_FACTS_H
#define MM_AGENT_FACTS_H

#include "agent/clients/client.h"
#include "schemas/facts.h"

struct mm_fact_row {
	enum mm_fact fact;
	const char *found; /* NULL: unknown, `reason` says why */
	bool well;
	const char *path; /* where it stands, or NULL */
	int line;
	const char *reason; /* "" when `found` says it all */
};

/* About one account of a place; at most MM_FACT_COUNT rows. Texts live in `a`,
 * in the view, or with the reader, which the files of the system come from. */
size_t mm_facts_of_account(const struct mm_client *cl, const struct mm_view *view,
    const struct mm_seen_account *acc, struct mm_reader *r, struct mm_arena *a, struct mm_fact_row *out);
/* A password in the place that belongs to no one account: 1 row, or none. */
size_t mm_facts_of_place(const struct mm_client *cl, const struct mm_view *view, struct mm_fact_row *out);

/* Findings of all these about one place, as it is after this run. */
struct mm_place_run;
void mm_facts_report(struct mm_place_run *p);
/* The place could not be read: whose it is, and who else may write to it. */
void mm_facts_unread(struct mm_place_run *p);

#endif
