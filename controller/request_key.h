/*
 * The key that signs requests, during one run: which one is in use may change
 * under way (key rotate), and with it what hosts need to know about it.
 */
#ifndef MM_CONTROLLER_REQUEST_KEY_H
#define MM_CONTROLLER_REQUEST_KEY_H

#include "controller/store/store_keys.h"

/* Whom to ask for the key that is in use now. NULL with *err: there is none. */
typedef const struct mm_key *mm_request_rekey(void *ctx, struct mm_err *err);

struct mm_request_key {
	const struct mm_key *key;
	int64_t epoch;           /* of it */
	struct mm_buf rotations; /* mm_store_rotations() */
	mm_request_rekey *rekey; /* NULL = nobody knows another one */
	void *ctx;
};

/* It must be in use. */
int mm_request_key_take(
    struct mm_request_key *k, struct mm_store *s, const struct mm_key *key, struct mm_err *err);
/* The one of this epoch, if need be another than before. */
int mm_request_key_follow(struct mm_request_key *k, struct mm_store *s, int64_t epoch, struct mm_err *err);
/* As mm_envelope_sign(), a request with what hosts need to know. */
int mm_request_key_sign(
    const struct mm_request_key *k, const struct mm_buf *payload, struct mm_buf *out, struct mm_err *err);

#endif
