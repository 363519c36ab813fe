/*
 * CSV as RFC 4180 has it, read strictly: quoted fields with "" for a quote,
 * CRLF or LF, a byte order mark in front is skipped. A record may span lines
 * only inside quotes. Refused: a quote in the middle of a bare field, text
 * behind a closing quote, an open quote at the end, NUL and other control
 * characters, text that is not UTF-8. Blank lines are skipped.
 */
#ifndef MM_CONTROLLER_CSV_H
#define MM_CONTROLLER_CSV_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/mem.h"

#define MM_CSV_FIELDS_MAX 64
#define MM_CSV_FIELD_MAX 4096 /* bytes */
#define MM_CSV_FILE_MAX (64u * 1024u * 1024u)

struct mm_csv {
	const char *p, *end;
	int line; /* of the next record, from 1 */
};

struct mm_csv_record {
	int line;                             /* where it begins */
	const char *field[MM_CSV_FIELDS_MAX]; /* in the arena given to next() */
	size_t n;
};

/* `text` must outlive the reader. */
void mm_csv_init(struct mm_csv *c, const char *text, size_t len);
/* 1: a record; 0: the end; -1: this record is malformed: the error says what
 * (without file and line; out->line is set), and reading goes on behind it. */
int mm_csv_next(struct mm_csv *c, struct mm_arena *a, struct mm_csv_record *out, struct mm_err *err);

#endif
