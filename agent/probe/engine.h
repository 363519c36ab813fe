/*
 * All tests of a run at once, in one thread: libcurl's multi interface, own
 * deadlines, and a limit of connections per server (host and port), because
 * servers have one too. Each result is told as soon as it stands; a silent
 * server delays only the tests that are about it.
 */
#ifndef MM_AGENT_PROBE_ENGINE_H
#define MM_AGENT_PROBE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/probe/resolve.h"
#include "agent/probe/talk.h"
#include "common/err.h"
#include "common/secret.h"
#include "schemas/probe.h"

#define MM_PER_SERVER 8 /* connections to one server at a time */
#define MM_AT_ONCE 800  /* tests at a time, as far as RLIMIT_NOFILE has room */

struct mm_job {
	const struct mm_probe_task *task;
	const struct mm_secret *secret;      /* NULL: none */
	const struct mm_secret *certificate; /* a client's, with its key, PEM; NULL: none */
	const struct mm_trace *trace;        /* NULL: nobody looks on */
};

struct mm_engine_opts {
	const struct mm_limits *limits; /* NULL: mm_limits_default */
	const struct mm_gai *gai;       /* NULL: the system's name service */
	size_t per_server, at_once;     /* 0: the limits above */
	bool no_survey;                 /* no look at an endpoint whose tests need none */
	/* A test is over; `login` is valid during the call. -1 ends the run. The
	 * job's secret is not needed any more. */
	int (*told)(void *ctx, size_t job, const struct mm_login *login, struct mm_err *err);
	/* While something is awaited, ten times a second; NULL: not. */
	void (*tick)(void *ctx);
	void *ctx;
};

/* mm_curl_init() comes before. */
int mm_engine_run(const struct mm_job *jobs, size_t n, const struct mm_engine_opts *opts, struct mm_err *err);

#endif
