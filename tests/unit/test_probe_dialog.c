#include "agent/probe/dialog.h"

#include "tests/lib/testutil.h"

/* "<" a line of the server, ">" one of ours, "T" TLS comes on. */
static struct mm_dialog hear(enum mm_mail mail, const char *const *script)
{
	struct mm_dialog d;
	mm_dialog_init(&d, mail);
	for (; *script != NULL; script++) {
		const char *s = *script;
		char line[1024];
		int n = snprintf(line, sizeof(line), "%s\r\n", s + 1);
		assert_true(n > 0 && (size_t)n < sizeof(line));
		if (s[0] == '<')
			mm_dialog_in(&d, line, (size_t)n);
		else if (s[0] == '>')
			mm_dialog_out(&d, line, (size_t)n);
		else
			mm_dialog_tls(&d);
	}
	return d;
}

#define HEAR(mail, ...) hear(mail, (const char *const[]){__VA_ARGS__, NULL})

static void test_imap_login(void **state)
{
	(void)state;
	struct mm_dialog d = HEAR(MM_MAIL_IMAP, "<* OK ready", ">A001 CAPABILITY",
	    "<* CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=cram-md5", "<A001 OK done",
	    ">A002 AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA==", "<* CAPABILITY IMAP4rev1", "<A002 OK Logged in");
	assert_true(mm_dialog_logged_in(&d));
	assert_int_equal(d.used, MM_MECH_PLAIN);
	assert_int_equal(d.mechs, MM_MECH_BIT(MM_MECH_PLAIN) | MM_MECH_BIT(MM_MECH_CRAM_MD5));
	assert_string_equal(d.auth_text, "OK Logged in");
}

static void test_imap_refused(void **state)
{
	(void)state;
	struct mm_dialog d = HEAR(MM_MAIL_IMAP, "<* OK", ">A1 LOGIN alice secret", "<* NO [ALERT] locked",
	    "<A1 NO [AUTHENTICATIONFAILED] no");
	assert_false(mm_dialog_logged_in(&d));
	assert_int_equal(d.auth_reply, MM_REPLY_NO);
	assert_int_equal(d.used, MM_MECH_COMMAND);
	assert_false(d.auth_bad);
	assert_string_equal(d.auth_text, "* NO [ALERT] locked NO [AUTHENTICATIONFAILED] no");
	d = HEAR(MM_MAIL_IMAP, "<* OK", ">A1 LOGIN alice secret", "<A1 BAD what");
	assert_true(d.auth_bad);
}

/* The tag of another command, or a tag that ours only begins with. */
static void test_imap_foreign_tag(void **state)
{
	(void)state;
	struct mm_dialog d = HEAR(
	    MM_MAIL_IMAP, "<* OK", ">A1 LOGIN a b", "<A11 OK not yours", "<A2 OK nor this", "<* OK nor that");
	assert_true(d.auth_open);
	assert_false(mm_dialog_logged_in(&d));
}

static void test_nothing_sent_is_no_login(void **state)
{
	(void)state;
	struct mm_dialog d = HEAR(MM_MAIL_IMAP, "<* PREAUTH welcome", ">A1 CAPABILITY", "<A1 OK");
	assert_int_equal(d.greeting, MM_GREETING_PREAUTH);
	assert_false(mm_dialog_logged_in(&d));
	d = HEAR(MM_MAIL_SMTP, "<220 hi", ">EHLO x", "<250 ok");
	assert_false(mm_dialog_logged_in(&d));
	d = HEAR(MM_MAIL_SMTP, "<220 hi", ">EHLO x", "<250 AUTH PLAIN", "<235 surprise");
	assert_false(mm_dialog_logged_in(&d));
	/* even if somebody logs in there: it proves nothing */
	d = HEAR(MM_MAIL_IMAP, "<* PREAUTH", ">A1 LOGIN a b", "<A1 OK");
	assert_false(mm_dialog_logged_in(&d));
}

static void test_pop3(void **state)
{
	(void)state;
	struct mm_dialog d = HEAR(MM_MAIL_POP3, "<+OK hi <1.2@x>", ">CAPA", "<+OK", "<USER",
	    "<SASL PLAIN LOGIN", "<STLS", "<.", ">USER alice", "<+OK");
	assert_true(d.apop_stamp);
	assert_true(d.starttls_offered);
	assert_int_equal(
	    d.mechs, MM_MECH_BIT(MM_MECH_PLAIN) | MM_MECH_BIT(MM_MECH_LOGIN) | MM_MECH_BIT(MM_MECH_COMMAND));
	assert_false(mm_dialog_logged_in(&d)); /* a name is no login */
	d = HEAR(MM_MAIL_POP3, "<+OK", ">USER a", "<+OK", ">PASS b", "<+OK");
	assert_true(mm_dialog_logged_in(&d));
	d = HEAR(MM_MAIL_POP3, "<+OK", ">USER a", "<-ERR [AUTH] not in clear");
	assert_int_equal(d.auth_reply, MM_REPLY_NO);
	assert_true(d.auth_sent);
	d = HEAR(MM_MAIL_POP3, "<+OK", ">AUTH PLAIN", "<+ ", ">AGEAYg==", "<+OK");
	assert_true(mm_dialog_logged_in(&d));
}

static void test_smtp_reply_of_several_lines(void **state)
{
	(void)state;
	struct mm_dialog d =
	    HEAR(MM_MAIL_SMTP, "<220-x", "<220 y", ">EHLO me", "<250-me", "<250-AUTH PLAIN LOGIN",
		"<250 STARTTLS", ">AUTH LOGIN", "<334 VXNlcm5hbWU6", ">YWxpY2U=", "<334 UGFzc3dvcmQ6",
		">c2VjcmV0", "<534-5.7.9 Application-specific", "<534 5.7.9 password required");
	assert_int_equal(d.auth_reply, MM_REPLY_NO);
	assert_int_equal(d.auth_code, 534);
	assert_non_null(strstr(d.auth_text, "Application-specific"));
	assert_non_null(strstr(d.auth_text, "password required"));
	assert_null(strstr(d.auth_text, "c2VjcmV0"));
}

/* A password that looks like a command changes nothing. */
static void test_answers_are_no_commands(void **state)
{
	(void)state;
	struct mm_dialog d = HEAR(MM_MAIL_SMTP, "<220", ">EHLO me", "<250 AUTH LOGIN", ">AUTH LOGIN",
	    "<334 x", ">STARTTLS", "<235 ok");
	assert_false(d.starttls_sent);
	assert_true(mm_dialog_logged_in(&d));
}

static void test_only_235_is_success(void **state)
{
	(void)state;
	struct mm_dialog d =
	    HEAR(MM_MAIL_SMTP, "<220", ">EHLO me", "<250 AUTH PLAIN", ">AUTH PLAIN x", "<250 ok");
	assert_false(mm_dialog_logged_in(&d));
}

static void test_tls_forgets_offers(void **state)
{
	(void)state;
	struct mm_dialog d = HEAR(MM_MAIL_IMAP, "<* OK", "<* CAPABILITY STARTTLS LOGINDISABLED AUTH=PLAIN",
	    ">A2 STARTTLS", "<A2 OK", "T");
	assert_true(d.tls);
	assert_true(d.starttls_sent);
	assert_false(d.starttls_refused);
	assert_false(d.login_disabled);
	assert_int_equal(d.mechs, 0);
}

static void test_starttls(void **state)
{
	(void)state;
	struct mm_dialog d = HEAR(MM_MAIL_SMTP, "<220", ">EHLO me", "<250-x", "<250 starttls");
	assert_true(d.starttls_offered && d.starttls_odd_case);
	d = HEAR(MM_MAIL_SMTP, "<220", ">EHLO me", "<250-x", "<250 XXXXXXXA");
	assert_true(d.starttls_masked && !d.starttls_offered);
	d = HEAR(MM_MAIL_SMTP, "<220 ****************");
	assert_true(d.starttls_masked);
	d = HEAR(MM_MAIL_SMTP, "<220", ">EHLO me", "<250 STARTTLS", ">STARTTLS", "<454 no");
	assert_true(d.starttls_refused);
	d = HEAR(MM_MAIL_IMAP, "<* OK", ">A2 STARTTLS", "<A2 NO");
	assert_true(d.starttls_refused);
	d = HEAR(MM_MAIL_POP3, "<+OK", ">STLS", "<-ERR");
	assert_true(d.starttls_refused);
}

static void test_greetings(void **state)
{
	(void)state;
	static const struct {
		enum mm_mail mail;
		const char *line;
		enum mm_greeting greeting;
		enum mm_mail other;
	} rows[] = {
	    {MM_MAIL_IMAP, "+OK pop", MM_GREETING_OTHER_MAIL, MM_MAIL_POP3},
	    {MM_MAIL_POP3, "220 smtp", MM_GREETING_OTHER_MAIL, MM_MAIL_SMTP},
	    {MM_MAIL_SMTP, "* OK imap", MM_GREETING_OTHER_MAIL, MM_MAIL_IMAP},
	    {MM_MAIL_IMAP, "* BYE full", MM_GREETING_REFUSED, 0},
	    {MM_MAIL_POP3, "-ERR go", MM_GREETING_REFUSED, 0},
	    {MM_MAIL_SMTP, "421 later", MM_GREETING_REFUSED, 0},
	    {MM_MAIL_SMTP, "450 later", MM_GREETING_REFUSED, 0},
	    {MM_MAIL_SMTP, "554 no", MM_GREETING_REFUSED, 0},
	    {MM_MAIL_IMAP, "HTTP/1.1 400 Bad Request", MM_GREETING_STRANGE, 0},
	    {MM_MAIL_SMTP, "SSH-2.0-OpenSSH_9.2", MM_GREETING_STRANGE, 0},
	    {MM_MAIL_IMAP, "220 ProFTPD FTP server", MM_GREETING_STRANGE, 0},
	    {MM_MAIL_SMTP, "", MM_GREETING_STRANGE, 0},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mm_dialog d;
		mm_dialog_init(&d, rows[i].mail);
		mm_dialog_in(&d, rows[i].line, strlen(rows[i].line));
		assert_int_equal(d.greeting, rows[i].greeting);
		assert_int_equal(d.greeting_mail, rows[i].other);
		assert_int_equal(mm_dialog_hopeless(&d),
		    rows[i].greeting == MM_GREETING_OTHER_MAIL || rows[i].greeting == MM_GREETING_STRANGE);
	}
}

static void test_limits(void **state)
{
	(void)state;
	struct mm_dialog d;
	char line[4096];
	memset(line, 'x', sizeof(line));
	mm_dialog_init(&d, MM_MAIL_IMAP);
	mm_dialog_in(&d, "* OK", 4);
	mm_dialog_out(&d, "A1 LOGIN a b", 12);
	for (int i = 1; i <= MM_DIALOG_LINES; i++) {
		assert_false(mm_dialog_hopeless(&d));
		mm_dialog_in(&d, line, sizeof(line));
	}
	assert_true(mm_dialog_hopeless(&d));
	assert_int_equal(strlen(d.last), MM_DIALOG_TEXT - 1);
	assert_true(strlen(d.auth_text) < sizeof(d.auth_text));
}

static void test_token_error(void **state)
{
	(void)state;
	struct mm_dialog d = HEAR(MM_MAIL_SMTP, "<220", ">EHLO me", "<250 AUTH XOAUTH2",
	    ">AUTH XOAUTH2 dA==", "<334 eyJzdGF0dXMiOiI0MDEifQ==", ">", "<535 no");
	assert_true(d.token_error);
}

/* One reply has one code; what has several is nobody's yes. */
static void test_smtp_codes_that_differ(void **state)
{
	(void)state;
	struct mm_dialog d = HEAR(MM_MAIL_SMTP, "<220 ready", ">EHLO x", "<250-x", "<250 AUTH PLAIN",
	    ">AUTH PLAIN AGFsaWNlAHNlY3JldA==", "<535-5.7.8 no", "<235 2.7.0 yes");
	assert_false(mm_dialog_logged_in(&d));
	d = HEAR(MM_MAIL_SMTP, "<220 ready", ">AUTH PLAIN AA==", "<235-2.7.0 yes", "<535 5.7.8 no");
	assert_false(mm_dialog_logged_in(&d));
	d = HEAR(MM_MAIL_SMTP, "<220 ready", ">AUTH PLAIN AA==", "<235-2.7.0 yes", "<235 2.7.0 and welcome");
	assert_true(mm_dialog_logged_in(&d));
}

/* Whoever takes leave lets nobody in (RFC 9051 7.1.5). */
static void test_imap_bye(void **state)
{
	(void)state;
	struct mm_dialog d = HEAR(MM_MAIL_IMAP, "<* OK hi", ">A1 LOGIN a b", "<A1 OK in");
	assert_true(mm_dialog_logged_in(&d));
	d = HEAR(
	    MM_MAIL_IMAP, "<* OK hi", ">A1 LOGIN a b", "<* BYE [LIMIT] too many connections", "<A1 OK in");
	assert_false(mm_dialog_logged_in(&d));
	assert_string_equal(d.bye, "* BYE [LIMIT] too many connections");
	d = HEAR(
	    MM_MAIL_IMAP, "<* OK hi", ">A1 CAPABILITY", "<* bye", "<A1 OK", ">A2 LOGIN a b", "<A2 OK in");
	assert_false(mm_dialog_logged_in(&d));
	d = HEAR(MM_MAIL_POP3, "<+OK hi", ">PASS x", "<* BYE", "<+OK");
	assert_true(mm_dialog_logged_in(&d));
}

/* Bytes of a literal are no answer (RFC 9051 4.3). */
static void test_imap_literals(void **state)
{
	(void)state;
	struct mm_dialog d = HEAR(MM_MAIL_IMAP, "<* OK hi", ">A1 LOGIN a b", "<* LIST () \"/\" {10}",
	    "<A1 OK in", "<", "<A1 NO no");
	assert_int_equal(d.auth_reply, MM_REPLY_NO);
	d = HEAR(MM_MAIL_IMAP, "<* OK hi", ">A1 LOGIN a b", "<* X {10}", "<A1 OK in", "< {3}",
	    "<xyz A1 OK in", "<A1 OK in");
	assert_int_equal(d.auth_reply, MM_REPLY_OK);
	assert_true(mm_dialog_logged_in(&d));
	/* the text of a status ends as it likes */
	d = HEAR(MM_MAIL_IMAP, "<* OK hi {5}", ">A1 LOGIN a b", "<* NO {99}", "<A1 OK in {7}");
	assert_true(mm_dialog_logged_in(&d));
	d = HEAR(MM_MAIL_IMAP, "<* OK hi", ">A1 LOGIN a b", "<* X {9999}", "<A1 OK in");
	assert_false(mm_dialog_logged_in(&d));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    MM_TEST(test_imap_login),
	    MM_TEST(test_imap_refused),
	    MM_TEST(test_imap_foreign_tag),
	    MM_TEST(test_nothing_sent_is_no_login),
	    MM_TEST(test_imap_bye),
	    MM_TEST(test_imap_literals),
	    MM_TEST(test_pop3),
	    MM_TEST(test_smtp_reply_of_several_lines),
	    MM_TEST(test_answers_are_no_commands),
	    MM_TEST(test_only_235_is_success),
	    MM_TEST(test_smtp_codes_that_differ),
	    MM_TEST(test_tls_forgets_offers),
	    MM_TEST(test_starttls),
	    MM_TEST(test_greetings),
	    MM_TEST(test_limits),
	    MM_TEST(test_token_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
