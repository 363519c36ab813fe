#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/digest.h"
#include "common/file.h"
#include "common/frame.h"
#include "controller/push/identity.h"
#include "controller/push/sshbuf.h"
#include "schemas/signing.h"

#define LINE 70 /* letters of base64 a line, as ssh-keygen writes them */
#define ROOM 2048

static void put_public(struct mm_buf *b, const unsigned char pub[32])
{
	mm_ssh_put_text(b, "ssh-ed25519");
	mm_ssh_put_string(b, pub, 32);
}

/* OpenSSH's PROTOCOL.key, without encryption. */
static void put_file(
    struct mm_buf *out, const unsigned char seed[32], const unsigned char pub[32], const char *comment)
{
	static const char room[ROOM];
	struct mm_buf blob = MM_BUF_INIT(256), inner = MM_BUF_INIT(ROOM);
	unsigned char check[4], both[64];
	/* Room at once: growing would leave pieces of the key in freed memory. */
	mm_buf_add(&inner, room, sizeof(room));
	mm_buf_reset(&inner);
	put_public(&blob, pub);
	mm_random(check, sizeof(check));
	memcpy(both, seed, 32);
	memcpy(both + 32, pub, 32);
	mm_buf_add(&inner, check, 4);
	mm_buf_add(&inner, check, 4);
	put_public(&inner, pub);
	mm_ssh_put_string(&inner, both, sizeof(both));
	mm_ssh_put_text(&inner, comment);
	for (char pad = 1; inner.len % 8 != 0; pad++)
		mm_buf_addc(&inner, pad);
	mm_buf_add(out, "openssh-key-v1", sizeof("openssh-key-v1"));
	mm_ssh_put_text(out, "none");
	mm_ssh_put_text(out, "none");
	mm_ssh_put_text(out, "");
	mm_ssh_put_u32(out, 1);
	mm_ssh_put_string(out, blob.data, blob.len);
	mm_ssh_put_string(out, inner.data, inner.len);
	explicit_bzero(both, sizeof(both));
	if (inner.data != NULL)
		explicit_bzero(inner.data, inner.cap);
	mm_buf_free(&inner);
	mm_buf_free(&blob);
}

static void armour(const struct mm_buf *raw, struct mm_buf *out)
{
	struct mm_buf b64 = MM_BUF_INIT((size_t)2 * ROOM);
	mm_base64(raw->data, raw->len, &b64);
	mm_buf_adds(out, "-----BEGIN OPENSSH PRIVATE KEY-----\n");
	for (size_t i = 0; i < b64.len; i += LINE) {
		mm_buf_add(out, b64.data + i, b64.len - i < LINE ? b64.len - i : LINE);
		mm_buf_addc(out, '\n');
	}
	mm_buf_adds(out, "-----END OPENSSH PRIVATE KEY-----\n");
	if (b64.data != NULL)
		explicit_bzero(b64.data, b64.cap);
	mm_buf_free(&b64);
}

static int write_new(const char *path, const struct mm_buf *text, mode_t mode, struct mm_err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return mm_err_sys(err, MM_EX_FAILED, "%s: cannot create the key file", path);
	int rc = mm_buf_ok(text) ? mm_write_all(fd, text->data, text->len, err)
				 : mm_err_set(err, MM_EX_FAILED, "%s: the comment is too long", path);
	if (rc == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0))
		rc = mm_err_sys(err, MM_EX_FAILED, "%s", path);
	if (close(fd) < 0 && rc == 0)
		rc = mm_err_sys(err, MM_EX_FAILED, "%s", path);
	if (rc < 0)
		unlink(path);
	return rc;
}

static int write_public(
    const char *path, const unsigned char pub[32], const char *comment, struct mm_err *err)
{
	struct mm_buf blob = MM_BUF_INIT(256), text = MM_BUF_INIT(ROOM), name = MM_BUF_INIT(4096);
	put_public(&blob, pub);
	mm_buf_adds(&text, "ssh-ed25519 ");
	mm_base64(blob.data, blob.len, &text);
	mm_buf_addf(&text, " %s\n", comment);
	mm_buf_addf(&name, "%s.pub", path);
	int rc = write_new(mm_buf_str(&name), &text, 0644, err);
	mm_buf_free(&blob);
	mm_buf_free(&text);
	mm_buf_free(&name);
	return rc;
}

int mm_identity_create(const char *path, const char *comment, struct mm_err *err)
{
	unsigned char seed[MM_KEY_RAW], pub[MM_KEY_RAW];
	struct mm_key *k;
	mm_random(seed, sizeof(seed));
	if (mm_key_from_seed(seed, &k, err) < 0)
		return -1;
	mm_key_public_raw(k, pub);
	mm_key_free(k);
	struct mm_buf raw = MM_BUF_INIT(ROOM), text = MM_BUF_INIT((size_t)2 * ROOM);
	put_file(&raw, seed, pub, comment);
	armour(&raw, &text);
	int rc = write_new(path, &text, 0600, err);
	if (rc == 0 && (rc = write_public(path, pub, comment, err)) < 0)
		unlink(path);
	explicit_bzero(seed, sizeof(seed));
	if (raw.data != NULL)
		explicit_bzero(raw.data, raw.cap);
	if (text.data != NULL)
		explicit_bzero(text.data, text.cap);
	mm_buf_free(&raw);
	mm_buf_free(&text);
	return rc;
}
