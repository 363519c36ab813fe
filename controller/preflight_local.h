/* mailmuster preflight --local: the servers of the policy as this machine sees
 * them, without credentials. */
#ifndef MM_CONTROLLER_PREFLIGHT_LOCAL_H
#define MM_CONTROLLER_PREFLIGHT_LOCAL_H

#include "controller/cmd.h"
#include "controller/push_select.h"

/* Ask and print; returns the exit status: MM_EX_DIFF unless every server is as
 * it has to be. `ca_file` as in mm_endpoints_probe(). */
int mm_preflight_local(struct mm_ctl *c, const struct mm_selection *sel, const char *ca_file, bool json);

#endif
