/* JSON Lines: one object a line, each says in "kind" what it is. */
#include <string.h>

#include "common/json.h"
#include "controller/report/json_rows.h"
#include "controller/report/outputs.h"

static void line(struct mm_out *o, const char *kind, json_t *stolen)
{
	json_t *whole = json_object();
	mm_json_set_str(whole, "kind", kind);
	json_object_update(whole, stolen);
	json_decref(stolen);
	mm_json_write(o->f, whole);
	fputc('\n', o->f);
}

static void begin(struct mm_out *o)
{
	json_t *head = mm_report_head_json(o->meta);
	mm_json_set(head, "baseline",
	    o->meta->baseline != NULL ? mm_baseline_json(o->meta->baseline, o->meta->baseline_by)
				      : json_null());
	mm_json_set(head, "fleet", mm_fleet_json(&o->meta->fleet));
	line(o, "head", head);
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
	line(o, kind[o->section], mm_row_json(o->section, r));
}

const struct mm_output mm_output_jsonl = {
    .name = "jsonl",
    .about = "JSON Lines: one object a line, for log stores, jq and scripts",
    .sections = {MM_SEC_CHECKS, MM_SEC_ALL_RESULTS, MM_SEC_DIFFERENCES, MM_SEC_ALL_LOGINS, MM_SEC_REMARKS,
	MM_SEC_WAIVERS, MM_SEC_HOSTS, MM_SEC_COUNT},
    .begin = begin,
    .row = row,
};
