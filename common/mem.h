/*
 * Memory: allocation that cannot fail, and arenas.
 *
 * One job (one request, one file, one user) takes its memory from one arena
 * and frees it in one place. Pointers into an arena live as long as it does.
 * Sizes are in bytes. Running out of memory ends the program.
 */
#ifndef MM_COMMON_MEM_H
#define MM_COMMON_MEM_H

#include <stddef.h>

void *mm_xcalloc(size_t n, size_t size);           /* zeroed; caller frees with free() */
void *mm_xrealloc(void *p, size_t n, size_t size); /* new part is not zeroed */
char *mm_xstrdup(const char *s);

struct mm_arena;

struct mm_arena *mm_arena_new(void);
/* One that lies in this memory, all of it, zeroed and aligned for any type: what another process is
 * to see. When that is used up the program ends; freeing it is freeing the memory. */
struct mm_arena *mm_arena_new_in(void *memory, size_t size);
void mm_arena_free(struct mm_arena *a); /* NULL is allowed */
/* Empty it for the next job of the same kind; a block of memory is kept for that. */
void mm_arena_reset(struct mm_arena *a);

void *mm_arena_alloc(struct mm_arena *a, size_t n, size_t size);     /* zeroed, aligned for any type */
char *mm_arena_strdup(struct mm_arena *a, const char *s);            /* NULL gives NULL */
char *mm_arena_strndup(struct mm_arena *a, const char *s, size_t n); /* n bytes plus NUL */
char *mm_arena_printf(struct mm_arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Bytes handed out so far: lets a caller bound what an outsider can grow. */
size_t mm_arena_used(const struct mm_arena *a);

/* Grow an array that lives in an arena: returns a place for element *n, and
 * counts it. `*cap` starts at 0 with `*items` NULL. */
void *mm_arena_push(struct mm_arena *a, void *items, size_t *n, size_t *cap, size_t size);

#endif
