#include "controller/checkin_talk.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "common/text.h"
#include "controller/push/local.h"

static int wait_for(int fd, int64_t deadline, const struct mm_checkin_limits *l, struct mm_err *err)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int64_t left = deadline - mm_now_ms();
	bool last = left < l->silence_ms; /* the whole time ends before silence does */
	int wait = last ? (int)left : l->silence_ms;
	int rc = poll(&p, 1, wait > 0 ? wait : 0);
	if (rc > 0 || (rc < 0 && errno == EINTR))
		return 0;
	if (rc < 0)
		return mm_err_sys(err, MM_EX_FAILED, "cannot wait for the host");
	return mm_err_set(err, MM_EX_UNREACHABLE,
	    last ? "the host is not finished after %d s" : "the host says nothing for %d s",
	    (last ? l->total_ms : l->silence_ms) / 1000);
}

static int take_frame(void *ctx, const struct mm_frame *f, struct mm_err *err)
{
	struct mm_checkin_stream *s = ctx;
	return mm_collect_frame(s->reports, f, err);
}

static int take_bytes(
    struct mm_checkin_stream *s, const char *host, const char *p, size_t n, struct mm_err *err)
{
	struct mm_answer *a = &s->answer;
	int rc = mm_answer_feed(a, p, n, take_frame, s, err);
	if (rc == 0 && a->hello && !mm_streq(a->host, host))
		rc = mm_err_set(
		    err, MM_EX_NOPERM, "the key is that of %s, but it speaks for \"%s\"", host, a->host);
	if (rc == 0 && a->state != MM_ANSWER_OPEN && !mm_frame_at_boundary(&a->in))
		rc = mm_err_set(err, MM_EX_DATAERR, "bytes after the end of the stream");
	return rc;
}

int mm_checkin_read(int fd, const char *host, const struct mm_checkin_limits *l, struct mm_checkin_stream *s,
    struct mm_err *err)
{
	int64_t deadline = mm_now_ms() + l->total_ms;
	char chunk[65536];
	mm_answer_init(&s->answer);
	s->reports = mm_collect_new(host);
	while (s->answer.state == MM_ANSWER_OPEN) {
		if (wait_for(fd, deadline, l, err) != 0)
			return -1;
		ssize_t n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return mm_err_sys(err, MM_EX_UNREACHABLE, "the connection broke");
		if (n == 0)
			return mm_err_set(err, MM_EX_UNREACHABLE, "the host went away");
		if (take_bytes(s, host, chunk, (size_t)n, err) != 0)
			return -1;
	}
	return 0;
}

void mm_checkin_stream_free(struct mm_checkin_stream *s)
{
	mm_answer_free(&s->answer);
	mm_collect_free(s->reports);
	s->reports = NULL;
}
