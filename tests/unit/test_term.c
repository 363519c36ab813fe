#include "common/term.h"

#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>

#include "tests/lib/testutil.h"

static void shows(const char *raw, size_t n, const char *want)
{
	struct mm_buf b = MM_BUF_INIT(1000);
	mm_printable(&b, raw, n);
	assert_string_equal(mm_buf_str(&b), want);
	mm_buf_free(&b);
}

static void test_printable(void **state)
{
	(void)state;
	shows("plain caf\xc3\xa9", 11, "plain caf\xc3\xa9");
	shows("\x1b]0;x\x07", 6, "\\x1b]0;x\\x07");
	shows("a\0b\n", 4, "a\\x00b\\x0a");
	shows("\x7f\xff\xc2", 3, "\\x7f\\xff\\xc2");
	shows("\xc2\x9b", 2, "\\xc2\\x9b");
	shows("\xe2\x80\xae", 3, "\\xe2\\x80\\xae");
	shows("", 0, "");
}

static struct mm_table *sample(void)
{
	static const char *const heads[] = {"HOST", "STATE", "WHY", NULL};
	struct mm_table *t = mm_table_new(heads);
	mm_table_cell(t, MM_PLAIN, "%s", "ws1");
	mm_table_cell(t, MM_GREEN, "%s", "ok");
	mm_table_cell(t, MM_PLAIN, "%s", "");
	mm_table_cell(t, MM_PLAIN, "%s", "\xe6\x97\xa5\xe6\x9c\xac");
	mm_table_cell(t, MM_RED, "%s", "caf\xc3\xa9\x1b[2J");
	mm_table_cell(t, MM_PLAIN, "%d %s", 7, "a long reason that goes on and on");
	return t;
}

static void test_table_in_a_file(void **state)
{
	(void)state;
	struct mm_test_dir d = mm_test_mkdir();
	struct mm_table *t = sample();
	FILE *f = fopen(mm_test_path(&d, "out"), "we");
	assert_non_null(f);
	assert_false(mm_term_colour(f));
	assert_string_equal(mm_colour_code(MM_RED, mm_term_colour(f)), "");
	assert_string_equal(mm_colour_code(MM_RED, true), "\033[31m");
	assert_string_equal(mm_colour_code(MM_PLAIN, true), "\033[0m");
	assert_int_equal(mm_term_width(f), 80);
	mm_table_print(t, f);
	fclose(f);
	mm_table_free(t);
	mm_test_content(mm_test_path(&d, "out"),
	    "HOST  STATE        WHY\n"
	    "ws1   ok           \n"
	    "\xe6\x97\xa5\xe6\x9c\xac  caf\xc3\xa9\\x1b[2J  7 a long reason that goes on and on\n");
	mm_test_rmdir(&d);
	mm_table_free(NULL);
}

static void test_cell_limit(void **state)
{
	(void)state;
	static const char *const heads[] = {"A", NULL};
	struct mm_test_dir d = mm_test_mkdir();
	struct mm_table *t = mm_table_new(heads);
	char *big = malloc(20001);
	assert_non_null(big);
	memset(big, 'x', 20000);
	big[20000] = '\0';
	mm_table_cell(t, MM_PLAIN, "%s", big);
	FILE *f = fopen(mm_test_path(&d, "out"), "we");
	mm_table_print(t, f);
	assert_int_equal(ftell(f), 2 + 8192 + 3 + 1);
	fclose(f);
	mm_table_free(t);
	free(big);
	mm_test_rmdir(&d);
}

/* ---- on a terminal of our own */

static void on_terminal(void (*job)(void), unsigned short columns, char *screen, size_t size)
{
	struct winsize w = {.ws_row = 24, .ws_col = columns};
	int tty = -1;
	pid_t pid = forkpty(&tty, NULL, NULL, &w);
	assert_true(pid >= 0);
	if (pid == 0) {
		job();
		fflush(NULL);
		_exit(0);
	}
	size_t n = 0;
	ssize_t got = 0;
	while (n + 1 < size && (got = read(tty, screen + n, size - 1 - n)) > 0)
		n += (size_t)got;
	screen[n] = '\0';
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(tty);
}

static void print_table(void)
{
	struct mm_table *t = sample();
	setenv("TERM", "xterm", 1);
	unsetenv("NO_COLOR");
	mm_table_print(t, stdout);
	mm_table_free(t);
}

static void print_plain_table(void)
{
	struct mm_table *t = sample();
	setenv("NO_COLOR", "1", 1);
	mm_table_print(t, stdout);
	mm_table_free(t);
}

static void test_table_on_a_terminal(void **state)
{
	(void)state;
	char screen[4096];
	on_terminal(print_table, 30, screen, sizeof(screen));
	assert_non_null(strstr(screen, "\033[1mHOST\033[0m"));
	assert_non_null(strstr(screen, "\033[32mok\033[0m"));
	assert_non_null(strstr(screen, "\033[31mcaf\xc3\xa9\\x1b[2J\033[0m"));
	/* Too narrow a column for a sentence: it has lines of its own, and nothing is lost. */
	assert_non_null(strstr(screen, "\r\n    7 a long reason that goes\r\n    on and on\r\n"));
	on_terminal(print_plain_table, 46, screen, sizeof(screen));
	assert_non_null(strstr(screen, "7 a long reason that goes\r\n                   on and on\r\n"));
	on_terminal(print_plain_table, 200, screen, sizeof(screen));
	assert_null(strchr(screen, '\033'));
	assert_non_null(strstr(screen, "goes on and on"));
}

static void show_progress(void)
{
	for (int i = 0; i < 1000; i++)
		mm_progress("%d of %s", i, "\x1b");
	mm_progress_clear();
	mm_progress("again");
	mm_progress_clear();
	mm_progress_clear();
}

static void test_progress(void **state)
{
	(void)state;
	char screen[65536];
	on_terminal(show_progress, 40, screen, sizeof(screen));
	assert_non_null(strstr(screen, "\r\033[K0 of \\x1b"));
	assert_non_null(strstr(screen, "\r\033[Kagain\r\033[K"));
	size_t lines = 0;
	for (const char *p = screen; (p = strstr(p, " of ")) != NULL; p++)
		lines++;
	/* A thousand calls take far less than a second. */
	assert_true(lines >= 1 && lines < 30);
	const char *end = screen + strlen(screen);
	assert_string_equal(end - 4, "\r\033[K");
}

static void test_progress_is_silent_elsewhere(void **state)
{
	(void)state;
	struct mm_test_dir d = mm_test_mkdir();
	int keep = dup(STDERR_FILENO);
	int file = open(mm_test_path(&d, "err"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	dup2(file, STDERR_FILENO);
	mm_progress("nobody sees this");
	mm_progress_clear();
	dup2(keep, STDERR_FILENO);
	close(keep);
	close(file);
	mm_test_content(mm_test_path(&d, "err"), "");
	mm_test_rmdir(&d);
}

static void wraps(const char *text, size_t indent, size_t width, const char *want)
{
	struct mm_buf b = MM_BUF_INIT(1000);
	mm_wrap(&b, text, indent, width);
	assert_string_equal(mm_buf_str(&b), want);
	mm_buf_free(&b);
}

static void test_wrap(void **state)
{
	(void)state;
	wraps("one two three", 2, 9, "one two\n  three");
	wraps("one two three", 2, 8, "one\n  two\n  three");
	wraps("one two three", 2, 0, "one two three");
	wraps("  a   b  ", 0, 80, "a b");
	wraps("", 4, 20, "");
	wraps("aVeryLongWordThatFitsNowhere x", 1, 10, "aVeryLongWordThatFitsNowhere\n x");
	/* two columns each */
	wraps("\xe6\x97\xa5\xe6\x9c\xac \xe6\x97\xa5\xe6\x9c\xac", 0, 8,
	    "\xe6\x97\xa5\xe6\x9c\xac\n\xe6\x97\xa5\xe6\x9c\xac");
	assert_int_equal(mm_columns("caf\xc3\xa9"), 4);
	assert_int_equal(mm_columns("\xe6\x97\xa5"), 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    MM_TEST(test_printable),
	    MM_TEST(test_table_in_a_file),
	    MM_TEST(test_cell_limit),
	    MM_TEST(test_table_on_a_terminal),
	    MM_TEST(test_progress),
	    MM_TEST(test_wrap),
	    MM_TEST(test_progress_is_silent_elsewhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
