#include "common/err.h"

#include <sys/wait.h>

#include "tests/lib/testutil.h"

static void test_set(void **state)
{
	(void)state;
	struct mm_err e = MM_ERR_NONE;
	assert_int_equal(mm_err_set(&e, MM_EX_DATAERR, "line %d: %s", 3, "no"), -1);
	assert_int_equal(e.code, MM_EX_DATAERR);
	assert_string_equal(e.text, "line 3: no");
	assert_int_equal(mm_err_set(NULL, MM_EX_FAILED, "nobody listens"), -1);
}

static void test_controls_are_blunted(void **state)
{
	(void)state;
	struct mm_err e = MM_ERR_NONE;
	mm_err_set(&e, MM_EX_FAILED, "a\nb\x1b[31m\x7f\xc2\x9b caf\xc3\xa9");
	assert_string_equal(e.text, "a?b?[31m??? caf\xc3\xa9");
}

static void test_long_text_ends_in_dots(void **state)
{
	(void)state;
	struct mm_err e = MM_ERR_NONE;
	char big[MM_ERR_TEXT_MAX * 2];
	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	mm_err_set(&e, MM_EX_FAILED, "%s", big);
	assert_int_equal(strlen(e.text), MM_ERR_TEXT_MAX - 1);
	assert_string_equal(e.text + MM_ERR_TEXT_MAX - 5, "x...");

	/* No character is cut in two, wherever the limit falls. */
	for (size_t shift = 0; shift < 2; shift++) {
		for (size_t i = shift; i + 2 < sizeof(big); i += 2)
			memcpy(big + i, "\xc3\xa9", 2);
		mm_err_set(&e, MM_EX_FAILED, "%s", big);
		size_t n = strlen(e.text);
		assert_true(n >= MM_ERR_TEXT_MAX - 2);
		assert_memory_equal(e.text + n - 5, "\xc3\xa9...", 5);
	}

	/* What fits exactly is left alone. */
	memset(big, 'y', MM_ERR_TEXT_MAX - 1);
	big[MM_ERR_TEXT_MAX - 1] = '\0';
	mm_err_set(&e, MM_EX_FAILED, "%s", big);
	assert_string_equal(e.text, big);
}

static void test_sys(void **state)
{
	(void)state;
	struct mm_err e = MM_ERR_NONE;
	errno = ENOENT;
	assert_int_equal(mm_err_sys(&e, MM_EX_FAILED, "open %s", "x"), -1);
	assert_string_equal(e.text, "open x: No such file or directory");
	assert_int_equal(errno, ENOENT);
}

static void test_prefix(void **state)
{
	(void)state;
	struct mm_err e = MM_ERR_NONE;
	mm_err_set(&e, MM_EX_NOPERM, "no");
	assert_int_equal(mm_err_prefix(&e, "host %s", "ws1"), -1);
	assert_string_equal(e.text, "host ws1: no");
	assert_int_equal(e.code, MM_EX_NOPERM);
	assert_int_equal(mm_err_prefix(NULL, "x"), -1);
}

static void test_arguments_may_be_the_text_itself(void **state)
{
	(void)state;
	struct mm_err e = MM_ERR_NONE;
	mm_err_set(&e, MM_EX_FAILED, "inner");
	mm_err_set(&e, MM_EX_FAILED, "%s and %s", e.text, e.text);
	assert_string_equal(e.text, "inner and inner");
}

static void test_oom_ends_the_program(void **state)
{
	(void)state;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
		dup2(null, STDERR_FILENO);
		mm_oom();
	}
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), MM_EX_FAILED);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    MM_TEST(test_set),
	    MM_TEST(test_controls_are_blunted),
	    MM_TEST(test_long_text_ends_in_dots),
	    MM_TEST(test_sys),
	    MM_TEST(test_prefix),
	    MM_TEST(test_arguments_may_be_the_text_itself),
	    MM_TEST(test_oom_ends_the_program),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
