/*
 * What every report says of itself, whatever its format: what was looked at,
 * against which rules, by which evidence, as of when; and the words and names
 * that the formats of others share.
 */
#ifndef MM_CONTROLLER_REPORT_ABOUT_H
#define MM_CONTROLLER_REPORT_ABOUT_H

#include "controller/report/report.h"

struct mm_about {
	const char *name; /* "baseline-sha256": [a-z0-9-] */
	const char *value;
};
#define MM_ABOUT_MAX 32
/* Fills in `out`, returns how many. Values live in `a` or in the head. */
size_t mm_report_about(const struct mm_report_meta *m, struct mm_arena *a, struct mm_about out[MM_ABOUT_MAX]);

/* A UUID of this fleet (version 5): the same parts give the same one in every
 * report, so that two exports differ where the evidence does. */
void mm_report_uuid(const struct mm_report_meta *m, const char *const *parts, char out[MM_UUID_LEN]);
#define MM_REPORT_UUID(m, out, ...) mm_report_uuid((m), (const char *const[]){__VA_ARGS__, NULL}, (out))

const char *mm_evidence_name(enum mm_evidence e); /* attested, claimed */

/* All that is to be said of it, without its object and outcome, in sentences:
 * why, found and wanted, where, how to mend it, since when, how old the
 * evidence is and whose word, which waiver. */
void mm_result_words(const struct mm_check_result *r, struct mm_buf *out);
/* mm_check_sum_words(), and whose word it is. */
void mm_sum_words(const struct mm_check_sum *s, struct mm_buf *out);
/* "RFC 8314 3.3", "nist-800-53-r5 SC-8(1)". */
void mm_check_sources(const struct mm_check *c, struct mm_buf *out);

#endif
