/* mailmuster-agent: the part of Mailmuster that runs on workstations. */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/cmd.h"
#include "common/proc.h"
#include "common/text.h"

static const struct mm_cmd commands[] = {
    {"receive", mm_cmd_receive, "carry out one signed request from standard input"},
    {"login", mm_cmd_login, "at the beginning of a session: apply what is stored, spool a report"},
    {"checkin", mm_cmd_checkin, "carry waiting reports to the controller, bring what it has released"},
    {"apply", mm_cmd_apply, "apply what is stored, now"},
    {"check", mm_cmd_check, "compare, change nothing"},
    {"verify", mm_cmd_verify, "prove the settings that are in effect by logging in; change nothing"},
    {"status", mm_cmd_status, "which request is in force, and what waits"},
    {"clients", mm_cmd_clients, "mail programs and their configurations"},
    {"explain", mm_cmd_explain, "each setting: desired, applied, found, where"},
    {"restore", mm_cmd_restore, "take the last change back"},
    {"disable", mm_cmd_disable, "refuse to change anything, with a reason"},
    {"enable", mm_cmd_enable, "the opposite"},
    {"key", mm_cmd_key, "this host's report key"},
    {.name = NULL},
};

int mm_cmd_parse(const struct mm_opt *opts, const struct mm_common_opts *common, const char *usage,
    const char *about, int max, int *argc, char **argv, struct mm_err *err)
{
	if (mm_cli_parse(opts, argc, argv, err) != 0)
		return -1;
	if (common->help) {
		mm_cli_help(usage, about, opts);
		return 1;
	}
	if (*argc > max)
		return mm_err_set(
		    err, MM_EX_USAGE, "unexpected argument \"%s\"; usage: %s", argv[max], usage);
	return 0;
}

int mm_cmd_conf(const struct mm_common_opts *common, struct mm_conf **out, struct mm_err *err)
{
	const struct passwd *pw = getpwuid(geteuid());
	const char *home = getenv("HOME");
	if (home == NULL || home[0] != '/')
		home = pw != NULL ? pw->pw_dir : "/";
	return mm_conf_load(common->config, home, out, err);
}

static void print_help(void)
{
	printf("Usage: mailmuster-agent COMMAND [OPTION...]\n\n"
	       "Keeps the mail settings of this workstation's users as the controller wants them.\n\n");
	for (const struct mm_cmd *c = commands; c->name != NULL; c++)
		printf("  %-10s %s\n", c->name, c->help);
	printf("\n\"mailmuster-agent COMMAND --help\" says more; so does mailmuster-agent(8).\n");
}

static const struct mm_cmd *find(const char *name)
{
	for (const struct mm_cmd *c = commands; c->name != NULL; c++) {
		if (mm_streq(c->name, name))
			return c;
	}
	return NULL;
}

static int unknown(const char *name)
{
	const char *names[sizeof(commands) / sizeof(commands[0])];
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		names[i] = commands[i].name;
	const char *near = mm_nearest(name, names);
	fprintf(stderr, "mailmuster-agent: unknown command \"%s\"%s%s%s\n", name,
	    near != NULL ? "; did you mean \"" : "", near != NULL ? near : "", near != NULL ? "\"?" : "");
	return MM_EX_USAGE;
}

/* As root nothing of the caller's environment counts. */
static void cut_environment(void)
{
	if (geteuid() != 0)
		return;
	const char *home = getenv("HOME"), *no_color = getenv("NO_COLOR");
	char *kept = home != NULL ? strdup(home) : NULL, *plain = no_color != NULL ? strdup(no_color) : NULL;
	clearenv();
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	setenv("LANG", "C.UTF-8", 1);
	if (kept != NULL)
		setenv("HOME", kept, 1);
	if (plain != NULL)
		setenv("NO_COLOR", plain, 1);
	free(kept);
	free(plain);
}

int main(int argc, char **argv)
{
	struct mm_err err = MM_ERR_NONE;
	mm_process_init();
	mm_no_core();
	cut_environment();
	const char *name = argc > 1 ? argv[1] : NULL;
	if (name == NULL || mm_streq(name, "--help") || mm_streq(name, "-h") || mm_streq(name, "help")) {
		print_help();
		return name == NULL ? MM_EX_USAGE : MM_EX_OK;
	}
	if (mm_streq(name, "--version")) {
		printf("mailmuster-agent %s\n", MM_VERSION);
		return MM_EX_OK;
	}
	const struct mm_cmd *c = find(name);
	if (c == NULL)
		return unknown(name);
	int status = c->run(argc - 2, argv + 2, &err);
	if (err.text[0] != '\0')
		fprintf(stderr, "mailmuster-agent: %s\n", err.text);
	if (fflush(stdout) != 0 && status == MM_EX_OK)
		status = MM_EX_FAILED;
	return status;
}
