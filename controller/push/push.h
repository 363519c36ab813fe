/*
 * The push engine: serves many hosts at once over SSH, and knows nothing of
 * the store. One run takes jobs from its user and gives back, in this
 * process and one at a time, the frames of each answer and an outcome.
 *
 * SSH is spoken in worker processes (worker.h), because one hostile packet
 * can end libssh2's process. A worker that dies costs the host that it was
 * serving; its other hosts are served again. So an answer may begin twice:
 * restart() tells to forget the frames of the first try.
 *
 * Two budgets: `parallel` hosts that talk with us, and another one for those
 * that have not said a word yet, so that dead hosts do not slow the living.
 */
#ifndef MM_PUSH_PUSH_H
#define MM_PUSH_PUSH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/frame.h"
#include "controller/push/identity.h"
#include "controller/push/outcome.h"
#include "controller/push/sshkey.h"

#define MM_PUSH_PARALLEL 256 /* by default */
#define MM_PUSH_PARALLEL_MAX 4096
#define MM_PUSH_SSH_MAX 48    /* system ssh processes at once */
#define MM_PUSH_TRIES 3       /* times that a host is begun with, if nobody else is to blame */
#define MM_PUSH_DEATHS 32     /* workers that may die under a host because of others */
#define MM_PUSH_TIMEOUT_S 300 /* for one host, by default */
#define MM_PUSH_LATER 2       /* see next() */
#define MM_PUSH_HELD_MAX ((size_t)256 * 1024 * 1024) /* bytes of unfinished answers in memory */

struct mm_push_job {
	const char *host;    /* id, for messages */
	const char *address; /* name or literal */
	int port;
	const char *login;
	const char *proxy_command;    /* NULL = none; makes it transport ssh */
	bool by_ssh;                  /* transport ssh from the start */
	const struct mm_sshkey *keys; /* pinned */
	size_t n_keys;
	void *arg; /* the user's own */
};

/* What the engine asks of its user. `job` is valid until done() returns. */
struct mm_push_ops {
	/* The next host: 1 and *job (copied by the engine), 0 no more (it is not
	 * asked again), MM_PUSH_LATER none now but maybe in a moment, -1 error
	 * (ends the run). Called when there is room for a host. */
	int (*next)(void *ctx, struct mm_push_job *job, struct mm_err *err);
	/* Logged in: append the whole request stream. -1: the host gets
	 * MM_PC_LOCAL with this text. */
	int (*prepare)(void *ctx, const struct mm_push_job *job, struct mm_buf *out, struct mm_err *err);
	/* A frame of the answer between HELLO and END, in order. -1: the host
	 * is dropped as MM_PC_HOSTILE with this text. */
	int (*frame)(void *ctx, const struct mm_push_job *job, const struct mm_frame *f, struct mm_err *err);
	void (*restart)(void *ctx, const struct mm_push_job *job);
	/* Exactly once for each job. MM_PC_OK: the frames are complete. */
	int (*done)(void *ctx, const struct mm_push_job *job, const struct mm_outcome *o, struct mm_err *err);
	/* May be NULL. After a batch of the calls above, before anything that
	 * they made is sent: the place to commit. -1 ends the run. */
	int (*flush)(void *ctx, struct mm_err *err);
	/* May be NULL. About ten times a second. */
	void (*progress)(void *ctx, size_t connecting, size_t talking);
};

struct mm_push_opts {
	const struct mm_identity *identity;
	unsigned parallel;  /* 0 = MM_PUSH_PARALLEL */
	unsigned timeout_s; /* 0 = MM_PUSH_TIMEOUT_S */
	int stop_fd;        /* readable = stop the run (a signalfd, a pipe); -1 = none */
	/* For tests: other limits, 0 = the usual ones. Milliseconds. */
	unsigned connect_ms, banner_ms, handshake_ms, silence_ms;
};

struct mm_push_stats {
	size_t workers_started, workers_died, served_again;
	unsigned parallel; /* hosts in flight at most */
	bool few_files;    /* the limit of open files left no more */
};

/* 0: every job had its done(). 1: stopped; jobs that were begun had their
 * done() with MM_PC_INTERRUPTED, next() was not asked for the rest. -1:
 * error. `stats` may be NULL. */
int mm_push_run(const struct mm_push_opts *opts, const struct mm_push_ops *ops, void *ctx,
    struct mm_push_stats *stats, struct mm_err *err);

#endif
