/*
 * Names of mailboxes as mail programs spell them; ours are UTF-8 with levels
 * parted by '/'. Everything returned lives in the arena.
 */
#ifndef MM_AGENT_CLIENTS_FOLDER_H
#define MM_AGENT_CLIENTS_FOLDER_H

#include <stdbool.h>

#include "common/mem.h"

#define MM_FOLDER_LEVELS_MAX 128 /* a name of 255 bytes has no more */
/* The levels of a canonical name; how many. */
size_t mm_folder_levels(const char *name, const char *levels[MM_FOLDER_LEVELS_MAX], struct mm_arena *a);

/* Modified UTF-7, as IMAP has names on the wire (RFC 3501 5.1.3). */
const char *mm_mutf7(const char *utf8, struct mm_arena *a);
/* NULL: it is none. */
const char *mm_mutf7_decode(const char *s, struct mm_arena *a);

/* Every byte but letters, digits and those of `plain` as %XX. */
const char *mm_percent(const char *s, const char *plain, struct mm_arena *a);
/* What is no escape, and %00, stays as it stands. */
const char *mm_percent_decode(const char *s, struct mm_arena *a);

#endif
