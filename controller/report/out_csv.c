#include <inttypes.h>
#include <string.h>

#include "common/term.h"
#include "common/text.h"
#include "controller/report/about.h"
#include "controller/report/outputs.h"

/* Would a spreadsheet take this for a formula? The wide forms of the four
 * signs are U+FF1D, U+FF0B, U+FF0D and U+FF20. */
static bool is_formula(const char *s)
{
	static const char *const wide[] = {"\xef\xbc\x9d", "\xef\xbc\x8b", "\xef\xbc\x8d", "\xef\xbc\xa0"};
	if (s[0] != '\0' && strchr("=+-@\t\r", s[0]) != NULL)
		return true;
	for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++)
		if (mm_starts_with(s, wide[i]))
			return true;
	return false;
}

/* RFC 4180 with CR LF. The text comes from workstations and servers: a formula
 * gets an apostrophe in front, and what a terminal must not show is spelt out. */
static void cell(struct mm_out *o, const char *s, bool last)
{
	if (s == NULL || s[0] == '\0') {
		fputs(last ? "\"\"\r\n" : "\"\",", o->f);
		return;
	}
	struct mm_buf shown = MM_BUF_INIT(65536);
	mm_printable(&shown, s, strlen(s));
	fputc('"', o->f);
	if (is_formula(mm_buf_str(&shown)))
		fputc('\'', o->f);
	for (const char *p = mm_buf_str(&shown); *p != '\0'; p++) {
		if (*p == '"')
			fputc('"', o->f);
		fputc(*p, o->f);
	}
	fputs(last ? "\"\r\n" : "\",", o->f);
	mm_buf_free(&shown);
}

static void number(struct mm_out *o, int n)
{
	char b[16];
	snprintf(b, sizeof(b), "%d", n);
	cell(o, n != 0 ? b : "", false);
}

static void when(struct mm_out *o, int64_t t, bool last)
{
	char b[MM_TIME_MAX];
	cell(o, t > 0 ? mm_time_utc(t, b) : "", last);
}

/* Two cells: the sentence says of one that has expired that it has. */
static void waiver(struct mm_out *o, const struct mm_waiver_of *w)
{
	struct mm_buf b = MM_BUF_INIT(65536);
	mm_waiver_sentence(w, &b);
	cell(o, mm_buf_str(&b), false);
	when(o, w->until, false);
	mm_buf_free(&b);
}

static void skip(struct mm_out *o, size_t n)
{
	while (n-- > 0)
		cell(o, "", false);
}

static void count(struct mm_out *o, int64_t n, bool last)
{
	char b[32];
	snprintf(b, sizeof(b), "%" PRId64, n);
	cell(o, b, last);
}

/* The columns come in three parts: what a thing is and how it went, the
 * check, and the counts of a check. */
#define N_FIRST 20 /* "kind" to "waived_until" */
#define N_CHECK 6
#define N_COUNTS (MM_OUT_COUNT + 6)

/* A report with what changed has four columns more; they end every row of it. */
static void changed(struct mm_out *o, const char *change, const struct mm_change_side *then)
{
	struct mm_buf words = MM_BUF_INIT(65536);
	if (o->meta->since == 0)
		return;
	if (then != NULL && then->there)
		mm_change_side_words(then, &words);
	cell(o, change, false);
	cell(o, then != NULL ? then->state : "", false);
	cell(o, then != NULL && then->there ? mm_audit_name(then->audit) : "", false);
	cell(o, mm_buf_str(&words), true);
	mm_buf_free(&words);
}

/* The last cell but those. */
static void ends(struct mm_out *o)
{
	cell(o, "", o->meta->since == 0);
	changed(o, "", NULL);
}

static void no_check(struct mm_out *o)
{
	skip(o, N_CHECK + N_COUNTS - 1);
	ends(o);
}

/* What the report is about: a row for each name and value. */
static void head(struct mm_out *o)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_about about[MM_ABOUT_MAX];
	size_t n = mm_report_about(o->meta, a, about);
	for (size_t i = 0; i < n; i++) {
		cell(o, "report", false);
		skip(o, 6);
		cell(o, about[i].name, false);
		skip(o, 1);
		cell(o, about[i].value, false);
		skip(o, N_FIRST - 10);
		no_check(o);
	}
	mm_arena_free(a);
}

static void begin(struct mm_out *o)
{
	fputs("kind,host,user,client,path,line,account,setting,desired,found,state,action,result,reason,"
	      "evidence,"
	      "stale,since,seen,waiver,waived_until,"
	      "check,severity,title,fix,method,expires,"
	      "results,compliant,drifted,failed,unknown,waived,deferred,notapplicable,stale_results,"
	      "claimed_results,expired_waivers,users,users_failing",
	    o->f);
	fputs(o->meta->since > 0 ? ",change,state_then,result_then,then\r\n" : "\r\n", o->f);
	head(o);
}

static void finding(struct mm_out *o, const struct mm_finding_row *r)
{
	const struct mm_finding *f = &r->f;
	cell(o, "setting", false);
	cell(o, r->host, false);
	cell(o, f->user, false);
	cell(o, f->client, false);
	cell(o, f->override_path != NULL ? f->override_path : f->path, false);
	number(o, f->line);
	cell(o, f->account, false);
	cell(o, f->setting, false);
	cell(o, f->desired, false);
	cell(o, f->found, false);
	cell(o, mm_state_name(f->state), false);
	cell(o, mm_action_name(f->action), false);
	cell(o, mm_audit_name(r->audit), false);
	cell(o, f->reason, false);
	cell(o, mm_evidence_name(r->evidence), false);
	cell(o, r->stale ? "yes" : "no", false);
	when(o, r->since, false);
	when(o, r->seen, false);
	waiver(o, &r->waiver);
	no_check(o);
}

static void login(struct mm_out *o, const struct mm_login_row *r)
{
	const struct mm_login *l = &r->l;
	char server[512];
	snprintf(server, sizeof(server), "%s:%d", l->host, l->port);
	cell(o, "login", false);
	cell(o, r->host, false);
	cell(o, l->user, false);
	cell(o, l->protocol, false);
	cell(o, server, false);
	cell(o, "", false);
	cell(o, l->account, false);
	cell(o, l->side, false);
	cell(o, mm_level_name(l->level), false);
	cell(o, mm_login_held(l), false);
	cell(o, mm_result_name(l->result), false);
	cell(o, l->cls, false);
	cell(o, mm_audit_name(r->audit), false);
	cell(o, l->admin[0] != '\0' ? l->admin : l->text, false);
	cell(o, mm_evidence_name(r->evidence), false);
	cell(o, r->stale ? "yes" : "no", false);
	when(o, r->since, false);
	when(o, r->seen, false);
	waiver(o, &r->waiver);
	no_check(o);
}

/* The check of a result or of a sum: N_CHECK cells. */
static void of_check(struct mm_out *o, const struct mm_check *c, const struct mm_check_result *r)
{
	cell(o, c->id, false);
	cell(o, mm_severity_name(c->severity), false);
	cell(o, c->title, false);
	cell(o, r != NULL ? r->fix : "", false);
	cell(o, r == NULL ? "" : r->method == MM_METHOD_TEST ? "test" : "examine", false);
	when(o, r != NULL ? r->expires : 0, false);
}

static void result(struct mm_out *o, const struct mm_check_result *r)
{
	cell(o, "result", false);
	cell(o, r->host, false);
	cell(o, r->user, false);
	cell(o, r->client, false);
	cell(o, r->path, false);
	number(o, r->line);
	cell(o, r->account, false);
	skip(o, 1);
	cell(o, r->wanted, false);
	cell(o, r->found, false);
	skip(o, 2);
	cell(o, mm_outcome_name(r->outcome), false);
	cell(o, r->why, false);
	cell(o, mm_evidence_name(r->evidence), false);
	cell(o, r->stale ? "yes" : "no", false);
	when(o, r->since, false);
	when(o, r->seen, false);
	waiver(o, &r->waiver);
	of_check(o, r->check, r);
	skip(o, N_COUNTS - 1);
	ends(o);
}

static void sum(struct mm_out *o, const struct mm_check_sum *s)
{
	struct mm_buf words = MM_BUF_INIT(4096);
	mm_sum_words(s, &words);
	cell(o, "check", false);
	skip(o, 12);
	cell(o, mm_buf_str(&words), false);
	mm_buf_free(&words);
	skip(o, 3);
	when(o, s->oldest, false);
	skip(o, 2);
	of_check(o, s->check, NULL);
	count(o, s->results, false);
	for (int i = 0; i < MM_OUT_COUNT; i++)
		count(o, s->by[i], false);
	count(o, s->stale, false);
	count(o, s->claimed, false);
	count(o, s->expired_waivers, false);
	count(o, s->users, false);
	count(o, s->users_failing, o->meta->since == 0);
	changed(o, "", NULL);
}

/* Also one that covers nothing at the moment: somebody has accepted something. */
static void accepted(struct mm_out *o, const struct mm_waiver *w)
{
	const struct mm_waiver_of of = {.id = w->id,
	    .until = w->until,
	    .expired = w->until <= o->meta->fleet.now,
	    .owner = w->owner,
	    .reason = w->reason};
	struct mm_buf scope = MM_BUF_INIT(8192);
	mm_waiver_scope(w, &scope);
	cell(o, "waiver", false);
	cell(o, w->host, false);
	cell(o, w->user, false);
	cell(o, w->client, false);
	skip(o, 2);
	cell(o, w->account, false);
	skip(o, 2);
	cell(o, mm_buf_str(&scope), false);
	cell(o, of.expired ? "expired" : "in force", false);
	skip(o, 2);
	cell(o, w->reason, false);
	skip(o, 2);
	when(o, w->added, false);
	skip(o, 1);
	waiver(o, &of);
	cell(o, w->check, false);
	skip(o, N_CHECK - 1 + N_COUNTS - 1);
	ends(o);
	mm_buf_free(&scope);
}

/* As it is now; the last columns tell how it was. */
static void change(struct mm_out *o, const struct mm_change_row *r)
{
	cell(o, r->login ? "login-change" : "setting-change", false);
	cell(o, r->host, false);
	cell(o, r->user, false);
	cell(o, r->client, false);
	cell(o, r->path, false);
	number(o, r->line);
	cell(o, r->account, false);
	cell(o, r->setting, false);
	cell(o, r->now.desired, false);
	cell(o, r->now.found, false);
	cell(o, r->now.state, false);
	cell(o, "", false);
	cell(o, r->now.there ? mm_audit_name(r->now.audit) : "", false);
	cell(o, r->now.cls, false);
	cell(o, "", false);
	cell(o, !r->now.there ? "" : r->now.stale ? "yes" : "no", false);
	when(o, r->now.since, false);
	skip(o, N_FIRST - 17 + N_CHECK + N_COUNTS);
	changed(o, mm_turn_name(r->change), &r->then);
}

/* The words of both sums. */
static void check_change(struct mm_out *o, const struct mm_check_change *r)
{
	struct mm_buf words = MM_BUF_INIT(4096);
	mm_check_sum_words(r->now, &words);
	cell(o, "check-change", false);
	skip(o, 12);
	cell(o, mm_buf_str(&words), false);
	skip(o, N_FIRST - 14);
	of_check(o, r->now->check, NULL);
	skip(o, N_COUNTS + 3);
	mm_buf_reset(&words);
	mm_check_sum_words(r->then, &words);
	cell(o, mm_buf_str(&words), true);
	mm_buf_free(&words);
}

static void row(struct mm_out *o, union mm_report_row r)
{
	if (o->section == MM_SEC_CHANGES) {
		change(o, r.change);
		return;
	}
	if (o->section == MM_SEC_CHECK_CHANGES) {
		check_change(o, r.check_change);
		return;
	}
	if (o->section == MM_SEC_WAIVERS)
		accepted(o, r.waiver);
	else if (o->section == MM_SEC_CHECKS)
		sum(o, r.sum);
	else if (o->section == MM_SEC_ALL_RESULTS)
		result(o, r.result);
	else if (o->section == MM_SEC_ALL_FINDINGS)
		finding(o, r.finding);
	else
		login(o, r.login);
}

const struct mm_output mm_output_csv = {
    .name = "csv",
    .about = "a row per check, result, setting, login and waiver, for a spreadsheet (RFC 4180)",
    .sections = {MM_SEC_CHECK_CHANGES, MM_SEC_CHANGES, MM_SEC_CHECKS, MM_SEC_ALL_RESULTS, MM_SEC_ALL_FINDINGS,
	MM_SEC_ALL_LOGINS, MM_SEC_WAIVERS, MM_SEC_COUNT},
    .begin = begin,
    .row = row,
};
