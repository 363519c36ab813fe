/* What the verdicts rest on: waivers, the age of the evidence, who is silent. */
#include <inttypes.h>

#include "common/text.h"
#include "controller/report/page.h"

static void waiver_row(struct mm_html_table *t, const struct mm_page *p, const struct mm_page_waiver *w)
{
	struct mm_buf scope = MM_BUF_INIT(65536);
	mm_html_row(t, NULL);
	fprintf(mm_html_cell(t), "%" PRId64, w->w.id);
	mm_waiver_scope(&w->w, &scope);
	mm_html_cell_text(t, mm_buf_str(&scope));
	mm_buf_free(&scope);
	mm_html_badge(mm_html_cell(t), w->expired ? "failed" : "waived", w->expired ? "expired" : "in force");
	fputs("<span class=\"sub\">until ", p->f);
	mm_html_time(p->f, w->w.until);
	fputs("</span>", p->f);
	mm_html_cell_text(t, w->w.owner);
	mm_html_cell_text(t, w->w.reason);
	mm_html_cell_text(t, w->w.added_by);
	mm_html_row_end(t);
}

void mm_page_waivers(const struct mm_page *p)
{
	static const char *const heads[] = {"Waiver", "Covers", "State", "Owner", "Reason", "Added by", NULL};
	struct mm_html_table t;
	mm_page_section(p, "waivers", "Waivers");
	if (p->n_waivers == 0) {
		mm_page_empty(p, "Nothing was waived.");
		mm_page_section_end(p);
		return;
	}
	if (p->waivers_expired > 0) {
		fputs("<p><strong>", p->f);
		mm_html_counted(p->f, p->waivers_expired, "waiver has", "waivers have");
		fputs(" expired</strong>: what they covered counts as what it is.</p>\n", p->f);
	}
	mm_html_table(&t, p->f, "Waivers", heads, true);
	for (int expired = 1; expired >= 0; expired--)
		for (size_t i = 0; i < p->n_waivers; i++)
			if (p->waivers[i].expired == (expired == 1))
				waiver_row(&t, p, &p->waivers[i]);
	mm_html_table_end(&t);
	mm_page_more(p, p->waivers_left, "waivers");
	mm_page_section_end(p);
}

static void ages(const struct mm_page *p)
{
	static const char *const label[MM_PAGE_AGES] = {
	    "< 1 d", "< 3 d", "< 7 d", "< 30 d", "< 90 d", "older"};
	struct mm_svg_column v[MM_PAGE_AGES + 1];
	char said[256], n[MM_HTML_DIGITS], d[MM_TIME_MAX];
	int64_t days[MM_PAGE_AGES] = {1, 3, 7, 30, 90, INT64_MAX / 86400};
	for (size_t i = 0; i < MM_PAGE_AGES; i++)
		v[i] = (struct mm_svg_column){label[i],
		    days[i] * 86400 <= p->meta->fleet.stale_after ? "compliant" : "unknown", p->ages[i]};
	v[MM_PAGE_AGES] = (struct mm_svg_column){"never", "unknown", p->never};
	snprintf(said, sizeof(said),
	    "%s results rest on evidence of the last day; what is older than %s is stale.",
	    mm_html_digits(p->ages[0], n), mm_duration(p->meta->fleet.stale_after, d));
	const struct mm_svg_plot plot = {"plot-ages", "Results by the age of their evidence", said};
	mm_svg_columns(p->f, &plot, "Results", v, MM_PAGE_AGES + 1);
}

static void silent(const struct mm_page *p)
{
	static const char *const heads[] = {"Workstation", "Address", "Last evidence", "Delivery", NULL};
	struct mm_html_table t;
	fputs("<h3>Stale and silent workstations</h3>\n", p->f);
	if (p->silent == 0) {
		mm_page_empty(p, p->meta->fleet.hosts > 0 ? "Every workstation has reported lately."
							  : "There are no workstations in the store.");
		return;
	}
	fputs("<p>", p->f);
	mm_html_count(p->f, p->silent);
	fputs(" of ", p->f);
	mm_html_counted(p->f, p->meta->fleet.hosts, "workstation has", "workstations have");
	fputs(" not reported lately; nothing that was seen there before counts as compliant.</p>\n", p->f);
	mm_html_table(&t, p->f, "Stale and silent workstations", heads, true);
	for (size_t i = 0; i < p->n_hosts; i++) {
		mm_html_row(&t, NULL);
		mm_html_cell_text(&t, p->hosts[i].host);
		mm_html_cell_text(&t, p->hosts[i].address);
		mm_html_age(mm_html_cell(&t), p->meta->fleet.now, p->hosts[i].seen);
		mm_html_cell_text(&t, p->hosts[i].text);
		mm_html_row_end(&t);
	}
	mm_html_table_end(&t);
	mm_page_more(p, p->silent - (int64_t)p->n_hosts, "workstations that are silent");
}

void mm_page_evidence(const struct mm_page *p)
{
	mm_page_section(p, "evidence", "Age of the evidence");
	if (mm_dim_whole(mm_dims_all(p->dims)) > 0)
		ages(p);
	silent(p);
	mm_page_section_end(p);
}

static void newest(const struct mm_page *p, const struct mm_checkpoint_row *r)
{
	fputs("<p>Its newest checkpoint is of entry ", p->f);
	mm_html_count(p->f, r->c.seq);
	fputs(", ", p->f);
	mm_html_time(p->f, r->c.time);
	fputs("; ", p->f);
	mm_html_counted(p->f, r->witnesses, "witness outside has", "witnesses outside have");
	fputs(" taken it. <code class=\"hash\">SHA-256 ", p->f);
	mm_html_text(p->f, r->c.sha256);
	fputs("</code></p>\n<p>", p->f);
	mm_html_counted(p->f, p->meta->checkpoint_hosts, "workstation has", "workstations have");
	fputs(" handed back a checkpoint", p->f);
	if (p->meta->checkpoint_seen > 0) {
		fputs(", the newest of entry ", p->f);
		mm_html_count(p->f, p->meta->checkpoint_seen);
	}
	fputs(".</p>\n", p->f);
}

void mm_page_record(const struct mm_page *p)
{
	mm_page_section(p, "record", "The record");
	fputs("<p>Every act of an admin and every report is an entry of a log in which each entry bears the "
	      "SHA-256 of the one before. This page is no proof of it: <code>mailmuster audit verify</code> "
	      "checks the log, and every signature, against what the witnesses hold.</p>\n",
	    p->f);
	if (p->meta->checkpoint.c.seq > 0)
		newest(p, &p->meta->checkpoint);
	else
		mm_page_empty(p, "No checkpoint of it was signed yet: nothing of it is witnessed.");
	mm_page_section_end(p);
}
