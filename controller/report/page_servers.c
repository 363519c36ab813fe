/* What the live logins say: causes of failures, certificates, remarks about servers. */
#include "common/text.h"
#include "controller/report/page.h"

#define DAY INT64_C(86400)

/* ---- logins */

static void cause_row(struct mm_html_table *t, const struct mm_page *p, const struct mm_fold *f, int64_t most)
{
	mm_html_row(t, NULL);
	mm_html_in(mm_html_cell(t), "code", f->key);
	if (f->text != NULL && *f->text != '\0')
		mm_html_in(p->f, "span class=\"sub\"", f->text);
	mm_svg_length(mm_html_cell(t), f->n[MM_CLASS_FAIL] > 0 ? "failed" : "unknown", mm_fold_rows(f), most);
	mm_html_count(mm_html_cell(t), mm_fold_rows(f));
	mm_html_count(mm_html_cell(t), f->users);
	mm_html_count(mm_html_cell(t), f->hosts);
	mm_html_cell_text(t, f->todo != NULL ? f->todo : "");
	mm_html_row_end(t);
}

static void causes(const struct mm_page *p, const struct mm_folds *l)
{
	static const char *const heads[] = {
	    "Cause", "How many", "#Logins", "#People", "#Workstations", "What to do", NULL};
	struct mm_html_table t;
	int64_t most = 0;
	for (size_t i = 0; i < l->n; i++)
		if (mm_fold_rows(l->v[i]) > most)
			most = mm_fold_rows(l->v[i]);
	mm_html_table(&t, p->f, "Logins that did not pass, by cause", heads, true);
	for (size_t i = 0; i < l->n && i < MM_PAGE_FOLDS; i++)
		cause_row(&t, p, l->v[i], most);
	mm_html_table_end(&t);
}

static void who(const struct mm_page *p, const struct mm_fold *f)
{
	struct mm_buf label = MM_BUF_INIT(8192);
	fputs("<details class=\"fold\"><summary><strong>", p->f);
	mm_html_text(p->f, f->key);
	fputs("</strong> ", p->f);
	mm_page_fold_counts(p, f);
	fputs("</summary>\n", p->f);
	mm_buf_addf(&label, "%s: whose logins", f->key);
	mm_page_places(p, mm_buf_str(&label), f);
	mm_buf_free(&label);
	fputs("</details>\n", p->f);
}

void mm_page_logins(const struct mm_page *p)
{
	struct mm_folds l = p->logins;
	int64_t rest = l.left;
	mm_folds_sort(&l);
	mm_page_section(p, "logins", "Logins");
	if (l.n == 0) {
		mm_page_empty(p, p->meta->fleet.logins > 0 ? "Every login that was tried has passed."
							   : "No login has been tried yet.");
	} else {
		causes(p, &l);
		fputs("<h3>Whose</h3>\n", p->f);
	}
	for (size_t i = 0; i < l.n; i++) {
		if (i < MM_PAGE_FOLDS)
			who(p, l.v[i]);
		else
			rest += mm_fold_rows(l.v[i]);
	}
	mm_page_more(p, rest, "logins with other causes");
	mm_page_section_end(p);
}

/* ---- certificates */

static void expiries(const struct mm_page *p)
{
	static const struct {
		const char *label, *mark;
	} range[MM_PAGE_EXPIRIES] = {{"expired", "failed"}, {"< 7 d", "failed"}, {"< 30 d", "drifted"},
	    {"< 90 d", "waived"}, {"< 1 y", "compliant"}, {"later", "compliant"}};
	struct mm_svg_column v[MM_PAGE_EXPIRIES];
	char said[256], all[MM_HTML_DIGITS], gone[MM_HTML_DIGITS], soon[MM_HTML_DIGITS];
	for (size_t i = 0; i < MM_PAGE_EXPIRIES; i++)
		v[i] = (struct mm_svg_column){range[i].label, range[i].mark, p->expiries[i]};
	snprintf(said, sizeof(said), "Of %s certificates, %s have expired and %s expire within 30 days.",
	    mm_html_digits(p->n_certs, all), mm_html_digits(p->expiries[0], gone),
	    mm_html_digits(p->expiries[1] + p->expiries[2], soon));
	const struct mm_svg_plot plot = {"plot-certs", "Certificates by the time until they expire", said};
	mm_svg_columns(p->f, &plot, "Certificates", v, MM_PAGE_EXPIRIES);
}

static void cert_row(struct mm_html_table *t, const struct mm_page *p, const struct mm_cert_row *r)
{
	int64_t left = r->not_after - p->meta->fleet.now;
	char d[MM_TIME_MAX];
	mm_html_row(t, NULL);
	fputs("<code>", mm_html_cell(t));
	mm_html_text(p->f, r->server);
	fprintf(p->f, ":%d</code>", r->port);
	mm_html_in(p->f, "span class=\"sub\"", r->protocol);
	mm_html_cell_text(t, r->subject);
	if (*r->issuer != '\0') {
		fputs("<span class=\"sub\">from ", p->f);
		mm_html_text(p->f, r->issuer);
		fputs("</span>", p->f);
	}
	mm_html_cell(t);
	mm_html_day(p->f, r->not_after);
	mm_html_cell(t);
	if (left <= 0)
		mm_html_badge(p->f, "failed", "expired");
	else
		mm_html_badge(p->f, left < 30 * DAY ? "drifted" : "compliant", mm_duration(left, d));
	mm_html_count(mm_html_cell(t), r->users);
	mm_html_cell(t);
	mm_html_age(p->f, p->meta->fleet.now, r->seen);
	if (r->stale)
		mm_html_in(p->f, "span class=\"sub\"", "stale");
	mm_html_row_end(t);
}

void mm_page_certs(const struct mm_page *p)
{
	static const char *const heads[] = {
	    "Server", "Certificate of", "Expires", "Left", "#Seen by", "Last seen", NULL};
	struct mm_html_table t;
	mm_page_section(p, "certificates", "Certificates");
	if (p->n_certs == 0) {
		mm_page_empty(p, "No certificate was seen in a live login yet.");
	} else {
		expiries(p);
		mm_html_table(&t, p->f, "Certificates, those that expire first", heads, true);
		for (size_t i = 0; i < p->kept_certs; i++)
			cert_row(&t, p, &p->certs[i]);
		mm_html_table_end(&t);
		mm_page_more(p, p->n_certs - (int64_t)p->kept_certs, "certificates that expire later");
	}
	mm_page_section_end(p);
}

/* ---- remarks */

void mm_page_remarks(const struct mm_page *p)
{
	static const char *const heads[] = {"Server", "What", "#Seen by", "#Workstations", "Last seen", NULL};
	struct mm_html_table t;
	mm_page_section(p, "remarks", "Remarks about the servers");
	if (p->n_remarks == 0) {
		mm_page_empty(p, "Nothing was remarked about the mail servers.");
	} else {
		mm_html_table(&t, p->f, "Remarks about the servers", heads, true);
		for (size_t i = 0; i < p->n_remarks; i++) {
			const struct mm_remark_row *r = &p->remarks[i];
			mm_html_row(&t, NULL);
			fputs("<code>", mm_html_cell(&t));
			mm_html_text(p->f, r->server);
			fprintf(p->f, ":%d</code>", r->port);
			mm_html_in(p->f, "span class=\"sub\"", r->protocol);
			mm_html_cell_text(&t, r->admin);
			mm_html_in(p->f, "span class=\"sub\"", r->cls);
			mm_html_count(mm_html_cell(&t), r->users);
			mm_html_count(mm_html_cell(&t), r->hosts);
			mm_html_cell(&t);
			mm_html_age(p->f, p->meta->fleet.now, r->seen);
			if (r->stale)
				mm_html_in(p->f, "span class=\"sub\"", "stale");
			mm_html_row_end(&t);
		}
		mm_html_table_end(&t);
		mm_page_more(p, p->remarks_left, "remarks");
	}
	mm_page_section_end(p);
}
