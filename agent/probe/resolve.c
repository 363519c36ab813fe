#include "agent/probe/resolve.h"

#include <arpa/inet.h>
#include <string.h>

#include "agent/probe/clock.h"
#include "agent/probe/errand.h"
#include "common/mem.h"

struct mm_name {
	struct mm_errand errand; /* its key is the host */
	struct mm_gai gai_of;
	int gai, ms;
	int64_t asked;
	struct mm_addr addrs[MM_ADDRS_MAX];
	size_t n;
};

struct mm_resolver {
	struct mm_errands *errands;
	struct mm_gai gai;
};

const char *mm_addr_text(const struct mm_addr *a, char *out)
{
	const void *raw;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	if (a->sa.ss_family == AF_INET6) {
		memcpy(&v6, &a->sa, sizeof(v6));
		raw = &v6.sin6_addr;
	} else {
		memcpy(&v4, &a->sa, sizeof(v4));
		raw = &v4.sin_addr;
	}
	if (inet_ntop(a->sa.ss_family, raw, out, MM_ADDR_TEXT_MAX) == NULL)
		out[0] = '\0';
	return out;
}

static void add_addr(struct mm_name *n, const void *sa, socklen_t len)
{
	if (n->n == MM_ADDRS_MAX || len > sizeof(n->addrs[0].sa))
		return;
	for (size_t i = 0; i < n->n; i++) /* "localhost" may stand twice in /etc/hosts */
		if (n->addrs[i].len == len && memcmp(&n->addrs[i].sa, sa, len) == 0)
			return;
	memcpy(&n->addrs[n->n].sa, sa, len);
	n->addrs[n->n++].len = len;
}

/* ---- in a thread */

static void resolve(struct mm_errand *e)
{
	static const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct mm_name *n = (void *)e;
	struct addrinfo *list = NULL;
	int rc = n->gai_of.ask(e->key, NULL, &hints, &list);
	for (const struct addrinfo *i = rc == 0 ? list : NULL; i != NULL; i = i->ai_next)
		if (i->ai_family == AF_INET || i->ai_family == AF_INET6)
			add_addr(n, i->ai_addr, i->ai_addrlen);
	if (rc == 0 && list != NULL)
		n->gai_of.release(list);
	n->gai = rc == 0 && n->n == 0 ? EAI_NODATA : rc;
	n->ms = (int)(mm_clock_ms() - n->asked);
}

/* ---- for the owner */

struct mm_resolver *mm_resolver_new(const struct mm_gai *gai, void (*wake)(void *ctx), void *ctx)
{
	struct mm_resolver *r = mm_xcalloc(1, sizeof(*r));
	const struct mm_errands_opts o = {.size = sizeof(struct mm_name),
	    .threads = MM_RESOLVE_THREADS,
	    .run = resolve,
	    .wake = wake,
	    .ctx = ctx};
	r->errands = mm_errands_new(&o);
	r->gai = gai != NULL ? *gai : (struct mm_gai){getaddrinfo, freeaddrinfo};
	return r;
}

void mm_resolver_free(struct mm_resolver *r)
{
	if (r == NULL)
		return;
	mm_errands_free(r->errands);
	free(r);
}

static bool is_literal(struct mm_name *n)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	if (inet_pton(AF_INET, n->errand.key, &v4.sin_addr) == 1)
		add_addr(n, &v4, sizeof(v4));
	else if (inet_pton(AF_INET6, n->errand.key, &v6.sin6_addr) == 1)
		add_addr(n, &v6, sizeof(v6));
	return n->n > 0;
}

static void begin(struct mm_resolver *r, struct mm_name *n)
{
	n->gai_of = r->gai;
	n->asked = mm_clock_ms();
	if (is_literal(n)) {
		mm_errands_settle(r->errands, &n->errand);
	} else if (!mm_errands_send(r->errands, &n->errand)) {
		n->gai = EAI_SYSTEM;
		mm_errands_settle(r->errands, &n->errand);
	}
}

struct mm_name *mm_resolver_ask(struct mm_resolver *r, const char *host)
{
	bool is_new;
	struct mm_name *n = (void *)mm_errands_find(r->errands, host, &is_new);
	if (is_new)
		begin(r, n);
	return n;
}

bool mm_name_answer(struct mm_resolver *r, struct mm_name *n, struct mm_name_answer *out)
{
	if (!mm_errand_done(r->errands, &n->errand))
		return false;
	*out = (struct mm_name_answer){n->gai, n->ms, n->addrs, n->n};
	return true;
}
