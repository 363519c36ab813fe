/* Rollouts for people and as JSON. */
#ifndef MM_CONTROLLER_ROLLOUT_PRINT_H
#define MM_CONTROLLER_ROLLOUT_PRINT_H

#include <jansson.h>

#include "controller/rollout_make.h"
#include "controller/rollout_state.h"

#define MM_ROLLOUT_HOSTS_SHOWN 20

/* "revision 7", "revisions 5 to 7". In `a`. */
const char *mm_rollout_revisions(int64_t first, int64_t last, struct mm_arena *a);
/* What comes next and when, in one sentence. In `a`. */
const char *mm_rollout_next_text(const struct mm_rollout_state *st, struct mm_arena *a);
/* Everything, to stdout. `all`: each host, not only those that failed. */
int mm_rollout_print(const struct mm_rollout_state *st, bool all, struct mm_err *err);
/* The same; with each host's row. NULL: the store failed. */
json_t *mm_rollout_json(const struct mm_rollout_state *st, struct mm_err *err);
/* Without hosts, for lists. */
json_t *mm_rollout_head_json(const struct mm_rollout *r);

/* What was made, and what may go wrong at most, before it begins; to stderr. */
void mm_rollout_print_made(const struct mm_rollout_made *m, int64_t first, int64_t revision);

#endif
