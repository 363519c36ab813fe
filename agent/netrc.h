/*
 * The grammar of ~/.netrc, as ftp(1), curl and GNU inetutils read it: words
 * separated by blanks and line ends, "machine NAME" or "default", then any of
 * "login NAME", "password WORD", "account WORD", "macdef NAME" with lines up to
 * an empty one. A word may stand in double quotes, in which \" \\ \n \r \t are
 * escapes (curl, lib/netrc.c); a # before a word begins a comment. Words that
 * are none of these are skipped.
 */
#ifndef MM_AGENT_NETRC_H
#define MM_AGENT_NETRC_H

#include "common/secret.h"

/* The password of this login on this machine, into `out`. Hosts are compared
 * without regard to case, logins with. The first entry that fits counts;
 * "default" fits every machine and ends the file (ftp(1)). An entry without
 * that login fits nobody. 1: found, 0: not there, -1: the text is no netrc, or
 * the password is longer than `out` has room for. */
int mm_netrc_find(const char *text, const char *machine, const char *login, struct mm_secret *out);

#endif
