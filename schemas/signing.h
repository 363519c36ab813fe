/*
 * Signing: Ed25519 keys (RFC 8032) and DSSE envelopes (Dead Simple Signing
 * Envelope, v1: payload and payload type are signed as
 * "DSSEv1 LEN(type) type LEN(payload) payload").
 *
 * Keys lie in PEM files (PKCS#8 private 0600, SubjectPublicKeyInfo public), as
 * openssl writes them. A key's id is the SHA-256 of its DER public key in
 * hex. Verification is done over the exact payload bytes, before anything in
 * them is parsed.
 */
#ifndef MM_SCHEMAS_SIGNING_H
#define MM_SCHEMAS_SIGNING_H

#include <stddef.h>

#include "common/buf.h"
#include "common/digest.h"
#include "common/err.h"

#define MM_REQUEST_TYPE "application/vnd.mailmuster.request.v1+json"
#define MM_SIGNATURES_MAX 8
#define MM_KEYS_MAX 16

struct mm_key;      /* private or public Ed25519 key */
struct mm_rotation; /* schemas/rotation.h */

int mm_key_generate(struct mm_key **out, struct mm_err *err);
int mm_key_load_private(
    const char *path, struct mm_key **out, struct mm_err *err); /* refuses a file that others can read */
int mm_key_load_public(const char *path, struct mm_key **out, struct mm_err *err);
int mm_key_from_public_pem(const char *pem, size_t n, struct mm_key **out, struct mm_err *err);
int mm_key_save_private(
    const struct mm_key *k, const char *path, struct mm_err *err); /* 0600, never over an existing file */
int mm_key_public_pem(const struct mm_key *k, struct mm_buf *out, struct mm_err *err);
/* From the bare numbers (RFC 8032, 5.1.5), as SSH key files hold them. */
#define MM_KEY_RAW 32
int mm_key_from_seed(const unsigned char seed[MM_KEY_RAW], struct mm_key **out, struct mm_err *err);
int mm_key_from_public_raw(const unsigned char raw[MM_KEY_RAW], struct mm_key **out, struct mm_err *err);
void mm_key_public_raw(const struct mm_key *k, unsigned char out[MM_KEY_RAW]);
const char *mm_key_id(const struct mm_key *k); /* hex, owned by the key */
void mm_key_free(struct mm_key *k);

/* Append the JSON envelope to `out`; one that exceeds its limit is an error. */
int mm_envelope_sign(const char *type, const void *payload, size_t n, const struct mm_key *k,
    struct mm_buf *out, struct mm_err *err);
/* The same with rotations beside it: a JSON array of mm_rotation_json() as text; NULL = none. */
int mm_envelope_sign_with(const char *type, const void *payload, size_t n, const struct mm_key *k,
    const char *rotations, struct mm_buf *out, struct mm_err *err);
/* Decode only: type, payload, signatures and rotations, with limits; nothing is trusted.
 * This is what runs in the child without rights. */
struct mm_envelope_raw {
	struct mm_buf type;
	struct mm_buf payload;
	size_t n;
	struct {
		char keyid[MM_SHA256_HEX];
		unsigned char sig[64];
	} sigs[MM_SIGNATURES_MAX];
	struct mm_rotation *rotations; /* as they came; NULL = none */
	size_t n_rotations;
};
int mm_envelope_decode(const char *json, size_t n, struct mm_envelope_raw *out, struct mm_err *err);
void mm_envelope_raw_free(struct mm_envelope_raw *raw);
/* Verify against trusted keys: one good signature suffices. Of several that
 * name the same key only the first is looked at; the type must be `want_type`. On success *keyid
 * (MM_SHA256_HEX) names the key. Error code is MM_EX_NOPERM. */
int mm_envelope_verify(const struct mm_envelope_raw *raw, const char *want_type,
    struct mm_key *const *trusted, size_t n_trusted, char keyid[MM_SHA256_HEX], struct mm_err *err);

/* A bare signature over bytes (reports, checkpoints). sig: 64 bytes. */
int mm_sign(const struct mm_key *k, const void *p, size_t n, unsigned char sig[64], struct mm_err *err);
int mm_verify(
    const struct mm_key *k, const void *p, size_t n, const unsigned char sig[64], struct mm_err *err);

#endif
