/*
 * A user's session bus, for a few questions within a time that is set when it
 * is opened. Nothing on it is started by asking.
 *
 * The bus is the environment's in a session of the user's own, else the
 * socket in /run/user/UID; an address is a socket and nothing else.
 * libsystemd is loaded when it is wanted (sdbus.h).
 */
#ifndef MM_AGENT_SESSIONBUS_H
#define MM_AGENT_SESSIONBUS_H

#include <stdint.h>

#include "agent/reader.h"
#include "agent/sdbus.h"

/* The one address at which it may be, or NULL. */
const char *mm_session_bus(const struct mm_identity *who, struct mm_arena *a);

struct mm_bus {
	struct mm_sdbus sd;
	sd_bus *bus;
	int64_t deadline; /* microseconds, monotonic */
};

/* -EOPNOTSUPP: libsystemd is not there; else an errno below 0. To be closed
 * in either case. */
int mm_bus_open(struct mm_bus *b, const char *address, int seconds);
void mm_bus_close(struct mm_bus *b);
/* Microseconds until the deadline, at least 1: for sd-bus 0 means its own limit. */
uint64_t mm_bus_left(const struct mm_bus *b);
/* A call that starts nothing. */
int mm_bus_method(struct mm_bus *b, sd_bus_message **m, const char *service, const char *path,
    const char *iface, const char *name);

#endif
