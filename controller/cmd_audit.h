/* The commands of `audit`, over several files. */
#ifndef MM_CONTROLLER_CMD_AUDIT_H
#define MM_CONTROLLER_CMD_AUDIT_H

#include "controller/cmd.h"

int mm_audit_log(struct mm_ctl *c, int argc, char **argv);        /* cmd_audit_log.c */
int mm_audit_verify(struct mm_ctl *c, int argc, char **argv);     /* cmd_audit_verify.c */
int mm_audit_export_cmd(struct mm_ctl *c, int argc, char **argv); /* cmd_audit.c */

#endif
