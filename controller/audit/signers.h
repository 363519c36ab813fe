/*
 * Whose signatures count for the audit log: the controller's keys, and how one
 * took the place of the other (schemas/rotation.h). Of a key that was given
 * from outside, its successors and its predecessors count, as far as
 * statements lead: each is signed by both.
 */
#ifndef MM_CONTROLLER_AUDIT_SIGNERS_H
#define MM_CONTROLLER_AUDIT_SIGNERS_H

#include "schemas/rotation.h"

struct mm_signers;
struct mm_signers *mm_signers_new(void);
void mm_signers_free(struct mm_signers *s);

/* A public key; the log's own newest first. `given`: from outside; no other
 * counts then but by statements. */
int mm_signers_add(struct mm_signers *s, const char *pem, bool given, struct mm_err *err);
void mm_signers_rotation(struct mm_signers *s, const struct mm_rotation *r);

/* What is not as it should be: a key, in words. */
typedef void mm_signers_fault(void *ctx, int64_t seq, const char *key, const char *text);
/* All keys are there: `fault` hears of statements that do not hold. */
void mm_signers_settle(struct mm_signers *s, mm_signers_fault *fault, void *ctx);
/* An entry of the log says that this key was added; `former`: in whose place, or NULL. */
void mm_signers_logged(struct mm_signers *s, int64_t seq, const char *key, const char *former);
/* The log is over: `fault` hears of keys that neither a statement nor the log
 * knows; with `pruned` the log may have forgotten, and one that says nothing of keys never knew. */
void mm_signers_end(struct mm_signers *s, bool pruned, mm_signers_fault *fault, void *ctx);

bool mm_signers_hold(const struct mm_signers *s, const struct mm_checkpoint *c);
/* The entry with which the key that signed this was replaced, when it signed for
 * an entry behind that; 0: it was in use then, as far as the log has come. */
int64_t mm_signers_late(const struct mm_signers *s, const struct mm_checkpoint *c);
/* Has one of them signed this? `sig` in base64. */
bool mm_signers_signed(const struct mm_signers *s, const char *text, size_t n, const char *sig);

#endif
