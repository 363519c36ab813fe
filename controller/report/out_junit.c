/*
 * JUnit XML as Jenkins reads it: a suite per check, a case per object. The
 * counts stand before the cases, so the cases wait in a spool, a stream per
 * check. Shape: the schema of Jenkins' xUnit plug-in (junit-4.xsd).
 */
#include <stdlib.h>

#include "common/text.h"
#include "controller/report/about.h"
#include "controller/report/outputs.h"
#include "controller/report/spool.h"
#include "controller/report/xml.h"

/* How an outcome is told: what passed has no element of its own. */
enum told { PASSED, SKIPPED, ERROR, FAILURE, N_TOLD };

static enum told told_as(enum mm_check_outcome o)
{
	static const enum told t[MM_OUT_COUNT] = {
	    [MM_OUT_COMPLIANT] = PASSED,
	    [MM_OUT_DRIFTED] = FAILURE,
	    [MM_OUT_FAILED] = FAILURE,
	    [MM_OUT_UNKNOWN] = ERROR,
	    [MM_OUT_WAIVED] = SKIPPED,
	    [MM_OUT_DEFERRED] = SKIPPED,
	    [MM_OUT_NOT_APPLICABLE] = SKIPPED,
	};
	return t[o];
}

struct own {
	struct mm_spool *cases;
	struct mm_arena *arena;
	struct mm_check_sum *sums;
	size_t n, cap;
	int64_t told[N_TOLD];
	struct mm_buf line, words;
};

static void begin(struct mm_out *o)
{
	struct own *own = mm_xcalloc(1, sizeof(*own));
	own->cases = mm_spool_new();
	own->arena = mm_arena_new();
	own->line = MM_BUF_INIT(1u << 20);
	own->words = MM_BUF_INIT(1u << 18);
	o->state = own;
}

static void done(struct mm_out *o)
{
	struct own *own = o->state;
	mm_spool_free(own->cases);
	mm_arena_free(own->arena);
	mm_buf_free(&own->line);
	mm_buf_free(&own->words);
	free(own);
}

static int64_t sum_of(const struct mm_check_sum *s, enum told t)
{
	int64_t n = 0;
	for (int i = 0; i < MM_OUT_COUNT; i++)
		if (told_as((enum mm_check_outcome)i) == t)
			n += s->by[i];
	return n;
}

static void sum(struct own *own, const struct mm_check_sum *s)
{
	struct mm_check_sum *kept = mm_arena_push(own->arena, &own->sums, &own->n, &own->cap, sizeof(*kept));
	*kept = *s;
	for (int t = 0; t < N_TOLD; t++)
		own->told[t] += sum_of(s, (enum told)t);
}

static void verdict(struct own *own, const struct mm_check_result *r)
{
	static const char *const name[N_TOLD] = {
	    [SKIPPED] = "skipped", [ERROR] = "error", [FAILURE] = "failure"};
	enum told t = told_as(r->outcome);
	const char *words = mm_buf_str(&own->words);
	if (t == PASSED) { /* also what passed says whose word it is */
		mm_xml_elem(&own->line, "system-out", words);
		return;
	}
	mm_buf_addf(&own->line, "<%s", name[t]);
	if (t != SKIPPED) { /* Jenkins knows no attribute there */
		mm_xml_attr(&own->line, "type", r->stale ? "stale" : mm_outcome_name(r->outcome));
		mm_xml_attr(&own->line, "message", r->why[0] != '\0' ? r->why : r->check->title);
		mm_buf_addc(&own->line, '>');
	} else {
		mm_buf_addf(&own->line, ">%s: ", mm_outcome_name(r->outcome));
	}
	mm_xml_text(&own->line, words);
	mm_buf_addf(&own->line, "</%s>", name[t]);
}

static void result(struct own *own, const struct mm_out *o, const struct mm_check_result *r)
{
	struct mm_buf *b = &own->line;
	mm_buf_reset(b);
	mm_buf_reset(&own->words);
	mm_check_result_of(r, &own->words);
	mm_buf_adds(b, "  <testcase");
	mm_xml_attr(b, "name", mm_buf_str(&own->words));
	mm_buf_addf(b, " classname=\"%s.%s\" status=\"%s\">",
	    o->meta->baseline != NULL ? o->meta->baseline->id : "checks", r->check->id,
	    mm_outcome_name(r->outcome));
	mm_buf_reset(&own->words);
	mm_result_words(r, &own->words);
	verdict(own, r);
	mm_buf_adds(b, "</testcase>\n");
	mm_spool_add(own->cases, r->check->index, mm_buf_str(b), b->len);
}

static void row(struct mm_out *o, union mm_report_row r)
{
	if (o->section == MM_SEC_CHECKS)
		sum(o->state, r.sum);
	else
		result(o->state, o, r.result);
}

static void property(struct mm_buf *b, const char *name, const char *value)
{
	mm_buf_adds(b, "  <property");
	mm_xml_attr(b, "name", name);
	mm_xml_attr(b, "value", value);
	mm_buf_adds(b, "/>\n");
}

static void properties(struct own *own, const struct mm_check_sum *s, const struct mm_about *about, size_t n)
{
	struct mm_buf *b = &own->line;
	mm_buf_adds(b, " <properties>\n");
	for (size_t i = 0; i < n; i++)
		property(b, about[i].name, about[i].value);
	property(b, "severity", mm_severity_name(s->check->severity));
	mm_buf_reset(&own->words);
	mm_check_sources(s->check, &own->words);
	property(b, "sources", mm_buf_str(&own->words));
	mm_buf_reset(&own->words);
	mm_sum_words(s, &own->words);
	property(b, "results", mm_buf_str(&own->words));
	if (s->check->tailored != NULL)
		property(b, "tailored", s->check->tailored);
	mm_buf_adds(b, " </properties>\n");
}

static void counts(struct mm_buf *b, int64_t tests, int64_t failures, int64_t errors)
{
	mm_xml_int(b, "tests", tests);
	mm_xml_int(b, "failures", failures);
	mm_xml_int(b, "errors", errors);
}

static void suite(struct mm_out *o, const struct mm_check_sum *s, const struct mm_about *about, size_t n)
{
	struct own *own = o->state;
	struct mm_buf *b = &own->line;
	char now[MM_TIME_MAX];
	mm_buf_reset(b);
	mm_buf_adds(b, "<testsuite");
	mm_xml_attr(b, "name", s->check->id);
	counts(b, s->results, sum_of(s, FAILURE), sum_of(s, ERROR));
	mm_xml_int(b, "skipped", sum_of(s, SKIPPED));
	mm_xml_attr(b, "timestamp", mm_time_utc(o->meta->fleet.now, now));
	mm_xml_int(b, "id", (long long)s->check->index);
	mm_buf_adds(b, ">\n");
	properties(own, s, about, n);
	fputs(mm_buf_str(b), o->f);
	mm_spool_pour(own->cases, s->check->index, o->f);
	mm_buf_reset(b);
	mm_xml_elem(b, "system-out", s->check->title);
	mm_buf_adds(b, "</testsuite>\n");
	fputs(mm_buf_str(b), o->f);
}

static void end(struct mm_out *o)
{
	struct own *own = o->state;
	struct mm_about about[MM_ABOUT_MAX];
	size_t n = mm_report_about(o->meta, own->arena, about);
	struct mm_buf *b = &own->line;
	mm_buf_reset(b);
	mm_buf_adds(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites");
	mm_xml_attr(b, "name", o->meta->title);
	counts(b, own->told[PASSED] + own->told[SKIPPED] + own->told[ERROR] + own->told[FAILURE],
	    own->told[FAILURE], own->told[ERROR]);
	mm_buf_adds(b, ">\n");
	fputs(mm_buf_str(b), o->f);
	for (size_t i = 0; i < own->n; i++)
		suite(o, &own->sums[i], about, n);
	fputs("</testsuites>\n", o->f);
	o->trouble = mm_spool_failed(own->cases);
}

const struct mm_output mm_output_junit = {
    .name = "junit",
    .about = "JUnit XML: a suite per check, a case per object; for Jenkins, GitLab and their like",
    .sections = {MM_SEC_CHECKS, MM_SEC_ALL_RESULTS, MM_SEC_COUNT},
    .begin = begin,
    .row = row,
    .end = end,
    .done = done,
};
