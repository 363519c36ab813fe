/* The table of outputs; each is the one thing its file offers. */
#ifndef MM_CONTROLLER_REPORT_OUTPUTS_H
#define MM_CONTROLLER_REPORT_OUTPUTS_H

#include "controller/report/report.h"

extern const struct mm_output mm_output_text; /* for a terminal or a mail */
extern const struct mm_output mm_output_json;
extern const struct mm_output mm_output_csv;  /* RFC 4180; one row per finding and per login */
extern const struct mm_output mm_output_html; /* one page, nothing loaded from elsewhere, no script */

#endif
