/*
 * What people see: tables, colour and progress, on a terminal only.
 *
 * Colour needs a terminal and NO_COLOR unset. Everything printed from
 * outside goes through mm_printable(), so that no host, server or file can
 * drive the terminal.
 */
#ifndef MM_COMMON_TERM_H
#define MM_COMMON_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/buf.h"

enum mm_colour { MM_PLAIN, MM_BOLD, MM_DIM, MM_RED, MM_GREEN, MM_YELLOW, MM_BLUE };

bool mm_term_colour(FILE *f);
/* What starts a colour; MM_PLAIN ends it. "" where there are none to be: `on` is mm_term_colour(). */
const char *mm_colour_code(enum mm_colour c, bool on);
int mm_term_width(FILE *f); /* columns; 80 when it is not a terminal */
/* Append text with control characters and invalid UTF-8 shown as \xNN. */
void mm_printable(struct mm_buf *out, const char *s, size_t n);

/* Columns that a text takes, wide and combining characters counted. */
size_t mm_columns(const char *s);
/* Append a text broken at its blanks, so that no line reaches beyond `width`
 * columns; 0: not broken at all. It begins at column `indent`, and so does each
 * further line. A word that is too long stays whole. Ends without a newline. */
void mm_wrap(struct mm_buf *out, const char *text, size_t indent, size_t width);

/* A table: columns are as wide as needed; the last is broken at the
 * terminal's width (never when it is not a terminal). */
struct mm_table;
struct mm_table *mm_table_new(const char *const *heads); /* NULL-terminated */
void mm_table_cell(struct mm_table *t, enum mm_colour c, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void mm_table_print(struct mm_table *t, FILE *f);
/* Of a long table print and forget what has come: call it after each row. The
 * columns are as wide as the first 2,000 rows need, and wider behind wider ones. */
void mm_table_flow(struct mm_table *t, FILE *f);
void mm_table_free(struct mm_table *t);

/* One status line on stderr that is rewritten in place, at most 10 times a
 * second; silent when stderr is no terminal. mm_progress_clear() before
 * anything else is printed. */
void mm_progress(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void mm_progress_clear(void);

#endif
