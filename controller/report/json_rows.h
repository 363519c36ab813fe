/* The rows of a report as JSON objects; used by `report --format json` and by
 * the --json of status and drift. New references. */
#ifndef MM_CONTROLLER_REPORT_JSON_ROWS_H
#define MM_CONTROLLER_REPORT_JSON_ROWS_H

#include <jansson.h>

#include "controller/report/report.h"

json_t *mm_fleet_json(const struct mm_fleet *f);
json_t *mm_row_json(enum mm_section sec, union mm_report_row row);
/* The same, printed: with a comma before it unless `n`, the rows before it, is 0. */
void mm_row_print(FILE *f, enum mm_section sec, union mm_report_row row, int64_t n);
void mm_waiver_of_json(json_t *o, const struct mm_waiver_of *w); /* sets "waiver" */

/* ---- json_checks.c */
json_t *mm_baseline_json(const struct mm_baseline *b, const char *by);
json_t *mm_check_about_json(const struct mm_check *c); /* what it is, without any result */
json_t *mm_check_json(const struct mm_check_sum *s);   /* with its sum */
json_t *mm_check_change_json(const struct mm_check_change *r);
json_t *mm_check_result_json(const struct mm_check_result *r);

/* ---- json_head.c */
json_t *mm_report_head_json(const struct mm_report_meta *m); /* format, generator, fleet, as of when ... */
void mm_json_write(FILE *f, json_t *stolen);                 /* compact, without a newline */

const char *mm_section_key(enum mm_section sec); /* "places", "findings", "logins", "hosts" */

/* Members that are null where there is no time (0), or no text (NULL). */
void mm_row_set_time(json_t *o, const char *key, int64_t t);
void mm_row_set_text(json_t *o, const char *key, const char *s);

#endif
