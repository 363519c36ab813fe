#include "controller/push/resolver.h"

#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "controller/push/sshbuf.h"

struct query {
	struct query *next;
	unsigned slot;
	char *name;
};

struct resolver {
	pthread_mutex_t lock; /* guards what follows, and writing to the driver */
	pthread_cond_t more;
	struct query *first, **last;
	int fd;
	unsigned idle, waiting, threads;
};

static void answer(struct resolver *r, const struct query *q, const char *addresses, const char *error)
{
	struct mm_buf b = MM_BUF_INIT(4096);
	mm_ssh_put_u32(&b, q->slot);
	mm_ssh_put_text(&b, addresses);
	mm_ssh_put_text(&b, error);
	pthread_mutex_lock(&r->lock);
	(void)mm_frame_write_fd(r->fd, MM_LT_ADDRESSES, b.data, b.len, NULL);
	pthread_mutex_unlock(&r->lock);
	mm_buf_free(&b);
}

static void resolve(struct resolver *r, const struct query *q)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG}, *list;
	int rc = getaddrinfo(q->name, NULL, &hints, &list);
	if (rc != 0) {
		answer(r, q, "", gai_strerror(rc));
		return;
	}
	struct mm_buf b = MM_BUF_INIT(1024);
	int n = 0;
	for (struct addrinfo *ai = list; ai != NULL && n < MM_RESOLVER_ADDRESSES; ai = ai->ai_next, n++) {
		char literal[NI_MAXHOST];
		if (getnameinfo(
			ai->ai_addr, ai->ai_addrlen, literal, sizeof(literal), NULL, 0, NI_NUMERICHOST) == 0)
			mm_buf_addf(&b, "%s%s", b.len > 0 ? " " : "", literal);
	}
	freeaddrinfo(list);
	answer(r, q, mm_buf_str(&b), "");
	mm_buf_free(&b);
}

static void *thread(void *arg)
{
	struct resolver *r = arg;
	pthread_mutex_lock(&r->lock);
	for (;;) {
		r->idle++;
		while (r->first == NULL)
			pthread_cond_wait(&r->more, &r->lock);
		r->idle--;
		r->waiting--;
		struct query *q = r->first;
		r->first = q->next;
		if (r->first == NULL)
			r->last = &r->first;
		pthread_mutex_unlock(&r->lock);
		resolve(r, q);
		free(q->name);
		free(q);
		pthread_mutex_lock(&r->lock);
	}
	return NULL;
}

static void enqueue(struct resolver *r, struct query *q)
{
	pthread_mutex_lock(&r->lock);
	*r->last = q;
	r->last = &q->next;
	r->waiting++;
	pthread_t t;
	if (r->waiting > r->idle && r->threads < MM_RESOLVER_THREADS &&
	    pthread_create(&t, NULL, thread, r) == 0) {
		pthread_detach(t);
		r->threads++;
	}
	pthread_cond_signal(&r->more);
	pthread_mutex_unlock(&r->lock);
}

int mm_resolver_run(struct mm_local *talk)
{
	struct resolver *r = mm_xcalloc(1, sizeof(*r));
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->more, NULL);
	r->last = &r->first;
	r->fd = talk->fd;
	struct mm_frame f;
	while (mm_frame_read_fd(&talk->in, talk->fd, -1, &f, NULL) == 1) {
		struct mm_ssh_reader b;
		const unsigned char *name;
		struct query *q = mm_xcalloc(1, sizeof(*q));
		size_t n;
		talk->in.total = 0;
		if (f.type != MM_LT_RESOLVE || mm_local_get_slot(&f, &b, &q->slot) < 0 ||
		    mm_ssh_read_string(&b, &name, &n) < 0) {
			free(q);
			return -1;
		}
		q->name = strndup((const char *)name, n);
		if (q->name == NULL)
			mm_oom();
		enqueue(r, q);
	}
	/* Threads may be inside the name service: leave without them. */
	exit(0);
}
