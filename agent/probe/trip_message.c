#include "agent/probe/trip_message.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/digest.h"
#include "common/text.h"

#define PREFIX "mailmuster-"
#define RANDOM_BYTES 8
#define VALUE_MAX 512

/* ---- making one */

void mm_trip_id(char id[MM_TRIP_ID_MAX], int64_t now, const char *host)
{
	uint8_t random[RANDOM_BYTES];
	char hex[2 * RANDOM_BYTES + 1];
	mm_random(random, sizeof(random));
	mm_hex(random, sizeof(random), hex);
	snprintf(id, MM_TRIP_ID_MAX, PREFIX "%lld-%s@%.255s", (long long)now, hex, host);
}

bool mm_trip_id_parse(struct mm_span s, int64_t *when)
{
	if (!mm_span_begins(s, PREFIX))
		return false;
	s = mm_span_skip(s, strlen(PREFIX));
	const char *dash = s.n > 0 ? memchr(s.p, '-', s.n) : NULL;
	if (dash == NULL || !mm_span_number((struct mm_span){s.p, (size_t)(dash - s.p)}, when))
		return false;
	s = mm_span_skip(s, (size_t)(dash - s.p) + 1);
	if (s.n < (size_t)(2 * RANDOM_BYTES) + 2 || s.p[2 * RANDOM_BYTES] != '@')
		return false;
	for (size_t i = 0; i < (size_t)(2 * RANDOM_BYTES); i++)
		if (!isxdigit((unsigned char)s.p[i]))
			return false;
	for (size_t i = 0; i < s.n; i++)
		if (!isgraph((unsigned char)s.p[i]) || strchr("<>\"\\", s.p[i]) != NULL)
			return false;
	return true;
}

/* RFC 5322 3.3: English names, whatever the locale. */
static void put_date(struct mm_buf *out, int64_t now)
{
	static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char *const months[] = {
	    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t t = (time_t)now;
	struct tm tm;
	gmtime_r(&t, &tm);
	mm_buf_addf(out, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday % 7], tm.tm_mday,
	    months[tm.tm_mon % 12], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void mm_trip_message(struct mm_buf *out, const char *id, const char *address, int64_t now)
{
	mm_buf_addf(out, "From: <%s>\r\nTo: <%s>\r\n", address, address);
	mm_buf_adds(out, "Subject: [Mailmuster] account check, deleted automatically\r\n");
	put_date(out, now);
	mm_buf_addf(out, "Message-ID: <%s>\r\nX-Mailmuster-Check: %s\r\n", id, id);
	mm_buf_adds(out, "Auto-Submitted: auto-generated\r\n"
			 "X-Auto-Response-Suppress: All\r\n"
			 "MIME-Version: 1.0\r\n"
			 "Content-Type: text/plain; charset=us-ascii\r\n"
			 "\r\n"
			 "This message was sent by Mailmuster from your account to itself, to see\r\n"
			 "whether mail that you send arrives. It is removed within two minutes, or the\r\n"
			 "next time the account is checked. If you see it, you may delete it.\r\n");
}

/* ---- reading headers */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static void add_folded(char *value, size_t size, struct mm_span more)
{
	while (more.n > 0 && is_blank(more.p[0]))
		more = mm_span_skip(more, 1);
	while (more.n > 0 && is_blank(more.p[more.n - 1]))
		more.n--;
	size_t have = strlen(value);
	if (more.n == 0 || have + 2 >= size)
		return;
	if (have > 0)
		value[have++] = ' ';
	mm_span_copy(more, value + have, size - have);
}

static bool is_field(struct mm_span line, const char *name)
{
	size_t n = strlen(name);
	return line.n > n && line.p[n] == ':' && mm_span_begins(line, name);
}

bool mm_trip_header(struct mm_span message, const char *name, char *value, size_t size)
{
	bool found = false;
	value[0] = '\0';
	while (message.n > 0) {
		struct mm_span line = mm_span_line(&message);
		if (line.n == 0)
			break;
		if (is_blank(line.p[0])) {
			if (found)
				add_folded(value, size, line);
			continue;
		}
		if (found)
			break;
		found = is_field(line, name);
		if (found)
			add_folded(value, size, mm_span_skip(line, strlen(name) + 1));
	}
	return found;
}

/* "Alice <alice@acme.example>", "alice@acme.example" */
static struct mm_span mailbox_of(const char *value)
{
	const char *open = strrchr(value, '<');
	const char *close = open != NULL ? strchr(open, '>') : NULL;
	if (close != NULL)
		return (struct mm_span){open + 1, (size_t)(close - open) - 1};
	return (struct mm_span){value, strlen(value)};
}

static bool from_is(struct mm_span message, const char *address)
{
	char from[VALUE_MAX];
	return mm_trip_header(message, "From", from, sizeof(from)) && mm_span_is(mailbox_of(from), address);
}

/* ---- ours? */

/* Exactly this id, or a well-formed one that is old enough. */
static bool wanted(const struct mm_trip_mark *m, struct mm_span id)
{
	int64_t when;
	if (m->id != NULL)
		return id.n == strlen(m->id) && memcmp(id.p, m->id, id.n) == 0;
	return mm_trip_id_parse(id, &when) && when > 0 && when < m->now - MM_TRIP_LEFT_OVER_S;
}

static bool check_is(const struct mm_trip_mark *m, struct mm_span message)
{
	char value[VALUE_MAX];
	return mm_trip_header(message, "X-Mailmuster-Check", value, sizeof(value)) &&
	       wanted(m, (struct mm_span){value, strlen(value)});
}

static bool message_id_is(const struct mm_trip_mark *m, struct mm_span message)
{
	char value[VALUE_MAX];
	return mm_trip_header(message, "Message-ID", value, sizeof(value)) && wanted(m, mailbox_of(value));
}

bool mm_trip_is_ours(const struct mm_trip_mark *m, struct mm_span message)
{
	char value[VALUE_MAX];
	/* some servers rewrite From or Message-ID, some filters drop what begins
	 * with X-; this id is in no other message's header */
	if (m->id != NULL)
		return check_is(m, message) || message_id_is(m, message);
	return from_is(message, m->address) && check_is(m, message) &&
	       mm_trip_header(message, "Auto-Submitted", value, sizeof(value)) &&
	       strncasecmp(value, "auto-generated", strlen("auto-generated")) == 0;
}

/* ---- a bounce? */

bool mm_trip_may_be_bounce(struct mm_span message)
{
	char value[VALUE_MAX];
	if (mm_trip_header(message, "From", value, sizeof(value)) &&
	    mm_span_begins(mailbox_of(value), "mailer-daemon@"))
		return true;
	if (!mm_trip_header(message, "Content-Type", value, sizeof(value)) ||
	    mm_span_find((struct mm_span){value, strlen(value)}, "delivery-status") == NULL)
		return false;
	return mm_trip_header(message, "Auto-Submitted", value, sizeof(value)) &&
	       strncasecmp(value, "auto-", 5) == 0;
}

/* The header of the message that came back: a part of its own in a report
 * (RFC 3462 2). */
static bool returned_header(struct mm_span message, struct mm_span *header)
{
	bool part = false;
	while (message.n > 0) {
		struct mm_span line = mm_span_line(&message);
		if (mm_span_begins(line, "Content-Type: message/rfc822") ||
		    mm_span_begins(line, "Content-Type: message/global") ||
		    mm_span_begins(line, "Content-Type: text/rfc822-headers"))
			part = true;
		else if (part && line.n == 0)
			break;
	}
	*header = message;
	return part && message.n > 0;
}

/* A field of the delivery status, wherever it stands (RFC 3464 2.3). */
static bool status_field(struct mm_span message, const char *name, char *value, size_t size)
{
	while (message.n > 0) {
		struct mm_span rest = message;
		if (is_field(mm_span_line(&rest), name))
			return mm_trip_header(message, name, value, size);
		message = rest;
	}
	return false;
}

static void put_reason(struct mm_span message, char *reason, size_t size)
{
	if (!status_field(message, "Diagnostic-Code", reason, size) &&
	    !status_field(message, "Status", reason, size) &&
	    !mm_trip_header(message, "Subject", reason, size))
		reason[0] = '\0';
}

bool mm_trip_is_bounce(const struct mm_trip_mark *m, struct mm_span message, char *reason, size_t size)
{
	char value[VALUE_MAX];
	struct mm_span back;
	if (!mm_trip_may_be_bounce(message))
		return false;
	/* a delay is told, too, and is no bounce */
	if (status_field(message, "Action", value, sizeof(value)) && !mm_streq_nocase(value, "failed"))
		return false;
	bool ours = returned_header(message, &back) && from_is(back, m->address) &&
		    (check_is(m, back) || message_id_is(m, back));
	/* the id of this run is as good as secret: nobody can quote it yet */
	if (!ours && (m->id == NULL || mm_span_find(message, m->id) == NULL))
		return false;
	put_reason(message, reason, size);
	return true;
}
