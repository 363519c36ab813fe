#include "common/json.h"
#include "common/json_plain.h"
#include "common/json_text.h"
#include "common/text.h"

#include "tests/lib/testutil.h"

static json_t *load(const char *text, struct mm_err *e)
{
	return mm_json_load("sheet", text, strlen(text), e);
}

static void refused(const char *text, const char *words)
{
	struct mm_err e = MM_ERR_NONE;
	json_t *j = load(text, &e);
	if (j != NULL) {
		json_decref(j);
		fail_msg("taken: %s", text);
	}
	assert_int_equal(e.code, MM_EX_DATAERR);
	assert_memory_equal(e.text, "sheet: ", 7);
	if (strstr(e.text, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", e.text, words);
}

static void test_load(void **state)
{
	(void)state;
	refused("", "line 1");
	refused("{\"a\":1,\"a\":2}", "duplicate");
	refused("{\"a\":1} x", "end of file");
	refused("{\"a\":\n\n tru}", "line 3");
	refused("{\"a\":\"\\u0000\"}", "\\u0000");
	refused("{\"a\":\"\xff\"}", "unable to decode byte 0xff");
	refused("{\"a\":99999999999999999999}", "too big");
	refused("{'a':1}", "line 1");
	refused("[1,]", "line 1");
	refused("\"text\"", "line 1");
	refused("{\"a\":NaN}", "line 1");
	struct mm_err e = MM_ERR_NONE;
	json_t *j = load("{\"a\":[1,\"{[\\\"\"]}", &e);
	assert_non_null(j);
	json_decref(j);
	assert_null(mm_json_load("sheet", NULL, 0, &e));
}

/* What is read without jansson is read as jansson does. */
static void test_plain(void **state)
{
	static const char *const taken[] = {"{}", "[]", "[[],{}]", "{\"\":\"\"}",
	    "{\"b\":1,\"a\":-15,\"c\":0}", "[999999999999999,-999999999999999]",
	    "{\"t\":true,\"f\":false,\"n\":null}",
	    "{\"s\":\"a \\\"quoted\\\" \\\\ / ~\",\"o\":{\"s\":[\"x\",{\"y\":[1,2,[3]]}]}}"};
	static const char *const left[] = {"", "1", "\"text\"", "null", "{} ", " {}", "[1, 2]", "[1,]",
	    "[,1]", "[1", "[-]", "[-0]", "[01]", "[+1]", "[1.0]", "[1e3]", "[9999999999999999]", "[tru]",
	    "[truex]", "{\"a\":1,\"a\":1}", "{\"a\" :1}", "{\"a\"}", "{a:1}", "{\"a\":1,}", "{\"\\\"\":1}",
	    "[\"\\u0041\"]", "[\"\\n\"]", "[\"\\/\"]", "[\"\t\"]", "[\"\x7f\"]", "[\"caf\xc3\xa9\"]",
	    "[\"\xff\"]", "[\"a\\\"]", "[\"a", "[\"a\\", "[]]", "{]", "[}"};
	(void)state;
	for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++) {
		json_t *plain = mm_json_plain(taken[i], strlen(taken[i]));
		json_t *theirs = json_loadb(taken[i], strlen(taken[i]), JSON_REJECT_DUPLICATES, NULL);
		if (plain == NULL || theirs == NULL)
			fail_msg("not taken: %s", taken[i]);
		char *x = json_dumps(plain, JSON_COMPACT), *y = json_dumps(theirs, JSON_COMPACT);
		assert_string_equal(x, y);
		assert_true(json_equal(plain, theirs));
		free(x);
		free(y);
		json_decref(plain);
		json_decref(theirs);
	}
	for (size_t i = 0; i < sizeof(left) / sizeof(*left); i++)
		if (mm_json_plain(left[i], strlen(left[i])) != NULL)
			fail_msg("taken: %s", left[i]);
	assert_null(mm_json_plain("[\"a\0b\"]", 7));
}

static void test_plain_limits(void **state)
{
	char text[8300] = "[\"";
	(void)state;
	/* An escape, and just as much as there is room for; one more; without an escape. */
	memset(text + 2, 'x', 4097);
	memcpy(text + 2, "\\\\", 2);
	memcpy(text + 2 + 4096, "\"]", 3);
	json_t *j = mm_json_plain(text, strlen(text));
	assert_int_equal(json_string_length(json_array_get(j, 0)), 4095);
	json_decref(j);
	memcpy(text + 2 + 4096, "x\"]", 4);
	assert_null(mm_json_plain(text, strlen(text)));
	text[2] = text[3] = 'x';
	j = mm_json_plain(text, strlen(text));
	assert_int_equal(json_string_length(json_array_get(j, 0)), 4097);
	json_decref(j);
	/* A name of 128 bytes; of one more. */
	text[0] = '{';
	memcpy(text + 2 + 128, "\":1}", 5);
	j = mm_json_plain(text, 2 + 128 + 4);
	assert_int_equal(json_object_size(j), 1);
	json_decref(j);
	memcpy(text + 2 + 128, "x\":1}", 6);
	assert_null(mm_json_plain(text, 2 + 129 + 4));
	/* Deeper than we read. */
	memset(text, '[', 17);
	memset(text + 17, ']', 17);
	assert_null(mm_json_plain(text, 34));
	j = mm_json_plain(text + 1, 32);
	assert_non_null(j);
	json_decref(j);
}

static json_t *nested(size_t depth, struct mm_err *e)
{
	char text[200];
	memset(text, '[', depth);
	memset(text + depth, ']', depth);
	return mm_json_load("x", text, 2 * depth, e);
}

static void test_depth(void **state)
{
	(void)state;
	struct mm_err e = MM_ERR_NONE;
	json_t *j = nested(MM_JSON_DEPTH, &e);
	assert_non_null(j);
	json_decref(j);
	assert_null(nested(MM_JSON_DEPTH + 1, &e));
	assert_string_equal(e.text, "x: JSON is nested deeper than 16");

	/* Brackets within strings are no nesting; siblings do not add up. */
	j = load("[\"[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[[[[[[[[[[[[[[[\",[],[],[],[],[],[],[],[],[],[],[],[],[],[]"
		 ",[],[],[],[]]",
	    &e);
	assert_non_null(j);
	json_decref(j);
}

static void test_dump_keeps_the_order(void **state)
{
	(void)state;
	struct mm_buf b = MM_BUF_INIT(1000);
	json_t *o = json_object();
	mm_json_set_str(o, "z", "caf\xc3\xa9");
	mm_json_set_int(o, "a", INT64_MIN);
	mm_json_set_bool(o, "m", true);
	mm_json_set(o, "l", json_pack("[i,n]", 1));
	mm_json_set_str(o, "nothing", NULL);
	mm_json_dump(o, &b);
	assert_string_equal(
	    mm_buf_str(&b), "{\"z\":\"caf\xc3\xa9\",\"a\":-9223372036854775808,\"m\":true,\"l\":[1,null]}");
	mm_buf_free(&b);
	struct mm_buf small = MM_BUF_INIT(5);
	mm_json_dump(o, &small);
	assert_false(mm_buf_ok(&small));
	mm_buf_free(&small);
	json_decref(o);
}

/* Byte for byte what jansson writes: digests and signatures are over it. */
static void test_dump_is_what_jansson_dumps(void **state)
{
	(void)state;
	char bytes[0x80];
	struct mm_buf b = MM_BUF_INIT(10000);
	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)i;
	json_t *o = json_object();
	mm_json_set(o, "bytes", json_stringn(bytes, sizeof(bytes)));
	mm_json_set(o, "", json_string("\xc2\x80 \xe2\x82\xac \xf0\x9f\x93\xac / \\"));
	mm_json_set(o, "a \"key\"\n", json_pack("{s:{},s:[],s:[[],{}]}", "o", "a", "both"));
	mm_json_set(o, "numbers",
	    json_pack("[I,I,i,i,f,f]", (json_int_t)INT64_MIN, (json_int_t)INT64_MAX, 0, -7, 1.5, 1e300));
	mm_json_set(o, "words", json_pack("[b,b,n]", 1, 0));
	char *theirs = json_dumps(o, JSON_COMPACT | JSON_ENCODE_ANY);
	assert_non_null(theirs);
	mm_json_dump(o, &b);
	assert_string_equal(mm_buf_str(&b), theirs);
	free(theirs);
	mm_buf_free(&b);
	json_decref(o);
}

static void test_text_that_is_not_utf8(void **state)
{
	(void)state;
	struct mm_buf b = MM_BUF_INIT(1000);
	json_t *o = json_object();
	mm_json_set_str(o, "k", "caf\xe9 \xff");
	mm_json_dump(o, &b);
	assert_string_equal(mm_buf_str(&b), "{\"k\":\"caf\\\\xe9 \\\\xff\"}");
	mm_buf_free(&b);
	json_decref(o);
}

/* One object for all member tests. */
static json_t *sample(void)
{
	return load(
	    "{\"s\":\"text\",\"empty\":\"\",\"ctl\":\"a\\u0001b\",\"tab\":\"a\\tb\",\"del\":\"\\u007f\","
	    "\"i\":993,\"neg\":-1,\"r\":1.5,\"t\":true,\"f\":false,\"n\":null,\"a\":[1,2,3],\"o\":{\"x\":1}}",
	    NULL);
}

static void says(const struct mm_err *e, const char *words)
{
	assert_int_equal(e->code, MM_EX_DATAERR);
	assert_string_equal(e->text, words);
}

static void test_str(void **state)
{
	(void)state;
	json_t *o = sample();
	struct mm_err e = MM_ERR_NONE;
	const char *s = "before";
	assert_int_equal(mm_json_str(o, "zz", 9, &s, &e), -1);
	says(&e, "member \"zz\" is missing");
	assert_int_equal(mm_json_str(o, "n", 9, &s, &e), -1);
	says(&e, "member \"n\" is missing");
	assert_int_equal(mm_json_str(o, "i", 9, &s, &e), -1);
	says(&e, "member \"i\" must be a string");
	assert_int_equal(mm_json_str(o, "s", 3, &s, &e), -1);
	says(&e, "member \"s\" is longer than 3 bytes");
	static const char *const controls[] = {"ctl", "tab", "del", NULL};
	for (size_t i = 0; controls[i] != NULL; i++) {
		assert_int_equal(mm_json_str(o, controls[i], 9, &s, &e), -1);
		assert_non_null(strstr(e.text, "contains a control character"));
		assert_int_equal(mm_json_str_opt(o, controls[i], 9, &s, &e), -1);
	}
	assert_string_equal(s, "before");
	assert_int_equal(mm_json_str(o, "s", 4, &s, &e), 0);
	assert_string_equal(s, "text");
	assert_int_equal(mm_json_str(o, "empty", 0, &s, &e), 0);
	assert_string_equal(s, "");
	assert_int_equal(mm_json_str_opt(o, "s", 4, &s, &e), 0);
	assert_string_equal(s, "text");
	assert_int_equal(mm_json_str_opt(o, "s", 3, &s, &e), -1);
	assert_int_equal(mm_json_str_opt(o, "t", 3, &s, &e), -1);
	assert_int_equal(mm_json_str_opt(o, "n", 4, &s, &e), 0);
	assert_null(s);
	s = "x";
	assert_int_equal(mm_json_str_opt(o, "zz", 4, &s, &e), 0);
	assert_null(s);
	json_decref(o);
}

static void test_int_and_bool(void **state)
{
	(void)state;
	json_t *o = sample();
	struct mm_err e = MM_ERR_NONE;
	int64_t v = 7;
	bool b = false;
	assert_int_equal(mm_json_int(o, "zz", 0, 9, &v, &e), -1);
	says(&e, "member \"zz\" is missing");
	assert_int_equal(mm_json_int(o, "r", 0, 9, &v, &e), -1);
	says(&e, "member \"r\" must be an integer");
	assert_int_equal(mm_json_int(o, "i", 1, 992, &v, &e), -1);
	says(&e, "member \"i\" is 993 and must be from 1 to 992");
	assert_int_equal(mm_json_int(o, "neg", 0, 1, &v, &e), -1);
	assert_int_equal(v, 7);
	assert_int_equal(mm_json_int(o, "i", 993, 993, &v, &e), 0);
	assert_int_equal(v, 993);
	assert_int_equal(mm_json_int_opt(o, "n", 0, 1, 5, &v, &e), 0);
	assert_int_equal(v, 5);
	assert_int_equal(mm_json_int_opt(o, "neg", -1, 1, 5, &v, &e), 0);
	assert_int_equal(v, -1);
	assert_int_equal(mm_json_int_opt(o, "s", -1, 1, 5, &v, &e), -1);
	assert_int_equal(mm_json_bool_opt(o, "t", false, &b, &e), 0);
	assert_true(b);
	assert_int_equal(mm_json_bool_opt(o, "f", true, &b, &e), 0);
	assert_false(b);
	assert_int_equal(mm_json_bool_opt(o, "zz", true, &b, &e), 0);
	assert_true(b);
	assert_int_equal(mm_json_bool_opt(o, "i", true, &b, &e), -1);
	says(&e, "member \"i\" must be true or false");
	json_decref(o);
}

static void test_array_and_object(void **state)
{
	(void)state;
	json_t *o = sample();
	struct mm_err e = MM_ERR_NONE;
	const json_t *v = NULL;
	assert_int_equal(mm_json_array(o, "a", 3, false, &v, &e), 0);
	assert_int_equal(json_array_size(v), 3);
	assert_int_equal(mm_json_array(o, "a", 2, false, &v, &e), -1);
	says(&e, "member \"a\" has 3 items; 2 are allowed");
	assert_int_equal(mm_json_array(o, "o", 2, true, &v, &e), -1);
	says(&e, "member \"o\" must be an array");
	assert_int_equal(mm_json_array(o, "zz", 2, false, &v, &e), -1);
	says(&e, "member \"zz\" is missing");
	assert_int_equal(mm_json_array(o, "zz", 2, true, &v, &e), 0);
	assert_int_equal(json_array_size(v), 0);

	assert_int_equal(mm_json_object(o, "o", false, &v, &e), 0);
	assert_int_equal(json_object_size(v), 1);
	assert_int_equal(mm_json_object(o, "a", true, &v, &e), -1);
	says(&e, "member \"a\" must be an object");
	assert_int_equal(mm_json_object(o, "zz", false, &v, &e), -1);
	assert_int_equal(mm_json_object(o, "zz", true, &v, &e), 0);
	assert_int_equal(json_object_size(v), 0);
	json_decref(o);
}

static void test_only(void **state)
{
	(void)state;
	static const char *const names[] = {"a", "b", NULL};
	struct mm_err e = MM_ERR_NONE;
	json_t *o = load("{\"b\":1,\"a\":2}", &e);
	assert_int_equal(mm_json_only(o, names, &e), 0);
	json_decref(o);
	o = load("{\"b\":1,\"A\":2}", &e);
	assert_int_equal(mm_json_only(o, names, &e), -1);
	says(&e, "member \"A\" is unknown");
	json_decref(o);
}

/* Text written straight is what jansson prints of the same values. */
static void test_text(void **state)
{
	(void)state;
	static const char *const texts[] = {"", "plain", "a\"b\\c/d", "\b\f\n\r\t", "\x01\x1f\x7f",
	    "\xc3\xbc\xe2\x82\xac", "\xff not utf-8\n", "\xc0\x80", "\xed\xa0\x80", "\xf0\x9f\x93\xa7"};
	static const int64_t numbers[] = {0, 1, -1, 99, 1000000, INT64_MAX, INT64_MIN};
	struct mm_buf got = MM_BUF_INIT(1u << 16), want = MM_BUF_INIT(1u << 16);
	json_t *o = json_object(), *list = json_array(), *inner = json_object();
	char key[16];
	mm_json_open(&got, NULL);
	mm_json_put_str(&got, "absent", NULL);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		snprintf(key, sizeof(key), "t%zu", i);
		mm_json_set_str(o, key, texts[i]);
		mm_json_put_text(&got, key, texts[i]);
	}
	mm_json_open_list(&got, "list");
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		json_array_append_new(list, json_integer(numbers[i]));
		mm_json_put_int(&got, NULL, numbers[i]);
	}
	mm_json_close_list(&got);
	mm_json_set(o, "list", list);
	mm_json_set(inner, "none", json_null());
	mm_json_set_bool(inner, "yes", true);
	mm_json_set_str(inner, "at", "2026-11-23T10:00:00Z");
	mm_json_set(inner, "never", json_null());
	mm_json_set(o, "inner", inner);
	mm_json_open(&got, "inner");
	mm_json_put_text(&got, "none", NULL);
	mm_json_put_bool(&got, "yes", true);
	mm_json_put_time(&got, "at", INT64_C(1795428000));
	mm_json_put_time(&got, "never", 0);
	mm_json_close(&got);
	mm_json_put_members(&got, json_pack("{s:i,s:{}}", "m", 1, "n"));
	mm_json_set_int(o, "m", 1);
	mm_json_set(o, "n", json_object());
	mm_json_put(&got, "after", json_string("x"));
	mm_json_set_str(o, "after", "x");
	mm_json_close(&got);
	mm_json_dump(o, &want);
	assert_string_equal(mm_buf_str(&got), mm_buf_str(&want));
	json_decref(o);
	mm_buf_free(&got);
	mm_buf_free(&want);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    MM_TEST(test_load),
	    MM_TEST(test_text),
	    MM_TEST(test_depth),
	    MM_TEST(test_plain),
	    MM_TEST(test_plain_limits),
	    MM_TEST(test_dump_keeps_the_order),
	    MM_TEST(test_dump_is_what_jansson_dumps),
	    MM_TEST(test_text_that_is_not_utf8),
	    MM_TEST(test_str),
	    MM_TEST(test_int_and_bool),
	    MM_TEST(test_array_and_object),
	    MM_TEST(test_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
