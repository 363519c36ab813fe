/*
 * pinerc of Alpine.
 *
 * Grammar: pith/conf.c of Alpine 2.26, and what the program did: `name=value`,
 * the name in any case, blanks around the = do not count; a line that begins
 * with a blank goes on with the value above; a line that begins with # is a
 * comment; the last of several wins, also an empty one. A value as a whole in
 * double quotes loses them. A CR before the LF belongs to the value: such a file is
 * refused.
 *
 * Items: section "", key in lower case, kind s; continuation lines are joined
 * with their leading blanks taken away. Edits: SET (a value becomes one line),
 * DELETE.
 */
#ifndef MM_AGENT_FORMATS_PINERC_H
#define MM_AGENT_FORMATS_PINERC_H

#include "agent/formats/format.h"

#define MM_PINERC_LINE_MAX 10000 /* bytes of a value that we write; the program has no smaller limit */

extern const struct mm_format mm_format_pinerc;

/* Would Alpine put a variable of the environment in? ${x} is one, and $ with whatever follows up to a blank.
 */
bool mm_pinerc_expands(const char *value);

#endif
