/* mailmuster policy check, import, rollback, approve. */
#include "controller/cmd_policy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/json.h"
#include "common/text.h"
#include "controller/checks/baseline.h"
#include "controller/known_clients.h"
#include "controller/policy_store.h"

static const char *const known_clients[] = {MM_KNOWN_CLIENTS};
static const struct mm_known_route known_routes[] = {MM_KNOWN_ROUTES};
static const struct mm_policy_opts as_written = {
    .known_clients = known_clients, .known_routes = known_routes};

/* Print what was said about a policy: lines on stderr, or JSON on stdout. */
static void say(const struct mm_diags *d, bool json)
{
	json_t *o;

	if (!json) {
		mm_diags_print(d, stderr);
		return;
	}
	o = json_object();
	mm_json_set_bool(o, "good", d->errors == 0);
	mm_json_set(o, "diagnostics", mm_diags_json(d));
	mm_ctl_json(o);
}

/* ---- check */

/* Where there is a store, its people are looked at too. */
static int check_people(struct mm_ctl *c, const struct mm_policy *p, struct mm_diags *d, struct mm_err *err)
{
	char *db = mm_ctl_path(c, "store.db");
	int there = access(db, F_OK);

	free(db);
	if (there)
		return 0;
	return mm_ctl_open(c, err) ? -1 : mm_policy_holds(c->store, p, NULL, d, err);
}

static int cmd_check(struct mm_ctl *c, int argc, char **argv)
{
	bool json = false;
	const struct mm_opt opts[] = {MM_OPT_JSON(&json), {.name = NULL}};
	const struct mm_args args = {.what = "policy check",
	    .operands = "FILE",
	    .about = "Read a policy and list everything that is wrong with it, one line each. Where there is "
		     "a store,\n"
		     "also whether it holds for the people in it.",
	    .opts = opts,
	    .min = 1,
	    .max = 1};
	struct mm_arena *a = mm_arena_new();
	struct mm_err err = MM_ERR_NONE;
	const struct mm_baseline *b;
	struct mm_policy *p;
	struct mm_diags d;
	int rc = mm_ctl_args(&args, &argc, argv);

	if (rc < 0) {
		mm_diags_init(&d, a);
		if (mm_policy_load_file(argv[0], &as_written, a, &p, &d) == 0 &&
		    mm_baseline_of_policy(p, d.folder, a, &b, NULL, &d) == 0 &&
		    check_people(c, p, &d, &err)) {
			rc = mm_ctl_fail("policy check", &err);
		} else {
			say(&d, json);
			rc = d.errors ? MM_EX_DATAERR : MM_EX_OK;
			if (!rc && !json)
				printf("%s: good\n", argv[0]);
		}
	}
	mm_arena_free(a);
	return rc;
}

/* ---- import and rollback */

struct intake {
	struct mm_ctl *c;
	const char *what;   /* "policy import" */
	const char *action; /* for the audit log */
	const char *author, *message, *reason;
	bool json;
	struct mm_diags d;
	struct mm_said baseline;     /* its text and its file's name; text NULL = stored already, or none */
	const char *baseline_sha256; /* "" = none */
	int64_t number;
	bool kept;
};

static void say_revision(struct intake *in, const struct mm_policy *p)
{
	struct mm_err err = MM_ERR_NONE;
	bool pushable = mm_store_revision_pushable(in->c->store, in->number, &err) == 0;
	json_t *o;

	if (in->json) {
		o = json_object();
		mm_json_set_int(o, "revision", in->number);
		mm_json_set_bool(o, "kept", in->kept);
		mm_json_set_str(o, "sha256", mm_policy_sha256(p));
		mm_json_set_str(o, "baseline_sha256", in->baseline_sha256);
		mm_json_set_bool(o, "pushable", pushable);
		mm_json_set(o, "diagnostics", mm_diags_json(&in->d));
		mm_ctl_json(o);
		return;
	}
	mm_diags_print(&in->d, stderr);
	printf("revision %lld %s, sha256 %s\n", (long long)in->number,
	    in->kept ? "kept: the text is the same" : "stored", mm_policy_sha256(p));
	if (!pushable)
		printf("%s\n", err.text);
}

static int refuse(struct intake *in)
{
	say(&in->d, in->json);
	fprintf(stderr, "mailmuster %s: %zu error%s, nothing was stored\n", in->what, in->d.errors,
	    in->d.errors == 1 ? "" : "s");
	return MM_EX_DATAERR;
}

/* Check against the people and store, in one transaction: nobody can join a
 * group in between. */
static int store_policy(struct intake *in, const struct mm_policy *p, struct mm_err *err)
{
	struct mm_store *s = in->c->store;
	const struct mm_revision r = {.text = p->text,
	    .len = p->len,
	    .author = in->author ? in->author : in->c->who,
	    .author_uid = (int64_t)in->c->uid,
	    .message = in->message ? in->message : "",
	    .source = p->name,
	    .approvals = p->rules.approvals,
	    .baseline = in->baseline_sha256};

	if (mm_store_begin(s, err))
		return -1;
	mm_store_set_reason(s, in->reason);
	if (mm_policy_holds(s, p, NULL, &in->d, err) ||
	    (in->baseline.text && mm_store_baseline_put(s, in->baseline_sha256, in->baseline.at.file,
				      in->baseline.text, err)) ||
	    (in->d.errors == 0 && mm_store_revision_add(s, &r, in->action, &in->number, &in->kept, err))) {
		mm_store_rollback(s);
		return -1;
	}
	if (in->d.errors) {
		mm_store_rollback(s);
		return 0;
	}
	return mm_store_commit(s, err);
}

static int take(struct intake *in, const struct mm_policy *p)
{
	struct mm_err err = MM_ERR_NONE;

	if (mm_ctl_open(in->c, &err) || store_policy(in, p, &err))
		return mm_ctl_fail(in->what, &err);
	if (in->d.errors)
		return refuse(in);
	say_revision(in, p);
	return MM_EX_OK;
}

/* A revision is judged for ever by the texts that it was imported with. */
static int look_up_baseline(struct intake *in, const struct mm_policy *p, struct mm_arena *a)
{
	const struct mm_baseline *b;

	if (mm_baseline_of_policy(p, in->d.folder, a, &b, &in->baseline, &in->d))
		return -1;
	in->baseline_sha256 = b ? b->sha256 : "";
	return 0;
}

static int cmd_import(struct mm_ctl *c, int argc, char **argv)
{
	struct intake in = {.c = c, .what = "policy import", .action = "policy.import"};
	const struct mm_opt opts[] = {
	    {.name = "message",
		.letter = 'm',
		.kind = MM_OPT_STRING,
		.dest = &in.message,
		.arg = "TEXT",
		.help = "what this revision changes"},
	    {.name = "author",
		.kind = MM_OPT_STRING,
		.dest = &in.author,
		.arg = "NAME",
		.help = "who wrote it, for people (default: who runs this)"},
	    MM_OPT_REASON(&in.reason),
	    MM_OPT_JSON(&in.json),
	    {.name = NULL},
	};
	const struct mm_args args = {.what = "policy import",
	    .operands = "FILE",
	    .about = "Check a policy and store it as the next revision. A text that is the current one "
		     "already is kept.",
	    .opts = opts,
	    .min = 1,
	    .max = 1};
	struct mm_arena *a;
	struct mm_policy *p;
	int rc = mm_ctl_args(&args, &argc, argv);

	if (rc >= 0)
		return rc;
	if (!mm_ctl_is_line(in.message) || !mm_ctl_is_line(in.author))
		return mm_ctl_usage(in.what, "author and message are single lines of at most 1000 bytes");
	a = mm_arena_new();
	mm_diags_init(&in.d, a);
	rc = mm_policy_load_file(argv[0], &as_written, a, &p, &in.d) || look_up_baseline(&in, p, a)
		 ? refuse(&in)
		 : take(&in, p);
	mm_arena_free(a);
	return rc;
}

static int rollback_to(struct intake *in, int64_t number, struct mm_arena *a)
{
	struct mm_stored_policy p;
	struct mm_err err = MM_ERR_NONE;
	int rc = mm_ctl_open(in->c, &err) ? -1 : mm_policy_stored(in->c->store, number, a, &p, &err);

	if (rc == 1)
		mm_err_set(&err, MM_EX_FAILED, "there is no revision %lld", (long long)number);
	if (rc)
		return mm_ctl_fail(in->what, &err);
	in->baseline_sha256 = p.revision.baseline;
	if (!in->message)
		in->message = mm_arena_printf(a, "rollback to revision %lld", (long long)number);
	return take(in, p.policy);
}

static int cmd_rollback(struct mm_ctl *c, int argc, char **argv)
{
	struct intake in = {.c = c, .what = "policy rollback", .action = "policy.rollback"};
	const struct mm_opt opts[] = {
	    {.name = "message",
		.letter = 'm',
		.kind = MM_OPT_STRING,
		.dest = &in.message,
		.arg = "TEXT",
		.help = "why (default: rollback to revision N)"},
	    MM_OPT_REASON(&in.reason),
	    MM_OPT_JSON(&in.json),
	    {.name = NULL},
	};
	const struct mm_args args = {.what = "policy rollback",
	    .operands = "REVISION",
	    .about = "Store the text of an older revision as the next one. Nothing is pushed by this.",
	    .opts = opts,
	    .min = 1,
	    .max = 1};
	struct mm_arena *a;
	int64_t number;
	int rc = mm_ctl_args(&args, &argc, argv);

	if (rc >= 0)
		return rc;
	if (mm_parse_int(argv[0], 1, INT64_MAX, &number))
		return mm_ctl_usage(in.what, "REVISION is a number, see mailmuster policy log");
	if (!mm_ctl_is_line(in.message))
		return mm_ctl_usage(in.what, "the message is a single line of at most 1000 bytes");
	a = mm_arena_new();
	mm_diags_init(&in.d, a);
	rc = rollback_to(&in, number, a);
	mm_arena_free(a);
	return rc;
}

/* ---- approve */

static int cmd_approve(struct mm_ctl *c, int argc, char **argv)
{
	bool json = false;
	const char *reason = NULL;
	const struct mm_opt opts[] = {
	    MM_OPT_REASON(&reason),
	    MM_OPT_JSON(&json),
	    {.name = NULL},
	};
	const struct mm_args args = {.what = "policy approve",
	    .operands = "REVISION",
	    .about = "Approve a revision that somebody else imported; who you are is told by your uid.",
	    .opts = opts,
	    .min = 1,
	    .max = 1};
	struct mm_err err = MM_ERR_NONE;
	json_t *o;
	int64_t number;
	bool pushable;
	int rc = mm_ctl_args(&args, &argc, argv);

	if (rc >= 0)
		return rc;
	if (mm_parse_int(argv[0], 1, INT64_MAX, &number))
		return mm_ctl_usage("policy approve", "REVISION is a number, see mailmuster policy log");
	if (mm_ctl_open(c, &err))
		return mm_ctl_fail("policy approve", &err);
	mm_store_set_reason(c->store, reason);
	if (mm_store_revision_approve(c->store, number, c->who, (int64_t)c->uid, &err))
		return mm_ctl_fail("policy approve", &err);
	pushable = mm_store_revision_pushable(c->store, number, &err) == 0;
	if (json) {
		o = json_object();
		mm_json_set_int(o, "revision", number);
		mm_json_set_bool(o, "pushable", pushable);
		mm_ctl_json(o);
	} else {
		printf("revision %lld approved by %s%s%s\n", (long long)number, c->who, pushable ? "" : "; ",
		    pushable ? "" : err.text);
	}
	return MM_EX_OK;
}

static const struct mm_subcmd subs[] = {
    {"check", "FILE", "list what is wrong with a policy", cmd_check},
    {"import", "FILE", "store a policy as the next revision", cmd_import},
    {"export", "[REVISION]", "print a stored policy", mm_policy_cmd_export},
    {"log", "", "list the revisions", mm_policy_cmd_log},
    {"diff", "[OLD [NEW]]", "what two policies want differently", mm_policy_cmd_diff},
    {"rollback", "REVISION", "make an older text the next revision", cmd_rollback},
    {"approve", "REVISION", "approve what somebody else imported", cmd_approve},
    {NULL, NULL, NULL, NULL},
};

static int run(struct mm_ctl *c, int argc, char **argv)
{
	return mm_ctl_sub(c, "policy", subs, argc, argv);
}

const struct mm_cmd mm_cmd_policy = {
    "policy", "check|import|export|log|diff|rollback|approve", "what everybody shall have", run};
