/*
 * ~/.mailrc of s-nail (mailrc_lex.h has its words).
 *
 * Items: each variable that `set` or `unset` names (kind s; kind b with "yes" or
 * "no" where no value is given; kind v where variables stand in the value, as it
 * is spelled), in the section of its account, "" outside. Items under a
 * condition have the section "\n?" and the account, those of an account that
 * another one of its name replaces "\n=" and the account. Commands (kind c):
 * "account" is an account's beginning, "source" and "source-v15" (shell-like
 * quoting goes on in that file) have the file for a value, all others what
 * stands behind them. ":account" is the account that the file ends up with, ":netrc"
 * what the command netrc is told.
 *
 * A new variable comes on a line of its own: at the end of its account, or
 * before the first account is entered, or at the end; behind an `unset` of it that would come
 * after it. A new account comes at the end behind an empty line, which goes with it.
 *
 * What an edit gives is read again before it is given out. It is refused (MM_EX_DATAERR) if the
 * value does not count or the key is still there, if any other item is not what it was, if doing it
 * again would change more, or if what was set could not be taken back.
 */
#ifndef MM_AGENT_FORMATS_MAILRC_H
#define MM_AGENT_FORMATS_MAILRC_H

#include "agent/formats/format.h"

extern const struct mm_format mm_format_mailrc;
/* A file that is read where v15-compat is set already. */
extern const struct mm_format mm_format_mailrc_v15;

#define MM_MAILRC_ENTER ":account"
#define MM_MAILRC_NETRC ":netrc" /* `netrc clear`: what was read from a netrc is forgotten */

#endif
