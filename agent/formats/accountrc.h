/*
 * accountrc of Claws Mail and Sylpheed.
 *
 * Grammar: src/prefs_gtk.c of Claws Mail 4.1.1, libsylph/prefs.c of Sylpheed
 * 3.8: `[Account: N]` begins a block, `key=value` up to the line's end is one
 * setting of it (every blank counts, nothing is quoted), the last of several
 * wins; of two blocks with one name only the first is read, which is an error
 * here. Lines that begin with # and lines without = mean nothing. Claws Mail
 * takes keys in any case: that is left to its adapter. Both programs write the
 * whole file anew when they end.
 *
 * Items: section "Account: N", the key, kind s; a header is an item with key
 * "" and kind c. Edits: SET, DELETE (the block must be there), SECTION_ADD,
 * SECTION_REMOVE.
 */
#ifndef MM_AGENT_FORMATS_ACCOUNTRC_H
#define MM_AGENT_FORMATS_ACCOUNTRC_H

#include "agent/formats/format.h"

#define MM_ACCOUNTRC_LINE_MAX 32766 /* bytes without the line end: PREFSBUFSIZE of Claws Mail's prefs.h */

extern const struct mm_format mm_format_accountrc;

#endif
