/* The rows of a report as JSON objects; used by `report --format json` and by
 * the --json of status and drift. json_t are new references. */
#ifndef MM_CONTROLLER_REPORT_JSON_ROWS_H
#define MM_CONTROLLER_REPORT_JSON_ROWS_H

#include <jansson.h>

#include "common/buf.h"
#include "controller/report/report.h"

/* Appended as common/json_text.h does it. */
void mm_row_text(struct mm_buf *b, enum mm_section sec, union mm_report_row row);
/* The same, printed: with a comma before it unless `n`, the rows before it, is 0. */
void mm_row_print(FILE *f, enum mm_section sec, union mm_report_row row, int64_t n);
json_t *mm_waiver_json(const struct mm_waiver *w);

/* ---- json_evidence.c: straight into text */
void mm_fleet_text(struct mm_buf *o, const char *key, const struct mm_fleet *f);
void mm_place_text(struct mm_buf *o, const struct mm_place_row *p);
void mm_finding_text(struct mm_buf *o, const struct mm_finding_row *r);
void mm_login_text(struct mm_buf *o, const struct mm_login_row *r);
void mm_host_text(struct mm_buf *o, const struct mm_host_row *h);
void mm_change_text(struct mm_buf *o, const struct mm_change_row *r);
void mm_waiver_of_text(struct mm_buf *o, const struct mm_waiver_of *w); /* "waiver" */

/* ---- json_checks.c */
json_t *mm_baseline_json(const struct mm_baseline *b, const char *by);
json_t *mm_check_about_json(const struct mm_check *c); /* what it is, without any result */
json_t *mm_check_json(const struct mm_check_sum *s);   /* with its sum */
json_t *mm_check_change_json(const struct mm_check_change *r);
void mm_check_result_text(struct mm_buf *o, const struct mm_check_result *r);

/* ---- json_head.c */
json_t *mm_report_head_json(const struct mm_report_meta *m); /* format, generator, fleet, as of when ... */
void mm_json_write(FILE *f, json_t *stolen);                 /* compact, without a newline */
void mm_fleet_write(FILE *f, const struct mm_fleet *fleet);

const char *mm_section_key(enum mm_section sec); /* "places", "findings", "logins", "hosts" */

/* Members that are null where there is no time (0), or no text (NULL). */
void mm_row_set_time(json_t *o, const char *key, int64_t t);
void mm_row_set_text(json_t *o, const char *key, const char *s);

#endif
