/*
 * A push worker: the process in which SSH is spoken. It is started by the
 * driver (pool.h) with a socket pair and a shared page as descriptors 3 and
 * 4, holds no store and no signing key, and ends when the driver does.
 */
#ifndef MM_PUSH_WORKER_H
#define MM_PUSH_WORKER_H

#include "common/err.h"

/* Serve until the driver closes the socket pair. */
int mm_worker_main(struct mm_err *err);

#endif
