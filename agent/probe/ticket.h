/*
 * The Kerberos ticket cache of a run. The Kerberos library takes it from the
 * environment of the process, so there is one for all tests of a run. The
 * tickets in it for the services: tickets.h.
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

/* Take a copy of the cache in memory, and tell the Kerberos library that one
 * instead: there the tickets of the services can be kept (tickets.h), while
 * the user's file is not written. Where it cannot be read, the file stays the
 * cache, so that what is wrong with it is said of it. Inside the sandbox,
 * before there are threads. */
void mm_ticket_copy(const char *path);

#endif
