/*
 * What follows a login that held, over the connection that libcurl leaves to
 * us: the mailbox (IMAP, POP3) or the sender's dry run (SMTP), then the round
 * trip where one is wanted, then a polite leave without waiting for an
 * answer.
 */
#ifndef MM_AGENT_PROBE_AFTER_H
#define MM_AGENT_PROBE_AFTER_H

#include <poll.h>

#include "agent/probe/mailbox.h"
#include "agent/probe/sender.h"
#include "agent/probe/trip.h"

struct mm_after {
	bool running;
	struct mm_chat chat;
	struct mm_mailbox_step mailbox;
	struct mm_sender_step sender;
	const struct mm_trip_plan *plan;
	struct mm_trip *trip; /* NULL: none is wanted, or not begun */
};

/* `sender`: the user's own address, or NULL; `trip`: NULL where none is wanted;
 * both outlive this. */
void mm_after_begin(struct mm_after *a, const struct mm_talk *talk, const char *sender,
    const struct mm_trip_plan *trip, int64_t now);
/* Go on as far as possible without waiting; `running` says whether there is more to come. */
void mm_after_go(struct mm_after *a, int64_t now);
size_t mm_after_poll(const struct mm_after *a, struct pollfd *fds, size_t max);
int64_t mm_after_wake(const struct mm_after *a, int64_t now);
/* Of the round trip; NULL: none was begun. Until mm_after_end(). */
const struct mm_trip_seen *mm_after_trip(const struct mm_after *a);
void mm_after_end(struct mm_after *a); /* also of one that never began */

#endif
