/*
 * Signs what an answer holds: one signature for each report, by the host's
 * report key, and the newest checkpoint that this host has seen
 * (schemas/seal.h). A host without a report key sends its reports unsigned.
 */
#ifndef MM_AGENT_SEALER_H
#define MM_AGENT_SEALER_H

#include "agent/conf.h"
#include "schemas/seal.h"

struct mm_sealer;

struct mm_sealer *mm_sealer_new(const struct mm_conf *c);
void mm_sealer_free(struct mm_sealer *s); /* NULL is allowed */
/* A frame of the answer, in its order. `carried`: a user's own run has
 * written it. */
void mm_sealer_frame(struct mm_sealer *s, uint16_t type, const void *body, size_t len, bool carried);
/* NULL: none. It is borrowed. */
void mm_sealer_checkpoint(struct mm_sealer *s, const struct mm_checkpoint *c);
/* All reports are through: what END is to hold. Borrows from `s`. */
struct mm_end_seals mm_sealer_end(struct mm_sealer *s);

#endif
