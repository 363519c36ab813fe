/* Reports coming in, intervals, acknowledgements, and reading them back. */
#include "store_fixture.h"

#include "common/text.h"

struct got {
	int n;
	struct mm_finding_row last;
	char found[64];
	enum mm_state states[32];
	struct mm_login_row login;
	int64_t since[32];
};

static int take_finding(const struct mm_finding_row *r, void *arg, struct mm_err *err)
{
	struct got *g = arg;

	(void)err;
	g->last = *r;
	g->states[g->n] = r->f.state;
	g->since[g->n++] = r->since;
	snprintf(g->found, sizeof(g->found), "%s", r->f.found ? r->f.found : "(none)");
	return 0;
}

static int take_login(const struct mm_login_row *r, void *arg, struct mm_err *err)
{
	struct got *g = arg;

	(void)err;
	g->n++;
	g->login = *r;
	return 0;
}

static struct got findings(struct fixture *f, const struct mm_evidence_filter *filter)
{
	struct got g = {0};

	ok(f, mm_store_findings(f->s, filter, take_finding, &g, &f->err));
	return g;
}

static struct got logins(struct fixture *f, const struct mm_evidence_filter *filter)
{
	struct got g = {0};

	ok(f, mm_store_logins(f->s, filter, take_login, &g, &f->err));
	return g;
}

static void test_stored_once(void **state)
{
	struct fixture *f = *state;
	struct mm_fleet fleet;
	struct made m;

	make_report(&m, "r1", "alice");
	add_finding(&m, "alice", "incoming.host", MM_ST_COMPLIANT, "right");
	assert_true(store_report(f, &m));
	m.f[0].state = MM_ST_DRIFTED; /* same id, other content: the first is what counts */
	assert_false(store_report(f, &m));
	assert_int_equal(findings(f, NULL).states[0], MM_ST_COMPLIANT);
	ok(f, mm_store_fleet(f->s, 0, &fleet, &f->err));
	assert_int_equal(fleet.reports, 1);
}

static void test_unknown_host(void **state)
{
	struct fixture *f = *state;
	struct made m;
	bool fresh = false;

	make_report(&m, "r1", "alice");
	m.head.host = "elsewhere";
	assert_int_equal(mm_store_report(f->s, &m.in, &fresh, &f->err), -1);
	assert_int_equal(f->err.code, MM_EX_DATAERR);
}

static void test_since(void **state)
{
	struct fixture *f = *state;
	struct got g;
	struct made m;

	make_report(&m, "r1", "alice");
	add_finding(&m, "alice", "incoming.host", MM_ST_DRIFTED, "wrong");
	store_report(f, &m);
	/* An hour later: the same, but the line has moved. One interval. */
	mm_store_set_now(f->s, T0 + 3600);
	make_report(&m, "r2", "alice");
	add_finding(&m, "alice", "incoming.host", MM_ST_DRIFTED, "wrong")->line = 9;
	store_report(f, &m);
	g = findings(f, &(struct mm_evidence_filter){.history = true});
	assert_int_equal(g.n, 1);
	assert_int_equal(g.last.since, T0);
	assert_int_equal(g.last.seen, T0 + 3600);
	assert_int_equal(g.last.f.line, 9);
	/* Wrong in another way: a new interval, drifted since the same moment. */
	mm_store_set_now(f->s, T0 + 7200);
	make_report(&m, "r3", "alice");
	add_finding(&m, "alice", "incoming.host", MM_ST_DRIFTED, "worse");
	store_report(f, &m);
	g = findings(f, NULL);
	assert_int_equal(g.n, 1);
	assert_string_equal(g.found, "worse");
	assert_int_equal(g.last.since, T0);
	assert_int_equal(g.last.first_seen, T0 + 7200);
	/* Right again: since now. */
	mm_store_set_now(f->s, T0 + 9000);
	make_report(&m, "r4", "alice");
	add_finding(&m, "alice", "incoming.host", MM_ST_COMPLIANT, "right");
	store_report(f, &m);
	g = findings(f, NULL);
	assert_int_equal(g.last.since, T0 + 9000);
	g = findings(f, &(struct mm_evidence_filter){.history = true});
	assert_int_equal(g.n, 3);
	g = findings(f, &(struct mm_evidence_filter){.at = T0 + 4000});
	assert_int_equal(g.n, 1);
	assert_string_equal(g.found, "wrong");
	/* It had not ended then, and the last that had come was of the hour before. */
	assert_int_equal(g.last.closed, 0);
	assert_int_equal(g.last.seen, T0 + 3600);
}

static void test_covered_and_absent_is_closed(void **state)
{
	struct fixture *f = *state;
	struct made m;

	make_report(&m, "r1", "alice");
	m.users[1] = "bob";
	add_finding(&m, "alice", "incoming.host", MM_ST_COMPLIANT, "right");
	add_finding(&m, "alice", "incoming.port", MM_ST_COMPLIANT, "right");
	add_finding(&m, "bob", "incoming.host", MM_ST_COMPLIANT, "right");
	store_report(f, &m);
	assert_int_equal(findings(f, NULL).n, 3);
	/* bob is not covered this time: what is known of him stays. */
	make_report(&m, "r2", "alice");
	add_finding(&m, "alice", "incoming.host", MM_ST_COMPLIANT, "right");
	store_report(f, &m);
	assert_int_equal(findings(f, NULL).n, 2);
	assert_int_equal(findings(f, &(struct mm_evidence_filter){.user = "bob"}).n, 1);
}

static void test_older_evidence_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct made m;

	make_report(&m, "r1", "alice");
	add_finding(&m, "alice", "incoming.host", MM_ST_COMPLIANT, "right");
	store_report(f, &m);
	make_report(&m, "r0", "alice"); /* from the spool, an hour old */
	m.in.direct = false;
	m.head.collected = T0 - 3600;
	m.head.user = "alice";
	add_finding(&m, "alice", "incoming.host", MM_ST_DRIFTED, "wrong");
	add_finding(&m, "alice", "incoming.port", MM_ST_DRIFTED, "wrong");
	assert_true(store_report(f, &m));
	assert_int_equal(findings(f, NULL).n, 1);
	assert_int_equal(findings(f, NULL).states[0], MM_ST_COMPLIANT);
}

static void test_workstation_clock_ahead(void **state)
{
	struct fixture *f = *state;
	struct made m;

	make_report(&m, "r1", "alice");
	m.in.direct = false;
	m.head.collected = T0 + 86400 * 365;
	add_finding(&m, "alice", "incoming.host", MM_ST_DRIFTED, "wrong");
	store_report(f, &m);
	assert_int_equal(findings(f, NULL).last.seen, T0);
	/* and the next report, an hour later, is not taken for an old one */
	mm_store_set_now(f->s, T0 + 3600);
	make_report(&m, "r2", "alice");
	add_finding(&m, "alice", "incoming.host", MM_ST_COMPLIANT, "right");
	store_report(f, &m);
	assert_int_equal(findings(f, NULL).states[0], MM_ST_COMPLIANT);
}

static void test_double_identity_counts_as_the_worse(void **state)
{
	struct fixture *f = *state;
	struct made m;

	make_report(&m, "r1", "alice");
	add_finding(&m, "alice", "incoming.host", MM_ST_COMPLIANT, "right");
	add_finding(&m, "alice", "incoming.host", MM_ST_OVERRIDDEN, "wrong");
	store_report(f, &m);
	assert_int_equal(findings(f, NULL).n, 1);
	assert_int_equal(findings(f, NULL).states[0], MM_ST_OVERRIDDEN);
}

static void test_user_leaves_host(void **state)
{
	struct fixture *f = *state;
	struct made m;

	make_report(&m, "r1", "alice");
	m.users[1] = "bob";
	add_finding(&m, "alice", "incoming.host", MM_ST_COMPLIANT, "right");
	add_finding(&m, "bob", "incoming.host", MM_ST_COMPLIANT, "right");
	add_login(&m, "bob", MM_LOGIN_PASSED, "");
	store_report(f, &m);
	ok(f, mm_store_user_remove(f->s, "bob", &f->err));
	mm_store_set_now(f->s, T0 + 60);
	make_report(&m, "r2", "alice");
	add_finding(&m, "alice", "incoming.host", MM_ST_COMPLIANT, "right");
	store_report(f, &m);
	assert_int_equal(findings(f, NULL).n, 1);
	assert_int_equal(logins(f, NULL).n, 0);
	assert_int_equal(findings(f, &(struct mm_evidence_filter){.history = true}).n, 2);
}

static void test_host_removed_history_stays(void **state)
{
	struct fixture *f = *state;
	struct made m;

	make_report(&m, "r1", "alice");
	add_finding(&m, "alice", "incoming.host", MM_ST_DRIFTED, "wrong");
	add_login(&m, "alice", MM_LOGIN_PASSED, "");
	store_report(f, &m);
	ok(f, mm_store_host_remove(f->s, "ws1", &f->err));
	assert_int_equal(findings(f, NULL).n, 0);
	assert_int_equal(logins(f, NULL).n, 0);
	assert_int_equal(findings(f, &(struct mm_evidence_filter){.history = true}).n, 1);
}

static void test_filters(void **state)
{
	struct fixture *f = *state;
	struct made m;

	make_report(&m, "r1", "alice");
	add_finding(&m, "alice", "incoming.host", MM_ST_COMPLIANT, "right");
	add_finding(&m, "alice", "incoming.port", MM_ST_DRIFTED, "wrong");
	add_finding(&m, "bob", "incoming.host", MM_ST_DRIFTED, NULL);
	store_report(f, &m);
	assert_int_equal(findings(f, &(struct mm_evidence_filter){.differences = true}).n, 2);
	assert_int_equal(findings(f, &(struct mm_evidence_filter){.group = "staff"}).n, 2);
	assert_int_equal(findings(f, &(struct mm_evidence_filter){.host = "ws1"}).n, 3);
	assert_int_equal(findings(f, &(struct mm_evidence_filter){.host = "ws"}).n, 0);
	assert_int_equal(findings(f, &(struct mm_evidence_filter){.tag = "floor1"}).n, 0);
	assert_int_equal(findings(f, &(struct mm_evidence_filter){.client = "mutt"}).n, 3);
	assert_int_equal(findings(f, &(struct mm_evidence_filter){.account = "home"}).n, 0);
	assert_int_equal(findings(f, &(struct mm_evidence_filter){.setting = "incoming.port"}).n, 1);
	assert_string_equal(findings(f, &(struct mm_evidence_filter){.user = "bob"}).found, "(none)");
}

static void test_logins(void **state)
{
	struct fixture *f = *state;
	struct got g;
	struct made m;

	make_report(&m, "r1", "alice");
	add_login(&m, "alice", MM_LOGIN_PASSED, "");
	store_report(f, &m);
	mm_store_set_now(f->s, T0 + 60);
	make_report(&m, "r2", "alice");
	add_login(&m, "alice", MM_LOGIN_FAILED, "AUTH_REJECTED");
	store_report(f, &m);
	mm_store_set_now(f->s, T0 + 120);
	make_report(&m, "r3", "alice");
	add_login(&m, "alice", MM_LOGIN_FAILED, "AUTH_REJECTED")->timing.login = 77;
	store_report(f, &m);
	g = logins(f, NULL);
	assert_int_equal(g.n, 1);
	assert_int_equal(g.login.l.result, MM_LOGIN_FAILED);
	assert_int_equal(g.login.since, T0 + 60);
	assert_int_equal(g.login.seen, T0 + 120);
	assert_int_equal(g.login.last_passed, T0);
	assert_int_equal(g.login.l.timing.login, 77);
	assert_int_equal(logins(f, &(struct mm_evidence_filter){.history = true}).n, 2);
	/* A run that tested nothing leaves the evidence as it is. */
	make_report(&m, "r4", "alice");
	store_report(f, &m);
	assert_int_equal(logins(f, NULL).n, 1);
}

static struct mm_login *login_at(
    struct fixture *f, struct made *m, const char *id, int64_t when, enum mm_result result)
{
	mm_store_set_now(f->s, when);
	make_report(m, id, "alice");
	return add_login(m, "alice", result, result == MM_LOGIN_PASSED ? "" : "AUTH_REJECTED");
}

/* A login elsewhere, or as somebody else, proves nothing of these settings. */
static void test_last_passed_is_of_the_settings(void **state)
{
	struct fixture *f = *state;
	struct made m;
	struct mm_login *l;
	static const char *const ids[][2] = {
	    {"a0", "b0"}, {"a1", "b1"}, {"a2", "b2"}, {"a3", "b3"}, {"a4", "b4"}};

	login_at(f, &m, "r1", T0, MM_LOGIN_PASSED);
	store_report(f, &m);
	for (int i = 0; i < 5; i++) {
		l = login_at(f, &m, ids[i][0], T0 + 100 * (i + 1), MM_LOGIN_FAILED);
		l->host = i == 0 ? "other.acme.example" : l->host;
		l->port = i == 1 ? 10993 : l->port;
		l->security = i == 2 ? "starttls" : l->security;
		l->auth = i == 3 ? "xoauth2" : l->auth;
		l->username = i == 4 ? "somebody" : l->username;
		store_report(f, &m);
		assert_int_equal(logins(f, NULL).login.last_passed, 0);
		login_at(f, &m, ids[i][1], T0 + 100 * (i + 1) + 50, MM_LOGIN_FAILED);
		store_report(f, &m);
		assert_int_equal(logins(f, NULL).login.last_passed, T0);
	}
	assert_int_equal(logins(f, NULL).n, 1);
}

static void test_logins_go_with_their_account(void **state)
{
	struct fixture *f = *state;
	struct made m;

	make_report(&m, "r1", "alice");
	add_finding(&m, "alice", "incoming.host", MM_ST_COMPLIANT, "right");
	add_login(&m, "alice", MM_LOGIN_PASSED, "");
	store_report(f, &m);
	mm_store_set_now(f->s, T0 + 60);
	make_report(&m, "r2", "alice");
	store_report(f, &m);
	assert_int_equal(findings(f, NULL).n, 0);
	assert_int_equal(logins(f, NULL).n, 0);
}

static void test_stale(void **state)
{
	struct fixture *f = *state;
	struct mm_fleet fleet;
	struct made m;

	add_host(f, "ws2", "alice");
	make_report(&m, "r1", "alice");
	add_finding(&m, "alice", "incoming.host", MM_ST_COMPLIANT, "right");
	add_finding(&m, "alice", "incoming.port", MM_ST_DRIFTED, "wrong");
	add_login(&m, "alice", MM_LOGIN_PASSED, "");
	store_report(f, &m);
	ok(f, mm_store_fleet(f->s, 0, &fleet, &f->err));
	assert_int_equal(fleet.hosts, 2);
	assert_int_equal(fleet.hosts_fresh, 1);
	assert_int_equal(fleet.hosts_never, 1);
	assert_int_equal(fleet.users, 2);
	assert_int_equal(fleet.users_seen, 1);
	/* ws2 has not said how alice is there: that is unknown, not absent. */
	assert_int_equal(fleet.places, 2);
	assert_int_equal(fleet.places_unheard, 1);
	assert_int_equal(fleet.places_by[MM_AUDIT_FAIL], 1);
	assert_int_equal(fleet.places_by[MM_AUDIT_UNKNOWN], 1);
	assert_int_equal(fleet.settings, 2);
	assert_int_equal(fleet.settings_state[MM_ST_COMPLIANT], 1);
	assert_int_equal(fleet.logins_result[MM_LOGIN_PASSED], 1);
	mm_store_set_now(f->s, T0 + INT64_C(86400) * MM_STALE_DAYS);
	assert_false(findings(f, NULL).last.stale);
	mm_store_set_now(f->s, T0 + INT64_C(86400) * MM_STALE_DAYS + 1);
	assert_true(findings(f, NULL).last.stale);
	assert_true(logins(f, NULL).login.stale);
	/* What passed long ago is not shown as passed. */
	ok(f, mm_store_fleet(f->s, 0, &fleet, &f->err));
	assert_int_equal(fleet.hosts_stale, 1);
	assert_int_equal(fleet.places_by[MM_AUDIT_UNKNOWN], 2);
	assert_int_equal(fleet.places_stale, 1);
	assert_int_equal(fleet.settings_stale, 2);
	assert_int_equal(fleet.settings_state[MM_ST_COMPLIANT], 0);
	assert_int_equal(fleet.logins_result[MM_LOGIN_PASSED], 0);
	assert_int_equal(fleet.logins_stale, 1);
}

static int take_host(const struct mm_host_row *r, void *arg, struct mm_err *err)
{
	struct mm_host_row *out = arg;

	(void)err;
	if (mm_streq(r->host, "ws2")) {
		assert_int_equal(r->seen, 0);
		assert_string_equal(r->push.host, "");
		return 0;
	}
	assert_string_equal(r->host, "ws1");
	assert_string_equal(r->agent, "0.1.0");
	*out = *r;
	return 0;
}

static void test_host_rows(void **state)
{
	struct fixture *f = *state;
	struct mm_host_row r = {0};
	struct made m;

	add_host(f, "ws2", "alice");
	make_report(&m, "r1", "alice");
	m.head.revision = 7;
	add_finding(&m, "alice", "incoming.host", MM_ST_COMPLIANT, "right");
	add_finding(&m, "alice", "incoming.port", MM_ST_DRIFTED, "wrong");
	add_login(&m, "alice", MM_LOGIN_UNTESTED, "NO_SECRET");
	store_report(f, &m);
	ok(f, mm_store_host_rows(f->s, NULL, take_host, &r, &f->err));
	assert_int_equal(r.settings[MM_AUDIT_PASS], 1);
	assert_int_equal(r.settings[MM_AUDIT_FAIL], 1);
	assert_int_equal(r.logins[MM_LOGIN_UNTESTED], 1);
	assert_int_equal(r.revision, 7);
	assert_int_equal(r.users, 1);
	assert_int_equal(r.seen, T0);
}

static void test_acks(void **state)
{
	struct fixture *f = *state;
	const char *const *ids = NULL;
	struct made m;
	size_t n = 0;

	make_report(&m, "r1", "alice");
	store_report(f, &m);
	make_report(&m, "r2", "alice");
	store_report(f, &m);
	ok(f, mm_store_acks(f->s, "ws1", "q1", 1, f->a, &ids, &n, &f->err));
	assert_int_equal(n, 1);
	assert_string_equal(ids[0], "r1");
	assert_null(ids[1]);
	/* q1 was never answered: its acknowledgement goes out again. */
	ok(f, mm_store_acks(f->s, "ws1", "q2", 10, f->a, &ids, &n, &f->err));
	assert_int_equal(n, 2);
	/* The answer to q2 proves that r1 and r2 are known; its own id is new. */
	make_report(&m, "r3", "alice");
	m.head.request_id = "q2";
	store_report(f, &m);
	ok(f, mm_store_acks(f->s, "ws1", "q3", 10, f->a, &ids, &n, &f->err));
	assert_int_equal(n, 1);
	assert_string_equal(ids[0], "r3");
	/* A report that comes again is acknowledged again. */
	make_report(&m, "r1", "alice");
	assert_false(store_report(f, &m));
	ok(f, mm_store_acks(f->s, "ws1", "q4", 10, f->a, &ids, &n, &f->err));
	assert_int_equal(n, 2);
}

static int stop(const struct mm_finding_row *r, void *arg, struct mm_err *err)
{
	(void)r;
	++*(int *)arg;
	return mm_err_set(err, MM_EX_FAILED, "enough");
}

/* A walk inside a walk of the same kind, and a walk that is ended. */
static int inner(const struct mm_finding_row *r, void *arg, struct mm_err *err)
{
	struct fixture *f = arg;
	int n = 0;

	(void)r;
	assert_int_equal(mm_store_findings(f->s, NULL, stop, &n, err), -1);
	assert_int_equal(n, 1);
	return 0;
}

static void test_walks(void **state)
{
	struct fixture *f = *state;
	struct made m;
	int n = 0;

	make_report(&m, "r1", "alice");
	add_finding(&m, "alice", "incoming.host", MM_ST_COMPLIANT, "right");
	add_finding(&m, "alice", "incoming.port", MM_ST_DRIFTED, "wrong");
	store_report(f, &m);
	assert_int_equal(mm_store_findings(f->s, NULL, stop, &n, &f->err), -1);
	assert_string_equal(f->err.text, "enough");
	assert_int_equal(n, 1);
	ok(f, mm_store_findings(f->s, NULL, inner, f, &f->err));
}

/* Facts are kept, and count in no sum; who wants them says so. */
static void test_facts_stand_apart(void **state)
{
	const struct mm_evidence_filter with = {.facts = true};
	const struct mm_evidence_filter one = {.setting = "client.password"};
	const struct mm_evidence_filter wrong = {.facts = true, .differences = true};
	const struct mm_evidence_filter then = {.at = T0, .history = true, .facts = true};
	struct fixture *f = *state;
	struct mm_fleet before, after;
	struct made m;

	make_report(&m, "r1", "alice");
	add_finding(&m, "alice", "incoming.host", MM_ST_COMPLIANT, "right");
	store_report(f, &m);
	ok(f, mm_store_fleet(f->s, 0, &before, &f->err));
	make_report(&m, "r2", "alice");
	add_finding(&m, "alice", "incoming.host", MM_ST_COMPLIANT, "right");
	add_finding(&m, "alice", "client.password", MM_ST_UNMANAGED, "in clear");
	add_finding(&m, "alice", "file.mode", MM_ST_UNKNOWN, NULL);
	store_report(f, &m);
	ok(f, mm_store_fleet(f->s, 0, &after, &f->err));
	assert_int_equal(after.settings, before.settings);
	assert_int_equal(after.settings_by[MM_AUDIT_UNKNOWN], 0);
	assert_int_equal(after.places_by[MM_AUDIT_PASS], before.places_by[MM_AUDIT_PASS]);
	assert_int_equal(findings(f, NULL).n, 1);
	assert_int_equal(findings(f, &with).n, 3);
	assert_int_equal(findings(f, &one).n, 1);
	assert_string_equal(findings(f, &one).found, "in clear");
	assert_int_equal(findings(f, &one).last.audit, MM_AUDIT_NOT_APPLICABLE);
	assert_int_equal(findings(f, &wrong).n, 0);
	assert_int_equal(findings(f, &then).n, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_stored_once, people_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_unknown_host, people_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_since, people_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_covered_and_absent_is_closed, people_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(
		test_older_evidence_changes_nothing, people_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_workstation_clock_ahead, people_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(
		test_double_identity_counts_as_the_worse, people_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_user_leaves_host, people_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_host_removed_history_stays, people_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_filters, people_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_logins, people_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(
		test_last_passed_is_of_the_settings, people_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_logins_go_with_their_account, people_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_stale, people_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_host_rows, people_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_acks, people_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_facts_stand_apart, people_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_walks, people_setup, store_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
