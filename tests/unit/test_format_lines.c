/* msmtprc and ini: the editors that work by lines. */
#include "agent/formats/accountrc.h"
#include "agent/formats/ini.h"
#include "agent/formats/msmtprc.h"
#include "agent/formats/pinerc.h"
#include "tests/unit/format_util.h"

#define M (&mm_format_msmtprc)
#define I (&mm_format_ini)
#define C (&mm_format_accountrc)
#define P (&mm_format_pinerc)

/* Each line as msmtp 1.8.23 reads it. */
static void msmtp_grammar(void **state)
{
	static const struct item_case cases[] = {
	    {"", ""},
	    {"host h\nport 5\n", "default|host|s|h\ndefault|port|s|5\n"},
	    {"account a\n\thost  h \t\n# c\n  # d\n\nport\t\t587\n",
		"a|account|c|\na|host|s|h\na|port|s|587\n"},
	    {"account a\r\nhost h\r\n", "a|account|c|\na|host|s|h\n"},
	    {"account a\nhost h # not a comment\n", "a|account|c|\na|host|s|h # not a comment\n"},
	    {"account a\nuser \"  x \"\n", "a|account|c|\na|user|s|  x \n"},
	    {"account a\nuser \"a\\\"b\\\\c\"\n", "a|account|c|\na|user|s|a\\\"b\\\\c\n"},
	    {"account a\nuser \"half\nfrom \"\n", "a|account|c|\na|user|s|\"half\na|from|s|\"\n"},
	    {"account a\nuser `id`\"; $(x) | y\n", "a|account|c|\na|user|s|`id`\"; $(x) | y\n"},
	    {"account a\nuser \"\"\nauth\n", "a|account|c|\na|user|s|\na|auth|s|\n"},
	    {"account a\nport 1\nport 2", "a|account|c|\n~a|port|s|1\na|port|s|2\n"},
	    {"account b\naccount c\naccount  a :  b , c \nuser u\n",
		"b|account|c|\nc|account|c|\na|account|c|b , c\na|user|s|u\n"},
	    {"account \"b c\"\n", "b c|account|c|\n"},
	    {"defaults\nport 1\naccount a\ndefaults\nport 2\n",
		"|account|c|\n|port|s|1\na|account|c|\n|account|c|\n|port|s|2\n"},
	    {"account a\naccount a\n", NULL},
	    {"host h\naccount default\n", NULL},
	    {"account\nhost h\n", NULL},
	    {"account : b\n", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (i != 13)
			run_items(M, &cases[i]);
	run_items(M, &(struct item_case){
			 cases[13].in, "|account|c|\n~|port|s|1\na|account|c|\n|account|c|\n|port|s|2\n"});
}

static void msmtp_edits(void **state)
{
	static const struct edit_case cases[] = {
	    {"account a\nhost h\n", MM_EDIT_SET, 's', "a", "host", "k", "account a\nhost k\n"},
	    {"account a\n\thost \"h\"  \r\n", MM_EDIT_SET, 's', "a", "host", "k",
		"account a\n\thost k  \r\n"},
	    {"account a\n\thost h\n\n# b is mine\naccount b\nport 1", MM_EDIT_SET, 's', "a", "port", "465",
		"account a\n\thost h\n\tport 465\n\n# b is mine\naccount b\nport 1"},
	    {"account a\r\nhost h", MM_EDIT_SET, 's', "a", "port", "465", "account a\r\nhost h\r\nport 465"},
	    {"account a", MM_EDIT_SET, 's', "a", "user", " x", "account a\nuser \" x\""},
	    {"account a\n", MM_EDIT_SET, 's', "a", "user", "\"x\"", "account a\nuser \"\"x\"\"\n"},
	    {"account a\n", MM_EDIT_SET, 's', "a", "user", "", "account a\nuser \"\"\n"},
	    {"account a\n", MM_EDIT_SET, 's', "a", "user", "`id`\"; $(x) | y",
		"account a\nuser `id`\"; $(x) | y\n"},
	    {"account a\nauth  \ntls\n", MM_EDIT_SET, 's', "a", "auth", "off",
		"account a\nauth off  \ntls\n"},
	    {"account a\nport 1\nport 2\n", MM_EDIT_SET, 's', "a", "port", "3",
		"account a\nport 1\nport 3\n"},
	    {"account a\nport 1\nport 2\nuser u\n", MM_EDIT_DELETE, 's', "a", "port", NULL,
		"account a\nuser u\n"},
	    {"defaults\nport 1\n", MM_EDIT_SET, 's', "", "port", "2", "defaults\nport 2\n"},
	    {"host h\n", MM_EDIT_SET, 's', "default", "port", "2", "host h\nport 2\n"},
	    {"", MM_EDIT_SECTION_ADD, 's', "work", "", NULL, "account work\n"},
	    {"host h", MM_EDIT_SECTION_ADD, 's', "work", "", NULL, "host h\n\naccount work"},
	    {"host h\r\n", MM_EDIT_SECTION_ADD, 's', "work", "", "a, b",
		"host h\r\n\r\naccount work : a, b\r\n"},
	    {"account work\n", MM_EDIT_SECTION_ADD, 's', "work", "", NULL, "account work\n"},
	    {"host h\n\naccount work\n", MM_EDIT_SECTION_REMOVE, 's', "work", "", NULL, "host h\n"},
	    {"host h\n\naccount work\nport 1\n", MM_EDIT_SECTION_REMOVE, 's', "work", "", NULL,
		"host h\n\naccount work\nport 1\n"},
	    {"account a\n", MM_EDIT_SET, 's', "b", "port", "1", NULL},
	    {"account a\n", MM_EDIT_SET, 's', "a", "user", "x\ny", NULL},
	    {"account a\n", MM_EDIT_SET, 's', "a", "account", "x", NULL},
	    {"account a\n", MM_EDIT_SET, 's', "a", "us er", "x", NULL},
	    {"", MM_EDIT_SECTION_ADD, 's', "a:b", "", NULL, NULL},
	    {"", MM_EDIT_SECTION_ADD, 's', "", "", NULL, NULL},
	    {"account a\naccount a\n", MM_EDIT_SET, 's', "a", "port", "1", NULL},
	    {"", MM_EDIT_LIST_ADD, 's', "a", "port", "1", NULL},
	    {"", MM_EDIT_BLOCK_SET, 's', "a", "port", "1", NULL},
	};

	(void)state;
	RUN_CASES(M, cases);
}

static void msmtp_limits(void **state)
{
	char line[MM_MSMTPRC_LINE_MAX + 32], value[MM_MSMTPRC_LINE_MAX + 1];
	struct mm_arena *a = mm_arena_new();
	struct mm_buf b = MM_BUF_INIT(1u << 20);
	struct mm_err err = MM_ERR_NONE;
	struct mm_doc d;

	(void)state;
	check_limits(M);
	memset(line, 'x', sizeof(line));
	memcpy(line, "host ", 5);
	line[MM_MSMTPRC_LINE_MAX] = '\0';
	assert_int_equal(M->parse(text_of(line), a, &d, &err), 0);
	line[MM_MSMTPRC_LINE_MAX] = 'x';
	line[MM_MSMTPRC_LINE_MAX + 1] = '\0';
	assert_int_equal(M->parse(text_of(line), a, &d, &err), -1);
	assert_non_null(strstr(err.text, "line 1: longer"));
	memset(value, 'v', sizeof(value));
	value[sizeof(value) - 1] = '\0';
	run_case(M, &(struct edit_case){"account a\n", MM_EDIT_SET, 's', "a", "user", value, NULL});
	for (int i = 0; i < MM_MSMTPRC_ACCOUNTS_MAX; i++)
		mm_buf_addf(&b, "account a%d\n", i);
	assert_int_equal(M->parse(text_of(mm_buf_str(&b)), a, &d, &err), 0);
	mm_buf_adds(&b, "account one-more\n");
	assert_int_equal(M->parse(text_of(mm_buf_str(&b)), a, &d, &err), -1);
	assert_non_null(strstr(err.text, "more than"));
	mm_buf_free(&b);
	mm_arena_free(a);
}

static void ini_grammar(void **state)
{
	static const struct item_case cases[] = {
	    {"", ""},
	    {"[General]\nStartWithLastProfile=1\n\n[Profile0]\nName=a b \nPath=x=y\n",
		"General||c|\nGeneral|StartWithLastProfile|s|1\nProfile0||c|\nProfile0|Name|s|a b "
		"\nProfile0|Path|s|x=y\n"},
	    {"\xef\xbb\xbf[A]\r\n; c\r\n# d\r\n  k=v\r\nk=w", "A||c|\n~A|k|s|v\nA|k|s|w\n"},
	    {"[A]\nk=1\n[B]\n[A]\nj=2\n", "A||c|\nA|k|s|1\nB||c|\nA||c|\nA|j|s|2\n"},
	    {"[A]\nk=\n", "A||c|\nA|k|s|\n"},
	    {"k=v\n", NULL},
	    {"[A\n", NULL},
	    {"[A]\nword\n", NULL},
	};

	(void)state;
	RUN_ITEMS(I, cases);
}

static void ini_edits(void **state)
{
	static const struct edit_case cases[] = {
	    {"[A]\nk=v\n\n[B]\n", MM_EDIT_SET, 's', "A", "k", "w", "[A]\nk=w\n\n[B]\n"},
	    {"[A]\nk=v\n\n[B]\n", MM_EDIT_SET, 's', "A", "j", "w", "[A]\nk=v\nj=w\n\n[B]\n"},
	    {"[A]\r\nk=v\r\n[B]", MM_EDIT_SET, 's', "B", "j", "", "[A]\r\nk=v\r\n[B]\r\nj="},
	    {"[A]\nk=v\n", MM_EDIT_DELETE, 's', "A", "k", NULL, "[A]\n"},
	    {"", MM_EDIT_SECTION_ADD, 's', "A", "", NULL, "[A]\n"},
	    {"[A]\nk=v", MM_EDIT_SECTION_ADD, 's', "B", "", NULL, "[A]\nk=v\n\n[B]"},
	    {"[A]\nk=v\n\n[B]\n", MM_EDIT_SECTION_REMOVE, 's', "B", "", NULL, "[A]\nk=v\n"},
	    {"[A]\n", MM_EDIT_SET, 's', "B", "k", "v", NULL},
	    {"[A]\n", MM_EDIT_SET, 's', "A", "k", "v\nw", NULL},
	    {"[A]\n", MM_EDIT_SET, 's', "A", "k=", "v", NULL},
	    {"", MM_EDIT_SECTION_ADD, 's', "A]", "", NULL, NULL},
	};

	(void)state;
	check_limits(I);
	RUN_CASES(I, cases);
}

/* Each line as Claws Mail 4.1.1 and Sylpheed 3.8 read it. */
static void accountrc_grammar(void **state)
{
	static const struct item_case cases[] = {
	    {"", ""},
	    {"lost=1\n[Account: 1]\nname= a b \nx=y=z\nempty=\n",
		"Account: 1||c|\nAccount: 1|name|s| a b \nAccount: 1|x|s|y=z\nAccount: 1|empty|s|\n"},
	    {"[Account: 1]\r\n#a=b\r\n k=v\r\nk=1\r\nk=2",
		"Account: 1||c|\nAccount: 1| k|s|v\n~Account: 1|k|s|1\nAccount: 1|k|s|2\n"},
	    {"[Account: 1]\nword\n=x\n\n[Account: 2]junk\nk=v\n",
		"Account: 1||c|\nAccount: 2||c|\nAccount: 2|k|s|v\n"},
	    {"[A]\n[A]\n", NULL},
	    {"[A\nk=v\n", NULL},
	    {"\xef\xbb\xbf[A]\n", NULL},
	};

	(void)state;
	RUN_ITEMS(C, cases);
}

static void accountrc_edits(void **state)
{
	static const struct edit_case cases[] = {
	    {"[A]\nk=v\n\n[B]\n", MM_EDIT_SET, 's', "A", "k", " w ", "[A]\nk= w \n\n[B]\n"},
	    {"[A]\nk=v\n\n[B]\n", MM_EDIT_SET, 's', "A", "j", "w", "[A]\nk=v\nj=w\n\n[B]\n"},
	    {"[A]\r\n#k=v\r\n[B]", MM_EDIT_SET, 's', "A", "k", "1", "[A]\r\nk=1\r\n#k=v\r\n[B]"},
	    {"[A]\nk=1\nx\nk=2\n", MM_EDIT_DELETE, 's', "A", "k", NULL, "[A]\nx\n"},
	    {"[A]\nk=v", MM_EDIT_SECTION_ADD, 's', "B", "", NULL, "[A]\nk=v\n\n[B]"},
	    {"[A]\nk=v\n\n[B]\n", MM_EDIT_SECTION_REMOVE, 's', "B", "", NULL, "[A]\nk=v\n"},
	    {"[A]\n", MM_EDIT_SET, 's', "B", "k", "v", NULL},
	    {"[A]\n", MM_EDIT_SET, 's', "A", "k", "v\nw", NULL},
	    {"[A]\n", MM_EDIT_SET, 's', "A", "#k", "v", NULL},
	    {"[A]\n", MM_EDIT_SET, 's', "A", "[k", "v", NULL},
	    {"", MM_EDIT_SECTION_ADD, 's', "A]", "", NULL, NULL},
	};

	(void)state;
	check_limits(C);
	RUN_CASES(C, cases);
}

static void accountrc_limits(void **state)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_err err = MM_ERR_NONE;
	char *line = mm_arena_alloc(a, MM_ACCOUNTRC_LINE_MAX + 2, 1);
	struct mm_doc d;

	(void)state;
	memset(line, 'x', MM_ACCOUNTRC_LINE_MAX + 1);
	line[MM_ACCOUNTRC_LINE_MAX] = '\0';
	assert_int_equal(C->parse(text_of(line), a, &d, &err), 0);
	line[MM_ACCOUNTRC_LINE_MAX] = 'x';
	assert_int_equal(C->parse(text_of(line), a, &d, &err), -1);
	assert_non_null(strstr(err.text, "line 1: longer"));
	run_case(C, &(struct edit_case){"[A]\n", MM_EDIT_SET, 's', "A", "k", line, NULL});
	mm_arena_free(a);
}

/* Each line as Alpine 2.26 reads it. */
static void pinerc_grammar(void **state)
{
	static const struct item_case cases[] = {
	    {"", ""},
	    {"# c\nPersonal-Name = a b \nlist=x,\n\ty,\n  z\n\nempty=\n",
		"|personal-name|s|a b\n|list|s|x,y,z\n|empty|s|\n"},
	    {"a=\"x y\"\nb='x'\nc=\"x\" y\nd=\"\"\n", "|a|s|x y\n|b|s|'x'\n|c|s|\"x\" y\n|d|s|\n"},
	    {"a=1\n a=2\nA=3", "~|a|s|1a=2\n|a|s|3\n"},
	    {"word\n=x\n b=c\n", ""},
	    {"a=1\r\n", NULL},
	};

	(void)state;
	RUN_ITEMS(P, cases);
}

static void pinerc_edits(void **state)
{
	static const struct edit_case cases[] = {
	    {"", MM_EDIT_SET, 's', "", "a", "x", "a=x\n"},
	    {"# c\n", MM_EDIT_SET, 's', "", "a", "x", "# c\na=x\n"},
	    {"A = 1,\n\t2\nb=3\n", MM_EDIT_SET, 's', "", "a", "x", "A = x\nb=3\n"},
	    {"A = 1,\n\t2\nb=3\na=4", MM_EDIT_DELETE, 's', "", "a", NULL, "b=3"},
	    {"a=1\n", MM_EDIT_SET, 's', "", "a", " x ", "a=\" x \"\n"},
	    {"a=1\n", MM_EDIT_SET, 's', "", "a", "${HOME}", NULL},
	    {"a=1\n", MM_EDIT_SET, 's', "", "a", "x\ny", NULL},
	    {"a=1\n", MM_EDIT_SET, 's', "", "A", "x", NULL},
	    {"a=1\n", MM_EDIT_SET, 's', "s", "a", "x", NULL},
	    {"a=1\n", MM_EDIT_SECTION_ADD, 's', "s", "", NULL, NULL},
	};

	(void)state;
	check_limits(P);
	RUN_CASES(P, cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(msmtp_grammar),
	    cmocka_unit_test(msmtp_edits),
	    cmocka_unit_test(msmtp_limits),
	    cmocka_unit_test(ini_grammar),
	    cmocka_unit_test(ini_edits),
	    cmocka_unit_test(accountrc_grammar),
	    cmocka_unit_test(accountrc_edits),
	    cmocka_unit_test(accountrc_limits),
	    cmocka_unit_test(pinerc_grammar),
	    cmocka_unit_test(pinerc_edits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
