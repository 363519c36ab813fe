/*
 * Many streams of text in one temporary file: for formats that want rows
 * grouped in another order than they come in, or counts before them.
 *
 * A stream is named by a number. In memory are only a buffer of each stream
 * and where it begins; the file lies in $TMPDIR or /var/tmp without a name,
 * and is gone when the spool is freed or the process ends.
 */
#ifndef MM_CONTROLLER_REPORT_SPOOL_H
#define MM_CONTROLLER_REPORT_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct mm_spool;
struct mm_spool_place;
struct mm_arena;

#define MM_SPOOL_STREAMS 65536 /* a number above is a bug */

struct mm_spool *mm_spool_new(void);
void mm_spool_free(struct mm_spool *s); /* NULL is allowed */
void mm_spool_add(struct mm_spool *s, size_t stream, const void *p, size_t n);
bool mm_spool_empty(const struct mm_spool *s, size_t stream);
/* All of a stream, in the order it was added. Reading leaves it as it is. */
void mm_spool_pour(struct mm_spool *s, size_t stream, FILE *f);
/* For a spool that another process fills: make its file before that is started ... */
void mm_spool_open(struct mm_spool *s);
/* ... there write what is in memory and say where it is, in the arena (NULL: it failed) ... */
struct mm_spool_place *mm_spool_settle(struct mm_spool *s, struct mm_arena *a);
/* ... and read that here. */
void mm_spool_adopt(struct mm_spool *s, const struct mm_spool_place *place);
/* errno of the first thing that failed, 0 = all is well: ask at the end. */
int mm_spool_failed(const struct mm_spool *s);

#endif
