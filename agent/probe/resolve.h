/*
 * Names to addresses by getaddrinfo(), which can only block: a few threads
 * ask, so that one dead zone holds nobody else up. Each host is asked for
 * once, however many tests want it. (libcurl tells one code for all that can
 * go wrong here; getaddrinfo() tells them apart.)
 */
#ifndef MM_AGENT_PROBE_RESOLVE_H
#define MM_AGENT_PROBE_RESOLVE_H

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define MM_RESOLVE_THREADS 8
#define MM_ADDRS_MAX 8 /* of a host; further ones are not tried */

struct mm_addr {
	struct sockaddr_storage sa; /* port 0 */
	socklen_t len;
};

/* Numeric, into `out` of MM_ADDR_TEXT_MAX bytes, which is returned. */
#define MM_ADDR_TEXT_MAX 46
const char *mm_addr_text(const struct mm_addr *a, char *out);

struct mm_name; /* one host; belongs to the resolver */

/* Can be replaced, so that a test can have a name service that fails. */
struct mm_gai {
	int (*ask)(
	    const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **out);
	void (*release)(struct addrinfo *list);
};

struct mm_resolver;

/* `gai` NULL: the system's. `wake` is called from another thread when an
 * answer is there. */
struct mm_resolver *mm_resolver_new(const struct mm_gai *gai, void (*wake)(void *ctx), void *ctx);
/* Threads that hang in the name service are left alone: they free what is
 * theirs when they come back. */
void mm_resolver_free(struct mm_resolver *r);

/* Ask, or join those who already asked. Never blocks. Address literals are
 * answered at once. */
struct mm_name *mm_resolver_ask(struct mm_resolver *r, const char *host);

struct mm_name_answer {
	int gai; /* 0 or EAI_... */
	int ms;  /* how long it took */
	const struct mm_addr *addrs;
	size_t n;
};
/* False: not yet. The answer is valid until mm_resolver_free(). */
bool mm_name_answer(struct mm_resolver *r, struct mm_name *n, struct mm_name_answer *out);

#endif
