#include "common/digest.h"

#include <assert.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/err.h"
#include "common/mem.h"

/* OpenSSL's digests fail only for want of memory. */
static void must(int ok)
{
	if (ok != 1)
		mm_oom();
}

/* EVP_sha256() stands for "whatever serves then", which OpenSSL looks up at
 * each use: for short texts that costs as much as the hashing. */
static const EVP_MD *sha256(void)
{
	static EVP_MD *found;
	if (found == NULL)
		found = EVP_MD_fetch(NULL, "SHA256", NULL);
	return found != NULL ? found : EVP_sha256();
}

void mm_sha256(const void *p, size_t n, uint8_t out[MM_SHA256_LEN])
{
	must(EVP_Digest(p, n, out, NULL, sha256(), NULL));
}

void mm_sha256_hex(const void *p, size_t n, char out[MM_SHA256_HEX])
{
	uint8_t d[MM_SHA256_LEN];
	mm_sha256(p, n, d);
	mm_hex(d, sizeof(d), out);
}

void mm_hmac_sha256(const void *key, size_t keylen, const void *p, size_t n, uint8_t out[MM_SHA256_LEN])
{
	assert(keylen <= 4096);
	/* A NULL key would mean "the key of before" to OpenSSL. */
	const void *k = keylen > 0 ? key : "";
	if (HMAC(EVP_sha256(), k, (int)keylen, p, n, out, NULL) == NULL)
		mm_oom();
}

void mm_hmac_sha1(const void *key, size_t keylen, const void *p, size_t n, uint8_t out[MM_SHA1_LEN])
{
	assert(keylen <= 4096);
	const void *k = keylen > 0 ? key : "";
	if (HMAC(EVP_sha1(), k, (int)keylen, p, n, out, NULL) == NULL)
		mm_oom();
}

/* The 32 digits of a UUID, wherever its hyphens stand. */
static void uuid_bytes(const char *text, uint8_t out[16])
{
	char digits[33];
	size_t n = 0;
	for (const char *p = text; *p != '\0' && n < 32; p++)
		if (*p != '-')
			digits[n++] = *p;
	digits[n] = '\0';
	int rc = mm_unhex(digits, out, 16);
	assert(rc == 0);
	(void)rc;
}

void mm_uuid5(const char *space, const void *name, size_t n, char out[MM_UUID_LEN])
{
	uint8_t b[MM_SHA1_LEN] = {0};
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	if (md == NULL)
		mm_oom();
	uuid_bytes(space, b);
	must(EVP_DigestInit_ex(md, EVP_sha1(), NULL));
	must(EVP_DigestUpdate(md, b, 16));
	must(EVP_DigestUpdate(md, name, n));
	must(EVP_DigestFinal_ex(md, b, NULL));
	EVP_MD_CTX_free(md);
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x50); /* version 5 */
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80); /* variant of RFC 9562 */
	char hex[33];
	mm_hex(b, 16, hex);
	snprintf(out, MM_UUID_LEN, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

struct mm_sha256_ctx {
	EVP_MD_CTX *md;
};

struct mm_sha256_ctx *mm_sha256_begin(void)
{
	struct mm_sha256_ctx *c = mm_xcalloc(1, sizeof(*c));
	c->md = EVP_MD_CTX_new();
	if (c->md == NULL)
		mm_oom();
	must(EVP_DigestInit_ex(c->md, sha256(), NULL));
	return c;
}

void mm_sha256_add(struct mm_sha256_ctx *c, const void *p, size_t n)
{
	must(EVP_DigestUpdate(c->md, p, n));
}

void mm_sha256_end(struct mm_sha256_ctx *c, uint8_t out[MM_SHA256_LEN])
{
	must(EVP_DigestFinal_ex(c->md, out, NULL));
	EVP_MD_CTX_free(c->md);
	free(c);
}

void mm_hex(const void *p, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *b = p;
	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[b[i] >> 4];
		out[2 * i + 1] = digits[b[i] & 15];
	}
	out[2 * n] = '\0';
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int mm_unhex(const char *s, void *out, size_t n)
{
	if (strlen(s) != 2 * n)
		return -1;
	/* All or nothing: out is touched only when every digit is right. */
	for (size_t i = 0; i < 2 * n; i++) {
		if (nibble(s[i]) < 0)
			return -1;
	}
	uint8_t *b = out;
	for (size_t i = 0; i < n; i++) {
		unsigned high = (unsigned)nibble(s[2 * i]), low = (unsigned)nibble(s[2 * i + 1]);
		b[i] = (uint8_t)((high << 4 | low) & 0xff);
	}
	return 0;
}

static const char b64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void mm_base64(const void *p, size_t n, struct mm_buf *out)
{
	const uint8_t *b = p;
	char text[1024];
	size_t len = 0;
	for (size_t i = 0; i < n; i += 3) {
		size_t k = n - i < 3 ? n - i : 3;
		uint32_t v = (uint32_t)b[i] << 16;
		if (k > 1)
			v |= (uint32_t)b[i + 1] << 8;
		if (k > 2)
			v |= b[i + 2];
		text[len++] = b64[v >> 18];
		text[len++] = b64[v >> 12 & 63];
		text[len++] = k > 1 ? b64[v >> 6 & 63] : '=';
		text[len++] = k > 2 ? b64[v & 63] : '=';
		if (len == sizeof(text) || i + 3 >= n) {
			mm_buf_add(out, text, len);
			len = 0;
		}
	}
}

static int sextet(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four characters, of which the last `pad` are '='. */
static int unquad(const char *s, size_t pad, struct mm_buf *out)
{
	uint32_t v = 0;
	for (size_t i = 0; i < 4; i++) {
		int d = i < 4 - pad ? sextet(s[i]) : 0;
		if (d < 0)
			return -1;
		v = v << 6 | (uint32_t)d;
	}
	/* One text, one encoding: bits that do not count must be zero. */
	if ((pad == 1 && (v & 0xff) != 0) || (pad == 2 && (v & 0xffff) != 0))
		return -1;
	char bytes[3] = {(char)(v >> 16), (char)(v >> 8 & 0xff), (char)(v & 0xff)};
	mm_buf_add(out, bytes, 3 - pad);
	return 0;
}

int mm_unbase64(const char *s, size_t n, struct mm_buf *out)
{
	if (n % 4 != 0)
		return -1;
	size_t before = out->len;
	for (size_t i = 0; i < n; i += 4) {
		size_t pad = 0;
		if (i + 4 == n && s[i + 3] == '=')
			pad = s[i + 2] == '=' ? 2 : 1;
		if (unquad(s + i, pad, out) < 0) {
			if (out->len > before) {
				out->len = before;
				out->data[before] = '\0';
			}
			return -1;
		}
	}
	return mm_buf_ok(out) ? 0 : -1;
}

void mm_random(void *p, size_t n)
{
	char *at = p;
	while (n > 0) {
		ssize_t got = getrandom(at, n, 0);
		if (got < 0) {
			/* Only a signal can come between; anything else is a system without randomness. */
			if (errno != EINTR)
				abort();
			continue;
		}
		at += got;
		n -= (size_t)got;
	}
}

void mm_random_id(char out[MM_ID_LEN])
{
	uint8_t b[16];
	mm_random(b, sizeof(b));
	mm_hex(b, sizeof(b), out);
}

bool mm_equal_consttime(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}
