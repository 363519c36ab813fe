/*
 * Results of checks, counted as they come: over everything, by check, by
 * group of people and by client.
 *
 * One walk feeds them. Kept are the counts and which groups
 * each person is in (some 40 bytes a person), not the results.
 */
#ifndef MM_CONTROLLER_REPORT_DIMS_H
#define MM_CONTROLLER_REPORT_DIMS_H

#include "controller/checks/check.h"
#include "controller/store/store_samples.h"

#define MM_DIM_NAMES_MAX 1000 /* of each dimension; what comes after is counted in `left` */

enum mm_dim { MM_DIM_ALL, MM_DIM_CHECK, MM_DIM_GROUP, MM_DIM_CLIENT, MM_DIM_COUNT };
const char *mm_dim_name(enum mm_dim d); /* all, check, group, client: as in struct mm_sample */

struct mm_dim_count {
	const char *name;             /* of the group: "" = people in none */
	const struct mm_check *check; /* of MM_DIM_CHECK */
	int64_t by[MM_OUT_COUNT];
	int64_t stale;                /* of the unknown ones */
	int64_t claimed;              /* of all */
	int64_t expired_waivers;      /* of the drifted, failed and unknown ones */
	int64_t users, users_failing; /* (host, user) pairs */
	int64_t oldest;               /* evidence, 0 = none */
	int64_t place, place_failing; /* the last that was counted */
};

struct mm_dims;

/* `group` not NULL: that group alone is counted by group. In `a`. */
int mm_dims_new(
    struct mm_store *s, const char *group, struct mm_arena *a, struct mm_dims **out, struct mm_err *err);
/* Another of the same people, for a part of the fleet, in `a`; of `d` only who is in which group is
 * looked at, which must stay there. */
struct mm_dims *mm_dims_part(const struct mm_dims *d, struct mm_arena *a);
/* Add what a part has counted; parts come in the order of their workstations. */
void mm_dims_join(struct mm_dims *d, const struct mm_dims *part);
/* Results come in order of host and user. */
void mm_dims_add(struct mm_dims *d, const struct mm_check_result *r);
/* Those that have a result, worst first: by how many fail, then by what is
 * unknown, then by name; checks by severity before that. The array and what it
 * points to lie in the arena; what is added later shows in the counts. */
const struct mm_dim_count *const *mm_dims_get(const struct mm_dims *d, enum mm_dim dim, size_t *n);
/* Over everything. */
const struct mm_dim_count *mm_dims_all(const struct mm_dims *d);
int64_t mm_dims_left(const struct mm_dims *d, enum mm_dim dim);

/* Drifted and failed. */
int64_t mm_dim_failing(const struct mm_dim_count *c);
/* What there was to check: everything but "not applicable". */
int64_t mm_dim_whole(const struct mm_dim_count *c);

/* Make today's samples from them. */
int mm_dims_sample(const struct mm_dims *d, struct mm_store *s, const char *baseline, struct mm_err *err);

#endif
