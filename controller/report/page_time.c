/* How it went: one measurement a day, and today's. */
#include "common/text.h"
#include "controller/report/page.h"

#define DAY INT64_C(86400)

/* What this report counts is today's, whatever was measured earlier today. */
static size_t with_today(const struct mm_page *p, struct mm_svg_day *v)
{
	const struct mm_dim_count *all = mm_dims_all(p->dims);
	int64_t today = p->meta->fleet.now - p->meta->fleet.now % DAY;
	size_t n = 0;
	for (size_t i = 0; i < p->n_days; i++)
		if (p->days[i].day < today)
			v[n++] = p->days[i];
	if (mm_dim_whole(all) > 0) {
		v[n] = (struct mm_svg_day){.day = today};
		mm_page_counts(all->by, v[n].n);
		n++;
	}
	return n;
}

static int64_t whole(const struct mm_svg_day *d)
{
	int64_t n = 0;
	for (size_t i = 0; i < MM_PAGE_SERIES; i++)
		n += d->n[i];
	return n;
}

static void from_to(const struct mm_page *p, const struct mm_svg_day *v, size_t n, struct mm_buf *out)
{
	char first[MM_TIME_MAX], last[MM_TIME_MAX];
	int64_t days = (v[n - 1].day - v[0].day) / DAY + 1;
	mm_buf_addf(out, "Compliant were %d %% on %.10s and %d %% on %.10s.",
	    mm_svg_percent(v[0].n[0], whole(&v[0])), mm_time_utc(v[0].day, first),
	    mm_svg_percent(v[n - 1].n[0], whole(&v[n - 1])), mm_time_utc(v[n - 1].day, last));
	if (days > (int64_t)n)
		mm_buf_addf(out, " On %lld of these %lld days nothing was measured: these are gaps.",
		    (long long)(days - (int64_t)n), (long long)days);
	if (p->baseline_since > 0)
		mm_buf_addf(out, " Since %.10s it is measured by the baseline %s, before that by another.",
		    mm_time_utc(p->baseline_since, first), p->sample_baseline);
}

void mm_page_time(const struct mm_page *p)
{
	struct mm_svg_day *v = mm_arena_alloc(p->a, p->n_days + 1, sizeof(*v));
	size_t n = with_today(p, v);
	const struct mm_evidence_filter *f = &p->meta->filter;
	mm_page_section(p, "time", "Over time");
	if (mm_filter_narrows(f)) {
		mm_page_empty(p, "Measured over time is the whole fleet; this report is of a part of it.");
	} else if (n < 2) {
		mm_page_empty(p, "The record begins today: one measurement a day, kept by "
				 "<code>mailmuster serve</code> and by reports of the whole fleet, "
				 "will show here how it goes.");
	} else {
		struct mm_buf said = MM_BUF_INIT(4096);
		from_to(p, v, n, &said);
		const struct mm_svg_plot plot = {"plot-time",
		    "Results by outcome, in per cent of what there "
		    "was to check, day by day",
		    mm_buf_str(&said)};
		fputs("<p>", p->f);
		mm_html_text(p->f, mm_buf_str(&said));
		fputs("</p>\n", p->f);
		mm_svg_days(p->f, &plot, mm_page_series, MM_PAGE_SERIES, v, n, v[0].day, v[n - 1].day);
		mm_buf_free(&said);
	}
	mm_page_section_end(p);
}
