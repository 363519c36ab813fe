/*
 * SRV records of mail services (RFC 2782, RFC 6186, RFC 8314 5.1), from the
 * bytes of a DNS answer. Pure; everything in an answer is a stranger's.
 */
#ifndef MM_AGENT_PROBE_SRV_H
#define MM_AGENT_PROBE_SRV_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/mem.h"

#define MM_SRV_MAX 8 /* records of an answer; further ones are left out */
#define MM_SRV_ANSWER_MAX 65535

struct mm_srv {
	const char *host; /* lower case, a host name (mm_is_hostname()) */
	int port, priority, weight;
};

struct mm_srv_answer {
	struct mm_srv srv[MM_SRV_MAX]; /* by priority, then the heavier first */
	size_t n;
	bool not_offered; /* the only target is ".": the domain says that there is no such service */
	bool dnssec;      /* the resolver, which is trusted (resolv.conf(5), trust-ad), vouches for it */
};

/* Records that make no sense (no host name, port 0) are left out. -1 with
 * MM_EX_DATAERR: this is no DNS answer. Strings in `mem`. */
int mm_srv_parse(
    const unsigned char *p, size_t n, struct mm_arena *mem, struct mm_srv_answer *out, struct mm_err *err);

/* The services that are asked for. */
struct mm_srv_service {
	const char *name; /* "_imaps._tcp" */
	const char *protocol, *security;
};
#define MM_SRV_SERVICES 6
extern const struct mm_srv_service mm_srv_services[MM_SRV_SERVICES];

#endif
