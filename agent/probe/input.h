/*
 * What the agent hands over: task lines on standard input, and records with
 * secrets on descriptor 3 (schemas/probe.h). Both are read at the same time,
 * so that neither side waits for the other, whichever it writes first.
 */
#ifndef MM_AGENT_PROBE_INPUT_H
#define MM_AGENT_PROBE_INPUT_H

#include <stddef.h>

#include "common/err.h"
#include "common/mem.h"
#include "common/secret.h"
#include "schemas/probe.h"

struct mm_input {
	struct mm_probe_task *tasks; /* in the arena */
	size_t n;
	struct mm_secret **secrets; /* by index; entries may become NULL when used up */
	size_t *uses;               /* tests that still need secret i */
	size_t n_secrets;
};

/* `secret_fd` -1: there is none. A task that names a secret which does not
 * come is an error, as is anything else that is not as the schema says. */
int mm_input_read(int task_fd, int secret_fd, struct mm_arena *mem, struct mm_input *out, struct mm_err *err);
/* The secret of a task, or NULL. */
const struct mm_secret *mm_input_secret(const struct mm_input *in, const struct mm_probe_task *t);
/* Its client certificate with key, a PEM text, or NULL. */
const struct mm_secret *mm_input_certificate(const struct mm_input *in, const struct mm_probe_task *t);
/* Its secrets are needed once more than there are tasks: for a round trip. */
void mm_input_hold(struct mm_input *in, const struct mm_probe_task *t);
/* This task is over; wipes its secrets when no other task needs them. */
void mm_input_release(struct mm_input *in, const struct mm_probe_task *t);
void mm_input_free(struct mm_input *in);

#endif
