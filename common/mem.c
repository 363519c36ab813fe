#include "common/mem.h"

#include <assert.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"

#define BLOCK_MIN ((size_t)2048)
#define BLOCK_MAX ((size_t)256 * 1024)
#define SMALL 512 /* elements of an array that begins with room for eight */

struct block {
	struct block *next;
	size_t cap, used;
	alignas(max_align_t) char data[];
};

struct mm_arena {
	struct block *blocks; /* the first is the one being filled */
	size_t next_size;
	size_t handed_out;
	bool given; /* one block, of memory that is not ours */
};

void *mm_xcalloc(size_t n, size_t size)
{
	void *p = calloc(n > 0 ? n : 1, size > 0 ? size : 1);
	if (p == NULL)
		mm_oom();
	return p;
}

void *mm_xrealloc(void *p, size_t n, size_t size)
{
	void *q = reallocarray(p, n > 0 ? n : 1, size > 0 ? size : 1);
	if (q == NULL)
		mm_oom();
	return q;
}

char *mm_xstrdup(const char *s)
{
	char *p = strdup(s);
	if (p == NULL)
		mm_oom();
	return p;
}

struct mm_arena *mm_arena_new(void)
{
	struct mm_arena *a = mm_xcalloc(1, sizeof(*a));
	a->next_size = BLOCK_MIN;
	return a;
}

struct mm_arena *mm_arena_new_in(void *memory, size_t size)
{
	struct mm_arena *a = memory;
	size_t head = (sizeof(*a) + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	assert(size > head + sizeof(struct block));
	struct block *b = (struct block *)(void *)((char *)memory + head);
	*b = (struct block){.cap = size - head - sizeof(*b)};
	*a = (struct mm_arena){.blocks = b, .given = true};
	return a;
}

void mm_arena_free(struct mm_arena *a)
{
	if (a == NULL || a->given)
		return;
	for (struct block *b = a->blocks, *next; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
	free(a);
}

void mm_arena_reset(struct mm_arena *a)
{
	struct block *keep = a->blocks;
	assert(!a->given);
#ifdef __SANITIZE_ADDRESS__
	keep = NULL; /* whoever still looks at what was there is found */
#endif
	for (struct block *b = a->blocks, *next; b != NULL; b = next) {
		next = b->next;
		if (b != keep)
			free(b);
	}
	a->blocks = keep;
	a->handed_out = 0;
	if (keep == NULL)
		return;
	keep->next = NULL;
	keep->used = 0;
}

static struct block *add_block(struct mm_arena *a, size_t need)
{
	size_t cap = need > a->next_size ? need : a->next_size;
	if (cap > SIZE_MAX - sizeof(struct block))
		mm_oom();
	/* Zeroed as it is handed out: most of a block is often never used. */
	struct block *b = malloc(sizeof(*b) + cap);
	if (b == NULL)
		mm_oom();
	/* cppcheck-suppress nullPointerRedundantCheck ; mm_oom() does not return */
	*b = (struct block){.cap = cap};
	/* A block made for one big thing goes behind the one being filled. */
	if (a->blocks != NULL && need > a->next_size) {
		b->next = a->blocks->next;
		a->blocks->next = b;
		return b;
	}
	b->next = a->blocks;
	a->blocks = b;
	if (a->next_size < BLOCK_MAX)
		a->next_size *= 2;
	return b;
}

/* Not zeroed. */
static void *take(struct mm_arena *a, size_t want)
{
	if (want > SIZE_MAX - alignof(max_align_t))
		mm_oom();
	if (want == 0)
		want = 1;
	size_t need = (want + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	struct block *b = a->blocks;
	if (b == NULL || b->cap - b->used < need) {
		if (a->given)
			mm_oom();
		b = add_block(a, need);
	}
	void *p = b->data + b->used;
	b->used += need;
	a->handed_out += need;
	return p;
}

void *mm_arena_alloc(struct mm_arena *a, size_t n, size_t size)
{
	size_t want = 0;
	if (__builtin_mul_overflow(n, size, &want))
		mm_oom();
	return memset(take(a, want), 0, want);
}

char *mm_arena_strndup(struct mm_arena *a, const char *s, size_t n)
{
	if (n == SIZE_MAX)
		mm_oom();
	char *p = take(a, n + 1);
	if (n > 0)
		memcpy(p, s, n);
	p[n] = '\0';
	return p;
}

char *mm_arena_strdup(struct mm_arena *a, const char *s)
{
	return s != NULL ? mm_arena_strndup(a, s, strlen(s)) : NULL;
}

char *mm_arena_printf(struct mm_arena *a, const char *fmt, ...)
{
	char text[256]; /* most fit, and are printed once */
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	assert(n >= 0);
	size_t size = (size_t)n + 1;
	if (size <= sizeof(text))
		return mm_arena_strndup(a, text, size - 1);
	char *p = take(a, size);
	va_start(ap, fmt);
	vsnprintf(p, size, fmt, ap);
	va_end(ap);
	return p;
}

size_t mm_arena_used(const struct mm_arena *a)
{
	return a->handed_out;
}

void *mm_arena_push(struct mm_arena *a, void *items, size_t *n, size_t *cap, size_t size)
{
	assert(*n <= *cap);
	if (*n == *cap) {
		size_t more = 0;
		if (__builtin_mul_overflow(*cap, (size_t)2, &more))
			mm_oom();
		if (more == 0)
			more = size < SMALL ? 8 : 2;
		char *grown = mm_arena_alloc(a, more, size);
		void **where = items;
		if (*n > 0)
			memcpy(grown, *where, *n * size);
		*where = grown;
		*cap = more;
	}
	void **where = items;
	char *base = *where;
	return base + (*n)++ * size;
}
