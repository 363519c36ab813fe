/*
 * The Kerberos ticket cache of a run. The Kerberos library takes it from the
 * environment of the process, so there is one for all tests of a run.
 */
#ifndef MM_AGENT_PROBE_TICKET_H
#define MM_AGENT_PROBE_TICKET_H

#include <stddef.h>

#include "common/err.h"
#include "schemas/probe.h"

/* Look through the tasks that want GSSAPI, and tell the Kerberos library the
 * cache that they name: a file, an absolute path; NULL in *path when none of
 * them does. Two caches, or a path with a control character, are an error
 * (MM_EX_DATAERR). Comes before the sandbox and before libcurl. */
int mm_ticket_begin(const struct mm_probe_task *tasks, size_t n, const char **path, struct mm_err *err);

#endif
