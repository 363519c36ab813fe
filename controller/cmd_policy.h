/* Between cmd_policy.c and cmd_policy_log.c. */
#ifndef MM_CONTROLLER_CMD_POLICY_H
#define MM_CONTROLLER_CMD_POLICY_H

#include "controller/cmd.h"

/* The commands that only read. */
int mm_policy_cmd_export(struct mm_ctl *c, int argc, char **argv);
int mm_policy_cmd_log(struct mm_ctl *c, int argc, char **argv);
int mm_policy_cmd_diff(struct mm_ctl *c, int argc, char **argv);

#endif
