/*
 * From in customized-hdrs of Alpine: a list of "Name: value", parted by
 * commas outside double quotes (pith/conf.c, parse_list). Its From wins over
 * the address that is made of the login and user-domain, and over
 * personal-name.
 */
#ifndef MM_AGENT_CLIENTS_ALPINE_FROM_H
#define MM_AGENT_CLIENTS_ALPINE_FROM_H

#include <stdbool.h>

#include "agent/clients/client.h"
#include "common/mem.h"

/* The value of the first From in the list, or NULL. The list may be NULL. */
const char *mm_pine_from(const char *list, struct mm_arena *a);
/* The list with this From in the place of its first one, or before all else. */
const char *mm_pine_with_from(const char *list, const char *mailbox, struct mm_arena *a);
/* Does feature-list say no-allow-changing-from? Then From in the list counts for nothing. */
bool mm_pine_forbids_from(const char *features);

/* Passwords that it keeps in a file: well where that is sealed (CMS, RFC 5652) and each key beside it is
 * encrypted, as Alpine 2.26 leaves both; else it is not known how well they are hidden. */
void mm_pine_passfile(struct mm_reader *r, struct mm_seen_account *acc);

#endif
