/* Names of mailboxes: the alphabets of IMAP and of addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/clients/folder.h"

static struct mm_arena *arena;

static int set_up(void **state)
{
	(void)state;
	arena = mm_arena_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	mm_arena_free(arena);
	return 0;
}

/* RFC 3501 5.1.3, and the ends of its ranges. */
static const char *const pairs[][2] = {{"", ""}, {"Sent", "Sent"}, {"a&b", "a&-b"}, {"&", "&-"},
    {"~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e",
	"~peter/mail/&U,BTFw-/&ZeVnLIqe-"},
    {"Entw\xc3\xbcrfe", "Entw&APw-rfe"}, {"\xf0\x9f\x97\x91 50\xe2\x82\xac", "&2D3d0Q- 50&IKw-"},
    {"\xc2\x80", "&AIA-"}, {"\xef\xbf\xbd", "&,,0-"}, {"\xf4\x8f\xbf\xbf", "&2,,f,w-"},
    {"a\xc3\xbc\xc3\xb6z", "a&APwA9g-z"}};

static void both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		assert_string_equal(mm_mutf7(pairs[i][0], arena), pairs[i][1]);
		assert_string_equal(mm_mutf7_decode(pairs[i][1], arena), pairs[i][0]);
	}
}

/* What no server says is no name: eight bits, no end, halves of a pair, ASCII that is shifted. */
static void no_names(void **state)
{
	static const char *const bad[] = {"\xc3\xbc", "a\tb", "&", "&AP", "&APw", "&AP=-", "&A-", "&2D0-",
	    "&3dE-", "&2D0APw-", "&AGE-", "a&APw-\x7f"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_null(mm_mutf7_decode(bad[i], arena));
}

static void percent(void **state)
{
	(void)state;
	assert_string_equal(mm_percent("a b/\xc3\xbc%~", "/~", arena), "a%20b/%C3%BC%25~");
	assert_string_equal(mm_percent("", "", arena), "");
	assert_string_equal(mm_percent_decode("a%20b%c3%BC%25", arena), "a b\xc3\xbc%");
	assert_string_equal(mm_percent_decode("%", arena), "%");
	assert_string_equal(mm_percent_decode("%4", arena), "%4");
	assert_string_equal(mm_percent_decode("%zz%00%4g", arena), "%zz%00%4g");
}

static void levels(void **state)
{
	const char *v[MM_FOLDER_LEVELS_MAX];
	char longest[256];

	(void)state;
	assert_int_equal(mm_folder_levels("Sent", v, arena), 1);
	assert_string_equal(v[0], "Sent");
	assert_int_equal(mm_folder_levels("INBOX/a b/c", v, arena), 3);
	assert_string_equal(v[0], "INBOX");
	assert_string_equal(v[1], "a b");
	assert_string_equal(v[2], "c");
	for (size_t i = 0; i < sizeof(longest) - 1; i++)
		longest[i] = i % 2 == 0 ? 'x' : '/';
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(mm_folder_levels(longest, v, arena), MM_FOLDER_LEVELS_MAX);
	assert_string_equal(v[MM_FOLDER_LEVELS_MAX - 1], "x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(both_ways, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(no_names, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(percent, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(levels, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
