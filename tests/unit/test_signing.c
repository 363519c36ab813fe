/* Keys and envelopes. The fixed key is RFC 8032, 7.1, TEST 1; its id was
 * computed with openssl pkey -pubout -outform DER | sha256sum. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "common/frame.h"
#include "common/json.h"
#include "common/mem.h"
#include "schemas/signing.h"

#define SEED "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
#define PUBLIC "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
#define SIGNATURE                                                                                            \
	"e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"                                   \
	"5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
#define KEY_ID "06e3fd8fda29bb60ab59557de61edb0aecdb231134be30e75b455f8e1b792fa9"
#define PUBLIC_PEM                                                                                           \
	"-----BEGIN PUBLIC KEY-----\n"                                                                       \
	"MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"                                     \
	"-----END PUBLIC KEY-----\n"
#define ENCRYPTED_PEM                                                                                        \
	"-----BEGIN ENCRYPTED PRIVATE KEY-----\n"                                                            \
	"MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAj29fDILwXVgAICCAAw\n"                                 \
	"DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEH6dLmaP6K0mRmcQqxLBb4sEQERw\n"                                 \
	"ZWsviMfL7uztadaiqqtOiB3jf+rnuJBahIqjRUKebwvCUh3TT9yfTeKb3TEzNhPT\n"                                 \
	"xDNZc6tp/NpNvpnQ+3M=\n"                                                                             \
	"-----END ENCRYPTED PRIVATE KEY-----\n"
#define X25519_PEM                                                                                           \
	"-----BEGIN PRIVATE KEY-----\n"                                                                      \
	"MC4CAQAwBQYDK2VuBCIEIKAW9J/lpNoYLZKfyUHbSkZS9lYmn0PKmNFyLpSp6x11\n"                                 \
	"-----END PRIVATE KEY-----\n"

struct box {
	char dir[64];
	struct mm_key *key, *other;
};

static struct mm_key *generated(void)
{
	struct mm_key *k = NULL;
	struct mm_err err = MM_ERR_NONE;
	assert_int_equal(mm_key_generate(&k, &err), 0);
	return k;
}

static int setup(void **state)
{
	struct box *b = mm_xcalloc(1, sizeof(*b));
	unsigned char seed[MM_KEY_RAW];
	struct mm_err err = MM_ERR_NONE;
	memcpy(b->dir, "/tmp/mm-signing.XXXXXX", 23);
	assert_non_null(mkdtemp(b->dir));
	assert_int_equal(mm_unhex(SEED, seed, sizeof(seed)), 0);
	assert_int_equal(mm_key_from_seed(seed, &b->key, &err), 0);
	b->other = generated();
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct box *b = *state;
	mm_key_free(b->key);
	mm_key_free(b->other);
	rmdir(b->dir);
	free(b);
	return 0;
}

static char *path_in(const struct box *b, const char *name)
{
	struct mm_buf p = MM_BUF_INIT(256);
	mm_buf_addf(&p, "%s/%s", b->dir, name);
	char *path = mm_xstrdup(mm_buf_str(&p));
	mm_buf_free(&p);
	return path;
}

/* ---- keys */

static void known_key(void **state)
{
	struct box *b = *state;
	unsigned char raw[MM_KEY_RAW], sig[64], want[64];
	struct mm_err err = MM_ERR_NONE;
	char hex[2 * MM_KEY_RAW + 1];
	mm_key_public_raw(b->key, raw);
	mm_hex(raw, sizeof(raw), hex);
	assert_string_equal(hex, PUBLIC);
	assert_string_equal(mm_key_id(b->key), KEY_ID);
	assert_int_equal(mm_sign(b->key, "", 0, sig, &err), 0);
	assert_int_equal(mm_unhex(SIGNATURE, want, sizeof(want)), 0);
	assert_memory_equal(sig, want, sizeof(sig));
	assert_int_equal(mm_verify(b->key, "", 0, want, &err), 0);
	struct mm_buf pem = MM_BUF_INIT(1024);
	assert_int_equal(mm_key_public_pem(b->key, &pem, &err), 0);
	assert_string_equal(mm_buf_str(&pem), PUBLIC_PEM);
	mm_buf_free(&pem);
}

static void public_half(void **state)
{
	struct box *b = *state;
	struct mm_key *k = NULL;
	unsigned char sig[64];
	struct mm_err err = MM_ERR_NONE;
	assert_int_equal(mm_key_from_public_pem(PUBLIC_PEM, strlen(PUBLIC_PEM), &k, &err), 0);
	assert_string_equal(mm_key_id(k), mm_key_id(b->key));
	assert_int_equal(mm_sign(b->key, "abc", 3, sig, &err), 0);
	assert_int_equal(mm_verify(k, "abc", 3, sig, &err), 0);
	assert_int_equal(mm_sign(k, "abc", 3, sig, &err), -1);
	assert_int_equal(err.code, MM_EX_FAILED);
	struct mm_buf none = MM_BUF_INIT(4096);
	assert_int_equal(mm_envelope_sign("t", "abc", 3, k, &none, &err), -1);
	assert_int_equal(none.len, 0);
	char *path = path_in(b, "key");
	assert_int_equal(mm_key_save_private(k, path, &err), -1);
	assert_int_equal(access(path, F_OK), -1);
	free(path);
	mm_key_free(k);
}

static void verify_refuses(void **state)
{
	struct box *b = *state;
	unsigned char sig[64];
	struct mm_err err = MM_ERR_NONE;
	assert_int_equal(mm_sign(b->key, "abc", 3, sig, &err), 0);
	assert_int_equal(mm_verify(b->other, "abc", 3, sig, &err), -1);
	assert_int_equal(err.code, MM_EX_NOPERM);
	assert_int_equal(mm_verify(b->key, "abd", 3, sig, &err), -1);
	assert_int_equal(mm_verify(b->key, "abc", 2, sig, &err), -1);
	sig[63] ^= 1;
	assert_int_equal(mm_verify(b->key, "abc", 3, sig, &err), -1);
}

static void private_file(void **state)
{
	struct box *b = *state;
	struct mm_err err = MM_ERR_NONE;
	struct mm_key *again = NULL;
	struct stat st;
	char *path = path_in(b, "key");
	mode_t old = umask(0);
	assert_int_equal(mm_key_save_private(b->other, path, &err), 0);
	umask(old);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(mm_key_load_private(path, &again, &err), 0);
	assert_string_equal(mm_key_id(again), mm_key_id(b->other));
	unsigned char sig[64];
	assert_int_equal(mm_sign(again, "x", 1, sig, &err), 0);
	assert_int_equal(mm_verify(b->other, "x", 1, sig, &err), 0);
	mm_key_free(again);
	unlink(path);
	free(path);
}

static void never_over_an_existing_file(void **state)
{
	struct box *b = *state;
	struct mm_err err = MM_ERR_NONE;
	struct mm_key *again = NULL;
	char *path = path_in(b, "key"), *link = path_in(b, "link");
	assert_int_equal(mm_key_save_private(b->other, path, &err), 0);
	assert_int_equal(mm_key_save_private(b->key, path, &err), -1);
	assert_int_equal(err.code, MM_EX_FAILED);
	assert_int_equal(mm_key_load_private(path, &again, &err), 0);
	assert_string_equal(mm_key_id(again), mm_key_id(b->other));
	mm_key_free(again);
	unlink(path);
	/* nor through a dangling link */
	assert_int_equal(symlink("key", link), 0);
	assert_int_equal(mm_key_save_private(b->key, link, &err), -1);
	assert_int_equal(access(path, F_OK), -1);
	unlink(link);
	free(path);
	free(link);
}

static void private_file_that_others_can_read(void **state)
{
	struct box *b = *state;
	struct mm_err err = MM_ERR_NONE;
	struct mm_key *k = NULL;
	char *path = path_in(b, "key");
	assert_int_equal(mm_key_save_private(b->key, path, &err), 0);
	static const mode_t open_modes[] = {0640, 0604, 0660, 0610, 0601};
	for (size_t i = 0; i < sizeof(open_modes) / sizeof(*open_modes); i++) {
		assert_int_equal(chmod(path, open_modes[i]), 0);
		assert_int_equal(mm_key_load_private(path, &k, &err), -1);
		assert_non_null(strstr(err.text, path));
	}
	assert_int_equal(chmod(path, 0400), 0);
	assert_int_equal(mm_key_load_private(path, &k, &err), 0);
	mm_key_free(k);
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 12345, 12345), 0);
		assert_int_equal(mm_key_load_private(path, &k, &err), -1);
	}
	unlink(path);
	free(path);
}

static void load_text(const struct box *b, const char *text, size_t n, bool private, bool good)
{
	struct mm_err err = MM_ERR_NONE;
	struct mm_key *k = NULL;
	char *path = path_in(b, "file");
	assert_int_equal(mm_write_own(path, text, n, 0600, &err), 0);
	int rc = private ? mm_key_load_private(path, &k, &err) : mm_key_load_public(path, &k, &err);
	assert_int_equal(rc, good ? 0 : -1);
	if (!good)
		assert_non_null(strstr(err.text, path));
	mm_key_free(k);
	unlink(path);
	free(path);
}

/* OpenSSL's own reader takes more than the one form that we write: it is the same key. */
static void private_file_of_another_form(void **state)
{
	struct box *b = *state;
	struct mm_err err = MM_ERR_NONE;
	struct mm_buf text = MM_BUF_INIT(1024), changed = MM_BUF_INIT(1024);
	struct mm_key *again = NULL;
	unsigned char sig[64];
	char *path = path_in(b, "key");
	assert_int_equal(mm_key_save_private(b->other, path, &err), 0);
	assert_int_equal(mm_file_read_own(path, 1024, true, &text, &err), 0);
	mm_buf_addf(&changed, "of the fleet\n%s\n", mm_buf_str(&text));
	assert_int_equal(mm_write_own(path, changed.data, changed.len, 0600, &err), 0);
	assert_int_equal(mm_key_load_private(path, &again, &err), 0);
	assert_string_equal(mm_key_id(again), mm_key_id(b->other));
	assert_int_equal(mm_sign(again, "x", 1, sig, &err), 0);
	assert_int_equal(mm_verify(b->other, "x", 1, sig, &err), 0);
	mm_key_free(again);
	/* As long, but of another kind (Ed448). */
	char *at = strstr(text.data, "MC4CAQAwBQYDK2Vw");
	assert_non_null(at);
	at[15] = 'x';
	load_text(b, text.data, text.len, true, false);
	mm_buf_free(&text);
	mm_buf_free(&changed);
	unlink(path);
	free(path);
}

static void wrong_files(void **state)
{
	struct box *b = *state;
	static const char *const all[] = {"", "hello\n", ENCRYPTED_PEM, X25519_PEM,
	    "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n"};
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		load_text(b, all[i], strlen(all[i]), true, false);
		load_text(b, all[i], strlen(all[i]), false, false);
	}
	load_text(b, PUBLIC_PEM, strlen(PUBLIC_PEM), false, true);
	load_text(b, PUBLIC_PEM, strlen(PUBLIC_PEM), true, false);
	char *big = mm_xcalloc(8194, 1);
	memset(big, '\n', 8193);
	memcpy(big, PUBLIC_PEM, strlen(PUBLIC_PEM));
	load_text(b, big, 8192, false, true);
	load_text(b, big, 8193, false, false);
	struct mm_err err = MM_ERR_NONE;
	struct mm_key *k = NULL;
	assert_int_equal(mm_key_from_public_pem(big, 8193, &k, &err), -1);
	assert_int_equal(err.code, MM_EX_DATAERR);
	free(big);
	assert_int_equal(mm_key_load_private("/nonexistent/key", &k, &err), -1);
	mm_key_free(NULL);
}

/* ---- envelopes */

#define TYPE "text/x-test"

static char *sealed(const struct mm_key *k, const char *payload)
{
	struct mm_buf b = MM_BUF_INIT(MM_FRAME_MAX);
	struct mm_err err = MM_ERR_NONE;
	assert_int_equal(mm_envelope_sign(TYPE, payload, strlen(payload), k, &b, &err), 0);
	char *text = mm_xstrdup(mm_buf_str(&b));
	mm_buf_free(&b);
	return text;
}

static int open_envelope(
    const char *json, struct mm_key *const *trusted, size_t n, char keyid[MM_SHA256_HEX], struct mm_err *err)
{
	struct mm_envelope_raw raw;
	*err = MM_ERR_NONE;
	if (mm_envelope_decode(json, strlen(json), &raw, err) != 0)
		return -1;
	int rc = mm_envelope_verify(&raw, TYPE, trusted, n, keyid, err);
	mm_envelope_raw_free(&raw);
	return rc;
}

/* The envelope with one member replaced; takes the new value, frees the text. */
static char *with(char *json, const char *key, json_t *value)
{
	json_t *o = json_loads(json, 0, NULL);
	free(json);
	assert_non_null(o);
	if (value == NULL)
		json_object_del(o, key);
	else
		mm_json_set(o, key, value);
	struct mm_buf b = MM_BUF_INIT(4 * MM_FRAME_MAX);
	mm_json_dump(o, &b);
	json_decref(o);
	char *text = mm_xstrdup(mm_buf_str(&b));
	mm_buf_free(&b);
	return text;
}

static void envelope_round_trip(void **state)
{
	struct box *b = *state;
	struct mm_key *const trusted[] = {b->other, b->key};
	static const char *const payloads[] = {"", "x", "{\"a\":1}"};
	for (size_t i = 0; i < 3; i++) {
		char keyid[MM_SHA256_HEX] = "";
		struct mm_err err = MM_ERR_NONE;
		struct mm_envelope_raw raw;
		char *json = sealed(b->key, payloads[i]);
		assert_int_equal(mm_envelope_decode(json, strlen(json), &raw, &err), 0);
		assert_int_equal(raw.n, 1);
		assert_string_equal(mm_buf_str(&raw.type), TYPE);
		assert_string_equal(mm_buf_str(&raw.payload), payloads[i]);
		assert_int_equal(mm_envelope_verify(&raw, TYPE, trusted, 2, keyid, &err), 0);
		assert_string_equal(keyid, mm_key_id(b->key));
		mm_envelope_raw_free(&raw);
		free(json);
	}
}

/* What is signed is DSSE's PAE, written out here by hand. */
static void envelope_signs_the_pae(void **state)
{
	struct box *b = *state;
	struct mm_err err = MM_ERR_NONE;
	struct mm_envelope_raw raw;
	char *json = sealed(b->key, "hello");
	assert_int_equal(mm_envelope_decode(json, strlen(json), &raw, &err), 0);
	const char *pae = "DSSEv1 11 text/x-test 5 hello";
	assert_int_equal(mm_verify(b->key, pae, strlen(pae), raw.sigs[0].sig, &err), 0);
	mm_envelope_raw_free(&raw);
	free(json);
}

static void untrusted(void **state)
{
	struct box *b = *state;
	struct mm_key *const trusted[] = {b->other};
	char keyid[MM_SHA256_HEX] = "";
	struct mm_err err;
	char *json = sealed(b->key, "hello");
	assert_int_equal(open_envelope(json, trusted, 1, keyid, &err), -1);
	assert_int_equal(err.code, MM_EX_NOPERM);
	assert_int_equal(open_envelope(json, trusted, 0, keyid, &err), -1);
	assert_string_equal(keyid, "");
	free(json);
}

static void tampered(void **state)
{
	struct box *b = *state;
	struct mm_key *const trusted[] = {b->key};
	char keyid[MM_SHA256_HEX];
	struct mm_err err;
	char *json = with(sealed(b->key, "hello"), "payload", json_string("aGVsbG8h"));
	assert_int_equal(open_envelope(json, trusted, 1, keyid, &err), -1);
	assert_int_equal(err.code, MM_EX_NOPERM);
	free(json);
	/* the type is signed, too, and must be the expected one */
	json = with(sealed(b->key, "hello"), "payloadType", json_string("text/x-tesu"));
	assert_int_equal(open_envelope(json, trusted, 1, keyid, &err), -1);
	assert_int_equal(err.code, MM_EX_NOPERM);
	assert_non_null(strstr(err.text, "text/x-tesu"));
	free(json);
	struct mm_buf other = MM_BUF_INIT(4096);
	assert_int_equal(mm_envelope_sign("text/x-tesu", "hello", 5, b->key, &other, &err), 0);
	json = with(mm_xstrdup(mm_buf_str(&other)), "payloadType", json_string(TYPE));
	assert_int_equal(open_envelope(json, trusted, 1, keyid, &err), -1);
	assert_int_equal(err.code, MM_EX_NOPERM);
	mm_buf_free(&other);
	free(json);
}

/* A list of the signatures of several envelopes. */
static json_t *signatures_of(char *const *jsons, size_t n)
{
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++) {
		json_t *o = json_loads(jsons[i], 0, NULL);
		json_array_append(list, json_array_get(json_object_get(o, "signatures"), 0));
		json_decref(o);
	}
	return list;
}

static void several_signatures(void **state)
{
	struct box *b = *state;
	char keyid[MM_SHA256_HEX];
	struct mm_err err;
	struct mm_key *const trusted[] = {b->key};
	char *good = sealed(b->key, "hello"), *foreign = sealed(b->other, "hello"),
	     *stale = sealed(b->key, "old");
	char *mixed[] = {foreign, good}, *doubled[] = {stale, good};
	char *json = with(mm_xstrdup(good), "signatures", signatures_of(mixed, 2));
	assert_int_equal(open_envelope(json, trusted, 1, keyid, &err), 0);
	assert_string_equal(keyid, mm_key_id(b->key));
	free(json);
	json = with(mm_xstrdup(good), "signatures", signatures_of(doubled, 2));
	assert_int_equal(open_envelope(json, trusted, 1, keyid, &err), -1);
	free(json);
	char *many[MM_SIGNATURES_MAX + 1];
	for (size_t i = 0; i <= MM_SIGNATURES_MAX; i++)
		many[i] = i + 1 == MM_SIGNATURES_MAX ? good : foreign;
	json = with(mm_xstrdup(good), "signatures", signatures_of(many, MM_SIGNATURES_MAX));
	assert_int_equal(open_envelope(json, trusted, 1, keyid, &err), 0);
	free(json);
	json = with(mm_xstrdup(good), "signatures", signatures_of(many, MM_SIGNATURES_MAX + 1));
	assert_int_equal(open_envelope(json, trusted, 1, keyid, &err), -1);
	assert_int_equal(err.code, MM_EX_DATAERR);
	free(json);
	free(good);
	free(foreign);
	free(stale);
}

static json_t *signature(const char *keyid, const char *sig)
{
	json_t *one = json_object(), *list = json_array();
	mm_json_set_str(one, "keyid", keyid);
	mm_json_set_str(one, "sig", sig);
	json_array_append_new(list, one);
	return list;
}

#define A64 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define SIG64 A64 "AAAAAAAAAAAAAAAAAAAAAA=="
#define SIG65 A64 "AAAAAAAAAAAAAAAAAAAAAAA="
#define SIG63 A64 "AAAAAAAAAAAAAAAAAAAA"

static void malformed_envelopes(void **state)
{
	struct box *b = *state;
	struct member {
		const char *key;
		json_t *value;
	} all[] = {
	    {"payload", NULL},
	    {"payload", json_integer(1)},
	    {"payload", json_string("aGVsbG8")},
	    {"payload", json_string("aGVs bG8=")},
	    {"payload", json_string("aGVsbG8=\n")},
	    {"payload", json_string("-_==")},
	    {"payloadType", NULL},
	    {"payloadType", json_array()},
	    {"payloadType", json_string("a\nb")},
	    {"signatures", NULL},
	    {"signatures", json_array()},
	    {"signatures", json_object()},
	    {"signatures", json_pack("[i]", 1)},
	    {"signatures", signature(NULL, SIG64)},
	    {"signatures", signature(KEY_ID, NULL)},
	    {"signatures", signature("", SIG64)},
	    {"signatures", signature(KEY_ID "0", SIG64)},
	    {"signatures", signature(A64, SIG64)},
	    {"signatures", signature(KEY_ID, SIG63)},
	    {"signatures", signature(KEY_ID, SIG65)},
	    {"signatures", signature(KEY_ID, SIG64 "A")},
	    {"signatures", signature(KEY_ID, "")},
	};
	char keyid[MM_SHA256_HEX];
	struct mm_key *const trusted[] = {b->key};
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct mm_err err;
		char *json = with(sealed(b->key, "hello"), all[i].key, all[i].value);
		assert_int_equal(open_envelope(json, trusted, 1, keyid, &err), -1);
		if (err.code != MM_EX_DATAERR)
			fail_msg("%zu: %s: %s", i, json, err.text);
		free(json);
	}
	static const char *const broken[] = {
	    "", "[]", "{}", "{", "\"x\"", "{\"payload\":\"\",\"payload\":\"\"}"};
	for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
		struct mm_err err;
		assert_int_equal(open_envelope(broken[i], trusted, 1, keyid, &err), -1);
		assert_int_equal(err.code, MM_EX_DATAERR);
	}
	struct mm_err err;
	char *json = with(sealed(b->key, "hello"), "comment", json_string("DSSE says: ignore"));
	assert_int_equal(open_envelope(json, trusted, 1, keyid, &err), 0);
	free(json);
}

static void envelope_limits(void **state)
{
	struct box *b = *state;
	struct mm_err err = MM_ERR_NONE;
	struct mm_envelope_raw raw;
	size_t max = MM_FRAME_MAX / 4 * 3;
	char *payload = mm_xcalloc(max + 1, 1);
	struct mm_buf out = MM_BUF_INIT(MM_FRAME_MAX);
	/* fits what is signed, but in base64 no frame */
	assert_int_equal(mm_envelope_sign(TYPE, payload, max, b->key, &out, &err), -1);
	mm_buf_reset(&out);
	assert_int_equal(mm_envelope_sign(TYPE, payload, max + 1, b->key, &out, &err), -1);
	mm_buf_reset(&out);
	assert_int_equal(mm_envelope_sign(TYPE, payload, max - 512, b->key, &out, &err), 0);
	assert_int_equal(mm_envelope_decode(out.data, out.len, &raw, &err), 0);
	assert_int_equal(raw.payload.len, max - 512);
	mm_envelope_raw_free(&raw);
	/* the same, made longer than a frame by blanks behind it */
	struct mm_buf wide = MM_BUF_INIT(2 * MM_FRAME_MAX);
	mm_buf_add(&wide, out.data, out.len);
	while (wide.len < MM_FRAME_MAX)
		mm_buf_addc(&wide, ' ');
	assert_int_equal(mm_envelope_decode(wide.data, wide.len, &raw, &err), 0);
	mm_envelope_raw_free(&raw);
	mm_buf_addc(&wide, ' ');
	assert_int_equal(mm_envelope_decode(wide.data, wide.len, &raw, &err), -1);
	assert_int_equal(err.code, MM_EX_DATAERR);
	mm_buf_free(&wide);
	mm_buf_free(&out);
	free(payload);
	char type[258];
	memset(type, 't', 257);
	type[257] = '\0';
	struct mm_buf small = MM_BUF_INIT(8192);
	assert_int_equal(mm_envelope_sign(type, "x", 1, b->key, &small, &err), -1);
	char *json = with(sealed(b->key, "x"), "payloadType", json_string(type));
	assert_int_equal(mm_envelope_decode(json, strlen(json), &raw, &err), -1);
	free(json);
	mm_buf_free(&small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(known_key),
	    cmocka_unit_test(public_half),
	    cmocka_unit_test(verify_refuses),
	    cmocka_unit_test(private_file),
	    cmocka_unit_test(private_file_of_another_form),
	    cmocka_unit_test(never_over_an_existing_file),
	    cmocka_unit_test(private_file_that_others_can_read),
	    cmocka_unit_test(wrong_files),
	    cmocka_unit_test(envelope_round_trip),
	    cmocka_unit_test(envelope_signs_the_pae),
	    cmocka_unit_test(untrusted),
	    cmocka_unit_test(tampered),
	    cmocka_unit_test(several_signatures),
	    cmocka_unit_test(malformed_envelopes),
	    cmocka_unit_test(envelope_limits),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
