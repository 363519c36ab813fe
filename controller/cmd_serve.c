/* mailmuster serve: what an admin would do by hand, as a service: rollouts go
 * on, unreachable hosts are tried again, requests are signed anew. */
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/text.h"
#include "controller/cmd.h"
#include "controller/export_send.h"
#include "controller/push/spawn.h"
#include "controller/request_build.h"
#include "controller/rollout_run.h"
#include "controller/sampling.h"
#include "controller/witness.h"

#define SEALS_AT_ONCE 1000 /* signatures of reports */
#define LOOK_S 5           /* for what commands have stored meanwhile */
#define REMEMBERED 64      /* rollouts that are known to have nothing due */
#define RESIGN_DAYS 2      /* before a request expires */
#define RESIGN_MAX 200     /* of them in one round, so that they do not come all at once */
#define DUE_MAX 4096       /* hosts tried again in one round */
#define DAY_S 86400

/* A rollout that was looked at: nothing to do before `again`, unless it changes. */
struct looked {
	int64_t id, changed, seq, again;
};

struct serving {
	struct mm_ctl *c;
	struct mm_store *store;
	int64_t timeout_s;
	const char *identity;
	bool once;
	int stop_fd;
	pid_t sender;         /* carries events to other systems; 0 = none runs */
	struct mm_err unsent; /* why none could be started, told once */
	bool stopped;
	bool unmeasured; /* today's sample could not be taken: until the next start */
	int64_t wake;    /* unix seconds */
	struct looked looked[REMEMBERED];
	size_t n_looked;
};

/* ---- systemd */

/* sd_notify(3): one datagram. */
static void notify(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	size_t n = path != NULL ? strlen(path) : 0;
	if (n == 0 || n >= sizeof(a.sun_path) || (*path != '/' && *path != '@'))
		return;
	memcpy(a.sun_path, path, n);
	if (*path == '@')
		a.sun_path[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)(const void *)&a,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
	close(fd);
}

static void wake_at(struct serving *s, int64_t when)
{
	if (when > 0 && when < s->wake)
		s->wake = when;
}

/* ---- rollouts */

struct ids {
	struct mm_arena *a;
	struct looked *list;
	size_t n, cap;
};

static int take_rollout(const struct mm_rollout *r, void *arg, struct mm_err *err)
{
	struct ids *l = arg;
	struct looked *place = mm_arena_push(l->a, &l->list, &l->n, &l->cap, sizeof(*place));
	(void)err;
	*place = (struct looked){.id = r->id, .changed = r->changed, .seq = r->seq};
	return 0;
}

static struct looked *remembered(struct serving *s, int64_t id)
{
	for (size_t i = 0; i < s->n_looked; i++)
		if (s->looked[i].id == id)
			return &s->looked[i];
	return NULL;
}

static bool nothing_due(struct serving *s, const struct looked *now)
{
	const struct looked *l = remembered(s, now->id);
	if (l == NULL || l->changed != now->changed || l->seq != now->seq ||
	    (l->again > 0 && l->again <= mm_store_now(s->store)))
		return false;
	wake_at(s, l->again);
	return true;
}

static int remember(struct serving *s, int64_t id, int64_t again, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	struct looked *l = remembered(s, id);
	struct mm_rollout r;
	int rc = mm_store_rollout_get(s->store, id, a, &r, err);
	if (l == NULL)
		l = &s->looked[s->n_looked < REMEMBERED ? s->n_looked++ : (size_t)id % REMEMBERED];
	if (rc == 0)
		*l = (struct looked){.id = id, .changed = r.changed, .seq = r.seq, .again = again};
	mm_arena_free(a);
	return rc < 0 ? -1 : 0;
}

static int drive(struct serving *s, int64_t id, struct mm_err *err)
{
	const struct mm_rollout_how how = {
	    .rollout = id, .timeout_s = s->timeout_s, .identity = s->identity, .events = true};
	struct mm_push_summary sum = {0};
	struct mm_rollout_end end;
	struct mm_arena *a = mm_arena_new();
	int rc = mm_rollout_drive(s->c, &how, a, &sum, &end, err);
	s->stopped = s->stopped || sum.interrupted;
	if (rc == 0 && !end.elsewhere) {
		wake_at(s, end.again);
		rc = remember(s, id, end.again, err);
	}
	if (sum.arena != NULL)
		mm_push_summary_free(&sum);
	mm_arena_free(a);
	return rc;
}

static int rollouts(struct serving *s, struct mm_err *err)
{
	struct ids l = {.a = mm_arena_new()};
	int rc = mm_store_rollout_each(s->store, true, take_rollout, &l, err);
	/* The oldest first: newest first is how they are listed. */
	for (size_t i = l.n; rc == 0 && !s->stopped && i-- > 0;)
		if (!nothing_due(s, &l.list[i]))
			rc = drive(s, l.list[i].id, err);
	mm_arena_free(l.a);
	return rc;
}

/* ---- hosts that owe an answer, and no rollout cares for them */

struct due {
	struct serving *s;
	struct mm_arena *a;
	const char **hosts;
	int64_t *revisions;
	size_t n, cap, cap_revisions;
};

static int take_due(const struct mm_push_state *p, void *arg, struct mm_err *err)
{
	struct due *d = arg;
	size_t n = d->n;
	(void)err;
	if (d->n >= DUE_MAX)
		return 0;
	const char **host = mm_arena_push(d->a, &d->hosts, &d->n, &d->cap, sizeof(*host));
	*host = mm_arena_strdup(d->a, p->host);
	int64_t *rev = mm_arena_push(d->a, &d->revisions, &n, &d->cap_revisions, sizeof(*rev));
	*rev = p->revision;
	return 0;
}

/* What a rollout brings, or holds back, is its own business. */
static int drop_rolled(struct due *d, struct mm_err *err)
{
	size_t kept = 0;
	for (size_t i = 0; i < d->n; i++) {
		struct mm_rollout_offer f = {.rollout = 0};
		if (mm_store_rollout_offer(d->s->store, d->hosts[i], &f, err) < 0)
			return -1;
		if (d->revisions[i] == f.held || (f.rollout > 0 && d->revisions[i] == f.revision))
			continue;
		d->hosts[kept++] = d->hosts[i];
	}
	d->n = kept;
	return 0;
}

static int by_text(const void *x, const void *y)
{
	const char *const *a = x, *const *b = y;
	return strcmp(*a, *b);
}

static int push(struct due *d, struct mm_err *err)
{
	struct mm_push_summary sum = {0};
	qsort(d->hosts, d->n, sizeof(*d->hosts), by_text);
	const struct mm_selection sel = {.pending = true, .only = d->hosts, .n_only = d->n};
	const struct mm_push_how how = {
	    .op = MM_OP_APPLY, .timeout_s = d->s->timeout_s, .identity = d->s->identity, .retry = true};
	int rc = mm_push_run_op(d->s->c, &sel, &how, &sum, err);
	if (rc == 0)
		fprintf(stderr, "%zu host%s tried again: %zu answered\n", sum.n, sum.n == 1 ? "" : "s",
		    sum.by_class[MM_PC_OK]);
	d->s->stopped = d->s->stopped || sum.interrupted;
	if (sum.arena != NULL)
		mm_push_summary_free(&sum);
	return rc;
}

static int retries(struct serving *s, struct mm_err *err)
{
	struct due d = {.s = s, .a = mm_arena_new()};
	int rc = mm_store_push_each(s->store, MM_PUSH_DUE, take_due, &d, err);
	if (rc == 0)
		rc = drop_rolled(&d, err);
	if (rc == 0 && d.n > 0)
		rc = push(&d, err);
	mm_arena_free(d.a);
	return rc;
}

/* ---- requests near their expiry */

static int take_old(const struct mm_push_state *p, void *arg, struct mm_err *err)
{
	struct due *d = arg;
	int64_t old = mm_store_now(d->s->store) - (int64_t)(MM_REQUEST_DAYS - RESIGN_DAYS) * DAY_S;
	if (p->pending || p->done_revision == 0 || p->last_attempt >= old || d->n >= RESIGN_MAX)
		return 0;
	struct mm_push_state wanted = *p;
	wanted.revision = p->done_revision;
	return take_due(&wanted, d, err);
}

/* They are owed what they have: retries and check-ins bring it, signed anew. */
static int resign(struct serving *s, struct mm_err *err)
{
	struct due d = {.s = s, .a = mm_arena_new()};
	int rc = mm_store_push_each(s->store, MM_PUSH_ALL, take_old, &d, err);
	mm_store_set_reason(s->store, "the request nears its expiry");
	for (size_t i = 0; rc == 0 && i < d.n; i++)
		rc = mm_store_push_want(s->store, d.hosts[i], d.revisions[i], 0, NULL, err);
	mm_store_set_reason(s->store, NULL);
	mm_arena_free(d.a);
	return rc;
}

/* ---- the service */

static int one_round(struct serving *s, struct mm_err *err)
{
	s->wake = mm_store_now(s->store) + LOOK_S;
	if (rollouts(s, err) < 0)
		return -1;
	if (!s->stopped && resign(s, err) < 0)
		return -1;
	return s->stopped ? 0 : retries(s, err);
}

/* Signatures of reports, while there is nothing else to do. */
static void look_at_seals(struct serving *s)
{
	struct mm_err err = MM_ERR_NONE;
	int64_t n, bad = 0;
	if (mm_store_seals_check(s->store, SEALS_AT_ONCE, &n, &bad, &err) != 0)
		fprintf(stderr, "mailmuster serve: %s\n", err.text);
	else if (bad > 0)
		fprintf(stderr,
		    "mailmuster serve: the signatures of %lld reports do not hold: mailmuster audit verify\n",
		    (long long)bad);
	if (n == SEALS_AT_ONCE && s->wake > mm_store_now(s->store))
		s->wake = mm_store_now(s->store); /* there are more */
}

/* What was measured today, for the plots of reports; trouble with it is told once. */
static void measure(struct serving *s)
{
	struct mm_err err = MM_ERR_NONE;
	if (s->unmeasured || mm_sample_today(s->c, &err) == 0)
		return;
	fprintf(stderr, "mailmuster serve: today's sample: %s\n", err.text);
	s->unmeasured = true;
}

/* ---- events for other systems: a process of its own, since a collector may hang */

static int start_sender(struct serving *s, struct mm_err *err)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n <= 0)
		return mm_err_sys(err, MM_EX_FAILED, "cannot find out where mailmuster is installed");
	self[n] = '\0';
	static const char *const extra[] = {"ASAN_OPTIONS", "UBSAN_OPTIONS", NULL};
	struct mm_arena *a = mm_arena_new();
	const char *const argv[] = {self, "--state", s->c->state, "export", "send", "--due", NULL};
	const struct mm_spawn how = {
	    .argv = argv, .env = mm_spawn_env(a, extra), .fds = {-1, -1, STDERR_FILENO}, .n_fds = 3};
	int rc = mm_spawn(&how, &s->sender, err);
	mm_arena_free(a);
	return rc;
}

static void send_events(struct serving *s)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_err err = MM_ERR_NONE;
	struct mm_ctl_conf conf;
	bool due = false;
	char *path = mm_ctl_path(s->c, "controller.conf");
	if (s->sender > 0 && waitpid(s->sender, NULL, WNOHANG) != 0)
		s->sender = 0;
	if (s->sender == 0 &&
	    (mm_ctl_conf_load(path, a, &conf, &err) != 0 ||
		mm_export_due(s->store, &conf.export, &due, &err) != 0 ||
		(due && start_sender(s, &err) != 0)) &&
	    !mm_streq(err.text, s->unsent.text))
		fprintf(stderr, "mailmuster serve: %s\n", err.text);
	s->unsent = err;
	if (s->once && s->sender > 0)
		(void)waitpid(s->sender, NULL, 0);
	free(path);
	mm_arena_free(a);
}

static void rest(struct serving *s)
{
	int64_t left = s->wake - mm_store_now(s->store);
	struct pollfd p = {.fd = s->stop_fd, .events = POLLIN};
	int ms = (int)(left < 1 ? 1 : left > LOOK_S ? LOOK_S : left) * 1000;
	s->stopped = s->stopped || poll(&p, 1, ms) > 0;
}

/* A trouble of one round (no key, no policy yet, a busy store) is told once,
 * and the next round comes. */
static int loop(struct serving *s, struct mm_err *err)
{
	struct mm_err last = MM_ERR_NONE;
	while (!s->stopped) {
		struct mm_err now = MM_ERR_NONE;
		if (one_round(s, &now) < 0) {
			if (s->once)
				return *err = now, -1;
			if (!mm_streq(now.text, last.text))
				fprintf(stderr, "mailmuster serve: %s\n", now.text);
		}
		last = now;
		mm_witness_conclude(s->c);
		if (!s->stopped) {
			send_events(s);
			look_at_seals(s);
			measure(s);
		}
		if (s->once)
			return 0;
		if (!s->stopped)
			rest(s);
	}
	return 0;
}

static int run_for(struct serving *s, struct mm_err *err)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (mm_ctl_open(s->c, err) < 0)
		return -1;
	s->store = s->c->store;
	s->stop_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->stop_fd < 0)
		return mm_err_sys(err, MM_EX_FAILED, "cannot wait for signals");
	notify("READY=1");
	int rc = loop(s, err);
	notify("STOPPING=1");
	close(s->stop_fd);
	return rc;
}

static int run(struct mm_ctl *c, int argc, char **argv)
{
	struct serving s = {.c = c};
	const struct mm_opt opts[] = {
	    {.name = "once", .kind = MM_OPT_FLAG, .dest = &s.once, .help = "do what is due now, and end"},
	    {.name = "timeout",
		.kind = MM_OPT_INT,
		.dest = &s.timeout_s,
		.min = 1,
		.max = 86400,
		.arg = "SECONDS",
		.help = "for one host as a whole (300)"},
	    {.name = "identity",
		.letter = 'i',
		.kind = MM_OPT_STRING,
		.dest = &s.identity,
		.arg = "FILE",
		.help = "SSH key instead of the controller's own; \"agent\" = the ssh-agent's"},
	    {.name = NULL},
	};
	const struct mm_args args = {.what = "serve",
	    .operands = "[options]",
	    .about =
		"The same as a service: carry on the rollouts that nobody drives, try unreachable hosts\n"
		"again, keep to maintenance hours, and sign requests anew before they expire. Stops at\n"
		"SIGTERM; whatever was under way goes on at the next start.",
	    .opts = opts};
	struct mm_err err = MM_ERR_NONE;
	int rc = mm_ctl_args(&args, &argc, argv);
	if (rc >= 0)
		return rc;
	return run_for(&s, &err) < 0 ? mm_ctl_fail("serve", &err) : MM_EX_OK;
}

extern const struct mm_cmd mm_cmd_serve;
const struct mm_cmd mm_cmd_serve = {"serve", "[--once]", "carry on rollouts and retries as a service", run};
