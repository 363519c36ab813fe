/*
 * Writing a report: results of checks go by first, in parts of the fleet side
 * by side where the output can put parts together (parts.h), then the
 * output's sections.
 */
#include <errno.h>
#include <stdlib.h>

#include "common/mem.h"
#include "controller/report/dims.h"
#include "controller/report/parts.h"
#include "controller/report/report.h"
#include "controller/report/servers.h"

#define PARTS_EACH 4 /* for each process: the last part is what the others may have to wait for */

/* What was made of a part of the fleet; all but `from`, `to` and `out` lies in the part's arena. */
struct part {
	const char *from, *to;
	struct mm_out out;
	struct mm_check_sum *sums, *sums_then;
	struct mm_dims *dims;
	struct mm_servers *servers;
};

struct writing {
	struct mm_store *s;
	struct mm_out o;
	struct mm_report_meta meta;
	const struct mm_report_checks *checks; /* or NULL */
	struct mm_arena *a;
	struct mm_dims *dims;       /* or NULL: nobody asks */
	struct mm_servers *servers; /* or NULL */
	bool told;                  /* `servers` has seen all logins */
	struct mm_parts *parts;     /* NULL: one walk */
	struct part *part;
	size_t n;
};

/* ---- sections */

static int print_row(union mm_report_row row, void *arg, struct mm_err *err)
{
	(void)err;
	struct mm_out *o = arg;
	if (o->output->row != NULL)
		o->output->row(o, row);
	o->rows++;
	return 0;
}

static int walk_section(struct mm_store *s, struct mm_out *o, enum mm_section sec, struct mm_err *err)
{
	switch (sec) {
	case MM_SEC_CHECKS:
	case MM_SEC_RESULTS:
	case MM_SEC_ALL_RESULTS:
		return mm_report_checks(s, sec, o->meta, print_row, o, err);
	case MM_SEC_CHECK_CHANGES:
	case MM_SEC_CHANGES:
		return mm_report_changes(s, sec, o->meta, print_row, o, err);
	default:
		return mm_report_section(s, sec, &o->meta->filter, print_row, o, err);
	}
}

static bool is_of(const enum mm_section *list, enum mm_section sec)
{
	for (; *list != MM_SEC_COUNT; list++)
		if (*list == sec)
			return true;
	return false;
}

static int rows_of(struct writing *w, enum mm_section sec, struct mm_err *err)
{
	const struct mm_output *output = w->o.output;
	bool of_servers = sec == MM_SEC_CERTS || sec == MM_SEC_REMARKS;
	if (of_servers && w->told)
		return mm_servers_rows(w->servers, sec, print_row, &w->o, err);
	if (w->parts == NULL || !is_of(output->parts->sections, sec))
		return walk_section(w->s, &w->o, sec, err);
	if (output->parts->pour != NULL)
		output->parts->pour(&w->o);
	return 0;
}

static int print_section(struct writing *w, enum mm_section sec, struct mm_err *err)
{
	struct mm_out *o = &w->o;
	bool of_changes = sec == MM_SEC_CHECK_CHANGES || sec == MM_SEC_CHANGES;
	if (of_changes && w->meta.since == 0)
		return 0;
	o->section = sec;
	o->rows = 0;
	if (o->output->section != NULL)
		o->output->section(o);
	if (rows_of(w, sec, err) < 0)
		return -1;
	if (o->output->section_end != NULL)
		o->output->section_end(o);
	return 0;
}

/* ---- results of checks */

struct judging {
	struct mm_out *o;
	struct mm_dims *dims;
};

static int judged(const struct mm_check_result *r, void *arg, struct mm_err *err)
{
	(void)err;
	const struct judging *j = arg;
	mm_dims_add(j->dims, r);
	if (j->o->output->judged != NULL)
		j->o->output->judged(j->o, r);
	return 0;
}

/* Judge what the store shows: `what` of it. */
static int judge(struct mm_store *s, const struct writing *w, struct mm_out *o, struct part *to,
    unsigned what, bool *told, struct mm_err *err)
{
	struct mm_login_tap tap = {.take = mm_servers_take, .arg = to->servers};
	const struct mm_checks_how how = {.baseline = w->meta.baseline,
	    .filter = &w->meta.filter,
	    .cb = to->dims != NULL ? judged : NULL,
	    .arg = &(struct judging){o, to->dims},
	    .sums = to->sums,
	    .tap = to->servers != NULL ? &tap : NULL,
	    .what = what};
	if (mm_checks_run(s, &how, err) != 0)
		return -1;
	*told = tap.told;
	return 0;
}

/* The sums of the moment that the present is compared with. */
static int judge_then(
    struct mm_store *s, const struct writing *w, struct mm_check_sum *sums, unsigned what, struct mm_err *err)
{
	struct mm_evidence_filter f = w->meta.filter;
	f.at = w->meta.since;
	const struct mm_checks_how how = {
	    .baseline = w->meta.baseline, .filter = &f, .sums = sums, .what = what};
	return mm_checks_run(s, &how, err);
}

/* ---- parts */

/* The fleet's moment, for the processes that do not count the fleet. */
static int see_moment(struct mm_store *s, struct mm_report_meta *m, struct mm_err *err)
{
	int64_t time;
	m->fleet.now = m->filter.at != 0 ? m->filter.at : mm_store_now(s);
	return mm_store_revision_at(s, m->filter.at, &m->fleet.revision, &time, err) < 0 ? -1 : 0;
}

static struct mm_check_sum *new_sums(const struct writing *w, struct mm_arena *a)
{
	return mm_arena_alloc(a, w->meta.baseline->n + 1, sizeof(struct mm_check_sum));
}

static int fill_part(
    struct mm_store *s, struct writing *w, struct part *p, struct mm_arena *a, struct mm_err *err)
{
	const struct mm_output_parts *parts = w->o.output->parts;
	bool told = false;
	p->out.arena = a;
	p->sums = new_sums(w, a);
	p->dims = w->dims != NULL ? mm_dims_part(w->dims, a) : NULL;
	p->servers = w->servers != NULL ? mm_servers_new(a) : NULL;
	if (judge(s, w, &p->out, p, MM_CHECKS_PLACES, &told, err) != 0)
		return -1;
	if (!told)
		p->servers = NULL;
	if (w->meta.since > 0) {
		p->sums_then = new_sums(w, a);
		if (judge_then(s, w, p->sums_then, MM_CHECKS_PLACES, err) != 0)
			return -1;
	}
	for (const enum mm_section *sec = parts->sections; *sec != MM_SEC_COUNT; sec++) {
		p->out.section = *sec;
		p->out.rows = 0;
		if (walk_section(s, &p->out, *sec, err) < 0)
			return -1;
	}
	if (parts->settle != NULL)
		parts->settle(&p->out);
	return 0;
}

static int work(struct mm_store *s, size_t i, struct mm_arena *a, void *arg, struct mm_err *err)
{
	struct writing *w = arg;
	struct part *p = &w->part[i];
	if (w->meta.fleet.now == 0 && see_moment(s, &w->meta, err) != 0)
		return -1;
	mm_store_part(s, p->from, p->to);
	int rc = fill_part(s, w, p, a, err);
	mm_store_part(s, NULL, NULL);
	return rc;
}

/* Where one part ends and the next begins: behind a workstation's name comes the name with the least
 * character there is. */
static int cut(struct writing *w, int64_t hosts, struct mm_arena *common, struct mm_err *err)
{
	const char *from = NULL;
	for (size_t i = 0; i < w->n; i++) {
		struct part *p = &w->part[i];
		p->from = from;
		if (i + 1 < w->n && mm_store_host_nth(w->s, hosts * (int64_t)(i + 1) / (int64_t)w->n - 1,
					common, &p->to, err) < 0)
			return -1;
		from = p->to != NULL ? mm_arena_printf(common, "%s\001", p->to) : NULL;
		p->out =
		    (struct mm_out){.output = w->o.output, .meta = &w->meta, .arena = common, .apart = true};
	}
	return 0;
}

static void drop_parts(struct writing *w)
{
	const struct mm_output_parts *parts = w->o.output->parts;
	for (size_t i = 0; i < w->n && parts->drop != NULL; i++)
		parts->drop(&w->part[i].out);
	mm_parts_free(w->parts);
	w->parts = NULL;
	w->n = 0;
}

/* 1: one walk it is. */
static int start_parts(struct writing *w, struct mm_err *err)
{
	const struct mm_output_parts *parts = w->o.output->parts;
	int64_t hosts = 0;
	if (parts == NULL || w->checks == NULL || w->meta.filter.host != NULL)
		return 1;
	if (mm_store_hosts_count(w->s, &hosts, err) != 0)
		return -1;
	size_t processes = mm_parts_processes(hosts);
	w->parts = mm_parts_new(processes);
	if (w->parts == NULL)
		return 1;
	struct mm_arena *common = mm_parts_arena(w->parts);
	w->n = processes * PARTS_EACH;
	w->part = mm_arena_alloc(common, w->n, sizeof(*w->part));
	int rc = cut(w, hosts, common, err);
	for (size_t i = 0; rc == 0 && i < w->n && parts->open != NULL; i++)
		parts->open(&w->part[i].out);
	if (rc == 0)
		rc = mm_parts_start(w->parts, w->s, w->n, work, w, err);
	if (rc != 0)
		drop_parts(w);
	return rc;
}

static void join_parts(struct writing *w)
{
	w->told = w->servers != NULL;
	for (size_t i = 0; i < w->n; i++) {
		struct part *p = &w->part[i];
		mm_check_sums_join(w->checks->sums, p->sums, w->meta.baseline->n);
		if (w->dims != NULL)
			mm_dims_join(w->dims, p->dims);
		if (p->servers != NULL)
			mm_servers_join(w->servers, p->servers);
		else
			w->told = false;
		w->o.output->parts->join(&w->o, &p->out);
	}
}

/* ---- the walk, whole or in parts */

static int count_fleet(struct writing *w, struct mm_err *err)
{
	const struct mm_report_meta asked = w->meta;
	if (mm_report_meta(w->s, &asked.filter, w->a, &w->meta, err) < 0)
		return -1;
	w->meta.baseline = asked.baseline;
	w->meta.baseline_by = asked.baseline_by;
	w->meta.sums = asked.sums;
	w->meta.since = asked.since;
	return 0;
}

static int walk(struct writing *w, struct mm_err *err)
{
	unsigned what = w->parts != NULL ? MM_CHECKS_FLEET : MM_CHECKS_FLEET | MM_CHECKS_PLACES;
	struct part all = {.dims = w->dims, .servers = w->servers};
	struct mm_check_sum *then = NULL;
	if (count_fleet(w, err) != 0)
		return -1;
	if (w->checks == NULL)
		return 0;
	all.sums = w->checks->sums;
	if (judge(w->s, w, &w->o, &all, what, &w->told, err) != 0)
		return -1;
	if (w->meta.since > 0) {
		w->meta.sums_then = then = new_sums(w, w->a);
		if (judge_then(w->s, w, then, what, err) != 0)
			return -1;
	}
	if (w->parts == NULL)
		return 0;
	if (mm_parts_finish(w->parts, w->a, err) != 0)
		return -1;
	join_parts(w);
	for (size_t i = 0; then != NULL && i < w->n; i++)
		mm_check_sums_join(then, w->part[i].sums_then, w->meta.baseline->n);
	return 0;
}

/* Keep what was counted, when it is the whole fleet as it is now. A report of a store that
 * cannot be written to is a report all the same. */
static void sample(const struct writing *w)
{
	int64_t taken;
	if (w->checks == NULL || !w->checks->sample || w->meta.filter.at != 0 ||
	    mm_filter_narrows(&w->meta.filter) || mm_store_samples_taken(w->s, &taken, NULL) != 0 ||
	    mm_store_now(w->s) - taken < MM_SAMPLE_RENEWED_S)
		return;
	(void)mm_dims_sample(w->dims, w->s, w->meta.baseline->id, NULL);
}

/* The results, in one view of the store where there are parts. */
static int results(struct writing *w, struct mm_err *err)
{
	int rc = start_parts(w, err);
	if (rc < 0)
		return -1;
	rc = walk(w, err);
	if (w->parts != NULL)
		mm_store_view_end(w->s);
	if (rc == 0)
		sample(w);
	return rc;
}

static int print(struct writing *w, struct mm_err *err)
{
	struct mm_out *o = &w->o;
	int rc = 0;
	if (o->output->begin != NULL)
		o->output->begin(o);
	for (size_t i = 0; rc == 0 && o->output->sections[i] != MM_SEC_COUNT; i++)
		rc = print_section(w, o->output->sections[i], err);
	if (rc == 0 && o->output->end != NULL)
		o->output->end(o);
	return rc;
}

static int finish(struct writing *w, FILE *f, struct mm_err *err)
{
	if (w->o.trouble != 0) {
		errno = w->o.trouble;
		return mm_err_sys(err, MM_EX_FAILED, "cannot keep the report's rows in a temporary file");
	}
	if (fflush(f) != 0 || ferror(f))
		return mm_err_sys(err, MM_EX_FAILED, "cannot write the report");
	return 0;
}

int mm_report_write(struct mm_store *s, const struct mm_output *output,
    const struct mm_evidence_filter *filter, const struct mm_report_checks *checks, FILE *f,
    struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	struct writing w = {.s = s, .checks = checks, .a = a, .o = {.output = output, .f = f, .arena = a}};
	bool of_servers = is_of(output->sections, MM_SEC_CERTS) || is_of(output->sections, MM_SEC_REMARKS);
	bool feeds = output->judged != NULL || (checks != NULL && checks->sample);
	int rc = 0;
	w.o.meta = &w.meta;
	if (filter != NULL)
		w.meta.filter = *filter;
	if (checks != NULL) {
		w.meta.baseline = checks->baseline;
		w.meta.baseline_by = checks->by;
		w.meta.sums = checks->sums;
		w.meta.since = checks->since;
		w.servers = of_servers ? mm_servers_new(a) : NULL;
	}
	int64_t fixed = mm_store_fix_now(s);
	if (feeds)
		rc = mm_dims_new(s, w.meta.filter.group, a, &w.dims, err);
	w.o.dims = w.dims;
	if (rc == 0)
		rc = results(&w, err);
	bool begun = rc == 0;
	if (begun)
		rc = print(&w, err);
	if ((begun || w.o.state != NULL) && output->done != NULL)
		output->done(&w.o);
	if (w.parts != NULL)
		drop_parts(&w);
	if (rc == 0)
		rc = finish(&w, f, err);
	mm_store_set_now(s, fixed);
	mm_arena_free(a);
	return rc;
}
