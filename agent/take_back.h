/*
 * Changes taken back because an admin asks for it (a signed request with op
 * restore): as `mailmuster-agent restore` does, but for what the policy or
 * this host forbids, and nothing under a running program. What was
 * taken back is not applied again before a newer revision comes, or somebody
 * says that it was mended (MM_VERIFY_AGAIN).
 *
 * The same request may come twice. Without a number, what was taken back already
 * is left at that: going back further takes a number.
 */
#ifndef MM_AGENT_TAKE_BACK_H
#define MM_AGENT_TAKE_BACK_H

#include "agent/converge.h"
#include "agent/restore.h"

/* Findings that pass it say what was taken back. */
struct mm_taken {
	struct mm_sink sink; /* first member */
	struct mm_sink *to;
	const struct mm_converge *c;
	struct mm_restored *done;
	size_t n;
};

/* With the journal loaded, under the lock. Reports what is not taken back to
 * c->sink. -1: it came to an end early; what was taken back before stands in
 * `out`, which is filled in any case. */
int mm_take_back(struct mm_converge *c, int64_t generation, struct mm_taken *out, struct mm_err *err);

/* True when this run must not change anything: the revision was taken back
 * here. A newer one ends that (the journal is changed, not saved). */
bool mm_is_taken_back(struct mm_converge *c);

#endif
