#include "agent/reader.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/text.h"

#define NAMES_MAX 100000 /* entries of one folder that are looked at */
/* So long one look at the processes serves: less than a mail program needs to start. */
#define PROCESSES_MS 50

struct real {
	const struct mm_identity *who;
	enum mm_file_trouble last;
	/* the user's processes, when they were looked at, and whose they are */
	struct process {
		const char *name;
		pid_t pid;
	} * processes;
	size_t n_processes;
	int64_t looked_at; /* 0: never */
	uid_t looked_for;
	pid_t *met; /* mm_reader_met() */
	size_t n_met, cap_met;
	struct read_file { /* those that were read */
		const char *path;
		struct stat st;
	} * files;
	size_t n_files, cap_files;
};

static bool below(const char *home, const char *path)
{
	size_t n = strlen(home);
	return strncmp(path, home, n) == 0 && path[n] == '/';
}

static int read_as(struct mm_reader *r, const char *path, struct mm_buf *text, struct stat *st,
    enum mm_file_trouble *why, struct mm_err *err)
{
	const struct real *real = r->ctx;
	if (below(r->home, path))
		return mm_file_read(r->home, path, real->who->uid, MM_FORMAT_TEXT_MAX, text, st, why, err);
	int rc = mm_file_read("/", path, 0, MM_FORMAT_TEXT_MAX, text, st, why, err);
	if (rc == 0 || (*why != MM_FILE_OWNER && *why != MM_FILE_LINK))
		return rc;
	mm_buf_reset(text);
	return mm_file_read("/", path, real->who->uid, MM_FORMAT_TEXT_MAX, text, st, why, err);
}

static struct read_file *known(const struct real *real, const char *path)
{
	for (size_t i = 0; i < real->n_files; i++)
		if (mm_streq(real->files[i].path, path))
			return &real->files[i];
	return NULL;
}

static void note_file(struct mm_reader *r, const char *path, const struct stat *st)
{
	struct real *real = r->ctx;
	struct read_file *f = known(real, path);
	if (f == NULL) {
		f = mm_arena_push(r->arena, &real->files, &real->n_files, &real->cap_files, sizeof(*f));
		f->path = mm_arena_strdup(r->arena, path);
	}
	f->st = *st;
}

bool mm_reader_stat(struct mm_reader *r, const char *path, struct stat *out)
{
	const struct read_file *f = known(r->ctx, path);
	if (f != NULL)
		*out = f->st;
	return f != NULL;
}

static int read_file(
    struct mm_reader *r, const char *path, struct mm_text *out, enum mm_file_trouble *why, struct mm_err *err)
{
	struct real *real = r->ctx;
	struct mm_buf text = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);
	enum mm_file_trouble t = MM_FILE_OK;
	struct mm_err e = MM_ERR_NONE;
	struct stat st;
	int rc = read_as(r, path, &text, &st, &t, &e);
	if (rc == 0) {
		note_file(r, path, &st);
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

static void meet(struct mm_reader *r, pid_t pid)
{
	struct real *real = r->ctx;
	*(pid_t *)mm_arena_push(r->arena, &real->met, &real->n_met, &real->cap_met, sizeof(*real->met)) = pid;
}

const pid_t *mm_reader_met(struct mm_reader *r, size_t *n)
{
	const struct real *real = r->ctx;
	*n = real->n_met;
	return real->met;
}

void mm_reader_forget(struct mm_reader *r)
{
	struct real *real = r->ctx;
	real->n_met = 0;
}

static bool is_locked(struct mm_reader *r, const char *path)
{
	struct flock want = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool held = fcntl(fd, F_GETLK, &want) == 0 && want.l_type != F_UNLCK;
	close(fd);
	if (held)
		meet(r, want.l_pid > 0 ? want.l_pid : 0);
	return held;
}

/* Most processes are somebody else's, and cost one question. */
static const char *process_name(struct mm_arena *a, int proc, const char *pid, uid_t uid)
{
	char path[64], name[32];
	struct stat st;
	if (fstatat(proc, pid, &st, AT_SYMLINK_NOFOLLOW) != 0 || st.st_uid != uid)
		return NULL;
	snprintf(path, sizeof(path), "%.20s/comm", pid);
	int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	ssize_t n = read(fd, name, sizeof(name) - 1);
	close(fd);
	if (n <= 0)
		return NULL;
	name[n] = '\0';
	return mm_arena_strndup(a, name, strcspn(name, "\n"));
}

/* What the user runs now; asked by one adapter after the other, so one look
 * serves all whose questions come at once. */
static void look_at_processes(struct mm_reader *r, struct real *real)
{
	size_t cap = 0;
	DIR *d = opendir("/proc");
	real->processes = NULL;
	real->n_processes = 0;
	if (d == NULL)
		return;
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		int64_t pid;
		if (mm_parse_int(e->d_name, 1, INT32_MAX, &pid) != 0)
			continue;
		const char *name = process_name(r->arena, dirfd(d), e->d_name, real->who->uid);
		if (name != NULL)
			*(struct process *)mm_arena_push(r->arena, &real->processes, &real->n_processes, &cap,
			    sizeof(*real->processes)) = (struct process){name, (pid_t)pid};
	}
	closedir(d);
}

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What its parent has not taken leave of keeps its name. */
static bool has_ended(pid_t pid)
{
	struct pollfd p = {.fd = pidfd_open(pid, 0), .events = POLLIN};
	if (p.fd < 0)
		return errno == ESRCH;
	bool ended = poll(&p, 1, 0) == 1;
	close(p.fd);
	return ended;
}

static bool is_running(struct mm_reader *r, const char *comm)
{
	struct real *real = r->ctx;
	int64_t now = now_ms();
	if (real->looked_at == 0 || now - real->looked_at > PROCESSES_MS ||
	    real->looked_for != real->who->uid) {
		look_at_processes(r, real);
		real->looked_at = now;
		real->looked_for = real->who->uid;
	}
	bool any = false;
	for (size_t i = 0; i < real->n_processes; i++) {
		if (!mm_streq(real->processes[i].name, comm) || has_ended(real->processes[i].pid))
			continue;
		meet(r, real->processes[i].pid);
		any = true;
	}
	return any;
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
