#include "common/text.h"

#include "tests/lib/testutil.h"

static void test_parse_int(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t value;
	} good[] = {{"0", 0}, {"993", 993}, {"-5", -5}, {"007", 7}, {"9223372036854775807", INT64_MAX},
	    {"-9223372036854775808", INT64_MIN}, {"-0", 0}};
	static const char *const wrong[] = {"", "-", "+1", " 1", "1 ", "1x", "0x10", "1.0", "--1",
	    "9223372036854775808", "-9223372036854775809", "4294967297000000000000", "\xd9\xa1", NULL};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		int64_t v = 77;
		assert_int_equal(mm_parse_int(good[i].text, INT64_MIN, INT64_MAX, &v), 0);
		assert_true(v == good[i].value);
	}
	int64_t v = 77;
	for (size_t i = 0; wrong[i] != NULL; i++)
		assert_int_equal(mm_parse_int(wrong[i], INT64_MIN, INT64_MAX, &v), -1);
	assert_int_equal(mm_parse_int(NULL, 0, 1, &v), -1);
	assert_int_equal(mm_parse_int("0", 1, 65535, &v), -1);
	assert_int_equal(mm_parse_int("65536", 1, 65535, &v), -1);
	assert_int_equal(v, 77);
	assert_int_equal(mm_parse_int("65535", 1, 65535, &v), 0);
	assert_int_equal(mm_parse_int("1", 1, 65535, &v), 0);
}

static void test_compare(void **state)
{
	(void)state;
	assert_true(mm_streq("a", "a"));
	assert_false(mm_streq("a", "A"));
	assert_false(mm_streq("a", NULL));
	assert_false(mm_streq(NULL, "a"));
	assert_true(mm_streq(NULL, NULL));
	assert_true(mm_streq_nocase("aZ-", "Az-"));
	assert_false(mm_streq_nocase("a", "ab"));
	assert_false(mm_streq_nocase("ab", "a"));
	assert_false(mm_streq_nocase("[", "{"));
	assert_true(mm_streq_nocase(NULL, NULL));
	assert_false(mm_streq_nocase("", NULL));
	assert_true(mm_starts_with("abc", "ab"));
	assert_true(mm_starts_with("abc", ""));
	assert_false(mm_starts_with("ab", "abc"));
	assert_true(mm_ends_with("abc", "bc"));
	assert_false(mm_ends_with("c", "bc"));
}

static void test_controls(void **state)
{
	(void)state;
	assert_false(mm_has_control("caf\xc3\xa9 ~"));
	assert_true(mm_has_control("a\tb"));
	assert_true(mm_has_control("a\x7f"));
	assert_true(mm_has_control("\x01"));
	assert_true(mm_has_control("\x1f"));
	assert_false(mm_has_control(" "));
	assert_false(mm_has_control(""));
}

static void test_utf8(void **state)
{
	(void)state;
	static const char *const good[] = {"", "a", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
	    "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", NULL};
	static const char *const wrong[] = {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41",
	    "\xe0\x9f\xbf", "\xed\xa0\x80", "\xed\xbf\xbf", "\xe2\x82", "\xf0\x8f\xbf\xbf",
	    "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xff", "\xfe", "ok\xf0\x9f\x98", NULL};
	for (size_t i = 0; good[i] != NULL; i++)
		assert_true(mm_is_utf8(good[i], strlen(good[i])));
	for (size_t i = 0; wrong[i] != NULL; i++)
		assert_false(mm_is_utf8(wrong[i], strlen(wrong[i])));
	assert_true(mm_is_utf8("a\0b", 3));
	uint32_t cp = 0;
	assert_int_equal(mm_utf8_next("\xf0\x9f\x98\x80x", 5, &cp), 4);
	assert_int_equal(cp, 0x1f600);
	assert_int_equal(mm_utf8_next("\xf0\x9f\x98\x80", 3, &cp), 0);
	assert_int_equal(mm_utf8_next("", 0, &cp), 0);
}

static void test_bidi(void **state)
{
	(void)state;
	assert_true(mm_has_bidi("a\xe2\x80\xae"));
	assert_true(mm_has_bidi("\xe2\x81\xa6x"));
	assert_true(mm_has_bidi("\xe2\x80\x8e"));
	assert_true(mm_has_bidi("\xff\xe2\x80\x8f"));
	assert_false(mm_has_bidi("\xe2\x80\xaf\xe2\x80\xa9\xe2\x81\xaa\xe2\x80\x8d"));
	assert_false(mm_has_bidi("\xd7\xa9"));
}

static void test_hostname(void **state)
{
	(void)state;
	static const char *const good[] = {"imap.acme.example", "localhost", "a", "1and1.example",
	    "a_b.example", "xn--bcher-kva.example", "192.0.2.1", "::1", "2001:db8::25", "::ffff:192.0.2.1",
	    "3com", "0x7g.example", "1.2.3.4.example", NULL};
	static const char *const wrong[] = {"", ".", "a.", ".a", "a..b", "-a", "a-", "a.-b.c", "a b", " a",
	    "a:993", "imap.example:993", "[::1]", "fe80::1%eth0", "1.2.3", "1.2.3.256", "01.2.3.4", "993",
	    "0x7f000001", "0x7f.1", "1.2.3.4.5", "a/b", "\xc3\xbc.example", "a\n", "user@host", "*.example",
	    ":", NULL};
	for (size_t i = 0; good[i] != NULL; i++) {
		if (!mm_is_hostname(good[i]))
			fail_msg("refused: %s", good[i]);
	}
	for (size_t i = 0; wrong[i] != NULL; i++) {
		if (mm_is_hostname(wrong[i]))
			fail_msg("taken: %s", wrong[i]);
	}
	char label[80];
	memset(label, 'a', sizeof(label));
	label[63] = '\0';
	assert_true(mm_is_hostname(label));
	label[63] = 'a';
	label[64] = '\0';
	assert_false(mm_is_hostname(label));
	char name[300];
	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = i % 2 == 0 ? 'a' : '.';
	name[253] = '\0';
	assert_true(mm_is_hostname(name));
	name[253] = '.';
	name[255] = '\0';
	assert_false(mm_is_hostname(name));
}

static void test_distance(void **state)
{
	(void)state;
	assert_int_equal(mm_distance("", ""), 0);
	assert_int_equal(mm_distance("abc", ""), 3);
	assert_int_equal(mm_distance("", "ab"), 2);
	assert_int_equal(mm_distance("host", "HOST"), 0);
	assert_int_equal(mm_distance("host", "hots"), 1);
	assert_int_equal(mm_distance("host", "hst"), 1);
	assert_int_equal(mm_distance("host", "hosts"), 1);
	assert_int_equal(mm_distance("kitten", "sitting"), 3);
	/* Optimal string alignment: no substring is edited twice. */
	assert_int_equal(mm_distance("ca", "abc"), 3);
}

static void test_nearest(void **state)
{
	(void)state;
	static const char *const list[] = {"security", "port", "host", "username", NULL};
	assert_string_equal(mm_nearest("seucrity", list), "security");
	assert_string_equal(mm_nearest("user_name", list), "username");
	assert_string_equal(mm_nearest("hst", list), "host");
	assert_string_equal(mm_nearest("Port", list), "port");
	static const char *const equals[] = {"abcx", "abcy", NULL};
	assert_string_equal(mm_nearest("abcz", equals), "abcx");
	assert_null(mm_nearest("zebra", list));
	assert_null(mm_nearest("x", list));
	assert_null(mm_nearest("", list));
}

static void test_time(void **state)
{
	(void)state;
	char b[MM_TIME_MAX];
	assert_string_equal(mm_time_utc(0, b), "1970-01-01T00:00:00Z");
	assert_string_equal(mm_time_utc(1795428000, b), "2026-11-23T10:00:00Z");
	assert_string_equal(mm_time_utc(253402300799, b), "9999-12-31T23:59:59Z");
	assert_string_equal(mm_time_utc(253402300800, b), "?");
	assert_string_equal(mm_time_utc(INT64_MAX, b), "?");
	assert_string_equal(mm_time_utc(INT64_MIN, b), "?");
	assert_string_equal(mm_time_utc(-1, b), "1969-12-31T23:59:59Z");
}

static void test_time_parse(void **state)
{
	(void)state;
	static const char *const bad[] = {"", "tomorrow", "2026-11-23T10:00:00", "2026-11-23T10:00Z",
	    "2026-11-23 ", "2026-02-31", "2026-13-01", "2026-11-23T25:00:00Z", "23.11.2026"};
	int64_t t = 7;
	assert_int_equal(mm_time_parse("2026-11-23T10:00:00Z", &t), 0);
	assert_int_equal(t, 1795428000);
	assert_int_equal(mm_time_parse("2026-11-23", &t), 0);
	assert_int_equal(t, 1795428000 - 36000);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (mm_time_parse(bad[i], &t) == 0)
			fail_msg("accepted %s", bad[i]);
}

static void test_duration(void **state)
{
	(void)state;
	char b[MM_TIME_MAX];
	assert_string_equal(mm_duration(0, b), "0 s");
	assert_string_equal(mm_duration(5, b), "5 s");
	assert_string_equal(mm_duration(720, b), "12 min");
	assert_string_equal(mm_duration(725, b), "12 min 5 s");
	assert_string_equal(mm_duration(3600, b), "1 h");
	assert_string_equal(mm_duration(3605, b), "1 h");
	assert_string_equal(mm_duration(3 * 86400 + 4 * 3600 + 59, b), "3 d 4 h");
	assert_string_equal(mm_duration(-90, b), "-1 min 30 s");
	assert_string_equal(mm_duration(INT64_MIN, b), "-106751991167300 d 15 h");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    MM_TEST(test_parse_int),
	    MM_TEST(test_compare),
	    MM_TEST(test_controls),
	    MM_TEST(test_utf8),
	    MM_TEST(test_bidi),
	    MM_TEST(test_hostname),
	    MM_TEST(test_distance),
	    MM_TEST(test_nearest),
	    MM_TEST(test_time),
	    MM_TEST(test_time_parse),
	    MM_TEST(test_duration),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
