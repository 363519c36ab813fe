/*
 * Names of mailboxes as mail programs spell them; ours are UTF-8 with levels
 * parted by '/'. Everything returned lives in the arena.
 */
#ifndef MM_AGENT_CLIENTS_FOLDER_H
#define MM_AGENT_CLIENTS_FOLDER_H

#include <stdbool.h>

#include "common/mem.h"

/* Modified UTF-7, as IMAP has names on the wire (RFC 3501 5.1.3). */
const char *mm_mutf7(const char *utf8, struct mm_arena *a);
/* NULL: it is none. */
const char *mm_mutf7_decode(const char *s, struct mm_arena *a);

/* Every byte but letters, digits and those of `plain` as %XX. */
const char *mm_percent(const char *s, const char *plain, struct mm_arena *a);
/* What is no escape, and %00, stays as it stands. */
const char *mm_percent_decode(const char *s, struct mm_arena *a);

#endif
