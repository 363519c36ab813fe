/*
 * How hard a server may be pressed: connections at a time, new ones per
 * second, and less of both once it showed that it had enough. Servers punish
 * an address that is in a hurry, and the users behind it with us.
 *
 * Pure: the clock is the caller's (clock.h).
 */
#ifndef MM_AGENT_PROBE_PACE_H
#define MM_AGENT_PROBE_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MM_PER_SERVER 8    /* connections to one server at a time */
#define MM_PER_SECOND 200  /* new connections to one server */
#define MM_PENALTY_MS 2000 /* nothing new for so long after a server had enough; doubles */
#define MM_PENALTY_MAX_MS 16000

struct mm_pace {
	size_t most;   /* at a time */
	size_t active; /* connections that are open */
	int64_t per_second;
	int64_t credit_us; /* when the next connection would be due, were all spaced evenly */
	int64_t paused_until;
	int penalty_ms; /* of the next penalty */
};

void mm_pace_init(struct mm_pace *p, size_t most, size_t per_second);
bool mm_pace_free(const struct mm_pace *p, int64_t now);
/* A connection more, one less. */
void mm_pace_take(struct mm_pace *p, int64_t now);
void mm_pace_give(struct mm_pace *p);
/* The server had enough: half as many at a time from here on, and a pause. */
void mm_pace_penalty(struct mm_pace *p, int64_t now);
/* When to ask mm_pace_free() again; INT64_MAX: when a connection ends. */
int64_t mm_pace_wake(const struct mm_pace *p);

#endif
