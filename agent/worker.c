#include "agent/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/frame.h"
#include "common/mem.h"
#include "common/proc.h"
#include "common/text.h"
#include "schemas/facts.h"
#include "schemas/report.h"

#define PARALLEL_MAX 32

enum phase { PHASE_START, PHASE_HOME, PHASE_RAN, PHASE_DONE };

struct child {
	const struct mm_worker_job *job; /* NULL = free slot */
	pid_t pid;
	int fd;
	enum phase phase;
	struct mm_frame_decoder d;
	struct mm_buf findings, spool;
	size_t frames;
	int exit_bits;
	int64_t started, seen;
	bool late;
	struct mm_err err;
};

struct pool {
	const struct mm_workers *w;
	struct child c[PARALLEL_MAX];
	size_t running;
};

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- starting */

static _Noreturn void become(const struct mm_worker_job *job, int fd)
{
	int null = open("/dev/null", O_RDWR);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
		_exit(1);
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 10);
	if (own < 0 || dup3(own, 3, O_CLOEXEC) < 0)
		_exit(1);
	mm_close_above(3);
	job->run(3, job->arg);
	_exit(0);
}

static int start(struct child *c, const struct mm_worker_job *job)
{
	int s[2];
	*c = (struct child){.job = job,
	    .pid = -1,
	    .fd = -1,
	    .findings = MM_BUF_INIT(2 * (size_t)MM_WORKER_BYTES_MAX),
	    .spool = MM_BUF_INIT(2 * (size_t)MM_WORKER_BYTES_MAX),
	    .started = now_ms(),
	    .seen = now_ms()};
	mm_frame_decoder_init(&c->d, false);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s) < 0)
		return mm_err_sys(&c->err, MM_EX_FAILED, "cannot make a socket");
	c->pid = fork();
	if (c->pid == 0)
		become(job, s[1]);
	close(s[1]);
	c->fd = s[0];
	return c->pid < 0 ? mm_err_sys(&c->err, MM_EX_FAILED, "cannot start a process") : 0;
}

/* ---- what a child says */

static int keep(struct child *c, struct mm_buf *to, uint16_t type, struct mm_buf *body)
{
	int rc = 0;
	if (!mm_buf_ok(body) || to->len + body->len > MM_WORKER_BYTES_MAX)
		rc = mm_err_set(&c->err, MM_EX_FAILED, "said more than %u bytes", MM_WORKER_BYTES_MAX);
	else
		mm_frame_put(to, type, mm_buf_str(body), body->len);
	mm_buf_free(body);
	return rc;
}

static int not_own(struct child *c, const char *user)
{
	return mm_err_set(&c->err, MM_EX_FAILED, "spoke about the user %s", user);
}

static void count(struct child *c, int bit)
{
	if (c->phase == PHASE_HOME)
		c->exit_bits |= bit;
}

static int take_finding(struct child *c, const struct mm_frame *f, struct mm_arena *a)
{
	struct mm_finding x;
	struct mm_buf body = MM_BUF_INIT(MM_FRAME_MAX);
	if (mm_finding_decode(f->body, f->len, a, &x, &c->err) != 0)
		return -1;
	if (!mm_streq(x.user, c->job->user))
		return not_own(c, x.user);
	count(c, mm_finding_verdict(&x).exit_bit);
	mm_finding_encode(&x, &body);
	return keep(c, c->phase == PHASE_RAN ? &c->spool : &c->findings, MM_FT_FINDING, &body);
}

static int take_login(struct child *c, const struct mm_frame *f, struct mm_arena *a)
{
	struct mm_login x;
	struct mm_buf body = MM_BUF_INIT(MM_FRAME_MAX);
	if (mm_login_decode(f->body, f->len, a, &x, &c->err) != 0)
		return -1;
	if (!mm_streq(x.user, c->job->user))
		return not_own(c, x.user);
	count(c, mm_login_verdict(x.result, x.cls).exit_bit);
	mm_login_encode(&x, &body);
	return keep(c, c->phase == PHASE_RAN ? &c->spool : &c->findings, MM_FT_LOGIN, &body);
}

/* The head of a spooled report: what a user's process says of itself stays
 * that user's claim about that user, from this host. */
static int take_report(
    const struct mm_workers *w, struct child *c, const struct mm_frame *f, struct mm_arena *a)
{
	struct mm_report_head h;
	struct mm_buf body = MM_BUF_INIT(MM_FRAME_MAX);
	static const char *const nobody[] = {NULL};
	const char *const own[] = {c->job->user, NULL};
	if (c->phase != PHASE_RAN)
		return mm_err_set(&c->err, MM_EX_FAILED, "sent a report before the end of its run");
	if (mm_report_head_decode(f->body, f->len, a, &h, &c->err) != 0)
		return -1;
	h.users = h.users[0] != NULL && mm_streq(h.users[0], c->job->user) ? own : nobody;
	h.host = w->host;
	h.user = c->job->user;
	h.request_id = NULL;
	h.op = "login";
	h.evidence = MM_EV_CLAIMED;
	mm_report_head_encode(&h, &body);
	return keep(c, &c->spool, MM_FT_REPORT, &body);
}

static int advance(struct child *c, enum phase from, enum phase to)
{
	if (c->phase != from)
		return mm_err_set(&c->err, MM_EX_FAILED, "spoke out of turn");
	c->phase = to;
	return 0;
}

static int take(const struct mm_workers *w, struct child *c, const struct mm_frame *f, struct mm_arena *a)
{
	if (++c->frames > MM_WORKER_FRAMES_MAX)
		return mm_err_set(&c->err, MM_EX_FAILED, "sent more than %u frames", MM_WORKER_FRAMES_MAX);
	if (c->phase == PHASE_DONE)
		return mm_err_set(&c->err, MM_EX_FAILED, "spoke after its end");
	switch (f->type) {
	case MM_FT_WORKER_HOME:
		return advance(c, PHASE_START, PHASE_HOME);
	case MM_FT_WORKER_RAN:
		return advance(c, PHASE_HOME, PHASE_RAN);
	case MM_FT_WORKER_DONE:
		return advance(c, PHASE_RAN, PHASE_DONE);
	case MM_FT_KEEPALIVE:
		return 0;
	case MM_FT_REPORT:
		return take_report(w, c, f, a);
	case MM_FT_FINDING:
		return take_finding(c, f, a);
	case MM_FT_LOGIN:
		return take_login(c, f, a);
	default:
		return mm_err_set(&c->err, MM_EX_FAILED, "sent a frame of type %u", (unsigned)f->type);
	}
}

/* 1: go on, 0: the child is at its end, -1: it misbehaved. */
static int listen_to(const struct mm_workers *w, struct child *c)
{
	char chunk[65536];
	struct mm_frame f;
	ssize_t n = recv(c->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 1;
	if (n <= 0)
		return 0;
	c->seen = now_ms();
	if (mm_frame_feed(&c->d, chunk, (size_t)n, &c->err) != 0)
		return -1;
	for (int rc; (rc = mm_frame_next(&c->d, &f, &c->err)) != 0;) {
		struct mm_arena *a = mm_arena_new();
		if (rc > 0)
			rc = take(w, c, &f, a);
		mm_arena_free(a);
		if (rc < 0)
			return -1;
	}
	return 1;
}

/* ---- the end of a child */

static void reap(struct child *c, bool kill_it)
{
	int status = 0;
	if (c->pid <= 0)
		return;
	if (kill_it)
		kill(c->pid, SIGKILL);
	/* It has closed its socket or was killed: it ends now, or it hangs in the
	 * kernel and is left to init. */
	for (int i = 0; i < 100 && waitpid(c->pid, &status, WNOHANG) == 0; i++) {
		const struct timespec pause = {.tv_nsec = 2 * 1000 * 1000};
		nanosleep(&pause, NULL);
	}
}

static void end(struct pool *p, struct child *c, bool kill_it)
{
	struct mm_arena *a = mm_arena_new();
	const char *trouble = NULL;
	if (c->err.code != 0)
		trouble = mm_arena_printf(a, "the run for this user was stopped: %s", c->err.text);
	else if (c->phase < PHASE_RAN)
		trouble = "the run for this user ended early";
	reap(c, kill_it);
	const struct mm_worker_result r = {.job = c->job,
	    .complete = trouble == NULL,
	    .late = c->late,
	    .trouble = trouble,
	    .findings = &c->findings,
	    .spool = trouble == NULL && c->phase == PHASE_DONE ? &c->spool : NULL,
	    .exit_bits = c->exit_bits};
	p->w->done(p->w->ctx, &r);
	if (c->fd >= 0)
		close(c->fd);
	mm_frame_decoder_free(&c->d);
	mm_buf_free(&c->findings);
	mm_buf_free(&c->spool);
	mm_arena_free(a);
	c->job = NULL;
	p->running--;
}

static void check_clock(struct pool *p, struct child *c)
{
	const struct mm_workers *w = p->w;
	int64_t now = now_ms();
	if (c->phase == PHASE_START && now - c->started > w->home_ms)
		mm_err_set(&c->err, MM_EX_FAILED, "the home did not answer within %d s", w->home_ms / 1000);
	else if (now - c->seen > w->hang_ms)
		mm_err_set(&c->err, MM_EX_FAILED, "no sign of life for %d s", w->hang_ms / 1000);
	else if (now - c->started > w->total_ms)
		mm_err_set(&c->err, MM_EX_FAILED, "not finished after %d s", w->total_ms / 1000);
	else
		return;
	c->late = true;
	end(p, c, true);
}

/* ---- the loop */

static void launch(struct pool *p, const struct mm_worker_job *job)
{
	struct child *c = p->c;
	while (c->job != NULL)
		c++;
	p->running++;
	if (start(c, job) != 0)
		end(p, c, false);
}

static void attend(struct pool *p)
{
	struct pollfd f[PARALLEL_MAX];
	for (size_t i = 0; i < PARALLEL_MAX; i++)
		f[i] = (struct pollfd){.fd = p->c[i].job != NULL ? p->c[i].fd : -1, .events = POLLIN};
	if (poll(f, PARALLEL_MAX, 500) < 0)
		return;
	for (size_t i = 0; i < PARALLEL_MAX; i++) {
		struct child *c = &p->c[i];
		int rc = 1;
		if (c->job != NULL && f[i].revents != 0)
			rc = listen_to(p->w, c);
		if (rc <= 0)
			end(p, c, rc < 0);
		else if (c->job != NULL)
			check_clock(p, c);
	}
}

void mm_workers_run(const struct mm_workers *w, const struct mm_worker_job *jobs, size_t n)
{
	struct pool *p = mm_xcalloc(1, sizeof(*p));
	size_t next = 0, parallel = w->parallel < PARALLEL_MAX ? (size_t)w->parallel : PARALLEL_MAX;
	p->w = w;
	while (next < n || p->running > 0) {
		while (next < n && p->running < parallel)
			launch(p, &jobs[next++]);
		if (p->running > 0)
			attend(p);
		if (w->tick != NULL)
			w->tick(w->ctx);
	}
	free(p);
}
