/* ssh as a pipe: it ends, whatever the other side does. */
#include "tests/lib/testutil.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <time.h>

#include "agent/sshlink.h"

/* One who listens and never says a word; the port is its own. */
static int mute(struct mm_checkin_conf *k)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, n), 0);
	assert_int_equal(listen(fd, 5), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	*k = (struct mm_checkin_conf){.account = "nobody",
	    .host = "127.0.0.1",
	    .port = ntohs(a.sin_port),
	    .identity = "/dev/null",
	    .known_hosts = "/dev/null"};
	return fd;
}

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* How it ended, and that it ended before `ms`. */
static void ends(unsigned connect_s, unsigned life_s, int wait_ms, bool listening, int ms, const char *says)
{
	struct mm_checkin_conf k;
	struct mm_sshlink l;
	struct mm_err err = MM_ERR_NONE;
	struct mm_buf said = MM_BUF_INIT(MM_SSHLINK_SAID_MAX);
	int fd = mute(&k);
	int64_t began = now_ms();
	if (!listening)
		close(fd);
	assert_int_equal(mm_sshlink_open(&k, connect_s, life_s, &l, &err), 0);
	assert_int_equal(mm_sshlink_close(&l, wait_ms, &said), MM_SSHLINK_LOST);
	assert_true(now_ms() - began < ms);
	if (strstr(mm_buf_str(&said), says) == NULL)
		fail_msg("\"%s\" lacks \"%s\"", mm_buf_str(&said), says);
	mm_buf_free(&said);
	if (listening)
		close(fd);
}

static void test_nobody_there(void **state)
{
	(void)state;
	ends(20, 20, 15000, false, 10000, "Connection refused");
}

static void test_time_to_connect(void **state)
{
	(void)state;
	ends(1, 20, 15000, true, 10000, "imed out");
}

/* The kernel ends it: no word of ssh's. */
static void test_its_life_is_limited(void **state)
{
	(void)state;
	ends(20, 1, 15000, true, 10000, "");
}

static void test_its_end_is_not_waited_for(void **state)
{
	(void)state;
	ends(20, 20, 100, true, 5000, "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {MM_TEST(test_nobody_there), MM_TEST(test_time_to_connect),
	    MM_TEST(test_its_life_is_limited), MM_TEST(test_its_end_is_not_waited_for)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
