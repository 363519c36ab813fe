/*
 * Reports that wait for the controller: what a user's own login run found.
 *
 *   DIR/spool/ID.frames   REPORT FINDING* LOGIN* END, as on the wire, without the magic
 *
 * Written as the user, atomically. A report stays until a signed request
 * acknowledges its id. When MM_SPOOL_FILES or MM_SPOOL_BYTES is exceeded the
 * two oldest are folded into one under a new id: the newer with all its
 * findings, plus what was changed according to the older, all logins of
 * both, and a finding that says so.
 */
#ifndef MM_AGENT_SPOOL_H
#define MM_AGENT_SPOOL_H

#include <stdint.h>

#include "agent/sink.h"
#include "common/buf.h"
#include "common/frame.h"

#define MM_SPOOL_FILES 64
#define MM_SPOOL_BYTES (8u * 1024u * 1024u)
#define MM_SPOOL_REPORT_MAX (4u * 1024u * 1024u) /* one report */

/* A report being written; `sink` collects into memory. */
struct mm_spool_report {
	struct mm_sink sink; /* first member */
	char id[MM_ID_LEN];
	struct mm_buf frames;
	struct mm_tally tally;
	size_t n; /* findings and logins in it */
};

/* `head` without id, which is made here. */
void mm_spool_begin(struct mm_spool_report *r, struct mm_report_head head);
/* Write it and make room. Frees the report in any case. */
int mm_spool_commit(struct mm_spool_report *r, const char *dir, struct mm_err *err);
void mm_spool_discard(struct mm_spool_report *r);

/* Ids that wait, oldest first, NULL-terminated. */
int mm_spool_list(
    const char *dir, struct mm_arena *a, const char *const **ids, size_t *n, struct mm_err *err);
/* Delete those that are acknowledged; unknown ids are no matter. */
void mm_spool_acknowledge(const char *dir, const char *const *ids, size_t n);
/* Hand the frames of one report to `take`, after its END was checked; END
 * itself is not handed over. */
typedef int mm_take_frame(void *ctx, const struct mm_frame *f, struct mm_err *err);
int mm_spool_read(const char *dir, const char *id, mm_take_frame *take, void *ctx, struct mm_err *err);

#endif
