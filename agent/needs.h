/*
 * What clients need besides their files (struct mm_need): a program of the
 * session takes up what was written. Over the user's session bus, as the
 * user, and only of a service that runs: one that does not reads its files
 * when it starts.
 */
#ifndef MM_AGENT_NEEDS_H
#define MM_AGENT_NEEDS_H

#include "agent/reader.h"

/* For all of them. goa-daemon takes a second or two to end. */
#define MM_NEEDS_SECONDS 5

/* One after the other. NULL: they were met, or nobody is there to take
 * anything up; else the sentence of the first that was not. */
const char *mm_needs_meet(
    const struct mm_identity *who, const struct mm_need *needs, size_t n, struct mm_arena *a);

#endif
