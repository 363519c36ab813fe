/*
 * Samples (samples.c): what was measured on a day, so that a report can show
 * how it went. One row for everything, and one for each check, group and
 * client; counts are those of the checks' results by outcome. Part of
 * store.h's conventions.
 */
#ifndef MM_CONTROLLER_STORE_SAMPLES_H
#define MM_CONTROLLER_STORE_SAMPLES_H

#include "controller/store/store.h"

#define MM_SAMPLES_A_DAY 4096

struct mm_sample {
	int64_t day;           /* its first second, UTC */
	const char *dimension; /* "all", "check", "group" or "client" */
	const char *name;      /* of the check, group or client; "" with "all" */
	int64_t taken;         /* when on that day */
	const char *baseline;  /* by which it was measured */
	int64_t revision;      /* that was current then, 0 = none */
	int64_t compliant, drifted, failed, unknown, waived, deferred, notapplicable;
	int64_t stale; /* of the unknown ones */
};
/* Make these today's samples, instead of what was taken earlier today; day and
 * taken are the store's clock. Days that have gone by are not touched. */
int mm_store_samples_put(struct mm_store *s, const struct mm_sample *v, size_t n, struct mm_err *err);
/* When today's were taken; 0 = not yet. */
int mm_store_samples_taken(struct mm_store *s, int64_t *taken, struct mm_err *err);
/* Of the days whose first second lies in from..until, in order of day, dimension, name. */
int mm_store_samples_each(struct mm_store *s, int64_t from, int64_t until,
    int (*cb)(const struct mm_sample *v, void *arg, struct mm_err *err), void *arg, struct mm_err *err);

#endif
