/* --discover: ask, look at each candidate without credentials, print. */
#ifndef MM_AGENT_PROBE_DISCOVER_RUN_H
#define MM_AGENT_PROBE_DISCOVER_RUN_H

#include "agent/probe/runner.h"

struct mm_discover_opts {
	const char *ca_file, *tls_min; /* NULL: the system's; 1.2 */
	bool allow_cleartext;
};

/* Status: 0 when an incoming and an outgoing server were found, 1 when not;
 * or that of the error. For good: afterwards the process is in its sandbox. */
int mm_discover_run(
    const char *what, const struct mm_discover_opts *o, const struct mm_runner_opts *ro, struct mm_err *err);

#endif
