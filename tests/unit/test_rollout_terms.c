/*
 * Terms of a rollout: every form, every limit, and maintenance hours across
 * midnight, the week's end and summer time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "controller/rollout/terms.h"

static const char *term(const struct mm_ro_terms *t, const char *name, struct mm_buf *b)
{
	mm_buf_reset(b);
	mm_ro_terms_get(t, name, b);
	return mm_buf_str(b);
}

static void test_defaults(void **state)
{
	static const struct {
		const char *name, *value;
	} want[] = {{"waves", "1,5%,25%,100%"}, {"failed", "5%/2%"}, {"login", "2%/1%"},
	    {"unreachable", "any/any"}, {"gate", "95%"}, {"min_tested", "1"}, {"min_reported", "50%"},
	    {"bake", "10m"}, {"approve", "no"}, {"window", "100"}, {"hours", ""}, {"jitter", "0"},
	    {"rate", "0"}, {"sticky", "no"}};
	struct mm_buf b = MM_BUF_INIT(4096);
	struct mm_ro_terms t;
	size_t n = 0;

	(void)state;
	mm_ro_terms_default(&t);
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_string_equal(mm_ro_term_names[i], want[i].name);
		assert_string_equal(term(&t, want[i].name, &b), want[i].value);
	}
	while (mm_ro_term_names[n] != NULL)
		n++;
	assert_int_equal(n, sizeof(want) / sizeof(want[0]));
	mm_buf_free(&b);
}

static void test_every_form(void **state)
{
	static const struct {
		const char *name, *value, *as; /* NULL: refused */
	} rows[] = {{"waves", "1", "1"}, {"waves", " 10 , 0.25% ,100% ", "10,0.25%,100%"},
	    {"waves", "", NULL}, {"waves", "1,", NULL}, {"waves", "0", NULL}, {"waves", "0%", NULL},
	    {"waves", "any", NULL}, {"waves", "101%", NULL}, {"waves", "-1", NULL}, {"waves", "1;2", NULL},
	    {"waves", "1000001", NULL}, {"waves", "1000000", "1000000"}, {"waves", "100.01%", NULL},
	    {"waves", "1.%", NULL}, {"waves", ".5%", NULL}, {"waves", "1.234%", NULL}, {"waves", "1e1", NULL},
	    {"waves", "99999999999999999999999999", NULL}, {"failed", "3", "3/3"},
	    {"failed", "5%/12", "5%/12"}, {"failed", "0", "0/0"}, {"failed", "any/2.5%", "any/2.5%"},
	    {"failed", "1/2/3", NULL}, {"failed", "/2", NULL}, {"failed", "2/", NULL},
	    {"login", "0.29%", "0.29%/0.29%"}, {"unreachable", "all", NULL}, {"gate", "100%", "100%"},
	    {"gate", "0", "0%"}, {"gate", "95", NULL}, {"gate", "any", NULL}, {"gate", "99.9%", "99.9%"},
	    {"min_tested", "10%", "10%"}, {"min_tested", "0", "0"}, {"min_tested", "any", NULL},
	    {"min_reported", "80%", "80%"}, {"bake", "90s", "90s"}, {"bake", "90", "90s"},
	    {"bake", "3600", "1h"}, {"bake", "2d", "2d"}, {"bake", "30d", "30d"}, {"bake", "31d", NULL},
	    {"bake", "0", "0"}, {"bake", "0m", "0"}, {"bake", "m", NULL}, {"bake", "", NULL},
	    {"bake", "1h30m", NULL}, {"bake", "-5s", NULL}, {"bake", "1w", NULL}, {"approve", "yes", "yes"},
	    {"approve", "true", NULL}, {"window", "1", "1"}, {"window", "0", NULL},
	    {"window", "4096", "4096"}, {"window", "4097", NULL}, {"jitter", "15m", "15m"},
	    {"rate", "600", "600"}, {"rate", "-1", NULL}, {"rate", "1000001", NULL}, {"sticky", "yes", "yes"},
	    {"sticky", "", NULL}, {"hours", "Mon-Fri 20:00-06:00", "Mon-Fri 20:00-06:00"},
	    {"hours", "weekend", NULL}};
	struct mm_buf b = MM_BUF_INIT(4096);
	struct mm_buf before = MM_BUF_INIT(4096), after = MM_BUF_INIT(4096);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mm_err err = MM_ERR_NONE;
		struct mm_ro_terms t;
		int rc;

		mm_ro_terms_default(&t);
		mm_buf_reset(&before);
		mm_buf_reset(&after);
		mm_ro_terms_json(&t, &before);
		rc = mm_ro_terms_set(&t, rows[i].name, rows[i].value, &err);
		mm_ro_terms_json(&t, &after);
		if (rc != (rows[i].as != NULL ? 0 : -1))
			fail_msg("%s \"%s\": %d %s", rows[i].name, rows[i].value, rc, err.text);
		if (rc == 0) {
			assert_string_equal(term(&t, rows[i].name, &b), rows[i].as);
			continue;
		}
		assert_int_equal(err.code, MM_EX_USAGE);
		assert_non_null(strstr(err.text, rows[i].name));
		assert_null(strchr(err.text, '\n'));
		assert_string_equal(mm_buf_str(&before), mm_buf_str(&after));
	}
	mm_buf_free(&b);
	mm_buf_free(&before);
	mm_buf_free(&after);
}

static void test_wave_limit(void **state)
{
	struct mm_buf list = MM_BUF_INIT(4096);
	struct mm_ro_terms t;

	(void)state;
	mm_ro_terms_default(&t);
	for (int i = 0; i < MM_RO_WAVES_MAX; i++)
		mm_buf_adds(&list, i > 0 ? ",1" : "1");
	assert_int_equal(mm_ro_terms_set(&t, "waves", mm_buf_str(&list), NULL), 0);
	assert_int_equal(t.n_waves, MM_RO_WAVES_MAX);
	mm_buf_adds(&list, ",1");
	assert_int_equal(mm_ro_terms_set(&t, "waves", mm_buf_str(&list), NULL), -1);
	mm_buf_reset(&list);
	for (int i = 0; i < 1025; i++)
		mm_buf_addc(&list, ' ');
	assert_int_equal(mm_ro_terms_set(&t, "waves", mm_buf_str(&list), NULL), -1);
	mm_buf_free(&list);
}

static void test_unknown_term(void **state)
{
	struct mm_err err = MM_ERR_NONE;
	struct mm_ro_terms t;

	(void)state;
	mm_ro_terms_default(&t);
	assert_int_equal(mm_ro_terms_set(&t, "min_testet", "1", &err), -1);
	assert_int_equal(err.code, MM_EX_USAGE);
	assert_string_equal(err.text, "a rollout has no term \"min_testet\"; did you mean \"min_tested\"?");
}

static void test_shares(void **state)
{
	struct mm_share s;

	(void)state;
	assert_int_equal(mm_share_parse("5%", &s), 0);
	assert_int_equal(mm_share_of(&s, 19), 0);
	assert_int_equal(mm_share_of(&s, 20), 1);
	assert_int_equal(mm_share_need(&s, 19), 1);
	assert_int_equal(mm_share_need(&s, 20), 1);
	assert_int_equal(mm_share_need(&s, 21), 2);
	assert_int_equal(mm_share_need(&s, 0), 0);
	assert_int_equal(mm_share_parse("any", &s), 0);
	assert_true(mm_share_of(&s, 5) == INT64_MAX);
	assert_int_equal(mm_share_parse("7", &s), 0);
	assert_int_equal(mm_share_of(&s, 3), 7);
	assert_int_equal(mm_share_need(&s, 3), 7);
}

static void test_json(void **state)
{
	static const char odd[] = "{\"waves\":\"2,50%\",\"hours\":\"Sat,Sun 00:00-24:00\",\"bake\":null}";
	static const char *const bad[] = {
	    "[]", "{\"wave\":\"1\"}", "{\"waves\":1}", "{\"waves\":\"x\"}", "{"};
	struct mm_buf a = MM_BUF_INIT(4096), b = MM_BUF_INIT(4096);
	struct mm_ro_terms t, u;
	struct mm_err err = MM_ERR_NONE;

	(void)state;
	assert_int_equal(mm_ro_terms_from_json(odd, sizeof(odd) - 1, &t, &err), 0);
	assert_int_equal(t.n_waves, 2);
	assert_int_equal(t.bake_s, 600);
	mm_ro_terms_json(&t, &a);
	assert_int_equal(mm_ro_terms_from_json(a.data, a.len, &u, &err), 0);
	mm_ro_terms_json(&u, &b);
	assert_string_equal(mm_buf_str(&a), mm_buf_str(&b));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err = MM_ERR_NONE;
		assert_int_equal(mm_ro_terms_from_json(bad[i], strlen(bad[i]), &u, &err), -1);
		assert_int_equal(err.code, MM_EX_DATAERR);
		assert_non_null(strstr(err.text, "terms of a rollout"));
	}
	mm_buf_free(&a);
	mm_buf_free(&b);
}

/* ---- hours */

static void test_hours_forms(void **state)
{
	static const struct {
		const char *text, *as; /* NULL: refused */
	} rows[] = {{"", ""}, {"  ", ""}, {"mon-FRI 20:00-06:00", "Mon-Fri 20:00-06:00"},
	    {"Sat,Sun 00:00-24:00", "Sat,Sun 00:00-24:00"}, {"22:00-05:00", "22:00-05:00"},
	    {"00:00-00:00", "00:00-24:00"}, {"Fri-Mon 08:00-09:30", "Mon,Fri-Sun 08:00-09:30"},
	    {"Tue 01:00-02:00 ; Wed, Thu 03:00-04:00", "Tue 01:00-02:00; Wed,Thu 03:00-04:00"},
	    {"Mon-Sun 20:00-21:00", "20:00-21:00"}, {"Mon", NULL}, {"Mon 20:00", NULL}, {"Mon 20:00-", NULL},
	    {"Mon 20-06", NULL}, {"Mon 25:00-06:00", NULL}, {"Mon 20:60-06:00", NULL},
	    {"Mon 24:01-06:00", NULL}, {"Mon 24:00-06:00", NULL}, {"Mond 20:00-06:00", NULL},
	    {"Mo 20:00-06:00", NULL}, {"M", NULL}, {"Mon-Fri 20:00-06:00;", NULL}, {"Mon 1:00-2:00", NULL},
	    {"Mon 20:00-06:00 x", NULL}, {"-", NULL}};
	struct mm_buf b = MM_BUF_INIT(4096);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mm_err err = MM_ERR_NONE;
		struct mm_hours h = {.n = 7};
		int rc = mm_hours_parse(rows[i].text, &h, &err);

		if (rc != (rows[i].as != NULL ? 0 : -1))
			fail_msg("\"%s\": %d %s", rows[i].text, rc, err.text);
		if (rc != 0) {
			assert_int_equal(err.code, MM_EX_USAGE);
			assert_int_equal(h.n, 7);
			continue;
		}
		mm_buf_reset(&b);
		mm_hours_print(&h, &b);
		assert_string_equal(mm_buf_str(&b), rows[i].as);
	}
	mm_buf_free(&b);
}

static void test_hours_limit(void **state)
{
	struct mm_buf b = MM_BUF_INIT(4096);
	struct mm_hours h;

	(void)state;
	for (int i = 0; i < MM_HOURS_MAX; i++)
		mm_buf_adds(&b, i > 0 ? ";01:00-02:00" : "01:00-02:00");
	assert_int_equal(mm_hours_parse(mm_buf_str(&b), &h, NULL), 0);
	mm_buf_adds(&b, ";01:00-02:00");
	assert_int_equal(mm_hours_parse(mm_buf_str(&b), &h, NULL), -1);
	mm_buf_free(&b);
}

static int64_t at(int year, int month, int day, int hour, int minute)
{
	struct tm t = {.tm_year = year - 1900,
	    .tm_mon = month - 1,
	    .tm_mday = day,
	    .tm_hour = hour,
	    .tm_min = minute,
	    .tm_isdst = -1};

	return (int64_t)mktime(&t);
}

/* 2026-11-23 is a Monday. */
static void test_hours_clock(void **state)
{
	struct mm_hours h;

	(void)state;
	assert_int_equal(mm_hours_parse("Mon-Fri 20:00-06:00", &h, NULL), 0);
	assert_false(mm_hours_open(&h, at(2026, 11, 23, 19, 59)));
	assert_int_equal(mm_hours_next(&h, at(2026, 11, 23, 5, 0)), at(2026, 11, 23, 20, 0));
	assert_true(mm_hours_open(&h, at(2026, 11, 23, 20, 0)));
	assert_true(mm_hours_open(&h, at(2026, 11, 24, 5, 59)));
	assert_false(mm_hours_open(&h, at(2026, 11, 24, 6, 0)));
	/* Friday's night ends on Saturday; Monday comes next. */
	assert_true(mm_hours_open(&h, at(2026, 11, 28, 5, 59)));
	assert_int_equal(mm_hours_next(&h, at(2026, 11, 28, 6, 0)), at(2026, 11, 30, 20, 0));
	/* The night from Sunday to Monday is nobody's. */
	assert_false(mm_hours_open(&h, at(2026, 11, 23, 3, 0)));
	/* Across the end of the year. */
	assert_true(mm_hours_open(&h, at(2027, 1, 1, 1, 0)));
	assert_int_equal(mm_hours_parse("", &h, NULL), 0);
	assert_true(mm_hours_open(&h, at(2026, 11, 24, 6, 0)));
	/* A week is the longest wait. */
	assert_int_equal(mm_hours_parse("Mon 10:00-11:00", &h, NULL), 0);
	assert_int_equal(mm_hours_next(&h, at(2026, 11, 23, 11, 0)), at(2026, 11, 30, 10, 0));
}

static void set_zone(const char *tz)
{
	assert_int_equal(setenv("TZ", tz, 1), 0);
	tzset();
}

/* Central Europe: on 2027-03-28 02:00 becomes 03:00, on 2026-10-25 03:00 becomes 02:00. */
static void test_summer_time(void **state)
{
	struct mm_hours h;

	(void)state;
	set_zone("CET-1CEST,M3.5.0,M10.5.0/3");
	assert_int_equal(mm_hours_parse("01:00-04:00", &h, NULL), 0);
	assert_int_equal(at(2027, 3, 28, 4, 0) - at(2027, 3, 28, 1, 0), 2 * 3600);
	assert_true(mm_hours_open(&h, at(2027, 3, 28, 1, 0)));
	assert_true(mm_hours_open(&h, at(2027, 3, 28, 4, 0) - 1));
	assert_false(mm_hours_open(&h, at(2027, 3, 28, 4, 0)));
	assert_int_equal(at(2026, 10, 25, 4, 0) - at(2026, 10, 25, 1, 0), 4 * 3600);
	for (int64_t t = at(2026, 10, 25, 1, 0); t < at(2026, 10, 25, 4, 0); t += 600)
		assert_true(mm_hours_open(&h, t));
	assert_int_equal(mm_hours_next(&h, at(2026, 10, 25, 4, 0)), at(2026, 10, 26, 1, 0));
	set_zone("UTC0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_defaults),
	    cmocka_unit_test(test_every_form),
	    cmocka_unit_test(test_wave_limit),
	    cmocka_unit_test(test_unknown_term),
	    cmocka_unit_test(test_shares),
	    cmocka_unit_test(test_json),
	    cmocka_unit_test(test_hours_forms),
	    cmocka_unit_test(test_hours_limit),
	    cmocka_unit_test(test_hours_clock),
	    cmocka_unit_test(test_summer_time),
	};

	set_zone("UTC0");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
