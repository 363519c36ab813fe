/*
 * The text of a policy, with its includes resolved, and where each of its
 * lines came from.
 *
 * libconfig's own @include opens any path, so it never sees one: a line
 *     @include "people/sales.conf"
 * is replaced here by the content of that file. The path is relative to the
 * folder of the policy; absolute paths, "..", and symbolic links anywhere on
 * the way are refused. In the resolved text, which is what a revision stores,
 * comments of the form
 *     #@line 12 "people/sales.conf"
 * say that the next line is line 12 of that file; they are understood when a
 * stored text is loaded again. A policy without includes is stored as it is.
 */
#ifndef MM_POLICY_SOURCE_H
#define MM_POLICY_SOURCE_H

#include "controller/policy/diag.h"

#define MM_POLICY_TEXT_MAX (8u * 1024u * 1024u) /* bytes, includes resolved */
#define MM_POLICY_FILES_MAX 64                  /* included files in one policy */
#define MM_POLICY_INCLUDE_DEPTH 8

struct mm_source {
	const char *name; /* of the main file, without folder */
	const char *text; /* resolved, NUL-terminated */
	size_t len;
	struct mm_origin *lines; /* lines[i] is where line i+1 of `text` came from */
	size_t n_lines;
};

/* Sets d->folder. -1: there is nothing to go on with; with 0 there may still
 * be errors in `d` (an include that was refused). */
int mm_source_file(const char *path, struct mm_arena *a, struct mm_source *out, struct mm_diags *d);
/* Text from a store or a pipe: an include in it is an error. */
int mm_source_text(const char *name, const char *text, size_t len, struct mm_arena *a, struct mm_source *out,
    struct mm_diags *d);

/* The place of a line (from 1) of the resolved text. */
struct mm_origin mm_source_at(const struct mm_source *s, size_t line);

#endif
