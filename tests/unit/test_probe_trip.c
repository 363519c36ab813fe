/* The round trip's message: how it is made, and what is taken for it. */
#include "agent/probe/trip_message.h"

#include <string.h>

#include "tests/lib/testutil.h"

#define NOW 1800000000
#define OLD "mailmuster-1799990000-0123456789abcdef@acme.example"
#define YOUNG "mailmuster-1799999000-0123456789abcdef@acme.example"
#define WHO "alice@acme.example"

static const struct mm_trip_mark earlier = {.id = NULL, .address = WHO, .now = NOW};
static const struct mm_trip_mark this_run = {.id = YOUNG, .address = WHO, .now = NOW};

static struct mm_span span(const char *s)
{
	return (struct mm_span){s, strlen(s)};
}

static void test_id(void **state)
{
	(void)state;
	char a[MM_TRIP_ID_MAX], b[MM_TRIP_ID_MAX], long_host[600];
	int64_t when;
	mm_trip_id(a, NOW, "ws7.acme.example");
	mm_trip_id(b, NOW, "ws7.acme.example");
	assert_string_not_equal(a, b);
	assert_true(mm_trip_id_parse(span(a), &when));
	assert_int_equal(when, NOW);
	memset(long_host, 'h', sizeof(long_host) - 1);
	long_host[sizeof(long_host) - 1] = '\0';
	mm_trip_id(a, NOW, long_host);
	assert_true(mm_trip_id_parse(span(a), &when));
	static const char *const bad[] = {"", "mailmuster-", "mailmuster-1-0123456789abcdef@",
	    "mailmuster-1-012345678@h", "mailmuster-x-0123456789abcdef@h", "mailmuster-1-0123456789abcdeg@h",
	    "mailmuster--1-0123456789abcdef@h", "mailmuster-1-0123456789abcdef@h h",
	    "mailmuster-1-0123456789abcdef@<h>", "mailmuster-1-0123456789abcdefh", NULL};
	for (const char *const *p = bad; *p != NULL; p++)
		assert_false(mm_trip_id_parse(span(*p), &when));
}

static void test_message(void **state)
{
	(void)state;
	struct mm_buf b = MM_BUF_INIT(MM_TRIP_MESSAGE_MAX);
	char value[512];
	mm_trip_message(&b, YOUNG, WHO, NOW);
	assert_true(mm_buf_ok(&b));
	struct mm_span m = {mm_buf_str(&b), b.len};
	assert_true(mm_trip_is_ours(&this_run, m));
	assert_true(mm_trip_header(m, "Date", value, sizeof(value)));
	assert_string_equal(value, "Fri, 15 Jan 2027 08:00:00 +0000");
	/* fit for DATA: CR LF everywhere, no line that begins with a dot or is long */
	for (size_t i = 0; i < m.n; i++)
		assert_true(
		    m.p[i] != '\n' || (i > 0 && m.p[i - 1] == '\r' && (i + 1 == m.n || m.p[i + 1] != '.')));
	assert_memory_equal(m.p + m.n - 2, "\r\n", 2);
	mm_buf_free(&b);
}

static void test_headers(void **state)
{
	(void)state;
	char v[32];
	struct mm_span m = span("A: 1\r\nLong:  first\r\n\tsecond\r\nEmpty:\r\nB: x\r\n\r\nC: body\r\n");
	assert_true(mm_trip_header(m, "long", v, sizeof(v)));
	assert_string_equal(v, "first second");
	assert_true(mm_trip_header(m, "Empty", v, sizeof(v)));
	assert_string_equal(v, "");
	assert_true(mm_trip_header(m, "B", v, sizeof(v)));
	assert_false(mm_trip_header(m, "C", v, sizeof(v)));
	assert_false(mm_trip_header(m, "Lon", v, sizeof(v)));
	assert_false(mm_trip_header(span(""), "A", v, sizeof(v)));
}

#define HEADER(from, id)                                                                                     \
	"From: " from "\r\nMessage-ID: <" id ">\r\nX-Mailmuster-Check: " id                                  \
	"\r\nAuto-Submitted: auto-generated\r\n\r\n"

static void test_ours(void **state)
{
	(void)state;
	assert_true(mm_trip_is_ours(&this_run, span(HEADER("<" WHO ">", YOUNG))));
	assert_false(mm_trip_is_ours(&this_run, span(HEADER("<" WHO ">", OLD))));
	/* a sender that the server rewrote */
	assert_true(mm_trip_is_ours(&this_run, span(HEADER("<alice.smith@acme.example>", YOUNG))));
	assert_false(mm_trip_is_ours(&earlier, span(HEADER("<bob@acme.example>", OLD))));
	/* a Message-ID that was rewritten, a header that was taken out */
	assert_true(mm_trip_is_ours(&this_run,
	    span("From: " WHO "\r\nMessage-ID: <other@x>\r\nX-Mailmuster-Check: " YOUNG "\r\n\r\n")));
	assert_true(
	    mm_trip_is_ours(&this_run, span("From: Alice <" WHO ">\r\nMessage-ID: <" YOUNG ">\r\n\r\n")));
	assert_false(mm_trip_is_ours(&this_run, span("From: " WHO "\r\nIn-Reply-To: <" YOUNG ">\r\n\r\n")));
	assert_false(mm_trip_is_ours(&this_run, span("From: " WHO "\r\n\r\n" HEADER(WHO, YOUNG))));
	assert_true(mm_trip_is_ours(&earlier, span(HEADER("<Alice@ACME.example>", OLD))));
	/* perhaps of a run that is under way */
	assert_false(mm_trip_is_ours(&earlier, span(HEADER("<" WHO ">", YOUNG))));
	assert_false(mm_trip_is_ours(&earlier, span("From: " WHO "\r\nX-Mailmuster-Check: " OLD "\r\n\r\n")));
	assert_false(mm_trip_is_ours(&earlier,
	    span("From: " WHO "\r\nMessage-ID: <" OLD ">\r\nAuto-Submitted: auto-generated\r\n\r\n")));
}

#define REPORT(action, returned)                                                                             \
	"From: MAILER-DAEMON@mx.acme.example (Mail Delivery System)\r\nAuto-Submitted: auto-replied\r\n"     \
	"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n"             \
	"Content-Type: message/delivery-status\r\n\r\nAction: " action "\r\nStatus: 5.2.2\r\n"               \
	"Diagnostic-Code: smtp; 552 5.2.2\r\n    Quota exceeded\r\n\r\n--b\r\n"                              \
	"Content-Type: message/rfc822\r\n\r\n" returned "--b--\r\n"

static void expect_bounce(const struct mm_trip_mark *m, const char *text, const char *reason)
{
	char got[128];
	assert_int_equal(mm_trip_is_bounce(m, span(text), got, sizeof(got)), reason != NULL);
	if (reason != NULL)
		assert_string_equal(got, reason);
}

static void test_bounces(void **state)
{
	(void)state;
	expect_bounce(&this_run, REPORT("failed", HEADER(WHO, YOUNG)), "smtp; 552 5.2.2 Quota exceeded");
	expect_bounce(&earlier, REPORT("failed", HEADER(WHO, OLD)), "smtp; 552 5.2.2 Quota exceeded");
	expect_bounce(&this_run, REPORT("failed", HEADER(WHO, OLD)), NULL);
	expect_bounce(&earlier, REPORT("failed", HEADER(WHO, YOUNG)), NULL);
	/* only delayed: it may arrive yet */
	expect_bounce(&this_run, REPORT("delayed", HEADER(WHO, YOUNG)), NULL);
	/* a message of the user's own came back, in which he quotes ours */
	expect_bounce(&earlier,
	    REPORT("failed", "From: " WHO "\r\nSubject: x\r\n\r\nX-Mailmuster-Check: " OLD "\r\n"), NULL);
	expect_bounce(&earlier, REPORT("failed", HEADER("bob@acme.example", OLD)), NULL);
	/* qmail's has no parts; the id of this run is enough, that of another one is not */
	expect_bounce(&this_run,
	    "From: MAILER-DAEMON@x\r\nSubject: failure notice\r\n\r\nMessage-ID: <" YOUNG ">\r\n",
	    "failure notice");
	expect_bounce(&earlier, "From: MAILER-DAEMON@x\r\n\r\nX-Mailmuster-Check: " OLD "\r\n", NULL);
	/* an answer by a person or a holiday notice */
	expect_bounce(&this_run, "From: bob@x\r\nSubject: Re\r\n\r\n" YOUNG "\r\n", NULL);
	expect_bounce(&this_run, "From: bob@x\r\nAuto-Submitted: auto-replied\r\n\r\n" YOUNG "\r\n", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_id),
	    cmocka_unit_test(test_message),
	    cmocka_unit_test(test_headers),
	    cmocka_unit_test(test_ours),
	    cmocka_unit_test(test_bounces),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
