/* `status`: the fleet at a glance. */
#include "controller/cmd_report.h"

#include <inttypes.h>
#include <string.h>

#include "common/json.h"
#include "common/term.h"
#include "common/text.h"
#include "controller/push_op.h"
#include "controller/query.h"
#include "controller/report/json_rows.h"
#include "controller/report/report.h"

#define SHOWN_ALL 200 /* of so many workstations each has its line */
#define SHOWN 50      /* of more only those that need somebody, and so many of them */

struct status {
	struct mm_query q;
	bool refresh, all;
};

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
	printf("Fleet at %s, ", mm_time_utc(f->now, now));
	if (f->revision > 0)
		printf("policy revision %" PRId64 "\n\n", f->revision);
	else
		printf("no policy\n\n");
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

struct host_table {
	struct mm_table *t;
	int64_t now, revision;
	bool json, needy; /* only those that need somebody */
	int64_t n;
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
	struct host_table *w = arg;
	const struct mm_host_row *h = r.host;
	char age[MM_TIME_MAX * 2];
	if (w->json) {
		mm_row_print(stdout, MM_SEC_HOSTS, r, w->n++);
		return 0;
	}
	enum mm_colour col;
	const char *word = host_word(h, w->revision, &col);
	if (w->needy && (col == MM_GREEN || col == MM_DIM))
		return 0;
	if (w->needy && w->n == SHOWN)
		return 1;
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
	mm_table_flow(w->t, stdout);
	return 0;
}

/* Ask the hosts now: what they hold against what is there, nothing written. */
static int refresh(struct mm_ctl *c, struct mm_query *q, struct mm_err *err)
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

static int hosts(struct mm_ctl *c, const struct status *s, struct host_table *w, struct mm_err *err)
{
	int rc = mm_report_section(c->store, MM_SEC_HOSTS, &s->q.f, status_row, w, err);

	return rc < 0 ? -1 : 0;
}

static int as_json(struct mm_ctl *c, const struct status *s, const struct mm_fleet *f, struct mm_err *err)
{
	struct host_table w = {.json = true};
	struct mm_buf b = MM_BUF_INIT(65536);

	mm_fleet_text(&b, NULL, f);
	/* The object goes on with its rows, one at a time. */
	printf("%.*s,\"host_rows\":[", (int)b.len - 1, mm_buf_str(&b));
	mm_buf_free(&b);
	if (hosts(c, s, &w, err))
		return -1;
	puts("]}");
	return 0;
}

static int as_text(struct mm_ctl *c, const struct status *s, const struct mm_fleet *f, struct mm_err *err)
{
	static const char *const heads[] = {
	    "HOST", "STATE", "USERS", "SETTINGS", "LOGINS", "REVISION", "LAST REPORT", NULL};
	struct host_table w = {
	    .now = f->now, .revision = f->revision, .needy = !s->all && f->hosts > SHOWN_ALL};
	int rc;

	w.t = mm_table_new(heads);
	status_head(f);
	rc = hosts(c, s, &w, err);
	if (rc == 0 && w.n > 0)
		mm_table_print(w.t, stdout);
	if (rc == 0 && w.needy && w.n > 0)
		printf("\nOf %" PRId64 " workstations %s%" PRId64
		       " that need attention; all of them: mailmuster status --all\n",
		    f->hosts, w.n == SHOWN ? "the first " : "", w.n);
	mm_table_free(w.t);
	return rc;
}

static int cmd_status(struct mm_ctl *c, int argc, char **argv)
{
	struct status s = {.q = MM_QUERY_INIT};
	struct mm_err err = MM_ERR_NONE;
	const struct mm_opt opts[] = {
	    {.name = "refresh",
		.kind = MM_OPT_FLAG,
		.dest = &s.refresh,
		.help = "ask the hosts now; nothing is written there"},
	    {.name = "all", .kind = MM_OPT_FLAG, .dest = &s.all, .help = "each workstation, however many"},
	    {.name = "json", .kind = MM_OPT_FLAG, .dest = &s.q.json, .help = "for machines"},
	    MM_QUERY_OPTS(&s.q),
	    {.name = NULL},
	};
	struct mm_report_meta meta;
	bool go;
	int asked = 0, rc = mm_query_open(c, &s.q, opts, "status", "The fleet at a glance.", argc, argv, &go);

	if (!go)
		return rc;
	if (s.refresh && s.q.f.at)
		return mm_ctl_usage(
		    "status", "nobody can be asked how it was: --refresh or --as-of, not both");
	if (s.refresh && (asked = refresh(c, &s.q, &err)) < 0)
		return mm_ctl_fail("status", &err);
	if (asked == MM_EX_INTERRUPTED)
		return asked;
	struct mm_arena *a = mm_arena_new();
	rc = mm_report_meta(c->store, &s.q.f, a, &meta, &err);
	if (rc == 0)
		rc = s.q.json ? as_json(c, &s, &meta.fleet, &err) : as_text(c, &s, &meta.fleet, &err);
	mm_arena_free(a);
	return rc < 0 ? mm_ctl_fail("status", &err) : (status_exit(&meta.fleet) | asked);
}

const struct mm_cmd mm_cmd_status = {"status", "[options]", "the fleet at a glance", cmd_status};
