/*
 * What a plan says of one host, as one number. Both sides work it out from
 * the findings of a plan run: the controller from the host's answer, the
 * agent from looking again when it is told to do just that. It covers every
 * change (user, client, path, account, setting, found, desired, state), and
 * nothing that may differ without a change (line numbers, reasons).
 *
 * Findings of one user are taken in the order in which they come, users in
 * the order of their names. They must have been decoded (schemas/report.h):
 * what was cleaned for the way is another text.
 */
#ifndef MM_SCHEMAS_PLAN_H
#define MM_SCHEMAS_PLAN_H

#include <stddef.h>

#include "common/digest.h"
#include "schemas/report.h"

struct mm_plan_digest;

struct mm_plan_digest *mm_plan_digest_new(void);
/* Findings that change nothing are passed over. */
void mm_plan_digest_add(struct mm_plan_digest *d, const struct mm_finding *f);
/* Frees it. Returns the number of changes. */
size_t mm_plan_digest_end(struct mm_plan_digest *d, char hex[MM_SHA256_HEX]);

#endif
