#include "controller/report/spool.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"

#define BLOCK 8192

/* How blocks lie in the file: each says where the next of its stream is. */
struct head {
	int64_t next; /* 0 = the last; no block begins there */
	int64_t len;
};

struct stream {
	char *buf; /* BLOCK bytes; NULL until something is added */
	size_t len;
	int64_t first, last; /* offsets, 0 = none */
};

struct mm_spool {
	struct stream *v;
	size_t n;
	int fd;
	int64_t end;
	int error;
};

struct mm_spool *mm_spool_new(void)
{
	struct mm_spool *s = mm_xcalloc(1, sizeof(*s));
	s->fd = -1;
	s->end = (int64_t)sizeof(struct head);
	return s;
}

void mm_spool_free(struct mm_spool *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i].buf);
	free(s->v);
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

static struct stream *stream_of(struct mm_spool *s, size_t i)
{
	assert(i < MM_SPOOL_STREAMS);
	if (i >= s->n) {
		size_t n = i + 1 > 2 * s->n ? i + 1 : 2 * s->n;
		s->v = mm_xrealloc(s->v, n, sizeof(*s->v));
		memset(s->v + s->n, 0, (n - s->n) * sizeof(*s->v));
		s->n = n;
	}
	return &s->v[i];
}

static int open_at(const char *dir)
{
	return open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

static void need_file(struct mm_spool *s)
{
	const char *tmp = getenv("TMPDIR");
	if (s->fd >= 0 || s->error != 0)
		return;
	s->fd = open_at(tmp != NULL && tmp[0] != '\0' ? tmp : "/var/tmp");
	if (s->fd < 0)
		s->fd = open_at("/tmp");
	if (s->fd < 0)
		s->error = errno;
}

static void put_at(struct mm_spool *s, int64_t at, const void *p, size_t n)
{
	const char *b = p;
	while (n > 0 && s->error == 0) {
		ssize_t w = pwrite(s->fd, b, n, (off_t)at);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0) {
			s->error = w < 0 ? errno : EIO;
			return;
		}
		b += w;
		at += w;
		n -= (size_t)w;
	}
}

static void get_at(struct mm_spool *s, int64_t at, void *p, size_t n)
{
	char *b = p;
	while (n > 0 && s->error == 0) {
		ssize_t r = pread(s->fd, b, n, (off_t)at);
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0) {
			s->error = r < 0 ? errno : EIO;
			return;
		}
		b += r;
		at += r;
		n -= (size_t)r;
	}
}

static void flush(struct mm_spool *s, struct stream *st)
{
	need_file(s);
	struct head h = {.next = 0, .len = (int64_t)st->len};
	put_at(s, s->end, &h, sizeof(h));
	put_at(s, s->end + (int64_t)sizeof(h), st->buf, st->len);
	if (st->last != 0)
		put_at(s, st->last, &s->end, sizeof(s->end)); /* next stands first */
	else
		st->first = s->end;
	st->last = s->end;
	s->end += (int64_t)(sizeof(h) + st->len);
	st->len = 0;
}

void mm_spool_add(struct mm_spool *s, size_t stream, const void *p, size_t n)
{
	struct stream *st = stream_of(s, stream);
	const char *b = p;
	if (st->buf == NULL)
		st->buf = mm_xcalloc(1, BLOCK);
	while (n > 0 && s->error == 0) {
		size_t fit = n < BLOCK - st->len ? n : BLOCK - st->len;
		memcpy(st->buf + st->len, b, fit);
		st->len += fit;
		b += fit;
		n -= fit;
		if (st->len == BLOCK)
			flush(s, st);
	}
}

bool mm_spool_empty(const struct mm_spool *s, size_t stream)
{
	return stream >= s->n || (s->v[stream].len == 0 && s->v[stream].first == 0);
}

void mm_spool_pour(struct mm_spool *s, size_t stream, FILE *f)
{
	char block[BLOCK];
	if (mm_spool_empty(s, stream))
		return;
	const struct stream *st = &s->v[stream];
	struct head h = {.next = 0};
	for (int64_t at = st->first; at != 0 && s->error == 0; at = h.next) {
		get_at(s, at, &h, sizeof(h));
		if (s->error != 0 || h.len < 0 || h.len > BLOCK)
			return;
		get_at(s, at + (int64_t)sizeof(h), block, (size_t)h.len);
		if (s->error == 0)
			fwrite(block, 1, (size_t)h.len, f);
	}
	if (st->len > 0)
		fwrite(st->buf, 1, st->len, f);
}

/* ---- filled by another process */

struct mm_spool_place {
	size_t n;
	int64_t *first; /* of each stream */
};

void mm_spool_open(struct mm_spool *s)
{
	need_file(s);
}

struct mm_spool_place *mm_spool_settle(struct mm_spool *s, struct mm_arena *a)
{
	struct mm_spool_place *place = mm_arena_alloc(a, 1, sizeof(*place));
	*place = (struct mm_spool_place){.n = s->n, .first = mm_arena_alloc(a, s->n, sizeof(*place->first))};
	for (size_t i = 0; i < s->n; i++) {
		if (s->v[i].len > 0)
			flush(s, &s->v[i]);
		place->first[i] = s->v[i].first;
	}
	return s->error == 0 ? place : NULL;
}

void mm_spool_adopt(struct mm_spool *s, const struct mm_spool_place *place)
{
	for (size_t i = 0; i < place->n; i++)
		stream_of(s, i)->first = place->first[i];
}

int mm_spool_failed(const struct mm_spool *s)
{
	return s->error;
}
