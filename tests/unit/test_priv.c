/* Giving up rights, and how a process begins (common/priv.c). Everything
 * runs in children: what is given up is gone. */
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "common/proc.h"
#include "tests/lib/testutil.h"

/* Run in a child; it must return 0. */
static void in_child(int (*job)(void))
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(job());
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("the child failed at check %d (status %d)", WEXITSTATUS(status), status);
}

/* Leave the child with the number of the line that is wrong. */
#define CHECK(cond)                                                                                          \
	do {                                                                                                 \
		if (!(cond))                                                                                 \
			return __LINE__ % 250 + 1;                                                           \
	} while (0)

static bool need_root(void)
{
	if (geteuid() == 0)
		return true;
	print_message("skipped: only root has rights to give up\n");
	return false;
}

static int drop_to_nobody(void)
{
	struct mm_err e = MM_ERR_NONE;
	struct passwd *p = getpwnam("nobody");
	CHECK(p != NULL);
	const gid_t roots[] = {0, 4, 27};
	CHECK(setgroups(3, roots) == 0);
	uid_t uid = p->pw_uid, r = 0, ef = 0, s = 0;
	gid_t gid = p->pw_gid, gr = 0, ge = 0, gs = 0;
	CHECK(mm_drop_to_user("nobody", uid, gid, &e) == 0);
	CHECK(getresuid(&r, &ef, &s) == 0 && r == uid && ef == uid && s == uid);
	CHECK(getresgid(&gr, &ge, &gs) == 0 && gr == gid && ge == gid && gs == gid);
	CHECK(setuid(0) == -1 && seteuid(0) == -1 && setgid(0) == -1);
	gid_t groups[64];
	int n = getgroups(64, groups);
	CHECK(n >= 0);
	for (int i = 0; i < n; i++)
		CHECK(groups[i] != 0 && groups[i] != 4 && groups[i] != 27);
	CHECK(open("/etc/shadow", O_RDONLY | O_CLOEXEC) < 0);
	/* Once more is nothing to do; somebody else is out of reach. */
	CHECK(mm_drop_to_user("nobody", uid, gid, &e) == 0);
	CHECK(mm_drop_to_user("root", 0, 0, &e) == -1 && e.code == MM_EX_NOPERM);
	return 0;
}

static int drop_without_login(void)
{
	struct mm_err e = MM_ERR_NONE;
	CHECK(mm_drop_to_user(NULL, 12345, 12346, &e) == 0);
	gid_t groups[64];
	CHECK(getgroups(64, groups) == 1 && groups[0] == 12346);
	CHECK(getuid() == 12345 && getgid() == 12346);
	return 0;
}

/* Rights that would survive the change of user are found. */
static int drop_with_kept_capabilities(void)
{
	struct mm_err e = MM_ERR_NONE;
	CHECK(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0);
	CHECK(mm_drop_to_user(NULL, 12345, 12346, &e) == -1);
	CHECK(e.code == MM_EX_NOPERM);
	CHECK(strstr(e.text, "capabilities are left") != NULL);
	return 0;
}

/* Half a change is not "already": only the effective user is the right one. */
static int drop_from_effective(void)
{
	struct mm_err e = MM_ERR_NONE;
	CHECK(seteuid(12345) == 0);
	CHECK(mm_drop_to_user(NULL, 12345, 12346, &e) == -1);
	CHECK(e.code == MM_EX_NOPERM);
	return 0;
}

static int drop_to_ourselves(void)
{
	struct mm_err e = MM_ERR_NONE;
	CHECK(mm_drop_to_user(NULL, getuid(), getgid(), &e) == 0);
	CHECK(e.code == 0);
	return 0;
}

static void test_drop(void **state)
{
	(void)state;
	in_child(drop_to_ourselves);
	if (!need_root())
		return;
	in_child(drop_to_nobody);
	in_child(drop_without_login);
	in_child(drop_with_kept_capabilities);
	in_child(drop_from_effective);
}

static int no_core(void)
{
	struct rlimit r;
	mm_no_core();
	CHECK(getrlimit(RLIMIT_CORE, &r) == 0 && r.rlim_cur == 0 && r.rlim_max == 0);
	CHECK(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
	return 0;
}

static void test_no_core(void **state)
{
	(void)state;
	in_child(no_core);
}

static int close_above(void)
{
	int low = dup(0);
	int high = fcntl(0, F_DUPFD, 500);
	CHECK(low > 2 && high >= 500);
	mm_close_above(low);
	CHECK(fcntl(low, F_GETFD) >= 0);
	CHECK(fcntl(high, F_GETFD) < 0 && errno == EBADF);
	mm_close_above(2);
	CHECK(fcntl(low, F_GETFD) < 0);
	CHECK(fcntl(2, F_GETFD) >= 0);
	return 0;
}

static void test_close_above(void **state)
{
	(void)state;
	in_child(close_above);
}

static int process_init(void)
{
	struct sigaction sa;
	char path[64] = "";
	umask(0);
	signal(SIGCHLD, SIG_IGN);
	close(0);
	close(2);
	mm_process_init();
	CHECK(umask(0) == 077);
	CHECK(sigaction(SIGPIPE, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN);
	CHECK(sigaction(SIGCHLD, NULL, &sa) == 0 && sa.sa_handler == SIG_DFL);
	CHECK(readlink("/proc/self/fd/0", path, sizeof(path) - 1) == 9 && strcmp(path, "/dev/null") == 0);
	CHECK(readlink("/proc/self/fd/2", path, sizeof(path) - 1) == 9 && strcmp(path, "/dev/null") == 0);
	return 0;
}

static void test_process_init(void **state)
{
	(void)state;
	in_child(process_init);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    MM_TEST(test_drop),
	    MM_TEST(test_no_core),
	    MM_TEST(test_close_above),
	    MM_TEST(test_process_init),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
