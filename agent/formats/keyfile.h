/*
 * Key files of GLib: Evolution's sources, GNOME Online Accounts, Geary.
 *
 * Grammar: glib/gkeyfile.c of GLib 2.74. `[Group]` begins a group, which may
 * come again and is one; `Key=value` is one of its keys, with blanks around
 * both skipped, but not those at the value's end; the last of several counts.
 * `Key[de]` is another key than `Key`. Lines that begin with # are comments,
 * nowhere else; a key before the first group, a byte order mark, any other
 * line and a first group that is not UTF-8 by its key `Encoding` make the
 * whole file unreadable (here: such a key in any group). Values spell a
 * backslash `\\`, line ends `\n` `\r`, and blanks at their beginning `\s`
 * `\t`. A CR that does not end a line together with LF is an error here: for
 * GLib it is a blank or a part of the value, for everybody else a line end.
 *
 * Items: section is the group, kind s, value as g_key_file_get_string() has
 * it; where that fails (another escape, not UTF-8) kind u, the value as it is
 * spelled. A header is an item with key "" and kind c. Edits: SET (kind u: as
 * spelled), DELETE (the group must be there), SECTION_ADD, SECTION_REMOVE.
 */
#ifndef MM_AGENT_FORMATS_KEYFILE_H
#define MM_AGENT_FORMATS_KEYFILE_H

#include "agent/formats/format.h"

extern const struct mm_format mm_format_keyfile;

/* The winning key of a group whatever its kind, or NULL. */
const struct mm_item *mm_keyfile_find(const struct mm_doc *d, const char *group, const char *key);
/* What g_key_file_get_string() gives: NULL where the key is not there or cannot be read. */
const char *mm_keyfile_get(const struct mm_doc *d, const char *group, const char *key);
/* The members of a list (`a;b\;c;`), NULL-terminated; NULL where it cannot be read. */
const char *const *mm_keyfile_list(const struct mm_item *it, struct mm_arena *a, size_t *n);
/* The value of an edit that writes a list, and its kind. */
const char *mm_keyfile_list_text(const char *const *members, size_t n, struct mm_arena *a, char *kind);

#endif
