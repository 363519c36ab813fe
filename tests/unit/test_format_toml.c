/* The TOML editor: what is read, what is refused, and where edits go. */
#include "agent/formats/toml.h"
#include "agent/formats/toml_scan.h"
#include "tests/unit/format_util.h"

static void items(void **state)
{
	static const struct item_case cases[] = {
	    {"", ""},
	    {"\xef\xbb\xbfk = 1", "|k|i|1\n"},
	    {"# c\r\nk = 'v' # d\r\n", "|k|s|v\n"},
	    /* one thing, however it is spelled */
	    {"[x]\na.b = 1\n", "x||c|\nx.a|b|i|1\n"},
	    {"[x.a]\nb = 1\n", "x.a||c|\nx.a|b|i|1\n"},
	    {"x.a = { b = 1 }\n", "x.a||c|{\nx.a|b|i|1\n"},
	    {"\"x\" . 'a'.\"b c\" = 1\n", "x.a|\"b c\"|i|1\n"},
	    {"[[t]]\nk=1\n[[t]]\nk=2\n[t.u]\nk=3",
		"t[0]||c|\nt[0]|k|i|1\nt[1]||c|\nt[1]|k|i|2\nt[1].u||c|\nt[1].u|k|i|3\n"},
	    /* strings */
	    {"k = \"\\t\\\"\\u00e4\\U0001F600\"", "|k|s|\t\"\xc3\xa4\xf0\x9f\x98\x80\n"},
	    {"k = '\\n'", "|k|s|\\n\n"},
	    {"k = \"\"\"\r\na\\   \n\n  b\"\"\"\"\"", "|k|s|ab\"\"\n"},
	    {"k = '''\na'b'''", "|k|s|a'b\n"},
	    {"k = \"\\u0000\"", "|k|u|\"\\u0000\"\n"},
	    {"\"\\u0001\" = 1", "|\"\\u0001\"|i|1\n"},
	    /* the rest */
	    {"k = 0xdead_BEEF", "|k|i|3735928559\n"},
	    {"k = -9223372036854775808", "|k|i|-9223372036854775808\n"},
	    {"k = -0", "|k|i|0\n"},
	    {"k = [1, # one\n 'x',\n]", "|k|u|[1, # one\n 'x',\n]\n"},
	    {"k = 1979-05-27 07:32:00Z", "|k|u|1979-05-27 07:32:00Z\n"},
	    {"k = 2000-02-29", "|k|u|2000-02-29\n"},
	    {"k = -nan", "|k|u|-nan\n"},
	    {"k = { }", "k||c|{\n"},
	};

	(void)state;
	RUN_ITEMS(&mm_format_toml, cases);
}

static void refused(void **state)
{
	static const struct item_case cases[] = {{"k = 1\nk = 2", NULL}, {"[a]\n[a]", NULL},
	    {"a.b = 1\n[a]", NULL}, {"a = {}\n[a.b]", NULL}, {"a = {}\na.b = 1", NULL},
	    {"[a.b]\n[a]\nb.c = 1", NULL}, {"a = []\n[[a]]", NULL}, {"[[a]]\n[a]", NULL},
	    {"[[a.b]]\n[a]\nb.c = 1", NULL}, {"k = {a = 1, a = 2}", NULL}, {"k = [{a = 1, a.b = 2}]", NULL},
	    {"k = {a = 1,}", NULL}, {"k = {a = 1\n}", NULL}, {"k", NULL}, {"= 1", NULL}, {"k =", NULL},
	    {"k = 1 l = 2", NULL}, {"[a", NULL}, {"[a]b", NULL}, {"[[a]", NULL}, {"[]", NULL},
	    {"a..b = 1", NULL}, {"k = 'a\nb'", NULL}, {"k = \"a", NULL}, {"k = '''a''", NULL},
	    {"k = \"\\q\"", NULL}, {"k = \"\\ud800\"", NULL}, {"k = \"\\U00110000\"", NULL},
	    {"k = \"\x01\"", NULL}, {"# \x7f", NULL}, {"k = 1 # \xff", NULL}, {"k = 1\r", NULL},
	    {"k = 01", NULL}, {"k = 1__0", NULL}, {"k = 9223372036854775808", NULL}, {"k = 1.", NULL},
	    {"k = True", NULL}, {"k = 2001-02-29", NULL}, {"k = 24:00:00", NULL}, {"k = 07:32", NULL},
	    {"k = [1 2]", NULL}, {"k = [1", NULL}, {"'''a''' = 1", NULL}};

	(void)state;
	RUN_ITEMS(&mm_format_toml, cases);
}

static void keys(void **state)
{
	static const struct edit_case cases[] = {
	    /* in its place, in its style */
	    {"[a]\nk = 'x' # c\r\n", MM_EDIT_SET, 's', "a", "k", "y", "[a]\nk = 'y' # c\r\n"},
	    {"k = 'x'", MM_EDIT_SET, 's', "", "k", "it's", "k = \"it's\""},
	    {"k = \"\"\"\nx\"\"\" # c\n", MM_EDIT_SET, 's', "", "k", "a\"\\\n\x01",
		"k = \"a\\\"\\\\\\n\\u0001\" # c\n"},
	    {"k = 0x10\n", MM_EDIT_SET, 'i', "", "k", "16", "k = 0x10\n"},
	    {"k = \"16\"\n", MM_EDIT_SET, 'i', "", "k", "16", "k = 16\n"},
	    {"k = [\n 1 ]\n", MM_EDIT_SET, 'u', "", "k", "[2]", "k = [2]\n"},
	    {"a = { b = true }\n", MM_EDIT_SET, 'b', "a", "b", "false", "a = { b = false }\n"},
	    /* new ones: behind the last of its table */
	    {"[a]\n  k = 1 # c\n\n[b]\n", MM_EDIT_SET, 's', "a", "n", "v",
		"[a]\n  k = 1 # c\n  n = \"v\"\n\n[b]\n"},
	    {"[a]\nx.k = 1\ny.k = 2\n", MM_EDIT_SET, 'i', "a.x", "n", "3",
		"[a]\nx.k = 1\nx.n = 3\ny.k = 2\n"},
	    {"[a]\n[a.b]\n", MM_EDIT_SET, 'i', "a.b", "n", "3", "[a]\n[a.b]\nn = 3\n"},
	    {"[a]\r\n", MM_EDIT_SET, 'i', "a.b.c", "n", "3", "[a]\r\nb.c.n = 3\r\n"},
	    {"# c\n[a]\n", MM_EDIT_SET, 'i', "", "n", "3", "n = 3\n# c\n[a]\n"},
	    {"# c", MM_EDIT_SET, 'i', "", "n", "3", "# c\nn = 3"},
	    {"[a.b.c]\n", MM_EDIT_SET, 'i', "a.b", "n", "3", "a.b.n = 3\n[a.b.c]\n"},
	    {"[[t]]\n[[t]]\nk = 1\n", MM_EDIT_SET, 'i', "t[0]", "n", "3", "[[t]]\nn = 3\n[[t]]\nk = 1\n"},
	    {"a = {}\n", MM_EDIT_SET, 'i', "a", "n", "3", "a = {n = 3}\n"},
	    {"a = { x.y = 1, z = [\n] } # c\n", MM_EDIT_SET, 'i', "a.x", "n", "3",
		"a = { x.y = 1, x.n = 3, z = [\n] } # c\n"},
	    {"a = { x = { y = 1 } }\n", MM_EDIT_SET, 's', "a.x", "\"n n\"", "v",
		"a = { x = { y = 1, \"n n\" = \"v\" } }\n"},
	    /* gone */
	    {"k = 1\nl = '''\n'''\nm = 3\n", MM_EDIT_DELETE, 's', "", "l", NULL, "k = 1\nm = 3\n"},
	    {"a = { k = 1, l = 2 }\n", MM_EDIT_DELETE, 's', "a", "k", NULL, "a = { l = 2 }\n"},
	    {"a = { k = 1, b = { c = 1 } , l = 2 }\n", MM_EDIT_DELETE, 's', "a", "l", NULL,
		"a = { k = 1, b = { c = 1 } }\n"},
	    {"a = { b = { c = 1 }, k = 2 }\n", MM_EDIT_DELETE, 's', "a.b", "c", NULL,
		"a = { b = {  }, k = 2 }\n"},
	    {"a.b = 1\n", MM_EDIT_DELETE, 's', "", "a", NULL, "a.b = 1\n"},
	};

	(void)state;
	RUN_CASES(&mm_format_toml, cases);
}

static void tables(void **state)
{
	static const struct edit_case cases[] = {
	    {"", MM_EDIT_SECTION_ADD, 's', "a.b", "", NULL, "[a.b]\n"},
	    {"k = 1", MM_EDIT_SECTION_ADD, 's', "a.\"b c\"", "", NULL, "k = 1\n\n[a.\"b c\"]"},
	    {"[a.b]\n", MM_EDIT_SECTION_ADD, 's', "a", "", NULL, "[a.b]\n\n[a]\n"},
	    {"a.b.c = 1\n", MM_EDIT_SECTION_ADD, 's', "a.b", "", NULL, "a.b.c = 1\n"},
	    {"k = 1\n\n[a]\n[b]\n", MM_EDIT_SECTION_REMOVE, 's', "a", "", NULL, "k = 1\n[b]\n"},
	    {"[a]\nk = 1\n", MM_EDIT_SECTION_REMOVE, 's', "a", "", NULL, "[a]\nk = 1\n"},
	    {"a = {}\n", MM_EDIT_SECTION_REMOVE, 's', "a", "", NULL, "a = {}\n"},
	};

	(void)state;
	RUN_CASES(&mm_format_toml, cases);
}

static void refused_edits(void **state)
{
	static const struct edit_case cases[] = {
	    {"k = 1\n", MM_EDIT_SET, 's', "", "k", "\xff", NULL},
	    {"k = 1\n", MM_EDIT_SET, 's', "", "a b", "v", NULL}, /* "a b" is what it is called */
	    {"k = 1\n", MM_EDIT_SET, 's', "", "a.b", "v", NULL},
	    {"k = 1\n", MM_EDIT_SET, 's', "", "\"k\"", "v", NULL},
	    {"k = 1\n", MM_EDIT_SET, 's', "k", "a", "v", NULL},
	    {"a.b = 1\n", MM_EDIT_SET, 's', "", "a", "v", NULL},
	    {"[[t]]\n", MM_EDIT_SET, 's', "t", "a", "v", NULL},
	    {"[[t]]\n", MM_EDIT_SET, 's', "t[1]", "a", "v", NULL},
	    {"k = 1\n", MM_EDIT_SET, 'i', "", "k", "007", NULL},
	    {"k = 1\n", MM_EDIT_SET, 'b', "", "k", "yes", NULL},
	    {"k = 1\n", MM_EDIT_SET, 'u', "", "k", "[1", NULL},
	    {"k = 1\n", MM_EDIT_SET, 'u', "", "k", "1\nl = 2", NULL},
	    {"k = 1\n", MM_EDIT_SET, 'u', "", "k", "'v'", NULL},
	    {"k = 1\n", MM_EDIT_SET, 'e', "", "k", "v", NULL},
	    {"k = 1\n", MM_EDIT_SECTION_ADD, 's', "k", "", NULL, NULL},
	    {"k = 1\n", MM_EDIT_SECTION_ADD, 's', "", "", NULL, NULL},
	    {"[[t]]\n", MM_EDIT_SECTION_ADD, 's', "t", "", NULL, NULL},
	    {"[[t]]\n", MM_EDIT_SECTION_ADD, 's', "t[0].a", "", NULL, NULL},
	    {"k = 1\n", MM_EDIT_LIST_ADD, 's', "", "k", "v", NULL},
	    {"k = \n", MM_EDIT_DELETE, 's', "", "x", NULL, NULL},
	};

	(void)state;
	RUN_CASES(&mm_format_toml, cases);
}

static int parses(const char *text, struct mm_arena *a)
{
	struct mm_err err = MM_ERR_NONE;
	struct mm_doc d;
	int rc = mm_format_toml.parse(text_of(text), a, &d, &err);

	if (rc != 0)
		assert_int_equal(err.code, MM_EX_DATAERR);
	return rc;
}

static const char *repeated(const char *open, const char *one, size_t n, const char *end, struct mm_arena *a)
{
	struct mm_buf b = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);
	const char *out;

	mm_buf_adds(&b, open);
	for (size_t i = 0; i < n; i++)
		mm_buf_adds(&b, one);
	mm_buf_adds(&b, end);
	out = mm_arena_strdup(a, mm_buf_str(&b));
	mm_buf_free(&b);
	return out;
}

static void limits(void **state)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_buf b = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);

	(void)state;
	check_limits(&mm_format_toml);
	assert_int_equal(parses(repeated("a", ".a", MM_TOML_DEPTH_MAX - 1, "=1", a), a), 0);
	assert_int_equal(parses(repeated("a", ".a", MM_TOML_DEPTH_MAX, "=1", a), a), -1);
	assert_int_equal(parses(repeated("[a", ".a", MM_TOML_DEPTH_MAX - 1, "]\nb=1", a), a), -1);
	assert_int_equal(parses(repeated("a=", "[", MM_TOML_DEPTH_MAX, "", a), a), -1);
	assert_int_equal(
	    parses(repeated(repeated("a=", "[", MM_TOML_DEPTH_MAX, "", a), "]", MM_TOML_DEPTH_MAX, "", a), a),
	    0);
	assert_int_equal(parses(repeated(repeated("a=", "[", MM_TOML_DEPTH_MAX + 1, "", a), "]",
				    MM_TOML_DEPTH_MAX + 1, "", a),
			     a),
	    -1);
	for (size_t i = 0; i < MM_TOML_KEYS_MAX - 1; i++)
		mm_buf_addf(&b, "k%zu=1\n", i);
	assert_int_equal(parses(mm_buf_str(&b), a), 0);
	mm_buf_adds(&b, "k=1\n");
	assert_int_equal(parses(mm_buf_str(&b), a), -1);
	mm_buf_free(&b);
	mm_arena_free(a);
}

static void meli(void **state)
{
	static const struct item_case texts[] = {
	    {" include(\"a b\")\nk = 1\ninclude(\"\")\n", "|k|i|1\n|include|c|a b\n"},
	    {"#m4 inc(\"x\")\n", NULL},
	    {"k = include(\"x\")\n", NULL},
	};
	static const struct edit_case cases[] = {
	    {"include(\"x\")\n[a]\nk = 1\n", MM_EDIT_SET, 'i', "a", "k", "2", "include(\"x\")\n[a]\nk = 2\n"},
	    {"\tinclude(\"x\")", MM_EDIT_SECTION_ADD, 's', "a", "", NULL, "\tinclude(\"x\")\n\n[a]"},
	    {"include(\"x\")\nk\n", MM_EDIT_SET, 'i', "a", "k", "2", NULL},
	};

	(void)state;
	RUN_ITEMS(&mm_format_meli, texts);
	RUN_CASES(&mm_format_meli, cases);
	check_limits(&mm_format_meli);
}

static void names_and_arrays(void **state)
{
	struct mm_arena *a = mm_arena_new();
	const char *const *v;
	size_t n = 0;

	(void)state;
	assert_string_equal(mm_toml_name("\"a \\\"b\\\"\"", a), "a \"b\"");
	assert_string_equal(mm_toml_name("a-b", a), "a-b");
	assert_string_equal(mm_toml_spell_name("a-b", a), "a-b");
	assert_string_equal(mm_toml_spell_name("a.b", a), "\"a.b\"");
	assert_string_equal(mm_toml_spell_name("", a), "\"\"");
	assert_null(mm_toml_spell_name("\xff", a));
	v = mm_toml_strings("[ 'a', # b\n \"c\\n\",\n]", a, &n);
	assert_int_equal(n, 2);
	assert_string_equal(v[0], "a");
	assert_string_equal(v[1], "c\n");
	assert_null(v[2]);
	assert_string_equal(mm_toml_array(v, a), "[\"a\", \"c\\n\"]");
	v = mm_toml_strings("[]", a, &n);
	assert_int_equal(n, 0);
	assert_string_equal(mm_toml_array(v, a), "[]");
	assert_null(mm_toml_strings("[1]", a, &n));
	assert_null(mm_toml_strings("[['a']]", a, &n));
	assert_null(mm_toml_strings("1.5", a, &n));
	assert_null(mm_toml_array((const char *const[]){"\xff", NULL}, a));
	mm_arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(items), cmocka_unit_test(refused),
	    cmocka_unit_test(keys), cmocka_unit_test(tables), cmocka_unit_test(refused_edits),
	    cmocka_unit_test(limits), cmocka_unit_test(meli), cmocka_unit_test(names_and_arrays)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
