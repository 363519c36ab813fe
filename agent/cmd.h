/*
 * The agent's commands: a table in main.c, one function each.
 */
#ifndef MM_AGENT_CMD_H
#define MM_AGENT_CMD_H

#include "agent/conf.h"
#include "common/cli.h"
#include "common/err.h"

struct mm_common_opts { /* what every command knows */
	const char *config;
	bool json, help;
};
#define MM_COMMON_OPTS(o)                                                                                    \
	{"config", 0, MM_OPT_STRING, &(o).config, 0, 0, "FILE", "use this agent.conf"},                      \
	    {"json", 0, MM_OPT_FLAG, &(o).json, 0, 0, NULL, "print JSON"},                                   \
	    {"help", 'h', MM_OPT_FLAG, &(o).help, 0, 0, NULL, "print this help"},                            \
	{                                                                                                    \
		.name = NULL                                                                                 \
	}

struct mm_cmd {
	const char *name;
	/* argv without program and command; returns an exit status. What went
	 * wrong stands in `err` and is printed by main. */
	int (*run)(int argc, char **argv, struct mm_err *err);
	const char *help;
};

/* Parse; 0: go on, 1: help was printed, -1: error. `max` operands. */
int mm_cmd_parse(const struct mm_opt *opts, const struct mm_common_opts *common, const char *usage,
    const char *about, int max, int *argc, char **argv, struct mm_err *err);
/* Load agent.conf for the running user. */
int mm_cmd_conf(const struct mm_common_opts *common, struct mm_conf **out, struct mm_err *err);

int mm_cmd_receive(int argc, char **argv, struct mm_err *err);
int mm_cmd_login(int argc, char **argv, struct mm_err *err);
int mm_cmd_checkin(int argc, char **argv, struct mm_err *err);
int mm_cmd_apply(int argc, char **argv, struct mm_err *err);
int mm_cmd_check(int argc, char **argv, struct mm_err *err);
int mm_cmd_verify(int argc, char **argv, struct mm_err *err);
int mm_cmd_restore(int argc, char **argv, struct mm_err *err);
int mm_cmd_disable(int argc, char **argv, struct mm_err *err);
int mm_cmd_enable(int argc, char **argv, struct mm_err *err);
int mm_cmd_key(int argc, char **argv, struct mm_err *err);
int mm_cmd_status(int argc, char **argv, struct mm_err *err);
int mm_cmd_clients(int argc, char **argv, struct mm_err *err);
int mm_cmd_explain(int argc, char **argv, struct mm_err *err);

#endif
