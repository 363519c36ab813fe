/*
 * The commands of `mailmuster`: one cmd_NAME.c each, one line in
 * commands.def, one line in commands.cmake.
 *
 * A command gets argv without the words that chose it (argv[0] is its first
 * argument), parses it with mm_cli_parse(), prints what people or machines
 * read to stdout and everything else to stderr, and returns an exit status
 * (enum mm_exit).
 */
#ifndef MM_CONTROLLER_CMD_H
#define MM_CONTROLLER_CMD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "common/buf.h"
#include "common/cli.h"
#include "common/err.h"
#include "controller/store/store.h"

struct mm_ctl {
	char *state;            /* the state folder, absolute */
	char *who;              /* for people and the audit log: mm_session_who() */
	uid_t uid;              /* who really typed: SUDO_UID when root was reached by sudo */
	struct mm_store *store; /* NULL until mm_ctl_open() */
	mode_t umask;           /* that it was started with; its own is 077 */
	bool remote;            /* what goes to standard error is read by a workstation */
};

struct mm_cmd {
	const char *name;  /* "policy" */
	const char *usage; /* "check|import|... [options]" */
	const char *about; /* one line */
	int (*run)(struct mm_ctl *c, int argc, char **argv);
};

extern const struct mm_cmd *const mm_cmds[]; /* ends with NULL */

/* Open the store of the state folder (once); its audit name is c->who. */
int mm_ctl_open(struct mm_ctl *c, struct mm_err *err);
/* STATE/name, e.g. "keys/sign.pem", "keys/ssh"; caller frees. */
char *mm_ctl_path(const struct mm_ctl *c, const char *name);
/* Print "mailmuster WHAT: text" to stderr; the exit status is err->code. */
int mm_ctl_fail(const char *what, const struct mm_err *err);
/* The same with MM_EX_USAGE for a wrong command line. */
int mm_ctl_usage(const char *what, const char *text) __attribute__((nonnull));
/* Print JSON and a newline to stdout; takes the reference. */
void mm_ctl_json(json_t *stolen);
/* A whole file that an admin names, "-" for standard input; whoever owns it. */
int mm_ctl_read(const char *path, size_t max, struct mm_buf *out, struct mm_err *err);

/* A file that a command writes: whole under its name, or not at all. A device
 * or a pipe of that name stays what it is and is written to. */
struct mm_ctl_file {
	FILE *f;
	const char *path;
	char part[4096 + 8]; /* its name until it is whole */
	char real[4096];     /* where a symbolic link leads to: the link stays */
	bool whole;          /* it has a name until then */
};
/* `mode` whatever the umask: of what is for others take c->umask away. */
int mm_ctl_create(struct mm_ctl_file *o, const char *path, mode_t mode, struct mm_err *err);
/* With `keep`: flush, sync, and give it its name; else, and on failure, remove
 * it. Returns -1 when it is not there afterwards. */
int mm_ctl_finish(struct mm_ctl_file *o, bool keep, struct mm_err *err);
/* Before long work: could it be written? Nothing is left behind. */
int mm_ctl_can_create(const char *path, struct mm_err *err);

/* Options that mean the same in every command: a bool, and a string. */
#define MM_OPT_JSON(p)                                                                                       \
	{                                                                                                    \
		.name = "json", .kind = MM_OPT_FLAG, .dest = (p), .help = "print JSON"                       \
	}
#define MM_OPT_REASON(p)                                                                                     \
	{                                                                                                    \
		.name = "reason", .kind = MM_OPT_STRING, .dest = (p), .arg = "TEXT",                         \
		.help = "for the audit log"                                                                  \
	}

/* What a command takes. */
struct mm_args {
	const char *what;     /* "policy import": for messages and the usage line */
	const char *operands; /* "FILE": for the usage line */
	const char *about;    /* sentences for --help */
	const struct mm_opt *opts;
	int min, max; /* operands */
};
/* Parse: -1 = go on, the operands are argv[0..*argc-1]; else the exit status
 * (after --help, or after a complaint). */
int mm_ctl_args(const struct mm_args *a, int *argc, char **argv);
/* Whether a text may stand in the audit log as it is: one line of UTF-8, at most
 * MM_CTL_LINE_MAX bytes (NULL may). --reason is judged by mm_ctl_args(). */
#define MM_CTL_LINE_MAX 1000
bool mm_ctl_is_line(const char *s);

/* A command of commands: "policy import" and the like. */
struct mm_subcmd {
	const char *name;
	const char *usage, *about;
	int (*run)(struct mm_ctl *c, int argc, char **argv);
};
/* Chooses by argv[0]; table ends with a NULL name. Help and near names included. */
int mm_ctl_sub(struct mm_ctl *c, const char *cmd, const struct mm_subcmd *table, int argc, char **argv);

#endif
