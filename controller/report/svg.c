#include "controller/report/svg.h"

#include <assert.h>
#include <inttypes.h>

#include "common/text.h"
#include "controller/report/html.h"

#define DAY INT64_C(86400)
#define WHOLE 10000 /* hundredths of a per cent */
#define SEEN 60     /* the least that is seen */

/* ---- numbers */

static int64_t sum_of(const int64_t *n, size_t k)
{
	int64_t sum = 0;
	for (size_t i = 0; i < k; i++)
		sum += n[i];
	return sum;
}

static size_t largest(const int *v, size_t k)
{
	size_t at = 0;
	for (size_t i = 1; i < k; i++)
		if (v[i] > v[at])
			at = i;
	return at;
}

void mm_svg_shares(const int64_t *n, size_t k, int floor, int *out)
{
	int64_t sum = sum_of(n, k);
	int used = 0;
	assert(k > 0 && k <= MM_SVG_SERIES_MAX && floor >= 0 && floor * (int)k <= WHOLE);
	for (size_t i = 0; i < k; i++) {
		/* the counts of a fleet are far from 2^63 / 10000; a double serves those that are not */
		out[i] = sum > 0 ? (int)((double)n[i] * WHOLE / (double)sum) : 0;
		if (n[i] > 0 && out[i] < floor)
			out[i] = floor;
		used += out[i];
	}
	/* what rounding left goes to the largest, what the floors took comes from there; it holds
	 * WHOLE / k at least before, and others took less than floor * k from it */
	if (sum > 0)
		out[largest(out, k)] += WHOLE - used;
}

int64_t mm_svg_step(int64_t max, int want)
{
	static const int nice[] = {1, 2, 5};
	for (int64_t ten = 1; ten <= INT64_MAX / 100; ten *= 10)
		for (size_t i = 0; i < 3; i++)
			if ((max > 0 ? (max - 1) / (nice[i] * ten) + 1 : 0) <= want)
				return nice[i] * ten;
	return max / want + 1;
}

int mm_svg_percent(int64_t part, int64_t whole)
{
	if (whole <= 0 || part <= 0)
		return 0;
	if (part >= whole)
		return 100;
	int p = (int)((double)part * 100 / (double)whole);
	return p > 99 ? 99 : p;
}

/* ---- pieces */

static void percent_attr(FILE *f, const char *name, int hundredths)
{
	fprintf(f, " %s=\"%d.%02d%%\"", name, hundredths / 100, hundredths % 100);
}

void mm_svg_defs(FILE *f)
{
	static const struct {
		const char *mark, *lines;
	} hatch[] = {
	    {"waived", "M0 4H8"},
	    {"deferred", "M4 0V8"},
	    {"unknown", "M2 2h1M6 6h1"},
	    {"drifted", "M-2 2L2 -2M0 8L8 0M6 10L10 6"},
	    {"failed", "M-2 6L2 10M0 0L8 8M6 -2L10 2M0 8L8 0"},
	};
	fputs("<svg class=\"defs\" aria-hidden=\"true\" width=\"0\" height=\"0\"><defs>", f);
	for (size_t i = 0; i < sizeof(hatch) / sizeof(hatch[0]); i++)
		fprintf(f,
		    "<pattern id=\"h-%s\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\"><rect "
		    "class=\"c-%s\" width=\"8\" height=\"8\"/><path class=\"hatch\" d=\"%s\"/></pattern>",
		    hatch[i].mark, hatch[i].mark, hatch[i].lines);
	fputs("</defs></svg>\n", f);
}

static void piece(FILE *f, const char *mark, int x, int width, int y, int height)
{
	fprintf(f, "<rect class=\"s-%s\"", mark);
	percent_attr(f, "x", x);
	percent_attr(f, "width", width);
	fprintf(f, " y=\"%d\" height=\"%d\"/>", y, height);
}

#define BAR "<svg class=\"bar\" aria-hidden=\"true\" width=\"100%\" height=\"14\">"

void mm_svg_bar(FILE *f, const struct mm_svg_series *s, const int64_t *n, size_t k)
{
	int share[MM_SVG_SERIES_MAX], x = 0;
	mm_svg_shares(n, k, SEEN, share);
	fputs(BAR, f);
	if (sum_of(n, k) == 0)
		piece(f, "none", 0, WHOLE, 0, 14);
	for (size_t i = 0; i < k; i++) {
		if (share[i] > 0)
			piece(f, s[i].mark, x, share[i], 0, 14);
		x += share[i];
	}
	fputs("</svg>", f);
}

void mm_svg_length(FILE *f, const char *mark, int64_t n, int64_t max)
{
	const int64_t parts[] = {n, max > n ? max - n : 0};
	int share[2];
	mm_svg_shares(parts, 2, SEEN, share);
	fputs(BAR, f);
	if (share[0] > 0)
		piece(f, mark, 0, share[0], 0, 14);
	fputs("</svg>", f);
}

void mm_svg_legend(FILE *f, const struct mm_svg_series *s, const int64_t *n, size_t k)
{
	fputs("<ul class=\"legend\">", f);
	for (size_t i = 0; i < k; i++) {
		if (n != NULL && n[i] == 0 && i > 0)
			continue;
		fprintf(f,
		    "<li><svg aria-hidden=\"true\" width=\"14\" height=\"14\"><rect "
		    "class=\"s-%s\" width=\"14\" height=\"14\"/></svg> ",
		    s[i].mark);
		if (n != NULL) {
			mm_html_count(f, n[i]);
			fputc(' ', f);
		}
		mm_html_text(f, s[i].word);
		fputs("</li>", f);
	}
	fputs("</ul>\n", f);
}

static void figure_begin(FILE *f, const struct mm_svg_plot *p, int height)
{
	fprintf(f, "<figure class=\"plot\" id=\"%s\">\n<figcaption>", p->id);
	mm_html_text(f, p->title);
	fprintf(f,
	    "</figcaption>\n<svg class=\"axes\" role=\"img\" aria-labelledby=\"%s-t %s-d\" height=\"%d\">"
	    "<title id=\"%s-t\">",
	    p->id, p->id, height, p->id);
	mm_html_text(f, p->title);
	fprintf(f, "</title><desc id=\"%s-d\">", p->id);
	mm_html_text(f, p->desc);
	fputs("</desc>\n", f);
}

static void numbers_begin(FILE *f, const struct mm_svg_plot *p)
{
	fputs("<details class=\"numbers\"><summary>The same in numbers</summary>\n<div class=\"scroll\" "
	      "tabindex=\"0\" role=\"group\" aria-label=\"",
	    f);
	mm_html_text(f, p->title);
	fputs(", in numbers\"><table>", f);
}

/* ---- over time */

#define PLOT_H 200

static void date(FILE *f, int64_t day)
{
	char utc[MM_TIME_MAX];
	fprintf(f, "%.10s", mm_time_utc(day, utc));
}

struct slots {
	int64_t from, days; /* days in a slot */
	int n;
};

static struct slots slots_of(int64_t from, int64_t until)
{
	int64_t all = until >= from ? (until - from) / DAY + 1 : 1;
	struct slots sl = {.from = from, .days = (all + MM_SVG_SLOTS - 1) / MM_SVG_SLOTS};
	sl.n = (int)((all + sl.days - 1) / sl.days);
	return sl;
}

/* -1: outside */
static int slot_of(const struct slots *sl, int64_t day)
{
	int64_t i = day >= sl->from ? (day - sl->from) / DAY / sl->days : -1;
	return i < sl->n ? (int)i : -1;
}

/* The last of each slot is what is drawn; is v[i] that one? */
static bool drawn(const struct slots *sl, const struct mm_svg_day *v, size_t n, size_t i)
{
	int at = slot_of(sl, v[i].day);
	return at >= 0 && (i + 1 == n || slot_of(sl, v[i + 1].day) != at);
}

static void stack(FILE *f, const struct mm_svg_series *s, size_t k, const struct mm_svg_day *v, int x, int w)
{
	int share[MM_SVG_SERIES_MAX], from = 0;
	mm_svg_shares(v->n, k, 0, share);
	for (size_t i = 0; i < k; i++) {
		int low = from * PLOT_H / WHOLE, high = (from + share[i]) * PLOT_H / WHOLE;
		if (high > low)
			piece(f, s[i].mark, x, w, PLOT_H - high, high - low);
		from += share[i];
	}
	fputc('\n', f);
}

static void grid_line(FILE *f, int y, const char *label)
{
	fprintf(f,
	    "<line class=\"grid\" x1=\"0\" x2=\"100%%\" y1=\"%d\" y2=\"%d\"/><text class=\"tick\" x=\"-8\" "
	    "y=\"%d\" dy=\".32em\" text-anchor=\"end\">%s</text>",
	    y, y, y, label);
}

/* Begin, end, and what lies between where there is room. */
static void date_ticks(FILE *f, const struct slots *sl)
{
	static const char *const anchor[] = {"start", "middle", "middle", "middle", "end"};
	int last = sl->n - 1, before = -1;
	for (int i = 0; i < 5; i++) {
		int slot = last * i / 4;
		if (slot == before || (last < 8 && i % 4 != 0))
			continue;
		before = slot;
		fprintf(f, "<text class=\"tick%s\" y=\"%d\" text-anchor=\"%s\"", i % 2 != 0 ? " opt" : "",
		    PLOT_H + 20, anchor[i]);
		percent_attr(f, "x", last > 0 ? WHOLE * slot / last : 0);
		fputc('>', f);
		date(f, sl->from + slot * sl->days * DAY);
		fputs("</text>", f);
	}
}

static void days_table(FILE *f, const struct mm_svg_plot *p, const struct mm_svg_series *s, size_t k,
    const struct slots *sl, const struct mm_svg_day *v, size_t n)
{
	numbers_begin(f, p);
	fputs("<thead><tr><th scope=\"col\">Day</th>", f);
	for (size_t i = 0; i < k; i++) {
		fputs("<th scope=\"col\" class=\"n\">", f);
		mm_html_text(f, s[i].word);
		fputs("</th>", f);
	}
	fputs("<th scope=\"col\" class=\"n\">Share of the first</th></tr></thead>\n<tbody>", f);
	for (size_t i = n; i-- > 0;) {
		if (!drawn(sl, v, n, i))
			continue;
		fputs("<tr><th scope=\"row\">", f);
		date(f, v[i].day);
		fputs("</th>", f);
		for (size_t j = 0; j < k; j++) {
			fputs("<td class=\"n\">", f);
			mm_html_count(f, v[i].n[j]);
			fputs("</td>", f);
		}
		fprintf(f, "<td class=\"n\">%d %%</td></tr>\n", mm_svg_percent(v[i].n[0], sum_of(v[i].n, k)));
	}
	fputs("</tbody></table></div></details>\n", f);
}

void mm_svg_days(FILE *f, const struct mm_svg_plot *p, const struct mm_svg_series *s, size_t k,
    const struct mm_svg_day *v, size_t n, int64_t from, int64_t until)
{
	struct slots sl = slots_of(from, until);
	figure_begin(f, p, PLOT_H + 28);
	grid_line(f, 0, "100 %");
	grid_line(f, PLOT_H / 2, "50 %");
	fputs("<g shape-rendering=\"crispEdges\">\n", f);
	for (size_t i = 0; i < n; i++) {
		int at = slot_of(&sl, v[i].day);
		if (!drawn(&sl, v, n, i) || sum_of(v[i].n, k) == 0)
			continue;
		stack(f, s, k, &v[i], WHOLE * at / sl.n, WHOLE * (at + 1) / sl.n - WHOLE * at / sl.n);
	}
	fputs("</g>", f);
	grid_line(f, PLOT_H, "0 %");
	date_ticks(f, &sl);
	fputs("</svg>\n", f);
	mm_svg_legend(f, s, NULL, k);
	days_table(f, p, s, k, &sl, v, n);
	fputs("</figure>\n", f);
}

/* The line ends where a slot is empty, and begins anew behind it. */
void mm_svg_spark(FILE *f, const struct mm_svg_point *v, size_t n, int64_t from, int64_t until)
{
	struct slots sl = slots_of(from, until);
	int before = -2;
	fputs("<svg class=\"spark\" aria-hidden=\"true\" viewBox=\"0 -2 120 28\" "
	      "preserveAspectRatio=\"none\" width=\"96\" height=\"24\"><path class=\"base\" d=\"M0 "
	      "24H120\"/><path d=\"",
	    f);
	for (size_t i = 0; i < n; i++) {
		int at = slot_of(&sl, v[i].day);
		if (at < 0 || at == before)
			continue;
		int x = sl.n > 1 ? at * 120 / (sl.n - 1) : 0, y = 24 - v[i].percent * 24 / 100;
		/* a point alone is a dash */
		fprintf(f, at == before + 1 ? "L%d %d" : "M%d %dh1", x, y);
		before = at;
	}
	fputs("\"/></svg>", f);
}

/* ---- columns */

#define COL_H 150
#define COL_TOP 22 /* for the number above the highest */
#define COL_STEPS 4

static void column(FILE *f, const struct mm_svg_column *c, int x, int w, int64_t top)
{
	int h = c->n > 0 ? (int)((double)c->n * COL_H / (double)top) : 0;
	if (c->n > 0 && h < 2)
		h = 2;
	piece(f, c->mark, x + w / 8, w - w / 4, COL_TOP + COL_H - h, h);
	fprintf(f, "<text class=\"value\" text-anchor=\"middle\" y=\"%d\"", COL_TOP + COL_H - h - 6);
	percent_attr(f, "x", x + w / 2);
	fputc('>', f);
	mm_html_count(f, c->n);
	fprintf(f, "</text><text class=\"tick\" text-anchor=\"middle\" y=\"%d\"", COL_TOP + COL_H + 20);
	percent_attr(f, "x", x + w / 2);
	fputc('>', f);
	mm_html_text(f, c->label);
	fputs("</text>\n", f);
}

static void columns_table(
    FILE *f, const struct mm_svg_plot *p, const char *unit, const struct mm_svg_column *v, size_t n)
{
	numbers_begin(f, p);
	fputs("<thead><tr><th scope=\"col\">Range</th><th scope=\"col\" class=\"n\">", f);
	mm_html_text(f, unit);
	fputs("</th></tr></thead>\n<tbody>", f);
	for (size_t i = 0; i < n; i++) {
		fputs("<tr><th scope=\"row\">", f);
		mm_html_text(f, v[i].label);
		fputs("</th><td class=\"n\">", f);
		mm_html_count(f, v[i].n);
		fputs("</td></tr>\n", f);
	}
	fputs("</tbody></table></div></details>\n", f);
}

void mm_svg_columns(
    FILE *f, const struct mm_svg_plot *p, const char *unit, const struct mm_svg_column *v, size_t n)
{
	int64_t max = 0;
	for (size_t i = 0; i < n; i++)
		if (v[i].n > max)
			max = v[i].n;
	int64_t step = mm_svg_step(max, COL_STEPS), top = max > 0 ? ((max - 1) / step + 1) * step : 0;
	figure_begin(f, p, COL_TOP + COL_H + 28);
	if (top == 0)
		top = 1;
	for (int64_t at = 0; at <= top; at += step) {
		char label[MM_HTML_DIGITS];
		grid_line(
		    f, COL_TOP + COL_H - (int)((double)at * COL_H / (double)top), mm_html_digits(at, label));
	}
	for (size_t i = 0; i < n; i++) {
		int x = (int)(WHOLE * i / n), next = (int)(WHOLE * (i + 1) / n);
		column(f, &v[i], x, next - x, top);
	}
	fputs("</svg>\n", f);
	columns_table(f, p, unit, v, n);
	fputs("</figure>\n", f);
}
