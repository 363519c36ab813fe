/*
 * The frames of one host's answer, decoded and held until the answer is
 * complete; then stored and counted.
 */
#ifndef MM_CONTROLLER_PUSH_ANSWER_H
#define MM_CONTROLLER_PUSH_ANSWER_H

#include "common/frame.h"
#include "controller/push_op.h"

struct mm_collect; /* what has come so far */

struct mm_collect *mm_collect_new(const char *host);
void mm_collect_free(struct mm_collect *c); /* NULL is allowed */
/* REPORT, FINDING, LOGIN or END. An error (MM_EX_DATAERR) is the host's fault. */
int mm_collect_frame(struct mm_collect *c, const struct mm_frame *f, struct mm_err *err);
/* The i-th report that answers this request; false: there are no more. Borrows
 * from `c`. */
bool mm_collect_report(
    const struct mm_collect *c, const char *request_id, size_t i, struct mm_report_in *out);
/* Store every report but those of a plan and of a preflight; count what answers the request into
 * `r`, and note changes and troubles in `s`. An error with code MM_EX_DATAERR
 * is the host's fault, any other is ours. */
int mm_collect_store(struct mm_collect *c, struct mm_store *store, struct mm_host_result *r,
    struct mm_push_summary *s, struct mm_err *err);

/* Texts are copied; beyond MM_TROUBLE_MAX they are only counted. */
void mm_trouble_add(struct mm_push_summary *s, const struct mm_trouble *t);

#endif
