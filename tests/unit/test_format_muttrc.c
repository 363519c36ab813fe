#include "agent/formats/muttrc.h"
#include "tests/unit/format_util.h"

#define F (&mm_format_muttrc)

/* Each line as mutt 2.2.12 and neomutt 20220429 read it. */
static void lexer(void **state)
{
	static const struct item_case cases[] = {
	    {"", ""},
	    {"set a=b # c\n", "|a|s|b\n"},
	    {"set a=b#c\n", "|a|s|b\n"},
	    {"# set a=b \\\nset c=d\nset e=f\n", "|e|s|f\n"},
	    {"set a=\"x#y;z\"\n", "|a|s|x#y;z\n"},
	    {"set a = b  c=d x\n", "|a|s|b\n|c|s|d\n|x|b|yes\n"},
	    {"set a=b; set c=d;;set e=f\n", "|a|s|b\n|c|s|d\n|e|s|f\n"},
	    {"set nobeep invhelp &arrow_cursor to from? ?from; set x\n",
		"|beep|b|no\n|help|b|toggle\n|arrow_cursor|b|reset\n|to|b|yes\n|?from|c|\n|x|b|yes\n"},
	    {"unset a b; toggle c; reset d\nunset nof\n",
		"|a|b|no\n|b|b|no\n|c|b|toggle\n|d|b|reset\n|f|b|yes\n"},
	    {"set a=\"q\\\"\\\\\\n\\t\\e\\101\\q\"\n", "|a|s|q\"\\\n\t\033Aq\n"},
	    {"set a='raw \\n \"x\" $y `z`'\n", "|a|s|raw \\n \"x\" $y `z`\n"},
	    {"set a=\"x\"'y'z\n", "|a|s|xyz\n"},
	    {"set a=x\\\ny\n", "|a|s|xy\n"},
	    {"set a='x\\\ny'\n", "|a|s|xy\n"},
	    {"set a=\"x\\\\\ny\"\n", "|a|s|xy\n"},
	    {"set a=\"open\nset b=c\n", "|a|s|open\n|b|s|c\n"},
	    {"set a=\\\n", ""},
	    {"set a=b\\\r\nc\r\nset d=e\r\n", "|a|s|bc\n|d|s|e\n"},
	    {"set a=\"`cmd x`\"\nset b=`cmd`\n", "|a|e|cmd x\n|b|e|cmd\n"},
	    {"set a=\"x`cmd`\"\n", "|a|v|\"x`cmd`\"\n"},
	    {"set a=\"smtp://$u:${p}@h\"\n", "|a|v|\"smtp://$u:${p}@h\"\n"},
	    {"set a=\"$1 $\"\n", "|a|s|$1 $\n"},
	    {"set a+=b c-=d\n", "|a|b|append\n|c|b|append\n"},
	    {"set a=b\nset a=c\n", "~|a|s|b\n|a|s|c\n"},
	    {"set a=\"caf\xe9\"\n", "|a|s|caf\xe9\n"},
	    {"folder-hook . set from=x@y\n", "|folder-hook|c|. set from=x@y\n"},
	    {"send-hook '~t x' \"my_hdr From: a <b@c>\"\n", "|send-hook|c|~t x my_hdr From: a <b@c>\n"},
	    {"my_hdr From: \"A B\" <a@b>  # c\n", "|my_hdr|c|From: \"A B\" <a@b>  \n"},
	    {"source ~/x; source \"gpg -d y |\"\n", "|source|c|~/x\n|source|c|gpg -d y |\n"},
	    {"mailboxes =a =b \\\n=c\n", "|mailboxes|c|=a =b =c\n"},
	    {"macro index x \"a\\\nb\" 'c'\n", "|macro|c|index x ab c\n"},
	    {"set a=`open\nset b=c\n", "|b|s|c\n"},
	};

	(void)state;
	RUN_ITEMS(F, cases);
}

static void lines(void **state)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_mutt_cmd *v;
	struct mm_err err = MM_ERR_NONE;
	size_t n;

	(void)state;
	assert_int_equal(
	    mm_muttrc_scan(text_of("# c\nset a=b \\\n c=d; color x\nunset e # f\n"), a, &v, &n, &err), 0);
	assert_int_equal(n, 3);
	assert_int_equal(v[0].line, 2);
	assert_int_equal(v[0].sets[1].line, 3);
	assert_false(v[0].alone);
	assert_int_equal(v[1].line, 3);
	assert_int_equal(v[2].line, 4);
	assert_false(v[2].alone);
	mm_arena_free(a);
}

static void set(void **state)
{
	static const struct edit_case cases[] = {
	    {"", MM_EDIT_SET, 's', "", "a", "b", "set a=\"b\"\n"},
	    {"", MM_EDIT_SET, 's', "", "a", "`id`\"; $(x) | y 'z' \\ # ;",
		"set a=\"\\`id\\`\\\"; \\$(x) | y 'z' \\\\ # ;\"\n"},
	    {"", MM_EDIT_SET, 's', "", "a", "\n\t\033\001\177", "set a=\"\\n\\t\\e\\001\\177\"\n"},
	    {"", MM_EDIT_SET, 's', "", "a", "", "set a=\"\"\n"},
	    {"", MM_EDIT_SET, 'b', "", "a", "yes", "set a=yes\n"},
	    {"", MM_EDIT_SET, 'e', "", "a", "/bin/x 'y z'", "set a=\"`/bin/x 'y z'`\"\n"},
	    {"", MM_EDIT_SET, 'e', "", "a", "x\\y", NULL},
	    {"", MM_EDIT_SET, 'e', "", "a", "x`y", NULL},
	    {"", MM_EDIT_SET, 'e', "", "a", "x$y", NULL},
	    {"", MM_EDIT_SET, 'b', "", "a", "toggle", NULL},
	    {"", MM_EDIT_SET, 'v', "", "a", "$x y", NULL},
	    {"", MM_EDIT_SET, 'v', "", "a", "\"$x y\"", "set a=\"$x y\"\n"},
	    {"", MM_EDIT_SET, 's', "", "a b", "x", NULL},
	    {"", MM_EDIT_SET, 's', "", "nob", "x", NULL},
	    {"set  a = 'x'   # c\r\n", MM_EDIT_SET, 's', "", "a", "y", "set  a = \"y\"   # c\r\n"},
	    {"set b=1 a=x c=2\n", MM_EDIT_SET, 's', "", "a", "y", "set b=1 a=\"y\" c=2\n"},
	    {"set a=x\nset a=y", MM_EDIT_SET, 's', "", "a", "z", "set a=x\nset a=\"z\""},
	    {"set a=x", MM_EDIT_SET, 's', "", "b", "z", "set a=x\nset b=\"z\""},
	    {"set nobeep help\n", MM_EDIT_SET, 'b', "", "beep", "yes", "set beep=yes help\n"},
	    {"set beep=no\n", MM_EDIT_SET, 'b', "", "beep", "no", "set beep=no\n"},
	    {"set a=x; unset a\n", MM_EDIT_SET, 's', "", "a", "y", "set a=x; unset a\nset a=\"y\"\n"},
	    {"set a=x; reset all\n", MM_EDIT_SET, 's', "", "a", "y", "set a=x; reset all\nset a=\"y\"\n"},
	    {"set a=\"`cmd`\"\n", MM_EDIT_SET, 'e', "", "a", "cmd", "set a=\"`cmd`\"\n"},
	    {"set a=$b\n", MM_EDIT_SET, 's', "", "a", "x", "set a=\"x\"\n"},
	    {"# open \\\n", MM_EDIT_SET, 's', "", "a", "x", NULL},
	    {"# open \\", MM_EDIT_SET, 's', "", "a", "x", NULL},
	    {"", MM_EDIT_LIST_ADD, 's', "", "a", "x", NULL},
	};

	(void)state;
	RUN_CASES(F, cases);
}

static void delete_variable(void **state)
{
	static const struct edit_case cases[] = {
	    {"set a=x\n", MM_EDIT_DELETE, 's', "", "a", NULL, ""},
	    {"set b=1 a=x c=2\n", MM_EDIT_DELETE, 's', "", "a", NULL, "set b=1 c=2\n"},
	    {"set a=x # why\n", MM_EDIT_DELETE, 's', "", "a", NULL, " # why\n"},
	    {"set a=1\nunset a\nset a=2\nset a=3\n", MM_EDIT_DELETE, 's', "", "a", NULL,
		"set a=1\nunset a\n"},
	    {"set a=1\nunset a\n", MM_EDIT_DELETE, 's', "", "a", NULL, "set a=1\nunset a\n"},
	    {"set b=1\nset a=x\\\ny", MM_EDIT_DELETE, 's', "", "a", NULL, "set b=1"},
	    {"set b=\\\\ a\n", MM_EDIT_DELETE, 's', "", "a", NULL, "set b=\\\\ \n"}, /* no join */
	    /* an escaped CR is no line end, and no blank: what stands behind it keeps it so */
	    {"set b \\\r a=\"x\nset c\n", MM_EDIT_DELETE, 's', "", "a", NULL, "set b \\\r \nset c\n"},
	    /* "b +=" would be another command; a CR is a blank to mutt */
	    {"set b a=1\r+\n", MM_EDIT_DELETE, 's', "", "a", NULL, NULL},
	};

	(void)state;
	RUN_CASES(F, cases);
}

static void blocks(void **state)
{
	static const struct edit_case cases[] = {
	    {"", MM_EDIT_BLOCK_SET, 's', "", "", "source ~/x",
		"\n# >>> mailmuster\nsource ~/x\n# <<< mailmuster\n"},
	    {"set a=b", MM_EDIT_BLOCK_SET, 's', "n", "", "x\ny",
		"set a=b\n\n# >>> mailmuster n\nx\ny\n# <<< mailmuster n"},
	    {"set a=b \\\r\n", MM_EDIT_BLOCK_SET, 's', "", "", "x",
		"set a=b \\\r\n\r\n# >>> mailmuster\r\nx\r\n# <<< mailmuster\r\n"},
	    {"set a=b \\", MM_EDIT_BLOCK_SET, 's', "", "", "x",
		"set a=b \\\n\n# >>> mailmuster\nx\n# <<< mailmuster"},
	    {"set a=b\nfinish\nset c=d\n", MM_EDIT_BLOCK_SET, 's', "", "finish", "x",
		"set a=b\n\n# >>> mailmuster\nx\n# <<< mailmuster\nfinish\nset c=d\n"},
	    {"set a=b\nifndef x finish\nset c=d\nfinish\n", MM_EDIT_BLOCK_SET, 's', "", "finish", "x",
		"set a=b\n\n# >>> mailmuster\nx\n# <<< mailmuster\nifndef x finish\nset c=d\nfinish\n"},
	    {"ifdef x 'finishing;ifdef y \"set b; finish\"'\nset c=d\n", MM_EDIT_BLOCK_SET, 's', "", "finish",
		"x",
		"\n# >>> mailmuster\nx\n# <<< mailmuster\nifdef x 'finishing;ifdef y \"set b; finish\"'\nset "
		"c=d\n"},
	    {"ifdef x finishing\n", MM_EDIT_BLOCK_SET, 's', "", "finish", "x",
		"ifdef x finishing\n\n# >>> mailmuster\nx\n# <<< mailmuster\n"},
	    {"set a=finish\nifdef x 'set b=c'\n", MM_EDIT_BLOCK_SET, 's', "", "finish", "x",
		"set a=finish\nifdef x 'set b=c'\n\n# >>> mailmuster\nx\n# <<< mailmuster\n"},
	    {"finish\nset c=d\n", MM_EDIT_BLOCK_SET, 's', "", "", "x",
		"finish\nset c=d\n\n# >>> mailmuster\nx\n# <<< mailmuster\n"},
	    {"\n# >>> mailmuster\nx\n# <<< mailmuster\nset b=c\n", MM_EDIT_BLOCK_SET, 's', "", "", "y\nz",
		"\n# >>> mailmuster\ny\nz\n# <<< mailmuster\nset b=c\n"},
	    {"\n# >>> mailmuster\nx\n# <<< mailmuster", MM_EDIT_BLOCK_SET, 's', "", "", "x",
		"\n# >>> mailmuster\nx\n# <<< mailmuster"},
	    {"a\n\n# >>> mailmuster\nx\n# <<< mailmuster\nb\n", MM_EDIT_BLOCK_REMOVE, 's', "", "", NULL,
		"a\nb\n"},
	    {"a\n# >>> mailmuster n\nx\n# <<< mailmuster n\nb\n", MM_EDIT_BLOCK_REMOVE, 's', "", "", NULL,
		"a\n# >>> mailmuster n\nx\n# <<< mailmuster n\nb\n"},
	    {"a\n# >>> mailmuster\nx\n", MM_EDIT_BLOCK_SET, 's', "", "", "y", NULL},
	    {"", MM_EDIT_BLOCK_SET, 's', "", "", "# <<< mailmuster", NULL},
	};

	(void)state;
	RUN_CASES(F, cases);
}

static void block_lines(void **state)
{
	struct mm_arena *a = mm_arena_new();
	int line = 0;

	(void)state;
	assert_string_equal(
	    mm_muttrc_block(
		text_of("x\n# >>> mailmuster q\r\n1\r\n2\r\n# <<< mailmuster q\n"), "q", a, &line),
	    "1\n2");
	assert_int_equal(line, 3);
	assert_null(mm_muttrc_block(text_of("x\n# >>> mailmuster q\n"), "q", a, &line));
	assert_null(mm_muttrc_block(text_of("x\n"), "q", a, &line));
	mm_arena_free(a);
}

static void limits(void **state)
{
	(void)state;
	check_limits(F);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lexer),
	    cmocka_unit_test(lines),
	    cmocka_unit_test(set),
	    cmocka_unit_test(delete_variable),
	    cmocka_unit_test(blocks),
	    cmocka_unit_test(block_lines),
	    cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
