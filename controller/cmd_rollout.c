/* mailmuster rollout: what is on its way to the fleet, and what an admin can
 * do about it. */
#include <stdio.h>

#include "common/json.h"
#include "common/term.h"
#include "common/text.h"
#include "controller/cmd.h"
#include "controller/rollout_back.h"
#include "controller/rollout_go.h"
#include "controller/rollout_print.h"

struct act {
	const char *what;
	int64_t id;
	bool json, detach, failed, unreachable;
	const char *reason;
	struct mm_rollout_how how;
	struct mm_rollout_opts opts;
};

static int no_rollout(int64_t id, struct mm_err *err)
{
	if (id > 0)
		return mm_err_set(err, MM_EX_FAILED, "there is no rollout %lld", (long long)id);
	return mm_err_set(err, MM_EX_FAILED, "there was no rollout yet; mailmuster push --all makes one");
}

/* ---- list */

struct listing {
	struct mm_store *store;
	struct mm_arena *a;
	struct mm_table *t;
	json_t *json;
};

static int list_json(const struct mm_rollout *r, void *arg, struct mm_err *err)
{
	struct listing *l = arg;
	const char *why;
	json_t *o = mm_rollout_head_json(r);
	int rc = mm_rollout_why(l->store, r, l->a, &why, err);
	if (rc == 0)
		mm_json_set_str(o, "why", why);
	json_array_append_new(l->json, o);
	return rc;
}

static int list_row(const struct mm_rollout *r, void *arg, struct mm_err *err)
{
	struct listing *l = arg;
	char at[MM_TIME_MAX];
	const char *why;
	bool stands = r->state == MM_RO_PAUSED || r->state == MM_RO_HALTED;
	if (mm_rollout_why(l->store, r, l->a, &why, err) < 0)
		return -1;
	mm_table_cell(l->t, MM_PLAIN, "%lld", (long long)r->id);
	if (r->first == r->revision)
		mm_table_cell(l->t, MM_PLAIN, "%lld", (long long)r->revision);
	else
		mm_table_cell(l->t, MM_PLAIN, "%lld-%lld", (long long)r->first, (long long)r->revision);
	mm_table_cell(l->t, MM_PLAIN, "%s", mm_rollout_kind_name(r->kind));
	mm_table_cell(l->t, MM_PLAIN, "%s", mm_time_utc(r->created, at));
	mm_table_cell(l->t, MM_PLAIN, "%lld", (long long)r->hosts);
	mm_table_cell(l->t, MM_PLAIN, "%lld of %lld", (long long)r->wave + 1, (long long)r->waves);
	mm_table_cell(l->t,
	    stands                   ? MM_YELLOW
	    : r->state == MM_RO_DONE ? MM_GREEN
				     : MM_BOLD,
	    "%s", mm_ro_state_name(r->state));
	mm_table_cell(l->t, MM_PLAIN, "%s", *why != '\0' ? why : r->selection);
	return 0;
}

static int run_list(struct mm_ctl *c, int argc, char **argv)
{
	static const char *const heads[] = {
	    "ROLLOUT", "REVISION", "KIND", "BEGUN", "HOSTS", "WAVE", "STATE", "WHY", NULL};
	bool json = false;
	const struct mm_opt opts[] = {MM_OPT_JSON(&json), {.name = NULL}};
	const struct mm_args args = {
	    .what = "rollout list", .operands = "", .about = "All rollouts, newest first.", .opts = opts};
	struct mm_err err = MM_ERR_NONE;
	int rc = mm_ctl_args(&args, &argc, argv);
	if (rc >= 0)
		return rc;
	if (mm_ctl_open(c, &err) < 0)
		return mm_ctl_fail("rollout list", &err);
	struct listing l = {.store = c->store, .a = mm_arena_new()};
	if (json) {
		l.json = json_array();
		rc = mm_store_rollout_each(c->store, false, list_json, &l, &err);
		mm_ctl_json(l.json);
	} else {
		l.t = mm_table_new(heads);
		rc = mm_store_rollout_each(c->store, false, list_row, &l, &err);
		mm_table_print(l.t, stdout);
		mm_table_free(l.t);
	}
	mm_arena_free(l.a);
	return rc < 0 ? mm_ctl_fail("rollout list", &err) : MM_EX_OK;
}

/* ---- show */

static int newest(struct mm_ctl *c, int64_t *id, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_rollout r;
	int rc = mm_store_rollout_last(c->store, a, &r, err);
	if (rc == 0)
		*id = r.id;
	mm_arena_free(a);
	return rc > 0 ? no_rollout(0, err) : rc;
}

static int show(struct mm_ctl *c, int64_t id, bool all, bool json, int *bits, struct mm_err *err)
{
	struct mm_rollout_state st;
	json_t *o;
	if (mm_ctl_open(c, err) < 0 || (id == 0 && newest(c, &id, err) < 0))
		return -1;
	int rc = mm_rollout_state_load(c->store, id, &st, err);
	if (rc > 0)
		rc = no_rollout(id, err);
	if (rc == 0 && json) {
		o = mm_rollout_json(&st, err);
		rc = o != NULL ? 0 : -1;
		if (o != NULL)
			mm_ctl_json(o);
	} else if (rc == 0) {
		rc = mm_rollout_print(&st, all, err);
	}
	if (rc == 0)
		rc = mm_rollout_exit(c->store, &st.r, bits, err);
	mm_rollout_state_free(&st);
	return rc;
}

/* The operand as a number; 0 = none was given. -1: it is none. */
static int number(int argc, char **argv, int64_t *id)
{
	*id = 0;
	return argc > 0 ? mm_parse_int(argv[0], 1, INT64_MAX, id) : 0;
}

static int run_show(struct mm_ctl *c, int argc, char **argv)
{
	bool json = false, all = false;
	const struct mm_opt opts[] = {
	    {.name = "hosts",
		.kind = MM_OPT_FLAG,
		.dest = &all,
		.help = "every host, not only what went wrong"},
	    MM_OPT_JSON(&json),
	    {.name = NULL},
	};
	const struct mm_args args = {.what = "rollout show",
	    .operands = "[ROLLOUT]",
	    .about =
		"One rollout (the newest): its waves, budgets and gate, why it stands, what comes next.\n"
		"Exit status: 0 all is well, 2 not everybody has it, 4 hosts failed, 8 unreachable, 16 "
		"halted; they add up.",
	    .opts = opts,
	    .max = 1};
	struct mm_err err = MM_ERR_NONE;
	int64_t id;
	int bits = MM_EX_OK, rc = mm_ctl_args(&args, &argc, argv);
	if (rc >= 0)
		return rc;
	if (number(argc, argv, &id) < 0)
		return mm_ctl_usage("rollout show", "ROLLOUT is a number, see mailmuster rollout list");
	return show(c, id, all, json, &bits, &err) < 0 ? mm_ctl_fail("rollout show", &err) : bits;
}

/* ---- what changes something */

static int say_state(struct mm_ctl *c, const struct act *o, struct mm_err *err)
{
	struct mm_rollout_state st;
	struct mm_arena *a = mm_arena_new();
	int rc = mm_rollout_state_load(c->store, o->id, &st, err);
	if (rc > 0)
		rc = no_rollout(o->id, err);
	if (rc == 0 && o->json) {
		json_t *head = mm_rollout_head_json(&st.r);
		mm_json_set_str(head, "next", mm_rollout_next_text(&st, a));
		mm_ctl_json(head);
	} else if (rc == 0) {
		printf("rollout %lld: %s%s%s; next: %s\n", (long long)o->id, mm_ro_state_name(st.r.state),
		    *st.r.why != '\0' ? ": " : "", st.r.why, mm_rollout_next_text(&st, a));
	}
	mm_rollout_state_free(&st);
	mm_arena_free(a);
	return rc;
}

typedef int change(struct mm_ctl *c, struct act *o, struct mm_err *err);

/* Change it; then drive it, unless it stands or is left to `serve`. */
static int perform(struct mm_ctl *c, struct act *o, change *ch, bool drives)
{
	struct mm_err err = MM_ERR_NONE;
	if (mm_ctl_open(c, &err) < 0)
		return mm_ctl_fail(o->what, &err);
	mm_store_set_reason(c->store, o->reason);
	if (ch(c, o, &err) < 0)
		return mm_ctl_fail(o->what, &err);
	mm_store_set_reason(c->store, NULL);
	if (!drives || o->detach || o->id == 0)
		return o->id != 0 && say_state(c, o, &err) < 0 ? mm_ctl_fail(o->what, &err) : MM_EX_OK;
	o->how.rollout = o->id;
	o->how.patient = o->how.events = o->how.progress = true;
	return mm_rollout_go(c, o->what, &o->how, o->json);
}

static int pause_it(struct mm_ctl *c, struct act *o, struct mm_err *err)
{
	return mm_store_rollout_pause(c->store, o->id, err);
}

/* One that nobody drives goes on by this, too. */
static int resume_it(struct mm_ctl *c, struct act *o, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_rollout r;
	int rc = mm_store_rollout_get(c->store, o->id, a, &r, err);
	if (rc > 0)
		rc = no_rollout(o->id, err);
	if (rc == 0 && r.state != MM_RO_RUNNING && r.state != MM_RO_BAKING)
		rc = mm_store_rollout_resume(c->store, o->id, err);
	mm_arena_free(a);
	return rc;
}

static int approve_it(struct mm_ctl *c, struct act *o, struct mm_err *err)
{
	return mm_store_rollout_approve(c->store, o->id, err);
}

static int abort_it(struct mm_ctl *c, struct act *o, struct mm_err *err)
{
	return mm_store_rollout_abort(c->store, o->id, false, err);
}

static int retry_it(struct mm_ctl *c, struct act *o, struct mm_err *err)
{
	int64_t n = 0;
	if (mm_store_rollout_retry(c->store, o->id, o->failed, o->unreachable, &n, err) < 0)
		return -1;
	if (n == 0)
		return mm_err_set(err, MM_EX_FAILED, "no host of rollout %lld %s", (long long)o->id,
		    !o->failed       ? "is unreachable"
		    : o->unreachable ? "failed or is unreachable"
				     : "failed");
	fprintf(stderr, "%lld host%s released again\n", (long long)n, n == 1 ? "" : "s");
	return 0;
}

static void say_back(int64_t id, const struct mm_rollout_back *b)
{
	fprintf(stderr, "rollout %lld is taken back\n", (long long)id);
	for (size_t i = 0; i < b->n; i++) {
		const struct mm_ro_former *f = &b->formers[i];
		const char *s = f->hosts == 1 ? "" : "s";
		if (f->before > 0)
			fprintf(stderr,
			    "revision %lld has the text of revision %lld, which %lld host%s had\n",
			    (long long)(b->first + (int64_t)i), (long long)f->before, (long long)f->hosts, s);
		else
			fprintf(stderr,
			    "revision %lld asks for nothing, as %lld host%s had nothing of ours before\n",
			    (long long)(b->first + (int64_t)i), (long long)f->hosts, s);
	}
	if (b->gone > 0)
		fprintf(stderr, "%lld hosts are not in the inventory any more\n", (long long)b->gone);
	mm_rollout_print_made(&b->made, b->first, b->last);
}

static int roll_back(struct mm_ctl *c, struct act *o, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_rollout_back b;
	int rc = mm_rollout_back(c, o->id, &o->opts, a, &b, err);
	if (rc == 0 && b.under_way)
		fprintf(stderr, "rollout %lld is being taken back already, by rollout %lld\n",
		    (long long)o->id, (long long)b.made.id);
	else if (rc == 0)
		say_back(o->id, &b);
	else if (err->code == MM_EX_NOPERM)
		(void)mm_err_prefix(err, "approve, then say the same again");
	if (rc == 0)
		o->id = b.made.id;
	mm_arena_free(a);
	return rc;
}

struct verb {
	const char *what, *about;
	change *ch;
	bool drives;
};

#define DRIVE_OPTS(o)                                                                                        \
	{.name = "detach",                                                                                   \
	    .kind = MM_OPT_FLAG,                                                                             \
	    .dest = &(o)->detach,                                                                            \
	    .help = "leave the work to mailmuster serve"},                                                   \
	    {.name = "timeout",                                                                              \
		.kind = MM_OPT_INT,                                                                          \
		.dest = &(o)->how.timeout_s,                                                                 \
		.min = 1,                                                                                    \
		.max = 86400,                                                                                \
		.arg = "SECONDS",                                                                            \
		.help = "for one host as a whole (300)"},                                                    \
	{                                                                                                    \
		.name = "identity", .letter = 'i', .kind = MM_OPT_STRING, .dest = &(o)->how.identity,        \
		.arg = "FILE",                                                                               \
		.help = "SSH key instead of the controller's own; \"agent\" = the ssh-agent's"               \
	}

static int parse_and_perform(
    struct mm_ctl *c, struct act *o, const struct verb *v, const struct mm_opt *opts, int argc, char **argv)
{
	const struct mm_args args = {
	    .what = v->what, .operands = "ROLLOUT", .about = v->about, .opts = opts, .min = 1, .max = 1};
	int rc = mm_ctl_args(&args, &argc, argv);
	if (rc >= 0)
		return rc;
	o->what = v->what;
	if (number(argc, argv, &o->id) < 0)
		return mm_ctl_usage(v->what, "ROLLOUT is a number, see mailmuster rollout list");
	if (v->ch == retry_it && !o->failed && !o->unreachable)
		return mm_ctl_usage(v->what, "which hosts? --failed, --unreachable, or both");
	return perform(c, o, v->ch, v->drives);
}

static int run_still(struct mm_ctl *c, const struct verb *v, int argc, char **argv)
{
	struct act o = {.id = 0};
	const struct mm_opt opts[] = {MM_OPT_REASON(&o.reason), MM_OPT_JSON(&o.json), {.name = NULL}};
	return parse_and_perform(c, &o, v, opts, argc, argv);
}

static int run_driving(struct mm_ctl *c, const struct verb *v, int argc, char **argv)
{
	struct act o = {.id = 0};
	const struct mm_opt opts[] = {
	    DRIVE_OPTS(&o), MM_OPT_REASON(&o.reason), MM_OPT_JSON(&o.json), {.name = NULL}};
	return parse_and_perform(c, &o, v, opts, argc, argv);
}

static int run_pause(struct mm_ctl *c, int argc, char **argv)
{
	static const struct verb v = {"rollout pause",
	    "Send nothing new; what is in flight lands. mailmuster rollout resume goes on.", pause_it, false};
	return run_still(c, &v, argc, argv);
}

static int run_resume(struct mm_ctl *c, int argc, char **argv)
{
	static const struct verb v = {"rollout resume",
	    "Go on with a rollout that is paused, that was halted (what failed so far is then forgiven),\n"
	    "or that nobody drives any more.",
	    resume_it, true};
	return run_driving(c, &v, argc, argv);
}

static int run_approve(struct mm_ctl *c, int argc, char **argv)
{
	static const struct verb v = {"rollout approve",
	    "Let the next wave begin: the approval that each wave wants (--approve-each), or in spite of\n"
	    "too few reports or tests.",
	    approve_it, true};
	return run_driving(c, &v, argc, argv);
}

static int run_abort(struct mm_ctl *c, int argc, char **argv)
{
	static const struct verb v = {"rollout abort",
	    "End it for good. Hosts that have it keep it; mailmuster rollout rollback takes it back.",
	    abort_it, false};
	return run_still(c, &v, argc, argv);
}

static int run_retry(struct mm_ctl *c, int argc, char **argv)
{
	static const struct verb v = {"rollout retry",
	    "Try hosts again that failed, or were not reached; what they did is forgotten by the budgets.",
	    retry_it, true};
	struct act o = {.id = 0};
	const struct mm_opt opts[] = {
	    {.name = "failed",
		.kind = MM_OPT_FLAG,
		.dest = &o.failed,
		.help = "failed, with a login that failed, or reverted"},
	    {.name = "unreachable",
		.kind = MM_OPT_FLAG,
		.dest = &o.unreachable,
		.help = "unreachable and late"},
	    DRIVE_OPTS(&o),
	    MM_OPT_REASON(&o.reason),
	    MM_OPT_JSON(&o.json),
	    {.name = NULL},
	};
	return parse_and_perform(c, &o, &v, opts, argc, argv);
}

static int run_rollback(struct mm_ctl *c, int argc, char **argv)
{
	static const struct verb v = {"rollout rollback",
	    "Take it back: what its hosts had before becomes the next revision (or several, where they had\n"
	    "different ones), and each that it touched gets its own, all at once. The rest keeps what it "
	    "has.",
	    roll_back, true};
	struct act o = {.id = 0};
	const struct mm_opt opts[] = {
	    {.name = "in-flight",
		.kind = MM_OPT_STRING,
		.dest = &o.opts.in_flight,
		.arg = "N",
		.help = "hosts in flight at once (100)"},
	    {.name = "max-failed",
		.kind = MM_OPT_STRING,
		.dest = &o.opts.max_failed,
		.arg = "N[%]",
		.help = "hosts that may fail; one more halts (any)"},
	    DRIVE_OPTS(&o),
	    MM_OPT_REASON(&o.reason),
	    MM_OPT_JSON(&o.json),
	    {.name = NULL},
	};
	return parse_and_perform(c, &o, &v, opts, argc, argv);
}

static const struct mm_subcmd subs[] = {
    {"list", "", "all rollouts", run_list},
    {"show", "[ROLLOUT]", "waves, budgets, gate, and what comes next", run_show},
    {"pause", "ROLLOUT", "send nothing new", run_pause},
    {"resume", "ROLLOUT", "go on", run_resume},
    {"approve", "ROLLOUT", "let the next wave begin", run_approve},
    {"abort", "ROLLOUT", "end it for good", run_abort},
    {"rollback", "ROLLOUT", "take it back", run_rollback},
    {"retry", "ROLLOUT", "try failed or unreachable hosts again", run_retry},
    {NULL, NULL, NULL, NULL},
};

static int run(struct mm_ctl *c, int argc, char **argv)
{
	return mm_ctl_sub(c, "rollout", subs, argc, argv);
}

extern const struct mm_cmd mm_cmd_rollout;
const struct mm_cmd mm_cmd_rollout = {
    "rollout", "list|show|pause|resume|approve|abort|rollback|retry", "what is on its way to the fleet", run};
