#include "agent/reader.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/text.h"

#define NAMES_MAX 100000 /* entries of one folder that are looked at */

struct real {
	const struct mm_identity *who;
	enum mm_file_trouble last;
};

static bool below(const char *home, const char *path)
{
	size_t n = strlen(home);
	return strncmp(path, home, n) == 0 && path[n] == '/';
}

static int read_as(
    struct mm_reader *r, const char *path, struct mm_buf *text, enum mm_file_trouble *why, struct mm_err *err)
{
	const struct real *real = r->ctx;
	if (below(r->home, path))
		return mm_file_read(r->home, path, real->who->uid, MM_FORMAT_TEXT_MAX, text, NULL, why, err);
	int rc = mm_file_read("/", path, 0, MM_FORMAT_TEXT_MAX, text, NULL, why, err);
	if (rc == 0 || (*why != MM_FILE_OWNER && *why != MM_FILE_LINK))
		return rc;
	mm_buf_reset(text);
	return mm_file_read("/", path, real->who->uid, MM_FORMAT_TEXT_MAX, text, NULL, why, err);
}

static int read_file(
    struct mm_reader *r, const char *path, struct mm_text *out, enum mm_file_trouble *why, struct mm_err *err)
{
	struct real *real = r->ctx;
	struct mm_buf text = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);
	enum mm_file_trouble t = MM_FILE_OK;
	struct mm_err e = MM_ERR_NONE;
	int rc = read_as(r, path, &text, &t, &e);
	if (rc == 0) {
		*out = (struct mm_text){mm_arena_strndup(r->arena, mm_buf_str(&text), text.len), text.len};
		rc = 1;
	} else if (t == MM_FILE_ABSENT) {
		rc = 0;
	} else {
		real->last = *why = t;
		if (err != NULL)
			*err = e;
	}
	mm_buf_free(&text);
	return rc;
}

static int by_name(const void *x, const void *y)
{
	const char *const *a = x, *const *b = y;
	return strcmp(*a, *b);
}

static int list_folder(struct mm_reader *r, const char *path, const char *const **names, struct mm_err *err)
{
	const char **list = NULL;
	size_t n = 0, cap = 0;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	if (d == NULL) {
		if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
			return 0;
		return mm_err_sys(err, MM_EX_FAILED, "cannot list %s", path);
	}
	for (struct dirent *e; n < NAMES_MAX && (e = readdir(d)) != NULL;) {
		if (!mm_streq(e->d_name, ".") && !mm_streq(e->d_name, ".."))
			*(const char **)mm_arena_push(r->arena, &list, &n, &cap, sizeof(*list)) =
			    mm_arena_strdup(r->arena, e->d_name);
	}
	closedir(d);
	if (n > 0)
		qsort(list, n, sizeof(*list), by_name);
	*(const char **)mm_arena_push(r->arena, &list, &n, &cap, sizeof(*list)) = NULL;
	*names = list;
	return 1;
}

static const char *user_env(struct mm_reader *r, const char *name)
{
	const struct real *real = r->ctx;
	if (mm_streq(name, "HOME"))
		return r->home;
	return real->who->session ? getenv(name) : NULL;
}

static bool has_program(struct mm_reader *r, const char *name)
{
	static const char *const dirs[] = {
	    "/usr/local/bin", "/usr/bin", "/bin", "/usr/games", "/snap/bin", NULL};
	if (strchr(name, '/') != NULL)
		return access(name, X_OK) == 0;
	for (size_t i = 0; dirs[i] != NULL; i++) {
		if (access(mm_arena_printf(r->arena, "%s/%s", dirs[i], name), X_OK) == 0)
			return true;
	}
	return access(mm_arena_printf(r->arena, "%s/.local/bin/%s", r->home, name), X_OK) == 0;
}

static bool is_locked(struct mm_reader *r, const char *path)
{
	struct flock want = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	(void)r;
	if (fd < 0)
		return false;
	bool held = fcntl(fd, F_GETLK, &want) == 0 && want.l_type != F_UNLCK;
	close(fd);
	return held;
}

static bool is_process(const char *pid, uid_t uid, const char *comm)
{
	char path[64], name[32];
	struct stat st;
	ssize_t n;
	snprintf(path, sizeof(path), "/proc/%.20s/comm", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = fstat(fd, &st) == 0 && st.st_uid == uid ? read(fd, name, sizeof(name) - 1) : -1;
	close(fd);
	if (n <= 0)
		return false;
	name[n] = '\0';
	name[strcspn(name, "\n")] = '\0';
	return mm_streq(name, comm);
}

static bool is_running(struct mm_reader *r, const char *comm)
{
	const struct real *real = r->ctx;
	bool found = false;
	DIR *d = opendir("/proc");
	if (d == NULL)
		return false;
	for (struct dirent *e; !found && (e = readdir(d)) != NULL;)
		found =
		    e->d_name[0] >= '1' && e->d_name[0] <= '9' && is_process(e->d_name, real->who->uid, comm);
	closedir(d);
	return found;
}

struct mm_reader *mm_reader_new(struct mm_arena *a, const struct mm_identity *who)
{
	struct mm_reader *r = mm_arena_alloc(a, 1, sizeof(*r));
	struct real *real = mm_arena_alloc(a, 1, sizeof(*real));
	real->who = who;
	*r = (struct mm_reader){.arena = a,
	    .login = who->login,
	    .home = who->home,
	    .file = read_file,
	    .list = list_folder,
	    .env = user_env,
	    .program = has_program,
	    .locked = is_locked,
	    .running = is_running,
	    .ctx = real};
	return r;
}

enum mm_file_trouble mm_reader_trouble(struct mm_reader *r)
{
	struct real *real = r->ctx;
	enum mm_file_trouble t = real->last;
	real->last = MM_FILE_OK;
	return t;
}

int mm_reader_text(void *ctx, const char *path, struct mm_text *text)
{
	struct mm_reader *r = ctx;
	enum mm_file_trouble why;
	return r->file(r, path, text, &why, NULL);
}
