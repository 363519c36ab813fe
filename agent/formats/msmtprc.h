/*
 * The configuration of msmtp (and mpop, which shares the grammar).
 *
 * Grammar, each rule tried against msmtp 1.8.23 (src/conf.c): one command and
 * its argument a line; blanks around both are ignored; `#` is a comment only
 * at the beginning of a line; one pair of double quotes around the whole
 * argument is taken off and nothing is escaped inside; a line has at most
 * MM_MSMTPRC_LINE_MAX bytes; commands and account names are case-sensitive.
 * `account NAME : A, B` begins an account that inherits; a second account of
 * the same name is an error; commands before the first account are the
 * account `default`; `defaults` blocks add up and count for later accounts.
 *
 * Items: section = account, "" in `defaults` blocks; a header is an item with
 * key "account" ("defaults" has section "") of kind c whose value is the list
 * it inherits from; the last of several keys in one account wins.
 * Edits: SET and DELETE within an account that is there, SECTION_ADD (its
 * value: what it inherits from), SECTION_REMOVE.
 */
#ifndef MM_AGENT_FORMATS_MSMTPRC_H
#define MM_AGENT_FORMATS_MSMTPRC_H

#include "agent/formats/format.h"

#define MM_MSMTPRC_LINE_MAX 499
#define MM_MSMTPRC_ACCOUNTS_MAX 1000

extern const struct mm_format mm_format_msmtprc;

#endif
