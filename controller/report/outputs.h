/* The table of outputs; each is the one thing its file offers. */
#ifndef MM_CONTROLLER_REPORT_OUTPUTS_H
#define MM_CONTROLLER_REPORT_OUTPUTS_H

#include "controller/report/report.h"

extern const struct mm_output mm_output_text; /* for a terminal or a mail */
extern const struct mm_output mm_output_json;
extern const struct mm_output mm_output_csv;        /* RFC 4180; one row per finding and per login */
extern const struct mm_output mm_output_html;       /* one page, nothing loaded from elsewhere, no script */
extern const struct mm_output mm_output_jsonl;      /* an object a line */
extern const struct mm_output mm_output_junit;      /* as Jenkins reads it */
extern const struct mm_output mm_output_sarif;      /* 2.1.0 */
extern const struct mm_output mm_output_oscal;      /* assessment results 1.2.1, JSON */
extern const struct mm_output mm_output_xccdf;      /* 1.2, a Benchmark with results */
extern const struct mm_output mm_output_arf;        /* 1.1, with that and the workstations as assets */
extern const struct mm_output mm_output_prometheus; /* for the textfile collector */

#endif
