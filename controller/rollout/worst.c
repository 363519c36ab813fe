#include "common/text.h"
#include "controller/rollout/assign.h"

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Budget and what is in flight; "any" stays that. */
static int64_t with_window(const struct mm_share *budget, int64_t whole, int64_t window)
{
	int64_t n = mm_share_of(budget, whole);

	return n > INT64_MAX - window ? INT64_MAX : n + window;
}

void mm_ro_worst_case(const struct mm_ro_terms *t, const struct mm_ro_plan *plan, struct mm_arena *a,
    struct mm_ro_worst_case *out)
{
	int64_t so_far = 0;

	*out = (struct mm_ro_worst_case){.waves = mm_arena_alloc(a, plan->n_waves + 1, sizeof(*out->waves))};
	for (int b = 0; b < MM_BUDGET_COUNT; b++)
		out->total[b] = least(plan->hosts, with_window(&t->budgets[b].total, plan->hosts, t->window));
	for (size_t i = 0; i < plan->n_waves; i++) {
		int64_t size = plan->sizes[i];

		so_far += size;
		out->waves[i].total = so_far;
		for (int b = 0; b < MM_BUDGET_COUNT; b++)
			out->waves[i].wave[b] = least(
			    least(size, out->total[b]), with_window(&t->budgets[b].wave, size, t->window));
	}
}

static void print_wave(const struct mm_ro_terms *t, const struct mm_ro_plan *plan,
    const struct mm_ro_worst *w, size_t i, struct mm_buf *out)
{
	mm_buf_addf(out, "wave %zu: %lld host%s (%lld of %lld so far); worst case", i + 1,
	    (long long)plan->sizes[i], plan->sizes[i] == 1 ? "" : "s", (long long)w->total,
	    (long long)plan->hosts);
	for (int b = 0; b < MM_BUDGET_COUNT; b++) {
		if (t->budgets[b].wave.kind == MM_SHARE_ANY && t->budgets[b].total.kind == MM_SHARE_ANY)
			mm_buf_addf(
			    out, "%s any number %s", b > 0 ? "," : "", mm_budget_words((enum mm_budget)b));
		else
			mm_buf_addf(out, "%s %lld %s", b > 0 ? "," : "", (long long)w->wave[b],
			    mm_budget_words((enum mm_budget)b));
	}
	mm_buf_addc(out, '\n');
}

void mm_ro_worst_print(const struct mm_ro_terms *t, const struct mm_ro_plan *plan,
    const struct mm_ro_worst_case *w, struct mm_buf *out)
{
	if (*plan->note != '\0')
		mm_buf_addf(out, "%s\n", plan->note);
	for (size_t i = 0; i < plan->n_waves; i++)
		print_wave(t, plan, &w->waves[i], i, out);
	mm_buf_adds(out, "in all at most");
	for (int b = 0; b < MM_BUDGET_COUNT; b++)
		mm_buf_addf(out, "%s %lld %s", b > 0 ? "," : "", (long long)w->total[b],
		    mm_budget_words((enum mm_budget)b));
	mm_buf_addf(out, ": the budgets, and up to %lld hosts in flight\n", (long long)t->window);
}
