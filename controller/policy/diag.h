/*
 * Diagnostics: everything that is wrong with a policy, one line each.
 *
 * A line reads "file:line: what; what to do". All errors of a file are
 * listed, not only the first; a warning does not stop an import. Nothing in
 * a line can forge another one: control characters are replaced by '?'.
 */
#ifndef MM_POLICY_DIAG_H
#define MM_POLICY_DIAG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/mem.h"

/* Where something was said. file NULL: built in, said nowhere; line 0: the
 * file as a whole. */
struct mm_origin {
	const char *file; /* relative to the policy's folder */
	int line;
};

struct mm_diag {
	bool warning;
	struct mm_origin at;
	const char *text; /* "what; what to do" */
	size_t seq;       /* order of arrival, for a stable sort */
};

/* More than this many are counted, not kept. */
#define MM_DIAGS_MAX 500

struct mm_diags {
	struct mm_arena *arena; /* of the caller; lives as long as the list */
	struct mm_diag *items;
	size_t n, cap;
	size_t errors, warnings; /* found, whether kept or not */
	size_t dropped;
	const char *folder; /* put in front of file names when printed: "", "dir/" */
};

void mm_diags_init(struct mm_diags *d, struct mm_arena *a);

void mm_diag_error(struct mm_diags *d, struct mm_origin at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void mm_diag_warn(struct mm_diags *d, struct mm_origin at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Order by file and line. */
void mm_diags_sort(struct mm_diags *d);
/* Turn every error into a warning: for a stored revision that a later version
 * of this program judges more strictly. */
void mm_diags_demote(struct mm_diags *d);
/* Append those of another list. */
void mm_diags_join(struct mm_diags *d, const struct mm_diags *more);
/* One diagnostic as its line, without newline. */
void mm_diag_line(const struct mm_diags *d, const struct mm_diag *one, struct mm_buf *out);
/* All of them, one line each. */
void mm_diags_print(const struct mm_diags *d, FILE *f);
/* Array of {severity, file, line, text}; new reference. */
json_t *mm_diags_json(const struct mm_diags *d);
/* The first error, and how many more there are, with code MM_EX_DATAERR.
 * Returns -1, or 0 when there is no error. */
int mm_diags_err(const struct mm_diags *d, struct mm_err *err);

/* "file:line" in the arena, "-" when said nowhere. */
const char *mm_origin_text(struct mm_origin at, struct mm_arena *a);

#endif
