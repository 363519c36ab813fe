#include "agent/probe/resolve.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <search.h>
#include <string.h>

#include "agent/probe/clock.h"
#include "common/err.h"
#include "common/mem.h"

#define STACK_BYTES (512u * 1024u)

struct mm_name {
	char *host;
	struct mm_name *next; /* in the queue */
	bool ready;
	int gai, ms;
	int64_t asked;
	struct mm_addr addrs[MM_ADDRS_MAX];
	size_t n;
};

struct hand { /* a thread */
	struct mm_resolver *r;
	pthread_t thread;
	bool asking; /* in the name service, perhaps for long */
};

struct mm_resolver {
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct mm_gai gai;
	void (*wake)(void *ctx);
	void *ctx;
	void *names;                  /* tsearch() tree of struct mm_name */
	struct mm_name *first, *last; /* queue */
	struct hand hands[MM_RESOLVE_THREADS];
	size_t threads, idle;
	unsigned users; /* the owner and each thread; the last one frees */
	bool closed;
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

static int by_host(const void *a, const void *b)
{
	const struct mm_name *x = a, *y = b;
	return strcmp(x->host, y->host);
}

static void name_free(void *p)
{
	struct mm_name *n = p;
	free(n->host);
	free(n);
}

/* With the lock held; gives it up. */
static void leave(struct mm_resolver *r)
{
	bool last = --r->users == 0;
	pthread_mutex_unlock(&r->lock);
	if (!last)
		return;
	tdestroy(r->names, name_free);
	pthread_cond_destroy(&r->work);
	pthread_mutex_destroy(&r->lock);
	free(r);
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

/* ---- threads */

static struct mm_name *take(struct mm_resolver *r)
{
	struct mm_name *n = r->first;
	if (n != NULL) {
		r->first = n->next;
		if (r->first == NULL)
			r->last = NULL;
	}
	return n;
}

static void finish(struct mm_resolver *r, struct mm_name *n, int rc, const struct addrinfo *list)
{
	for (const struct addrinfo *i = rc == 0 ? list : NULL; i != NULL; i = i->ai_next)
		if (i->ai_family == AF_INET || i->ai_family == AF_INET6)
			add_addr(n, i->ai_addr, i->ai_addrlen);
	n->gai = rc == 0 && n->n == 0 ? EAI_NODATA : rc;
	n->ms = (int)(mm_clock_ms() - n->asked);
	n->ready = true;
	if (!r->closed)
		r->wake(r->ctx);
}

static void *work(void *arg)
{
	struct hand *self = arg;
	struct mm_resolver *r = self->r;
	static const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	pthread_mutex_lock(&r->lock);
	while (!r->closed) {
		struct mm_name *n = take(r);
		if (n == NULL) {
			r->idle++;
			pthread_cond_wait(&r->work, &r->lock);
			r->idle--;
			continue;
		}
		self->asking = true;
		pthread_mutex_unlock(&r->lock);
		struct addrinfo *list = NULL;
		int rc = r->gai.ask(n->host, NULL, &hints, &list);
		pthread_mutex_lock(&r->lock);
		self->asking = false;
		finish(r, n, rc, list);
		if (rc == 0 && list != NULL)
			r->gai.release(list);
	}
	leave(r);
	return NULL;
}

/* With the lock held. No thread at all: the name is not resolved, and says so. */
static bool more_hands(struct mm_resolver *r)
{
	if (r->idle > 0 || r->threads == MM_RESOLVE_THREADS)
		return true;
	pthread_attr_t attr;
	struct hand *h = &r->hands[r->threads];
	h->r = r;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	bool ok = pthread_create(&h->thread, &attr, work, h) == 0;
	pthread_attr_destroy(&attr);
	r->threads += ok;
	r->users += ok;
	return ok || r->threads > 0;
}

/* ---- for the owner */

struct mm_resolver *mm_resolver_new(const struct mm_gai *gai, void (*wake)(void *ctx), void *ctx)
{
	struct mm_resolver *r = mm_xcalloc(1, sizeof(*r));
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->work, NULL);
	r->gai = gai != NULL ? *gai : (struct mm_gai){getaddrinfo, freeaddrinfo};
	r->wake = wake;
	r->ctx = ctx;
	r->users = 1;
	return r;
}

void mm_resolver_free(struct mm_resolver *r)
{
	if (r == NULL)
		return;
	pthread_t idle[MM_RESOLVE_THREADS];
	size_t n = 0;
	pthread_mutex_lock(&r->lock);
	r->closed = true;
	pthread_cond_broadcast(&r->work);
	for (size_t i = 0; i < r->threads; i++) {
		if (r->hands[i].asking)
			pthread_detach(r->hands[i].thread);
		else
			idle[n++] = r->hands[i].thread;
	}
	pthread_mutex_unlock(&r->lock);
	/* They end at once. A thread that outlives the program takes the C library's
	 * own memory with it. */
	for (size_t i = 0; i < n; i++)
		pthread_join(idle[i], NULL);
	pthread_mutex_lock(&r->lock);
	leave(r);
}

static bool is_literal(struct mm_name *n)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	if (inet_pton(AF_INET, n->host, &v4.sin_addr) == 1)
		add_addr(n, &v4, sizeof(v4));
	else if (inet_pton(AF_INET6, n->host, &v6.sin6_addr) == 1)
		add_addr(n, &v6, sizeof(v6));
	n->ready = n->n > 0;
	return n->ready;
}

static void enqueue(struct mm_resolver *r, struct mm_name *n)
{
	if (is_literal(n))
		return;
	if (!more_hands(r)) {
		n->gai = EAI_SYSTEM;
		n->ready = true;
		return;
	}
	if (r->last != NULL)
		r->last->next = n;
	else
		r->first = n;
	r->last = n;
	pthread_cond_signal(&r->work);
}

struct mm_name *mm_resolver_ask(struct mm_resolver *r, const char *host)
{
	struct mm_name *fresh = mm_xcalloc(1, sizeof(*fresh));
	fresh->host = mm_xstrdup(host);
	fresh->asked = mm_clock_ms();
	pthread_mutex_lock(&r->lock);
	struct mm_name **slot = tsearch(fresh, &r->names, by_host);
	struct mm_name *n = slot != NULL ? *slot : NULL;
	if (n == NULL)
		mm_oom();
	if (n == fresh)
		enqueue(r, n);
	else
		name_free(fresh);
	pthread_mutex_unlock(&r->lock);
	return n;
}

bool mm_name_answer(struct mm_resolver *r, struct mm_name *n, struct mm_name_answer *out)
{
	pthread_mutex_lock(&r->lock);
	bool ready = n->ready;
	if (ready)
		*out = (struct mm_name_answer){n->gai, n->ms, n->addrs, n->n};
	pthread_mutex_unlock(&r->lock);
	return ready;
}
