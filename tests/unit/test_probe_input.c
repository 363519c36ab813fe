#include "agent/probe/input.h"

#include "common/buf.h"
#include "tests/lib/testutil.h"

#define TASK(id, more)                                                                                       \
	"{\"id\":" id ",\"level\":\"login\",\"protocol\":\"imap\",\"host\":\"h\",\"port\":993,"              \
	"\"security\":\"tls\",\"username\":\"a\"" more "}\n"

struct fed {
	struct mm_arena *mem;
	struct mm_input in;
	struct mm_err err;
	int rc;
};

static int feed_fd(const char *p, size_t n)
{
	FILE *f = tmpfile();
	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	fflush(f);
	int fd = dup(fileno(f));
	fclose(f);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static struct fed feed(const char *tasks, const char *secrets, size_t n)
{
	struct fed r = {.mem = mm_arena_new(), .err = MM_ERR_NONE};
	int t = feed_fd(tasks, strlen(tasks));
	int s = secrets != NULL ? feed_fd(secrets, n) : -1;
	r.rc = mm_input_read(t, s, r.mem, &r.in, &r.err);
	close(t);
	if (s >= 0)
		close(s);
	return r;
}

static void done(struct fed *r)
{
	mm_input_free(&r->in);
	mm_arena_free(r->mem);
}

static void refused(const char *tasks, const char *secrets, size_t n)
{
	struct fed r = feed(tasks, secrets, n);
	assert_int_equal(r.rc, -1);
	assert_int_equal(r.err.code, MM_EX_DATAERR);
	assert_null(strstr(r.err.text, "hunter2"));
	done(&r);
}

static void test_tasks_and_secrets(void **state)
{
	(void)state;
	static const char secrets[] = "\0\0\0\x07hunter2\0\0\0\0\0\0\0\x03"
				      "abc";
	struct fed r = feed(TASK("1", ",\"secret\":0") TASK("2", "") TASK("3", ",\"secret\":2")
				TASK("4", ",\"secret\":0"),
	    secrets, sizeof(secrets) - 1);
	assert_int_equal(r.rc, 0);
	assert_int_equal(r.in.n, 4);
	assert_int_equal(r.in.n_secrets, 3);
	assert_string_equal(mm_secret_bytes(mm_input_secret(&r.in, &r.in.tasks[0])), "hunter2");
	assert_null(mm_input_secret(&r.in, &r.in.tasks[1]));
	assert_string_equal(mm_secret_bytes(mm_input_secret(&r.in, &r.in.tasks[2])), "abc");
	/* gone with the last task that needs it, not before */
	mm_input_release(&r.in, &r.in.tasks[0]);
	assert_non_null(mm_input_secret(&r.in, &r.in.tasks[3]));
	mm_input_release(&r.in, &r.in.tasks[3]);
	assert_null(r.in.secrets[0]);
	mm_input_release(&r.in, &r.in.tasks[1]);
	done(&r);
}

static void test_nothing(void **state)
{
	(void)state;
	struct fed r = feed("", NULL, 0);
	assert_int_equal(r.rc, 0);
	assert_int_equal(r.in.n, 0);
	done(&r);
}

static void test_refused(void **state)
{
	(void)state;
	refused("hello\n", NULL, 0);
	refused("{\"id\":1}\n", NULL, 0);
	refused("{\"id\":1}", NULL, 0);
	refused(TASK("1", ",\"host\":\"again\""), NULL, 0);
	refused(TASK("1", ",\"secret\":0"), NULL, 0);
	refused(TASK("1", ",\"secret\":1"), "\0\0\0\x01x", 5);
	refused(TASK("1", ",\"secret\":0"), "\0\0\0\x08hunter2", 11);
	refused(TASK("1", ",\"secret\":0"), "\0\0\x10\x01hunter2", 11);
	refused(TASK("1", ",\"secret\":0"), "\0\0\0\x08hunter2\0", 12);
}

static void test_long_line(void **state)
{
	(void)state;
	struct mm_buf b = MM_BUF_INIT(4u * MM_PROBE_LINE_MAX);
	while (b.len <= MM_PROBE_LINE_MAX)
		mm_buf_adds(&b, "          ");
	refused(mm_buf_str(&b), NULL, 0);
	mm_buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    MM_TEST(test_tasks_and_secrets),
	    MM_TEST(test_nothing),
	    MM_TEST(test_refused),
	    MM_TEST(test_long_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
