/* Typing mistakes: what is suggested, and above all what is not. */
#include "agent/probe/suggest.h"

#include "agent/probe/hints.h"
#include "agent/probe/lint.h"
#include "tests/lib/testutil.h"

static const struct mm_probe_known known[] = {
    {"imap", "imap.example.test", "tls", 993},
    {"pop3", "pop.example.test", "tls", 995},
    {"smtp", "smtp.example.test", "starttls", 587},
    {"imap", "imap.example.test", "starttls", 143},
};
#define N_KNOWN (sizeof(known) / sizeof(known[0]))

static const char *suggested(const char *typed, const char *domain, struct mm_suggestion *out)
{
	return mm_suggest_host(typed, known, N_KNOWN, domain, out) ? out->host : NULL;
}

static void expect(const char *typed, const char *wanted)
{
	struct mm_suggestion s;
	const char *host = suggested(typed, NULL, &s);
	if (host == NULL || strcmp(host, wanted) != 0)
		fail_msg("%s: %s instead of %s", typed, host != NULL ? host : "nothing", wanted);
	assert_non_null(s.known);
	assert_string_equal(s.known->host, wanted);
}

static void expect_none(const char *typed)
{
	struct mm_suggestion s;
	const char *host = suggested(typed, "example.test", &s);
	if (host != NULL)
		fail_msg("%s: %s instead of nothing", typed, host);
}

/* The sixteen of the measurement. */
static void test_sixteen(void **state)
{
	(void)state;
	expect("imao.example.test", "imap.example.test");
	expect("iamp.example.test", "imap.example.test");
	expect("imap.exm"
	       "aple.test",
	    "imap.example.test");
	expect("imap.examp"
	       "el.test",
	    "imap.example.test");
	expect("map.example.test", "imap.example.test");
	expect("pop3.example.test", "pop.example.test");
	expect("imaps://imap.example.test:993/", "imap.example.test");
	expect("imap,example.test", "imap.example.test");
	expect("imap.examp1e.test", "imap.example.test");
	expect("sm"
	       "pt.example.test",
	    "smtp.example.test");
	expect("imapp.example.test", "imap.example.test");
	expect("imap.example.tset", "imap.example.test");
	expect(" imap.example.test ", "imap.example.test");
	expect("imap.example.test.", "imap.example.test");
	expect("imap.example.test:993", "imap.example.test");
	expect("imapexample.test", "imap.example.test");
}

static void test_more(void **state)
{
	(void)state;
	expect("IMAP.EXAMPLE.TEST.", "imap.example.test");
	expect("alice@imap.example.test", "imap.example.test");
	expect("a@b@imap.example.test/INBOX", "imap.example.test");
	expect("imap", "imap.example.test");
	/* full-width letters and full stop; Cyrillic a */
	expect("\xef\xbd\x89\xef\xbd\x8d\xef\xbd\x81\xef\xbd\x90\xef\xbc\x8e"
	       "example.test",
	    "imap.example.test");
	expect("im\xd0\xb0p.ex\xd0\xb0mple.test", "imap.example.test");
	expect("imap\xe3\x80\x82"
	       "example.test",
	    "imap.example.test");
}

static void test_none(void **state)
{
	(void)state;
	static const char *const others[] = {"imap.example.test", "IMAP.example.test", "imap.gmail.com",
	    "imap.example.com", "imap.example.net", "imap.example.org", "mail.example.test",
	    "mx.example.test", "outlook.office365.com", "www.example.test", "localhost", "192.0.2.1",
	    "2001:db8::1", "", " ", "...", "://", "imap..example.test", "xn--80ak6aa92e.com", NULL};
	for (const char *const *h = others; *h != NULL; h++)
		expect_none(*h);
	struct mm_suggestion s;
	assert_false(mm_suggest_host(NULL, known, N_KNOWN, NULL, &s));
	assert_false(mm_suggest_host("imao.example.test", NULL, 0, NULL, &s));
}

/* The outgoing server's name is no mistyped incoming one. */
static void test_service_words(void **state)
{
	(void)state;
	static const struct mm_probe_known only[] = {{"imap", "imap.acme.example", "tls", 993}};
	struct mm_suggestion s;
	assert_false(mm_suggest_host("smtp.acme.example", only, 1, "acme.example", &s));
	assert_false(mm_suggest_host("mail.acme.example", only, 1, "acme.example", &s));
	assert_true(mm_suggest_host("map.acme.example", only, 1, "acme.example", &s));
}

static void test_two_equally_near(void **state)
{
	(void)state;
	static const struct mm_probe_known two[] = {
	    {"imap", "imap1.acme.example", "tls", 993}, {"imap", "imap2.acme.example", "tls", 993}};
	struct mm_suggestion s;
	assert_false(mm_suggest_host("imap.acme.example", two, 2, NULL, &s));
	assert_false(mm_suggest_host("imap", two, 2, NULL, &s));
	assert_true(mm_suggest_host("imap1.acme.exm"
				    "aple",
	    two, 2, NULL, &s));
	assert_string_equal(s.host, "imap1.acme.example");
}

static void test_standard_names(void **state)
{
	(void)state;
	struct mm_suggestion s;
	assert_string_equal(suggested("mali.example.test", "example.test", &s), "mail.example.test");
	assert_null(s.known);
	assert_string_equal(suggested("submis"
				      "ion.example.test",
				"example.test", &s),
	    "submission.example.test");
	assert_null(s.known);
	/* where both are as near, the policy's */
	assert_string_equal(suggested("imao.example.test", "example.test", &s), "imap.example.test");
	assert_ptr_equal(s.known, &known[0]);
	/* a standard name, but the policy has another */
	assert_string_equal(suggested("pop3.example.test", "example.test", &s), "pop.example.test");
	assert_ptr_equal(s.known, &known[1]);
	assert_null(suggested("mali.example.test", NULL, &s));
	assert_null(suggested("mali.example.com", "example.test", &s));
	assert_null(suggested("mali.example.test", "exa mple..test", &s));
}

static void test_limits(void **state)
{
	(void)state;
	struct mm_suggestion s;
	char long_name[2048];
	for (size_t n = 240; n < sizeof(long_name); n += 97) {
		memset(long_name, 'a', n);
		long_name[n] = '\0';
		assert_false(mm_suggest_host(long_name, known, N_KNOWN, long_name, &s));
	}
	struct mm_probe_known huge = {"imap", long_name, "tls", 993};
	assert_false(mm_suggest_host("imao.example.test", &huge, 1, NULL, &s));
	static const struct mm_probe_known tiny[] = {{"imap", "mx.ab.de", "tls", 993}};
	assert_false(mm_suggest_host("mx.cd.de", tiny, 1, NULL, &s));
	assert_false(mm_suggest_host("mx.ab.dk", tiny, 1, NULL, &s));
	assert_true(mm_suggest_host("mx.ab.ed", tiny, 1, NULL, &s));
}

static void test_domain(void **state)
{
	(void)state;
	struct mm_suggestion s;
	assert_true(mm_suggest_domain("alice@exm"
				      "aple.test",
	    known, N_KNOWN, &s));
	assert_string_equal(s.host, "example.test");
	assert_true(mm_suggest_domain("alice@example,test", known, N_KNOWN, &s));
	assert_string_equal(s.host, "example.test");
	assert_false(mm_suggest_domain("alice@example.test", known, N_KNOWN, &s));
	assert_false(mm_suggest_domain("alice@gmail.com", known, N_KNOWN, &s));
	assert_false(mm_suggest_domain("alice@other.test", known, N_KNOWN, &s));
	assert_false(mm_suggest_domain("alice", known, N_KNOWN, &s));
	assert_false(mm_suggest_domain(NULL, known, N_KNOWN, &s));
	assert_false(mm_suggest_domain("alice@", known, N_KNOWN, &s));
}

static void test_clean(void **state)
{
	(void)state;
	char out[MM_SUGGEST_MAX];
	assert_true(mm_host_clean("http://Alice:x@Imap,Example.Test:993/INBOX?a#b", out));
	assert_string_equal(out, "imap.example.test");
	assert_true(mm_host_clean("b\xc3\xbc"
				  "cher.example",
	    out));
	assert_string_equal(out, "xn--bcher-kva.example");
	assert_false(mm_host_clean("\xff\xfe", out));
	assert_false(mm_host_clean("a b", out) && strchr(out, ' ') != NULL);
}

static void test_username(void **state)
{
	(void)state;
	assert_non_null(strstr(mm_suggest_username("alice", "%{address}", NULL), "full address"));
	assert_non_null(strstr(mm_suggest_username("a@b.example", "%{login}", NULL), "without @"));
	assert_non_null(strstr(mm_suggest_username("a@b.example", "%{address.local}", NULL), "without @"));
	assert_null(mm_suggest_username("a@b.example", "%{login}@b.example", NULL));
	assert_null(mm_suggest_username("a@b.example", "%{address}", "a@b.example"));
	assert_non_null(strstr(mm_suggest_username("a", NULL, "a@b.example"), "full address"));
	assert_non_null(strstr(mm_suggest_username("a@c.example", NULL, "a@b.example"), "not the one"));
	assert_null(mm_suggest_username("A@B.example", NULL, "a@b.example"));
	assert_null(mm_suggest_username("zoe", NULL, "a@b.example"));
	assert_non_null(strstr(mm_suggest_username("alice ", NULL, NULL), "blank"));
	assert_null(mm_suggest_username("", "%{address}", "a@b.example"));
	assert_null(mm_suggest_username(NULL, NULL, NULL));
}

static void odd(const char *password, const char *word)
{
	const char *s = mm_password_oddity(password, strlen(password));
	assert_non_null(s);
	assert_non_null(strstr(s, word));
}

static void test_password(void **state)
{
	(void)state;
	odd("", "empty");
	odd("geheim ", "blank");
	odd(" geheim", "blank");
	odd("geheim\n", "line break");
	odd("geheim\r", "line break");
	odd("ge\theim", "control");
	odd("u\xcc\x88"
	    "ber",
	    "NFD");
	odd("\xc3\xbc"
	    "ber",
	    "outside ASCII");
	odd("\xfc"
	    "ber",
	    "UTF-8");
	odd("ge\xe2\x80\x8bheim", "invisible");
	assert_null(mm_password_oddity("correct horse", 13));
}

static void lints(const char *host, const char *wanted)
{
	struct mm_buf b = MM_BUF_INIT(2048);
	bool said = mm_lint_hostname(host, &b);
	if (wanted == NULL ? said : !said || strstr(mm_buf_str(&b), wanted) == NULL)
		fail_msg("%s: \"%s\"", host, mm_buf_str(&b));
	mm_buf_free(&b);
}

static void test_lint_hostname(void **state)
{
	(void)state;
	lints("imap,acme.example", "comma where a dot belongs; meant is perhaps imap.acme.example");
	lints("imaps://imap.acme.example", "scheme");
	lints("imap.acme.example:993", "port is part of it");
	lints("imap.acme.example ", "blank");
	lints("imap.acme.example.", "ends with a dot");
	lints("alice@acme.example", "@");
	lints("imap.acme.example/INBOX", "slash");
	lints("\xc3\xbc.example", "not ASCII; meant is perhaps xn--tda.example");
	lints("imap.acme.example", NULL);
	lints("2001:db8::1", NULL);
	lints("", NULL);
	lints("imap..example", NULL);
}

static void pair(const char *protocol, int port, const char *security, const char *wanted)
{
	struct mm_buf b = MM_BUF_INIT(2048);
	bool said = mm_lint_pair(protocol, port, security, &b);
	if (wanted == NULL ? said : !said || strstr(mm_buf_str(&b), wanted) == NULL)
		fail_msg("%s %d %s: \"%s\"", protocol, port, security, mm_buf_str(&b));
	mm_buf_free(&b);
}

static void test_lint_pair(void **state)
{
	(void)state;
	for (const struct mm_pair *p = mm_pairs; p->protocol != NULL; p++)
		pair(p->protocol, p->port, p->security, NULL);
	pair("imap", 993, "starttls",
	    "port 993 is for IMAP with TLS from the beginning; IMAP with STARTTLS is on port 143");
	pair("imap", 143, "tls", "IMAP with TLS from the beginning is on port 993");
	pair("smtp", 465, "starttls", "on port 587");
	pair("smtp", 587, "tls", "on port 465");
	pair("pop3", 993, "tls", "port 993 is for IMAP");
	pair("imap", 993, "none", "port 993 is for IMAP with TLS");
	pair("smtp", 25, "starttls", "between servers");
	pair("imap", 143, "none", NULL);
	pair("imap", 1143, "starttls", NULL);
	pair("smtp", 2525, "none", NULL);
}

static void hints(enum mm_cls cls, const struct mm_probe_task *t, const char *password, const char *want)
{
	struct mm_buf b = MM_BUF_INIT(4096);
	struct mm_secret *s = password != NULL ? mm_secret_new() : NULL;
	if (s != NULL)
		assert_int_equal(mm_secret_set(s, password, strlen(password), NULL), 0);
	mm_hints(cls, t, s, &b);
	assert_string_equal(mm_buf_str(&b), want);
	mm_secret_free(s);
	mm_buf_free(&b);
}

static void test_hints(void **state)
{
	(void)state;
	struct mm_probe_task t = mm_probe_task_none;
	t.protocol = "imap";
	t.host = "imap.example.test";
	t.port = 993;
	t.security = "starttls";
	t.known = known;
	t.n_known = N_KNOWN;
	hints(MM_CLS_NO_GREETING, &t, NULL,
	    "Port 993 is for IMAP with TLS from the beginning; IMAP with STARTTLS is on port 143. ");
	t.port = 143;
	hints(MM_CLS_CONN_REFUSED, &t, NULL, "");
	t.host = "imap,example.test";
	hints(MM_CLS_BAD_HOST_SYNTAX, &t, NULL,
	    "The server name: it holds a comma where a dot belongs; meant is perhaps imap.example.test. ");
	t.username = "alice";
	t.address = "alice@example.test";
	hints(MM_CLS_AUTH_REJECTED, &t, "geheim ",
	    "The user name is the address without its domain; many servers want the full address. "
	    "The password begins or ends with a blank. ");
	t.username = "alice@example.test";
	hints(MM_CLS_AUTH_REJECTED, &t, "geheim", "");
	hints(MM_CLS_AUTH_REJECTED, &t, NULL, "");
	t.sender = "alice@examp"
		   "el.test";
	hints(MM_CLS_SENDER_REJECTED, &t, NULL, "Is the domain of the address example.test? ");
	t.sender = NULL;
	hints(MM_CLS_RCPT_REJECTED, &t, NULL, "");
	for (int c = MM_CLS_NONE; c < MM_CLS_COUNT; c++)
		if (c != MM_CLS_BAD_HOST_SYNTAX)
			hints((enum mm_cls)c, &t, "geheim", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    MM_TEST(test_sixteen),
	    MM_TEST(test_more),
	    MM_TEST(test_none),
	    MM_TEST(test_service_words),
	    MM_TEST(test_two_equally_near),
	    MM_TEST(test_standard_names),
	    MM_TEST(test_limits),
	    MM_TEST(test_domain),
	    MM_TEST(test_clean),
	    MM_TEST(test_username),
	    MM_TEST(test_password),
	    MM_TEST(test_lint_hostname),
	    MM_TEST(test_lint_pair),
	    MM_TEST(test_hints),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
