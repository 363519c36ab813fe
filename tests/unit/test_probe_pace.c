/* How hard a server may be pressed; what works instead; endpoints that share. */
#include "agent/probe/pace.h"

#include "agent/probe/engine.h"
#include "agent/probe/scout.h"
#include "agent/probe/site.h"
#include "tests/lib/testutil.h"

#define LEN(x) (sizeof(x) / sizeof(*(x)))

static void test_at_a_time(void **state)
{
	(void)state;
	struct mm_pace p;
	mm_pace_init(&p, 3, 1000);
	for (int i = 0; i < 3; i++) {
		assert_true(mm_pace_free(&p, 5));
		mm_pace_take(&p, 5);
	}
	assert_false(mm_pace_free(&p, 5000));
	assert_true(mm_pace_wake(&p) == INT64_MAX);
	mm_pace_give(&p);
	assert_true(mm_pace_free(&p, 5000));
}

static void test_per_second(void **state)
{
	(void)state;
	struct mm_pace p;
	int64_t now = 1000;
	int begun = 0;
	mm_pace_init(&p, 5, 10);
	for (; now <= 2000; now++) {
		while (mm_pace_free(&p, now)) {
			mm_pace_take(&p, now);
			mm_pace_give(&p);
			begun++;
		}
		assert_true(mm_pace_wake(&p) > now);
		assert_true(mm_pace_wake(&p) <= now + 100);
	}
	/* a burst as large as what may be open, then ten in a second */
	assert_int_equal(begun, 15);
}

static void test_penalty(void **state)
{
	(void)state;
	struct mm_pace p;
	mm_pace_init(&p, 8, 1000);
	mm_pace_penalty(&p, 100);
	assert_false(mm_pace_free(&p, 100 + MM_PENALTY_MS - 1));
	assert_true(mm_pace_free(&p, 100 + MM_PENALTY_MS));
	assert_int_equal(mm_pace_wake(&p), 100 + MM_PENALTY_MS);
	assert_int_equal(p.most, 4);
	mm_pace_penalty(&p, 101); /* the same event */
	assert_int_equal(p.most, 4);
	int64_t now = 100 + MM_PENALTY_MS;
	mm_pace_penalty(&p, now);
	assert_int_equal(p.most, 2);
	assert_int_equal(mm_pace_wake(&p), now + 2 * MM_PENALTY_MS);
	for (int i = 0; i < 10; i++) {
		now += MM_PENALTY_MAX_MS * 2;
		mm_pace_penalty(&p, now);
	}
	/* one at a time for ever, with a bounded pause */
	assert_int_equal(p.most, 1);
	assert_true(mm_pace_free(&p, now + MM_PENALTY_MAX_MS));
}

/* ---- what else to look at */

static struct mm_endpoint endpoint(enum mm_mail mail, enum mm_security security, const char *host, int port)
{
	return (struct mm_endpoint){.mail = mail,
	    .security = security,
	    .level = MM_LEVEL_LOGIN,
	    .host = host,
	    .port = port,
	    .tls_min = 12,
	    .has_secret = true};
}

static void test_places(void **state)
{
	(void)state;
	struct mm_endpoint out[MM_SCOUT_MAX], own = endpoint(MM_MAIL_IMAP, MM_SEC_TLS, "h", 993);
	static const struct mm_probe_known known[] = {{"imap", "H", "starttls", 143}, /* is there already */
	    {"imap", "other", "tls", 1993}, {"smtp", "h", "tls", 465}, {"imap", "clear", "none", 143}};
	struct mm_probe_task t = mm_probe_task_none;
	t.protocol = "imap";
	t.known = known;
	t.n_known = LEN(known);
	assert_int_equal(mm_scout_places(&t, &own, out), 3);
	assert_int_equal(out[0].port, 993);
	assert_int_equal(out[0].security, MM_SEC_STARTTLS);
	assert_int_equal(out[1].port, 143);
	assert_int_equal(out[1].security, MM_SEC_STARTTLS);
	assert_string_equal(out[2].host, "other");
	for (size_t i = 0; i < 3; i++) {
		assert_false(out[i].has_secret);
		assert_int_equal(out[i].level, MM_LEVEL_TLS);
	}
	t.n_known = 0;
	own = endpoint(MM_MAIL_SMTP, MM_SEC_NONE, "h", 25);
	t.protocol = "smtp";
	assert_int_equal(mm_scout_places(&t, &own, out), 3);
	assert_int_equal(out[1].port, 465);
	assert_int_equal(out[2].port, 587);
}

static void test_places_are_few(void **state)
{
	(void)state;
	struct mm_endpoint out[MM_SCOUT_MAX], own = endpoint(MM_MAIL_IMAP, MM_SEC_TLS, "h", 993);
	struct mm_probe_known known[MM_PROBE_KNOWN_MAX];
	for (size_t i = 0; i < LEN(known); i++)
		known[i] = (struct mm_probe_known){"imap", "h", "tls", (int)i + 1};
	struct mm_probe_task t = mm_probe_task_none;
	t.protocol = "imap";
	t.known = known;
	t.n_known = LEN(known);
	assert_int_equal(mm_scout_places(&t, &own, out), MM_SCOUT_MAX);
}

static void test_tell_what_works(void **state)
{
	(void)state;
	struct mm_endpoint own = endpoint(MM_MAIL_IMAP, MM_SEC_TLS, "h", 993);
	struct mm_scout s = {.n = 2};
	struct mm_buf b = MM_BUF_INIT(512);
	s.look[0].ep = endpoint(MM_MAIL_IMAP, MM_SEC_STARTTLS, "h", 143);
	s.look[1].ep = endpoint(MM_MAIL_IMAP, MM_SEC_TLS, "k", 993);
	assert_false(mm_scout_tell(&s, &own, &b));
	s.look[1].works = true;
	assert_true(mm_scout_tell(&s, &own, &b));
	assert_string_equal(
	    mm_buf_str(&b), "k port 993 answers with TLS; the settings say h port 993 with TLS.");
	s.look[0].works = true;
	mm_buf_reset(&b);
	assert_true(mm_scout_tell(&s, &own, &b));
	assert_string_equal(
	    mm_buf_str(&b), "Port 143 answers with STARTTLS; the settings say port 993 with TLS.");
	mm_buf_free(&b);
}

/* ---- who shares */

static void test_who_shares(void **state)
{
	(void)state;
	struct mm_probe_task one = {.id = 1}, two = {.id = 2};
	struct mm_site a = {.ep = endpoint(MM_MAIL_IMAP, MM_SEC_TLS, "h", 993), .task = &one};
	struct mm_site b = a;
	b.task = &two;
	b.ep.host = "H";
	assert_int_equal(mm_site_compare(&a, &b), 0);
	b.ep.pin = "sha256//x";
	assert_int_not_equal(mm_site_compare(&a, &b), 0);
	b = a;
	b.ep.ca_file = "/ca";
	assert_int_not_equal(mm_site_compare(&a, &b), 0);
	b = a;
	b.ep.tls_min = 13;
	assert_int_not_equal(mm_site_compare(&a, &b), 0);
	b = a;
	b.ep.level = MM_LEVEL_TLS;
	assert_int_equal(mm_site_compare(&a, &b), 0);
	b.ep.level = MM_LEVEL_REACH;
	assert_int_not_equal(mm_site_compare(&a, &b), 0);
	/* what one certificate sees is nobody else's */
	b = a;
	b.task = &two;
	a.ep.has_certificate = b.ep.has_certificate = true;
	assert_int_not_equal(mm_site_compare(&a, &b), 0);
	a.tests = 1;
	assert_false(mm_site_wants_look(&a));
	a.tests = 2;
	assert_true(mm_site_wants_look(&a));
}

static void test_policy(void **state)
{
	(void)state;
	static const struct mm_probe_known known[] = {{"imap", "imap.acme.example", "tls", 993}};
	struct mm_probe_task t = mm_probe_task_none;
	struct mm_endpoint ep;
	struct mm_buf detail = MM_BUF_INIT(512);
	t.protocol = "imap";
	t.security = "tls";
	t.port = 993;
	t.host = "imap.acme.example.evil.example";
	t.known = known;
	struct mm_job job = {.task = &t};
	assert_int_equal(mm_job_lint(&job, &ep, &detail), MM_CLS_NONE); /* no policy */
	t.n_known = 1;
	assert_int_equal(mm_job_lint(&job, &ep, &detail), MM_CLS_NOT_IN_POLICY);
	t.host = "IMAP.acme.example";
	assert_int_equal(mm_job_lint(&job, &ep, &detail), MM_CLS_NONE);
	assert_false(ep.has_secret);
	mm_buf_free(&detail);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {MM_TEST(test_at_a_time), MM_TEST(test_per_second),
	    MM_TEST(test_penalty), MM_TEST(test_places), MM_TEST(test_places_are_few),
	    MM_TEST(test_tell_what_works), MM_TEST(test_who_shares), MM_TEST(test_policy)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
