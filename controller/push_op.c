#include "controller/push_op.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/term.h"
#include "common/text.h"
#include "controller/preflight.h"
#include "controller/push/local.h"
#include "controller/push_answer.h"
#include "controller/push_overtaken.h"
#include "controller/push_run.h"
#include "controller/signkey.h"
#include "schemas/proto.h"

#define GATHER_MS 250 /* finished hosts wait for company, so that a transaction is worth its flush */
#define GATHER_MAX 64
#define OTHERS_MS 60000 /* how long the end of another run is waited for */
#define LOOK_MS 200

/* Before each further round, for the hosts that another run of ours was faster at. */
static const int pauses_ms[MM_PUSH_ROUNDS] = {0, 2000, 4000, 8000, 16000};

static size_t index_of(const struct mm_push_run *o, const struct mm_push_job *job)
{
	const struct mm_target *t = job->arg;
	return (size_t)(t - o->s->targets);
}

/* Which is next: what a round was begun with, then what the feed gives. */
static int choose(struct mm_push_run *o, size_t *i, struct mm_err *err)
{
	if (o->next < o->n_queue) {
		*i = o->queue[o->next++];
		return 1;
	}
	const struct mm_push_feed *f = o->how->feed;
	int rc = f != NULL ? f->next(f->ctx, i, err) : 0;
	/* Nothing comes back that has not come back: those put off are next. */
	return rc == MM_PUSH_LATER && o->out == 0 && o->n_again > 0 ? 0 : rc;
}

static struct mm_host_result nothing_yet(const struct mm_target *t)
{
	return (struct mm_host_result){.target = t, .outcome = MM_ENDED_NONE, .agent = ""};
}

/* It is served once more: the last time counts. */
static void forget(struct mm_push_run *o, size_t i)
{
	o->s->by_class[o->s->hosts[i].outcome.cls]--;
	o->s->hosts[i] = nothing_yet(&o->s->targets[i]);
	o->decided[i] = false;
	o->finished--;
}

static int next(void *ctx, struct mm_push_job *job, struct mm_err *err)
{
	struct mm_push_run *o = ctx;
	size_t i;
	int rc = choose(o, &i, err);
	if (rc != 1)
		return rc;
	struct mm_target *t = &o->s->targets[i];
	if (o->decided[i])
		forget(o, i);
	o->out++;
	*job = (struct mm_push_job){
	    .host = t->host.id,
	    .address = t->host.address,
	    .port = t->host.port,
	    .login = t->host.account,
	    .proxy_command = t->host.proxy_command,
	    .by_ssh = mm_streq(t->host.transport, "ssh"),
	    .keys = t->keys,
	    .n_keys = t->n_keys,
	    .arg = t,
	};
	return 1;
}

/* A rotation may take place while the push is under way. */
static const struct mm_key *key_in_use(void *ctx, struct mm_err *err)
{
	struct mm_push_run *o = ctx;
	struct mm_key *k = NULL, **place;
	if (o->n_keys > 0 && mm_store_key_in_use(o->c->store, o->keys[o->n_keys - 1], NULL, NULL) == 0)
		return o->keys[o->n_keys - 1];
	if (mm_signkey_load(o->c, &k, err) != 0)
		return NULL;
	place = mm_arena_push(o->s->arena, &o->keys, &o->n_keys, &o->cap_keys, sizeof(*place));
	return *place = k;
}

/* The builder for what this host gets. */
static int builder_for(
    struct mm_push_run *o, const struct mm_target *t, struct mm_request_builder **out, struct mm_err *err)
{
	struct mm_request_builder *b = NULL;
	*out = o->builder;
	if (o->how->op != MM_OP_APPLY || t->owed == 0 || t->owed == mm_request_builder_revision(o->builder))
		return 0;
	for (size_t i = 0; i < o->n_others; i++)
		if (mm_request_builder_revision(*out = o->others[i]) == t->owed)
			return 0;
	const struct mm_key *key = key_in_use(o, err);
	if (key == NULL || mm_request_builder_new(o->c->store, key, t->owed, false, &b, err) < 0)
		return -1;
	mm_request_builder_follow(b, key_in_use, o);
	struct mm_request_builder **place =
	    mm_arena_push(o->s->arena, &o->others, &o->n_others, &o->cap_others, sizeof(*place));
	*out = *place = b;
	return 0;
}

static struct mm_held_ask ask_of(const struct mm_push_run *o)
{
	return (struct mm_held_ask){.op = o->how->op,
	    .users = o->n_users > 0 ? o->users : NULL,
	    .n_users = o->n_users,
	    .again = o->how->again,
	    .generation = o->how->generation};
}

static int ask_for(struct mm_push_run *o, const struct mm_target *t, struct mm_buf *out,
    struct mm_request_made *made, struct mm_err *err)
{
	const char *host = t->host.id;
	struct mm_request_builder *b;
	const struct mm_held_ask ask = ask_of(o);
	if (o->how->op == MM_OP_VERIFY || o->how->op == MM_OP_RESTORE)
		return mm_request_prepare_held(o->builder, host, &ask, out, made, err);
	if (o->how->op == MM_OP_PREFLIGHT)
		return mm_request_prepare_preflight(o->builder, host, &ask, out, made, err);
	if (o->how->op == MM_OP_DISCOVER)
		return mm_request_prepare_discover(o->builder, host, &ask, o->how->discover, out, made, err);
	if (o->how->planned != NULL)
		return mm_request_prepare_planned(
		    o->builder, host, o->how->planned(o->how->plan, host), out, made, err);
	if (builder_for(o, t, &b, err) < 0)
		return -1;
	return mm_request_prepare(b, host, o->how->op, 0, out, made, err);
}

static int prepare(void *ctx, const struct mm_push_job *job, struct mm_buf *out, struct mm_err *err)
{
	struct mm_push_run *o = ctx;
	struct mm_host_result *r = &o->s->hosts[index_of(o, job)];
	if (mm_push_transaction(o, err) < 0)
		return -1;
	return ask_for(o, r->target, out, &r->made, err) < 0 ? -1 : 0;
}

static int frame(void *ctx, const struct mm_push_job *job, const struct mm_frame *f, struct mm_err *err)
{
	struct mm_push_run *o = ctx;
	struct mm_collect **a = &o->answers[index_of(o, job)];
	if (*a == NULL)
		*a = mm_collect_new(job->host);
	o->logins += f->type == MM_FT_LOGIN;
	return mm_collect_frame(*a, f, err);
}

static void restart(void *ctx, const struct mm_push_job *job)
{
	struct mm_push_run *o = ctx;
	struct mm_collect **a = &o->answers[index_of(o, job)];
	mm_collect_free(*a);
	*a = NULL;
}

static int commit(struct mm_push_run *o, struct mm_err *err)
{
	if (!o->in_transaction)
		return 0;
	o->in_transaction = false;
	return mm_store_commit(o->c->store, err);
}

static int flush(void *ctx, struct mm_err *err)
{
	struct mm_push_run *o = ctx;
	bool due = o->in_transaction || o->n_ready >= GATHER_MAX || o->n_ready == o->out ||
		   mm_now_ms() - o->ready_since >= GATHER_MS;
	if (due && mm_push_store_ready(o, err) < 0)
		return -1;
	return commit(o, err);
}

static int done(void *ctx, const struct mm_push_job *job, const struct mm_outcome *out, struct mm_err *err)
{
	struct mm_push_run *o = ctx;
	size_t i = index_of(o, job);
	(void)err;
	o->s->hosts[i].outcome = mm_ended_of(out, o->s->arena);
	o->finished++;
	if (out->cls == MM_PC_INTERRUPTED) {
		o->out--;
		o->s->by_class[MM_PC_INTERRUPTED]++;
		o->decided[i] = true;
		return 0;
	}
	if (o->n_ready == 0)
		o->ready_since = mm_now_ms();
	o->ready[o->n_ready++] = i;
	return 0;
}

static void progress(void *ctx, size_t connecting, size_t talking)
{
	const struct mm_push_run *o = ctx;
	size_t by_bit[32] = {0};
	if (!o->how->progress)
		return;
	for (int c = 0; c < MM_PC_COUNT; c++)
		by_bit[mm_push_class_def((enum mm_push_class)c)->exit_bit] += o->s->by_class[c];
	const struct mm_push_feed *f = o->how->feed;
	const char *more = f != NULL && f->say != NULL ? f->say(f->ctx) : "";
	mm_progress("%zu of %zu hosts: %zu ok, %zu failed, %zu unreachable; %zu logins; talking with %zu, "
		    "connecting to %zu%s%s",
	    o->finished, o->s->n, o->s->by_class[MM_PC_OK], by_bit[MM_EX_HOSTS_FAILED],
	    by_bit[MM_EX_UNREACHABLE], o->logins, talking, connecting, *more != '\0' ? "; " : "", more);
}

/* ---- before and after */

static int64_t wanted(const struct mm_push_run *o, size_t i)
{
	int64_t owed = o->s->targets[i].owed;
	return owed != 0 ? owed : o->s->revision;
}

/* What is wanted is stored before anything is sent: whatever happens from
 * here on, these hosts are pending until they have answered. */
static int want(struct mm_push_run *o, struct mm_err *err)
{
	if (o->how->op != MM_OP_APPLY || o->how->feed != NULL || o->how->retry)
		return 0;
	if (mm_store_begin(o->c->store, err) < 0)
		return -1;
	for (size_t i = 0; i < o->s->n; i++)
		if (mm_store_push_want(o->c->store, o->s->targets[i].host.id, wanted(o, i), 0,
			o->how->plan_sha256, err) < 0) {
			mm_store_rollback(o->c->store);
			return -1;
		}
	return mm_store_commit(o->c->store, err);
}

static int interrupts(sigset_t *before, struct mm_err *err)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, before);
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd >= 0 ? fd : mm_err_sys(err, MM_EX_FAILED, "cannot wait for signals");
}

static int load_identity(struct mm_push_run *o, struct mm_identity **id, struct mm_err *err)
{
	const char *path = o->how->identity;
	char *own = NULL;
	if (path == NULL)
		path = own = mm_ctl_path(o->c, "keys/ssh");
	int rc = mm_identity_load(strcmp(path, "agent") == 0 ? NULL : path, id, err);
	free(own);
	return rc;
}

/* True when the run is to be stopped. */
static bool stopped_within(int stop, int ms)
{
	struct pollfd p = {.fd = stop, .events = POLLIN};
	return poll(&p, 1, ms) > 0;
}

/* The hosts that another run serves: how did that end? */
static int await_others(struct mm_push_run *o, int stop, struct mm_err *err)
{
	int64_t deadline = mm_now_ms() + OTHERS_MS;
	for (size_t i = 0; i < o->s->n; i++) {
		struct mm_host_result *r = &o->s->hosts[i];
		int bits = MM_EX_OK, rc = 1;
		if (r->outcome.cls != MM_PC_SUPERSEDED || !mm_streq(r->by.op, mm_op_name(MM_OP_APPLY)))
			continue;
		for (;;) {
			rc = mm_overtaken_fate(
			    o->c->store, r->target->host.id, &r->by, o->s->arena, &r->outcome, &bits, err);
			int64_t left = deadline - mm_now_ms();
			if (rc <= 0 || left <= 0)
				break;
			mm_progress("waiting for another run of ours at %s", r->target->host.id);
			if (stopped_within(stop, left < LOOK_MS ? (int)left : LOOK_MS))
				return 1;
		}
		if (rc < 0)
			return -1;
		r->exit_bits = rc == 0 ? bits : r->exit_bits;
	}
	return 0;
}

/* What has come in is stored, also when the run was stopped. */
static int one_round(struct mm_push_run *o, const struct mm_push_opts *opts, struct mm_err *err)
{
	static const struct mm_push_ops ops = {.next = next,
	    .prepare = prepare,
	    .frame = frame,
	    .restart = restart,
	    .done = done,
	    .flush = flush,
	    .progress = progress};
	struct mm_push_stats *sum = &o->s->stats, now = {0};
	int rc = mm_push_run(opts, &ops, o, &now, err);
	sum->workers_started += now.workers_started;
	sum->workers_died += now.workers_died;
	sum->served_again += now.served_again;
	sum->parallel = now.parallel;
	sum->few_files = sum->few_files || now.few_files;
	if (rc >= 0 && (mm_push_store_ready(o, err) < 0 || commit(o, err) < 0))
		rc = -1;
	return rc;
}

static int rounds(struct mm_push_run *o, const struct mm_push_opts *opts, struct mm_err *err)
{
	for (;;) {
		int rc = one_round(o, opts, err);
		if (rc != 0)
			return rc;
		if (o->n_again == 0)
			return await_others(o, opts->stop_fd, err);
		if (stopped_within(opts->stop_fd, pauses_ms[o->round++]))
			return 1;
		memcpy(o->queue, o->again, o->n_again * sizeof(*o->queue));
		o->n_queue = o->n_again;
		o->n_again = o->next = 0;
	}
}

static int drive(struct mm_push_run *o, const struct mm_identity *id, struct mm_err *err)
{
	sigset_t before;
	int stop = interrupts(&before, err), rc = -1;
	if (stop >= 0) {
		const struct mm_push_opts opts = {.identity = id,
		    .parallel = (unsigned)o->how->parallel,
		    .timeout_s = (unsigned)o->how->timeout_s,
		    .stop_fd = stop};
		rc = rounds(o, &opts, err);
		close(stop);
	}
	mm_progress_clear();
	/* The interrupt that ended the run must not end us when it is let in. */
	struct timespec none = {0};
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	while (sigtimedwait(&set, NULL, &none) > 0)
		rc = rc == 0 ? 1 : rc; /* it came when all was done already */
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (o->in_transaction) {
		mm_store_rollback(o->c->store);
		o->in_transaction = false;
	}
	return rc;
}

static void conclude(struct mm_push_run *o, bool stopped)
{
	struct mm_push_summary *s = o->s;
	for (size_t i = 0; i < s->n; i++) {
		if (o->decided[i])
			continue;
		mm_ended_set(&s->hosts[i].outcome, s->arena, MM_PC_INTERRUPTED,
		    s->rolled && !stopped ? "not sent now" : "not begun: the run was stopped");
		s->by_class[MM_PC_INTERRUPTED]++;
	}
	for (size_t i = 0; i < s->n; i++)
		s->exit_status |= s->hosts[i].exit_bits;
	s->interrupted = stopped;
	if (stopped)
		s->exit_status = MM_EX_INTERRUPTED;
}

static int run(struct mm_push_run *o, struct mm_err *err)
{
	struct mm_identity *id = NULL;
	struct mm_push_summary *s = o->s;
	int64_t began = mm_now_ms();
	s->revision = mm_request_builder_revision(o->builder);
	s->hosts = mm_arena_alloc(s->arena, s->n + 1, sizeof(*s->hosts));
	o->answers = mm_xcalloc(s->n + 1, sizeof(struct mm_collect *));
	o->ready = mm_xcalloc(s->n + 1, sizeof(*o->ready));
	o->queue = mm_xcalloc(s->n + 1, sizeof(*o->queue));
	o->again = mm_xcalloc(s->n + 1, sizeof(*o->again));
	o->decided = mm_xcalloc(s->n + 1, sizeof(*o->decided));
	for (o->n_queue = 0; o->how->feed == NULL && o->n_queue < s->n; o->n_queue++)
		o->queue[o->n_queue] = o->n_queue;
	for (size_t i = 0; i < s->n; i++)
		s->hosts[i] = nothing_yet(&s->targets[i]);
	int rc = load_identity(o, &id, err);
	if (rc == 0)
		rc = want(o, err);
	/* The reason is of what was asked for, not of the reports that come. */
	mm_store_set_reason(o->c->store, NULL);
	if (rc == 0 && o->how->feed != NULL)
		rc = o->how->feed->begin(o->how->feed->ctx, s, err);
	if (rc == 0 && s->n > 0)
		rc = drive(o, id, err);
	if (rc >= 0)
		conclude(o, rc > 0);
	s->took_ms = mm_now_ms() - began;
	for (size_t i = 0; i < s->n; i++)
		mm_collect_free(o->answers[i]);
	free(o->answers);
	free(o->ready);
	free(o->queue);
	free(o->again);
	free(o->decided);
	mm_identity_free(id);
	return rc < 0 ? -1 : 0;
}

/* Logins with people's passwords are asked for, or what people have set up: that
 * stands in the audit log. */
static int begin_logins(struct mm_push_run *o, const struct mm_selection *sel, struct mm_err *err)
{
	struct mm_buf detail = MM_BUF_INIT(4096);
	size_t n = 0;
	if (mm_select_users(o->c->store, sel, o->s->arena, &o->users, &n, err) < 0)
		return -1;
	o->n_users = n;
	mm_buf_addf(&detail, "{\"hosts\":%zu,\"users\":%zu}", o->s->n, n);
	int rc =
	    mm_store_audit(o->c->store, mm_op_name(o->how->op), "hosts", mm_buf_str(&detail), false, err);
	mm_buf_free(&detail);
	return rc;
}

/* What is asked of each host is in the log before it is. */
static int begin_restore(struct mm_push_run *o, const struct mm_selection *sel, struct mm_err *err)
{
	char detail[96];
	int rc = mm_select_users(o->c->store, sel, o->s->arena, &o->users, &o->n_users, err);
	(void)snprintf(detail, sizeof(detail), "{\"generation\":%lld,\"users\":%zu}",
	    (long long)o->how->generation, o->n_users);
	if (rc < 0 || mm_store_begin(o->c->store, err) < 0)
		return -1;
	for (size_t i = 0; rc == 0 && i < o->s->n; i++)
		rc = mm_store_audit(o->c->store, "restore", o->s->targets[i].host.id, detail, false, err);
	if (rc == 0)
		return mm_store_commit(o->c->store, err);
	mm_store_rollback(o->c->store);
	return -1;
}

int mm_push_run_op(struct mm_ctl *c, const struct mm_selection *sel, const struct mm_push_how *how,
    struct mm_push_summary *out, struct mm_err *err)
{
	*out = (struct mm_push_summary){
	    .arena = mm_arena_new(), .op = how->op, .how = how, .rolled = how->feed != NULL};
	out->changes = mm_changes_new(out->arena);
	out->causes = mm_causes_new(out->arena);
	struct mm_push_run o = {.c = c, .how = how, .s = out};
	if (mm_ctl_open(c, err) < 0 || mm_select(c->store, sel, out->arena, &out->targets, &out->n, err) < 0)
		return -1;
	mm_store_set_reason(c->store, how->reason);
	const struct mm_key *key = key_in_use(&o, err);
	int rc = key != NULL ? 0 : -1;
	bool preflight = how->op == MM_OP_PREFLIGHT, discover = how->op == MM_OP_DISCOVER;
	if (rc == 0 && (how->op == MM_OP_VERIFY || preflight || discover))
		rc = begin_logins(&o, sel, err);
	if (rc == 0 && how->op == MM_OP_RESTORE)
		rc = begin_restore(&o, sel, err);
	if (rc == 0)
		rc = mm_request_builder_new(c->store, key, how->no_policy ? MM_NO_POLICY : how->revision,
		    how->op != MM_OP_APPLY && !preflight && !discover, &o.builder, err);
	if (rc == 0)
		mm_request_builder_follow(o.builder, key_in_use, &o);
	if (rc == 0 && how->planned != NULL && mm_request_builder_revision(o.builder) != how->plan_revision)
		rc = mm_err_set(err, MM_EX_NOPERM,
		    "the policy has moved on: the plan is of revision %lld, the current one is %lld; plan "
		    "again",
		    (long long)how->plan_revision, (long long)mm_request_builder_revision(o.builder));
	if (rc == 0)
		rc = run(&o, err);
	const struct mm_held_ask ask = ask_of(&o);
	if (rc == 0 && preflight)
		rc = mm_preflight_conclude(out, o.builder, &ask, err);
	mm_request_builder_free(o.builder);
	for (size_t i = 0; i < o.n_others; i++)
		mm_request_builder_free(o.others[i]);
	for (size_t i = 0; i < o.n_keys; i++)
		mm_key_free(o.keys[i]);
	return rc;
}

void mm_push_summary_free(struct mm_push_summary *s)
{
	mm_changes_free(s->changes);
	mm_arena_free(s->arena);
	s->arena = NULL;
}
