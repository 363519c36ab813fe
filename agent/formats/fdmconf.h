/*
 * The configuration of fdm.
 *
 * Grammar, each rule tried against fdm 1.9 (lex.c, parse.y): a stream of
 * tokens, line ends mean nothing; # begins a comment; "..." with \n \r \t \<any>
 * and ${macro}, '...' as it stands; $(command), %(command), $macro, %macro,
 * numbers; strings are joined by +. An account is `account NAME [user U | users
 * { U ... }] [disabled] TYPE server HOST [port P] [user U] [pass P] [folder F]
 * [new-only [cache C]] FLAG... [keep]`, the words in this order and each once; an
 * account of one name twice, a CR and a BOM make fdm refuse the file.
 *
 * Items of an account: section = its name, one of kind c with the key "account"
 * (its value "other" for what fetches from no server, "disabled", "conditional"
 * within ifdef, else ""), another, "protocol"
 * (imap, pop3), then "tls" (the s behind it: "yes"), "server" (kind c, "pipe": a command is asked
 * instead), "port", "user", "pass", "folder", "only", "cache", and the flags
 * ("yes"). Kind e: a command, whose output is the value; v: macros, or joined
 * strings, as spelled. A password in clear is an item of kind c without its
 * value, and is never changed.
 * Items of the file: section "", kind c: "$macro" (as spelled), "include" and
 * "proxy" of `set` (as spelled), "ifdef" and "ifndef" (the macro, or nothing where it is not known yet),
 * "endif"; kind s: "verify-certificates" ("yes") of `set`. Edits: SET and DELETE of what is not kind c;
 * SECTION_ADD (value: the protocol; then "server" is to be set) and SECTION_REMOVE.
 */
#ifndef MM_AGENT_FORMATS_FDMCONF_H
#define MM_AGENT_FORMATS_FDMCONF_H

#include "agent/formats/format.h"

#define MM_FDMCONF_ACCOUNTS_MAX 1000

extern const struct mm_format mm_format_fdmconf;

#endif
