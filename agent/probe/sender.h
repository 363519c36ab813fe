/*
 * May this login send as the user's own address? A dry run over the
 * connection that has logged in: MAIL FROM, RCPT TO (the same address), RSET.
 * DATA is never said, so nothing is ever sent.
 *
 * RCPT follows even when MAIL was accepted: Postfix (smtpd_delay_reject) and
 * others tell only there what they think of the sender.
 */
#ifndef MM_AGENT_PROBE_SENDER_H
#define MM_AGENT_PROBE_SENDER_H

#include "agent/probe/chat.h"
#include "agent/probe/proven.h"

/* Which command was answered? */
enum mm_sender_verb { MM_SENDER_MAIL, MM_SENDER_RCPT, MM_SENDER_DATA };

/* What a reply to it means; MM_CLS_NONE: accepted. By code, enhanced status
 * code (RFC 3463, RFC 5248) and, where both leave it open, the words. */
enum mm_cls mm_sender_class(enum mm_sender_verb verb, const struct mm_smtp_reply *r);
/* "553 5.7.1 <a@b>: not yours" */
void mm_sender_words(const struct mm_smtp_reply *r, char *to, size_t size);

struct mm_sender_step {
	struct mm_sender_seen seen;
	const char *address;
	int stage;
	int64_t began;
};

#define MM_SENDER_SIZE 2048 /* bytes: of a message such as the round trip's */

/* `address` outlives the step. */
void mm_sender_begin(struct mm_sender_step *s, struct mm_chat *c, const char *address, int64_t now);
bool mm_sender_go(struct mm_sender_step *s, struct mm_chat *c, int64_t now);
/* MAIL FROM, with SIZE= where it is offered (RFC 1870). */
void mm_sender_mail(struct mm_chat *c, const char *address, int64_t now);

#endif
