/*
 * mm_json_load() and the readers of members. Oracle: what was loaded is
 * printed, and loads again to the same; no reader gives what it promises not
 * to give. What the reader of plain JSON takes, jansson reads the same.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/json_plain.h"
#include "common/text.h"

static void read_member(const json_t *o, const char *key)
{
	struct mm_err e = MM_ERR_NONE;
	const char *s = NULL;
	const json_t *v = NULL;
	int64_t n = 0;
	bool b = false;
	if (mm_json_str(o, key, 20, &s, &e) == 0)
		assert(strlen(s) <= 20 && !mm_has_control(s));
	else
		assert(e.code == MM_EX_DATAERR);
	if (mm_json_str_opt(o, key, 20, &s, &e) == 0)
		assert(s == NULL || strlen(s) <= 20);
	if (mm_json_int(o, key, 1, 65535, &n, &e) == 0)
		assert(n >= 1 && n <= 65535);
	if (mm_json_int_opt(o, key, 1, 9, 5, &n, &e) == 0)
		assert(n >= 1 && n <= 9);
	mm_json_bool_opt(o, key, true, &b, &e);
	if (mm_json_array(o, key, 3, true, &v, &e) == 0)
		assert(json_array_size(v) <= 3);
	mm_json_object(o, key, true, &v, &e);
}

static size_t depth_of(json_t *j)
{
	size_t deepest = 0, i = 0;
	const char *key = NULL;
	json_t *v = NULL;
	if (json_is_array(j)) {
		json_array_foreach(j, i, v)
		{
			size_t d = depth_of(v);
			deepest = d > deepest ? d : deepest;
		}
	}
	json_object_foreach(j, key, v)
	{
		size_t d = depth_of(v);
		deepest = d > deepest ? d : deepest;
	}
	return json_is_array(j) || json_is_object(j) ? deepest + 1 : 0;
}

static void same_as_jansson(const char *p, size_t n)
{
	json_t *plain = mm_json_plain(p, n);
	if (plain == NULL)
		return;
	json_t *theirs = json_loadb(p, n, JSON_REJECT_DUPLICATES, NULL);
	assert(theirs != NULL && json_equal(plain, theirs));
	char *x = json_dumps(plain, JSON_COMPACT), *y = json_dumps(theirs, JSON_COMPACT);
	assert(x != NULL && y != NULL && strcmp(x, y) == 0); /* and in the same order */
	free(x);
	free(y);
	json_decref(theirs);
	json_decref(plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"a", "b", NULL};
	struct mm_err e = MM_ERR_NONE;
	same_as_jansson((const char *)data, size);
	json_t *j = mm_json_load("input", (const char *)data, size, &e);
	if (j == NULL) {
		assert(e.code == MM_EX_DATAERR && strncmp(e.text, "input: ", 7) == 0);
		return 0;
	}
	assert(depth_of(j) <= MM_JSON_DEPTH);
	for (size_t i = 0; names[i] != NULL; i++)
		read_member(j, names[i]);
	mm_json_only(j, names, &e);
	struct mm_buf b = MM_BUF_INIT(64u << 20);
	mm_json_dump(j, &b);
	assert(mm_buf_ok(&b));
	json_t *again = mm_json_load("again", b.data, b.len, &e);
	assert(again != NULL && json_equal(j, again));
	json_decref(again);
	json_decref(j);
	mm_buf_free(&b);
	return 0;
}
