#include "agent/probe/reply.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define NUMBER_DIGITS 15 /* more are no number of ours */

/* ---- spans */

bool mm_span_begins(struct mm_span s, const char *word)
{
	size_t n = strlen(word);
	return s.n >= n && strncasecmp(s.p, word, n) == 0;
}

bool mm_span_is(struct mm_span s, const char *word)
{
	return s.n == strlen(word) && mm_span_begins(s, word);
}

const char *mm_span_find(struct mm_span s, const char *word)
{
	size_t n = strlen(word);
	for (size_t i = 0; i + n <= s.n; i++)
		if (strncasecmp(s.p + i, word, n) == 0)
			return s.p + i;
	return NULL;
}

void mm_span_copy(struct mm_span s, char *to, size_t size)
{
	size_t n = s.n < size - 1 ? s.n : size - 1;
	if (n > 0)
		memcpy(to, s.p, n);
	to[n] = '\0';
}

struct mm_span mm_span_skip(struct mm_span s, size_t n)
{
	n = n < s.n ? n : s.n;
	return (struct mm_span){s.p + n, s.n - n};
}

struct mm_span mm_span_chomp(struct mm_span s)
{
	while (s.n > 0 && (s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\r'))
		s.n--;
	return s;
}

bool mm_span_number(struct mm_span s, int64_t *out)
{
	int64_t v = 0;
	if (s.n == 0 || s.n > NUMBER_DIGITS)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!isdigit((unsigned char)s.p[i]))
			return false;
		v = v * 10 + (s.p[i] - '0');
	}
	*out = v;
	return true;
}

struct mm_span mm_span_line(struct mm_span *rest)
{
	const char *end = rest->n > 0 ? memchr(rest->p, '\n', rest->n) : NULL;
	size_t n = end != NULL ? (size_t)(end - rest->p) + 1 : rest->n;
	struct mm_span line = {rest->p, n};
	*rest = mm_span_skip(*rest, n);
	return mm_span_chomp(line);
}

static struct mm_span word(struct mm_span *s)
{
	while (s->n > 0 && s->p[0] == ' ')
		*s = mm_span_skip(*s, 1);
	struct mm_span w = {s->p, 0};
	while (w.n < s->n && w.p[w.n] != ' ')
		w.n++;
	*s = mm_span_skip(*s, w.n);
	return w;
}

/* ---- where a reply ends */

bool mm_imap_literal(struct mm_span line, int64_t *len)
{
	line = mm_span_chomp(line);
	if (line.n < 3 || line.p[line.n - 1] != '}')
		return false;
	size_t open = line.n - 1;
	while (open > 0 && line.p[open] != '{')
		open--;
	if (line.p[open] != '{')
		return false;
	struct mm_span digits = {line.p + open + 1, line.n - open - 2};
	if (digits.n > 0 && digits.p[digits.n - 1] == '+')
		digits.n--;
	return mm_span_number(digits, len);
}

static bool is_tagged(const struct mm_reply_scan *s, struct mm_span line)
{
	size_t n = strlen(s->tag);
	return line.n > n && memcmp(line.p, s->tag, n) == 0 && line.p[n] == ' ';
}

/* After a line, or a piece of one that ends in a literal. */
static enum mm_scan imap_line(struct mm_reply_scan *s, const char *p, size_t end)
{
	int64_t len;
	if (mm_imap_literal((struct mm_span){p + s->at, end - s->at}, &len)) {
		if (len > (int64_t)MM_REPLY_MAX)
			return MM_SCAN_BROKEN;
		s->at = end + (size_t)len;
		return MM_SCAN_MORE;
	}
	struct mm_span whole = {p + s->begun, end - s->begun};
	s->at = s->begun = end;
	if (is_tagged(s, whole))
		return MM_SCAN_DONE;
	/* the tag of another command: an answer to what was not asked */
	whole = mm_span_chomp(whole);
	return whole.n == 0 || whole.p[0] == '*' || whole.p[0] == '+' ? MM_SCAN_MORE : MM_SCAN_BROKEN;
}

static enum mm_scan smtp_line(struct mm_reply_scan *s, const char *p, size_t end)
{
	struct mm_span line = mm_span_chomp((struct mm_span){p + s->at, end - s->at});
	int64_t code;
	if (line.n < 3 || !mm_span_number((struct mm_span){line.p, 3}, &code))
		return MM_SCAN_BROKEN;
	s->at = end;
	return line.n == 3 || line.p[3] == ' ' ? MM_SCAN_DONE : MM_SCAN_MORE;
}

static enum mm_scan pop3_line(struct mm_reply_scan *s, const char *p, size_t end)
{
	struct mm_span line = mm_span_chomp((struct mm_span){p + s->at, end - s->at});
	bool first = s->at == 0;
	s->at = end;
	if (first && !mm_pop3_ok(line) && !mm_span_begins(line, "-ERR"))
		return MM_SCAN_BROKEN;
	if (first && (s->kind == MM_REPLY_POP3 || line.p[0] == '-'))
		return MM_SCAN_DONE;
	return !first && line.n == 1 && line.p[0] == '.' ? MM_SCAN_DONE : MM_SCAN_MORE;
}

static enum mm_scan one_line(struct mm_reply_scan *s, const char *p, size_t end)
{
	if (s->kind == MM_REPLY_IMAP)
		return imap_line(s, p, end);
	return s->kind == MM_REPLY_SMTP ? smtp_line(s, p, end) : pop3_line(s, p, end);
}

enum mm_scan mm_reply_scan(struct mm_reply_scan *s, const char *p, size_t n)
{
	while (s->at < n) {
		const char *end = memchr(p + s->at, '\n', n - s->at);
		if (end == NULL)
			break;
		enum mm_scan r = one_line(s, p, (size_t)(end - p) + 1);
		if (r != MM_SCAN_MORE)
			return r;
	}
	return n > MM_REPLY_MAX || s->at > MM_REPLY_MAX ? MM_SCAN_BROKEN : MM_SCAN_MORE;
}

/* ---- POP3 */

bool mm_pop3_ok(struct mm_span reply)
{
	return mm_span_begins(reply, "+OK") && (reply.n == 3 || !isalnum((unsigned char)reply.p[3]));
}

bool mm_pop3_number(struct mm_span reply, int64_t *out)
{
	struct mm_span line = mm_span_line(&reply);
	return mm_span_is(word(&line), "+OK") && mm_span_number(word(&line), out);
}

bool mm_pop3_has_capability(struct mm_span reply, const char *want)
{
	if (!mm_pop3_ok(reply))
		return false;
	mm_span_line(&reply);
	while (reply.n > 0) {
		struct mm_span line = mm_span_line(&reply);
		if (mm_span_is(word(&line), want))
			return true;
	}
	return false;
}

/* ---- SMTP */

/* "5.7.1 ": class, subject, detail (RFC 3463 2). */
static struct mm_span take_status(struct mm_span line, int status[3])
{
	struct mm_span rest = line, w = word(&rest);
	int got[3] = {0, 0, 0};
	size_t part = 0, digits = 0;
	for (size_t i = 0; i < w.n; i++) {
		if (w.p[i] == '.' && digits > 0 && part < 2) {
			part++;
			digits = 0;
		} else if (isdigit((unsigned char)w.p[i]) && digits < 3) {
			got[part] = got[part] * 10 + (w.p[i] - '0');
			digits++;
		} else {
			return line;
		}
	}
	if (part != 2 || digits == 0)
		return line;
	memcpy(status, got, sizeof(got));
	return rest;
}

static void append(char *to, size_t size, struct mm_span s)
{
	size_t have = strlen(to);
	while (s.n > 0 && s.p[0] == ' ')
		s = mm_span_skip(s, 1);
	if (s.n == 0 || have + 2 >= size)
		return;
	if (have > 0)
		to[have++] = ' ';
	mm_span_copy(s, to + have, size - have);
}

bool mm_smtp_reply(struct mm_span reply, struct mm_smtp_reply *out)
{
	struct mm_smtp_reply r = {.code = 0};
	while (reply.n > 0) {
		struct mm_span line = mm_span_line(&reply);
		int64_t code;
		if (line.n < 3 || !mm_span_number((struct mm_span){line.p, 3}, &code) || code < 100)
			return false;
		if (line.n > 3 && line.p[3] != ' ' && line.p[3] != '-')
			return false;
		if (r.code != 0 && r.code != (int)code)
			return false;
		r.code = (int)code;
		append(r.text, sizeof(r.text), take_status(mm_span_skip(line, 4), r.status));
	}
	if (r.code == 0)
		return false;
	*out = r;
	return true;
}
