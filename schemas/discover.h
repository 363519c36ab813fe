/*
 * A discover: what mail programs these people have and how they are set up.
 * What it asks stands in the arguments of the request (op_args):
 *
 *   user:alice,bob        whom it is about; whoever is not on the host is left out
 *   domain:acme.example   servers and addresses below these domains are the organisation's: such accounts are
 *                         told in full, all others by domain only
 *   +all                  all accounts are told in full
 *
 * The host's own limits (limits.domains of agent.conf) hold beside that:
 * what lies outside of them is told by domain only, whatever a request says.
 * Passwords are never told.
 *
 * The answer is findings with the action "none", those of one account in one
 * piece:
 *
 *   client, path, account "", setting ""   a configuration is there: found = the program's version or NULL,
 *                                          reason = MM_DISCOVER_IN_USE, ..._UNUSED or ..._INSTALLED (path "")
 *   account KEY, setting ID                one setting, as the program sees it; state "unknown" where that
 *                                          cannot be seen without running the user's code
 *   account MM_DISCOVER_FOREIGN + number   by domain only: "account.address" is "@DOMAIN", and the two hosts
 */
#ifndef MM_SCHEMAS_DISCOVER_H
#define MM_SCHEMAS_DISCOVER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/mem.h"

#define MM_DISCOVER_IN_USE "in use"
#define MM_DISCOVER_UNUSED "not in use"
#define MM_DISCOVER_INSTALLED "installed, not set up"
#define MM_DISCOVER_DEFAULT "default" /* the reason of a setting that the program has built in */
#define MM_DISCOVER_FOREIGN "#"       /* no native key of ours begins so in an answer */

struct mm_discover_ask {
	const char *const *users;
	size_t n_users;
	const char *const *domains;
	size_t n_domains;
	bool all;
};

/* Packed, since a request holds few arguments. MM_EX_DATAERR: too many users
 * or domains for one request. */
int mm_discover_encode(const struct mm_discover_ask *ask, struct mm_arena *a, const char *const **args,
    size_t *n, struct mm_err *err);
/* MM_EX_DATAERR: not of this form. */
int mm_discover_decode(
    const char *const *args, size_t n, struct mm_arena *a, struct mm_discover_ask *out, struct mm_err *err);
/* Is this host, or domain of an address, one of the domains or below it? */
bool mm_discover_knows(const struct mm_discover_ask *ask, const char *host);

#endif
