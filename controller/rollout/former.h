/*
 * What the hosts of a rollout had before it, and in which order that is
 * given back to them: each former revision becomes a new one, and an agent
 * never goes below the number that it has seen; the last of the new ones is the
 * current policy from then on.
 */
#ifndef MM_ROLLOUT_FORMER_H
#define MM_ROLLOUT_FORMER_H

#include <stddef.h>
#include <stdint.h>

#include "common/mem.h"

struct mm_ro_former {
	int64_t before; /* the revision that these hosts had; 0 = nothing of ours */
	int64_t hosts;
};

/* From `before` of each of n hosts. Nothing comes first, so that it is the current policy only
 * where nobody had anything; then what fewer hosts had; what most had comes last, and
 * of equally many the newest. In `a`; *n_out is 0 without hosts. */
struct mm_ro_former *mm_ro_formers(const int64_t *before, size_t n, struct mm_arena *a, size_t *n_out);

#endif
