/* The counts by check, by group and by client: tables whose rows hold a bar and how it went. */
#include <string.h>

#include "common/text.h"
#include "controller/report/page.h"

#define DAY INT64_C(86400)

static void trend(const struct mm_page *p, enum mm_dim dim, const struct mm_dim_count *c)
{
	const struct mm_page_trend *t =
	    mm_filter_narrows(&p->meta->filter) ? NULL : mm_page_trend_of(p, dim, c->name);
	if (t == NULL || t->n < 2 || p->n_days < 2) {
		fputs("<span class=\"dim\">\u2013</span>", p->f);
		return;
	}
	mm_svg_spark(p->f, t->v, t->n, p->days[0].day, p->days[p->n_days - 1].day);
	fprintf(
	    p->f, "<span class=\"vh\">from %d %% to %d %%</span>", t->v[0].percent, t->v[t->n - 1].percent);
}

static void numbers(
    struct mm_html_table *t, const struct mm_page *p, enum mm_dim dim, const struct mm_dim_count *c)
{
	int64_t n[MM_PAGE_SERIES], whole = mm_dim_whole(c);
	mm_page_counts(c->by, n);
	mm_svg_bar(mm_html_cell(t), mm_page_series, n, MM_PAGE_SERIES);
	if (whole > 0)
		fprintf(mm_html_cell(t), "%d %%", mm_svg_percent(n[0], whole));
	else
		mm_html_cell_text(t, "\u2013");
	mm_html_count(mm_html_cell(t), n[0]);
	fputs(" of ", p->f);
	mm_html_count(p->f, whole);
	mm_html_count(mm_html_cell(t), mm_dim_failing(c));
	mm_html_count(mm_html_cell(t), c->by[MM_OUT_UNKNOWN]);
	if (c->stale > 0) {
		fputs(" <span class=\"dim\">(", p->f);
		mm_html_count(p->f, c->stale);
		fputs(" stale)</span>", p->f);
	}
	mm_html_count(mm_html_cell(t), c->by[MM_OUT_WAIVED]);
	mm_html_cell(t);
	trend(p, dim, c);
}

/* The frameworks that people know by a shorter name; an RFC says itself what it is. */
static const char *framework_name(const char *id)
{
	static const char *const name[][2] = {{"nist-800-53-r5", "NIST 800-53"}, {"pci-dss-4", "PCI DSS 4"},
	    {"bsi-grundschutz", "BSI"}, {"rfc", ""}};
	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++)
		if (mm_streq(name[i][0], id))
			return name[i][1];
	return id;
}

static void controls(FILE *f, const struct mm_check *c)
{
	const char *framework = NULL;
	for (size_t i = 0; i < c->n_controls; i++) {
		const char *name = framework_name(c->controls[i].framework);
		if (mm_streq(name, framework)) {
			fputs(", ", f);
		} else {
			fputs(i > 0 ? "; " : "", f);
			mm_html_text(f, name);
			fputs(*name != '\0' ? " " : "", f);
		}
		framework = name;
		mm_html_in(f, "span class=\"nb\"", c->controls[i].id);
	}
}

static bool has_details(const struct mm_page *p, const struct mm_check *c)
{
	return c->index < p->n_checks && p->checks[c->index].n > 0;
}

static void check_name(const struct mm_page *p, const struct mm_check *c)
{
	if (has_details(p, c)) {
		fprintf(p->f, "<a href=\"#c-%s\">", c->id);
		mm_html_text(p->f, c->title);
		fputs("</a>", p->f);
	} else {
		mm_html_text(p->f, c->title);
	}
	fputs("<span class=\"sub\">", p->f);
	mm_html_badge(p->f, mm_severity_name(c->severity), mm_severity_name(c->severity));
	fputs(" <code>", p->f);
	mm_html_text(p->f, c->id);
	fputs("</code> ", p->f);
	controls(p->f, c);
	if (c->tailored != NULL) {
		fputs(" \u00b7 tailored: ", p->f);
		mm_html_text(p->f, c->tailored);
	}
	fputs("</span>", p->f);
}

static const char *const by_check[] = {
    "Check", "Results", "#Share", "#Compliant", "#Fail", "#Unknown", "#Waived", "Trend", NULL};
static const char *const by_group[] = {
    "Group", "Results", "#Share", "#Compliant", "#Fail", "#Unknown", "#Waived", "Trend", NULL};
static const char *const by_client[] = {
    "Mail program", "Results", "#Share", "#Compliant", "#Fail", "#Unknown", "#Waived", "Trend", NULL};

static void table(const struct mm_page *p, enum mm_dim dim, const char *label, const char *const *heads)
{
	struct mm_html_table t;
	size_t n, most = dim == MM_DIM_CHECK ? SIZE_MAX : MM_PAGE_NAMES;
	const struct mm_dim_count *const *c = mm_dims_get(p->dims, dim, &n);
	if (n == 0) {
		mm_page_empty(p, "Nothing was evaluated.");
		return;
	}
	mm_html_table(&t, p->f, label, heads, true);
	for (size_t i = 0; i < n && i < most; i++) {
		mm_html_row(&t, NULL);
		mm_html_cell(&t);
		if (dim == MM_DIM_CHECK)
			check_name(p, c[i]->check);
		else
			mm_html_text(p->f, *c[i]->name != '\0' ? c[i]->name : "in no group");
		numbers(&t, p, dim, c[i]);
		mm_html_row_end(&t);
	}
	mm_html_table_end(&t);
	if (n > most)
		mm_page_more(p, (int64_t)(n - most), dim == MM_DIM_GROUP ? "groups" : "mail programs");
}

static void off(const struct mm_page *p)
{
	const struct mm_baseline *b = p->meta->baseline;
	bool any = false;
	for (size_t i = 0; b != NULL && i < b->n; i++) {
		if (b->checks[i].off == NULL)
			continue;
		fputs(any ? "" : "<h3>Turned off by the policy</h3>\n<ul>\n", p->f);
		any = true;
		fputs("<li>", p->f);
		mm_html_text(p->f, b->checks[i].title);
		fputs(" (<code>", p->f);
		mm_html_text(p->f, b->checks[i].id);
		fputs("</code>): ", p->f);
		mm_html_text(p->f, b->checks[i].off);
		fputs("</li>\n", p->f);
	}
	if (any)
		fputs("</ul>\n", p->f);
}

void mm_page_by_check(const struct mm_page *p)
{
	mm_page_section(p, "by-check", "By check");
	mm_svg_legend(p->f, mm_page_series, NULL, MM_PAGE_SERIES);
	table(p, MM_DIM_CHECK, "Results by check", by_check);
	off(p);
	mm_page_section_end(p);
}

void mm_page_by_group(const struct mm_page *p)
{
	mm_page_section(p, "by-group", "By group");
	fputs("<p class=\"dim\">Who is in several groups counts in each of them.</p>\n", p->f);
	table(p, MM_DIM_GROUP, "Results by group", by_group);
	mm_page_section_end(p);
}

void mm_page_by_client(const struct mm_page *p)
{
	mm_page_section(p, "by-client", "By mail program");
	table(p, MM_DIM_CLIENT, "Results by mail program", by_client);
	mm_page_section_end(p);
}
