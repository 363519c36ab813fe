/*
 * Calls that can only block, made by a few threads, so that one that hangs
 * holds nobody else up. Each errand has a key, and is run once, however many
 * ask for it.
 *
 * An errand is the first member of the caller's structure. What its thread
 * writes there is the caller's to read when mm_errand_done() says so.
 */
#ifndef MM_AGENT_PROBE_ERRAND_H
#define MM_AGENT_PROBE_ERRAND_H

#include <stdbool.h>
#include <stddef.h>

#define MM_ERRAND_THREADS_MAX 16

struct mm_errand {
	char *key;
	struct mm_errand *next; /* in the queue */
	bool done;
};

struct mm_errands;

struct mm_errands_opts {
	size_t size;                      /* of the caller's structure */
	size_t threads;                   /* at most MM_ERRAND_THREADS_MAX */
	void (*run)(struct mm_errand *e); /* in a thread; touches nothing but `e` and constants */
	void (*wake)(void *ctx);          /* from another thread: something is done */
	void *ctx;
};

struct mm_errands *mm_errands_new(const struct mm_errands_opts *o);
/* Threads that hang are left alone: they free what is theirs when they come
 * back. NULL is allowed. */
void mm_errands_free(struct mm_errands *all);

/* The errand of this key. With *is_new it is zeroed behind its first member
 * and was not sent yet. It lives until mm_errands_free(). */
struct mm_errand *mm_errands_find(struct mm_errands *all, const char *key, bool *is_new);
/* Never blocks; false: there is no thread at all to do it. Once for each. */
bool mm_errands_send(struct mm_errands *all, struct mm_errand *e);
/* Nobody needs to be sent. */
void mm_errands_settle(struct mm_errands *all, struct mm_errand *e);
bool mm_errand_done(struct mm_errands *all, const struct mm_errand *e);
/* Does a thread still hang in one? */
bool mm_errands_busy(struct mm_errands *all);

#endif
