/* mailmuster waiver add, list, remove: differences that somebody accepts, with
 * a reason, an owner and an end. */
#include <inttypes.h>
#include <stdio.h>

#include "common/json.h"
#include "common/term.h"
#include "common/text.h"
#include "controller/cmd.h"
#include "controller/known_clients.h"
#include "controller/report/json_rows.h"
#include "controller/report_checks.h"
#include "schemas/facts.h"

#define DAYS_MAX 366 /* a waiver that outlives a year is a policy that nobody wrote */

static const char *const known_clients[] = {MM_KNOWN_CLIENTS};

/* ---- add */

static int no_such(const char *what, const char *name, const char *near, struct mm_err *err)
{
	return mm_err_set(err, MM_EX_FAILED, "there is no %s \"%s\"%s%s%s", what, name,
	    near != NULL ? "; did you mean \"" : "", near != NULL ? near : "", near != NULL ? "\"?" : "");
}

static int check_client(const char *name, struct mm_err *err)
{
	for (const char *const *k = known_clients; *k != NULL; k++)
		if (mm_streq(*k, name))
			return 0;
	return name[0] == '\0' ? 0 : no_such("client", name, mm_nearest(name, known_clients), err);
}

/* A setting, the login checks, or a check of the baseline in force. */
static int check_check(struct mm_ctl *c, const char *id, struct mm_arena *a, struct mm_err *err)
{
	struct mm_judged_by j;
	if (id[0] == '\0' || mm_streq(id, MM_CHECK_LOGIN) || mm_setting_by_id(id) != MM_SET_NONE)
		return 0;
	if (mm_judge_by(c, NULL, NULL, a, &j, err) != 0)
		return -1;
	const char **ids = mm_arena_alloc(a, MM_SET_COUNT + j.baseline->n + 2, sizeof(*ids));
	size_t n = 0;
	ids[n++] = MM_CHECK_LOGIN;
	for (int i = 0; i < MM_SET_COUNT; i++)
		ids[n++] = mm_setting_def((enum mm_setting)i)->id;
	for (size_t i = 0; i < j.baseline->n; i++) {
		const struct mm_check *k = &j.baseline->checks[i];
		ids[n++] = k->id;
		if (!mm_streq(k->id, id))
			continue;
		return k->off == NULL
			   ? 0
			   : mm_err_set(err, MM_EX_FAILED,
				 "the policy has turned check %s off (%s): there is nothing to accept", id,
				 k->off);
	}
	if (mm_is_fact(id))
		return mm_err_set(err, MM_EX_FAILED,
		    "%s is what an agent saw, and no check: name the check of baseline %s that judges it", id,
		    j.baseline->id);
	return no_such("check", id, mm_nearest(id, ids), err);
}

/* A name that the store does not know covers nobody, and is a slip. */
static int check_names(struct mm_ctl *c, const struct mm_waiver *w, struct mm_arena *a, struct mm_err *err)
{
	struct mm_store_user u;
	struct mm_store_group g;
	struct mm_store_host h;
	int rc = w->user[0] != '\0' ? mm_store_user_get(c->store, w->user, a, &u, err) : 0;
	if (rc != 0)
		return rc < 0 ? -1 : no_such("user", w->user, NULL, err);
	rc = w->group[0] != '\0' ? mm_store_group_get(c->store, w->group, a, &g, err) : 0;
	if (rc != 0)
		return rc < 0 ? -1 : no_such("group", w->group, NULL, err);
	rc = w->host[0] != '\0' ? mm_store_host_get(c->store, w->host, a, &h, err) : 0;
	if (rc != 0)
		return rc < 0 ? -1 : no_such("host", w->host, NULL, err);
	return 0;
}

static int check_end(const char *until, int64_t now, int64_t *out, struct mm_err *err)
{
	if (mm_time_parse(until, out) != 0)
		return mm_err_set(err, MM_EX_USAGE,
		    "--until: \"%s\" is neither YYYY-MM-DD nor YYYY-MM-DDTHH:MM:SSZ", until);
	if (*out <= now)
		return mm_err_set(err, MM_EX_USAGE, "--until: %s is past", until);
	if (*out - now > INT64_C(86400) * DAYS_MAX)
		return mm_err_set(err, MM_EX_USAGE,
		    "--until: %s is more than %d days away; what is to last belongs into the policy", until,
		    DAYS_MAX);
	return 0;
}

static int check_waiver(
    struct mm_ctl *c, struct mm_waiver *w, const char *until, struct mm_arena *a, struct mm_err *err)
{
	if (w->user[0] + w->group[0] + w->host[0] + w->client[0] + w->account[0] + w->check[0] == 0)
		return mm_err_set(err, MM_EX_USAGE,
		    "a waiver for everything is none: name a --user, --group, --host, --client, --account or "
		    "--check");
	if (mm_streq(w->check, MM_CHECK_LOGIN) && w->client[0] != '\0')
		return mm_err_set(
		    err, MM_EX_USAGE, "a login is an account's, not a client's: leave --client out");
	if (w->reason[0] == '\0' || w->owner[0] == '\0' || until == NULL)
		return mm_err_set(err, MM_EX_USAGE, "needs --reason, --owner and --until: %s is missing",
		    w->reason[0] == '\0'  ? "--reason"
		    : w->owner[0] == '\0' ? "--owner"
					  : "--until");
	if (check_end(until, mm_store_now(c->store), &w->until, err) != 0 ||
	    check_client(w->client, err) != 0 || check_check(c, w->check, a, err) != 0)
		return -1;
	return check_names(c, w, a, err);
}

static int cmd_add(struct mm_ctl *c, int argc, char **argv)
{
	struct mm_waiver w = {.host = "",
	    .user = "",
	    .group = "",
	    .client = "",
	    .account = "",
	    .check = "",
	    .reason = "",
	    .owner = ""};
	const char *until = NULL;
	const struct mm_opt opts[] = {
	    {.name = "user",
		.kind = MM_OPT_STRING,
		.dest = &w.user,
		.arg = "LOGIN",
		.help = "what is this user's"},
	    {.name = "group",
		.kind = MM_OPT_STRING,
		.dest = &w.group,
		.arg = "GROUP",
		.help = "what is its members'"},
	    {.name = "host",
		.kind = MM_OPT_STRING,
		.dest = &w.host,
		.arg = "HOST",
		.help = "what is on this host"},
	    {.name = "client",
		.kind = MM_OPT_STRING,
		.dest = &w.client,
		.arg = "CLIENT",
		.help = "settings of this mail program"},
	    {.name = "account",
		.kind = MM_OPT_STRING,
		.dest = &w.account,
		.arg = "ACCOUNT",
		.help = "what is of this account"},
	    {.name = "check",
		.kind = MM_OPT_STRING,
		.dest = &w.check,
		.arg = "ID",
		.help = "this setting (incoming.port ...), \"login\", or this check (password-in-clear ...)"},
	    {.name = "until",
		.kind = MM_OPT_STRING,
		.dest = &until,
		.arg = "DATE",
		.help = "from then on (UTC) it counts again as what it is"},
	    {.name = "owner",
		.kind = MM_OPT_STRING,
		.dest = &w.owner,
		.arg = "WHO",
		.help = "who answers for it"},
	    {.name = "reason", .kind = MM_OPT_STRING, .dest = &w.reason, .arg = "TEXT", .help = "why"},
	    {.name = NULL},
	};
	const struct mm_args args = {.what = "waiver add",
	    .operands = "[scope] --until DATE --owner WHO --reason TEXT",
	    .about =
		"Accept a difference for a while. Reports show it as waived, with owner, reason and end; "
		"when it has\nexpired they say so, and it counts as failed again. Stale evidence cannot "
		"be waived.",
	    .opts = opts};
	struct mm_err err = MM_ERR_NONE;
	struct mm_arena *a = mm_arena_new();
	int64_t id = 0;
	int rc = mm_ctl_args(&args, &argc, argv);
	if (rc < 0) {
		rc = mm_ctl_open(c, &err) || check_waiver(c, &w, until, a, &err) ||
			     mm_store_waiver_add(c->store, &w, &id, &err)
			 ? mm_ctl_fail("waiver add", &err)
			 : MM_EX_OK;
		if (rc == MM_EX_OK)
			printf("waiver %" PRId64 "\n", id);
	}
	mm_arena_free(a);
	return rc;
}

/* ---- list and remove */

struct listing {
	struct mm_table *t;
	json_t *rows;
	int64_t now;
};

static int list_row(const struct mm_waiver *w, void *arg, struct mm_err *err)
{
	struct listing *l = arg;
	char until[MM_TIME_MAX];
	struct mm_buf scope = MM_BUF_INIT(65536);
	(void)err;
	if (l->rows != NULL) {
		json_array_append_new(l->rows, mm_waiver_json(w));
		return 0;
	}
	mm_waiver_scope(w, &scope);
	bool over = w->until <= l->now;
	mm_table_cell(l->t, MM_BOLD, "%" PRId64, w->id);
	mm_table_cell(l->t,
	    w->removed > 0 ? MM_DIM
	    : over         ? MM_RED
			   : MM_GREEN,
	    "%s",
	    w->removed > 0 ? "removed"
	    : over         ? "expired"
			   : "in force");
	mm_table_cell(l->t, MM_PLAIN, "%s", mm_buf_str(&scope));
	mm_table_cell(l->t, MM_PLAIN, "%s", mm_time_utc(w->until, until));
	mm_table_cell(l->t, MM_PLAIN, "%s", w->owner);
	mm_table_cell(l->t, MM_DIM, "%s", w->reason);
	mm_buf_free(&scope);
	return 0;
}

static int cmd_list(struct mm_ctl *c, int argc, char **argv)
{
	static const char *const heads[] = {"WAIVER", "STATE", "COVERS", "UNTIL", "OWNER", "REASON", NULL};
	bool json = false, all = false;
	const struct mm_opt opts[] = {
	    {.name = "all",
		.letter = 'a',
		.kind = MM_OPT_FLAG,
		.dest = &all,
		.help = "those that were removed, too"},
	    MM_OPT_JSON(&json),
	    {.name = NULL},
	};
	const struct mm_args args = {
	    .what = "waiver list", .operands = "", .about = "What is waived, and what was.", .opts = opts};
	struct mm_err err = MM_ERR_NONE;
	int rc = mm_ctl_args(&args, &argc, argv);
	if (rc >= 0)
		return rc;
	if (mm_ctl_open(c, &err) < 0)
		return mm_ctl_fail("waiver list", &err);
	struct listing l = {
	    .t = mm_table_new(heads), .rows = json ? json_array() : NULL, .now = mm_store_now(c->store)};
	rc = mm_store_waiver_each(c->store, all, list_row, &l, &err);
	if (rc == 0 && json)
		mm_ctl_json(json_incref(l.rows));
	else if (rc == 0)
		mm_table_print(l.t, stdout);
	json_decref(l.rows);
	mm_table_free(l.t);
	return rc < 0 ? mm_ctl_fail("waiver list", &err) : MM_EX_OK;
}

static int cmd_remove(struct mm_ctl *c, int argc, char **argv)
{
	const char *reason = NULL;
	const struct mm_opt opts[] = {MM_OPT_REASON(&reason), {.name = NULL}};
	const struct mm_args args = {.what = "waiver remove",
	    .operands = "NUMBER",
	    .about = "It ends now, and stays in the record.",
	    .opts = opts,
	    .min = 1,
	    .max = 1};
	struct mm_err err = MM_ERR_NONE;
	int64_t id = 0;
	int rc = mm_ctl_args(&args, &argc, argv);
	if (rc >= 0)
		return rc;
	if (mm_parse_int(argv[0], 1, INT64_MAX, &id) != 0)
		return mm_ctl_usage("waiver remove", "wants the number of a waiver: mailmuster waiver list");
	if (mm_ctl_open(c, &err) < 0)
		return mm_ctl_fail("waiver remove", &err);
	mm_store_set_reason(c->store, reason);
	rc = mm_store_waiver_remove(c->store, id, &err);
	if (rc > 0)
		mm_err_set(&err, MM_EX_FAILED, "there is no waiver %" PRId64 " in force or expired", id);
	return rc != 0 ? mm_ctl_fail("waiver remove", &err) : MM_EX_OK;
}

static const struct mm_subcmd subs[] = {
    {"add", "[scope] --until DATE --owner WHO --reason TEXT", "accept a difference for a while", cmd_add},
    {"list", "[--all]", "what is waived", cmd_list},
    {"remove", "NUMBER", "end one now", cmd_remove},
    {NULL, NULL, NULL, NULL},
};

static int run(struct mm_ctl *c, int argc, char **argv)
{
	return mm_ctl_sub(c, "waiver", subs, argc, argv);
}

extern const struct mm_cmd mm_cmd_waiver;
const struct mm_cmd mm_cmd_waiver = {
    "waiver", "add|list|remove", "differences that are accepted for a while", run};
