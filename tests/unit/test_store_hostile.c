/* A workstation that means harm spoils nothing but its own rows: of every other one, all
 * rows are the same bytes before and after, and so are its counts. */
#include "store_fixture.h"

#include <sqlite3.h>

#include "common/digest.h"
#include "common/text.h"

#define DAY INT64_C(86400)
#define MANY 100000

static const char *const tables[] = {"findings", "logins", "coverage", "places", "reports", "host_seen",
    "host_inventory", "host_clients", "acks", "push_state", "host_users"};

/* All rows of host ws1 in one hash. */
static void hash_of(struct fixture *f, char out[MM_SHA256_HEX])
{
	struct mm_sha256_ctx *c = mm_sha256_begin();
	uint8_t sum[MM_SHA256_LEN];
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		char sql[96];
		sqlite3_stmt *st = NULL;

		snprintf(sql, sizeof(sql), "SELECT * FROM %s WHERE host = 'ws1' ORDER BY 1, 2", tables[i]);
		assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
		while (sqlite3_step(st) == SQLITE_ROW)
			for (int k = 0; k < sqlite3_column_count(st); k++) {
				const void *cell = sqlite3_column_blob(st, k);

				mm_sha256_add(c, cell ? cell : "", (size_t)sqlite3_column_bytes(st, k));
				mm_sha256_add(c, "|", 1);
			}
		sqlite3_finalize(st);
	}
	sqlite3_close(db);
	mm_sha256_end(c, sum);
	mm_hex(sum, sizeof(sum), out);
}

struct before {
	char hash[MM_SHA256_HEX];
	struct mm_fleet fleet;
};

static const struct mm_evidence_filter ws1 = {.host = "ws1"};

static void remember(struct fixture *f, struct before *b)
{
	hash_of(f, b->hash);
	ok(f, mm_store_fleet(f->s, &ws1, &b->fleet, &f->err));
}

static void nothing_else(struct fixture *f, const struct before *b)
{
	struct before now;

	remember(f, &now);
	assert_string_equal(now.hash, b->hash);
	now.fleet.reports = b->fleet.reports; /* of the whole store */
	assert_memory_equal(&now.fleet, &b->fleet, sizeof(now.fleet));
}

static int two_hosts(void **state)
{
	struct fixture *f;
	struct made m;

	people_setup(state);
	f = *state;
	add_host(f, "ws2", "alice");
	make_report(&m, "r1", "alice");
	m.users[1] = "bob";
	add_finding(&m, "alice", "incoming.host", MM_ST_COMPLIANT, "right");
	add_finding(&m, "alice", "incoming.port", MM_ST_DRIFTED, "wrong");
	add_finding(&m, "bob", "incoming.host", MM_ST_COMPLIANT, "right");
	add_login(&m, "alice", MM_LOGIN_PASSED, "");
	store_report(f, &m);
	return 0;
}

static void of_ws2(struct made *m, const char *id)
{
	make_report(m, id, "alice");
	m->head.host = "ws2";
	m->users[1] = "bob";
	add_finding(m, "alice", "incoming.host", MM_ST_ERROR, "harm");
	add_finding(m, "bob", "incoming.host", MM_ST_ERROR, "harm");
	add_login(m, "alice", MM_LOGIN_FAILED, "AUTH_REJECTED");
}

static void test_the_same_id(void **state)
{
	struct fixture *f = *state;
	struct before b;
	struct made m;

	remember(f, &b);
	of_ws2(&m, "r1"); /* and the same request */
	assert_true(store_report(f, &m));
	nothing_else(f, &b);
	of_ws2(&m, "r1");
	assert_false(store_report(f, &m));
	nothing_else(f, &b);
}

static void test_dates_of_no_time(void **state)
{
	static const int64_t dates[] = {0, 1, T0 - 4000 * DAY, T0 + 4000 * DAY, INT64_C(9007199254740991)};
	struct fixture *f = *state;
	struct before b;
	struct made m;
	struct mm_fleet ws2;

	remember(f, &b);
	for (size_t i = 0; i < sizeof(dates) / sizeof(*dates); i++) {
		char id[16];

		snprintf(id, sizeof(id), "d%zu", i);
		of_ws2(&m, id);
		m.in.direct = false;
		m.head.collected = m.l[0].when = dates[i];
		store_report(f, &m);
		nothing_else(f, &b);
	}
	ok(f, mm_store_fleet(f->s, &(struct mm_evidence_filter){.host = "ws2"}, &ws2, &f->err));
	assert_true(ws2.newest_seen <= T0);
	assert_int_equal(ws2.settings_by[MM_AUDIT_PASS], 0);
}

/* As many rows as fit, of as many people, programs and accounts: its own time and space. */
static void test_a_flood(void **state)
{
	struct fixture *f = *state;
	struct mm_finding *many = mm_arena_alloc(f->a, MANY, sizeof(*many));
	struct mm_fleet ws2;
	struct before b;
	struct made m;

	remember(f, &b);
	of_ws2(&m, "flood");
	for (size_t i = 0; i < MANY; i++) {
		many[i] = m.f[0];
		many[i].client = mm_arena_printf(f->a, "client%zu", i % 1000);
		many[i].path = mm_arena_printf(f->a, "/tmp/%zu", i);
		many[i].user = i % 2 ? "alice" : mm_arena_printf(f->a, "nobody%zu", i % 5000);
	}
	m.in.findings = many;
	m.in.n_findings = MANY;
	assert_true(store_report(f, &m));
	nothing_else(f, &b);
	/* A thousand programs of one user are more than a summary holds: the rows are counted. */
	ok(f, mm_store_fleet(f->s, &(struct mm_evidence_filter){.host = "ws2"}, &ws2, &f->err));
	assert_int_equal(ws2.settings, MANY);
	assert_int_equal(ws2.settings_by[MM_AUDIT_PASS], 0);
	mm_store_set_now(f->s, T0 + 60);
	of_ws2(&m, "after");
	store_report(f, &m);
	mm_store_set_now(f->s, T0);
	nothing_else(f, &b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, two_hosts, store_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_the_same_id),
	    TEST(test_dates_of_no_time),
	    TEST(test_a_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
