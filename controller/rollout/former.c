#include "controller/rollout/former.h"

#include <stdlib.h>
#include <string.h>

static int by_number(const void *x, const void *y)
{
	const int64_t *a = x, *b = y;
	return *a < *b ? -1 : *a > *b;
}

static int by_order(const void *x, const void *y)
{
	const struct mm_ro_former *a = x, *b = y;
	if ((a->before == 0) != (b->before == 0))
		return a->before == 0 ? -1 : 1;
	if (a->hosts != b->hosts)
		return a->hosts < b->hosts ? -1 : 1;
	return by_number(&a->before, &b->before);
}

struct mm_ro_former *mm_ro_formers(const int64_t *before, size_t n, struct mm_arena *a, size_t *n_out)
{
	struct mm_ro_former *out = NULL;
	size_t k = 0, cap = 0;
	int64_t *sorted = mm_arena_alloc(a, n + 1, sizeof(*sorted));
	*n_out = 0;
	if (n == 0)
		return NULL;
	memcpy(sorted, before, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), by_number);
	for (size_t i = 0; i < n; i++) {
		if (k == 0 || out[k - 1].before != sorted[i]) {
			struct mm_ro_former *f = mm_arena_push(a, &out, &k, &cap, sizeof(*f));
			*f = (struct mm_ro_former){.before = sorted[i]};
		}
		out[k - 1].hosts++;
	}
	qsort(out, k, sizeof(*out), by_order);
	*n_out = k;
	return out;
}
