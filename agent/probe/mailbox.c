#include "agent/probe/mailbox.h"

#include <string.h>

#include "common/text.h"

enum stage { OPEN, ASK_CAPABILITY, ASK_QUOTA, ASK_NOTHING };

static void say(struct mm_mailbox_step *m, struct mm_chat *c, int stage, int64_t now)
{
	static const char *const commands[] = {
	    [OPEN] = "EXAMINE INBOX", [ASK_CAPABILITY] = "CAPABILITY", [ASK_QUOTA] = "GETQUOTAROOT INBOX"};
	m->stage = stage;
	if (c->talk->dialog.mail == MM_MAIL_POP3)
		mm_chat_say(c, MM_REPLY_POP3, now, "STAT");
	else
		mm_chat_say(c, MM_REPLY_IMAP, now, "%s", commands[stage]);
}

void mm_mailbox_begin(struct mm_mailbox_step *m, struct mm_chat *c, int64_t now)
{
	*m = (struct mm_mailbox_step){.began = now};
	say(m, c, OPEN, now);
}

static bool over(struct mm_mailbox_step *m, enum mm_mailbox state, int64_t now)
{
	m->state = state;
	m->seen.ms = (int)(now - m->began);
	return true;
}

/* The text behind [ALERT], of the first line that has one. */
static void take_alert(struct mm_mailbox_step *m, struct mm_span text)
{
	const char *at = m->seen.alert[0] == '\0' ? mm_span_find(text, "[ALERT]") : NULL;
	if (at == NULL)
		return;
	struct mm_span rest = mm_span_skip(text, (size_t)(at - text.p) + strlen("[ALERT]"));
	while (rest.n > 0 && rest.p[0] == ' ')
		rest = mm_span_skip(rest, 1);
	mm_span_copy(mm_span_line(&rest), m->seen.alert, sizeof(m->seen.alert));
}

/* RFC 3206 4: trouble of the system, and the password was not what failed. So
 * says Dovecot of a mailbox that it cannot open, behind "+OK Logged in.". */
static bool is_no_matter_of_the_login(struct mm_span reply)
{
	return mm_span_find(reply, "-ERR [SYS/") != NULL;
}

/* STAT cannot fail where a login held (RFC 1939 5): -ERR may be the answer to
 * the password, behind an +OK that was none. NOOP, which has no other answer
 * there, is +OK and no more only where the login did hold. */
static bool pop3_asked_nothing(struct mm_mailbox_step *m, struct mm_span reply, int64_t now)
{
	int64_t number;
	bool held = mm_pop3_ok(reply) && !mm_pop3_number(reply, &number);
	return over(m, held ? MM_MAILBOX_NO : MM_MAILBOX_DOUBT, now);
}

static bool pop3(struct mm_mailbox_step *m, struct mm_chat *c, struct mm_span reply, int64_t now)
{
	if (m->stage == ASK_NOTHING)
		return pop3_asked_nothing(m, reply, now);
	m->seen.has_messages = mm_pop3_number(reply, &m->seen.messages);
	if (m->seen.has_messages)
		return over(m, MM_MAILBOX_OK, now);
	mm_span_copy(mm_span_chomp(reply), m->last, sizeof(m->last));
	if (mm_pop3_ok(reply))
		return over(m, MM_MAILBOX_SILENT, now);
	if (is_no_matter_of_the_login(reply))
		return over(m, MM_MAILBOX_NO, now);
	m->stage = ASK_NOTHING;
	mm_chat_say(c, MM_REPLY_POP3, now, "NOOP");
	return false;
}

/* Many servers list what they can do after the login in their answer to it. */
static enum mm_tri quota_offered(const struct mm_dialog *d)
{
	struct mm_span text = {d->auth_text, strlen(d->auth_text)};
	const char *begin = mm_span_find(text, "[CAPABILITY ");
	const char *end = begin != NULL ? strchr(begin, ']') : NULL;
	if (end == NULL)
		return MM_UNKNOWN;
	struct mm_span words = {begin + 1, (size_t)(end - begin) - 1};
	while (words.n > 0)
		if (mm_span_is(mm_imap_token(&words).text, "QUOTA"))
			return MM_YES;
	return MM_NO;
}

/* A server that says BYE closes the connection; what it says besides is void. */
static bool take_leave(struct mm_mailbox_step *m, const struct mm_chat *c)
{
	struct mm_span line, all = mm_chat_heard(c);
	if (c->talk->dialog.mail != MM_MAIL_IMAP || !mm_imap_bye(all, &line))
		return false;
	mm_span_copy(line, m->last, sizeof(m->last));
	return true;
}

/* That the mailbox opened is proven, whatever comes after. */
static bool unanswered(struct mm_mailbox_step *m, const struct mm_chat *c, int64_t now)
{
	bool pop3 = c->talk->dialog.mail == MM_MAIL_POP3;
	if (m->stage == ASK_NOTHING)
		return over(m, MM_MAILBOX_DOUBT, now);
	if (m->stage != OPEN)
		return over(m, MM_MAILBOX_OK, now);
	if (!take_leave(m, c))
		mm_chat_words(c, m->last, sizeof(m->last));
	/* more replies than commands: which of them was the one to the password? */
	if (pop3 && c->state == MM_CHAT_BROKEN && !is_no_matter_of_the_login(mm_chat_heard(c)))
		return over(m, MM_MAILBOX_DOUBT, now);
	return over(m, MM_MAILBOX_SILENT, now);
}

static bool opened(struct mm_mailbox_step *m, struct mm_chat *c, struct mm_span reply, int64_t now)
{
	struct mm_span text;
	bool ok = mm_imap_ok(reply, c->tag, &text);
	m->seen.has_messages = mm_imap_exists(reply, &m->seen.messages);
	mm_span_copy(text, m->last, sizeof(m->last));
	if (!ok)
		return over(m, MM_MAILBOX_NO, now);
	/* an OK that opens nothing: without EXISTS there is no mailbox (RFC 9051 6.3.2) */
	if (take_leave(m, c) || !m->seen.has_messages)
		return over(m, MM_MAILBOX_SILENT, now);
	enum mm_tri quota = quota_offered(&c->talk->dialog);
	if (quota == MM_NO)
		return over(m, MM_MAILBOX_OK, now);
	say(m, c, quota == MM_YES ? ASK_QUOTA : ASK_CAPABILITY, now);
	return false;
}

static bool imap(struct mm_mailbox_step *m, struct mm_chat *c, struct mm_span reply, int64_t now)
{
	struct mm_span text;
	take_alert(m, reply);
	switch (m->stage) {
	case OPEN:
		return opened(m, c, reply, now);
	case ASK_CAPABILITY:
		if (!mm_imap_has_capability(reply, "QUOTA"))
			break;
		say(m, c, ASK_QUOTA, now);
		return false;
	case ASK_QUOTA:
		if (mm_imap_ok(reply, c->tag, &text))
			(void)mm_imap_quota(reply, &m->seen.quota);
		break;
	}
	return over(m, MM_MAILBOX_OK, now);
}

bool mm_mailbox_go(struct mm_mailbox_step *m, struct mm_chat *c, int64_t now)
{
	const struct mm_dialog *d = &c->talk->dialog;
	while (mm_chat_go(c, now)) {
		struct mm_span reply = mm_chat_reply(c);
		if (c->state != MM_CHAT_REPLIED)
			return unanswered(m, c, now);
		if (d->mail == MM_MAIL_POP3 ? pop3(m, c, reply, now) : imap(m, c, reply, now))
			return true;
	}
	return false;
}
