/* What a server says about a token, RFC 7628 3.2.2. */
#include <string.h>

#include "agent/probe/token_error.h"
#include "common/digest.h"
#include "tests/lib/testutil.h"

static bool told(const char *json, size_t n, char *out, size_t size)
{
	struct mm_buf b64 = MM_BUF_INIT(65536);
	mm_base64(json, n, &b64);
	bool is = mm_token_error(mm_buf_str(&b64), b64.len, out, size);
	mm_buf_free(&b64);
	return is;
}

static void test_words(void **state)
{
	(void)state;
	static const struct {
		const char *json, *words;
	} rows[] = {{"{\"status\":\"401\",\"schemes\":\"bearer\",\"scope\":\"mail\"}",
			"status 401, scope mail, schemes bearer"},
	    {"{\"status\":400}", "status 400"},
	    {"{\"status\":\"invalid_token\",\"scope\":\"\"}", "status invalid_token"}, {"{}", "no status"},
	    {"{\"status\":[]}", "no status"}, {"{\"status\":\"4\\u000a01\"}", "no status"},
	    {"{\"status\":\"401\",\"scope\":7}", "status 401"}, {"[\"401\"]", NULL}, {"\"401\"", NULL},
	    {"{\"status\":\"401\"", NULL}, {"{\"status\":\"401\",\"status\":\"200\"}", NULL}, {"", NULL}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char out[256] = "";
		assert_int_equal(
		    told(rows[i].json, strlen(rows[i].json), out, sizeof(out)), rows[i].words != NULL);
		if (rows[i].words != NULL)
			assert_string_equal(out, rows[i].words);
	}
}

static void test_no_base64(void **state)
{
	(void)state;
	char out[64] = "";
	assert_false(mm_token_error("eyJ", 3, out, sizeof(out)));
	assert_false(mm_token_error("", 0, out, sizeof(out)));
	assert_false(mm_token_error("Password:", 9, out, sizeof(out)));
	assert_true(mm_token_error("e30=  ", 6, out, sizeof(out)));
	assert_false(told("{\"status\":\"4\0\"}", 14, out, sizeof(out)));
}

static void test_limits(void **state)
{
	(void)state;
	char out[16], json[5000];
	memset(json, ' ', sizeof(json));
	memcpy(json, "{\"status\":\"401\"", 15);
	json[sizeof(json) - 1] = '}';
	assert_false(told(json, sizeof(json), out, sizeof(out)));
	json[2000] = '}';
	assert_true(told(json, 2001, out, sizeof(out)));
	/* a long word is left out, and the caller's room is kept to */
	assert_true(told("{\"status\":\"401\",\"scope\":\"a long scope\"}", 39, out, sizeof(out)));
	assert_string_equal(out, "status 401, sco");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    MM_TEST(test_words), MM_TEST(test_no_base64), MM_TEST(test_limits)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
