/* The difference between two moments: the states are those of the two, whatever lay between. */
#include "store_fixture.h"

#include "controller/store/changes.h"

#define DAY INT64_C(86400)

static const char *found(const struct mm_finding_row *r)
{
	return r ? (r->f.found ? r->f.found : "null") : "-";
}

static int take_finding(enum mm_turn c, const struct mm_finding_row *then, const struct mm_finding_row *now,
    void *arg, struct mm_err *err)
{
	const struct mm_finding_row *any = now ? now : then;

	(void)err;
	mm_buf_addf(
	    arg, "%s %s %s %s>%s\n", mm_turn_name(c), any->f.user, any->f.setting, found(then), found(now));
	return 0;
}

static int take_login(enum mm_turn c, const struct mm_login_row *then, const struct mm_login_row *now,
    void *arg, struct mm_err *err)
{
	const struct mm_login_row *any = now ? now : then;

	(void)err;
	mm_buf_addf(arg, "%s %s %s>%s\n", mm_turn_name(c), any->l.user,
	    then ? mm_result_name(then->l.result) : "-", now ? mm_result_name(now->l.result) : "-");
	return 0;
}

static void expect(
    struct fixture *f, const struct mm_evidence_filter *filter, int64_t since, const char *wanted)
{
	static const struct mm_change_cbs cbs = {take_finding, take_login};
	struct mm_buf b = MM_BUF_INIT(4096);

	ok(f, mm_store_changes(f->s, filter, since, &cbs, &b, &f->err));
	assert_string_equal(mm_buf_str(&b), wanted);
	mm_buf_free(&b);
}

/* A report of ws1 on this day. */
static void begin(struct fixture *f, struct made *m, int day)
{
	static const char *const id[] = {"r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9"};

	mm_store_set_now(f->s, T0 + day * DAY);
	make_report(m, id[day], "alice");
	m->head.collected = T0 + day * DAY;
	m->in.direct = true;
}

static void fill(struct fixture *f)
{
	struct made m;

	begin(f, &m, 1);
	add_finding(&m, "alice", "incoming.host", MM_ST_COMPLIANT, "right");
	add_finding(&m, "alice", "incoming.port", MM_ST_DRIFTED, "143");
	add_finding(&m, "alice", "outgoing.host", MM_ST_COMPLIANT, "right");
	add_finding(&m, "alice", "outgoing.port", MM_ST_COMPLIANT, "465");
	add_login(&m, "alice", MM_LOGIN_PASSED, "");
	store_report(f, &m);
	begin(f, &m, 2);
	add_finding(&m, "alice", "incoming.host", MM_ST_DRIFTED, "wrong");
	add_finding(&m, "alice", "incoming.port", MM_ST_DRIFTED, "144");
	add_finding(&m, "alice", "outgoing.host", MM_ST_COMPLIANT, "right");
	add_finding(&m, "alice", "incoming.username", MM_ST_COMPLIANT, "alice");
	add_login(&m, "alice", MM_LOGIN_FAILED, "AUTH_REJECTED");
	store_report(f, &m);
	begin(f, &m, 3);
	add_finding(&m, "alice", "incoming.host", MM_ST_COMPLIANT, "right");
	add_finding(&m, "alice", "incoming.port", MM_ST_COMPLIANT, "993");
	add_finding(&m, "alice", "outgoing.host", MM_ST_COMPLIANT, "right");
	add_finding(&m, "alice", "incoming.username", MM_ST_COMPLIANT, "alice");
	add_login(&m, "alice", MM_LOGIN_PASSED, "");
	store_report(f, &m);
	mm_store_set_now(f->s, T0 + 3 * DAY + 60);
}

static void test_each_turn(void **state)
{
	struct fixture *f = *state;

	fill(f);
	expect(f, &(struct mm_evidence_filter){.at = T0 + 2 * DAY}, T0 + DAY,
	    "worse alice incoming.host right>wrong\n"
	    "changed alice incoming.port 143>144\n"
	    "new alice incoming.username ->alice\n"
	    "gone alice outgoing.port 465>-\n"
	    "worse alice passed>failed\n");
	expect(f, NULL, T0 + 2 * DAY,
	    "better alice incoming.host wrong>right\n"
	    "better alice incoming.port 144>993\n"
	    "better alice failed>passed\n");
}

/* What changed and changed back is no difference, and what changed twice is told from end to end. */
static void test_what_lay_between(void **state)
{
	struct fixture *f = *state;

	fill(f);
	expect(f, NULL, T0 + DAY,
	    "better alice incoming.port 143>993\n"
	    "new alice incoming.username ->alice\n"
	    "gone alice outgoing.port 465>-\n");
	expect(f, NULL, T0 + 3 * DAY, "");
	expect(f, &(struct mm_evidence_filter){.setting = "incoming.port"}, T0 + DAY,
	    "better alice incoming.port 143>993\n");
	expect(f, &(struct mm_evidence_filter){.host = "ws9"}, T0 + DAY, "");
}

/* Before there was anything everything is new; a host that retires takes all with it. */
static void test_from_nothing_to_nothing(void **state)
{
	struct fixture *f = *state;

	fill(f);
	expect(f, &(struct mm_evidence_filter){.setting = "outgoing.host"}, T0,
	    "new alice outgoing.host ->right\nnew alice ->passed\n");
	assert_int_equal(mm_store_host_remove(f->s, "ws1", &f->err), 0);
	expect(f, &(struct mm_evidence_filter){.setting = "outgoing.host"}, T0 + 3 * DAY,
	    "gone alice outgoing.host right>-\ngone alice passed>-\n");
}

/* Nobody looked: what passed then is not known now. */
static void test_silence_is_worse(void **state)
{
	struct fixture *f = *state;

	fill(f);
	mm_store_set_now(f->s, T0 + 30 * DAY);
	expect(f, &(struct mm_evidence_filter){.setting = "outgoing.host"}, T0 + 3 * DAY,
	    "worse alice outgoing.host right>right\nworse alice passed>passed\n");
	expect(f, &(struct mm_evidence_filter){.setting = "outgoing.host", .stale_after = 60 * DAY},
	    T0 + 3 * DAY, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_each_turn, people_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_what_lay_between, people_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_from_nothing_to_nothing, people_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_silence_is_worse, people_setup, store_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
