#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/proc.h"
#include "common/text.h"
#include "controller/cmd.h"
#include "controller/session.h"
#include "controller/witness.h"

#define MM_CMD(name) extern const struct mm_cmd mm_cmd_##name;
#include "controller/commands.def"
#undef MM_CMD

const struct mm_cmd *const mm_cmds[] = {
#define MM_CMD(name) &mm_cmd_##name,
#include "controller/commands.def"
#undef MM_CMD
    NULL};

static void help(FILE *f)
{
	fprintf(f, "Usage: mailmuster [--state DIR] COMMAND ...\n\n"
		   "Keeps the mail settings of a fleet of workstations right, and proves it.\n\nCommands:\n");
	for (const struct mm_cmd *const *c = mm_cmds; *c; c++)
		fprintf(f, "  %-11s %s\n", (*c)->name, (*c)->about);
	fprintf(f,
	    "\nOptions:\n"
	    "  --state DIR   where the controller keeps its state (default: $MAILMUSTER_STATE,\n"
	    "                /var/lib/mailmuster for root, $XDG_STATE_HOME/mailmuster)\n"
	    "  --help        this text; `mailmuster COMMAND --help` says more\n"
	    "  --version     print the version\n\n"
	    "Exit status: 0 as desired, 1 failed, 2 differences left, 4 hosts failed, 8 hosts unreachable,\n"
	    "16 halted, 64 usage, 65 bad input, 77 refused, 130 interrupted. See mailmuster(1).\n");
}

/* Take `--state DIR` out of argv, wherever it stands before "--". */
static const char *take_state(int *argc, char **argv, struct mm_err *err)
{
	const char *state = "";
	int out = 0;
	bool options = true;

	for (int i = 0; i < *argc; i++) {
		options = options && strcmp(argv[i], "--") != 0;
		if (options && strcmp(argv[i], "--state") == 0) {
			if (++i == *argc) {
				mm_err_set(err, MM_EX_USAGE, "option --state needs a folder");
				return NULL;
			}
			state = argv[i];
		} else if (options && mm_starts_with(argv[i], "--state=")) {
			state = argv[i] + strlen("--state=");
		} else {
			argv[out++] = argv[i];
		}
	}
	argv[out] = NULL;
	*argc = out;
	return state;
}

static char *join_path(const char *base, const char *name)
{
	struct mm_buf b = MM_BUF_INIT(4096);
	char *out = NULL;

	mm_buf_addf(&b, "%s/%s", base, name);
	if (mm_buf_ok(&b))
		out = mm_xstrdup(mm_buf_str(&b));
	mm_buf_free(&b);
	return out;
}

/* An absolute path of the state folder, or NULL. */
static char *state_folder(const char *given, struct mm_err *err)
{
	const char *home = getenv("HOME"), *xdg = getenv("XDG_STATE_HOME");
	char *cwd, *out;

	if (!*given)
		given = getenv("MAILMUSTER_STATE");
	if (given && *given) {
		if (*given == '/')
			return mm_xstrdup(given);
		cwd = getcwd(NULL, 0);
		out = cwd ? join_path(cwd, given) : NULL;
		free(cwd);
		if (!out)
			mm_err_sys(err, MM_EX_FAILED, "state folder %s", given);
		return out;
	}
	if (geteuid() == 0)
		return mm_xstrdup("/var/lib/mailmuster");
	if (xdg && *xdg == '/')
		return join_path(xdg, "mailmuster");
	if (home && *home == '/')
		return join_path(home, ".local/state/mailmuster");
	mm_err_set(err, MM_EX_USAGE, "no HOME: say where the state is with --state DIR");
	return NULL;
}

static void identify(struct mm_ctl *c)
{
	struct mm_buf b = MM_BUF_INIT(1024);

	c->uid = mm_session_uid();
	mm_session_who(c->uid, &b);
	c->who = mm_xstrdup(mm_buf_str(&b));
	mm_buf_free(&b);
}

static int unknown_command(const char *word)
{
	const char *names[64];
	const char *near;
	size_t n = 0;

	for (const struct mm_cmd *const *c = mm_cmds; *c && n < 63; c++)
		names[n++] = (*c)->name;
	names[n] = NULL;
	near = mm_nearest(word, names);
	fprintf(stderr, "mailmuster: there is no command \"%s\"%s%s%s; see mailmuster --help\n", word,
	    near ? ", did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	return MM_EX_USAGE;
}

static int run(struct mm_ctl *c, int argc, char **argv)
{
	if (argc == 0) {
		help(stderr);
		return MM_EX_USAGE;
	}
	if (!strcmp(argv[0], "--help") || !strcmp(argv[0], "-h") || !strcmp(argv[0], "help")) {
		help(stdout);
		return MM_EX_OK;
	}
	if (!strcmp(argv[0], "--version")) {
		printf("mailmuster %s\n", MM_VERSION);
		return MM_EX_OK;
	}
	for (const struct mm_cmd *const *cmd = mm_cmds; *cmd; cmd++)
		if (strcmp((*cmd)->name, argv[0]) == 0)
			return (*cmd)->run(c, argc - 1, argv + 1);
	return unknown_command(argv[0]);
}

/* A full disk behind `> file` must not look like success. */
static int finish(int status)
{
	if ((fflush(stdout) == 0 && !ferror(stdout)) || status == MM_EX_FAILED) /* that was said */
		return status;
	fprintf(stderr, "mailmuster: cannot write the output: %s\n", strerror(errno));
	return status == MM_EX_OK || status == MM_EX_DIFF ? MM_EX_FAILED : status;
}

int main(int argc, char **argv)
{
	struct mm_err err = MM_ERR_NONE;
	struct mm_ctl c = {0};
	const char *given;
	int status;

	c.umask = mm_process_init();
	argc--;
	argv++;
	given = take_state(&argc, argv, &err);
	if (given)
		c.state = state_folder(given, &err);
	if (!c.state) {
		fprintf(stderr, "mailmuster: %s\n", err.text);
		return err.code;
	}
	identify(&c);
	status = finish(run(&c, argc, argv));
	mm_witness_conclude(&c);
	mm_store_close(c.store);
	free(c.state);
	free(c.who);
	return status;
}
