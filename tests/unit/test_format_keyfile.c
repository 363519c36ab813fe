/* Key files of GLib: the editor, case by case. What GLib itself makes of them: test_keyfile_glib.c. */
#include "agent/formats/keyfile.h"
#include "tests/unit/format_util.h"

#define K (&mm_format_keyfile)

static void grammar(void **state)
{
	static const struct item_case cases[] = {
	    {"", ""},
	    {"# c\n\n[A]\nk=v\n", "A||c|\nA|k|s|v\n"},
	    {"  [Data Source] \t\r\n\t k \t=  a b \t\r\n", "Data Source||c|\nData Source|k|s|a b \t\n"},
	    {"[A]\nk=1\n[B]\nk=2\n[A]\nk=3\nj=#4;\n",
		"A||c|\n~A|k|s|1\nB||c|\nB|k|s|2\nA||c|\nA|k|s|3\nA|j|s|#4;\n"},
	    {"[A]\nk=\\s\\ta\\\\b\\n\\rc", "A||c|\nA|k|s| \ta\\b\n\rc\n"},
	    {"[A]\nName=a\nName[de]=b\nName[sr@latin]=c\n",
		"A||c|\nA|Name|s|a\nA|Name[de]|s|b\nA|Name[sr@latin]|s|c\n"},
	    {"[A]\nk=a\\qb\nj=a\\\n", "A||c|\nA|k|u|a\\qb\nA|j|u|a\\\n"},
	    {"[A]\nk=ok\nk=a\\;b;\n", "A||c|\n~A|k|s|ok\nA|k|u|a\\;b;\n"},
	    {"[A]\nk=\xff\n", "A||c|\nA|k|u|\xff\n"},
	    {"[A]\n#k=v\nk=v #no comment\n;x=1\n", "A||c|\nA|k|s|v #no comment\nA|;x|s|1\n"},
	    {"[A]\nk=\n", "A||c|\nA|k|s|\n"},
	    {"[A]\nEncoding=utf-8\n", "A||c|\nA|Encoding|s|utf-8\n"},
	    {"[A]\nEncoding=latin1\n", NULL},
	    {"\xef\xbb\xbf[A]\nk=v\n", NULL},
	    {"k=v\n[A]\n", NULL},
	    {"[A\nk=v\n", NULL},
	    {"[A] x\n", NULL},
	    {"[]\n", NULL},
	    {"[A[B]\n", NULL},
	    {"[A]\nword\n", NULL},
	    {"[A]\n=v\n", NULL},
	    {"[A]\nk[=v\n", NULL},
	    {"[A]\nk[d e]=v\n", NULL},
	    {"[A]\nk=v\r", NULL},
	    {"[A]\nk=\rv\n", NULL},
	    {"[A]\nk=v\r\r\n", NULL},
	};

	(void)state;
	RUN_ITEMS(K, cases);
}

static void edits(void **state)
{
	static const struct edit_case cases[] = {
	    {"[A]\nk = v\n\n[B]\n", MM_EDIT_SET, 's', "A", "k", "w", "[A]\nk = w\n\n[B]\n"},
	    {"[A]\n  k=v\n\n[B]\n", MM_EDIT_SET, 's', "A", "j", "w", "[A]\n  k=v\n  j=w\n\n[B]\n"},
	    {"[A]\r\nk=v\r\n[B]", MM_EDIT_SET, 's', "B", "j", "", "[A]\r\nk=v\r\n[B]\r\nj="},
	    {"[A]\nk=v\n[B]\n[A]\nj=1\n", MM_EDIT_SET, 's', "A", "i", "x", "[A]\nk=v\n[B]\n[A]\nj=1\ni=x\n"},
	    {"[A]\nk=1\nk=2\n", MM_EDIT_SET, 's', "A", "k", "3", "[A]\nk=1\nk=3\n"},
	    {"[A]\nk=v\n", MM_EDIT_SET, 's', "A", "k", " \t a \\ \n\r", "[A]\nk=\\s\\t\\sa \\\\ \\n\\r\n"},
	    {"[A]\nk=v\n", MM_EDIT_SET, 's', "A", "k", "`id`\"; $(x) | y ; #",
		"[A]\nk=`id`\"; $(x) | y ; #\n"},
	    /* As it is spelled it is another value. */
	    {"[A]\nk=a\\qb\n", MM_EDIT_SET, 's', "A", "k", "a\\qb", "[A]\nk=a\\\\qb\n"},
	    {"[A]\nk=a\\qb\n", MM_EDIT_SET, 'u', "A", "k", "a\\qb", "[A]\nk=a\\qb\n"},
	    {"[A]\nk=a\n", MM_EDIT_SET, 'u', "A", "k", "a\\;b;", "[A]\nk=a\\;b;\n"},
	    {"[A]\nk=a\n", MM_EDIT_SET, 'u', "A", "k", "b", NULL},
	    {"[A]\nk=a\n", MM_EDIT_SET, 'u', "A", "k", "b\\q\nj=1", NULL},
	    {"[A]\nk=a\n", MM_EDIT_SET, 'u', "A", "k", " \\q", NULL},
	    {"[A]\nk=a\n", MM_EDIT_SET, 's', "A", "k", "\xff", NULL},
	    {"[A]\nk=a\n", MM_EDIT_SET, 's', "A", "k", "\fx", NULL},
	    {"[A]\nk=1\nx=2\nk=3\n", MM_EDIT_DELETE, 's', "A", "k", NULL, "[A]\nx=2\n"},
	    {"[A]\nk[de]=1\nk=3\n", MM_EDIT_DELETE, 's', "A", "k", NULL, "[A]\nk[de]=1\n"},
	    {"", MM_EDIT_SECTION_ADD, 's', "A b", "", NULL, "[A b]\n"},
	    {"[A]\nk=v", MM_EDIT_SECTION_ADD, 's', "B", "", NULL, "[A]\nk=v\n\n[B]"},
	    {"[A]\nk=v\n\n[B]\n", MM_EDIT_SECTION_REMOVE, 's', "B", "", NULL, "[A]\nk=v\n"},
	    {"[A]\n", MM_EDIT_SET, 's', "B", "k", "v", NULL},
	    {"[A]\n", MM_EDIT_SET, 's', "A", "k=", "v", NULL},
	    {"[A]\n", MM_EDIT_SET, 's', "A", "#k", "v", NULL},
	    {"[A]\n", MM_EDIT_SET, 's', "A", " k", "v", NULL},
	    {"[A]\n", MM_EDIT_SET, 's', "A", "k\t", "v", NULL},
	    {"[A]\n", MM_EDIT_SET, 's', "A", "", "v", NULL},
	    {"[A]\n", MM_EDIT_SET, 's', "A", "Encoding", "latin1", NULL},
	    {"", MM_EDIT_SECTION_ADD, 's', "A]", "", NULL, NULL},
	    {"", MM_EDIT_SECTION_ADD, 's', "", "", NULL, NULL},
	    {"", MM_EDIT_SECTION_ADD, 's', "A\nB", "", NULL, NULL},
	};

	(void)state;
	check_limits(K);
	RUN_CASES(K, cases);
}

static void check_list(const char *raw, const char *const *want, const char *again)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_doc d;
	size_t n = 0, k = 0;
	const char *text = mm_arena_printf(a, "[A]\nk=%s\n", raw);
	const char *const *v;
	const char *value;
	struct mm_edit e = {.op = MM_EDIT_SET, .section = "A", .key = "k"};
	struct mm_buf b = MM_BUF_INIT(65536);

	assert_int_equal(K->parse(text_of(text), a, &d, NULL), 0);
	v = mm_keyfile_list(mm_keyfile_find(&d, "A", "k"), a, &n);
	if (want == NULL) {
		assert_null(v);
		mm_arena_free(a);
		return;
	}
	for (; want[k] != NULL; k++)
		assert_string_equal(v[k], want[k]);
	assert_int_equal(n, k);
	value = mm_keyfile_list_text(v, n, a, &e.kind);
	e.value = value;
	assert_int_equal(K->edit(text_of(text), &e, 1, a, &b, NULL), 0);
	assert_string_equal(mm_buf_str(&b), mm_arena_printf(a, "[A]\nk=%s\n", again));
	mm_buf_free(&b);
	mm_arena_free(a);
}

static void lists(void **state)
{
	(void)state;
	check_list("a;b;", (const char *const[]){"a", "b", NULL}, "a;b;");
	check_list("a;b", (const char *const[]){"a", "b", NULL}, "a;b;");
	check_list("", (const char *const[]){NULL}, "");
	check_list(";", (const char *const[]){"", NULL}, ";");
	check_list("a\\;b;\\sc \\\\;", (const char *const[]){"a;b", " c \\", NULL}, "a\\;b;\\sc \\\\;");
	check_list("a\\q;b;", NULL, NULL);
	check_list("a\\", NULL, NULL);
	check_list("\xff;", NULL, NULL);
}

static void reading(void **state)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_doc d;

	(void)state;
	assert_int_equal(K->parse(text_of("[A]\nk=1\nk=\\q\nj=2\n"), a, &d, NULL), 0);
	assert_null(mm_keyfile_get(&d, "A", "k"));
	assert_int_equal(mm_keyfile_find(&d, "A", "k")->line, 3);
	assert_string_equal(mm_keyfile_get(&d, "A", "j"), "2");
	assert_null(mm_keyfile_find(&d, "B", "j"));
	mm_arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(grammar),
	    cmocka_unit_test(edits),
	    cmocka_unit_test(lists),
	    cmocka_unit_test(reading),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
