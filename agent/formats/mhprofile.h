/*
 * The profile of nmh.
 *
 * Grammar: m_getfld.c and mh-profile(5), each rule tried against nmh 1.8:
 * `name: value`, the name in any case; a line that begins with a blank goes on
 * with the value above; a name # is a comment; of two components of one name
 * the first counts. A line without a colon, an empty line too, makes every
 * program refuse the file; a CR before the LF would belong to the value: such a
 * file is refused.
 *
 * Items: section "", key in lower case (a second one "key\n2"), kind s; lines
 * that go on are joined by one blank. Edits: SET (a value becomes one line,
 * and is never empty), DELETE (not of what is there twice).
 */
#ifndef MM_AGENT_FORMATS_MHPROFILE_H
#define MM_AGENT_FORMATS_MHPROFILE_H

#include "agent/formats/format.h"

#define MM_MHPROFILE_LINE_MAX 8000 /* bytes of a value that we write */
#define MM_MHPROFILE_ENTRIES_MAX 2000

extern const struct mm_format mm_format_mhprofile;

#endif
