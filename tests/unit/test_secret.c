#include "common/secret.h"

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <termios.h>

#include "common/frame.h"
#include "tests/lib/testutil.h"

static void test_set_and_add(void **state)
{
	(void)state;
	struct mm_secret *s = mm_secret_new();
	struct mm_err e = MM_ERR_NONE;
	assert_string_equal(mm_secret_bytes(s), "");
	assert_int_equal(mm_secret_len(s), 0);
	assert_int_equal(mm_secret_set(s, "hunter2", 7, &e), 0);
	assert_string_equal(mm_secret_bytes(s), "hunter2");
	assert_int_equal(mm_secret_add(s, "!", 1, &e), 0);
	assert_string_equal(mm_secret_bytes(s), "hunter2!");
	assert_int_equal(mm_secret_set(s, "a", 1, &e), 0);
	assert_string_equal(mm_secret_bytes(s), "a");
	/* Nothing of the longer one is left behind it. */
	assert_int_equal(mm_secret_bytes(s)[3], 0);
	mm_secret_free(s);
	mm_secret_free(NULL);
}

static void test_limit(void **state)
{
	(void)state;
	char big[MM_SECRET_MAX + 1];
	struct mm_secret *s = mm_secret_new();
	struct mm_err e = MM_ERR_NONE;
	memset(big, 'x', sizeof(big));
	assert_int_equal(mm_secret_set(s, big, MM_SECRET_MAX, &e), 0);
	assert_int_equal(mm_secret_len(s), MM_SECRET_MAX);
	assert_int_equal(mm_secret_add(s, "y", 1, &e), -1);
	assert_int_equal(e.code, MM_EX_DATAERR);
	assert_int_equal(mm_secret_len(s), MM_SECRET_MAX);
	assert_int_equal(mm_secret_set(s, big, sizeof(big), &e), -1);
	assert_null(strstr(e.text, "xxx"));
	mm_secret_free(s);
}

static int read_from(struct mm_secret *s, size_t n, struct mm_err *e)
{
	int p[2];
	char byte = 'x';
	assert_int_equal(pipe(p), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(write(p[1], &byte, 1), 1);
	close(p[1]);
	int rc = mm_secret_read_fd(s, p[0], e);
	close(p[0]);
	return rc;
}

static void test_read_fd(void **state)
{
	(void)state;
	struct mm_secret *s = mm_secret_new();
	struct mm_err e = MM_ERR_NONE;
	assert_int_equal(read_from(s, 0, &e), 0);
	assert_int_equal(mm_secret_len(s), 0);
	assert_int_equal(read_from(s, 10, &e), 0);
	assert_string_equal(mm_secret_bytes(s), "xxxxxxxxxx");
	assert_int_equal(read_from(s, MM_SECRET_MAX, &e), 0);
	assert_int_equal(mm_secret_len(s), MM_SECRET_MAX);
	assert_int_equal(read_from(s, MM_SECRET_MAX + 1, &e), -1);
	assert_int_equal(e.code, MM_EX_DATAERR);
	assert_int_equal(mm_secret_len(s), 0);
	assert_string_equal(mm_secret_bytes(s), "");
	assert_int_equal(mm_secret_read_fd(s, -1, &e), -1);
	mm_secret_free(s);
}

static void test_first_line(void **state)
{
	(void)state;
	static const char *const pairs[][2] = {{"pw\n", "pw"}, {"pw\r\n", "pw"}, {"pw", "pw"}, {"", ""},
	    {"\n", ""}, {"pw\nuser: alice\n", "pw"}, {" p w \n", " p w "}, {"p\rw\n", "p\rw"},
	    {"pw\r", "pw\r"}};
	struct mm_secret *s = mm_secret_new();
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		assert_int_equal(mm_secret_set(s, pairs[i][0], strlen(pairs[i][0]), NULL), 0);
		mm_secret_first_line(s);
		assert_string_equal(mm_secret_bytes(s), pairs[i][1]);
		assert_int_equal(mm_secret_len(s), strlen(pairs[i][1]));
		/* What was cut off is wiped. */
		for (size_t k = mm_secret_len(s); k < 30; k++)
			assert_int_equal(mm_secret_bytes(s)[k], 0);
	}
	mm_secret_free(s);
}

/* Does /proc say that the memory is left out of core dumps ("dd") and locked ("lo")? */
static void test_memory_is_guarded(void **state)
{
	(void)state;
	struct mm_secret *s = mm_secret_new();
	FILE *f = fopen("/proc/self/smaps", "re");
	assert_non_null(f);
	char line[512];
	bool here = false, seen = false;
	while (fgets(line, sizeof(line), f) != NULL) {
		char *dash = strchr(line, '-');
		char *end = NULL;
		unsigned long long low = strtoull(line, &end, 16);
		if (dash != NULL && end == dash) {
			unsigned long long high = strtoull(dash + 1, &end, 16);
			here = (uintptr_t)mm_secret_bytes(s) >= low && (uintptr_t)mm_secret_bytes(s) < high;
		}
		if (here && strncmp(line, "VmFlags:", 8) == 0) {
			seen = true;
			assert_non_null(strstr(line, " dd"));
		}
	}
	fclose(f);
	assert_true(seen);
	mm_secret_free(s);
}

/* ---- the prompt, on a terminal of our own */

/* In the child: ask, and answer on the pipe with the code and the text. */
_Noreturn static void asker(int out)
{
	struct mm_secret *s = mm_secret_new();
	struct mm_err e = MM_ERR_NONE;
	char line[8192];
	int rc = mm_secret_prompt(s, "Password: ", &e);
	int n = snprintf(line, sizeof(line), "%d|%d|%s", rc, e.code, mm_secret_bytes(s));
	if (n < 0 || write(out, line, (size_t)n) != n)
		_exit(9);
	mm_secret_free(s);
	_exit(0);
}

static size_t read_until(int fd, char *text, size_t size, const char *end)
{
	size_t n = 0;
	text[0] = '\0';
	while (strstr(text, end) == NULL && n + 1 < size) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		if (poll(&p, 1, 5000) != 1)
			break;
		ssize_t got = read(fd, text + n, size - 1 - n);
		if (got <= 0)
			break;
		n += (size_t)got;
		text[n] = '\0';
	}
	return n;
}

/* Type `keys` at the prompt (or send a signal when NULL); the child's answer. */
static void ask_on_a_terminal(const char *keys, char *answer, size_t size, char *screen, size_t screen_size)
{
	int tty = -1, p[2];
	assert_int_equal(pipe(p), 0);
	pid_t pid = forkpty(&tty, NULL, NULL, NULL);
	assert_true(pid >= 0);
	if (pid == 0) {
		close(p[0]);
		asker(p[1]);
	}
	close(p[1]);
	size_t shown = read_until(tty, screen, screen_size, "Password: ");
	if (keys != NULL)
		assert_int_equal(write(tty, keys, strlen(keys)), (ssize_t)strlen(keys));
	else
		assert_int_equal(kill(pid, SIGTERM), 0);
	answer[read_until(p[0], answer, size, "\001")] = '\0';
	read_until(tty, screen + shown, screen_size - shown, "\n");
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(p[0]);
	close(tty);
}

static void test_prompt(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
	    {"hunter2\r", "0|0|hunter2"},
	    {"hunter2\n", "0|0|hunter2"},
	    {"hux\x7fnt\x08ter2\n", "0|0|hunter2"},
	    {"wrong\x15right\n", "0|0|right"},
	    {"\x7f\n", "0|0|"},
	    {"abc\x04", "0|0|abc"},
	    {"abc\x03", "-1|130|"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char answer[8192], screen[512];
		ask_on_a_terminal(cases[i][0], answer, sizeof(answer), screen, sizeof(screen));
		assert_string_equal(answer, cases[i][1]);
		assert_non_null(strstr(screen, "Password: "));
		assert_null(strstr(screen, "hunter"));
		assert_null(strstr(screen, "right"));
	}
}

static void test_prompt_limit(void **state)
{
	(void)state;
	char answer[8192], screen[512], keys[MM_SECRET_MAX + 3];
	memset(keys, 'x', sizeof(keys));
	keys[MM_SECRET_MAX + 1] = '\n';
	keys[MM_SECRET_MAX + 2] = '\0';
	ask_on_a_terminal(keys, answer, sizeof(answer), screen, sizeof(screen));
	assert_string_equal(answer, "-1|65|");
}

static void test_prompt_ends_on_a_signal(void **state)
{
	(void)state;
	char answer[8192], screen[512];
	ask_on_a_terminal(NULL, answer, sizeof(answer), screen, sizeof(screen));
	/* The echo is on again before the signal does its work. */
	assert_non_null(strchr(screen, '\n'));
	assert_string_equal(answer, "");
}

static void test_prompt_without_terminal(void **state)
{
	(void)state;
	int p[2];
	char answer[256];
	assert_int_equal(pipe(p), 0);
	pid_t pid = fork();
	if (pid == 0) {
		setsid();
		asker(p[1]);
	}
	close(p[1]);
	answer[read_until(p[0], answer, sizeof(answer), "\001")] = '\0';
	assert_string_equal(answer, "-1|1|");
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(p[0]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    MM_TEST(test_set_and_add),
	    MM_TEST(test_limit),
	    MM_TEST(test_read_fd),
	    MM_TEST(test_first_line),
	    MM_TEST(test_memory_is_guarded),
	    MM_TEST(test_prompt),
	    MM_TEST(test_prompt_limit),
	    MM_TEST(test_prompt_ends_on_a_signal),
	    MM_TEST(test_prompt_without_terminal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
