#include "agent/probe/trip_box.h"

enum stage { CAPA, STAT, TOP, TOP_BOUNCE, DELE, QUIT };

#define BOUNCE_LINES 200

static enum mm_box_state dele_next(struct mm_box *b, int64_t now);

static enum mm_box_state say(struct mm_box *b, int stage, int64_t now, const char *what)
{
	b->stage = stage;
	mm_chat_say(b->chat, stage == CAPA ? MM_REPLY_POP3_LINES : MM_REPLY_POP3, now, "%s", what);
	return MM_BOX_PENDING;
}

static enum mm_box_state top(struct mm_box *b, int stage, int lines, int64_t now)
{
	b->stage = stage;
	mm_chat_say(b->chat, MM_REPLY_POP3_LINES, now, "TOP %u %d", b->list[b->at], lines);
	return MM_BOX_PENDING;
}

void mm_box_pop3_pass(struct mm_box *b, int64_t now)
{
	say(b, CAPA, now, "CAPA");
}

static enum mm_box_state next(struct mm_box *b, int64_t now)
{
	b->at++;
	if (b->at < b->n_list)
		return top(b, TOP, 0, now);
	b->at = 0;
	return dele_next(b, now);
}

static enum mm_box_state counted(struct mm_box *b, struct mm_span reply, int64_t now)
{
	int64_t n;
	if (!mm_pop3_number(reply, &n))
		return mm_box_fail(b, "the mailbox cannot be opened", reply);
	size_t most = b->pass->mark.id != NULL ? MM_BOX_LOOK : MM_BOX_TIDY;
	b->n_list = 0;
	for (int64_t i = n; i > 0 && i <= UINT32_MAX && b->n_list < most; i--)
		b->list[b->n_list++] = (uint32_t)i;
	b->at = 0;
	return b->n_list > 0 ? top(b, TOP, 0, now) : MM_BOX_DONE;
}

/* Behind the +OK stands the message. */
static struct mm_span message_of(struct mm_span reply)
{
	mm_span_line(&reply);
	return reply;
}

static enum mm_box_state seen(struct mm_box *b, struct mm_span reply, int64_t now)
{
	struct mm_span m = message_of(reply);
	if (!mm_pop3_ok(reply))
		return next(b, now);
	if (b->stage == TOP && mm_trip_may_be_bounce(m))
		return top(b, TOP_BOUNCE, BOUNCE_LINES, now);
	bool room = b->n_doomed < sizeof(b->doomed) / sizeof(b->doomed[0]);
	if (room && (b->stage == TOP_BOUNCE ? mm_box_take_bounce(b, m) : mm_box_take(b, m)))
		b->doomed[b->n_doomed++] = b->list[b->at];
	return next(b, now);
}

static enum mm_box_state dele_next(struct mm_box *b, int64_t now)
{
	if (b->n_doomed == 0)
		return MM_BOX_DONE;
	if (b->at == b->n_doomed)
		return say(b, QUIT, now, "QUIT");
	b->stage = DELE;
	mm_chat_say(b->chat, MM_REPLY_POP3, now, "DELE %u", b->doomed[b->at]);
	return MM_BOX_PENDING;
}

static enum mm_box_state deleted(struct mm_box *b, struct mm_span reply, int64_t now)
{
	b->pass->left_over = b->pass->left_over || !mm_pop3_ok(reply);
	b->at++;
	return dele_next(b, now);
}

static enum mm_box_state committed(struct mm_box *b, struct mm_span reply)
{
	b->pass->left_over = b->pass->left_over || !mm_pop3_ok(reply);
	b->pass->removed += b->pass->left_over ? 0 : (int)b->n_doomed;
	return MM_BOX_DONE;
}

enum mm_box_state mm_box_pop3_reply(struct mm_box *b, int64_t now)
{
	struct mm_span reply = mm_chat_reply(b->chat);
	switch ((enum stage)b->stage) {
	case CAPA:
		if (!mm_pop3_has_capability(reply, "TOP"))
			return mm_box_fail(
			    b, "the POP3 server has no TOP, so no message can be looked for", reply);
		return say(b, STAT, now, "STAT");
	case STAT:
		return counted(b, reply, now);
	case TOP:
	case TOP_BOUNCE:
		return seen(b, reply, now);
	case DELE:
		return deleted(b, reply, now);
	case QUIT:
		return committed(b, reply);
	}
	return MM_BOX_TROUBLE;
}
