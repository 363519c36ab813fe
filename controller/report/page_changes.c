/* What changed between two moments: counts, by check, and the first places, worst first. */
#include <inttypes.h>

#include "common/text.h"
#include "controller/checks/baseline.h"
#include "controller/report/page.h"

/* In the order in which they are shown. */
static const enum mm_turn order[MM_TURN_COUNT] = {
    MM_TURN_WORSE, MM_TURN_NEW, MM_TURN_GONE, MM_TURN_OTHER, MM_TURN_BETTER};

void mm_page_change(struct mm_page *p, const struct mm_change_row *r)
{
	enum mm_turn k = r->change;
	if (p->changes_by[k]++ >= MM_PAGE_CHANGES)
		return;
	struct mm_buf of = MM_BUF_INIT(16384), then = MM_BUF_INIT(16384), now = MM_BUF_INIT(16384);
	mm_change_of(r, &of);
	mm_change_side_words(&r->then, &then);
	mm_change_side_words(&r->now, &now);
	struct mm_page_change *c =
	    mm_arena_push(p->a, &p->changes[k], &p->n_changes[k], &p->cap_changes[k], sizeof(*c));
	*c = (struct mm_page_change){.of = mm_arena_strdup(p->a, mm_buf_str(&of)),
	    .then = mm_arena_strdup(p->a, mm_buf_str(&then)),
	    .now = mm_arena_strdup(p->a, mm_buf_str(&now))};
	mm_buf_free(&now);
	mm_buf_free(&then);
	mm_buf_free(&of);
}

static const char *mark(enum mm_turn c)
{
	static const char *const v[MM_TURN_COUNT] = {
	    "failed", "compliant", "unknown", "notapplicable", "waived"};
	return v[c];
}

static void counts(const struct mm_page *p)
{
	char t[MM_TIME_MAX];
	fprintf(p->f, "<p>Between %s and ", mm_time_utc(p->meta->since, t));
	fprintf(p->f, "%s, settings and logins together: ", mm_time_utc(p->meta->fleet.now, t));
	for (size_t i = 0; i < MM_TURN_COUNT; i++) {
		fputs(i > 0 ? ", " : "", p->f);
		mm_html_count(p->f, p->changes_by[order[i]]);
		fprintf(p->f, " %s", mm_turn_name(order[i]));
	}
	fputs(". What changed and changed back is not in it.</p>\n", p->f);
}

static void by_check(const struct mm_page *p)
{
	static const char *const heads[] = {"Check", "Then", "Now", NULL};
	struct mm_html_table t;
	struct mm_buf b = MM_BUF_INIT(4096);
	const struct mm_report_meta *m = p->meta;
	mm_html_table(&t, p->f, "Checks then and now", heads, true);
	for (size_t i = 0; i < m->baseline->n; i++) {
		const struct mm_check_sum *sum[] = {&m->sums_then[i], &m->sums[i]};
		if (sum[0]->results + sum[1]->results == 0)
			continue;
		mm_html_row(&t, NULL);
		mm_html_cell_text(&t, sum[0]->check->title);
		for (size_t k = 0; k < 2; k++) {
			mm_buf_reset(&b);
			mm_check_sum_words(sum[k], &b);
			mm_html_cell_text(&t, mm_buf_str(&b));
		}
		mm_html_row_end(&t);
	}
	mm_html_table_end(&t);
	mm_buf_free(&b);
}

static void places(const struct mm_page *p)
{
	static const char *const heads[] = {"What", "Change", "Then", "Now", NULL};
	struct mm_html_table t;
	int64_t left = MM_PAGE_CHANGES, more = 0;
	mm_html_table(&t, p->f, "What changed, worse first", heads, true);
	for (size_t i = 0; i < MM_TURN_COUNT; i++) {
		enum mm_turn k = order[i];
		int64_t shown = (int64_t)p->n_changes[k] < left ? (int64_t)p->n_changes[k] : left;
		for (int64_t n = 0; n < shown; n++) {
			const struct mm_page_change *c = &p->changes[k][n];
			mm_html_row(&t, NULL);
			mm_html_cell_text(&t, c->of);
			mm_html_badge(mm_html_cell(&t), mark(k), mm_turn_name(k));
			mm_html_cell_text(&t, c->then);
			mm_html_cell_text(&t, c->now);
			mm_html_row_end(&t);
		}
		left -= shown;
		more += p->changes_by[k] - shown;
	}
	mm_html_table_end(&t);
	mm_page_more(p, more, "changes");
}

void mm_page_changes(const struct mm_page *p)
{
	int64_t all = 0;
	if (p->meta->since == 0)
		return;
	for (size_t i = 0; i < MM_TURN_COUNT; i++)
		all += p->changes_by[i];
	mm_page_section(p, "changes", "What changed");
	counts(p);
	if (p->meta->sums_then != NULL)
		by_check(p);
	if (all > 0)
		places(p);
	mm_page_section_end(p);
}
