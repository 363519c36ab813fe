/*
 * Whom to obey: every check that a request must pass before anything is
 * done. In this order:
 *
 *   malformed  envelope decodes (in a child without rights), size limits
 *   signature  an Ed25519 signature over the exact bytes, by a key of agent.conf or the one that
 *              has taken its place (keyring.h); this may change the ring, which the caller saves
 *              whatever else is wrong with the request
 *   protocol   a major version that we speak
 *   malformed  the request decodes
 *   host       made for this host
 *   replay     (epoch, serial) not lower than the last one seen; if equal, the same bytes. A host with
 *              one key counts anew when that key has nothing to do with the one before
 *   expired    not expired, and not issued in the future (MM_CLOCK_SKEW)
 *   manifest   each user of the manifest has exactly one sheet, with its SHA-256 and user name, and
 *              there is no other sheet
 *   limits     endpoint hosts, password programs and clients within agent.conf; no cleartext and no
 *              TLS floor below the rule unless the policy says so
 *   op         one that this agent carries out; a verify is about what the host holds and brings no
 *              sheets, its arguments are logins (none: everybody) or MM_VERIFY_AGAIN; a preflight is
 *              about the sheets that it brings, its only argument is MM_VERIFY_AGAIN;
 *              a discover brings no sheets, its arguments are those of schemas/discover.h
 *
 * The words are MM_REFUSED_*. Nothing is stored here: the caller persists
 * (epoch, serial) before it acts.
 */
#ifndef MM_AGENT_TRUST_H
#define MM_AGENT_TRUST_H

#include "agent/conf.h"
#include "agent/held.h"
#include "agent/keyring.h"
#include "schemas/request.h"
#include "schemas/sheet.h"

#define MM_CLOCK_SKEW 300 /* seconds */

struct mm_blob {
	const char *p;
	size_t n;
};

struct mm_wanted { /* one user of the request */
	const char *user;
	struct mm_blob bytes; /* the sheet as it came */
	struct mm_sheet sheet;
};

struct mm_trusted {
	struct mm_request request;
	char digest[MM_SHA256_HEX]; /* of the signed bytes */
	char keyid[MM_SHA256_HEX];
	bool repeated; /* the same request was seen before */
	struct mm_wanted *wanted;
	size_t n; /* = request.n_manifest */
};

/* 0, or -1 with *refused set to the word of the check that failed. Texts live
 * in `a`; the blobs must outlive the result. */
int mm_trust_check(const struct mm_conf *c, struct mm_keyring *keys, const struct mm_last *last, int64_t now,
    struct mm_blob envelope, const struct mm_blob *sheets, size_t n_sheets, struct mm_arena *a,
    struct mm_trusted *out, const char **refused, struct mm_err *err);

/* The host's own limits for one sheet; also asked before a stored sheet is
 * applied, since agent.conf may have become stricter. */
int mm_trust_limits(const struct mm_conf *c, const struct mm_sheet *s, struct mm_err *err);

#endif
