/* Milliseconds of the monotonic clock: for deadlines and durations only. */
#ifndef MM_AGENT_PROBE_CLOCK_H
#define MM_AGENT_PROBE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline int64_t mm_clock_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static inline int64_t mm_sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

#endif
