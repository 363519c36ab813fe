#include "agent/probe/sender.h"

#include <string.h>

/* ---- what a reply means */

static bool says(const struct mm_smtp_reply *r, const char *const *words)
{
	struct mm_span text = {r->text, strlen(r->text)};
	for (; *words != NULL; words++)
		if (mm_span_find(text, *words) != NULL)
			return true;
	return false;
}

/* "Relay access denied", "relay not permitted", "Unable to relay",
 * "relaying denied": Postfix, Exim, Exchange, sendmail. */
static bool is_relay(const struct mm_smtp_reply *r)
{
	static const char *const words[] = {"relay", NULL};
	return says(r, words);
}

static bool status_is(const struct mm_smtp_reply *r, int subject, int detail)
{
	return r->status[1] == subject && r->status[2] == detail;
}

/* Full mailbox (RFC 3463 X.2.2), over quota by words; not the server's disk (X.3.1). */
static bool is_full(const struct mm_smtp_reply *r)
{
	static const char *const words[] = {"quota", "mailbox full", "mailbox is full", NULL};
	return status_is(r, 2, 2) || ((r->code == 552 || r->code == 452) && says(r, words));
}

static bool is_size(const struct mm_smtp_reply *r)
{
	static const char *const words[] = {"size", "too large", "too big", NULL};
	return status_is(r, 3, 4) || status_is(r, 2, 3) || (r->code == 552 && says(r, words));
}

/* Whose fault is it when RCPT is refused? Postfix's "Sender address
 * rejected", Exchange's "send as" (5.7.60), others' "not owned". */
static bool is_sender(const struct mm_smtp_reply *r)
{
	static const char *const words[] = {"sender", "not owned", "send as", "from address", NULL};
	return r->code == 553 || status_is(r, 1, 7) || status_is(r, 1, 8) || status_is(r, 7, 60) ||
	       says(r, words);
}

static bool is_recipient(const struct mm_smtp_reply *r)
{
	static const char *const words[] = {"user unknown", "unknown user", "no such", "unknown recipient",
	    "does not exist", "unrouteable", "mailbox unavailable", "recipient address rejected", NULL};
	bool unknown = r->status[1] == 1 && r->status[2] != 7 && r->status[2] != 8;
	return unknown || status_is(r, 2, 1) || says(r, words);
}

static bool is_helo(const struct mm_smtp_reply *r)
{
	static const char *const words[] = {"helo", NULL};
	return says(r, words);
}

static bool wants_login(const struct mm_smtp_reply *r)
{
	static const char *const words[] = {
	    "authentication required", "must be authenticated", "authenticate first", "log in first", NULL};
	return r->code == 530 || (r->code >= 500 && !is_relay(r) && says(r, words));
}

enum mm_cls mm_sender_class(enum mm_sender_verb verb, const struct mm_smtp_reply *r)
{
	int class = r->code / 100;
	if (class == 2 || (verb == MM_SENDER_DATA && r->code == 354))
		return MM_CLS_NONE;
	if (class != 4 && class != 5)
		return MM_CLS_PROTOCOL_ERROR;
	if (wants_login(r))
		return MM_CLS_AUTH_REQUIRED;
	if (is_full(r))
		return MM_CLS_OVERQUOTA;
	if (class == 4)
		return is_relay(r) && r->status[1] == 7 ? MM_CLS_RELAY_DENIED : MM_CLS_SEND_TEMP;
	if (is_size(r))
		return MM_CLS_TOO_BIG;
	if (verb == MM_SENDER_DATA)
		return MM_CLS_TRIP_REFUSED;
	if (is_relay(r))
		return MM_CLS_RELAY_DENIED;
	if (is_helo(r))
		return MM_CLS_EHLO_REJECTED;
	if (is_sender(r))
		return MM_CLS_SENDER_REJECTED;
	if (verb == MM_SENDER_RCPT && is_recipient(r))
		return MM_CLS_RCPT_REJECTED;
	return verb == MM_SENDER_MAIL ? MM_CLS_SENDER_REJECTED : MM_CLS_SEND_REFUSED;
}

void mm_sender_words(const struct mm_smtp_reply *r, char *to, size_t size)
{
	struct mm_buf b = MM_BUF_INIT(2 * MM_PROVEN_TEXT);
	mm_buf_addf(&b, "%d ", r->code);
	if (r->status[0] != 0)
		mm_buf_addf(&b, "%d.%d.%d ", r->status[0], r->status[1], r->status[2]);
	mm_buf_adds(&b, r->text);
	mm_span_copy((struct mm_span){mm_buf_str(&b), b.len}, to, size);
	mm_buf_free(&b);
}

/* ---- asking */

enum stage { MAIL, RCPT, RSET };

static bool offers(const struct mm_dialog *d, const char *keyword)
{
	struct mm_span caps = {d->caps, strlen(d->caps)};
	while (caps.n > 0) {
		struct mm_span w = mm_imap_token(&caps).text;
		size_t n = strlen(keyword);
		if (mm_span_is(w, keyword) || (mm_span_begins(w, keyword) && w.n > n && w.p[n] == '='))
			return true;
	}
	return false;
}

void mm_sender_mail(struct mm_chat *c, const char *address, int64_t now)
{
	struct mm_buf size = MM_BUF_INIT(32);
	if (offers(&c->talk->dialog, "SIZE"))
		mm_buf_addf(&size, " SIZE=%d", MM_SENDER_SIZE);
	mm_chat_say(c, MM_REPLY_SMTP, now, "MAIL FROM:<%s>%s", address, mm_buf_str(&size));
	mm_buf_free(&size);
}

void mm_sender_begin(struct mm_sender_step *s, struct mm_chat *c, const char *address, int64_t now)
{
	*s = (struct mm_sender_step){.address = address, .stage = MAIL, .began = now};
	s->seen.run = true;
	mm_sender_mail(c, address, now);
}

static bool over(struct mm_sender_step *s, enum mm_cls cls, int64_t now)
{
	s->seen.cls = cls;
	s->seen.held = cls == MM_CLS_NONE;
	s->seen.ms = (int)(now - s->began);
	return true;
}

static bool take(struct mm_sender_step *s, struct mm_chat *c, const struct mm_smtp_reply *r, int64_t now)
{
	/* the verdict stands; RSET only leaves nothing open */
	if (s->stage == RSET)
		return over(s, s->seen.cls, now);
	enum mm_cls cls = mm_sender_class(s->stage == MAIL ? MM_SENDER_MAIL : MM_SENDER_RCPT, r);
	mm_sender_words(r, s->seen.said, sizeof(s->seen.said));
	s->seen.cls = cls;
	if (s->stage == MAIL && cls == MM_CLS_NONE) {
		s->stage = RCPT;
		mm_chat_say(c, MM_REPLY_SMTP, now, "RCPT TO:<%s>", s->address);
		return false;
	}
	if (r->code == 421)
		return over(s, cls, now);
	s->stage = RSET;
	mm_chat_say(c, MM_REPLY_SMTP, now, "RSET");
	return false;
}

/* No reply, or what is none: out of turn, or of lines that contradict each
 * other. A server that goes may say so unasked (RFC 5321 3.8). */
static enum mm_cls unheard(struct mm_sender_step *s, const struct mm_chat *c)
{
	bool breach = c->state == MM_CHAT_BROKEN || c->state == MM_CHAT_REPLIED;
	mm_chat_words(c, s->seen.said, sizeof(s->seen.said));
	return breach && memcmp(s->seen.said, "421", 3) != 0 ? MM_CLS_PROTOCOL_ERROR
							     : MM_CLS_SENDER_NO_ANSWER;
}

bool mm_sender_go(struct mm_sender_step *s, struct mm_chat *c, int64_t now)
{
	while (mm_chat_go(c, now)) {
		struct mm_smtp_reply r;
		bool heard = c->state == MM_CHAT_REPLIED && mm_smtp_reply(mm_chat_reply(c), &r);
		if (!heard && s->stage == RSET)
			return over(s, s->seen.cls, now);
		if (!heard)
			return over(s, unheard(s, c), now);
		if (take(s, c, &r, now))
			return true;
	}
	return false;
}
