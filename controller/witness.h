/*
 * Checkpoints go out: at the end of every command that has appended to the
 * audit log one is signed, stored, and handed to the witnesses that
 * controller.conf names: files of an auditor's (one JSON line each, only
 * appended to), the system's log (syslog(3)), and the hosts with their next
 * request.
 *
 * A witness that cannot be reached never breaks a command: it is said once, on
 * standard error, and counted until it works again.
 */
#ifndef MM_CONTROLLER_WITNESS_H
#define MM_CONTROLLER_WITNESS_H

#include "controller/cmd.h"

/* Notes in the store: what did not work the last time, and how often in a row. */
#define MM_WITNESS_TROUBLE "witness_trouble"
#define MM_WITNESS_TROUBLES "witness_troubles"

/* Does nothing when nothing was appended through c->store. */
void mm_witness_conclude(struct mm_ctl *c);

#endif
