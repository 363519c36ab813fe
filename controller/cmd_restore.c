/* mailmuster restore: take back, on single hosts, what the agents did last. */
#include "controller/push_cmd.h"

static const char *wrong(const struct mm_push_cmd *o)
{
	const struct mm_selection *s = &o->sel;
	if (s->all)
		return "not a whole fleet: what a rollout brought, mailmuster rollout rollback takes back";
	if (o->how.generation > 0 && (s->hosts.n != 1 || s->users.n != 1 || s->tags.n + s->groups.n > 0))
		return "generations are counted for each user on each host: --generation wants one --host "
		       "and one --user";
	return NULL;
}

static int run_restore(struct mm_ctl *c, int argc, char **argv)
{
	struct mm_push_cmd o = {.how = {.op = MM_OP_RESTORE}};
	const struct mm_opt opts[] = {
	    MM_SELECTION_OPTS(&o.sel),
	    {.name = "generation",
		.kind = MM_OPT_INT,
		.dest = &o.how.generation,
		.min = 1,
		.max = 1000000000,
		.arg = "N",
		.help = "back to before this one (what the last run changed)"},
	    MM_PUSH_CMD_OPTS(&o),
	    MM_OPT_REASON(&o.reason),
	    {.name = NULL},
	};
	const struct mm_args args = {.what = "restore",
	    .operands = "--host HOST ... [--user USER ...] [--generation N] [options]",
	    .about = "Take back, on these hosts, what the agents changed last: mailmuster-agent restore\n"
		     "from afar. What the policy or the host forbids does not come back. The revision\n"
		     "that is in force there is not applied again; a newer one is. Exit status: 2 it is\n"
		     "not as the policy wants it (that is what was asked for), 4 hosts failed,\n"
		     "8 unreachable; they add up.",
	    .opts = opts};
	int rc = mm_ctl_args(&args, &argc, argv);
	const char *why = rc < 0 ? wrong(&o) : NULL;
	if (why != NULL)
		rc = mm_ctl_usage("restore", why);
	else if (rc < 0)
		rc = mm_push_command(c, "restore", &o);
	mm_cli_free(opts);
	return rc;
}

extern const struct mm_cmd mm_cmd_restore;
const struct mm_cmd mm_cmd_restore = {
    "restore", "--host HOST [--user USER]", "take back what was changed there last", run_restore};
