/*
 * A plan that was saved: `plan --out FILE` writes it, `push FILE` carries it
 * out. JSON; published schema: schemas/json/plan.schema.json.
 */
#ifndef MM_CONTROLLER_PLAN_FILE_H
#define MM_CONTROLLER_PLAN_FILE_H

#include "common/digest.h"
#include "controller/push_op.h"

#define MM_PLAN_FORMAT 1
#define MM_PLAN_FILE_MAX ((size_t)1024 * 1024 * 1024) /* bytes */

struct mm_plan_file {
	int64_t revision, made; /* unix seconds */
	const char *sha256;     /* of the revision's text */
	char file_sha256[MM_SHA256_HEX];
	bool complete;    /* every host that was asked has answered */
	int64_t removals; /* accounts that are taken away */
	const char *const *hosts;
	size_t n_hosts;
	void *by_host; /* host -> its number (schemas/plan.h) */
};

/* Of a summary of MM_OP_PLAN. */
int mm_plan_file_write(
    const char *path, const struct mm_push_summary *s, const char *sha256, int64_t now, struct mm_err *err);
/* Strings live in `a`. An error says what is wrong with the file (MM_EX_DATAERR). */
int mm_plan_file_read(const char *path, struct mm_arena *a, struct mm_plan_file *out, struct mm_err *err);
void mm_plan_file_free(struct mm_plan_file *p);
/* For struct mm_push_how. */
const char *mm_plan_file_of(const void *plan, const char *host);

#endif
