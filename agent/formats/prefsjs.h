/*
 * prefs.js, user.js and default preference files of Mozilla programs.
 *
 * Grammar: modules/libpref/parser/src/lib.rs of Thunderbird, each rule tried
 * against version 153: `user_pref("key", value);` with blanks, line ends and
 * the three kinds of comment (//, #, C) between any two tokens; values are
 * strings in either quote, integers of 32 bits and true or false; the last of
 * several statements wins, also when it has another type.
 *
 * Items: section "" for user_pref(); "default" for pref() and sticky_pref(),
 * which only set a default; "locked" where a default preference file adds
 * the word `locked`. key = name, kind s, i or b.
 *
 * Thunderbird drops what it cannot parse and takes the next statement with it.
 * This editor does not touch a file with an error: mending it silently would
 * bring settings to life that the user has not had.
 *
 * Edits: SET, DELETE, LIST_ADD and LIST_REMOVE (comma-separated lists). A new
 * preference goes to the end; the program sorts the file when it saves it.
 */
#ifndef MM_AGENT_FORMATS_PREFSJS_H
#define MM_AGENT_FORMATS_PREFSJS_H

#include "agent/formats/format.h"

extern const struct mm_format mm_format_prefsjs;

/* The same for files below defaults/pref, where `locked` and `sticky` may
 * stand as a third argument. */
int mm_prefsjs_parse_defaults(struct mm_text in, struct mm_arena *a, struct mm_doc *out, struct mm_err *err);

#endif
