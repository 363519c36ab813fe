#include "tests/unit/samples_box.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

int box_setup(void **state)
{
	struct box *b = mm_xcalloc(1, sizeof(*b));
	b->a = mm_arena_new();
	*state = b;
	return 0;
}

int box_teardown(void **state)
{
	struct box *b = *state;
	mm_arena_free(b->a);
	free(b);
	return 0;
}

const char *sample(const struct box *b, const char *name, size_t *n)
{
	const char *path = mm_arena_printf(b->a, SAMPLES "%s", name);
	FILE *f = fopen(path, "rb");
	if (f == NULL)
		fail_msg("%s is missing", path);
	char *data = mm_arena_alloc(b->a, 65536, 1);
	size_t got = fread(data, 1, 65535, f);
	fclose(f);
	assert_in_range(got, 1, 65534);
	if (n != NULL)
		*n = got;
	return data;
}

void same_meaning(const char *x, size_t n, struct mm_buf *y)
{
	assert_true(mm_buf_ok(y));
	json_t *jx = json_loadb(x, n, JSON_REJECT_DUPLICATES, NULL);
	json_t *jy = json_loadb(mm_buf_str(y), y->len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(jx);
	if (!json_equal(jx, jy))
		fail_msg("%.*s\n became\n%s", (int)n, x, mm_buf_str(y));
	json_decref(jx);
	json_decref(jy);
	mm_buf_free(y);
}
