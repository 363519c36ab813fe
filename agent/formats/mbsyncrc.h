/*
 * The configuration of mbsync (isync).
 *
 * Grammar, each rule tried against isync 1.4.4 (src/config.c): a keyword and
 * its arguments a line; arguments are parted by blanks, `"` switches quoting
 * on and off anywhere in an argument, a backslash takes the next character as
 * it is, everywhere; an argument that begins with `#` ends the line as a
 * comment; keywords do not depend on case, names do. IMAPAccount, IMAPStore,
 * MaildirStore, Channel and Group begin a section, which ends at a line of
 * nothing but blanks (a comment line does not end it). A line has at most
 * MM_MBSYNCRC_LINE_MAX bytes.
 *
 * Items: section = "KEYWORD name" ("IMAPAccount work"), "" outside; of several
 * sections with one name the program takes the first: the others are called
 * "KEYWORD name\nN". A header is an item of kind c with the key "section".
 * Known keywords have their usual spelling; of several the last wins. The
 * arguments of a list (AuthMechs, SSLVersions, Patterns ...) are joined by
 * one blank each; any other keyword has one argument.
 * Edits: SET and DELETE in a section that is there, SECTION_ADD (at the end,
 * behind a blank line), SECTION_REMOVE.
 */
#ifndef MM_AGENT_FORMATS_MBSYNCRC_H
#define MM_AGENT_FORMATS_MBSYNCRC_H

#include "agent/formats/format.h"

#define MM_MBSYNCRC_LINE_MAX 1000
#define MM_MBSYNCRC_SECTIONS_MAX 2000

extern const struct mm_format mm_format_mbsyncrc;

#endif
