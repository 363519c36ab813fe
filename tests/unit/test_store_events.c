/* What is an event and what is not, over the real intake of reports. */
#include "controller/store/events.h"

#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "tests/unit/store_fixture.h"

/* One line for each event: "finding incoming.port compliant>drifted". */
static int take(const struct mm_event *e, void *arg, struct mm_err *err)
{
	struct mm_buf *b = arg;
	(void)err;
	if (e->kind == MM_EVENT_ACT)
		return 0;
	if (e->finding)
		mm_buf_addf(b, "%s %s>%s\n", e->finding->f.setting, e->was,
		    e->gone ? "gone" : mm_state_name(e->finding->f.state));
	else
		mm_buf_addf(b, "%s %s>%s\n", e->login->l.account, e->was,
		    e->gone ? "gone" : mm_result_name(e->login->l.result));
	return 0;
}

static void expect(struct fixture *f, int64_t *after, const char *lines)
{
	struct mm_buf b = MM_BUF_INIT(65536);
	int64_t last = 0;

	ok(f, mm_store_events(f->s, *after, 1000, take, &b, &last, &f->err));
	assert_string_equal(mm_buf_str(&b), lines);
	*after = last;
	mm_buf_free(&b);
}

/* The n-th report of alice on ws1, a minute after the one before. */
static void begin(struct fixture *f, struct made *m, int n)
{
	char id[40];

	snprintf(id, sizeof(id), "%032d", n);
	mm_store_set_now(f->s, T0 + n * 60);
	make_report(m, mm_arena_strdup(f->a, id), "alice");
	m->head.collected = T0 + n * 60;
}

static void test_findings(void **state)
{
	struct fixture *f = *state;
	struct made m;
	int64_t after = 0;

	begin(f, &m, 1);
	add_finding(&m, "alice", "incoming.host", MM_ST_COMPLIANT, "a.example");
	add_finding(&m, "alice", "incoming.port", MM_ST_COMPLIANT, "993");
	add_finding(&m, "alice", "outgoing.port", MM_ST_DRIFTED, "25");
	store_report(f, &m);
	expect(f, &after, "outgoing.port >drifted\n");

	begin(f, &m, 2);
	add_finding(&m, "alice", "incoming.host", MM_ST_COMPLIANT, "a.example");
	add_finding(&m, "alice", "incoming.port", MM_ST_DRIFTED, "143");
	add_finding(&m, "alice", "outgoing.port", MM_ST_DRIFTED, "26");
	store_report(f, &m);
	expect(f, &after, "incoming.port compliant>drifted\noutgoing.port drifted>drifted\n");

	begin(f, &m, 3); /* the same again */
	add_finding(&m, "alice", "incoming.host", MM_ST_COMPLIANT, "a.example");
	add_finding(&m, "alice", "incoming.port", MM_ST_DRIFTED, "143");
	add_finding(&m, "alice", "outgoing.port", MM_ST_DRIFTED, "26");
	store_report(f, &m);
	expect(f, &after, "");

	begin(f, &m, 4); /* one is well, one is gone, and what was well is gone */
	add_finding(&m, "alice", "incoming.port", MM_ST_COMPLIANT, "993");
	store_report(f, &m);
	expect(f, &after, "incoming.port drifted>compliant\noutgoing.port drifted>gone\n");

	after = 0; /* and whoever comes later hears the same */
	expect(f, &after,
	    "outgoing.port >drifted\n"
	    "incoming.port compliant>drifted\noutgoing.port drifted>drifted\n"
	    "incoming.port drifted>compliant\noutgoing.port drifted>gone\n");
}

/* A fact that is not well has no verdict, and is told. */
static void test_facts(void **state)
{
	struct fixture *f = *state;
	struct made m;
	int64_t after = 0;

	begin(f, &m, 1);
	add_finding(&m, "alice", "client.password", MM_ST_COMPLIANT, "no");
	store_report(f, &m);
	expect(f, &after, "");
	begin(f, &m, 2);
	add_finding(&m, "alice", "client.password", MM_ST_UNMANAGED, "in clear")->action = MM_ACT_REPORTED;
	store_report(f, &m);
	expect(f, &after, "client.password compliant>unmanaged\n");
	begin(f, &m, 3);
	add_finding(&m, "alice", "client.password", MM_ST_COMPLIANT, "no");
	store_report(f, &m);
	expect(f, &after, "client.password unmanaged>compliant\n");
}

static void test_logins(void **state)
{
	struct fixture *f = *state;
	struct made m;
	int64_t after = 0;

	begin(f, &m, 1);
	add_login(&m, "alice", MM_LOGIN_PASSED, "");
	store_report(f, &m);
	expect(f, &after, "");
	begin(f, &m, 2);
	add_login(&m, "alice", MM_LOGIN_FAILED, "AUTH_REJECTED");
	store_report(f, &m);
	expect(f, &after, "work passed>failed\n");
	begin(f, &m, 3);
	add_login(&m, "alice", MM_LOGIN_FAILED, "CERT_EXPIRED");
	store_report(f, &m);
	expect(f, &after, "work failed AUTH_REJECTED>failed\n");
	begin(f, &m, 4);
	add_login(&m, "alice", MM_LOGIN_PASSED, "");
	store_report(f, &m);
	expect(f, &after, "work failed CERT_EXPIRED>passed\n");
}

/* A consumer that comes entry by entry misses nothing, and knows where it is. */
static void test_places(void **state)
{
	struct fixture *f = *state;
	struct mm_buf b = MM_BUF_INIT(4096);
	struct made m;
	int64_t newest = 0, before = -1, last = 0;

	begin(f, &m, 1);
	add_finding(&m, "alice", "incoming.port", MM_ST_DRIFTED, "143");
	store_report(f, &m);
	ok(f, mm_store_events_newest(f->s, &newest, &f->err));
	for (int64_t at = 0; at < newest; at = last) {
		ok(f, mm_store_events(f->s, at, 1, take, &b, &last, &f->err));
		assert_int_equal(last, at + 1);
	}
	assert_string_equal(mm_buf_str(&b), "incoming.port >drifted\n");
	ok(f, mm_store_events(f->s, newest, 1, take, &b, &last, &f->err));
	assert_int_equal(last, newest);
	ok(f, mm_store_events_before(f->s, T0 + 60, &before, &f->err));
	assert_int_equal(before, newest - 1);
	ok(f, mm_store_events_before(f->s, 1, &before, &f->err));
	assert_int_equal(before, 0);
	mm_buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_findings, people_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_facts, people_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_logins, people_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_places, people_setup, store_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
