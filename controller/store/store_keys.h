/*
 * The controller's signing keys (keys.c): public parts, oldest epoch first,
 * each with the statement by which the one before has put it in its place.
 * Part of store.h's conventions.
 */
#ifndef MM_CONTROLLER_STORE_KEYS_H
#define MM_CONTROLLER_STORE_KEYS_H

#include "controller/store/store.h"
#include "schemas/rotation.h"

struct mm_store_key {
	const char *id;  /* mm_key_id() */
	const char *pem; /* public part */
	int64_t epoch;   /* of the requests that it signs; the highest is in use */
	int64_t added;
	/* The key before has signed for it (schemas/rotation.h); "" = the first
	 * key, or one in place of a key that was stolen or lost. */
	const char *former;
	const char *sig, *proof; /* base64 */
};
/* The next epoch, for which no key before has signed; "key.add" in the audit log. */
int mm_store_key_add(struct mm_store *s, const char *id, const char *pem, int64_t *epoch, struct mm_err *err);
/* The next epoch, in the place of `former`, which must be the key in use (else
 * MM_EX_NOPERM); "key.rotate" in the audit log. */
int mm_store_key_rotate(struct mm_store *s, const struct mm_key *former, const struct mm_key *fresh,
    struct mm_rotation *out, struct mm_err *err);
int mm_store_key_each(struct mm_store *s,
    int (*cb)(const struct mm_store_key *k, void *arg, struct mm_err *err), void *arg,
    struct mm_err *err); /* newest first */
int mm_store_key_current(
    struct mm_store *s, struct mm_arena *a, struct mm_store_key *out, struct mm_err *err); /* 1 = none */
/* Is this the key in use? -1 with MM_EX_NOPERM: another one is. Ask inside the
 * transaction that stores what it signs. `epoch` may be NULL. */
int mm_store_key_in_use(struct mm_store *s, const struct mm_key *k, int64_t *epoch, struct mm_err *err);
/* How many hosts hold settings of a request of this epoch. */
int mm_store_key_hosts(struct mm_store *s, int64_t epoch, int64_t *n, struct mm_err *err);
/* The statement as it stands in the store: what was changed there does not
 * verify. 1: nobody has signed for this key. `fleet`: mm_store_fleet_id(). */
int mm_store_key_rotation(const struct mm_store_key *k, const char *fleet, struct mm_rotation *out);
/* The statements that lead to the key in use, oldest first, as a JSON array:
 * for requests (mm_envelope_sign_with()). Empty text: there are none. */
int mm_store_rotations(struct mm_store *s, struct mm_buf *out, struct mm_err *err);

#endif
