/*
 * A compliance baseline from outside: whatever the bytes, loading ends with a
 * baseline whose every check can be made, or with errors that say where. What loads
 * is the same when its stored text is loaded again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "controller/checks/baseline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const struct mm_baseline *b, struct mm_arena *a)
{
	for (size_t i = 0; i < b->n; i++) {
		const struct mm_check *c = &b->checks[i];
		if (c->index != i || c->id == NULL || c->title == NULL || c->rationale == NULL ||
		    c->test == NULL || mm_check_fix(c, "mutt") == NULL || mm_check_unit(c) == NULL ||
		    mm_baseline_only(b, c->id, a) == NULL)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mm_arena *a = mm_arena_new();
	const struct mm_baseline *b = NULL, *again = NULL;
	const char *text = mm_arena_strndup(a, (const char *)data, size);
	struct mm_diags d;
	mm_diags_init(&d, a);
	if (mm_baseline_load_text("fuzz.conf", text, a, &b, &d) == 0) {
		use(b, a);
		if (mm_baseline_load_text("fuzz.conf", text, a, &again, &d) != 0 ||
		    strcmp(b->sha256, again->sha256) != 0 || b->n != again->n)
			abort();
	} else if (d.errors == 0) {
		abort();
	}
	for (size_t i = 0; i < d.n; i++)
		if (d.items[i].at.file == NULL)
			abort();
	mm_arena_free(a);
	return 0;
}
