/* Sheets: what decodes is canonical, and the same sheet gives the same bytes. */
#include <stdint.h>
#include <string.h>

#include "common/frame.h"
#include "common/text.h"
#include "schemas/sheet.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_account(const struct mm_account *acc, struct mm_arena *a)
{
	assert(mm_is_account_name(acc->name) && acc->replaces != NULL);
	for (int s = 0; s < MM_SET_COUNT; s++) {
		const char *canon, *value = acc->want.v[s];
		if (value == NULL)
			continue;
		assert(strlen(value) <= MM_VALUE_MAX && !mm_has_control(value));
		assert(mm_setting_canon((enum mm_setting)s, value, a, &canon, NULL) == 0 &&
		       mm_streq(canon, value));
	}
	for (size_t i = 0; i < acc->n_unknown; i++)
		assert(!mm_has_control(acc->unknown[i].id) && !mm_has_control(acc->unknown[i].value));
}

/* What this build does not understand, because the sheet is newer, cannot be
 * written as our own version without being refused. */
static bool all_understood(const struct mm_sheet *s)
{
	for (size_t i = 0; i < s->n_accounts; i++) {
		for (size_t k = 0; k < s->accounts[i].n_unknown; k++) {
			if (mm_setting_by_id(s->accounts[i].unknown[k].id) != MM_SET_NONE)
				return false;
		}
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_err err = MM_ERR_NONE;
	struct mm_sheet s, again;
	struct mm_buf one = MM_BUF_INIT(4 * MM_FRAME_MAX), two = MM_BUF_INIT(4 * MM_FRAME_MAX);
	if (mm_sheet_decode((const char *)data, size, a, &s, &err) == 0) {
		for (size_t i = 0; i < s.n_accounts; i++)
			check_account(&s.accounts[i], a);
		mm_sheet_encode(&s, &one);
		assert(mm_buf_ok(&one));
		if (all_understood(&s)) {
			assert(mm_sheet_decode(one.data, one.len, a, &again, &err) == 0);
			mm_sheet_encode(&again, &two);
			assert(mm_streq(mm_buf_str(&one), mm_buf_str(&two)));
		}
	} else {
		assert((err.code == MM_EX_DATAERR || err.code == MM_EX_NOPERM) && err.text[0] != '\0');
	}
	mm_buf_free(&one);
	mm_buf_free(&two);
	mm_arena_free(a);
	return 0;
}
