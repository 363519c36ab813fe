/*
 * The evidence against the log: whatever value of a finding or login check is
 * changed, of one that is open or of one that has ended, audit verify names the
 * host and the user. MM_ROUNDS takes another number of changes.
 */
#include <stdarg.h>

#include "audit_world.h"
#include "controller/store/vouch.h"

#define CHANGES 2000

static void sql(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void sql(struct world *w, const char *fmt, ...)
{
	char text[1024], *why = NULL;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (sqlite3_exec(w->f->s->db, text, NULL, NULL, &why))
		fail_msg("%s: %s", text, why);
}

static void report(struct world *w, const char *id, const char *user, const char *found)
{
	bool one = mm_streq(found, "one");

	struct made m;

	make_report(&m, id, user);
	m.head.collected = mm_store_now(w->f->s);
	add_finding(&m, user, "incoming.host", MM_ST_DRIFTED, found);
	add_finding(&m, user, "incoming.port", MM_ST_COMPLIANT, "993");
	add_finding(&m, user, "client.path", MM_ST_UNMANAGED, NULL);
	add_login(&m, user, one ? MM_LOGIN_FAILED : MM_LOGIN_PASSED, one ? "auth" : "");
	add_login(&m, user, MM_LOGIN_FAILED, "auth")->side = "outgoing";
	assert_true(store_report(w->f, &m));
}

static int evidence_setup(void **state)
{
	struct world *w;

	world_setup(state);
	w = *state;
	mm_store_set_now(w->f->s, T0 + 200);
	report(w, "a1", "alice", "one");
	report(w, "b1", "bob", "one");
	mm_store_set_now(w->f->s, T0 + 250);
	report(w, "b2", "bob", "two");
	mm_store_set_now(w->f->s, T0 + 300);
	report(w, "a2", "alice", "two"); /* of bob the older entry counts */
	mm_store_set_now(w->f->s, T0 + 320);
	report(w, "a3", "alice", "three");
	point(w);
	return 0;
}

/* ---- what is said */

struct said {
	size_t n, right; /* right: of that host and user */
	const char *host, *user;
	char first[512];
	struct mm_vouched v;
};

static int take(const char *place, const char *text, void *arg, struct mm_err *err)
{
	struct said *s = arg;
	char want[128];
	(void)err;

	snprintf(want, sizeof(want), "evidence: host %s, user %s", s->host, s->user);
	s->right += mm_streq(place, want);
	if (s->n++ == 0)
		snprintf(s->first, sizeof(s->first), "%s: %s", place, text);
	return 0;
}

static struct said look(struct world *w, const char *host, const char *user)
{
	struct said s = {.host = host, .user = user};

	ok(w->f, mm_store_vouched_check(w->f->s, &s.v, take, &s, &w->f->err));
	return s;
}

static void well(struct world *w, int64_t places, int64_t unvouched, int64_t ended)
{
	struct said s = look(w, "", "");

	if (s.n > 0)
		fail_msg("%s", s.first);
	assert_int_equal(s.v.places, places);
	assert_int_equal(s.v.unvouched, unvouched);
	assert_int_equal(s.v.ended - s.v.ended_unvouched, ended);
}

static void noticed(struct world *w, const char *change, const char *words)
{
	struct said s;

	sql(w, "SAVEPOINT tampering; %s", change);
	s = look(w, "ws1", "alice");
	if (s.n == 0 || !strstr(s.first, words))
		fail_msg("%s: nobody says \"%s\", but \"%s\"", change, words, s.first);
	sql(w, "ROLLBACK TO tampering; RELEASE tampering");
}

/* ---- at random */

struct column {
	char table[16], name[32];
	bool number;
};

static size_t read_columns(struct world *w, struct column *out, size_t max)
{
	sqlite3_stmt *st = NULL;
	size_t n = 0;

	assert_int_equal(
	    sqlite3_prepare_v2(w->f->s->db,
		"SELECT 'findings', name, type FROM pragma_table_info('findings') WHERE name <> 'id' "
		"UNION ALL SELECT 'logins', name, type FROM pragma_table_info('logins') WHERE name <> 'id'",
		-1, &st, NULL),
	    SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW) {
		assert_true(n < max);
		snprintf(out[n].table, sizeof(out[n].table), "%s", (const char *)sqlite3_column_text(st, 0));
		snprintf(out[n].name, sizeof(out[n].name), "%s", (const char *)sqlite3_column_text(st, 1));
		out[n++].number = mm_streq((const char *)sqlite3_column_text(st, 2), "INTEGER");
	}
	sqlite3_finalize(st);
	return n;
}

static void change(struct world *w, const struct column *c, const char *user, bool ended)
{
	const char *how = c->number   ? "%s + 1"
			  : rnd(w, 2) ? "CASE WHEN %s IS NULL THEN '' ELSE substr(%s, 2) || 'x' END"
				      : "'x' || COALESCE(%s, '')";
	char value[256] = "";

	for (const char *p = how; *p; p++) {
		size_t n = strlen(value);

		if (p[0] == '%' && p[1] == 's') {
			snprintf(value + n, sizeof(value) - n, "%s", c->name);
			p++;
		} else {
			snprintf(value + n, sizeof(value) - n, "%c", *p);
		}
	}
	sql(w,
	    "UPDATE %s SET %s = %s WHERE id = (SELECT id FROM %s WHERE closed %s 0 AND user = '%s' ORDER BY "
	    "id "
	    "LIMIT 1 OFFSET %d)",
	    c->table, c->name, value, c->table, ended ? ">" : "=", user,
	    ended ? 0 : (int)rnd(w, mm_streq(c->table, "findings") ? 3 : 2));
}

static void test_at_random(void **state)
{
	struct world *w = *state;
	struct column columns[64];
	size_t n = read_columns(w, columns, 64);

	well(w, 2, 0, 2);
	for (int64_t round = 0, rounds = number_of("MM_ROUNDS", CHANGES); round < rounds; round++) {
		const struct column *c = &columns[rnd(w, n)];
		const char *user = rnd(w, 2) ? "alice" : "bob";
		bool ended = rnd(w, 2);
		struct said s;

		if (!ended && mm_streq(c->name, "ender"))
			continue; /* which says nothing while it is open */
		sql(w, "SAVEPOINT tampering");
		change(w, c, user, ended);
		assert_int_equal(sqlite3_changes(w->f->s->db), 1);
		s = look(w, "ws1", user);
		if (s.right != 1)
			fail_msg("round %d: %s.%s of %s: %zu faults, first %s", (int)round, c->table, c->name,
			    user, s.n, s.first);
		sql(w, "ROLLBACK TO tampering; RELEASE tampering");
	}
	well(w, 2, 0, 2);
}

/* ---- with a plan */

static void test_forgers(void **state)
{
	struct world *w = *state;
	const struct mm_audited *r;
	struct mm_judge *j;
	bool found = false;

	noticed(w, "DELETE FROM findings WHERE user = 'alice' AND closed = 0", "not those that entry");
	noticed(w, "DELETE FROM findings; DELETE FROM logins; DELETE FROM vouched", "removed: entry");
	noticed(w, "DELETE FROM vouched WHERE user = 'alice'", "inserted");
	noticed(w, "UPDATE findings SET state = 'compliant'; UPDATE vouched SET salt = ''", "removed: entry");
	noticed(w, "UPDATE vouched SET salt = 'f' WHERE user = 'alice'", "no entry of the log vouches");
	noticed(w,
	    "INSERT INTO findings SELECT NULL, host, 'eve', client, path, account, setting, desired, found, "
	    "line, "
	    "override_path, state, action, reason, evidence, revision, since, first_seen, seen, closed, "
	    "known, ended, 0 "
	    "FROM findings WHERE closed = 0 LIMIT 1",
	    "host ws1, user eve: inserted");
	/* What stood there before, whole. */
	noticed(w,
	    "DELETE FROM findings WHERE user = 'alice' AND setting = 'incoming.host' AND closed = 0; "
	    "UPDATE findings SET closed = 0, ended = 0 WHERE user = 'alice' AND found = 'one'",
	    "not those that entry");
	/* What was so once. */
	noticed(
	    w, "DELETE FROM findings WHERE user = 'alice' AND closed > 0", "of alice on ws1 that have ended");
	noticed(
	    w, "DELETE FROM logins WHERE user = 'alice' AND closed > 0", "of alice on ws1 that have ended");
	noticed(w, "DELETE FROM findings WHERE user = 'alice' AND found = 'two'",
	    "that have ended are not those");
	noticed(w,
	    "INSERT INTO findings SELECT NULL, host, user, client, path, account, setting, desired, 'zero', "
	    "line, "
	    "override_path, 'compliant', action, reason, evidence, revision, since, first_seen, seen, closed "
	    "- 9, "
	    "known, ended, ender FROM findings WHERE user = 'alice' AND closed > 0 LIMIT 1",
	    "that have ended are not those");
	noticed(w, "UPDATE findings SET user = 'eve' WHERE user = 'alice' AND closed > 0",
	    "of alice on ws1 that");
	noticed(w, "UPDATE findings SET ended = ended + 90 WHERE user = 'alice' AND found = 'two'",
	    "that have ended");
	noticed(
	    w, "UPDATE vouched SET past = '' WHERE user = 'alice'", "what is kept of that which has ended");
	noticed(w, "DELETE FROM findings WHERE closed > 0; UPDATE vouched SET past = ''", "alice on ws1");
	sql(w, "UPDATE logins SET result = 'passed' WHERE user = 'bob' AND closed = 0 AND result = 'failed'");
	judge_store(w, &j, &r);
	for (size_t i = 0; i < r->n_faults; i++)
		found = found ||
			(mm_streq(r->faults[i].place, "evidence: host ws1, user bob") &&
			    strstr(r->faults[i].text, "login checks of bob on ws1 are not those that entry"));
	assert_true(found);
	mm_judge_free(j);
}

/* ---- what we do ourselves */

static void test_own_acts(void **state)
{
	struct world *w = *state;
	struct fixture *f = w->f;
	struct made m;
	int64_t n = 0;

	/* What says nothing new leaves the log as short as it was. */
	mm_store_set_now(f->s, T0 + 400);
	ok(f, mm_store_audit_prune(f->s, T0 + 350, w->key, &n, &f->err));
	assert_true(n > 0);
	well(w, 2, 0, 2);
	noticed(w, "UPDATE findings SET found = 'x' WHERE user = 'alice' AND closed = 0", "of alice on ws1");
	noticed(w, "UPDATE findings SET found = 'x' WHERE user = 'bob' AND closed = 0", "of bob on ws1");
	noticed(
	    w, "UPDATE findings SET found = 'x' WHERE user = 'bob' AND closed > 0", "bob on ws1 that have");
	ok(f, mm_store_user_erase(f->s, "alice", &f->err));
	well(w, 1, 0, 1);
	report(w, "a4", "alice", "three");
	well(w, 2, 0, 1);
	/* Nothing of bob is left but what was, and then something again. */
	mm_store_set_now(f->s, T0 + 500);
	make_report(&m, "b3", "bob");
	m.head.collected = T0 + 500;
	assert_true(store_report(f, &m));
	well(w, 1, 0, 1);
	noticed(
	    w, "UPDATE findings SET closed = 0, ended = 0 WHERE user = 'bob' AND ended = 1790000500", "bob");
	noticed(w, "DELETE FROM findings WHERE user = 'bob'", "bob");
	mm_store_set_now(f->s, T0 + 600);
	report(w, "b4", "bob", "four");
	well(w, 2, 0, 1);
	/* Bob leaves the host: his rows end. */
	mm_store_set_now(f->s, T0 + 700);
	add_host(f, "ws1", "alice");
	report(w, "a5", "alice", "six");
	well(w, 1, 0, 2);
	noticed(w, "UPDATE findings SET closed = 0, ended = 0 WHERE user = 'bob' AND found = 'four'", "bob");
	/* What was so stays so when the host retires, and when it comes back. */
	mm_store_set_now(f->s, T0 + 800);
	assert_int_equal(mm_store_host_remove(f->s, "ws1", &f->err), 0);
	well(w, 0, 0, 2);
	noticed(w, "UPDATE findings SET found = 'x' WHERE user = 'bob' AND found = 'four'", "bob");
	noticed(w, "DELETE FROM logins WHERE user = 'alice'", "alice");
	add_host(f, "ws1", NULL);
	report(w, "b5", "bob", "five");
	well(w, 1, 0, 2);
	noticed(w, "UPDATE findings SET found = 'x' WHERE user = 'bob' AND found = 'four'", "bob");
	mm_store_set_now(f->s, T0 + 900);
	ok(f, mm_store_audit_prune(f->s, T0 + 850, w->key, &n, &f->err));
	well(w, 1, 0, 2);
	noticed(w, "DELETE FROM logins WHERE user = 'alice'", "alice on ws1 that have");
	ok(f, mm_store_user_erase(f->s, "bob", &f->err));
	well(w, 0, 0, 1);
}

/* Stores of the programs before: nothing is vouched for, or nothing of what has
 * ended, and that is said. */
static void test_older_store(void **state)
{
	struct world *w = *state;
	struct fixture *f = w->f;

	ok(f, mm_store_user_erase(f->s, "alice", &f->err));
	sql(w, "DROP TABLE vouched; ALTER TABLE findings DROP COLUMN ender; ALTER TABLE logins DROP COLUMN "
	       "ender; ALTER TABLE reports DROP COLUMN salt; ALTER TABLE signing_keys DROP COLUMN former; "
	       "ALTER TABLE signing_keys DROP COLUMN sig; ALTER TABLE signing_keys DROP COLUMN proof; PRAGMA "
	       "user_version = 10");
	sql(w, "DELETE FROM audit_log WHERE action IN ('report', 'audit.vouch')");
	mm_store_close(f->s);
	f->s = NULL;
	ok(f, mm_store_open(f->path, &f->s, &f->err));
	mm_store_set_now(f->s, T0 + 700);
	well(w, 1, 1, 0);
	assert_int_equal(look(w, "", "").v.ended_unvouched, 1);
	report(w, "b9", "bob", "nine");
	well(w, 1, 0, 1);
	noticed(w, "DELETE FROM findings WHERE user = 'bob' AND closed > 0 AND ender = 0",
	    "bob on ws1 that have");
}

/* Digests of the first form say nothing of what has ended. */
static void test_first_form(void **state)
{
	struct world *w = *state;
	struct fixture *f = w->f;
	char digest[MM_SHA256_HEX], name[MM_VOUCH_NAME];
	struct mm_vouch_place p = {.salt = "5a17", .host = "ws1", .user = "bob"};
	struct mm_arena *a = mm_arena_new();
	const char *line;
	int64_t n;

	ok(f, mm_vouch_digest(f->s, &p, digest, &n, &f->err));
	mm_vouch_name(p.salt, p.host, p.user, name);
	line = mm_arena_printf(a, "{\"places\":\"%s:%s\"}", name, digest);
	sql(w, "UPDATE vouched SET salt = '5a17', past = '?' WHERE user = 'bob'");
	ok(f, mm_store_audit(f->s, "audit.vouch", "ws1", line, false, &f->err));
	mm_arena_free(a);
	noticed(w, "UPDATE findings SET found = 'x' WHERE user = 'bob' AND closed = 0", "");
	assert_int_equal(look(w, "", "").v.ended_unvouched, 1);
	report(w, "b9", "bob", "nine");
	assert_int_equal(look(w, "", "").v.ended_unvouched, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_at_random, evidence_setup, world_teardown),
	    cmocka_unit_test_setup_teardown(test_forgers, evidence_setup, world_teardown),
	    cmocka_unit_test_setup_teardown(test_own_acts, evidence_setup, world_teardown),
	    cmocka_unit_test_setup_teardown(test_older_store, evidence_setup, world_teardown),
	    cmocka_unit_test_setup_teardown(test_first_form, evidence_setup, world_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
