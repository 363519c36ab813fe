#include "common/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define LINKS_MAX 16

const char *mm_file_trouble_word(enum mm_file_trouble t)
{
	static const char *const words[] = {
	    [MM_FILE_OK] = "ok",
	    [MM_FILE_ABSENT] = "absent",
	    [MM_FILE_OWNER] = "owner",
	    [MM_FILE_TYPE] = "type",
	    [MM_FILE_LINK] = "link",
	    [MM_FILE_READONLY] = "read-only",
	    [MM_FILE_TOO_BIG] = "too-big",
	    [MM_FILE_CHANGED] = "changed",
	    [MM_FILE_SYSTEM] = "system",
	};
	assert((size_t)t < sizeof(words) / sizeof(words[0]));
	return words[t];
}

/* A walk down a path, one component at a time. */
struct walk {
	struct mm_place_fd at;
	uid_t uid;
	const char *asked;   /* the path as the caller gave it, for messages */
	char rest[PATH_MAX]; /* what is still to be walked */
	size_t below; /* a component behind which at least so much is left is part of a link's target */
	int links;
	enum mm_file_trouble *why;
	struct mm_err *err;
};

static int trouble(struct walk *w, enum mm_file_trouble t, const char *what)
{
	*w->why = t;
	return mm_err_set(w->err, MM_EX_FAILED, "%s: %s", w->asked, what);
}

static int trouble_sys(struct walk *w, const char *what)
{
	*w->why = MM_FILE_SYSTEM;
	return mm_err_sys(w->err, MM_EX_FAILED, "%s: %s", w->asked, what);
}

bool mm_file_trusted(const struct stat *st, int dirfd, uid_t uid)
{
	struct stat dir;
	if (st->st_uid == uid)
		return true;
	return st->st_uid == 0 && fstat(dirfd, &dir) == 0 && dir.st_uid == 0 && (dir.st_mode & 022) == 0;
}

static int add_name(struct walk *w, const char *name)
{
	char *path = w->at.path;
	size_t n = strlen(path), k = strlen(name);
	if (n + 1 + k >= sizeof(w->at.path))
		return trouble(w, MM_FILE_SYSTEM, "the path is too long");
	if (n == 0 || path[n - 1] != '/')
		path[n++] = '/';
	memcpy(path + n, name, k + 1);
	return 0;
}

static void drop_name(struct walk *w)
{
	char *slash = strrchr(w->at.path, '/');
	if (slash == w->at.path)
		slash++;
	if (slash != NULL)
		*slash = '\0';
}

static int enter(struct walk *w, const char *name)
{
	int fd = openat(w->at.dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		return trouble(w, MM_FILE_TYPE, "a component of the path is not a folder");
	if (fd < 0)
		return trouble_sys(w, "cannot enter a folder");
	close(w->at.dirfd);
	w->at.dirfd = fd;
	if (strcmp(name, "..") != 0)
		return add_name(w, name);
	drop_name(w);
	return 0;
}

/* Put the target of the link `name` in front of what is still to be walked. */
static int follow(struct walk *w, const char *name)
{
	char target[PATH_MAX];
	if (++w->links > LINKS_MAX)
		return trouble(w, MM_FILE_LINK, "too many symbolic links, or a loop");
	int fd = openat(w->at.dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	if (fd < 0)
		return trouble_sys(w, "cannot look at a symbolic link");
	if (fstat(fd, &st) < 0 || !mm_file_trusted(&st, w->at.dirfd, w->uid)) {
		close(fd);
		return trouble(w, MM_FILE_LINK, "a symbolic link on the way belongs to somebody else");
	}
	ssize_t n = readlinkat(fd, "", target, sizeof(target));
	close(fd);
	if (n <= 0)
		return trouble(w, MM_FILE_LINK, "cannot read a symbolic link");
	size_t len = (size_t)n, rest = strlen(w->rest);
	if (len + 1 + rest >= sizeof(w->rest))
		return trouble(w, MM_FILE_LINK, "a symbolic link leads to a path that is too long");
	if (w->below > rest)
		w->below = rest;
	memmove(w->rest + len + 1, w->rest, rest + 1);
	memcpy(w->rest, target, len);
	w->rest[len] = '/';
	w->at.through_link = true;
	if (target[0] != '/')
		return 0;
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return trouble_sys(w, "cannot open /");
	close(w->at.dirfd);
	w->at.dirfd = root;
	memcpy(w->at.path, "/", 2);
	return 0;
}

/* Cut the next component off `rest`. 1: there is one, 0: none is left. */
static int next_name(struct walk *w, char name[256], bool *inside, bool *last)
{
	const char *p = w->rest;
	p += strspn(p, "/");
	size_t n = strcspn(p, "/");
	if (n == 0)
		return 0;
	if (n > 255)
		return trouble(w, MM_FILE_SYSTEM, "a component of the path is too long");
	memcpy(name, p, n);
	name[n] = '\0';
	p += n;
	p += strspn(p, "/");
	size_t left = strlen(p);
	memmove(w->rest, p, left + 1);
	*inside = left >= w->below;
	*last = left == 0;
	return 1;
}

/* The end of the walk: the name stays, its folder is open. */
static int arrive(struct walk *w, const char *name, const struct stat *st)
{
	if (st != NULL && w->at.through_link && !mm_file_trusted(st, w->at.dirfd, w->uid))
		return trouble(w, MM_FILE_LINK, "a symbolic link leads to what belongs to somebody else");
	memcpy(w->at.name, name, strlen(name) + 1);
	return add_name(w, name);
}

/* 1: go on, 0: arrived, -1: trouble. */
static int step(struct walk *w, const char *name, bool inside, bool last)
{
	struct stat st;
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		if (last)
			return trouble(w, MM_FILE_TYPE, "is a folder");
		return name[1] == '\0' || enter(w, name) == 0 ? 1 : -1;
	}
	if (fstatat(w->at.dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			return trouble_sys(w, "cannot look at it");
		if (inside)
			return trouble(w, MM_FILE_LINK, "a symbolic link leads to nothing");
		if (!last)
			return trouble(w, MM_FILE_ABSENT, "its folder does not exist");
		return arrive(w, name, NULL);
	}
	if (S_ISLNK(st.st_mode)) {
		if (last)
			w->at.final_link = true;
		return follow(w, name) == 0 ? 1 : -1;
	}
	if (last)
		return arrive(w, name, &st);
	return enter(w, name) == 0 ? 1 : -1;
}

static int start(struct walk *w, const char *base, const char *path)
{
	size_t n = strlen(base), k = strlen(path);
	if (path[0] != '/' || k >= sizeof(w->rest))
		return trouble(w, MM_FILE_SYSTEM, "the path is not absolute, or too long");
	while (n > 1 && base[n - 1] == '/')
		n--;
	/* What does not lie below the base is walked, and watched, from the root. */
	if (n >= sizeof(w->at.path) || strncmp(path, base, n) != 0 ||
	    (n > 1 && path[n] != '/' && path[n] != '\0'))
		n = 1;
	memcpy(w->at.path, path, n);
	w->at.path[n] = '\0';
	memcpy(w->rest, path + n, k - n + 1);
	w->at.dirfd = open(w->at.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (w->at.dirfd < 0 && errno == ENOENT)
		return trouble(w, MM_FILE_ABSENT, "its folder does not exist");
	if (w->at.dirfd < 0)
		return trouble_sys(w, "cannot open its folder");
	return 0;
}

int mm_file_resolve(const char *base, const char *path, uid_t uid, struct mm_place_fd *out,
    enum mm_file_trouble *why, struct mm_err *err)
{
	struct walk w = {
	    .at = {.dirfd = -1}, .uid = uid, .asked = path, .below = SIZE_MAX, .why = why, .err = err};
	if (start(&w, base, path) < 0)
		return -1;
	for (int go = 1; go > 0;) {
		char name[256];
		bool inside = false, last = false;
		go = next_name(&w, name, &inside, &last);
		if (go == 0)
			go = trouble(&w, MM_FILE_TYPE, "is a folder");
		if (go > 0)
			go = step(&w, name, inside, last);
		if (go < 0) {
			close(w.at.dirfd);
			return -1;
		}
	}
	*out = w.at;
	return 0;
}

/* Look before opening: to open a device can have effects. */
int mm_file_open_at(
    const struct mm_place_fd *at, struct stat *st, enum mm_file_trouble *why, struct mm_err *err)
{
	if (fstatat(at->dirfd, at->name, st, AT_SYMLINK_NOFOLLOW) < 0) {
		*why = errno == ENOENT ? MM_FILE_ABSENT : MM_FILE_SYSTEM;
		return mm_err_sys(err, MM_EX_FAILED, "%s", at->path);
	}
	int fd = -1;
	if (S_ISREG(st->st_mode)) {
		fd = openat(at->dirfd, at->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		if (fd < 0) {
			*why = errno == ENOENT ? MM_FILE_ABSENT : MM_FILE_SYSTEM;
			return mm_err_sys(err, MM_EX_FAILED, "cannot open %s", at->path);
		}
	}
	if (fd < 0 || fstat(fd, st) < 0 || !S_ISREG(st->st_mode)) {
		if (fd >= 0)
			close(fd);
		*why = MM_FILE_TYPE;
		return mm_err_set(err, MM_EX_FAILED, "%s is not a regular file", at->path);
	}
	return fd;
}

/* 0, or -1 with errno; EFBIG when there is more than max or than `out` holds. */
static int read_up_to(int fd, size_t max, struct mm_buf *out)
{
	size_t got = 0;
	char chunk[16384];
	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			return 0;
		got += (size_t)n;
		if (got <= max)
			mm_buf_add(out, chunk, (size_t)n);
		if (got > max || !mm_buf_ok(out)) {
			errno = EFBIG;
			return -1;
		}
	}
}

static int read_checked(int fd, const char *path, const struct stat *st, size_t max, struct mm_buf *out,
    enum mm_file_trouble *why, struct mm_err *err)
{
	bool big = st->st_size > 0 && (uintmax_t)st->st_size > max;
	if (!big && read_up_to(fd, max, out) == 0)
		return 0;
	if (!big && errno != EFBIG) {
		*why = MM_FILE_SYSTEM;
		return mm_err_sys(err, MM_EX_FAILED, "cannot read %s", path);
	}
	*why = MM_FILE_TOO_BIG;
	return mm_err_set(err, MM_EX_DATAERR, "%s is larger than %zu bytes", path, max);
}

int mm_file_read(const char *base, const char *path, uid_t uid, size_t max, struct mm_buf *out,
    struct stat *st, enum mm_file_trouble *why, struct mm_err *err)
{
	struct mm_place_fd at;
	struct stat here;
	if (mm_file_resolve(base, path, uid, &at, why, err) < 0)
		return -1;
	int rc = -1;
	int fd = mm_file_open_at(&at, &here, why, err);
	if (fd >= 0 && !mm_file_trusted(&here, at.dirfd, uid)) {
		*why = MM_FILE_OWNER;
		mm_err_set(err, MM_EX_FAILED, "%s belongs to user number %u, not to %u", at.path,
		    (unsigned)here.st_uid, (unsigned)uid);
	} else if (fd >= 0) {
		rc = read_checked(fd, at.path, &here, max, out, why, err);
	}
	if (rc == 0 && st != NULL)
		*st = here;
	if (fd >= 0)
		close(fd);
	close(at.dirfd);
	return rc;
}

static int check_own(const struct stat *st, const char *path, bool private, struct mm_err *err)
{
	if (!S_ISREG(st->st_mode))
		return mm_err_set(err, MM_EX_FAILED, "%s is not a regular file", path);
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return mm_err_set(err, MM_EX_NOPERM,
		    "%s belongs to user number %u; it must be ours or root's", path, (unsigned)st->st_uid);
	if ((st->st_mode & S_IWOTH) != 0)
		return mm_err_set(err, MM_EX_NOPERM, "%s can be written by everybody; chmod o-w it", path);
	if (private && (st->st_mode & 077) != 0)
		return mm_err_set(err, MM_EX_NOPERM, "%s has mode %04o and must be private; chmod 600 it",
		    path, (unsigned)(st->st_mode & 07777));
	return 0;
}

int mm_file_read_own(const char *path, size_t max, bool private, struct mm_buf *out, struct mm_err *err)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && errno == ELOOP)
		return mm_err_set(err, MM_EX_FAILED, "%s is a symbolic link", path);
	if (fd < 0)
		return mm_err_sys(err, MM_EX_FAILED, "cannot open %s", path);
	struct stat st;
	enum mm_file_trouble why = MM_FILE_OK;
	int rc = -1;
	if (fstat(fd, &st) < 0)
		mm_err_sys(err, MM_EX_FAILED, "cannot look at %s", path);
	else if (check_own(&st, path, private, err) == 0)
		rc = read_checked(fd, path, &st, max, out, &why, err);
	close(fd);
	return rc;
}

static bool ours(const struct stat *st)
{
	return st->st_uid == 0 || st->st_uid == geteuid();
}

/* Enter, and make if need be, one folder of a path of ours. */
static int enter_own(int dirfd, const char *name, mode_t mode, const char *path, struct mm_err *err)
{
	struct stat st;
	bool made = mkdirat(dirfd, name, mode) == 0;
	if (!made && errno != EEXIST)
		return mm_err_sys(err, MM_EX_FAILED, "cannot make the folder %s", path);
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return mm_err_sys(err, MM_EX_FAILED, "cannot look at %s in %s", name, path);
	bool is_link = S_ISLNK(st.st_mode);
	if (is_link && !ours(&st))
		return mm_err_set(err, MM_EX_NOPERM, "%s: the link %s belongs to somebody else", path, name);
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (is_link ? 0 : O_NOFOLLOW));
	if (fd < 0 && errno == EACCES)
		fd = openat(dirfd, name, O_PATH | O_DIRECTORY | O_CLOEXEC | (is_link ? 0 : O_NOFOLLOW));
	if (fd < 0)
		return mm_err_sys(err, MM_EX_FAILED, "cannot enter %s in %s", name, path);
	int rc = 0;
	if (fstat(fd, &st) < 0)
		rc = mm_err_sys(err, MM_EX_FAILED, "cannot look at %s", path);
	else if (!ours(&st))
		rc = mm_err_set(err, MM_EX_NOPERM, "%s: the folder %s belongs to user number %u", path, name,
		    (unsigned)st.st_uid);
	else if (made && fchmod(fd, mode) < 0)
		rc = mm_err_sys(err, MM_EX_FAILED, "cannot set the mode of %s", path);
	if (rc == 0)
		return fd;
	close(fd);
	return -1;
}

int mm_mkdirs(const char *path, mode_t mode, struct mm_err *err)
{
	int at = open(path[0] == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (at < 0)
		return mm_err_sys(err, MM_EX_FAILED, "cannot open the folder above %s", path);
	for (const char *p = path; *(p += strspn(p, "/")) != '\0';) {
		char name[NAME_MAX + 1];
		size_t n = strcspn(p, "/");
		int next = -1;
		if (n >= sizeof(name)) {
			mm_err_set(err, MM_EX_FAILED, "%s: a component is too long", path);
		} else {
			memcpy(name, p, n);
			name[n] = '\0';
			next = enter_own(at, name, mode, path, err);
		}
		close(at);
		if (next < 0)
			return -1;
		at = next;
		p += n;
	}
	close(at);
	return 0;
}

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* 1: we hold it, 0: somebody else does, -1: error. */
static int try_lock(int fd, const char *path, struct mm_err *err)
{
	struct stat mine, there;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK || errno == EINTR)
			return 0;
		return mm_err_sys(err, MM_EX_FAILED, "cannot lock %s", path);
	}
	if (fstat(fd, &mine) < 0)
		return mm_err_sys(err, MM_EX_FAILED, "cannot look at %s", path);
	if (!S_ISREG(mine.st_mode) || mine.st_uid != geteuid())
		return mm_err_set(err, MM_EX_NOPERM, "the lock file %s is not a regular file of ours", path);
	/* A lock on a file that was removed meanwhile locks nothing. */
	if (lstat(path, &there) < 0 || there.st_ino != mine.st_ino || there.st_dev != mine.st_dev)
		return 0;
	return 1;
}

int mm_lock_file(const char *path, int timeout_ms, struct mm_err *err)
{
	const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
	int64_t deadline = now_ms() + timeout_ms;
	for (;;) {
		int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
		if (fd < 0)
			return mm_err_sys(err, MM_EX_FAILED, "cannot open the lock file %s", path);
		int got = try_lock(fd, path, err);
		if (got > 0)
			return fd;
		close(fd);
		if (got < 0)
			return -1;
		if (now_ms() >= deadline)
			return mm_err_set(err, MM_EX_FAILED, "%s is locked by another process", path);
		nanosleep(&pause, NULL);
	}
}
