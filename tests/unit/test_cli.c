#include "common/cli.h"

#include "tests/lib/testutil.h"

struct got {
	bool json;
	const char *host;
	int64_t port;
	struct mm_opt_list tags;
};

#define ARGS 16

struct line {
	struct got got;
	struct mm_opt opts[5];
	char *argv[ARGS + 1];
	int argc;
	struct mm_err err;
};

/* Split at blanks, parse, and keep everything for the asserts. */
static int parse(struct line *l, char *text)
{
	*l = (struct line){.err = MM_ERR_NONE};
	const struct mm_opt opts[5] = {
	    {.name = "json", .kind = MM_OPT_FLAG, .dest = &l->got.json, .help = "machine-readable"},
	    {.name = "host", .letter = 'H', .kind = MM_OPT_STRING, .dest = &l->got.host, .arg = "NAME"},
	    {.name = "port", .letter = 'p', .kind = MM_OPT_INT, .dest = &l->got.port, .min = 1, .max = 65535},
	    {.name = "tag",
		.letter = 't',
		.kind = MM_OPT_LIST,
		.dest = &l->got.tags,
		.help = "may be repeated"},
	    {.name = NULL},
	};
	memcpy(l->opts, opts, sizeof(opts));
	char *save = NULL;
	for (char *w = strtok_r(text, " ", &save); w != NULL && l->argc < ARGS;
	     w = strtok_r(NULL, " ", &save))
		l->argv[l->argc++] = w;
	return mm_cli_parse(l->opts, &l->argc, l->argv, &l->err);
}

static void test_forms(void **state)
{
	(void)state;
	static const char *const forms[] = {"one --host a --port 25 two --tag x --tag=y --json three",
	    "one -H a -p 25 two -t x -ty --json three", "-Ha one -p25 two --tag=x -t y three --json",
	    "--host=a --port=25 --json --tag x --tag y -- one two three", NULL};
	for (size_t i = 0; forms[i] != NULL; i++) {
		char text[200];
		struct line l;
		snprintf(text, sizeof(text), "%s", forms[i]);
		assert_int_equal(parse(&l, text), 0);
		assert_int_equal(l.argc, 3);
		assert_string_equal(l.argv[0], "one");
		assert_string_equal(l.argv[1], "two");
		assert_string_equal(l.argv[2], "three");
		assert_null(l.argv[3]);
		assert_true(l.got.json);
		assert_string_equal(l.got.host, "a");
		assert_int_equal(l.got.port, 25);
		assert_int_equal(l.got.tags.n, 2);
		assert_string_equal(l.got.tags.items[0], "x");
		assert_string_equal(l.got.tags.items[1], "y");
		mm_cli_free(l.opts);
		assert_null(l.got.tags.items);
	}
}

static void test_odd_but_right(void **state)
{
	(void)state;
	struct line l;
	char a[] = "--host= - --host --json -- --json -H";
	assert_int_equal(parse(&l, a), 0);
	assert_string_equal(l.got.host, "--json");
	assert_false(l.got.json);
	assert_int_equal(l.argc, 3);
	assert_string_equal(l.argv[0], "-");
	assert_string_equal(l.argv[1], "--json");
	assert_string_equal(l.argv[2], "-H");
	char none[] = "";
	assert_int_equal(parse(&l, none), 0);
	assert_int_equal(l.argc, 0);
	char later[] = "--port 1 --port 2 --host=a=b";
	assert_int_equal(parse(&l, later), 0);
	assert_int_equal(l.got.port, 2);
	assert_string_equal(l.got.host, "a=b");
}

static void wrong(const char *args, const char *words)
{
	char text[200];
	struct line l;
	snprintf(text, sizeof(text), "%s", args);
	assert_int_equal(parse(&l, text), -1);
	assert_int_equal(l.err.code, MM_EX_USAGE);
	assert_string_equal(l.err.text, words);
	mm_cli_free(l.opts);
}

static void test_wrong(void **state)
{
	(void)state;
	wrong("--hots a", "unknown option --hots; did you mean --host?");
	wrong("--prot=25", "unknown option --prot; did you mean --port?");
	wrong("--zebra", "unknown option --zebra");
	wrong("--hos a", "unknown option --hos; did you mean --host?");
	wrong("-z", "unknown option -z");
	wrong("-x=1", "unknown option -x");
	wrong("--host", "option --host needs a value");
	wrong("-H", "option --host needs a value");
	wrong("--json=yes", "option --json takes no value");
	wrong("--port 0", "option --port needs a number from 1 to 65535, not \"0\"");
	wrong("--port=65536", "option --port needs a number from 1 to 65535, not \"65536\"");
	wrong("-p 25x", "option --port needs a number from 1 to 65535, not \"25x\"");
	wrong("--tag a --port x", "option --port needs a number from 1 to 65535, not \"x\"");
	wrong("--=a", "unknown option --");
}

static void test_help(void **state)
{
	(void)state;
	struct line l;
	char none[] = "";
	struct mm_test_dir d = mm_test_mkdir();
	assert_int_equal(parse(&l, none), 0);
	fflush(stdout);
	int keep = dup(STDOUT_FILENO);
	int file = open(mm_test_path(&d, "out"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	dup2(file, STDOUT_FILENO);
	mm_cli_help("mailmuster push [OPTION...]", "Pushes.", l.opts);
	fflush(stdout);
	dup2(keep, STDOUT_FILENO);
	close(keep);
	close(file);
	mm_test_content(mm_test_path(&d, "out"), "Usage: mailmuster push [OPTION...]\n\nPushes.\n\nOptions:\n"
						 "      --json        machine-readable\n"
						 "  -H, --host NAME   \n"
						 "  -p, --port VALUE  \n"
						 "  -t, --tag VALUE   may be repeated\n");
	mm_test_rmdir(&d);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    MM_TEST(test_forms),
	    MM_TEST(test_odd_but_right),
	    MM_TEST(test_wrong),
	    MM_TEST(test_help),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
