/*
 * Commands and replies over the connection that libcurl leaves to us after
 * the login. One command at a time; whatever the server does, a reply takes
 * at most MM_REPLY_MAX bytes and one time limit from the command on, however
 * it trickles in.
 */
#ifndef MM_AGENT_PROBE_CHAT_H
#define MM_AGENT_PROBE_CHAT_H

#include <poll.h>
#include <stdint.h>

#include "agent/probe/reply.h"
#include "agent/probe/talk.h"
#include "common/buf.h"

enum mm_chat_state {
	MM_CHAT_IDLE,
	MM_CHAT_PENDING,
	MM_CHAT_REPLIED,
	MM_CHAT_SILENT, /* no reply in time */
	MM_CHAT_LOST,   /* the connection went */
	MM_CHAT_BROKEN, /* what came is no reply, or has no end */
};

struct mm_chat {
	const struct mm_talk *talk;
	enum mm_chat_state state;
	struct mm_buf out, in;
	size_t sent;
	struct mm_reply_scan scan;
	char tag[8];
	unsigned commands;
	int64_t deadline; /* of the open command */
};

/* `talk` outlives it. */
void mm_chat_begin(struct mm_chat *c, const struct mm_talk *talk);
/* Send a line; CR LF and, for IMAP, a tag are added. Not while one is open. */
void mm_chat_say(struct mm_chat *c, enum mm_reply_kind kind, int64_t now, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Send bytes as they are: a message. Its reply is an SMTP one. */
void mm_chat_send(struct mm_chat *c, struct mm_span bytes, int64_t now);
/* Go on as far as possible without waiting; true when there is nothing to wait for. */
bool mm_chat_go(struct mm_chat *c, int64_t now);
/* What to wait for while a command is open. */
struct pollfd mm_chat_poll(const struct mm_chat *c);
/* All that has come since the command, a reply or not; and its lines joined by
 * blanks, cut to `size` - 1 bytes. */
struct mm_span mm_chat_heard(const struct mm_chat *c);
void mm_chat_words(const struct mm_chat *c, char *to, size_t size);
/* The reply, until the next command. */
struct mm_span mm_chat_reply(const struct mm_chat *c);
/* A last word, best effort; nothing is waited for. */
void mm_chat_leave(struct mm_chat *c);
void mm_chat_end(struct mm_chat *c);

#endif
