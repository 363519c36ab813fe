/*
 * A CSV file with a head line, checked as a whole: every record that is wrong
 * gives a line "file:line: what" on stderr, and then nothing is done.
 */
#ifndef MM_CONTROLLER_CSV_ROWS_H
#define MM_CONTROLLER_CSV_ROWS_H

#include "common/buf.h"
#include "controller/csv.h"
#include "controller/policy/diag.h"

struct mm_row_key {
	const char *text;
	int line;
};

struct mm_rows {
	struct mm_arena *a;
	struct mm_diags *d; /* `file:line` of every complaint */
	const char *file;
	const char *head[MM_CSV_FIELDS_MAX];
	size_t n_head;
	int head_line;
	struct mm_csv csv;
	struct mm_csv_record row;
	struct mm_row_key *keys; /* what mm_rows_key() was told */
	size_t n_keys, cap_keys;
};

/* Read the head line of `text`. `required` and `known` are NULL-terminated;
 * with `others` further columns are allowed. -1: there are errors in d. */
int mm_rows_begin(struct mm_rows *r, const char *file, const struct mm_buf *text, const char *const *required,
    const char *const *known, bool others, struct mm_arena *a, struct mm_diags *d);
/* 1: r->row has as many fields as the head; 0: the end. Malformed records
 * are noted and skipped. */
int mm_rows_next(struct mm_rows *r);
/* A field of the present row by its column's name, or NULL when there is no such column. */
const char *mm_rows_get(const struct mm_rows *r, const char *name);
/* Complain about the present row. */
void mm_rows_bad(struct mm_rows *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Note what the present row is about (a login, a host) ... */
void mm_rows_key(struct mm_rows *r, const char *text);
/* ... and at the end complain about each that came twice. Gives them all, sorted, ends
 * with NULL. `what` = "login". */
const char *const *mm_rows_keys(struct mm_rows *r, const char *what);

/* "a;b; c" -> sorted list without doubles, ends with NULL. Empty parts are skipped. */
const char *const *mm_rows_split(struct mm_arena *a, const char *text, size_t *n);

/* The origin of line `line` of this file. */
struct mm_origin mm_rows_at(const struct mm_rows *r, int line);

#endif
