#include <string.h>

#include "agent/probe/reply.h"

/* ---- lines and tokens */

bool mm_imap_line(struct mm_span *rest, struct mm_span *line)
{
	size_t at = 0;
	if (rest->n == 0)
		return false;
	for (;;) {
		const char *nl = at < rest->n ? memchr(rest->p + at, '\n', rest->n - at) : NULL;
		size_t end = nl != NULL ? (size_t)(nl - rest->p) + 1 : rest->n;
		int64_t len;
		if (nl != NULL && mm_imap_literal((struct mm_span){rest->p + at, end - at}, &len)) {
			at = (size_t)len < rest->n - end ? end + (size_t)len : rest->n;
			continue;
		}
		*line = (struct mm_span){rest->p, end};
		*rest = mm_span_skip(*rest, end);
		break;
	}
	*line = mm_span_chomp(*line);
	return true;
}

static struct mm_token quoted(struct mm_span *line)
{
	*line = mm_span_skip(*line, 1);
	size_t n = 0;
	while (n < line->n && line->p[n] != '"')
		n += line->p[n] == '\\' && n + 1 < line->n ? 2 : 1;
	struct mm_token t = {MM_TOKEN_STRING, {line->p, n}};
	*line = mm_span_skip(*line, n + 1);
	return t;
}

/* At "{12}\r\n"; false when that is not what stands here. */
static bool take_literal(struct mm_span *line, struct mm_token *t)
{
	const char *nl = memchr(line->p, '\n', line->n);
	const char *close = memchr(line->p, '}', line->n);
	int64_t len;
	if (nl == NULL || close == NULL || close > nl || nl - close > 2)
		return false;
	struct mm_span piece = {line->p, (size_t)(nl - line->p) + 1};
	if (!mm_imap_literal(piece, &len))
		return false;
	struct mm_span rest = mm_span_skip(*line, piece.n);
	size_t n = (size_t)len < rest.n ? (size_t)len : rest.n;
	*t = (struct mm_token){MM_TOKEN_STRING, {rest.p, n}};
	*line = mm_span_skip(rest, n);
	return true;
}

static struct mm_token atom(struct mm_span *line)
{
	size_t n = 0;
	bool brackets = false;
	for (; n < line->n; n++) {
		char c = line->p[n];
		if (c == '[' || c == ']')
			brackets = c == '[';
		else if (!brackets && (c == ' ' || c == '(' || c == ')'))
			break;
	}
	struct mm_token t = {MM_TOKEN_ATOM, {line->p, n}};
	*line = mm_span_skip(*line, n);
	return t;
}

struct mm_token mm_imap_token(struct mm_span *line)
{
	struct mm_token t = {MM_TOKEN_END, {line->p, 0}};
	while (line->n > 0 && line->p[0] == ' ')
		*line = mm_span_skip(*line, 1);
	if (line->n == 0)
		return t;
	char c = line->p[0];
	if (c == '(' || c == ')') {
		t = (struct mm_token){c == '(' ? MM_TOKEN_OPEN : MM_TOKEN_CLOSE, {line->p, 1}};
		*line = mm_span_skip(*line, 1);
		return t;
	}
	if (c == '"')
		return quoted(line);
	if (c == '{' && take_literal(line, &t))
		return t;
	return atom(line);
}

/* The next line of the form "* WORD ...", or "* 12 WORD ..."; `line` then begins behind WORD. */
static bool untagged(struct mm_span *rest, const char *word, struct mm_span *line, int64_t *n)
{
	while (mm_imap_line(rest, line)) {
		if (!mm_span_is(mm_imap_token(line).text, "*"))
			continue;
		struct mm_token t = mm_imap_token(line);
		if (n != NULL && mm_span_number(t.text, n))
			t = mm_imap_token(line);
		else if (n != NULL)
			continue;
		if (t.kind == MM_TOKEN_ATOM && mm_span_is(t.text, word))
			return true;
	}
	return false;
}

/* ---- answers */

bool mm_imap_ok(struct mm_span reply, const char *tag, struct mm_span *text)
{
	struct mm_span line;
	*text = (struct mm_span){reply.p, 0};
	while (mm_imap_line(&reply, &line)) {
		size_t n = strlen(tag);
		if (line.n <= n || memcmp(line.p, tag, n) != 0 || line.p[n] != ' ')
			continue;
		*text = mm_span_skip(line, n + 1);
		return mm_span_is(*text, "OK") || mm_span_begins(*text, "OK ");
	}
	return false;
}

bool mm_imap_exists(struct mm_span reply, int64_t *out)
{
	struct mm_span line;
	int64_t n;
	bool found = false;
	/* the last one counts */
	while (untagged(&reply, "EXISTS", &line, &n)) {
		*out = n;
		found = true;
	}
	return found;
}

bool mm_imap_bye(struct mm_span reply, struct mm_span *line)
{
	while (mm_imap_line(&reply, line))
		if (mm_span_is(*line, "* BYE") || mm_span_begins(*line, "* BYE "))
			return true;
	return false;
}

bool mm_imap_code(struct mm_span reply, const char *code, struct mm_span *value)
{
	struct mm_span line;
	while (mm_imap_line(&reply, &line)) {
		mm_imap_token(&line);
		mm_imap_token(&line);
		line = line.n > 0 ? mm_span_skip(line, 1) : line;
		if (line.n == 0 || line.p[0] != '[' || !mm_span_begins(mm_span_skip(line, 1), code))
			continue;
		struct mm_span rest = mm_span_skip(line, 1 + strlen(code));
		const char *end = memchr(rest.p, ']', rest.n);
		if (end == NULL || (rest.p[0] != ' ' && rest.p[0] != ']'))
			continue;
		*value = (struct mm_span){rest.p, (size_t)(end - rest.p)};
		*value = mm_span_skip(*value, value->n > 0 ? 1 : 0);
		return true;
	}
	return false;
}

static bool has_word(struct mm_span line, const char *word)
{
	for (struct mm_token t = mm_imap_token(&line); t.kind != MM_TOKEN_END; t = mm_imap_token(&line))
		if (t.kind == MM_TOKEN_ATOM && mm_span_is(t.text, word))
			return true;
	return false;
}

bool mm_imap_has_capability(struct mm_span reply, const char *word)
{
	struct mm_span line, rest = reply;
	if (mm_imap_code(reply, "CAPABILITY", &line) && has_word(line, word))
		return true;
	while (untagged(&rest, "CAPABILITY", &line, NULL))
		if (has_word(line, word))
			return true;
	return false;
}

/* ---- quota */

static bool fuller(int64_t used, int64_t limit, int64_t old_used, int64_t old_limit)
{
	return (double)used * (double)old_limit > (double)old_used * (double)limit;
}

static void take_resource(struct mm_quota *q, struct mm_span name, int64_t used, int64_t limit)
{
	if (mm_span_is(name, "STORAGE") && (!q->storage || fuller(used, limit, q->used, q->limit))) {
		q->storage = true;
		q->used = used;
		q->limit = limit;
	} else if (mm_span_is(name, "MESSAGE") &&
		   (!q->messages || fuller(used, limit, q->count, q->count_limit))) {
		q->messages = true;
		q->count = used;
		q->count_limit = limit;
	}
}

/* "* QUOTA root (STORAGE 10 512 MESSAGE 1 20)" */
bool mm_imap_quota(struct mm_span reply, struct mm_quota *out)
{
	struct mm_quota q = {.storage = false};
	struct mm_span line;
	while (untagged(&reply, "QUOTA", &line, NULL)) {
		mm_imap_token(&line); /* the root */
		if (mm_imap_token(&line).kind != MM_TOKEN_OPEN)
			continue;
		for (;;) {
			struct mm_token name = mm_imap_token(&line);
			struct mm_span used = mm_imap_token(&line).text;
			struct mm_span limit = mm_imap_token(&line).text;
			int64_t u, l;
			if (name.kind != MM_TOKEN_ATOM || !mm_span_number(used, &u) ||
			    !mm_span_number(limit, &l))
				break;
			if (l > 0)
				take_resource(&q, name.text, u, l);
		}
	}
	*out = q;
	return q.storage || q.messages;
}

bool mm_quota_near(const struct mm_quota *q)
{
	bool storage =
	    q->storage && q->used >= q->limit / 100 * MM_QUOTA_NEAR + q->limit % 100 * MM_QUOTA_NEAR / 100;
	bool count = q->messages && q->count >= q->count_limit / 100 * MM_QUOTA_NEAR +
						    q->count_limit % 100 * MM_QUOTA_NEAR / 100;
	return storage || count;
}

/* ---- searching */

/* Keep the highest, in descending order. */
static size_t insert(uint32_t *uids, size_t n, size_t max, uint32_t uid)
{
	size_t at = 0;
	while (at < n && uids[at] > uid)
		at++;
	if (at == max || (at < n && uids[at] == uid))
		return n;
	size_t kept = n < max ? n : max - 1;
	memmove(uids + at + 1, uids + at, (kept - at) * sizeof(*uids));
	uids[at] = uid;
	return kept + 1;
}

size_t mm_imap_search(struct mm_span reply, uint32_t *uids, size_t max)
{
	struct mm_span line;
	size_t n = 0;
	while (max > 0 && untagged(&reply, "SEARCH", &line, NULL))
		for (struct mm_token t = mm_imap_token(&line); t.kind == MM_TOKEN_ATOM;
		     t = mm_imap_token(&line)) {
			int64_t v;
			if (mm_span_number(t.text, &v) && v > 0 && v <= UINT32_MAX)
				n = insert(uids, n, max, (uint32_t)v);
		}
	return n;
}

/* From between quotation marks, or from a literal, to between quotation marks. */
static bool nameable(struct mm_token t, char *name, size_t size)
{
	bool raw = t.kind == MM_TOKEN_STRING && t.text.n > 0 && t.text.p[-1] == '"';
	size_t n = 0;
	for (size_t i = 0; i < t.text.n; i++) {
		bool escaped = raw && t.text.p[i] == '\\';
		/* the line broke off within quotation marks */
		if (escaped && ++i == t.text.n)
			return false;
		unsigned char c = (unsigned char)t.text.p[i];
		if (c < 0x20 || c >= 0x7f || n + 3 > size)
			return false;
		if (escaped || (!raw && (c == '"' || c == '\\')))
			name[n++] = '\\';
		name[n++] = (char)c;
	}
	name[n] = '\0';
	return n > 0;
}

bool mm_imap_special(struct mm_span reply, const char *attribute, char *name, size_t size)
{
	struct mm_span line;
	while (untagged(&reply, "LIST", &line, NULL)) {
		bool has = false;
		if (mm_imap_token(&line).kind != MM_TOKEN_OPEN)
			continue;
		for (struct mm_token t = mm_imap_token(&line); t.kind == MM_TOKEN_ATOM;
		     t = mm_imap_token(&line))
			has = has || mm_span_is(t.text, attribute);
		mm_imap_token(&line); /* delimiter */
		struct mm_token t = mm_imap_token(&line);
		if (has && (t.kind == MM_TOKEN_ATOM || t.kind == MM_TOKEN_STRING) && nameable(t, name, size))
			return true;
	}
	return false;
}

/* "* 4 FETCH (UID 17 BODY[...] {80}...)", in any order. */
bool mm_imap_fetched(struct mm_span reply, uint32_t uid, struct mm_span *body)
{
	struct mm_span line;
	int64_t n;
	while (untagged(&reply, "FETCH", &line, &n)) {
		int64_t got = 0;
		struct mm_token text = {MM_TOKEN_END, {NULL, 0}};
		if (mm_imap_token(&line).kind != MM_TOKEN_OPEN)
			continue;
		for (struct mm_token t = mm_imap_token(&line); t.kind == MM_TOKEN_ATOM;
		     t = mm_imap_token(&line)) {
			struct mm_token v = mm_imap_token(&line);
			if (mm_span_is(t.text, "UID"))
				(void)mm_span_number(v.text, &got);
			else if (mm_span_begins(t.text, "BODY[") && v.kind == MM_TOKEN_STRING)
				text = v;
			else if (v.kind == MM_TOKEN_OPEN)
				while (v.kind != MM_TOKEN_CLOSE && v.kind != MM_TOKEN_END)
					v = mm_imap_token(&line);
		}
		if (got == (int64_t)uid && text.kind == MM_TOKEN_STRING) {
			*body = text.text;
			return true;
		}
	}
	return false;
}
