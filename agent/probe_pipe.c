#include "agent/probe_pipe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/proc.h"
#include "schemas/probe.h"

struct talk {
	const struct mm_probe_pipe *p;
	pid_t pid;
	int in, out, secrets; /* our ends */
	size_t sent;          /* of the tasks */
	struct mm_secret *record;
	size_t next_secret; /* to be put into `record` */
	const char *left;   /* of the record being written */
	size_t n_left;
	struct mm_buf lines;
	int64_t deadline;
};

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- starting */

static _Noreturn void become_probe(
    const struct mm_probe_pipe *p, char *const argv[], char *const env[], int in, int out, int secrets)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	/* High numbers first, so that none of the targets is overwritten. */
	int i = fcntl(in, F_DUPFD, 10), o = fcntl(out, F_DUPFD, 10), s = fcntl(secrets, F_DUPFD, 10);
	if (null < 0 || i < 0 || o < 0 || s < 0 || dup2(i, 0) < 0 || dup2(o, 1) < 0 || dup2(null, 2) < 0 ||
	    dup2(s, MM_PROBE_SECRET_FD) < 0)
		_exit(127);
	mm_close_above(MM_PROBE_SECRET_FD);
	signal(SIGPIPE, SIG_DFL);
	setsid();
	execve(p->program, argv, env);
	_exit(127);
}

static int start(struct talk *t, struct mm_err *err)
{
	const struct mm_probe_pipe *p = t->p;
	struct mm_arena *a = mm_arena_new();
	int in[2] = {-1, -1}, out[2] = {-1, -1}, sec[2] = {-1, -1}, rc = -1;
	char *argv[] = {mm_arena_strdup(a, p->program), NULL};
	char *env[] = {mm_arena_strdup(a, "PATH=/usr/bin:/bin"), mm_arena_strdup(a, "LANG=C.UTF-8"),
	    mm_arena_printf(a, "HOME=%s", p->who->home), mm_arena_printf(a, "USER=%s", p->who->login), NULL};
	if (pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0 && pipe2(sec, O_CLOEXEC) == 0 &&
	    (t->pid = fork()) >= 0)
		rc = 0;
	else
		mm_err_sys(err, MM_EX_FAILED, "cannot start %s", p->program);
	if (rc == 0 && t->pid == 0)
		become_probe(p, argv, env, in[0], out[1], sec[0]);
	close(in[0]);
	close(out[1]);
	close(sec[0]);
	t->in = in[1];
	t->out = out[0];
	t->secrets = sec[1];
	if (rc == 0 && (fcntl(t->in, F_SETFL, O_NONBLOCK) < 0 || fcntl(t->secrets, F_SETFL, O_NONBLOCK) < 0))
		rc = mm_err_sys(err, MM_EX_FAILED, "cannot talk to %s", p->program);
	mm_arena_free(a);
	return rc;
}

/* ---- talking */

static void shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* 1: all is written, 0: later, -1: the other end is gone. */
static int push(int fd, const char **p, size_t *n)
{
	while (*n > 0) {
		ssize_t k = write(fd, *p, *n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return errno == EAGAIN ? 0 : -1;
		*p += k;
		*n -= (size_t)k;
	}
	return 1;
}

static void push_tasks(struct talk *t)
{
	const char *p = t->p->tasks + t->sent;
	size_t n = t->p->tasks_len - t->sent;
	int rc = push(t->in, &p, &n);
	t->sent = t->p->tasks_len - n;
	if (rc != 0)
		shut(&t->in);
}

/* Length and bytes in one piece of locked memory. */
static int next_record(struct talk *t, struct mm_err *err)
{
	const struct mm_secret *s = t->p->secrets[t->next_secret++];
	size_t n = mm_secret_len(s);
	uint32_t len = htonl((uint32_t)n);
	char head[4];
	memcpy(head, &len, sizeof(head));
	if (mm_secret_set(t->record, head, sizeof(head), err) != 0 ||
	    mm_secret_add(t->record, mm_secret_bytes(s), n, err) != 0)
		return -1;
	t->left = mm_secret_bytes(t->record);
	t->n_left = mm_secret_len(t->record);
	return 0;
}

static int push_secrets(struct talk *t, struct mm_err *err)
{
	for (;;) {
		int rc = push(t->secrets, &t->left, &t->n_left);
		if (rc == 0)
			return 0;
		if (rc < 0 || t->next_secret == t->p->n_secrets) {
			shut(&t->secrets);
			return 0;
		}
		if (next_record(t, err) != 0)
			return -1;
	}
}

static int take_lines(struct talk *t, struct mm_err *err)
{
	for (;;) {
		const char *nl = t->lines.len > 0 ? memchr(t->lines.data, '\n', t->lines.len) : NULL;
		if (nl == NULL)
			return 0;
		size_t n = (size_t)(nl - t->lines.data);
		if (n > 0 && t->p->line(t->p->ctx, t->lines.data, n, err) != 0)
			return -1;
		mm_buf_consume(&t->lines, n + 1);
	}
}

static int pull(struct talk *t, struct mm_err *err)
{
	char chunk[16384];
	ssize_t n = read(t->out, chunk, sizeof(chunk));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n <= 0) {
		shut(&t->out);
		return 0;
	}
	mm_buf_add(&t->lines, chunk, (size_t)n);
	if (!mm_buf_ok(&t->lines))
		return mm_err_set(err, MM_EX_FAILED, "the probe's answer is too long");
	return take_lines(t, err);
}

static int round_trip(struct talk *t, struct mm_err *err)
{
	struct pollfd f[3] = {{.fd = t->in, .events = POLLOUT}, {.fd = t->secrets, .events = POLLOUT},
	    {.fd = t->out, .events = POLLIN}};
	if (now_ms() >= t->deadline)
		return mm_err_set(err, MM_EX_FAILED, "the login test ran out of time");
	if (poll(f, 3, 1000) < 0 && errno != EINTR)
		return mm_err_sys(err, MM_EX_FAILED, "poll");
	t->p->alive(t->p->ctx);
	if (f[0].revents != 0 && t->in >= 0)
		push_tasks(t);
	if (f[1].revents != 0 && t->secrets >= 0 && push_secrets(t, err) != 0)
		return -1;
	return f[2].revents != 0 ? pull(t, err) : 0;
}

/* It has closed its output: give it a moment, then make sure. */
static int finish(struct talk *t, int rc, struct mm_err *err)
{
	int status = 0;
	shut(&t->in);
	shut(&t->out);
	shut(&t->secrets);
	if (t->pid <= 0)
		return rc;
	if (rc != 0)
		kill(t->pid, SIGKILL);
	for (int i = 0; waitpid(t->pid, &status, WNOHANG) == 0; i++) {
		const struct timespec pause = {.tv_nsec = 5 * 1000 * 1000};
		if (i == 200)
			kill(t->pid, SIGKILL);
		nanosleep(&pause, NULL);
	}
	if (rc == 0 && WIFEXITED(status) && WEXITSTATUS(status) == 127) {
		rc = mm_err_set(err, MM_EX_FAILED, "cannot start %s", t->p->program);
		if (t->p->ran != NULL)
			*t->p->ran = false;
	}
	return rc;
}

int mm_probe_talk(const struct mm_probe_pipe *p, struct mm_err *err)
{
	struct talk t = {.p = p,
	    .in = -1,
	    .out = -1,
	    .secrets = -1,
	    .record = mm_secret_new_max(MM_SECRET_PEM_MAX + sizeof(uint32_t)),
	    .lines = MM_BUF_INIT(MM_PROBE_LINE_MAX * 4),
	    .deadline = now_ms() + p->timeout_ms};
	int rc = start(&t, err);
	while (rc == 0 && t.out >= 0)
		rc = round_trip(&t, err);
	rc = finish(&t, rc, err);
	mm_secret_free(t.record);
	mm_buf_free(&t.lines);
	return rc;
}
