/*
 * Plots as inline SVG, written to a FILE as part of the HTML report.
 *
 * Geometry is in per cent of the width and in pixels of the height, so that
 * text keeps its size when the page gets narrow. Colours, patterns and fonts
 * come from the page's style sheet through class names ("s-" and the series'
 * mark); each series has a pattern of its own, from mm_svg_defs(), so that
 * nothing is told by colour alone. A plot is a <figure> with an SVG of role
 * "img", named by its title and description, and with the same numbers as a
 * table that opens on demand.
 *
 * Titles, descriptions, words and labels are escaped here. Counts are 0 to 10^18.
 */
#ifndef MM_CONTROLLER_REPORT_SVG_H
#define MM_CONTROLLER_REPORT_SVG_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define MM_SVG_SERIES_MAX 8
#define MM_SVG_SLOTS 120 /* of a plot over time; a longer time has several days in one slot */

struct mm_svg_series {
	const char *mark; /* [a-z]+, of the style sheet */
	const char *word; /* in the legend and the table */
};

struct mm_svg_plot {
	const char *id; /* unique in the page, [a-z0-9-]+ */
	const char *title, *desc;
};

/* Shares of n[0..k) in their sum, in hundredths of a per cent, which add up to
 * 10000; all 0 when the sum is. What is not 0 gets at least `floor`, taken
 * from the largest: one of 100,000 must be seen. k <= MM_SVG_SERIES_MAX. */
void mm_svg_shares(const int64_t *n, size_t k, int floor, int *out);
/* The smallest of 1, 2, 5, 10, 20 ... with at most `want` steps up to `max`; 1 for 0. */
int64_t mm_svg_step(int64_t max, int want);
/* part of whole in whole per cent, rounded down so that 100 means all; 0 of 0 is 0. */
int mm_svg_percent(int64_t part, int64_t whole);

void mm_svg_defs(FILE *f); /* the patterns: once, before the first plot */

/* One stacked bar, for a cell beside which the numbers stand. */
void mm_svg_bar(FILE *f, const struct mm_svg_series *s, const int64_t *n, size_t k);
/* A bar of one part in `max`. */
void mm_svg_length(FILE *f, const char *mark, int64_t n, int64_t max);
/* Words with their colours; with numbers, and without what is 0 behind the first, when `n` is not NULL. */
void mm_svg_legend(FILE *f, const struct mm_svg_series *s, const int64_t *n, size_t k);

struct mm_svg_day {
	int64_t day; /* its first second, UTC */
	int64_t n[MM_SVG_SERIES_MAX];
};
/* Stacked shares by day from `from` to `until` (days); v in order of day. A
 * day without a value is a gap. The first series is the good one. */
void mm_svg_days(FILE *f, const struct mm_svg_plot *p, const struct mm_svg_series *s, size_t k,
    const struct mm_svg_day *v, size_t n, int64_t from, int64_t until);

/* A line without axes, for a cell: per cent by day, gaps as gaps. */
struct mm_svg_point {
	int64_t day;
	int percent;
};
void mm_svg_spark(FILE *f, const struct mm_svg_point *v, size_t n, int64_t from, int64_t until);

struct mm_svg_column {
	const char *label, *mark;
	int64_t n;
};
/* Columns with their numbers above; `unit` heads the numbers in the table. */
void mm_svg_columns(
    FILE *f, const struct mm_svg_plot *p, const char *unit, const struct mm_svg_column *v, size_t n);

#endif
