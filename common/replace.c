/* The atomic replacement of a file; the contract stands in file.h. */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/digest.h"
#include "common/file.h"
#include "common/frame.h"
#include "common/mem.h"

#define TEMP_MARK ".mailmuster."
#define TEMP_RANDOM 6
/* Room for the dot, the mark and the random part in a name of 255 bytes. */
#define TEMP_STEM 220
#define TEMP_TRIES 100
#define ACL_ACCESS "system.posix_acl_access"

/* One replacement on its way. */
struct job {
	struct mm_place_fd at;
	int dirfd; /* readable, for fsync and for looking around; -1 when the folder is not readable */
	int old;   /* the file that is there, or -1 */
	struct stat old_st;
	char old_sha256[MM_SHA256_HEX];
	int temp;
	char temp_name[NAME_MAX + 1];
	enum mm_file_trouble *why;
	struct mm_err *err;
};

static int fail(struct job *j, enum mm_file_trouble t, const char *what)
{
	*j->why = t;
	return mm_err_set(j->err, MM_EX_FAILED, "%s: %s", j->at.path, what);
}

static enum mm_file_trouble trouble_of(int error)
{
	switch (error) {
	case EROFS:
	case EACCES:
	case EPERM:
		return MM_FILE_READONLY;
	default:
		return MM_FILE_SYSTEM;
	}
}

static int fail_sys(struct job *j, const char *what)
{
	*j->why = trouble_of(errno);
	return mm_err_sys(j->err, MM_EX_FAILED, "%s: %s", j->at.path, what);
}

/* SHA-256 of an open file from its beginning, whatever its size. */
static int hash_fd(int fd, char hex[MM_SHA256_HEX])
{
	struct mm_sha256_ctx *c = mm_sha256_begin();
	uint8_t digest[MM_SHA256_LEN];
	char chunk[16384];
	off_t at = 0;
	ssize_t n = 0;
	while ((n = pread(fd, chunk, sizeof(chunk), at)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		mm_sha256_add(c, chunk, (size_t)n);
		at += n;
	}
	mm_sha256_end(c, digest);
	mm_hex(digest, sizeof(digest), hex);
	return n < 0 ? -1 : 0;
}

/* Open what is there and take its digest. 0 also when nothing is there. */
static int look(struct job *j, uid_t uid)
{
	struct mm_err why = MM_ERR_NONE;
	j->old = mm_file_open_at(&j->at, &j->old_st, j->why, &why);
	if (j->old < 0 && *j->why == MM_FILE_ABSENT)
		return 0;
	if (j->old < 0)
		return mm_err_set(j->err, why.code, "%s", why.text);
	if (j->old_st.st_uid != uid)
		return fail(j, MM_FILE_OWNER, "belongs to somebody else");
	if (hash_fd(j->old, j->old_sha256) < 0)
		return fail_sys(j, "cannot read it");
	return 0;
}

static int check_expected(struct job *j, const char *expect)
{
	if (expect[0] == '\0' && j->old >= 0)
		return fail(j, MM_FILE_CHANGED, "it exists now; somebody made it meanwhile");
	if (expect[0] != '\0' && j->old < 0)
		return fail(j, MM_FILE_CHANGED, "it does not exist any more");
	if (expect[0] != '\0' && strcmp(expect, j->old_sha256) != 0)
		return fail(j, MM_FILE_CHANGED, "somebody wrote to it meanwhile");
	return 0;
}

static size_t temp_prefix(const char *name, char out[NAME_MAX + 1])
{
	int n = snprintf(out, NAME_MAX + 1, ".%.*s" TEMP_MARK, TEMP_STEM, name);
	assert(n > 0 && n + TEMP_RANDOM <= NAME_MAX);
	return (size_t)n;
}

/* A temporary file whose maker still lives is locked, and not ours to remove. */
static void remove_stale(struct job *j, const char *name)
{
	struct stat st;
	int fd = openat(j->at.dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return;
	bool dead = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
		    !(flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK);
	if (dead)
		unlinkat(j->at.dirfd, name, 0);
	close(fd);
}

static void remove_all_stale(struct job *j)
{
	char prefix[NAME_MAX + 1];
	size_t n = temp_prefix(j->at.name, prefix);
	int fd = j->dirfd >= 0 ? openat(j->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	if (d == NULL) {
		if (fd >= 0)
			close(fd);
		return;
	}
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		if (strncmp(e->d_name, prefix, n) == 0 && strlen(e->d_name) == n + TEMP_RANDOM)
			remove_stale(j, e->d_name);
	}
	closedir(d);
}

static int make_temp(struct job *j)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
	size_t n = temp_prefix(j->at.name, j->temp_name);
	for (int try = 0; try < TEMP_TRIES; try++) {
		unsigned char r[TEMP_RANDOM];
		mm_random(r, sizeof(r));
		for (size_t i = 0; i < TEMP_RANDOM; i++)
			j->temp_name[n + i] = letters[r[i] & 31];
		j->temp_name[n + TEMP_RANDOM] = '\0';
		j->temp = openat(
		    j->at.dirfd, j->temp_name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (j->temp >= 0) {
			/* Without locks a stale-file hunt next door might take it: then
			 * the rename fails, and the old file stays. */
			(void)!flock(j->temp, LOCK_EX | LOCK_NB);
			return 0;
		}
		if (errno != EEXIST)
			break;
	}
	return fail_sys(j, "cannot make a temporary file beside it");
}

static bool not_supported(int error)
{
	return error == ENOTSUP || error == ENOSYS;
}

static int copy_xattr(struct job *j, const char *name)
{
	ssize_t n = fgetxattr(j->old, name, NULL, 0);
	if (n < 0)
		return errno == ENODATA || not_supported(errno) ? 0 : -1;
	char *value = mm_xcalloc((size_t)n + 1, 1);
	n = fgetxattr(j->old, name, value, (size_t)n);
	int rc = n < 0 ? -1 : fsetxattr(j->temp, name, value, (size_t)n, 0);
	int error = errno;
	free(value);
	errno = error;
	if (rc == 0 || not_supported(error))
		return 0;
	/* Labels that only the system's policy may set: it set them at creation. */
	return error == EPERM && strncmp(name, "security.", 9) == 0 ? 0 : -1;
}

static int copy_xattrs(struct job *j)
{
	ssize_t n = flistxattr(j->old, NULL, 0);
	if (n < 0)
		return not_supported(errno) ? 0 : -1;
	size_t size = (size_t)n + 1;
	char *names = mm_xcalloc(size, 1);
	n = flistxattr(j->old, names, size);
	int rc = n < 0 ? -1 : 0;
	bool acl = false;
	for (const char *p = names; rc == 0 && p < names + n; p += strlen(p) + 1) {
		acl = acl || strcmp(p, ACL_ACCESS) == 0;
		rc = copy_xattr(j, p);
	}
	int error = errno;
	free(names);
	errno = error;
	/* The folder's default ACL may have given the new file one that the old lacks. */
	if (rc == 0 && !acl && fremovexattr(j->temp, ACL_ACCESS) < 0 && errno != ENODATA &&
	    !not_supported(errno))
		rc = -1;
	return rc;
}

/* Owner before attributes before mode: each can undo the one after it. */
static int dress(struct job *j, mode_t create_mode)
{
	struct stat st;
	if (j->old < 0)
		return fchmod(j->temp, create_mode) < 0 ? fail_sys(j, "cannot set the mode") : 0;
	if (fstat(j->temp, &st) < 0)
		return fail_sys(j, "cannot look at the temporary file");
	if ((st.st_uid != j->old_st.st_uid || st.st_gid != j->old_st.st_gid) &&
	    fchown(j->temp, j->old_st.st_uid, j->old_st.st_gid) < 0)
		return fail_sys(j, "cannot keep its owner and group");
	if (copy_xattrs(j) < 0)
		return fail_sys(j, "cannot keep its access list or extended attributes");
	if (fchmod(j->temp, j->old_st.st_mode & 07777) < 0)
		return fail_sys(j, "cannot keep its mode");
	return 0;
}

static int fill(struct job *j, const void *data, size_t len, mode_t create_mode)
{
	struct mm_err why = MM_ERR_NONE;
	if (mm_write_all(j->temp, data, len, &why) < 0) {
		*j->why = trouble_of(errno);
		return mm_err_set(j->err, MM_EX_FAILED, "%s: %s", j->at.path, why.text);
	}
	if (dress(j, create_mode) < 0)
		return -1;
	if (fsync(j->temp) < 0)
		return fail_sys(j, "cannot write it to the disk");
	int fd = j->temp;
	j->temp = -1;
	/* Network file systems tell of a full disk only here. */
	if (close(fd) < 0 && errno != EINTR)
		return fail_sys(j, "cannot write it to the disk");
	return 0;
}

/* Is it still the file, with the content, that the decision was made on? */
static int unchanged(struct job *j)
{
	struct stat now;
	char hex[MM_SHA256_HEX];
	if (fstatat(j->at.dirfd, j->at.name, &now, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno == ENOENT && j->old < 0)
			return 0;
		if (errno != ENOENT)
			return fail_sys(j, "cannot look at it again");
		return fail(j, MM_FILE_CHANGED, "somebody removed it meanwhile");
	}
	if (j->old < 0)
		return fail(j, MM_FILE_CHANGED, "it exists now; somebody made it meanwhile");
	if (now.st_ino != j->old_st.st_ino || now.st_dev != j->old_st.st_dev || !S_ISREG(now.st_mode) ||
	    now.st_uid != j->old_st.st_uid || now.st_mode != j->old_st.st_mode)
		return fail(j, MM_FILE_CHANGED, "somebody replaced it meanwhile");
	if (hash_fd(j->old, hex) < 0)
		return fail_sys(j, "cannot read it again");
	if (strcmp(hex, j->old_sha256) != 0)
		return fail(j, MM_FILE_CHANGED, "somebody wrote to it meanwhile");
	return 0;
}

static int put_in_place(struct job *j)
{
	int rc = 0;
	if (j->old >= 0) {
		rc = renameat(j->at.dirfd, j->temp_name, j->at.dirfd, j->at.name);
	} else {
		rc = renameat2(j->at.dirfd, j->temp_name, j->at.dirfd, j->at.name, RENAME_NOREPLACE);
		/* File systems without the flag: we looked a moment ago. */
		if (rc < 0 && (errno == EINVAL || errno == ENOSYS))
			rc = renameat(j->at.dirfd, j->temp_name, j->at.dirfd, j->at.name);
	}
	if (rc < 0 && errno == EEXIST)
		return fail(j, MM_FILE_CHANGED, "it exists now; somebody made it meanwhile");
	if (rc < 0)
		return fail_sys(j, "cannot put the new file in its place");
	j->temp_name[0] = '\0';
	return 0;
}

static int sync_folder(struct job *j)
{
	/* EINVAL: file systems that have nothing to sync for a folder. */
	if (j->dirfd >= 0 && fsync(j->dirfd) < 0 && errno != EINVAL && errno != ENOTSUP)
		return fail_sys(j, "was replaced, but the folder could not be written to the disk");
	return 0;
}

static int write_new(struct job *j, const void *data, size_t len, mode_t create_mode)
{
	remove_all_stale(j);
	if (make_temp(j) < 0 || fill(j, data, len, create_mode) < 0 || unchanged(j) < 0 ||
	    put_in_place(j) < 0)
		return -1;
	return sync_folder(j);
}

static int decide(struct job *j, uid_t uid, const void *data, size_t len, const struct mm_replace_opts *opts,
    enum mm_replaced *done)
{
	char hex[MM_SHA256_HEX];
	if (look(j, uid) < 0 || (opts->has_expect && check_expected(j, opts->expect_sha256) < 0))
		return -1;
	mm_sha256_hex(data, len, hex);
	if (j->old >= 0 && strcmp(hex, j->old_sha256) == 0) {
		*done = MM_KEPT;
		return 0;
	}
	if (j->old < 0 && opts->create_mode == 0)
		return fail(j, MM_FILE_ABSENT, "does not exist, and is not to be made");
	if (write_new(j, data, len, opts->create_mode) < 0)
		return -1;
	*done = j->old >= 0 ? MM_CHANGED : MM_CREATED;
	return 0;
}

/* `at` is taken over: its descriptor is closed here. */
static struct job begin(const struct mm_place_fd *at, enum mm_file_trouble *why, struct mm_err *err)
{
	return (struct job){
	    .at = *at,
	    .dirfd = openat(at->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
	    .old = -1,
	    .temp = -1,
	    .why = why,
	    .err = err,
	};
}

static void finish(struct job *j)
{
	if (j->temp >= 0)
		close(j->temp);
	if (j->temp_name[0] != '\0')
		unlinkat(j->at.dirfd, j->temp_name, 0);
	if (j->old >= 0)
		close(j->old);
	if (j->dirfd >= 0)
		close(j->dirfd);
	close(j->at.dirfd);
}

/* The folders above a file that is to be made. Which of them we made, so
 * that they can go again when the file could not be made. */
struct made {
	char path[PATH_MAX];
	size_t first; /* length of the path of the uppermost folder made; 0: none */
};

static int make_folder(const char *base, const char *path, uid_t uid, mode_t mode, bool *made,
    enum mm_file_trouble *why, struct mm_err *err)
{
	struct mm_place_fd at;
	if (mm_file_resolve(base, path, uid, &at, why, err) < 0)
		return -1;
	int rc = mkdirat(at.dirfd, at.name, mode);
	*made = rc == 0;
	if (rc == 0)
		rc = fchmodat(at.dirfd, at.name, mode, 0);
	else if (errno == EEXIST)
		rc = 0;
	if (rc < 0) {
		*why = trouble_of(errno);
		mm_err_sys(err, MM_EX_FAILED, "cannot make the folder %s", path);
	}
	close(at.dirfd);
	return rc;
}

static int make_folders(const char *base, const char *path, uid_t uid, mode_t mode, struct made *m,
    enum mm_file_trouble *why, struct mm_err *err)
{
	size_t n = strlen(path), from = strlen(base);
	if (n >= sizeof(m->path) || strncmp(path, base, from) != 0) {
		*why = MM_FILE_ABSENT;
		return mm_err_set(err, MM_EX_FAILED, "%s: its folder does not exist", path);
	}
	memcpy(m->path, path, n + 1);
	for (size_t i = from + 1; i < n; i++) {
		if (path[i] != '/' || path[i - 1] == '/')
			continue;
		bool made = false;
		m->path[i] = '\0';
		int rc = make_folder(base, m->path, uid, mode, &made, why, err);
		m->path[i] = '/';
		if (made && m->first == 0)
			m->first = i;
		if (rc < 0)
			return -1;
	}
	return 0;
}

static void remove_folders(struct made *m)
{
	size_t n = strlen(m->path);
	while (m->first > 0 && n > m->first) {
		while (n > 0 && m->path[n - 1] != '/')
			n--;
		if (n == 0)
			return;
		m->path[--n] = '\0';
		/* One that somebody put something into meanwhile stays. */
		rmdir(m->path);
	}
}

/* Resolve, making folders where that is wanted. */
static int find_place(const char *base, const char *path, uid_t uid, const struct mm_replace_opts *opts,
    struct mm_place_fd *at, struct made *made, enum mm_file_trouble *why, struct mm_err *err)
{
	struct mm_err first = MM_ERR_NONE;
	if (mm_file_resolve(base, path, uid, at, why, &first) == 0)
		return 0;
	if (*why != MM_FILE_ABSENT || opts->create_mode == 0 || opts->dir_mode == 0)
		return mm_err_set(err, first.code, "%s", first.text);
	if (make_folders(base, path, uid, opts->dir_mode, made, why, err) < 0)
		return -1;
	return mm_file_resolve(base, path, uid, at, why, err);
}

int mm_replace(const char *base, const char *path, uid_t uid, const void *data, size_t len,
    const struct mm_replace_opts *opts, enum mm_replaced *done, enum mm_file_trouble *why, struct mm_err *err)
{
	struct mm_place_fd at;
	struct made made = {.first = 0};
	int rc = find_place(base, path, uid, opts, &at, &made, why, err);
	if (rc == 0) {
		struct job j = begin(&at, why, err);
		rc = decide(&j, uid, data, len, opts, done);
		finish(&j);
	}
	if (rc < 0)
		remove_folders(&made);
	else
		*why = MM_FILE_OK;
	return rc;
}

static int unlink_expected(struct job *j, uid_t uid, const char *expect_sha256)
{
	if (look(j, uid) < 0)
		return -1;
	if (j->old < 0)
		return 0;
	/* The user moved our file elsewhere and made a link: it is the user's now. */
	if (j->at.final_link)
		return fail(j, MM_FILE_LINK, "is a symbolic link and is not removed");
	if (strcmp(j->old_sha256, expect_sha256) != 0)
		return fail(j, MM_FILE_CHANGED, "somebody wrote to it, so it is not removed");
	if (unchanged(j) < 0)
		return -1;
	if (unlinkat(j->at.dirfd, j->at.name, 0) < 0)
		return fail_sys(j, "cannot remove it");
	return sync_folder(j);
}

int mm_file_remove(const char *base, const char *path, uid_t uid, const char *expect_sha256,
    enum mm_file_trouble *why, struct mm_err *err)
{
	struct mm_place_fd at;
	struct mm_err first = MM_ERR_NONE;
	if (mm_file_resolve(base, path, uid, &at, why, &first) < 0) {
		if (*why != MM_FILE_ABSENT)
			return mm_err_set(err, first.code, "%s", first.text);
		*why = MM_FILE_OK;
		return 0;
	}
	struct job j = begin(&at, why, err);
	int rc = unlink_expected(&j, uid, expect_sha256);
	finish(&j);
	if (rc == 0)
		*why = MM_FILE_OK;
	return rc;
}

/* Our own path: the folder is trusted, a link at the end is replaced. */
static int open_own_place(const char *path, struct mm_place_fd *at, struct mm_err *err)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	size_t dir = slash != NULL ? (size_t)(slash - path) : 0;
	char folder[PATH_MAX] = ".";
	if (name[0] == '\0' || strlen(name) > NAME_MAX || strlen(path) >= sizeof(at->path))
		return mm_err_set(err, MM_EX_FAILED, "%s is not the path of a file", path);
	if (slash != NULL) {
		memcpy(folder, path, dir);
		folder[dir] = '\0';
	}
	if (slash == path)
		memcpy(folder, "/", 2);
	*at = (struct mm_place_fd){.dirfd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC)};
	if (at->dirfd < 0)
		return mm_err_sys(err, MM_EX_FAILED, "cannot open the folder of %s", path);
	memcpy(at->name, name, strlen(name) + 1);
	memcpy(at->path, path, strlen(path) + 1);
	return 0;
}

int mm_write_own(const char *path, const void *data, size_t len, mode_t mode, struct mm_err *err)
{
	struct mm_place_fd at;
	enum mm_file_trouble why = MM_FILE_OK;
	if (open_own_place(path, &at, err) < 0)
		return -1;
	struct job j = begin(&at, &why, err);
	remove_all_stale(&j);
	int rc = -1;
	if (make_temp(&j) == 0 && fill(&j, data, len, mode) == 0) {
		if (renameat(at.dirfd, j.temp_name, at.dirfd, at.name) < 0) {
			fail_sys(&j, "cannot put the new file in its place");
		} else {
			j.temp_name[0] = '\0';
			rc = sync_folder(&j);
		}
	}
	finish(&j);
	return rc;
}
