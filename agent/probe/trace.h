/*
 * The conversation with a server, for a person who looks on. What goes to the
 * server from the beginning of a login until its final reply is not shown:
 * the command and its mechanism stay, all else becomes ***. Lines of the
 * server pass mm_redact(), since it may repeat what it was sent.
 */
#ifndef MM_AGENT_PROBE_TRACE_H
#define MM_AGENT_PROBE_TRACE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/secret.h"

enum mm_said {
	MM_SAID_SERVER,
	MM_SAID_CLIENT,
	MM_SAID_NOTE,  /* neither: what happened on the line, such as "TLSv1.3" */
	MM_SAID_TITLE, /* which connection the lines that follow are of */
};

struct mm_trace {
	/* One line, masked and printable, without its end. */
	void (*line)(void *ctx, enum mm_said who, const char *text);
	void *ctx;
};

/* What part of a line of ours may be seen? */
enum mm_veil {
	MM_VEIL_OPEN,   /* all of it */
	MM_VEIL_BEGINS, /* it begins a login: the command and the mechanism */
	MM_VEIL_INSIDE, /* it is part of one: nothing */
};

/* `trace` NULL: nobody looks on. The text may be several lines. `secret` NULL: there is none. */
void mm_trace_server(
    const struct mm_trace *trace, const char *text, size_t n, const struct mm_secret *secret);
void mm_trace_client(const struct mm_trace *trace, const char *text, size_t n, enum mm_veil veil,
    const struct mm_secret *secret);
void mm_trace_note(const struct mm_trace *trace, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void mm_trace_title(const struct mm_trace *trace, const char *title);

/* Of connections that go on at the same time, each is told as a whole under a
 * title when it is over. What is beyond the limit is left out. */
#define MM_TRACE_LOG_MAX 16384u
struct mm_trace_log {
	struct mm_trace trace;     /* what a connection is to be given */
	const struct mm_trace *to; /* NULL: nobody looks on, and nothing is kept */
	char title[320];
	struct mm_buf text;
	bool cut;
};
/* `log` must not move until it was told; all zeros are one that is over. */
void mm_trace_log_begin(struct mm_trace_log *log, const struct mm_trace *to, const char *title);
void mm_trace_log_tell(struct mm_trace_log *log);

#endif
