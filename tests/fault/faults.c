#include "tests/fault/faults.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static struct {
	struct mm_fault f;
	bool armed;
	bool done; /* the fault has happened */
	size_t calls;
	char trace[65536];
	size_t traced;
} now;

void mm_fault_arm(const struct mm_fault *f)
{
	now.f = *f;
	now.calls = 0;
	now.traced = 0;
	now.trace[0] = '\0';
	now.done = false;
	now.armed = true;
}

size_t mm_fault_disarm(void)
{
	now.armed = false;
	return now.calls;
}

const char *mm_fault_trace(void)
{
	return now.trace;
}

static bool due(const char *name)
{
	if (now.done)
		return false;
	return now.f.at > 0 ? now.calls == now.f.at : now.f.name != NULL && strcmp(name, now.f.name) == 0;
}

/* True: the call is to fail; errno is set. */
static bool trip(const char *name)
{
	if (!now.armed)
		return false;
	now.calls++;
	int n = snprintf(now.trace + now.traced, sizeof(now.trace) - now.traced, "%s ", name);
	if (n > 0 && (size_t)n < sizeof(now.trace) - now.traced)
		now.traced += (size_t)n;
	if (now.f.kind == MM_FAULT_COUNT || !due(name))
		return false;
	now.done = true;
	switch (now.f.kind) {
	case MM_FAULT_KILL:
		raise(SIGKILL);
		return true;
	case MM_FAULT_HOOK:
		now.armed = false;
		now.f.hook();
		now.armed = true;
		return false;
	default:
		errno = now.f.error;
		return true;
	}
}

/* The names are the linker's (--wrap): __real_X is the C library's X. */
#define WRAP(ret, call, params, args)                                                                        \
	ret __real_##call params;                                                                            \
	ret __wrap_##call params;                                                                            \
	ret __wrap_##call params                                                                             \
	{                                                                                                    \
		return trip(#call) ? (ret)-1 : __real_##call args;                                           \
	}

WRAP(ssize_t, pread, (int fd, void *p, size_t n, off_t at), (fd, p, n, at))
WRAP(int, fsync, (int fd), (fd))
WRAP(int, fstat, (int fd, struct stat *st), (fd, st))
WRAP(int, fstatat, (int fd, const char *name, struct stat *st, int flags), (fd, name, st, flags))
WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode))
WRAP(int, fchown, (int fd, uid_t uid, gid_t gid), (fd, uid, gid))
WRAP(int, fchmodat, (int fd, const char *name, mode_t mode, int flags), (fd, name, mode, flags))
WRAP(int, mkdirat, (int fd, const char *name, mode_t mode), (fd, name, mode))
WRAP(int, renameat, (int from, const char *a, int to, const char *b), (from, a, to, b))
WRAP(
    int, renameat2, (int from, const char *a, int to, const char *b, unsigned flags), (from, a, to, b, flags))
WRAP(int, unlinkat, (int fd, const char *name, int flags), (fd, name, flags))
WRAP(int, flock, (int fd, int op), (fd, op))
WRAP(ssize_t, flistxattr, (int fd, char *list, size_t n), (fd, list, n))
WRAP(ssize_t, fgetxattr, (int fd, const char *name, void *p, size_t n), (fd, name, p, n))
WRAP(int, fsetxattr, (int fd, const char *name, const void *p, size_t n, int flags), (fd, name, p, n, flags))
WRAP(int, fremovexattr, (int fd, const char *name), (fd, name))
WRAP(ssize_t, readlinkat, (int fd, const char *name, char *p, size_t n), (fd, name, p, n))

/* Half of it arrives: the worst that a full disk does. */
ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n)
{
	if (!trip("write"))
		return __real_write(fd, p, n);
	int error = errno;
	if (error != EINTR && __real_write(fd, p, n / 2) < 0)
		return -1;
	errno = error;
	return -1;
}

/* Linux closes the descriptor even where close() fails. */
int __real_close(int fd);
int __wrap_close(int fd);
int __wrap_close(int fd)
{
	bool fail = trip("close");
	int error = errno;
	int rc = __real_close(fd);
	if (fail)
		errno = error;
	return fail ? -1 : rc;
}

int __real_openat(int fd, const char *path, int flags, ...);
int __wrap_openat(int fd, const char *path, int flags, ...);
int __wrap_openat(int fd, const char *path, int flags, ...)
{
	mode_t mode = 0;
	if ((flags & O_CREAT) != 0) {
		va_list ap;
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
	}
	return trip("openat") ? -1 : __real_openat(fd, path, flags, mode);
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	if ((flags & O_CREAT) != 0) {
		va_list ap;
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
	}
	return trip("open") ? -1 : __real_open(path, flags, mode);
}
