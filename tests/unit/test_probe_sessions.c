/* Which connections may share TLS sessions: sessions.c. */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "agent/probe/sessions.h"
#include "tests/lib/testutil.h"

static struct mm_addr v4(const char *text)
{
	struct sockaddr_in sa = {.sin_family = AF_INET};
	struct mm_addr a = {.len = sizeof(sa)};
	assert_int_equal(inet_pton(AF_INET, text, &sa.sin_addr), 1);
	memcpy(&a.sa, &sa, sizeof(sa));
	return a;
}

static struct mm_addr v6(const char *text)
{
	struct sockaddr_in6 sa = {.sin6_family = AF_INET6};
	struct mm_addr a = {.len = sizeof(sa)};
	assert_int_equal(inet_pton(AF_INET6, text, &sa.sin6_addr), 1);
	memcpy(&a.sa, &sa, sizeof(sa));
	return a;
}

/* Behind one name there may be many servers. */
static void test_by_address(void **state)
{
	(void)state;
	struct mm_sessions *all = NULL;
	struct mm_addr one = v4("192.0.2.1"), two = v4("192.0.2.2"), six = v6("2001:db8::1"),
		       again = v4("192.0.2.1");
	CURLSH *a = mm_sessions_with(&all, &one, 1000);
	CURLSH *b = mm_sessions_with(&all, &two, 1000);
	CURLSH *c = mm_sessions_with(&all, &six, 1000);
	assert_non_null(a);
	assert_ptr_not_equal(a, b);
	assert_ptr_not_equal(a, c);
	assert_ptr_not_equal(b, c);
	assert_ptr_equal(mm_sessions_with(&all, &again, 1001), a);
	mm_sessions_end(&all);
	assert_null(all);
	mm_sessions_end(&all);
}

static void test_not_for_long(void **state)
{
	(void)state;
	struct mm_sessions *all = NULL;
	struct mm_addr at = v4("192.0.2.1");
	CURLSH *a = mm_sessions_with(&all, &at, 1000);
	assert_ptr_equal(mm_sessions_with(&all, &at, 1000 + MM_SESSION_MS - 1), a);
	CURLSH *b = mm_sessions_with(&all, &at, 1000 + MM_SESSION_MS);
	assert_ptr_not_equal(a, b);
	assert_ptr_equal(mm_sessions_with(&all, &at, 1000 + MM_SESSION_MS + 1), b);
	/* connections that began with the old one may still use it */
	assert_int_equal(curl_share_setopt(a, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION), CURLSHE_OK);
	mm_sessions_end(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_by_address),
	    cmocka_unit_test(test_not_for_long),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
