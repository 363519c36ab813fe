/* SSH keys: blobs, fingerprints, algorithms, and key files of ssh-keygen's kind. */
#include "tests/lib/testutil.h"

#include "common/digest.h"
#include "common/mem.h"
#include "common/text.h"
#include "controller/push/identity.h"
#include "controller/push/sshbuf.h"
#include "controller/push/sshkey.h"
#include "schemas/signing.h"

/* Made with ssh-keygen; the fingerprints are those of ssh-keygen -l. */
#define ED_PUB "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDhgUb5qCcSGd9oRNBlWkrQpCDVbVhQS5VfNt1Lz9VfL"
#define EC_TYPE "ecdsa-sha2-nistp256"

static void blob_of(const char *type, struct mm_buf *b)
{
	mm_ssh_put_text(b, type);
	mm_ssh_put_string(b, "0123456789abcdef0123456789abcdef", 32);
}

static void test_parse_and_print(void **state)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_sshkey k;
	struct mm_err err = MM_ERR_NONE;
	struct mm_buf b = MM_BUF_INIT(1024);
	(void)state;
	assert_int_equal(mm_sshkey_parse(ED_PUB " a comment", a, &k, &err), 0);
	assert_string_equal(k.type, "ssh-ed25519");
	assert_int_equal(k.len, 51);
	mm_sshkey_text(&k, &b);
	assert_string_equal(mm_buf_str(&b), ED_PUB);
	mm_buf_free(&b);
	mm_arena_free(a);
}

static void test_bad_keys(void **state)
{
	static const char *const bad[] = {"", "ssh-ed25519", "ssh-ed25519 ", "ssh-ed25519 !!!!",
	    "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIDhgUb5qCcSGd9oRNBlWkrQpCDVbVhQS5VfNt1Lz9VfL", /* not its type */
	    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5", /* nothing behind the type */
	    "ssh-dss AAAAB3NzaC1kc3MAAAAEAAAAAQ==", "x AAAA"};
	struct mm_arena *a = mm_arena_new();
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct mm_sshkey k = {.type = "untouched"};
		struct mm_err err = MM_ERR_NONE;
		assert_int_equal(mm_sshkey_parse(bad[i], a, &k, &err), -1);
		assert_int_equal(err.code, MM_EX_DATAERR);
		assert_string_equal(k.type, "untouched");
	}
	mm_arena_free(a);
}

static void test_too_large(void **state)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_buf b = MM_BUF_INIT(MM_SSHKEY_BLOB_MAX + 64);
	struct mm_sshkey k;
	(void)state;
	mm_ssh_put_text(&b, "ssh-rsa");
	while (b.len < MM_SSHKEY_BLOB_MAX)
		mm_buf_addc(&b, 'x');
	assert_int_equal(mm_sshkey_from_blob(b.data, b.len, a, &k, NULL), 0);
	mm_buf_addc(&b, 'x');
	assert_int_equal(mm_sshkey_from_blob(b.data, b.len, a, &k, NULL), -1);
	mm_buf_free(&b);
	mm_arena_free(a);
}

static void test_fingerprint(void **state)
{
	char fp[MM_FINGERPRINT_MAX];
	(void)state;
	/* SHA-256 of nothing, as base64 without padding. */
	mm_sshkey_fingerprint("", 0, fp);
	assert_string_equal(fp, "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU");
}

static void test_pinned_is_byte_for_byte(void **state)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_buf b = MM_BUF_INIT(256);
	struct mm_sshkey k;
	(void)state;
	blob_of("ssh-ed25519", &b);
	assert_int_equal(mm_sshkey_from_blob(b.data, b.len, a, &k, NULL), 0);
	assert_int_equal(mm_sshkey_pinned(&k, 1, b.data, b.len), 1);
	assert_false(mm_sshkey_pinned(&k, 0, b.data, b.len));
	assert_false(mm_sshkey_pinned(&k, 1, b.data, b.len - 1));
	b.data[b.len - 1] ^= 1;
	assert_false(mm_sshkey_pinned(&k, 1, b.data, b.len));
	mm_buf_free(&b);
	mm_arena_free(a);
}

static void test_algorithms(void **state)
{
	struct mm_buf b = MM_BUF_INIT(512);
	const struct mm_sshkey keys[] = {{.type = "ssh-rsa"}, {.type = EC_TYPE}};
	(void)state;
	mm_sshkey_algorithms(keys, 2, true, &b);
	assert_string_equal(mm_buf_str(&b), EC_TYPE); /* no SHA-1 signature is asked for */
	mm_buf_reset(&b);
	mm_sshkey_algorithms(keys, 2, false, &b);
	assert_string_equal(mm_buf_str(&b), EC_TYPE ",rsa-sha2-512,rsa-sha2-256");
	mm_buf_reset(&b);
	mm_sshkey_algorithms(keys, 1, true, &b);
	assert_string_equal(mm_buf_str(&b), "");
	mm_sshkey_algorithms(NULL, 0, true, &b);
	assert_true(mm_starts_with(mm_buf_str(&b), "ssh-ed25519,"));
	mm_buf_free(&b);
}

static void test_reader_is_bounded(void **state)
{
	static const unsigned char cut[] = {0, 0, 0, 9, 'a', 'b'};
	struct mm_ssh_reader r = {cut, sizeof(cut)};
	const unsigned char *p;
	size_t n;
	unsigned u;
	(void)state;
	assert_int_equal(mm_ssh_read_string(&r, &p, &n), -1);
	r = (struct mm_ssh_reader){cut, 3};
	assert_int_equal(mm_ssh_read_u32(&r, &u), -1);
	struct mm_arena *a = mm_arena_new();
	static const unsigned char nul[] = {0, 0, 0, 2, 'a', 0};
	r = (struct mm_ssh_reader){nul, sizeof(nul)};
	assert_null(mm_ssh_read_text(&r, a));
	mm_arena_free(a);
}

/* ---- key files */

static char *read_file(const char *path, size_t *n)
{
	FILE *f = fopen(path, "re");
	assert_non_null(f);
	char *text = mm_xcalloc(1, 65536);
	*n = fread(text, 1, 65535, f);
	fclose(f);
	return text;
}

static void test_created_key_reads_back(void **state)
{
	const struct mm_test_dir dir = mm_test_mkdir();
	const char *path = mm_test_path(&dir, "id"), *pub_path = mm_test_path(&dir, "id.pub");
	(void)state;
	struct mm_err err = MM_ERR_NONE;
	struct mm_arena *a = mm_arena_new();
	struct mm_sshkey inside, beside;
	unsigned char seed[32], pub[32];
	struct mm_key *k;
	struct stat st;
	size_t n;
	assert_int_equal(mm_identity_create(path, "mailmuster", &err), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	char *text = read_file(path, &n);
	assert_int_equal(mm_identity_parse(text, n, seed, a, &inside, &err), 0);
	free(text);
	text = read_file(pub_path, &n);
	assert_int_equal(mm_sshkey_parse(text, a, &beside, &err), 0);
	free(text);
	assert_true(mm_sshkey_pinned(&inside, 1, beside.blob, beside.len));
	/* The seed is that of the public key. */
	assert_int_equal(mm_key_from_seed(seed, &k, &err), 0);
	mm_key_public_raw(k, pub);
	assert_memory_equal(inside.blob + inside.len - 32, pub, 32);
	mm_key_free(k);
	/* Never over an existing file. */
	assert_int_equal(mm_identity_create(path, "x", &err), -1);
	mm_arena_free(a);
	mm_test_rmdir(&dir);
}

static void check_parse(const char *text, int want)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_err err = MM_ERR_NONE;
	struct mm_sshkey pub;
	unsigned char seed[32];
	assert_int_equal(mm_identity_parse(text, strlen(text), seed, a, &pub, &err), want);
	if (want < 0)
		assert_int_equal(err.code, MM_EX_DATAERR);
	mm_arena_free(a);
}

static void test_other_texts_are_told_apart(void **state)
{
	(void)state;
	check_parse("", -1);
	check_parse("hello", -1);
	check_parse("-----BEGIN RSA PRIVATE KEY-----\nxx\n", 1);
	check_parse("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n", -1);
	check_parse("-----BEGIN OPENSSH PRIVATE KEY-----\n!!\n-----END OPENSSH PRIVATE KEY-----\n", -1);
	check_parse("-----BEGIN OPENSSH PRIVATE KEY-----\n", -1);
}

/* Every cut and every changed byte: an error or "not for us", never a seed
 * that does not belong to the public key. */
static void test_damaged_files(void **state)
{
	const struct mm_test_dir dir = mm_test_mkdir();
	const char *path = mm_test_path(&dir, "id");
	(void)state;
	struct mm_err err = MM_ERR_NONE;
	size_t n;
	assert_int_equal(mm_identity_create(path, "c", &err), 0);
	char *text = read_file(path, &n);
	for (size_t i = 0; i < n; i++) {
		struct mm_arena *a = mm_arena_new();
		struct mm_sshkey pub;
		unsigned char seed[32], raw[32];
		struct mm_key *k;
		(void)mm_identity_parse(text, i, seed, a, &pub, NULL);
		char kept = text[i];
		text[i] = kept == 'A' ? 'B' : 'A';
		if (mm_identity_parse(text, n, seed, a, &pub, NULL) == 0) {
			assert_int_equal(mm_key_from_seed(seed, &k, &err), 0);
			mm_key_public_raw(k, raw);
			mm_key_free(k);
			/* A changed seed must not go unnoticed. */
			assert_memory_equal(pub.blob + pub.len - 32, raw, 32);
		}
		text[i] = kept;
		mm_arena_free(a);
	}
	free(text);
	mm_test_rmdir(&dir);
}

static void test_load_refuses(void **state)
{
	const struct mm_test_dir dir = mm_test_mkdir();
	const char *path = mm_test_path(&dir, "id");
	(void)state;
	struct mm_identity *id;
	struct mm_err err = MM_ERR_NONE;
	assert_int_equal(mm_identity_load(path, &id, &err), -1);
	assert_int_equal(mm_identity_create(path, "c", &err), 0);
	assert_int_equal(mm_identity_load(path, &id, &err), 0);
	size_t n;
	assert_non_null(mm_identity_seed(id));
	assert_string_equal(mm_identity_file(id), path);
	assert_string_equal(mm_identity_agent(id), "");
	assert_non_null(mm_identity_keys(id, &n));
	assert_int_equal(n, 1);
	mm_identity_free(id);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(mm_identity_load(path, &id, &err), -1);
	mm_test_rmdir(&dir);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    MM_TEST(test_parse_and_print),
	    MM_TEST(test_bad_keys),
	    MM_TEST(test_too_large),
	    MM_TEST(test_fingerprint),
	    MM_TEST(test_pinned_is_byte_for_byte),
	    MM_TEST(test_algorithms),
	    MM_TEST(test_reader_is_bounded),
	    MM_TEST(test_created_key_reads_back),
	    MM_TEST(test_other_texts_are_told_apart),
	    MM_TEST(test_damaged_files),
	    MM_TEST(test_load_refuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
