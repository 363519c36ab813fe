#include "controller/report/parts.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROOM ((size_t)1 << 30) /* for each process: addresses, of which few become memory */
#define HOSTS_EACH 250
#define TRIES 5 /* to see the store in one state, while others write to it */

/* What is said between parent and child: one byte each. */
enum word { W_LOOK = 'l', W_SEEN = 's', W_GO = 'g' };

/* In memory that all see. */
struct shared {
	atomic_size_t next; /* part that nobody has taken */
	struct mm_err err[MM_PARTS_PROCESSES];
};

struct child {
	pid_t pid; /* 0 = it has ended */
	int fd;
};

struct mm_parts {
	size_t processes, n;
	char *memory;
	struct mm_arena *common;
	struct shared *shared;
	struct mm_store *s;
	mm_part_work *work;
	void *arg;
	struct child child[MM_PARTS_PROCESSES]; /* [0] is the parent's place */
};

size_t mm_parts_processes(int64_t hosts)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	int cpus = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
	if (hosts < MM_PARTS_HOSTS || cpus < 2)
		return 1;
	int64_t n = hosts / HOSTS_EACH;
	n = n > cpus ? cpus : n;
	return (size_t)(n > MM_PARTS_PROCESSES ? MM_PARTS_PROCESSES : n);
}

struct mm_parts *mm_parts_new(size_t processes)
{
	if (processes < 2)
		return NULL;
	char *memory = mmap(NULL, processes * ROOM, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return NULL;
	struct mm_parts *p = mm_xcalloc(1, sizeof(*p));
	*p = (struct mm_parts){
	    .processes = processes, .memory = memory, .common = mm_arena_new_in(memory, ROOM)};
	p->shared = mm_arena_alloc(p->common, 1, sizeof(*p->shared));
	for (size_t i = 0; i < MM_PARTS_PROCESSES; i++)
		p->child[i].fd = -1;
	return p;
}

struct mm_arena *mm_parts_arena(struct mm_parts *p)
{
	return p->common;
}

static int wait_for(pid_t pid)
{
	int status = 0;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status;
}

/* A child whose end of the line is closed before it was told to go ends by itself. */
static void dismiss(struct mm_parts *p, bool at_once)
{
	for (size_t i = 1; i < p->processes; i++) {
		struct child *c = &p->child[i];
		if (c->fd >= 0)
			close(c->fd);
		c->fd = -1;
		if (c->pid <= 0)
			continue;
		if (at_once)
			kill(c->pid, SIGKILL);
		(void)wait_for(c->pid);
		c->pid = 0;
	}
}

void mm_parts_free(struct mm_parts *p)
{
	if (p == NULL)
		return;
	dismiss(p, true);
	munmap(p->memory, p->processes * ROOM);
	free(p);
}

/* ---- talking */

static bool say(int fd, enum word w)
{
	char c = (char)w;
	ssize_t n;
	do
		n = send(fd, &c, 1, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n == 1;
}

static bool hear(int fd, enum word *w)
{
	char c = 0;
	ssize_t n;
	do
		n = recv(fd, &c, 1, 0);
	while (n < 0 && errno == EINTR);
	*w = (enum word)c;
	return n == 1;
}

/* ---- in the children */

static int take_parts(struct mm_parts *p, struct mm_arena *a, struct mm_err *err)
{
	for (;;) {
		size_t i = atomic_fetch_add(&p->shared->next, 1);
		if (i >= p->n)
			return 0;
		if (p->work(p->s, i, a, p->arg, err) != 0)
			return -1;
	}
}

/* Look at the store as often as asked to; false: there is nothing to do. */
static bool look(struct mm_parts *p, int fd, struct mm_err *err)
{
	enum word w;
	bool looking = false;
	while (hear(fd, &w) && w == W_LOOK) {
		if (looking)
			mm_store_view_end(p->s);
		looking = mm_store_view(p->s, err) == 0;
		if (!looking || !say(fd, W_SEEN))
			return false;
	}
	return looking && w == W_GO;
}

static _Noreturn void be_child(struct mm_parts *p, size_t number, int fd, pid_t parent)
{
	struct mm_err *err = &p->shared->err[number];
	int rc = 1;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == parent && mm_store_reconnect(p->s, err) == 0 && look(p, fd, err)) {
		struct mm_arena *a = mm_arena_new_in(p->memory + number * ROOM, ROOM);
		rc = take_parts(p, a, err) != 0;
	}
	_exit(rc);
}

/* ---- in the parent */

static bool start_one(struct mm_parts *p, size_t number, pid_t self)
{
	int fd[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) != 0)
		return false;
	pid_t pid = fork();
	if (pid == 0) {
		for (size_t i = 1; i < number; i++)
			close(p->child[i].fd);
		close(fd[0]);
		be_child(p, number, fd[1], self);
	}
	close(fd[1]);
	p->child[number] = (struct child){.pid = pid > 0 ? pid : 0, .fd = fd[0]};
	return pid > 0;
}

static bool start_all(struct mm_parts *p)
{
	pid_t self = getpid();
	for (size_t i = 1; i < p->processes; i++)
		if (!start_one(p, i, self))
			return false;
	return true;
}

static bool all_say(struct mm_parts *p, enum word w)
{
	for (size_t i = 1; i < p->processes; i++)
		if (!say(p->child[i].fd, w))
			return false;
	return true;
}

static bool all_have_seen(struct mm_parts *p)
{
	enum word w;
	for (size_t i = 1; i < p->processes; i++)
		if (!hear(p->child[i].fd, &w) || w != W_SEEN)
			return false;
	return true;
}

/* All in one view: nothing was committed from before the first of them looked until we did. */
static int see_the_same(struct mm_parts *p, struct mm_err *err)
{
	for (int i = 0; i < TRIES; i++) {
		int64_t before = 0, now = 0;
		if (mm_store_data_version(p->s, &before, err) != 0)
			return -1;
		if (!all_say(p, W_LOOK) || !all_have_seen(p))
			return 1;
		if (mm_store_view(p->s, err) != 0)
			return -1;
		if (mm_store_data_version(p->s, &now, NULL) == 0 && now == before && all_say(p, W_GO))
			return 0;
		mm_store_view_end(p->s);
	}
	return 1;
}

int mm_parts_start(
    struct mm_parts *p, struct mm_store *s, size_t n, mm_part_work *work, void *arg, struct mm_err *err)
{
	p->s = s;
	p->n = n;
	p->work = work;
	p->arg = arg;
	if (mm_store_let_go(s, NULL) != 0)
		return 1;
	bool started = start_all(p);
	if (mm_store_reconnect(s, err) != 0) {
		dismiss(p, true);
		return -1;
	}
	int rc = started ? see_the_same(p, err) : 1;
	if (rc != 0)
		dismiss(p, true);
	return rc;
}

static int ended_well(size_t number, int status, const struct mm_err *why, struct mm_err *err)
{
	if (status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (why->text[0] != '\0')
		return mm_err_set(err, why->code, "%s", why->text);
	if (status >= 0 && WIFSIGNALED(status))
		return mm_err_set(err, MM_EX_FAILED,
		    "a process that read part of the store was ended by signal %d (%s)", WTERMSIG(status),
		    strsignal(WTERMSIG(status)));
	return mm_err_set(err, MM_EX_FAILED, "process %zu that read part of the store has failed", number);
}

int mm_parts_finish(struct mm_parts *p, struct mm_arena *a, struct mm_err *err)
{
	int rc = take_parts(p, a, err);
	for (size_t i = 1; rc == 0 && i < p->processes; i++) {
		int status = wait_for(p->child[i].pid);
		p->child[i].pid = 0;
		rc = ended_well(i, status, &p->shared->err[i], err);
	}
	dismiss(p, true);
	return rc;
}
