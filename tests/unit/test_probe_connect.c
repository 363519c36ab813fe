/* Names, addresses, connections: resolve.c and dial.c. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>

#include "agent/probe/clock.h"
#include "agent/probe/dial.h"
#include "agent/probe/resolve.h"
#include "tests/lib/testutil.h"

/* ---- a name service of our own; its state is shared with its threads */

static pthread_mutex_t gate_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate = PTHREAD_COND_INITIALIZER;
static bool gate_open;
static int asked;

static void set_gate(bool open)
{
	pthread_mutex_lock(&gate_lock);
	gate_open = open;
	pthread_cond_broadcast(&gate);
	pthread_mutex_unlock(&gate_lock);
}

static int fake_ask(
    const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
	(void)service;
	(void)hints;
	pthread_mutex_lock(&gate_lock);
	asked++;
	while (strncmp(host, "slow", 4) == 0 && !gate_open)
		pthread_cond_wait(&gate, &gate_lock);
	pthread_mutex_unlock(&gate_lock);
	if (strcmp(host, "nowhere") == 0)
		return EAI_NONAME;
	struct addrinfo want = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
	return getaddrinfo("127.0.0.1", NULL, &want, out);
}

static const struct mm_gai fake = {fake_ask, freeaddrinfo};

static void no_wake(void *ctx)
{
	(void)ctx;
}

static void wait_for(struct mm_resolver *r, struct mm_name *n, struct mm_name_answer *out)
{
	int64_t end = mm_clock_ms() + 20000;
	while (!mm_name_answer(r, n, out)) {
		assert_true(mm_clock_ms() < end);
		usleep(1000);
	}
}

static void test_names(void **state)
{
	(void)state;
	struct mm_name_answer a;
	struct mm_resolver *r = mm_resolver_new(&fake, no_wake, NULL);
	struct mm_name *here = mm_resolver_ask(r, "here");
	wait_for(r, here, &a);
	assert_int_equal(a.gai, 0);
	assert_int_equal(a.n, 1);
	assert_int_equal(a.addrs[0].sa.ss_family, AF_INET);
	wait_for(r, mm_resolver_ask(r, "nowhere"), &a);
	assert_int_equal(a.gai, EAI_NONAME);
	/* asked once, however many want it */
	int before = asked;
	assert_ptr_equal(mm_resolver_ask(r, "here"), here);
	assert_int_equal(asked, before);
	/* literals need no name service */
	assert_true(mm_name_answer(r, mm_resolver_ask(r, "::1"), &a));
	assert_int_equal(a.addrs[0].sa.ss_family, AF_INET6);
	assert_true(mm_name_answer(r, mm_resolver_ask(r, "192.0.2.1"), &a));
	assert_int_equal(asked, before);
	mm_resolver_free(r);
}

static void test_a_dead_zone_holds_up_nobody(void **state)
{
	(void)state;
	struct mm_name_answer a;
	set_gate(false);
	struct mm_resolver *r = mm_resolver_new(&fake, no_wake, NULL);
	struct mm_name *slow[MM_RESOLVE_THREADS - 1];
	for (int i = 0; i < MM_RESOLVE_THREADS - 1; i++) {
		char host[16];
		snprintf(host, sizeof(host), "slow%d", i);
		slow[i] = mm_resolver_ask(r, host);
	}
	wait_for(r, mm_resolver_ask(r, "here"), &a);
	assert_false(mm_name_answer(r, slow[0], &a));
	set_gate(true);
	for (int i = 0; i < MM_RESOLVE_THREADS - 1; i++)
		wait_for(r, slow[i], &a);
	mm_resolver_free(r);
}

/* ---- connections */

static int listener(int *port)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	*port = ntohs(sa.sin_port);
	return fd;
}

static struct mm_addr address(const char *text)
{
	struct sockaddr_in sa = {.sin_family = AF_INET};
	struct mm_addr a = {.len = sizeof(sa)};
	assert_int_equal(inet_pton(AF_INET, text, &sa.sin_addr), 1);
	memcpy(&a.sa, &sa, sizeof(sa));
	return a;
}

static enum mm_dial_state run(struct mm_dial *d)
{
	enum mm_dial_state s;
	while ((s = mm_dial_step(d, mm_clock_ms())) == MM_DIAL_PENDING) {
		struct pollfd p[MM_ADDRS_MAX];
		size_t n = mm_dial_poll(d, p, MM_ADDRS_MAX);
		int64_t ms = mm_dial_wake(d) - mm_clock_ms();
		poll(p, n, ms > 0 ? (int)ms : 0);
	}
	return s;
}

static void test_dial(void **state)
{
	(void)state;
	int port;
	int fd = listener(&port);
	struct mm_addr a = address("127.0.0.1");
	struct mm_dial d;
	mm_dial_begin(&d, &a, 1, port, mm_clock_ms(), 5000);
	assert_int_equal(run(&d), MM_DIAL_DONE);
	int got = mm_dial_take(&d);
	assert_true((fcntl(got, F_GETFL) & O_NONBLOCK) != 0);
	assert_true((fcntl(got, F_GETFD) & FD_CLOEXEC) != 0);
	close(got);
	close(fd);
	mm_dial_begin(&d, &a, 1, port, mm_clock_ms(), 5000);
	assert_int_equal(run(&d), MM_DIAL_FAILED);
	assert_int_equal(mm_dial_errno(&d), ECONNREFUSED);
	mm_dial_end(&d);
}

/* The first address is dead: the second gets its turn. */
static void test_dial_goes_on(void **state)
{
	(void)state;
	int port;
	int fd = listener(&port);
	struct mm_addr a[2] = {address("127.0.0.77"), address("127.0.0.1")};
	struct mm_dial d;
	mm_dial_begin(&d, a, 2, port, mm_clock_ms(), 5000);
	assert_int_equal(run(&d), MM_DIAL_DONE);
	assert_int_equal(d.won, 1);
	assert_int_equal(d.error[0], ECONNREFUSED);
	close(mm_dial_take(&d));
	close(fd);
}

/* A full queue drops our SYN: nobody answers, as behind a firewall. */
static void test_dial_timeout(void **state)
{
	(void)state;
	int port;
	int fd = listener(&port);
	struct mm_addr a = address("127.0.0.1");
	assert_int_equal(listen(fd, 0), 0);
	struct mm_dial parked[2], d;
	int parked_fd[2];
	for (int i = 0; i < 2; i++) {
		mm_dial_begin(&parked[i], &a, 1, port, mm_clock_ms(), 200);
		parked_fd[i] = run(&parked[i]) == MM_DIAL_DONE ? mm_dial_take(&parked[i]) : -1;
	}
	int64_t begin = mm_clock_ms();
	mm_dial_begin(&d, &a, 1, port, begin, 300);
	assert_int_equal(run(&d), MM_DIAL_FAILED);
	assert_int_equal(mm_dial_errno(&d), ETIMEDOUT);
	assert_true(mm_clock_ms() - begin >= 300);
	for (int i = 0; i < 2; i++)
		if (parked_fd[i] >= 0)
			close(parked_fd[i]);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_a_dead_zone_holds_up_nobody),
	    MM_TEST(test_dial),
	    MM_TEST(test_dial_goes_on),
	    MM_TEST(test_dial_timeout),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
