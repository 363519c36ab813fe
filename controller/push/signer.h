/*
 * The SSH user keys inside a worker: an Ed25519 key that was handed over by
 * the driver, and the keys of an ssh-agent.
 */
#ifndef MM_PUSH_SIGNER_H
#define MM_PUSH_SIGNER_H

#include "common/err.h"
#include "controller/push/local.h"

struct mm_signer;

/* Keys and paths are borrowed from `c`, which must outlive the signer. */
int mm_signer_new(const struct mm_worker_config *c, struct mm_signer **out, struct mm_err *err);
void mm_signer_free(struct mm_signer *s);
size_t mm_signer_count(const struct mm_signer *s);
const struct mm_sshkey *mm_signer_key(const struct mm_signer *s, size_t i);
/* Append the bare signature of key i over `data`. */
int mm_signer_sign(
    struct mm_signer *s, size_t i, const void *data, size_t n, struct mm_buf *sig, struct mm_err *err);

#endif
