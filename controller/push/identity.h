/*
 * The SSH key with which the controller logs in on the workstations.
 *
 * A plain OpenSSH Ed25519 key file (PROTOCOL.key in OpenSSH's sources) is
 * read once and signs in the workers. Any other key file (with a passphrase,
 * ECDSA, RSA) is given to a private ssh-agent that lives as long as the
 * identity; ssh-add asks for the passphrase on the terminal. Without a file,
 * the keys of the user's ssh-agent are used.
 */
#ifndef MM_PUSH_IDENTITY_H
#define MM_PUSH_IDENTITY_H

#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"
#include "controller/push/sshkey.h"

struct mm_identity;

/* `path` NULL: the ssh-agent at SSH_AUTH_SOCK. A file whose public half the
 * agent has is not opened, the agent signs. Refuses a file that others can read. */
int mm_identity_load(const char *path, struct mm_identity **out, struct mm_err *err);
void mm_identity_free(struct mm_identity *id); /* wipes, ends a private agent */

const struct mm_sshkey *mm_identity_keys(const struct mm_identity *id, size_t *n); /* at least one */
const unsigned char *mm_identity_seed(const struct mm_identity *id);               /* 32 bytes or NULL */
const char *mm_identity_file(const struct mm_identity *id);  /* "" when an agent signs */
const char *mm_identity_agent(const struct mm_identity *id); /* socket, "" = none */

/* Make a new Ed25519 key: `path` (0600) and `path`.pub. Never over a file. */
int mm_identity_create(const char *path, const char *comment, struct mm_err *err);

/* The parts, for tests. 1: not a plain Ed25519 key (encrypted, other type). */
int mm_identity_parse(const char *text, size_t n, unsigned char seed[32], struct mm_arena *a,
    struct mm_sshkey *pub, struct mm_err *err);

#endif
