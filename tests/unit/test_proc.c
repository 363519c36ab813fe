#include "common/proc.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/lib/testutil.h"

static long long now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* One run of a shell script. */
struct shot {
	struct mm_buf out, err;
	struct mm_run_result res;
	struct mm_err why;
	long long took; /* ms */
	int rc;
};

static struct shot run_full(
    const char *script, const char *const *env, const char *input, int timeout, size_t max)
{
	const char *const argv[] = {"/bin/sh", "-c", script, NULL};
	struct mm_run r = {
	    .argv = argv,
	    .env = env,
	    .stdin_data = input,
	    .stdin_len = input != NULL ? strlen(input) : 0,
	    .timeout_ms = timeout,
	};
	struct shot s = {.out = MM_BUF_INIT(max), .err = MM_BUF_INIT(20), .why = MM_ERR_NONE};
	long long began = now_ms();
	s.rc = mm_run(&r, &s.out, &s.err, &s.res, &s.why);
	s.took = now_ms() - began;
	return s;
}

static struct shot run(const char *script)
{
	return run_full(script, NULL, NULL, 10000, 1 << 20);
}

static void done(struct shot *s)
{
	mm_buf_free(&s->out);
	mm_buf_free(&s->err);
}

static void test_output_and_status(void **state)
{
	(void)state;
	struct shot s = run("echo out; echo err >&2; exit 3");
	assert_int_equal(s.rc, 0);
	assert_int_equal(s.res.how, MM_RUN_EXITED);
	assert_int_equal(s.res.status, 3);
	assert_string_equal(mm_buf_str(&s.out), "out\n");
	assert_string_equal(mm_buf_str(&s.err), "err\n");
	done(&s);
	s = run("kill -9 $$");
	assert_int_equal(s.res.how, MM_RUN_SIGNALED);
	assert_int_equal(s.res.status, SIGKILL);
	done(&s);
}

static void test_no_shell(void **state)
{
	(void)state;
	const char *const argv[] = {"/bin/echo", "$HOME; `id` $(id) | x", "a b", NULL};
	struct mm_run r = {.argv = argv, .timeout_ms = 10000};
	struct mm_buf out = MM_BUF_INIT(1000);
	struct mm_run_result res;
	assert_int_equal(mm_run(&r, &out, NULL, &res, NULL), 0);
	assert_string_equal(mm_buf_str(&out), "$HOME; `id` $(id) | x a b\n");
	mm_buf_free(&out);
}

static void test_cannot_start(void **state)
{
	(void)state;
	static const char *const programs[] = {"/no/such/program", "relative", "/etc/passwd", "/", NULL};
	for (size_t i = 0; programs[i] != NULL; i++) {
		const char *const argv[] = {programs[i], NULL};
		struct mm_run r = {.argv = argv, .timeout_ms = 10000};
		struct mm_buf out = MM_BUF_INIT(10);
		struct mm_run_result res;
		struct mm_err e = MM_ERR_NONE;
		assert_int_equal(mm_run(&r, &out, NULL, &res, &e), -1);
		assert_non_null(strstr(e.text, programs[i]));
		mm_buf_free(&out);
	}
	/* Not even from the right folder. */
	char here[4096];
	assert_non_null(getcwd(here, sizeof(here)));
	assert_int_equal(chdir("/"), 0);
	const char *const below[] = {"bin/true", NULL};
	struct mm_run relative = {.argv = below};
	struct mm_run_result unused;
	assert_int_equal(mm_run(&relative, NULL, NULL, &unused, NULL), -1);
	assert_int_equal(chdir(here), 0);
	const char *const nothing[] = {NULL};
	struct mm_run r = {.argv = nothing};
	struct mm_run_result res;
	assert_int_equal(mm_run(&r, NULL, NULL, &res, NULL), -1);
	/* Nobody is left to wait for. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void test_environment(void **state)
{
	(void)state;
	setenv("HOME", "/some/home", 1);
	setenv("MM_TEST_SECRET", "x", 1);
	unsetenv("LANG");
	struct shot s = run("/usr/bin/env");
	assert_non_null(strstr(mm_buf_str(&s.out), "HOME=/some/home\n"));
	assert_non_null(strstr(mm_buf_str(&s.out), "PATH="));
	assert_null(strstr(mm_buf_str(&s.out), "MM_TEST_SECRET"));
	assert_null(strstr(mm_buf_str(&s.out), "LANG"));
	done(&s);
	const char *const env[] = {"ONLY=this", NULL};
	s = run_full("/usr/bin/env", env, NULL, 10000, 1000);
	assert_non_null(strstr(mm_buf_str(&s.out), "ONLY=this\n"));
	assert_null(strstr(mm_buf_str(&s.out), "HOME="));
	done(&s);
	unsetenv("MM_TEST_SECRET");
}

static void test_input(void **state)
{
	(void)state;
	struct shot s = run_full("cat", NULL, "hello", 10000, 100);
	assert_string_equal(mm_buf_str(&s.out), "hello");
	done(&s);
	s = run("cat; readlink /proc/self/fd/0");
	assert_string_equal(mm_buf_str(&s.out), "/dev/null\n");
	done(&s);
	/* A program that does not read is no trouble, however much there is. */
	char *big = malloc(1 << 20);
	memset(big, 'x', (1 << 20) - 1);
	big[(1 << 20) - 1] = '\0';
	s = run_full("exec <&-; exit 0", NULL, big, 10000, 100);
	assert_int_equal(s.rc, 0);
	assert_int_equal(s.res.how, MM_RUN_EXITED);
	done(&s);
	s = run_full("wc -c", NULL, big, 10000, 100);
	assert_string_equal(mm_buf_str(&s.out), "1048575\n");
	done(&s);
	free(big);
}

static void test_descriptors(void **state)
{
	(void)state;
	int open_on_purpose = dup(0);
	int high = fcntl(0, F_DUPFD, 200);
	struct shot s = run("echo /proc/self/fd/*");
	/* The shell's own reading of the folder is the fourth. */
	const char *p = mm_buf_str(&s.out);
	assert_memory_equal(p, "/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2", 47);
	assert_null(strstr(p, "200"));
	size_t n = 0;
	for (; *p != '\0'; p++)
		n += *p == ' ';
	assert_true(n <= 3);
	close(open_on_purpose);
	close(high);
	done(&s);
}

static void test_signals_are_normal(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	sigset_t all, before;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	struct shot s = run("grep -E '^Sig(Blk|Ign)' /proc/self/status");
	sigprocmask(SIG_SETMASK, &before, NULL);
	signal(SIGPIPE, SIG_DFL);
	assert_string_equal(mm_buf_str(&s.out), "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
	done(&s);
}

static void test_timeout(void **state)
{
	(void)state;
	struct shot s = run_full("echo begun; exec sleep 30", NULL, NULL, 100, 100);
	assert_int_equal(s.rc, 0);
	assert_int_equal(s.res.how, MM_RUN_TIMEOUT);
	assert_string_equal(mm_buf_str(&s.out), "begun\n");
	assert_true(s.took >= 100 && s.took < 3000);
	done(&s);
}

static void test_timeout_of_one_that_ignores_sigterm(void **state)
{
	(void)state;
	struct shot s = run_full("trap '' TERM; echo $$; while :; do sleep 1; done", NULL, NULL, 100, 100);
	assert_int_equal(s.res.how, MM_RUN_TIMEOUT);
	assert_int_equal(s.res.status, SIGKILL);
	assert_true(s.took >= 600 && s.took < 5000);
	done(&s);
}

/* The children of a program that is killed go with it. */
static void test_timeout_kills_the_group(void **state)
{
	(void)state;
	struct shot s = run_full("sleep 30 & echo $!; wait", NULL, NULL, 100, 100);
	assert_int_equal(s.res.how, MM_RUN_TIMEOUT);
	pid_t grandchild = (pid_t)strtoul(mm_buf_str(&s.out), NULL, 10);
	assert_true(grandchild > 1);
	int gone = 0;
	for (int i = 0; i < 100 && gone == 0; i++) {
		char path[64], text[256] = "";
		snprintf(path, sizeof(path), "/proc/%d/stat", (int)grandchild);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
		gone = n <= 0 || strstr(text, ") Z ") != NULL;
		if (fd >= 0)
			close(fd);
		if (gone == 0)
			usleep(20000);
	}
	assert_int_equal(gone, 1);
	done(&s);
}

static void test_a_grandchild_that_keeps_the_pipe(void **state)
{
	(void)state;
	struct shot s = run("(sleep 5) & echo early");
	assert_int_equal(s.res.how, MM_RUN_EXITED);
	assert_int_equal(s.res.status, 0);
	assert_string_equal(mm_buf_str(&s.out), "early\n");
	assert_true(s.took < 3000);
	done(&s);
	/* What comes soon after is still taken. */
	s = run("(sleep 0.05; echo late) & echo early");
	assert_string_equal(mm_buf_str(&s.out), "early\nlate\n");
	done(&s);
}

static void test_overflow(void **state)
{
	(void)state;
	struct shot s = run_full("printf 0123456789", NULL, NULL, 10000, 10);
	assert_int_equal(s.res.how, MM_RUN_EXITED);
	assert_string_equal(mm_buf_str(&s.out), "0123456789");
	done(&s);
	s = run_full("printf 0123456789a", NULL, NULL, 10000, 10);
	assert_int_equal(s.res.how, MM_RUN_OVERFLOW);
	done(&s);
	s = run_full("exec yes", NULL, NULL, 10000, 100000);
	assert_int_equal(s.rc, 0);
	assert_int_equal(s.res.how, MM_RUN_OVERFLOW);
	assert_true(s.took < 5000);
	assert_true(s.out.len <= 100000);
	done(&s);
}

/* Of complaints the beginning is kept; much of them is no failure. */
static void test_long_complaint(void **state)
{
	(void)state;
	struct shot s = run("yes error | head -c 100000 >&2; echo ok");
	assert_int_equal(s.res.how, MM_RUN_EXITED);
	assert_string_equal(mm_buf_str(&s.out), "ok\n");
	assert_string_equal(mm_buf_str(&s.err), "error\nerror\nerror\ner");
	assert_true(mm_buf_ok(&s.err));
	done(&s);
}

static void test_new_session(void **state)
{
	(void)state;
	const char *const argv[] = {"/bin/sh", "-c", "cut -d' ' -f1,5,6 /proc/$$/stat", NULL};
	struct mm_run r = {.argv = argv, .timeout_ms = 10000};
	struct mm_run_result res;
	for (int i = 0; i < 2; i++) {
		struct mm_buf out = MM_BUF_INIT(100);
		r.new_session = i == 1;
		assert_int_equal(mm_run(&r, &out, NULL, &res, NULL), 0);
		char *rest = NULL;
		unsigned long pid = strtoul(mm_buf_str(&out), &rest, 10);
		unsigned long group = strtoul(rest, &rest, 10), session = strtoul(rest, NULL, 10);
		assert_int_equal(group, pid);
		assert_int_equal(session == pid, r.new_session);
		mm_buf_free(&out);
	}
}

static int run_secret(const char *script, struct mm_secret *s, struct mm_run_result *res)
{
	const char *const argv[] = {"/bin/sh", "-c", script, NULL};
	struct mm_run r = {.argv = argv, .timeout_ms = 10000};
	return mm_run_secret(&r, s, res, NULL);
}

static void test_secret(void **state)
{
	(void)state;
	struct mm_secret *s = mm_secret_new();
	struct mm_run_result res;
	assert_int_equal(mm_secret_set(s, "old and longer", 14, NULL), 0);
	assert_int_equal(run_secret("printf hun; sleep 0.05; echo ter2; echo noise >&2", s, &res), 0);
	assert_int_equal(res.how, MM_RUN_EXITED);
	assert_string_equal(mm_secret_bytes(s), "hunter2\n");
	assert_int_equal(run_secret("head -c 4096 /dev/zero | tr '\\0' x", s, &res), 0);
	assert_int_equal(res.how, MM_RUN_EXITED);
	assert_int_equal(mm_secret_len(s), MM_SECRET_MAX);
	assert_int_equal(run_secret("head -c 4097 /dev/zero | tr '\\0' x", s, &res), 0);
	assert_int_equal(res.how, MM_RUN_OVERFLOW);
	mm_secret_free(s);
}

static void test_low_descriptors_closed(void **state)
{
	(void)state;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(0);
		close(1);
		close(2);
		struct shot s = run("echo out; echo err >&2; cat");
		_exit(s.rc == 0 && strcmp(mm_buf_str(&s.out), "out\n") == 0 &&
			      strcmp(mm_buf_str(&s.err), "err\n") == 0
			  ? 0
			  : 1);
	}
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

#define TEST(f) MM_TEST(f)

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(test_output_and_status),
	    TEST(test_no_shell),
	    TEST(test_cannot_start),
	    TEST(test_environment),
	    TEST(test_input),
	    TEST(test_descriptors),
	    TEST(test_signals_are_normal),
	    TEST(test_timeout),
	    TEST(test_timeout_of_one_that_ignores_sigterm),
	    TEST(test_timeout_kills_the_group),
	    TEST(test_a_grandchild_that_keeps_the_pipe),
	    TEST(test_overflow),
	    TEST(test_long_complaint),
	    TEST(test_new_session),
	    TEST(test_secret),
	    TEST(test_low_descriptors_closed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
