#include "controller/report/outputs.h"

#include "common/json.h"
#include "controller/report/json_rows.h"
#include "controller/report/spool.h"

/*
 * Printed row by row: the document as a whole is never in memory. Of a large
 * fleet most rows say that all is well, and cost most of the time: without
 * --all only the others are printed, and the counts are in the head.
 */

static void head(struct mm_out *o, const char *rows)
{
	json_t *report = mm_report_head_json(o->meta);
	mm_json_set_str(report, "rows", rows);
	fputs("{\"report\":", o->f);
	mm_json_write(o->f, report);
	fputs(",\n\"fleet\":", o->f);
	mm_fleet_write(o->f, &o->meta->fleet);
	fputs(",\n\"baseline\":", o->f);
	mm_json_write(o->f, o->meta->baseline != NULL
				? mm_baseline_json(o->meta->baseline, o->meta->baseline_by)
				: json_null());
}

static void begin_all(struct mm_out *o)
{
	head(o, "all");
}

static void section_all(struct mm_out *o)
{
	fprintf(o->f, ",\n\"%s\":[", mm_section_key(o->section));
}

static void row_all(struct mm_out *o, union mm_report_row r)
{
	mm_row_print(o->f, o->section, r, o->rows);
}

static void section_end(struct mm_out *o)
{
	fputs("]", o->f);
}

static void end(struct mm_out *o)
{
	fputs("}\n", o->f);
}

/* ---- what needs attention */

/* Results go by before the head is known, and so do all rows of a part of the fleet: they are kept in a
 * file, a stream for each section. */
struct brief {
	struct mm_spool *kept;
	int64_t n[MM_SEC_COUNT];      /* of them */
	int64_t printed;              /* rows of this section */
	struct mm_spool_place *place; /* of a part: what another process has kept, NULL = it could not */
	int trouble;                  /* errno of that */
	struct brief *next;           /* part */
};

static struct brief *brief(struct mm_out *o)
{
	if (o->state == NULL) {
		struct brief *b = mm_arena_alloc(o->arena, 1, sizeof(*b));
		*b = (struct brief){.kept = mm_spool_new()};
		o->state = b;
	}
	return o->state;
}

static void keep(struct brief *b, enum mm_section sec, union mm_report_row r)
{
	struct mm_buf text = MM_BUF_INIT(1u << 20);
	mm_row_text(&text, sec, r);
	if (b->n[sec]++ > 0)
		mm_spool_add(b->kept, sec, ",\n", 2);
	mm_spool_add(b->kept, sec, mm_buf_str(&text), text.len);
	mm_buf_free(&text);
}

/* What was kept of a section, here and of the parts behind it. */
static void pour_kept(struct mm_out *o, enum mm_section sec)
{
	bool any = false;
	for (struct brief *b = brief(o); b != NULL; b = b->next) {
		if (b->n[sec] == 0)
			continue;
		fputs(any ? ",\n" : "\n", o->f);
		mm_spool_pour(b->kept, sec, o->f);
		any = true;
	}
}

/* What nobody has looked at is told by the sum of its check: a row would say no more. */
static bool says_something(const struct mm_check_result *r)
{
	if (r->outcome == MM_OUT_UNKNOWN)
		return r->seen > 0 || r->waiver.id > 0;
	return r->outcome != MM_OUT_COMPLIANT && r->outcome != MM_OUT_NOT_APPLICABLE;
}

static void judged(struct mm_out *o, const struct mm_check_result *r)
{
	if (says_something(r))
		keep(brief(o), MM_SEC_RESULTS, (union mm_report_row){.result = r});
}

static void begin(struct mm_out *o)
{
	head(o, "attention");
	fputs(",\n\"results\":[", o->f);
	pour_kept(o, MM_SEC_RESULTS);
	fputs("]", o->f);
}

static void section(struct mm_out *o)
{
	const char *key = o->section == MM_SEC_DIFFERENCES ? mm_section_key(MM_SEC_ALL_FINDINGS)
			  : o->section == MM_SEC_LOGINS    ? mm_section_key(MM_SEC_ALL_LOGINS)
							   : mm_section_key(o->section);
	brief(o)->printed = 0;
	fprintf(o->f, ",\n\"%s\":[", key);
}

/* What `status` would not call "ok" or "nothing to check". */
static bool host_is_well(const struct mm_host_row *h, int64_t revision)
{
	static const enum mm_audit bad[] = {MM_AUDIT_FAIL, MM_AUDIT_UNKNOWN, MM_AUDIT_WAIVED};
	bool pending = h->push.host != NULL && h->push.pending;
	if (pending || h->seen == 0 || h->stale || h->expired)
		return false;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (h->settings[bad[i]] + h->logins_by[bad[i]] > 0)
			return false;
	return h->revision == revision || h->settings[MM_AUDIT_PASS] + h->logins_by[MM_AUDIT_PASS] == 0;
}

static bool is_well(const struct mm_out *o, union mm_report_row r)
{
	if (o->section == MM_SEC_HOSTS)
		return host_is_well(r.host, o->meta->fleet.revision);
	return o->section == MM_SEC_PLACES &&
	       (r.place->audit == MM_AUDIT_PASS || r.place->audit == MM_AUDIT_NOT_APPLICABLE);
}

static void row(struct mm_out *o, union mm_report_row r)
{
	if (is_well(o, r))
		return;
	if (o->apart)
		keep(brief(o), o->section, r);
	else
		mm_row_print(o->f, o->section, r, brief(o)->printed++);
}

static void done(struct mm_out *o)
{
	struct brief *b = brief(o);
	for (const struct brief *x = b; x != NULL && o->trouble == 0; x = x->next)
		o->trouble = x->trouble != 0 ? x->trouble : mm_spool_failed(x->kept);
	mm_spool_free(b->kept);
}

/* ---- parts of the fleet */

static void open_part(struct mm_out *part)
{
	mm_spool_open(brief(part)->kept);
}

static void settle(struct mm_out *part)
{
	struct brief *b = brief(part);
	b->place = mm_spool_settle(b->kept, part->arena);
	b->trouble = mm_spool_failed(b->kept);
}

static void join(struct mm_out *o, const struct mm_out *part)
{
	struct brief *last = brief(o), *b = part->state;
	while (last->next != NULL)
		last = last->next;
	if (b->place != NULL)
		mm_spool_adopt(b->kept, b->place);
	last->next = b;
}

static void pour(struct mm_out *o)
{
	pour_kept(o, o->section);
}

static void drop(struct mm_out *part)
{
	if (part->state != NULL)
		mm_spool_free(brief(part)->kept);
}

static const struct mm_output_parts parts = {
    .sections = {MM_SEC_HOSTS, MM_SEC_PLACES, MM_SEC_DIFFERENCES, MM_SEC_LOGINS, MM_SEC_COUNT},
    .open = open_part,
    .settle = settle,
    .join = join,
    .pour = pour,
    .drop = drop,
};

static const struct mm_output in_full = {
    .name = "json",
    .about = "JSON for machines",
    .sections = {MM_SEC_CHECK_CHANGES, MM_SEC_CHANGES, MM_SEC_CHECKS, MM_SEC_ALL_RESULTS, MM_SEC_HOSTS,
	MM_SEC_PLACES, MM_SEC_ALL_FINDINGS, MM_SEC_ALL_LOGINS, MM_SEC_REMARKS, MM_SEC_WAIVERS, MM_SEC_COUNT},
    .begin = begin_all,
    .section = section_all,
    .row = row_all,
    .section_end = section_end,
    .end = end,
};

const struct mm_output mm_output_json = {
    .name = "json",
    .about = "JSON for machines: what needs attention, or every row (--all)",
    .sections = {MM_SEC_CHECK_CHANGES, MM_SEC_CHANGES, MM_SEC_CHECKS, MM_SEC_HOSTS, MM_SEC_PLACES,
	MM_SEC_DIFFERENCES, MM_SEC_LOGINS, MM_SEC_REMARKS, MM_SEC_WAIVERS, MM_SEC_COUNT},
    .judged = judged,
    .begin = begin,
    .section = section,
    .row = row,
    .section_end = section_end,
    .end = end,
    .done = done,
    .parts = &parts,
    .in_full = &in_full,
};
