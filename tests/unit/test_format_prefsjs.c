#include "agent/formats/prefsjs.h"
#include "tests/unit/format_util.h"

#define F (&mm_format_prefsjs)

/* Each line of the grammar as Thunderbird 153 reads it. */
static void grammar(void **state)
{
	static const struct item_case cases[] = {
	    {"", ""},
	    {"\xef\xbb\xbfuser_pref(\"a\", 1);\n", "|a|i|1\n"},
	    {"user_pref(\"a\",1);", "|a|i|1\n"},
	    {"  user_pref ( \"a\"\t,\n 1 )\r\n;\r\n", "|a|i|1\n"},
	    {"user_pref(\"a\",1);user_pref('b',true);", "|a|i|1\n|b|b|true\n"},
	    {"user_pref(\"a\",1);\ruser_pref(\"b\",2);\r", "|a|i|1\n|b|i|2\n"},
	    {"// c\n# d\n/* e\n f */ user_pref(/**/\"a\" // x\n, # y\n \"v\");", "|a|s|v\n"},
	    {"// c\ruser_pref(\"a\", 1);", "|a|i|1\n"},
	    {"user_pref('a', 'it\\'s \"x\"');", "|a|s|it's \"x\"\n"},
	    {"user_pref(\"a\", \"\\\"\\'\\\\\\n\\r\\x41\\u00e4\\uD83D\\uDE00\");",
		"|a|s|\"'\\\n\rA\xc3\xa4\xf0\x9f\x98\x80\n"},
	    {"user_pref(\"a\", \"x\ty\nz\");", "|a|s|x\ty\nz\n"},
	    {"user_pref(\"a\", \"caf\xe9\");", "|a|s|caf\xe9\n"},
	    {"user_pref(\"a\", +7);user_pref(\"b\", -5);user_pref(\"c\", -2147483648);",
		"|a|i|7\n|b|i|-5\n|c|i|-2147483648\n"},
	    {"user_pref(\"a\", 2147483647);user_pref(\"b\", 007);", "|a|i|2147483647\n|b|i|7\n"},
	    {"pref(\"a\", 1);sticky_pref(\"b\", 2);", "default|a|i|1\ndefault|b|i|2\n"},
	    {"user_pref(\"a\", 1);user_pref(\"a\", \"x\");", "~|a|i|1\n|a|s|x\n"},
	    {"user_pref(\"\", 1);", "||i|1\n"},
	    /* errors: Thunderbird drops the statement and often the next one with it */
	    {"user_pref(\"a\", \"\\t\");", NULL},
	    {"user_pref(\"a\", \"\\q\");", NULL},
	    {"user_pref(\"a\", \"\\x00\");", NULL},
	    {"user_pref(\"a\", \"\\x4\");", NULL},
	    {"user_pref(\"a\", \"\\uD83D\");", NULL},
	    {"user_pref(\"a\", \"\\uDE00\");", NULL},
	    {"user_pref(\"a\", \"\\uD83D\\u0041\");", NULL},
	    {"user_pref(\"a\", 2147483648);", NULL},
	    {"user_pref(\"a\", -2147483649);", NULL},
	    {"user_pref(\"a\", 99999999999999999999);", NULL},
	    {"user_pref(\"a\", 1.5);", NULL},
	    {"user_pref(\"a\", 0x10);", NULL},
	    {"user_pref(\"a\", True);", NULL},
	    {"user_pref(\"a\", null);", NULL},
	    {"user_pref(\"a\", \"x\"+\"y\");", NULL},
	    {"user_pref(\"a\", 1)", NULL},
	    {"user_pref(\"a\", 1)\nuser_pref(\"b\", 2);", NULL},
	    {"user_pref(\"a\", 1, locked);", NULL},
	    {"pref(\"a\", 1, locked);", NULL},
	    {"lockPref(\"a\", 1);", NULL},
	    {"user_pref(\"a\", 1);;", NULL},
	    {"user_pref(a, 1);", NULL},
	    {"user_pref(\"a\" 1);", NULL},
	    {"garbage\nuser_pref(\"a\", 1);", NULL},
	    {"user_pref(\"a\", \"open);\n", NULL},
	    {"user_pref(\"a\", \"open\\", NULL},
	    {"/* open\nuser_pref(\"a\", 1);", NULL},
	};

	(void)state;
	RUN_ITEMS(F, cases);
}

static void line_of_error(void **state)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_err err = MM_ERR_NONE;
	struct mm_doc d;

	(void)state;
	assert_int_equal(
	    F->parse(text_of("user_pref(\"a\", 1);\n/*\n*/\nuser_pref(\"b\", oops);\n"), a, &d, &err), -1);
	assert_non_null(strstr(err.text, "line 4"));
	assert_int_equal(F->parse(text_of("\n\nuser_pref(\"a\",\n1);"), a, &d, &err), 0);
	assert_int_equal(d.items[0].line, 3);
	mm_arena_free(a);
}

static void default_files(void **state)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_err err = MM_ERR_NONE;
	struct mm_doc d;

	(void)state;
	assert_int_equal(
	    mm_prefsjs_parse_defaults(text_of("pref(\"a\", 1, locked);\npref(\"b\", true, sticky, "
					      "locked);\npref(\"c\", \"x\", sticky);\n"),
		a, &d, &err),
	    0);
	assert_int_equal(d.n, 3);
	assert_string_equal(d.items[0].section, "locked");
	assert_string_equal(d.items[1].section, "locked");
	assert_string_equal(d.items[2].section, "default");
	assert_int_equal(mm_prefsjs_parse_defaults(text_of("pref(\"a\", 1, frozen);"), a, &d, &err), -1);
	assert_int_equal(mm_prefsjs_parse_defaults(text_of("user_pref(\"a\", 1, locked);"), a, &d, &err), -1);
	mm_arena_free(a);
}

static void set(void **state)
{
	static const struct edit_case cases[] = {
	    {"", MM_EDIT_SET, 'i', "", "k", "993", "user_pref(\"k\", 993);\n"},
	    {"user_pref(\"k\", 143);\n", MM_EDIT_SET, 'i', "", "k", "993", "user_pref(\"k\", 993);\n"},
	    {"user_pref(\"k\", \"993\");\n", MM_EDIT_SET, 'i', "", "k", "993", "user_pref(\"k\", 993);\n"},
	    {"user_pref(\"k\", 993);\n", MM_EDIT_SET, 'i', "", "k", "993", "user_pref(\"k\", 993);\n"},
	    {"user_pref(\"k\",  +0993 /* c */);\n", MM_EDIT_SET, 'i', "", "k", "993",
		"user_pref(\"k\",  +0993 /* c */);\n"},
	    {"user_pref(\"k\",  - 5 /* c */);\n", MM_EDIT_SET, 'i', "", "k", "6",
		"user_pref(\"k\",  6 /* c */);\n"},
	    {"user_pref('k', 'x'); // why\r\n", MM_EDIT_SET, 's', "", "k", "y",
		"user_pref('k', \"y\"); // why\r\n"},
	    {"user_pref(\"k\", 1);user_pref(\"k\", 2);", MM_EDIT_SET, 'i', "", "k", "3",
		"user_pref(\"k\", 1);user_pref(\"k\", 3);"},
	    {"// last", MM_EDIT_SET, 'b', "", "k", "true", "// last\nuser_pref(\"k\", true);"},
	    {"# a\r\n# b", MM_EDIT_SET, 'b', "", "k", "false", "# a\r\n# b\r\nuser_pref(\"k\", false);"},
	    {"user_pref(\"z\", 1);\r", MM_EDIT_SET, 'b', "", "k", "false",
		"user_pref(\"z\", 1);\r\r\nuser_pref(\"k\", false);"},
	    {"", MM_EDIT_SET, 's', "", "k", "a\"b\\c\nd\re\tf`id`$(x) | y",
		"user_pref(\"k\", \"a\\\"b\\\\c\\nd\\re\\x09f`id`$(x) | y\");\n"},
	    {"user_pref(\"k\", \"caf\xe9\");\n", MM_EDIT_SET, 's', "", "l", "\xc3\xa9",
		"user_pref(\"k\", \"caf\xe9\");\nuser_pref(\"l\", \"\xc3\xa9\");\n"},
	    {"pref(\"k\", 1);\n", MM_EDIT_SET, 'i', "", "k", "1", "pref(\"k\", 1);\nuser_pref(\"k\", 1);\n"},
	    {"", MM_EDIT_SET, 'i', "", "k", "2147483648", NULL},
	    {"", MM_EDIT_SET, 'i', "", "k", "x", NULL},
	    {"", MM_EDIT_SET, 'b', "", "k", "yes", NULL},
	    {"", MM_EDIT_SET, 'e', "", "k", "yes", NULL},
	    {"", MM_EDIT_SECTION_ADD, 's', "x", "k", "", NULL},
	    {"broken", MM_EDIT_SET, 'i', "", "k", "1", NULL},
	};

	(void)state;
	RUN_CASES(F, cases);
}

static void delete_pref(void **state)
{
	static const struct edit_case cases[] = {
	    {"a();", MM_EDIT_DELETE, 's', "", "k", NULL, NULL},
	    {"user_pref(\"k\", 1);\n", MM_EDIT_DELETE, 's', "", "k", NULL, ""},
	    {"user_pref(\"a\", 1);\n  user_pref(\"k\", 1); \nuser_pref(\"b\", 1);", MM_EDIT_DELETE, 's', "",
		"k", NULL, "user_pref(\"a\", 1);\nuser_pref(\"b\", 1);"},
	    {"user_pref(\"a\", 1);\nuser_pref(\"k\", 1);", MM_EDIT_DELETE, 's', "", "k", NULL,
		"user_pref(\"a\", 1);"},
	    {"user_pref(\"a\", 1);user_pref(\"k\", 1); // c\n", MM_EDIT_DELETE, 's', "", "k", NULL,
		"user_pref(\"a\", 1); // c\n"},
	    {"user_pref(\"k\", 1);\nuser_pref(\"k\", 2);", MM_EDIT_DELETE, 's', "", "k", NULL, ""},
	    {"user_pref(\"a\", 1);\n", MM_EDIT_DELETE, 's', "", "k", NULL, "user_pref(\"a\", 1);\n"},
	};

	(void)state;
	RUN_CASES(F, cases);
}

static void lists(void **state)
{
	static const struct edit_case cases[] = {
	    {"", MM_EDIT_LIST_ADD, 's', "", "k", "a1", "user_pref(\"k\", \"a1\");\n"},
	    {"user_pref(\"k\", \"\");\n", MM_EDIT_LIST_ADD, 's', "", "k", "a1",
		"user_pref(\"k\", \"a1\");\n"},
	    {"user_pref(\"k\", \"a1,a2\");\n", MM_EDIT_LIST_ADD, 's', "a2", "k", "x",
		"user_pref(\"k\", \"a1,x,a2\");\n"},
	    {"user_pref(\"k\", \"a1,a2\");\n", MM_EDIT_LIST_ADD, 's', "a1", "k", "x",
		"user_pref(\"k\", \"x,a1,a2\");\n"},
	    {"user_pref(\"k\", \"a1,a2\");\n", MM_EDIT_LIST_ADD, 's', "a3", "k", "x",
		"user_pref(\"k\", \"a1,a2,x\");\n"},
	    {"user_pref(\"k\", \"a1,a2\");\n", MM_EDIT_LIST_ADD, 's', "", "k", "a2",
		"user_pref(\"k\", \"a1,a2\");\n"},
	    {"user_pref(\"k\", \"a1, a2\");\n", MM_EDIT_LIST_ADD, 's', "", "k", "a2",
		"user_pref(\"k\", \"a1, a2\");\n"},
	    {"user_pref(\"k\", 'a\\x31');\n", MM_EDIT_LIST_ADD, 's', "", "k", "a2",
		"user_pref(\"k\", \"a1,a2\");\n"},
	    {"user_pref(\"k\", \"a1,a2,a3\");\n", MM_EDIT_LIST_REMOVE, 's', "", "k", "a2",
		"user_pref(\"k\", \"a1,a3\");\n"},
	    {"user_pref(\"k\", \"a1,a2\");\n", MM_EDIT_LIST_REMOVE, 's', "", "k", "a2",
		"user_pref(\"k\", \"a1\");\n"},
	    {"user_pref(\"k\", \"a1,a2\");\n", MM_EDIT_LIST_REMOVE, 's', "", "k", "a1",
		"user_pref(\"k\", \"a2\");\n"},
	    {"user_pref(\"k\", \"a1\");\n", MM_EDIT_LIST_REMOVE, 's', "", "k", "a1", ""},
	    {"user_pref(\"k\", \"a1\");\n", MM_EDIT_LIST_REMOVE, 's', "", "k", "a",
		"user_pref(\"k\", \"a1\");\n"},
	    {"user_pref(\"k\", 7);\n", MM_EDIT_LIST_ADD, 's', "", "k", "a", NULL},
	    {"", MM_EDIT_LIST_ADD, 's', "", "k", "a,b", NULL},
	    {"", MM_EDIT_LIST_ADD, 's', "", "k", "", NULL},
	};

	(void)state;
	RUN_CASES(F, cases);
}

static void limits(void **state)
{
	(void)state;
	check_limits(F);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(grammar),
	    cmocka_unit_test(line_of_error),
	    cmocka_unit_test(default_files),
	    cmocka_unit_test(set),
	    cmocka_unit_test(delete_pref),
	    cmocka_unit_test(lists),
	    cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
