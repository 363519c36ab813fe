/*
 * The controller's end of a check-in: what the host sends is read within
 * limits of size and time, and belongs to the one host whose key opened the
 * connection.
 */
#ifndef MM_CONTROLLER_CHECKIN_TALK_H
#define MM_CONTROLLER_CHECKIN_TALK_H

#include "controller/push/answer.h"
#include "controller/push_answer.h"

struct mm_checkin_limits {
	int silence_ms; /* without a byte */
	int total_ms;   /* for the whole stream */
};

/* One stream of frames, from its magic to its END. */
struct mm_checkin_stream {
	struct mm_answer answer; /* its state: COMPLETE, REFUSED, or OPEN when the host went away */
	struct mm_collect *reports;
};

/* Read one stream from `fd`; free it in any case. -1: it breaks the protocol
 * (MM_EX_DATAERR), speaks for another host (MM_EX_NOPERM), or the host went
 * away or said nothing for too long (MM_EX_UNREACHABLE). */
int mm_checkin_read(int fd, const char *host, const struct mm_checkin_limits *l, struct mm_checkin_stream *s,
    struct mm_err *err);
void mm_checkin_stream_free(struct mm_checkin_stream *s);

#endif
