/*
 * The pieces of the HTML report: its head with the style sheet (report.css,
 * built in), text escaped, numbers, ages, badges and tables. Light and dark,
 * wide and narrow, screen and A4; nothing is loaded from elsewhere and no
 * script is needed: the page's own Content-Security-Policy allows its style
 * sheet by hash, and nothing else.
 */
#ifndef MM_CONTROLLER_REPORT_HTML_H
#define MM_CONTROLLER_REPORT_HTML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

extern const char mm_html_style[]; /* report.css */

void mm_html_head(FILE *f, const char *title); /* up to and with <body> */
/* Escaped; control characters and what turns the direction of text become U+FFFD. */
void mm_html_text(FILE *f, const char *s);
/* The same within <TAG>...</TAG>. */
void mm_html_in(FILE *f, const char *tag, const char *s);

/* "1,234,567" */
#define MM_HTML_DIGITS 32
const char *mm_html_digits(int64_t n, char *buf);
void mm_html_count(FILE *f, int64_t n);
/* "1 user", "1,234 users" */
void mm_html_counted(FILE *f, int64_t n, const char *one, const char *many);

/* A word in a coloured field; `mark` is a class of the style sheet. */
void mm_html_badge(FILE *f, const char *mark, const char *word);
/* "3 d 4 h ago" with the exact time behind it; "never" for 0. */
void mm_html_age(FILE *f, int64_t now, int64_t t);
/* "2026-11-23 10:00 UTC", and the day alone; "never" for 0. */
void mm_html_time(FILE *f, int64_t t);
void mm_html_day(FILE *f, int64_t t);

/* A table that can be scrolled when the page is narrow; where `stacked`, its
 * rows become blocks there, each cell with its head before it. `heads` end
 * with NULL; one that begins with '#' is of numbers. */
struct mm_html_table {
	FILE *f;
	const char *const *heads;
	size_t col;
};
void mm_html_table(
    struct mm_html_table *t, FILE *f, const char *label, const char *const *heads, bool stacked);
void mm_html_row(struct mm_html_table *t, const char *mark); /* a class of the style sheet, or NULL */
/* Begin a cell; the first of a row is its head. The cell before ends. */
FILE *mm_html_cell(struct mm_html_table *t);
void mm_html_cell_text(struct mm_html_table *t, const char *s);
void mm_html_row_end(struct mm_html_table *t);
void mm_html_table_end(struct mm_html_table *t);

#endif
