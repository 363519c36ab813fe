/* XCCDF 1.2: the baseline and how the workstations fared, in one document. */
#include "controller/report/outputs.h"
#include "controller/report/xccdf.h"

static void begin(struct mm_out *o)
{
	o->state = mm_xccdf_new(o->meta, &(struct mm_xccdf_use){.before = NULL});
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", o->f);
	mm_xccdf_benchmark(o->meta, o->f);
}

static void row(struct mm_out *o, union mm_report_row r)
{
	mm_xccdf_add(o->state, r.result);
}

static void end(struct mm_out *o)
{
	mm_xccdf_finish(o->state);
	mm_xccdf_results(o->state, o->f);
	fputs("</Benchmark>\n", o->f);
	o->trouble = mm_xccdf_failed(o->state);
}

static void done(struct mm_out *o)
{
	mm_xccdf_free(o->state);
}

const struct mm_output mm_output_xccdf = {
    .name = "xccdf",
    .about = "XCCDF 1.2: the baseline as a benchmark, with test results",
    .sections = {MM_SEC_ALL_RESULTS, MM_SEC_COUNT},
    .begin = begin,
    .row = row,
    .end = end,
    .done = done,
};
