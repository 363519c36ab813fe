/* Giving up rights, and how a process of ours begins; see proc.h. */
#include <assert.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/proc.h"

static int not_dropped(struct mm_err *err, const char *what)
{
	return mm_err_set(err, MM_EX_NOPERM, "giving up root's rights failed: %s", what);
}

static int compare_gid(const void *a, const void *b)
{
	const gid_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

/* Sorted, without repetition; returns the new number. */
static int normalise(gid_t *list, int n)
{
	int kept = 0;
	qsort(list, (size_t)n, sizeof(*list), compare_gid);
	for (int i = 0; i < n; i++) {
		if (kept == 0 || list[kept - 1] != list[i])
			list[kept++] = list[i];
	}
	return kept;
}

/* The groups that the user should have; *n is their number. Caller frees. */
static gid_t *groups_of(const char *login, gid_t gid, int *n)
{
	int cap = 64;
	gid_t *list = mm_xcalloc((size_t)cap, sizeof(*list));
	*n = cap;
	if (login == NULL) {
		list[0] = gid;
		*n = 1;
		return list;
	}
	while (getgrouplist(login, gid, list, n) < 0) {
		cap = *n > cap ? *n : cap * 2;
		list = mm_xrealloc(list, (size_t)cap, sizeof(*list));
		*n = cap;
	}
	return list;
}

static int prove_groups(const gid_t *want, int want_n, struct mm_err *err)
{
	int n = getgroups(0, NULL);
	if (n < 0)
		return not_dropped(err, "the groups cannot be read");
	gid_t *have = mm_xcalloc((size_t)n + 1, sizeof(*have));
	n = getgroups(n, have);
	bool same = n >= 0;
	if (same) {
		n = normalise(have, n);
		same = n == want_n && memcmp(have, want, (size_t)n * sizeof(*have)) == 0;
	}
	free(have);
	return same ? 0 : not_dropped(err, "the list of groups is not the user's");
}

static int prove_no_capabilities(struct mm_err *err)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[_LINUX_CAPABILITY_U32S_3] = {{0}};
	if (syscall(SYS_capget, &h, d) < 0)
		return not_dropped(err, "the capabilities cannot be read");
	for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		if (d[i].effective != 0 || d[i].permitted != 0)
			return not_dropped(err, "capabilities are left");
	}
	return 0;
}

static int prove_dropped(uid_t uid, gid_t gid, struct mm_err *err)
{
	uid_t r = 0, e = 0, s = 0;
	gid_t gr = 0, ge = 0, gs = 0;
	if (getresuid(&r, &e, &s) < 0 || r != uid || e != uid || s != uid)
		return not_dropped(err, "the user is not the right one");
	if (getresgid(&gr, &ge, &gs) < 0 || gr != gid || ge != gid || gs != gid)
		return not_dropped(err, "the group is not the right one");
	if (setuid(0) == 0 || seteuid(0) == 0 || setresuid(0, 0, 0) == 0)
		return not_dropped(err, "root can be had back");
	if (gid != 0 && (setgid(0) == 0 || setegid(0) == 0 || setresgid(0, 0, 0) == 0))
		return not_dropped(err, "root's group can be had back");
	return prove_no_capabilities(err);
}

int mm_drop_to_user(const char *login, uid_t uid, gid_t gid, struct mm_err *err)
{
	uid_t r = 0, e = 0, s = 0;
	if (getresuid(&r, &e, &s) == 0 && r == uid && e == uid && s == uid)
		return 0;
	if (e != 0)
		return mm_err_set(err, MM_EX_NOPERM, "only root can become user number %u", (unsigned)uid);
	int n = 0;
	gid_t *groups = groups_of(login, gid, &n);
	n = normalise(groups, n);
	int rc = 0;
	if (setgroups((size_t)n, groups) < 0)
		rc = mm_err_sys(err, MM_EX_NOPERM, "cannot set the groups of user number %u", (unsigned)uid);
	else if (setresgid(gid, gid, gid) < 0)
		rc = mm_err_sys(err, MM_EX_NOPERM, "cannot become group number %u", (unsigned)gid);
	else if (setresuid(uid, uid, uid) < 0)
		rc = mm_err_sys(err, MM_EX_NOPERM, "cannot become user number %u", (unsigned)uid);
	else if (prove_groups(groups, n, err) < 0 || prove_dropped(uid, gid, err) < 0)
		rc = -1;
	free(groups);
	return rc;
}

void mm_no_core(void)
{
	const struct rlimit none = {0, 0};
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

void mm_close_above(int last)
{
	assert(last >= 0);
	if (close_range((unsigned)last + 1, ~0U, 0) == 0)
		return;
	long max = sysconf(_SC_OPEN_MAX);
	for (int fd = last + 1; fd < (max > 0 ? max : 1024); fd++)
		close(fd);
}

mode_t mm_process_init(void)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, normal = {.sa_handler = SIG_DFL};
	sigaction(SIGPIPE, &ignore, NULL);
	/* One who inherits "ignored" cannot wait for children. */
	sigaction(SIGCHLD, &normal, NULL);
	mode_t before = umask(077);
	/* Else the next file opened becomes standard output. */
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			_exit(MM_EX_FAILED);
	}
	return before;
}
