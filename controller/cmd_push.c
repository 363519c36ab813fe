/* mailmuster push, mailmuster plan: bring hosts to the current revision, or
 * ask them what that would change. */
#include <stdio.h>

#include "controller/push_print.h"

struct push_opts {
	struct mm_selection sel;
	struct mm_push_how how;
	bool json, dry_run, now;
};

#define HOW_OPTS(o)                                                                                          \
	{.name = "parallel",                                                                                 \
	    .kind = MM_OPT_INT,                                                                              \
	    .dest = &(o)->how.parallel,                                                                      \
	    .min = 1,                                                                                        \
	    .max = MM_PUSH_PARALLEL_MAX,                                                                     \
	    .arg = "N",                                                                                      \
	    .help = "hosts in flight (256)"},                                                                \
	    {.name = "timeout",                                                                              \
		.kind = MM_OPT_INT,                                                                          \
		.dest = &(o)->how.timeout_s,                                                                 \
		.min = 1,                                                                                    \
		.max = 86400,                                                                                \
		.arg = "SECONDS",                                                                            \
		.help = "for one host as a whole (300)"},                                                    \
	    {.name = "identity",                                                                             \
		.letter = 'i',                                                                               \
		.kind = MM_OPT_STRING,                                                                       \
		.dest = &(o)->how.identity,                                                                  \
		.arg = "FILE",                                                                               \
		.help = "SSH key instead of the controller's own; \"agent\" = the ssh-agent's"},             \
	    MM_OPT_JSON(&(o)->json)

static int run_and_print(struct mm_ctl *c, const char *what, struct push_opts *o)
{
	struct mm_push_summary s = {0};
	struct mm_err err = MM_ERR_NONE;
	o->how.progress = true;
	int status;
	if (mm_push_run_op(c, &o->sel, &o->how, &s, &err) < 0) {
		status = err.code == MM_EX_USAGE ? mm_ctl_usage(what, err.text) : mm_ctl_fail(what, &err);
	} else {
		if (o->json)
			mm_push_print_json(&s);
		else
			mm_push_print(&s);
		status = s.exit_status;
	}
	if (s.arena != NULL)
		mm_push_summary_free(&s);
	return status;
}

static int run_push(struct mm_ctl *c, int argc, char **argv)
{
	struct push_opts o = {.how = {.op = MM_OP_APPLY}};
	const struct mm_opt opts[] = {
	    MM_SELECTION_OPTS(&o.sel),
	    {.name = "pending",
		.letter = 'p',
		.kind = MM_OPT_FLAG,
		.dest = &o.sel.pending,
		.help = "hosts that still owe an answer to an earlier push"},
	    {.name = "now",
		.kind = MM_OPT_FLAG,
		.dest = &o.now,
		.help = "all hosts at once, in no waves (as long as no rollout is defined, the same)"},
	    {.name = "dry-run",
		.letter = 'n',
		.kind = MM_OPT_FLAG,
		.dest = &o.dry_run,
		.help = "the same as mailmuster plan"},
	    HOW_OPTS(&o),
	    {.name = NULL},
	};
	const struct mm_args args = {.what = "push",
	    .operands = "--all | --host HOST ... | --pending [options]",
	    .about = "Deliver the current revision: sign a request for each host, send it over SSH, store "
		     "the report.\n"
		     "What cannot be delivered stays pending. Ctrl-C stops; --pending goes on.\n"
		     "Exit status: 2 differences left, 4 hosts failed, 8 unreachable; they add up.",
	    .opts = opts};
	int rc = mm_ctl_args(&args, &argc, argv);
	if (rc < 0) {
		if (o.dry_run)
			o.how.op = MM_OP_PLAN;
		rc = run_and_print(c, "push", &o);
	}
	mm_cli_free(opts);
	return rc;
}

static int run_plan(struct mm_ctl *c, int argc, char **argv)
{
	struct push_opts o = {.how = {.op = MM_OP_PLAN}};
	const struct mm_opt opts[] = {
	    MM_SELECTION_OPTS(&o.sel),
	    {.name = "pending",
		.letter = 'p',
		.kind = MM_OPT_FLAG,
		.dest = &o.sel.pending,
		.help = "hosts that still owe an answer to an earlier push"},
	    HOW_OPTS(&o),
	    {.name = NULL},
	};
	const struct mm_args args = {.what = "plan",
	    .operands = "--all | --host HOST ... [options]",
	    .about =
		"Ask the hosts what a push would change; nothing is written there. The same change on many\n"
		"hosts is one entry. Exit status 2 if anything would change.",
	    .opts = opts};
	int rc = mm_ctl_args(&args, &argc, argv);
	if (rc < 0)
		rc = run_and_print(c, "plan", &o);
	mm_cli_free(opts);
	return rc;
}

extern const struct mm_cmd mm_cmd_push, mm_cmd_plan;
const struct mm_cmd mm_cmd_push = {
    "push", "--all|--host HOST|--pending", "deliver the current revision over SSH", run_push};
const struct mm_cmd mm_cmd_plan = {"plan", "--all|--host HOST", "what would a push change?", run_plan};
