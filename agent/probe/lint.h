/*
 * Settings that cannot work, or that nobody has, seen without any network.
 */
#ifndef MM_AGENT_PROBE_LINT_H
#define MM_AGENT_PROBE_LINT_H

#include <stdbool.h>

#include "common/buf.h"

/* What is wrong with a host name, one phrase for each mistake ("it holds a
 * comma where a dot belongs; a port is part of it"), and the cleaned name
 * where one is left. False: nothing is wrong. */
bool mm_lint_hostname(const char *typed, struct mm_buf *out);

/* A usual port and the security that is spoken there (RFC 8314 7.3, RFC 6409,
 * RFC 9051, RFC 1939). */
struct mm_pair {
	const char *protocol;
	int port;
	const char *security;
};
extern const struct mm_pair mm_pairs[]; /* ends with protocol NULL; the better one first */

/* Says what would be usual, where the settings contradict each other:
 * "port 993 is for TLS from the beginning; STARTTLS is on port 143". An
 * unusual port alone is no contradiction. False: nothing to say. */
bool mm_lint_pair(const char *protocol, int port, const char *security, struct mm_buf *out);

#endif
