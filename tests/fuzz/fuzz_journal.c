/* The journal's rows: what was read is written, and reads as the same. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "agent/home.h"
#include "agent/journal.h"
#include "common/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_err err = MM_ERR_NONE;
	struct mm_rows rows, again;
	struct mm_buf one = MM_BUF_INIT(1u << 24), two = MM_BUF_INIT(1u << 24);
	const char *text = mm_arena_strndup(a, (const char *)data, size);
	json_t *j = mm_json_load("journal", text, size, &err);
	if (j != NULL && json_is_array(j) && mm_rows_parse(j, a, &rows, &err) == 0) {
		json_t *out = mm_rows_json(&rows);
		mm_json_dump(out, &one);
		assert(mm_rows_parse(out, a, &again, &err) == 0);
		json_t *back = mm_rows_json(&again);
		mm_json_dump(back, &two);
		assert(strcmp(mm_buf_str(&one), mm_buf_str(&two)) == 0);
		json_decref(back);
		json_decref(out);
	}
	json_decref(j);
	/* The kernel's text is no enemy, but names of mounts are anybody's. */
	(void)mm_mount_type(text, "/home/alice", a);
	mm_buf_free(&one);
	mm_buf_free(&two);
	mm_arena_free(a);
	return 0;
}
