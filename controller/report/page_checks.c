/* What fails: by check and client, with the places to begin with. */
#include <inttypes.h>
#include <string.h>

#include "common/text.h"
#include "controller/checks/baseline.h"
#include "controller/report/page.h"

/* ---- folds */

void mm_page_fold_counts(const struct mm_page *p, const struct mm_fold *f)
{
	static const struct {
		enum mm_class c;
		const char *one, *many;
	} part[] = {{MM_CLASS_FAIL, "fails", "fail"}, {MM_CLASS_UNSURE, "unknown", "unknown"},
	    {MM_CLASS_WAIVED, "waived", "waived"}};
	const char *comma = "";
	for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
		if (f->n[part[i].c] == 0)
			continue;
		fputs(comma, p->f);
		mm_html_counted(p->f, f->n[part[i].c], part[i].one, part[i].many);
		comma = ", ";
	}
	if (f->expired > 0) {
		fputs(", ", p->f);
		mm_html_counted(p->f, f->expired, "waiver expired", "waivers expired");
	}
	if (f->hosts > 1) {
		fputs(" <span class=\"dim\">on ", p->f);
		mm_html_counted(p->f, f->hosts, "workstation", "workstations");
		fputs("</span>", p->f);
	}
}

static void who(FILE *f, const struct mm_fold_place *at)
{
	if (at->user != NULL && *at->user != '\0' && !mm_streq(at->user, "*"))
		mm_html_text(f, at->user);
	else
		fputs(*at->host != '\0' ? "the workstation" : "the fleet", f);
	if (*at->host != '\0') {
		fputs("<span class=\"sub\">", f);
		mm_html_text(f, at->host);
		fputs("</span>", f);
	}
}

static void where(FILE *f, const struct mm_fold_place *at)
{
	if (at->path != NULL && *at->path != '\0') {
		mm_html_in(f, "code", at->path);
		if (at->line > 0)
			fprintf(f, "<code>:%d</code>", at->line);
	}
	if (at->account != NULL && *at->account != '\0')
		mm_html_in(f, "span class=\"sub\"", at->account);
}

static void values(FILE *f, const struct mm_fold_place *at)
{
	if (at->found == NULL && at->wanted == NULL)
		return;
	bool same = mm_streq(at->found, at->wanted);
	if (at->found != NULL)
		mm_html_in(f, same || at->wanted == NULL ? "code" : "code class=\"found\"", at->found);
	else
		fputs("<span class=\"dim\">not set</span>", f);
	if (at->wanted != NULL && !same) {
		fputs(" <span class=\"arrow\"><span aria-hidden=\"true\">\u2192</span><span "
		      "class=\"vh\">should be</span></span> ",
		    f);
		mm_html_in(f, "code class=\"wanted\"", at->wanted);
	}
}

static void waiver(FILE *f, const struct mm_waiver_of *w)
{
	if (w->id == 0)
		return;
	fputs("<span class=\"sub\">", f);
	if (w->expired)
		mm_html_badge(f, "failed", "waiver expired");
	fprintf(f, "%s %" PRId64 " of ", w->expired ? "" : "waiver", w->id);
	mm_html_text(f, w->owner);
	fprintf(f, ", %s ", w->expired ? "ended" : "until");
	mm_html_day(f, w->until);
	fputs(": ", f);
	mm_html_text(f, w->reason);
	fputs("</span>", f);
}

static void evidence(const struct mm_page *p, const struct mm_fold_place *at)
{
	mm_html_age(p->f, p->meta->fleet.now, at->seen);
	if (at->seen == 0)
		return;
	mm_html_in(p->f, "span class=\"sub\"",
	    at->claimed ? (at->stale ? "claimed, stale" : "claimed")
	    : at->stale ? "attested, stale"
			: "attested");
}

/* What is not known is left to the screen: paper shows what fails. */
static void place(
    struct mm_html_table *t, const struct mm_page *p, const struct mm_fold_place *at, enum mm_class c)
{
	mm_html_row(t, c == MM_CLASS_UNSURE ? "u" : NULL);
	who(mm_html_cell(t), at);
	mm_html_badge(mm_html_cell(t), at->mark, at->word);
	if (at->why != NULL && *at->why != '\0')
		mm_html_in(p->f, "span class=\"sub\"", at->why);
	waiver(p->f, &at->waiver);
	values(mm_html_cell(t), at);
	where(mm_html_cell(t), at);
	mm_html_cell(t);
	if (at->since > 0)
		mm_html_day(p->f, at->since);
	mm_html_cell(t);
	evidence(p, at);
	mm_html_row_end(t);
}

void mm_page_places(const struct mm_page *p, const char *label, const struct mm_fold *f)
{
	static const char *const heads[] = {"Who", "How it is", "Found", "Where", "Since", "Evidence", NULL};
	static const enum mm_class order[] = {MM_CLASS_FAIL, MM_CLASS_UNSURE, MM_CLASS_WAIVED};
	struct mm_html_table t;
	int64_t shown = 0;
	mm_html_table(&t, p->f, label, heads, true);
	for (size_t c = 0; c < MM_CLASS_COUNT; c++)
		for (size_t i = 0; i < f->n_kept[order[c]]; i++, shown++)
			place(&t, p, &f->kept[order[c]][i], order[c]);
	mm_html_table_end(&t);
	mm_page_more(p, mm_fold_rows(f) - shown, "of this kind");
}

#define FEW 6 /* are shown at once */

static void fold(const struct mm_page *p, const struct mm_fold *f, const char *name, const char *sub)
{
	struct mm_buf label = MM_BUF_INIT(8192);
	fprintf(p->f, "<details class=\"fold\"%s><summary><strong>", mm_fold_rows(f) <= FEW ? " open" : "");
	mm_html_text(p->f, name);
	fputs("</strong> ", p->f);
	if (sub != NULL && *sub != '\0') {
		mm_html_text(p->f, sub);
		fputc(' ', p->f);
	}
	mm_page_fold_counts(p, f);
	fputs("</summary>\n", p->f);
	if (f->todo != NULL) {
		fputs("<p class=\"todo\"><strong>To do:</strong> ", p->f);
		mm_html_text(p->f, f->todo);
		fputs("</p>\n", p->f);
	}
	mm_buf_addf(&label, "%s %s: places", name, sub != NULL ? sub : "");
	mm_page_places(p, mm_buf_str(&label), f);
	mm_buf_free(&label);
	fputs("</details>\n", p->f);
}

/* ---- checks */

static void written(FILE *f, const struct mm_check *c)
{
	if (c->n_refs == 0)
		return;
	fputs("<ul class=\"refs\">\n", f);
	for (size_t i = 0; i < c->n_refs; i++) {
		fputs("<li><strong>", f);
		mm_html_text(f, c->refs[i].document);
		if (c->refs[i].section != NULL && *c->refs[i].section != '\0') {
			fputs(", section ", f);
			mm_html_text(f, c->refs[i].section);
		}
		fputs("</strong>", f);
		if (c->refs[i].words != NULL && *c->refs[i].words != '\0') {
			fputs(": ", f);
			mm_html_text(f, c->refs[i].words);
		}
		fputs("</li>\n", f);
	}
	fputs("</ul>\n", f);
}

/* What the places of a fold have in common: their mail program, or what the check looks at. */
static const char *client_of(const struct mm_check *c, const struct mm_fold *f)
{
	const char *units = mm_check_unit(c);
	if (*f->key != '\0')
		return f->key;
	if (*units == '\0')
		return "the fleet";
	return mm_ends_with(units, "logins") ? "logins"
	       : mm_streq(units, "accounts") ? "no mail program in particular"
					     : units;
}

static bool only_unsure(const struct mm_fold *f)
{
	return f->n[MM_CLASS_FAIL] == 0 && f->n[MM_CLASS_WAIVED] == 0;
}

/* Where nothing fails, and something is not known: together, and behind what fails. */
static void unsure(const struct mm_page *p, const struct mm_check *c, const struct mm_folds *l)
{
	int64_t n = 0;
	for (size_t i = 0; i < l->n; i++)
		n += only_unsure(l->v[i]) ? mm_fold_rows(l->v[i]) : 0;
	if (n == 0)
		return;
	fputs("<details class=\"fold unsure\"><summary><strong>Only unknown</strong> ", p->f);
	mm_html_counted(p->f, n, "result", "results");
	const char *comma = " <span class=\"dim\">in ";
	for (size_t i = 0; i < l->n; i++) {
		if (!only_unsure(l->v[i]))
			continue;
		fputs(comma, p->f);
		mm_html_text(p->f, client_of(c, l->v[i]));
		comma = ", ";
	}
	fputs("</span></summary>\n", p->f);
	for (size_t i = 0; i < l->n; i++) {
		if (!only_unsure(l->v[i]))
			continue;
		struct mm_buf label = MM_BUF_INIT(8192);
		mm_html_in(p->f, "h4", client_of(c, l->v[i]));
		mm_buf_addf(&label, "%s: what is unknown", client_of(c, l->v[i]));
		mm_page_places(p, mm_buf_str(&label), l->v[i]);
		mm_buf_free(&label);
	}
	fputs("</details>\n", p->f);
}

static void check(const struct mm_page *p, const struct mm_dim_count *c, struct mm_folds *l)
{
	int64_t n[MM_PAGE_SERIES];
	const char *severity = mm_severity_name(c->check->severity);
	mm_page_counts(c->by, n);
	mm_folds_sort(l);
	fprintf(p->f, "<article class=\"check\" id=\"c-%s\">\n<h3>", c->check->id);
	mm_html_text(p->f, c->check->title);
	fputc(' ', p->f);
	mm_html_badge(p->f, severity, severity);
	fputs("</h3>\n", p->f);
	mm_svg_bar(p->f, mm_page_series, n, MM_PAGE_SERIES);
	mm_svg_legend(p->f, mm_page_series, n, MM_PAGE_SERIES);
	if (c->check->rationale != NULL && *c->check->rationale != '\0')
		mm_html_in(p->f, "p", c->check->rationale);
	written(p->f, c->check);
	for (size_t i = 0; i < l->n; i++)
		if (!only_unsure(l->v[i]))
			fold(p, l->v[i], client_of(c->check, l->v[i]), NULL);
	unsure(p, c->check, l);
	fputs("</article>\n", p->f);
}

void mm_page_checks(const struct mm_page *p)
{
	size_t n, shown = 0;
	const struct mm_dim_count *const *c = mm_dims_get(p->dims, MM_DIM_CHECK, &n);
	mm_page_section(p, "failing", "What fails, and how to set it right");
	fprintf(p->f,
	    "<p class=\"paper dim\">On paper stand what fails and what is waived, at most %d and %d places "
	    "of "
	    "each kind; the page on a screen shows also what is unknown, and <code>mailmuster report "
	    "--format csv</code> tells all.</p>\n",
	    MM_KEPT_FAIL, MM_KEPT_WAIVED);
	for (size_t i = 0; i < n; i++) {
		struct mm_folds *l = c[i]->check->index < p->n_checks ? &p->checks[c[i]->check->index] : NULL;
		if (l == NULL || l->n == 0)
			continue;
		check(p, c[i], l);
		shown++;
	}
	if (shown == 0)
		mm_page_empty(p, mm_dim_whole(mm_dims_all(p->dims)) > 0
				     ? "Nothing fails, and nothing that was looked at is unknown."
				     : "Nothing was evaluated.");
	mm_page_section_end(p);
}

void mm_page_drift(const struct mm_page *p)
{
	struct mm_folds l = p->drift;
	int64_t rest = l.left;
	mm_folds_sort(&l);
	mm_page_section(p, "drift", "What differs from the policy");
	for (size_t i = 0; i < l.n; i++) {
		if (i < MM_PAGE_FOLDS)
			fold(p, l.v[i],
			    l.v[i]->sub[0] != '\0' ? l.v[i]->sub : "The file or account as a whole",
			    l.v[i]->key);
		else
			rest += mm_fold_rows(l.v[i]);
	}
	if (l.n == 0)
		mm_page_empty(p, "Nothing differs from the policy in what was reported.");
	mm_page_more(p, rest, "differences of other settings");
	mm_page_section_end(p);
}
