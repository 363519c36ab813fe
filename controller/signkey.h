/*
 * The key that signs requests, checkpoints and exports: keys/sign.pem, whose
 * public part the store knows as that of the highest epoch.
 *
 * A rotation writes the new key as keys/sign-next.pem, then the store, then
 * gives it its name. The store decides: whoever comes in between, or after a
 * rotation that was killed, gives the key its name, or throws away what the
 * store never heard of.
 */
#ifndef MM_CONTROLLER_SIGNKEY_H
#define MM_CONTROLLER_SIGNKEY_H

#include "controller/cmd.h"
#include "controller/store/store_keys.h"

#define MM_SIGNKEY "keys/sign.pem"
#define MM_SIGNKEY_NEXT "keys/sign-next.pem"

/* The key in use; the store must be open. It lies apart, or is another: an
 * error (of a file: MM_EX_FAILED; another key: MM_EX_NOPERM). */
int mm_signkey_load(struct mm_ctl *c, struct mm_key **out, struct mm_err *err);
/* Only give the key that the store knows its name, if a rotation was killed before that. */
int mm_signkey_settle(struct mm_ctl *c, const char *id, struct mm_err *err);

struct mm_signkey_rotated {
	char key[MM_SHA256_HEX], former[MM_SHA256_HEX];
	int64_t epoch;
};
/* A new key takes the place of the one in use, which signs for it; without
 * `compromised` the private part of that must be here. The former private key
 * is gone from the state folder afterwards. After kill -9 at any point either
 * key is in use, and the next mm_signkey_load() finds it. */
int mm_signkey_rotate(struct mm_ctl *c, bool compromised, struct mm_signkey_rotated *out, struct mm_err *err);

#endif
