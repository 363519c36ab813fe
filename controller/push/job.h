/*
 * One host inside a run: its copy of the job, the answer so far, and what
 * the engine has decided about it. Internal to the engine.
 */
#ifndef MM_PUSH_JOB_H
#define MM_PUSH_JOB_H

#include "controller/push/answer.h"
#include "controller/push/pool.h"
#include "controller/push/push.h"

enum mm_job_state { MM_JOB_WAITING, MM_JOB_RESOLVING, MM_JOB_RUNNING };

struct mm_job {
	struct mm_job *next; /* in the list of those that wait */
	struct mm_arena *arena;
	struct mm_push_job pub; /* texts and keys are copies in `arena` */
	enum mm_job_state state;
	unsigned slot;
	struct mm_pool_worker *worker;
	int tries, deaths;
	int64_t not_before, began; /* ms, monotonic */
	bool live;                 /* it has said a word */
	bool by_ssh;
	bool literal; /* the address needs no name service */
	const char *addresses;
	const char *known_hosts; /* file made for transport ssh, NULL = none */
	struct mm_answer answer;
	size_t received; /* bytes of this try */
	bool decided;    /* we dropped it: */
	enum mm_push_class verdict;
	const char *why;
};

/* Checks and copies; NULL and *why (an outcome) when the job cannot be served. */
struct mm_job *mm_job_new(const struct mm_push_job *pub, struct mm_outcome *why);
void mm_job_free(struct mm_job *j); /* removes its known_hosts file */
/* Forget the answer so far. */
void mm_job_reset(struct mm_job *j);
/* Drop it: whatever the worker will say, this is the outcome. */
void mm_job_decide(struct mm_job *j, enum mm_push_class c, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* What the worker said, and what the answer says. */
struct mm_outcome mm_job_outcome(const struct mm_job *j, const struct mm_outcome *from_worker);
/* Write the pinned keys for the system's ssh into a file of `dir`. */
int mm_job_write_known_hosts(struct mm_job *j, const char *dir, struct mm_err *err);

#endif
