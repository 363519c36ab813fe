/*
 * A wrong password is presented to a server once: of the logins of a run that
 * would say the same (host, user name, password) to any of its ports, one goes
 * first, and the others wait for what it is told. Was the password refused,
 * the others are made without it, and say so; was it taken, nobody waits any
 * more for that endpoint, and the next one goes, as it does where nothing was
 * presented at all. Internal to the engine.
 *
 * Mechanisms that do not show the password itself count for themselves: a
 * server that stores hashes refuses them with the right one. Tokens,
 * certificates and tickets are made for a service, and are nobody's guess.
 */
#ifndef MM_AGENT_PROBE_ONCE_H
#define MM_AGENT_PROBE_ONCE_H

#include "agent/probe/site.h"
#include "common/mem.h"
#include "common/secret.h"

/* Endpoints that are known to take a password; beyond it, one login after another. */
#define MM_ONCE_SITES 16

struct mm_once {
	const char *host, *username;
	const struct mm_secret *secret; /* only while tests are admitted */
	unsigned manner;
	const struct mm_test *first; /* whose answer is awaited; NULL: nobody's */
	const struct mm_site *taken[MM_ONCE_SITES];
	size_t n_taken;
	const struct mm_test *refused;
	struct mm_test *waiting, *last; /* next */
};

/* The one of this test, of all that are in `tree` (of tsearch(); its members
 * live in `mem`); NULL: nothing that could be guessed wrong. */
struct mm_once *mm_once_of(
    void **tree, struct mm_arena *mem, const struct mm_endpoint *ep, const struct mm_secret *secret);
void mm_once_end(void *tree);

/* May this test start? If not, it waits in its mm_once. If so, its endpoint
 * has no password any more where that was refused. */
bool mm_once_begin(struct mm_test *t);
/* What the running test was told so far, or, with `cls` and whether its login
 * held, in the end. True: those that wait are to be asked again;
 * mm_once_next() gives them. */
bool mm_once_look(struct mm_test *t);
bool mm_once_over(struct mm_test *t, enum mm_cls cls, bool held);
struct mm_test *mm_once_next(struct mm_once *o);

#endif
