/* For tests of decoders: a good JSON document with one thing changed. */
#ifndef MM_TESTS_UNIT_EDITED_H
#define MM_TESTS_UNIT_EDITED_H

#include "common/frame.h"
#include "common/json.h"
#include "common/mem.h"

/* `good` with one member set to `value` (JSON), or removed when it is NULL.
 * The text lives in the arena. */
static inline char *edited(struct mm_arena *a, const char *good, const char *key, const char *value)
{
	json_t *o = json_loads(good, 0, NULL);
	assert_non_null(o);
	json_t *v = value != NULL ? json_loads(value, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL) : NULL;
	if (v != NULL)
		mm_json_set(o, key, v);
	else
		json_object_del(o, key);
	assert_true(value == NULL || v != NULL);
	struct mm_buf b = MM_BUF_INIT(4 * MM_FRAME_MAX);
	mm_json_dump(o, &b);
	assert_true(mm_buf_ok(&b));
	char *text = mm_arena_strdup(a, mm_buf_str(&b));
	mm_buf_free(&b);
	json_decref(o);
	return text;
}

#endif
