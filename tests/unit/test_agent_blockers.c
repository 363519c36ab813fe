/* Waiting for the processes that keep a change waiting. */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent/blockers.h"
#include "tests/lib/testutil.h"

static int64_t in_a_minute(void)
{
	struct timespec t;
	clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec + 60;
}

static pid_t child(bool ends)
{
	pid_t pid = fork();
	if (pid == 0) {
		if (!ends)
			pause();
		_exit(0);
	}
	assert_true(pid > 0);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_ended(void **state)
{
	(void)state;
	const struct mm_client *one = mm_clients[0], *other = mm_clients[1];
	pid_t stays = child(false), goes = child(true);
	struct mm_blockers b = {.n = 2, .v = {{.client = one, .pid = stays}, {.client = other, .pid = goes}}};
	assert_int_equal(mm_blockers_wait(&b, in_a_minute()), MM_WAITED_ENDED);
	/* Gone altogether, between the look and the wait. */
	end(goes);
	assert_int_equal(mm_blockers_wait(&b, in_a_minute()), MM_WAITED_ENDED);
	end(stays);
}

static void test_not_all(void **state)
{
	(void)state;
	pid_t stays = child(false), goes = child(true);
	struct mm_blockers b = {
	    .n = 2, .v = {{.client = mm_clients[0], .pid = stays}, {.client = mm_clients[0], .pid = goes}}};
	assert_int_equal(mm_blockers_wait(&b, in_a_minute() - 59), MM_WAITED_LATE);
	end(goes);
	end(stays);
}

static void test_none(void **state)
{
	(void)state;
	struct mm_blockers b = {.n = 1, .v = {{.client = mm_clients[0], .pid = 0}}};
	assert_int_equal(mm_blockers_wait(&b, in_a_minute()), MM_WAITED_NONE);
	b.v[0].pid = getpid();
	assert_int_equal(mm_blockers_wait(&b, 1), MM_WAITED_LATE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {MM_TEST(test_ended), MM_TEST(test_not_all), MM_TEST(test_none)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
