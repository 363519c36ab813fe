/*
 * After the login: can the mailbox be opened (EXAMINE INBOX, STAT), how much
 * is in it, and is there room (RFC 9208)? Servers accept logins of users
 * whose mailbox they cannot open. Nothing here changes anything.
 */
#ifndef MM_AGENT_PROBE_MAILBOX_H
#define MM_AGENT_PROBE_MAILBOX_H

#include "agent/probe/chat.h"
#include "agent/probe/proven.h"

struct mm_mailbox_step {
	enum mm_mailbox state; /* MM_MAILBOX_NOT_RUN while it runs */
	struct mm_mailbox_seen seen;
	char last[MM_PROVEN_TEXT]; /* the server's words, when it was not opened */
	int stage;
	int64_t began;
};

/* The chat's talk has logged in, by IMAP or POP3. */
void mm_mailbox_begin(struct mm_mailbox_step *m, struct mm_chat *c, int64_t now);
/* Go on as far as possible without waiting; true when `state` is the verdict. */
bool mm_mailbox_go(struct mm_mailbox_step *m, struct mm_chat *c, int64_t now);

#endif
