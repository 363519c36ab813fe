/*
 * Configuration of mutt and neomutt.
 *
 * Items in order: a variable of set, unset, toggle or reset has section "",
 * its name (without "no" and "inv") as key, and kind
 *   s  a text ("yes" and "no" may stand here too),
 *   b  bare: yes, no; also toggle, reset, append, where the value is not known,
 *   e  `command`: the value is its output, which is never asked for,
 *   v  a text with $variables or commands in it, as spelled.
 * Any other command is an item of kind c with its words joined by blanks.
 * What hooks and macros would do when they run is not in the items.
 *
 * Edits: SET and DELETE of variables (DELETE takes away what set them since
 * the last unset or reset), BLOCK_SET and BLOCK_REMOVE of a managed block:
 *
 *	# >>> mailmuster NAME
 *	...
 *	# <<< mailmuster NAME
 *
 * (NAME of [a-z0-9_-], may be empty) with an empty line before it, which guards against a backslash at the
 *end of the text. A new block comes at the end; with a key,
 * before the first command of that name, bare or behind ifdef or ifndef: behind a `finish` neomutt reads
 * nothing, and to mutt it is nothing.
 */
#ifndef MM_AGENT_FORMATS_MUTTRC_H
#define MM_AGENT_FORMATS_MUTTRC_H

#include "agent/formats/format.h"
#include "agent/formats/muttrc_lex.h"

extern const struct mm_format mm_format_muttrc;

/* A literal as one word in double quotes. */
const char *mm_muttrc_quote(const char *s, struct mm_arena *a);
/* Can this shell command stand between backticks? Backslash and '$' mean
 * different things to mutt and neomutt there and are refused. */
bool mm_muttrc_command_ok(const char *cmd);
/* The lines of a managed block, LF between them, or NULL. */
const char *mm_muttrc_block(struct mm_text in, const char *name, struct mm_arena *a, int *line);

#endif
