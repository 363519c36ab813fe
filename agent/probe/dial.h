/*
 * A TCP connection to one of several addresses (RFC 8305): the next address
 * gets its turn when the one before failed or was silent for a moment; the
 * first that answers wins. Done here and not by libcurl, so that each
 * address's own error is known and the socket comes with a deadline.
 */
#ifndef MM_AGENT_PROBE_DIAL_H
#define MM_AGENT_PROBE_DIAL_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/probe/resolve.h"

#define MM_DIAL_STAGGER_MS 250

enum mm_dial_state { MM_DIAL_PENDING, MM_DIAL_DONE, MM_DIAL_FAILED };

struct mm_dial {
	const struct mm_addr *addrs;
	size_t n, begun;
	int port;
	int fd[MM_ADDRS_MAX];    /* -1: closed */
	int error[MM_ADDRS_MAX]; /* errno of an attempt that failed */
	int ms[MM_ADDRS_MAX];    /* until it answered or failed; -1: neither */
	int64_t began[MM_ADDRS_MAX];
	int64_t next; /* when another address gets its turn */
	int64_t deadline;
	int won; /* index of the address that answered, -1 */
};

/* Clock values are those of clock.h. The addresses outlive the dial. */
void mm_dial_begin(
    struct mm_dial *d, const struct mm_addr *addrs, size_t n, int port, int64_t now, int limit_ms);
enum mm_dial_state mm_dial_step(struct mm_dial *d, int64_t now);
/* After MM_DIAL_DONE: the connected, non-blocking socket, now the caller's. */
int mm_dial_take(struct mm_dial *d);
/* After MM_DIAL_FAILED: the most telling of the errors. */
int mm_dial_errno(const struct mm_dial *d);
/* Sockets to wait for; at most `max`. */
size_t mm_dial_poll(const struct mm_dial *d, struct pollfd *fds, size_t max);
int64_t mm_dial_wake(const struct mm_dial *d); /* when to step at the latest */
void mm_dial_end(struct mm_dial *d);           /* closes what is open */

#endif
