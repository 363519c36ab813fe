/* The end of an answer: how many frames came, and their SHA-256. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "common/frame.h"
#include "schemas/proto.h"
#include "schemas/report.h"

static void tally_of(struct mm_tally *t, const char *second)
{
	mm_tally_init(t);
	mm_tally_add(t, MM_FT_HELLO, "{}", 2);
	mm_tally_add(t, MM_FT_FINDING, second, strlen(second));
}

static void end_matches(void **state)
{
	(void)state;
	struct mm_tally t;
	struct mm_buf b = MM_BUF_INIT(4096);
	struct mm_err err = MM_ERR_NONE;
	tally_of(&t, "abc");
	mm_end_encode(&t, &b);
	/* printf '\0\20\0\0\0\2{}\0\22\0\0\0\3abc' | sha256sum */
	assert_string_equal(mm_buf_str(&b),
	    "{\"frames\":2,\"sha256\":\"8482a918ca90a1cbbbfe0bf14fc793c4a3b148c518e1861eac01cba31df26810\"}");
	tally_of(&t, "abc");
	mm_tally_add(&t, MM_FT_KEEPALIVE, "", 0);
	mm_tally_add(&t, MM_FT_END, b.data, b.len);
	assert_int_equal(mm_end_check(&t, b.data, b.len, &err), 0);
	mm_buf_free(&b);
}

static void end_differs(void **state)
{
	(void)state;
	struct mm_tally t;
	struct mm_buf b = MM_BUF_INIT(4096);
	struct mm_err err = MM_ERR_NONE;
	tally_of(&t, "abc");
	mm_end_encode(&t, &b);
	tally_of(&t, "abd");
	assert_int_equal(mm_end_check(&t, b.data, b.len, &err), -1);
	assert_non_null(strstr(err.text, "SHA-256"));
	tally_of(&t, "abc");
	mm_tally_add(&t, MM_FT_LOGIN, "{}", 2);
	assert_int_equal(mm_end_check(&t, b.data, b.len, &err), -1);
	assert_non_null(strstr(err.text, "3 frames"));
	const char *const broken[] = {"", "{}", "{\"frames\":2}", "{\"frames\":-1,\"sha256\":\"\"}", "[]",
	    "{\"frames\":2,\"sha256\":7}"};
	for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
		tally_of(&t, "abc");
		assert_int_equal(mm_end_check(&t, broken[i], strlen(broken[i]), &err), -1);
		assert_int_equal(err.code, MM_EX_DATAERR);
	}
	tally_of(&t, "abc");
	mm_tally_free(&t);
	mm_tally_free(&t); /* nothing is left to free */
	mm_buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(end_matches),
	    cmocka_unit_test(end_differs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
