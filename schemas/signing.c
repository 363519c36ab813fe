#include "schemas/signing.h"

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/frame.h"
#include "common/json.h"
#include "common/mem.h"
#include "schemas/wire.h"

#define PEM_FILE_MAX 8192 /* bytes; an Ed25519 key needs 119 */
#define PLAIN_MAX 64      /* of DER; it has 44 or 48 */

struct mm_key {
	EVP_PKEY *pkey;
	bool private;
	char id[MM_SHA256_HEX];
};

/* ---- keys */

/* What stands before the 32 bytes of an Ed25519 key in DER (RFC 8410, 4 and 7). */
static const unsigned char spki[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
static const unsigned char pkcs8[] = {
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};

/* The SHA-256 of the public half in DER. */
static void set_id(struct mm_key *k)
{
	unsigned char der[sizeof(spki) + MM_KEY_RAW];
	memcpy(der, spki, sizeof(spki));
	mm_key_public_raw(k, der + sizeof(spki));
	mm_sha256_hex(der, sizeof(der), k->id);
}

/* Takes the EVP_PKEY, also on failure. */
static int wrap(EVP_PKEY *pkey, bool private, struct mm_key **out, struct mm_err *err)
{
	if (pkey == NULL || EVP_PKEY_get_id(pkey) != EVP_PKEY_ED25519) {
		ERR_clear_error(); /* nobody else shall find our failure in this thread's queue */
		EVP_PKEY_free(pkey);
		return mm_err_set(
		    err, MM_EX_DATAERR, "not an Ed25519 %s key in PEM form", private ? "private" : "public");
	}
	struct mm_key *k = mm_xcalloc(1, sizeof(*k));
	k->pkey = pkey;
	k->private = private;
	set_id(k);
	*out = k;
	return 0;
}

int mm_key_generate(struct mm_key **out, struct mm_err *err)
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	if (pkey == NULL)
		return mm_err_set(err, MM_EX_FAILED, "cannot generate an Ed25519 key");
	return wrap(pkey, true, out, err);
}

int mm_key_from_seed(const unsigned char seed[MM_KEY_RAW], struct mm_key **out, struct mm_err *err)
{
	return wrap(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, MM_KEY_RAW), true, out, err);
}

int mm_key_from_public_raw(const unsigned char raw[MM_KEY_RAW], struct mm_key **out, struct mm_err *err)
{
	return wrap(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw, MM_KEY_RAW), false, out, err);
}

void mm_key_public_raw(const struct mm_key *k, unsigned char out[MM_KEY_RAW])
{
	size_t n = MM_KEY_RAW;
	if (EVP_PKEY_get_raw_public_key(k->pkey, out, &n) != 1)
		mm_oom();
}

/* A key with a passphrase is refused rather than asked about. */
static int no_passphrase(char *buf, int size, int rwflag, void *arg)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)arg;
	return -1;
}

/* The one form in which our programs write keys. */
static const struct plain {
	const char *begin, *end;
	const unsigned char *prefix;
	size_t n_prefix;
	EVP_PKEY *(*make)(int type, ENGINE *e, const unsigned char *raw, size_t n);
} plain_public = {"-----BEGIN PUBLIC KEY-----\n", "\n-----END PUBLIC KEY-----\n", spki, sizeof(spki),
    EVP_PKEY_new_raw_public_key},
  plain_private = {"-----BEGIN PRIVATE KEY-----\n", "\n-----END PRIVATE KEY-----\n", pkcs8, sizeof(pkcs8),
      EVP_PKEY_new_raw_private_key};

/* Without OpenSSL's decoders, which cost more than the start of a program:
 * every command that signs reads a key, and whoever verifies a hundred
 * thousand reports as many. NULL: it is of another form. */
static EVP_PKEY *read_plain(const struct plain *form, const char *pem, size_t n)
{
	const size_t begin = strlen(form->begin), end = strlen(form->end), want = form->n_prefix + MM_KEY_RAW;
	struct mm_buf der = MM_BUF_INIT(PLAIN_MAX);
	static const char room[PLAIN_MAX]; /* at once, as below */
	EVP_PKEY *pkey = NULL;
	mm_buf_add(&der, room, sizeof(room));
	mm_buf_reset(&der);
	if (n > begin + end && memcmp(pem, form->begin, begin) == 0 &&
	    memcmp(pem + n - end, form->end, end) == 0 &&
	    mm_unbase64(pem + begin, n - begin - end, &der) == 0 && der.len == want &&
	    memcmp(der.data, form->prefix, form->n_prefix) == 0)
		pkey = form->make(
		    EVP_PKEY_ED25519, NULL, (const unsigned char *)der.data + form->n_prefix, MM_KEY_RAW);
	explicit_bzero(der.data, der.cap);
	mm_buf_free(&der);
	return pkey;
}

static EVP_PKEY *read_private(const char *pem, size_t n)
{
	EVP_PKEY *pkey = read_plain(&plain_private, pem, n);
	if (pkey != NULL)
		return pkey;
	BIO *bio = BIO_new_mem_buf(pem, (int)n);
	if (bio == NULL)
		mm_oom();
	pkey = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	return pkey;
}

int mm_key_load_private(const char *path, struct mm_key **out, struct mm_err *err)
{
	struct mm_buf pem = MM_BUF_INIT(PEM_FILE_MAX);
	/* Room for the whole file at once: growing would leave copies of the
	 * key behind in freed memory. */
	static const char room[PEM_FILE_MAX];
	mm_buf_add(&pem, room, sizeof(room));
	mm_buf_reset(&pem);
	int rc = mm_file_read_own(path, PEM_FILE_MAX, true, &pem, err);
	if (rc == 0) {
		rc = wrap(read_private(mm_buf_str(&pem), pem.len), true, out, err);
		if (rc != 0)
			mm_err_prefix(err, "%s", path);
	}
	if (pem.data != NULL)
		explicit_bzero(pem.data, pem.cap);
	mm_buf_free(&pem);
	return rc;
}

int mm_key_from_public_pem(const char *pem, size_t n, struct mm_key **out, struct mm_err *err)
{
	if (n > PEM_FILE_MAX)
		return mm_err_set(err, MM_EX_DATAERR, "public key: more than %d bytes", PEM_FILE_MAX);
	EVP_PKEY *plain = read_plain(&plain_public, pem, n);
	if (plain != NULL)
		return wrap(plain, false, out, err);
	BIO *bio = BIO_new_mem_buf(pem, (int)n);
	if (bio == NULL)
		mm_oom();
	int rc = wrap(PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL), false, out, err);
	BIO_free(bio);
	return rc;
}

int mm_key_load_public(const char *path, struct mm_key **out, struct mm_err *err)
{
	struct mm_buf pem = MM_BUF_INIT(PEM_FILE_MAX);
	int rc = mm_file_read_own(path, PEM_FILE_MAX, false, &pem, err);
	if (rc == 0 && mm_key_from_public_pem(mm_buf_str(&pem), pem.len, out, err) != 0)
		rc = mm_err_prefix(err, "%s", path);
	mm_buf_free(&pem);
	return rc;
}

static int write_new(const char *path, const char *pem, size_t n, struct mm_err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return mm_err_sys(err, MM_EX_FAILED, "%s: cannot create the key file", path);
	int rc = mm_write_all(fd, pem, n, err);
	if (rc == 0 && fsync(fd) != 0)
		rc = mm_err_sys(err, MM_EX_FAILED, "%s", path);
	if (close(fd) != 0 && rc == 0)
		rc = mm_err_sys(err, MM_EX_FAILED, "%s", path);
	if (rc != 0)
		unlink(path);
	return rc;
}

int mm_key_save_private(const struct mm_key *k, const char *path, struct mm_err *err)
{
	if (!k->private)
		return mm_err_set(err, MM_EX_FAILED, "%s: only the public half of the key is here", path);
	BIO *bio = BIO_new(BIO_s_secmem());
	if (bio == NULL || PEM_write_bio_PKCS8PrivateKey(bio, k->pkey, NULL, NULL, 0, NULL, NULL) != 1)
		mm_oom();
	char *pem;
	long n = BIO_get_mem_data(bio, &pem);
	int rc = write_new(path, pem, (size_t)n, err);
	explicit_bzero(pem, (size_t)n);
	BIO_free(bio);
	return rc;
}

int mm_key_public_pem(const struct mm_key *k, struct mm_buf *out, struct mm_err *err)
{
	BIO *bio = BIO_new(BIO_s_mem());
	if (bio == NULL || PEM_write_bio_PUBKEY(bio, k->pkey) != 1)
		mm_oom();
	char *pem;
	long n = BIO_get_mem_data(bio, &pem);
	mm_buf_add(out, pem, (size_t)n);
	BIO_free(bio);
	return mm_buf_ok(out) ? 0 : mm_err_set(err, MM_EX_FAILED, "public key: no room");
}

const char *mm_key_id(const struct mm_key *k)
{
	return k->id;
}

void mm_key_free(struct mm_key *k)
{
	if (k == NULL)
		return;
	EVP_PKEY_free(k->pkey); /* OpenSSL wipes the private half */
	free(k);
}

/* ---- signatures */

int mm_sign(const struct mm_key *k, const void *p, size_t n, unsigned char sig[64], struct mm_err *err)
{
	if (!k->private)
		return mm_err_set(err, MM_EX_FAILED, "signing needs the private key %.16s...", k->id);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t len = 64;
	if (ctx == NULL)
		mm_oom();
	bool ok = EVP_DigestSignInit(ctx, NULL, NULL, NULL, k->pkey) == 1 &&
		  EVP_DigestSign(ctx, sig, &len, p, n) == 1 && len == 64;
	EVP_MD_CTX_free(ctx);
	return ok ? 0 : mm_err_set(err, MM_EX_FAILED, "signing with key %.16s... failed", k->id);
}

int mm_verify(
    const struct mm_key *k, const void *p, size_t n, const unsigned char sig[64], struct mm_err *err)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	if (ctx == NULL)
		mm_oom();
	bool ok = EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, k->pkey) == 1 &&
		  EVP_DigestVerify(ctx, sig, 64, p, n) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return ok ? 0 : mm_err_set(err, MM_EX_NOPERM, "signature by key %.16s... does not hold", k->id);
}
