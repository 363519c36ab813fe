/*
 * Settings that a domain publishes or that are usual: SRV records (RFC 6186,
 * RFC 8314), autoconfig (draft-ietf-mailmaint-autoconfig), and the standard
 * names. This is the pure part: candidates, who vouches for them, their
 * order, and how they are written down. discover_ask.c asks, discover_run.c
 * looks at each candidate and prints.
 *
 * A name server's answer can be forged. What leads out of the user's domain
 * is therefore marked as unproven unless DNSSEC, the domain's own web server
 * (TLS), or the mail server's certificate vouches for it (RFC 6186 6).
 */
#ifndef MM_AGENT_PROBE_DISCOVER_H
#define MM_AGENT_PROBE_DISCOVER_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/probe/srv.h"
#include "common/buf.h"
#include "common/err.h"
#include "common/mem.h"
#include "schemas/report.h"

#define MM_CANDIDATES_MAX 64

enum mm_found { /* bits: where a candidate was found */
	MM_FOUND_SRV = 1,
	MM_FOUND_AUTOCONFIG = 2,
	MM_FOUND_STANDARD = 4,
};

enum mm_trust {
	MM_TRUST_NONE,        /* out of the domain, and nobody vouches for it */
	MM_TRUST_OWN,         /* in the user's domain */
	MM_TRUST_HTTPS,       /* published by the domain's own web server */
	MM_TRUST_DNSSEC,      /* signed by the domain */
	MM_TRUST_CERTIFICATE, /* the mail server's certificate holds the domain */
	MM_TRUST_COUNT
};
const char *mm_trust_word(enum mm_trust t); /* "unproven", "own-domain", "https", "dnssec", "certificate" */

struct mm_candidate {
	const char *protocol, *host, *security;
	int port;
	const char *username; /* as a policy writes it: "%{address}" */
	const char *auth;     /* a word of the setting; NULL: not said */
	unsigned found;
	bool https, dnssec;   /* vouched for */
	int priority, weight; /* of the SRV record; 0 without one */
	/* what the look saw */
	bool looked;
	enum mm_result result;
	const char *cls, *text;  /* "" when it works */
	const char *mechanisms;  /* offered; NULL: unknown */
	const char *certificate; /* its names, as in struct mm_tls_facts; NULL: none seen */
};

struct mm_discovery {
	const char *address; /* NULL: only a domain was given */
	const char *domain;  /* A-label, lower case */
	bool allow_cleartext;
	struct mm_arena *mem;
	struct mm_candidate *list;
	size_t n, cap;
	bool not_offered[MM_SRV_SERVICES];
	size_t refused_cleartext; /* candidates without encryption that were left out */
};

/* `what` is an address or a domain. MM_EX_USAGE: neither. */
int mm_discovery_begin(struct mm_discovery *d, const char *what, struct mm_arena *mem, struct mm_err *err);
/* The same host, port and security is one candidate with several sources.
 * What makes no sense or is beyond the limit is left out. Strings are copied. */
void mm_discovery_add(struct mm_discovery *d, const struct mm_candidate *c);
void mm_discovery_add_srv(struct mm_discovery *d, size_t service, const struct mm_srv_answer *a);
/* imap., pop., smtp., mail. of the domain, but no service that the domain says is not offered. */
void mm_discovery_add_standard(struct mm_discovery *d);

enum mm_trust mm_candidate_trust(const struct mm_discovery *d, const struct mm_candidate *c);
/* The way to log in: what was published, if it is offered; else by what is. */
const char *mm_candidate_auth(const struct mm_candidate *c);
bool mm_candidate_works(const struct mm_candidate *c);
/* The best first: what works, what is vouched for, what is published, TLS before STARTTLS, IMAP before POP3.
 */
void mm_discovery_rank(struct mm_discovery *d);
/* The first that works, after ranking; NULL: none. */
const struct mm_candidate *mm_discovery_best(const struct mm_discovery *d, bool incoming);

/* Endpoints and account as a policy has them (DESIGN.md). */
void mm_discovery_fragment(const struct mm_discovery *d, struct mm_buf *out);
/* One line, without the newline. */
void mm_candidate_json(const struct mm_discovery *d, const struct mm_candidate *c, struct mm_buf *out);

#endif
