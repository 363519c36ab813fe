/*
 * The worker processes of a run: started when needed, one per core at most,
 * replaced when they die.
 */
#ifndef MM_PUSH_POOL_H
#define MM_PUSH_POOL_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/err.h"
#include "controller/push/local.h"

#define MM_POOL_MAX 64 /* workers */
/* Hosts at which another worker is worth its start and its memory. With one
 * worker for 256 hosts at a time 10,000 took half as long again. */
#define MM_POOL_BUSY 112
#define MM_WORKER_PROGRAM "mailmuster-push-worker"

struct mm_pool_worker {
	enum mm_worker_kind kind;
	pid_t pid; /* 0 = this place is free */
	struct mm_local talk;
	struct mm_worker_page *page;
	size_t jobs;
};

struct mm_pool {
	struct mm_worker_config config; /* its kind is set for each worker */
	char program[4096];
	unsigned max_libssh2;
	size_t started, died;
	struct mm_pool_worker w[MM_POOL_MAX];
};

/* Finds the worker program beside our own, or where it was installed. */
int mm_pool_init(
    struct mm_pool *p, const struct mm_worker_config *config, unsigned max_libssh2, struct mm_err *err);
/* The worker of this kind that has least to do; a new one if that pays. */
struct mm_pool_worker *mm_pool_choose(struct mm_pool *p, enum mm_worker_kind kind, struct mm_err *err);
/* End a worker (if it still runs) and free its place. Returns its status as
 * of waitpid(); *serving is what it last said to be doing (slot + 1 or 0). */
int mm_pool_end(struct mm_pool_worker *w, unsigned *serving);
void mm_pool_free(struct mm_pool *p);

#endif
