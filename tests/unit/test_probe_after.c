/* What servers say behind a login: replies, and what they mean for the sender. */
#include <stdint.h>
#include <string.h>

#include "agent/probe/reply.h"
#include "agent/probe/sender.h"
#include "tests/lib/testutil.h"

static struct mm_span span(const char *s)
{
	return (struct mm_span){s, strlen(s)};
}

/* ---- where a reply ends */

/* Byte by byte, as a slow server would; the length of the reply, -1 for
 * broken, 0 for more. */
static long scan(enum mm_reply_kind kind, const char *text)
{
	struct mm_reply_scan s = {.kind = kind, .tag = "M1"};
	for (size_t n = 1; n <= strlen(text); n++) {
		enum mm_scan r = mm_reply_scan(&s, text, n);
		if (r != MM_SCAN_MORE)
			return r == MM_SCAN_DONE ? (long)s.at : -1;
	}
	return 0;
}

static void test_scan(void **state)
{
	(void)state;
	static const struct {
		enum mm_reply_kind kind;
		const char *text;
		long want;
	} rows[] = {
	    {MM_REPLY_SMTP, "250 ok\r\n", 8},
	    {MM_REPLY_SMTP, "250-a\r\n250-b\r\n250 c\r\n", 21},
	    {MM_REPLY_SMTP, "250\r\n", 5},
	    {MM_REPLY_SMTP, "250-a\r\n", 0},
	    {MM_REPLY_SMTP, "what\r\n", -1},
	    {MM_REPLY_SMTP, "\r\n", -1},
	    {MM_REPLY_POP3, "+OK 1 2\r\n", 9},
	    {MM_REPLY_POP3, "-ERR\r\n", 6},
	    {MM_REPLY_POP3, "OK\r\n", -1},
	    {MM_REPLY_POP3_LINES, "+OK\r\na\r\n..\r\n.\r\n", 15},
	    {MM_REPLY_POP3_LINES, "-ERR no\r\n", 9},
	    {MM_REPLY_POP3_LINES, "+OK\r\n..\r\n", 0},
	    {MM_REPLY_IMAP, "* 1 EXISTS\r\nM1 OK\r\n", 19},
	    {MM_REPLY_IMAP, "M2 OK\r\nM1 OK x\r\n", -1},
	    {MM_REPLY_IMAP, "OK\r\nM1 OK x\r\n", -1},
	    {MM_REPLY_IMAP, "\r\n+ idling\r\nM1 OK x\r\n", 21},
	    /* the tag inside of a literal is text */
	    {MM_REPLY_IMAP, "* 1 FETCH (B {7}\r\nM1 OK\r\n)\r\nM1 OK\r\n", 35},
	    {MM_REPLY_IMAP, "* 1 FETCH (B {7+}\r\nM1 OK\r\n)\r\n", 0},
	    {MM_REPLY_IMAP, "* 1 FETCH (B {99999999}\r\n", -1},
	    {MM_REPLY_POP3, "+OKAY\r\n", -1},
	    {MM_REPLY_IMAP, "* {x}\r\nM1 OK\r\n", 14},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(scan(rows[i].kind, rows[i].text), rows[i].want);
}

static void test_scan_has_an_end(void **state)
{
	(void)state;
	static char big[MM_REPLY_MAX + 2];
	memset(big, 'a', sizeof(big));
	struct mm_reply_scan s = {.kind = MM_REPLY_IMAP, .tag = "M1"};
	assert_int_equal(mm_reply_scan(&s, big, MM_REPLY_MAX), MM_SCAN_MORE);
	assert_int_equal(mm_reply_scan(&s, big, MM_REPLY_MAX + 1), MM_SCAN_BROKEN);
}

/* ---- IMAP */

static void test_imap_answers(void **state)
{
	(void)state;
	struct mm_span text, body;
	int64_t n;
	assert_true(mm_imap_ok(span("* x\r\nM1 OK done\r\n"), "M1", &text));
	assert_false(mm_imap_ok(span("M1 NO [LIMIT] x\r\n"), "M1", &text));
	assert_int_equal(text.n, strlen("NO [LIMIT] x"));
	assert_false(mm_imap_ok(span("M1 OKAY\r\n"), "M1", &text));
	assert_true(mm_imap_exists(span("* 3 EXISTS\r\n* 4 EXISTS\r\n"), &n));
	assert_int_equal(n, 4);
	assert_false(mm_imap_exists(span("* x EXISTS\r\n* LIST (A) \"4 EXISTS\" b\r\n"), &n));
	assert_true(mm_imap_code(span("* OK [UIDVALIDITY 77] x\r\n"), "UIDVALIDITY", &text));
	assert_memory_equal(text.p, "77", 2);
	assert_true(mm_imap_code(span("M1 OK [READ-ONLY] x\r\n"), "READ-ONLY", &text));
	assert_false(mm_imap_code(span("M1 OK [READ-ONLYX] x\r\n"), "READ-ONLY", &text));
	assert_true(mm_imap_has_capability(span("* CAPABILITY A QUOTA=RES-STORAGE QUOTA\r\n"), "QUOTA"));
	assert_false(mm_imap_has_capability(span("* CAPABILITY A QUOTASET\r\n"), "QUOTA"));
	const char *fetched =
	    "* 2 FETCH (FLAGS (\\Seen X) BODY[HEADER.FIELDS (FROM)] {6}\r\nF: (\r\n UID 9)\r\n";
	assert_true(mm_imap_fetched(span(fetched), 9, &body));
	assert_memory_equal(body.p, "F: (\r\n", 6);
	assert_false(mm_imap_fetched(span(fetched), 8, &body));
	assert_false(mm_imap_fetched(span("* 2 FETCH (UID 9 BODY[] {600}\r\nF"), 8, &body));
}

static void test_imap_search(void **state)
{
	(void)state;
	uint32_t u[3];
	assert_int_equal(mm_imap_search(span("* SEARCH 4 1 9 9 7 2 x\r\n"), u, 3), 3);
	assert_int_equal(u[0], 9);
	assert_int_equal(u[1], 7);
	assert_int_equal(u[2], 4);
	assert_int_equal(mm_imap_search(span("* SEARCH 0 -1 4294967296 99999999999999999999\r\n"), u, 3), 0);
	assert_int_equal(mm_imap_search(span("* SEARCH\r\nM1 OK\r\n"), u, 3), 0);
	assert_int_equal(mm_imap_search(span("M1 OK SEARCH 5\r\n"), u, 3), 0);
}

static void expect_folder(const char *reply, const char *want)
{
	char name[16];
	assert_int_equal(mm_imap_special(span(reply), "\\Junk", name, sizeof(name)), want != NULL);
	if (want != NULL)
		assert_string_equal(name, want);
}

static void test_imap_folders(void **state)
{
	(void)state;
	expect_folder("* LIST (\\A) \"/\" A\r\n* LIST (\\B \\JUNK) \"/\" \"My Spam\"\r\n", "My Spam");
	expect_folder("* LIST (\\Junk) NIL Spam\r\n", "Spam");
	expect_folder("* LIST (\\Junk) \"/\" {4}\r\na\"b\\\r\n", "a\\\"b\\\\");
	expect_folder("* LIST (\\Junk) \"/\" \"a\\\"b\"\r\n", "a\\\"b");
	/* what cannot be named is not named */
	expect_folder("* LIST (\\Junk) \"/\" {3}\r\na\r\nb\r\n", NULL);
	expect_folder("* LIST (\\Junk) \"/\" \"\xc3\xa4\"\r\n", NULL);
	expect_folder("* LIST (\\Junk) \"/\" \"much too long for its place\"\r\n", NULL);
	expect_folder("* LIST (\\Junk) \"/\" \"broken\\\r\n", NULL);
	expect_folder("* LIST (\\Junked) \"/\" Spam\r\n", NULL);
	expect_folder("* LIST (\\Junk\r\n", NULL);
}

static void test_quota(void **state)
{
	(void)state;
	struct mm_quota q;
	assert_true(mm_imap_quota(span("* QUOTA \"\" (STORAGE 94 100)\r\n"), &q));
	assert_false(mm_quota_near(&q));
	assert_true(mm_imap_quota(span("* QUOTA \"\" (STORAGE 95 100)\r\n"), &q));
	assert_true(mm_quota_near(&q));
	/* the fuller root counts */
	assert_true(mm_imap_quota(span("* QUOTA a (STORAGE 9 10)\r\n* QUOTA b (STORAGE 1 10)\r\n"), &q));
	assert_int_equal(q.used, 9);
	assert_false(
	    mm_imap_quota(span("* QUOTA a ()\r\n* QUOTAROOT INBOX a\r\n* QUOTA a (STORAGE 5\r\n"), &q));
	assert_true(mm_imap_quota(span("* QUOTA a (STORAGE 999999999999999 999999999999999)\r\n"), &q));
	assert_true(mm_quota_near(&q));
}

/* ---- POP3 and SMTP */

static void test_pop3(void **state)
{
	(void)state;
	int64_t n;
	assert_true(mm_pop3_number(span("+OK 12 3400\r\n"), &n));
	assert_int_equal(n, 12);
	assert_false(mm_pop3_number(span("-ERR 12\r\n"), &n));
	assert_false(mm_pop3_number(span("+OK\r\n"), &n));
	assert_true(mm_pop3_has_capability(span("+OK\r\nUIDL\r\nTOP\r\n.\r\n"), "TOP"));
	assert_false(mm_pop3_has_capability(span("+OK TOP\r\nSTOP\r\n.\r\n"), "TOP"));
	assert_false(mm_pop3_has_capability(span("-ERR\r\nTOP\r\n"), "TOP"));
}

static void test_smtp_reply(void **state)
{
	(void)state;
	struct mm_smtp_reply r;
	assert_true(mm_smtp_reply(span("553-5.7.1 a\r\n553 5.7.1 b  c\r\n"), &r));
	assert_int_equal(r.code, 553);
	assert_int_equal(r.status[0] * 100 + r.status[1] * 10 + r.status[2], 571);
	assert_string_equal(r.text, "a b  c");
	assert_true(mm_smtp_reply(span("250\r\n"), &r));
	assert_string_equal(r.text, "");
	/* no status: a version, an address */
	assert_true(mm_smtp_reply(span("250 1.2.3.4 is you\r\n"), &r));
	assert_int_equal(r.status[0], 0);
	assert_false(mm_smtp_reply(span("550-5.7.1 no\r\n250 ok\r\n"), &r));
	assert_false(mm_smtp_reply(span("250-ok\r\n550 no\r\n"), &r));
	assert_false(mm_smtp_reply(span(""), &r));
	assert_false(mm_smtp_reply(span("25\r\n"), &r));
	assert_false(mm_smtp_reply(span("2500 x\r\n"), &r));
	assert_false(mm_smtp_reply(span("099 x\r\n"), &r));
}

static void expect_class(enum mm_sender_verb verb, const char *reply, enum mm_cls want)
{
	struct mm_smtp_reply r;
	assert_true(mm_smtp_reply(span(reply), &r));
	assert_string_equal(mm_cls_def(mm_sender_class(verb, &r))->word, mm_cls_def(want)->word);
}

static void test_sender_classes(void **state)
{
	(void)state;
	static const struct {
		enum mm_sender_verb verb;
		const char *reply;
		enum mm_cls want;
	} rows[] = {
	    {MM_SENDER_MAIL, "250 2.1.0 Ok", MM_CLS_NONE},
	    {MM_SENDER_DATA, "354 go", MM_CLS_NONE},
	    {MM_SENDER_RCPT, "354 go", MM_CLS_PROTOCOL_ERROR},
	    {MM_SENDER_MAIL, "530 5.7.0 Must issue a STARTTLS command first", MM_CLS_AUTH_REQUIRED},
	    {MM_SENDER_RCPT, "550 5.7.1 Authentication required", MM_CLS_AUTH_REQUIRED},
	    /* Postfix */
	    {MM_SENDER_RCPT, "553 5.7.1 <b@x>: Sender address rejected: not owned by user a",
		MM_CLS_SENDER_REJECTED},
	    {MM_SENDER_RCPT, "550 5.1.8 <b@x>: Sender address rejected: Domain not found",
		MM_CLS_SENDER_REJECTED},
	    {MM_SENDER_RCPT, "554 5.7.1 <b@x>: Relay access denied", MM_CLS_RELAY_DENIED},
	    {MM_SENDER_RCPT, "454 4.7.1 <b@x>: Relay access denied", MM_CLS_RELAY_DENIED},
	    {MM_SENDER_RCPT, "550 5.1.1 <b@x>: Recipient address rejected: User unknown",
		MM_CLS_RCPT_REJECTED},
	    {MM_SENDER_RCPT, "504 5.5.2 <x>: Helo command rejected: need fully-qualified hostname",
		MM_CLS_EHLO_REJECTED},
	    {MM_SENDER_RCPT, "450 4.2.0 <b@x>: Recipient address rejected: Greylisted", MM_CLS_SEND_TEMP},
	    {MM_SENDER_RCPT, "554 5.7.1 <x>: Client host rejected: Access denied", MM_CLS_SEND_REFUSED},
	    {MM_SENDER_MAIL, "552 5.3.4 Message size exceeds fixed limit", MM_CLS_TOO_BIG},
	    {MM_SENDER_MAIL, "452 4.3.1 Insufficient system storage", MM_CLS_SEND_TEMP},
	    /* Exim, sendmail, Exchange */
	    {MM_SENDER_RCPT, "550 relay not permitted", MM_CLS_RELAY_DENIED},
	    {MM_SENDER_RCPT, "550 5.7.1 <b@x>... Relaying denied", MM_CLS_RELAY_DENIED},
	    {MM_SENDER_RCPT, "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain",
		MM_CLS_RELAY_DENIED},
	    {MM_SENDER_MAIL, "550 5.7.60 SMTP; Client does not have permissions", MM_CLS_SENDER_REJECTED},
	    {MM_SENDER_DATA, "552 5.2.2 mailbox full", MM_CLS_OVERQUOTA},
	    {MM_SENDER_DATA, "550 5.7.1 looks like spam", MM_CLS_TRIP_REFUSED},
	    {MM_SENDER_MAIL, "421 4.3.2 bye", MM_CLS_SEND_TEMP},
	    {MM_SENDER_MAIL, "199 what", MM_CLS_PROTOCOL_ERROR},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect_class(rows[i].verb, rows[i].reply, rows[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_scan),
	    cmocka_unit_test(test_scan_has_an_end),
	    cmocka_unit_test(test_imap_answers),
	    cmocka_unit_test(test_imap_search),
	    cmocka_unit_test(test_imap_folders),
	    cmocka_unit_test(test_quota),
	    cmocka_unit_test(test_pop3),
	    cmocka_unit_test(test_smtp_reply),
	    cmocka_unit_test(test_sender_classes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
