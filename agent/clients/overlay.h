/*
 * Edits in memory: the step between an adapter's answer and a file.
 *
 * An overlay is a reader that answers from edited texts first and from the
 * reader beneath it otherwise, so that an adapter can read back what it is
 * about to write, before a byte is written. Used by converge, by plan, and
 * by the tests of the laws.
 */
#ifndef MM_AGENT_CLIENTS_OVERLAY_H
#define MM_AGENT_CLIENTS_OVERLAY_H

#include "agent/clients/client.h"

struct mm_overlay_file {
	const char *path;
	struct mm_text before; /* p == NULL: the file was not there */
	struct mm_text after;  /* p == NULL: it is to be removed */
	mode_t create_mode;
};

struct mm_overlay; /* lives in the arena of the reader beneath */

struct mm_overlay *mm_overlay_new(struct mm_reader *below);
struct mm_reader *mm_overlay_reader(struct mm_overlay *o);
/* Run the edits through their editor; fills in had/former/changed of each
 * edit. All or nothing for one call. */
int mm_overlay_apply(struct mm_overlay *o, struct mm_edits *e, struct mm_err *err);
/* Set or remove a whole text (restoring a generation). */
void mm_overlay_put(struct mm_overlay *o, const char *path, struct mm_text text, mode_t create_mode);
/* The files that differ from below, in the order they were first touched. */
const struct mm_overlay_file *mm_overlay_files(const struct mm_overlay *o, size_t *n);

#endif
