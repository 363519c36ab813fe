#include <string.h>

#include "common/text.h"
#include "controller/report/outputs.h"

/* RFC 4180 with CR LF. A cell that a spreadsheet would take for a formula
 * gets an apostrophe in front: the text comes from workstations and servers. */
static void cell(struct mm_out *o, const char *s, bool last)
{
	if (s == NULL)
		s = "";
	fputc('"', o->f);
	if (s[0] != '\0' && strchr("=+-@\t\r", s[0]) != NULL)
		fputc('\'', o->f);
	for (; *s != '\0'; s++) {
		if (*s == '"')
			fputc('"', o->f);
		fputc(*s, o->f);
	}
	fputs(last ? "\"\r\n" : "\",", o->f);
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

static void begin(struct mm_out *o)
{
	fputs("kind,host,user,client,path,line,account,setting,desired,found,state,action,result,reason,"
	      "evidence,"
	      "stale,since,seen\r\n",
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
	cell(o, mm_audit_name(r->stale ? MM_AUDIT_UNKNOWN : mm_verdict(f->state, f->action).audit), false);
	cell(o, f->reason, false);
	cell(o, evidence_name(r->evidence), false);
	cell(o, r->stale ? "yes" : "no", false);
	when(o, r->since, false);
	when(o, r->seen, true);
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
	cell(o, l->any ? mm_level_name(l->reached) : "nothing", false);
	cell(o, mm_result_name(l->result), false);
	cell(o, l->cls, false);
	cell(
	    o, mm_audit_name(r->stale ? MM_AUDIT_UNKNOWN : mm_login_verdict(l->result, l->cls).audit), false);
	cell(o, l->admin[0] != '\0' ? l->admin : l->text, false);
	cell(o, evidence_name(r->evidence), false);
	cell(o, r->stale ? "yes" : "no", false);
	when(o, r->since, false);
	when(o, r->seen, true);
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
