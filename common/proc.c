#include "common/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/frame.h"
#include "common/mem.h"

#define KILL_AFTER_MS 500 /* between SIGTERM and SIGKILL */
#define LINGER_MS 250     /* how long a descendant may go on writing after the program ended */
#define GIVE_UP_MS 2000   /* after SIGKILL: it hangs in the kernel */
#define TICK_MS 20

/* Where a program's output goes; -1 when it does not fit. */
struct sink {
	int fd; /* read end; -1 when closed */
	int (*take)(void *dest, const char *p, size_t n);
	void *dest;
};

struct running {
	pid_t pid;
	int pidfd; /* -1: this kernel has none, look every TICK_MS */
	struct sink out, err;
	int64_t deadline; /* of the present phase, on the monotonic clock; INT64_MAX: none */
	bool ended;       /* the program has exited, and is not yet reaped */
	bool killing;     /* SIGTERM was sent */
	bool killed;      /* SIGKILL, too */
	enum mm_run_end how;
};

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int take_all(void *dest, const char *p, size_t n)
{
	struct mm_buf *b = dest;
	mm_buf_add(b, p, n);
	return mm_buf_ok(b) ? 0 : -1;
}

/* Of what a program complains about the beginning is enough. */
static int take_some(void *dest, const char *p, size_t n)
{
	struct mm_buf *b = dest;
	size_t left = b->max - b->len;
	mm_buf_add(b, p, n < left ? n : left);
	return 0;
}

static int take_secret(void *dest, const char *p, size_t n)
{
	return mm_secret_add(dest, p, n, NULL);
}

/* ---- in the child: only calls that are safe after fork */

static void default_signals(void)
{
	struct sigaction sa = {.sa_handler = SIG_DFL};
	for (int i = 1; i < NSIG; i++)
		sigaction(i, &sa, NULL);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

struct child_fds {
	int in, out, err, status;
};

/* Bring the descriptors to 0, 1, 2 and 3. They are lifted above 3 first, so
 * that none is overwritten before it was copied. */
static int arrange_fds(struct child_fds f)
{
	int *all[] = {&f.in, &f.out, &f.err, &f.status};
	for (size_t i = 0; i < 4; i++) {
		*all[i] = fcntl(*all[i], F_DUPFD, 4);
		if (*all[i] < 0)
			return -1;
	}
	for (int i = 0; i < 4; i++) {
		if (dup2(*all[i], i) < 0)
			return -1;
	}
	mm_close_above(3);
	return fcntl(3, F_SETFD, FD_CLOEXEC);
}

_Noreturn static void child(const struct mm_run *r, char *const *argv, char *const *env, struct child_fds f)
{
	int status = f.status;
	if ((r->new_session ? setsid() < 0 : setpgid(0, 0) < 0) || arrange_fds(f) < 0) {
		int e = errno;
		(void)!write(status, &e, sizeof(e));
		_exit(127);
	}
	default_signals();
	execve(argv[0], argv, env);
	int e = errno;
	(void)!write(3, &e, sizeof(e));
	_exit(127);
}

/* ---- in the parent */

static char **default_env(struct mm_arena *a)
{
	static const char *const names[] = {"PATH", "HOME", "LANG", "USER", "LOGNAME"};
	const size_t count = sizeof(names) / sizeof(names[0]);
	char **env = mm_arena_alloc(a, count + 1, sizeof(*env));
	size_t n = 0;
	for (size_t i = 0; i < count; i++) {
		const char *v = getenv(names[i]);
		if (v != NULL)
			env[n++] = mm_arena_printf(a, "%s=%s", names[i], v);
	}
	return env;
}

static char **copy_list(struct mm_arena *a, const char *const *list)
{
	size_t n = 0;
	while (list[n] != NULL)
		n++;
	char **copy = mm_arena_alloc(a, n + 1, sizeof(*copy));
	for (size_t i = 0; i < n; i++)
		copy[i] = mm_arena_strdup(a, list[i]);
	return copy;
}

/* Standard input from memory: no pipe that could fill or break. */
static int open_input(const struct mm_run *r, struct mm_err *err)
{
	if (r->stdin_data == NULL) {
		int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		return fd >= 0 ? fd : mm_err_sys(err, MM_EX_FAILED, "cannot open /dev/null");
	}
	int fd = memfd_create("mailmuster-stdin", MFD_CLOEXEC);
	if (fd < 0)
		return mm_err_sys(err, MM_EX_FAILED, "cannot make an input for %s", r->argv[0]);
	if (mm_write_all(fd, r->stdin_data, r->stdin_len, err) == 0 && lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	close(fd);
	return -1;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* 0 when the program runs; otherwise says why not. */
static int await_exec(int status, pid_t pid, const char *program, struct mm_err *err)
{
	int e = 0;
	ssize_t n = 0;
	do {
		n = read(status, &e, sizeof(e));
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		return 0;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	errno = n == (ssize_t)sizeof(e) ? e : EIO;
	return mm_err_sys(err, MM_EX_FAILED, "cannot run %s", program);
}

/* The ends of the pipes: [0] is ours, [1] the child's. */
struct plumbing {
	int in;
	int out[2], err[2], status[2];
};

static int lay_pipes(const struct mm_run *r, bool want_err, struct plumbing *p, struct mm_err *err)
{
	*p = (struct plumbing){.in = -1, .out = {-1, -1}, .err = {-1, -1}, .status = {-1, -1}};
	p->in = open_input(r, err);
	if (p->in < 0)
		return -1;
	if (pipe2(p->out, O_CLOEXEC) < 0 || pipe2(p->status, O_CLOEXEC) < 0 ||
	    (want_err && pipe2(p->err, O_CLOEXEC) < 0))
		return mm_err_sys(err, MM_EX_FAILED, "cannot make a pipe");
	if (!want_err)
		p->err[1] = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (p->err[1] < 0)
		return mm_err_sys(err, MM_EX_FAILED, "cannot open /dev/null");
	return 0;
}

static void close_pipes(struct plumbing *p)
{
	int *all[] = {&p->in, &p->out[0], &p->out[1], &p->err[0], &p->err[1], &p->status[0], &p->status[1]};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		close_fd(all[i]);
}

static int start(const struct mm_run *r, struct plumbing *p, struct running *run, struct mm_err *err)
{
	/* Everything that allocates comes before the fork. */
	struct mm_arena *a = mm_arena_new();
	char **argv = copy_list(a, r->argv);
	char **env = r->env != NULL ? copy_list(a, r->env) : default_env(a);
	pid_t pid = fork();
	if (pid == 0)
		child(r, argv, env, (struct child_fds){p->in, p->out[1], p->err[1], p->status[1]});
	mm_arena_free(a);
	if (pid < 0)
		return mm_err_sys(err, MM_EX_FAILED, "cannot start a process for %s", r->argv[0]);
	close_fd(&p->status[1]);
	if (await_exec(p->status[0], pid, r->argv[0], err) < 0)
		return -1;
	run->pid = pid;
	run->pidfd = pidfd_open(pid, 0);
	return 0;
}

/* Read once. True when the sink is full. */
static bool drain(struct sink *s)
{
	char chunk[8192];
	ssize_t n = read(s->fd, chunk, sizeof(chunk));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return false;
	bool full = n > 0 && s->take(s->dest, chunk, (size_t)n) < 0;
	/* It may have been a password. */
	explicit_bzero(chunk, sizeof(chunk));
	if (n <= 0)
		close_fd(&s->fd);
	return full;
}

static bool has_ended(pid_t pid)
{
	siginfo_t info = {.si_pid = 0};
	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == pid;
}

static void stop(struct running *run, enum mm_run_end how)
{
	if (run->killing)
		return;
	run->killing = true;
	run->how = how;
	run->deadline = now_ms() + KILL_AFTER_MS;
	kill(-run->pid, SIGTERM);
}

static void kill_hard(struct running *run)
{
	run->killed = true;
	run->deadline = now_ms() + GIVE_UP_MS;
	kill(-run->pid, SIGKILL);
	close_fd(&run->out.fd);
	close_fd(&run->err.fd);
}

static void wait_event(struct running *run)
{
	struct pollfd p[3] = {
	    {.fd = run->out.fd, .events = POLLIN},
	    {.fd = run->err.fd, .events = POLLIN},
	    {.fd = run->ended ? -1 : run->pidfd, .events = POLLIN},
	};
	int64_t left = run->deadline - now_ms();
	left = left < 0 ? 0 : left > 60000 ? 60000 : left;
	if (run->pidfd < 0 && !run->ended && left > TICK_MS)
		left = TICK_MS;
	if (poll(p, 3, (int)left) < 0)
		return;
	if (p[0].revents != 0 && drain(&run->out))
		stop(run, MM_RUN_OVERFLOW);
	if (p[1].revents != 0 && run->err.take != NULL)
		drain(&run->err);
}

/* Until the program has ended and its output is closed or lingers too long. */
static void attend(struct running *run)
{
	while (!run->ended || run->out.fd >= 0 || run->err.fd >= 0) {
		wait_event(run);
		if (!run->ended && has_ended(run->pid)) {
			run->ended = true;
			/* A descendant that keeps the pipe open is not waited for. */
			int64_t linger = now_ms() + LINGER_MS;
			if (linger < run->deadline)
				run->deadline = linger;
		}
		if (now_ms() < run->deadline)
			continue;
		if (run->ended || run->killed)
			return;
		if (run->killing)
			kill_hard(run);
		else
			stop(run, MM_RUN_TIMEOUT);
	}
}

static void reap(struct running *run, struct mm_run_result *res)
{
	int status = 0;
	pid_t got = 0;
	/* While it is a zombie its number, and its group's, cannot be another's. */
	if (run->killing)
		kill(-run->pid, SIGKILL);
	do {
		got = waitpid(run->pid, &status, run->ended ? 0 : WNOHANG);
	} while (got < 0 && errno == EINTR);
	res->how = run->how;
	res->status = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
	if (run->how == MM_RUN_EXITED && WIFSIGNALED(status))
		res->how = MM_RUN_SIGNALED;
}

static int run_into(const struct mm_run *r, struct sink out, struct sink errout, struct mm_run_result *res,
    struct mm_err *err)
{
	if (r->argv == NULL || r->argv[0] == NULL || r->argv[0][0] != '/')
		return mm_err_set(err, MM_EX_FAILED, "cannot run %s: not an absolute path",
		    r->argv != NULL && r->argv[0] != NULL ? r->argv[0] : "nothing");
	struct plumbing p;
	struct running run = {.pidfd = -1, .how = MM_RUN_EXITED};
	int64_t began = now_ms();
	if (lay_pipes(r, errout.take != NULL, &p, err) < 0 || start(r, &p, &run, err) < 0) {
		close_pipes(&p);
		return -1;
	}
	run.out = out;
	run.out.fd = p.out[0];
	run.err = errout;
	run.err.fd = p.err[0];
	p.out[0] = p.err[0] = -1;
	close_pipes(&p);
	run.deadline = r->timeout_ms > 0 ? began + r->timeout_ms : INT64_MAX;
	attend(&run);
	reap(&run, res);
	close_fd(&run.out.fd);
	close_fd(&run.err.fd);
	close_fd(&run.pidfd);
	return 0;
}

int mm_run(const struct mm_run *r, struct mm_buf *out, struct mm_buf *errout, struct mm_run_result *res,
    struct mm_err *err)
{
	struct sink e = {.fd = -1};
	if (errout != NULL)
		e = (struct sink){.fd = -1, .take = take_some, .dest = errout};
	return run_into(r, (struct sink){.fd = -1, .take = take_all, .dest = out}, e, res, err);
}

int mm_run_secret(
    const struct mm_run *r, struct mm_secret *out, struct mm_run_result *res, struct mm_err *err)
{
	if (mm_secret_set(out, "", 0, err) < 0)
		return -1;
	struct sink s = {.fd = -1, .take = take_secret, .dest = out};
	return run_into(r, s, (struct sink){.fd = -1}, res, err);
}

int mm_find_beside(const char *name, char *out, size_t size, struct mm_err *err)
{
	static const char *const below[] = {"", "/../libexec/mailmuster"};
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n <= 0)
		return mm_err_sys(err, MM_EX_FAILED, "cannot find out where mailmuster is installed");
	self[n] = '\0';
	char *slash = strrchr(self, '/');
	if (slash != NULL)
		*slash = '\0';
	for (size_t i = 0; i < sizeof(below) / sizeof(*below); i++) {
		int len = snprintf(out, size, "%s%s/%s", self, below[i], name);
		if (len > 0 && (size_t)len < size && access(out, X_OK) == 0)
			return 0;
	}
	return mm_err_set(err, MM_EX_FAILED,
	    "%s is neither in %s nor in %s%s: the installation is not complete", name, self, self, below[1]);
}
