/* The commands that read evidence. */
#ifndef MM_CONTROLLER_CMD_REPORT_H
#define MM_CONTROLLER_CMD_REPORT_H

#include "controller/cmd.h"

extern const struct mm_cmd mm_cmd_report, mm_cmd_status, mm_cmd_drift;

#endif
