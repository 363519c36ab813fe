#include "common/frame.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void mm_frame_magic(struct mm_buf *out)
{
	mm_buf_add(out, MM_FRAME_MAGIC, MM_FRAME_MAGIC_LEN);
}

static void put_header(char h[MM_FRAME_HEADER], uint16_t type, uint32_t len)
{
	h[0] = (char)(type >> 8);
	h[1] = (char)(type & 0xff);
	h[2] = 0;
	h[3] = 0;
	h[4] = (char)(len >> 24);
	h[5] = (char)(len >> 16 & 0xff);
	h[6] = (char)(len >> 8 & 0xff);
	h[7] = (char)(len & 0xff);
}

void mm_frame_put(struct mm_buf *out, uint16_t type, const void *body, size_t len)
{
	assert(len <= MM_FRAME_MAX);
	char h[MM_FRAME_HEADER];
	put_header(h, type, (uint32_t)len);
	mm_buf_add(out, h, sizeof(h));
	mm_buf_add(out, body, len);
}

void mm_frame_decoder_init(struct mm_frame_decoder *d, bool need_magic)
{
	*d = (struct mm_frame_decoder){
	    .in = MM_BUF_INIT((size_t)MM_STREAM_MAX + MM_FRAME_NOISE + MM_FRAME_MAGIC_LEN),
	    .need_magic = need_magic,
	    .started = !need_magic,
	};
}

void mm_frame_decoder_free(struct mm_frame_decoder *d)
{
	mm_buf_free(&d->in);
}

/* The buffer's sticky failure is the decoder's. */
static int broken(struct mm_frame_decoder *d)
{
	d->in.failed = true;
	return -1;
}

/* Skip to the magic; what is surely not its beginning is dropped at once. */
static int find_magic(struct mm_frame_decoder *d, struct mm_err *err)
{
	const char *at =
	    d->in.len > 0 ? memmem(d->in.data, d->in.len, MM_FRAME_MAGIC, MM_FRAME_MAGIC_LEN) : NULL;
	size_t skip = 0;
	if (at != NULL)
		skip = (size_t)(at - d->in.data);
	else if (d->in.len >= MM_FRAME_MAGIC_LEN)
		skip = d->in.len - (MM_FRAME_MAGIC_LEN - 1);
	if (skip > MM_FRAME_NOISE - d->noise) {
		broken(d);
		return mm_err_set(err, MM_EX_DATAERR,
		    "no stream of frames begins within %u bytes; is the right program at the other end?",
		    MM_FRAME_NOISE);
	}
	d->noise += (uint32_t)skip;
	mm_buf_consume(&d->in, skip + (at != NULL ? MM_FRAME_MAGIC_LEN : 0));
	if (at != NULL) {
		d->started = true;
		d->total = d->in.len;
	}
	return 0;
}

int mm_frame_feed(struct mm_frame_decoder *d, const void *p, size_t n, struct mm_err *err)
{
	if (d->in.failed)
		return mm_err_set(err, MM_EX_DATAERR, "the stream of frames is broken");
	/* Only when it pays: moving the rest for every frame would be quadratic. */
	if (d->taken > 0 && d->taken >= d->in.len - d->taken) {
		mm_buf_consume(&d->in, d->taken);
		d->taken = 0;
	}
	if (d->started)
		d->total += n;
	if (n <= d->in.max && d->total <= MM_STREAM_MAX)
		mm_buf_add(&d->in, p, n);
	else
		broken(d);
	if (!d->in.failed && !d->started && find_magic(d, err) < 0)
		return -1;
	if (d->in.failed || d->total > MM_STREAM_MAX) {
		broken(d);
		return mm_err_set(
		    err, MM_EX_DATAERR, "a stream of frames is larger than %u bytes", MM_STREAM_MAX);
	}
	return 0;
}

static uint32_t be32(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;
	return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

static int check_header(struct mm_frame_decoder *d, const char *h, struct mm_err *err)
{
	uint32_t first = be32(h), len = be32(h + 4);
	if ((first & 0xffff) != 0) {
		broken(d);
		return mm_err_set(err, MM_EX_DATAERR,
		    "malformed frame: the reserved field of the header is %u and must be 0",
		    (unsigned)(first & 0xffff));
	}
	if (len > MM_FRAME_MAX) {
		broken(d);
		return mm_err_set(err, MM_EX_DATAERR, "a frame of %u bytes is larger than %u bytes",
		    (unsigned)len, MM_FRAME_MAX);
	}
	return 0;
}

int mm_frame_next(struct mm_frame_decoder *d, struct mm_frame *f, struct mm_err *err)
{
	if (d->in.failed)
		return mm_err_set(err, MM_EX_DATAERR, "the stream of frames is broken");
	if (!d->started || d->in.len - d->taken < MM_FRAME_HEADER)
		return 0;
	const char *h = d->in.data + d->taken;
	if (check_header(d, h, err) < 0)
		return -1;
	uint32_t len = be32(h + 4);
	if (d->in.len - d->taken - MM_FRAME_HEADER < len)
		return 0;
	*f = (struct mm_frame){
	    .type = (uint16_t)(be32(h) >> 16),
	    .len = len,
	    .body = h + MM_FRAME_HEADER,
	};
	d->taken += (size_t)MM_FRAME_HEADER + len;
	return 1;
}

bool mm_frame_at_boundary(const struct mm_frame_decoder *d)
{
	return d->started && !d->in.failed && d->taken == d->in.len;
}

static int wait_writable(int fd, int silence_ms, struct mm_err *err)
{
	struct pollfd w = {.fd = fd, .events = POLLOUT};
	int n = poll(&w, 1, silence_ms);
	if (n == 0)
		return mm_err_set(
		    err, MM_EX_FAILED, "timed out: the other side took nothing for %d ms", silence_ms);
	return n > 0 || errno == EINTR ? 0 : mm_err_sys(err, MM_EX_FAILED, "cannot write");
}

int mm_write_within(int fd, const void *p, size_t n, int silence_ms, struct mm_err *err)
{
	const char *at = p;
	while (n > 0) {
		ssize_t done = write(fd, at, n);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0 && errno == EAGAIN) {
			if (wait_writable(fd, silence_ms, err) < 0)
				return -1;
			continue;
		}
		if (done < 0)
			return mm_err_sys(err, MM_EX_FAILED, "cannot write");
		at += done;
		n -= (size_t)done;
	}
	return 0;
}

int mm_write_all(int fd, const void *p, size_t n, struct mm_err *err)
{
	return mm_write_within(fd, p, n, -1, err);
}

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Wait until fd can be read; deadline < 0: for ever. */
static int wait_readable(int fd, int64_t deadline, int timeout_ms, struct mm_err *err)
{
	for (;;) {
		int64_t left = deadline < 0 ? -1 : deadline - now_ms();
		if (deadline >= 0 && left < 0)
			left = 0;
		struct pollfd r = {.fd = fd, .events = POLLIN};
		int n = poll(&r, 1, (int)left);
		if (n > 0)
			return 0;
		if (n == 0)
			return mm_err_set(err, MM_EX_FAILED, "timed out: no frame within %d ms", timeout_ms);
		if (errno != EINTR)
			return mm_err_sys(err, MM_EX_FAILED, "cannot wait for a frame");
	}
}

static int end_of_stream(const struct mm_frame_decoder *d, struct mm_err *err)
{
	if (mm_frame_at_boundary(d))
		return 0;
	if (!d->started)
		return mm_err_set(
		    err, MM_EX_DATAERR, "the other side ended before its stream of frames began");
	return mm_err_set(err, MM_EX_DATAERR, "the stream of frames ended in the middle of a frame");
}

int mm_frame_read_fd(
    struct mm_frame_decoder *d, int fd, int timeout_ms, struct mm_frame *f, struct mm_err *err)
{
	int64_t deadline = timeout_ms < 0 ? -1 : now_ms() + timeout_ms;
	for (;;) {
		int rc = mm_frame_next(d, f, err);
		if (rc != 0)
			return rc;
		if (wait_readable(fd, deadline, timeout_ms, err) < 0)
			return -1;
		char chunk[16384];
		ssize_t n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return mm_err_sys(err, MM_EX_FAILED, "cannot read a frame");
		if (n == 0)
			return end_of_stream(d, err);
		if (mm_frame_feed(d, chunk, (size_t)n, err) < 0)
			return -1;
	}
}

int mm_frame_write_fd(int fd, uint16_t type, const void *body, size_t len, struct mm_err *err)
{
	/* One write for header and body: the reader wakes once. */
	struct mm_buf b = MM_BUF_INIT(MM_FRAME_HEADER + (size_t)MM_FRAME_MAX);
	mm_frame_put(&b, type, body, len);
	int rc = mm_write_all(fd, b.data, b.len, err);
	mm_buf_free(&b);
	return rc;
}
