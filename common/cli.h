/*
 * Command lines: a table of options, a table of commands, help made from
 * both. Long options only where there is no long-established short one;
 * "--" ends options; options may stand behind operands, as in GNU.
 */
#ifndef MM_COMMON_CLI_H
#define MM_COMMON_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum mm_opt_kind { MM_OPT_FLAG, MM_OPT_STRING, MM_OPT_INT, MM_OPT_LIST };

struct mm_opt_list {
	const char **items; /* grown by the parser, freed by mm_cli_free() */
	size_t n;
};

struct mm_opt {
	const char *name; /* "host" for --host */
	char letter;      /* 'h' for -h, or 0 */
	enum mm_opt_kind kind;
	void *dest;       /* bool *, const char **, int64_t *, struct mm_opt_list * */
	int64_t min, max; /* MM_OPT_INT */
	const char *arg;  /* "NAME" in the help */
	const char *help; /* one line */
};

/* Tables end with an entry whose name is NULL. argv holds no program or
 * command name: hand over what stands behind it. Operands are moved to the
 * front of argv, *argc is their number. A value stands behind its option or
 * in it (--host NAME, --host=NAME, -h NAME, -hNAME) and is borrowed from argv;
 * a later value replaces an earlier one, except in a list. A wrong option is an error with code
 * MM_EX_USAGE that names the nearest right one. */
int mm_cli_parse(const struct mm_opt *opts, int *argc, char **argv, struct mm_err *err);
void mm_cli_free(const struct mm_opt *opts);
/* Print "Usage: ..." and the options, aligned, to stdout. */
void mm_cli_help(const char *usage, const char *about, const struct mm_opt *opts);

#endif
