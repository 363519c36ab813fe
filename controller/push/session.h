/*
 * One host being served inside a worker process: what both transports
 * (libssh2, the system's ssh) have in common, and their interface.
 *
 * A session is pumped whenever one of its descriptors is ready or new bytes
 * of the request came; it goes as far as it can without waiting. It ends by
 * mm_session_end() exactly once, whatever happened; the worker then stops it.
 */
#ifndef MM_PUSH_SESSION_H
#define MM_PUSH_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/mem.h"
#include "controller/push/local.h"

#define MM_REMOTE_COMMAND "mailmuster-agent receive"
#define MM_START_FACTOR 3  /* how much more silence is borne before the first word of an answer */
#define MM_STDERR_MAX 1024 /* bytes kept of what a host says on stderr */

struct mm_worker;
struct mm_session;

struct mm_transport {
	/* Begin. The session is zeroed but for job, worker and times. */
	void (*start)(struct mm_session *s);
	/* Go on as far as possible. */
	void (*pump)(struct mm_session *s);
	/* The connection did not come about in time: is there another address? */
	bool (*try_next)(struct mm_session *s);
	/* Release everything, never wait. */
	void (*stop)(struct mm_session *s);
};
extern const struct mm_transport mm_transport_libssh2, mm_transport_ssh;

enum mm_phase { MM_PH_CONNECT, MM_PH_BANNER, MM_PH_HANDSHAKE, MM_PH_AUTH, MM_PH_ANSWER };

struct mm_session {
	struct mm_worker *worker;
	const struct mm_transport *transport;
	struct mm_session *before, *next; /* of those that run */
	struct mm_session *next_over;
	struct mm_arena *arena;
	struct mm_worker_job job;
	enum mm_phase phase;
	int64_t began, phase_began, heard; /* ms, monotonic */
	bool ended;
	bool ready;     /* a descriptor is ready, as far as the worker knows */
	bool answering; /* a byte of the answer has come */
	struct mm_outcome outcome;

	struct mm_buf request; /* pieces from the driver that are not sent yet */
	size_t request_sent;
	bool request_complete; /* the driver has sent the last piece */
	struct mm_buf errout;  /* the host's stderr, cut at MM_STDERR_MAX */

	union {
		struct mm_ssh2 *ssh2;
		struct mm_sshcmd *cmd;
	} own; /* the transport's */
};

/* What the transports tell. */
void mm_session_phase(struct mm_session *s, enum mm_phase p); /* notes the time of the one that ends */
void mm_session_live(struct mm_session *s);                   /* the host has spoken */
void mm_session_need(struct mm_session *s);                   /* the request, please */
void mm_session_data(struct mm_session *s, const void *p, size_t n);
void mm_session_stderr(struct mm_session *s, const void *p, size_t n);
void mm_session_end(struct mm_session *s, enum mm_push_class c, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The remote command ended by itself: OK is for the driver to decide, who
 * reads the frames; here 126 and 127 without an answer are no agent. */
void mm_session_exited(struct mm_session *s, int status);
/* First line of the host's stderr, printable, "" when it said nothing. */
const char *mm_session_first_line(struct mm_session *s);

/* It has ended: the worker closes it soon. */
void mm_session_over(struct mm_session *s);

/* Descriptors: what to wait for (EPOLLIN, EPOLLOUT). */
int mm_session_watch(struct mm_session *s, int fd, unsigned events, bool add);
void mm_session_unwatch(struct mm_session *s, int fd);
/* Is the driver slow to take our data? Then do not read more. */
bool mm_session_choked(const struct mm_session *s);
const struct mm_worker_config *mm_session_config(const struct mm_session *s);
/* Say in the shared page for whom the next library call is made. */
void mm_session_serving(const struct mm_session *s, bool on);
struct mm_signer;
struct mm_signer *mm_session_signer(const struct mm_session *s);

#endif
