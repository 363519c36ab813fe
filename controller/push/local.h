/*
 * The talk between the process that drives a push and its workers: frames
 * over a socket pair, in both directions, without magic. Bodies are made of
 * SSH data types (sshbuf.h); numbers are u32, texts and bytes are strings.
 *
 * A "slot" is the driver's number of a job that is in flight. A worker
 * answers every JOB with exactly one DONE, also after a CANCEL.
 */
#ifndef MM_PUSH_LOCAL_H
#define MM_PUSH_LOCAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/frame.h"
#include "common/mem.h"
#include "controller/push/outcome.h"
#include "controller/push/sshkey.h"
#include "schemas/proto.h"

enum mm_local_type {
	/* driver -> worker */
	MM_LT_CONFIG = MM_FT_LOCAL, /* struct mm_worker_config, first frame */
	MM_LT_JOB,                  /* struct mm_worker_job */
	MM_LT_REQUEST,              /* slot, 1 = last piece, bytes */
	MM_LT_CANCEL,               /* slot */
	MM_LT_RESOLVE,              /* slot, name, port */
	/* worker -> driver */
	MM_LT_LIVE,      /* slot: the host has spoken, it is no longer "connecting" */
	MM_LT_NEED,      /* slot: logged in, send the request */
	MM_LT_DATA,      /* slot, bytes of the answer */
	MM_LT_DONE,      /* slot, struct mm_outcome */
	MM_LT_ADDRESSES, /* slot, texts: addresses separated by ' ' (or ""), error */
};

/* Milliseconds of the monotonic clock. */
int64_t mm_now_ms(void);

#define MM_MANY 16 /* hosts at which throughput counts more than the latency of one */

/* Descriptors of a worker; everything above is closed. */
#define MM_WORKER_FD_TALK 3
#define MM_WORKER_FD_PAGE 4

/* What a worker shares with the driver: which job it is working for. */
struct mm_worker_page {
	volatile uint32_t serving; /* slot + 1; 0 = none */
};

enum mm_worker_kind { MM_WORKER_LIBSSH2, MM_WORKER_SSH, MM_WORKER_RESOLVE };

struct mm_worker_config {
	enum mm_worker_kind kind;
	/* milliseconds */
	unsigned connect_ms, banner_ms, handshake_ms, silence_ms, total_ms;
	const unsigned char *seed;         /* Ed25519 key, 32 bytes; NULL = none */
	const char *agent_path;            /* ssh-agent's socket; "" = none */
	const struct mm_sshkey *user_keys; /* public keys to try, the seed's first */
	size_t n_user_keys;
	const char *identity_file; /* for the system's ssh; "" = the agent's keys */
	const char *ssh_program;
};

struct mm_worker_job {
	unsigned slot, port;
	const char *name;      /* for the worker's messages */
	const char *addresses; /* literals separated by ' ' */
	const char *login;
	const char *proxy_command; /* "" = none; MM_WORKER_SSH only */
	const char *known_hosts;   /* file for MM_WORKER_SSH, "" otherwise */
	const struct mm_sshkey *keys;
	size_t n_keys;
};

void mm_local_put_config(struct mm_buf *b, const struct mm_worker_config *c);
int mm_local_get_config(const struct mm_frame *f, struct mm_arena *a, struct mm_worker_config *out);
void mm_local_put_job(struct mm_buf *b, const struct mm_worker_job *j);
int mm_local_get_job(const struct mm_frame *f, struct mm_arena *a, struct mm_worker_job *out);
void mm_local_put_outcome(struct mm_buf *b, unsigned slot, const struct mm_outcome *o);
int mm_local_get_outcome(const struct mm_frame *f, struct mm_outcome *out);
/* The slot with which every body but CONFIG begins; the rest stays in `r`. */
struct mm_ssh_reader;
int mm_local_get_slot(const struct mm_frame *f, struct mm_ssh_reader *r, unsigned *slot);

/* ---- one end of the socket pair, non-blocking */
#define MM_LOCAL_HIGH (8u * 1024u * 1024u) /* unsent bytes at which a sender should pause */

struct mm_local {
	int fd; /* -1 = closed */
	struct mm_frame_decoder in;
	struct mm_buf out;
	size_t sent; /* bytes of `out` that are gone */
};

void mm_local_init(struct mm_local *l, int fd);
void mm_local_free(struct mm_local *l); /* closes fd */
void mm_local_send(struct mm_local *l, enum mm_local_type type, const void *body, size_t n);
size_t mm_local_unsent(const struct mm_local *l);
int mm_local_flush(struct mm_local *l); /* -1: the other side is gone */
/* Read what is there: 1 something came, 0 nothing, -1 the other side is gone. */
int mm_local_fill(struct mm_local *l);
/* 1 a frame, 0 none, -1 malformed (a bug or a worker gone bad). */
int mm_local_next(struct mm_local *l, struct mm_frame *f);

#endif
