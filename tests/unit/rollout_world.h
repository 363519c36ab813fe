/* A rollout's numbers as mm_ro_decide() wants them, and short words for tests. */
#ifndef MM_TESTS_ROLLOUT_WORLD_H
#define MM_TESTS_ROLLOUT_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/rollout/decide.h"

#define T0 1800000000 /* a Friday, 08:00 UTC */

struct world {
	struct mm_ro_terms t;
	struct mm_ro_now now;
	struct mm_ro_host *hosts;
	size_t n;
	size_t *send;
	struct mm_ro_decision d;
};

/* `sizes` of the waves ends with 0; wave 0 is released. */
struct world world_make(const int64_t *sizes);
#define MAKE(...) world_make((const int64_t[]){__VA_ARGS__, 0})
void world_drop(struct world *w);
/* One term; fails the test when it is none. */
void world_set(struct world *w, const char *name, const char *value);
enum mm_ro_act world_ask(struct world *w);
void world_expect(struct world *w, enum mm_ro_act act, enum mm_ro_because because);
/* So many hosts from `from` on end like this, with one user each whose login passed if it is ok. */
void world_land(struct world *w, size_t from, size_t n, enum mm_rh_state state);

#endif
