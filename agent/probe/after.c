#include "agent/probe/after.h"

#include <stdlib.h>

#include "common/mem.h"

void mm_after_begin(struct mm_after *a, const struct mm_talk *talk, const char *sender,
    const struct mm_trip_plan *trip, int64_t now)
{
	*a = (struct mm_after){.running = true, .mailbox.seen.ms = -1, .sender.seen.ms = -1};
	a->plan = trip;
	mm_chat_begin(&a->chat, talk);
	if (talk->dialog.mail != MM_MAIL_SMTP) {
		mm_mailbox_begin(&a->mailbox, &a->chat, now);
		return;
	}
	a->mailbox.state = MM_MAILBOX_OK;
	if (sender != NULL)
		mm_sender_begin(&a->sender, &a->chat, sender, now);
	else
		a->running = false;
}

/* The dry run is over: on to the message itself, if it would be taken. */
static void begin_trip(struct mm_after *a, int64_t now)
{
	if (a->plan == NULL || !a->sender.seen.held) {
		a->running = false;
		return;
	}
	a->trip = mm_xcalloc(1, sizeof(*a->trip));
	mm_trip_begin(a->trip, a->plan, &a->chat, now);
}

void mm_after_go(struct mm_after *a, int64_t now)
{
	if (a->trip == NULL && a->sender.seen.run && mm_sender_go(&a->sender, &a->chat, now))
		begin_trip(a, now);
	else if (!a->sender.seen.run && mm_mailbox_go(&a->mailbox, &a->chat, now))
		a->running = false;
	if (a->trip != NULL && mm_trip_go(a->trip, now))
		a->running = false;
}

size_t mm_after_poll(const struct mm_after *a, struct pollfd *fds, size_t max)
{
	if (!a->running || max == 0)
		return 0;
	if (a->trip != NULL)
		return mm_trip_poll(a->trip, fds, max);
	fds[0] = mm_chat_poll(&a->chat);
	return 1;
}

int64_t mm_after_wake(const struct mm_after *a, int64_t now)
{
	return a->trip != NULL ? mm_trip_wake(a->trip, now) : a->chat.deadline;
}

const struct mm_trip_seen *mm_after_trip(const struct mm_after *a)
{
	return a->trip != NULL ? &a->trip->seen : NULL;
}

void mm_after_end(struct mm_after *a)
{
	if (a->trip != NULL)
		mm_trip_end(a->trip);
	free(a->trip);
	a->trip = NULL;
	if (a->chat.talk == NULL)
		return;
	mm_chat_leave(&a->chat);
	mm_chat_end(&a->chat);
	a->chat.talk = NULL;
}
