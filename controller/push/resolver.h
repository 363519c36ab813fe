/*
 * Names to addresses, for the driver: a worker that only resolves. The
 * name service may block for long, so it has threads of its own.
 */
#ifndef MM_PUSH_RESOLVER_H
#define MM_PUSH_RESOLVER_H

#include "controller/push/local.h"

#define MM_RESOLVER_THREADS 16
#define MM_RESOLVER_ADDRESSES 8 /* per name */

/* Serve RESOLVE frames until the driver closes the socket pair. */
int mm_resolver_run(struct mm_local *talk);

#endif
