/* mailmuster push, mailmuster plan: bring hosts to the current revision, or
 * ask them what that would change. */
#include "controller/push_cmd.h"

static int run_push(struct mm_ctl *c, int argc, char **argv)
{
	struct mm_push_cmd o = {.how = {.op = MM_OP_APPLY}};
	bool dry_run = false;
	const struct mm_opt opts[] = {
	    MM_SELECTION_OPTS(&o.sel),
	    {.name = "pending",
		.letter = 'p',
		.kind = MM_OPT_FLAG,
		.dest = &o.sel.pending,
		.help = "hosts that still owe an answer to an earlier push"},
	    {.name = "now", .kind = MM_OPT_FLAG, .dest = &o.now, .help = "all hosts at once, no rollout"},
	    {.name = "allow-remove",
		.kind = MM_OPT_INT,
		.dest = &o.allow_remove,
		.max = INT32_MAX,
		.arg = "N",
		.help = "with FILE: it may take away up to N accounts (0)"},
	    {.name = "dry-run",
		.letter = 'n',
		.kind = MM_OPT_FLAG,
		.dest = &dry_run,
		.help = "the same as mailmuster plan"},
	    MM_PUSH_CMD_OPTS(&o),
	    MM_ROLLOUT_OPTS(&o.rollout),
	    MM_OPT_REASON(&o.reason),
	    {.name = NULL},
	};
	const struct mm_args args = {.what = "push",
	    .operands = "FILE | --all | --host HOST ... | --pending [options]",
	    .about = "Deliver the current revision: sign a request for each host, send it over SSH, store "
		     "the report.\n"
		     "A request is for all users of a host. What cannot be delivered stays pending. Ctrl-C "
		     "stops; --pending goes on.\n"
		     "FILE is a plan (mailmuster plan --out): just that is done, and a host that has moved "
		     "on since refuses it.\n"
		     "--all with a revision that hosts do not have yet is a rollout: a few hosts first, then "
		     "more, and it stops\n"
		     "by itself when too many fail; so is any push with --waves and the options behind it. "
		     "--now: all at once.\n"
		     "Exit status: 2 differences left, 4 hosts failed, 8 unreachable, 16 halted by a budget; "
		     "they add up.",
	    .opts = opts,
	    .max = 1};
	int rc = mm_ctl_args(&args, &argc, argv);
	if (rc < 0) {
		if (dry_run)
			o.how.op = MM_OP_PLAN;
		o.file = argc > 0 ? argv[0] : NULL;
		o.may_roll = !dry_run;
		if (o.file != NULL && dry_run)
			rc = mm_ctl_usage("push", "a plan is carried out, or not; there is no dry run of it");
		else if (o.file == NULL && o.allow_remove > 0)
			rc = mm_ctl_usage(
			    "push", "--allow-remove goes with a plan: mailmuster plan --out FILE");
		else
			rc = mm_push_command(c, "push", &o);
	}
	mm_cli_free(opts);
	return rc;
}

static int run_plan(struct mm_ctl *c, int argc, char **argv)
{
	struct mm_push_cmd o = {.how = {.op = MM_OP_PLAN}};
	const struct mm_opt opts[] = {
	    MM_SELECTION_OPTS(&o.sel),
	    {.name = "pending",
		.letter = 'p',
		.kind = MM_OPT_FLAG,
		.dest = &o.sel.pending,
		.help = "hosts that still owe an answer to an earlier push"},
	    {.name = "out",
		.letter = 'o',
		.kind = MM_OPT_STRING,
		.dest = &o.out,
		.arg = "FILE",
		.help = "save it, to be carried out by mailmuster push FILE"},
	    MM_PUSH_CMD_OPTS(&o),
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
		rc = mm_push_command(c, "plan", &o);
	mm_cli_free(opts);
	return rc;
}

extern const struct mm_cmd mm_cmd_push, mm_cmd_plan;
const struct mm_cmd mm_cmd_push = {
    "push", "--all|--host HOST|--pending", "deliver the current revision over SSH", run_push};
const struct mm_cmd mm_cmd_plan = {"plan", "--all|--host HOST", "what would a push change?", run_plan};
