/*
 * The state of a run, and which hosts are begun with when. Internal to the
 * engine: push.c listens to the workers, this part gives them work.
 */
#ifndef MM_PUSH_ADMIT_H
#define MM_PUSH_ADMIT_H

#include "controller/push/job.h"

struct mm_push_run_state {
	const struct mm_push_opts *opts;
	const struct mm_push_ops *ops;
	void *ctx;
	struct mm_push_stats *stats;
	struct mm_pool pool;
	struct mm_job **slots;
	size_t n_slots, in_flight, connecting, ssh_jobs, held;
	struct mm_job *waiting, **waiting_end;
	size_t n_waiting;
	unsigned parallel, max_connecting;
	bool exhausted; /* next() has no more */
	char *dir;      /* for known_hosts files, NULL = not needed yet */
};

/* Begin with as many hosts as the budgets allow. */
int mm_push_admit(struct mm_push_run_state *r, struct mm_err *err);
/* Give a job that has a slot and addresses to a worker. */
int mm_push_send_job(struct mm_push_run_state *r, struct mm_job *j, struct mm_err *err);
/* The job is in flight no more; it is finished, or served again. */
void mm_push_leave_slot(struct mm_push_run_state *r, struct mm_job *j);
int mm_push_finish(
    struct mm_push_run_state *r, struct mm_job *j, const struct mm_outcome *o, struct mm_err *err);
void mm_push_again(struct mm_push_run_state *r, struct mm_job *j, int64_t not_before);

#endif
