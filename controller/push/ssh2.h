/*
 * The transport over libssh2, in a worker process. See session.h for the
 * interface; what libssh2 1.10 cannot do stands in kexinit.h and sshkey.c.
 */
#ifndef MM_PUSH_SSH2_H
#define MM_PUSH_SSH2_H

#include "common/err.h"

/* Once per process, before the sandbox. */
int mm_ssh2_init(struct mm_err *err);

#endif
