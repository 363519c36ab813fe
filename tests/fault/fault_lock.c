/*
 * mm_lock_file() when the lock file is replaced between open and lock: a
 * lock on a file that nobody else will open locks nothing.
 */
#include "common/file.h"
#include "tests/fault/faults.h"
#include "tests/lib/testutil.h"

static struct mm_test_dir home;

static const char *lock_path(void)
{
	return mm_test_path(&home, "lock");
}

static void replace_lock(void)
{
	assert_int_equal(unlink(lock_path()), 0);
	mm_test_write(lock_path(), "", 0, 0600);
}

static void remove_lock(void)
{
	assert_int_equal(unlink(lock_path()), 0);
}

static void lock_while(void (*hook)(void))
{
	const struct mm_fault f = {.kind = MM_FAULT_HOOK, .name = "flock", .hook = hook};
	struct mm_err e = MM_ERR_NONE;
	struct stat mine, there;
	mm_fault_arm(&f);
	int fd = mm_lock_file(lock_path(), 5000, &e);
	mm_fault_disarm();
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &mine), 0);
	assert_int_equal(stat(lock_path(), &there), 0);
	assert_true(mine.st_ino == there.st_ino);
	close(fd);
}

static void test_lock_file_is_replaced(void **state)
{
	(void)state;
	home = mm_test_mkdir();
	lock_while(replace_lock);
	lock_while(remove_lock);
	mm_test_rmdir(&home);
}

static void test_every_call_fails_once(void **state)
{
	(void)state;
	home = mm_test_mkdir();
	for (size_t at = 1; at <= 3; at++) {
		const struct mm_fault f = {.kind = MM_FAULT_FAIL, .at = at, .error = EIO};
		struct mm_err e = MM_ERR_NONE;
		mm_fault_arm(&f);
		int fd = mm_lock_file(lock_path(), 0, &e);
		mm_fault_disarm();
		assert_int_equal(fd, -1);
		assert_non_null(strstr(e.text, "Input/output error"));
	}
	mm_test_rmdir(&home);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    MM_TEST(test_lock_file_is_replaced),
	    MM_TEST(test_every_call_fails_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
