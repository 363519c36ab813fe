/* mailmuster preflight: do the new settings work, before anything is rewritten? */
#include "controller/push_cmd.h"

static int run_preflight(struct mm_ctl *c, int argc, char **argv)
{
	struct mm_push_cmd o = {.how = {.op = MM_OP_PREFLIGHT}};
	const struct mm_opt opts[] = {
	    MM_SELECTION_OPTS(&o.sel),
	    {.name = "again",
		.kind = MM_OPT_FLAG,
		.dest = &o.how.again,
		.help = "present again what servers have refused: it was mended there"},
	    MM_PUSH_CMD_OPTS(&o),
	    {.name = NULL},
	};
	const struct mm_args args = {.what = "preflight",
	    .operands = "--all | --host HOST ... [options]",
	    .about =
		"Ask the hosts to log in with the settings of the current revision, whatever is in effect\n"
		"there. No mail program's file is read or changed, and nothing is kept there but the\n"
		"record of the passwords that servers have refused: these are not presented again. With\n"
		"--user or --group only these people's logins. The answer says for whom the settings\n"
		"work, by cause; it is not stored, since it says nothing of what is in effect.\n"
		"Exit status: 2 for somebody they do not work, or it is not known, 4 hosts failed,\n"
		"8 unreachable; they add up.",
	    .opts = opts};
	int rc = mm_ctl_args(&args, &argc, argv);
	if (rc < 0)
		rc = mm_push_command(c, "preflight", &o);
	mm_cli_free(opts);
	return rc;
}

extern const struct mm_cmd mm_cmd_preflight;
const struct mm_cmd mm_cmd_preflight = {"preflight", "--all|--host HOST",
    "do the new settings work? log in before anything changes", run_preflight};
