/* mbsyncrc, fetchmailrc and the family of ini files: grammar, edits, limits. */
#include "agent/formats/fetchmailrc.h"
#include "agent/formats/inis.h"
#include "agent/formats/mbsyncrc.h"
#include "tests/unit/format_util.h"

#define B (&mm_format_mbsyncrc)
#define F (&mm_format_fetchmailrc)
#define GO (&mm_format_goini)
#define PY (&mm_format_pyini)
#define PC (&mm_format_pyini_percent)
#define GIT (&mm_format_gitconfig)

static void mbsync(void **state)
{
	static const struct item_case cases[] = {
	    {"", ""},
	    {"imapaccount a\nhost h # c\nUSER \"x \\\"y\" #z\n",
		"IMAPAccount a|section|c|\nIMAPAccount a|Host|s|h\nIMAPAccount a|User|s|x \"y\n"},
	    {"IMAPStore a\n# not the end\nPort 1\n \nPort 2\n",
		"IMAPStore a|section|c|\nIMAPStore a|Port|s|1\n|Port|s|2\n"},
	    {"IMAPAccount a\nUser a#b\nPass a\\ b\n",
		"IMAPAccount a|section|c|\nIMAPAccount a|User|s|a#b\nIMAPAccount a|Pass|s|a b\n"},
	    {"IMAPAccount a\nAuthMechs  PLAIN \"LOGIN\"\n",
		"IMAPAccount a|section|c|\nIMAPAccount a|AuthMechs|s|PLAIN LOGIN\n"},
	    {"IMAPAccount a\nUser a b\n", NULL},
	    {"IMAPAccount a\nUser \"a\n", NULL},
	    {"IMAPAccount a\nUser\n", NULL},
	    {"IMAPAccount\n", NULL},
	};
	static const struct edit_case edits[] = {
	    {"IMAPAccount a\nhost h\n\nPort 1\n", MM_EDIT_SET, 's', "IMAPAccount a", "User", "it's \"me\" \\",
		"IMAPAccount a\nhost h\nUser \"it's \\\"me\\\" \\\\\"\n\nPort 1\n"},
	    {"IMAPAccount a\n  Host h # c\n", MM_EDIT_SET, 's', "IMAPAccount a", "Host", "k",
		"IMAPAccount a\n  Host k # c\n"},
	    {"IMAPAccount a\n", MM_EDIT_SECTION_ADD, 's', "IMAPStore b", "", NULL,
		"IMAPAccount a\n\nIMAPStore b\n"},
	    {"IMAPAccount a\n", MM_EDIT_SET, 's', "IMAPAccount a", "host", "k", NULL},
	    {"IMAPAccount a\n", MM_EDIT_SET, 's', "IMAPAccount a", "User", "a\nb", NULL},
	    {"IMAPAccount a\n", MM_EDIT_SET, 's', "IMAPAccount a", "AuthMechs", "a  b", NULL},
	    {"IMAPAccount a\n", MM_EDIT_SET, 's', "IMAPAccount b", "User", "x", NULL},
	    {"IMAPAccount a\n\nIMAPAccount a\n", MM_EDIT_SECTION_REMOVE, 's', "IMAPAccount a", "", NULL,
		NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		run_items(B, &cases[i]);
	RUN_CASES(B, edits);
}

static void fetchmail(void **state)
{
	static const struct item_case cases[] = {
	    {"set daemon 300 # c\npoll h proto pop3 user \"a\\x22\" there with pass b is c here nokeep, "
	     "ssl;\n",
		"h|poll|c|poll\nh|proto|s|pop3\nh\t1|user|s|a\"\nh\t1|password|s|b\nh\t1|is|c|c\n"
		"h\t1|keep|s|no\nh\t1|ssl|s|yes\n"},
	    {"skip h user a user b no ssl\n", "h|poll|c|skip\nh\t1|user|s|a\nh\t2|user|s|b\nh\t2|ssl|s|no\n"},
	    {"poll h user a port 1\n", NULL},
	    {"poll h frobnicate\n", NULL},
	    {"poll\n", NULL},
	    {"poll h user 'a\n", NULL},
	    {"keep\n", NULL},
	};
	static const struct edit_case edits[] = {
	    {"poll h user a # c\n", MM_EDIT_SET, 's', "h\t1", "keep", "yes", "poll h user a keep # c\n"},
	    {"poll h user a nokeep\n", MM_EDIT_SET, 's', "h\t1", "keep", "yes", "poll h user a keep\n"},
	    {"poll h user a keep\n", MM_EDIT_SET, 's', "h\t1", "keep", "no", "poll h user a no keep\n"},
	    {"poll h user a there ssl", MM_EDIT_SET, 's', "h", "via", "x.y",
		"poll h via x.y user a there ssl"},
	    {"poll h user a there ssl", MM_EDIT_SET, 's', "h\t1", "sslcertfile", "/a b",
		"poll h user a there ssl sslcertfile \"/a b\""},
	    {"poll h user a\n", MM_EDIT_SET, 's', "h\t1", "user", "q\"\\", "poll h user \"q\\x22\\x5c\"\n"},
	    {"poll h\n", MM_EDIT_SET, 's', "h\t1", "user", "a", "poll h user a\n"},
	    {"", MM_EDIT_SECTION_ADD, 's', "h", "", NULL, "poll h\n"},
	    {"poll h user a\n", MM_EDIT_SET, 's', "h\t1", "keep", "maybe", NULL},
	    {"poll h user a\n", MM_EDIT_SET, 's', "h\t1", "via", "x", NULL},
	    {"poll h user a ssl\n", MM_EDIT_DELETE, 's', "h\t1", "user", NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		run_items(F, &cases[i]);
	RUN_CASES(F, edits);
}

static void go_ini(void **state)
{
	static const struct item_case cases[] = {
	    {"[a]\nx = b # c\ny: `d # e` ; f\nz = 'g'\nZ = h;i\n",
		"a||c|\na|x|s|b\na|y|s|d # e\na|z|s|g\na|Z|s|h\n"},
	    {"[a]\nx = b \\\n  c\n", "a||c|\na|x|s|b c\n"},
	    {"[a]\nx\n", NULL},
	    {"[a\n", NULL},
	};
	static const struct edit_case edits[] = {
	    {"[a]\nx = b # c\n", MM_EDIT_SET, 's', "a", "x", "d;e", "[a]\nx = `d;e` # c\n"},
	    {"[a]\nx = b # it`s\n", MM_EDIT_SET, 's', "a", "x", "d;e", NULL},
	    {"[a]\n  x = b\n", MM_EDIT_SET, 's', "a", "y", "c", "[a]\n  x = b\n  y = c\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		run_items(GO, &cases[i]);
	RUN_CASES(GO, edits);
}

static void python_ini(void **state)
{
	static const struct item_case cases[] = {
	    {"[a]\nX: b # no comment\n  c\n; d\n  e\ny=f\n", "a||c|\na|x|s|b # no comment\nc\ne\na|y|s|f\n"},
	    {"[a]\nx=1\nX=2\n", NULL},
	    {"[a]\n[a]\n", NULL},
	    {"[a]\nx=\xe9\n", NULL},
	    {"\xef\xbb\xbf[a]\n", NULL},
	    {"x=1\n", NULL},
	};
	static const struct edit_case edits[] = {
	    {"[a]\nX: b\n  c\ny=f\n", MM_EDIT_SET, 's', "a", "x", "d", "[a]\nX: d\ny=f\n"},
	    {"[a]\nx=b\n", MM_EDIT_SET, 's', "a", "x", " d", NULL},
	    {"[a]\nx=b\n", MM_EDIT_SET, 's', "a", "X", "d", NULL},
	};
	static const struct edit_case percent[] = {
	    {"[a]\nx=b\n", MM_EDIT_SET, 's', "a", "x", "5%", "[a]\nx=5%%\n"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		run_items(PY, &cases[i]);
	RUN_CASES(PY, edits);
	RUN_CASES(PC, percent);
}

static void git_config(void **state)
{
	static const struct item_case cases[] = {
	    {"[Send \"A\\\"b\"]\n\tX = a \"b # \"c;d\n\ty\n[e] f = g\n",
		"send.A\"b||c|\nsend.A\"b|x|s|a b # c\nsend.A\"b|y|s|true\ne||c|\ne|f|s|g\n"},
	    {"[a]\nx = \"b\n", NULL},
	    {"[a]\nx = \\q\n", NULL},
	    {"[a b]\n", NULL},
	};
	static const struct edit_case edits[] = {
	    {"[a]\n\tx = b ; c\n", MM_EDIT_SET, 's', "a", "x", "d # \"e\"",
		"[a]\n\tx = \"d # \\\"e\\\"\" ; c\n"},
	    {"[a]\n\tx\n", MM_EDIT_SET, 's', "a", "x", "no", "[a]\n\tx = no\n"},
	    {"[a] x = b\n", MM_EDIT_DELETE, 's', "a", "x", NULL, "[a] \n"},
	    {"", MM_EDIT_SECTION_ADD, 's', "send.A b", "", NULL, "[send \"A b\"]\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		run_items(GIT, &cases[i]);
	RUN_CASES(GIT, edits);
}

/* `line` n times, each with its number. */
static int parse_many(const struct mm_format *f, const char *head, const char *line, int n)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_buf b = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);
	struct mm_doc d;
	struct mm_err err = MM_ERR_NONE;
	int rc;

	mm_buf_adds(&b, head);
	for (int i = 0; i < n; i++) {
		const char *mark = strchr(line, '@');

		mm_buf_addf(&b, "%.*s%d%s", (int)(mark - line), line, i, mark + 1);
	}
	rc = f->parse((struct mm_text){.p = mm_buf_str(&b), .n = b.len}, a, &d, &err);
	assert_true(rc == 0 || err.code == MM_EX_DATAERR);
	mm_buf_free(&b);
	mm_arena_free(a);
	return rc;
}

static void limits(void **state)
{
	char line[MM_MBSYNCRC_LINE_MAX + 8];

	(void)state;
	assert_int_equal(parse_many(B, "", "Channel c@\n\n", MM_MBSYNCRC_SECTIONS_MAX), 0);
	assert_int_equal(parse_many(B, "", "Channel c@\n\n", MM_MBSYNCRC_SECTIONS_MAX + 1), -1);
	assert_int_equal(parse_many(GO, "", "[a@]\n", MM_INI_SECTIONS_MAX), 0);
	assert_int_equal(parse_many(GO, "", "[a@]\n", MM_INI_SECTIONS_MAX + 1), -1);
	assert_int_equal(parse_many(F, "", "poll h@\n", MM_FETCHMAILRC_ENTRIES_MAX), 0);
	assert_int_equal(parse_many(F, "", "poll h@\n", MM_FETCHMAILRC_ENTRIES_MAX + 1), -1);
	memset(line, 'x', sizeof(line));
	memcpy(line, "# ", 2);
	line[MM_MBSYNCRC_LINE_MAX] = '\0';
	assert_int_equal(parse_many(B, line, "\n#@", 1), 0);
	line[MM_MBSYNCRC_LINE_MAX] = 'x';
	line[MM_MBSYNCRC_LINE_MAX + 1] = '\0';
	assert_int_equal(parse_many(B, line, "\n#@", 1), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(mbsync),
	    cmocka_unit_test(fetchmail),
	    cmocka_unit_test(go_ini),
	    cmocka_unit_test(python_ini),
	    cmocka_unit_test(git_config),
	    cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
