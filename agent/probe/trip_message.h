/*
 * The message of a round trip, and how it is known again: pure functions.
 *
 * It is the user's own message to himself, marked as made by a machine
 * (RFC 3834 5), with an id that holds the time and 64 random bits. What is
 * deleted later is decided here, from the header of the message itself and
 * from nothing else: a text that only mentions an id is not ours.
 */
#ifndef MM_AGENT_PROBE_TRIP_MESSAGE_H
#define MM_AGENT_PROBE_TRIP_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/probe/reply.h"
#include "common/buf.h"

#define MM_TRIP_ID_MAX 320
#define MM_TRIP_MESSAGE_MAX 2048
/* Of another run, perhaps one that was killed: until then it may be under way. */
#define MM_TRIP_LEFT_OVER_S 3600

/* "mailmuster-TIME-RANDOM@HOST"; `host` is cut where it does not fit. */
void mm_trip_id(char id[MM_TRIP_ID_MAX], int64_t now, const char *host);
/* Is this such an id, and from when? */
bool mm_trip_id_parse(struct mm_span s, int64_t *when);

/* The whole message with CR LF, ready for DATA but for the final dot. No line begins with a dot. */
void mm_trip_message(struct mm_buf *out, const char *id, const char *address, int64_t now);

/* What is looked for. */
struct mm_trip_mark {
	const char *id; /* of this run; NULL: those of earlier ones */
	const char *address;
	int64_t now; /* unix seconds */
};

/* The value of a header field, unfolded into `value`; false when there is none before the first
 * empty line. */
bool mm_trip_header(struct mm_span message, const char *name, char *value, size_t size);
/* Is a message with this header the one that is looked for? */
bool mm_trip_is_ours(const struct mm_trip_mark *m, struct mm_span message);
/* Does its sender say that it may be a bounce? Only then is more of it read. */
bool mm_trip_may_be_bounce(struct mm_span message);
/* Is it the bounce of such a message? `reason` then holds why, as far as it is said. */
bool mm_trip_is_bounce(const struct mm_trip_mark *m, struct mm_span message, char *reason, size_t size);

#endif
