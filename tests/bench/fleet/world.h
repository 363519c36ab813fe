/*
 * What the simulated workstations remember: one file, mapped by every server
 * process and read by the driver (tests/bench/fleet/world.py knows the same
 * layout). A head of MM_SIM_HEAD bytes, then one record for each host.
 *
 * Host number n listens on 127.(1 + n / 62500).(n / 250 % 250).(n % 250 + 1)
 * and has the host id "h<n>". Its kind is drawn once, in exact shares, from
 * the seed; which port it has follows from the kind.
 */
#ifndef MM_BENCH_FLEET_WORLD_H
#define MM_BENCH_FLEET_WORLD_H

#include <stddef.h>
#include <stdint.h>

#include "common/digest.h"
#include "common/err.h"

#define MM_SIM_MAGIC "MMFLEET1"
#define MM_SIM_HEAD 64
#define MM_SIM_HOSTS_MAX 250000

enum mm_sim_kind {
	MM_SIM_GOOD,       /* everything works */
	MM_SIM_DOWN,       /* refuses connections, until the fleet is all up: the base port + 1 */
	MM_SIM_HANG,       /* takes the connection and says nothing */
	MM_SIM_BROKEN,     /* a login that worked fails with every setting but the first: reverted */
	MM_SIM_NO_SESSION, /* nobody there: no login is tested, a change stays unconfirmed */
	MM_SIM_DEAF,       /* answers no SYN: the base port + 2 */
	MM_SIM_LOST,       /* the first answer to each new setting gets lost on its way */
	MM_SIM_KINDS
};

/* Bits of the head that the driver may set at any time. */
#define MM_SIM_ALL_UP 1u       /* what was down is up */
#define MM_SIM_ALL_SPEAK 2u    /* what hung speaks */
#define MM_SIM_ALL_SESSIONS 4u /* everybody is logged in */

struct mm_sim_head {
	char magic[8];
	uint32_t hosts, record;
	uint32_t flags;
	uint32_t port;
};

struct mm_sim_host {
	int64_t epoch, serial; /* newest request that was seen */
	int64_t revision;      /* of the settings in force; 0 = none yet */
	int64_t former_revision;
	uint8_t digest[MM_SHA256_LEN]; /* over the settings, without their revision */
	uint8_t former[MM_SHA256_LEN];
	uint32_t kind;
	uint32_t connections, requests;
	uint32_t changes; /* of the settings in force, undone ones not counted */
	uint32_t reverts;
	uint32_t unconfirmed;
	uint32_t refused; /* requests that were refused */
	uint32_t spare;
};

struct mm_sim_world {
	struct mm_sim_head *head;
	struct mm_sim_host *hosts;
	size_t size;
	int fd;
};

struct mm_sim_plan {
	uint32_t hosts, port;
	uint32_t percent[MM_SIM_KINDS]; /* that of MM_SIM_GOOD is not looked at */
	uint64_t seed;
};

/* Makes the file; it may not be there yet. */
int mm_sim_world_new(
    const char *path, const struct mm_sim_plan *plan, struct mm_sim_world *w, struct mm_err *err);
void mm_sim_world_free(struct mm_sim_world *w);
/* Between the two no other process touches the host. */
void mm_sim_lock(const struct mm_sim_world *w, size_t host);
void mm_sim_unlock(const struct mm_sim_world *w, size_t host);

#endif
