/*
 * Rotation: one signing key of the controller takes the place of another. The
 * former key signs a statement that names the new one, and the new one signs
 * the same statement, so that each of them leads to the other:
 *
 *   mailmuster-key-1
 *   fleet 0f...            (32 hex digits)
 *   epoch 2                of the requests that the new key signs
 *   time 1790000000
 *   former 71...           (mm_key_id())
 *   key ab...              (mm_key_id())
 *
 * Each line ends with a newline. Statements travel beside a request, as the
 * member "rotations" of its envelope, oldest first; what they say stands on
 * their own signatures. A program of protocol 1.2 or older does not look at
 * them, and finds no key that it trusts.
 */
#ifndef MM_SCHEMAS_ROTATION_H
#define MM_SCHEMAS_ROTATION_H

#include <jansson.h>

#include "schemas/seal.h"
#include "schemas/signing.h"

#define MM_ROTATIONS_MAX 64 /* in one envelope: a host that has missed more has to be enrolled anew */

struct mm_rotation {
	char fleet[MM_ID_LEN];
	int64_t epoch, time;
	char former[MM_SHA256_HEX];
	char key[MM_SHA256_HEX];
	unsigned char public[MM_KEY_RAW];  /* of the new key */
	unsigned char sig[MM_SIGNATURE];   /* by the former key */
	unsigned char proof[MM_SIGNATURE]; /* by the new one */
};

void mm_rotation_statement(const struct mm_rotation *r, struct mm_buf *out);
/* `r` comes with fleet, epoch and time; the rest is set. */
int mm_rotation_sign(
    struct mm_rotation *r, const struct mm_key *former, const struct mm_key *fresh, struct mm_err *err);
/* Has `former` signed it, and the new key, too? The new key is the caller's
 * then. -1 with MM_EX_NOPERM: it does not hold. */
int mm_rotation_verify(
    const struct mm_rotation *r, const struct mm_key *former, struct mm_key **fresh, struct mm_err *err);

/* {"fleet":..., "epoch":..., "time":..., "former":..., "key":..., "public": base64, "sig": base64,
 * "proof": base64}; reading checks form only */
json_t *mm_rotation_json(const struct mm_rotation *r);
int mm_rotation_read(const json_t *o, struct mm_rotation *out, struct mm_err *err);
/* The same on one line of text. */
int mm_rotation_decode(const char *json, size_t n, struct mm_rotation *out, struct mm_err *err);
/* Is what another process of ours handed over as bytes in the form that mm_rotation_read() gives? */
bool mm_rotation_well_formed(const struct mm_rotation *r);

#endif
