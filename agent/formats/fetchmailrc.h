/*
 * The run control file of fetchmail.
 *
 * Grammar, each rule tried against fetchmail 6.4.37 (rcfile_l.l, rcfile_y.y):
 * a stream of words, line ends mean nothing; `#` where a word could begin is a
 * comment; strings are bare words or "..." and '...' with \xHH, \0ooo, \n, \t,
 * \b, \r and \<any>, where \" does not work within "..."; `: ; ,` and and,
 * with, has, wants, options count for nothing; keywords depend on case.
 * `poll NAME`, server options, then `user NAME` with its options, any number
 * of times; `defaults` the same for the entries behind it; `set` is global.
 *
 * Items: section = "NAME" for the options of the server, "NAME\tK" for those
 * of its Kth user (0: before the first `user`), "defaults" likewise; a second
 * entry of one name is called "NAME\n2". A header is an item of kind c with key
 * "poll" (its value: "skip" when the entry is not active). Keys have one
 * spelling ("proto", "port", "user", "password"); flags are "yes" or "no".
 * Lists are joined by blanks, and only read.
 * Edits: SET and DELETE; SECTION_ADD (a poll entry at the end, to which the SET
 * of "user" in "NAME\t1" gives its first user) and SECTION_REMOVE.
 */
#ifndef MM_AGENT_FORMATS_FETCHMAILRC_H
#define MM_AGENT_FORMATS_FETCHMAILRC_H

#include "agent/formats/format.h"

#define MM_FETCHMAILRC_ENTRIES_MAX 1000

extern const struct mm_format mm_format_fetchmailrc;

#endif
