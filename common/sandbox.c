#include "common/sandbox.h"

#ifdef MM_SANITIZER

bool mm_sandbox_available(void)
{
	return false;
}

int mm_sandbox_enter(enum mm_sandbox which, const struct mm_sandbox_opts *opts, struct mm_err *err)
{
	(void)which;
	(void)opts;
	(void)err;
	return 0;
}

#else

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/netlink.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

/* Later than Debian 12's headers; from the kernel's include/uapi/linux/landlock.h. */
#define FS_TRUNCATE (1ULL << 14)        /* ABI 3 */
#define FS_IOCTL_DEV (1ULL << 15)       /* ABI 5 */
#define SCOPE_ABSTRACT_UNIX (1ULL << 0) /* ABI 6 */
#define SCOPE_SIGNAL (1ULL << 1)        /* ABI 6 */

#define FS_READ ((uint64_t)LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_ABI_1 ((1ULL << 13) - 1)

struct ruleset_attr {
	uint64_t handled_access_fs;
	uint64_t handled_access_net; /* ABI 4 */
	uint64_t scoped;             /* ABI 6 */
};

/* ---- Landlock: which files may be read */

/* What the name service, OpenSSL and the dynamic loader read; glibc's
 * nsswitch modules are loaded only when the first name is looked up. */
static const char *const library_files[] = {
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/host.conf",
    "/etc/services",
    "/etc/protocols",
    "/etc/localtime",
    "/etc/passwd",
    "/etc/ld.so.cache",
    "/etc/ssl",
    "/etc/pki",
    "/etc/crypto-policies",
    "/etc/ca-certificates",
    "/etc/krb5.conf",
    "/etc/krb5.conf.d",
    "/etc/gss",
    "/run/systemd/resolve",
    "/run/resolvconf",
    "/run/NetworkManager",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
    "/usr/share/zoneinfo",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/lib",
    "/lib64",
    "/dev/urandom",
    "/dev/random",
    "/dev/null",
    "/sys/devices/system/cpu",
    "/proc/sys/vm/overcommit_memory",
    "/proc/sys/kernel/random",
    "/proc/self",
    NULL,
};

static int allow_below(int ruleset, const char *path, uint64_t access, struct mm_err *err)
{
	int fd = open(path, O_PATH | O_CLOEXEC);
	/* What is not there, or not ours to see, need not be allowed. */
	if (fd < 0)
		return 0;
	struct stat st;
	struct landlock_path_beneath_attr rule = {.parent_fd = fd, .allowed_access = access};
	/* Rights that only folders have are refused for a file. */
	if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode))
		rule.allowed_access &=
		    (uint64_t)LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE;
	long rc = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	if (rc < 0)
		mm_err_sys(err, MM_EX_FAILED, "sandbox: cannot allow reading %s", path);
	close(fd);
	return rc < 0 ? -1 : 0;
}

#define FS_EDIT                                                                                              \
	(FS_READ | FS_TRUNCATE | (uint64_t)LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |     \
	    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR)

static int allow_list(int ruleset, const char *const *paths, struct mm_err *err)
{
	for (; paths != NULL && *paths != NULL; paths++) {
		if (allow_below(ruleset, *paths, FS_READ, err) < 0)
			return -1;
	}
	return 0;
}

static struct ruleset_attr wanted(enum mm_sandbox which, const struct mm_sandbox_opts *opts, long abi)
{
	struct ruleset_attr a = {.handled_access_fs = FS_ABI_1};
	if (abi >= 2)
		a.handled_access_fs |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		a.handled_access_fs |= FS_TRUNCATE;
	if (which == MM_SANDBOX_WORKER) {
		if (opts->allow_exec)
			a.handled_access_fs &= ~(uint64_t)LANDLOCK_ACCESS_FS_EXECUTE;
		if (opts->read_paths == NULL)
			a.handled_access_fs &= ~FS_READ;
	} else {
		if (abi >= 5)
			a.handled_access_fs |= FS_IOCTL_DEV;
		if (abi >= 6)
			a.scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL;
	}
	return a;
}

static int fill_ruleset(int ruleset, enum mm_sandbox which, const struct mm_sandbox_opts *opts,
    uint64_t handled, struct mm_err *err)
{
	if (which == MM_SANDBOX_COMPUTE)
		return 0;
	if (which == MM_SANDBOX_FILES) {
		int rc = allow_below(ruleset, "/", FS_READ & handled, err);
		for (size_t i = 0; rc == 0 && opts->write_paths != NULL && opts->write_paths[i] != NULL; i++)
			rc = allow_below(ruleset, opts->write_paths[i], FS_EDIT & handled, err);
		return rc;
	}
	bool reads = (handled & FS_READ) != 0;
	if (reads &&
	    (allow_list(ruleset, library_files, err) < 0 || allow_list(ruleset, opts->read_paths, err) < 0))
		return -1;
	/* The system's ssh opens it for writing at every start. */
	if (which == MM_SANDBOX_WORKER && opts->allow_exec)
		return allow_below(ruleset, "/dev/null",
		    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE) & handled, err);
	return 0;
}

/* As far as the kernel has it: one without Landlock is no error, seccomp stands alone there. */
static int enter_landlock(enum mm_sandbox which, const struct mm_sandbox_opts *opts, struct mm_err *err)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < 1)
		return 0;
	struct ruleset_attr attr = wanted(which, opts, abi);
	/* Older kernels know a shorter structure, and refuse a longer one only if its end is not zero. */
	long fd = syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (fd < 0)
		return mm_err_sys(err, MM_EX_FAILED, "sandbox: cannot make a Landlock rule set");
	int rc = fill_ruleset((int)fd, which, opts, attr.handled_access_fs, err);
	if (rc == 0 && syscall(SYS_landlock_restrict_self, (int)fd, 0) < 0)
		rc = mm_err_sys(err, MM_EX_FAILED, "sandbox: cannot apply the Landlock rule set");
	close((int)fd);
	return rc;
}

/* ---- seccomp: which calls may be made */

/* For every profile. Nothing here makes a descriptor or reaches another process. */
static const int basic_calls[] = {SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(write),
    SCMP_SYS(writev), SCMP_SYS(pwrite64), SCMP_SYS(close), SCMP_SYS(close_range), SCMP_SYS(lseek),
    SCMP_SYS(_llseek), SCMP_SYS(fstat), SCMP_SYS(fstat64), SCMP_SYS(poll), SCMP_SYS(ppoll),
    SCMP_SYS(ppoll_time64), SCMP_SYS(select), SCMP_SYS(pselect6), SCMP_SYS(brk), SCMP_SYS(munmap),
    SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(mlock), SCMP_SYS(mlock2), SCMP_SYS(munlock),
    SCMP_SYS(futex), SCMP_SYS(futex_time64), SCMP_SYS(set_robust_list), SCMP_SYS(get_robust_list),
    SCMP_SYS(rseq), SCMP_SYS(membarrier), SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity),
    SCMP_SYS(getcpu), SCMP_SYS(clock_gettime), SCMP_SYS(clock_gettime64), SCMP_SYS(clock_getres),
    SCMP_SYS(clock_getres_time64), SCMP_SYS(clock_nanosleep), SCMP_SYS(clock_nanosleep_time64),
    SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getrandom), SCMP_SYS(getpid),
    SCMP_SYS(gettid), SCMP_SYS(getppid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid),
    SCMP_SYS(getegid), SCMP_SYS(getresuid), SCMP_SYS(getresgid), SCMP_SYS(getgroups), SCMP_SYS(getpgrp),
    SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(getrusage), SCMP_SYS(times), SCMP_SYS(getrlimit),
    SCMP_SYS(ugetrlimit), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigreturn), SCMP_SYS(rt_sigpending), SCMP_SYS(rt_sigtimedwait), SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group)};

/* For those that speak with the network and read files. */
static const int network_calls[] = {SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(getsockname),
    SCMP_SYS(getpeername), SCMP_SYS(setsockopt), SCMP_SYS(getsockopt), SCMP_SYS(shutdown), SCMP_SYS(sendto),
    SCMP_SYS(send), SCMP_SYS(sendmsg), SCMP_SYS(sendmmsg), SCMP_SYS(recvfrom), SCMP_SYS(recv),
    SCMP_SYS(recvmsg), SCMP_SYS(recvmmsg), SCMP_SYS(socketpair), SCMP_SYS(pipe), SCMP_SYS(pipe2),
    SCMP_SYS(eventfd2), SCMP_SYS(epoll_create), SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2), SCMP_SYS(timerfd_create),
    SCMP_SYS(timerfd_settime), SCMP_SYS(dup), SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(fcntl),
    SCMP_SYS(fcntl64), SCMP_SYS(stat), SCMP_SYS(stat64), SCMP_SYS(lstat), SCMP_SYS(lstat64),
    SCMP_SYS(newfstatat), SCMP_SYS(fstatat64), SCMP_SYS(statx), SCMP_SYS(statfs), SCMP_SYS(fstatfs),
    SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
    SCMP_SYS(getcwd), SCMP_SYS(getdents64), SCMP_SYS(fadvise64), SCMP_SYS(mmap), SCMP_SYS(mmap2),
    SCMP_SYS(mprotect), SCMP_SYS(setitimer), SCMP_SYS(alarm), SCMP_SYS(set_tid_address)};

/* Used only by those who want to break out: these end the process even
 * where other unknown calls merely fail. */
static const int hostile_calls[] = {SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(mount),
    SCMP_SYS(umount2), SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(setns), SCMP_SYS(unshare),
    SCMP_SYS(bpf), SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(kexec_load), SCMP_SYS(userfaultfd),
    SCMP_SYS(io_uring_setup), SCMP_SYS(kcmp), SCMP_SYS(perf_event_open), SCMP_SYS(pidfd_getfd),
    SCMP_SYS(open_by_handle_at), SCMP_SYS(creat), SCMP_SYS(truncate), SCMP_SYS(rename), SCMP_SYS(renameat),
    SCMP_SYS(renameat2), SCMP_SYS(link), SCMP_SYS(linkat), SCMP_SYS(symlink), SCMP_SYS(symlinkat),
    SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(mknod), SCMP_SYS(mknodat), SCMP_SYS(chmod),
    SCMP_SYS(fchmodat), SCMP_SYS(chown), SCMP_SYS(fchownat)};

/* What a program that may start others (the system's ssh) has no use for. */
static const int never_calls[] = {SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
    SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(setns),
    SCMP_SYS(unshare), SCMP_SYS(bpf), SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module),
    SCMP_SYS(kexec_load), SCMP_SYS(kexec_file_load), SCMP_SYS(reboot), SCMP_SYS(swapon), SCMP_SYS(swapoff),
    SCMP_SYS(userfaultfd), SCMP_SYS(io_uring_setup), SCMP_SYS(perf_event_open), SCMP_SYS(pidfd_getfd),
    SCMP_SYS(open_by_handle_at), SCMP_SYS(settimeofday), SCMP_SYS(clock_settime), SCMP_SYS(sethostname)};

/* Nor has one that only edits files. */
static const int files_never_calls[] = {SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork),
    SCMP_SYS(clone), SCMP_SYS(clone3), SCMP_SYS(socket), SCMP_SYS(socketpair), SCMP_SYS(connect),
    SCMP_SYS(bind), SCMP_SYS(listen), SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(kill), SCMP_SYS(tkill),
    SCMP_SYS(mknod), SCMP_SYS(mknodat), SCMP_SYS(setuid), SCMP_SYS(setgid), SCMP_SYS(setresuid),
    SCMP_SYS(setresgid), SCMP_SYS(setgroups), SCMP_SYS(capset), SCMP_SYS(keyctl), SCMP_SYS(add_key),
    SCMP_SYS(request_key), SCMP_SYS(quotactl), SCMP_SYS(syslog), SCMP_SYS(acct), SCMP_SYS(setdomainname)};

/* What libraries try at their start (and gcov at the end, hence mkdir), and do
 * well without. In COMPUTE every file is absent for them. */
static const int absent_calls[] = {SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(stat), SCMP_SYS(stat64),
    SCMP_SYS(lstat), SCMP_SYS(lstat64), SCMP_SYS(statx), SCMP_SYS(access), SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(mkdir), SCMP_SYS(mkdirat)};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Argument n is v; argument n, of which the bits of m are looked at, is v. */
#define EQUAL(n, v) ((struct scmp_arg_cmp){.arg = (n), .op = SCMP_CMP_EQ, .datum_a = (scmp_datum_t)(v)})
#define MASKED(n, m, v)                                                                                      \
	((struct scmp_arg_cmp){                                                                              \
	    .arg = (n), .op = SCMP_CMP_MASKED_EQ, .datum_a = (m), .datum_b = (scmp_datum_t)(v)})

/* A call that this architecture lacks needs no rule. */
static int rule(scmp_filter_ctx c, uint32_t action, int call, unsigned n, const struct scmp_arg_cmp *args)
{
	int rc = seccomp_rule_add_array(c, action, call, n, args);
	return rc == -EDOM || rc == -EEXIST ? 0 : rc;
}

static int rules(scmp_filter_ctx c, uint32_t action, const int *calls, size_t n)
{
	int rc = 0;
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = rule(c, action, calls[i], 0, NULL);
	return rc;
}

static int allow_if(scmp_filter_ctx c, int call, struct scmp_arg_cmp arg)
{
	return rule(c, SCMP_ACT_ALLOW, call, 1, &arg);
}

static int allow_common(scmp_filter_ctx c)
{
	static const unsigned long asked[] = {FIONREAD, FIONBIO, TCGETS, TIOCGWINSZ};
	int rc = rules(c, SCMP_ACT_ALLOW, basic_calls, COUNT(basic_calls));
	for (size_t i = 0; i < COUNT(asked) && rc == 0; i++)
		rc = allow_if(c, SCMP_SYS(ioctl), EQUAL(1, asked[i]));
	/* raise() and abort() in ourselves; nobody else has this number. */
	if (rc == 0)
		rc = allow_if(c, SCMP_SYS(tgkill), EQUAL(0, getpid()));
	/* Limits are read, not set, and only our own. */
	const struct scmp_arg_cmp own[] = {EQUAL(0, 0), EQUAL(2, 0)};
	if (rc == 0)
		rc = rule(c, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2, own);
	return rc;
}

static int allow_compute(scmp_filter_ctx c)
{
	int rc = rules(c, SCMP_ACT_ERRNO(ENOENT), absent_calls, COUNT(absent_calls));
	/* fstat() of newer C libraries; with a path it tells no more than that a name exists. */
	if (rc == 0)
		rc = allow_if(c, SCMP_SYS(newfstatat), MASKED(3, AT_EMPTY_PATH, AT_EMPTY_PATH));
	if (rc == 0) {
		const struct scmp_arg_cmp path = MASKED(3, AT_EMPTY_PATH, 0);
		rc = rule(c, SCMP_ACT_ERRNO(ENOENT), SCMP_SYS(newfstatat), 1, &path);
	}
	/* No memory becomes code. */
	if (rc == 0)
		rc = allow_if(c, SCMP_SYS(mmap), MASKED(2, PROT_EXEC, 0));
	if (rc == 0)
		rc = allow_if(c, SCMP_SYS(mprotect), MASKED(2, PROT_EXEC, 0));
	if (rc == 0)
		rc = allow_if(c, SCMP_SYS(fcntl), EQUAL(1, F_GETFL));
	if (rc == 0)
		rc = allow_if(c, SCMP_SYS(fcntl), EQUAL(1, F_GETFD));
	return rc;
}

static int allow_network(scmp_filter_ctx c)
{
	static const int families[] = {AF_INET, AF_INET6, AF_UNIX};
	const scmp_datum_t writing = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | __O_TMPFILE;
	int rc = rules(c, SCMP_ACT_ALLOW, network_calls, COUNT(network_calls));
	for (size_t i = 0; i < COUNT(families) && rc == 0; i++)
		rc = allow_if(c, SCMP_SYS(socket), EQUAL(0, families[i]));
	/* getaddrinfo() asks the kernel which addresses we have. */
	const struct scmp_arg_cmp route[] = {EQUAL(0, AF_NETLINK), EQUAL(2, NETLINK_ROUTE)};
	if (rc == 0)
		rc = rule(c, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2, route);
	if (rc == 0)
		rc = allow_if(c, SCMP_SYS(open), MASKED(1, writing, O_RDONLY));
	if (rc == 0)
		rc = allow_if(c, SCMP_SYS(openat), MASKED(2, writing, O_RDONLY));
	/* Threads of our own (curl's resolver), but no processes. clone3 hides
	 * its flags in memory: the C library falls back to clone. */
	if (rc == 0)
		rc = allow_if(c, SCMP_SYS(clone), MASKED(0, CLONE_THREAD, CLONE_THREAD));
	if (rc == 0)
		rc = rule(c, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0, NULL);
	if (rc == 0)
		rc = allow_if(c, SCMP_SYS(prctl), EQUAL(0, PR_SET_NAME));
	return rc;
}

static int build(scmp_filter_ctx c, enum mm_sandbox which, const struct mm_sandbox_opts *opts)
{
	int rc = seccomp_attr_set(c, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (rc != 0)
		return rc;
	if (which == MM_SANDBOX_WORKER && opts->allow_exec)
		return rules(c, SCMP_ACT_ERRNO(EPERM), never_calls, COUNT(never_calls));
	if (which == MM_SANDBOX_FILES) {
		rc = rules(c, SCMP_ACT_ERRNO(EPERM), never_calls, COUNT(never_calls));
		return rc != 0 ? rc
			       : rules(c, SCMP_ACT_ERRNO(EPERM), files_never_calls, COUNT(files_never_calls));
	}
	rc = allow_common(c);
	if (rc != 0 || which == MM_SANDBOX_COMPUTE)
		return rc != 0 ? rc : allow_compute(c);
	rc = allow_network(c);
	return rc != 0 ? rc : rules(c, SCMP_ACT_KILL_PROCESS, hostile_calls, COUNT(hostile_calls));
}

/* The default: in COMPUTE we know every call that can come. A name service
 * module of the system's choice may try others: for the network profiles an
 * unknown call fails, and only a hostile one is the end. */
static uint32_t default_action(enum mm_sandbox which, const struct mm_sandbox_opts *opts)
{
	if (which == MM_SANDBOX_COMPUTE)
		return SCMP_ACT_KILL_PROCESS;
	if (which == MM_SANDBOX_FILES)
		return SCMP_ACT_ALLOW;
	return which == MM_SANDBOX_WORKER && opts->allow_exec ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EPERM);
}

/* As an owner of files root needs none. */
static int drop_capabilities(struct mm_err *err)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
	if (syscall(SYS_capset, &h, none) < 0)
		return mm_err_sys(err, MM_EX_FAILED, "sandbox: cannot give up capabilities");
	return 0;
}

static int enter_seccomp(enum mm_sandbox which, const struct mm_sandbox_opts *opts, struct mm_err *err)
{
	scmp_filter_ctx c = seccomp_init(default_action(which, opts));
	if (c == NULL)
		return mm_err_set(err, MM_EX_FAILED, "sandbox: cannot make a seccomp filter");
	int rc = build(c, which, opts);
	if (rc == 0)
		rc = seccomp_load(c);
	seccomp_release(c);
	if (rc == 0)
		return 0;
	errno = -rc;
	return mm_err_sys(err, MM_EX_FAILED, "sandbox: cannot install the seccomp filter");
}

bool mm_sandbox_available(void)
{
	return true;
}

int mm_sandbox_enter(enum mm_sandbox which, const struct mm_sandbox_opts *opts, struct mm_err *err)
{
	static const struct mm_sandbox_opts none = {.read_paths = NULL};
	assert(which < MM_SANDBOX_COUNT);
	if (opts == NULL)
		opts = &none;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return mm_err_sys(err, MM_EX_FAILED, "sandbox: cannot give up new privileges");
	if (enter_landlock(which, opts, err) < 0 || (which == MM_SANDBOX_FILES && drop_capabilities(err) < 0))
		return -1;
	return enter_seccomp(which, opts, err);
}

#endif
