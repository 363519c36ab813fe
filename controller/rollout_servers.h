/*
 * Which mail servers the people of a host log in to, by the policy: for
 * stratified first waves, and for rates.
 */
#ifndef MM_CONTROLLER_ROLLOUT_SERVERS_H
#define MM_CONTROLLER_ROLLOUT_SERVERS_H

#include "controller/rollout_state.h"

struct mm_host_servers {
	const char *const *names; /* sorted */
	const int64_t *logins;    /* that serving the host brings to each */
	size_t n;
};

/* One policy revision, many hosts; users are resolved once. Of a host for
 * everybody (users "*") nobody knows who will log in there: it has none. */
struct mm_server_finder;
int mm_server_finder_new(
    struct mm_store *s, int64_t revision, struct mm_server_finder **out, struct mm_err *err);
void mm_server_finder_free(struct mm_server_finder *f); /* NULL is allowed */
/* In `a`. A user whom the policy does not hold for has none. */
int mm_server_find(struct mm_server_finder *f, const struct mm_store_host *h, struct mm_arena *a,
    struct mm_host_servers *out, struct mm_err *err);

/* Sets the loads of all hosts of a rollout, and n_servers. */
int mm_rollout_loads(struct mm_rollout_state *st, struct mm_err *err);

#endif
