/* What the agent's reader says of the real machine. */
#include "agent/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

static void own_processes_are_seen(void **state)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_identity who = {.login = "alice", .home = "/nonexistent", .uid = getuid()};
	struct mm_reader *r = mm_reader_new(a, &who);
	const struct timespec moment = {.tv_nsec = 60 * 1000 * 1000};
	char former[16] = "";

	(void)state;
	assert_int_equal(prctl(PR_GET_NAME, former), 0);
	assert_int_equal(prctl(PR_SET_NAME, "mm-test-mailer"), 0);
	assert_true(r->running(r, "mm-test-mailer"));
	assert_false(r->running(r, "mm-test-maile"));
	who.uid = getuid() + 1; /* another one's process is no reason to wait */
	assert_false(r->running(r, "mm-test-mailer"));
	who.uid = getuid();
	assert_true(r->running(r, "mm-test-mailer"));
	assert_int_equal(prctl(PR_SET_NAME, former), 0);
	/* one look serves for a moment, and no longer */
	assert_int_equal(nanosleep(&moment, NULL), 0);
	assert_false(r->running(r, "mm-test-mailer"));
	mm_arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(own_processes_are_seen)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
