/* Encoded words (RFC 2047), as mail programs write them and beside what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/clients/encword.h"

static void decoding(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
	    {"", ""},
	    {"Alice S.", "Alice S."},
	    {"\"Smith, \\\"Al\\\" Alice\"", "Smith, \"Al\" Alice"},
	    {"=?iso-8859-1?q?Alice_S=F6hne?=", "Alice S\xc3\xb6hne"},
	    {"=?UTF-8?B?QWxpY2U=?= =?utf-8?b?IFPDtmhuZQ==?=", "Alice S\xc3\xb6hne"},
	    {"=?iso-8859-2?b?o3U=?= \"(x) y\"", "\xc5\x81u (x) y"},
	    {"a =?utf-8?q?b?= c", "a b c"},
	    {"\"=?utf-8?q?b?=\"", "=?utf-8?q?b?="},
	    {"=?x-none?q?a?= =?utf-8?q?b?=", "=?x-none?q?a?= b"},
	    {"=?utf-8?q?a?= =?x-none?q?b?=", "a =?x-none?q?b?="},
	    {"=?utf-8?q?=F6?=", "=?utf-8?q?=F6?="},
	    {"=?utf-8?q?a=0?=", "=?utf-8?q?a=0?="},
	    {"=?utf-8?q?a=00b?=", "=?utf-8?q?a=00b?="},
	    {"=?utf-8?x?a?=", "=?utf-8?x?a?="},
	    {"=?utf-8?b?!?=", "=?utf-8?b?!?="},
	    {"=?utf-8//TRANSLIT?q?a?=", "=?utf-8//TRANSLIT?q?a?="},
	    {"=?utf-8?q?a b?=", "=?utf-8?q?a b?="},
	    {"=?utf-8?q?a", "=?utf-8?q?a"},
	    {"=?utf-8", "=?utf-8"},
	    {"\"half\\", "half\\"},
	};
	struct mm_arena *a = mm_arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(mm_encwords_decode(cases[i].in, a), cases[i].out);
	mm_arena_free(a);
}

/* No word is too long, no character is cut, and it means what it meant. */
static void encoding(void **state)
{
	struct mm_arena *a = mm_arena_new();
	char name[400] = "";

	(void)state;
	assert_string_equal(mm_encwords("\xc3\xb6; \"x\"", a), "=?UTF-8?B?w7Y7ICJ4Ig==?=");
	for (size_t n = 0; n + 4 < sizeof(name); n += 3) {
		const char *words;

		memcpy(name + n, "\xe6\x97\xa5", 4);
		words = mm_encwords(name, a);
		assert_string_equal(mm_encwords_decode(words, a), name);
		for (const char *p = words; *p != '\0'; p += strcspn(p, " "), p += *p == ' ')
			assert_in_range(strcspn(p, " "), 13, 75);
	}
	mm_arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(decoding),
	    cmocka_unit_test(encoding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
