/*
 * All tests of a run at once, in one thread: libcurl's multi interface, own
 * deadlines, and limits per server (host and port), because servers have
 * them too (pace.h). Where several tests share an endpoint, it is looked at
 * once without credentials, and nobody logs in where that fails. Each result
 * is told as soon as it stands; a silent server delays only the tests that
 * are about it, and so does a silent Kerberos service (tickets.h).
 */
#ifndef MM_AGENT_PROBE_ENGINE_H
#define MM_AGENT_PROBE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/probe/pace.h"
#include "agent/probe/resolve.h"
#include "agent/probe/talk.h"
#include "agent/probe/tickets.h"
#include "common/err.h"
#include "common/secret.h"
#include "schemas/probe.h"

#define MM_AT_ONCE 1024  /* tests at a time, as far as RLIMIT_NOFILE has room */
#define MM_HANDSHAKES 96 /* of these in a TLS handshake */

struct mm_job {
	const struct mm_probe_task *task;
	const struct mm_secret *secret;      /* NULL: none */
	const struct mm_secret *certificate; /* a client's, with its key, PEM; NULL: none */
	const struct mm_trace *trace;        /* NULL: nobody looks on */
	/* Level roundtrip: the job with the incoming server, in the same list; NULL: none. Its secrets are
	 * needed until this job is over. It is tested first, and where it does not hold, nothing is sent. */
	const struct mm_job *retrieve;
};

struct mm_engine_opts {
	const struct mm_limits *limits; /* NULL: mm_limits_default */
	const struct mm_gai *gai;       /* NULL: the system's name service */
	mm_ticket_fetch *ticket_fetch;  /* NULL: the Kerberos library */
	size_t per_server;              /* connections to a server at a time; 0: MM_PER_SERVER */
	size_t per_second;              /* new ones; 0: MM_PER_SECOND */
	size_t at_once;                 /* 0: MM_AT_ONCE */
	bool no_survey;                 /* no look at an endpoint whose tests need none */
	/* What a job logs in by is not needed any more; its answer may still
	 * wait for a survey. May be NULL. */
	void (*spent)(void *ctx, size_t job);
	/* A test is over; `login` is valid during the call. -1 ends the run. */
	int (*told)(void *ctx, size_t job, const struct mm_login *login, struct mm_err *err);
	/* While something is awaited, ten times a second; NULL: not. */
	void (*tick)(void *ctx);
	void *ctx;
	bool *hung; /* NULL, or: set at the end, does a thread still hang in the Kerberos library? */
};

/* Translate a job; the class of what is wrong with it, said in `detail`, or
 * MM_CLS_NONE. A host that the task's policy does not name is refused here:
 * it gets nothing, not even a look (job.c). */
enum mm_cls mm_job_lint(const struct mm_job *job, struct mm_endpoint *out, struct mm_buf *detail);

/* The time limits of a task: its own where it has some. */
struct mm_limits mm_job_limits(const struct mm_probe_task *t, const struct mm_limits *usual);

/* mm_curl_init() comes before. */
int mm_engine_run(const struct mm_job *jobs, size_t n, const struct mm_engine_opts *opts, struct mm_err *err);

#endif
