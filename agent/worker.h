/*
 * Workers: one child per user, which becomes that user before it opens
 * anything, and a parent that believes none of them.
 *
 * The child writes frames into a socket: MM_FT_WORKER_HOME once the home was
 * looked at, findings and logins, MM_FT_WORKER_RAN when the run is complete,
 * then spooled reports (REPORT FINDING* LOGIN*), MM_FT_WORKER_DONE. The
 * parent decodes every body and writes it anew; a finding about another
 * user, an unknown frame, too many or too large ones end the child's run. A
 * child that shows no life for the time allowed is killed and not waited for
 * (on a dead file server it cannot die).
 */
#ifndef MM_AGENT_WORKER_H
#define MM_AGENT_WORKER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"
#include "schemas/proto.h"

#define MM_FT_WORKER_HOME (MM_FT_LOCAL + 1)
#define MM_FT_WORKER_RAN (MM_FT_LOCAL + 2)
#define MM_FT_WORKER_DONE (MM_FT_LOCAL + 3)

#define MM_WORKER_FRAMES_MAX 50000u
#define MM_WORKER_BYTES_MAX (16u * 1024u * 1024u)

struct mm_worker_job {
	const char *user;
	/* In the child, with the socket as its only descriptor above 2. */
	void (*run)(int fd, void *arg);
	void *arg;
};

struct mm_worker_result {
	const struct mm_worker_job *job;
	bool complete;                 /* the run was finished and told */
	bool late;                     /* it showed no sign of life: deferred, not an error */
	const char *trouble;           /* why not complete, one sentence; NULL when complete */
	const struct mm_buf *findings; /* frames FINDING and LOGIN, whole */
	const struct mm_buf *spool;    /* frames of spooled reports, whole; only when it was done */
	int exit_bits;                 /* of all findings and logins */
};

struct mm_workers {
	const char *host; /* host id, put into spooled reports */
	int parallel;     /* at once */
	int home_ms;      /* to look at the home */
	int hang_ms;      /* without a sign of life */
	int total_ms;     /* for one child */
	void (*done)(void *ctx, const struct mm_worker_result *r);
	void (*tick)(void *ctx); /* at least once a second */
	void *ctx;
};

/* Returns when every job was reported to done(). */
void mm_workers_run(const struct mm_workers *w, const struct mm_worker_job *jobs, size_t n);

#endif
