/* The file itself, transactions, revisions, the audit log, keys, serials, push state. */
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "controller/audit/verify.h"
#include "controller/store/store_keys.h"
#include "store_fixture.h"

/* Change the file behind the store's back, as a forger would. */
static void forge(struct fixture *f, const char *sql)
{
	sqlite3 *db = NULL;
	char *text = NULL;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &text))
		fail_msg("%s: %s", sql, text);
	sqlite3_close(db);
}

static void reopen(struct fixture *f)
{
	mm_store_close(f->s);
	f->s = NULL;
	ok(f, mm_store_open(f->path, &f->s, &f->err));
	mm_store_set_now(f->s, T0);
}

/* How many things are wrong with the log; the first of them, with its place. */
static size_t audit_faults(struct fixture *f, char *first, size_t size)
{
	struct mm_judge *j = mm_judge_new();
	const struct mm_audited *r;
	size_t n;

	ok(f, mm_judge_store(j, f->s, true, &f->err));
	r = mm_judge_end(j);
	n = r->n_faults;
	if (n > 0 && first)
		snprintf(first, size, "%s: %s", r->faults[0].place, r->faults[0].text);
	mm_judge_free(j);
	return n;
}

static void assert_no_faults(struct fixture *f)
{
	char first[512] = "";

	if (audit_faults(f, first, sizeof(first)) > 0)
		fail_msg("%s", first);
}

/* The number of the last migration, and how to take back those behind the second. */
#define NEWEST 13
#define NEWEST_TEXT "13"
#define WITHOUT_LATER                                                                                        \
	"DROP TABLE rollout_hosts; DROP TABLE rollouts; DROP TABLE host_inventory; DROP TABLE "              \
	"host_clients; "                                                                                     \
	"DROP TABLE baselines; ALTER TABLE revisions DROP COLUMN baseline; "                                 \
	"DROP TABLE waivers; DROP TABLE samples; "                                                           \
	"DROP TABLE checkpoints; DROP TABLE witness_alarms; DELETE FROM meta WHERE key = 'fleet'; "          \
	"ALTER TABLE host_seen DROP COLUMN checkpoint; "                                                     \
	"DROP TABLE report_keys; DROP INDEX reports_bad; ALTER TABLE host_seen DROP COLUMN signs; "          \
	"ALTER TABLE reports DROP COLUMN frames_sha256; ALTER TABLE reports DROP COLUMN key_id; "            \
	"ALTER TABLE reports DROP COLUMN signature; ALTER TABLE reports DROP COLUMN seal; "                  \
	"ALTER TABLE reports DROP COLUMN entry; "                                                            \
	"DROP TABLE places; DROP TABLE vouched; "                                                            \
	"DROP INDEX findings_differing; DROP INDEX logins_differing; DROP INDEX reports_host; "              \
	"ALTER TABLE findings DROP COLUMN known; ALTER TABLE findings DROP COLUMN ended; "                   \
	"ALTER TABLE logins DROP COLUMN known; ALTER TABLE logins DROP COLUMN ended; "                       \
	"ALTER TABLE reports DROP COLUMN covers; ALTER TABLE reports DROP COLUMN salt; "                     \
	"ALTER TABLE findings DROP COLUMN ender; ALTER TABLE logins DROP COLUMN ender; "                     \
	"ALTER TABLE signing_keys DROP COLUMN former; ALTER TABLE signing_keys DROP COLUMN sig; "            \
	"ALTER TABLE signing_keys DROP COLUMN proof; "

static void test_file(void **state)
{
	struct fixture *f = *state;
	struct mm_store *again = NULL;
	struct stat st;

	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(mm_store_create(f->path, &again, &f->err), -1);
	assert_non_null(strstr(f->err.text, "exists already"));
	reopen(f);
	assert_int_equal(mm_store_version(f->s), NEWEST);
}

static void test_older_is_brought_up(void **state)
{
	struct fixture *f = *state;
	int64_t n = 0;

	forge(f, "DROP TABLE issued; " WITHOUT_LATER "PRAGMA user_version = 1");
	reopen(f);
	assert_int_equal(mm_store_version(f->s), NEWEST);
	ok(f, mm_store_unanswered(f->s, "ws1", "", 60, &n, &f->err));
}

static void test_open_refuses(void **state)
{
	struct fixture *f = *state;
	struct mm_store *s = NULL;
	char other[128];
	int fd;

	snprintf(other, sizeof(other), "%s/other", f->dir);
	assert_int_equal(mm_store_open(other, &s, &f->err), -1);
	fd = open(other, O_CREAT | O_WRONLY, 0600);
	assert_int_equal(write(fd, "this is no database, whatever else it is", 40), 40);
	close(fd);
	assert_int_equal(mm_store_open(other, &s, &f->err), -1);
	assert_int_equal(mm_store_open(f->dir, &s, &f->err), -1);
	forge(f, "PRAGMA application_id = 7");
	assert_int_equal(mm_store_open(f->path, &s, &f->err), -1);
	assert_int_equal(f->err.code, MM_EX_DATAERR);
	assert_non_null(strstr(f->err.text, "not a Mailmuster store"));
}

static void test_newer_is_refused_untouched(void **state)
{
	struct fixture *f = *state;
	struct mm_store *s = NULL;

	forge(f, "PRAGMA user_version = 99");
	assert_int_equal(mm_store_open(f->path, &s, &f->err), -1);
	assert_int_equal(f->err.code, MM_EX_DATAERR);
	assert_non_null(strstr(f->err.text, "version 99"));
	assert_null(s);
	forge(f, "PRAGMA user_version = " NEWEST_TEXT);
	reopen(f);
}

static void test_transactions_nest(void **state)
{
	struct fixture *f = *state;
	struct mm_store_user u;

	ok(f, mm_store_begin(f->s, &f->err));
	add_user(f, "alice", "alice@acme.example", NULL);
	ok(f, mm_store_begin(f->s, &f->err));
	add_user(f, "bob", "bob@acme.example", NULL);
	mm_store_rollback(f->s);
	ok(f, mm_store_commit(f->s, &f->err));
	assert_int_equal(mm_store_user_get(f->s, "alice", f->a, &u, &f->err), 0);
	assert_int_equal(mm_store_user_get(f->s, "bob", f->a, &u, &f->err), 1);
	assert_int_equal(count_audit(f), 1);
	ok(f, mm_store_begin(f->s, &f->err));
	add_user(f, "carol", "carol@acme.example", NULL);
	reopen(f); /* as if the process had died */
	assert_int_equal(mm_store_user_get(f->s, "carol", f->a, &u, &f->err), 1);
}

static void test_revisions(void **state)
{
	struct fixture *f = *state;
	struct mm_revision r = {
	    .text = "a", .len = 1, .author = "x", .author_uid = 5, .message = "", .source = "p"};
	int64_t n = -1;
	bool kept = false;

	assert_int_equal(mm_store_revision_get(f->s, 0, f->a, &r, &f->err), 1);
	ok(f, mm_store_revision_current(f->s, &n, &f->err));
	assert_int_equal(n, 0);
	assert_int_equal(add_revision(f, "one", 5, 0), 1);
	assert_int_equal(add_revision(f, "two", 5, 0), 2);
	r.text = "two";
	r.len = 3;
	ok(f, mm_store_revision_add(f->s, &r, "policy.import", &n, &kept, &f->err));
	assert_true(kept);
	assert_int_equal(n, 2);
	/* An older text is a new revision: that is what a rollback is. */
	r.text = "one";
	ok(f, mm_store_revision_add(f->s, &r, "policy.rollback", &n, &kept, &f->err));
	assert_int_equal(n, 3);
	ok(f, mm_store_revision_get(f->s, 0, f->a, &r, &f->err));
	assert_int_equal(r.number, 3);
	assert_int_equal(r.parent, 2);
	assert_string_equal(r.text, "one");
	assert_string_equal(r.sha256, "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed");
	assert_true(r.current);
	assert_int_equal(r.time, T0);
	assert_int_equal(mm_store_revision_get(f->s, 9, f->a, &r, &f->err), 1);
	assert_int_equal(count_audit(f), 3);
}

static void test_revision_too_big(void **state)
{
	struct fixture *f = *state;
	struct mm_revision r = {.text = "a", .len = MM_STORE_TEXT_MAX + 1};
	int64_t n = 0;
	bool kept = false;

	assert_int_equal(mm_store_revision_add(f->s, &r, "policy.import", &n, &kept, &f->err), -1);
	assert_int_equal(f->err.code, MM_EX_DATAERR);
}

static void test_approvals(void **state)
{
	struct fixture *f = *state;
	struct mm_revision r;

	assert_int_equal(add_revision(f, "free", 5, 0), 1);
	ok(f, mm_store_revision_pushable(f->s, 1, &f->err));
	assert_int_equal(add_revision(f, "strict", 5, 1), 2);
	assert_int_equal(mm_store_revision_pushable(f->s, 2, &f->err), -1);
	assert_int_equal(f->err.code, MM_EX_NOPERM);
	assert_int_equal(mm_store_revision_approve(f->s, 2, "author", 5, &f->err), -1);
	assert_int_equal(f->err.code, MM_EX_NOPERM);
	assert_int_equal(mm_store_revision_approve(f->s, 2, "nobody", -1, &f->err), -1);
	assert_int_equal(mm_store_revision_approve(f->s, 7, "bob", 6, &f->err), -1);
	assert_int_equal(f->err.code, MM_EX_FAILED);
	ok(f, mm_store_revision_approve(f->s, 2, "bob", 6, &f->err));
	ok(f, mm_store_revision_pushable(f->s, 2, &f->err));
	assert_int_equal(mm_store_revision_approve(f->s, 2, "bob", 6, &f->err), -1);
	assert_int_equal(f->err.code, MM_EX_NOPERM);
	ok(f, mm_store_revision_get(f->s, 2, f->a, &r, &f->err));
	assert_string_equal(r.approvers, "bob");
	assert_int_equal(mm_store_revision_pushable(f->s, 7, &f->err), -1);
}

/* Nobody lifts the rule alone, not even in two steps. */
static void test_rule_cannot_be_dropped_alone(void **state)
{
	struct fixture *f = *state;

	add_revision(f, "strict", 5, 1);
	ok(f, mm_store_revision_approve(f->s, 1, "bob", 6, &f->err));
	add_revision(f, "lax", 5, 0);
	assert_int_equal(mm_store_revision_pushable(f->s, 2, &f->err), -1);
	add_revision(f, "lax again", 5, 0);
	assert_int_equal(mm_store_revision_pushable(f->s, 3, &f->err), -1);
	ok(f, mm_store_revision_approve(f->s, 3, "bob", 6, &f->err));
	ok(f, mm_store_revision_pushable(f->s, 3, &f->err));
	add_revision(f, "free now", 5, 0);
	ok(f, mm_store_revision_pushable(f->s, 4, &f->err));
}

static int64_t bring_back(struct fixture *f, const char *text, int64_t of, int status)
{
	const struct mm_revision r = {
	    .text = text, .len = strlen(text), .author = "x", .author_uid = 5, .message = "", .source = ""};
	int64_t n = -1;

	assert_int_equal(mm_store_revision_back(f->s, &r, of, &n, &f->err), status);
	return n;
}

/* A text that was approved once needs nobody again, but the rule stays. */
static void test_what_was_approved_comes_back(void **state)
{
	struct fixture *f = *state;
	struct mm_revision r;

	add_revision(f, "before the rule", 5, 0);
	add_revision(f, "strict", 5, 1);
	ok(f, mm_store_revision_approve(f->s, 2, "bob", 6, &f->err));
	add_revision(f, "wrong", 5, 1);
	ok(f, mm_store_revision_approve(f->s, 3, "bob", 6, &f->err));
	assert_int_equal(bring_back(f, "strict", 2, 0), 4);
	ok(f, mm_store_revision_pushable(f->s, 4, &f->err));
	ok(f, mm_store_revision_get(f->s, 4, f->a, &r, &f->err));
	assert_string_equal(r.approvers, "bob");
	assert_true(r.current);
	/* Also when it is the current one: an agent wants a number that it has not seen. */
	assert_int_equal(bring_back(f, "strict", 4, 0), 5);
	/* This one nobody else has ever looked at. */
	assert_int_equal(bring_back(f, "before the rule", 1, -1), -1);
	assert_int_equal(f->err.code, MM_EX_NOPERM);
	assert_non_null(strstr(f->err.text, "mailmuster policy approve 1"));
	ok(f, mm_store_revision_approve(f->s, 1, "bob", 6, &f->err));
	assert_int_equal(bring_back(f, "before the rule", 1, 0), 6);
	assert_int_equal(bring_back(f, "nothing", 0, 0), 7);
	ok(f, mm_store_revision_pushable(f->s, 7, &f->err));
	/* Neither of them has talked its way out of the rule. */
	add_revision(f, "lax", 5, 0);
	assert_int_equal(mm_store_revision_pushable(f->s, 8, &f->err), -1);
	assert_no_faults(f);
}

/* A revision that waits for an approval is no way round it either. */
static void test_back_from_one_that_waits(void **state)
{
	struct fixture *f = *state;

	add_revision(f, "strict", 5, 1);
	ok(f, mm_store_revision_approve(f->s, 1, "bob", 6, &f->err));
	add_revision(f, "lax", 5, 0);
	assert_int_equal(bring_back(f, "lax", 2, -1), -1);
	assert_int_equal(bring_back(f, "nothing", 0, 0), 3);
	add_revision(f, "lax again", 5, 0);
	assert_int_equal(mm_store_revision_pushable(f->s, 4, &f->err), -1);
}

static int last_entry(const struct mm_audit_entry *e, void *arg, struct mm_err *err)
{
	struct mm_audit_entry *out = arg;

	(void)err;
	*out = *e;
	out->object = e->object ? "kept" : NULL;
	out->who = strcmp(e->who, "tester (uid 1)") == 0 ? "tester" : "?";
	out->reason = strcmp(e->reason, "ticket 7") == 0 ? "ticket" : "?";
	return 0;
}

static void test_audit_chain(void **state)
{
	struct fixture *f = *state;
	struct mm_audit_entry e = {0};

	mm_store_set_reason(f->s, "ticket 7");
	add_user(f, "alice", "alice@acme.example", "staff");
	add_host(f, "ws1", NULL);
	add_revision(f, "one", 5, 0);
	assert_no_faults(f);
	assert_int_equal(count_audit(f), 4); /* the group, the user, the host, the revision */
	ok(f, mm_store_audit_each(f->s, 1, last_entry, &e, &f->err));
	assert_int_equal(e.seq, 4);
	assert_string_equal(e.who, "tester");
	assert_string_equal(e.reason, "ticket");
	/* Erasing what is personal keeps the chain valid. */
	ok(f, mm_store_user_erase(f->s, "alice", &f->err));
	assert_no_faults(f);
	assert_int_equal(count_audit(f), 5);
	ok(f, mm_store_audit_each(f->s, 0, last_entry, &e, &f->err));
}

static void test_keys_and_serials(void **state)
{
	struct fixture *f = *state;
	struct mm_serial n;
	struct mm_store_key k;
	int64_t epoch = 0;

	assert_int_equal(mm_store_key_current(f->s, f->a, &k, &f->err), 1);
	assert_int_equal(mm_store_serial_take(f->s, "ws1", "r0", &n, &f->err), -1);
	ok(f, mm_store_key_add(f->s, "k1", "PEM1", &epoch, &f->err));
	assert_int_equal(epoch, 1);
	ok(f, mm_store_serial_take(f->s, "ws1", "r1", &n, &f->err));
	assert_int_equal(n.serial, T0);
	ok(f, mm_store_serial_take(f->s, "ws1", "r2", &n, &f->err));
	assert_int_equal(n.serial, T0 + 1);
	ok(f, mm_store_serial_take(f->s, "ws2", "r3", &n, &f->err));
	assert_int_equal(n.serial, T0);
	mm_store_set_now(f->s, T0 + 100);
	ok(f, mm_store_serial_take(f->s, "ws1", "r4", &n, &f->err));
	assert_int_equal(n.serial, T0 + 100);
	mm_store_set_now(f->s, T0); /* a clock that was set back */
	ok(f, mm_store_serial_take(f->s, "ws1", "r5", &n, &f->err));
	assert_int_equal(n.serial, T0 + 101);
	ok(f, mm_store_key_add(f->s, "k2", "PEM2", &epoch, &f->err));
	ok(f, mm_store_key_current(f->s, f->a, &k, &f->err));
	assert_string_equal(k.pem, "PEM2");
	ok(f, mm_store_serial_take(f->s, "ws1", "r6", &n, &f->err));
	assert_int_equal(n.epoch, 2);
	assert_int_equal(mm_store_key_add(f->s, "k2", "PEM2", &epoch, &f->err), -1);
}

/* A serial that was handed out is never handed out again, whatever happens to the host. */
static void test_serial_outlives_host(void **state)
{
	struct fixture *f = *state;
	struct mm_serial x, y;
	int64_t epoch = 0;

	ok(f, mm_store_key_add(f->s, "k1", "PEM1", &epoch, &f->err));
	add_host(f, "ws1", NULL);
	ok(f, mm_store_serial_take(f->s, "ws1", "r1", &x, &f->err));
	ok(f, mm_store_host_remove(f->s, "ws1", &f->err));
	add_host(f, "ws1", NULL);
	ok(f, mm_store_serial_take(f->s, "ws1", "r2", &y, &f->err));
	assert_true(y.serial > x.serial);
}

static int count_push(const struct mm_push_state *p, void *arg, struct mm_err *err)
{
	(void)p;
	(void)err;
	++*(int *)arg;
	return 0;
}

static int pushes(struct fixture *f, enum mm_push_which which)
{
	int n = 0;

	ok(f, mm_store_push_each(f->s, which, count_push, &n, &f->err));
	return n;
}

static void test_push_state(void **state)
{
	struct fixture *f = *state;
	struct mm_push_state p;
	struct mm_push_state r = {.host = "ws1",
	    .revision = 3,
	    .op = "apply",
	    .request_id = "q1",
	    .outcome = "connect-timeout",
	    .text = "no answer",
	    .unreachable = true,
	    .next_retry = T0 + 60,
	    .pending = true};

	add_host(f, "ws1", NULL);
	assert_int_equal(mm_store_push_get(f->s, "ws1", f->a, &p, &f->err), 1);
	assert_int_equal(mm_store_push_want(f->s, "nowhere", 3, 0, NULL, &f->err), -1);
	ok(f, mm_store_push_want(f->s, "ws1", 3, 0, NULL, &f->err));
	assert_int_equal(count_audit(f), 2); /* the host, and the wish */
	assert_int_equal(pushes(f, MM_PUSH_DUE), 1);
	ok(f, mm_store_push_result(f->s, &r, &f->err));
	assert_int_equal(pushes(f, MM_PUSH_DUE), 0);
	assert_int_equal(pushes(f, MM_PUSH_PENDING), 1);
	mm_store_set_now(f->s, T0 + 60);
	assert_int_equal(pushes(f, MM_PUSH_DUE), 1);
	ok(f, mm_store_push_get(f->s, "ws1", f->a, &p, &f->err));
	assert_int_equal(p.attempts, 1);
	assert_true(p.unreachable);
	assert_string_equal(p.outcome, "connect-timeout");
	/* A newer wish comes while revision 3 is on its way: it stays owed. */
	ok(f, mm_store_push_want(f->s, "ws1", 4, 0, NULL, &f->err));
	r.pending = r.unreachable = false;
	r.outcome = "ok";
	ok(f, mm_store_push_result(f->s, &r, &f->err));
	ok(f, mm_store_push_get(f->s, "ws1", f->a, &p, &f->err));
	assert_true(p.pending);
	assert_int_equal(p.revision, 4);
	assert_int_equal(p.done_revision, 3);
	/* A plan settles nothing, and hides nothing. */
	r.op = "plan";
	r.revision = 4;
	r.outcome = "refused";
	ok(f, mm_store_push_result(f->s, &r, &f->err));
	assert_int_equal(pushes(f, MM_PUSH_PENDING), 1);
	ok(f, mm_store_push_get(f->s, "ws1", f->a, &p, &f->err));
	assert_string_equal(p.outcome, "ok");
	assert_string_equal(p.op, "apply");
	r.op = "apply";
	ok(f, mm_store_push_result(f->s, &r, &f->err));
	assert_int_equal(pushes(f, MM_PUSH_PENDING), 0);
	assert_int_equal(pushes(f, MM_PUSH_ALL), 1);
	/* A second run fails after the first has settled it: nothing is owed again. */
	r.pending = true;
	r.outcome = "connection-lost";
	ok(f, mm_store_push_result(f->s, &r, &f->err));
	assert_int_equal(pushes(f, MM_PUSH_PENDING), 0);
	ok(f, mm_store_push_want(f->s, "ws1", 4, 0, NULL, &f->err));
	ok(f, mm_store_push_result(f->s, &r, &f->err));
	assert_int_equal(pushes(f, MM_PUSH_PENDING), 1);
}

static void test_issued(void **state)
{
	struct fixture *f = *state;
	const struct mm_serial one = {1, 100}, two = {1, 101}, later = {1, 102};
	const struct mm_issued push = {"r1", "apply", 3}, plan = {"r2", "plan", 4};
	struct mm_issued got;
	int64_t n = 0;

	mm_store_set_now(f->s, T0);
	ok(f, mm_store_issued_note(f->s, "ws1", &one, &push, &f->err));
	ok(f, mm_store_issued_note(f->s, "ws1", &two, &plan, &f->err));
	assert_int_equal(mm_store_issued_note(f->s, "ws1", &two, &push, &f->err), -1);
	ok(f, mm_store_issued_get(f->s, "ws1", &one, f->a, &got, &f->err));
	assert_string_equal(got.request_id, "r1");
	assert_string_equal(got.op, "apply");
	assert_int_equal(got.revision, 3);
	/* Another host's, another epoch's, one that nobody made. */
	assert_int_equal(mm_store_issued_get(f->s, "ws2", &one, f->a, &got, &f->err), 1);
	assert_int_equal(
	    mm_store_issued_get(f->s, "ws1", &(struct mm_serial){2, 100}, f->a, &got, &f->err), 1);
	assert_int_equal(mm_store_issued_get(f->s, "ws1", &later, f->a, &got, &f->err), 1);
	ok(f, mm_store_unanswered(f->s, "ws1", "r2", 60, &n, &f->err));
	assert_int_equal(n, 1);
	assert_int_equal(mm_store_answered(f->s, "ws1", "r1", &f->err), 1);
	mm_store_set_now(f->s, T0 + 61);
	ok(f, mm_store_unanswered(f->s, "ws1", "r2", 60, &n, &f->err));
	assert_int_equal(n, 0);
	/* A day later they are forgotten. */
	mm_store_set_now(f->s, T0 + MM_ISSUED_KEPT_S + 1);
	ok(f, mm_store_issued_note(f->s, "ws1", &later, &push, &f->err));
	assert_int_equal(mm_store_issued_get(f->s, "ws1", &one, f->a, &got, &f->err), 1);
	ok(f, mm_store_issued_get(f->s, "ws1", &later, f->a, &got, &f->err));
}

/* Who only asked what would change has ordered nothing. */
static void test_failed_plan_orders_no_push(void **state)
{
	struct fixture *f = *state;
	static const char *const ops[] = {"plan", "status", "preflight", "verify"};

	add_host(f, "ws1", NULL);
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		const struct mm_push_state r = {.host = "ws1",
		    .revision = 1,
		    .op = ops[i],
		    .request_id = "q1",
		    .outcome = "connect-refused",
		    .text = "no answer",
		    .unreachable = true,
		    .pending = true};
		ok(f, mm_store_push_result(f->s, &r, &f->err));
		assert_int_equal(pushes(f, MM_PUSH_PENDING), 0);
	}
}

static void test_backup(void **state)
{
	struct fixture *f = *state;
	struct mm_store *copy = NULL;
	struct mm_store_user u;
	char path[128];
	struct stat st;

	add_user(f, "alice", "alice@acme.example", NULL);
	snprintf(path, sizeof(path), "%s/backup.db", f->dir);
	ok(f, mm_store_backup(f->s, path, &f->err));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(mm_store_backup(f->s, path, &f->err), -1);
	ok(f, mm_store_open(path, &copy, &f->err));
	assert_int_equal(mm_store_user_get(copy, "alice", f->a, &u, &f->err), 0);
	mm_store_close(copy);
}

/* Two processes write; one dies by SIGKILL inside a transaction. */
static void test_killed_writer(void **state)
{
	struct fixture *f = *state;
	struct mm_store_user u;
	pid_t pid;
	int status;

	mm_store_close(f->s);
	f->s = NULL;
	pid = fork();
	if (pid == 0) {
		struct mm_store *s = NULL;
		struct mm_store_user x = {.login = "ghost", .name = "", .address = ""};
		enum mm_put done;

		if (!mm_store_open(f->path, &s, NULL) && !mm_store_begin(s, NULL) &&
		    !mm_store_user_put(s, &x, false, &done, NULL))
			raise(SIGKILL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	ok(f, mm_store_open(f->path, &f->s, &f->err));
	assert_int_equal(mm_store_user_get(f->s, "ghost", f->a, &u, &f->err), 1);
	add_user(f, "alice", "alice@acme.example", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_file, store_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_older_is_brought_up, store_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_issued, store_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_open_refuses, store_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_newer_is_refused_untouched, store_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_transactions_nest, store_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_revisions, store_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_revision_too_big, store_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_approvals, store_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_rule_cannot_be_dropped_alone, store_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_what_was_approved_comes_back, store_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_back_from_one_that_waits, store_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_audit_chain, store_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_keys_and_serials, store_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_serial_outlives_host, store_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_push_state, store_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_failed_plan_orders_no_push, store_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_backup, store_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_killed_writer, store_setup, store_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
