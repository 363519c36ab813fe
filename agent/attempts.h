/*
 * The sentences about attempts that were not made, and about what a refusal
 * means where the same login worked before (agent/remember.h). For
 * agent/probe_run.c.
 */
#ifndef MM_AGENT_ATTEMPTS_H
#define MM_AGENT_ATTEMPTS_H

#include "agent/remember.h"

#define MM_CLS_REFUSED_ELSEWHERE "REFUSED_ELSEWHERE"

/* Somebody asked for one more attempt, and that is too soon; all zeros: nobody did. */
struct mm_too_soon {
	int64_t last, next;
};

/* What was answered when it was last tried here: `out` gets verdict, sentences
 * and time; the names are the caller's. */
void mm_attempt_remembered(
    const struct mm_rest *r, const struct mm_too_soon *soon, struct mm_arena *a, struct mm_login *out);

struct mm_withheld {
	const char *text, *admin, *fix;
	const char *step; /* for the ladder's rung of the login */
};
/* Not tried on `port` of `host`, since the same password was refused on another. */
void mm_attempt_withheld(const struct mm_rest *r, const struct mm_too_soon *soon, const char *host, int port,
    struct mm_arena *a, struct mm_withheld *out);

/* A refused password: did it, or another one, work with these settings until
 * `when`? Added to the sentences. */
void mm_attempt_history(enum mm_history h, int64_t when, struct mm_arena *a, struct mm_login *l);

#endif
