/* Addresses that do not answer, against sockets of our own. */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "agent/probe/clock.h"
#include "agent/probe/survey.h"
#include "tests/lib/testutil.h"

static struct mm_addr v4(const char *text)
{
	struct mm_addr a = {.len = sizeof(struct sockaddr_in)};
	struct sockaddr_in sa = {.sin_family = AF_INET};
	assert_int_equal(inet_pton(AF_INET, text, &sa.sin_addr), 1);
	memcpy(&a.sa, &sa, sizeof(sa));
	return a;
}

static struct mm_addr v6(const char *text)
{
	struct mm_addr a = {.len = sizeof(struct sockaddr_in6)};
	struct sockaddr_in6 sa = {.sin6_family = AF_INET6};
	assert_int_equal(inet_pton(AF_INET6, text, &sa.sin6_addr), 1);
	memcpy(&a.sa, &sa, sizeof(sa));
	return a;
}

/* Listens on 127.0.0.1 alone. */
static int listener(int *port)
{
	struct mm_addr a = v4("127.0.0.1");
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in sa;
	socklen_t len = sizeof(sa);
	assert_int_equal(bind(fd, (struct sockaddr *)&a.sa, a.len), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	*port = ntohs(sa.sin_port);
	return fd;
}

static void survey(const struct mm_addr *addrs, size_t n, struct mm_arena *mem, struct mm_login *out)
{
	int port, fd = listener(&port);
	static const struct mm_limits limits = {.look_ms = 2000};
	struct mm_endpoint ep = {.mail = MM_MAIL_IMAP, .security = MM_SEC_TLS, .host = "h", .port = port};
	struct mm_name_answer name = {.addrs = addrs, .n = n};
	struct mm_probe_task task = {.host = "h", .port = port};
	struct mm_survey s;
	struct mm_maker m;
	int64_t began = mm_clock_ms();
	mm_survey_begin(&s, NULL, &limits, &ep, &name, false, NULL, began);
	while (!s.done) {
		struct pollfd fds[MM_SURVEY_LINES];
		size_t k = mm_survey_poll(&s, fds, MM_SURVEY_LINES);
		poll(fds, (nfds_t)k, 50);
		assert_true(mm_clock_ms() < began + 10000);
		mm_survey_step(&s, mm_clock_ms());
	}
	*out = (struct mm_login){.any = true, .ladder.fix = ""};
	mm_maker_begin(&m, &task, mem);
	mm_survey_tell(&s, &m, out);
	mm_survey_end(&s);
	close(fd);
}

static void test_one_is_dead(void **state)
{
	(void)state;
	struct mm_arena *mem = mm_arena_new();
	struct mm_addr addrs[] = {v4("127.0.0.2"), v4("127.0.0.1")};
	struct mm_login l;
	survey(addrs, 2, mem, &l);
	assert_int_equal(l.ladder.endpoint.n_addresses, 2);
	assert_string_equal(l.ladder.endpoint.addresses[0].ip, "127.0.0.2");
	assert_string_equal(l.ladder.endpoint.addresses[0].error, strerror(ECONNREFUSED));
	assert_string_equal(l.ladder.endpoint.addresses[1].error, "");
	assert_true(l.ladder.endpoint.addresses[1].ms >= 0);
	assert_int_equal(l.ladder.n_notes, 1);
	assert_string_equal(l.ladder.notes[0].cls, "ADDRESS_DEAD");
	assert_non_null(strstr(l.ladder.notes[0].admin, "127.0.0.2"));
	assert_null(l.tls.offered);
	mm_arena_free(mem);
}

static void test_no_ipv6_answers(void **state)
{
	(void)state;
	struct mm_arena *mem = mm_arena_new();
	struct mm_addr addrs[] = {v6("::1"), v4("127.0.0.1")};
	struct mm_login l;
	survey(addrs, 2, mem, &l);
	/* where this computer has no IPv6 itself, the server is not to blame */
	if (strcmp(l.ladder.endpoint.addresses[0].error, strerror(ECONNREFUSED)) == 0) {
		assert_int_equal(l.ladder.n_notes, 1);
		assert_string_equal(l.ladder.notes[0].cls, "IPV6_BROKEN");
	} else {
		assert_int_equal(l.ladder.n_notes, 0);
	}
	mm_arena_free(mem);
}

/* Without a route the connection fails at once, on our side. */
static void test_no_route_is_ours(void **state)
{
	(void)state;
	struct mm_arena *mem = mm_arena_new();
	struct mm_addr addrs[] = {v4("255.255.255.255"), v4("127.0.0.1")};
	struct mm_login l;
	survey(addrs, 2, mem, &l);
	assert_true(l.ladder.endpoint.addresses[0].error[0] != '\0');
	assert_int_equal(
	    l.ladder.n_notes, strcmp(l.ladder.endpoint.addresses[0].error, strerror(ENETUNREACH)) != 0);
	mm_arena_free(mem);
}

/* Where none answers, that is the verdict and no remark. */
static void test_all_dead(void **state)
{
	(void)state;
	struct mm_arena *mem = mm_arena_new();
	struct mm_addr addrs[] = {v4("127.0.0.2"), v4("127.0.0.3")};
	struct mm_login l;
	survey(addrs, 2, mem, &l);
	assert_int_equal(l.ladder.n_notes, 0);
	mm_arena_free(mem);
}

static void test_one_address_is_not_dialled_again(void **state)
{
	(void)state;
	struct mm_arena *mem = mm_arena_new();
	struct mm_addr addrs[] = {v4("127.0.0.2")};
	struct mm_login l;
	survey(addrs, 1, mem, &l);
	assert_int_equal(l.ladder.endpoint.n_addresses, 0);
	mm_arena_free(mem);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {MM_TEST(test_one_is_dead), MM_TEST(test_no_ipv6_answers),
	    MM_TEST(test_no_route_is_ours), MM_TEST(test_all_dead),
	    MM_TEST(test_one_address_is_not_dialled_again)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
