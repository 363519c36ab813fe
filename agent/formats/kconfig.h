/*
 * KConfig of KDE: mailtransports, emailidentities, akonadi_*_resource_Nrc.
 *
 * Grammar: src/core/kconfigini.cpp of KConfig 5.103. `[Group]` or, nested,
 * `[Group][Sub]` begins a group, which may come again and is one. `Key=value`
 * is one of its keys; blanks around key and value do not count, an escape does
 * (\s \t \n \r \\ \xHH); the last of several wins. `Key[de]` is the key for
 * one language. Behind the name stand options: `Key[$i]` is locked, also
 * against files that are more the user's own; `Key[$e]` has variables in its
 * value; `Key[$d]` says that there is none. `[Group][$i]` locks a group, `[$i]`
 * all that follows. Lines that begin with # are comments, and a line that is
 * nothing of all this means nothing. The program writes the whole file anew,
 * sorted and without comments, when it saves a value.
 *
 * A key that comes again after it was locked is an error here: the program
 * takes the locked one. So is a NUL byte that is spelled in a name.
 *
 * Items: section is the group (nested ones parted by \x1d), key the name with
 * its language, kind s. Kind u: a key with options, or with a value that is
 * not UTF-8; `value` is then all that stands behind the name. A header is an
 * item with key "" and kind c, its value "[$i]" where it locks; the one that
 * locks the file has the section MM_KCONFIG_FILE. Edits: SET (kind u: with
 * options), DELETE, SECTION_ADD, SECTION_REMOVE. SET takes options away.
 */
#ifndef MM_AGENT_FORMATS_KCONFIG_H
#define MM_AGENT_FORMATS_KCONFIG_H

#include "agent/formats/format.h"

#define MM_KCONFIG_FILE "\x1d$i"

extern const struct mm_format mm_format_kconfig;

struct mm_kconfig_value {
	const char *text; /* NULL: there is none ([$d]), or it is no text */
	bool locked, expand, deleted;
};
/* What the winning item says, with all locks that it is under. */
struct mm_kconfig_value mm_kconfig_value(
    const struct mm_doc *d, const struct mm_item *it, struct mm_arena *a);
/* Is every key of the group, there or not, locked for the files after this one? With NULL: the file? */
bool mm_kconfig_locks(const struct mm_doc *d, const char *group);

#endif
