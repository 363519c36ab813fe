#include "agent/probe/trace.h"

#include <stdarg.h>
#include <string.h>

#include "agent/probe/redact.h"
#include "common/buf.h"
#include "common/term.h"

#define NOTE_MAX 512

/* The next line of `p`, without its end; false: there is none. */
static bool next_line(const char **p, size_t *n, const char **line, size_t *len)
{
	if (*n == 0)
		return false;
	const char *end = memchr(*p, '\n', *n);
	size_t all = end != NULL ? (size_t)(end - *p) + 1 : *n;
	*line = *p;
	*len = all;
	while (*len > 0 && ((*line)[*len - 1] == '\n' || (*line)[*len - 1] == '\r'))
		--*len;
	*p += all;
	*n -= all;
	return true;
}

static void say(const struct mm_trace *t, enum mm_said who, struct mm_buf *b)
{
	t->line(t->ctx, who, mm_buf_str(b));
	if (b->data != NULL)
		explicit_bzero(b->data, b->cap);
	mm_buf_free(b);
}

void mm_trace_server(const struct mm_trace *t, const char *text, size_t n, const struct mm_secret *secret)
{
	const char *line;
	size_t len;
	while (t != NULL && next_line(&text, &n, &line, &len)) {
		struct mm_buf b = MM_BUF_INIT(8u * MM_REDACT_MAX);
		mm_redact(&b, line, len, secret);
		say(t, MM_SAID_SERVER, &b);
	}
}

void mm_trace_client(
    const struct mm_trace *t, const char *text, size_t n, enum mm_veil veil, const struct mm_secret *secret)
{
	const char *line;
	size_t len;
	while (t != NULL && next_line(&text, &n, &line, &len)) {
		struct mm_buf b = MM_BUF_INIT(8u * MM_REDACT_MAX);
		if (veil == MM_VEIL_INSIDE)
			mm_buf_adds(&b, "***");
		else
			mm_redact_command(&b, line, len, veil == MM_VEIL_BEGINS, secret);
		say(t, MM_SAID_CLIENT, &b);
	}
}

void mm_trace_note(const struct mm_trace *t, const char *fmt, ...)
{
	if (t == NULL)
		return;
	struct mm_buf raw = MM_BUF_INIT(NOTE_MAX), b = MM_BUF_INIT(4u * NOTE_MAX);
	va_list ap;
	va_start(ap, fmt);
	mm_buf_vaddf(&raw, fmt, ap);
	va_end(ap);
	mm_printable(&b, mm_buf_str(&raw), raw.len);
	mm_buf_free(&raw);
	say(t, MM_SAID_NOTE, &b);
}
