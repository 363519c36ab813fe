/*
 * The test of one endpoint for one user, from the name to the mailbox, with
 * the second looks that a failure needs. A state machine: every step does
 * what can be done without waiting.
 */
#ifndef MM_AGENT_PROBE_ATTEMPT_H
#define MM_AGENT_PROBE_ATTEMPT_H

#include <curl/curl.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/probe/after.h"
#include "agent/probe/diagnose.h"
#include "agent/probe/endpoint.h"
#include "agent/probe/line.h"
#include "agent/probe/resolve.h"
#include "agent/probe/sessions.h"

struct mm_attempt {
	struct mm_endpoint ep;
	const struct mm_secret *secret;      /* NULL: none */
	const struct mm_secret *certificate; /* a client's, with its key; NULL: none */
	const struct mm_trace *trace;        /* NULL: nobody looks on */
	const char *title;                   /* over what is shown; NULL: none */
	CURLM *multi;
	struct mm_sessions **sessions; /* of the endpoint, to be shared; NULL: none is */
	const struct mm_limits *limits;
	struct mm_signals signals;
	struct mm_line line;
	struct mm_after after;           /* what follows a login that held */
	const char *sender;              /* the user's own address, for SMTP; NULL: none */
	const struct mm_trip_plan *trip; /* NULL: no round trip is wanted */
	bool own_command;                /* second try, with the protocol's own login */
	struct mm_line look_line;
	enum mm_look look;  /* that is under way */
	char looked[128];   /* the first line of what a second look found instead of a mail server */
	char troubles[600]; /* all that is wrong with a certificate that was refused */
	struct mm_name_answer name;
	int64_t dial_began;
	int dns_ms, tcp_ms; /* -1: not reached */
	char local[128];    /* trouble of our own */
	bool company; /* other connections of ours to the server were open when this one was last seen open */
	bool done;
};

/* `a` holds a linted endpoint; the name has been answered. With
 * signals.dial_errno and tcp_ms set from another test of the same server, no
 * connection is tried. */
void mm_attempt_begin(struct mm_attempt *a, const struct mm_name_answer *name, int64_t now);
/* Go on; `a->done` says whether the verdict stands. */
void mm_attempt_step(struct mm_attempt *a, int64_t now);
/* On the way through its TLS handshake, as far as can be told: OpenSSL needs
 * more memory there than for all that follows. What has taken long does not
 * count, so that nobody waits for servers that do not answer. */
bool mm_attempt_shakes_hands(const struct mm_attempt *a, int64_t now);
size_t mm_attempt_poll(const struct mm_attempt *a, struct pollfd *fds, size_t max);
#define MM_ATTEMPT_FDS (2 * MM_ADDRS_MAX) /* most that mm_attempt_poll() gives */
int64_t mm_attempt_wake(const struct mm_attempt *a, int64_t now);
/* Closes the connections; what was seen stays. */
void mm_attempt_close(struct mm_attempt *a);
void mm_attempt_end(struct mm_attempt *a);

#endif
