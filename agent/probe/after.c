#include "agent/probe/after.h"

void mm_after_begin(struct mm_after *a, const struct mm_talk *talk, const char *sender, int64_t now)
{
	*a = (struct mm_after){.running = true, .mailbox.seen.ms = -1, .sender.seen.ms = -1};
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

void mm_after_go(struct mm_after *a, int64_t now)
{
	bool over = a->sender.seen.run ? mm_sender_go(&a->sender, &a->chat, now)
				       : mm_mailbox_go(&a->mailbox, &a->chat, now);
	if (over)
		a->running = false;
}

size_t mm_after_poll(const struct mm_after *a, struct pollfd *fds, size_t max)
{
	if (!a->running || max == 0)
		return 0;
	fds[0] = mm_chat_poll(&a->chat);
	return 1;
}

int64_t mm_after_wake(const struct mm_after *a)
{
	return a->chat.deadline;
}

void mm_after_end(struct mm_after *a)
{
	if (a->chat.talk == NULL)
		return;
	mm_chat_leave(&a->chat);
	mm_chat_end(&a->chat);
	a->chat.talk = NULL;
}
