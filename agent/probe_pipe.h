/*
 * Starting mailmuster-probe and talking with it: tasks into its standard
 * input, secrets into descriptor 3, answers line by line from its output,
 * none of which may make us wait for another.
 */
#ifndef MM_AGENT_PROBE_PIPE_H
#define MM_AGENT_PROBE_PIPE_H

#include <stdbool.h>

#include "agent/reader.h"
#include "common/secret.h"

struct mm_probe_pipe {
	const char *program; /* absolute path */
	const struct mm_identity *who;
	const char *tasks; /* all lines */
	size_t tasks_len;
	const struct mm_secret *const *secrets;
	size_t n_secrets;
	int timeout_ms;
	int (*line)(void *ctx, const char *line, size_t n, struct mm_err *err);
	void (*alive)(void *ctx); /* about every second */
	bool *ran;                /* false afterwards: the program could not be started; may be NULL */
	void *ctx;
};

/* 0: the probe ran to its end. -1: could not be started, ran out of time,
 * or said what it must not; answers taken before that stand. */
int mm_probe_talk(const struct mm_probe_pipe *p, struct mm_err *err);

#endif
