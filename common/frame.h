/*
 * Frames: the transport of requests and answers, and of the talk between our
 * own processes.
 *
 *   stream = magic frame*
 *   magic  = "MMUSTR1\n"                                     8 bytes, once
 *   frame  = type(u16) zero(u16) length(u32) body           all big-endian
 *
 * A body is at most MM_FRAME_MAX bytes, a stream at most MM_STREAM_MAX. What
 * a talkative login shell prints before the magic is skipped, up to
 * MM_FRAME_NOISE bytes. The meaning of the types is the contract's business
 * (schemas/proto.h), not this module's.
 */
#ifndef MM_COMMON_FRAME_H
#define MM_COMMON_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

#define MM_FRAME_MAGIC "MMUSTR1\n"
#define MM_FRAME_MAGIC_LEN 8
#define MM_FRAME_HEADER 8
#define MM_FRAME_MAX (1024u * 1024u)
#define MM_STREAM_MAX (64u * 1024u * 1024u)
#define MM_FRAME_NOISE 4096u

struct mm_frame {
	uint16_t type;
	uint32_t len;
	const char *body; /* NOT NUL-terminated; valid until the next call on the decoder */
};

/* ---- writing */
void mm_frame_magic(struct mm_buf *out);
/* Asserts that len <= MM_FRAME_MAX: whoever makes a body checks its size. */
void mm_frame_put(struct mm_buf *out, uint16_t type, const void *body, size_t len);

/* ---- reading, from whatever arrives in whatever pieces */
struct mm_frame_decoder {
	struct mm_buf in;
	size_t taken;   /* bytes of `in` behind which the next frame begins */
	uint64_t total; /* bytes since the magic */
	uint32_t noise; /* bytes skipped before the magic */
	bool started;   /* the magic was seen */
	bool need_magic;
};

/* `need_magic` false: for the later direction of a stream between our own
 * processes, where no shell can talk in between. */
void mm_frame_decoder_init(struct mm_frame_decoder *d, bool need_magic);
void mm_frame_decoder_free(struct mm_frame_decoder *d);
/* Hand over bytes. -1: a limit was exceeded or the header is malformed; the
 * decoder then stays broken. */
int mm_frame_feed(struct mm_frame_decoder *d, const void *p, size_t n, struct mm_err *err);
/* 1: *f is the next frame; 0: more bytes are needed; -1: malformed. */
int mm_frame_next(struct mm_frame_decoder *d, struct mm_frame *f, struct mm_err *err);
/* Is the stream between two frames (a legal place for end of file)? */
bool mm_frame_at_boundary(const struct mm_frame_decoder *d);

/* ---- blocking helpers for descriptors; EINTR is handled */
int mm_write_all(int fd, const void *p, size_t n, struct mm_err *err);
/* The same for a descriptor with O_NONBLOCK set: an error that says so when
 * the other side takes nothing for `silence_ms` (< 0: no limit). */
int mm_write_within(int fd, const void *p, size_t n, int silence_ms, struct mm_err *err);
/* 1: a frame; 0: clean end of file; -1: error or end of file inside a frame.
 * `timeout_ms` < 0: none; a time-out is an error whose text says so. */
int mm_frame_read_fd(
    struct mm_frame_decoder *d, int fd, int timeout_ms, struct mm_frame *f, struct mm_err *err);
int mm_frame_write_fd(int fd, uint16_t type, const void *body, size_t len, struct mm_err *err);

#endif
