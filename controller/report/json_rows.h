/* The rows of a report as JSON objects; used by `report --format json` and by
 * the --json of status and drift. New references. */
#ifndef MM_CONTROLLER_REPORT_JSON_ROWS_H
#define MM_CONTROLLER_REPORT_JSON_ROWS_H

#include <jansson.h>

#include "controller/report/report.h"

json_t *mm_fleet_json(const struct mm_fleet *f);
json_t *mm_row_json(enum mm_section sec, union mm_report_row row);
const char *mm_section_key(enum mm_section sec); /* "places", "findings", "logins", "hosts" */

#endif
