/*
 * XCCDF 1.2: a baseline as a Benchmark, and how it went as TestResults.
 *
 * A TestResult is about workstations that fared alike in every check: they
 * are its targets, so that a fleet of thousands stays a small document. How a
 * check went on a workstation is the worst of its objects there. There are at
 * most MM_XCCDF_GROUPS such groups; a workstation that fared in one more way
 * gets a TestResult of its own.
 */
#ifndef MM_CONTROLLER_REPORT_XCCDF_H
#define MM_CONTROLLER_REPORT_XCCDF_H

#include "controller/report/report.h"

#define MM_XCCDF_NS "http://checklists.nist.gov/xccdf/1.2"
#define MM_XCCDF_GROUPS 1024

struct mm_xccdf;

/* What stands around a TestResult, and what is to be done with each target
 * (the fleet as a whole is ""). `id` is that of the TestResult, a UUID. */
struct mm_xccdf_use {
	void (*before)(struct mm_buf *out, const char *id);          /* or NULL */
	const char *after;                                           /* or NULL */
	void (*target)(const char *host, const char *id, void *arg); /* or NULL */
	void *arg;
};

struct mm_xccdf *mm_xccdf_new(const struct mm_report_meta *m, const struct mm_xccdf_use *use);
void mm_xccdf_free(struct mm_xccdf *x);                                 /* NULL is allowed */
void mm_xccdf_add(struct mm_xccdf *x, const struct mm_check_result *r); /* host by host */
/* After the last row; of a fleet without any there is one empty TestResult. */
void mm_xccdf_finish(struct mm_xccdf *x);

const char *mm_xccdf_severity(enum mm_severity s); /* "high": its words are fewer than ours */
/* <Benchmark> with its rules, without its closing tag. */
void mm_xccdf_benchmark(const struct mm_report_meta *m, FILE *f);
/* Every <TestResult>, with what stands around it. */
void mm_xccdf_results(struct mm_xccdf *x, FILE *f);
int mm_xccdf_failed(const struct mm_xccdf *x); /* errno, 0 = all is well */

#endif
