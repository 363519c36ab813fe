/* JSON Lines: one object a line, each says in "kind" what it is. */
#include "common/json_text.h"
#include "controller/report/json_rows.h"
#include "controller/report/outputs.h"

static void line(struct mm_out *o, const char *kind, const struct mm_buf *object)
{
	fprintf(o->f, "{\"kind\":\"%s\",%s\n", kind, mm_buf_str(object) + 1);
}

static void begin(struct mm_out *o)
{
	struct mm_buf text = MM_BUF_INIT(1u << 20);
	json_t *baseline = o->meta->baseline != NULL
			       ? mm_baseline_json(o->meta->baseline, o->meta->baseline_by)
			       : json_null();
	mm_json_open(&text, NULL);
	mm_json_put_members(&text, mm_report_head_json(o->meta));
	mm_json_put(&text, "baseline", baseline);
	mm_fleet_text(&text, "fleet", &o->meta->fleet);
	mm_json_close(&text);
	line(o, "head", &text);
	mm_buf_free(&text);
}

static void row(struct mm_out *o, union mm_report_row r)
{
	static const char *const kind[MM_SEC_COUNT] = {
	    [MM_SEC_CHECKS] = "check",
	    [MM_SEC_ALL_RESULTS] = "result",
	    [MM_SEC_DIFFERENCES] = "difference",
	    [MM_SEC_ALL_LOGINS] = "login",
	    [MM_SEC_REMARKS] = "remark",
	    [MM_SEC_WAIVERS] = "waiver",
	    [MM_SEC_HOSTS] = "host",
	};
	struct mm_buf text = MM_BUF_INIT(1u << 20);
	mm_row_text(&text, o->section, r);
	line(o, kind[o->section], &text);
	mm_buf_free(&text);
}

const struct mm_output mm_output_jsonl = {
    .name = "jsonl",
    .about = "JSON Lines: one object a line, for log stores, jq and scripts",
    .sections = {MM_SEC_CHECKS, MM_SEC_ALL_RESULTS, MM_SEC_DIFFERENCES, MM_SEC_ALL_LOGINS, MM_SEC_REMARKS,
	MM_SEC_WAIVERS, MM_SEC_HOSTS, MM_SEC_COUNT},
    .begin = begin,
    .row = row,
};
