/*
 * Reports, up to when a user is known completely, and waivers against the log:
 * whatever value of them is changed, removed or inserted, audit verify names
 * the row. MM_ROUNDS takes another number of changes.
 */
#include <stdarg.h>

#include "audit_world.h"

#define CHANGES 1000

static void sql(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void sql(struct world *w, const char *fmt, ...)
{
	char text[2048], *why = NULL;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (sqlite3_exec(w->f->s->db, text, NULL, NULL, &why))
		fail_msg("%s: %s", text, why);
}

static void report(struct world *w, const char *id, const char *user, const char *claimed)
{
	struct made m;

	make_report(&m, id, user);
	m.head.collected = mm_store_now(w->f->s);
	m.head.user = claimed;
	m.head.evidence = claimed ? MM_EV_CLAIMED : MM_EV_ATTESTED;
	add_finding(&m, user, "incoming.host", MM_ST_DRIFTED, id);
	add_login(&m, user, MM_LOGIN_PASSED, "");
	assert_true(store_report(w->f, &m));
}

static int64_t waive(struct world *w, const char *user, const char *check)
{
	const struct mm_waiver v = {.host = "",
	    .user = user,
	    .group = "",
	    .client = "",
	    .account = "work",
	    .check = check,
	    .reason = "the old server",
	    .owner = "bob",
	    .until = T0 + 90000};
	int64_t id = 0;

	ok(w->f, mm_store_waiver_add(w->f->s, &v, &id, &w->f->err));
	return id;
}

static int rows_setup(void **state)
{
	struct world *w;

	world_setup(state);
	w = *state;
	mm_store_set_now(w->f->s, T0 + 200);
	report(w, "a1", "alice", NULL);
	mm_store_set_now(w->f->s, T0 + 210);
	report(w, "b1", "bob", "bob");
	assert_int_equal(waive(w, "alice", "login"), 1);
	assert_int_equal(waive(w, "", "incoming.host"), 2);
	assert_int_equal(waive(w, "", "incoming.port"), 3);
	mm_store_set_now(w->f->s, T0 + 220);
	ok(w->f, mm_store_waiver_remove(w->f->s, 3, &w->f->err));
	point(w);
	return 0;
}

/* ---- what is said */

struct said {
	size_t n, right; /* right: of that place */
	const char *place;
	char first[512];
	struct mm_vouched v;
};

static int take(const char *place, const char *text, void *arg, struct mm_err *err)
{
	struct said *s = arg;
	(void)err;

	s->right += strncmp(place, s->place, strlen(s->place)) == 0;
	if (s->n++ == 0)
		snprintf(s->first, sizeof(s->first), "%s: %s", place, text);
	return 0;
}

static struct said look(struct world *w, const char *place)
{
	struct said s = {.place = place};

	ok(w->f, mm_store_rows_check(w->f->s, &s.v, take, &s, &w->f->err));
	return s;
}

static struct mm_vouched well(struct world *w)
{
	struct said s = look(w, "");

	if (s.n > 0)
		fail_msg("%s", s.first);
	return s.v;
}

static void noticed(struct world *w, const char *change, const char *place)
{
	struct said s;

	sql(w, "SAVEPOINT tampering; %s", change);
	s = look(w, place);
	if (s.right == 0)
		fail_msg("%s: nobody names \"%s\", but \"%s\"", change, place, s.first);
	sql(w, "ROLLBACK TO tampering; RELEASE tampering");
}

/* ---- at random */

static const struct table {
	const char *name, *unlike; /* columns that are not evidence */
	const char *row[2], *place[2];
} tables[] = {
    {"reports", "'id', 'seal'", {"report_id = 'a1'", "report_id = 'b1'"},
	{"reports: host ws1, report a1", "reports: host ws1, report b1"}},
    {"coverage", "'host', 'user'", {"user = 'alice'", "user = 'bob'"},
	{"coverage: host ws1, user alice", "coverage: host ws1, user bob"}},
    {"waivers", "'id'", {"id = 1", "id = 3"}, {"waivers: 1", "waivers: 3"}},
};

static void any_column(struct world *w, const struct table *t, char name[64], bool *number)
{
	char text[256];
	sqlite3_stmt *st = NULL;

	snprintf(text, sizeof(text), "SELECT name, type FROM pragma_table_info('%s') WHERE name NOT IN (%s)",
	    t->name, t->unlike);
	assert_int_equal(sqlite3_prepare_v2(w->f->s->db, text, -1, &st, NULL), SQLITE_OK);
	for (uint64_t i = 0, n = 1; sqlite3_step(st) == SQLITE_ROW; i++)
		if (i == 0 || rnd(w, ++n) == 0) {
			snprintf(name, 64, "%s", (const char *)sqlite3_column_text(st, 0));
			*number = strcmp((const char *)sqlite3_column_text(st, 1), "INTEGER") == 0;
		}
	sqlite3_finalize(st);
}

static void test_at_random(void **state)
{
	struct world *w = *state;

	for (int64_t round = 0, rounds = number_of("MM_ROUNDS", CHANGES); round < rounds; round++) {
		const struct table *t = &tables[rnd(w, sizeof(tables) / sizeof(tables[0]))];
		size_t which = rnd(w, 2);
		char column[64];
		bool number = false;
		struct said s;

		any_column(w, t, column, &number);
		sql(w, "SAVEPOINT tampering");
		sql(w,
		    number ? "UPDATE %s SET %s = %s + 1 WHERE %s"
			   : "UPDATE %s SET %s = 'x' || COALESCE(%s, '') WHERE %s",
		    t->name, column, column, t->row[which]);
		assert_int_equal(sqlite3_changes(w->f->s->db), 1);
		s = look(w, t->place[which]);
		if (s.right == 0)
			fail_msg("round %d: %s.%s: %zu faults, first %s", (int)round, t->name, column, s.n,
			    s.first);
		sql(w, "ROLLBACK TO tampering; RELEASE tampering");
	}
	well(w);
}

/* ---- with a plan */

static void test_forgers(void **state)
{
	struct world *w = *state;
	struct mm_vouched v = well(w);

	assert_int_equal(v.reports, 5);
	assert_int_equal(v.reports_unvouched, 0);
	assert_int_equal(v.covered, 2);
	assert_int_equal(v.covered_unvouched, 0);
	assert_int_equal(v.waivers, 3);
	assert_int_equal(v.waivers_unvouched, 0);
	noticed(w, "DELETE FROM coverage WHERE user = 'alice'", "coverage: host ws1, user alice");
	noticed(w, "INSERT INTO coverage VALUES ('ws1', 'eve', 5, 0, 1, 0)", "coverage: host ws1, user eve");
	noticed(w, "UPDATE coverage SET user = 'eve' WHERE user = 'bob'", "coverage: host ws1, user");
	/* An older one, as a report had it. */
	noticed(w,
	    "UPDATE coverage SET seen = (SELECT seen FROM reports WHERE report_id = 'r2') WHERE user = "
	    "'alice'",
	    "coverage: host ws1, user alice");
	noticed(w, "UPDATE reports SET covers = NULL, salt = '' WHERE report_id = 'a1'",
	    "reports: host ws1, report a1");
	noticed(w, "DELETE FROM waivers WHERE id = 2", "waivers: 2");
	noticed(w, "DELETE FROM waivers WHERE id = 3", "waivers: 3");
	noticed(w, "UPDATE waivers SET removed = 0", "waivers: 3");
	noticed(w, "UPDATE waivers SET user = '+erased' WHERE user = 'alice'", "waivers: 1");
	noticed(w,
	    "INSERT INTO waivers SELECT 9, host, user, group_name, client, account, check_id, reason, owner, "
	    "added_by, added, until, removed FROM waivers WHERE id = 2",
	    "waivers: 9");
	noticed(w, "UPDATE waivers SET id = 7 WHERE id = 2", "waivers: 7");
}

/* ---- what we do ourselves */

static void test_own_acts(void **state)
{
	struct world *w = *state;
	struct fixture *f = w->f;
	struct mm_vouched v;
	struct made m;
	int64_t n = 0;

	/* A report that covers both says nothing of either when one of them is erased. */
	mm_store_set_now(f->s, T0 + 300);
	make_report(&m, "ab", "alice");
	m.users[1] = "bob";
	m.head.collected = T0 + 300;
	assert_true(store_report(f, &m));
	well(w);
	ok(f, mm_store_user_erase(f->s, "alice", &f->err));
	v = well(w);
	assert_int_equal(v.covered, 1);
	assert_int_equal(v.covered_unvouched, 1);
	assert_int_equal(v.waivers, 3);
	noticed(w, "UPDATE reports SET covers = NULL, salt = '' WHERE report_id = 'b1'",
	    "reports: host ws1, report b1");
	noticed(w,
	    "INSERT INTO waivers SELECT 9, host, '+erased', group_name, client, account, check_id, reason, "
	    "owner, added_by, added, until, removed FROM waivers WHERE id = 2",
	    "waivers: ");
	/* Pruned: what waivers say is written down again, what reports covered is not. */
	mm_store_set_now(f->s, T0 + 400);
	ok(f, mm_store_audit_prune(f->s, T0 + 350, w->key, &n, &f->err));
	assert_true(n > 0);
	v = well(w);
	assert_int_equal(v.waivers_unvouched, 1); /* whose user was erased */
	assert_int_equal(v.covered_unvouched, 1);
	assert_int_equal(v.reports_unvouched, 6);
	noticed(w, "UPDATE waivers SET until = until + 1 WHERE id = 2", "waivers: 2");
	noticed(w, "UPDATE waivers SET removed = 0 WHERE id = 3", "waivers: 3");
	noticed(w, "DELETE FROM waivers WHERE id = 3", "waivers: 3");
	noticed(w,
	    "INSERT INTO waivers SELECT 9, host, user, group_name, client, account, check_id, reason, owner, "
	    "added_by, added, until, removed FROM waivers WHERE id = 2",
	    "waivers: 9");
	noticed(w, "INSERT INTO coverage VALUES ('ws1', 'eve', 1790009999, 0, 1, 0)",
	    "coverage: host ws1, user eve");
	noticed(w, "UPDATE reports SET received = received + 900 WHERE report_id = 'b1'",
	    "reports: host ws1, report b1");
	/* Bob leaves, and the host. */
	add_host(f, "ws1", "alice");
	report(w, "a9", "alice", NULL);
	v = well(w);
	assert_int_equal(v.covered, 1);
	assert_int_equal(v.covered_unvouched, 0);
	noticed(w, "DELETE FROM coverage", "coverage: host ws1, user alice");
	assert_int_equal(mm_store_host_remove(f->s, "ws1", &f->err), 0);
	assert_int_equal(well(w).covered, 0);
	add_host(f, "ws1", NULL);
	report(w, "b9", "bob", NULL);
	assert_int_equal(well(w).covered, 1);
	ok(f, mm_store_audit_prune(f->s, T0 + 350, w->key, &n, &f->err));
	well(w);
}

/* Of the program before: no entry says what there is to compare, and that is said. */
static void test_older_store(void **state)
{
	struct world *w = *state;
	struct mm_vouched v;

	sql(w, "UPDATE audit_log SET detail = json_remove(detail, '$.row') WHERE action = 'report'");
	sql(w, "UPDATE reports SET salt = ''");
	sql(w, "UPDATE reports SET covers = NULL WHERE report_id <> 'b1'");
	v = well(w);
	assert_int_equal(v.reports_unvouched, 5);
	assert_int_equal(v.covered_unvouched, 2);
	/* What it did not write down itself is its entry's. */
	sql(w, "UPDATE audit_log SET detail = json_remove(detail, '$.added') WHERE action = 'waiver.add' AND "
	       "detail <> ''");
	sql(w, "UPDATE audit_personal SET detail = json_remove(detail, '$.added') WHERE object = '1'");
	sql(w, "UPDATE audit_log SET detail = '{}' WHERE action = 'waiver.remove'");
	well(w);
	noticed(w, "UPDATE waivers SET added = added - 60 WHERE id = 2", "waivers: 2");
	noticed(w, "UPDATE waivers SET added = added + 1 WHERE id = 2", "waivers: 2");
	noticed(w, "UPDATE waivers SET removed = removed + 1 WHERE id = 3", "waivers: 3");
	mm_store_set_now(w->f->s, T0 + 500);
	report(w, "a7", "alice", NULL);
	v = well(w);
	assert_int_equal(v.covered_unvouched, 1);
	noticed(
	    w, "UPDATE coverage SET seen = seen + 1 WHERE user = 'alice'", "coverage: host ws1, user alice");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_at_random, rows_setup, world_teardown),
	    cmocka_unit_test_setup_teardown(test_forgers, rows_setup, world_teardown),
	    cmocka_unit_test_setup_teardown(test_own_acts, rows_setup, world_teardown),
	    cmocka_unit_test_setup_teardown(test_older_store, rows_setup, world_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
