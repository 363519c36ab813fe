#include "agent/probe/engine.h"

#include <curl/curl.h>

#include "agent/probe/answer.h"
#include "agent/probe/clock.h"
#include "agent/probe/once.h"
#include "agent/probe/retrieve.h"
#include "agent/probe/room.h"
#include "agent/probe/sites.h"
#include "agent/probe/tickets.h"
#include "common/mem.h"
#include "common/text.h"

#define TICK_MS 100      /* also until handshakes that take long count no more */
#define FOLLOWING_MAX 64 /* endpoints looked at further at a time; then no new one is begun */
#define FDS_STEP 256

struct engine {
	const struct mm_job *jobs;
	struct mm_engine_opts o;
	CURLM *multi;
	struct mm_resolver *resolver;
	struct mm_tickets *tickets;
	struct mm_arena *mem; /* tests, sites and servers */
	struct mm_sites sites;
	void *once; /* once.h */
	struct mm_site *waiting, *following;
	struct mm_test *ticketless; /* wait for a ticket (next) */
	struct mm_test **running;
	size_t n_running, n_following, left;
	size_t handshakes;           /* of those that run */
	int64_t due;                 /* when a server may be asked for more */
	struct mm_outcome *outcomes; /* by job; NULL: nobody waits for any */
	struct curl_waitfd *fds;
	size_t n_fds, fds_cap;
	bool failed; /* `told` ended the run */
	struct mm_err *err;
};

static void wake_up(void *ctx)
{
	curl_multi_wakeup(ctx);
}

/* ---- telling */

static void release_waiting(
    struct engine *e, size_t job, const struct mm_attempt *a, const struct mm_login *l);
static void enqueue(struct engine *e, struct mm_test *t);

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
	release_waiting(e, job, NULL, &l);
	tell(e, job, &l);
	mm_arena_free(mem);
}

static void tell_answer(struct engine *e, const struct mm_site *s, struct mm_answer *a)
{
	mm_site_tell(s, a->task, a->mem, &a->login);
	tell(e, a->job, &a->login);
	mm_arena_free(a->mem);
	free(a);
}

static void tell_waiting(struct engine *e, struct mm_site *s)
{
	while (s->answers != NULL) {
		struct mm_answer *a = s->answers;
		s->answers = a->next;
		tell_answer(e, s, a);
	}
	s->last_answer = NULL;
}

static void deliver(struct engine *e, struct mm_site *s, struct mm_answer *a)
{
	if (e->o.spent != NULL)
		e->o.spent(e->o.ctx, a->job);
	if (!s->following) {
		tell_answer(e, s, a);
		return;
	}
	if (s->last_answer != NULL)
		s->last_answer->next = a;
	else
		s->answers = a;
	s->last_answer = a;
}

/* What `seen` saw is the answer of this job. */
static struct mm_answer *answer(struct engine *e, size_t job, const struct mm_attempt *seen, enum mm_cls *cls)
{
	struct mm_answer *a = mm_xcalloc(1, sizeof(*a));
	a->job = job;
	a->task = e->jobs[job].task;
	a->mem = mm_arena_new();
	*cls = mm_answer_make(seen, a->task, a->mem, &a->login);
	release_waiting(e, job, seen, &a->login);
	return a;
}

/* ---- a connection is over */

/* Where one test could not connect, those that still wait for the same server
 * would only wait longer for the same answer. */
static void remember(struct mm_server *s, const struct mm_attempt *a)
{
	s->alive = s->alive || a->signals.dialled;
	if (s->alive || a->signals.gai != 0)
		return;
	s->dead_errno = a->signals.dial_errno;
	s->dead_ms = a->tcp_ms;
}

static void mind_manners(struct mm_server *s, enum mm_cls cls, int64_t now)
{
	if (cls == MM_CLS_AUTH_SLOW || cls == MM_CLS_TOO_MANY_CONNECTIONS || cls == MM_CLS_SERVER_REFUSES)
		mm_pace_penalty(&s->pace, now);
}

static void follow(
    struct engine *e, struct mm_site *s, const struct mm_attempt *a, enum mm_cls cls, int64_t now)
{
	if (!mm_site_follow(s, a, cls, e->multi, e->resolver, now))
		return;
	s->next_following = e->following;
	e->following = s;
	e->n_following++;
	mm_pace_take(&s->server->pace, now);
}

/* All who wait get the answer of the look; or only those who wanted no more. */
static void answer_from_look(struct engine *e, struct mm_site *s)
{
	struct mm_test *t, *list = s->first;
	s->first = s->last = NULL;
	while ((t = list) != NULL) {
		list = t->next;
		if (s->state == MM_SITE_SHUT || t->ep.level <= MM_LEVEL_TLS) {
			enum mm_cls cls;
			deliver(e, s, answer(e, t->job, s->look->attempt, &cls));
		} else {
			mm_site_enqueue(s, t);
		}
	}
}

static void look_over(struct engine *e, struct mm_test *t, int64_t now)
{
	struct mm_site *s = t->site;
	enum mm_cls cls =
	    t->attempt->local[0] != '\0' ? MM_CLS_LOCAL_TROUBLE : mm_diagnose(&t->attempt->signals);
	s->held = cls == MM_CLS_NONE || cls == MM_CLS_NO_TLS_WANTED;
	s->state = s->held ? MM_SITE_OPEN : MM_SITE_SHUT;
	mind_manners(s->server, cls, now);
	follow(e, s, t->attempt, cls, now);
	answer_from_look(e, s);
	mm_attempt_close(t->attempt);
}

/* Those who would have said the same password to the server. */
static void let_go(struct engine *e, struct mm_once *o)
{
	for (struct mm_test *t; (t = mm_once_next(o)) != NULL;)
		enqueue(e, t);
}

static void test_over(struct engine *e, struct mm_test *t, int64_t now)
{
	enum mm_cls cls;
	struct mm_site *s = t->site;
	struct mm_attempt *a = t->attempt;
	a->signals.crowded = a->company && s->held;
	struct mm_answer *out = answer(e, t->job, a, &cls);
	s->held = s->held || (out->login.any && out->login.reached >= MM_LEVEL_TLS);
	mind_manners(s->server, cls, now);
	follow(e, s, a, cls, now);
	mm_attempt_end(a);
	free(a);
	t->attempt = NULL;
	if (mm_once_over(t, cls, out->login.any && out->login.reached >= MM_LEVEL_LOGIN))
		let_go(e, t->once);
	deliver(e, s, out);
}

static void conclude(struct engine *e, struct mm_test *t, int64_t now)
{
	remember(t->site->server, t->attempt);
	if (t->is_look)
		look_over(e, t, now);
	else
		test_over(e, t, now);
	mm_pace_give(&t->site->server->pace);
}

/* ---- what waits */

static void enqueue(struct engine *e, struct mm_test *t)
{
	struct mm_site *s = mm_sites_of(&e->sites, t, e->jobs[t->job].task);
	s->trace = s->trace != NULL ? s->trace : e->jobs[t->job].trace;
	s->wants_survey = s->wants_survey || (e->jobs[t->job].task->survey && !e->o.no_survey);
	mm_site_enqueue(s, t);
	if (s->queued)
		return;
	struct mm_site **last = &e->waiting;
	while (*last != NULL)
		last = &(*last)->next_waiting;
	s->queued = true;
	s->next_waiting = NULL;
	*last = s;
}

static struct mm_outcome *outcome_for(const struct engine *e, const struct mm_job *job)
{
	return job->retrieve != NULL ? &e->outcomes[job->retrieve - e->jobs] : NULL;
}

static bool wants_ticket(const struct mm_test *t)
{
	return t->ep.level >= MM_LEVEL_LOGIN && t->ep.auth->ticket && mm_login_possible(&t->ep);
}

/* Nobody waits with an open connection for the ticket service. */
static void queue_up(struct engine *e, struct mm_test *t)
{
	if (t->ticket == NULL) {
		enqueue(e, t);
		return;
	}
	t->next = e->ticketless;
	e->ticketless = t;
}

/* Those whose ticket came, or will not come. A login that blocks us is let
 * in when nothing is left that it could hold up. */
static void hand_out_tickets(struct engine *e, int64_t now)
{
	struct mm_ticket_answer a;
	for (struct mm_test **p = &e->ticketless; *p != NULL;) {
		struct mm_test *t = *p;
		bool busy = e->n_running > 0 || e->n_following > 0 || e->waiting != NULL;
		if (!mm_ticket_answer(e->tickets, t->ticket, t->limits.answer_ms, now, &a) ||
		    (a.why == NULL && a.slow && busy)) {
			p = &t->next;
			continue;
		}
		*p = t->next;
		t->no_ticket = a.why != NULL ? mm_arena_strdup(e->mem, a.why) : NULL;
		t->ep.has_ticket = a.why == NULL;
		enqueue(e, t);
	}
}

/* A round trip begins when its incoming side is over. */
static void accept_test(struct engine *e, size_t job, const struct mm_endpoint *ep)
{
	struct mm_test *t = mm_arena_alloc(e->mem, 1, sizeof(*t));
	struct mm_outcome *in = outcome_for(e, &e->jobs[job]);
	*t = (struct mm_test){.job = job, .ep = *ep, .limits = mm_job_limits(e->jobs[job].task, e->o.limits)};
	t->once = mm_once_of(&e->once, e->mem, ep, e->jobs[job].secret);
	if (wants_ticket(t))
		t->ticket = mm_tickets_ask(e->tickets, &t->ep);
	if (in == NULL || in->over) {
		queue_up(e, t);
		return;
	}
	t->next = in->waiting;
	in->waiting = t;
}

static void release_waiting(
    struct engine *e, size_t job, const struct mm_attempt *a, const struct mm_login *l)
{
	if (e->outcomes == NULL)
		return;
	struct mm_outcome *o = &e->outcomes[job];
	mm_outcome_take(o, a, l);
	while (o->waiting != NULL) {
		struct mm_test *t = o->waiting;
		o->waiting = t->next;
		queue_up(e, t);
	}
}

static void admit(struct engine *e)
{
	size_t n = e->left; /* falls while tasks are refused */
	for (size_t i = 0; i < n; i++) {
		struct mm_endpoint ep;
		struct mm_buf detail = MM_BUF_INIT(256);
		enum mm_cls cls = mm_job_lint(&e->jobs[i], &ep, &detail);
		if (cls == MM_CLS_NONE)
			accept_test(e, i, &ep);
		else
			refuse(e, i, cls, mm_buf_str(&detail));
		mm_buf_free(&detail);
	}
}

static const struct mm_trip_plan *trip_of(struct engine *e, const struct mm_test *t)
{
	const struct mm_job *job = &e->jobs[t->job];
	if (job->retrieve == NULL)
		return NULL;
	struct mm_trip_plan *plan = mm_arena_alloc(e->mem, 1, sizeof(*plan));
	mm_retrieve_plan(plan, outcome_for(e, job), job->task, job->retrieve->secret,
	    job->retrieve->certificate, e->multi, t->limits.trip_ms);
	plan->talk.trace = job->trace;
	return plan;
}

static void start(struct engine *e, struct mm_test *t, const struct mm_name_answer *name, int64_t now)
{
	struct mm_server *s = t->site->server;
	mm_pace_take(&s->pace, now);
	t->attempt = mm_xcalloc(1, sizeof(*t->attempt));
	*t->attempt = (struct mm_attempt){.ep = t->ep, .multi = e->multi, .limits = &t->limits};
	t->attempt->trace = t->site->trace;
	t->attempt->title = "the endpoint, without a login";
	if (!t->is_look) {
		const struct mm_job *job = &e->jobs[t->job];
		t->attempt->secret = job->secret;
		t->attempt->certificate = job->certificate;
		t->attempt->trace = job->trace;
		t->attempt->title = "the test itself";
		t->attempt->trip = trip_of(e, t);
		t->attempt->signals.gss = t->no_ticket;
		t->attempt->sender = t->ep.mail == MM_MAIL_SMTP ? job->task->sender : NULL;
	}
	t->attempt->sessions = mm_site_shares_sessions(t->site) ? &t->site->sessions : NULL;
	t->attempt->tcp_ms = s->alive ? -1 : s->dead_ms;
	t->attempt->signals.dial_errno = s->alive ? 0 : s->dead_errno;
	mm_attempt_begin(t->attempt, name, now);
	e->handshakes += mm_attempt_shakes_hands(t->attempt, now);
	e->running[e->n_running++] = t;
}

static struct mm_test *look_of(struct engine *e, struct mm_site *s)
{
	struct mm_test *t = mm_arena_alloc(e->mem, 1, sizeof(*t));
	*t = (struct mm_test){.is_look = true, .ep = s->ep, .limits = *s->limits, .site = s};
	t->ep.level = MM_LEVEL_TLS;
	s->look = t;
	return t;
}

static void start_next(struct engine *e, struct mm_site *s, const struct mm_name_answer *name, int64_t now)
{
	bool look = s->state == MM_SITE_NEW && mm_site_wants_look(s);
	s->state = look ? MM_SITE_LOOKING : MM_SITE_OPEN;
	struct mm_test *t = look ? look_of(e, s) : mm_site_dequeue(s);
	if (mm_once_begin(t))
		start(e, t, name, now);
}

/* The name service may hang longer than we wait. */
static bool named(struct engine *e, struct mm_server *s, struct mm_name_answer *out, int64_t now)
{
	if (mm_name_answer(e->resolver, s->name, out))
		return true;
	int waited = (int)(now - s->asked);
	*out = (struct mm_name_answer){.gai = EAI_AGAIN, .ms = waited};
	return waited >= e->o.limits->dns_ms;
}

static bool may_start(const struct engine *e, const struct mm_site *s, int64_t now)
{
	bool crowd = s->state == MM_SITE_NEW && e->n_following >= FOLLOWING_MAX;
	return s->first != NULL && !crowd && s->state != MM_SITE_LOOKING && e->n_running < e->o.at_once &&
	       e->handshakes < MM_HANDSHAKES && mm_pace_free(&s->server->pace, now);
}

static void serve(struct engine *e, struct mm_site *s, int64_t now)
{
	struct mm_name_answer name;
	if (may_start(e, s, now) && named(e, s->server, &name, now))
		do
			start_next(e, s, &name, now);
		while (may_start(e, s, now));
}

/* When that is true of a server that is waited for. */
static int64_t wake_server(const struct engine *e, const struct mm_site *s, int64_t now)
{
	int64_t at = s->server->asked + e->o.limits->dns_ms;
	if (at <= now || e->n_running == e->o.at_once || s->state == MM_SITE_LOOKING)
		at = INT64_MAX;
	int64_t due = mm_pace_wake(&s->server->pace);
	return due > now && due < at && s->state != MM_SITE_LOOKING ? due : at;
}

static void schedule(struct engine *e, int64_t now)
{
	e->due = INT64_MAX;
	hand_out_tickets(e, now);
	for (struct mm_site **p = &e->waiting; *p != NULL;) {
		struct mm_site *s = *p;
		serve(e, s, now);
		s->queued = s->first != NULL;
		if (s->queued) {
			p = &s->next_waiting;
			e->due = mm_sooner(e->due, wake_server(e, s, now));
		} else {
			*p = s->next_waiting;
		}
	}
}

/* ---- the loop */

static void step_all(struct engine *e)
{
	int64_t now = mm_clock_ms();
	size_t kept = 0;
	e->handshakes = 0;
	for (size_t i = 0; i < e->n_running; i++) {
		struct mm_test *t = e->running[i];
		/* when the connection ends counts, not when the looks behind it have ended */
		if (t->attempt->signals.end == MM_END_NOT_RUN)
			t->attempt->company = t->site->server->pace.active > 1;
		mm_attempt_step(t->attempt, now);
		e->handshakes += mm_attempt_shakes_hands(t->attempt, now);
		if (!t->is_look && mm_once_look(t))
			let_go(e, t->once);
		if (t->attempt->done)
			conclude(e, t, now);
		else
			e->running[kept++] = t;
	}
	e->n_running = kept;
	for (struct mm_site **p = &e->following; *p != NULL;) {
		struct mm_site *s = *p;
		if (mm_site_step(s, now)) {
			p = &s->next_following;
			continue;
		}
		*p = s->next_following;
		e->n_following--;
		mm_pace_give(&s->server->pace);
		tell_waiting(e, s);
	}
}

static void collect(struct engine *e)
{
	int left;
	for (CURLMsg *m; (m = curl_multi_info_read(e->multi, &left)) != NULL;)
		if (m->msg == CURLMSG_DONE)
			mm_talk_done(mm_talk_of(m->easy_handle), m->data.result);
}

static void add_fds(struct engine *e, const struct pollfd *fds, size_t n)
{
	if (e->n_fds + n > e->fds_cap) {
		e->fds_cap = e->n_fds + n + FDS_STEP;
		e->fds = mm_xrealloc(e->fds, e->fds_cap, sizeof(*e->fds));
	}
	for (size_t i = 0; i < n; i++) {
		bool out = (fds[i].events & POLLOUT) != 0;
		e->fds[e->n_fds++] = (struct curl_waitfd){
		    .fd = fds[i].fd, .events = out ? CURL_WAIT_POLLOUT : CURL_WAIT_POLLIN};
	}
}

static void gather_fds(struct engine *e)
{
	struct pollfd fds[MM_SITE_FDS];
	e->n_fds = 0;
	for (size_t i = 0; i < e->n_running; i++)
		add_fds(e, fds, mm_attempt_poll(e->running[i]->attempt, fds, MM_ATTEMPT_FDS));
	for (const struct mm_site *s = e->following; s != NULL; s = s->next_following)
		add_fds(e, fds, mm_site_poll(s, fds, MM_SITE_FDS));
}

static int64_t next_wake(const struct engine *e, int64_t now)
{
	int64_t wake = mm_sooner(e->due, now + (e->handshakes < MM_HANDSHAKES ? 60000 : TICK_MS));
	for (size_t i = 0; i < e->n_running; i++)
		wake = mm_sooner(wake, mm_attempt_wake(e->running[i]->attempt, now));
	for (const struct mm_site *s = e->following; s != NULL; s = s->next_following)
		wake = mm_sooner(wake, mm_site_wake(s, now));
	for (const struct mm_test *t = e->ticketless; t != NULL; t = t->next) {
		int64_t at = mm_ticket_wake(t->ticket, t->limits.answer_ms);
		wake = at > now ? mm_sooner(wake, at) : wake;
	}
	return wake > now ? wake - now : 0;
}

static int wait_for_something(struct engine *e)
{
	gather_fds(e);
	int ms = (int)next_wake(e, mm_clock_ms());
	if (e->o.tick != NULL) {
		e->o.tick(e->o.ctx);
		ms = ms < TICK_MS ? ms : TICK_MS;
	}
	CURLMcode rc = curl_multi_poll(e->multi, e->fds, (unsigned)e->n_fds, ms, NULL);
	return rc == CURLM_OK ? 0 : mm_err_set(e->err, MM_EX_FAILED, "libcurl: %s", curl_multi_strerror(rc));
}

static int turn(struct engine *e)
{
	int active;
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

static void begin(struct engine *e)
{
	e->o.limits = e->o.limits != NULL ? e->o.limits : &mm_limits_default;
	e->o.per_server = e->o.per_server != 0 ? e->o.per_server : MM_PER_SERVER;
	e->o.per_second = e->o.per_second != 0 ? e->o.per_second : MM_PER_SECOND;
	e->o.at_once = e->o.at_once != 0 ? e->o.at_once : mm_room();
	e->multi = curl_multi_init();
	if (e->multi == NULL)
		mm_oom();
	curl_multi_setopt(e->multi, CURLMOPT_MAXCONNECTS, (long)(2 * MM_AT_ONCE));
	e->mem = mm_arena_new();
	e->resolver = mm_resolver_new(e->o.gai, wake_up, e->multi);
	e->tickets = mm_tickets_new(e->o.ticket_fetch, wake_up, e->multi);
	e->sites = (struct mm_sites){.mem = e->mem,
	    .resolver = e->resolver,
	    .per_server = e->o.per_server,
	    .per_second = e->o.per_second};
	e->running = mm_xcalloc(e->o.at_once, sizeof(struct mm_test *));
	for (size_t i = 0; i < e->left && e->outcomes == NULL; i++)
		if (e->jobs[i].retrieve != NULL)
			e->outcomes = mm_xcalloc(e->left, sizeof(*e->outcomes));
}

static void end_site(struct mm_site *s)
{
	struct mm_attempt *look = s->look != NULL ? s->look->attempt : NULL;
	if (look != NULL)
		mm_attempt_end(look);
	free(look);
	mm_site_end(s);
	while (s->answers != NULL) {
		struct mm_answer *a = s->answers;
		s->answers = a->next;
		mm_arena_free(a->mem);
		free(a);
	}
}

static void end(struct engine *e)
{
	for (size_t i = 0; i < e->n_running; i++) {
		struct mm_test *t = e->running[i];
		if (t->is_look)
			continue;
		mm_attempt_end(t->attempt);
		free(t->attempt);
	}
	for (struct mm_site *s = e->sites.all; s != NULL; s = s->next_all)
		end_site(s);
	mm_resolver_free(e->resolver);
	bool hung = !mm_tickets_free(e->tickets);
	if (e->o.hung != NULL)
		*e->o.hung = hung;
	mm_sites_end(&e->sites);
	mm_once_end(e->once);
	curl_multi_cleanup(e->multi);
	mm_arena_free(e->mem);
	free(e->running);
	free(e->outcomes);
	free(e->fds);
}

int mm_engine_run(const struct mm_job *jobs, size_t n, const struct mm_engine_opts *opts, struct mm_err *err)
{
	struct engine e = {.jobs = jobs, .o = *opts, .left = n, .err = err};
	begin(&e);
	admit(&e);
	int rc = e.failed ? -1 : 0;
	while (rc == 0 && e.left > 0)
		rc = turn(&e);
	end(&e);
	return rc;
}
