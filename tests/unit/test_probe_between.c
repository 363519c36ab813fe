/* Antivirus programs and firewalls, by what they show and say. */
#include "agent/probe/between.h"

#include "common/text.h"
#include "tests/lib/testutil.h"

static void test_who_stands_between(void **state)
{
	(void)state;
	static const char *const issuers[][2] = {
	    {"CN=Avast Web/Mail Shield Root,O=Avast Web/Mail Shield", "Avast"},
	    {"CN=AVG Web/Mail Shield Root", "AVG"},
	    {"CN=Kaspersky Anti-Virus Personal Root Certificate,O=AO Kaspersky Lab", "Kaspersky"},
	    {"CN=ESET SSL Filter CA,O=ESET\\, spol. s r. o.", "ESET"},
	    {"CN=Bitdefender Personal CA.Net-Defender,OU=IDS,O=Bitdefender", "Bitdefender"},
	    {"CN=Zscaler Intermediate Root CA (zscalertwo.net),OU=Zscaler Inc.", "Zscaler"},
	    {"CN=ca.acme.goskope.com,O=Acme", "Netskope"},
	    {"CN=FGT60F,OU=Certificate Authority,O=Fortinet", "Fortinet"},
	    {"CN=mitmproxy,O=mitmproxy", "mitmproxy"},
	    {"CN=R11,O=Let's Encrypt,C=US", NULL},
	    {"CN=DigiCert TLS RSA SHA256 2020 CA1,O=DigiCert Inc", NULL},
	    {"CN=Cloudflare Inc ECC CA-3,O=Cloudflare\\, Inc.", NULL},
	    {"CN=Acme Root CA", NULL},
	};
	static const char *const greetings[][2] = {
	    {"* OK avast! IMAP proxy ready", "Avast"},
	    {"220 mail.acme.example ESMTP Postfix", NULL},
	    {"* OK [CAPABILITY IMAP4rev1] Dovecot ready.", NULL},
	    {"+OK AVG POP3 Proxy Server 8.5.423", "AVG"},
	};
	for (size_t i = 0; i < sizeof(issuers) / sizeof(issuers[0]); i++)
		assert_true(mm_streq(mm_between_issuer(issuers[i][0]), issuers[i][1]));
	for (size_t i = 0; i < sizeof(greetings) / sizeof(greetings[0]); i++)
		assert_true(mm_streq(mm_between_greeting(greetings[i][0]), greetings[i][1]));
	assert_non_null(mm_between_greeting("220 *********2**0*****"));
	assert_non_null(
	    mm_between_greeting("421 Cannot connect to SMTP server 192.0.2.1, connect error 10061"));
	/* only for the host that was asked for */
	struct mm_tls_watch w = {.have_cert = true, .cert.issuer = "CN=Avast Web/Mail Shield Root"};
	assert_null(mm_between_by_cert(&w));
	w.name_match = true;
	assert_string_equal(mm_between_by_cert(&w), "Avast");
	struct mm_chain_link links[2] = {{.issuer = "CN=x"}, {.issuer = "CN=Zscaler Root CA"}};
	w = (struct mm_tls_watch){
	    .have_cert = true, .name_match = true, .cert.issuer = "CN=x", .links = links, .n_links = 2};
	assert_string_equal(mm_between_by_cert(&w), "Zscaler");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    MM_TEST(test_who_stands_between),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
