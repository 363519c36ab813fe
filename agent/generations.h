/*
 * Generations: the bytes that stood in a user's configs before each change,
 * kept so that a change can be taken back.
 *
 *   DIR/generations/N/meta.json    which files, hashes, our edits, the journal's rows before
 *   DIR/generations/N/0, 1 ...     the bytes of each file before
 *
 * One generation is one place of one client in one run; all generations of a
 * run carry its id. The newest MM_GENERATIONS_KEEP are kept, at most
 * MM_GENERATIONS_BYTES in all. A folder without meta.json is an attempt that
 * was killed and goes at the next occasion. Files are 0600. Of a file with a
 * password in it (as the adapter says, or an edit) no bytes are kept: such a
 * change is taken back by its edits, without the password (forget.h).
 */
#ifndef MM_AGENT_GENERATIONS_H
#define MM_AGENT_GENERATIONS_H

#include "agent/clients/overlay.h"
#include "agent/journal.h"

#define MM_GENERATIONS_KEEP 20
#define MM_GENERATIONS_BYTES (32u * 1024u * 1024u)

struct mm_generation_file {
	const char *path;
	char before[MM_SHA256_HEX]; /* "" = it was not there */
	char after[MM_SHA256_HEX];  /* "" = it was removed */
	bool kept;                  /* its bytes are; not those of a file with a password in it */
};

struct mm_generation {
	int64_t number;
	const char *run; /* id of the run that made it */
	int64_t time, revision;
	const char *client, *path;
	const struct mm_generation_file *files;
	size_t n;
	struct mm_rows rows_before; /* of this place */
	struct mm_row did;          /* its edits, each with what it replaced just then */
	const struct mm_view *view; /* to be saved: what was seen, with its traps, or NULL */
};

/* Save what is about to be changed, and prune. `g` gets its number. */
int mm_generation_save(const char *dir, struct mm_generation *g, const struct mm_overlay_file *const *files,
    size_t n, struct mm_err *err);
/* Forget one: its change was not made after all, or was taken back. */
void mm_generation_drop(const char *dir, int64_t number);
/* Ascending numbers of the complete ones. */
int mm_generation_list(const char *dir, struct mm_arena *a, int64_t **out, size_t *n, struct mm_err *err);
int mm_generation_load(
    const char *dir, int64_t number, struct mm_arena *a, struct mm_generation *out, struct mm_err *err);
/* The bytes of file `i` before the change. */
int mm_generation_bytes(
    const char *dir, int64_t number, size_t i, struct mm_arena *a, struct mm_text *out, struct mm_err *err);

#endif
