#include "controller/push/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "common/proc.h"
#include "common/sandbox.h"
#include "controller/push/resolver.h"
#include "controller/push/session.h"
#include "controller/push/signer.h"
#include "controller/push/ssh2.h"
#include "controller/push/sshbuf.h"

#define TICK_MS 100 /* how exact the deadlines are */
#define EVENTS 256
#define SLOTS_MAX (1u << 20) /* far above what a driver has in flight */
#define PATIENCE_NS 2000000

struct mm_worker {
	struct mm_local talk;
	struct mm_worker_page *page;
	struct mm_arena *arena;
	struct mm_worker_config config;
	struct mm_signer *signer;
	struct mm_session *sessions, *over; /* those that run; those that have ended, to be reaped */
	struct mm_session **by_slot;
	unsigned slots;        /* room in `by_slot` */
	struct mm_buf message; /* used again and again */
	int epoll;
	unsigned talk_events;
	size_t n_sessions;
	int64_t checked; /* when the deadlines were looked at */
	bool choked;     /* a session stopped reading for want of room */
};

/* ---- what sessions ask of their worker */

static void put_slot(struct mm_session *s, enum mm_local_type type, const void *p, size_t n)
{
	struct mm_buf *b = &s->worker->message;
	mm_buf_reset(b);
	mm_ssh_put_u32(b, s->job.slot);
	if (n > 0)
		mm_buf_add(b, p, n);
	mm_local_send(&s->worker->talk, type, b->data, b->len);
}

void mm_session_live(struct mm_session *s)
{
	put_slot(s, MM_LT_LIVE, NULL, 0);
}

void mm_session_need(struct mm_session *s)
{
	put_slot(s, MM_LT_NEED, NULL, 0);
}

void mm_session_data(struct mm_session *s, const void *p, size_t n)
{
	s->answering = true;
	put_slot(s, MM_LT_DATA, p, n);
}

int mm_session_watch(struct mm_session *s, int fd, unsigned events, bool add)
{
	struct epoll_event e = {.events = events, .data.ptr = s};
	return epoll_ctl(s->worker->epoll, add ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &e);
}

void mm_session_unwatch(struct mm_session *s, int fd)
{
	(void)epoll_ctl(s->worker->epoll, EPOLL_CTL_DEL, fd, NULL);
}

bool mm_session_choked(const struct mm_session *s)
{
	if (mm_local_unsent(&s->worker->talk) > MM_LOCAL_HIGH)
		s->worker->choked = true;
	return s->worker->choked;
}

const struct mm_worker_config *mm_session_config(const struct mm_session *s)
{
	return &s->worker->config;
}

void mm_session_serving(const struct mm_session *s, bool on)
{
	s->worker->page->serving = on ? s->job.slot + 1 : 0;
}

struct mm_signer *mm_session_signer(const struct mm_session *s)
{
	return s->worker->signer;
}

/* ---- sessions of a worker */

static struct mm_session *find(const struct mm_worker *w, unsigned slot)
{
	return slot < w->slots ? w->by_slot[slot] : NULL;
}

static int enter(struct mm_worker *w, struct mm_session *s)
{
	unsigned slot = s->job.slot;
	if (slot >= SLOTS_MAX || find(w, slot) != NULL)
		return -1;
	if (slot >= w->slots) {
		unsigned slots = slot < 64 ? 64 : slot * 2;
		w->by_slot = mm_xrealloc(w->by_slot, slots, sizeof(struct mm_session *));
		memset(w->by_slot + w->slots, 0, (slots - w->slots) * sizeof(struct mm_session *));
		w->slots = slots;
	}
	w->by_slot[slot] = s;
	s->next = w->sessions;
	if (s->next != NULL)
		s->next->before = s;
	w->sessions = s;
	w->n_sessions++;
	return 0;
}

static void leave(struct mm_worker *w, struct mm_session *s)
{
	w->by_slot[s->job.slot] = NULL;
	if (s->before != NULL)
		s->before->next = s->next;
	else
		w->sessions = s->next;
	if (s->next != NULL)
		s->next->before = s->before;
	w->n_sessions--;
}

void mm_session_over(struct mm_session *s)
{
	s->next_over = s->worker->over;
	s->worker->over = s;
}

static int begin_job(struct mm_worker *w, const struct mm_frame *f)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_session *s = mm_arena_alloc(a, 1, sizeof(*s));
	int64_t now = mm_now_ms();
	*s = (struct mm_session){
	    .worker = w,
	    .transport = w->config.kind == MM_WORKER_SSH ? &mm_transport_ssh : &mm_transport_libssh2,
	    .arena = a,
	    .began = now,
	    .phase_began = now,
	    .heard = now,
	    .outcome = MM_OUTCOME_NONE,
	    .request = MM_BUF_INIT((size_t)MM_STREAM_MAX),
	    .errout = MM_BUF_INIT(MM_STDERR_MAX),
	};
	s->outcome.by_ssh = w->config.kind == MM_WORKER_SSH;
	if (mm_local_get_job(f, a, &s->job) < 0 || enter(w, s) < 0) {
		mm_arena_free(a);
		return -1;
	}
	s->transport->start(s);
	return 0;
}

static int take_request(struct mm_worker *w, const struct mm_frame *f)
{
	struct mm_ssh_reader r;
	unsigned slot, last;
	if (mm_local_get_slot(f, &r, &slot) < 0 || mm_ssh_read_u32(&r, &last) < 0)
		return -1;
	struct mm_session *s = find(w, slot);
	if (s == NULL || s->ended)
		return 0; /* it ended while this was on its way */
	mm_buf_add(&s->request, r.p, r.left);
	s->request_complete = last == 1;
	s->heard = mm_now_ms();
	if (!mm_buf_ok(&s->request))
		mm_session_end(s, MM_PC_LOCAL, "the request is too large");
	else
		s->transport->pump(s);
	return 0;
}

static int take_cancel(struct mm_worker *w, const struct mm_frame *f)
{
	struct mm_ssh_reader r;
	unsigned slot;
	if (mm_local_get_slot(f, &r, &slot) < 0)
		return -1;
	struct mm_session *s = find(w, slot);
	if (s != NULL)
		mm_session_end(s, MM_PC_INTERRUPTED, "stopped");
	return 0;
}

static int take_frame(struct mm_worker *w, const struct mm_frame *f)
{
	switch (f->type) {
	case MM_LT_JOB:
		return begin_job(w, f);
	case MM_LT_REQUEST:
		return take_request(w, f);
	case MM_LT_CANCEL:
		return take_cancel(w, f);
	default:
		return -1;
	}
}

/* Close what has ended, and tell. */
static void reap(struct mm_worker *w)
{
	while (w->over != NULL) {
		struct mm_session *s = w->over;
		w->over = s->next_over;
		leave(w, s);
		s->transport->stop(s);
		mm_buf_reset(&w->message);
		mm_local_put_outcome(&w->message, s->job.slot, &s->outcome);
		mm_local_send(&w->talk, MM_LT_DONE, w->message.data, w->message.len);
		mm_buf_free(&s->request);
		mm_buf_free(&s->errout);
		mm_arena_free(s->arena);
	}
}

/* ---- deadlines: libssh2 has none of its own */

static void check_phase(struct mm_session *s, int64_t in_phase, int64_t silent)
{
	const struct mm_worker_config *c = &s->worker->config;
	unsigned limit;
	switch (s->phase) {
	case MM_PH_CONNECT:
		if (in_phase >= c->connect_ms)
			(void)s->transport->try_next(s);
		break;
	case MM_PH_BANNER:
		if (in_phase >= c->banner_ms)
			mm_session_end(s, MM_PC_SILENT,
			    "the host takes the connection but says nothing within %u s",
			    c->banner_ms / 1000);
		break;
	case MM_PH_HANDSHAKE:
	case MM_PH_AUTH:
		if (in_phase >= c->handshake_ms)
			mm_session_end(s, MM_PC_HANDSHAKE_TIMEOUT, "%s did not end within %u s",
			    s->phase == MM_PH_AUTH ? "authentication" : "the SSH handshake",
			    c->handshake_ms / 1000);
		break;
	case MM_PH_ANSWER:
		/* A busy host may take its time to start the agent, but an agent
		 * that runs does send keep-alive requests. */
		limit = s->answering ? c->silence_ms : c->silence_ms * MM_START_FACTOR;
		if (silent >= limit && s->request_complete)
			mm_session_end(s, MM_PC_ANSWER_TIMEOUT,
			    s->answering ? "logged in, but neither an answer nor a keep-alive for %u s"
					 : "logged in, and the agent said nothing for %u s: is the login "
					   "shell of that account slow?",
			    limit / 1000);
		break;
	}
}

static void check_deadlines(struct mm_worker *w)
{
	int64_t now = mm_now_ms();
	if (now - w->checked < TICK_MS)
		return;
	w->checked = now;
	for (struct mm_session *s = w->sessions; s != NULL; s = s->next) {
		if (s->ended)
			continue;
		check_phase(s, now - s->phase_began, now - s->heard);
		if (now - s->began >= w->config.total_ms)
			mm_session_end(s, MM_PC_ANSWER_TIMEOUT,
			    "not finished after %u s, the limit of this run", w->config.total_ms / 1000);
	}
}

/* ---- the loop */

static int take_frames(struct mm_worker *w)
{
	struct mm_frame f;
	int rc;
	while ((rc = mm_local_next(&w->talk, &f)) > 0)
		if (take_frame(w, &f) < 0)
			return -1;
	return rc;
}

/* The driver is slow: read nothing from hosts until it has caught up. */
static int wait_for_driver(struct mm_worker *w)
{
	while (mm_local_unsent(&w->talk) > MM_LOCAL_HIGH / 2) {
		struct pollfd p = {.fd = w->talk.fd, .events = POLLIN | POLLOUT};
		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			return -1;
		if (mm_local_flush(&w->talk) < 0 ||
		    ((p.revents & POLLIN) != 0 && mm_local_fill(&w->talk) < 0))
			return -1;
	}
	/* What waits inside libssh2 makes no descriptor ready: look everywhere. */
	int64_t now = mm_now_ms();
	w->choked = false;
	for (struct mm_session *s = w->sessions; s != NULL; s = s->next) {
		s->heard = now;
		s->ready = true;
		if (!s->ended)
			s->transport->pump(s);
	}
	return take_frames(w);
}

static int watch_talk(struct mm_worker *w)
{
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL};
	if (mm_local_unsent(&w->talk) > 0)
		e.events |= EPOLLOUT;
	if (e.events == w->talk_events)
		return 0;
	w->talk_events = e.events;
	return epoll_ctl(w->epoll, EPOLL_CTL_MOD, w->talk.fd, &e);
}

static void pump_ready(struct mm_session *s)
{
	s->ready = true;
	s->transport->pump(s);
}

static int turn(struct mm_worker *w)
{
	struct epoll_event events[EVENTS];
	if (watch_talk(w) < 0)
		return -1;
	/* With many hosts a moment's patience saves most of the wake-ups; the first
	 * of them only tells that there is something. */
	bool many = w->n_sessions >= MM_MANY;
	int n = epoll_wait(w->epoll, events, many ? 1 : EVENTS, w->sessions != NULL ? TICK_MS : -1);
	if (n > 0 && many) {
		(void)nanosleep(&(struct timespec){.tv_nsec = PATIENCE_NS}, NULL);
		n = epoll_wait(w->epoll, events, EVENTS, 0);
	}
	if (n < 0 && errno != EINTR)
		return -1;
	for (int i = 0; i < n; i++) {
		struct mm_session *s = events[i].data.ptr;
		if (s != NULL && !s->ended)
			pump_ready(s);
		else if (s == NULL && (events[i].events & (EPOLLIN | EPOLLHUP)) != 0 &&
			 (mm_local_fill(&w->talk) < 0 || take_frames(w) < 0))
			return -1;
	}
	check_deadlines(w);
	reap(w);
	if (mm_local_flush(&w->talk) < 0)
		return -1;
	return w->choked ? wait_for_driver(w) : 0;
}

static int read_config(struct mm_worker *w, struct mm_err *err)
{
	struct mm_frame f;
	if (mm_frame_read_fd(&w->talk.in, w->talk.fd, -1, &f, err) != 1)
		return mm_err_set(err, MM_EX_FAILED, "push worker: no configuration");
	if (f.type != MM_LT_CONFIG || mm_local_get_config(&f, w->arena, &w->config) < 0)
		return mm_err_set(err, MM_EX_FAILED, "push worker: malformed configuration");
	return 0;
}

static int set_up(struct mm_worker *w, struct mm_err *err)
{
	static const char *const no_files[] = {NULL};
	bool ssh = w->config.kind == MM_WORKER_SSH;
	struct mm_sandbox_opts opts = {.read_paths = ssh ? NULL : no_files, .allow_exec = ssh};
	if (!ssh && (mm_ssh2_init(err) < 0 || mm_signer_new(&w->config, &w->signer, err) < 0))
		return -1;
	/* The signer has its own copy of the seed; this one lay in the frame. */
	explicit_bzero(w->talk.in.in.data, w->talk.in.taken);
	w->config.seed = NULL;
	if (mm_sandbox_enter(MM_SANDBOX_WORKER, &opts, err) < 0)
		return -1;
	struct epoll_event talk = {.events = EPOLLIN, .data.ptr = NULL};
	w->talk_events = EPOLLIN;
	if (epoll_ctl(w->epoll, EPOLL_CTL_ADD, w->talk.fd, &talk) < 0)
		return mm_err_sys(err, MM_EX_FAILED, "push worker: epoll");
	return 0;
}

int mm_worker_main(struct mm_err *err)
{
	struct mm_worker w = {.epoll = -1, .arena = mm_arena_new(), .message = MM_BUF_INIT(MM_FRAME_MAX)};
	mm_no_core();
	mm_local_init(&w.talk, MM_WORKER_FD_TALK);
	w.page = mmap(NULL, sizeof(*w.page), PROT_READ | PROT_WRITE, MAP_SHARED, MM_WORKER_FD_PAGE, 0);
	if (w.page == MAP_FAILED)
		return mm_err_sys(
		    err, MM_EX_USAGE, "push worker: this program is started by mailmuster only");
	close(MM_WORKER_FD_PAGE);
	w.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (w.epoll < 0 || read_config(&w, err) < 0)
		return -1;
	if (w.config.kind == MM_WORKER_RESOLVE)
		return mm_resolver_run(&w.talk);
	int rc = set_up(&w, err);
	/* Jobs may have come together with the configuration. */
	if (rc == 0)
		rc = take_frames(&w);
	while (rc == 0 && turn(&w) == 0)
		;
	/* The driver is gone, or done with us. */
	for (struct mm_session *s = w.sessions; s != NULL; s = s->next)
		mm_session_end(s, MM_PC_INTERRUPTED, "stopped");
	reap(&w);
	mm_signer_free(w.signer);
	free(w.by_slot);
	mm_buf_free(&w.message);
	mm_local_free(&w.talk);
	mm_arena_free(w.arena);
	return rc;
}
