#include "agent/probe/runner.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent/probe/clock.h"
#include "agent/probe/redact.h"
#include "agent/probe/show.h"
#include "agent/probe/ticket.h"
#include "common/file.h"
#include "common/frame.h"
#include "common/sandbox.h"
#include "common/text.h"

#define WANTED_FILES 4096
#define ANSWER_MAX (256u * 1024u)
#define PROGRESS_AFTER_MS 400 /* what is quicker needs none */

struct onlooker {
	const struct mm_probe_task *task;
	const struct mm_input *in;
	const struct mm_style *style;
	bool named; /* several talk at the same time: say who */
	struct mm_trace trace;
};

struct runner {
	const struct mm_runner_opts *o;
	struct mm_input *in;
	const struct mm_job *jobs;
	struct mm_tally_of_tests sum;
	struct mm_style style, err_style;
	bool *done;
	struct onlooker *onlookers;
	int64_t began;
};

/* ---- results */

static int print_json(int64_t id, const struct mm_login *l, struct mm_err *err)
{
	struct mm_buf b = MM_BUF_INIT(ANSWER_MAX);
	mm_probe_answer_encode(id, l, &b);
	mm_buf_addc(&b, '\n');
	int rc = mm_buf_ok(&b) ? mm_write_all(STDOUT_FILENO, b.data, b.len, err)
			       : mm_err_set(err, MM_EX_FAILED, "the answer %lld is too long", (long long)id);
	mm_buf_free(&b);
	return rc;
}

static int print_text(const struct runner *r, const struct mm_login *l, struct mm_err *err)
{
	struct mm_buf b = MM_BUF_INIT(ANSWER_MAX);
	size_t before = r->sum.passed + r->sum.failed + r->sum.untested;
	if (before > 1 || r->o->verbose)
		mm_buf_addc(&b, '\n');
	mm_show_login(l, &r->style, &b);
	if (before == r->in->n && before > 1) {
		mm_buf_addc(&b, '\n');
		mm_show_summary(r->sum.passed, r->sum.failed, r->sum.untested, &r->style, &b);
	}
	int rc = mm_write_all(STDOUT_FILENO, mm_buf_str(&b), b.len, err);
	mm_buf_free(&b);
	return rc;
}

static int told(void *ctx, size_t job, const struct mm_login *l, struct mm_err *err)
{
	struct runner *r = ctx;
	const struct mm_probe_task *t = &r->in->tasks[job];
	r->done[job] = true;
	r->sum.passed += l->result == MM_LOGIN_PASSED;
	r->sum.failed += l->result == MM_LOGIN_FAILED;
	r->sum.untested += l->result == MM_LOGIN_UNTESTED;
	if (r->jobs[job].retrieve != NULL && !r->o->verbose)
		mm_input_release(r->in, r->jobs[job].retrieve->task);
	mm_progress_clear();
	return r->o->json ? print_json(t->id, l, err) : print_text(r, l, err);
}

static void spent(void *ctx, size_t job)
{
	struct runner *r = ctx;
	mm_input_release(r->in, &r->in->tasks[job]);
}

/* ---- looking on */

static void tick(void *ctx)
{
	const struct runner *r = ctx;
	size_t n = r->in->n, done = r->sum.passed + r->sum.failed + r->sum.untested, i = 0;
	int64_t ms = mm_clock_ms() - r->began;
	if (ms < PROGRESS_AFTER_MS)
		return;
	while (i < n && r->done[i])
		i++;
	if (i == n)
		return;
	const struct mm_probe_task *t = &r->in->tasks[i];
	if (n == 1)
		mm_progress("%s port %d: waiting, %d s", t->host, t->port, (int)(ms / 1000));
	else
		mm_progress("%zu of %zu done, waiting for %s port %d, %d s", done, n, t->host, t->port,
		    (int)(ms / 1000));
}

/* A server may repeat in one connection what it was sent in another. */
static bool gives_away(const struct mm_input *in, const char *text)
{
	for (size_t i = 0; i < in->n; i++) {
		const struct mm_secret *s = mm_input_secret(in, &in->tasks[i]);
		if (s != NULL && mm_reveals(text, strlen(text), mm_secret_bytes(s), mm_secret_len(s)))
			return true;
	}
	return false;
}

static void on_line(void *ctx, enum mm_said who, const char *text)
{
	static const struct {
		const char *mark;
		enum mm_colour colour;
	} looks[] = {[MM_SAID_SERVER] = {"<", MM_PLAIN},
	    [MM_SAID_CLIENT] = {">", MM_BLUE},
	    [MM_SAID_NOTE] = {"*", MM_DIM},
	    [MM_SAID_TITLE] = {"==", MM_BOLD}};
	const struct onlooker *o = ctx;
	struct mm_buf b = MM_BUF_INIT(16384);
	mm_buf_adds(&b, mm_style_colour(o->style, looks[who].colour));
	if (o->named)
		mm_buf_addf(&b, "%s:%d ", o->task->host, o->task->port);
	mm_buf_addf(&b, "%s ", looks[who].mark);
	size_t column = b.len - strlen(mm_style_colour(o->style, looks[who].colour));
	mm_wrap(&b, gives_away(o->in, text) ? MM_REDACT_WITHHELD : text, column, o->style->width);
	mm_buf_addf(&b, "%s\n", mm_style_colour(o->style, MM_PLAIN));
	(void)mm_write_all(STDERR_FILENO, mm_buf_str(&b), b.len, NULL);
	mm_buf_free(&b);
}

static void look_on(struct runner *r, struct mm_job *jobs)
{
	r->onlookers = mm_xcalloc(r->in->n + 1, sizeof(*r->onlookers));
	for (size_t i = 0; i < r->in->n && r->o->verbose; i++) {
		struct onlooker *o = &r->onlookers[i];
		*o = (struct onlooker){
		    .task = &r->in->tasks[i], .in = r->in, .style = &r->err_style, .named = r->in->n > 1};
		o->trace = (struct mm_trace){on_line, o};
		jobs[i].trace = &o->trace;
	}
}

/* ---- setting up */

void mm_raise_file_limit(void)
{
	struct rlimit r;
	if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur >= WANTED_FILES)
		return;
	r.rlim_cur = r.rlim_max < WANTED_FILES ? r.rlim_max : WANTED_FILES;
	setrlimit(RLIMIT_NOFILE, &r);
}

static int enter_sandbox(const struct mm_input *in, const char *ccache, struct mm_err *err)
{
	const char **paths = mm_xcalloc(in->n + 2, sizeof(*paths));
	size_t n = 0;
	for (size_t i = 0; i < in->n; i++) {
		const char *ca = in->tasks[i].ca_file;
		if (ca != NULL && (n == 0 || strcmp(paths[n - 1], ca) != 0))
			paths[n++] = ca;
	}
	if (ccache != NULL)
		paths[n++] = ccache;
	struct mm_sandbox_opts o = {.read_paths = paths};
	int rc = mm_sandbox_enter(MM_SANDBOX_PROBE, &o, err);
	free(paths);
	return rc;
}

static int ask_family(
    int family, const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
	struct addrinfo own = *hints;
	own.ai_family = family;
	return getaddrinfo(host, service, &own, out);
}

static int ask_v4(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
	return ask_family(AF_INET, host, service, hints, out);
}

static int ask_v6(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
	return ask_family(AF_INET6, host, service, hints, out);
}

const struct mm_gai *mm_gai_of(int family)
{
	static const struct mm_gai v4 = {ask_v4, freeaddrinfo}, v6 = {ask_v6, freeaddrinfo};
	return family == AF_INET ? &v4 : family == AF_INET6 ? &v6 : NULL;
}

static int run_inside(struct runner *r, const struct mm_job *jobs, struct mm_err *err)
{
	struct mm_engine_opts eo = {.limits = &r->o->limits,
	    .gai = mm_gai_of(r->o->family),
	    .per_server = r->o->per_server,
	    .no_survey = r->o->no_survey,
	    .spent = r->o->verbose ? NULL : spent, /* what is shown is held against all of them */
	    .told = told,
	    .tick = r->o->progress ? tick : NULL,
	    .ctx = r,
	    .hung = &r->sum.hung};
	const char *ccache = NULL;
	if (mm_curl_init(err) != 0 || mm_ticket_begin(r->in->tasks, r->in->n, &ccache, err) != 0 ||
	    enter_sandbox(r->in, ccache, err) != 0)
		return -1;
	if (ccache != NULL)
		mm_ticket_copy(ccache);
	r->began = mm_clock_ms();
	return mm_engine_run(jobs, r->in->n, &eo, err);
}

struct by_id {
	int64_t id;
	size_t index;
};

static int compare_ids(const void *a, const void *b)
{
	const struct by_id *x = a, *y = b;
	return (x->id > y->id) - (x->id < y->id);
}

/* Which job does the task of a round trip mean by its `retrieve`? Only one
 * that comes in; what it needs is kept until the round trip is over. */
static void pair_up(struct runner *r, struct mm_job *jobs)
{
	size_t n = r->in->n;
	struct by_id *ids = mm_xcalloc(n + 1, sizeof(*ids));
	for (size_t i = 0; i < n; i++)
		ids[i] = (struct by_id){r->in->tasks[i].id, i};
	qsort(ids, n, sizeof(*ids), compare_ids);
	for (size_t i = 0; i < n; i++) {
		const struct mm_probe_task *t = &r->in->tasks[i];
		struct by_id key = {.id = t->retrieve};
		const struct by_id *found = t->level == MM_LEVEL_ROUNDTRIP && t->retrieve >= 0
						? bsearch(&key, ids, n, sizeof(*ids), compare_ids)
						: NULL;
		if (found == NULL || strcmp(r->in->tasks[found->index].protocol, "smtp") == 0)
			continue;
		jobs[i].retrieve = &jobs[found->index];
		mm_input_hold(r->in, jobs[i].retrieve->task);
	}
	free(ids);
}

int mm_runner_run(
    struct mm_input *in, const struct mm_runner_opts *o, struct mm_tally_of_tests *out, struct mm_err *err)
{
	struct runner r = {.o = o, .in = in, .style = mm_style_of(stdout), .err_style = mm_style_of(stderr)};
	struct mm_job *jobs = mm_xcalloc(in->n + 1, sizeof(*jobs));
	for (size_t i = 0; i < in->n; i++)
		jobs[i] = (struct mm_job){.task = &in->tasks[i],
		    .secret = mm_input_secret(in, &in->tasks[i]),
		    .certificate = mm_input_certificate(in, &in->tasks[i])};
	r.style.verbose = o->verbose;
	r.done = mm_xcalloc(in->n + 1, sizeof(*r.done));
	look_on(&r, jobs);
	r.jobs = jobs;
	pair_up(&r, jobs);
	mm_raise_file_limit();
	int rc = run_inside(&r, jobs, err);
	mm_progress_clear();
	*out = r.sum;
	free(r.onlookers);
	free(r.done);
	free(jobs);
	return rc;
}
