/* `report`, `status`, `drift`: what the store knows, for people and machines. */
#include "controller/cmd_report.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cli.h"
#include "common/json.h"
#include "common/term.h"
#include "common/text.h"
#include "controller/push_op.h"
#include "controller/report/json_rows.h"
#include "controller/report/report.h"
#include "controller/report_checks.h"

struct query {
	struct mm_evidence_filter f;
	int64_t stale_days;
	bool json, help, refresh, list;
	const char *format, *output, *baseline, *check;
};

#define QUERY_OPTS(q)                                                                                        \
	{.name = "host",                                                                                     \
	    .kind = MM_OPT_STRING,                                                                           \
	    .dest = &(q)->f.host,                                                                            \
	    .arg = "HOST",                                                                                   \
	    .help = "only this workstation"},                                                                \
	    {.name = "user",                                                                                 \
		.kind = MM_OPT_STRING,                                                                       \
		.dest = &(q)->f.user,                                                                        \
		.arg = "LOGIN",                                                                              \
		.help = "only this user"},                                                                   \
	    {.name = "group",                                                                                \
		.kind = MM_OPT_STRING,                                                                       \
		.dest = &(q)->f.group,                                                                       \
		.arg = "GROUP",                                                                              \
		.help = "only users of this group"},                                                         \
	    {.name = "tag",                                                                                  \
		.kind = MM_OPT_STRING,                                                                       \
		.dest = &(q)->f.tag,                                                                         \
		.arg = "TAG",                                                                                \
		.help = "only workstations with this tag"},                                                  \
	    {.name = "client",                                                                               \
		.kind = MM_OPT_STRING,                                                                       \
		.dest = &(q)->f.client,                                                                      \
		.arg = "CLIENT",                                                                             \
		.help = "only this mail program"},                                                           \
	    {.name = "stale-after",                                                                          \
		.kind = MM_OPT_INT,                                                                          \
		.dest = &(q)->stale_days,                                                                    \
		.min = 1,                                                                                    \
		.max = 3650,                                                                                 \
		.arg = "DAYS",                                                                               \
		.help = "evidence older than this is stale (7)"},                                            \
	{                                                                                                    \
		.name = "help", .letter = 'h', .kind = MM_OPT_FLAG, .dest = &(q)->help,                      \
		.help = "show this help"                                                                     \
	}

static int open_query(struct mm_ctl *c, struct query *q, const struct mm_opt *opts, const char *name,
    const char *about, int argc, char **argv, bool *go)
{
	struct mm_err err = MM_ERR_NONE;
	char usage[128];
	*go = false;
	snprintf(usage, sizeof(usage), "mailmuster %s [options]", name);
	if (mm_cli_parse(opts, &argc, argv, &err) < 0)
		return mm_ctl_fail(name, &err);
	if (q->help) {
		mm_cli_help(usage, about, opts);
		return MM_EX_OK;
	}
	if (argc > 0)
		return mm_ctl_usage(name, "takes no operands, only options");
	q->f.stale_after = q->stale_days * 86400;
	if (mm_ctl_open(c, &err) < 0)
		return mm_ctl_fail(name, &err);
	*go = true;
	return MM_EX_OK;
}

/* ---- report */

static int report_to_file(struct mm_ctl *c, const struct mm_output *out, const struct query *q,
    const struct mm_report_checks *checks, struct mm_err *err)
{
	struct mm_ctl_file o;
	if (mm_ctl_create(&o, q->output, 0644, err) != 0)
		return -1;
	return mm_ctl_finish(&o, mm_report_write(c->store, out, &q->f, checks, o.f, err) == 0, err);
}

static int report(struct mm_ctl *c, const struct mm_output *out, const struct query *q, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_judged_by j;
	int rc = mm_judge_by(c, q->baseline, q->check, a, &j, err);
	if (rc == 0 && q->list) {
		mm_list_checks(&j, q->json);
	} else if (rc == 0) {
		struct mm_report_checks checks = {.baseline = j.baseline,
		    .by = j.by,
		    .sample = q->baseline == NULL && q->check == NULL,
		    .sums = mm_arena_alloc(a, j.baseline->n + 1, sizeof(*checks.sums))};
		rc = q->output != NULL ? report_to_file(c, out, q, &checks, err)
				       : mm_report_write(c->store, out, &q->f, &checks, stdout, err);
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

static int cmd_report(struct mm_ctl *c, int argc, char **argv)
{
	struct query q = {.stale_days = MM_STALE_DAYS, .format = "text"};
	struct mm_err err = MM_ERR_NONE;
	const struct mm_opt opts[] = {
	    {.name = "format",
		.kind = MM_OPT_STRING,
		.dest = &q.format,
		.arg = "FORMAT",
		.help = "text, json, csv or html (text)"},
	    {.name = "output",
		.letter = 'o',
		.kind = MM_OPT_STRING,
		.dest = &q.output,
		.arg = "FILE",
		.help = "write here instead of standard output"},
	    {.name = "baseline",
		.kind = MM_OPT_STRING,
		.dest = &q.baseline,
		.arg = "NAME",
		.help = "judge by this baseline instead of the policy's"},
	    {.name = "check",
		.kind = MM_OPT_STRING,
		.dest = &q.check,
		.arg = "ID",
		.help = "only this check"},
	    {.name = "list-checks",
		.kind = MM_OPT_FLAG,
		.dest = &q.list,
		.help = "print the baseline: what is checked, why, and how it is set right"},
	    {.name = "json",
		.kind = MM_OPT_FLAG,
		.dest = &q.json,
		.help = "with --list-checks: for machines"},
	    QUERY_OPTS(&q),
	    {.name = NULL},
	};
	bool go;
	int rc = open_query(
	    c, &q, opts, "report", "Write a report of what the workstations have told.", argc, argv, &go);
	if (!go)
		return rc;
	const struct mm_output *out = mm_output_by_name(q.format);
	if (out == NULL)
		return unknown_format(q.format);
	rc = report(c, out, &q, &err);
	return rc < 0 ? mm_ctl_fail("report", &err) : rc;
}

/* ---- status */

static int status_exit(const struct mm_fleet *f)
{
	int rc = MM_EX_OK;
	if (f->places_by[MM_AUDIT_PASS] + f->places_by[MM_AUDIT_WAIVED] +
		    f->places_by[MM_AUDIT_NOT_APPLICABLE] <
		f->places ||
	    f->hosts_pending > 0 || f->seals_bad > 0 || f->alarms > 0 ||
	    (f->revision > 0 && f->hosts_current < f->hosts_fresh))
		rc |= MM_EX_DIFF;
	if (f->hosts_refused > 0)
		rc |= MM_EX_HOSTS_FAILED;
	if (f->hosts_unreachable > 0 || f->hosts_stale > 0 || f->hosts_never > 0)
		rc |= MM_EX_UNREACHABLE;
	return rc;
}

static void share(const char *what, int64_t good, int64_t whole, const char *rest)
{
	bool colour = mm_term_colour(stdout);
	enum mm_colour c = good == whole && whole > 0 ? MM_GREEN : MM_YELLOW;
	printf("%-14s%s%" PRId64 " of %" PRId64 "%s %s\n", what, mm_colour_code(c, colour), good, whole,
	    mm_colour_code(MM_PLAIN, colour), rest);
}

static void status_head(const struct mm_fleet *f)
{
	char line[512], now[MM_TIME_MAX];
	printf("Fleet at %s, policy revision %" PRId64 "\n\n", mm_time_utc(f->now, now), f->revision);
	snprintf(line, sizeof(line),
	    "reported lately; %" PRId64 " stale, %" PRId64 " never, %" PRId64 " on the current revision",
	    f->hosts_stale, f->hosts_never, f->hosts_current);
	share("workstations", f->hosts_fresh, f->hosts, line);
	snprintf(line, sizeof(line),
	    "compliant; %" PRId64 " not, %" PRId64 " waived, %" PRId64 " unknown, of these %" PRId64
	    " stale, %" PRId64 " never heard of",
	    f->places_by[MM_AUDIT_FAIL], f->places_by[MM_AUDIT_WAIVED], f->places_by[MM_AUDIT_UNKNOWN],
	    f->places_stale, f->places_unheard);
	share("people", f->places_by[MM_AUDIT_PASS], f->places, line);
	snprintf(line, sizeof(line),
	    "right; %" PRId64 " not, %" PRId64 " waived, %" PRId64 " unknown, %" PRId64 " stale",
	    f->settings_by[MM_AUDIT_FAIL], f->settings_by[MM_AUDIT_WAIVED], f->settings_by[MM_AUDIT_UNKNOWN],
	    f->settings_stale);
	share("settings", f->settings_by[MM_AUDIT_PASS],
	    f->settings - f->settings_by[MM_AUDIT_NOT_APPLICABLE], line);
	snprintf(line, sizeof(line), "passed; %" PRId64 " failed, %" PRId64 " untested, %" PRId64 " stale",
	    f->logins_result[MM_LOGIN_FAILED], f->logins_result[MM_LOGIN_UNTESTED], f->logins_stale);
	share("logins", f->logins_result[MM_LOGIN_PASSED], f->logins, line);
	if (f->hosts_pending > 0)
		printf("%-14s%" PRId64
		       " workstations still wait for their revision (mailmuster push --pending)\n",
		    "pending", f->hosts_pending);
	if (f->alarms > 0)
		printf("%-14s%" PRId64
		       " checkpoints that hosts have seen are not in our log: it was put back or "
		       "altered (mailmuster audit verify)\n",
		    "AUDIT LOG", f->alarms);
	if (f->seals_bad > 0) {
		bool colour = mm_term_colour(stdout);
		printf("%-14s%s%" PRId64
		       " reports are not what their host has signed%s (mailmuster audit verify)\n",
		    "signatures", mm_colour_code(MM_RED, colour), f->seals_bad,
		    mm_colour_code(MM_PLAIN, colour));
	}
	putchar('\n');
}

struct silent {
	int64_t hosts, silent;
};

struct differing {
	int64_t rows, waived;
};

struct table_walk {
	struct mm_table *t;
	int64_t now, revision;
	json_t *rows;
	int64_t n, waived;
	enum mm_section sec;
};

/* What was compared with an older policy says nothing of this one. */
static const char *host_word(const struct mm_host_row *h, int64_t revision, enum mm_colour *col)
{
	*col = MM_YELLOW;
	if (h->push.host != NULL && h->push.pending)
		return h->push.outcome[0] != '\0' ? h->push.outcome : "pending";
	if (h->seen == 0)
		return "never reported";
	if (h->stale)
		return "stale";
	if (h->expired)
		return "request expired";
	if (h->settings[MM_AUDIT_FAIL] > 0 || h->logins_by[MM_AUDIT_FAIL] > 0) {
		*col = MM_RED;
		return "not compliant";
	}
	if (h->settings[MM_AUDIT_UNKNOWN] > 0 || h->logins_by[MM_AUDIT_UNKNOWN] > 0)
		return "unknown";
	if (h->settings[MM_AUDIT_WAIVED] > 0 || h->logins_by[MM_AUDIT_WAIVED] > 0)
		return "waived";
	if (h->settings[MM_AUDIT_PASS] + h->logins_by[MM_AUDIT_PASS] == 0) {
		*col = MM_DIM;
		return "nothing to check";
	}
	if (h->revision != revision) {
		*col = MM_YELLOW;
		return "older revision";
	}
	*col = MM_GREEN;
	return "ok";
}

static int status_row(union mm_report_row r, void *arg, struct mm_err *err)
{
	(void)err;
	struct table_walk *w = arg;
	const struct mm_host_row *h = r.host;
	char age[MM_TIME_MAX * 2];
	if (w->rows != NULL) {
		json_array_append_new(w->rows, mm_row_json(MM_SEC_HOSTS, r));
		return 0;
	}
	enum mm_colour col;
	const char *word = host_word(h, w->revision, &col);
	int64_t logins = h->logins_stale, settings = 0;
	for (int i = 0; i < MM_LOGIN_COUNT; i++)
		logins += h->logins[i];
	for (int i = 0; i < MM_AUDIT_COUNT; i++)
		settings += i == MM_AUDIT_NOT_APPLICABLE ? 0 : h->settings[i];
	mm_table_cell(w->t, MM_PLAIN, "%s", h->host);
	mm_table_cell(w->t, col, "%s", word);
	mm_table_cell(w->t, MM_PLAIN, "%" PRId64, h->users);
	mm_table_cell(w->t, MM_PLAIN, "%" PRId64 "/%" PRId64, h->settings[MM_AUDIT_PASS], settings);
	mm_table_cell(w->t, MM_PLAIN, "%" PRId64 "/%" PRId64, h->logins[MM_LOGIN_PASSED], logins);
	mm_table_cell(w->t, MM_PLAIN, "%" PRId64, h->revision);
	mm_table_cell(w->t, MM_DIM, "%s", mm_age(w->now, h->seen, age));
	w->n++;
	return 0;
}

/* Ask the hosts now: what they hold against what is there, nothing written. */
static int refresh(struct mm_ctl *c, struct query *q, struct mm_err *err)
{
	const struct mm_push_how how = {.op = MM_OP_STATUS, .progress = true};
	const struct mm_opt_list none = {0};
	struct mm_selection sel = {.all = true,
	    .hosts = q->f.host ? (struct mm_opt_list){&q->f.host, 1} : none,
	    .tags = q->f.tag ? (struct mm_opt_list){&q->f.tag, 1} : none,
	    .groups = q->f.group ? (struct mm_opt_list){&q->f.group, 1} : none,
	    .users = q->f.user ? (struct mm_opt_list){&q->f.user, 1} : none};
	struct mm_push_summary s;
	int rc = mm_push_run_op(c, &sel, &how, &s, err);
	for (size_t i = 0; rc == 0 && i < s.n; i++)
		if (s.hosts[i].outcome.cls != MM_PC_OK)
			fprintf(stderr, "mailmuster status: %s: %s\n", s.hosts[i].target->host.id,
			    s.hosts[i].outcome.text);
	int status = s.exit_status;
	mm_push_summary_free(&s);
	return rc < 0 ? -1 : status;
}

static int cmd_status(struct mm_ctl *c, int argc, char **argv)
{
	struct query q = {.stale_days = MM_STALE_DAYS};
	struct mm_err err = MM_ERR_NONE;
	const struct mm_opt opts[] = {
	    {.name = "refresh",
		.kind = MM_OPT_FLAG,
		.dest = &q.refresh,
		.help = "ask the hosts now; nothing is written there"},
	    {.name = "json", .kind = MM_OPT_FLAG, .dest = &q.json, .help = "for machines"},
	    QUERY_OPTS(&q),
	    {.name = NULL},
	};
	bool go;
	int asked = 0;
	int rc = open_query(c, &q, opts, "status", "The fleet at a glance.", argc, argv, &go);
	if (!go)
		return rc;
	if (q.refresh && (asked = refresh(c, &q, &err)) < 0)
		return mm_ctl_fail("status", &err);
	if (asked == MM_EX_INTERRUPTED)
		return asked;
	static const char *const heads[] = {
	    "HOST", "STATE", "USERS", "SETTINGS", "LOGINS", "REVISION", "LAST REPORT", NULL};
	struct mm_arena *a = mm_arena_new();
	struct mm_report_meta meta;
	struct table_walk w = {.rows = q.json ? json_array() : NULL, .t = mm_table_new(heads)};
	rc = mm_report_meta(c->store, &q.f, a, &meta, &err);
	w.now = meta.fleet.now;
	w.revision = meta.fleet.revision;
	if (rc == 0)
		rc = mm_report_section(c->store, MM_SEC_HOSTS, &q.f, status_row, &w, &err);
	if (rc == 0 && q.json) {
		json_t *o = mm_fleet_json(&meta.fleet);
		mm_json_set(o, "host_rows", json_incref(w.rows));
		mm_ctl_json(o);
	} else if (rc == 0) {
		status_head(&meta.fleet);
		if (w.n > 0)
			mm_table_print(w.t, stdout);
	}
	mm_table_free(w.t);
	json_decref(w.rows);
	mm_arena_free(a);
	return rc < 0 ? mm_ctl_fail("status", &err) : (status_exit(&meta.fleet) | asked);
}

/* ---- drift */

static void drift_finding(struct table_walk *w, const struct mm_finding_row *r)
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
	mm_table_cell(w->t, MM_PLAIN, "%s", f->found != NULL ? f->found : "-");
	mm_table_cell(w->t, MM_PLAIN, "%s", mm_age(w->now, r->since, age));
	mm_table_cell(w->t, MM_DIM, "%s%s%s%s", f->override_path != NULL ? f->override_path : f->path, d,
	    why.len > 0 ? "  " : "", mm_buf_str(&why));
	mm_buf_free(&why);
}

static void drift_login(struct table_walk *w, const struct mm_login_row *r)
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
	(void)err;
	struct table_walk *w = arg;
	w->n++;
	w->waived += (w->sec == MM_SEC_DIFFERENCES ? r.finding->audit : r.login->audit) == MM_AUDIT_WAIVED;
	if (w->rows != NULL)
		json_array_append_new(w->rows, mm_row_json(w->sec, r));
	else if (w->sec == MM_SEC_DIFFERENCES)
		drift_finding(w, r.finding);
	else
		drift_login(w, r.login);
	return 0;
}

static int drift_section(struct mm_ctl *c, const struct query *q, enum mm_section sec, json_t *o,
    struct differing *n, struct mm_err *err)
{
	static const char *const heads[][11] = {
	    {"HOST", "USER", "CLIENT", "ACCOUNT", "SETTING", "STATE", "DESIRED", "FOUND", "SINCE", "WHERE",
		NULL},
	    {"HOST", "USER", "ACCOUNT", "SERVER", "LOGIN", "SINCE", "WHY", NULL},
	};
	struct table_walk w = {
	    .sec = sec, .now = mm_store_now(c->store), .rows = q->json ? json_array() : NULL};
	w.t = mm_table_new(heads[sec == MM_SEC_DIFFERENCES ? 0 : 1]);
	int rc = mm_report_section(c->store, sec, &q->f, drift_row, &w, err);
	if (rc == 0 && q->json)
		mm_json_set(o, mm_section_key(sec), json_incref(w.rows));
	if (rc == 0 && !q->json && w.n > 0) {
		if (n->rows > 0)
			putchar('\n');
		mm_table_print(w.t, stdout);
	}
	n->rows += w.n;
	n->waived += w.waived;
	mm_table_free(w.t);
	json_decref(w.rows);
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
	struct query q = {.stale_days = MM_STALE_DAYS};
	struct mm_err err = MM_ERR_NONE;
	const struct mm_opt opts[] = {
	    {.name = "json", .kind = MM_OPT_FLAG, .dest = &q.json, .help = "for machines"},
	    QUERY_OPTS(&q),
	    {.name = NULL},
	};
	bool go;
	int rc = open_query(c, &q, opts, "drift",
	    "Every setting that differs, and every login that did not pass.", argc, argv, &go);
	if (!go)
		return rc;
	json_t *o = json_object();
	struct differing n = {0, 0};
	rc = drift_section(c, &q, MM_SEC_DIFFERENCES, o, &n, &err);
	if (rc == 0)
		rc = drift_section(c, &q, MM_SEC_LOGINS, o, &n, &err);
	struct silent silent = {0, 0};
	if (rc == 0)
		rc = mm_report_section(c->store, MM_SEC_HOSTS, &q.f, count_silent, &silent, &err);
	if (rc == 0 && q.json)
		mm_ctl_json(json_incref(o));
	json_decref(o);
	return rc < 0 ? mm_ctl_fail("drift", &err) : drift_end(&silent, &n, q.json);
}

const struct mm_cmd mm_cmd_report = {
    "report", "[--format text|json|csv|html] [options]", "write a report", cmd_report};
const struct mm_cmd mm_cmd_status = {"status", "[options]", "the fleet at a glance", cmd_status};
const struct mm_cmd mm_cmd_drift = {"drift", "[options]", "what differs, where, and since when", cmd_drift};
