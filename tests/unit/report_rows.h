/* Rows of reports, made by hand: a baseline with a few checks, and results of
 * each outcome, some of them with the nastiest texts. */
#ifndef MM_TESTS_REPORT_ROWS_H
#define MM_TESTS_REPORT_ROWS_H

#include <stdbool.h>

#include "controller/report/report.h"

#define ROWS_NOW 1790000000
#define ROWS_CHECKS 4

extern const struct mm_baseline rows_baseline;
/* Print a report of `hosts` workstations with two users each; `nasty`: with hostile texts. */
char *rows_render(const char *format, size_t hosts, bool nasty);
/* How many results that are. */
size_t rows_results(size_t hosts);

#endif
