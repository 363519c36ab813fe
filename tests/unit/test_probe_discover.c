/* What a domain publishes: parsed, judged, ordered, written down. */
#include "agent/probe/discover.h"

#include "agent/probe/autoconfig.h"
#include "common/json.h"
#include "tests/lib/testutil.h"

/* ---- SRV */

struct packet {
	unsigned char p[4096];
	size_t n;
};

static void put(struct packet *k, unsigned v, size_t bytes)
{
	while (bytes-- > 0)
		k->p[k->n++] = (unsigned char)(v >> (8 * bytes));
}

static void put_name(struct packet *k, const char *name)
{
	while (*name != '\0') {
		size_t n = strcspn(name, ".");
		put(k, (unsigned)n, 1);
		memcpy(k->p + k->n, name, n);
		k->n += n;
		name += name[n] == '.' ? n + 1 : n;
	}
	put(k, 0, 1);
}

/* An answer to a question of no name. */
static struct packet begin(unsigned flags, unsigned answers)
{
	struct packet k = {.n = 0};
	put(&k, 0x1234, 2);
	put(&k, flags, 2);
	put(&k, 0, 2);
	put(&k, answers, 2);
	put(&k, 0, 4);
	return k;
}

static void add_srv(struct packet *k, unsigned priority, unsigned weight, unsigned port, const char *target)
{
	put_name(k, "_imaps._tcp.acme.example");
	put(k, 33, 2);
	put(k, 1, 2);
	put(k, 300, 4);
	size_t at = k->n;
	put(k, 0, 2);
	put(k, priority, 2);
	put(k, weight, 2);
	put(k, port, 2);
	put_name(k, target);
	size_t len = k->n - at - 2;
	k->p[at] = (unsigned char)(len >> 8);
	k->p[at + 1] = (unsigned char)len;
}

static void test_srv(void **state)
{
	(void)state;
	struct mm_arena *a = mm_arena_new();
	struct mm_srv_answer got;
	struct mm_err err = MM_ERR_NONE;
	struct packet k = begin(0x8180, 5);
	add_srv(&k, 20, 0, 993, "third.acme.example");
	add_srv(&k, 10, 1, 993, "Second.ACME.example");
	add_srv(&k, 10, 9, 1993, "first.acme.example");
	add_srv(&k, 0, 0, 0, "port-zero.acme.example");
	add_srv(&k, 0, 0, 993, "no host name.example");
	assert_int_equal(mm_srv_parse(k.p, k.n, a, &got, &err), 0);
	assert_int_equal(got.n, 3);
	assert_string_equal(got.srv[0].host, "first.acme.example");
	assert_int_equal(got.srv[0].port, 1993);
	assert_string_equal(got.srv[1].host, "second.acme.example");
	assert_string_equal(got.srv[2].host, "third.acme.example");
	assert_int_equal(got.srv[2].priority, 20);
	assert_false(got.not_offered);
	assert_false(got.dnssec);
	mm_arena_free(a);
}

static void test_srv_dot_and_dnssec(void **state)
{
	(void)state;
	struct mm_arena *a = mm_arena_new();
	struct mm_srv_answer got;
	struct packet k = begin(0x81a0, 1); /* AD */
	add_srv(&k, 0, 0, 0, "");
	assert_int_equal(mm_srv_parse(k.p, k.n, a, &got, NULL), 0);
	assert_true(got.not_offered);
	assert_true(got.dnssec);
	k = begin(0x8180, 2);
	add_srv(&k, 0, 0, 0, "");
	add_srv(&k, 0, 0, 993, "imap.acme.example");
	assert_int_equal(mm_srv_parse(k.p, k.n, a, &got, NULL), 0);
	assert_false(got.not_offered);
	k = begin(0x8180, 0);
	assert_int_equal(mm_srv_parse(k.p, k.n, a, &got, NULL), 0);
	assert_int_equal(got.n, 0);
	assert_false(got.not_offered);
	mm_arena_free(a);
}

static void test_srv_limit(void **state)
{
	(void)state;
	struct mm_arena *a = mm_arena_new();
	struct mm_srv_answer got;
	struct packet k = begin(0x8180, MM_SRV_MAX + 4);
	for (unsigned i = 0; i < MM_SRV_MAX + 4; i++)
		add_srv(&k, i, 0, 993, "imap.acme.example");
	assert_int_equal(mm_srv_parse(k.p, k.n, a, &got, NULL), 0);
	assert_int_equal(got.n, MM_SRV_MAX);
	/* cut anywhere: an error, and nothing but one */
	for (size_t n = 0; n < k.n; n++) {
		struct mm_err err = MM_ERR_NONE;
		unsigned char *copy = malloc(n + 1);
		assert_non_null(copy);
		memcpy(copy, k.p, n);
		assert_int_equal(mm_srv_parse(copy, n, a, &got, &err), -1);
		assert_int_equal(err.code, MM_EX_DATAERR);
		free(copy);
	}
	assert_int_equal(mm_srv_parse(k.p, MM_SRV_ANSWER_MAX + 1, a, &got, NULL), -1);
	mm_arena_free(a);
}

/* ---- autoconfig */

struct world {
	struct mm_arena *mem;
	struct mm_discovery d;
};

static struct world world(const char *what)
{
	struct world w = {.mem = mm_arena_new()};
	struct mm_err err = MM_ERR_NONE;
	assert_int_equal(mm_discovery_begin(&w.d, what, w.mem, &err), 0);
	return w;
}

static int parse(struct world *w, const char *xml)
{
	struct mm_err err = MM_ERR_NONE;
	int rc = mm_autoconfig_parse(xml, strlen(xml), &w->d, &err);
	assert_int_equal(rc == 0 ? 0 : MM_EX_DATAERR, err.code);
	return rc;
}

static const char config[] =
    "<?xml version=\"1.0\"?><clientConfig version=\"1.1\"><emailProvider "
    "id=\"x\"><domain>acme.example</domain>"
    "<incomingServer type=\"imap\"><hostname> imap.%EMAILDOMAIN% </hostname><port>993</port>"
    "<socketType>SSL</socketType><username>%EMAILLOCALPART%@%EMAILDOMAIN%</username>"
    "<authentication>magic</authentication><authentication>OAuth2</authentication>"
    "<authentication>password-cleartext</authentication></incomingServer>"
    "<incomingServer type=\"exchange\"><hostname>ews.acme.example</hostname></incomingServer>"
    "<incomingServer type=\"pop3\"><hostname>pop.acme.example</hostname><port>110</port>"
    "<socketType>plain</socketType></incomingServer>"
    "<outgoingServer type=\"smtp\"><hostname>smtp.acme.example</hostname><port>587</port>"
    "<socketType>STARTTLS</socketType><username>100%</username></outgoingServer>"
    "<documentation url=\"x\"><descr>text</descr></documentation></emailProvider>"
    "<emailProvider id=\"second\"><incomingServer type=\"imap\"><hostname>evil.example</hostname>"
    "<port>993</port><socketType>SSL</socketType></incomingServer></emailProvider>"
    "<webMail><loginPage url=\"https://x\"/></webMail></clientConfig>";

static void test_autoconfig(void **state)
{
	(void)state;
	struct world w = world("alice@acme.example");
	assert_int_equal(parse(&w, config), 0);
	assert_int_equal(w.d.n, 2);
	assert_int_equal(w.d.refused_cleartext, 1);
	const struct mm_candidate *in = &w.d.list[0], *out = &w.d.list[1];
	assert_string_equal(in->host, "imap.acme.example");
	assert_int_equal(in->port, 993);
	assert_string_equal(in->security, "tls");
	assert_string_equal(in->username, "%{address.local}@%{address.domain}");
	assert_string_equal(in->auth, "xoauth2");
	assert_int_equal(in->found, MM_FOUND_AUTOCONFIG);
	assert_true(in->https);
	assert_string_equal(out->protocol, "smtp");
	assert_string_equal(out->security, "starttls");
	assert_string_equal(out->username, "100%%");
	mm_arena_free(w.mem);
	w = world("alice@acme.example");
	w.d.allow_cleartext = true;
	assert_int_equal(parse(&w, config), 0);
	assert_int_equal(w.d.n, 3);
	mm_arena_free(w.mem);
}

static void test_autoconfig_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"", "no xml", "<html></html>", "<clientConfig>",
	    "<clientConfig></other>", "<!DOCTYPE x [<!ENTITY a \"b\">]><clientConfig></clientConfig>",
	    "<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><clientConfig></clientConfig>",
	    "<clientConfig>&a;</clientConfig>",
	    "<clientConfig><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>", NULL};
	for (const char *const *x = bad; *x != NULL; x++) {
		struct world w = world("alice@acme.example");
		assert_int_equal(parse(&w, *x), -1);
		assert_int_equal(w.d.n, 0);
		mm_arena_free(w.mem);
	}
}

static int parse_field(struct world *w, const char *field, const char *value)
{
	struct mm_buf b = MM_BUF_INIT(65536);
	mm_buf_addf(&b,
	    "<clientConfig><emailProvider><incomingServer type=\"imap\"><hostname>h.acme.example</hostname>"
	    "<port>993</port><socketType>SSL</socketType><%s>%s</%s></incomingServer></emailProvider>"
	    "</clientConfig>",
	    field, value, field);
	int rc = parse(w, mm_buf_str(&b));
	mm_buf_free(&b);
	return rc;
}

/* A server whose values make no sense is none; the file stays usable. */
static void test_autoconfig_odd_values(void **state)
{
	(void)state;
	char long_text[2000];
	memset(long_text, 'a', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	const char *const odd[][2] = {{"hostname", "a b"}, {"hostname", "%EMAILADDRESS%"}, {"port", "0"},
	    {"port", "65536"}, {"port", "4294967297"}, {"port", "99x"}, {"socketType", "maybe"}};
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		struct world w = world("alice@acme.example");
		assert_int_equal(parse_field(&w, odd[i][0], odd[i][1]), 0);
		assert_int_equal(w.d.n, 0);
		mm_arena_free(w.mem);
	}
	struct world w = world("alice@acme.example");
	assert_int_equal(parse_field(&w, "username", long_text), 0);
	assert_int_equal(w.d.n, 1);
	assert_null(w.d.list[0].username);
	mm_arena_free(w.mem);
}

static void test_autoconfig_limits(void **state)
{
	(void)state;
	struct mm_buf b = MM_BUF_INIT(1u << 20);
	for (size_t servers = MM_AUTOCONFIG_SERVERS; servers <= MM_AUTOCONFIG_SERVERS + 1; servers++) {
		struct world w = world("alice@acme.example");
		mm_buf_reset(&b);
		mm_buf_adds(&b, "<clientConfig><emailProvider>");
		for (size_t i = 0; i < servers; i++)
			mm_buf_addf(&b,
			    "<incomingServer "
			    "type=\"imap\"><hostname>h%zu.acme.example</hostname><port>993</port>"
			    "<socketType>SSL</socketType></incomingServer>",
			    i);
		mm_buf_adds(&b, "</emailProvider></clientConfig>");
		bool fits = servers == MM_AUTOCONFIG_SERVERS;
		assert_int_equal(parse(&w, mm_buf_str(&b)), fits ? 0 : -1);
		assert_int_equal(w.d.n, fits ? servers : 0);
		mm_arena_free(w.mem);
	}
	struct world w = world("alice@acme.example");
	mm_buf_reset(&b);
	mm_buf_adds(&b, "<clientConfig>");
	while (b.len < MM_AUTOCONFIG_MAX)
		mm_buf_addc(&b, ' ');
	mm_buf_adds(&b, "</clientConfig>");
	assert_int_equal(parse(&w, mm_buf_str(&b)), -1);
	mm_arena_free(w.mem);
	mm_buf_free(&b);
}

/* ---- candidates */

static void add(struct world *w, const char *protocol, const char *host, int port, const char *security,
    unsigned found, bool works)
{
	mm_discovery_add(&w->d, &(struct mm_candidate){.protocol = protocol,
				    .host = host,
				    .port = port,
				    .security = security,
				    .found = found,
				    .https = found == MM_FOUND_AUTOCONFIG});
	struct mm_candidate *c = &w->d.list[w->d.n - 1];
	c->looked = true;
	c->result = works ? MM_LOGIN_PASSED : MM_LOGIN_FAILED;
	c->cls = works ? "" : "CONN_REFUSED";
}

static void test_order(void **state)
{
	(void)state;
	static const char *const want[] = {"srv-tls.acme.example", "srv-starttls.acme.example",
	    "imap.acme.example", "pop.acme.example", "smtp.acme.example", "imap.other.example",
	    "dead.acme.example"};
	struct world w = world("alice@acme.example");
	add(&w, "smtp", "smtp.acme.example", 465, "tls", MM_FOUND_SRV, true);
	add(&w, "imap", "dead.acme.example", 993, "tls", MM_FOUND_SRV, false);
	add(&w, "imap", "imap.other.example", 993, "tls", MM_FOUND_SRV, true);
	add(&w, "pop3", "pop.acme.example", 995, "tls", MM_FOUND_SRV, true);
	add(&w, "imap", "imap.acme.example", 993, "tls", MM_FOUND_STANDARD, true);
	add(&w, "imap", "srv-starttls.acme.example", 143, "starttls", MM_FOUND_SRV, true);
	add(&w, "imap", "srv-tls.acme.example", 993, "tls", MM_FOUND_SRV, true);
	mm_discovery_rank(&w.d);
	for (size_t i = 0; i < w.d.n; i++)
		assert_string_equal(w.d.list[i].host, want[i]);
	assert_string_equal(mm_discovery_best(&w.d, true)->host, "srv-tls.acme.example");
	assert_string_equal(mm_discovery_best(&w.d, false)->host, "smtp.acme.example");
	mm_arena_free(w.mem);
	w = world("acme.example");
	mm_discovery_rank(&w.d);
	assert_null(mm_discovery_best(&w.d, true));
	mm_arena_free(w.mem);
}

static enum mm_trust trust_of(const char *host, bool works, bool dnssec, bool https, const char *names)
{
	struct world w = world("alice@acme.example");
	add(&w, "imap", host, 993, "tls", MM_FOUND_SRV, works);
	w.d.list[0].dnssec = dnssec;
	w.d.list[0].https = https;
	w.d.list[0].certificate = names;
	enum mm_trust t = mm_candidate_trust(&w.d, &w.d.list[0]);
	mm_arena_free(w.mem);
	return t;
}

static void test_trust(void **state)
{
	(void)state;
	assert_int_equal(trust_of("imap.acme.example", false, false, false, NULL), MM_TRUST_OWN);
	assert_int_equal(trust_of("acme.example", false, false, false, NULL), MM_TRUST_OWN);
	assert_int_equal(trust_of("imap.notacme.example", true, false, false, NULL), MM_TRUST_NONE);
	assert_int_equal(trust_of("acme.example.evil.example", true, false, false, NULL), MM_TRUST_NONE);
	assert_int_equal(trust_of("h.other.example", true, true, false, NULL), MM_TRUST_DNSSEC);
	assert_int_equal(trust_of("h.other.example", true, false, true, NULL), MM_TRUST_HTTPS);
	assert_int_equal(
	    trust_of("h.other.example", true, false, false, "DNS:h.other.example, DNS:ACME.example"),
	    MM_TRUST_CERTIFICATE);
	/* only a certificate that was found to be right counts */
	assert_int_equal(trust_of("h.other.example", false, false, false, "DNS:acme.example"), MM_TRUST_NONE);
	static const char *const others[] = {
	    "DNS:*.acme.example", "DNS:xacme.example", "DNS:acme.example.evil", "IP:192.0.2.1", "", NULL};
	for (const char *const *n = others; *n != NULL; n++)
		assert_int_equal(trust_of("h.other.example", true, false, false, *n), MM_TRUST_NONE);
}

static void test_merge_and_limit(void **state)
{
	(void)state;
	struct world w = world("alice@acme.example");
	add(&w, "imap", "Imap.Acme.example", 993, "tls", MM_FOUND_STANDARD, true);
	add(&w, "imap", "imap.acme.example", 993, "tls", MM_FOUND_AUTOCONFIG, true);
	assert_int_equal(w.d.n, 1);
	assert_int_equal(w.d.list[0].found, MM_FOUND_STANDARD | MM_FOUND_AUTOCONFIG);
	assert_true(w.d.list[0].https);
	assert_string_equal(w.d.list[0].host, "imap.acme.example");
	for (int port = 1; port <= 2 * MM_CANDIDATES_MAX; port++)
		add(&w, "imap", "imap.acme.example", port, "tls", MM_FOUND_SRV, true);
	assert_int_equal(w.d.n, MM_CANDIDATES_MAX);
	mm_arena_free(w.mem);
}

static void test_not_offered(void **state)
{
	(void)state;
	struct world w = world("alice@acme.example");
	const struct mm_srv_answer none = {.not_offered = true};
	for (size_t i = 0; i < MM_SRV_SERVICES; i++)
		if (strcmp(mm_srv_services[i].protocol, "smtp") != 0)
			mm_discovery_add_srv(&w.d, i, &none);
	mm_discovery_add_standard(&w.d);
	assert_int_equal(w.d.n, 4);
	for (size_t i = 0; i < w.d.n; i++)
		assert_string_equal(w.d.list[i].protocol, "smtp");
	mm_arena_free(w.mem);
}

static void test_begin(void **state)
{
	(void)state;
	static const char *const bad[] = {"", "alice", "alice@", "@acme.example", "a@b", "192.0.2.1",
	    "a@acme.example/x", "a@acme.example\n", "a@acme..example", NULL};
	struct mm_arena *a = mm_arena_new();
	for (const char *const *s = bad; *s != NULL; s++) {
		struct mm_discovery d;
		struct mm_err err = MM_ERR_NONE;
		assert_int_equal(mm_discovery_begin(&d, *s, a, &err), -1);
		assert_int_equal(err.code, MM_EX_USAGE);
	}
	struct mm_discovery d;
	assert_int_equal(mm_discovery_begin(&d,
			     "Alice@B\xc3\xbc"
			     "cher.Example",
			     a, NULL),
	    0);
	assert_string_equal(d.domain, "xn--bcher-kva.example");
	mm_arena_free(a);
}

/* ---- written down */

static const char *auth_for(const char *published, const char *offered)
{
	return mm_candidate_auth(&(struct mm_candidate){.auth = published, .mechanisms = offered});
}

static void test_auth(void **state)
{
	(void)state;
	assert_string_equal(auth_for(NULL, NULL), "password");
	assert_string_equal(auth_for(NULL, "PLAIN LOGIN XOAUTH2"), "password");
	assert_string_equal(auth_for(NULL, "XOAUTH2 OAUTHBEARER"), "xoauth2");
	assert_string_equal(auth_for(NULL, "GSSAPI"), "gssapi");
	assert_string_equal(auth_for("xoauth2", "plain xoauth2"), "xoauth2");
	assert_string_equal(auth_for("xoauth2", "PLAIN"), "password");
	assert_string_equal(auth_for("xoauth2", NULL), "xoauth2");
	assert_string_equal(auth_for("none", "PLAIN"), "none");
}

static void test_fragment(void **state)
{
	(void)state;
	struct world w = world("alice@acme.example");
	struct mm_buf b = MM_BUF_INIT(65536);
	mm_discovery_fragment(&w.d, &b);
	assert_int_equal(b.len, 0);
	add(&w, "imap", "imap.other.example", 993, "tls", MM_FOUND_SRV, true);
	w.d.list[0].username = "a\"\\b";
	mm_discovery_rank(&w.d);
	mm_discovery_fragment(&w.d, &b);
	assert_non_null(strstr(b.data, "# not in acme.example"));
	assert_non_null(strstr(b.data, "username = \"a\\\"\\\\b\""));
	assert_null(strstr(b.data, "outgoing"));
	mm_buf_reset(&b);
	mm_candidate_json(&w.d, &w.d.list[0], &b);
	json_t *j = mm_json_load("candidate", b.data, b.len, NULL);
	assert_non_null(j);
	assert_string_equal(json_string_value(json_object_get(j, "trust")), "unproven");
	assert_true(json_is_true(json_object_get(j, "chosen")));
	json_decref(j);
	mm_buf_free(&b);
	mm_arena_free(w.mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    MM_TEST(test_srv),
	    MM_TEST(test_srv_dot_and_dnssec),
	    MM_TEST(test_srv_limit),
	    MM_TEST(test_autoconfig),
	    MM_TEST(test_autoconfig_refused),
	    MM_TEST(test_autoconfig_odd_values),
	    MM_TEST(test_autoconfig_limits),
	    MM_TEST(test_order),
	    MM_TEST(test_trust),
	    MM_TEST(test_merge_and_limit),
	    MM_TEST(test_not_offered),
	    MM_TEST(test_begin),
	    MM_TEST(test_auth),
	    MM_TEST(test_fragment),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
