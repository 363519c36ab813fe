/* mailmuster verify: let the hosts prove, by logging in, the settings that are
 * in effect there. */
#include "controller/push_cmd.h"

static int run_verify(struct mm_ctl *c, int argc, char **argv)
{
	struct mm_push_cmd o = {.how = {.op = MM_OP_VERIFY}};
	const struct mm_opt opts[] = {
	    MM_SELECTION_OPTS(&o.sel),
	    {.name = "again",
		.kind = MM_OPT_FLAG,
		.dest = &o.how.again,
		.help = "present again what servers have refused: it was mended there"},
	    MM_PUSH_CMD_OPTS(&o),
	    MM_OPT_REASON(&o.reason),
	    {.name = NULL},
	};
	const struct mm_args args = {.what = "verify",
	    .operands = "--all | --host HOST ... [options]",
	    .about = "Ask the hosts to log in, now, with the settings that are in effect there.\n"
		     "Nothing is changed. What was brought there last is tested, whatever the policy\n"
		     "has become. With --user or --group only these people's logins. A password that\n"
		     "a server has refused is not presented to it again. The outcomes are stored, and\n"
		     "shown by cause. Exit status: 2 not everything is proven, 4 hosts failed,\n"
		     "8 unreachable; they add up.",
	    .opts = opts};
	int rc = mm_ctl_args(&args, &argc, argv);
	if (rc < 0)
		rc = mm_push_command(c, "verify", &o);
	mm_cli_free(opts);
	return rc;
}

extern const struct mm_cmd mm_cmd_verify;
const struct mm_cmd mm_cmd_verify = {
    "verify", "--all|--host HOST", "prove what is in effect by logging in, now", run_verify};
