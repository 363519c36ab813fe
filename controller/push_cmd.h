/* What push, plan and verify have in common: options, run, print. */
#ifndef MM_CONTROLLER_PUSH_CMD_H
#define MM_CONTROLLER_PUSH_CMD_H

#include "controller/push_op.h"
#include "controller/rollout_make.h"

struct mm_push_cmd {
	struct mm_selection sel;
	struct mm_push_how how;
	bool json;
	const char *out;      /* of a plan: the file that it is saved to, or NULL */
	const char *file;     /* the plan that is carried out, or NULL */
	int64_t allow_remove; /* accounts that it may take away */
	bool may_roll;        /* a push: it may become a rollout, unless `now` */
	bool now;
	struct mm_rollout_opts rollout;
	const char *reason;
};

/* For tables of options. */
#define MM_PUSH_CMD_OPTS(o)                                                                                  \
	{.name = "parallel",                                                                                 \
	    .kind = MM_OPT_INT,                                                                              \
	    .dest = &(o)->how.parallel,                                                                      \
	    .min = 1,                                                                                        \
	    .max = MM_PUSH_PARALLEL_MAX,                                                                     \
	    .arg = "N",                                                                                      \
	    .help = "hosts in flight (256)"},                                                                \
	    {.name = "timeout",                                                                              \
		.kind = MM_OPT_INT,                                                                          \
		.dest = &(o)->how.timeout_s,                                                                 \
		.min = 1,                                                                                    \
		.max = 86400,                                                                                \
		.arg = "SECONDS",                                                                            \
		.help = "for one host as a whole (300)"},                                                    \
	    {.name = "identity",                                                                             \
		.letter = 'i',                                                                               \
		.kind = MM_OPT_STRING,                                                                       \
		.dest = &(o)->how.identity,                                                                  \
		.arg = "FILE",                                                                               \
		.help = "SSH key instead of the controller's own; \"agent\" = the ssh-agent's"},             \
	    MM_OPT_JSON(&(o)->json)

/* Run and print; returns the exit status. `what` is the command's name. */
int mm_push_command(struct mm_ctl *c, const char *what, struct mm_push_cmd *o);

#endif
