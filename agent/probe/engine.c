#include "agent/probe/engine.h"

#include <curl/curl.h>
#include <search.h>
#include <string.h>
#include <sys/resource.h>

#include "agent/probe/answer.h"
#include "agent/probe/attempt.h"
#include "agent/probe/clock.h"
#include "common/mem.h"
#include "common/text.h"

#define TICK_MS 100
#define FDS_RESERVED 64
#define FDS_PER_TEST 3 /* two connections and a spare address */

/* One host and port; its tests wait here for their turn. */
struct server {
	const char *host;
	int port;
	struct mm_name *name;
	int64_t asked;
	size_t active;
	bool alive;                /* a connection came about */
	int dead_errno, dead_ms;   /* none did, and this is why */
	struct test *first, *last; /* waiting */
	struct server *next;
};

struct test {
	size_t job;
	struct mm_endpoint ep;
	struct server *server;
	struct test *next;          /* in the server's queue */
	struct mm_attempt *attempt; /* while it runs */
};

struct engine {
	const struct mm_job *jobs;
	struct mm_engine_opts o;
	CURLM *multi;
	struct mm_resolver *resolver;
	struct mm_arena *mem; /* tests and servers */
	void *by_place;       /* tsearch() tree of servers */
	struct server *servers;
	struct test **running;
	size_t n_running, left;
	struct curl_waitfd *fds;
	bool failed; /* `told` ended the run */
	struct mm_err *err;
};

static void wake_up(void *ctx)
{
	curl_multi_wakeup(ctx);
}

/* ---- telling */

static void tell(struct engine *e, size_t job, const struct mm_login *l)
{
	e->left--;
	if (!e->failed && e->o.told(e->o.ctx, job, l, e->err) != 0)
		e->failed = true;
}

static void refuse(struct engine *e, size_t job, enum mm_cls cls, const char *detail)
{
	struct mm_login l;
	struct mm_arena *mem = mm_arena_new();
	mm_answer_refuse(e->jobs[job].task, cls, detail, mem, &l);
	tell(e, job, &l);
	mm_arena_free(mem);
}

/* Where one test could not connect, those that still wait for the same server
 * would only wait longer for the same answer. */
static void remember(struct server *s, const struct mm_attempt *a)
{
	s->alive = s->alive || a->signals.dialled;
	if (s->alive || a->signals.gai != 0)
		return;
	s->dead_errno = a->signals.dial_errno;
	s->dead_ms = a->tcp_ms;
}

static void conclude(struct engine *e, struct test *t)
{
	struct mm_login l;
	struct mm_arena *mem = mm_arena_new();
	mm_answer_make(t->attempt, e->jobs[t->job].task, mem, &l);
	remember(t->server, t->attempt);
	mm_attempt_end(t->attempt);
	free(t->attempt);
	t->attempt = NULL;
	t->server->active--;
	tell(e, t->job, &l);
	mm_arena_free(mem);
}

/* ---- queues */

static int by_place(const void *a, const void *b)
{
	const struct server *x = a, *y = b;
	int rc = strcmp(x->host, y->host);
	return rc != 0 ? rc : (x->port > y->port) - (x->port < y->port);
}

static struct server *server_of(struct engine *e, const struct mm_endpoint *ep)
{
	struct server key = {.host = ep->host, .port = ep->port};
	struct server **slot = tfind(&key, &e->by_place, by_place);
	if (slot != NULL)
		return *slot;
	struct server *s = mm_arena_alloc(e->mem, 1, sizeof(*s));
	*s = key;
	if (tsearch(s, &e->by_place, by_place) == NULL)
		mm_oom();
	s->next = e->servers;
	e->servers = s;
	s->asked = mm_clock_ms();
	s->name = mm_resolver_ask(e->resolver, s->host);
	return s;
}

static void enqueue(struct engine *e, size_t job, const struct mm_endpoint *ep)
{
	struct test *t = mm_arena_alloc(e->mem, 1, sizeof(*t));
	struct server *s = server_of(e, ep);
	*t = (struct test){.job = job, .ep = *ep, .server = s};
	if (s->last != NULL)
		s->last->next = t;
	else
		s->first = t;
	s->last = t;
}

/* POP3 and IMAP send it in a line of their own: a line break would begin the
 * next command. */
static enum mm_cls lint_secret(const struct mm_secret *s, struct mm_buf *detail)
{
	if (s == NULL)
		return MM_CLS_NONE;
	if (mm_secret_len(s) == 0)
		mm_buf_adds(detail, "is empty");
	else if (mm_has_control(mm_secret_bytes(s)))
		mm_buf_adds(detail, "contains a line break or another control character");
	return detail->len > 0 ? MM_CLS_BAD_SECRET : MM_CLS_NONE;
}

static void admit(struct engine *e)
{
	size_t n = e->left; /* falls while tasks are refused */
	for (size_t i = 0; i < n; i++) {
		struct mm_endpoint ep;
		struct mm_buf detail = MM_BUF_INIT(256);
		enum mm_cls cls = mm_endpoint_lint(e->jobs[i].task, &ep, &detail);
		if (cls == MM_CLS_NONE)
			cls = lint_secret(e->jobs[i].secret, &detail);
		if (cls == MM_CLS_NONE) {
			ep.has_secret = e->jobs[i].secret != NULL;
			ep.has_certificate = e->jobs[i].certificate != NULL;
			enqueue(e, i, &ep);
		} else {
			refuse(e, i, cls, mm_buf_str(&detail));
		}
		mm_buf_free(&detail);
	}
}

static void start(struct engine *e, struct server *s, const struct mm_name_answer *name, int64_t now)
{
	struct test *t = s->first;
	s->first = t->next;
	if (s->first == NULL)
		s->last = NULL;
	s->active++;
	t->attempt = mm_xcalloc(1, sizeof(*t->attempt));
	*t->attempt = (struct mm_attempt){.ep = t->ep,
	    .secret = e->jobs[t->job].secret,
	    .certificate = e->jobs[t->job].certificate,
	    .trace = e->jobs[t->job].trace,
	    .sender = t->ep.mail == MM_MAIL_SMTP ? e->jobs[t->job].task->sender : NULL,
	    .multi = e->multi,
	    .limits = e->o.limits};
	t->attempt->tcp_ms = s->alive ? -1 : s->dead_ms;
	t->attempt->signals.dial_errno = s->alive ? 0 : s->dead_errno;
	mm_attempt_begin(t->attempt, name, now);
	e->running[e->n_running++] = t;
}

/* The name service may hang longer than we wait. */
static bool named(struct engine *e, struct server *s, struct mm_name_answer *out, int64_t now)
{
	if (mm_name_answer(e->resolver, s->name, out))
		return true;
	int waited = (int)(now - s->asked);
	*out = (struct mm_name_answer){.gai = EAI_AGAIN, .ms = waited};
	return waited >= e->o.limits->dns_ms;
}

static void schedule(struct engine *e, int64_t now)
{
	for (struct server *s = e->servers; s != NULL; s = s->next) {
		struct mm_name_answer name;
		if (s->first == NULL || !named(e, s, &name, now))
			continue;
		while (s->first != NULL && s->active < e->o.per_server && e->n_running < e->o.at_once)
			start(e, s, &name, now);
	}
}

/* ---- the loop */

static void step_all(struct engine *e)
{
	int64_t now = mm_clock_ms();
	size_t kept = 0;
	for (size_t i = 0; i < e->n_running; i++) {
		struct test *t = e->running[i];
		mm_attempt_step(t->attempt, now);
		if (t->attempt->done)
			conclude(e, t);
		else
			e->running[kept++] = t;
	}
	e->n_running = kept;
}

static void collect(struct engine *e)
{
	int left;
	for (CURLMsg *m; (m = curl_multi_info_read(e->multi, &left)) != NULL;)
		if (m->msg == CURLMSG_DONE)
			mm_talk_done(mm_talk_of(m->easy_handle), m->data.result);
}

static unsigned add_fds(struct engine *e, unsigned n, const struct mm_attempt *a)
{
	struct pollfd fds[MM_ATTEMPT_FDS];
	size_t more = mm_attempt_poll(a, fds, MM_ATTEMPT_FDS);
	for (size_t i = 0; i < more; i++) {
		bool out = (fds[i].events & POLLOUT) != 0;
		e->fds[n++] = (struct curl_waitfd){
		    .fd = fds[i].fd, .events = out ? CURL_WAIT_POLLOUT : CURL_WAIT_POLLIN};
	}
	return n;
}

static int64_t next_wake(const struct engine *e, int64_t now)
{
	int64_t wake = now + 60000;
	for (size_t i = 0; i < e->n_running; i++) {
		int64_t at = mm_attempt_wake(e->running[i]->attempt, now);
		wake = at < wake ? at : wake;
	}
	for (const struct server *s = e->servers; s != NULL; s = s->next) {
		int64_t at = s->asked + e->o.limits->dns_ms;
		if (s->first != NULL && s->active == 0 && at > now && at < wake)
			wake = at;
	}
	return wake > now ? wake - now : 0;
}

static int wait_for_something(struct engine *e)
{
	unsigned n = 0;
	for (size_t i = 0; i < e->n_running; i++)
		n = add_fds(e, n, e->running[i]->attempt);
	int ms = (int)next_wake(e, mm_clock_ms());
	if (e->o.tick != NULL) {
		e->o.tick(e->o.ctx);
		ms = ms < TICK_MS ? ms : TICK_MS;
	}
	CURLMcode rc = curl_multi_poll(e->multi, e->fds, n, ms, NULL);
	return rc == CURLM_OK ? 0 : mm_err_set(e->err, MM_EX_FAILED, "libcurl: %s", curl_multi_strerror(rc));
}

static int turn(struct engine *e)
{
	int active;
	schedule(e, mm_clock_ms());
	CURLMcode rc = curl_multi_perform(e->multi, &active);
	if (rc != CURLM_OK)
		return mm_err_set(e->err, MM_EX_FAILED, "libcurl: %s", curl_multi_strerror(rc));
	collect(e);
	step_all(e);
	if (e->failed)
		return -1;
	schedule(e, mm_clock_ms());
	return e->left > 0 ? wait_for_something(e) : 0;
}

static size_t room(void)
{
	struct rlimit r;
	size_t fds = 1024;
	if (getrlimit(RLIMIT_NOFILE, &r) == 0)
		fds = r.rlim_cur;
	size_t tests = fds > FDS_RESERVED + FDS_PER_TEST ? (fds - FDS_RESERVED) / FDS_PER_TEST : 1;
	return tests < MM_AT_ONCE ? tests : MM_AT_ONCE;
}

static void keep(void *p)
{
	(void)p; /* servers live in the arena */
}

int mm_engine_run(const struct mm_job *jobs, size_t n, const struct mm_engine_opts *opts, struct mm_err *err)
{
	struct engine e = {.jobs = jobs, .o = *opts, .left = n, .err = err};
	e.o.limits = opts->limits != NULL ? opts->limits : &mm_limits_default;
	e.o.per_server = opts->per_server != 0 ? opts->per_server : MM_PER_SERVER;
	e.o.at_once = opts->at_once != 0 ? opts->at_once : room();
	e.multi = curl_multi_init();
	if (e.multi == NULL)
		mm_oom();
	curl_multi_setopt(e.multi, CURLMOPT_MAXCONNECTS, (long)(2 * MM_AT_ONCE));
	e.mem = mm_arena_new();
	e.resolver = mm_resolver_new(opts->gai, wake_up, e.multi);
	e.running = mm_xcalloc(e.o.at_once, sizeof(struct test *));
	e.fds = mm_xcalloc(e.o.at_once * MM_ATTEMPT_FDS, sizeof(*e.fds));
	admit(&e);
	int rc = e.failed ? -1 : 0;
	while (rc == 0 && e.left > 0)
		rc = turn(&e);
	for (size_t i = 0; i < e.n_running; i++) {
		mm_attempt_end(e.running[i]->attempt);
		free(e.running[i]->attempt);
	}
	mm_resolver_free(e.resolver);
	tdestroy(e.by_place, keep);
	curl_multi_cleanup(e.multi);
	mm_arena_free(e.mem);
	free(e.running);
	free(e.fds);
	return rc;
}
