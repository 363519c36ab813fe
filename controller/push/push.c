#include "controller/push/push.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "controller/push/admit.h"
#include "controller/push/sshbuf.h"

#define TICK_MS 100
#define PATIENCE_NS 20000000
#define DEAF 4                     /* connections that may be on their way, for each host in flight */
#define AGAIN_MS 1000              /* before a host that closed the door at once is tried again */
#define PIECE (MM_FRAME_MAX - 64u) /* of a request, in one frame to a worker */
#define SSH_PROGRAM "/usr/bin/ssh"
#define FILES_OF_OURS 128 /* descriptors besides sockets */

/* ---- what workers say */

static void cancel(struct mm_job *j)
{
	struct mm_buf b = MM_BUF_INIT(16);
	mm_ssh_put_u32(&b, j->slot);
	mm_local_send(&j->worker->talk, MM_LT_CANCEL, b.data, b.len);
	mm_buf_free(&b);
}

static void send_request(struct mm_job *j, const struct mm_buf *request)
{
	struct mm_buf b = MM_BUF_INIT(MM_FRAME_MAX);
	size_t at = 0;
	do {
		size_t n = request->len - at < PIECE ? request->len - at : PIECE;
		mm_buf_reset(&b);
		mm_ssh_put_u32(&b, j->slot);
		mm_ssh_put_u32(&b, at + n == request->len ? 1 : 0);
		mm_buf_add(&b, request->data + at, n);
		mm_local_send(&j->worker->talk, MM_LT_REQUEST, b.data, b.len);
		at += n;
	} while (at < request->len);
	mm_buf_free(&b);
}

static void on_need(struct mm_push_run_state *r, struct mm_job *j)
{
	struct mm_buf request = MM_BUF_INIT(MM_STREAM_MAX);
	struct mm_err why = MM_ERR_NONE;
	if (r->ops->prepare(r->ctx, &j->pub, &request, &why) < 0) {
		mm_job_decide(j, MM_PC_LOCAL, "%s", why.text);
		cancel(j);
	} else if (!mm_buf_ok(&request) || request.len == 0) {
		mm_job_decide(j, MM_PC_LOCAL, "the request for this host is empty or larger than %u bytes",
		    MM_STREAM_MAX);
		cancel(j);
	} else {
		send_request(j, &request);
	}
	mm_buf_free(&request);
}

struct frame_ctx {
	struct mm_push_run_state *r;
	struct mm_job *j;
};

static int on_frame(void *ctx, const struct mm_frame *f, struct mm_err *err)
{
	struct frame_ctx *c = ctx;
	return c->r->ops->frame(c->r->ctx, &c->j->pub, f, err);
}

static void on_data(struct mm_push_run_state *r, struct mm_job *j, const void *p, size_t n)
{
	if (j->decided)
		return;
	struct mm_err why = MM_ERR_NONE;
	struct frame_ctx c = {r, j};
	j->received += n;
	r->held += n;
	if (mm_answer_feed(&j->answer, p, n, on_frame, &c, &why) < 0) {
		mm_job_decide(j, MM_PC_HOSTILE, "the answer breaks the protocol: %s", why.text);
		cancel(j);
	}
}

/* Too much unfinished business in memory: the greediest host goes. */
static void bound_memory(struct mm_push_run_state *r)
{
	while (r->held > MM_PUSH_HELD_MAX) {
		struct mm_job *worst = NULL;
		for (size_t i = 0; i < r->n_slots; i++)
			if (r->slots[i] != NULL && (worst == NULL || r->slots[i]->received > worst->received))
				worst = r->slots[i];
		if (worst == NULL || worst->received == 0)
			return;
		mm_job_decide(worst, MM_PC_HOSTILE,
		    "its answer is too large (%zu bytes so far, and memory is short)", worst->received);
		cancel(worst);
		r->held -= worst->received;
		worst->received = 0;
		r->ops->restart(r->ctx, &worst->pub);
	}
}

static int on_done(
    struct mm_push_run_state *r, struct mm_job *j, const struct mm_outcome *said, struct mm_err *err)
{
	mm_push_leave_slot(r, j);
	struct mm_outcome o = mm_job_outcome(j, said);
	if (o.cls == MM_PC_NO_METHOD && !j->by_ssh && j->pub.n_keys > 0) {
		j->by_ssh = true;
		mm_push_again(r, j, 0);
		return 0;
	}
	/* Too many at once for that sshd (MaxStartups): it has not read a word. */
	if (o.cls == MM_PC_LOST && o.early && !o.delivered && j->tries < MM_PUSH_TRIES) {
		mm_push_again(r, j, mm_now_ms() + AGAIN_MS * j->tries);
		return 0;
	}
	return mm_push_finish(r, j, &o, err);
}

static int on_addresses(
    struct mm_push_run_state *r, struct mm_job *j, struct mm_ssh_reader *b, struct mm_err *err)
{
	const char *list = mm_ssh_read_text(b, j->arena);
	const char *why = list != NULL ? mm_ssh_read_text(b, j->arena) : NULL;
	if (why == NULL || j->state != MM_JOB_RESOLVING)
		return 1;
	if (*list == '\0') {
		struct mm_outcome o = MM_OUTCOME_NONE;
		mm_outcome_set(&o, MM_PC_DNS, "the name %s does not resolve: %s", j->pub.address, why);
		o.early = true;
		mm_push_leave_slot(r, j);
		return mm_push_finish(r, j, &o, err);
	}
	j->addresses = list;
	j->worker->jobs--;
	return mm_push_send_job(r, j, err);
}

/* 0, -1 an error of ours, 1 the worker talks nonsense. */
static int on_message(
    struct mm_push_run_state *r, struct mm_pool_worker *w, const struct mm_frame *f, struct mm_err *err)
{
	struct mm_ssh_reader b;
	unsigned slot;
	struct mm_outcome o;
	if (mm_local_get_slot(f, &b, &slot) < 0 || slot >= r->n_slots || r->slots[slot] == NULL ||
	    r->slots[slot]->worker != w)
		return 1;
	struct mm_job *j = r->slots[slot];
	switch (f->type) {
	case MM_LT_LIVE:
		if (!j->live)
			r->connecting--;
		j->live = true;
		return 0;
	case MM_LT_NEED:
		on_need(r, j);
		return 0;
	case MM_LT_DATA:
		on_data(r, j, b.p, b.left);
		return 0;
	case MM_LT_ADDRESSES:
		return on_addresses(r, j, &b, err);
	case MM_LT_DONE:
		return mm_local_get_outcome(f, &o) < 0 || o.pinned > j->pub.n_keys ? 1
										   : on_done(r, j, &o, err);
	default:
		return 1;
	}
}

/* ---- workers that die */

static int blame(struct mm_push_run_state *r, struct mm_job *j, int status, struct mm_err *err)
{
	struct mm_outcome said = MM_OUTCOME_NONE;
	mm_outcome_set(&said, MM_PC_CRASH,
	    "the SSH library aborted (signal %d) while talking to this host: a broken or hostile sshd, or "
	    "somebody on "
	    "the way. Transport ssh does not use that library",
	    WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	mm_push_leave_slot(r, j);
	struct mm_outcome o = mm_job_outcome(j, &said);
	return mm_push_finish(r, j, &o, err);
}

/* What another host brought about does not count as a try: a few hostile hosts
 * would else take down everybody whom their worker serves beside them. */
static int orphan(struct mm_push_run_state *r, struct mm_job *j, bool others_fault, struct mm_err *err)
{
	struct mm_outcome said = MM_OUTCOME_NONE;
	mm_push_leave_slot(r, j);
	if (others_fault && j->deaths < MM_PUSH_DEATHS) {
		j->deaths++;
		j->tries--;
	}
	mm_outcome_set(
	    &said, MM_PC_CRASH, "the push worker that served this host died %d times", j->tries + j->deaths);
	struct mm_outcome o = mm_job_outcome(j, &said);
	if (o.cls == MM_PC_CRASH && j->tries < MM_PUSH_TRIES) {
		mm_push_again(r, j, 0);
		return 0;
	}
	return mm_push_finish(r, j, &o, err);
}

static int bury(struct mm_push_run_state *r, struct mm_pool_worker *w, struct mm_err *err)
{
	unsigned serving;
	int rc = 0, status = 0;
	/* It may be about to say why it ends; a malformed talker is ended here. */
	status = mm_pool_end(w, &serving);
	r->pool.died++;
	const struct mm_job *named = serving > 0 && serving <= r->n_slots ? r->slots[serving - 1] : NULL;
	bool culprit = named != NULL && named->worker == w;
	for (size_t i = 0; i < r->n_slots && rc == 0; i++) {
		struct mm_job *j = r->slots[i];
		if (j == NULL || j->worker != w)
			continue;
		if (serving == i + 1)
			rc = blame(r, j, status, err);
		else
			rc = orphan(r, j, culprit, err);
	}
	return rc;
}

static int listen_to(struct mm_push_run_state *r, struct mm_pool_worker *w, bool readable, struct mm_err *err)
{
	struct mm_frame f;
	int rc = 0;
	bool gone = readable && mm_local_fill(&w->talk) < 0;
	/* A worker that we owe much is heard when it has taken that. */
	while (rc == 0 && mm_local_unsent(&w->talk) < MM_LOCAL_HIGH) {
		int got = mm_local_next(&w->talk, &f);
		if (got <= 0) {
			gone = gone || got < 0;
			break;
		}
		rc = on_message(r, w, &f, err);
	}
	if (rc < 0)
		return -1;
	return rc > 0 || gone ? bury(r, w, err) : 0;
}

/* ---- the run */

static void stop_all(struct mm_push_run_state *r)
{
	struct mm_outcome said = MM_OUTCOME_NONE;
	mm_outcome_set(&said, MM_PC_INTERRUPTED, "not finished: the run was stopped");
	mm_pool_free(&r->pool);
	for (size_t i = 0; i < r->n_slots; i++) {
		struct mm_job *j = r->slots[i];
		if (j == NULL)
			continue;
		j->worker = NULL;
		mm_push_leave_slot(r, j);
		struct mm_outcome o = mm_job_outcome(j, &said);
		(void)mm_push_finish(r, j, &o, NULL);
	}
	while (r->waiting != NULL) {
		struct mm_job *j = r->waiting;
		r->waiting = j->next;
		(void)mm_push_finish(r, j, &said, NULL);
	}
}

/* Wait for any worker. Returns 1 when the run is to be stopped. */
static int wait_for_workers(struct mm_push_run_state *r, struct mm_err *err)
{
	struct pollfd p[MM_POOL_MAX + 1];
	size_t place[MM_POOL_MAX + 1];
	nfds_t n = 0;
	for (size_t i = 0; i < MM_POOL_MAX; i++)
		if (r->pool.w[i].pid != 0) {
			bool unsent = mm_local_unsent(&r->pool.w[i].talk) > 0;
			place[n] = i;
			p[n++] = (struct pollfd){
			    .fd = r->pool.w[i].talk.fd, .events = (short)(POLLIN | (unsent ? POLLOUT : 0))};
		}
	p[n] = (struct pollfd){.fd = r->opts->stop_fd, .events = POLLIN};
	if (poll(p, n + 1, TICK_MS) < 0 && errno != EINTR)
		return mm_err_sys(err, MM_EX_FAILED, "poll");
	if (p[n].revents != 0)
		return 1;
	/* With many hosts a moment's patience makes few large transactions
	 * of many small ones. */
	if (r->in_flight >= MM_MANY)
		(void)nanosleep(&(struct timespec){.tv_nsec = PATIENCE_NS}, NULL);
	for (nfds_t i = 0; i < n; i++) {
		struct mm_pool_worker *w = &r->pool.w[place[i]];
		if (w->pid != 0 && listen_to(r, w, (p[i].revents & (POLLIN | POLLHUP)) != 0, err) < 0)
			return -1;
	}
	return 0;
}

static int flush(struct mm_push_run_state *r, struct mm_err *err)
{
	bound_memory(r);
	if (r->ops->flush != NULL && r->ops->flush(r->ctx, err) < 0)
		return -1;
	/* A worker that is gone shows when it is read next. */
	for (size_t i = 0; i < MM_POOL_MAX; i++)
		if (r->pool.w[i].pid != 0)
			(void)mm_local_flush(&r->pool.w[i].talk);
	return 0;
}

static int drive(struct mm_push_run_state *r, struct mm_err *err)
{
	int64_t shown = 0;
	for (;;) {
		if (mm_push_admit(r, err) < 0)
			return -1;
		if (flush(r, err) < 0)
			return -1;
		if (r->in_flight == 0 && r->n_waiting == 0 && r->exhausted)
			return 0;
		int rc = wait_for_workers(r, err);
		if (rc != 0)
			return rc;
		if (r->ops->progress != NULL && mm_now_ms() - shown >= TICK_MS) {
			r->ops->progress(r->ctx, r->connecting, r->in_flight - r->connecting);
			shown = mm_now_ms();
		}
	}
}

/* Descriptors for all sockets, or smaller budgets. */
static void set_budgets(struct mm_push_run_state *r)
{
	unsigned want = r->opts->parallel != 0 ? r->opts->parallel : MM_PUSH_PARALLEL;
	if (want > MM_PUSH_PARALLEL_MAX)
		want = MM_PUSH_PARALLEL_MAX;
	rlim_t files = (rlim_t)want * (1 + DEAF) + FILES_OF_OURS;
	struct rlimit l;
	if (getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur < files) {
		l.rlim_cur = files < l.rlim_max ? files : l.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &l);
		r->stats->few_files = l.rlim_cur < files;
		if (r->stats->few_files)
			want = l.rlim_cur > FILES_OF_OURS + 1 + DEAF
				   ? (unsigned)((l.rlim_cur - FILES_OF_OURS) / (1 + DEAF))
				   : 1;
	}
	r->parallel = want;
	r->max_connecting = want * DEAF;
	r->stats->parallel = want;
}

static unsigned or_default(unsigned v, unsigned dflt)
{
	return v != 0 ? v : dflt;
}

static int set_up(struct mm_push_run_state *r, struct mm_err *err)
{
	const struct mm_push_opts *o = r->opts;
	size_t n_keys;
	const struct mm_sshkey *keys = mm_identity_keys(o->identity, &n_keys);
	struct mm_worker_config c = {
	    .connect_ms = or_default(o->connect_ms, 5000),
	    .banner_ms = or_default(o->banner_ms, 10000),
	    .handshake_ms = or_default(o->handshake_ms, 15000),
	    .silence_ms = or_default(o->silence_ms, 20000),
	    .total_ms = or_default(o->timeout_s, MM_PUSH_TIMEOUT_S) * 1000,
	    .seed = mm_identity_seed(o->identity),
	    .agent_path = mm_identity_agent(o->identity),
	    .user_keys = keys,
	    .n_user_keys = n_keys,
	    .identity_file = mm_identity_file(o->identity),
	    .ssh_program = SSH_PROGRAM,
	};
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	set_budgets(r);
	return mm_pool_init(
	    &r->pool, &c, cores > 0 && cores < MM_POOL_MAX / 2 ? (unsigned)cores : MM_POOL_MAX / 2, err);
}

int mm_push_run(const struct mm_push_opts *opts, const struct mm_push_ops *ops, void *ctx,
    struct mm_push_stats *stats, struct mm_err *err)
{
	struct mm_push_stats unused = {0};
	struct mm_push_run_state *r = mm_xcalloc(1, sizeof(*r));
	r->opts = opts;
	r->ops = ops;
	r->ctx = ctx;
	r->stats = stats != NULL ? stats : &unused;
	memset(r->stats, 0, sizeof(*r->stats));
	r->waiting_end = &r->waiting;
	int rc = set_up(r, err);
	if (rc == 0)
		rc = drive(r, err);
	stop_all(r);
	if (ops->flush != NULL && ops->flush(ctx, rc < 0 ? NULL : err) < 0)
		rc = -1;
	r->stats->workers_started = r->pool.started;
	r->stats->workers_died = r->pool.died;
	if (r->dir != NULL)
		(void)rmdir(r->dir);
	free(r->dir);
	free(r->slots);
	free(r);
	return rc;
}
