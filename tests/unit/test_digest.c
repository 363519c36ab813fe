#include "common/digest.h"

#include "tests/lib/testutil.h"

/* FIPS 180-4's own examples. */
static void test_sha256(void **state)
{
	(void)state;
	char hex[MM_SHA256_HEX];
	mm_sha256_hex("abc", 3, hex);
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	mm_sha256_hex("", 0, hex);
	assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void test_sha256_in_pieces(void **state)
{
	(void)state;
	uint8_t whole[MM_SHA256_LEN], pieces[MM_SHA256_LEN];
	char hex[MM_SHA256_HEX];
	struct mm_sha256_ctx *c = mm_sha256_begin();
	char block[1000];
	memset(block, 'a', sizeof(block));
	for (int i = 0; i < 1000; i++)
		mm_sha256_add(c, block, sizeof(block));
	mm_sha256_end(c, pieces);
	mm_hex(pieces, sizeof(pieces), hex);
	assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	mm_sha256(block, sizeof(block), whole);
	c = mm_sha256_begin();
	mm_sha256_add(c, block, 1);
	mm_sha256_add(c, block, 0);
	mm_sha256_add(c, block, 999);
	mm_sha256_end(c, pieces);
	assert_memory_equal(whole, pieces, sizeof(whole));
}

static void check_hmac(const void *key, size_t keylen, const char *text, const char *want)
{
	uint8_t mac[MM_SHA256_LEN];
	char hex[MM_SHA256_HEX];
	mm_hmac_sha256(key, keylen, text, strlen(text), mac);
	mm_hex(mac, sizeof(mac), hex);
	assert_string_equal(hex, want);
}

/* RFC 4231, test cases 2 and 6, and an empty key. */
static void test_hmac(void **state)
{
	(void)state;
	char long_key[131];
	memset(long_key, 0xaa, sizeof(long_key));
	check_hmac("Jefe", 4, "what do ya want for nothing?",
	    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	check_hmac(long_key, sizeof(long_key), "Test Using Larger Than Block-Size Key - Hash Key First",
	    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	check_hmac(NULL, 0, "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

/* RFC 2202, test case 2. */
static void test_hmac_sha1(void **state)
{
	(void)state;
	uint8_t mac[MM_SHA1_LEN];
	char hex[2 * MM_SHA1_LEN + 1];
	mm_hmac_sha1("Jefe", 4, "what do ya want for nothing?", 28, mac);
	mm_hex(mac, sizeof(mac), hex);
	assert_string_equal(hex, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
}

static void test_hex(void **state)
{
	(void)state;
	uint8_t b[4] = {1, 2, 3, 4};
	char text[9];
	mm_hex("\x00\xff\x10\xab", 4, text);
	assert_string_equal(text, "00ff10ab");
	assert_int_equal(mm_unhex("00FF10ab", b, 4), 0);
	assert_memory_equal(b, "\x00\xff\x10\xab", 4);
	memset(b, 9, sizeof(b));
	assert_int_equal(mm_unhex("00ff10a", b, 4), -1);
	assert_int_equal(mm_unhex("00ff10abc", b, 4), -1);
	assert_int_equal(mm_unhex("00ff10ag", b, 4), -1);
	assert_int_equal(mm_unhex("00ff1 ab", b, 4), -1);
	assert_memory_equal(b, "\x09\x09\x09\x09", 4);
}

/* RFC 4648, section 10. */
static void test_base64(void **state)
{
	(void)state;
	static const char *const pairs[][2] = {{"", ""}, {"f", "Zg=="},
	    {"f"
	     "o",
		"Zm8="},
	    {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct mm_buf b = MM_BUF_INIT(100), back = MM_BUF_INIT(100);
		mm_base64(pairs[i][0], strlen(pairs[i][0]), &b);
		assert_string_equal(mm_buf_str(&b), pairs[i][1]);
		assert_int_equal(mm_unbase64(pairs[i][1], strlen(pairs[i][1]), &back), 0);
		assert_string_equal(mm_buf_str(&back), pairs[i][0]);
		mm_buf_free(&b);
		mm_buf_free(&back);
	}
}

static void test_base64_every_byte(void **state)
{
	(void)state;
	uint8_t all[256];
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (uint8_t)i;
	for (size_t n = 0; n <= sizeof(all); n++) {
		struct mm_buf b = MM_BUF_INIT(1000), back = MM_BUF_INIT(1000);
		mm_base64(all, n, &b);
		assert_int_equal(mm_unbase64(mm_buf_str(&b), b.len, &back), 0);
		assert_int_equal(back.len, n);
		if (n > 0)
			assert_memory_equal(back.data, all, n);
		mm_buf_free(&b);
		mm_buf_free(&back);
	}
}

static void test_base64_strict(void **state)
{
	(void)state;
	static const char *const wrong[] = {"Z", "Zg", "Zg=", "Zg==Zg==", "Zm9v\n", " Zg=", "Zm9-", "Zm_v",
	    "Zh==", "Zm9=", "====", "Z===", "Zg=a", "=Zg=", NULL};
	for (size_t i = 0; wrong[i] != NULL; i++) {
		struct mm_buf b = MM_BUF_INIT(100);
		mm_buf_adds(&b, "keep");
		if (mm_unbase64(wrong[i], strlen(wrong[i]), &b) == 0)
			fail_msg("taken: %s", wrong[i]);
		assert_string_equal(mm_buf_str(&b), "keep");
		mm_buf_free(&b);
	}
	struct mm_buf small = MM_BUF_INIT(2);
	assert_int_equal(mm_unbase64("Zm9v", 4, &small), -1);
	mm_buf_free(&small);
}

static void test_random(void **state)
{
	(void)state;
	char a[MM_ID_LEN], b[MM_ID_LEN];
	uint8_t raw[16];
	mm_random_id(a);
	mm_random_id(b);
	assert_string_not_equal(a, b);
	assert_int_equal(strlen(a), 32);
	assert_int_equal(mm_unhex(a, raw, sizeof(raw)), 0);
	mm_random(raw, 0);
}

static void test_equal(void **state)
{
	(void)state;
	assert_true(mm_equal_consttime("abc", "abd", 2));
	assert_false(mm_equal_consttime("abc", "abd", 3));
	assert_true(mm_equal_consttime("a", "b", 0));
}

/* RFC 9562, appendix A.4; the hyphens and the case of the name space do not matter. */
static void test_uuid5(void **state)
{
	(void)state;
	char u[MM_UUID_LEN];
	mm_uuid5("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "www.example.com", 15, u);
	assert_string_equal(u, "2ed6657d-e927-568b-95e1-2665a8aea6a2");
	mm_uuid5("6BA7B8109DAD11D180B400C04FD430C8", "www.example.com", 15, u);
	assert_string_equal(u, "2ed6657d-e927-568b-95e1-2665a8aea6a2");
	mm_uuid5(u, "www.example.com", 14, u);
	assert_string_not_equal(u, "2ed6657d-e927-568b-95e1-2665a8aea6a2");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    MM_TEST(test_sha256),
	    MM_TEST(test_sha256_in_pieces),
	    MM_TEST(test_hmac),
	    MM_TEST(test_hmac_sha1),
	    MM_TEST(test_hex),
	    MM_TEST(test_base64),
	    MM_TEST(test_base64_every_byte),
	    MM_TEST(test_base64_strict),
	    MM_TEST(test_uuid5),
	    MM_TEST(test_random),
	    MM_TEST(test_equal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
