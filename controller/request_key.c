#include "controller/request_key.h"

int mm_request_key_take(
    struct mm_request_key *k, struct mm_store *s, const struct mm_key *key, struct mm_err *err)
{
	mm_buf_reset(&k->rotations);
	if (mm_store_key_in_use(s, key, &k->epoch, err) || mm_store_rotations(s, &k->rotations, err))
		return -1;
	k->key = key;
	return 0;
}

int mm_request_key_follow(struct mm_request_key *k, struct mm_store *s, int64_t epoch, struct mm_err *err)
{
	const struct mm_key *key = k->key;
	if (epoch == k->epoch)
		return 0;
	if (k->rekey != NULL && (key = k->rekey(k->ctx, err)) == NULL)
		return -1;
	return mm_request_key_take(k, s, key, err);
}

int mm_request_key_sign(
    const struct mm_request_key *k, const struct mm_buf *payload, struct mm_buf *out, struct mm_err *err)
{
	return mm_envelope_sign_with(MM_REQUEST_TYPE, payload->data, payload->len, k->key,
	    k->rotations.len > 0 ? mm_buf_str(&k->rotations) : NULL, out, err);
}
