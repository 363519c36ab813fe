#include "controller/push/sshkey.h"

#include <string.h>

#include "common/digest.h"
#include "common/text.h"
#include "controller/push/sshbuf.h"

/* Key types that we pin, and the signature algorithms that go with each:
 * RFC 8709, RFC 5656, RFC 8332. */
static const struct {
	const char *type;
	const char *libssh2; /* NULL: libssh2 1.10 cannot in any secure way */
	const char *ssh;
} types[] = {
    {"ssh-ed25519", "ssh-ed25519", "ssh-ed25519"},
    {"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"},
    {"ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384"},
    {"ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521"},
    {"ssh-rsa", NULL, "rsa-sha2-512,rsa-sha2-256"},
    {NULL, NULL, NULL},
};

static const char *known_type(const void *p, size_t n)
{
	for (size_t i = 0; types[i].type != NULL; i++)
		if (strlen(types[i].type) == n && memcmp(types[i].type, p, n) == 0)
			return types[i].type;
	return NULL;
}

int mm_sshkey_from_blob(
    const void *blob, size_t len, struct mm_arena *a, struct mm_sshkey *out, struct mm_err *err)
{
	struct mm_ssh_reader r = {blob, len};
	const unsigned char *t;
	size_t n;
	if (len > MM_SSHKEY_BLOB_MAX || mm_ssh_read_string(&r, &t, &n) < 0 || r.left == 0)
		return mm_err_set(err, MM_EX_DATAERR, "this is no SSH public key");
	const char *type = known_type(t, n);
	if (type == NULL)
		return mm_err_set(err, MM_EX_DATAERR, "SSH keys of type \"%.*s\" cannot be pinned",
		    (int)(n < 64 ? n : 64), (const char *)t);
	unsigned char *copy = mm_arena_alloc(a, len, 1);
	memcpy(copy, blob, len);
	*out = (struct mm_sshkey){type, copy, len};
	return 0;
}

int mm_sshkey_parse(const char *text, struct mm_arena *a, struct mm_sshkey *out, struct mm_err *err)
{
	size_t tn = strcspn(text, " \t");
	const char *b64 = text + tn + strspn(text + tn, " \t");
	size_t bn = strcspn(b64, " \t\r\n");
	if (tn == 0 || bn == 0)
		return mm_err_set(err, MM_EX_DATAERR, "an SSH public key is written \"TYPE BASE64\"");
	struct mm_buf raw = MM_BUF_INIT(MM_SSHKEY_BLOB_MAX);
	struct mm_sshkey k;
	int rc = mm_unbase64(b64, bn, &raw);
	if (rc < 0 || !mm_buf_ok(&raw))
		rc = mm_err_set(err, MM_EX_DATAERR, "the SSH public key is not valid base64, or too long");
	else
		rc = mm_sshkey_from_blob(raw.data, raw.len, a, &k, err);
	mm_buf_free(&raw);
	if (rc < 0)
		return -1;
	if (strlen(k.type) != tn || memcmp(k.type, text, tn) != 0)
		return mm_err_set(err, MM_EX_DATAERR, "the key says it is %s, but it is written as %.*s",
		    k.type, (int)(tn < 64 ? tn : 64), text);
	*out = k;
	return 0;
}

void mm_sshkey_text(const struct mm_sshkey *k, struct mm_buf *out)
{
	mm_buf_adds(out, k->type);
	mm_buf_addc(out, ' ');
	mm_base64(k->blob, k->len, out);
}

void mm_sshkey_fingerprint(const void *blob, size_t len, char out[MM_FINGERPRINT_MAX])
{
	uint8_t d[MM_SHA256_LEN];
	mm_sha256(blob, len, d);
	struct mm_buf b = MM_BUF_INIT(MM_FINGERPRINT_MAX - 1);
	mm_buf_adds(&b, "SHA256:");
	mm_base64(d, sizeof(d), &b);
	while (b.len > 0 && b.data[b.len - 1] == '=')
		b.data[--b.len] = '\0';
	memcpy(out, mm_buf_str(&b), b.len + 1);
	mm_buf_free(&b);
}

unsigned mm_sshkey_pinned(const struct mm_sshkey *keys, size_t n, const void *blob, size_t len)
{
	for (unsigned i = 0; i < n; i++)
		if (keys[i].len == len && memcmp(keys[i].blob, blob, len) == 0)
			return i + 1;
	return 0;
}

void mm_sshkey_algorithms(const struct mm_sshkey *keys, size_t n, bool for_libssh2, struct mm_buf *out)
{
	for (size_t t = 0; types[t].type != NULL; t++) {
		bool want = n == 0;
		for (size_t i = 0; i < n; i++)
			want = want || mm_streq(keys[i].type, types[t].type);
		const char *names = for_libssh2 ? types[t].libssh2 : types[t].ssh;
		if (!want || names == NULL)
			continue;
		if (out->len > 0)
			mm_buf_addc(out, ',');
		mm_buf_adds(out, names);
	}
}
