/* From a test that is over to what is reported: struct mm_login. */
#ifndef MM_AGENT_PROBE_ANSWER_H
#define MM_AGENT_PROBE_ANSWER_H

#include "agent/probe/attempt.h"
#include "common/mem.h"
#include "schemas/probe.h"

/* Strings live in `mem`, or in the task. Returns the verdict's class. */
enum mm_cls mm_answer_make(
    const struct mm_attempt *a, const struct mm_probe_task *task, struct mm_arena *mem, struct mm_login *out);
/* A task that did not get as far as the network: `cls` and its `detail`. */
void mm_answer_refuse(const struct mm_probe_task *task, enum mm_cls cls, const char *detail,
    struct mm_arena *mem, struct mm_login *out);

#endif
