#include "controller/push/pool.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/proc.h"
#include "controller/push/spawn.h"

int mm_pool_init(
    struct mm_pool *p, const struct mm_worker_config *config, unsigned max_libssh2, struct mm_err *err)
{
	memset(p, 0, sizeof(*p));
	p->config = *config;
	p->max_libssh2 = max_libssh2;
	return mm_find_beside(MM_WORKER_PROGRAM, p->program, sizeof(p->program), err);
}

static void configure(struct mm_pool *p, struct mm_pool_worker *w)
{
	struct mm_buf b = MM_BUF_INIT(MM_FRAME_MAX);
	p->config.kind = w->kind;
	mm_local_put_config(&b, &p->config);
	mm_local_send(&w->talk, MM_LT_CONFIG, b.data, b.len);
	explicit_bzero(b.data, b.cap);
	mm_buf_free(&b);
}

static int launch(struct mm_pool *p, struct mm_pool_worker *w, int pair[2], int *page, struct mm_err *err)
{
	*page = memfd_create("mailmuster-worker", MFD_CLOEXEC);
	if (*page < 0 || ftruncate(*page, (off_t)sizeof(*w->page)) < 0)
		return mm_err_sys(err, MM_EX_FAILED, "cannot make shared memory for a push worker");
	w->page = mmap(NULL, sizeof(*w->page), PROT_READ | PROT_WRITE, MAP_SHARED, *page, 0);
	if (w->page == MAP_FAILED)
		return mm_err_sys(err, MM_EX_FAILED, "cannot map shared memory for a push worker");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return mm_err_sys(err, MM_EX_FAILED, "cannot make a socket pair for a push worker");
	static const char *const extra[] = {"SSH_AUTH_SOCK", "ASAN_OPTIONS", "UBSAN_OPTIONS", NULL};
	const char *const argv[] = {p->program, NULL};
	struct mm_arena *a = mm_arena_new();
	struct mm_spawn s = {
	    .argv = argv, .env = mm_spawn_env(a, extra), .fds = {-1, 2, 2, pair[1], *page}, .n_fds = 5};
	int rc = mm_spawn(&s, &w->pid, err);
	mm_arena_free(a);
	return rc;
}

static int start(struct mm_pool *p, struct mm_pool_worker *w, enum mm_worker_kind kind, struct mm_err *err)
{
	int pair[2] = {-1, -1}, page = -1;
	memset(w, 0, sizeof(*w));
	w->kind = kind;
	w->page = MAP_FAILED;
	int rc = launch(p, w, pair, &page, err);
	if (page >= 0)
		close(page);
	if (pair[1] >= 0)
		close(pair[1]);
	mm_local_init(&w->talk, pair[0]);
	if (rc < 0) {
		(void)mm_pool_end(w, &(unsigned){0});
		return -1;
	}
	p->started++;
	configure(p, w);
	return 0;
}

struct mm_pool_worker *mm_pool_choose(struct mm_pool *p, enum mm_worker_kind kind, struct mm_err *err)
{
	struct mm_pool_worker *best = NULL, *free_place = NULL;
	unsigned running = 0, max = kind == MM_WORKER_LIBSSH2 ? p->max_libssh2 : 1;
	for (size_t i = 0; i < MM_POOL_MAX; i++) {
		struct mm_pool_worker *w = &p->w[i];
		if (w->pid == 0) {
			free_place = free_place != NULL ? free_place : w;
		} else if (w->kind == kind) {
			running++;
			if (best == NULL || w->jobs < best->jobs)
				best = w;
		}
	}
	if (best != NULL && (best->jobs < MM_POOL_BUSY || running >= max || free_place == NULL))
		return best;
	if (free_place == NULL) {
		mm_err_set(err, MM_EX_FAILED, "more than %d push workers", MM_POOL_MAX);
		return NULL;
	}
	return start(p, free_place, kind, err) == 0 ? free_place : NULL;
}

int mm_pool_end(struct mm_pool_worker *w, unsigned *serving)
{
	int status = w->pid > 0 ? mm_spawn_kill(w->pid) : -1;
	*serving = 0;
	if (w->page != MAP_FAILED) {
		*serving = w->page->serving;
		munmap(w->page, sizeof(*w->page));
	}
	mm_local_free(&w->talk);
	w->pid = 0;
	return status;
}

void mm_pool_free(struct mm_pool *p)
{
	unsigned serving;
	for (size_t i = 0; i < MM_POOL_MAX; i++)
		if (p->w[i].pid != 0)
			(void)mm_pool_end(&p->w[i], &serving);
}
