/*
 * SHA-256 (FIPS 180-4), HMAC-SHA-256 (RFC 2104), hexadecimal, base64
 * (RFC 4648, section 4), UUIDs from names (RFC 9562, section 5.5) and random
 * bytes, over OpenSSL's libcrypto.
 */
#ifndef MM_COMMON_DIGEST_H
#define MM_COMMON_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

#define MM_SHA256_LEN 32
#define MM_SHA256_HEX (2 * MM_SHA256_LEN + 1)

void mm_sha256(const void *p, size_t n, uint8_t out[MM_SHA256_LEN]);
void mm_sha256_hex(const void *p, size_t n, char out[MM_SHA256_HEX]); /* lower case */
void mm_hmac_sha256(const void *key, size_t keylen, const void *p, size_t n, uint8_t out[MM_SHA256_LEN]);
#define MM_SHA1_LEN 20
/* For formats of others that have nothing better (hashed known_hosts). */
void mm_hmac_sha1(const void *key, size_t keylen, const void *p, size_t n, uint8_t out[MM_SHA1_LEN]);

/* UUID version 5 of n bytes within a name space, which is a UUID itself in its
 * usual form (anything else is a bug). The same name gives the same UUID. */
#define MM_UUID_LEN 37
void mm_uuid5(const char *space, const void *name, size_t n, char out[MM_UUID_LEN]);

/* Incremental SHA-256. mm_sha256_end() frees the context. */
struct mm_sha256_ctx;
struct mm_sha256_ctx *mm_sha256_begin(void);
void mm_sha256_add(struct mm_sha256_ctx *c, const void *p, size_t n);
void mm_sha256_end(struct mm_sha256_ctx *c, uint8_t out[MM_SHA256_LEN]);

void mm_hex(const void *p, size_t n, char *out);  /* out: 2n+1 bytes */
int mm_unhex(const char *s, void *out, size_t n); /* exactly 2n hex digits, else -1 */
void mm_base64(const void *p, size_t n, struct mm_buf *out);
/* Strict: padding required, no blanks; -1 on anything else. Appends to out. */
int mm_unbase64(const char *s, size_t n, struct mm_buf *out);

void mm_random(void *p, size_t n); /* getrandom(2); cannot fail */
/* 128 random bits in hex: the form of request ids and report ids. */
#define MM_ID_LEN 33
void mm_random_id(char out[MM_ID_LEN]);
/* Equal, in time that does not depend on the contents. */
bool mm_equal_consttime(const void *a, const void *b, size_t n);

#endif
