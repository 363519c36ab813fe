/*
 * Whatever is changed in the log, up to what a witness has seen, is noticed, and
 * the place named, at random. An export: test_audit_export.c.
 */
#include "audit_world.h"

static void all_well(const struct mm_audited *r, const struct world *w)
{
	print_faults(r);
	assert_int_equal(r->n_faults, 0);
	assert_int_equal(r->entries, w->last);
	assert_int_equal(r->witnessed, w->last);
	assert_int_equal(r->unwitnessed, 0);
	assert_int_equal(r->reports, 3);
	assert_int_equal(r->reports_signed, 3);
	assert_int_equal(r->reports_bad, 0);
	assert_string_equal(r->witness, "auditor");
}

static void test_untouched(void **state)
{
	struct world *w = *state;
	const struct mm_audited *r;
	struct mm_judge *j;

	judge_store(w, &j, &r);
	all_well(r, w);
	mm_judge_free(j);
	judge_export(w, &j, &r);
	all_well(r, w);
	mm_judge_free(j);
	make_export(w, false);
	judge_export(w, &j, &r);
	all_well(r, w);
	assert_int_equal(r->erased, r->personal);
	mm_judge_free(j);
}

/* Behind the last witness nothing is proven, and that is said. */
static void test_unwitnessed(void **state)
{
	struct world *w = *state;
	const struct mm_audited *r;
	struct mm_judge *j;

	mm_store_set_now(w->f->s, T0 + 5000);
	add_user(w->f, "late", "l@acme.example", NULL);
	mm_store_set_now(w->f->s, T0 + 6000);
	add_user(w->f, "later", "l@acme.example", NULL);
	judge_store(w, &j, &r);
	assert_int_equal(r->n_faults, 0);
	assert_int_equal(r->witnessed, w->last);
	assert_int_equal(r->unwitnessed, 2);
	assert_int_equal(r->since, T0 + 5000);
	mm_judge_free(j);
	j = new_judge(w, false);
	ok(w->f, mm_judge_store(j, w->f->s, true, &w->f->err));
	r = mm_judge_end(j);
	assert_int_equal(r->witnessed, 0);
	assert_int_equal(r->unwitnessed, w->last + 2);
	mm_judge_free(j);
}

/* ---- the log at random */

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

static const char *const columns[] = {
    "who", "action", "object", "detail", "reason", "apart", "prev", "sha256", "time", "seq"};

/* All that is hashed anew from `from` on, as one would who knows how. */
static void rehash(struct world *w, int64_t from)
{
	char prev[MM_SHA256_HEX] = MM_CHAIN_FIRST, sum[MM_SHA256_HEX];
	sqlite3_stmt *st = NULL;
	struct {
		int64_t seq;
		char prev[MM_SHA256_HEX], sum[MM_SHA256_HEX];
	} rows[256];
	size_t n = 0;

	assert_int_equal(
	    sqlite3_prepare_v2(w->f->s->db,
		"SELECT seq, time, who, action, object, detail, reason, apart, sha256 FROM audit_log "
		"ORDER BY seq",
		-1, &st, NULL),
	    SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW) {
		const char *t[7];

		for (int i = 0; i < 7; i++)
			t[i] = (const char *)sqlite3_column_text(st, i + 2);
		const struct mm_chain_entry e = {.seq = sqlite3_column_int64(st, 0),
		    .time = sqlite3_column_int64(st, 1),
		    .who = t[0],
		    .action = t[1],
		    .object = t[2],
		    .detail = t[3],
		    .reason = t[4],
		    .apart = t[5],
		    .prev = prev};

		snprintf(sum, sizeof(sum), "%s", t[6]);
		if (e.seq >= from)
			mm_chain_hash(&e, sum);
		rows[n].seq = e.seq;
		memcpy(rows[n].prev, prev, sizeof(prev));
		memcpy(rows[n++].sum, sum, sizeof(sum));
		memcpy(prev, sum, sizeof(prev));
	}
	sqlite3_finalize(st);
	for (size_t i = 0; i < n; i++)
		sql(w, "UPDATE audit_log SET prev = '%s', sha256 = '%s' WHERE seq = %" PRId64, rows[i].prev,
		    rows[i].sum, rows[i].seq);
}

static void change_value(struct world *w, int64_t k)
{
	const char *c = columns[rnd(w, sizeof(columns) / sizeof(columns[0]))];

	if (mm_streq(c, "seq"))
		sql(w, "UPDATE audit_log SET seq = seq + 100 WHERE seq = %" PRId64, k);
	else if (mm_streq(c, "time"))
		sql(w, "UPDATE audit_log SET time = time - 1 WHERE seq = %" PRId64, k);
	else
		sql(w,
		    "UPDATE audit_log SET %s = substr(%s, 1, %d) || 'x' || substr(%s, %d) WHERE seq = "
		    "%" PRId64,
		    c, c, (int)rnd(w, 8), c, 2 + (int)rnd(w, 8), k);
}

static void swap_entries(struct world *w, int64_t k)
{
	int64_t other = k < w->last ? k + 1 + (int64_t)rnd(w, (uint64_t)(w->last - k)) : k;

	sql(w, "UPDATE audit_log SET seq = -1 WHERE seq = %" PRId64, k);
	sql(w, "UPDATE audit_log SET seq = %" PRId64 " WHERE seq = %" PRId64, k, other);
	sql(w, "UPDATE audit_log SET seq = %" PRId64 " WHERE seq = -1", other);
}

static void insert_entry(struct world *w, int64_t k)
{
	sql(w, "UPDATE audit_log SET seq = -seq - 1 WHERE seq >= %" PRId64, k);
	sql(w, "UPDATE audit_log SET seq = -seq WHERE seq < 0");
	sql(w,
	    "INSERT INTO audit_log SELECT %" PRId64
	    ", time, 'mallory', 'user.add', '', '{}', '', '', prev, sha256 "
	    "FROM audit_log WHERE seq = %" PRId64,
	    k, k + 1);
}

static const char *tamper(struct world *w, int64_t *k)
{
	*k = 1 + (int64_t)rnd(w, (uint64_t)w->last);
	switch (rnd(w, 9)) {
	case 0:
		sql(w, "DELETE FROM audit_log WHERE seq = %" PRId64, *k);
		return "removed";
	case 1:
		*k = *k < w->last ? *k : *k - 1;
		swap_entries(w, *k);
		return "swapped";
	case 2:
		insert_entry(w, *k);
		return "inserted";
	case 3:
		sql(w, "DELETE FROM audit_log WHERE seq >= %" PRId64, *k);
		sql(w, "DELETE FROM checkpoints WHERE seq >= %" PRId64, *k);
		return "cut off";
	case 4:
		sql(w, "UPDATE audit_log SET who = 'mallory' WHERE seq = %" PRId64, *k);
		rehash(w, *k);
		return "changed and hashed anew";
	case 5:
		sql(w, "DELETE FROM audit_log WHERE seq = %" PRId64, *k);
		sql(w, "UPDATE audit_log SET seq = -seq WHERE seq > %" PRId64, *k);
		sql(w, "UPDATE audit_log SET seq = -seq - 1 WHERE seq < 0");
		rehash(w, *k);
		return "removed and hashed anew";
	default:
		change_value(w, *k);
		return "changed";
	}
}

/* Does the first fault lead to entry k? A log that was hashed anew is told by the
 * checkpoints on both sides. */
static bool leads_to(const struct world *w, const struct mm_audited *r, int64_t k)
{
	int64_t from = 1, to = w->last;

	for (size_t i = 0; i < w->n_points; i++) {
		if (w->points[i].seq < k)
			from = w->points[i].seq + 1;
		if (w->points[w->n_points - 1 - i].seq >= k)
			to = w->points[w->n_points - 1 - i].seq;
	}
	for (size_t i = 0; i < r->n_faults; i++)
		if (r->faults[i].seq > 0 && r->faults[i].seq >= from - 1 && r->faults[i].seq <= to)
			return true;
	return false;
}

static void test_log_at_random(void **state)
{
	struct world *w = *state;
	const struct mm_audited *r;
	struct mm_judge *j;

	sql(w, "PRAGMA foreign_keys = OFF");
	int64_t rounds = number_of("MM_ROUNDS", ROUNDS);

	for (int64_t round = 0; round < rounds; round++) {
		const char *what;
		int64_t k;

		sql(w, "SAVEPOINT tampering");
		int changes = sqlite3_total_changes(w->f->s->db);
		what = tamper(w, &k);
		if (sqlite3_total_changes(w->f->s->db) == changes)
			fail_msg("round %" PRId64 ": nothing was done", round);
		judge_store(w, &j, &r);
		if (r->n_faults == 0 || *r->faults[0].place == '\0' || !leads_to(w, r, k)) {
			print_faults(r);
			fail_msg("round %" PRId64 ": entry %" PRId64 " %s: not found", round, k, what);
		}
		mm_judge_free(j);
		sql(w, "ROLLBACK TO tampering; RELEASE tampering");
	}
}

/* ---- the rest */

static void expect(struct world *w, const char *place, const char *text)
{
	const struct mm_audited *r;
	struct mm_judge *j;
	bool found = false;

	judge_store(w, &j, &r);
	for (size_t i = 0; i < r->n_faults; i++)
		found = found || (strstr(r->faults[i].place, place) && strstr(r->faults[i].text, text));
	if (!found) {
		print_faults(r);
		fail_msg("nobody says \"%s: %s\"", place, text);
	}
	mm_judge_free(j);
}

static void test_forged_checkpoint(void **state)
{
	struct world *w = *state;
	const struct mm_audited *r;
	struct mm_judge *j;
	struct mm_checkpoint forged = w->points[2];

	forged.seq--;
	j = new_judge(w, true);
	mm_judge_checkpoint(j, &forged, "mallory's file");
	ok(w->f, mm_judge_store(j, w->f->s, false, &w->f->err));
	r = mm_judge_end(j);
	assert_int_equal(r->n_faults, 1);
	assert_non_null(strstr(r->faults[0].place, "mallory's file"));
	assert_string_equal(r->faults[0].text, "its signature does not hold");
	mm_judge_free(j);
	sql(w, "UPDATE checkpoints SET entries = entries + 1 WHERE seq = %" PRId64, w->points[0].seq);
	expect(w, "checkpoint", "its signature does not hold");
}

static void test_rows(void **state)
{
	struct world *w = *state;
	static const struct {
		const char *change, *place, *text;
	} cases[] = {
	    {"UPDATE revisions SET text = 'two'", "revisions: 1", "changed"},
	    {"UPDATE revisions SET author = 'mallory'", "revisions: 1", "changed"},
	    {"DELETE FROM approvals; DELETE FROM revisions", "revisions: 1", "removed"},
	    {"DELETE FROM approvals", "approvals: revision 1 by uid 6", "removed"},
	    {"INSERT INTO approvals VALUES (1, 7, 'x', 5)", "approvals: revision 1 by uid 7", "inserted"},
	    {"UPDATE reports SET collected = 5 WHERE report_id = 'r2'", "reports: host ws1, report r2",
		"changed"},
	    {"UPDATE reports SET evidence = 1 WHERE report_id = 'r2'", "reports: host ws1, report r2",
		"changed"},
	    {"DELETE FROM reports WHERE report_id = 'r1'", "reports: host ws1, report r1", "removed"},
	    {"UPDATE reports SET report_id = 'r9' WHERE report_id = 'r1'", "reports: host ws1, report r1",
		"removed"},
	    {"INSERT INTO reports SELECT 99, host, 'r9', request_id, op, evidence, epoch, serial, revision, "
	     "collected, "
	     "received, seen, agent, user, expired, findings, logins, frames_sha256, key_id, signature, "
	     "seal, 5, covers, salt "
	     "FROM reports LIMIT 1",
		"reports: host ws1, report r9", "inserted"},
	    {"DELETE FROM audit_personal WHERE seq = (SELECT MIN(seq) FROM audit_personal)",
		"personal part of entry", "removed, and no erasure says so"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sql(w, "SAVEPOINT tampering; %s", cases[i].change);
		expect(w, cases[i].place, cases[i].text);
		sql(w, "ROLLBACK TO tampering; RELEASE tampering");
	}
}

static void test_prune_and_erase(void **state)
{
	struct world *w = *state;
	const struct mm_audited *r;
	struct mm_judge *j;
	int64_t n = 0;

	ok(w->f, mm_store_user_erase(w->f->s, "user1", &w->f->err));
	judge_store(w, &j, &r);
	print_faults(r);
	assert_int_equal(r->n_faults, 0);
	assert_int_equal(r->erased, 1);
	mm_judge_free(j);
	ok(w->f, mm_store_audit_prune(w->f->s, T0 + 30, w->key, &n, &w->f->err));
	assert_true(n > 0);
	judge_store(w, &j, &r);
	print_faults(r);
	assert_int_equal(r->n_faults, 0);
	assert_int_equal(r->pruned, n);
	assert_int_equal(r->first, n + 1);
	mm_judge_free(j);
	/* Again, from an anchor on; and nothing older: nothing is done. */
	ok(w->f, mm_store_audit_prune(w->f->s, T0 + 30, w->key, &n, &w->f->err));
	assert_int_equal(n, 0);
	ok(w->f, mm_store_audit_prune(w->f->s, T0 + 90, w->key, &n, &w->f->err));
	assert_true(n > 0);
	judge_store(w, &j, &r);
	print_faults(r);
	assert_int_equal(r->n_faults, 0);
	mm_judge_free(j);
	/* Whoever throws away more has no signed anchor for it. */
	sql(w,
	    "PRAGMA foreign_keys = OFF; DELETE FROM audit_log WHERE seq = (SELECT MIN(seq) FROM audit_log)");
	expect(w, "entry", "removed");
}

static void test_prune_without_a_word(void **state)
{
	struct world *w = *state;
	struct mm_buf text = MM_BUF_INIT(MM_STATEMENT_MAX);
	json_t *o = mm_checkpoint_json(&w->points[1]);

	/* A checkpoint of ours passed off as an anchor. */
	mm_json_dump(o, &text);
	json_decref(o);
	ok(w->f, mm_store_note_set(w->f->s, MM_ANCHOR, mm_buf_str(&text), &w->f->err));
	sql(w, "DELETE FROM audit_personal WHERE seq <= %" PRId64, w->points[1].seq);
	sql(w, "DELETE FROM audit_log WHERE seq <= %" PRId64, w->points[1].seq);
	expect(w, "anchor", "no entry says that they were pruned");
	mm_buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_untouched, world_setup, world_teardown),
	    cmocka_unit_test_setup_teardown(test_unwitnessed, world_setup, world_teardown),
	    cmocka_unit_test_setup_teardown(test_log_at_random, world_setup, world_teardown),
	    cmocka_unit_test_setup_teardown(test_forged_checkpoint, world_setup, world_teardown),
	    cmocka_unit_test_setup_teardown(test_rows, world_setup, world_teardown),
	    cmocka_unit_test_setup_teardown(test_prune_and_erase, world_setup, world_teardown),
	    cmocka_unit_test_setup_teardown(test_prune_without_a_word, world_setup, world_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
