/* The commands that do something: receive, login, apply, check, verify, restore. */
#include <malloc.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "agent/cmd.h"
#include "agent/collect.h"
#include "agent/login.h"
#include "agent/receive.h"
#include "agent/restore.h"
#include "agent/serve_users.h"
#include "agent/session.h"
#include "agent/trust.h"
#include "agent/userrun.h"
#include "common/json.h"
#include "common/term.h"
#include "common/text.h"

static int status_of(const struct mm_err *err)
{
	return err->code != 0 ? err->code : MM_EX_FAILED;
}

/* ---- receive */

int mm_cmd_receive(int argc, char **argv, struct mm_err *err)
{
	struct mm_common_opts common = {.config = NULL};
	int64_t hang = MM_RECEIVE_HANG_S;
	const struct mm_opt opts[] = {{"worker-timeout", 0, MM_OPT_INT, &hang, 1, 3600, "SECONDS",
					  "give a user's run up when it shows no life"},
	    MM_COMMON_OPTS(common)};
	struct mm_conf *conf;
	int rc = mm_cmd_parse(opts, &common, "mailmuster-agent receive [OPTION...]",
	    "Reads one signed request from standard input and writes one answer to standard output.", 0,
	    &argc, argv, err);
	if (rc != 0)
		return rc > 0 ? MM_EX_OK : status_of(err);
	if (mm_cmd_conf(&common, &conf, err) != 0)
		return status_of(err);
	const struct mm_receive r = {.conf = conf, .in = 0, .out = 1, .now = time(NULL), .hang_s = (int)hang};
	int status = mm_receive(&r, err);
	mm_conf_free(conf);
	return status;
}

/* ---- login */

static int login_once(const struct mm_common_opts *common, bool wait, struct mm_blockers *blockers, int *days,
    struct mm_err *err)
{
	struct mm_conf *conf;
	if (mm_cmd_conf(common, &conf, err) != 0)
		return status_of(err);
	int status = mm_login_session(conf, wait, blockers, err);
	if (days != NULL)
		*days = conf->deferral_days;
	mm_conf_free(conf);
	return status;
}

static void give_up(const struct mm_common_opts *common)
{
	struct mm_conf *conf;
	struct mm_err err = MM_ERR_NONE;
	if (mm_cmd_conf(common, &conf, &err) != 0)
		return;
	mm_login_give_up(conf);
	mm_conf_free(conf);
}

/* Each time as if newly started: with what the host allows and what is in
 * force by then. In between nothing is held but the list. */
static int login_stay(const struct mm_common_opts *common, struct mm_err *err)
{
	struct timespec start;
	enum mm_waited waited;
	int status;
	clock_gettime(CLOCK_BOOTTIME, &start);
	do {
		struct mm_blockers blockers = {.n = 0};
		int days = 0;
		status = login_once(common, true, &blockers, &days, err);
		if (blockers.n == 0)
			break;
		malloc_trim(0);
		waited = mm_blockers_wait(&blockers, start.tv_sec + (int64_t)days * 86400);
		if (waited == MM_WAITED_LATE || waited == MM_WAITED_NONE)
			give_up(common);
	} while (waited == MM_WAITED_ENDED);
	return status;
}

int mm_cmd_login(int argc, char **argv, struct mm_err *err)
{
	struct mm_common_opts common = {.config = NULL};
	bool wait = false, stay = false;
	const struct mm_opt opts[] = {
	    {"wait", 0, MM_OPT_FLAG, &wait, 0, 0, NULL, "run due login checks before returning"},
	    {"stay", 0, MM_OPT_FLAG, &stay, 0, 0, NULL,
		"and apply what a running program puts off as soon as it is closed"},
	    MM_COMMON_OPTS(common)};
	int rc = mm_cmd_parse(opts, &common, "mailmuster-agent login [OPTION...]",
	    "Applies what is stored for this user and leaves a report for the controller.", 0, &argc, argv,
	    err);
	if (rc != 0)
		return rc > 0 ? MM_EX_OK : status_of(err);
	/* A host that is not enrolled is no trouble of the user's. */
	if (common.config == NULL && access(MM_CONF_SYSTEM, F_OK) != 0 && geteuid() == 0)
		return MM_EX_OK;
	return stay ? login_stay(&common, err) : login_once(&common, wait, NULL, NULL, err);
}

/* ---- apply and check */

struct by_hand {
	struct mm_common_opts common;
	struct mm_opt_list users;
	bool dry_run, all, no_login, verify, again, prompt;
	enum mm_how how;
	struct mm_conf *conf;
	struct mm_collect found;
};

static int run_self(struct by_hand *h, struct mm_err *err)
{
	struct mm_session s;
	int got = mm_session_open(h->conf, &s, err);
	if (got < 0)
		return -1;
	if (got == 0) {
		mm_err_set(
		    err, MM_EX_FAILED, "nothing is stored for %s: no request was received yet", s.who.login);
		mm_session_close(&s);
		return -1;
	}
	struct mm_user_run r = {.conf = h->conf,
	    .who = &s.who,
	    .sheet = &s.sheet,
	    .how = h->how,
	    .expired = mm_held_expired(&s.held, s.now),
	    .probe = h->how == MM_HOW_APPLY && !h->no_login,
	    .verify = h->verify,
	    .again = h->again,
	    .prompt = h->prompt,
	    .lock_ms = MM_LOCK_MS,
	    .sink = &h->found.sink};
	mm_user_run(&r);
	mm_session_close(&s);
	return 0;
}

static void user_done(void *ctx, const struct mm_worker_result *res)
{
	struct by_hand *h = ctx;
	mm_collect_frames(&h->found, res->findings);
	if (res->trouble == NULL)
		return;
	const struct mm_finding f = {.user = res->job->user,
	    .client = MM_CLIENT_AGENT,
	    .path = "",
	    .account = "",
	    .setting = "",
	    .state = res->late ? MM_ST_DEFERRED : MM_ST_ERROR,
	    .action = MM_ACT_NONE,
	    .reason = res->trouble};
	h->found.sink.finding(&h->found.sink, &f);
}

static void load_job(struct by_hand *h, struct mm_user_job *j, struct mm_arena *a)
{
	struct mm_sheet *sheet = mm_arena_alloc(a, 1, sizeof(*sheet));
	struct mm_err why = MM_ERR_NONE;
	j->sheet = sheet;
	mm_user_job_resolve(h->conf, j, a);
	if (j->sheet == NULL)
		return;
	int got = mm_held_get_sheet(h->conf, j->user, a, &j->held, sheet, &why);
	if (got > 0 && mm_trust_limits(h->conf, sheet, &why) != 0)
		got = -1;
	if (got <= 0) {
		j->sheet = NULL;
		j->why = got < 0 ? mm_arena_strdup(a, why.text) : "nothing is stored for this user";
	}
	j->expired = mm_held_expired(&j->held, time(NULL));
}

/* Root: every user who has a sheet, or those that are named. */
static int run_users(struct by_hand *h, struct mm_err *err)
{
	struct mm_arena *a = h->found.a;
	const char *const *names = h->users.items;
	size_t n = h->users.n;
	if (n == 0 && mm_held_users(h->conf, a, &names, &n, err) != 0)
		return -1;
	struct mm_user_job *jobs = mm_arena_alloc(a, n + 1, sizeof(*jobs));
	for (size_t i = 0; i < n; i++) {
		jobs[i].user = names[i];
		load_job(h, &jobs[i], a);
	}
	const struct mm_user_batch b = {.conf = h->conf,
	    .how = h->how,
	    .probe = h->how == MM_HOW_APPLY && !h->no_login,
	    .verify = h->verify,
	    .again = h->again,
	    .w = {.host = h->conf->host,
		.parallel = 4,
		.home_ms = 5000,
		.hang_ms = MM_RECEIVE_HANG_S * 1000,
		.total_ms = 15 * 60 * 1000,
		.done = user_done,
		.ctx = h}};
	mm_serve_users(&b, jobs, n);
	return 0;
}

static int run_by_hand(struct by_hand *h, struct mm_err *err)
{
	struct mm_disabled off;
	if (mm_cmd_conf(&h->common, &h->conf, err) != 0)
		return status_of(err);
	struct mm_arena *a = mm_arena_new();
	int rc = 0;
	mm_collect_init(&h->found, a);
	if (h->how == MM_HOW_APPLY && mm_disabled_get(h->conf, time(NULL), a, &off, err) > 0)
		rc = mm_err_set(err, MM_EX_NOPERM, "switched off on this host: %s", off.reason);
	else if (h->conf->hostwide && geteuid() == 0 && h->prompt)
		rc = mm_err_set(err, MM_EX_USAGE, "--prompt is for the user, not for root");
	else if (h->conf->hostwide && geteuid() == 0)
		rc = run_users(h, err);
	else if (h->users.n > 0)
		rc = mm_err_set(err, MM_EX_USAGE, "--user is for root");
	else
		rc = run_self(h, err);
	int status = rc == 0 ? mm_collect_status(&h->found) : status_of(err);
	if (rc == 0 && h->common.json)
		mm_collect_json(&h->found, stdout);
	else if (rc == 0)
		mm_collect_print(&h->found, h->all, stdout);
	mm_arena_free(a);
	mm_conf_free(h->conf);
	return status;
}

int mm_cmd_apply(int argc, char **argv, struct mm_err *err)
{
	struct by_hand h = {.how = MM_HOW_APPLY};
	const struct mm_opt opts[] = {
	    {"dry-run", 'n', MM_OPT_FLAG, &h.dry_run, 0, 0, NULL, "only say what would change"},
	    {"user", 0, MM_OPT_LIST, &h.users, 0, 0, "LOGIN", "only this user (root; may be repeated)"},
	    {"no-login", 0, MM_OPT_FLAG, &h.no_login, 0, 0, NULL, "without login checks"},
	    {"all", 'a', MM_OPT_FLAG, &h.all, 0, 0, NULL, "show what is right, too"},
	    MM_COMMON_OPTS(h.common)};
	int rc = mm_cmd_parse(opts, &h.common, "mailmuster-agent apply [OPTION...]",
	    "Applies what the controller last sent. Exit status 2: differences are left.", 0, &argc, argv,
	    err);
	if (h.dry_run)
		h.how = MM_HOW_PLAN;
	int status = rc == 0 ? run_by_hand(&h, err) : rc > 0 ? MM_EX_OK : status_of(err);
	mm_cli_free(opts);
	return status;
}

int mm_cmd_check(int argc, char **argv, struct mm_err *err)
{
	struct by_hand h = {.how = MM_HOW_AUDIT};
	const struct mm_opt opts[] = {
	    {"user", 0, MM_OPT_LIST, &h.users, 0, 0, "LOGIN", "only this user (root; may be repeated)"},
	    {"all", 'a', MM_OPT_FLAG, &h.all, 0, 0, NULL, "show what is right, too"},
	    MM_COMMON_OPTS(h.common)};
	int rc = mm_cmd_parse(opts, &h.common, "mailmuster-agent check [OPTION...]",
	    "Compares the configs with what the controller last sent. Exit status 2: they differ.", 0, &argc,
	    argv, err);
	int status = rc == 0 ? run_by_hand(&h, err) : rc > 0 ? MM_EX_OK : status_of(err);
	mm_cli_free(opts);
	return status;
}

int mm_cmd_verify(int argc, char **argv, struct mm_err *err)
{
	struct by_hand h = {.how = MM_HOW_AUDIT, .verify = true};
	const struct mm_opt opts[] = {
	    {"user", 0, MM_OPT_LIST, &h.users, 0, 0, "LOGIN", "only this user (root; may be repeated)"},
	    {"all", 'a', MM_OPT_FLAG, &h.all, 0, 0, NULL, "show what is right, too"},
	    {"again", 0, MM_OPT_FLAG, &h.again, 0, 0, NULL,
		"present again what a server has refused: it was mended there"},
	    {"prompt", 0, MM_OPT_FLAG, &h.prompt, 0, 0, NULL,
		"ask on the terminal for a password that cannot be had otherwise"},
	    MM_COMMON_OPTS(h.common)};
	int rc = mm_cmd_parse(opts, &h.common, "mailmuster-agent verify [OPTION...]",
	    "Compares, and logs in with the settings that are in effect; changes nothing. A password that "
	    "was\nrefused before is not presented again. Exit status 2: not everything is proven.",
	    0, &argc, argv, err);
	int status = rc == 0 ? run_by_hand(&h, err) : rc > 0 ? MM_EX_OK : status_of(err);
	mm_cli_free(opts);
	return status;
}

/* ---- restore */

static void print_restored(const struct mm_restored *d, size_t n, bool json)
{
	if (json) {
		struct mm_buf out = MM_BUF_INIT(1u << 24);
		json_t *list = json_array();
		for (size_t i = 0; i < n; i++) {
			json_t *o = json_object();
			mm_json_set_int(o, "generation", d[i].generation);
			mm_json_set_str(o, "path", d[i].path);
			mm_json_set_str(o, "done", d[i].how);
			if (json_array_append_new(list, o) != 0)
				mm_oom();
		}
		mm_json_dump(list, &out);
		json_decref(list);
		printf("%s\n", mm_buf_str(&out));
		mm_buf_free(&out);
		return;
	}
	for (size_t i = 0; i < n; i++)
		printf("generation %lld: %s: %s\n", (long long)d[i].generation, d[i].path, d[i].how);
	printf("The next run applies the policy again, unless you \"mailmuster-agent disable\" first.\n");
}

static int restore(const struct mm_common_opts *common, int64_t number, bool hostwide, struct mm_err *err)
{
	struct mm_conf *conf;
	struct mm_session s;
	struct mm_restored *done = NULL;
	size_t n = 0;
	if (mm_cmd_conf(common, &conf, err) != 0)
		return status_of(err);
	int rc = hostwide ? mm_session_open_hostwide(conf, &s, err) : mm_session_open(conf, &s, err);
	if (rc >= 0) {
		rc = mm_restore(&s, number, s.a, &done, &n, err);
		if (n > 0 || rc == 0)
			print_restored(done, n, common->json);
		mm_session_close(&s);
	}
	mm_conf_free(conf);
	return rc == 0 ? MM_EX_OK : status_of(err);
}

int mm_cmd_restore(int argc, char **argv, struct mm_err *err)
{
	struct mm_common_opts common = {.config = NULL};
	int64_t number = 0;
	bool hostwide = false;
	const struct mm_opt opts[] = {{"system", 0, MM_OPT_FLAG, &hostwide, 0, 0, NULL,
					  "what was changed in the system's files (root)"},
	    {"generation", 0, MM_OPT_INT, &number, 1, INT64_MAX - 1, "N", "back to before generation N"},
	    MM_COMMON_OPTS(common)};
	int rc = mm_cmd_parse(opts, &common, "mailmuster-agent restore [--system] [--generation N]",
	    "Takes back what the last run changed in your configs, or everything from generation N on.", 0,
	    &argc, argv, err);
	if (rc != 0)
		return rc > 0 ? MM_EX_OK : status_of(err);
	return restore(&common, number, hostwide, err);
}
