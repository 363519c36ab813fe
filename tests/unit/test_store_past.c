/* As it stood then: what had been received by a moment, and nothing that came later. */
#include "store_fixture.h"

#include "common/text.h"
#include "controller/store/login_body.h"

#define DAY INT64_C(86400)

struct seen {
	int n;
	int64_t seen, closed;
	bool stale;
	enum mm_audit audit;
	char found[32];
	bool tls;
	enum mm_result result;
	int64_t last_passed;
};

static int take_finding(const struct mm_finding_row *r, void *arg, struct mm_err *err)
{
	struct seen *s = arg;

	(void)err;
	*s = (struct seen){
	    .n = s->n + 1, .seen = r->seen, .closed = r->closed, .stale = r->stale, .audit = r->audit};
	snprintf(s->found, sizeof(s->found), "%s", r->f.found ? r->f.found : "");
	return 0;
}

static int take_login(const struct mm_login_row *r, void *arg, struct mm_err *err)
{
	struct seen *s = arg;

	(void)err;
	*s = (struct seen){.n = s->n + 1,
	    .seen = r->seen,
	    .closed = r->closed,
	    .stale = r->stale,
	    .audit = r->audit,
	    .tls = r->l.tls.version != NULL,
	    .result = r->l.result,
	    .last_passed = r->last_passed};
	return 0;
}

static struct seen finding_at(struct fixture *f, int64_t at)
{
	struct seen s = {.n = 0};

	ok(f, mm_store_findings(f->s, &(struct mm_evidence_filter){.at = at}, take_finding, &s, &f->err));
	return s;
}

static struct seen login_at(struct fixture *f, int64_t at)
{
	struct seen s = {.n = 0};

	ok(f, mm_store_logins(f->s, &(struct mm_evidence_filter){.at = at}, take_login, &s, &f->err));
	return s;
}

static struct mm_fleet fleet_at(struct fixture *f, int64_t at)
{
	struct mm_fleet fleet;

	ok(f, mm_store_fleet(f->s, &(struct mm_evidence_filter){.at = at}, &fleet, &f->err));
	return fleet;
}

static void report_at(
    struct fixture *f, int64_t now, int64_t collected, const char *id, enum mm_state state, const char *found)
{
	struct made m;

	mm_store_set_now(f->s, now);
	make_report(&m, id, "alice");
	m.in.direct = collected == now;
	m.head.collected = collected;
	add_finding(&m, "alice", "incoming.host", state, found);
	assert_true(store_report(f, &m));
}

static void login_report(struct fixture *f, int64_t now, const char *id, enum mm_result result)
{
	struct made m;

	mm_store_set_now(f->s, now);
	make_report(&m, id, "alice");
	add_finding(&m, "alice", "incoming.host", MM_ST_COMPLIANT, "right");
	add_login(&m, "alice", result, result == MM_LOGIN_FAILED ? "AUTH_REJECTED" : "")->when = now;
	assert_true(store_report(f, &m));
}

static void test_what_came_later_is_not_in_it(void **state)
{
	struct fixture *f = *state;
	struct seen s;

	/* Collected on the first day, carried in a spool until the third. */
	report_at(f, T0 + 3 * DAY, T0 + DAY, "r1", MM_ST_COMPLIANT, "right");
	assert_int_equal(finding_at(f, T0 + 2 * DAY).n, 0);
	s = finding_at(f, T0 + 3 * DAY);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.seen, T0 + DAY);
	assert_int_equal(s.audit, MM_AUDIT_PASS);
	assert_int_equal(fleet_at(f, T0 + 2 * DAY).settings, 0);
	assert_int_equal(fleet_at(f, T0 + 3 * DAY).settings_by[MM_AUDIT_PASS], 1);
}

static void test_a_late_end_is_late(void **state)
{
	struct fixture *f = *state;

	report_at(f, T0 + DAY, T0 + DAY, "r1", MM_ST_DRIFTED, "wrong");
	/* It was mended on the second day, which is known since the fourth. */
	report_at(f, T0 + 4 * DAY, T0 + 2 * DAY, "r2", MM_ST_COMPLIANT, "right");
	assert_string_equal(finding_at(f, T0 + 3 * DAY).found, "wrong");
	assert_int_equal(finding_at(f, T0 + 3 * DAY).closed, 0);
	assert_int_equal(finding_at(f, T0 + 3 * DAY).audit, MM_AUDIT_FAIL);
	assert_string_equal(finding_at(f, T0 + 4 * DAY).found, "right");
}

static void test_stale_then_is_stale(void **state)
{
	struct fixture *f = *state;
	struct seen s;

	report_at(f, T0, T0, "r1", MM_ST_COMPLIANT, "right");
	report_at(f, T0 + 20 * DAY, T0 + 20 * DAY, "r2", MM_ST_COMPLIANT, "right");
	/* One interval, and between the two nobody had looked for more than a week. */
	s = finding_at(f, T0 + 10 * DAY);
	assert_int_equal(s.n, 1);
	assert_true(s.stale);
	assert_int_equal(s.audit, MM_AUDIT_UNKNOWN);
	assert_int_equal(s.seen, T0);
	assert_int_equal(fleet_at(f, T0 + 10 * DAY).hosts_stale, 1);
	assert_int_equal(fleet_at(f, T0 + 10 * DAY).places_by[MM_AUDIT_PASS], 0);
	assert_int_equal(fleet_at(f, T0 + 6 * DAY).places_by[MM_AUDIT_PASS], 1);
	assert_int_equal(finding_at(f, T0 + 21 * DAY).seen, T0 + 20 * DAY);
}

static void test_logins_of_the_past(void **state)
{
	struct fixture *f = *state;
	struct seen s;

	login_report(f, T0, "r1", MM_LOGIN_PASSED);
	login_report(f, T0 + 5 * DAY, "r2", MM_LOGIN_PASSED);
	login_report(f, T0 + 20 * DAY, "r3", MM_LOGIN_PASSED);
	login_report(f, T0 + 21 * DAY, "r4", MM_LOGIN_FAILED);
	s = login_at(f, T0 + 6 * DAY);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.seen, T0 + 5 * DAY);
	assert_int_equal(s.last_passed, T0 + 5 * DAY);
	assert_false(s.stale);
	assert_false(s.tls); /* those that are kept are of the third */
	assert_int_equal(s.result, MM_LOGIN_PASSED);
	assert_int_equal(login_at(f, T0 + 15 * DAY).audit, MM_AUDIT_UNKNOWN);
	assert_true(login_at(f, T0 + 20 * DAY).tls);
	assert_int_equal(login_at(f, T0 + 21 * DAY).result, MM_LOGIN_FAILED);
	assert_int_equal(login_at(f, T0 - 1).n, 0);
}

static void test_waivers_and_revisions_of_the_past(void **state)
{
	struct fixture *f = *state;
	struct mm_waiver w = {.host = "",
	    .user = "alice",
	    .group = "",
	    .client = "",
	    .account = "",
	    .check = "",
	    .reason = "why",
	    .owner = "bob",
	    .until = T0 + 5 * DAY};
	int64_t id, number = 0, time = 0;

	mm_store_set_now(f->s, T0);
	add_revision(f, "format = 1;\n", 1, 0);
	report_at(f, T0 + DAY, T0 + DAY, "r1", MM_ST_DRIFTED, "wrong");
	mm_store_set_now(f->s, T0 + 2 * DAY);
	ok(f, mm_store_waiver_add(f->s, &w, &id, &f->err));
	add_revision(f, "format = 1; # again\n", 1, 0);
	mm_store_set_now(f->s, T0 + 4 * DAY);
	ok(f, mm_store_waiver_remove(f->s, id, &f->err));
	assert_int_equal(finding_at(f, T0 + DAY).audit, MM_AUDIT_FAIL);
	assert_int_equal(finding_at(f, T0 + 3 * DAY).audit, MM_AUDIT_WAIVED);
	assert_int_equal(finding_at(f, T0 + 4 * DAY).audit, MM_AUDIT_FAIL);
	assert_int_equal(fleet_at(f, T0 + DAY).revision, 1);
	assert_int_equal(fleet_at(f, T0 + 3 * DAY).revision, 2);
	assert_int_equal(mm_store_revision_at(f->s, T0 - 1, &number, &time, &f->err), 1);
}

static void test_a_host_that_retired_was_there(void **state)
{
	struct fixture *f = *state;
	struct mm_fleet then;

	report_at(f, T0 + DAY, T0 + DAY, "r1", MM_ST_COMPLIANT, "right");
	mm_store_set_now(f->s, T0 + 2 * DAY);
	assert_int_equal(mm_store_host_remove(f->s, "ws1", &f->err), 0);
	then = fleet_at(f, T0 + DAY);
	assert_int_equal(then.hosts, 1);
	assert_int_equal(then.hosts_fresh, 1);
	assert_int_equal(then.settings_by[MM_AUDIT_PASS], 1);
	assert_int_equal(fleet_at(f, T0 + 2 * DAY).hosts, 0);
	assert_int_equal(fleet_at(f, T0 + 2 * DAY).settings, 0);
}

/* A row of another user's in the report of one user's own run changes nothing of that user. */
static void test_speaks_for_itself_only(void **state)
{
	struct fixture *f = *state;
	struct mm_fleet before, after;
	struct made m;

	make_report(&m, "r1", "alice");
	m.users[1] = "bob";
	add_finding(&m, "alice", "incoming.host", MM_ST_COMPLIANT, "right");
	add_finding(&m, "bob", "incoming.host", MM_ST_DRIFTED, "wrong");
	add_login(&m, "bob", MM_LOGIN_FAILED, "AUTH_REJECTED");
	store_report(f, &m);
	ok(f, mm_store_fleet(f->s, NULL, &before, &f->err));
	make_report(&m, "r2", "alice");
	m.head.user = "alice";
	m.users[1] = "bob";
	add_finding(&m, "alice", "incoming.host", MM_ST_COMPLIANT, "right");
	add_finding(&m, "bob", "incoming.host", MM_ST_COMPLIANT, "right");
	add_login(&m, "bob", MM_LOGIN_PASSED, "");
	mm_store_set_now(f->s, T0 + 9 * DAY);
	store_report(f, &m);
	mm_store_set_now(f->s, T0);
	ok(f, mm_store_fleet(f->s, NULL, &after, &f->err));
	assert_memory_equal(before.settings_by, after.settings_by, sizeof(before.settings_by));
	assert_memory_equal(before.logins_result, after.logins_result, sizeof(before.logins_result));
	/* nor is what is known of him any younger */
	mm_store_set_now(f->s, T0 + 9 * DAY);
	ok(f, mm_store_fleet(f->s, NULL, &after, &f->err));
	assert_int_equal(after.settings_stale, 1);
}

static void test_lean_is_the_same_login(void **state)
{
	struct fixture *f = *state;
	struct mm_login_reader *r = mm_login_reader_new();
	struct mm_buf body = MM_BUF_INIT(65536);
	static const char *const names[] = {"alice", "bob", "b\\o \"b\""};
	struct mm_login full, lean;
	struct made m;

	make_report(&m, "r", "alice");
	for (size_t i = 0; i < 9; i++) {
		struct mm_login l = *add_login(&m, "alice", i % 2 ? MM_LOGIN_PASSED : MM_LOGIN_FAILED, "");

		m.in.n_logins = 0;
		l.username = names[i % 3];
		l.port = (int)(100 + i);
		l.text = i % 4 == 1 ? "two\nlines" : "one";
		l.tls.not_after = T0 + (int64_t)(i % 2);
		l.tls.name_match = i % 2 ? MM_YES : MM_NO;
		mm_buf_reset(&body);
		mm_login_encode(&l, &body);
		ok(f, mm_login_decode(mm_buf_str(&body), body.len, f->a, &full, &f->err));
		ok(f, mm_login_read_lean(r, mm_buf_str(&body), f->a, &lean, &f->err));
		assert_string_equal(lean.username, full.username);
		assert_string_equal(lean.text, full.text);
		assert_string_equal(lean.cls, full.cls);
		assert_string_equal(lean.tls.version, full.tls.version);
		assert_int_equal(lean.tls.not_after, full.tls.not_after);
		assert_int_equal(lean.tls.name_match, full.tls.name_match);
		assert_int_equal(lean.port, full.port);
		assert_int_equal(lean.result, full.result);
		assert_int_equal(lean.reached, full.reached);
		assert_int_equal(lean.when, full.when);
	}
	assert_int_equal(mm_login_read_lean(r, "{\"user\":\"alice\"", f->a, &lean, &f->err), -1);
	assert_int_equal(mm_login_read_lean(r, "", f->a, &lean, &f->err), -1);
	mm_buf_free(&body);
	mm_login_reader_free(r);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, people_setup, store_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_what_came_later_is_not_in_it),
	    TEST(test_a_late_end_is_late),
	    TEST(test_stale_then_is_stale),
	    TEST(test_logins_of_the_past),
	    TEST(test_waivers_and_revisions_of_the_past),
	    TEST(test_a_host_that_retired_was_there),
	    TEST(test_speaks_for_itself_only),
	    TEST(test_lean_is_the_same_login),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
