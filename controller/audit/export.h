/*
 * One file with the whole audit log, for an auditor who has nothing but a
 * shell, awk, sha256sum and openssl. Lines of text; each part begins with a
 * line that begins with '@', no other line does:
 *
 *   @export SHA256              of the lines that follow:
 *   mailmuster-export-1
 *   fleet ID
 *   made TIME
 *   personal yes                or no: parts that stand apart were left out
 *   @keys SHA256                of the lines that follow, base64 of DER public keys:
 *   controller KEY-ID BASE64 [EPOCH TIME FORMER-KEY-ID SIGNATURE PROOF]
 *                               newest first; in brackets how it took the place of the one before:
 *                               the statement of schemas/rotation.h, signed by that and by itself
 *   host HOST KEY-ID BASE64
 *   @anchor SEQ SIGNATURE       only when older entries were pruned: as @checkpoint
 *   @entry SEQ SHA256           of the ten lines that follow: what the chain hashes (chain.h)
 *   @personal SEQ SHA256        of the three lines that follow: its part that stands apart
 *   @checkpoint SEQ SIGNATURE   Ed25519 in base64 over the seven lines that follow (schemas/seal.h)
 *   @end SHA256 SIGNATURE       of everything before; the signature is over the line
 *                               "mailmuster-export-end-1 SHA256"
 */
#ifndef MM_CONTROLLER_AUDIT_EXPORT_H
#define MM_CONTROLLER_AUDIT_EXPORT_H

#include <stdio.h>

#include "controller/store/chain.h"

#define MM_EXPORT_FORMAT "mailmuster-export-1"
#define MM_EXPORT_END "mailmuster-export-end-1"

/* `k` NULL: the export as a whole is not signed. *entries: how many it holds. */
int mm_audit_export(
    struct mm_store *s, const struct mm_key *k, bool personal, FILE *f, int64_t *entries, struct mm_err *err);

#endif
