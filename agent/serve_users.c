#include "agent/serve_users.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/home.h"
#include "agent/hostwide.h"
#include "agent/spool.h"
#include "common/file.h"
#include "common/frame.h"
#include "common/mem.h"
#include "common/proc.h"
#include "common/text.h"

struct task { /* what a worker needs; inherited over fork */
	const struct mm_user_batch *b;
	struct mm_user_job *j;
};

/* ---- in the child */

struct wire {
	struct mm_sink sink; /* first member */
	int fd;
};

/* The parent is gone, or has given us up. */
static void send_or_die(int fd, uint16_t type, struct mm_buf *body)
{
	if (!mm_buf_ok(body) || body->len > MM_FRAME_MAX ||
	    mm_frame_write_fd(fd, type, mm_buf_str(body), body->len, NULL) != 0)
		_exit(1);
	mm_buf_free(body);
}

static void signal_parent(int fd, uint16_t type)
{
	struct mm_buf none = MM_BUF_INIT(1);
	send_or_die(fd, type, &none);
}

static void wire_finding(struct mm_sink *s, const struct mm_finding *f)
{
	struct mm_buf b = MM_BUF_INIT(MM_FRAME_MAX);
	mm_finding_encode(f, &b);
	send_or_die(((struct wire *)s)->fd, MM_FT_FINDING, &b);
}

static void wire_login(struct mm_sink *s, const struct mm_login *l)
{
	struct mm_buf b = MM_BUF_INIT(MM_FRAME_MAX);
	mm_login_encode(l, &b);
	send_or_die(((struct wire *)s)->fd, MM_FT_LOGIN, &b);
}

static void wire_alive(struct mm_sink *s)
{
	signal_parent(((struct wire *)s)->fd, MM_FT_KEEPALIVE);
}

/* The first sign of life comes when the home has answered. */
static void wire_first(struct mm_sink *s)
{
	signal_parent(((struct wire *)s)->fd, MM_FT_WORKER_HOME);
	s->alive = wire_alive;
}

static int wire_frame(void *ctx, const struct mm_frame *f, struct mm_err *err)
{
	const struct wire *w = ctx;
	return mm_frame_write_fd(w->fd, f->type, f->body, f->len, err);
}

static void send_spool(const struct task *t, struct wire *w)
{
	struct mm_arena *a = mm_arena_new();
	const char *dir = mm_conf_user_state(t->b->conf, t->j->who.home, a);
	const char *const *ids;
	size_t n = 0, sent = 0;
	struct mm_err err = MM_ERR_NONE;
	mm_spool_acknowledge(dir, t->b->ack, t->b->n_ack);
	if (!t->b->collect || mm_spool_list(dir, a, &ids, &n, &err) != 0)
		n = 0;
	/* What is left waits for the next request. */
	for (size_t i = 0; i < n && sent < MM_SPOOL_FILES; i++) {
		if (mm_spool_read(dir, ids[i], wire_frame, w, &err) == 0)
			sent++;
	}
	mm_arena_free(a);
}

/* Without a run the home is asked after all the same, before it is opened. */
static void only_spool(const struct task *t, struct wire *w)
{
	struct mm_arena *a = mm_arena_new();
	const char *trouble = mm_home_trouble(&t->j->who, a);
	signal_parent(w->fd, MM_FT_WORKER_HOME);
	signal_parent(w->fd, MM_FT_WORKER_RAN);
	if (trouble == NULL)
		send_spool(t, w);
	signal_parent(w->fd, MM_FT_WORKER_DONE);
	mm_arena_free(a);
}

static void set_environment(const struct mm_identity *who)
{
	if (who->session)
		return;
	clearenv();
	setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 1);
	setenv("LANG", "C.UTF-8", 1);
	setenv("HOME", who->home, 1);
	setenv("USER", who->login, 1);
	setenv("LOGNAME", who->login, 1);
}

/* Root's own part: nothing but the files of the routes can be written. */
static void work_hostwide(const struct task *t, struct wire *w)
{
	struct mm_err err = MM_ERR_NONE;
	struct mm_arena *a = mm_arena_new();
	set_environment(&t->j->who);
	umask(022);
	if (chdir("/") != 0 || mm_mkdirs(mm_hostwide_state(t->b->conf, a), 0700, &err) != 0 ||
	    mm_hostwide_confine(t->b->conf, t->j->sheet, &err) != 0)
		_exit(1);
	mm_arena_free(a);
	struct mm_user_run r = {.conf = t->b->conf,
	    .who = &t->j->who,
	    .sheet = t->j->sheet,
	    .how = t->b->how,
	    .expired = t->j->expired,
	    .lock_ms = MM_LOCK_MS,
	    .sink = &w->sink};
	if (t->b->spool_only)
		signal_parent(w->fd, MM_FT_WORKER_HOME);
	else
		mm_user_run(&r);
	signal_parent(w->fd, MM_FT_WORKER_RAN);
	signal_parent(w->fd, MM_FT_WORKER_DONE);
}

static void work(int fd, void *arg)
{
	const struct task *t = arg;
	struct mm_err err = MM_ERR_NONE;
	struct wire w = {
	    .sink = {.finding = wire_finding, .login = wire_login, .alive = wire_first}, .fd = fd};
	if (mm_is_hostwide(&t->j->who)) {
		work_hostwide(t, &w);
		return;
	}
	if (mm_drop_to_user(t->j->who.login, t->j->who.uid, t->j->who.gid, &err) != 0)
		_exit(1);
	set_environment(&t->j->who);
	if (chdir("/") != 0)
		_exit(1);
	if (t->b->spool_only) {
		only_spool(t, &w);
		return;
	}
	struct mm_user_run r = {.conf = t->b->conf,
	    .who = &t->j->who,
	    .sheet = t->j->sheet,
	    .how = t->b->how,
	    .expired = t->j->expired,
	    .probe = t->b->probe,
	    .verify = t->b->verify,
	    .discover = t->b->discover,
	    .preflight = t->b->preflight,
	    .restore = t->b->restore,
	    .generation = t->b->generation,
	    .again = t->b->again,
	    .lock_ms = MM_LOCK_MS,
	    .sink = &w.sink};
	mm_user_run(&r);
	signal_parent(fd, MM_FT_WORKER_RAN);
	send_spool(t, &w);
	signal_parent(fd, MM_FT_WORKER_DONE);
}

/* ---- in the parent */

static void cannot(struct mm_user_job *j, const char *why)
{
	j->sheet = NULL;
	j->why = why;
}

void mm_user_job_resolve(const struct mm_conf *c, struct mm_user_job *j, struct mm_arena *a)
{
	struct mm_err err = MM_ERR_NONE;
	if (mm_streq(j->user, MM_SYSTEM_USER)) {
		j->who = mm_hostwide_identity();
		if (!c->hostwide || geteuid() != 0)
			cannot(j, "the system's files can be set up only by an agent that runs as root");
		return;
	}
	if (!c->hostwide) {
		if (mm_identity_self(c->login, a, &j->who, &err) != 0)
			cannot(j, mm_arena_strdup(a, err.text));
		else if (!mm_streq(j->who.login, j->user))
			cannot(j, mm_arena_printf(a, "the installation here serves only %s", j->who.login));
		j->who.session = geteuid() != 0;
		return;
	}
	int got = mm_identity_of(j->user, a, &j->who, &err);
	if (got < 0)
		cannot(j, mm_arena_strdup(a, err.text));
	else if (got == 0)
		cannot(j, MM_REASON_NO_SUCH_USER);
	else if (j->who.uid == 0)
		cannot(j, "mail settings of root are not managed");
	else if (geteuid() != 0 && geteuid() != j->who.uid)
		cannot(j, "only root can serve other users");
}

/* A user who cannot be served is told in the same way as one who can. */
static void report_unserved(const struct mm_user_batch *b, const struct mm_worker_job *job, const char *why)
{
	struct mm_buf body = MM_BUF_INIT(MM_FRAME_MAX), frames = MM_BUF_INIT(2 * (size_t)MM_FRAME_MAX);
	const struct mm_finding f = {.user = job->user,
	    .client = MM_CLIENT_AGENT,
	    .path = "",
	    .account = "",
	    .setting = "",
	    .state = mm_streq(job->user, MM_SYSTEM_USER) ? MM_ST_UNSUPPORTED : MM_ST_DEFERRED,
	    .action = MM_ACT_NONE,
	    .reason = why};
	mm_finding_encode(&f, &body);
	mm_frame_put(&frames, MM_FT_FINDING, mm_buf_str(&body), body.len);
	const struct mm_worker_result r = {.job = job,
	    .complete = true,
	    .findings = &frames,
	    .exit_bits = mm_verdict(f.state, f.action).exit_bit};
	b->w.done(b->w.ctx, &r);
	mm_buf_free(&frames);
	mm_buf_free(&body);
}

void mm_serve_users(const struct mm_user_batch *b, struct mm_user_job *jobs, size_t n)
{
	struct task *tasks = mm_xcalloc(n + 1, sizeof(*tasks));
	struct mm_worker_job *work_jobs = mm_xcalloc(n + 1, sizeof(*work_jobs));
	size_t count = 0;
	for (size_t i = 0; i < n; i++) {
		struct mm_worker_job job = {.user = jobs[i].user, .arg = &jobs[i]};
		if (jobs[i].sheet == NULL) {
			report_unserved(b, &job, jobs[i].why);
			continue;
		}
		tasks[count] = (struct task){.b = b, .j = &jobs[i]};
		work_jobs[count] =
		    (struct mm_worker_job){.user = jobs[i].user, .run = work, .arg = &tasks[count]};
		count++;
	}
	/* First what is the system's: users are judged by what it gives them. */
	size_t first = count > 0 && mm_is_hostwide(&tasks[0].j->who) ? 1 : 0;
	mm_workers_run(&b->w, work_jobs, first);
	mm_workers_run(&b->w, work_jobs + first, count - first);
	free(work_jobs);
	free(tasks);
}
