/*
 * A run of tests inside the sandbox, its results told on standard output as
 * they come: JSON lines, or ladders for people. Progress, and the
 * conversation where it is asked for, go to standard error.
 */
#ifndef MM_AGENT_PROBE_RUNNER_H
#define MM_AGENT_PROBE_RUNNER_H

#include "agent/probe/engine.h"
#include "agent/probe/input.h"

struct mm_runner_opts {
	struct mm_limits limits;
	size_t per_server; /* 0: the usual */
	int family;        /* AF_INET, AF_INET6, or AF_UNSPEC for both */
	bool no_survey;
	bool json;
	bool progress; /* for people */
	bool verbose;  /* the conversation, and more of what was seen */
};

struct mm_tally_of_tests {
	size_t passed, failed, untested;
	/* A thread still hangs in the Kerberos library: there is no orderly end, only _exit(). */
	bool hung;
};

/* For good: afterwards the process is in its sandbox. */
int mm_runner_run(
    struct mm_input *in, const struct mm_runner_opts *o, struct mm_tally_of_tests *out, struct mm_err *err);

/* A name service that asks for one family only; NULL for AF_UNSPEC: the system's. */
const struct mm_gai *mm_gai_of(int family);
/* Room for connections; the sandbox lets nobody change limits. */
void mm_raise_file_limit(void);

#endif
