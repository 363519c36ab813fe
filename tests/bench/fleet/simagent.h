/*
 * A simulated agent: takes the frames of a request, keeps what a workstation
 * would keep, and says what an agent would say. It checks the form of a
 * request, its host and its (epoch, serial), but no signature: what is
 * measured and tested with it is the controller.
 *
 * A user's client is mutt; each account gives a finding for every setting
 * that a client holds, and a login for each side. Settings whose incoming
 * server's name begins with "broken." let no login pass.
 */
#ifndef MM_BENCH_FLEET_SIMAGENT_H
#define MM_BENCH_FLEET_SIMAGENT_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/frame.h"
#include "common/mem.h"
#include "schemas/request.h"
#include "tests/bench/fleet/world.h"

struct mm_sim_request {
	struct mm_arena *a;
	struct mm_request request;
	bool has_request, complete;
	struct mm_sheet *sheets;
	size_t n_sheets, cap_sheets;
};

void mm_sim_request_init(struct mm_sim_request *r);
void mm_sim_request_free(struct mm_sim_request *r);
/* -1: no frame that an agent takes. `complete` becomes true with the last one. */
int mm_sim_request_frame(struct mm_sim_request *r, const struct mm_frame *f, struct mm_err *err);

/* The whole answer, magic to END or REFUSED, into `out`. `host` is what this
 * workstation remembers and is changed; `flags` are those of the world's head.
 * False: the answer gets lost. */
bool mm_sim_answer(
    const struct mm_sim_request *r, struct mm_sim_host *host, uint32_t flags, struct mm_buf *out);

#endif
