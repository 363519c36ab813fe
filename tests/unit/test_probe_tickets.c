/* Kerberos tickets that come, that do not, and that nobody waits for twice: tickets.c. */
#include <pthread.h>

#include "agent/probe/clock.h"
#include "agent/probe/tickets.h"
#include "tests/lib/testutil.h"

/* ---- a ticket service of our own; its state is shared with the threads */

static pthread_mutex_t gate_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate = PTHREAD_COND_INITIALIZER;
static bool gate_open;
static int asked, inside;

static void set_gate(bool open)
{
	pthread_mutex_lock(&gate_lock);
	gate_open = open;
	pthread_cond_broadcast(&gate);
	pthread_mutex_unlock(&gate_lock);
}

static int number(const int *n)
{
	pthread_mutex_lock(&gate_lock);
	int v = *n;
	pthread_mutex_unlock(&gate_lock);
	return v;
}

static bool fake(const char *service, char *why)
{
	pthread_mutex_lock(&gate_lock);
	asked++;
	inside++;
	while (strstr(service, "@silent") != NULL && !gate_open)
		pthread_cond_wait(&gate, &gate_lock);
	inside--;
	pthread_mutex_unlock(&gate_lock);
	if (strstr(service, "@slow") != NULL)
		usleep((MM_TICKET_SLOW_MS + 50) * 1000);
	if (strcmp(service, "pop@unknown") == 0)
		snprintf(why, MM_TICKET_WHY_MAX, "Server not found in Kerberos database");
	return strcmp(service, "pop@unknown") != 0;
}

static void no_wake(void *ctx)
{
	(void)ctx;
}

static struct mm_ticket *ask(struct mm_tickets *t, enum mm_mail mail, const char *host)
{
	const struct mm_endpoint ep = {.mail = mail, .host = host};
	return mm_tickets_ask(t, &ep);
}

/* As long as it takes: the limit is not what is tested. */
static struct mm_ticket_answer answer(struct mm_tickets *t, const struct mm_ticket *of)
{
	struct mm_ticket_answer a;
	int64_t end = mm_clock_ms() + 20000;
	while (!mm_ticket_answer(t, of, 60000, mm_clock_ms(), &a)) {
		assert_true(mm_clock_ms() < end);
		usleep(1000);
	}
	return a;
}

static struct mm_tickets *begin(void)
{
	set_gate(false);
	asked = 0;
	return mm_tickets_new(fake, no_wake, NULL);
}

static void test_answers(void **state)
{
	(void)state;
	struct mm_tickets *t = begin();
	struct mm_ticket *imap = ask(t, MM_MAIL_IMAP, "here");
	assert_null(answer(t, imap).why);
	assert_false(answer(t, imap).slow);
	/* fetched, and rehearsed; and not for each user anew */
	assert_int_equal(number(&asked), 2);
	assert_ptr_equal(ask(t, MM_MAIL_IMAP, "here"), imap);
	assert_null(answer(t, imap).why);
	assert_int_equal(number(&asked), 2);
	assert_ptr_not_equal(ask(t, MM_MAIL_SMTP, "here"), imap);
	assert_string_equal(
	    answer(t, ask(t, MM_MAIL_POP3, "unknown")).why, "Server not found in Kerberos database");
	assert_true(mm_tickets_free(t));
}

static void test_slow(void **state)
{
	(void)state;
	struct mm_tickets *t = begin();
	struct mm_ticket_answer a = answer(t, ask(t, MM_MAIL_IMAP, "slow"));
	assert_null(a.why);
	assert_true(a.slow);
	assert_true(mm_tickets_free(t));
}

static void test_silent(void **state)
{
	(void)state;
	struct mm_ticket_answer a;
	struct mm_tickets *t = begin();
	struct mm_ticket *of = ask(t, MM_MAIL_IMAP, "silent");
	int64_t at = mm_ticket_wake(of, 1000);
	assert_false(mm_ticket_answer(t, of, 1000, at - 1, &a));
	assert_true(mm_ticket_answer(t, of, 1000, at, &a));
	assert_string_equal(a.why, MM_TICKET_SILENT);
	/* another has more patience */
	assert_false(mm_ticket_answer(t, of, 2000, at, &a));
	assert_null(answer(t, ask(t, MM_MAIL_IMAP, "here")).why);
	while (number(&inside) != 1)
		usleep(1000);
	/* its thread is left alone, and frees what is its own */
	assert_false(mm_tickets_free(t));
	set_gate(true);
	while (number(&inside) != 0)
		usleep(1000);
	usleep(20000);
}

/* More services than threads: those that were not even asked for wait no longer. */
static void test_all_threads_hang(void **state)
{
	(void)state;
	struct mm_ticket_answer a;
	struct mm_tickets *t = begin();
	struct mm_ticket *of[MM_TICKET_THREADS + 2];
	for (int i = 0; i < MM_TICKET_THREADS + 2; i++) {
		char host[16];
		snprintf(host, sizeof(host), "silent%d", i);
		of[i] = ask(t, MM_MAIL_IMAP, host);
	}
	int64_t at = mm_ticket_wake(of[MM_TICKET_THREADS + 1], 1000);
	for (int i = 0; i < MM_TICKET_THREADS + 2; i++) {
		assert_true(mm_ticket_answer(t, of[i], 1000, at, &a));
		assert_string_equal(a.why, MM_TICKET_SILENT);
	}
	assert_true(number(&asked) <= MM_TICKET_THREADS);
	set_gate(true);
	for (int i = 0; i < MM_TICKET_THREADS + 2; i++)
		assert_null(answer(t, of[i]).why);
	assert_true(mm_tickets_free(t));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_answers),
	    cmocka_unit_test(test_slow),
	    cmocka_unit_test(test_silent),
	    cmocka_unit_test(test_all_threads_hang),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
