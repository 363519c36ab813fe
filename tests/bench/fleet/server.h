/*
 * The SSH side of the simulated fleet: one process's share of all
 * connections, libssh's server in one event loop. Everybody is let in who has
 * the one key of the controller; whatever command is asked for, the simulated
 * agent answers (simagent.h). Only what arrives over the loopback device is served.
 */
#ifndef MM_BENCH_FLEET_SERVER_H
#define MM_BENCH_FLEET_SERVER_H

#include "common/err.h"
#include "tests/bench/fleet/world.h"

struct mm_sim_server {
	struct mm_sim_world *world;
	const char *host_key; /* private, a file */
	const char *user_key; /* public, a file: whom to let in */
	int listener;         /* on the base port */
	unsigned answer_ms;   /* how long an agent works before it answers */
	const char *keep;     /* NULL, or a file for the last request that host 0 was sent */
};

/* A listening socket for all loopback addresses, one of several that share the
 * port; with `deaf` one that lets no connection be made. */
int mm_sim_listen(uint32_t port, bool deaf, struct mm_err *err);
/* Serves until the process is ended. */
int mm_sim_serve(const struct mm_sim_server *server, struct mm_err *err);

#endif
