/*
 * After the login, over the connection that libcurl leaves to us: can the
 * mailbox be opened (EXAMINE INBOX, STAT)? Servers accept logins of users
 * whose mailbox they cannot open. EXAMINE and STAT change nothing. Then we
 * leave politely, without waiting for an answer.
 */
#ifndef MM_AGENT_PROBE_MAILBOX_H
#define MM_AGENT_PROBE_MAILBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/probe/talk.h"

#define MM_MAILBOX_REPLY_MAX (64u * 1024u) /* bytes that a server may say to this */

struct mm_mailbox_step {
	enum mm_mailbox state; /* MM_MAILBOX_NOT_RUN while it runs */
	size_t sent;           /* bytes of the command */
	size_t heard;
	int64_t deadline;
	size_t len;
	char line[MM_DIALOG_TEXT]; /* the line that is coming in, cut when longer */
	char last[MM_DIALOG_TEXT]; /* the reply */
};

/* False: this protocol has no mailbox, nothing is to be done. */
bool mm_mailbox_begin(struct mm_mailbox_step *m, const struct mm_talk *t, int64_t now);
/* Go on as far as possible without waiting; true when `state` is the verdict. */
bool mm_mailbox_go(struct mm_mailbox_step *m, const struct mm_talk *t, int64_t now);
/* LOGOUT or QUIT, best effort. */
void mm_mailbox_leave(const struct mm_talk *t);

#endif
