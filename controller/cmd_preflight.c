/* mailmuster preflight: do the new settings work, before anything is rewritten? */
#include "controller/preflight_local.h"
#include "controller/push_cmd.h"

static int run_local(struct mm_ctl *c, const struct mm_push_cmd *o, const char *ca_file)
{
	if (o->sel.limit > 0 || o->how.again || o->how.identity != NULL)
		return mm_ctl_usage(
		    "preflight", "--local asks no hosts: it knows no --limit, --again and --identity");
	return mm_preflight_local(c, &o->sel, ca_file, o->json);
}

static int run_preflight(struct mm_ctl *c, int argc, char **argv)
{
	struct mm_push_cmd o = {.how = {.op = MM_OP_PREFLIGHT}};
	bool local = false;
	const char *ca_file = NULL;
	const struct mm_opt opts[] = {
	    MM_SELECTION_OPTS(&o.sel),
	    {.name = "again",
		.kind = MM_OPT_FLAG,
		.dest = &o.how.again,
		.help = "present again what servers have refused: it was mended there"},
	    {.name = "local",
		.kind = MM_OPT_FLAG,
		.dest = &local,
		.help = "look at the servers from this machine, and ask no host"},
	    {.name = "ca-file",
		.kind = MM_OPT_STRING,
		.dest = &ca_file,
		.arg = "FILE",
		.help =
		    "with --local: in place of the CA files of the policy, which lie on the workstations"},
	    MM_PUSH_CMD_OPTS(&o),
	    MM_OPT_REASON(&o.reason),
	    {.name = NULL},
	};
	const struct mm_args args = {.what = "preflight",
	    .operands = "[--local] --all | --host HOST ... [options]",
	    .about =
		"Ask the hosts to log in with the settings of the current revision, whatever is in effect\n"
		"there. No mail program's file is read or changed, and nothing is kept there but the\n"
		"record of the passwords that servers have refused: these are not presented again. With\n"
		"--user or --group only these people's logins. The answer says for whom the settings\n"
		"work, by cause; it is not stored, since it says nothing of what is in effect.\n"
		"--local needs neither hosts nor passwords: are the servers of these people (of everybody)\n"
		"there, is TLS with the certificate right, do they offer the ways to log in?\n"
		"Exit status: 2 for somebody they do not work, or it is not known, 4 hosts failed,\n"
		"8 unreachable; they add up.",
	    .opts = opts};
	int rc = mm_ctl_args(&args, &argc, argv);
	if (rc < 0 && local)
		rc = run_local(c, &o, ca_file);
	else if (rc < 0 && ca_file != NULL)
		rc = mm_ctl_usage("preflight", "--ca-file goes with --local");
	else if (rc < 0)
		rc = mm_push_command(c, "preflight", &o);
	mm_cli_free(opts);
	return rc;
}

extern const struct mm_cmd mm_cmd_preflight;
const struct mm_cmd mm_cmd_preflight = {"preflight", "--all|--host HOST",
    "do the new settings work? log in before anything changes", run_preflight};
