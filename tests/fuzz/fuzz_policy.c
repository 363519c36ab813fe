/*
 * A policy from outside: whatever the bytes, loading ends with a policy or
 * with errors that say where. What loads must survive being resolved, load
 * again from its stored text to the same hash, and not differ from itself.
 */
#include <stdint.h>
#include <stdlib.h>

#include "controller/policy/diff.h"
#include "controller/policy/explain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libconfig takes whatever our own grammar check has passed: its messages
 * ("syntax error", "duplicate setting name") must never be needed. */
static bool from_libconfig(const char *text)
{
	return strncmp(text, "syntax error;", 13) == 0 || strncmp(text, "duplicate setting name;", 23) == 0 ||
	       strncmp(text, "mismatched element type", 23) == 0;
}

static void check_diags(const struct mm_diags *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->items[i].at.file == NULL || from_libconfig(d->items[i].text))
			abort();
}

static void use(const struct mm_policy *p, struct mm_arena *a)
{
	static const char *const groups[] = {"staff", "sales", "g", "a", NULL};
	static const struct mm_subject u = {
	    .login = "alice", .name = "A \" B", .address = "a@b.example", .groups = groups};
	const struct mm_membership m = {"alice", groups};
	struct mm_resolved *r;
	struct mm_diags d;
	json_t *j;
	mm_diags_init(&d, a);
	(void)mm_policy_conflicts(p, &m, 1, &d);
	if (mm_resolve(p, &u, "kiosk7", MM_RESOLVE_EXPLAIN, a, &r, &d) != 0)
		return;
	struct mm_sheet s = mm_resolve_sheet(r, 1, a);
	struct mm_buf b = MM_BUF_INIT(8u << 20);
	mm_sheet_encode(&s, &b);
	mm_buf_free(&b);
	if (mm_explain_json(r, NULL, &j, NULL) != 0)
		abort();
	json_decref(j);
}

static void again(const struct mm_policy *p, struct mm_arena *a)
{
	const struct mm_policy_opts opts = {.stored = true};
	struct mm_policy *q;
	struct mm_policy_diff diff;
	struct mm_diags d;
	mm_diags_init(&d, a);
	if (mm_policy_load_text(p->name, p->text, p->len, &opts, a, &q, &d) != 0 ||
	    strcmp(mm_policy_sha256(p), mm_policy_sha256(q)) != 0)
		abort();
	mm_policy_diff(p, q, a, &diff);
	if (diff.n != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_policy *p;
	struct mm_diags d;
	mm_diags_init(&d, a);
	if (mm_policy_load_text("fuzz.conf", (const char *)data, size, NULL, a, &p, &d) == 0) {
		use(p, a);
		again(p, a);
	} else if (d.errors == 0) {
		abort();
	}
	check_diags(&d);
	mm_arena_free(a);
	return 0;
}
