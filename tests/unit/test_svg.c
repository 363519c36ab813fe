/* Plots: shares, steps and percentages at their edges; no number that is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/report/html.h"
#include "controller/report/svg.h"

#define DAY INT64_C(86400)

static int sum(const int *v, size_t k)
{
	int s = 0;
	for (size_t i = 0; i < k; i++)
		s += v[i];
	return s;
}

static void test_shares(void **state)
{
	(void)state;
	int out[4];
	mm_svg_shares((const int64_t[]){0, 0, 0}, 3, 60, out);
	assert_int_equal(sum(out, 3), 0);
	mm_svg_shares((const int64_t[]){5}, 1, 60, out);
	assert_int_equal(out[0], 10000);
	mm_svg_shares((const int64_t[]){1, 1, 1}, 3, 0, out);
	assert_int_equal(sum(out, 3), 10000);
	assert_in_range(out[1], 3333, 3334);
	mm_svg_shares((const int64_t[]){99999, 1, 0, 0}, 4, 60, out);
	assert_int_equal(out[0], 9940);
	assert_int_equal(out[1], 60);
	assert_int_equal(out[2], 0);
	mm_svg_shares((const int64_t[]){1, 1000000, 1, 1}, 4, 60, out);
	assert_int_equal(out[1], 10000 - 3 * 60);
	mm_svg_shares((const int64_t[]){INT64_MAX / 4, INT64_MAX / 4}, 2, 60, out);
	assert_int_equal(out[0], 5000);
}

static void test_steps(void **state)
{
	(void)state;
	static const int64_t want[][2] = {
	    {0, 1}, {1, 1}, {4, 1}, {5, 2}, {8, 2}, {9, 5}, {20, 5}, {21, 10}, {1000000, 500000}, {999, 500}};
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		assert_int_equal(mm_svg_step(want[i][0], 4), want[i][1]);
	int64_t huge = mm_svg_step(INT64_MAX, 4);
	assert_true(huge > 0 && INT64_MAX / huge <= 4);
}

static void test_percent(void **state)
{
	(void)state;
	assert_int_equal(mm_svg_percent(0, 0), 0);
	assert_int_equal(mm_svg_percent(1, 0), 0);
	assert_int_equal(mm_svg_percent(0, 7), 0);
	assert_int_equal(mm_svg_percent(7, 7), 100);
	assert_int_equal(mm_svg_percent(999999, 1000000), 99);
	assert_int_equal(mm_svg_percent(INT64_MAX - 1, INT64_MAX), 99);
	assert_int_equal(mm_svg_percent(1, 3), 33);
}

static void test_digits(void **state)
{
	(void)state;
	char b[MM_HTML_DIGITS];
	assert_string_equal(mm_html_digits(0, b), "0");
	assert_string_equal(mm_html_digits(999, b), "999");
	assert_string_equal(mm_html_digits(1000, b), "1,000");
	assert_string_equal(mm_html_digits(1234567, b), "1,234,567");
	assert_string_equal(mm_html_digits(-100, b), "-100");
	assert_string_equal(mm_html_digits(INT64_MIN, b), "-9,223,372,036,854,775,808");
}

static const struct mm_svg_series series[] = {{"compliant", "good <b>"}, {"failed", "bad"}};
static const struct mm_svg_plot plot = {"p", "A <title>", "What \"it\" says"};

static char *text;
static size_t len;

static FILE *out(void)
{
	FILE *f = open_memstream(&text, &len);
	assert_non_null(f);
	return f;
}

static size_t times(const char *word)
{
	size_t n = 0;
	for (const char *p = text; (p = strstr(p, word)) != NULL; p += strlen(word))
		n++;
	return n;
}

static void sane(FILE *f)
{
	assert_int_equal(fclose(f), 0);
	assert_null(strstr(text, "nan"));
	assert_null(strstr(text, "inf"));
	assert_null(strstr(text, "=\"-9"));
	assert_null(strstr(text, "<b>"));
	assert_null(strstr(text, "<title>A <title>"));
}

static void columns(int64_t a, int64_t b)
{
	FILE *f = out();
	mm_svg_columns(f, &plot, "Things",
	    (const struct mm_svg_column[]){{"one", "compliant", a}, {"two", "failed", b}}, 2);
	sane(f);
}

static void test_columns(void **state)
{
	(void)state;
	columns(0, 0);
	assert_non_null(strstr(text, "height=\"0\""));
	free(text);
	columns(1000000, 1);
	assert_non_null(strstr(text, "height=\"150\""));
	assert_non_null(strstr(text, "height=\"2\"")); /* one of a million is seen */
	assert_non_null(strstr(text, "1,000,000"));
	free(text);
	columns(INT64_C(1000000000000000), 3);
	free(text);
	FILE *f = out();
	mm_svg_columns(f, &plot, "Things", NULL, 0);
	sane(f);
	free(text);
}

static void days(const struct mm_svg_day *v, size_t n, int64_t from, int64_t until)
{
	FILE *f = out();
	mm_svg_days(f, &plot, series, 2, v, n, from, until);
	sane(f);
}

static void test_days(void **state)
{
	(void)state;
	const struct mm_svg_day v[] = {
	    {.day = 10 * DAY, .n = {1, 1}}, {.day = 11 * DAY, .n = {0, 0}}, {.day = 14 * DAY, .n = {3, 0}}};
	days(v, 3, 10 * DAY, 14 * DAY);
	assert_int_equal(times("x=\"0.00%\" width=\"20.00%\""), 2);
	assert_int_equal(times("x=\"20.00%\" width"), 0); /* a day without results has no shares */
	assert_int_equal(times("x=\"80.00%\" width=\"20.00%\""), 1);
	assert_non_null(strstr(text, ">1970-01-11<"));
	assert_int_equal(times("<tr><th scope=\"row\">"), 3);
	free(text);
	days(v, 0, 0, 0);
	free(text);
	days(v, 1, 10 * DAY, 10 * DAY);
	assert_int_equal(times("width=\"100.00%\""), 2);
	free(text);
}

/* Of more days than there are slots, the last of each slot is drawn. */
static void test_a_long_time(void **state)
{
	(void)state;
	static struct mm_svg_day v[1000];
	for (size_t i = 0; i < 1000; i++)
		v[i] = (struct mm_svg_day){.day = (int64_t)i * DAY, .n = {1, 0}};
	days(v, 1000, 0, 999 * DAY);
	assert_int_equal(times("<tr><th scope=\"row\">"), 112); /* 9 days in a slot */
	assert_int_equal(times("class=\"s-compliant\" x="), 112);
	free(text);
}

static void test_spark(void **state)
{
	(void)state;
	const struct mm_svg_point v[] = {{0, 100}, {DAY, 50}, {3 * DAY, 0}, {9 * DAY, 10}};
	FILE *f = out();
	mm_svg_spark(f, v, 4, 0, 5 * DAY);
	sane(f);
	assert_non_null(strstr(text, "d=\"M0 0h1L24 12M72 24h1\"")); /* day 2 is a gap, day 9 outside */
	free(text);
	f = out();
	mm_svg_spark(f, v, 0, 0, 0);
	sane(f);
	free(text);
}

static void test_bar(void **state)
{
	(void)state;
	FILE *f = out();
	mm_svg_bar(f, series, (const int64_t[]){0, 0}, 2);
	sane(f);
	assert_int_equal(times("class=\"s-none\""), 1);
	free(text);
	f = out();
	mm_svg_length(f, "failed", 0, 0);
	mm_svg_length(f, "failed", 5, 10);
	sane(f);
	assert_int_equal(times("<rect"), 1);
	assert_non_null(strstr(text, "width=\"50.00%\""));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_shares),
	    cmocka_unit_test(test_steps),
	    cmocka_unit_test(test_percent),
	    cmocka_unit_test(test_digits),
	    cmocka_unit_test(test_columns),
	    cmocka_unit_test(test_days),
	    cmocka_unit_test(test_a_long_time),
	    cmocka_unit_test(test_spark),
	    cmocka_unit_test(test_bar),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
