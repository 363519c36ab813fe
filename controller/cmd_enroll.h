/* Sub commands of `mailmuster host` that have to do with SSH; cmd_host.c
 * puts them into its table. */
#ifndef MM_CONTROLLER_CMD_ENROLL_H
#define MM_CONTROLLER_CMD_ENROLL_H

#include "controller/cmd.h"

int mm_cmd_host_enroll(struct mm_ctl *c, int argc, char **argv); /* enroll HOST [options] */
int mm_cmd_host_keys(struct mm_ctl *c, int argc, char **argv);   /* keys import|list|remove ... */

#endif
