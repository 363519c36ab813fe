/* What a host says when it calls: limits of time, and whom it speaks for. */
#include "tests/lib/testutil.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "controller/checkin_talk.h"
#include "schemas/proto.h"

#define ID "0123456789abcdef0123456789abcdef"

static const struct mm_checkin_limits quick = {.silence_ms = 60, .total_ms = 5000};

struct world {
	int p[2];
	struct mm_buf out;
	struct mm_tally tally;
	struct mm_checkin_stream s;
	struct mm_err err;
};

static int setup(void **state)
{
	struct world *w = mm_xcalloc(1, sizeof(*w));
	assert_int_equal(pipe(w->p), 0);
	w->out = MM_BUF_INIT(1 << 20);
	mm_tally_init(&w->tally);
	mm_frame_magic(&w->out);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	close(w->p[0]);
	if (w->p[1] >= 0)
		close(w->p[1]);
	mm_buf_free(&w->out);
	mm_tally_free(&w->tally);
	mm_checkin_stream_free(&w->s);
	free(w);
	return 0;
}

static void put(struct world *w, uint16_t type, const char *body)
{
	mm_frame_put(&w->out, type, body, strlen(body));
	mm_tally_add(&w->tally, type, body, strlen(body));
}

static void put_hello(struct world *w, const char *host)
{
	struct mm_buf b = MM_BUF_INIT(4096);
	const struct mm_hello h = {
	    .agent = "0", .major = MM_PROTO_MAJOR, .minor = MM_PROTO_MINOR, .host = host};
	mm_hello_encode(&h, &b);
	put(w, MM_FT_HELLO, mm_buf_str(&b));
	mm_buf_free(&b);
}

static void put_report(struct world *w, const char *host)
{
	static const char *const users[] = {"alice", NULL};
	struct mm_buf b = MM_BUF_INIT(4096);
	const struct mm_report_head h = {
	    .id = ID, .host = host, .op = "login", .agent = "0", .user = "alice", .users = users};
	mm_report_head_encode(&h, &b);
	put(w, MM_FT_REPORT, mm_buf_str(&b));
	mm_buf_free(&b);
}

static void put_end(struct world *w)
{
	struct mm_buf b = MM_BUF_INIT(4096);
	mm_end_encode(&w->tally, &b);
	mm_frame_put(&w->out, MM_FT_END, mm_buf_str(&b), b.len);
	mm_buf_free(&b);
}

static int listen_to(struct world *w, const struct mm_checkin_limits *l)
{
	assert_int_equal(mm_write_all(w->p[1], mm_buf_str(&w->out), w->out.len, &w->err), 0);
	return mm_checkin_read(w->p[0], "ws1", l, &w->s, &w->err);
}

static void refused(struct world *w, int code, const char *words)
{
	assert_int_equal(listen_to(w, &quick), -1);
	assert_int_equal(w->err.code, code);
	if (strstr(w->err.text, words) == NULL)
		fail_msg("\"%s\" lacks \"%s\"", w->err.text, words);
}

static void test_a_whole_stream(void **state)
{
	struct world *w = *state;
	put_hello(w, "ws1");
	put_report(w, "ws1");
	put(w, MM_FT_KEEPALIVE, "");
	put_end(w);
	assert_int_equal(listen_to(w, &quick), 0);
	assert_int_equal(w->s.answer.state, MM_ANSWER_COMPLETE);
	assert_string_equal(w->s.answer.host, "ws1");
}

static void test_a_refusal(void **state)
{
	struct world *w = *state;
	put_hello(w, "ws1");
	put(w, MM_FT_REFUSED, "{\"code\":77,\"reason\":\"replay\",\"text\":\"no\"}");
	assert_int_equal(listen_to(w, &quick), 0);
	assert_int_equal(w->s.answer.state, MM_ANSWER_REFUSED);
	assert_string_equal(w->s.answer.refused_reason, "replay");
}

static void test_another_host(void **state)
{
	struct world *w = *state;
	put_hello(w, "ws2");
	refused(w, MM_EX_NOPERM, "it speaks for \"ws2\"");
}

static void test_a_report_of_another_host(void **state)
{
	struct world *w = *state;
	put_hello(w, "ws1");
	put_report(w, "ws2");
	refused(w, MM_EX_DATAERR, "in the name of host \"ws2\"");
}

static void test_more_after_the_end(void **state)
{
	struct world *w = *state;
	put_hello(w, "ws1");
	put_end(w);
	mm_buf_adds(&w->out, "x");
	refused(w, MM_EX_DATAERR, "after the end");
}

static void test_silence(void **state)
{
	struct world *w = *state;
	put_hello(w, "ws1");
	refused(w, MM_EX_UNREACHABLE, "says nothing for");
}

static void test_gone(void **state)
{
	struct world *w = *state;
	put_hello(w, "ws1");
	assert_int_equal(mm_write_all(w->p[1], mm_buf_str(&w->out), w->out.len, &w->err), 0);
	close(w->p[1]);
	w->p[1] = -1;
	assert_int_equal(mm_checkin_read(w->p[0], "ws1", &quick, &w->s, &w->err), -1);
	assert_int_equal(w->err.code, MM_EX_UNREACHABLE);
	assert_non_null(strstr(w->err.text, "went away"));
}

/* One who shows life for ever is not finished, either. */
static void test_endless_life(void **state)
{
	struct world *w = *state;
	const struct mm_checkin_limits l = {.silence_ms = 1000, .total_ms = 150};
	pid_t pid;
	put_hello(w, "ws1");
	pid = fork();
	if (pid == 0) {
		close(w->p[0]);
		/* Behind the magic and HELLO, which the parent writes at once. */
		do
			usleep(30000);
		while (mm_frame_write_fd(w->p[1], MM_FT_KEEPALIVE, "", 0, NULL) == 0);
		_exit(0);
	}
	assert_int_equal(listen_to(w, &l), -1);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(w->err.code, MM_EX_UNREACHABLE);
	assert_non_null(strstr(w->err.text, "is not finished after"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {T(test_a_whole_stream), T(test_a_refusal), T(test_another_host),
	    T(test_a_report_of_another_host), T(test_more_after_the_end), T(test_silence), T(test_gone),
	    T(test_endless_life)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
