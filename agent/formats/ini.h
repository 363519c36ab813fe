/*
 * profiles.ini and installs.ini of Mozilla programs.
 *
 * Grammar: xpcom/ds/nsINIParserImpl: `[Section]`, `key=value`, comments from
 * `#` or `;` at the beginning of a line; blanks before a line are skipped, all
 * others belong to key and value; a section may come twice and is one; the
 * last of several keys wins.
 *
 * Items: the key as it stands, kind s; a header is an item with key "" and
 * kind c. Edits: SET, DELETE (the section must be there), SECTION_ADD,
 * SECTION_REMOVE.
 */
#ifndef MM_AGENT_FORMATS_INI_H
#define MM_AGENT_FORMATS_INI_H

#include "agent/formats/format.h"

extern const struct mm_format mm_format_ini;

#endif
