#include <string.h>

#include "common/term.h"
#include "common/text.h"
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
	struct mm_buf shown = MM_BUF_INIT(65536);
	mm_printable(&shown, s != NULL ? s : "", s != NULL ? strlen(s) : 0);
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

static const char *evidence_name(enum mm_evidence e)
{
	return e == MM_EV_CLAIMED ? "claimed" : "attested";
}

/* The last two: the sentence says of one that has expired that it has. */
static void waiver(struct mm_out *o, const struct mm_waiver_of *w)
{
	struct mm_buf b = MM_BUF_INIT(65536);
	mm_waiver_sentence(w, &b);
	cell(o, mm_buf_str(&b), false);
	when(o, w->until, true);
	mm_buf_free(&b);
}

static void begin(struct mm_out *o)
{
	fputs("kind,host,user,client,path,line,account,setting,desired,found,state,action,result,reason,"
	      "evidence,"
	      "stale,since,seen,waiver,waived_until\r\n",
	    o->f);
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
	cell(o, evidence_name(r->evidence), false);
	cell(o, r->stale ? "yes" : "no", false);
	when(o, r->since, false);
	when(o, r->seen, false);
	waiver(o, &r->waiver);
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
	cell(o, evidence_name(r->evidence), false);
	cell(o, r->stale ? "yes" : "no", false);
	when(o, r->since, false);
	when(o, r->seen, false);
	waiver(o, &r->waiver);
}

static void row(struct mm_out *o, union mm_report_row r)
{
	if (o->section == MM_SEC_ALL_FINDINGS)
		finding(o, r.finding);
	else
		login(o, r.login);
}

const struct mm_output mm_output_csv = {
    .name = "csv",
    .about = "one row per setting and per login, for a spreadsheet (RFC 4180)",
    .sections = {MM_SEC_ALL_FINDINGS, MM_SEC_ALL_LOGINS, MM_SEC_COUNT},
    .begin = begin,
    .row = row,
};
