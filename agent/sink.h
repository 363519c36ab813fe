/*
 * Where findings and logins go: over a socket to the parent, into the spool,
 * onto the terminal. What is handed over is valid only during the call.
 */
#ifndef MM_AGENT_SINK_H
#define MM_AGENT_SINK_H

#include "schemas/report.h"

/* Findings that concern a user as a whole stand under this client. */
#define MM_CLIENT_AGENT "agent"

struct mm_sink {
	void (*finding)(struct mm_sink *s, const struct mm_finding *f);
	void (*login)(struct mm_sink *s, const struct mm_login *l);
	/* Called now and then during long work; may be NULL. */
	void (*alive)(struct mm_sink *s);
};

#endif
