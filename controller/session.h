/*
 * Who is at the keyboard, for the audit log.
 *
 * The uid is proven by the kernel: the process's own, or, for root, the one that
 * sudo(8) was called by (SUDO_UID). With which key that person came over SSH is
 * told by the session: sshd writes it into a file of the user's when ExposeAuthInfo
 * is set (sshd_config(5)), and names the file in SSH_USER_AUTH (ssh(1)). Whoever has
 * the uid can name another file; so the key is said beside the uid, never without it.
 */
#ifndef MM_CONTROLLER_SESSION_H
#define MM_CONTROLLER_SESSION_H

#include <sys/types.h>

#include "common/buf.h"

#define MM_SESSION_FILE_MAX ((size_t)64 * 1024) /* bytes */
#define MM_SESSION_KEYS_MAX 4                   /* that are named; sshd can ask for several */

/* SUDO_UID of root, else our own. */
uid_t mm_session_uid(void);
/* "alice (uid 1000)", "alice (uid 1000, key SHA256:...)", "uid 1000". A file that is not
 * this uid's, that others can write, or that is no file or too large, is not looked at,
 * and of a file only what is a public key counts: nothing else of it gets in here. */
void mm_session_who(uid_t uid, struct mm_buf *out);

#endif
