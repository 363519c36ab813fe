/* The head of the page, its contents, and the summary in words and numbers. */
#include <inttypes.h>

#include "common/text.h"
#include "controller/report/page.h"

/* ---- shared pieces */

void mm_page_section(const struct mm_page *p, const char *id, const char *title)
{
	fprintf(p->f, "<section id=\"%s\" aria-labelledby=\"%s-h\">\n<h2 id=\"%s-h\">%s</h2>\n", id, id, id,
	    title);
}

void mm_page_section_end(const struct mm_page *p)
{
	fputs("</section>\n", p->f);
}

void mm_page_empty(const struct mm_page *p, const char *sentence)
{
	fprintf(p->f, "<p class=\"empty\">%s</p>\n", sentence);
}

void mm_page_more(const struct mm_page *p, int64_t n, const char *what)
{
	if (n <= 0)
		return;
	fputs("<p class=\"more\">and ", p->f);
	mm_html_count(p->f, n);
	fprintf(p->f, " more %s: <code>mailmuster report --format csv</code></p>\n", what);
}

/* ---- what this is */

static void fact(FILE *f, const char *what)
{
	fprintf(f, "<div><dt>%s</dt><dd>", what);
}

static void fact_end(FILE *f)
{
	fputs("</dd></div>\n", f);
}

static void revision(FILE *f, const struct mm_report_meta *m)
{
	const struct mm_revision *r = &m->revision;
	if (r->number == 0) {
		fputs("none yet", f);
		return;
	}
	fprintf(f, "revision %" PRId64, r->number);
	if (r->author != NULL) {
		fputs(" by ", f);
		mm_html_text(f, r->author);
	}
	fputs(", ", f);
	mm_html_day(f, r->time);
	if (r->approvers != NULL && *r->approvers != '\0') {
		fputs(", approved by ", f);
		mm_html_text(f, r->approvers);
	}
	if (r->sha256 != NULL) {
		fputs("<code class=\"hash\">SHA-256 ", f);
		mm_html_text(f, r->sha256);
		fputs("</code>", f);
	}
}

static void baseline(FILE *f, const struct mm_baseline *b)
{
	if (b == NULL) {
		fputs("none", f);
		return;
	}
	mm_html_text(f, b->title);
	fputs(" (<code>", f);
	mm_html_text(f, b->id);
	fputs("</code>", f);
	if (b->version != NULL && *b->version != '\0') {
		fputs(", ", f);
		mm_html_text(f, b->version);
	}
	fputs(")", f);
	if (b->sha256 != NULL && *b->sha256 != '\0') {
		fputs("<code class=\"hash\">SHA-256 ", f);
		mm_html_text(f, b->sha256);
		fputs("</code>", f);
	}
}

static void scope(FILE *f, const struct mm_evidence_filter *v)
{
	const struct {
		const char *what, *value;
	} part[] = {{"group", v->group}, {"tag", v->tag}, {"workstation", v->host}, {"user", v->user},
	    {"client", v->client}, {"account", v->account}, {"setting", v->setting}};
	bool any = false;
	for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
		if (part[i].value == NULL)
			continue;
		fprintf(f, "%s%s <strong>", any ? ", " : "only ", part[i].what);
		mm_html_text(f, part[i].value);
		fputs("</strong>", f);
		any = true;
	}
	if (!any)
		fputs("the whole fleet", f);
}

static void evidence(const struct mm_page *p)
{
	const struct mm_dim_count *all = mm_dims_all(p->dims);
	char d[MM_TIME_MAX];
	int64_t with = -p->never;
	for (int i = 0; i < MM_OUT_COUNT; i++)
		with += i == MM_OUT_NOT_APPLICABLE ? 0 : all->by[i];
	if (with > 0) {
		mm_html_count(p->f, with - all->claimed);
		fputs(" of ", p->f);
		mm_html_counted(p->f, with, "result is", "results are");
		fputs(" attested by the agent with its own rights, ", p->f);
		mm_html_count(p->f, all->claimed);
		fputs(" claimed by the users' own sessions; ", p->f);
	}
	if (p->never > 0) {
		mm_html_counted(p->f, p->never, "result has", "results have");
		fputs(" no evidence at all and count as unknown; ", p->f);
	}
	fprintf(p->f, "what is older than %s is stale and counts as unknown",
	    mm_duration(p->meta->fleet.stale_after, d));
}

static const char *const contents[][2] = {
    {"summary", "Summary"},
    {"changes", "What changed"},
    {"time", "Over time"},
    {"by-check", "By check"},
    {"failing", "What fails, and how to set it right"},
    {"drift", "What differs from the policy"},
    {"by-group", "By group"},
    {"by-client", "By mail program"},
    {"logins", "Logins"},
    {"certificates", "Certificates"},
    {"remarks", "Remarks about the servers"},
    {"waivers", "Waivers"},
    {"evidence", "Age of the evidence"},
    {"record", "The record"},
};

static void table_of_contents(FILE *f, bool changes)
{
	fputs("<nav aria-label=\"Contents\"><ol>\n", f);
	for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++)
		if (changes || !mm_streq(contents[i][0], "changes"))
			fprintf(f, "<li><a href=\"#%s\">%s</a></li>\n", contents[i][0], contents[i][1]);
	fputs("</ol></nav>\n", f);
}

void mm_page_head(const struct mm_page *p)
{
	FILE *f = p->f;
	mm_html_head(f, p->meta->title);
	fputs("<a class=\"skip\" href=\"#main\">Skip to the report</a>\n", f);
	mm_svg_defs(f);
	fputs("<header class=\"top\"><p class=\"eyebrow\">Compliance report</p>\n", f);
	mm_html_in(f, "h1", p->meta->title);
	fputs("\n<dl class=\"facts\">\n", f);
	fact(f, "As of");
	mm_html_time(f, p->meta->fleet.now);
	fact_end(f);
	fact(f, "Of");
	scope(f, &p->meta->filter);
	fact_end(f);
	fact(f, "Policy");
	revision(f, p->meta);
	fact_end(f);
	fact(f, "Baseline");
	baseline(f, p->meta->baseline);
	fact_end(f);
	fputs("<div class=\"wide\"><dt>Evidence</dt><dd>", f);
	evidence(p);
	fact_end(f);
	fputs("</dl></header>\n<div class=\"columns\">\n", f);
	table_of_contents(f, p->meta->since > 0);
	fputs("<main id=\"main\">\n", f);
}

/* ---- the summary */

struct card {
	const char *title, *sentence;
	int64_t good, whole, stale;
	const char *stale_of;
};

static void card(FILE *f, const struct card *c, const struct mm_svg_series *s, const int64_t *n, size_t k)
{
	fprintf(f, "<div class=\"card\"><h3>%s</h3>\n", c->title);
	if (c->whole > 0)
		fprintf(f, "<p class=\"big\">%d<small> %%</small></p>\n", mm_svg_percent(c->good, c->whole));
	else
		fputs("<p class=\"big none\">\u2013</p>\n", f);
	fputs("<p><strong>", f);
	mm_html_count(f, c->good);
	fputs(" of ", f);
	mm_html_count(f, c->whole);
	fprintf(f, "</strong> %s; ", c->sentence);
	mm_html_count(f, c->stale);
	fputs(" stale</p>\n", f);
	mm_svg_bar(f, s, n, k);
	mm_svg_legend(f, s, n, k);
	fputs("</div>\n", f);
}

static void card_checks(const struct mm_page *p)
{
	const struct mm_dim_count *all = mm_dims_all(p->dims);
	int64_t n[MM_PAGE_SERIES];
	mm_page_counts(all->by, n);
	const struct card c = {
	    "Checks", "results are as they should be", n[0], mm_dim_whole(all), all->stale, ""};
	card(p->f, &c, mm_page_series, n, MM_PAGE_SERIES);
}

static void card_people(const struct mm_page *p)
{
	static const struct mm_svg_series s[] = {{"compliant", "compliant"}, {"waived", "waived"},
	    {"na", "nothing to check"}, {"unknown", "unknown"}, {"failed", "not compliant"}};
	const struct mm_fleet *f = &p->meta->fleet;
	const int64_t n[] = {f->places_by[MM_AUDIT_PASS], f->places_by[MM_AUDIT_WAIVED],
	    f->places_by[MM_AUDIT_NOT_APPLICABLE], f->places_by[MM_AUDIT_UNKNOWN],
	    f->places_by[MM_AUDIT_FAIL]};
	const struct card c = {"People", "have every setting of the policy, proven by login", n[0], f->places,
	    f->places_stale, ""};
	card(p->f, &c, s, n, 5);
}

static void card_logins(const struct mm_page *p)
{
	static const struct mm_svg_series s[] = {
	    {"compliant", "passed"}, {"deferred", "stale"}, {"unknown", "untested"}, {"failed", "failed"}};
	const struct mm_fleet *f = &p->meta->fleet;
	const int64_t n[] = {f->logins_result[MM_LOGIN_PASSED], f->logins_stale,
	    f->logins_result[MM_LOGIN_UNTESTED], f->logins_result[MM_LOGIN_FAILED]};
	const struct card c = {
	    "Live logins", "were accepted by the mail servers", n[0], f->logins, f->logins_stale, ""};
	card(p->f, &c, s, n, 4);
}

static void card_hosts(const struct mm_page *p)
{
	static const struct mm_svg_series s[] = {
	    {"compliant", "reported lately"}, {"deferred", "stale"}, {"unknown", "never reported"}};
	const struct mm_fleet *f = &p->meta->fleet;
	const int64_t n[] = {f->hosts_fresh, f->hosts_stale, f->hosts_never};
	const struct card c = {"Workstations", "have reported lately", n[0], f->hosts, f->hosts_stale, ""};
	card(p->f, &c, s, n, 3);
}

static void in_words(const struct mm_page *p, size_t checks, size_t failing)
{
	const struct mm_dim_count *all = mm_dims_all(p->dims);
	int64_t whole = mm_dim_whole(all);
	FILE *f = p->f;
	fprintf(f, "<p class=\"lead\"><strong>%d %%</strong> of what was checked is as it should be: ",
	    mm_svg_percent(all->by[MM_OUT_COMPLIANT], whole));
	mm_html_count(f, all->by[MM_OUT_COMPLIANT]);
	fputs(" of ", f);
	mm_html_counted(f, whole, "result", "results");
	fputs(". ", f);
	mm_html_counted(f, mm_dim_failing(all), "fails", "fail");
	fputs(", ", f);
	mm_html_count(f, all->by[MM_OUT_UNKNOWN]);
	fputs(" are unknown (", f);
	mm_html_count(f, all->stale);
	fputs(" of them because the evidence is stale), ", f);
	mm_html_count(f, all->by[MM_OUT_WAIVED]);
	fputs(" are waived", f);
	if (all->by[MM_OUT_DEFERRED] > 0) {
		fputs(", ", f);
		mm_html_count(f, all->by[MM_OUT_DEFERRED]);
		fputs(" are deferred", f);
	}
	fprintf(f, ". Of %zu checks, %zu %s something that fails", checks, failing,
	    failing == 1 ? "has" : "have");
	if (all->expired_waivers > 0) {
		fputs("; ", f);
		mm_html_counted(f, all->expired_waivers, "result was waived until its waiver expired",
		    "results were waived until their waivers expired");
	}
	fputs(".</p>\n", f);
}

#define WORST 5

/* The record is what everything here rests on: trouble with it stands before all numbers. */
static void alarms(const struct mm_page *p)
{
	const struct mm_fleet *f = &p->meta->fleet;
	if (f->alarms == 0 && f->seals_bad == 0)
		return;
	fputs("<p class=\"alarm\"><strong>The record is in doubt:</strong> ", p->f);
	if (f->alarms > 0) {
		mm_html_counted(p->f, f->alarms, "checkpoint", "checkpoints");
		fputs(" that workstations have seen do not stand in it", p->f);
	}
	if (f->seals_bad > 0) {
		fputs(f->alarms > 0 ? "; " : "", p->f);
		mm_html_counted(p->f, f->seals_bad, "report bears", "reports bear");
		fputs(" no good signature", p->f);
	}
	fputs(". <code>mailmuster audit verify</code> tells more.</p>\n", p->f);
}

static void worst_first(const struct mm_page *p, const struct mm_dim_count *const *c, size_t n)
{
	fputs("<h3>Needs attention, worst first</h3>\n<ol class=\"worst\">\n", p->f);
	for (size_t i = 0; i < n && i < WORST && mm_dim_failing(c[i]) > 0; i++) {
		const char *severity = mm_severity_name(c[i]->check->severity);
		fputs("<li>", p->f);
		mm_html_badge(p->f, severity, severity);
		fprintf(p->f, " <a href=\"#c-%s\">", c[i]->check->id);
		mm_html_text(p->f, c[i]->check->title);
		fputs("</a> <span class=\"dim\">fails in ", p->f);
		mm_html_count(p->f, mm_dim_failing(c[i]));
		fputs(" of ", p->f);
		mm_html_count(p->f, mm_dim_whole(c[i]));
		if (c[i]->users > 0) {
			fputs(", for ", p->f);
			mm_html_count(p->f, c[i]->users_failing);
			fputs(" of ", p->f);
			mm_html_counted(p->f, c[i]->users, "person", "people");
		}
		if (c[i]->stale > 0) {
			fputs("; ", p->f);
			mm_html_count(p->f, c[i]->stale);
			fputs(" stale", p->f);
		}
		fputs("</span></li>\n", p->f);
	}
	fputs("</ol>\n", p->f);
}

void mm_page_summary(const struct mm_page *p)
{
	size_t n, failing = 0;
	const struct mm_dim_count *const *c = mm_dims_get(p->dims, MM_DIM_CHECK, &n);
	while (failing < n && mm_dim_failing(c[failing]) > 0)
		failing++;
	mm_page_section(p, "summary", "Summary");
	alarms(p);
	if (mm_dim_whole(mm_dims_all(p->dims)) > 0)
		in_words(p, n, failing);
	else
		mm_page_empty(p, "Nothing has been evaluated yet: no workstation has reported. "
				 "<code>mailmuster push</code> brings the settings to the workstations and "
				 "their reports back.");
	fputs("<div class=\"cards\">\n", p->f);
	card_checks(p);
	card_people(p);
	card_logins(p);
	card_hosts(p);
	fputs("</div>\n", p->f);
	if (failing > 0)
		worst_first(p, c, n);
	else if (mm_dim_whole(mm_dims_all(p->dims)) > 0)
		mm_page_empty(p, "Nothing fails in what was looked at.");
	mm_page_section_end(p);
}
