/* What hosts say of themselves, as the store keeps it. */
#include <string.h>

#include "controller/store/store_rollout.h"
#include "store_fixture.h"

static int number; /* of reports: each has an id of its own */

static int setup(void **state)
{
	store_setup(state);
	add_host(*state, "ws1", NULL);
	add_host(*state, "ws2", NULL);
	return 0;
}

static void report_as(
    struct fixture *f, const struct mm_system *sys, enum mm_evidence evidence, int64_t collected)
{
	static const char *const nobody[] = {NULL};
	char id[MM_ID_LEN];
	struct mm_report_head h = {.id = id,
	    .host = "ws1",
	    .op = "apply",
	    .evidence = evidence,
	    .collected = collected,
	    .agent = "1",
	    .users = nobody,
	    .machine = sys};
	const struct mm_report_in in = {.head = &h, .direct = collected == 0};
	bool fresh = false;

	snprintf(id, sizeof(id), "%032d", ++number);
	ok(f, mm_store_report(f->s, &in, &fresh, &f->err));
	assert_true(fresh);
}

static void report(struct fixture *f, const struct mm_system *sys)
{
	report_as(f, sys, MM_EV_ATTESTED, 0);
}

static int list(const struct mm_inventory *i, void *arg, struct mm_err *err)
{
	struct mm_buf *b = arg;

	(void)err;
	mm_buf_addf(b, "%s %s %lld", i->host, i->os, (long long)(i->seen == 0 ? 0 : i->seen - T0 + 1));
	for (size_t n = 0; n < i->n_clients; n++)
		mm_buf_addf(
		    b, " %s%s=%s", i->clients[n].used ? "!" : "", i->clients[n].name, i->clients[n].version);
	mm_buf_adds(b, "; ");
	return 0;
}

static void expect(struct fixture *f, const char *host, const char *want)
{
	struct mm_buf b = MM_BUF_INIT(4096);

	ok(f, mm_store_inventory(f->s, host, list, &b, &f->err));
	assert_string_equal(mm_buf_str(&b), want);
	mm_buf_free(&b);
}

static const struct mm_installed two[] = {{"mutt", "2.2"}, {"emacs", ""}};
static const struct mm_installed other[] = {{"mutt", "2.3 beta"}, {"aerc", "0.1"}};
static const struct mm_system bookworm = {"Debian 12", two, 2};
static const struct mm_system trixie = {"Debian 13", other, 2};

static void test_kept(void **state)
{
	struct fixture *f = *state;

	expect(f, NULL, "ws1  0; ws2  0; ");
	/* An older agent says nothing. */
	report(f, NULL);
	expect(f, "ws1", "ws1  0; ");
	report(f, &bookworm);
	expect(f, NULL, "ws1 Debian 12 1 emacs= mutt=2.2; ws2  0; ");
	mm_store_set_now(f->s, T0 + 10);
	report(f, NULL);
	expect(f, "ws1", "ws1 Debian 12 1 emacs= mutt=2.2; ");
	report(f, &trixie);
	expect(f, "ws1", "ws1 Debian 13 11 aerc=0.1 mutt=2.3 beta; ");
	expect(f, "nobody", "");
}

static void test_unchanged_costs_no_write(void **state)
{
	struct fixture *f = *state;

	report(f, &bookworm);
	mm_store_set_now(f->s, T0 + 86399);
	report(f, &bookworm);
	expect(f, "ws1", "ws1 Debian 12 1 emacs= mutt=2.2; ");
	mm_store_set_now(f->s, T0 + 86400);
	report(f, &bookworm);
	expect(f, "ws1", "ws1 Debian 12 86401 emacs= mutt=2.2; ");
}

static void test_older_and_claimed_change_nothing(void **state)
{
	struct fixture *f = *state;

	mm_store_set_now(f->s, T0 + 1000);
	report(f, &bookworm);
	report_as(f, &trixie, MM_EV_ATTESTED, T0 + 999);
	report_as(f, &trixie, MM_EV_CLAIMED, T0 + 1000);
	expect(f, "ws1", "ws1 Debian 12 1001 emacs= mutt=2.2; ");
}

/* Settings that are known of somebody make the difference between there and used. */
static void test_used(void **state)
{
	static const char *const users[] = {"u", NULL};
	struct fixture *f = *state;
	struct mm_report_head h = {.id = "one",
	    .host = "ws1",
	    .op = "apply",
	    .collected = T0,
	    .agent = "1",
	    .users = users,
	    .machine = &bookworm};
	const struct mm_finding mutt = {.user = "u",
	    .client = "mutt",
	    .path = "/home/u/.muttrc",
	    .account = "work",
	    .setting = "incoming.host",
	    .desired = "x",
	    .found = "x",
	    .state = MM_ST_COMPLIANT,
	    .reason = ""};
	struct mm_report_in in = {.head = &h, .findings = &mutt, .n_findings = 1, .direct = true};
	bool fresh = false;

	ok(f, mm_store_report(f->s, &in, &fresh, &f->err));
	expect(f, "ws1", "ws1 Debian 12 1 emacs= !mutt=2.2; ");
	/* Not any more. */
	mm_store_set_now(f->s, T0 + 1);
	h.id = "two";
	in.n_findings = 0;
	ok(f, mm_store_report(f->s, &in, &fresh, &f->err));
	expect(f, "ws1", "ws1 Debian 12 1 emacs= mutt=2.2; ");
}

static void test_goes_with_the_host(void **state)
{
	struct fixture *f = *state;

	report(f, &bookworm);
	ok(f, mm_store_host_remove(f->s, "ws1", &f->err));
	add_host(f, "ws1", NULL);
	expect(f, "ws1", "ws1  0; ");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, store_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {T(test_kept), T(test_unchanged_costs_no_write),
	    T(test_older_and_claimed_change_nothing), T(test_used), T(test_goes_with_the_host)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
