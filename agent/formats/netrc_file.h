/*
 * ~/.netrc (netrc_lex.h has its words).
 *
 * Each entry is a section: the name of its machine in lower case, those behind
 * the first with a line feed and their number ("h\n2"); "\ndefault" is the one for
 * all others. Items: the command "machine" (or "default"), "login" with its value,
 * and the commands "password" and "account", whose values are nowhere given out.
 * Only logins are edited; entries are never made and never removed.
 */
#ifndef MM_AGENT_FORMATS_NETRC_FILE_H
#define MM_AGENT_FORMATS_NETRC_FILE_H

#include "agent/formats/format.h"

extern const struct mm_format mm_format_netrc;

#define MM_NETRC_ENTRIES_MAX 4096

#endif
