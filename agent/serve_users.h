/*
 * A run over several users of this host, each in a worker of its own: the
 * middle of receive, and of apply and check when root calls them.
 */
#ifndef MM_AGENT_SERVE_USERS_H
#define MM_AGENT_SERVE_USERS_H

#include "agent/conf.h"
#include "agent/held.h"
#include "agent/userrun.h"
#include "agent/worker.h"

struct mm_user_job {
	const char *user;
	const struct mm_sheet *sheet; /* NULL = this user cannot be served; why says so */
	struct mm_held held;          /* the request that the sheet came with */
	bool expired;
	const char *why;
	struct mm_identity who;
};

struct mm_user_batch {
	const struct mm_conf *conf;
	enum mm_how how;
	bool probe;
	bool verify;                            /* struct mm_user_run */
	const struct mm_discover_ask *discover; /* struct mm_user_run */
	bool preflight;                         /* struct mm_user_run */
	bool restore;                           /* struct mm_user_run */
	int64_t generation;
	bool again;             /* struct mm_probe_run */
	bool spool_only;        /* no run at all: only what waits in the spools */
	const char *const *ack; /* reports to be deleted from the spools */
	size_t n_ack;
	bool collect;        /* send on what waits in the spools */
	struct mm_workers w; /* in done() only job->user may be used of the job */
};

/* The system's own job, if there is one, comes first in `jobs`.
 * Whom can this process serve? Root every user but itself; anybody else
 * only the installation's own. Fills who, or clears sheet and sets why. */
void mm_user_job_resolve(const struct mm_conf *c, struct mm_user_job *j, struct mm_arena *a);
void mm_serve_users(const struct mm_user_batch *b, struct mm_user_job *jobs, size_t n);

#endif
