/*
 * The round trip: a small message from the user to himself, out through the
 * server that was just tested and in through the other one, and removed
 * again. In this order, so that nothing is left behind:
 *
 *   1. log in to the incoming server and remove what earlier runs left there;
 *      where that does not work, nothing is sent
 *   2. send: MAIL, RCPT, DATA over the connection of the sender's dry run
 *   3. look, with growing pauses, until the message or its bounce is there or
 *      the time is up; what is found is removed at once
 *
 * A message that is not found proves nothing (greylisting, a queue): untested,
 * never failed. The next run removes it.
 */
#ifndef MM_AGENT_PROBE_TRIP_H
#define MM_AGENT_PROBE_TRIP_H

#include "agent/probe/line.h"
#include "agent/probe/trip_box.h"

struct mm_trip_plan {
	const struct mm_endpoint *incoming; /* NULL: there is none */
	struct mm_talk_plan talk;           /* with incoming, its secret, level login */
	const struct mm_addr *addrs;        /* of the incoming server */
	size_t n_addrs;
	const char *address; /* the user's own */
	const char *host;    /* for the id */
	CURLM *multi;
	int wait_ms;         /* from acceptance on */
	const char *why_not; /* the incoming login did not hold; NULL: it did */
};

struct mm_trip {
	struct mm_trip_plan plan;
	struct mm_trip_seen seen;
	struct mm_chat *out; /* has logged in and made the dry run */
	int stage;
	struct mm_line line;
	struct mm_chat chat;
	struct mm_box box;
	struct mm_box_pass pass;
	bool connected; /* the incoming connection can be used */
	char id[MM_TRIP_ID_MAX];
	int64_t began, accepted; /* clock.h */
	int64_t next_look;
	size_t looks;
};

/* `out` and what `plan` points to outlive the trip. */
void mm_trip_begin(struct mm_trip *t, const struct mm_trip_plan *plan, struct mm_chat *out, int64_t now);
/* Go on as far as possible without waiting; true when `seen` stands. */
bool mm_trip_go(struct mm_trip *t, int64_t now);
size_t mm_trip_poll(const struct mm_trip *t, struct pollfd *fds, size_t max);
int64_t mm_trip_wake(const struct mm_trip *t, int64_t now);
void mm_trip_end(struct mm_trip *t);

#endif
