/*
 * Encoded words: how a display name that is not plain ASCII stands in a
 * mailbox (RFC 2047 2 and 5). Everything returned lives in the arena.
 */
#ifndef MM_AGENT_CLIENTS_ENCWORD_H
#define MM_AGENT_CLIENTS_ENCWORD_H

#include "common/mem.h"

/* A display name (phrase, RFC 5322 3.2.5): encoded words are decoded, except
 * in quoted strings, of which the quotation marks go; words of a charset that is not
 * known, or that hold no text, stay as they stand. */
const char *mm_encwords_decode(const char *s, struct mm_arena *a);
/* Encoded words of UTF-8 in base64, each at most 75 bytes, parted by blanks. */
const char *mm_encwords(const char *utf8, struct mm_arena *a);

#endif
