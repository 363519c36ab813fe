#include "agent/probe/url.h"

#include "agent/probe/endpoint.h"
#include "common/text.h"
#include "tests/lib/testutil.h"

static int parse(const char *url, const char *security, struct mm_arena *a, struct mm_probe_task *t)
{
	struct mm_err err = MM_ERR_NONE;
	*t = mm_probe_task_none;
	int rc = mm_probe_url_parse(url, security, a, t, &err);
	if (rc != 0) {
		assert_int_equal(err.code, MM_EX_USAGE);
		assert_true(err.text[0] != '\0');
	}
	return rc;
}

static void test_good(void **state)
{
	(void)state;
	static const struct {
		const char *url, *protocol, *host;
		int port;
		const char *security, *user;
	} rows[] = {
	    {"imaps://alice@imap.acme.example", "imap", "imap.acme.example", 993, "tls", "alice"},
	    {"imap://imap.acme.example", "imap", "imap.acme.example", 143, "starttls", NULL},
	    {"pop3s://a@h:1995", "pop3", "h", 1995, "tls", "a"},
	    {"pop3://a@h/", "pop3", "h", 110, "starttls", "a"},
	    {"smtp://a@h", "smtp", "h", 587, "starttls", "a"},
	    {"smtps://a@h", "smtp", "h", 465, "tls", "a"},
	    {"submission://a@h", "smtp", "h", 587, "starttls", "a"},
	    {"submissions://a@h", "smtp", "h", 465, "tls", "a"},
	    {"smtp+starttls://a@h:587", "smtp", "h", 587, "starttls", "a"},
	    {"imaps://alice@acme.example@h", "imap", "h", 993, "tls", "alice@acme.example"},
	    {"imaps://alice%40acme.example@h", "imap", "h", 993, "tls", "alice@acme.example"},
	    {"imaps://a%20b%3a@[::1]:99", "imap", "::1", 99, "tls", "a b:"},
	    {"imaps://@h", "imap", "h", 993, "tls", NULL},
	    {"IMAPS://a@H", "imap", "H", 993, "tls", "a"},
	};
	struct mm_arena *a = mm_arena_new();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mm_probe_task t;
		assert_int_equal(parse(rows[i].url, NULL, a, &t), 0);
		assert_string_equal(t.protocol, rows[i].protocol);
		assert_string_equal(t.host, rows[i].host);
		assert_string_equal(t.security, rows[i].security);
		assert_int_equal(t.port, rows[i].port);
		assert_true(mm_streq(t.username, rows[i].user));
	}
	mm_arena_free(a);
}

static void test_security(void **state)
{
	(void)state;
	struct mm_arena *a = mm_arena_new();
	struct mm_probe_task t;
	assert_int_equal(parse("imap://h", "none", a, &t), 0);
	assert_string_equal(t.security, "none");
	assert_int_equal(t.port, 143);
	assert_int_equal(parse("imap://h", "tls", a, &t), 0);
	assert_int_equal(t.port, 993);
	assert_int_equal(parse("imaps://h", "tls", a, &t), 0);
	assert_int_equal(parse("imaps://h", "none", a, &t), -1);
	assert_int_equal(parse("smtp+starttls://h", "none", a, &t), -1);
	mm_arena_free(a);
}

static void test_bad(void **state)
{
	(void)state;
	static const char *const urls[] = {"", "imaps", "imaps:/h", "http://h", "imaps://", "imaps://a@",
	    "imaps://a:secret@h", "imaps://h:0", "imaps://h:65536", "imaps://h:4294967297", "imaps://h:x",
	    "imaps://h:", "imaps://[::1", "imaps://[::1]x", "imaps://a%0d@h", "imaps://a%@h", "imaps://a%4@h",
	    "imaps://a%zz@h", "imaps://a%00@h", "imaps://h/INBOX", "imaps://h:993/INBOX", "imaps://h?x",
	    NULL};
	struct mm_arena *a = mm_arena_new();
	struct mm_probe_task t;
	for (size_t i = 0; urls[i] != NULL; i++)
		assert_int_equal(parse(urls[i], NULL, a, &t), -1);
	char url[MM_URL_MAX + 20];
	memset(url, 'h', sizeof(url));
	memcpy(url, "imaps://", 8);
	url[MM_URL_MAX] = '\0';
	assert_int_equal(parse(url, NULL, a, &t), 0);
	url[MM_URL_MAX] = 'h';
	url[MM_URL_MAX + 1] = '\0';
	assert_int_equal(parse(url, NULL, a, &t), -1);
	mm_arena_free(a);
}

/* ---- what is refused before any network */

static const struct mm_probe_task good = {.level = MM_LEVEL_LOGIN,
    .protocol = "imap",
    .host = "imap.acme.example",
    .port = 993,
    .security = "tls",
    .auth = "password",
    .username = "alice",
    .secret = 0,
    .certificate = -1,
    .retrieve = -1,
    .tls_min = "1.3",
    .ca_file = "/etc/ca.pem",
    .pin = "sha256//AAAA"};

static enum mm_cls lint(const struct mm_probe_task *t, char *detail, size_t size)
{
	struct mm_endpoint ep;
	struct mm_buf b = MM_BUF_INIT(256);
	enum mm_cls c = mm_endpoint_lint(t, &ep, &b);
	assert_true(mm_buf_ok(&b));
	snprintf(detail, size, "%s", mm_buf_str(&b));
	mm_buf_free(&b);
	return c;
}

static void test_lint_good(void **state)
{
	(void)state;
	struct mm_endpoint ep;
	struct mm_buf b = MM_BUF_INIT(256);
	assert_int_equal(mm_endpoint_lint(&good, &ep, &b), MM_CLS_NONE);
	assert_int_equal(ep.mail, MM_MAIL_IMAP);
	assert_int_equal(ep.security, MM_SEC_TLS);
	assert_int_equal(ep.tls_min, 13);
	assert_true(ep.has_secret);
	assert_string_equal(ep.auth->word, "password");
	mm_buf_free(&b);
}

static void test_lint_host(void **state)
{
	(void)state;
	static const struct {
		const char *host, *detail;
	} rows[] = {
	    {"imap,acme.example", "',' at position 5"},
	    {"imap.acme.example:993", "':' at position 18"},
	    {"imap acme", "byte 0x20 at position 5"},
	    {"imap\r\nacme", "byte 0x0d at position 5"},
	    {"imäp", "byte 0xc3 at position 3"},
	    {"", "the server name is empty"},
	    {"-imap", "the parts between the dots are empty, too long, or begin or end with a hyphen"},
	};
	char detail[256];
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mm_probe_task t = good;
		t.host = rows[i].host;
		assert_int_equal(lint(&t, detail, sizeof(detail)), MM_CLS_BAD_HOST_SYNTAX);
		assert_string_equal(detail, rows[i].detail);
	}
}

static void test_lint_other(void **state)
{
	(void)state;
	char detail[256];
	struct mm_probe_task bad[9];
	for (size_t i = 0; i < 9; i++)
		bad[i] = good;
	bad[0].username = "alice\r\nQUIT";
	bad[1].ca_file = "ca.pem";
	bad[2].pin = "md5//x";
	bad[3].port = 0;
	bad[4].port = 65536;
	bad[5].tls_min = "1.1";
	bad[6].protocol = "nntp";
	bad[7].security = "maybe";
	bad[8].auth = "magic";
	for (size_t i = 0; i < 9; i++) {
		assert_int_equal(lint(&bad[i], detail, sizeof(detail)), MM_CLS_BAD_SETTINGS);
		assert_true(detail[0] != '\0');
	}
}

/* What people type first; the answer says what to type next. */
static void test_no_scheme(void **state)
{
	(void)state;
	static const struct {
		const char *typed, *said;
	} rows[] = {
	    {"imap.acme.example", "did you mean imaps://imap.acme.example?"},
	    {"acme.example", "did you mean imaps://acme.example?"},
	    {"pop3.acme.example", "did you mean pop3s://pop3.acme.example?"},
	    {"smtp.acme.example", "did you mean submissions://smtp.acme.example?"},
	    {"alice@acme.example", "--discover alice@acme.example"},
	    {"imap.acme.example:993", "wanted is SCHEME://"},
	    {"", "wanted is SCHEME://"},
	};
	struct mm_arena *a = mm_arena_new();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mm_probe_task t;
		struct mm_err err = MM_ERR_NONE;
		assert_int_equal(mm_probe_url_parse(rows[i].typed, NULL, a, &t, &err), -1);
		assert_int_equal(err.code, MM_EX_USAGE);
		if (strstr(err.text, rows[i].said) == NULL)
			fail_msg("%s: %s", rows[i].typed, err.text);
	}
	mm_arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    MM_TEST(test_good),
	    MM_TEST(test_security),
	    MM_TEST(test_bad),
	    MM_TEST(test_lint_good),
	    MM_TEST(test_lint_host),
	    MM_TEST(test_lint_other),
	    MM_TEST(test_no_scheme),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
