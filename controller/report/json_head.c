/* What a report says of itself, as JSON; and one value on a line. */
#include "common/json.h"
#include "common/text.h"
#include "controller/report/json_rows.h"

void mm_json_write(FILE *f, json_t *stolen)
{
	struct mm_buf b = MM_BUF_INIT(64u << 20);
	mm_json_dump(stolen, &b);
	json_decref(stolen);
	fputs(mm_buf_str(&b), f);
	mm_buf_free(&b);
}

void mm_fleet_write(FILE *f, const struct mm_fleet *fleet)
{
	struct mm_buf b = MM_BUF_INIT(1u << 20);
	mm_fleet_text(&b, NULL, fleet);
	fputs(mm_buf_str(&b), f);
	mm_buf_free(&b);
}

static json_t *filter_json(const struct mm_evidence_filter *f)
{
	json_t *o = json_object(); /* without text nothing is set */
	mm_json_set_str(o, "host", f->host);
	mm_json_set_str(o, "user", f->user);
	mm_json_set_str(o, "group", f->group);
	mm_json_set_str(o, "tag", f->tag);
	mm_json_set_str(o, "client", f->client);
	return o;
}

json_t *mm_report_head_json(const struct mm_report_meta *m)
{
	json_t *o = json_object();
	char now[MM_TIME_MAX];
	mm_json_set_int(o, "format", 1);
	mm_json_set_str(o, "generator", "mailmuster " MM_VERSION);
	mm_json_set_str(o, "title", m->title);
	mm_json_set_str(o, "fleet_id", m->fleet_id);
	mm_json_set_str(o, "as_of", mm_time_utc(m->fleet.now, now));
	if (m->since > 0)
		mm_json_set_str(o, "since", mm_time_utc(m->since, now));
	mm_json_set_str(o, "revision_sha256", m->revision.sha256);
	mm_json_set(o, "only", filter_json(&m->filter));
	return o;
}
