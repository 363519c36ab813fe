#include "controller/report/outputs.h"

#include "controller/report/json_rows.h"

/* Printed row by row: the document as a whole is never in memory. */

static void begin(struct mm_out *o)
{
	fputs("{\"report\":", o->f);
	mm_json_write(o->f, mm_report_head_json(o->meta));
	fputs(",\n\"fleet\":", o->f);
	mm_json_write(o->f, mm_fleet_json(&o->meta->fleet));
	fputs(",\n\"baseline\":", o->f);
	mm_json_write(o->f, o->meta->baseline != NULL
				? mm_baseline_json(o->meta->baseline, o->meta->baseline_by)
				: json_null());
}

static void section(struct mm_out *o)
{
	fprintf(o->f, ",\n\"%s\":[", mm_section_key(o->section));
}

static void row(struct mm_out *o, union mm_report_row r)
{
	fputs(o->rows > 0 ? ",\n" : "\n", o->f);
	mm_json_write(o->f, mm_row_json(o->section, r));
}

static void section_end(struct mm_out *o)
{
	fputs("]", o->f);
}

static void end(struct mm_out *o)
{
	fputs("}\n", o->f);
}

const struct mm_output mm_output_json = {
    .name = "json",
    .about = "JSON for machines",
    .sections = {MM_SEC_CHECK_CHANGES, MM_SEC_CHANGES, MM_SEC_CHECKS, MM_SEC_ALL_RESULTS, MM_SEC_HOSTS,
	MM_SEC_PLACES, MM_SEC_ALL_FINDINGS, MM_SEC_ALL_LOGINS, MM_SEC_REMARKS, MM_SEC_WAIVERS, MM_SEC_COUNT},
    .begin = begin,
    .section = section,
    .row = row,
    .section_end = section_end,
    .end = end,
};
