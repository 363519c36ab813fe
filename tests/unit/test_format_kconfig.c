/* KConfig: the editor, case by case, as kreadconfig5 of 5.103 reads and kwriteconfig5 writes. */
#include "agent/formats/kconfig.h"
#include "tests/unit/format_util.h"

#define K (&mm_format_kconfig)

static void grammar(void **state)
{
	static const struct item_case cases[] = {
	    {"", ""},
	    {"# c\n\n[A]\n k \t=  v w \t\r\n", "A||c|\nA|k|s|v w\n"},
	    {"k=v\n[A]\nk=1\n[B]\nk=2\n[A]\nk=3\n",
		"|k|s|v\nA||c|\n~A|k|s|1\nB||c|\nB|k|s|2\nA||c|\nA|k|s|3\n"},
	    {"[A]\nk=\\s\\ta\\\\b\\n\\r\\x41\\s", "A||c|\nA|k|s| \ta\\b\n\rA \n"},
	    /* What is no escape loses its letter; those of lists stay. */
	    {"[A]\na=\\q1\nb=x\\\nc=a\\;b\\,c\nf=\\x4\ne=\\x41\\xzzQ\n",
		"A||c|\nA|a|s|\\1\nA|b|s|x\nA|c|s|a\\;b\\,c\nA|f|s|x\nA|e|s|AxQ\n"},
	    {"[A]\nk=1\nk[de]=2\nk[$e]=$HOME\nj[$d]\ni[$ie]=x\nh[de][$i]=3\n",
		"A||c|\n~A|k|s|1\nA|k[de]|s|2\nA|k|u|[$e]=$HOME\nA|j|u|[$d]\nA|i|u|[$ie]=x\n"
		"A|h[de]|u|[$i]=3\n"},
	    {"[A]\nk=\xff\nj=\\x00\n", "A||c|\nA|k|u|=\xff\nA|j|u|=\\x00\n"},
	    /* What means nothing */
	    {"[A]\nword\n=v\nk[de][fr]=1\nk[$i][de]=1\nk[=1\nk]=1\n[A\n", "A||c|\nA|k]|s|1\n"},
	    {"\xef\xbb\xbf[A]\nk=v\n", "|k|s|v\n"},
	    {"[A]junk\nk=v;#\n;x=1\n", "A||c|\nA|k|s|v;#\nA|;x|s|1\n"},
	    {"[a b ][\\x5bc\\x5d]\nEmail Address=x\nk\\x3d=1\n",
		"a b \x1d[c]||c|\na b \x1d[c]|Email Address|s|x\na b \x1d[c]|k=|s|1\n"},
	    {"[$i]\nx=1\n[A][$i]\nk=1\n", "\x1d$i||c|[$i]\n\x1d$i|x|s|1\nA||c|[$i]\nA|k|s|1\n"},
	    {"[A]\nk[$i]=1\nk=2\n", NULL},
	    {"[A][$i]\nk=1\n[A]\nk=2\n", NULL},
	    {"[$i]\n[A]\nk=1\nk=2\n", NULL},
	    {"[A]\nk=1\nk[$i]=2\n", "A||c|\n~A|k|s|1\nA|k|u|[$i]=2\n"},
	    {"[A\\x00]\nk=1\n", NULL},
	    {"[A]\nk\\x00=1\n", NULL},
	};

	(void)state;
	RUN_ITEMS(K, cases);
}

static void edits(void **state)
{
	static const struct edit_case cases[] = {
	    {"[A]\nk=v\n\n[B]\n", MM_EDIT_SET, 's', "A", "k", "w", "[A]\nk=w\n\n[B]\n"},
	    {"[A]\n  k=v\n\n[B]\n", MM_EDIT_SET, 's', "A", "j", "w", "[A]\n  k=v\n  j=w\n\n[B]\n"},
	    {"[A]\r\nk=v\r\n[B]", MM_EDIT_SET, 's', "B", "j", "", "[A]\r\nk=v\r\n[B]\r\nj="},
	    {"[A]\nk=1\nk=2\n", MM_EDIT_SET, 's', "A", "k", "3", "[A]\nk=1\nk=3\n"},
	    {"[A]\nk=v\n", MM_EDIT_SET, 's', "A", "k", " \ta b\\ \n\r\x01 ",
		"[A]\nk=\\s\\ta b\\\\ \\n\\r\\x01\\s\n"},
	    {"[A]\nk=v\n", MM_EDIT_SET, 's', "A", "k", "`id`\"; $(x) | y ; #",
		"[A]\nk=`id`\"; $(x) | y ; #\n"},
	    /* Options go with the value that they were about, or are named. */
	    {"[A]\nk[$e]=$USER\n", MM_EDIT_SET, 's', "A", "k", "$USER", "[A]\nk=$USER\n"},
	    {"[A]\nk[$i]=1\n", MM_EDIT_SET, 'u', "A", "k", "[$i]=2", "[A]\nk[$i]=2\n"},
	    {"[A]\nk[$d]\n", MM_EDIT_SET, 's', "A", "k", "1", "[A]\nk=1\n"},
	    {"[A]\nk[de]=1\n", MM_EDIT_SET, 's', "A", "k", "2", "[A]\nk[de]=1\nk=2\n"},
	    {"[A]\nk=a\n", MM_EDIT_SET, 'u', "A", "k", "zz=b", NULL},
	    {"[A]\nk=a\n", MM_EDIT_SET, 'u', "A", "k", "=b", NULL},
	    {"[A]\nk=a\n", MM_EDIT_SET, 'u', "A", "k", "[de]=b", NULL},
	    {"[A]\nk=a\n", MM_EDIT_SET, 'u', "A", "k", "[$e]=b ", NULL},
	    {"[A]\nk=a\n", MM_EDIT_SET, 's', "A", "k", "\xff", NULL},
	    {"[A]\nk=1\nx=2\nk[$e]=3\n", MM_EDIT_DELETE, 's', "A", "k", NULL, "[A]\nx=2\n"},
	    {"", MM_EDIT_SECTION_ADD, 's', "A b\x1d[c]", "", NULL, "[A b][\\x5bc\\x5d]\n"},
	    {"", MM_EDIT_SECTION_ADD, 's', "A\x1d$i", "", NULL, "[A][\\x24i]\n"},
	    {"", MM_EDIT_SECTION_ADD, 's', "$i", "", NULL, "[\\x24i]\n"},
	    {"", MM_EDIT_SECTION_ADD, 's', " A\n", "", NULL, "[\\sA\\n]\n"},
	    {"[A]\nk=v", MM_EDIT_SECTION_ADD, 's', "B", "", NULL, "[A]\nk=v\n\n[B]"},
	    {"[A]\nk=v\n\n[B][$i]\n", MM_EDIT_SECTION_REMOVE, 's', "B", "", NULL, "[A]\nk=v\n"},
	    {"[A]\n", MM_EDIT_SET, 's', "B", "k", "v", NULL},
	    {"[A]\n", MM_EDIT_SET, 's', "A", "k=", "v", NULL},
	    {"[A]\n", MM_EDIT_SET, 's', "A", "#k", "v", NULL},
	    {"[A]\n", MM_EDIT_SET, 's', "A", " k", "v", NULL},
	    {"[A]\n", MM_EDIT_SET, 's', "A", "k[$i]", "v", NULL},
	    {"[A]\n", MM_EDIT_SET, 's', "A", "", "v", NULL},
	    {"", MM_EDIT_SECTION_ADD, 's', "", "", NULL, NULL},
	    {"", MM_EDIT_SECTION_ADD, 's', MM_KCONFIG_FILE, "", NULL, NULL},
	};

	(void)state;
	check_limits(K);
	RUN_CASES(K, cases);
}

static struct mm_doc parsed(const char *text, struct mm_arena *a)
{
	struct mm_err err;
	struct mm_doc d;

	assert_int_equal(K->parse((struct mm_text){.p = text, .n = strlen(text)}, a, &d, &err), 0);
	return d;
}

static void locks(void **state)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_doc d = parsed("[A]\nk=1\nj[$ie]=$X\nf[$d]\n[B][$i]\nk=2\n[C]\nk=3\n", a);
	struct mm_kconfig_value v = mm_kconfig_value(&d, mm_doc_find(&d, "A", "k"), a);

	(void)state;
	assert_string_equal(v.text, "1");
	assert_false(v.locked || v.expand || v.deleted);
	v = mm_kconfig_value(&d, mm_doc_find(&d, "A", "j"), a);
	assert_string_equal(v.text, "$X");
	assert_true(v.locked && v.expand && !v.deleted);
	v = mm_kconfig_value(&d, mm_doc_find(&d, "A", "f"), a);
	assert_true(v.text == NULL && v.deleted);
	assert_true(mm_kconfig_value(&d, mm_doc_find(&d, "B", "k"), a).locked);
	assert_false(mm_kconfig_value(&d, mm_doc_find(&d, "C", "k"), a).locked);
	assert_true(mm_kconfig_locks(&d, "B"));
	assert_false(mm_kconfig_locks(&d, "A") || mm_kconfig_locks(&d, NULL));
	d = parsed("[A]\nj=1\n[$i]\n[B]\nk=1\n", a);
	assert_true(mm_kconfig_locks(&d, NULL) && mm_kconfig_locks(&d, "A"));
	assert_false(mm_kconfig_value(&d, mm_doc_find(&d, "A", "j"), a).locked);
	assert_true(mm_kconfig_value(&d, mm_doc_find(&d, "B", "k"), a).locked);
	mm_arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(grammar), cmocka_unit_test(edits), cmocka_unit_test(locks)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
