/* `report`: what the store knows, for people and machines. */
#include "controller/cmd_report.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/text.h"
#include "controller/query.h"
#include "controller/report/report.h"
#include "controller/report_checks.h"

struct report {
	struct mm_query q;
	const char *format /* NULL = not said */, *output, *baseline, *check, *since;
	int64_t since_time; /* 0 = it was not asked for */
	bool list, all;
};

static int report_to_file(struct mm_ctl *c, const struct mm_output *out, const struct report *r,
    const struct mm_report_checks *checks, struct mm_err *err)
{
	struct mm_ctl_file o;
	if (mm_ctl_create(&o, r->output, 0644 & ~c->umask, err) != 0)
		return -1;
	return mm_ctl_finish(&o, mm_report_write(c->store, out, &r->q.f, checks, o.f, err) == 0, err);
}

static int report(struct mm_ctl *c, const struct mm_output *out, const struct report *r, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_judged_by j;
	int rc = mm_judge_by(c, r->baseline, r->check, a, &j, err);
	if (rc == 0 && r->list) {
		mm_list_checks(&j, r->q.json);
	} else if (rc == 0) {
		struct mm_report_checks checks = {.baseline = j.baseline,
		    .by = j.by,
		    .since = r->since_time,
		    .sample = r->baseline == NULL && r->check == NULL && r->q.f.at == 0,
		    .sums = mm_arena_alloc(a, j.baseline->n + 1, sizeof(*checks.sums))};
		rc = r->output != NULL ? report_to_file(c, out, r, &checks, err)
				       : mm_report_write(c->store, out, &r->q.f, &checks, stdout, err);
		if (rc == 0)
			rc = mm_checks_exit(j.baseline, checks.sums);
	}
	mm_arena_free(a);
	return rc;
}

static int unknown_format(const char *format)
{
	struct mm_buf b = MM_BUF_INIT(1024);
	mm_buf_addf(&b, "there is no format '%s'; there are:", format);
	for (size_t i = 0; mm_outputs[i] != NULL; i++)
		mm_buf_addf(&b, " %s", mm_outputs[i]->name);
	int rc = mm_ctl_usage("report", mm_buf_str(&b));
	mm_buf_free(&b);
	return rc;
}

static int read_since(struct mm_ctl *c, const struct mm_output *out, struct report *r, struct mm_err *err)
{
	int64_t now = mm_store_now(c->store), end = r->q.f.at != 0 ? r->q.f.at : now;
	if (r->since == NULL)
		return 0;
	if (!mm_output_tells_changes(out))
		return mm_err_set(err, MM_EX_USAGE,
		    "the format %s does not tell what changed: take text, json, csv or html with --since",
		    out->name);
	if (mm_query_since(r->since, now, &r->since_time, err) < 0)
		return -1;
	if (r->since_time >= end)
		return mm_err_set(err, MM_EX_USAGE, "--since %s is not before %s", r->since,
		    r->q.as_of != NULL ? r->q.as_of : "now");
	return 0;
}

static void report_about(struct mm_buf *b)
{
	mm_buf_adds(b,
	    "Write a report of what the workstations have told, and how it compares with a baseline.\n\n"
	    "Formats:");
	for (size_t i = 0; mm_outputs[i] != NULL; i++)
		mm_buf_addf(b, "\n  %-12s%s", mm_outputs[i]->name, mm_outputs[i]->about);
}

static int cmd_report(struct mm_ctl *c, int argc, char **argv)
{
	struct report r = {.q = MM_QUERY_INIT};
	struct mm_err err = MM_ERR_NONE;
	const struct mm_opt opts[] = {
	    {.name = "format",
		.kind = MM_OPT_STRING,
		.dest = &r.format,
		.arg = "FORMAT",
		.help = "one of the formats above (text)"},
	    {.name = "output",
		.letter = 'o',
		.kind = MM_OPT_STRING,
		.dest = &r.output,
		.arg = "FILE",
		.help = "write here instead of standard output"},
	    {.name = "baseline",
		.kind = MM_OPT_STRING,
		.dest = &r.baseline,
		.arg = "NAME",
		.help = "judge by this baseline instead of the policy's"},
	    {.name = "check",
		.kind = MM_OPT_STRING,
		.dest = &r.check,
		.arg = "ID",
		.help = "only this check"},
	    {.name = "since",
		.kind = MM_OPT_STRING,
		.dest = &r.since,
		.arg = "DATE",
		.help =
		    "what became worse, better, is new or gone since then, too: since the beginning of a day "
		    "(2026-11-23, UTC), or a moment (RFC 3339)"},
	    {.name = "all",
		.kind = MM_OPT_FLAG,
		.dest = &r.all,
		.help = "with --format json: what is well, too"},
	    {.name = "list-checks",
		.kind = MM_OPT_FLAG,
		.dest = &r.list,
		.help = "print the baseline: what is checked, why, and how it is set right"},
	    {.name = "json",
		.kind = MM_OPT_FLAG,
		.dest = &r.q.json,
		.help = "the same as --format json; with --list-checks: for machines"},
	    MM_QUERY_OPTS(&r.q),
	    {.name = NULL},
	};
	bool go;
	struct mm_buf about = MM_BUF_INIT(8192);
	report_about(&about);
	int rc = mm_query_open(c, &r.q, opts, "report", mm_buf_str(&about), argc, argv, &go);
	mm_buf_free(&about);
	if (!go)
		return rc;
	if (r.q.json && !r.list && r.format != NULL && !mm_streq(r.format, "json"))
		return mm_ctl_usage("report", "--json and another --format: which?");
	if (r.format == NULL)
		r.format = r.q.json ? "json" : "text";
	const struct mm_output *out = mm_output_by_name(r.format);
	if (out == NULL)
		return unknown_format(r.format);
	if (r.all && out->in_full == NULL)
		return mm_ctl_usage(
		    "report", "--all goes with --format json: the others know no shorter form");
	out = r.all ? out->in_full : out;
	rc = read_since(c, out, &r, &err);
	if (rc == 0)
		rc = report(c, out, &r, &err);
	return rc < 0 ? mm_ctl_fail("report", &err) : rc;
}

const struct mm_cmd mm_cmd_report = {
    "report", "[--format text|json|csv|html] [options]", "write a report", cmd_report};
