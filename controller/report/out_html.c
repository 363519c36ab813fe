#include <inttypes.h>

#include "common/text.h"
#include "controller/report/html.h"
#include "controller/report/outputs.h"

static const struct {
	const char *word, *mark;
} result[] = {
    [MM_AUDIT_PASS] = {"compliant", "pass"},
    [MM_AUDIT_FAIL] = {"not compliant", "fail"},
    [MM_AUDIT_UNKNOWN] = {"unknown", "unknown"},
    [MM_AUDIT_NOT_APPLICABLE] = {"nothing to check", "na"},
    [MM_AUDIT_WAIVED] = {"waived", "waived"},
};

static void badge(FILE *f, const char *mark, const char *word)
{
	fprintf(f, "<span class=\"badge %s\">%s</span>", mark, word);
}

/* An instant as people want it: how long ago, with the exact time behind it. */
static void age(const struct mm_out *o, int64_t t)
{
	char a[MM_TIME_MAX * 2], u[MM_TIME_MAX];
	if (t == 0) {
		fputs("never", o->f);
		return;
	}
	fprintf(o->f, "<time datetime=\"%s\" title=\"%s\">%s</time>", mm_time_utc(t, u), u,
	    mm_age(o->meta->fleet.now, t, a));
}

static void evidence(const struct mm_out *o, int64_t seen, bool stale, bool claimed)
{
	age(o, seen);
	if (stale)
		fputs(" <span class=\"note\">stale</span>", o->f);
	if (claimed)
		fputs(" <span class=\"note\">claimed</span>", o->f);
}

/* ---- the head: three cards, each a share with its whole and what is stale */

static void summary(struct mm_out *o)
{
	const struct mm_fleet *f = &o->meta->fleet;
	const struct mm_html_part people[] = {
	    {f->places_by[MM_AUDIT_PASS], "pass", "compliant"},
	    {f->places_by[MM_AUDIT_FAIL], "fail", "not compliant"},
	    {f->places_by[MM_AUDIT_WAIVED], "waived", "waived"},
	    {f->places_by[MM_AUDIT_UNKNOWN] + f->places_by[MM_AUDIT_NOT_APPLICABLE], "unknown", "unknown"},
	};
	const struct mm_html_part logins[] = {
	    {f->logins_result[MM_LOGIN_PASSED], "pass", "passed"},
	    {f->logins_result[MM_LOGIN_FAILED], "fail", "failed"},
	    {f->logins_result[MM_LOGIN_UNTESTED], "unknown", "untested"},
	    {f->logins_stale, "stale", "stale"},
	};
	const struct mm_html_part hosts[] = {
	    {f->hosts_fresh, "pass", "reported lately"},
	    {f->hosts_stale, "stale", "stale"},
	    {f->hosts_never, "unknown", "never reported"},
	};
	fputs("<section class=\"cards\" aria-label=\"Summary\">\n", o->f);
	mm_html_card(o->f, "People", "have every setting right, proven by login", people, 4, f->places,
	    f->places_stale);
	mm_html_card(
	    o->f, "Live logins", "were accepted by the mail servers", logins, 4, f->logins, f->logins_stale);
	mm_html_card(o->f, "Workstations", "have reported lately", hosts, 3, f->hosts, f->hosts_stale);
	fputs("</section>\n", o->f);
}

static void begin(struct mm_out *o)
{
	const struct mm_fleet *f = &o->meta->fleet;
	char now[MM_TIME_MAX];
	mm_html_head(o->f, o->meta->title);
	fputs("<header><h1>", o->f);
	mm_html_text(o->f, o->meta->title);
	fprintf(o->f, "</h1>\n<p class=\"lead\">As of <time>%s</time> \u00b7 policy revision %" PRId64,
	    mm_time_utc(f->now, now), f->revision);
	if (o->meta->revision.author != NULL) {
		fputs(" by ", o->f);
		mm_html_text(o->f, o->meta->revision.author);
	}
	if (o->meta->revision.approvers != NULL && o->meta->revision.approvers[0] != '\0') {
		fputs(", approved by ", o->f);
		mm_html_text(o->f, o->meta->revision.approvers);
	}
	char d[MM_TIME_MAX];
	fprintf(o->f,
	    " \u00b7 evidence older than %s is stale and never counts as passed</p></header>\n<main>\n",
	    mm_duration(f->stale_after, d));
	summary(o);
}

/* ---- sections */

static const char *const heads[MM_SEC_COUNT] = {
    [MM_SEC_PLACES] =
	"<th>User<th>Workstation<th>Result<th class=\"n\">Settings<th class=\"n\">Logins<th>Evidence<th>Why",
    [MM_SEC_DIFFERENCES] =
	"<th>User<th>Workstation<th>Client<th>Setting<th>Should be<th>Is<th>Where<th>State<th>Since",
    [MM_SEC_LOGINS] = "<th>User<th>Workstation<th>Server<th>Result<th>Why<th>Held<th>Last passed<th>Tried",
    [MM_SEC_REMARKS] = "<th>Server<th>What<th class=\"n\">Seen by<th class=\"n\">Workstations<th>Evidence",
    [MM_SEC_WAIVERS] = "<th>Waiver<th>Covers<th>Until<th>Owner<th>Reason<th>Added by",
    [MM_SEC_HOSTS] = ("<th>Workstation<th>Address<th>Last report<th class=\"n\">Revision"
		      "<th class=\"n\">Settings right<th class=\"n\">Logins passed<th>Delivery"),
};

static const char *const nothing[MM_SEC_COUNT] = {
    [MM_SEC_PLACES] = "No workstation has reported yet.",
    [MM_SEC_DIFFERENCES] = "Nothing differs from the policy in what was reported.",
    [MM_SEC_LOGINS] = "Every login that was tried has passed.",
    [MM_SEC_REMARKS] = "Nothing was remarked about the mail servers.",
    [MM_SEC_WAIVERS] = "Nothing was waived.",
    [MM_SEC_HOSTS] = "There are no workstations in the store.",
};

static void section(struct mm_out *o)
{
	fprintf(o->f, "<section>\n<h2>%s</h2>\n", mm_section_title(o->section));
}

static void cell(const struct mm_out *o, const char *s)
{
	fputs("<td>", o->f);
	if (s != NULL)
		mm_html_text(o->f, s);
}

static void code(const struct mm_out *o, const char *s)
{
	fputs("<td>", o->f);
	if (s == NULL) {
		fputs("<span class=\"note\">not set</span>", o->f);
		return;
	}
	fputs("<code>", o->f);
	mm_html_text(o->f, s);
	fputs("</code>", o->f);
}

static void place(struct mm_out *o, const struct mm_place_row *p)
{
	fputs("<tr><th scope=\"row\">", o->f);
	mm_html_text(o->f, p->user);
	cell(o, p->host);
	fputs("<td>", o->f);
	badge(o->f, result[p->audit].mark, result[p->audit].word);
	fprintf(o->f,
	    "<td class=\"n\">%" PRId64 " of %" PRId64 "<td class=\"n\">%" PRId64 " of %" PRId64 "<td>",
	    p->settings_by[MM_AUDIT_PASS], p->settings - p->settings_by[MM_AUDIT_NOT_APPLICABLE],
	    p->logins_by[MM_LOGIN_PASSED], p->logins);
	evidence(o, p->seen, p->stale, p->claimed);
	cell(o, p->why);
	fputs("\n", o->f);
}

static void waiver_of(const struct mm_out *o, const struct mm_waiver_of *w)
{
	struct mm_buf b = MM_BUF_INIT(65536);
	mm_waiver_sentence(w, &b);
	if (b.len > 0) {
		fputs(" ", o->f);
		badge(o->f, w->expired ? "fail" : "waived", w->expired ? "waiver expired" : "waived");
		fputs(" <span class=\"why\">", o->f);
		mm_html_text(o->f, mm_buf_str(&b));
		fputs("</span>", o->f);
	}
	mm_buf_free(&b);
}

static void finding(struct mm_out *o, const struct mm_finding_row *r)
{
	const struct mm_finding *f = &r->f;
	enum mm_setting s = mm_setting_by_id(f->setting);
	fputs("<tr><th scope=\"row\">", o->f);
	mm_html_text(o->f, f->user);
	cell(o, r->host);
	cell(o, f->client);
	fputs("<td>", o->f);
	mm_html_text(o->f, s != MM_SET_NONE ? mm_setting_def(s)->label : f->setting);
	if (f->account[0] != '\0') {
		fputs(" <span class=\"note\">", o->f);
		mm_html_text(o->f, f->account);
		fputs("</span>", o->f);
	}
	code(o, f->desired);
	code(o, f->found);
	fputs("<td><code class=\"path\">", o->f);
	mm_html_text(o->f, f->override_path != NULL ? f->override_path : f->path);
	if (f->line > 0)
		fprintf(o->f, ":%d", f->line);
	fputs("</code><td>", o->f);
	badge(o->f, result[r->audit].mark, mm_state_name(f->state));
	if (f->reason[0] != '\0') {
		fputs(" <span class=\"why\">", o->f);
		mm_html_text(o->f, f->reason);
		fputs("</span>", o->f);
	}
	waiver_of(o, &r->waiver);
	fputs("<td>", o->f);
	age(o, r->since);
	if (r->stale)
		fputs(" <span class=\"note\">stale</span>", o->f);
	fputs("\n", o->f);
}

static void login(struct mm_out *o, const struct mm_login_row *r)
{
	const struct mm_login *l = &r->l;
	fputs("<tr><th scope=\"row\">", o->f);
	mm_html_text(o->f, l->user);
	cell(o, r->host);
	fputs("<td><code>", o->f);
	mm_html_text(o->f, l->host);
	fprintf(o->f, ":%d</code> <span class=\"note\">", l->port);
	mm_html_text(o->f, l->protocol);
	fputs("</span><td>", o->f);
	badge(o->f, result[r->audit].mark, mm_result_name(l->result));
	waiver_of(o, &r->waiver);
	fputs("<td><strong>", o->f);
	mm_html_text(o->f, l->text);
	fputs("</strong> <span class=\"why\">", o->f);
	mm_html_text(o->f, l->admin);
	if (!mm_streq(l->ladder.fix, "")) {
		fputs("</span> <span class=\"fix\">", o->f);
		mm_html_text(o->f, l->ladder.fix);
	}
	fputs("</span> <code class=\"path\">", o->f);
	mm_html_text(o->f, l->cls);
	fputs("</code>", o->f);
	cell(o, mm_login_held(l));
	fputs("<td>", o->f);
	age(o, r->last_passed);
	fputs("<td>", o->f);
	evidence(o, r->seen, r->stale, r->evidence == MM_EV_CLAIMED);
	fputs("\n", o->f);
}

static void remark(struct mm_out *o, const struct mm_remark_row *r)
{
	fputs("<tr><th scope=\"row\"><code>", o->f);
	mm_html_text(o->f, r->server);
	fprintf(o->f, ":%d</code> <span class=\"note\">", r->port);
	mm_html_text(o->f, r->protocol);
	fputs("</span><td>", o->f);
	mm_html_text(o->f, r->admin);
	fputs(" <code class=\"path\">", o->f);
	mm_html_text(o->f, r->cls);
	fprintf(
	    o->f, "</code><td class=\"n\">%" PRId64 "<td class=\"n\">%" PRId64 "<td>", r->users, r->hosts);
	evidence(o, r->seen, r->stale, false);
	fputs("\n", o->f);
}

static void waiver(struct mm_out *o, const struct mm_waiver *w)
{
	char until[MM_TIME_MAX];
	struct mm_buf scope = MM_BUF_INIT(65536);
	bool expired = w->until <= o->meta->fleet.now;
	fprintf(o->f, "<tr><th scope=\"row\">%" PRId64, w->id);
	mm_waiver_scope(w, &scope);
	cell(o, mm_buf_str(&scope));
	mm_buf_free(&scope);
	fprintf(o->f, "<td>%s ", mm_time_utc(w->until, until));
	badge(o->f, expired ? "fail" : "waived", expired ? "expired" : "in force");
	cell(o, w->owner);
	cell(o, w->reason);
	cell(o, w->added_by);
	fputs("\n", o->f);
}

static void host(struct mm_out *o, const struct mm_host_row *h)
{
	int64_t settings = 0, logins = h->logins_stale;
	for (int i = 0; i < MM_AUDIT_COUNT; i++)
		settings += i == MM_AUDIT_NOT_APPLICABLE ? 0 : h->settings[i];
	for (int i = 0; i < MM_LOGIN_COUNT; i++)
		logins += h->logins[i];
	fputs("<tr><th scope=\"row\">", o->f);
	mm_html_text(o->f, h->host);
	cell(o, h->address);
	fputs("<td>", o->f);
	evidence(o, h->seen, h->stale, false);
	fprintf(o->f,
	    "<td class=\"n\">%" PRId64 "<td class=\"n\">%" PRId64 " of %" PRId64 "<td class=\"n\">%" PRId64
	    " of %" PRId64 "<td>",
	    h->revision, h->settings[MM_AUDIT_PASS], settings, h->logins[MM_LOGIN_PASSED], logins);
	if (h->push.host == NULL || h->push.host[0] == '\0') {
		fputs("<span class=\"note\">nothing sent yet</span>", o->f);
	} else if (h->push.pending) {
		badge(o->f, "unknown", "pending");
		fputs(" <span class=\"why\">", o->f);
		mm_html_text(o->f, h->push.text);
		fputs("</span>", o->f);
	} else {
		badge(o->f, "pass", "delivered");
	}
	fputs("\n", o->f);
}

static void row(struct mm_out *o, union mm_report_row r)
{
	if (o->rows == 0)
		fprintf(o->f,
		    "<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
		    "aria-label=\"%s\"><table><thead><tr>%s</thead><tbody>\n",
		    mm_section_title(o->section), heads[o->section]);
	switch (o->section) {
	case MM_SEC_PLACES:
		place(o, r.place);
		break;
	case MM_SEC_DIFFERENCES:
		finding(o, r.finding);
		break;
	case MM_SEC_LOGINS:
		login(o, r.login);
		break;
	case MM_SEC_REMARKS:
		remark(o, r.remark);
		break;
	case MM_SEC_WAIVERS:
		waiver(o, r.waiver);
		break;
	case MM_SEC_HOSTS:
		host(o, r.host);
		break;
	case MM_SEC_ALL_FINDINGS:
	case MM_SEC_ALL_LOGINS:
	case MM_SEC_CHECKS:
	case MM_SEC_RESULTS:
	case MM_SEC_ALL_RESULTS:
	case MM_SEC_COUNT:
		break;
	}
}

static void section_end(struct mm_out *o)
{
	if (o->rows > 0)
		fputs("</tbody></table></div>\n", o->f);
	else
		fprintf(o->f, "<p class=\"none\">%s</p>\n", nothing[o->section]);
	fputs("</section>\n", o->f);
}

static void end(struct mm_out *o)
{
	fputs("</main>\n<footer><p>Compliant means: every setting that the policy asks for was read back "
	      "from the "
	      "client's own configuration, and the mail servers accepted a live login with it. "
	      "\u201cattested\u201d "
	      "evidence was collected by the agent with its own rights, \u201cclaimed\u201d evidence by the "
	      "user's own "
	      "session.</p><p>Written by mailmuster " MM_VERSION ".</p></footer>\n</body></html>\n",
	    o->f);
}

const struct mm_output mm_output_html = {
    .name = "html",
    .about = "one self-contained page, for a browser or for paper",
    .sections = {MM_SEC_PLACES, MM_SEC_DIFFERENCES, MM_SEC_LOGINS, MM_SEC_REMARKS, MM_SEC_WAIVERS,
	MM_SEC_HOSTS, MM_SEC_COUNT},
    .begin = begin,
    .section = section,
    .row = row,
    .section_end = section_end,
    .end = end,
};
