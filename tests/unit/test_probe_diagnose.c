#include "agent/probe/diagnose.h"

#include <errno.h>
#include <netdb.h>

#include "agent/probe/sentence.h"
#include "tests/lib/testutil.h"

static const struct mm_auth password = {"password",
    MM_MECH_BIT(MM_MECH_PLAIN) | MM_MECH_BIT(MM_MECH_LOGIN) | MM_MECH_BIT(MM_MECH_COMMAND),
    "AUTH=PLAIN;AUTH=LOGIN", .own_command = true, .testable = true};

struct scene {
	struct mm_endpoint ep;
	struct mm_dialog dialog;
	struct mm_tls_watch tls;
	struct mm_signals s;
};

/* An IMAP login over TLS in which everything held. */
static void set_up(struct scene *c)
{
	*c = (struct scene){.ep = {.mail = MM_MAIL_IMAP,
				.security = MM_SEC_TLS,
				.level = MM_LEVEL_LOGIN,
				.auth = &password,
				.host = "h",
				.port = 993,
				.username = "alice",
				.tls_min = 12,
				.has_secret = true}};
	mm_dialog_init(&c->dialog, MM_MAIL_IMAP);
	c->dialog.greeting = MM_GREETING_OK;
	c->dialog.tls = true;
	c->dialog.auth_sent = true;
	c->dialog.used = MM_MECH_PLAIN;
	c->dialog.auth_reply = MM_REPLY_OK;
	c->dialog.mechs = MM_MECH_BIT(MM_MECH_PLAIN);
	mm_tls_watch_init(&c->tls);
	c->tls.started = c->tls.done = c->tls.have_cert = true;
	c->s = (struct mm_signals){.ep = &c->ep,
	    .dialled = true,
	    .end = MM_END_OK,
	    .dialog = &c->dialog,
	    .tls = &c->tls,
	    .mailbox = MM_MAILBOX_OK};
}

static void expect(const struct scene *c, enum mm_cls cls)
{
	assert_string_equal(mm_cls_def(mm_diagnose(&c->s))->word, mm_cls_def(cls)->word);
}

static void expect_reached(const struct scene *c, enum mm_level level)
{
	enum mm_level got;
	assert_true(mm_level_reached(&c->s, &got));
	assert_int_equal(got, level);
}

static void test_success_needs_everything(void **state)
{
	(void)state;
	struct scene c;
	set_up(&c);
	expect(&c, MM_CLS_NONE);
	expect_reached(&c, MM_LEVEL_LOGIN);
	/* each of these alone makes it something else */
	c.dialog.auth_reply = MM_REPLY_NONE;
	expect(&c, MM_CLS_PROTOCOL_ERROR);
	expect_reached(&c, MM_LEVEL_TLS);
	set_up(&c);
	c.dialog.auth_open = true;
	expect(&c, MM_CLS_PROTOCOL_ERROR);
	set_up(&c);
	c.dialog.auth_early = true;
	expect(&c, MM_CLS_PROTOCOL_ERROR);
	expect_reached(&c, MM_LEVEL_TLS);
	/* an OK before the password was asked for: libcurl sees that nothing was said */
	set_up(&c);
	c.s.end = MM_END_DENIED;
	expect(&c, MM_CLS_AUTH_UNCLEAR);
	expect_reached(&c, MM_LEVEL_TLS);
	set_up(&c);
	c.dialog.greeting = MM_GREETING_PREAUTH;
	expect(&c, MM_CLS_PREAUTH_NOT_A_TEST);
	expect_reached(&c, MM_LEVEL_TLS);
	set_up(&c);
	c.dialog.used = MM_MECH_CRAM_MD5;
	expect(&c, MM_CLS_MECH_DIFFERS);
	expect_reached(&c, MM_LEVEL_TLS);
	set_up(&c);
	c.s.mailbox = MM_MAILBOX_NO;
	expect(&c, MM_CLS_MAILBOX_UNUSABLE);
	expect_reached(&c, MM_LEVEL_LOGIN);
	c.s.mailbox = MM_MAILBOX_DOUBT;
	expect(&c, MM_CLS_AUTH_UNPROVEN);
	c.s.mailbox = MM_MAILBOX_SILENT;
	expect(&c, MM_CLS_MAILBOX_NO_ANSWER);
	set_up(&c);
	c.tls.done = false;
	expect(&c, MM_CLS_LOCAL_TROUBLE);
}

/* Whoever says BYE does not serve, whatever else is said. */
static void test_leave_taken(void **state)
{
	(void)state;
	struct scene c;
	set_up(&c);
	snprintf(c.dialog.bye, sizeof(c.dialog.bye), "* BYE going down");
	expect(&c, MM_CLS_AUTH_CONN_DROPPED);
	expect_reached(&c, MM_LEVEL_TLS);
	snprintf(c.dialog.bye, sizeof(c.dialog.bye), "* BYE [LIMIT] enough");
	expect(&c, MM_CLS_TOO_MANY_CONNECTIONS);
	set_up(&c);
	c.dialog.auth_sent = false;
	c.ep.level = MM_LEVEL_TLS;
	expect(&c, MM_CLS_NONE);
	snprintf(c.dialog.bye, sizeof(c.dialog.bye), "* BYE going down");
	expect(&c, MM_CLS_SERVER_REFUSES);
}

/* A product that opens TLS is the cause where its certificate is not trusted; not of a date or a name. */
static void test_interception(void **state)
{
	(void)state;
	struct scene c;
	static const struct {
		enum mm_end end;
		enum mm_cert_trouble trouble;
		enum mm_cls without, with;
	} rows[] = {
	    {MM_END_CERT, MM_CERT_UNKNOWN_CA, MM_CLS_CERT_UNKNOWN_CA, MM_CLS_TLS_INTERCEPTED},
	    {MM_END_CERT, MM_CERT_WEAK, MM_CLS_CERT_WEAK, MM_CLS_TLS_INTERCEPTED},
	    {MM_END_CERT, MM_CERT_OTHER, MM_CLS_CERT_OTHER, MM_CLS_TLS_INTERCEPTED},
	    {MM_END_CERT, MM_CERT_EXPIRED, MM_CLS_CERT_EXPIRED, MM_CLS_CERT_EXPIRED},
	    {MM_END_CERT, MM_CERT_SELF_SIGNED, MM_CLS_CERT_SELF_SIGNED, MM_CLS_CERT_SELF_SIGNED},
	    {MM_END_PIN, MM_CERT_OK, MM_CLS_CERT_PIN, MM_CLS_TLS_INTERCEPTED},
	    {MM_END_OK, MM_CERT_OK, MM_CLS_NONE, MM_CLS_NONE},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		set_up(&c);
		c.s.end = rows[i].end;
		c.tls.trouble = rows[i].trouble;
		expect(&c, rows[i].without);
		c.s.between_cert = "Avast";
		expect(&c, rows[i].with);
	}
}

static void test_no_login_was_tried(void **state)
{
	(void)state;
	struct scene c;
	set_up(&c);
	c.dialog.auth_sent = false;
	c.dialog.auth_reply = MM_REPLY_NONE;
	c.ep.mail = c.dialog.mail = MM_MAIL_SMTP;
	c.dialog.mechs = 0;
	expect(&c, MM_CLS_AUTH_NOT_OFFERED);
	c.dialog.mechs = MM_MECH_BIT(MM_MECH_PLAIN); /* libcurl did not see it */
	expect(&c, MM_CLS_LIBRARY_LIMIT);
	c.s.end = MM_END_DENIED;
	c.dialog.mechs = MM_MECH_BIT(MM_MECH_GSSAPI);
	expect(&c, MM_CLS_AUTH_MECH_NOT_OFFERED);
	c.dialog.tls = false;
	c.ep.security = MM_SEC_NONE;
	c.dialog.mechs = 0;
	c.dialog.starttls_offered = true;
	expect(&c, MM_CLS_AUTH_NEEDS_TLS);
	c.ep.mail = c.dialog.mail = MM_MAIL_IMAP;
	c.dialog.starttls_offered = false;
	c.dialog.login_disabled = true;
	expect(&c, MM_CLS_AUTH_NEEDS_TLS);
}

static void test_untested(void **state)
{
	(void)state;
	struct scene c;
	static const struct mm_auth none = {"none", 0, NULL, .testable = true};
	static const struct mm_auth scram = {
	    "scram-sha-256", MM_MECH_BIT(MM_MECH_SCRAM_SHA_256), NULL, .testable = false};
	set_up(&c);
	c.ep.has_secret = false;
	expect(&c, MM_CLS_NO_SECRET);
	c.ep.username = NULL;
	expect(&c, MM_CLS_NO_USERNAME);
	c.ep.auth = &scram;
	expect(&c, MM_CLS_MECH_NOT_TESTABLE);
	c.ep.auth = &none;
	expect(&c, MM_CLS_NO_LOGIN_WANTED);
	set_up(&c);
	c.ep.level = MM_LEVEL_ROUNDTRIP;
	expect(&c, MM_CLS_ROUNDTRIP_NOT_TESTED);
	c.ep.level = MM_LEVEL_TLS;
	expect(&c, MM_CLS_NONE);
	c.ep.security = MM_SEC_NONE;
	expect(&c, MM_CLS_NO_TLS_WANTED);
	for (int i = MM_CLS_PREAUTH_NOT_A_TEST; i <= MM_CLS_LOCAL_TROUBLE; i++)
		assert_int_equal(mm_cls_result((enum mm_cls)i), MM_LOGIN_UNTESTED);
}

static void test_names_and_connections(void **state)
{
	(void)state;
	static const struct {
		int gai, error;
		enum mm_cls cls;
	} rows[] = {
	    {EAI_NONAME, 0, MM_CLS_DNS_NO_SUCH_NAME},
	    {EAI_NODATA, 0, MM_CLS_DNS_NO_ADDRESS},
	    {EAI_AGAIN, 0, MM_CLS_DNS_UNAVAILABLE},
	    {EAI_FAIL, 0, MM_CLS_DNS_UNAVAILABLE},
	    {EAI_SYSTEM, 0, MM_CLS_DNS_UNAVAILABLE},
	    {0, ECONNREFUSED, MM_CLS_CONN_REFUSED},
	    {0, ETIMEDOUT, MM_CLS_CONN_TIMEOUT},
	    {0, EHOSTUNREACH, MM_CLS_HOST_UNREACHABLE},
	    {0, ENETUNREACH, MM_CLS_NET_NO_ROUTE},
	    {0, EPERM, MM_CLS_CONN_FAILED},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scene c;
		enum mm_level level;
		set_up(&c);
		c.s = (struct mm_signals){.ep = &c.ep, .gai = rows[i].gai, .dial_errno = rows[i].error};
		expect(&c, rows[i].cls);
		assert_false(mm_level_reached(&c.s, &level));
		assert_int_equal(mm_next_look(&c.s), MM_LOOK_NONE);
	}
}

static void test_reach(void **state)
{
	(void)state;
	struct scene c;
	set_up(&c);
	c.ep.level = MM_LEVEL_REACH;
	c.s = (struct mm_signals){.ep = &c.ep, .dialled = true};
	expect(&c, MM_CLS_NONE);
	expect_reached(&c, MM_LEVEL_REACH);
}

static void set_handshake_failed(struct scene *c, enum mm_end end)
{
	set_up(c);
	mm_dialog_init(&c->dialog, c->ep.mail);
	mm_tls_watch_init(&c->tls);
	c->tls.started = true;
	c->s.end = end;
	c->s.mailbox = MM_MAILBOX_NOT_RUN;
}

static void test_handshake_looks(void **state)
{
	(void)state;
	struct scene c;
	set_handshake_failed(&c, MM_END_TLS);
	assert_int_equal(mm_next_look(&c.s), MM_LOOK_PLAIN);
	c.s.look[MM_LOOK_PLAIN] = (struct mm_look_result){.run = true, .greeting = MM_GREETING_OK};
	assert_int_equal(mm_next_look(&c.s), MM_LOOK_NONE);
	expect(&c, MM_CLS_TLS_TO_PLAIN_PORT);
	c.s.look[MM_LOOK_PLAIN].greeting = MM_GREETING_OTHER_MAIL;
	expect(&c, MM_CLS_WRONG_PROTOCOL);
	c.s.look[MM_LOOK_PLAIN].greeting = MM_GREETING_STRANGE;
	expect(&c, MM_CLS_NOT_MAIL_SERVER);
	c.s.look[MM_LOOK_PLAIN].greeting = MM_GREETING_NONE;
	assert_int_equal(mm_next_look(&c.s), MM_LOOK_OLD_TLS);
	c.s.look[MM_LOOK_OLD_TLS].run = true;
	assert_int_equal(mm_next_look(&c.s), MM_LOOK_NONE);
	expect(&c, MM_CLS_TLS_OTHER);
	c.s.look[MM_LOOK_OLD_TLS].tls = true;
	expect(&c, MM_CLS_TLS_VERSION_TOO_OLD);
	expect_reached(&c, MM_LEVEL_REACH);
	set_handshake_failed(&c, MM_END_TLS_CLOSED);
	expect(&c, MM_CLS_TLS_CLOSED);
	c.tls.client_cert_asked = true;
	expect(&c, MM_CLS_TLS_CLIENT_CERT);
	/* an alert is TLS: no need to listen in clear */
	set_handshake_failed(&c, MM_END_TLS);
	c.tls.alert_in = 40;
	assert_int_equal(mm_next_look(&c.s), MM_LOOK_OLD_TLS);
	c.ep.tls_min = 13;
	assert_int_equal(mm_next_look(&c.s), MM_LOOK_TLS12);
	c.s.look[MM_LOOK_TLS12] = (struct mm_look_result){.run = true, .tls = true};
	assert_int_equal(mm_next_look(&c.s), MM_LOOK_NONE);
	expect(&c, MM_CLS_TLS_OTHER);
	c.s.look[MM_LOOK_TLS12].tls = false;
	assert_int_equal(mm_next_look(&c.s), MM_LOOK_OLD_TLS);
}

static void test_silence(void **state)
{
	(void)state;
	struct scene c;
	set_handshake_failed(&c, MM_END_NOT_RUN);
	assert_int_equal(mm_next_look(&c.s), MM_LOOK_NONE);
	c.s.silent = true;
	assert_int_equal(mm_next_look(&c.s), MM_LOOK_PLAIN);
	c.ep.security = MM_SEC_STARTTLS;
	c.tls.started = false;
	assert_int_equal(mm_next_look(&c.s), MM_LOOK_TLS);
	c.s.look[MM_LOOK_TLS].run = true;
	assert_int_equal(mm_next_look(&c.s), MM_LOOK_PLAIN);
	c.s.look[MM_LOOK_PLAIN] = (struct mm_look_result){.run = true, .greeting = MM_GREETING_STRANGE};
	assert_int_equal(mm_next_look(&c.s), MM_LOOK_NONE);
	c.s.end = MM_END_TIMEOUT;
	expect(&c, MM_CLS_NOT_MAIL_SERVER);
	c.s.look[MM_LOOK_PLAIN].greeting = MM_GREETING_OK; /* late, and no other security */
	expect(&c, MM_CLS_NO_GREETING);
	c.s.look[MM_LOOK_PLAIN] = (struct mm_look_result){.run = false};
	expect(&c, MM_CLS_NO_GREETING);
	c.s.look[MM_LOOK_TLS].tls = true;
	assert_int_equal(mm_next_look(&c.s), MM_LOOK_NONE);
	expect(&c, MM_CLS_PLAIN_TO_TLS_PORT);
	/* encrypted, and then not a word: a captive portal waits for a request */
	set_handshake_failed(&c, MM_END_NOT_RUN);
	c.tls.done = c.tls.have_cert = true;
	assert_int_equal(mm_next_look(&c.s), MM_LOOK_NONE);
	c.s.silent = true;
	assert_int_equal(mm_next_look(&c.s), MM_LOOK_WEB);
	c.s.look[MM_LOOK_WEB].run = true;
	assert_int_equal(mm_next_look(&c.s), MM_LOOK_NONE);
	c.s.end = MM_END_TIMEOUT;
	expect(&c, MM_CLS_NO_GREETING);
	c.s.look[MM_LOOK_WEB].greeting = MM_GREETING_STRANGE;
	expect(&c, MM_CLS_NOT_MAIL_SERVER);
	/* silence of another kind */
	set_up(&c);
	c.s.end = MM_END_TIMEOUT;
	c.dialog.auth_open = true;
	expect(&c, MM_CLS_AUTH_SLOW);
	assert_int_equal(mm_next_look(&c.s), MM_LOOK_NONE);
	c.dialog.auth_open = c.dialog.auth_sent = false;
	expect(&c, MM_CLS_SERVER_SLOW);
}

static void test_certificates(void **state)
{
	(void)state;
	static const enum mm_cls by_trouble[] = {MM_CLS_CERT_NAME_MISMATCH, MM_CLS_CERT_EXPIRED,
	    MM_CLS_CERT_NOT_YET_VALID, MM_CLS_CERT_SELF_SIGNED, MM_CLS_CERT_UNKNOWN_CA, MM_CLS_CERT_WEAK,
	    MM_CLS_CERT_OTHER};
	for (int t = MM_CERT_OK; t <= MM_CERT_OTHER; t++) {
		struct scene c;
		set_handshake_failed(&c, MM_END_CERT);
		c.tls.have_cert = true;
		c.tls.trouble = (enum mm_cert_trouble)t;
		expect(&c, by_trouble[t]);
		expect_reached(&c, MM_LEVEL_REACH);
		assert_int_equal(mm_next_look(&c.s), MM_LOOK_CERT);
		c.s.look[MM_LOOK_CERT].run = true;
		assert_int_equal(mm_next_look(&c.s), MM_LOOK_NONE);
		c.s.end = MM_END_PIN;
		expect(&c, MM_CLS_CERT_PIN);
	}
}

/* Courier hangs up without a word when an address has too many connections;
 * that is said only where others of ours held. */
static void test_crowded(void **state)
{
	(void)state;
	struct scene c;
	set_handshake_failed(&c, MM_END_TLS_CLOSED);
	c.s.look[MM_LOOK_PLAIN].run = c.s.look[MM_LOOK_OLD_TLS].run = true;
	expect(&c, MM_CLS_TLS_CLOSED);
	c.s.crowded = true;
	expect(&c, MM_CLS_TOO_MANY_CONNECTIONS);
	set_handshake_failed(&c, MM_END_LOST);
	expect(&c, MM_CLS_CONN_DROPPED);
	c.s.crowded = true;
	expect(&c, MM_CLS_TOO_MANY_CONNECTIONS);
	c.dialog.greeting = MM_GREETING_OK;
	expect(&c, MM_CLS_CONN_DROPPED);
}

static void test_starttls(void **state)
{
	(void)state;
	struct scene c;
	set_handshake_failed(&c, MM_END_STARTTLS);
	c.ep.security = MM_SEC_STARTTLS;
	c.dialog.greeting = MM_GREETING_OK;
	c.tls.started = false;
	expect(&c, MM_CLS_STARTTLS_NOT_OFFERED);
	c.dialog.starttls_offered = c.dialog.starttls_odd_case = true;
	expect(&c, MM_CLS_LIBRARY_LIMIT);
	c.dialog.starttls_sent = c.dialog.starttls_refused = true;
	expect(&c, MM_CLS_STARTTLS_REFUSED);
	c.dialog.starttls_masked = true;
	expect(&c, MM_CLS_STARTTLS_STRIPPED);
	c.s.end = MM_END_EHLO;
	expect(&c, MM_CLS_STARTTLS_STRIPPED);
	c.dialog.starttls_masked = false;
	expect(&c, MM_CLS_EHLO_REJECTED);
	c.s.end = MM_END_WEIRD;
	expect(&c, MM_CLS_STARTTLS_INJECTION);
	c.dialog.starttls_sent = false;
	expect(&c, MM_CLS_PROTOCOL_ERROR);
	c.dialog.greeting = MM_GREETING_REFUSED;
	expect(&c, MM_CLS_SERVER_REFUSES);
	snprintf(c.dialog.last, sizeof(c.dialog.last), "* BYE Auth process broken");
	expect(&c, MM_CLS_AUTH_TEMP);
	snprintf(c.dialog.last, sizeof(c.dialog.last), "421 4.7.0 too many connections");
	expect(&c, MM_CLS_TOO_MANY_CONNECTIONS);
}

static void test_lost(void **state)
{
	(void)state;
	struct scene c;
	set_up(&c);
	c.s.end = MM_END_LOST;
	c.dialog.auth_open = true;
	c.dialog.auth_reply = MM_REPLY_NONE;
	expect(&c, MM_CLS_AUTH_CONN_DROPPED);
	c.dialog.auth_open = c.dialog.auth_sent = false;
	expect(&c, MM_CLS_CONN_DROPPED);
	c.dialog.greeting = MM_GREETING_NONE;
	c.tls.client_cert_asked = true;
	expect(&c, MM_CLS_TLS_CLIENT_CERT);
	expect_reached(&c, MM_LEVEL_REACH);
}

static void test_hopeless_and_local(void **state)
{
	(void)state;
	struct scene c;
	set_up(&c);
	c.s.end = MM_END_HOPELESS;
	expect(&c, MM_CLS_PROTOCOL_ERROR);
	c.dialog.greeting = MM_GREETING_OTHER_MAIL;
	expect(&c, MM_CLS_WRONG_PROTOCOL);
	c.dialog.greeting = MM_GREETING_STRANGE;
	expect(&c, MM_CLS_NOT_MAIL_SERVER);
	c.s.end = MM_END_CA;
	expect(&c, MM_CLS_CA_FILE_UNREADABLE);
	c.s.end = MM_END_LOCAL;
	expect(&c, MM_CLS_LOCAL_TROUBLE);
}

/* What servers say, from the ones that were asked. */
static void test_refusals(void **state)
{
	(void)state;
	static const struct {
		int code;
		const char *text;
		enum mm_cls cls;
	} rows[] = {
	    {0, "A2 NO [AUTHENTICATIONFAILED] Authentication failed.", MM_CLS_AUTH_REJECTED},
	    {0, "-ERR [AUTH] Authentication failed.", MM_CLS_AUTH_REJECTED},
	    {0, "A2 NO Login failed.", MM_CLS_AUTH_REJECTED},
	    {535, "535 5.7.8 Error: authentication failed", MM_CLS_AUTH_REJECTED},
	    {535, "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.",
		MM_CLS_AUTH_BASIC_DISABLED},
	    {534, "534-5.7.9 Application-specific password required.", MM_CLS_AUTH_APP_PASSWORD},
	    {0, "NO [ALERT] Application-specific password required (Failure)", MM_CLS_AUTH_APP_PASSWORD},
	    {534, "534 5.7.12 password expired", MM_CLS_AUTH_PASSWORD_EXPIRED},
	    {432, "432 4.7.12 A password transition is needed", MM_CLS_AUTH_PASSWORD_EXPIRED},
	    {0, "NO [EXPIRED] change it", MM_CLS_AUTH_PASSWORD_EXPIRED},
	    {0, "NO [ALERT] Please log in via your web browser", MM_CLS_AUTH_WEB_LOGIN},
	    {0, "NO [WEBALERT https://x] Web login required.", MM_CLS_AUTH_WEB_LOGIN},
	    {0, "NO [CONTACTADMIN] disabled", MM_CLS_AUTH_ACCOUNT_DISABLED},
	    {0, "-ERR [SYS/PERM] no", MM_CLS_AUTH_ACCOUNT_DISABLED},
	    {525, "525 5.7.13 disabled", MM_CLS_AUTH_ACCOUNT_DISABLED},
	    {0, "NO [AUTHORIZATIONFAILED] no", MM_CLS_AUTH_AUTHZ},
	    {0, "NO [UNAVAILABLE] Temporary authentication failure.", MM_CLS_AUTH_TEMP},
	    {454, "454 4.7.0 Temporary authentication failure", MM_CLS_AUTH_TEMP},
	    {451, "451 later", MM_CLS_AUTH_TEMP},
	    {0, "-ERR [SYS/TEMP] later", MM_CLS_AUTH_TEMP},
	    {0, "-ERR [LOGIN-DELAY] too soon", MM_CLS_AUTH_TEMP},
	    {0, "-ERR [IN-USE] Mailbox is locked", MM_CLS_AUTH_TEMP},
	    {0, "-ERR [IN-USE] Maximum number of connections from user+IP exceeded",
		MM_CLS_TOO_MANY_CONNECTIONS},
	    {0, "NO [LIMIT] Too many", MM_CLS_TOO_MANY_CONNECTIONS},
	    {0, "NO [PRIVACYREQUIRED] Plaintext authentication disallowed", MM_CLS_AUTH_NEEDS_TLS},
	    {0, "-ERR [AUTH] Plaintext authentication disallowed on non-secure (SSL/TLS) connections.",
		MM_CLS_AUTH_NEEDS_TLS},
	    {538, "538 5.7.11 Encryption required", MM_CLS_AUTH_NEEDS_TLS},
	    {530, "530 5.7.0 Must issue a STARTTLS command first", MM_CLS_AUTH_NEEDS_TLS},
	    {504, "504 5.5.4 Unrecognized authentication type", MM_CLS_AUTH_MECH_NOT_OFFERED},
	    {503, "503 bad sequence", MM_CLS_AUTH_UNCLEAR},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scene c;
		set_up(&c);
		c.s.end = MM_END_DENIED;
		c.dialog.auth_reply = MM_REPLY_NO;
		c.dialog.auth_code = rows[i].code;
		snprintf(c.dialog.auth_text, sizeof(c.dialog.auth_text), "%s", rows[i].text);
		expect(&c, rows[i].cls);
		expect_reached(&c, MM_LEVEL_TLS);
	}
	struct scene c;
	set_up(&c);
	c.s.end = MM_END_DENIED;
	c.dialog.auth_reply = MM_REPLY_NO;
	c.dialog.auth_bad = true;
	expect(&c, MM_CLS_AUTH_UNCLEAR);
	c.dialog.token_error = true;
	expect(&c, MM_CLS_AUTH_TOKEN_REFUSED);
	c.dialog.auth_reply = MM_REPLY_NONE;
	expect(&c, MM_CLS_AUTH_TOKEN_REFUSED);
	c.dialog.used = MM_MECH_APOP;
	expect(&c, MM_CLS_MECH_DIFFERS);
}

/* ---- the table */

static void check_sentence(const char *s)
{
	struct mm_places p = {{NULL}};
	struct mm_buf b = MM_BUF_INIT(4096);
	assert_non_null(s);
	size_t n = strlen(s);
	assert_true(n > 10 && (s[n - 1] == '.' || s[n - 1] == '?' || s[n - 1] == '}'));
	assert_int_equal(mm_sentence(s, &p, &b), 0);
	assert_null(strchr(mm_buf_str(&b), '{'));
	mm_buf_free(&b);
}

static void test_table_is_complete(void **state)
{
	(void)state;
	assert_string_equal(mm_cls_def(MM_CLS_NONE)->word, "");
	assert_int_equal(mm_cls_result(MM_CLS_NONE), MM_LOGIN_PASSED);
	for (int i = 0; i < MM_CLS_COUNT; i++) {
		const struct mm_cls_def *d = mm_cls_def((enum mm_cls)i);
		assert_non_null(d->word);
		if (d->severity != MM_SEV_REMARK || d->user[0] != '\0')
			check_sentence(d->user);
		if (d->fix != NULL)
			check_sentence(d->fix);
		check_sentence(d->admin);
		assert_true((d->severity == MM_SEV_NONE) == (i == MM_CLS_NONE));
		assert_int_equal(strspn(d->word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"), strlen(d->word));
		for (int k = 0; k < i; k++)
			assert_string_not_equal(d->word, mm_cls_def((enum mm_cls)k)->word);
	}
}

static void test_sentences(void **state)
{
	(void)state;
	struct mm_places p = {{NULL}};
	struct mm_buf b = MM_BUF_INIT(256);
	p.v[MM_PLACE_HOST] = "mail.acme.example";
	p.v[MM_PLACE_SERVER] = "No. Go {host}.";
	assert_int_equal(mm_sentence("{host} says: {server}. {port}", &p, &b), 0);
	assert_string_equal(mm_buf_str(&b), "mail.acme.example says: No. Go {host}. nothing");
	assert_int_equal(mm_sentence("{nonsense}", &p, &b), -1);
	assert_int_equal(mm_sentence("{host", &p, &b), -1);
	mm_buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    MM_TEST(test_success_needs_everything),
	    MM_TEST(test_leave_taken),
	    MM_TEST(test_interception),
	    MM_TEST(test_no_login_was_tried),
	    MM_TEST(test_untested),
	    MM_TEST(test_names_and_connections),
	    MM_TEST(test_reach),
	    MM_TEST(test_handshake_looks),
	    MM_TEST(test_silence),
	    MM_TEST(test_certificates),
	    MM_TEST(test_crowded),
	    MM_TEST(test_starttls),
	    MM_TEST(test_lost),
	    MM_TEST(test_hopeless_and_local),
	    MM_TEST(test_refusals),
	    MM_TEST(test_table_is_complete),
	    MM_TEST(test_sentences),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
