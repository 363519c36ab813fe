/*
 * The agent's part of a discover (schemas/discover.h): look at every mail
 * program of one user, as that user, and tell what is set up there. Nothing
 * is written, nothing is run, no server is met.
 */
#ifndef MM_AGENT_DISCOVER_H
#define MM_AGENT_DISCOVER_H

#include "agent/conf.h"
#include "agent/reader.h"
#include "agent/sink.h"
#include "schemas/discover.h"

/* Findings go to the sink. `conf`: its limits.domains and
 * limits.password_programs. */
void mm_discover_user(const struct mm_discover_ask *ask, const struct mm_conf *conf,
    const struct mm_identity *who, struct mm_sink *sink);

#endif
