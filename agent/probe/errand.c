#include "agent/probe/errand.h"

#include <pthread.h>
#include <search.h>
#include <string.h>

#include "common/err.h"
#include "common/mem.h"

#define STACK_BYTES (512u * 1024u)

struct hand { /* a thread */
	struct mm_errands *all;
	pthread_t thread;
	bool busy; /* in a call, perhaps for long */
};

struct mm_errands {
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct mm_errands_opts o;
	void *by_key;                   /* tsearch() tree of struct mm_errand */
	struct mm_errand *first, *last; /* queue */
	struct hand hands[MM_ERRAND_THREADS_MAX];
	size_t threads, idle;
	unsigned users; /* the owner and each thread; the last one frees */
	bool closed;
};

static int by_key(const void *a, const void *b)
{
	const struct mm_errand *x = a, *y = b;
	return strcmp(x->key, y->key);
}

static void errand_free(void *p)
{
	struct mm_errand *e = p;
	free(e->key);
	free(e);
}

/* With the lock held; gives it up. */
static void leave(struct mm_errands *all)
{
	bool last = --all->users == 0;
	pthread_mutex_unlock(&all->lock);
	if (!last)
		return;
	tdestroy(all->by_key, errand_free);
	pthread_cond_destroy(&all->work);
	pthread_mutex_destroy(&all->lock);
	free(all);
}

/* ---- threads */

static struct mm_errand *take(struct mm_errands *all)
{
	struct mm_errand *e = all->first;
	if (e != NULL) {
		all->first = e->next;
		if (all->first == NULL)
			all->last = NULL;
	}
	return e;
}

static void *work(void *arg)
{
	struct hand *self = arg;
	struct mm_errands *all = self->all;
	pthread_mutex_lock(&all->lock);
	while (!all->closed) {
		struct mm_errand *e = take(all);
		if (e == NULL) {
			all->idle++;
			pthread_cond_wait(&all->work, &all->lock);
			all->idle--;
			continue;
		}
		self->busy = true;
		pthread_mutex_unlock(&all->lock);
		all->o.run(e);
		pthread_mutex_lock(&all->lock);
		self->busy = false;
		e->done = true;
		if (!all->closed)
			all->o.wake(all->o.ctx);
	}
	leave(all);
	return NULL;
}

/* With the lock held. */
static bool more_hands(struct mm_errands *all)
{
	if (all->idle > 0 || all->threads == all->o.threads)
		return true;
	pthread_attr_t attr;
	struct hand *h = &all->hands[all->threads];
	h->all = all;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	bool ok = pthread_create(&h->thread, &attr, work, h) == 0;
	pthread_attr_destroy(&attr);
	all->threads += ok;
	all->users += ok;
	return ok || all->threads > 0;
}

/* ---- for the owner */

struct mm_errands *mm_errands_new(const struct mm_errands_opts *o)
{
	struct mm_errands *all = mm_xcalloc(1, sizeof(*all));
	pthread_mutex_init(&all->lock, NULL);
	pthread_cond_init(&all->work, NULL);
	all->o = *o;
	all->users = 1;
	return all;
}

void mm_errands_free(struct mm_errands *all)
{
	if (all == NULL)
		return;
	pthread_t idle[MM_ERRAND_THREADS_MAX];
	size_t n = 0;
	pthread_mutex_lock(&all->lock);
	all->closed = true;
	pthread_cond_broadcast(&all->work);
	for (size_t i = 0; i < all->threads; i++) {
		if (all->hands[i].busy)
			pthread_detach(all->hands[i].thread);
		else
			idle[n++] = all->hands[i].thread;
	}
	pthread_mutex_unlock(&all->lock);
	/* They end at once. A thread that outlives the program takes the C library's
	 * own memory with it. */
	for (size_t i = 0; i < n; i++)
		pthread_join(idle[i], NULL);
	pthread_mutex_lock(&all->lock);
	leave(all);
}

struct mm_errand *mm_errands_find(struct mm_errands *all, const char *key, bool *is_new)
{
	struct mm_errand *fresh = mm_xcalloc(1, all->o.size);
	fresh->key = mm_xstrdup(key);
	pthread_mutex_lock(&all->lock);
	struct mm_errand **slot = tsearch(fresh, &all->by_key, by_key);
	struct mm_errand *e = slot != NULL ? *slot : NULL;
	pthread_mutex_unlock(&all->lock);
	if (e == NULL)
		mm_oom();
	*is_new = e == fresh;
	if (e != fresh)
		errand_free(fresh);
	return e;
}

bool mm_errands_send(struct mm_errands *all, struct mm_errand *e)
{
	pthread_mutex_lock(&all->lock);
	bool ok = more_hands(all);
	if (ok) {
		if (all->last != NULL)
			all->last->next = e;
		else
			all->first = e;
		all->last = e;
		pthread_cond_signal(&all->work);
	}
	pthread_mutex_unlock(&all->lock);
	return ok;
}

void mm_errands_settle(struct mm_errands *all, struct mm_errand *e)
{
	pthread_mutex_lock(&all->lock);
	e->done = true;
	pthread_mutex_unlock(&all->lock);
}

bool mm_errand_done(struct mm_errands *all, const struct mm_errand *e)
{
	pthread_mutex_lock(&all->lock);
	bool done = e->done;
	pthread_mutex_unlock(&all->lock);
	return done;
}

bool mm_errands_busy(struct mm_errands *all)
{
	bool busy = false;
	pthread_mutex_lock(&all->lock);
	for (size_t i = 0; i < all->threads; i++)
		busy = busy || all->hands[i].busy;
	pthread_mutex_unlock(&all->lock);
	return busy;
}
