#include "controller/report_checks.h"

#include <inttypes.h>

#include "common/json.h"
#include "common/text.h"
#include "controller/checks/baseline.h"
#include "controller/policy_store.h"
#include "controller/report/json_rows.h"

/* ---- choosing */

static int from_files(
    const char *name, struct mm_arena *a, const struct mm_baseline **out, struct mm_err *err)
{
	const char *looked = "", *path = mm_baseline_find(name, NULL, a, &looked);
	struct mm_diags d;
	mm_diags_init(&d, a);
	if (path == NULL)
		return mm_err_set(err, MM_EX_FAILED, "there is no baseline %s.conf in %s", name, looked);
	if (mm_baseline_load_file(path, a, out, NULL, &d) != 0) {
		mm_diags_err(&d, err);
		return -1;
	}
	return 0;
}

/* The text that was stored with the revision; 1 = there is none. */
static int as_imported(struct mm_ctl *c, const struct mm_revision *r, struct mm_arena *a,
    const struct mm_baseline **out, struct mm_err *err)
{
	const char *name, *text;
	struct mm_diags d;
	int rc =
	    r->baseline[0] == '\0' ? 1 : mm_store_baseline_get(c->store, r->baseline, a, &name, &text, err);
	if (rc != 0)
		return rc;
	mm_diags_init(&d, a);
	if (mm_baseline_load_text(name, text, a, out, &d) == 0)
		return 0;
	mm_diags_err(&d, err);
	return mm_err_prefix(err, "the baseline of revision %" PRId64, r->number);
}

static int of_policy(struct mm_ctl *c, struct mm_arena *a, struct mm_judged_by *out, struct mm_err *err)
{
	static const struct mm_paudit nothing;
	struct mm_stored_policy p = {.policy = NULL};
	const struct mm_baseline *b;
	struct mm_diags d;
	int rc = mm_policy_stored(c->store, 0, a, &p, err);
	if (rc < 0)
		return -1;
	const struct mm_paudit *audit = rc == 0 ? &p.policy->audit : &nothing;
	bool named = audit->baseline.text != NULL;
	if (rc == 0)
		rc = as_imported(c, &p.revision, a, &b, err);
	if (rc == 1)
		rc = from_files(named ? audit->baseline.text : MM_BASELINE_DEFAULT, a, &b, err);
	if (rc != 0)
		return -1;
	mm_diags_init(&d, a);
	if (mm_baseline_tailor(b, audit, a, &out->baseline, &d) != 0) {
		mm_diags_err(&d, err);
		return -1;
	}
	out->by = named ? "chosen by the policy" : "the policy names none";
	return 0;
}

static int one_alone(struct mm_judged_by *j, const char *check, struct mm_arena *a, struct mm_err *err)
{
	const struct mm_baseline *all = j->baseline;
	const char **ids = mm_arena_alloc(a, all->n + 1, sizeof(*ids));
	for (size_t i = 0; i < all->n; i++)
		ids[i] = all->checks[i].id;
	const char *near = mm_nearest(check, ids);
	j->baseline = mm_baseline_only(all, check, a);
	if (j->baseline == NULL)
		return mm_err_set(err, MM_EX_FAILED, "baseline %s has no check %s%s%s%s", all->id, check,
		    near != NULL ? "; did you mean " : "", near != NULL ? near : "", near != NULL ? "?" : "");
	return 0;
}

int mm_judge_by(struct mm_ctl *c, const char *name, const char *check, struct mm_arena *a,
    struct mm_judged_by *out, struct mm_err *err)
{
	struct mm_judged_by j = {.by = "--baseline"};
	if ((name != NULL ? from_files(name, a, &j.baseline, err) : of_policy(c, a, &j, err)) != 0)
		return -1;
	if (check != NULL && one_alone(&j, check, a, err) != 0)
		return -1;
	*out = j;
	return 0;
}

/* ---- listing */

static void list_json(const struct mm_judged_by *j)
{
	json_t *o = json_object(), *checks = json_array();
	for (size_t i = 0; i < j->baseline->n; i++)
		json_array_append_new(checks, mm_check_about_json(&j->baseline->checks[i]));
	mm_json_set(o, "baseline", mm_baseline_json(j->baseline, j->by));
	mm_json_set(o, "checks", checks);
	mm_ctl_json(o);
}

static void list_one(const struct mm_check *c)
{
	printf("\n%s (%s)\n  %s.\n  %s\n", c->id, mm_severity_name(c->severity), c->title, c->rationale);
	if (c->threshold > 0)
		printf("  threshold: %" PRId64 "\n", c->threshold);
	if (c->n_controls > 0)
		printf("  controls: ");
	for (size_t i = 0; i < c->n_controls; i++)
		printf("%s%s", c->controls[i].id, i + 1 < c->n_controls ? ", " : "\n");
	for (size_t i = 0; i < c->n_refs; i++)
		printf("  %s%s%s: %s\n", c->refs[i].document, c->refs[i].section[0] != '\0' ? " " : "",
		    c->refs[i].section, c->refs[i].words);
	for (size_t i = 0; i < c->n_fixes; i++)
		printf("  fix, %s: %s\n", c->fixes[i].client[0] != '\0' ? c->fixes[i].client : "any program",
		    c->fixes[i].text);
	if (c->off != NULL)
		printf("  TURNED OFF by the policy: %s\n", c->off);
	if (c->tailored != NULL)
		printf("  the policy: %s\n", c->tailored);
}

void mm_list_checks(const struct mm_judged_by *j, bool json)
{
	const struct mm_baseline *b = j->baseline;
	if (json) {
		list_json(j);
		return;
	}
	printf("%s: %s (%s)\n%s\nsha256 %s\n", b->id, b->title, j->by, b->href, b->sha256);
	for (size_t i = 0; i < b->n; i++)
		list_one(&b->checks[i]);
}

/* ---- the exit status */

int mm_checks_exit(const struct mm_baseline *b, const struct mm_check_sum *sums)
{
	for (size_t i = 0; i < b->n; i++)
		if (sums[i].by[MM_OUT_FAILED] + sums[i].by[MM_OUT_DRIFTED] + sums[i].by[MM_OUT_UNKNOWN] +
			sums[i].by[MM_OUT_DEFERRED] >
		    0)
			return MM_EX_DIFF;
	return MM_EX_OK;
}
