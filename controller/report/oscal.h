/*
 * The kinds of text that OSCAL's JSON has, and its names of controls.
 *
 * Its schema refuses what is empty or begins or ends with a blank, and reads
 * markup in titles, descriptions and remarks: what comes from a workstation
 * is escaped there, so that it shows as it is.
 */
#ifndef MM_CONTROLLER_REPORT_OSCAL_H
#define MM_CONTROLLER_REPORT_OSCAL_H

#include <jansson.h>

#include "controller/report/report.h"

#define MM_OSCAL_VERSION "1.2.1"
#define MM_OSCAL_NS "urn:mailmuster:oscal" /* of the properties that are ours */

void mm_oscal_set_line(json_t *o, const char *key, const char *s);   /* one line of markup */
void mm_oscal_set_string(json_t *o, const char *key, const char *s); /* no markup */
void mm_oscal_set_time(json_t *o, const char *key, int64_t t);
/* A new array with one property in it, or one more in an array that is there. */
void mm_oscal_prop(json_t *props, const char *name, const char *value);
void mm_oscal_prop_int(json_t *props, const char *name, int64_t v);

/* As OSCAL's catalogues name it: "SC-8(1)" is sc-8.1; what is no name becomes one. */
void mm_oscal_control(const char *id, struct mm_buf *out);

/* What a finding is about: an assessment objective where the framework's
 * catalogue has them, else a statement. */
struct mm_oscal_target {
	const char *type; /* "objective-id", "statement-id" */
	char id[160];
};
/* The n-th target of a check within a baseline; false = it has no more. There is at least one. */
bool mm_oscal_target(
    const struct mm_baseline *b, const struct mm_check *c, size_t n, struct mm_oscal_target *out);

#endif
