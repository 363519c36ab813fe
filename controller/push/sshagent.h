/*
 * The ssh-agent protocol, as far as it is needed: list keys, sign
 * (draft-miller-ssh-agent-11, sections 4.4 and 4.5). Blocking, with a limit
 * of MM_AGENT_TIMEOUT_S for each answer (a hardware key may want a touch).
 */
#ifndef MM_PUSH_SSHAGENT_H
#define MM_PUSH_SSHAGENT_H

#include <stddef.h>

#include "common/err.h"
#include "common/mem.h"
#include "controller/push/sshkey.h"

#define MM_AGENT_TIMEOUT_S 30
#define MM_AGENT_KEYS_MAX 32

/* A connected descriptor, or -1. */
int mm_agent_connect(const char *path, struct mm_err *err);
/* Keys of types that mm_sshkey_from_blob() knows; others are left out. */
int mm_agent_list(
    int fd, struct mm_arena *a, struct mm_sshkey keys[MM_AGENT_KEYS_MAX], size_t *n, struct mm_err *err);
/* Append the bare signature (what stands behind its type name). Refused when
 * the agent signs with another algorithm than the key's type. */
int mm_agent_sign(
    int fd, const struct mm_sshkey *k, const void *data, size_t n, struct mm_buf *sig, struct mm_err *err);

#endif
