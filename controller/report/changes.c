/* What changed between two moments: the sections, and their words. */
#include "common/text.h"
#include "controller/report/report.h"

struct pass {
	mm_section_cb *cb;
	void *arg;
};

static struct mm_change_side finding_side(const struct mm_finding_row *r)
{
	if (r == NULL)
		return (struct mm_change_side){.state = "", .cls = ""};
	return (struct mm_change_side){.there = true,
	    .state = mm_state_name(r->f.state),
	    .cls = "",
	    .found = r->f.found,
	    .desired = r->f.desired,
	    .audit = r->audit,
	    .since = r->since,
	    .stale = r->stale};
}

static int pass_finding(enum mm_turn c, const struct mm_finding_row *then, const struct mm_finding_row *now,
    void *arg, struct mm_err *err)
{
	const struct pass *p = arg;
	const struct mm_finding_row *any = now != NULL ? now : then;
	const struct mm_change_row r = {.change = c,
	    .host = any->host,
	    .user = any->f.user,
	    .account = any->f.account,
	    .client = any->f.client,
	    .path = any->f.override_path != NULL ? any->f.override_path : any->f.path,
	    .setting = any->f.setting,
	    .line = any->f.line,
	    .then = finding_side(then),
	    .now = finding_side(now)};
	return p->cb((union mm_report_row){.change = &r}, p->arg, err);
}

static struct mm_change_side login_side(const struct mm_login_row *r, struct mm_buf *server)
{
	if (r == NULL)
		return (struct mm_change_side){.state = "", .cls = ""};
	mm_buf_addf(server, "%s:%d", r->l.host, r->l.port);
	return (struct mm_change_side){.there = true,
	    .state = mm_result_name(r->l.result),
	    .cls = r->l.cls,
	    .found = mm_buf_str(server),
	    .audit = r->audit,
	    .since = r->since,
	    .stale = r->stale};
}

static int pass_login(enum mm_turn c, const struct mm_login_row *then, const struct mm_login_row *now,
    void *arg, struct mm_err *err)
{
	const struct pass *p = arg;
	const struct mm_login_row *any = now != NULL ? now : then;
	struct mm_buf server[2] = {MM_BUF_INIT(8192), MM_BUF_INIT(8192)};
	const struct mm_change_row r = {.change = c,
	    .login = true,
	    .host = any->host,
	    .user = any->l.user,
	    .account = any->l.account,
	    .client = "",
	    .path = "",
	    .setting = any->l.side,
	    .then = login_side(then, &server[0]),
	    .now = login_side(now, &server[1])};
	int rc = p->cb((union mm_report_row){.change = &r}, p->arg, err);
	mm_buf_free(&server[0]);
	mm_buf_free(&server[1]);
	return rc;
}

static int check_changes(const struct mm_report_meta *m, mm_section_cb *cb, void *arg, struct mm_err *err)
{
	for (size_t i = 0; m->sums_then != NULL && i < m->baseline->n; i++) {
		const struct mm_check_change r = {.then = &m->sums_then[i], .now = &m->sums[i]};
		if (r.then->results + r.now->results > 0 &&
		    cb((union mm_report_row){.check_change = &r}, arg, err) != 0)
			return -1;
	}
	return 0;
}

int mm_report_changes(struct mm_store *s, enum mm_section sec, const struct mm_report_meta *meta,
    mm_section_cb *cb, void *arg, struct mm_err *err)
{
	static const struct mm_change_cbs cbs = {pass_finding, pass_login};
	struct pass p = {cb, arg};
	if (sec == MM_SEC_CHECK_CHANGES)
		return check_changes(meta, cb, arg, err);
	return mm_store_changes(s, &meta->filter, meta->since, &cbs, &p, err);
}

/* ---- words */

void mm_change_of(const struct mm_change_row *r, struct mm_buf *out)
{
	const char *const parts[] = {r->client, r->account, r->setting};
	mm_buf_addf(out, "%s on %s", r->user, r->host);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (parts[i][0] != '\0')
			mm_buf_addf(out, ", %s", parts[i]);
	if (r->login)
		mm_buf_adds(out, " login");
}

void mm_change_side_words(const struct mm_change_side *s, struct mm_buf *out)
{
	mm_buf_adds(out, s->there ? s->state : "not there");
	if (s->cls[0] != '\0')
		mm_buf_addf(out, " %s", s->cls);
	if (s->found != NULL)
		mm_buf_addf(out, ": %s", s->found);
	if (s->desired != NULL && !mm_streq(s->desired, s->found))
		mm_buf_addf(out, "%s instead of %s", s->found != NULL ? "" : ": nothing", s->desired);
	if (s->there && s->audit == MM_AUDIT_WAIVED)
		mm_buf_adds(out, ", waived");
	if (s->stale)
		mm_buf_adds(out, ", stale");
}
