/*
 * config-v1.1.xml, as domains publish it for mail programs
 * (draft-ietf-mailmaint-autoconfig, and Thunderbird's documentation of it).
 * Pure: from bytes to candidates. A document type is refused, and so are
 * entities with it; nothing is ever loaded from elsewhere.
 */
#ifndef MM_AGENT_PROBE_AUTOCONFIG_H
#define MM_AGENT_PROBE_AUTOCONFIG_H

#include "agent/probe/discover.h"

#define MM_AUTOCONFIG_MAX (64u * 1024u) /* bytes of the file */
#define MM_AUTOCONFIG_DEPTH 16
#define MM_AUTOCONFIG_SERVERS 16
#define MM_AUTOCONFIG_TEXT 512

/* Adds what the first emailProvider names. -1 with MM_EX_DATAERR: it is no
 * such file, or beyond a limit; then nothing was added. */
int mm_autoconfig_parse(const char *xml, size_t n, struct mm_discovery *d, struct mm_err *err);

#endif
