/*
 * What the steps behind a login found: mailbox, sender's dry run, round
 * trip. Results only; who finds them is mailbox.h, sender.h, trip.h.
 */
#ifndef MM_AGENT_PROBE_PROVEN_H
#define MM_AGENT_PROBE_PROVEN_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/probe/classes.h"
#include "agent/probe/reply.h"

#define MM_PROVEN_TEXT 512
#define MM_PROVEN_FOLDER 256

struct mm_mailbox_seen {
	bool has_messages;
	int64_t messages;
	struct mm_quota quota;      /* of the fullest root */
	char alert[MM_PROVEN_TEXT]; /* what the server wants shown (RFC 9051 7.1) */
	int ms;                     /* -1 = not run */
};

struct mm_sender_seen {
	bool run;
	bool held;                 /* MAIL and RCPT were accepted */
	enum mm_cls cls;           /* a verdict or a remark; MM_CLS_NONE when it held */
	char said[MM_PROVEN_TEXT]; /* the reply that decided */
	int ms;
};

enum mm_trip_state {
	MM_TRIP_NOT_RUN,
	MM_TRIP_ARRIVED,
	MM_TRIP_BOUNCED,
	MM_TRIP_NOT_SEEN, /* accepted, and not found in the time that there was */
	MM_TRIP_REFUSED,  /* the server did not take the message */
	MM_TRIP_UNTESTED, /* nothing was sent */
};

struct mm_trip_seen {
	enum mm_trip_state state;
	enum mm_cls cls;      /* of a message that was refused */
	bool junk, left_over; /* where it was found; it could not be removed */
	int64_t delay_ms;     /* from acceptance until it was found */
	int64_t waited_ms;    /* from acceptance until the end of looking */
	int cleaned;          /* messages of earlier runs that were removed */
	char folder[MM_PROVEN_FOLDER], left_in[MM_PROVEN_FOLDER];
	/* the reply that decided, the reason in the bounce, or why nothing was sent */
	char said[MM_PROVEN_TEXT];
	int ms;
};

#endif
