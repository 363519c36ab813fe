/*
 * The servers that the policy sends people to: every distinct endpoint of
 * those who are chosen, with the ways to log in that it must offer, and what
 * mailmuster-probe sees of it from this machine, without credentials.
 */
#ifndef MM_CONTROLLER_ENDPOINTS_H
#define MM_CONTROLLER_ENDPOINTS_H

#include "controller/push_select.h"
#include "schemas/report.h"

#define MM_ENDPOINT_AUTHS 16

struct mm_policy_endpoint {
	const char *protocol, *host, *security;
	int port;
	const char *tls_min, *ca_file, *pin;      /* NULL = not set */
	const char *auths[MM_ENDPOINT_AUTHS + 1]; /* words of the setting, NULL-terminated, each once */
	size_t n_auths;
	size_t people;
	const char *latest; /* the person who was counted last */
	/* what was seen: */
	bool answered;
	struct mm_login seen; /* user and account are "" */
	const char *lacking;  /* the first of `auths` that is not offered; NULL = none, or not known */
	bool ok;              /* reached, with TLS as it must be, and nothing is lacking */
};

struct mm_policy_endpoints {
	struct mm_arena *a;
	int64_t revision;
	size_t people; /* who have an account */
	struct mm_policy_endpoint *items;
	size_t n, cap;
};

/* Of the current revision. People are chosen by user and group, or by the
 * hosts on which they are; with neither it is everybody. */
int mm_endpoints_gather(struct mm_store *s, const struct mm_selection *sel, struct mm_arena *a,
    struct mm_policy_endpoints *out, struct mm_err *err);

/* Is this way to log in offered? Unknown where the server said too little. */
enum mm_tri mm_endpoint_offers(const struct mm_login *seen, const char *auth);

/* Ask them all. `ca_file` stands in for what the policy names, which is a path
 * on the workstations; NULL: as the policy says. */
int mm_endpoints_probe(struct mm_policy_endpoints *e, const char *ca_file, struct mm_err *err);

#endif
