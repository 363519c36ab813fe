/* What a policy changes of its baseline. */
#include <inttypes.h>
#include <string.h>

#include "common/text.h"
#include "controller/checks/baseline.h"

static struct mm_check *find(struct mm_check *v, size_t n, const char *id)
{
	for (size_t i = 0; i < n; i++)
		if (mm_streq(v[i].id, id))
			return &v[i];
	return NULL;
}

static void no_such(
    const struct mm_baseline *b, const struct mm_said *id, struct mm_arena *a, struct mm_diags *d)
{
	const char **ids = mm_arena_alloc(a, b->n + 1, sizeof(*ids));
	for (size_t i = 0; i < b->n; i++)
		ids[i] = b->checks[i].id;
	const char *near = mm_nearest(id->text, ids);
	mm_diag_error(d, id->at, "audit: tailor: baseline %s has no check %s%s%s%s", b->id, id->text,
	    near != NULL ? "; did you mean " : "; see mailmuster report --list-checks",
	    near != NULL ? near : "", near != NULL ? "?" : "");
}

static void change(struct mm_check *c, const struct mm_ptailor *t, struct mm_arena *a, struct mm_diags *d)
{
	struct mm_buf words = MM_BUF_INIT(1024);
	if (t->severity.text != NULL) {
		int v = mm_severity_by_name(t->severity.text);
		if (v < 0) {
			mm_diag_error(d, t->severity.at,
			    "audit: tailor: severity \"%s\" is not known; write info, low, medium, high or "
			    "critical",
			    t->severity.text);
		} else {
			mm_buf_addf(&words, "severity %s instead of %s",
			    mm_severity_name((enum mm_severity)v), mm_severity_name(c->severity));
			c->severity = (enum mm_severity)v;
		}
	}
	if (t->threshold >= 0) {
		mm_buf_addf(&words, "%sthreshold %d instead of %" PRId64, words.len > 0 ? ", " : "",
		    t->threshold, c->threshold);
		c->threshold = t->threshold;
	}
	c->off = t->off.text;
	if (words.len > 0)
		c->tailored = mm_arena_strdup(a, mm_buf_str(&words));
	mm_buf_free(&words);
}

int mm_baseline_tailor(const struct mm_baseline *b, const struct mm_paudit *audit, struct mm_arena *a,
    const struct mm_baseline **out, struct mm_diags *d)
{
	struct mm_baseline *mine = mm_arena_alloc(a, 1, sizeof(*mine));
	struct mm_check *checks = mm_arena_alloc(a, b->n + 1, sizeof(*checks));
	size_t before = d->errors;
	*mine = *b;
	mine->checks = checks;
	memcpy(checks, b->checks, b->n * sizeof(*checks));
	for (size_t i = 0; i < audit->n; i++) {
		const struct mm_ptailor *t = &audit->tailor[i];
		struct mm_check *c = find(checks, b->n, t->check.text);
		if (c == NULL)
			no_such(b, &t->check, a, d);
		else if (c->off != NULL || c->tailored != NULL)
			mm_diag_error(d, t->check.at,
			    "audit: tailor: %s stands there twice; keep one of the two", t->check.text);
		else
			change(c, t, a, d);
	}
	if (d->errors > before)
		return -1;
	*out = mine;
	return 0;
}

int mm_baseline_of_policy(const struct mm_policy *p, const char *folder, struct mm_arena *a,
    const struct mm_baseline **out, struct mm_said *text, struct mm_diags *d)
{
	const struct mm_said *named = &p->audit.baseline;
	const char *name = named->text != NULL ? named->text : MM_BASELINE_DEFAULT, *looked = "";
	const char *path = mm_baseline_find(name, folder, a, &looked);
	struct mm_origin at = named->text != NULL ? named->at : (struct mm_origin){p->name, 0};
	const struct mm_baseline *b;
	struct mm_err err = MM_ERR_NONE;
	struct mm_diags own;
	*out = NULL;
	if (path == NULL) {
		if (named->text == NULL && p->audit.n == 0)
			return 0;
		mm_diag_error(d, at, "audit: there is no baseline \"%s\" in %s", name, looked);
		return -1;
	}
	mm_diags_init(&own, a);
	if (mm_baseline_load_file(path, a, &b, text, &own) != 0) {
		mm_diags_err(&own, &err);
		mm_diag_error(d, at, "audit: baseline %s: %s", name, err.text);
		return -1;
	}
	return mm_baseline_tailor(b, &p->audit, a, out, d);
}
