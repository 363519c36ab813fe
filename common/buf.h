/*
 * Growing text or bytes with a limit from birth and a sticky failure bit.
 *
 * Append as often as needed and look at `failed` once, at the end: after the
 * limit was hit nothing more is appended and mm_buf_ok() is false. `data` is
 * always NUL-terminated when it is not NULL; the NUL is not counted in `len`.
 */
#ifndef MM_COMMON_BUF_H
#define MM_COMMON_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mm_arena;

struct mm_buf {
	char *data;
	size_t len;
	size_t cap;
	size_t max; /* bytes that may be held, without the NUL */
	bool failed;
};

#define MM_BUF_INIT(limit) ((struct mm_buf){.max = (limit)})

void mm_buf_free(struct mm_buf *b);  /* frees and resets; the limit stays */
void mm_buf_reset(struct mm_buf *b); /* empties, keeps the memory, clears the failure */
void mm_buf_add(struct mm_buf *b, const void *p, size_t n);
void mm_buf_adds(struct mm_buf *b, const char *s);
void mm_buf_addc(struct mm_buf *b, char c);
void mm_buf_add_int(struct mm_buf *b, int64_t v); /* in decimal */
void mm_buf_addf(struct mm_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void mm_buf_vaddf(struct mm_buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/* Remove the first n bytes. */
void mm_buf_consume(struct mm_buf *b, size_t n);
bool mm_buf_ok(const struct mm_buf *b);
/* The text, "" when empty; owned by the buffer. */
const char *mm_buf_str(const struct mm_buf *b);
/* The text as a string of the arena, NULL when the limit was hit; the buffer is freed. */
char *mm_buf_take(struct mm_buf *b, struct mm_arena *a);

#endif
