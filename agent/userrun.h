/*
 * One run for one user, as that user: check the home, take the lock, settle
 * what a killed run left, converge, prove by login. The same for receive (in
 * a child of the agent), login, apply and check.
 */
#ifndef MM_AGENT_USERRUN_H
#define MM_AGENT_USERRUN_H

#include "agent/conf.h"
#include "agent/converge.h"
#include "schemas/discover.h"

#define MM_LOCK_MS 5000 /* how long another run of the same user is waited for */

struct mm_user_run {
	const struct mm_conf *conf;
	const struct mm_identity *who;
	const struct mm_client *const *clients; /* NULL = all that are built in */
	const struct mm_sheet *sheet;
	enum mm_how how;
	bool expired; /* of the request in force: look, change nothing */
	bool probe;   /* prove by login */
	bool sparing; /* a session (struct mm_probe_run) */
	bool verify;  /* somebody asks now whether what is in force works: prove it afresh, also when the
		       * request that brought it has expired */
	const struct mm_discover_ask *discover; /* tell what is set up, and do nothing else; or NULL */
	bool preflight; /* log in with the sheet's settings, whatever is in force: no config is looked at, and
			 * nothing but the record of what was presented to servers is written */
	bool restore;   /* take back `generation` and newer ones, 0 = the last run (agent/take_back.h); then
			 * look, and change nothing else */
	int64_t generation;
	bool again;  /* struct mm_probe_run */
	bool prompt; /* struct mm_probe_run */
	int lock_ms;
	struct mm_sink *sink;
	/* out: */
	size_t changed;
	struct mm_blockers blockers; /* what keeps changes waiting */
	struct mm_effect effect[MM_SHEET_ACCOUNTS_MAX][MM_SIDE_COUNT];
};

/* What goes wrong is reported to the sink; the return value is 0 unless the
 * run could not be finished for this user (also reported). */
int mm_user_run(struct mm_user_run *r);
/* Only the login checks, on what an earlier run found in effect. */
int mm_user_prove(struct mm_user_run *r);
bool mm_user_needs_proof(struct mm_user_run *r);

/* The user whom this process runs as, home from the environment when that is
 * the user's own, else from the user database. In `a`. */
int mm_identity_self(const char *login, struct mm_arena *a, struct mm_identity *out, struct mm_err *err);
/* A user of this host. 1: found, 0: no such user, -1: error. */
int mm_identity_of(const char *login, struct mm_arena *a, struct mm_identity *out, struct mm_err *err);

#endif
