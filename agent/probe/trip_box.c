#include "agent/probe/trip_box.h"

#include <string.h>

void mm_box_begin(struct mm_box *b, struct mm_chat *chat)
{
	*b = (struct mm_box){.chat = chat};
}

void mm_box_pass(struct mm_box *b, struct mm_box_pass *pass, int64_t now)
{
	b->pass = pass;
	b->n_doomed = 0;
	if (b->chat->talk->dialog.mail == MM_MAIL_IMAP)
		mm_box_imap_pass(b, now);
	else
		mm_box_pop3_pass(b, now);
}

enum mm_box_state mm_box_fail(struct mm_box *b, const char *what, struct mm_span words)
{
	char said[MM_PROVEN_TEXT / 2];
	mm_span_copy(mm_span_chomp(words), said, sizeof(said));
	snprintf(b->pass->trouble, sizeof(b->pass->trouble), "%.200s%s%s", what, said[0] != '\0' ? ": " : "",
	    said);
	return MM_BOX_TROUBLE;
}

enum mm_box_state mm_box_go(struct mm_box *b, int64_t now)
{
	static const struct mm_span none = {"", 0};
	bool imap = b->chat->talk->dialog.mail == MM_MAIL_IMAP;
	enum mm_box_state s = MM_BOX_PENDING;
	while (s == MM_BOX_PENDING && mm_chat_go(b->chat, now)) {
		if (b->chat->state != MM_CHAT_REPLIED)
			return mm_box_fail(b, "the incoming server stopped answering", none);
		s = imap ? mm_box_imap_reply(b, now) : mm_box_pop3_reply(b, now);
	}
	return s;
}

bool mm_box_take(struct mm_box *b, struct mm_span message)
{
	if (!mm_trip_is_ours(&b->pass->mark, message))
		return false;
	b->pass->found = true;
	return true;
}

bool mm_box_take_bounce(struct mm_box *b, struct mm_span message)
{
	char reason[MM_PROVEN_TEXT];
	if (!mm_trip_is_bounce(&b->pass->mark, message, reason, sizeof(reason)))
		return false;
	b->pass->bounced = true;
	memcpy(b->pass->reason, reason, sizeof(reason));
	return true;
}
