/* `drift`: every setting that differs, and every login that did not pass. */
#include "controller/cmd_report.h"

#include <inttypes.h>

#include "common/json.h"
#include "common/term.h"
#include "common/text.h"
#include "controller/query.h"
#include "controller/report/json_rows.h"
#include "controller/report/report.h"
#include "schemas/facts.h"

struct silent {
	int64_t hosts, silent;
};

struct differing {
	int64_t rows, waived;
};

struct row_walk {
	struct mm_table *t;
	int64_t now;
	bool json;
	int64_t n, waived, before; /* rows of the section before */
	enum mm_section sec;
};

static void drift_finding(struct row_walk *w, const struct mm_finding_row *r)
{
	const struct mm_finding *f = &r->f;
	char age[MM_TIME_MAX * 2], d[32];
	bool waived = r->audit == MM_AUDIT_WAIVED;
	struct mm_buf why = MM_BUF_INIT(65536);
	mm_buf_adds(&why, f->reason);
	mm_waiver_sentence(&r->waiver, &why);
	d[0] = '\0';
	if (f->line > 0)
		snprintf(d, sizeof(d), ":%d", f->line);
	mm_table_cell(w->t, MM_PLAIN, "%s", r->host);
	mm_table_cell(w->t, MM_PLAIN, "%s", f->user);
	mm_table_cell(w->t, MM_PLAIN, "%s", f->client);
	mm_table_cell(w->t, MM_PLAIN, "%s", f->account);
	mm_table_cell(w->t, MM_PLAIN, "%s", f->setting);
	mm_table_cell(w->t, r->audit == MM_AUDIT_FAIL ? MM_RED : MM_YELLOW, "%s%s", mm_state_name(f->state),
	    r->stale ? " (stale)"
	    : waived ? " (waived)"
		     : "");
	mm_table_cell(w->t, MM_PLAIN, "%s", f->desired != NULL ? f->desired : "-");
	mm_table_cell(w->t, MM_PLAIN, "%s", mm_finding_now(f) != NULL ? mm_finding_now(f) : "-");
	mm_table_cell(w->t, MM_PLAIN, "%s", mm_age(w->now, r->since, age));
	mm_table_cell(w->t, MM_DIM, "%s%s%s%s", f->override_path != NULL ? f->override_path : f->path, d,
	    why.len > 0 ? "  " : "", mm_buf_str(&why));
	mm_buf_free(&why);
}

static void drift_login(struct row_walk *w, const struct mm_login_row *r)
{
	const struct mm_login *l = &r->l;
	char age[MM_TIME_MAX * 2];
	mm_table_cell(w->t, MM_PLAIN, "%s", r->host);
	mm_table_cell(w->t, MM_PLAIN, "%s", l->user);
	mm_table_cell(w->t, MM_PLAIN, "%s", l->account);
	mm_table_cell(w->t, MM_PLAIN, "%s:%d", l->host, l->port);
	struct mm_buf why = MM_BUF_INIT(65536);
	mm_buf_adds(&why, l->admin[0] != '\0' ? l->admin : l->text);
	mm_waiver_sentence(&r->waiver, &why);
	mm_table_cell(w->t, r->audit == MM_AUDIT_FAIL ? MM_RED : MM_YELLOW, "%s%s%s%s",
	    mm_result_name(l->result), l->cls[0] != '\0' ? " " : "", l->cls,
	    r->audit == MM_AUDIT_WAIVED ? " (waived)" : "");
	mm_table_cell(w->t, MM_PLAIN, "%s", mm_age(w->now, r->since, age));
	mm_table_cell(w->t, MM_DIM, "%s", mm_buf_str(&why));
	mm_buf_free(&why);
}

static int drift_row(union mm_report_row r, void *arg, struct mm_err *err)
{
	struct row_walk *w = arg;
	(void)err;
	w->waived += (w->sec == MM_SEC_DIFFERENCES ? r.finding->audit : r.login->audit) == MM_AUDIT_WAIVED;
	if (w->json) {
		mm_row_print(stdout, w->sec, r, w->n++);
		return 0;
	}
	if (w->n++ == 0 && w->before > 0)
		putchar('\n');
	if (w->sec == MM_SEC_DIFFERENCES)
		drift_finding(w, r.finding);
	else
		drift_login(w, r.login);
	mm_table_flow(w->t, stdout);
	return 0;
}

static int drift_section(
    struct mm_ctl *c, const struct mm_query *q, enum mm_section sec, struct differing *n, struct mm_err *err)
{
	static const char *const heads[][11] = {
	    {"HOST", "USER", "CLIENT", "ACCOUNT", "SETTING", "STATE", "DESIRED", "FOUND", "SINCE", "WHERE",
		NULL},
	    {"HOST", "USER", "ACCOUNT", "SERVER", "LOGIN", "SINCE", "WHY", NULL},
	};
	struct row_walk w = {.sec = sec,
	    .before = n->rows,
	    .now = q->f.at ? q->f.at : mm_store_now(c->store),
	    .json = q->json};
	w.t = mm_table_new(heads[sec == MM_SEC_DIFFERENCES ? 0 : 1]);
	if (q->json)
		printf("%s\"%s\":[", sec == MM_SEC_DIFFERENCES ? "{" : ",", mm_section_key(sec));
	int rc = mm_report_section(c->store, sec, &q->f, drift_row, &w, err);
	if (rc == 0 && q->json)
		putchar(']');
	if (rc == 0 && !q->json && w.n > 0)
		mm_table_print(w.t, stdout);
	n->rows += w.n;
	n->waived += w.waived;
	mm_table_free(w.t);
	return rc;
}

/* Silence is not agreement: hosts without fresh evidence are counted. */
static int count_silent(union mm_report_row r, void *arg, struct mm_err *err)
{
	(void)err;
	struct silent *s = arg;
	s->hosts++;
	s->silent += r.host->seen == 0 || r.host->stale;
	return 0;
}

/* What a waiver in force accepts is shown, and is no difference that is left. */
static int drift_end(const struct silent *s, const struct differing *n, bool json)
{
	if (n->rows == 0 && !json)
		puts("Nothing differs in what was reported.");
	if (n->waived > 0 && !json)
		printf("\n%" PRId64 " of these %" PRId64 " are waived (mailmuster waiver list).\n", n->waived,
		    n->rows);
	if (s->silent > 0)
		fprintf(stderr,
		    "%" PRId64 " of %" PRId64
		    " workstations have not reported lately; see mailmuster status\n",
		    s->silent, s->hosts);
	return (n->rows > n->waived ? MM_EX_DIFF : MM_EX_OK) | (s->silent > 0 ? MM_EX_UNREACHABLE : MM_EX_OK);
}

static int cmd_drift(struct mm_ctl *c, int argc, char **argv)
{
	struct mm_query q = MM_QUERY_INIT;
	struct mm_err err = MM_ERR_NONE;
	const struct mm_opt opts[] = {
	    {.name = "json", .kind = MM_OPT_FLAG, .dest = &q.json, .help = "for machines"},
	    MM_QUERY_OPTS(&q),
	    {.name = NULL},
	};
	bool go;
	int rc = mm_query_open(c, &q, opts, "drift",
	    "Every setting that differs, and every login that did not pass.", argc, argv, &go);
	if (!go)
		return rc;
	struct differing n = {0, 0};
	struct silent silent = {0, 0};
	rc = drift_section(c, &q, MM_SEC_DIFFERENCES, &n, &err);
	if (rc == 0)
		rc = drift_section(c, &q, MM_SEC_LOGINS, &n, &err);
	if (rc == 0 && q.json)
		puts("}");
	if (rc == 0)
		rc = mm_report_section(c->store, MM_SEC_HOSTS, &q.f, count_silent, &silent, &err);
	return rc < 0 ? mm_ctl_fail("drift", &err) : drift_end(&silent, &n, q.json);
}

const struct mm_cmd mm_cmd_drift = {"drift", "[options]", "what differs, where, and since when", cmd_drift};
