/* What is said where: by the server, and beside a rung that did not hold.
 * libcurl's own words ("Login denied", "No error") are for nobody. */
#include <ctype.h>
#include <string.h>

#include "agent/probe/maker.h"

#define BREACH_SHOWN 160 /* bytes of a line that is no line of the protocol: may be anything */

/* An IMAP reply without the tag that libcurl gave its command, "A001". */
static const char *bare(const char *line)
{
	static const char *const words[] = {" OK", " NO", " BAD"};
	const unsigned char *p = (const unsigned char *)line;
	bool tag = isupper(p[0]) && isdigit(p[1]) && isdigit(p[2]) && isdigit(p[3]);
	for (size_t i = 0; tag && i < sizeof(words) / sizeof(words[0]); i++)
		if (strncmp(line + 4, words[i], strlen(words[i])) == 0)
			return line + 5;
	return line;
}

/* The end of a list is not said to anybody. */
static const char *last_line(const struct mm_dialog *d)
{
	return strcmp(d->last, ".") == 0 ? "" : bare(d->last);
}

/* Of the ends in which the server has the last word, and not of those in
 * which its last word was about something else. */
static const char *at_the_end(const struct mm_signals *s)
{
	const struct mm_dialog *d = s->dialog;
	if (d->bye[0] != '\0')
		return d->bye;
	switch (s->end) {
	case MM_END_HOPELESS:
		return d->greeting == MM_GREETING_OK ? last_line(d) : d->first;
	case MM_END_WEIRD:
		return d->greeting == MM_GREETING_REFUSED ? d->first : last_line(d);
	case MM_END_STARTTLS:
		return d->starttls_sent ? last_line(d) : "";
	case MM_END_LOST:
		return d->auth_open ? "" : last_line(d);
	case MM_END_EHLO:
		return last_line(d);
	default:
		return s->looked;
	}
}

static const char *behind_login(const struct mm_maker *m)
{
	const struct mm_signals *s = &m->a->signals;
	if (s->trip.state == MM_TRIP_REFUSED)
		return s->trip.said;
	if (s->sender.run && !s->sender.held)
		return s->sender.said;
	enum mm_mailbox box = m->a->after.mailbox.state;
	bool refused = box == MM_MAILBOX_NO || box == MM_MAILBOX_SILENT || box == MM_MAILBOX_DOUBT;
	return refused ? bare(m->a->after.mailbox.last) : NULL;
}

const char *mm_words_server(const struct mm_maker *m)
{
	const struct mm_signals *s = &m->a->signals;
	if (s->dialog == NULL)
		return NULL;
	const char *said = behind_login(m);
	if (said == NULL)
		said = s->dialog->auth_text[0] != '\0' ? s->dialog->auth_text : at_the_end(s);
	const char *words = mm_maker_clean(m, said);
	if (m->cls != MM_CLS_PROTOCOL_ERROR || words == NULL || strlen(words) <= BREACH_SHOWN)
		return words;
	return mm_arena_printf(m->mem, "%.*s...", BREACH_SHOWN, words);
}

static bool has_no_end(const char *error)
{
	return strstr(error, "Too large") != NULL || strstr(error, "too big") != NULL ||
	       strstr(error, "Excessive") != NULL;
}

const char *mm_words_breach(const struct mm_maker *m)
{
	const struct mm_signals *s = &m->a->signals;
	const struct mm_dialog *d = s->dialog;
	if (s->trip.state == MM_TRIP_REFUSED)
		return "that is no answer to a message";
	if (s->sender.run && !s->sender.held)
		return "that is no answer to the sender's dry run";
	if (d->auth_early)
		return "its answer to the login was there before the login";
	if (d->auth_mixed)
		return "the lines of its answer to the login contradict each other";
	if (s->end == MM_END_HOPELESS)
		return "its answer has more lines than any server's";
	if (s->end == MM_END_WEIRD && has_no_end(m->a->line.talk->error))
		return "its answer has no end";
	return s->end == MM_END_WEIRD ? "that is no answer to what it was asked"
				      : "the login ended without an answer";
}

const char *mm_words_alert(const char *line)
{
	static const char mark[] = "[ALERT]";
	const char *at = strcasestr(line, mark);
	if (at == NULL)
		return line;
	at += sizeof(mark) - 1;
	while (*at == ' ')
		at++;
	return *at != '\0' ? at : line;
}

/* ---- a rung that did not hold */

static const char *const of_class[MM_CLS_COUNT] = {
    [MM_CLS_CONN_DROPPED] = "the connection was closed",
    [MM_CLS_TLS_TO_PLAIN_PORT] = "the server greets in clear",
    [MM_CLS_PLAIN_TO_TLS_PORT] = "no greeting in clear; TLS from the beginning is answered",
    [MM_CLS_TLS_VERSION_TOO_OLD] = "no more than TLS 1.1",
    [MM_CLS_TLS_CLOSED] = "the connection was closed in the handshake",
    [MM_CLS_TLS_CLIENT_CERT] = "a client certificate is wanted",
    [MM_CLS_STARTTLS_NOT_OFFERED] = "STARTTLS is not offered",
    [MM_CLS_STARTTLS_STRIPPED] = "the offer of STARTTLS was overwritten",
    [MM_CLS_STARTTLS_INJECTION] = "more was sent in clear than may be",
    [MM_CLS_CERT_PIN] = "another key than the pinned one",
    [MM_CLS_AUTH_NOT_OFFERED] = "no login is offered",
    [MM_CLS_AUTH_UNPROVEN] = "its answers contradict each other",
    [MM_CLS_AUTH_CONN_DROPPED] = "the connection was closed instead of an answer",
    [MM_CLS_MAILBOX_NO_ANSWER] = "no proper answer",
    [MM_CLS_SENDER_NO_ANSWER] = "no answer",
    [MM_CLS_PREAUTH_NOT_A_TEST] = "the server logs everybody in",
    [MM_CLS_NO_SECRET] = "no password",
    [MM_CLS_REFUSED_ELSEWHERE] = "not tried: the same password was refused",
    [MM_CLS_NO_USERNAME] = "no user name",
    [MM_CLS_NO_LOGIN_WANTED] = "none is wanted",
    [MM_CLS_MECH_NOT_TESTABLE] = "not known to this program",
    [MM_CLS_LIBRARY_LIMIT] = "the mail library does not see what is offered",
};

static const char *on_this_rung(const struct mm_maker *m)
{
	if (m->cls == MM_CLS_AUTH_NEEDS_TLS && !m->a->signals.dialog->auth_sent)
		return "not without encryption";
	if (m->cls == MM_CLS_AUTH_MECH_NOT_OFFERED && !m->a->signals.dialog->auth_sent)
		return mm_maker_sentence(m, "offered: {offered}");
	if (m->cls == MM_CLS_NOT_MAIL_SERVER && m->places.v[MM_PLACE_SERVER] == NULL)
		return "this is no mail protocol";
	if (m->cls == MM_CLS_MECH_DIFFERS)
		return mm_maker_sentence(m, "only by {mech}");
	return of_class[m->cls];
}

/* Where the detail says more than the server's line. */
static bool is_of_ours(enum mm_cls cls)
{
	return cls == MM_CLS_AUTH_TOKEN_REFUSED || cls == MM_CLS_PROTOCOL_ERROR ||
	       cls == MM_CLS_LOCAL_TROUBLE || cls == MM_CLS_KRB_FAILED || cls == MM_CLS_NO_TICKET ||
	       cls == MM_CLS_KRB_NO_ANSWER;
}

const char *mm_words_broken(const struct mm_maker *m)
{
	if (m->cls == MM_CLS_NONE)
		return "no address to send from is known";
	if (m->cls == MM_CLS_TLS_INTERCEPTED)
		return mm_maker_sentence(m, "the certificate was made by {detail}");
	if (m->a->troubles[0] != '\0')
		return m->a->troubles;
	const char *detail = m->places.v[MM_PLACE_DETAIL], *server = m->places.v[MM_PLACE_SERVER];
	const char *own = on_this_rung(m);
	if (own != NULL)
		return own;
	return server != NULL && !(is_of_ours(m->cls) && detail != NULL) ? server : detail;
}

/* "OpenSSL/3.0.22: error:0A00010B:SSL routines::wrong version number" */
const char *mm_words_openssl(const struct mm_maker *m, const char *error)
{
	const char *at = strstr(error, "error:") != NULL ? strstr(error, "::") : NULL;
	if (at != NULL)
		return mm_arena_strndup(m->mem, at + 2, strcspn(at + 2, ","));
	return strncmp(error, "getpeername", 11) == 0 ? "the connection was closed" : error;
}
