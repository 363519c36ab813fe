/*
 * SSH public keys: parsing, fingerprints, and which algorithms a pinned key
 * lets us ask for.
 *
 * A key in text is "TYPE BASE64 [comment]", as in known_hosts,
 * authorized_keys and *.pub (sshd(8), AUTHORIZED_KEYS FILE FORMAT). A blob
 * begins with its type as an SSH string (RFC 4253, 6.6). Keys are compared
 * byte for byte.
 */
#ifndef MM_PUSH_SSHKEY_H
#define MM_PUSH_SSHKEY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/mem.h"

#define MM_SSHKEY_BLOB_MAX 4096 /* bytes; a 16384 bit RSA key has 2071 */
#define MM_SSHKEYS_MAX 8        /* pinned keys of one host */
#define MM_FINGERPRINT_MAX 64   /* "SHA256:" and 43 letters, with room */

struct mm_sshkey {
	const char *type; /* "ssh-ed25519" */
	const unsigned char *blob;
	size_t len;
};

/* Parse "TYPE BASE64 [comment]" into memory of `a`. Unknown types, a type
 * that is not the blob's, and certificates are errors (MM_EX_DATAERR). */
int mm_sshkey_parse(const char *text, struct mm_arena *a, struct mm_sshkey *out, struct mm_err *err);
/* From a blob, which is copied into `a`. */
int mm_sshkey_from_blob(
    const void *blob, size_t len, struct mm_arena *a, struct mm_sshkey *out, struct mm_err *err);
/* Append "TYPE BASE64". */
void mm_sshkey_text(const struct mm_sshkey *k, struct mm_buf *out);
/* As `ssh-keygen -l` prints it: SHA256 in base64 without padding. */
void mm_sshkey_fingerprint(const void *blob, size_t len, char out[MM_FINGERPRINT_MAX]);
/* Which of the pinned keys is this, from 1; 0 = none of them. */
unsigned mm_sshkey_pinned(const struct mm_sshkey *keys, size_t n, const void *blob, size_t len);

/* Append the host key algorithms to ask for, comma-separated, so that the
 * host shows a key of a pinned type: for libssh2 (which knows no rsa-sha2)
 * or for the system's ssh. Without keys: everything that is acceptable. */
void mm_sshkey_algorithms(const struct mm_sshkey *keys, size_t n, bool for_libssh2, struct mm_buf *out);

#endif
