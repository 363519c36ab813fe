#include "common/buf.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/mem.h"

void mm_buf_free(struct mm_buf *b)
{
	free(b->data);
	*b = MM_BUF_INIT(b->max);
}

void mm_buf_reset(struct mm_buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->data != NULL)
		b->data[0] = '\0';
}

/* Room for n more bytes and the NUL; false, for good, beyond the limit. */
static bool room(struct mm_buf *b, size_t n)
{
	if (b->failed)
		return false;
	if (n > b->max || b->len > b->max - n || b->max == SIZE_MAX) {
		b->failed = true;
		return false;
	}
	size_t need = b->len + n + 1;
	if (need <= b->cap)
		return true;
	size_t cap = b->cap > 0 ? b->cap : 64;
	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	if (cap > b->max + 1)
		cap = b->max + 1;
	char *p = realloc(b->data, cap);
	if (p == NULL)
		mm_oom();
	b->data = p;
	b->cap = cap;
	return true;
}

void mm_buf_add(struct mm_buf *b, const void *p, size_t n)
{
	if (!room(b, n))
		return;
	if (n > 0)
		memcpy(b->data + b->len, p, n);
	b->len += n;
	b->data[b->len] = '\0';
}

void mm_buf_adds(struct mm_buf *b, const char *s)
{
	mm_buf_add(b, s, strlen(s));
}

void mm_buf_addc(struct mm_buf *b, char c)
{
	if (!room(b, 1))
		return;
	b->data[b->len++] = c;
	b->data[b->len] = '\0';
}

/* By hand: printf is most of the cost where many are written. */
void mm_buf_add_int(struct mm_buf *b, int64_t v)
{
	char digits[24];
	size_t at = sizeof(digits);
	uint64_t left = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

	do
		digits[--at] = (char)('0' + left % 10);
	while (left /= 10);
	if (v < 0)
		digits[--at] = '-';
	mm_buf_add(b, digits + at, sizeof(digits) - at);
}

void mm_buf_vaddf(struct mm_buf *b, const char *fmt, va_list ap)
{
	char text[256]; /* most fit, and are printed once */
	va_list again;
	va_copy(again, ap);
	int n = vsnprintf(text, sizeof(text), fmt, again);
	va_end(again);
	if (n < 0) {
		b->failed = true;
	} else if ((size_t)n < sizeof(text)) {
		mm_buf_add(b, text, (size_t)n);
	} else if (room(b, (size_t)n)) {
		vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
		b->len += (size_t)n;
	}
}

void mm_buf_addf(struct mm_buf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	mm_buf_vaddf(b, fmt, ap);
	va_end(ap);
}

void mm_buf_consume(struct mm_buf *b, size_t n)
{
	assert(n <= b->len);
	if (n == 0)
		return;
	b->len -= n;
	memmove(b->data, b->data + n, b->len);
	b->data[b->len] = '\0';
}

bool mm_buf_ok(const struct mm_buf *b)
{
	return !b->failed;
}

const char *mm_buf_str(const struct mm_buf *b)
{
	return b->data != NULL ? b->data : "";
}

char *mm_buf_take(struct mm_buf *b, struct mm_arena *a)
{
	char *out = mm_buf_ok(b) ? mm_arena_strndup(a, mm_buf_str(b), b->len) : NULL;

	mm_buf_free(b);
	return out;
}
