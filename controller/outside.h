/*
 * Handing lines to what is outside of us on this machine: a file that others
 * read while we append to it, and the system's log.
 */
#ifndef MM_CONTROLLER_OUTSIDE_H
#define MM_CONTROLLER_OUTSIDE_H

#include <stddef.h>

#include "common/err.h"

/* Append to a regular file, made with 0640 when it is not there; whole or not
 * at all, and on the disk before this returns. `what` begins the error. */
int mm_outside_append(const char *what, const char *path, const char *p, size_t n, struct mm_err *err);
/* One message to the socket of the system's log (/dev/log). */
int mm_outside_log(const char *text, struct mm_err *err);

#endif
