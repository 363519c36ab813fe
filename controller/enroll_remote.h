/*
 * Enrolment speaks with a host through the admin's own ssh: his keys, his
 * configuration, his password prompt. Only the host key is ours to decide.
 */
#ifndef MM_CONTROLLER_ENROLL_REMOTE_H
#define MM_CONTROLLER_ENROLL_REMOTE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"
#include "controller/push/sshkey.h"

struct mm_remote {
	const char *host; /* id, for messages */
	const char *address;
	int port;
	const char *login;            /* the admin's; not root: sudo is used */
	const char *identity;         /* file, NULL = as his ssh finds it */
	const char *proxy_command;    /* NULL = none */
	const struct mm_sshkey *keys; /* what the host must show */
	size_t n_keys;
};

#define MM_REMOTE_OUTPUT_MAX (256u * 1024u)
#define MM_REMOTE_TIMEOUT_S 600 /* a package may be installed meanwhile */

/* Ask the host for its keys (ssh-keyscan): nothing is trusted by that. */
int mm_remote_scan(const struct mm_remote *r, struct mm_arena *a, struct mm_sshkey keys[MM_SSHKEYS_MAX],
    size_t *n, struct mm_err *err);
/* Run a shell script there, as root. Its standard output is appended to `out`;
 * standard error goes to the admin. -1 when it could not be run or failed;
 * *status is then its exit status or -1. */
int mm_remote_script(const struct mm_remote *r, const char *script, size_t n, struct mm_buf *out, int *status,
    struct mm_err *err);

#endif
