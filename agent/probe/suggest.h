/*
 * Typing mistakes, found without any network: what the user probably meant by
 * a server name, by the domain of an address, by a user name; and what is odd
 * about a password. Pure functions.
 *
 * A suggestion comes only from what the signed policy names, or is one of the
 * standard names (imap., smtp., ...) of the user's own domain and marked as
 * such; never from asking the name service, never from other users. It is a
 * sentence for a person and no reason to send anything anywhere.
 *
 * Distance: optimal string alignment, a key's neighbour or a look-alike and
 * two letters swapped cost 1, everything else 2; measured with 16 real typos.
 */
#ifndef MM_AGENT_PROBE_SUGGEST_H
#define MM_AGENT_PROBE_SUGGEST_H

#include <stdbool.h>
#include <stddef.h>

#include "schemas/probe.h"

#define MM_SUGGEST_MAX 256 /* a host name and its NUL (RFC 1035 2.3.4) */
#define MM_SUGGEST_TYPED_MAX 1024

struct mm_suggestion {
	char host[MM_SUGGEST_MAX];          /* what was meant: a host, or a domain */
	const struct mm_probe_known *known; /* the policy's endpoint; NULL: a standard name, in no policy */
	int cost;                           /* 0: the same, once blanks, scheme, port ... are taken off */
};

/* Take off what does not belong to a host name: blanks, capitals, scheme, user, port,
 * path, final dot; a comma becomes a dot, full-width and look-alike letters
 * become ASCII, other letters an A-label (RFC 5890). False: nothing that
 * could be a host name is left. */
bool mm_host_clean(const char *typed, char out[MM_SUGGEST_MAX]);

/* False: `typed` is what the policy says, or nothing is near, or two are
 * equally near. `domain` is that of the user's address; NULL: no standard names. */
bool mm_suggest_host(const char *typed, const struct mm_probe_known *known, size_t n_known,
    const char *domain, struct mm_suggestion *out);
/* The same for the domain of an address; candidates are the domains of the
 * policy's hosts. */
bool mm_suggest_domain(
    const char *address, const struct mm_probe_known *known, size_t n_known, struct mm_suggestion *out);

/* "acme.example" of "imap.acme.example"; NULL when the host does not begin with a service's name. */
const char *mm_behind_service(const char *host);

/* What form the user name should have, from comparison with the policy's
 * template ("%{address}", "%{login}", "%{address.local}"; NULL: not known)
 * and the user's own address (NULL: not known). A sentence, or NULL. */
const char *mm_suggest_username(const char *username, const char *tmpl, const char *address);

/* What makes a password suspicious, as far as may be said of it: a phrase
 * such as "begins or ends with a blank", or NULL. Tells neither a character
 * of it nor its length. */
const char *mm_password_oddity(const char *password, size_t n);

#endif
