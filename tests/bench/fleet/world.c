#include "tests/bench/fleet/world.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/mem.h"

_Static_assert(sizeof(struct mm_sim_host) == 128, "world.py reads records of 128 bytes");

/* splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t draw(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static void deal_kinds(struct mm_sim_world *w, const struct mm_sim_plan *plan)
{
	uint32_t n = plan->hosts, *order = mm_xcalloc(n, sizeof(*order)), at = 0;
	uint64_t state = plan->seed;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t k = (uint32_t)(draw(&state) % (i + 1));
		order[i] = order[k];
		order[k] = i;
	}
	for (uint32_t kind = 1; kind < MM_SIM_KINDS; kind++) {
		uint32_t share = (uint32_t)(((uint64_t)n * plan->percent[kind] + 99) / 100);
		for (uint32_t i = 0; i < share && at < n; i++)
			w->hosts[order[at++]].kind = kind;
	}
	free(order);
}

int mm_sim_world_new(
    const char *path, const struct mm_sim_plan *plan, struct mm_sim_world *w, struct mm_err *err)
{
	struct mm_sim_world made = {
	    .size = MM_SIM_HEAD + (size_t)plan->hosts * sizeof(*made.hosts),
	    .fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600),
	};
	void *p = MAP_FAILED;
	if (made.fd >= 0 && ftruncate(made.fd, (off_t)made.size) == 0)
		p = mmap(NULL, made.size, PROT_READ | PROT_WRITE, MAP_SHARED, made.fd, 0);
	if (p == MAP_FAILED)
		return mm_err_sys(err, MM_EX_FAILED, "%s", path);
	made.head = p;
	made.hosts = (void *)((char *)p + MM_SIM_HEAD);
	*made.head =
	    (struct mm_sim_head){.hosts = plan->hosts, .record = sizeof(*made.hosts), .port = plan->port};
	deal_kinds(&made, plan);
	memcpy(made.head->magic, MM_SIM_MAGIC, sizeof(made.head->magic)); /* last: it is complete */
	*w = made;
	return 0;
}

void mm_sim_world_free(struct mm_sim_world *w)
{
	(void)munmap(w->head, w->size);
	close(w->fd);
}

static void range(const struct mm_sim_world *w, size_t host, short type)
{
	struct flock l = {.l_type = type,
	    .l_whence = SEEK_SET,
	    .l_start = (off_t)(MM_SIM_HEAD + host * sizeof(*w->hosts)),
	    .l_len = sizeof(*w->hosts)};
	while (fcntl(w->fd, F_SETLKW, &l) < 0 && errno == EINTR)
		;
}

void mm_sim_lock(const struct mm_sim_world *w, size_t host)
{
	range(w, host, F_WRLCK);
}

void mm_sim_unlock(const struct mm_sim_world *w, size_t host)
{
	range(w, host, F_UNLCK);
}
