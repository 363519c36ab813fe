/* A rollout of six hosts in the store, driven by `ro_ours`. */
#ifndef MM_TESTS_ROLLOUT_FIXTURE_H
#define MM_TESTS_ROLLOUT_FIXTURE_H

#include "controller/store/store_rollout.h"
#include "store_fixture.h"

#define HOSTS 6 /* h0, h1 in wave 0, h2, h3 in wave 1, h4, h5 in wave 2 */

extern const char *const ro_names[HOSTS];
extern const struct mm_rollout_lease ro_ours, ro_theirs; /* of rollout 1 */

/* cmocka setup: rollout 1, of revision 5, is ours for 60 s. Goes with store_teardown(). */
int ro_setup(void **state);
/* A rollout of `n` hosts, two in each wave, two in flight. */
int64_t ro_create(struct fixture *f, int64_t revision, size_t from, size_t n);
struct mm_rollout ro_get(struct fixture *f, int64_t id);
struct mm_rollout_host ro_host(struct fixture *f, int64_t id, const char *name);
void ro_is(struct fixture *f, int64_t id, const char *name, enum mm_rh_state state);
/* In rollout 1. */
int ro_claim(struct fixture *f, const char *name, const char *request);
int ro_land(struct fixture *f, const char *name, const char *request, enum mm_rh_state state);
void ro_send_and_land(struct fixture *f, const char *name, enum mm_rh_state state);
/* The last entry of the audit log: action, object, detail, reason. */
void ro_audited(struct fixture *f, const char *want);

#endif
