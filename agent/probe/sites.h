/*
 * The servers and endpoints of a run, each once, however many tests go
 * there. Internal to the engine.
 */
#ifndef MM_AGENT_PROBE_SITES_H
#define MM_AGENT_PROBE_SITES_H

#include "agent/probe/resolve.h"
#include "agent/probe/site.h"
#include "common/mem.h"

struct mm_sites {
	struct mm_arena *mem; /* servers and endpoints live in it */
	struct mm_resolver *resolver;
	size_t per_server, per_second; /* pace.h */
	void *servers, *by_endpoint;   /* tsearch() trees */
	struct mm_site *all;           /* all, by next_all */
};

/* The endpoint of a test; `task` is the test's. A server that is new is
 * looked up. */
struct mm_site *mm_sites_of(struct mm_sites *p, const struct mm_test *t, const struct mm_probe_task *task);
void mm_sites_end(struct mm_sites *p);

#endif
