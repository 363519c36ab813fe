/*
 * A round trip needs the incoming server's test first: what that saw, and
 * who waits for it. Internal to the engine.
 */
#ifndef MM_AGENT_PROBE_RETRIEVE_H
#define MM_AGENT_PROBE_RETRIEVE_H

#include "agent/probe/site.h"
#include "agent/probe/trip.h"

struct mm_outcome { /* of one job that another one waits for */
	bool over;
	bool held;
	char why_not[96]; /* otherwise */
	struct mm_endpoint ep;
	struct mm_limits limits;
	struct mm_name_answer name;
	bool own_command;
	struct mm_test *waiting; /* by `next` */
};

/* What is needed of a test that is over. */
void mm_outcome_take(struct mm_outcome *o, const struct mm_attempt *a, const struct mm_login *l);
/* The plan of a test whose message comes in as `in` saw it; `secret` and
 * `certificate` are what the incoming server is logged in to by. All outlive it. */
void mm_retrieve_plan(struct mm_trip_plan *out, const struct mm_outcome *in, const struct mm_probe_task *task,
    const struct mm_secret *secret, const struct mm_secret *certificate, CURLM *multi, int wait_ms);

#endif
