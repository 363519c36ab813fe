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

void mm_trace_title(const struct mm_trace *t, const char *title)
{
	struct mm_buf b = MM_BUF_INIT(4u * NOTE_MAX);
	if (t == NULL)
		return;
	mm_printable(&b, title, strlen(title));
	say(t, MM_SAID_TITLE, &b);
}

/* ---- kept until it is over: a line is who said it, the words, and an end */

static void keep(void *ctx, enum mm_said who, const char *text)
{
	struct mm_trace_log *log = ctx;
	size_t n = strlen(text);
	log->cut = log->cut || log->text.len + n + 3 > MM_TRACE_LOG_MAX;
	if (log->cut)
		return;
	mm_buf_addc(&log->text, (char)('0' + (int)who));
	mm_buf_add(&log->text, text, n + 1);
}

void mm_trace_log_begin(struct mm_trace_log *log, const struct mm_trace *to, const char *title)
{
	*log = (struct mm_trace_log){.to = to, .text = MM_BUF_INIT(MM_TRACE_LOG_MAX)};
	log->trace = (struct mm_trace){keep, log};
	snprintf(log->title, sizeof(log->title), "%s", title);
}

void mm_trace_log_tell(struct mm_trace_log *log)
{
	if (log->to == NULL)
		return;
	mm_trace_title(log->to, log->title);
	for (size_t at = 0; at < log->text.len;) {
		const char *line = log->text.data + at;
		log->to->line(log->to->ctx, (enum mm_said)(line[0] - '0'), line + 1);
		at += strlen(line) + 1;
	}
	if (log->cut)
		mm_trace_note(log->to, "... and more");
	if (log->text.data != NULL)
		explicit_bzero(log->text.data, log->text.cap);
	mm_buf_free(&log->text);
	log->to = NULL;
}
