/*
 * What the settings themselves give away, for a verdict that stands: the port
 * belongs to another protocol, the address has a domain that looks mistyped,
 * the password ends with a blank. Pure; nothing is asked, nothing is tried.
 */
#ifndef MM_AGENT_PROBE_HINTS_H
#define MM_AGENT_PROBE_HINTS_H

#include "agent/probe/classes.h"
#include "common/buf.h"
#include "common/secret.h"
#include "schemas/probe.h"

/* Append sentences, each with a blank behind it; nothing when there is
 * nothing to say. `secret` NULL: there is none. */
void mm_hints(
    enum mm_cls cls, const struct mm_probe_task *t, const struct mm_secret *secret, struct mm_buf *out);

#endif
