#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/csv.h"

static struct mm_arena *arena;

/* "a|b|c" of the next record, "" at the end, "!text" for an error. */
static const char *next(struct mm_csv *c, int line)
{
	struct mm_csv_record r;
	struct mm_err err = MM_ERR_NONE;
	const char *out = "";
	int rc = mm_csv_next(c, arena, &r, &err);

	if (rc == 0)
		return "";
	assert_int_equal(r.line, line);
	if (rc < 0) {
		assert_int_equal(err.code, MM_EX_DATAERR);
		return mm_arena_printf(arena, "!%s", err.text);
	}
	for (size_t i = 0; i < r.n; i++)
		out = mm_arena_printf(arena, "%s%s%s", out, i ? "|" : "", r.field[i]);
	return out;
}

static void begin(struct mm_csv *c, const char *text)
{
	mm_csv_init(c, text, strlen(text));
}

static void test_plain(void **state)
{
	struct mm_csv c;

	(void)state;
	begin(&c, "\xef\xbb\xbflogin,name\r\nalice,\"Smith, \"\"A\"\"\"\r\n\r\nbob,\n");
	assert_string_equal(next(&c, 1), "login|name");
	assert_string_equal(next(&c, 2), "alice|Smith, \"A\"");
	assert_string_equal(next(&c, 4), "bob|");
	assert_string_equal(next(&c, 5), "");
	begin(&c, "a,b"); /* no newline at the end */
	assert_string_equal(next(&c, 1), "a|b");
	assert_string_equal(next(&c, 1), "");
	begin(&c, "");
	assert_string_equal(next(&c, 1), "");
	begin(&c, "\"\",x\n");
	assert_string_equal(next(&c, 1), "|x");
}

static void test_errors_name_their_line_and_reading_goes_on(void **state)
{
	struct mm_csv c;

	(void)state;
	begin(&c, "a\nb\"c\n\"x\"y\n\"tab\tin\"\n\"\xff\"\ngood\n\"open");
	assert_string_equal(next(&c, 1), "a");
	assert_string_equal(next(&c, 2), "!a quote inside a field that is not quoted");
	assert_string_equal(next(&c, 3), "!text behind a closing quote");
	assert_string_equal(next(&c, 4), "!a control character");
	assert_string_equal(next(&c, 5), "!text that is not UTF-8");
	assert_string_equal(next(&c, 6), "good");
	assert_string_equal(next(&c, 7), "!a quote is not closed");
	assert_string_equal(next(&c, 7), "");
}

static void test_newline_in_quotes_is_refused_but_counted(void **state)
{
	struct mm_csv c;

	(void)state;
	begin(&c, "\"two\nlines\",x\nnext\n");
	assert_string_equal(next(&c, 1), "!a control character");
	assert_string_equal(next(&c, 3), "next");
}

static void test_nul(void **state)
{
	static const char text[] = "a\0b,c\nd\n";
	struct mm_csv c;

	(void)state;
	mm_csv_init(&c, text, sizeof(text) - 1);
	assert_string_equal(next(&c, 1), "!a control character");
	assert_string_equal(next(&c, 2), "d");
}

static void test_limits(void **state)
{
	char *text = mm_arena_alloc(arena, 1, MM_CSV_FIELD_MAX + 3);
	struct mm_csv_record r;
	struct mm_err err;
	struct mm_csv c;

	(void)state;
	memset(text, 'x', MM_CSV_FIELD_MAX);
	begin(&c, text);
	assert_int_equal(mm_csv_next(&c, arena, &r, &err), 1);
	text[MM_CSV_FIELD_MAX] = 'x';
	begin(&c, text);
	assert_string_equal(next(&c, 1), "!a field is longer than 4096 bytes");
	memset(text, ',', MM_CSV_FIELDS_MAX - 1);
	text[MM_CSV_FIELDS_MAX - 1] = '\0';
	begin(&c, text);
	assert_int_equal(mm_csv_next(&c, arena, &r, &err), 1);
	assert_int_equal(r.n, MM_CSV_FIELDS_MAX);
	text[MM_CSV_FIELDS_MAX - 1] = ',';
	text[MM_CSV_FIELDS_MAX] = '\0';
	begin(&c, text);
	assert_string_equal(next(&c, 1), "!more than 64 fields");
}

static int setup(void **state)
{
	(void)state;
	arena = mm_arena_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mm_arena_free(arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_plain, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_errors_name_their_line_and_reading_goes_on, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_newline_in_quotes_is_refused_but_counted, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_nul, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
