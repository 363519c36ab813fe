/*
 * A connection at work: dialled first, then spoken over. The test itself has
 * one, and every look without credentials.
 */
#ifndef MM_AGENT_PROBE_LINE_H
#define MM_AGENT_PROBE_LINE_H

#include <poll.h>

#include "agent/probe/dial.h"
#include "agent/probe/talk.h"

struct mm_line {
	bool dialling;
	struct mm_dial dial;
	struct mm_talk *talk; /* NULL before and without one */
	struct mm_trace_log log;
};

/* For a look, before it is dialled: what is said is shown to `to` (NULL:
 * nobody) under a title when the line hangs up. The line must not move. */
void mm_line_title(struct mm_line *l, const struct mm_trace *to, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The addresses outlive the line. */
void mm_line_dial(
    struct mm_line *l, const struct mm_addr *addrs, size_t n, int port, int64_t now, int limit_ms);
/* How a talk ended, where nothing that was said tells it. `to` NULL: nobody looks on. */
void mm_line_note_end(const struct mm_trace *to, const struct mm_talk *t);
/* Go on with a talk as `plan` says; true when it is over: then `talk` is
 * finished, or NULL where no connection came about. */
bool mm_line_step(struct mm_line *l, CURLM *multi, const struct mm_talk_plan *plan, int64_t now);
size_t mm_line_poll(const struct mm_line *l, struct pollfd *fds, size_t max);
int64_t mm_line_wake(const struct mm_line *l, int64_t now); /* when to step at the latest */
/* Closes, and frees the talk. What the dial saw stays. */
void mm_line_hang_up(struct mm_line *l);

#endif
