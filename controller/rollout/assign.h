/*
 * Who comes when: hosts are put into waves.
 *
 * Hosts are ranked by the hash of (seed, host id), so that the same people
 * are not the first for ever; with sticky terms by the hash of the host id.
 * The same input gives the same waves, whatever its order.
 *
 * Wave 0 is stratified: it holds at least one host for every (client, its
 * version, mail server, OS release) that the inventory knows of in the
 * fleet, chosen by greedy cover: the host with the most combinations that
 * are not there yet, reachable ones first, then by rank. When these are
 * more than the wave's size, the wave grows. A part that is unknown is a value of
 * its own; a host of which nothing is known stands for nothing.
 *
 * Hosts that could not be reached the last time come last within their wave,
 * and are not used to fill wave 0.
 */
#ifndef MM_ROLLOUT_ASSIGN_H
#define MM_ROLLOUT_ASSIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/mem.h"
#include "controller/rollout/terms.h"

#define MM_RO_HOST_STRATA_MAX 256 /* combinations of one host that are looked at */

struct mm_ro_client {
	const char *name;
	const char *version; /* "" = unknown */
};

/* What is known of a host. NULL and "" are unknown. */
struct mm_ro_candidate {
	const char *id;
	const char *os;
	const struct mm_ro_client *clients;
	size_t n_clients;
	const char *const *servers; /* mail servers of its users */
	size_t n_servers;
	bool last_unreachable;
	int64_t revision; /* that it is to have; only carried along */
	/* out: */
	int64_t wave; /* from 0 */
	int64_t rank; /* from 0, unique in the rollout; order of sending within its wave */
};

struct mm_ro_plan {
	size_t n_waves;
	int64_t *sizes; /* of the waves; in the arena */
	int64_t hosts;
	int64_t strata;   /* distinct combinations */
	int64_t asked;    /* hosts that the terms ask for in wave 0 */
	int64_t unknown;  /* hosts of which the inventory knows nothing */
	const char *note; /* one sentence when wave 0 had to grow, else "" */
};

/* Sets wave and rank of every candidate. No hosts give no waves. */
void mm_ro_assign(const struct mm_ro_terms *t, const char *seed, struct mm_ro_candidate *hosts, size_t n,
    struct mm_arena *a, struct mm_ro_plan *out);

/* What may have landed when a rollout stops: with a budget of N it halts at
 * the N+1st, and what is in flight then (window - 1 at most) still lands. */
struct mm_ro_worst {
	int64_t wave[MM_BUDGET_COUNT]; /* hosts of this wave that may end like this */
	int64_t total;                 /* hosts touched at most, when the wave has ended */
};
struct mm_ro_worst_case {
	struct mm_ro_worst *waves; /* plan->n_waves of them; in the arena */
	int64_t total[MM_BUDGET_COUNT];
};
void mm_ro_worst_case(const struct mm_ro_terms *t, const struct mm_ro_plan *plan, struct mm_arena *a,
    struct mm_ro_worst_case *out);
/* Lines for people, each with a newline: waves, sizes and numbers. Appends. */
void mm_ro_worst_print(const struct mm_ro_terms *t, const struct mm_ro_plan *plan,
    const struct mm_ro_worst_case *w, struct mm_buf *out);

/* A number of [0, 2^64) that depends on the two texts alone. */
uint64_t mm_ro_hash(const char *seed, const char *host);
/* When a host that was not reached `tries` times (from 1) is tried again:
 * seconds from now. 60 s, doubled each time, at most 6 h; 10 % more or less,
 * differently for each host. */
int64_t mm_ro_retry_after(const char *seed, const char *host, int64_t tries);
/* How long after the opening of its wave a host waits: 0..jitter_s. */
int64_t mm_ro_jitter(const struct mm_ro_terms *t, const char *seed, const char *host);

#endif
