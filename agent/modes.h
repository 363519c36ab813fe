/*
 * Who else may read or write what a mail program is set up with.
 *
 * A config that others may write directs this person's mail wherever they
 * like; one with a password in it (MM_TRAP_PASSWORD) tells it to whoever may
 * read it. Each such file is a trap of its own, with its mode. Files of other
 * owners are not read at all (common/file.h): that is an error with its reason.
 */
#ifndef MM_AGENT_MODES_H
#define MM_AGENT_MODES_H

#include "agent/reader.h"

/* Adds the traps. `r`: the real reader, by which the files of `view` were read. */
void mm_modes_look(struct mm_reader *r, const struct mm_place *p, struct mm_view *view);

/* The files that a place consists of: its own, where settings stand, and
 * where a trap is. `secret`: a password stands in it. */
struct mm_config_file {
	const char *path;
	bool secret;
};
const struct mm_config_file *mm_modes_files(
    struct mm_reader *r, const struct mm_place *p, const struct mm_view *view, size_t *n);

#endif
