/* Argument vectors and the shell, checked against the real /bin/sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/clients/sh.h"
#include "common/proc.h"
#include "schemas/settings.h"

static const char *const hostile[] = {
    "/usr/bin/printf",
    "%s\\n",
    "plain",
    "",
    "two words",
    "`id`\"; $(touch /nonexistent) | y",
    "it's",
    "'",
    "\\",
    "\\'`$x`",
    "-n",
    "#",
    "~",
    "*",
    "a=b",
    "\xc3\xa9",
    NULL,
};

static void run_shell(const char *line, struct mm_buf *out)
{
	const char *const argv[] = {"/bin/sh", "-c", line, NULL};
	const struct mm_run run = {.argv = argv, .timeout_ms = 10000};
	struct mm_run_result res;
	struct mm_err err = MM_ERR_NONE;

	if (mm_run(&run, out, NULL, &res, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(res.how, MM_RUN_EXITED);
	assert_int_equal(res.status, 0);
}

static void expected(struct mm_buf *b)
{
	for (size_t i = 2; hostile[i] != NULL; i++)
		mm_buf_addf(b, "%s\n", hostile[i]);
}

static void through_the_shell(void **state)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_buf got = MM_BUF_INIT(65536), want = MM_BUF_INIT(65536);
	const char *argv = mm_argv_text(hostile, a), *line, *tick;
	struct mm_err err = MM_ERR_NONE;

	(void)state;
	expected(&want);
	line = mm_sh_line(argv, a, &err);
	assert_non_null(line);
	run_shell(line, &got);
	assert_string_equal(mm_buf_str(&got), mm_buf_str(&want));
	assert_string_equal(mm_sh_argv(line, a), argv);

	mm_buf_reset(&got);
	tick = mm_sh_backtick(argv, a, &err);
	assert_non_null(tick);
	assert_null(strpbrk(tick, "\\$`'\""));
	run_shell(tick, &got);
	assert_string_equal(mm_buf_str(&got), mm_buf_str(&want));
	assert_string_equal(mm_sh_from_backtick(tick, a), argv);
	mm_buf_free(&got);
	mm_buf_free(&want);
	mm_arena_free(a);
}

static void lines_of_people(void **state)
{
	static const struct {
		const char *line, *argv;
	} cases[] = {
	    {"/usr/bin/pass show x", "[\"/usr/bin/pass\",\"show\",\"x\"]"},
	    {"  /bin/echo  \"a b\" 'c d' e\\ f ", "[\"/bin/echo\",\"a b\",\"c d\",\"e f\"]"},
	    {"/bin/env a=b", "[\"/bin/env\",\"a=b\"]"},
	    {"pass show x", "[\"/bin/sh\",\"-c\",\"pass show x\"]"},
	    {"/bin/a | /bin/b", "[\"/bin/sh\",\"-c\",\"/bin/a | /bin/b\"]"},
	    {"/bin/a $HOME", "[\"/bin/sh\",\"-c\",\"/bin/a $HOME\"]"},
	    {"/bin/a \"$x\"", "[\"/bin/sh\",\"-c\",\"/bin/a \\\"$x\\\"\"]"},
	    {"/bin/a 'open", "[\"/bin/sh\",\"-c\",\"/bin/a 'open\"]"},
	    {"/bin/a # c", "[\"/bin/sh\",\"-c\",\"/bin/a # c\"]"},
	    {"~/bin/x", "[\"/bin/sh\",\"-c\",\"~/bin/x\"]"},
	    {"A=b /bin/x", "[\"/bin/sh\",\"-c\",\"A=b /bin/x\"]"},
	    {"", "[\"/bin/sh\",\"-c\",\"\"]"},
	};
	struct mm_arena *a = mm_arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(mm_sh_argv(cases[i].line, a), cases[i].argv);
	mm_arena_free(a);
}

static void refusals(void **state)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_err err = MM_ERR_NONE;

	(void)state;
	assert_null(mm_sh_line("not json", a, &err));
	assert_int_equal(err.code, MM_EX_DATAERR);
	err = MM_ERR_NONE;
	assert_null(mm_sh_line("[\"/bin/x\",\"a\\nb\"]", a, &err));
	assert_int_equal(err.code, MM_EX_DATAERR);
	assert_string_equal(mm_sh_backtick("[\"/bin/pass\",\"it is\"]", a, &err), "/bin/pass 'it is'");
	mm_arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(through_the_shell),
	    cmocka_unit_test(lines_of_people),
	    cmocka_unit_test(refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
