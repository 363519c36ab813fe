/* Waivers: what they cover, when they end, and how they count. */
#include "controller/store/walk.h"
#include "store_fixture.h"

static int take_finding(const struct mm_finding_row *r, void *arg, struct mm_err *err)
{
	(void)err;
	*(struct mm_finding_row *)arg = *r;
	return 0;
}

static int take_login(const struct mm_login_row *r, void *arg, struct mm_err *err)
{
	(void)err;
	*(enum mm_audit *)arg = r->audit;
	return 0;
}

/* Its texts are gone. */
static struct mm_finding_row last_finding(struct fixture *f, struct mm_evidence_filter filter)
{
	struct mm_finding_row r = {0};

	ok(f, mm_store_findings(f->s, &filter, take_finding, &r, &f->err));
	return r;
}

static enum mm_audit login_audit(struct fixture *f)
{
	enum mm_audit audit = MM_AUDIT_COUNT;

	ok(f, mm_store_logins(f->s, NULL, take_login, &audit, &f->err));
	return audit;
}

static int64_t waive(struct fixture *f, struct mm_waiver w, int64_t until)
{
	int64_t id = 0;
	const char **parts[] = {&w.host, &w.user, &w.group, &w.client, &w.account, &w.check};

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (!*parts[i])
			*parts[i] = "";
	w.reason = "the scanner";
	w.owner = "bob";
	w.until = until;
	ok(f, mm_store_waiver_add(f->s, &w, &id, &f->err));
	return id;
}

/* What alice's drifted port counts as. */
static enum mm_audit port(struct fixture *f)
{
	const struct mm_evidence_filter filter = {.user = "alice", .setting = "incoming.port"};

	return last_finding(f, filter).audit;
}

static void drifted(struct fixture *f)
{
	struct made m;

	make_report(&m, "r1", "alice");
	add_finding(&m, "alice", "incoming.port", MM_ST_DRIFTED, "wrong");
	add_finding(&m, "alice", "incoming.host", MM_ST_COMPLIANT, "right");
	add_login(&m, "alice", MM_LOGIN_FAILED, "AUTH_FAILED");
	store_report(f, &m);
}

static void test_waiver_covers_its_scope(void **state)
{
	static const struct {
		struct mm_waiver w;
		bool covers;
	} rows[] = {
	    {{.user = "alice"}, true},
	    {{.user = "bob"}, false},
	    {{.group = "staff"}, true},
	    {{.group = "sales"}, false},
	    {{.host = "ws1"}, true},
	    {{.host = "ws2"}, false},
	    {{.client = "mutt"}, true},
	    {{.client = "msmtp"}, false},
	    {{.account = "work"}, true},
	    {{.account = "home"}, false},
	    {{.check = "incoming.port"}, true},
	    {{.check = "incoming.host"}, false},
	    {{.check = MM_CHECK_LOGIN}, false},
	    {{.check = MM_CHECK_SETTINGS}, true},
	    {{.user = "alice", .check = MM_CHECK_SETTINGS, .client = "msmtp"}, false},
	    {{.check = MM_CHECK_LOGIN_PROVEN}, false},
	    {{.check = "approved-servers"}, false},
	    {{.user = "alice", .check = "incoming.port", .host = "ws1", .group = "staff"}, true},
	    {{.user = "alice", .check = "incoming.port", .host = "ws2"}, false},
	};
	struct fixture *f = *state;

	drifted(f);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int64_t id = waive(f, rows[i].w, T0 + 10);

		assert_int_equal(port(f), rows[i].covers ? MM_AUDIT_WAIVED : MM_AUDIT_FAIL);
		assert_int_equal(mm_store_waiver_remove(f->s, id, &f->err), 0);
		assert_int_equal(mm_store_waiver_remove(f->s, id, &f->err), 1);
		assert_int_equal(port(f), MM_AUDIT_FAIL);
	}
	assert_int_equal(login_audit(f), MM_AUDIT_FAIL);
	waive(f, (struct mm_waiver){.check = MM_CHECK_LOGIN_PROVEN}, T0 + 10);
	assert_int_equal(login_audit(f), MM_AUDIT_WAIVED);
}

static void test_waiver_ends_and_says_so(void **state)
{
	struct fixture *f = *state;
	struct mm_finding_row r;
	int64_t id;

	drifted(f);
	id = waive(f, (struct mm_waiver){.user = "alice"}, T0 + 10);
	mm_store_set_now(f->s, T0 + 9);
	assert_int_equal(port(f), MM_AUDIT_WAIVED);
	assert_int_equal(login_audit(f), MM_AUDIT_WAIVED);
	mm_store_set_now(f->s, T0 + 10);
	assert_int_equal(port(f), MM_AUDIT_FAIL);
	r = last_finding(f, (struct mm_evidence_filter){.setting = "incoming.port"});
	assert_int_equal(r.waiver.id, id);
	assert_true(r.waiver.expired);
	assert_int_equal(r.waiver.until, T0 + 10);
	/* as it stood then, and before anybody had waived it */
	r = last_finding(f, (struct mm_evidence_filter){.setting = "incoming.port", .at = T0 + 9});
	assert_int_equal(r.audit, MM_AUDIT_WAIVED);
	assert_false(r.waiver.expired);
}

/* The longest of two counts; nothing makes a pass, or fresh what is stale. */
static void test_waiver_covers_no_more(void **state)
{
	struct fixture *f = *state;
	struct mm_finding_row r;

	drifted(f);
	waive(f, (struct mm_waiver){.user = "alice"}, T0 + 10);
	waive(f, (struct mm_waiver){.host = "ws1"}, T0 + 30 * 86400);
	mm_store_set_now(f->s, T0 + 20);
	assert_int_equal(port(f), MM_AUDIT_WAIVED);
	r = last_finding(f, (struct mm_evidence_filter){.setting = "incoming.host"});
	assert_int_equal(r.audit, MM_AUDIT_PASS);
	mm_store_set_now(f->s, T0 + MM_STALE_DAYS * 86400 + 1);
	assert_int_equal(port(f), MM_AUDIT_UNKNOWN);
	r = last_finding(f, (struct mm_evidence_filter){.setting = "incoming.port"});
	assert_true(r.stale && !r.waiver.expired);
}

static void test_waiver_in_the_counts(void **state)
{
	struct fixture *f = *state;
	struct mm_fleet fleet;

	drifted(f);
	waive(f, (struct mm_waiver){.user = "alice", .check = "incoming.port"}, T0 + 10);
	ok(f, mm_store_fleet(f->s, NULL, &fleet, &f->err));
	assert_int_equal(fleet.settings_by[MM_AUDIT_WAIVED], 1);
	assert_int_equal(fleet.settings_by[MM_AUDIT_PASS], 1);
	assert_int_equal(fleet.settings_by[MM_AUDIT_FAIL], 0);
	assert_int_equal(fleet.places_by[MM_AUDIT_FAIL], 1); /* the login */
	waive(f, (struct mm_waiver){.check = MM_CHECK_LOGIN}, T0 + 10);
	ok(f, mm_store_fleet(f->s, NULL, &fleet, &f->err));
	assert_int_equal(fleet.places_by[MM_AUDIT_WAIVED], 1);
	mm_store_set_now(f->s, T0 + 11);
	ok(f, mm_store_fleet(f->s, NULL, &fleet, &f->err));
	assert_int_equal(fleet.places_by[MM_AUDIT_FAIL], 1);
	assert_int_equal(fleet.settings_by[MM_AUDIT_FAIL], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_waiver_covers_its_scope, people_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_waiver_ends_and_says_so, people_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_waiver_covers_no_more, people_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_waiver_in_the_counts, people_setup, store_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
