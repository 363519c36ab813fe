/*
 * Rollouts in the store: what each act does to the hosts, who may act when,
 * and that a driver that is killed leaves nothing behind that is lost.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "controller/store/store_rollout.h"
#include "store_fixture.h"

static const struct mm_rollout_lease ours = {.rollout = 1, .owner = "ours", .pid = 1};
static const struct mm_rollout_lease theirs = {.rollout = 1, .owner = "theirs", .pid = 2};

#define HOSTS 6 /* h0, h1 in wave 0, h2, h3 in wave 1, h4, h5 in wave 2 */

static const char *const names[HOSTS] = {"h0", "h1", "h2", "h3", "h4", "h5"};

static int64_t create(struct fixture *f, int64_t revision, size_t from, size_t n)
{
	struct mm_rollout_member m[HOSTS];
	struct mm_rollout r = {.revision = revision,
	    .selection = "--all",
	    .terms = "{}",
	    .seed = "seed",
	    .waves = 3,
	    .window = 2};
	int64_t id = 0;

	for (size_t i = 0; i < n; i++)
		m[i] = (struct mm_rollout_member){names[from + i], (int64_t)(i / 2), (int64_t)i};
	ok(f, mm_store_rollout_create(f->s, &r, m, n, &id, &f->err));
	return id;
}

static int setup(void **state)
{
	struct fixture *f;

	store_setup(state);
	f = *state;
	for (int i = 0; i < HOSTS; i++)
		add_host(f, names[i], NULL);
	assert_int_equal(create(f, 5, 0, HOSTS), 1);
	ok(f, mm_store_rollout_lease(f->s, &ours, 60, NULL, NULL, &f->err));
	return 0;
}

static struct mm_rollout get(struct fixture *f, int64_t id)
{
	struct mm_rollout r = {.id = 0};

	ok(f, mm_store_rollout_get(f->s, id, f->a, &r, &f->err));
	return r;
}

static struct mm_rollout_host host(struct fixture *f, int64_t id, const char *name)
{
	struct mm_rollout_host h = {.host = NULL};

	ok(f, mm_store_rollout_host(f->s, id, name, f->a, &h, &f->err));
	return h;
}

static void is(struct fixture *f, int64_t id, const char *name, enum mm_rh_state state)
{
	struct mm_rollout_host h = host(f, id, name);

	if (h.state != state)
		fail_msg("%s is %s", name, mm_rh_state_name(h.state));
}

static int claim(struct fixture *f, const char *name, const char *request)
{
	return mm_store_rollout_claim(f->s, &ours, name, request, &f->err);
}

static int land(struct fixture *f, const char *name, const char *request, enum mm_rh_state state)
{
	struct mm_rollout_host h = {.host = name,
	    .state = state,
	    .request_id = request,
	    .touched = mm_rh_answered(state),
	    .users = 3,
	    .tested = 2,
	    .verified = state == MM_RH_OK ? 2 : 1,
	    .failed = state == MM_RH_OK ? 0 : 1,
	    .next_try = state == MM_RH_UNREACHABLE ? T0 + 60 : 0,
	    .outcome = "ok",
	    .text = "a sentence"};

	return mm_store_rollout_landed(f->s, 1, &h, &f->err);
}

static void send_and_land(struct fixture *f, const char *name, enum mm_rh_state state)
{
	ok(f, claim(f, name, "r"));
	ok(f, land(f, name, "r", state));
}

/* The last entry of the audit log. */
static int keep_last(const struct mm_audit_entry *e, void *arg, struct mm_err *err)
{
	struct fixture *f = arg;

	(void)err;
	snprintf(f->err.text, sizeof(f->err.text), "%s %s %s %s", e->action, e->object, e->detail, e->reason);
	return 0;
}

static void audited(struct fixture *f, const char *want)
{
	struct mm_err err = MM_ERR_NONE;

	assert_int_equal(mm_store_audit_each(f->s, 0, keep_last, f, &err), 0);
	assert_string_equal(f->err.text, want);
}

/* ---- */

static void test_create_and_get(void **state)
{
	struct fixture *f = *state;
	struct mm_rollout r = get(f, 1);

	assert_int_equal(r.id, 1);
	assert_int_equal(r.revision, 5);
	assert_int_equal(r.state, MM_RO_RUNNING);
	assert_int_equal(r.kind, MM_ROLLOUT_APPLY);
	assert_int_equal(r.waves, 3);
	assert_int_equal(r.wave, 0);
	assert_int_equal(r.approved, -1);
	assert_int_equal(r.window, 2);
	assert_int_equal(r.hosts, HOSTS);
	assert_int_equal(r.created, T0);
	assert_string_equal(r.who, "tester (uid 1)");
	assert_string_equal(r.selection, "--all");
	is(f, 1, "h0", MM_RH_RELEASED);
	is(f, 1, "h1", MM_RH_RELEASED);
	is(f, 1, "h2", MM_RH_WAITING);
	audited(f,
	    "rollout.create 1 {\"kind\":\"apply\",\"revision\":\"5\",\"selection\":\"--all\",\"hosts\":\"6\","
	    "\"terms\":\"{}\"} ");
	assert_int_equal(mm_store_rollout_get(f->s, 2, f->a, &r, &f->err), 1);
	struct mm_rollout_host h;
	assert_int_equal(mm_store_rollout_host(f->s, 1, "h9", f->a, &h, &f->err), 1);
}

static void test_create_is_all_or_nothing(void **state)
{
	struct fixture *f = *state;
	const struct mm_rollout_member twice[] = {{"h0", 0, 0}, {"h0", 0, 1}};
	struct mm_rollout r = {
	    .revision = 6, .selection = "", .terms = "{}", .seed = "s", .waves = 1, .window = 1};
	int64_t id = 77, before = count_audit(f);

	assert_int_equal(mm_store_rollout_create(f->s, &r, twice, 2, &id, &f->err), -1);
	assert_non_null(strstr(f->err.text, "h0"));
	assert_int_equal(mm_store_rollout_create(f->s, &r, twice, 0, &id, &f->err), -1);
	assert_int_equal(id, 77);
	assert_int_equal(count_audit(f), before);
	assert_int_equal(mm_store_rollout_get(f->s, 2, f->a, &r, &f->err), 1);
	is(f, 1, "h0", MM_RH_RELEASED);
}

static void test_before_is_what_it_had(void **state)
{
	struct fixture *f = *state;
	const struct mm_push_state p = {
	    .host = "h0", .revision = 4, .op = "apply", .request_id = "x", .outcome = "ok", .text = ""};

	ok(f, mm_store_push_result(f->s, &p, &f->err));
	create(f, 6, 0, 2);
	assert_int_equal(host(f, 2, "h0").before, 4);
	assert_int_equal(host(f, 2, "h1").before, 0);
}

static void test_claim_and_land(void **state)
{
	struct fixture *f = *state;
	struct mm_rollout_host h;

	/* Its wave has not begun; it is not in it at all. */
	assert_int_equal(claim(f, "h2", "r1"), 1);
	assert_int_equal(claim(f, "nobody", "r1"), 1);
	ok(f, claim(f, "h0", "r1"));
	h = host(f, 1, "h0");
	assert_int_equal(h.state, MM_RH_SENT);
	assert_int_equal(h.tries, 1);
	assert_int_equal(h.sent, T0);
	assert_string_equal(h.request_id, "r1");
	assert_false(h.by_checkin);
	/* Once only. */
	assert_int_equal(claim(f, "h0", "r2"), 1);
	/* An answer to something else. */
	assert_int_equal(land(f, "h0", "r2", MM_RH_FAILED), 1);
	is(f, 1, "h0", MM_RH_SENT);
	mm_store_set_now(f->s, T0 + 9);
	ok(f, land(f, "h0", "r1", MM_RH_OK));
	h = host(f, 1, "h0");
	assert_int_equal(h.state, MM_RH_OK);
	assert_int_equal(h.landed, T0 + 9);
	assert_true(h.touched);
	assert_int_equal(h.users, 3);
	assert_int_equal(h.tested, 2);
	assert_int_equal(h.verified, 2);
	assert_string_equal(h.text, "a sentence");
	/* The user's next session may show otherwise; a lost attempt may not. */
	ok(f, land(f, "h0", NULL, MM_RH_REVERTED));
	is(f, 1, "h0", MM_RH_REVERTED);
	assert_int_equal(land(f, "h0", NULL, MM_RH_UNREACHABLE), 1);
	is(f, 1, "h0", MM_RH_REVERTED);
	/* What was never sent cannot land. */
	assert_int_equal(land(f, "h2", NULL, MM_RH_OK), 1);
	assert_int_equal(land(f, "h9", NULL, MM_RH_OK), 1);
}

static void test_put_back_counts_no_try(void **state)
{
	struct fixture *f = *state;

	ok(f, claim(f, "h0", "r1"));
	ok(f, land(f, "h0", "r1", MM_RH_RELEASED));
	is(f, 1, "h0", MM_RH_RELEASED);
	assert_int_equal(host(f, 1, "h0").tries, 0);
	assert_int_equal(host(f, 1, "h0").landed, 0);
	assert_false(host(f, 1, "h0").touched);
}

/* ---- the lease */

static void test_lease(void **state)
{
	struct fixture *f = *state;
	struct mm_rollout holder;

	assert_int_equal(mm_store_rollout_lease(f->s, &theirs, 60, f->a, &holder, &f->err), MM_ROLLOUT_LOST);
	assert_string_equal(holder.owner, "ours");
	assert_int_equal(holder.lease_until, T0 + 60);
	assert_int_equal(mm_store_rollout_claim(f->s, &theirs, "h0", "r", &f->err), MM_ROLLOUT_LOST);
	assert_int_equal(mm_store_rollout_bake(f->s, &theirs, &f->err), MM_ROLLOUT_LOST);
	/* Renewed in time. */
	mm_store_set_now(f->s, T0 + 59);
	ok(f, mm_store_rollout_lease(f->s, &ours, 60, NULL, NULL, &f->err));
	mm_store_set_now(f->s, T0 + 118);
	ok(f, claim(f, "h0", "r"));
	assert_int_equal(mm_store_rollout_lease(f->s, &theirs, 60, NULL, NULL, &f->err), MM_ROLLOUT_LOST);
	/* At its end nobody has it, until somebody takes it. */
	mm_store_set_now(f->s, T0 + 119);
	assert_int_equal(claim(f, "h1", "r"), MM_ROLLOUT_LOST);
	ok(f, mm_store_rollout_lease(f->s, &theirs, 60, NULL, NULL, &f->err));
	assert_int_equal(claim(f, "h1", "r"), MM_ROLLOUT_LOST);
	assert_int_equal(mm_store_rollout_lease(f->s, &ours, 60, NULL, NULL, &f->err), MM_ROLLOUT_LOST);
	/* What we sent has landed all the same. */
	ok(f, land(f, "h0", "r", MM_RH_OK));
	/* Only the holder gives it back. */
	ok(f, mm_store_rollout_release(f->s, &ours, &f->err));
	assert_string_equal(get(f, 1).owner, "theirs");
	ok(f, mm_store_rollout_release(f->s, &theirs, &f->err));
	assert_string_equal(get(f, 1).owner, "");
	struct mm_rollout_lease none = {.rollout = 9, .owner = "x"};
	assert_int_equal(mm_store_rollout_lease(f->s, &none, 60, NULL, NULL, &f->err), 1);
}

/* ---- waves */

static void test_waves(void **state)
{
	struct fixture *f = *state;
	struct mm_rollout r;

	send_and_land(f, "h0", MM_RH_OK);
	send_and_land(f, "h1", MM_RH_UNREACHABLE);
	mm_store_set_now(f->s, T0 + 10);
	ok(f, mm_store_rollout_bake(f->s, &ours, &f->err));
	r = get(f, 1);
	assert_int_equal(r.state, MM_RO_BAKING);
	assert_int_equal(r.bake_since, T0 + 10);
	audited(f, "rollout.bake 1 {\"wave\":\"0\"} ");
	assert_int_equal(mm_store_rollout_bake(f->s, &ours, &f->err), 1);
	mm_store_set_now(f->s, T0 + 20);
	ok(f, mm_store_rollout_next(f->s, &ours, &f->err));
	r = get(f, 1);
	assert_int_equal(r.state, MM_RO_RUNNING);
	assert_int_equal(r.wave, 1);
	assert_int_equal(r.wave_since, T0 + 20);
	assert_int_equal(r.bake_since, 0);
	audited(f, "rollout.wave 1 {\"wave\":\"1\"} ");
	is(f, 1, "h1", MM_RH_LATE);
	assert_true(host(f, 1, "h1").late);
	is(f, 1, "h2", MM_RH_RELEASED);
	is(f, 1, "h4", MM_RH_WAITING);
	/* Late and not reached again: late; reached: ok, and still told apart. */
	send_and_land(f, "h1", MM_RH_UNREACHABLE);
	is(f, 1, "h1", MM_RH_LATE);
	send_and_land(f, "h1", MM_RH_OK);
	assert_true(host(f, 1, "h1").late);
	assert_int_equal(host(f, 1, "h1").tries, 3);
	ok(f, mm_store_rollout_next(f->s, &ours, &f->err));
	send_and_land(f, "h4", MM_RH_UNREACHABLE);
	ok(f, mm_store_rollout_done(f->s, &ours, "enough", &f->err));
	assert_int_equal(get(f, 1).state, MM_RO_DONE);
	audited(f, "rollout.done 1 {\"why\":\"enough\"} ");
	is(f, 1, "h4", MM_RH_LATE);
	/* The late lane is served after the end, and nothing else happens. */
	ok(f, claim(f, "h4", "r"));
	assert_int_equal(mm_store_rollout_next(f->s, &ours, &f->err), 1);
	assert_int_equal(mm_store_rollout_done(f->s, &ours, "again", &f->err), 1);
}

static void test_no_wave_beyond_the_last(void **state)
{
	struct fixture *f = *state;

	ok(f, mm_store_rollout_next(f->s, &ours, &f->err));
	ok(f, mm_store_rollout_next(f->s, &ours, &f->err));
	assert_int_equal(mm_store_rollout_next(f->s, &ours, &f->err), -1);
	assert_int_equal(get(f, 1).wave, 2);
}

/* ---- what an admin does */

static void test_pause_and_resume(void **state)
{
	struct fixture *f = *state;

	ok(f, claim(f, "h0", "r"));
	mm_store_set_reason(f->s, "lunch");
	ok(f, mm_store_rollout_pause(f->s, 1, &f->err));
	audited(f, "rollout.pause 1 {\"why\":\"an admin has paused it\"} lunch");
	mm_store_set_reason(f->s, NULL);
	/* Nothing new goes out, and the driver's decisions come too late; what is on its way lands. */
	assert_int_equal(claim(f, "h1", "r"), 1);
	assert_int_equal(mm_store_rollout_next(f->s, &ours, &f->err), 1);
	assert_int_equal(mm_store_rollout_stop(f->s, &ours, MM_RO_HALTED, "budget", "x", &f->err), 1);
	ok(f, land(f, "h0", "r", MM_RH_UNREACHABLE));
	assert_int_equal(host(f, 1, "h0").next_try, T0 + 60);
	assert_int_equal(mm_store_rollout_pause(f->s, 1, &f->err), -1);
	assert_string_equal(f->err.text, "rollout 1 is paused: it cannot be paused");
	ok(f, mm_store_rollout_resume(f->s, 1, &f->err));
	assert_int_equal(get(f, 1).state, MM_RO_RUNNING);
	assert_string_equal(get(f, 1).why, "");
	assert_int_equal(host(f, 1, "h0").next_try, 0);
	ok(f, claim(f, "h0", "r2"));
	assert_int_equal(mm_store_rollout_resume(f->s, 1, &f->err), -1);
	assert_int_equal(mm_store_rollout_resume(f->s, 9, &f->err), -1);
	assert_string_equal(f->err.text, "there is no rollout 9");
}

/* A wave that has settled bakes anew. */
static void test_resume_bakes_anew(void **state)
{
	struct fixture *f = *state;

	ok(f, mm_store_rollout_bake(f->s, &ours, &f->err));
	ok(f, mm_store_rollout_stop(f->s, &ours, MM_RO_PAUSED, "too-few-reported", "why", &f->err));
	assert_string_equal(get(f, 1).because, "too-few-reported");
	assert_string_equal(get(f, 1).why, "why");
	audited(f, "rollout.pause 1 {\"why\":\"why\"} ");
	mm_store_set_now(f->s, T0 + 1000);
	ok(f, mm_store_rollout_resume(f->s, 1, &f->err));
	assert_int_equal(get(f, 1).state, MM_RO_BAKING);
	assert_int_equal(get(f, 1).bake_since, T0 + 1000);
	assert_string_equal(get(f, 1).because, "");
}

static void test_halt_and_resume_forgives(void **state)
{
	struct fixture *f = *state;

	send_and_land(f, "h0", MM_RH_FAILED);
	ok(f, claim(f, "h1", "r"));
	ok(f, mm_store_rollout_stop(f->s, &ours, MM_RO_HALTED, "budget", "1 is failed", &f->err));
	audited(f, "rollout.halt 1 {\"why\":\"1 is failed\"} ");
	assert_int_equal(mm_store_rollout_pause(f->s, 1, &f->err), -1);
	assert_int_equal(mm_store_rollout_approve(f->s, 1, &f->err), -1);
	ok(f, land(f, "h1", "r", MM_RH_OK));
	ok(f, mm_store_rollout_resume(f->s, 1, &f->err));
	assert_true(host(f, 1, "h0").forgiven);
	assert_false(host(f, 1, "h1").forgiven);
	/* The same answer again is what was forgiven; another try is not. */
	ok(f, land(f, "h0", "r", MM_RH_FAILED));
	assert_true(host(f, 1, "h0").forgiven);
	int64_t n = 0;
	ok(f, mm_store_rollout_retry(f->s, 1, true, false, &n, &f->err));
	send_and_land(f, "h0", MM_RH_FAILED);
	assert_false(host(f, 1, "h0").forgiven);
}

static void test_approve(void **state)
{
	struct fixture *f = *state;

	/* Ahead of time. */
	ok(f, mm_store_rollout_approve(f->s, 1, &f->err));
	assert_int_equal(get(f, 1).approved, 0);
	assert_int_equal(get(f, 1).state, MM_RO_RUNNING);
	ok(f, mm_store_rollout_next(f->s, &ours, &f->err));
	ok(f, mm_store_rollout_bake(f->s, &ours, &f->err));
	ok(f, mm_store_rollout_stop(f->s, &ours, MM_RO_PAUSED, "approval", "why", &f->err));
	ok(f, mm_store_rollout_approve(f->s, 1, &f->err));
	audited(f, "rollout.approve 1 {\"wave\":\"1\"} ");
	assert_int_equal(get(f, 1).approved, 1);
	assert_int_equal(get(f, 1).state, MM_RO_BAKING);
	/* What an admin has paused stays paused. */
	ok(f, mm_store_rollout_pause(f->s, 1, &f->err));
	ok(f, mm_store_rollout_approve(f->s, 1, &f->err));
	assert_int_equal(get(f, 1).state, MM_RO_PAUSED);
	assert_string_equal(get(f, 1).why, "an admin has paused it");
}

static void test_abort(void **state)
{
	struct fixture *f = *state;
	int64_t n = 0;

	ok(f, claim(f, "h0", "r"));
	ok(f, mm_store_rollout_abort(f->s, 1, &f->err));
	assert_int_equal(get(f, 1).state, MM_RO_ABORTED);
	assert_int_equal(claim(f, "h1", "r"), 1);
	ok(f, land(f, "h0", "r", MM_RH_OK));
	assert_int_equal(mm_store_rollout_abort(f->s, 1, &f->err), -1);
	assert_int_equal(mm_store_rollout_resume(f->s, 1, &f->err), -1);
	assert_int_equal(mm_store_rollout_retry(f->s, 1, true, true, &n, &f->err), -1);
	assert_string_equal(f->err.text, "rollout 1 is aborted: it cannot be retried");
}

static void test_retry(void **state)
{
	struct fixture *f = *state;
	int64_t n = 9, before;

	send_and_land(f, "h0", MM_RH_LOGIN);
	send_and_land(f, "h1", MM_RH_UNREACHABLE);
	ok(f, mm_store_rollout_next(f->s, &ours, &f->err));
	send_and_land(f, "h2", MM_RH_FAILED);
	send_and_land(f, "h3", MM_RH_REVERTED);
	ok(f, mm_store_rollout_stop(f->s, &ours, MM_RO_HALTED, "budget", "x", &f->err));
	ok(f, mm_store_rollout_retry(f->s, 1, false, true, &n, &f->err));
	assert_int_equal(n, 1);
	is(f, 1, "h1", MM_RH_RELEASED);
	is(f, 1, "h2", MM_RH_FAILED);
	assert_int_equal(get(f, 1).state, MM_RO_RUNNING);
	ok(f, mm_store_rollout_retry(f->s, 1, true, false, &n, &f->err));
	assert_int_equal(n, 3);
	for (int i = 0; i < 4; i++)
		is(f, 1, names[i], MM_RH_RELEASED);
	assert_int_equal(host(f, 1, "h0").tries, 0);
	assert_int_equal(host(f, 1, "h0").users, 0);
	audited(f, "rollout.retry 1 {\"wave\":\"1\"} ");
	before = count_audit(f);
	ok(f, mm_store_rollout_retry(f->s, 1, true, false, &n, &f->err));
	assert_int_equal(n, 0);
	assert_int_equal(count_audit(f), before);
	/* A paused one stays paused. */
	send_and_land(f, "h0", MM_RH_FAILED);
	ok(f, mm_store_rollout_pause(f->s, 1, &f->err));
	ok(f, mm_store_rollout_retry(f->s, 1, true, false, &n, &f->err));
	assert_int_equal(get(f, 1).state, MM_RO_PAUSED);
	assert_string_equal(get(f, 1).why, "an admin has paused it");
}

/* ---- a driver that is killed */

static void test_reclaim(void **state)
{
	struct fixture *f = *state;
	int64_t n = 0;

	ok(f, claim(f, "h0", "r"));
	ok(f, mm_store_rollout_checkin(f->s, 1, "h1", "c", &f->err));
	assert_int_equal(mm_store_rollout_reclaim(f->s, &theirs, true, 0, 0, &n, &f->err), MM_ROLLOUT_LOST);
	/* A check-in has its own time. */
	ok(f, mm_store_rollout_reclaim(f->s, &ours, true, T0, T0 + 500, &n, &f->err));
	assert_int_equal(n, 1);
	is(f, 1, "h0", MM_RH_RELEASED);
	assert_true(host(f, 1, "h0").touched);
	is(f, 1, "h1", MM_RH_SENT);
	ok(f, claim(f, "h0", "r2"));
	ok(f, mm_store_rollout_reclaim(f->s, &ours, false, T0 + 1, T0 + 500, &n, &f->err));
	assert_int_equal(n, 1);
	is(f, 1, "h0", MM_RH_SENT);
	is(f, 1, "h1", MM_RH_UNREACHABLE);
	assert_int_equal(host(f, 1, "h1").next_try, T0 + 500);
	/* Its answer comes after all. */
	ok(f, land(f, "h1", "c", MM_RH_OK));
	is(f, 1, "h1", MM_RH_OK);
	/* Late ones go back to the late lane. */
	ok(f, land(f, "h0", "r2", MM_RH_UNREACHABLE));
	ok(f, mm_store_rollout_next(f->s, &ours, &f->err));
	ok(f, claim(f, "h0", "r3"));
	ok(f, mm_store_rollout_reclaim(f->s, &ours, true, 0, 0, &n, &f->err));
	is(f, 1, "h0", MM_RH_LATE);
}

/* A driver in a process of its own, until it is killed. */
static _Noreturn void drive(const char *path, int fd)
{
	struct mm_err err = MM_ERR_NONE;
	struct mm_store *s = NULL;
	int rc = mm_store_open(path, &s, &err);

	mm_store_set_now(s, T0);
	for (;;) {
		rc |= mm_store_begin(s, &err) | mm_store_rollout_claim(s, &ours, "h0", "k0", &err) |
		      mm_store_commit(s, &err);
		if (rc != 0 || write(fd, "s", 1) != 1)
			_exit(1);
		/* The next step is under way when it dies. */
		(void)mm_store_begin(s, &err);
		(void)mm_store_rollout_claim(s, &ours, "h1", "k1", &err);
		(void)mm_store_rollout_stop(s, &ours, MM_RO_HALTED, "x", "x", &err);
		if (write(fd, "t", 1) != 1)
			_exit(1);
		pause();
	}
}

static void test_killed(void **state)
{
	struct fixture *f = *state;
	char seen[2] = "";
	int64_t n = 0;
	int fd[2], status;
	pid_t pid;

	assert_int_equal(pipe(fd), 0);
	mm_store_close(f->s);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		drive(f->path, fd[1]);
	assert_int_equal(read(fd[0], &seen[0], 1), 1);
	assert_int_equal(read(fd[0], &seen[1], 1), 1);
	assert_memory_equal(seen, "st", 2);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(fd[0]);
	close(fd[1]);
	ok(f, mm_store_open(f->path, &f->s, &f->err));
	/* Written down before it was sent; what was not committed never was. */
	is(f, 1, "h0", MM_RH_SENT);
	is(f, 1, "h1", MM_RH_RELEASED);
	assert_int_equal(get(f, 1).state, MM_RO_RUNNING);
	mm_store_set_now(f->s, T0 + 59);
	assert_int_equal(mm_store_rollout_lease(f->s, &theirs, 60, NULL, NULL, &f->err), MM_ROLLOUT_LOST);
	mm_store_set_now(f->s, T0 + 60);
	ok(f, mm_store_rollout_lease(f->s, &theirs, 60, NULL, NULL, &f->err));
	ok(f, mm_store_rollout_reclaim(f->s, &theirs, true, 0, 0, &n, &f->err));
	assert_int_equal(n, 1);
	is(f, 1, "h0", MM_RH_RELEASED);
	ok(f, mm_store_rollout_claim(f->s, &theirs, "h0", "k2", &f->err));
	/* The answer to the request of the dead is not that of ours. */
	assert_int_equal(land(f, "h0", "k0", MM_RH_OK), 1);
	ok(f, land(f, "h0", "k2", MM_RH_OK));
}

/* ---- check-ins, and what a host is to have */

static struct mm_rollout_offer offer(struct fixture *f, const char *name)
{
	struct mm_rollout_offer o = {.rollout = -1};

	ok(f, mm_store_rollout_offer(f->s, name, &o, &f->err));
	return o;
}

static void test_checkin_keeps_to_the_window(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mm_store_rollout_checkin(f->s, 1, "h2", "c", &f->err), 1);
	ok(f, mm_store_rollout_next(f->s, &ours, &f->err));
	ok(f, mm_store_rollout_checkin(f->s, 1, "h2", "c", &f->err));
	assert_true(host(f, 1, "h2").by_checkin);
	assert_true(offer(f, "h3").claimable);
	ok(f, claim(f, "h0", "r"));
	/* Two are in flight. */
	assert_false(offer(f, "h3").claimable);
	assert_int_equal(mm_store_rollout_checkin(f->s, 1, "h3", "c", &f->err), 1);
	ok(f, land(f, "h0", "r", MM_RH_OK));
	ok(f, mm_store_rollout_checkin(f->s, 1, "h3", "c", &f->err));
	assert_int_equal(mm_store_rollout_checkin(f->s, 1, "h3", "c", &f->err), 1);
}

static void test_offer(void **state)
{
	struct fixture *f = *state;
	struct mm_rollout_offer o = offer(f, "h0");

	assert_int_equal(o.rollout, 1);
	assert_int_equal(o.revision, 5);
	assert_int_equal(o.state, MM_RH_RELEASED);
	assert_true(o.claimable);
	assert_int_equal(o.held, 0);
	/* Not its turn. */
	o = offer(f, "h2");
	assert_int_equal(o.rollout, 0);
	assert_int_equal(o.revision, 0);
	assert_false(o.claimable);
	assert_int_equal(o.held, 5);
	assert_int_equal(o.held_by, 1);
	assert_int_equal(offer(f, "stranger").held, 0);
	/* Paused: who has it keeps it, the others are held. */
	send_and_land(f, "h0", MM_RH_OK);
	ok(f, mm_store_rollout_pause(f->s, 1, &f->err));
	assert_int_equal(offer(f, "h0").revision, 5);
	o = offer(f, "h1");
	assert_int_equal(o.revision, 0);
	assert_int_equal(o.held, 5);
	/* A newer rollout that has it waiting: the older revision stays released to it. */
	assert_int_equal(create(f, 6, 0, HOSTS), 2);
	o = offer(f, "h0");
	assert_int_equal(o.revision, 6);
	assert_true(o.claimable);
	assert_int_equal(offer(f, "h2").held, 6);
	ok(f, mm_store_rollout_abort(f->s, 2, &f->err));
	assert_int_equal(offer(f, "h0").revision, 5);
	assert_int_equal(offer(f, "h2").held, 0);
	assert_int_equal(offer(f, "h2").revision, 0);
}

static void test_newer_rollout_takes_over(void **state)
{
	struct fixture *f = *state;
	int64_t seq;

	send_and_land(f, "h0", MM_RH_OK);
	ok(f, claim(f, "h1", "r"));
	seq = get(f, 1).seq;
	/* It has only h1 .. h3: the older one keeps the rest. */
	assert_int_equal(create(f, 6, 1, 3), 2);
	assert_true(get(f, 1).seq > seq);
	is(f, 1, "h0", MM_RH_OK);
	is(f, 1, "h1", MM_RH_SENT);
	is(f, 1, "h2", MM_RH_SUPERSEDED);
	is(f, 1, "h3", MM_RH_SUPERSEDED);
	is(f, 1, "h4", MM_RH_WAITING);
	is(f, 2, "h1", MM_RH_RELEASED);
	assert_int_equal(get(f, 1).state, MM_RO_RUNNING);
	ok(f, land(f, "h1", "r", MM_RH_OK));
	assert_int_equal(create(f, 7, 4, 2), 3);
	assert_int_equal(get(f, 1).state, MM_RO_SUPERSEDED);
	assert_string_equal(get(f, 1).why, "rollout 3 has taken over what was left");
	assert_int_equal(get(f, 2).state, MM_RO_RUNNING);
}

/* What is over stays as it was. */
static void test_done_is_not_superseded(void **state)
{
	struct fixture *f = *state;

	for (int wave = 0; wave < 3; wave++) {
		send_and_land(f, names[2 * wave], MM_RH_OK);
		send_and_land(f, names[2 * wave + 1], wave < 2 ? MM_RH_OK : MM_RH_UNREACHABLE);
		if (wave < 2)
			ok(f, mm_store_rollout_next(f->s, &ours, &f->err));
	}
	ok(f, mm_store_rollout_done(f->s, &ours, "", &f->err));
	create(f, 6, 0, HOSTS);
	assert_int_equal(get(f, 1).state, MM_RO_DONE);
	is(f, 1, "h5", MM_RH_SUPERSEDED);
	is(f, 1, "h4", MM_RH_OK);
}

static void test_overtaken(void **state)
{
	struct fixture *f = *state;
	int64_t n = 9;

	ok(f, mm_store_rollout_overtaken(f->s, "h2", 4, &n, &f->err));
	assert_int_equal(n, 0);
	is(f, 1, "h2", MM_RH_WAITING);
	ok(f, mm_store_rollout_overtaken(f->s, "h2", 5, &n, &f->err));
	assert_int_equal(n, 1);
	is(f, 1, "h2", MM_RH_SUPERSEDED);
	/* In flight, or answered: left as it is. */
	ok(f, claim(f, "h0", "r"));
	ok(f, mm_store_rollout_overtaken(f->s, "h0", 9, NULL, &f->err));
	is(f, 1, "h0", MM_RH_SENT);
	/* An answer that comes when it is another's already. */
	ok(f, land(f, "h0", "r", MM_RH_UNREACHABLE));
	ok(f, mm_store_rollout_overtaken(f->s, "h0", 9, NULL, &f->err));
	assert_int_equal(land(f, "h0", "r", MM_RH_OK), 1);
	is(f, 1, "h0", MM_RH_SUPERSEDED);
	assert_true(host(f, 1, "h0").touched);
}

static void test_removed_host_holds_up_nothing(void **state)
{
	struct fixture *f = *state;

	ok(f, mm_store_host_remove(f->s, "h1", &f->err));
	is(f, 1, "h1", MM_RH_SUPERSEDED);
	assert_string_equal(host(f, 1, "h1").text, "it was removed from the inventory");
}

/* ---- lists */

struct seen {
	char text[256];
	int64_t most;
};

static int list_host(const struct mm_rollout_host *h, void *arg, struct mm_err *err)
{
	struct seen *s = arg;
	size_t n = strlen(s->text);

	(void)err;
	snprintf(s->text + n, sizeof(s->text) - n, "%s=%s ", h->host, mm_rh_state_name(h->state));
	if (h->seq > s->most)
		s->most = h->seq;
	return 0;
}

static void test_changes_since(void **state)
{
	struct fixture *f = *state;
	struct seen all = {.text = ""}, some = {.text = ""}, due = {.text = ""};

	ok(f, mm_store_rollout_hosts(f->s, 1, 0, list_host, &all, &f->err));
	assert_string_equal(all.text, "h0=released h1=released h2=waiting h3=waiting h4=waiting h5=waiting ");
	ok(f, mm_store_rollout_hosts(f->s, 1, all.most, list_host, &some, &f->err));
	assert_string_equal(some.text, "");
	ok(f, mm_store_rollout_checkin(f->s, 1, "h1", "c", &f->err));
	send_and_land(f, "h0", MM_RH_UNREACHABLE);
	ok(f, mm_store_rollout_hosts(f->s, 1, all.most, list_host, &some, &f->err));
	assert_string_equal(some.text, "h1=sent h0=unreachable ");
	assert_int_equal(some.most, get(f, 1).seq);
	ok(f, mm_store_rollout_due(f->s, 1, 10, list_host, &due, &f->err));
	assert_string_equal(due.text, "");
	ok(f, mm_store_rollout_next(f->s, &ours, &f->err));
	mm_store_set_now(f->s, T0 + 60);
	ok(f, mm_store_rollout_due(f->s, 1, 2, list_host, &due, &f->err));
	assert_string_equal(due.text, "h0=late h2=released ");
}

static int list_count(const struct mm_rollout_count *c, void *arg, struct mm_err *err)
{
	struct seen *s = arg;
	size_t n = strlen(s->text);

	(void)err;
	snprintf(s->text + n, sizeof(s->text) - n, "%d:%d ok%d late%d users%d/%d/%d/%d; ", (int)c->wave,
	    (int)c->hosts, (int)c->by[MM_RH_OK], (int)c->late, (int)c->users, (int)c->tested,
	    (int)c->verified, (int)c->failed);
	return 0;
}

static void test_counts(void **state)
{
	struct fixture *f = *state;
	struct seen s = {.text = ""};

	send_and_land(f, "h0", MM_RH_OK);
	send_and_land(f, "h1", MM_RH_UNREACHABLE);
	ok(f, mm_store_rollout_next(f->s, &ours, &f->err));
	send_and_land(f, "h2", MM_RH_LOGIN);
	send_and_land(f, "h3", MM_RH_OK);
	ok(f, mm_store_rollout_counts(f->s, 1, list_count, &s, &f->err));
	assert_string_equal(s.text, "0:2 ok1 late1 users6/4/3/1; 1:2 ok1 late0 users6/4/3/1; "
				    "2:2 ok0 late0 users0/0/0/0; -1:6 ok2 late1 users12/8/6/2; ");
}

static int list_rollout(const struct mm_rollout *r, void *arg, struct mm_err *err)
{
	struct seen *s = arg;
	size_t n = strlen(s->text);

	(void)err;
	snprintf(s->text + n, sizeof(s->text) - n, "%d=%s ", (int)r->id, mm_ro_state_name(r->state));
	return 0;
}

static void test_each(void **state)
{
	struct fixture *f = *state;
	struct seen all = {.text = ""}, live = {.text = ""};
	struct mm_rollout r;

	ok(f, claim(f, "h0", "r"));
	ok(f, mm_store_rollout_abort(f->s, 1, &f->err));
	create(f, 6, 2, 2);
	create(f, 7, 4, 2);
	ok(f, mm_store_rollout_pause(f->s, 3, &f->err));
	ok(f, mm_store_rollout_each(f->s, false, list_rollout, &all, &f->err));
	assert_string_equal(all.text, "3=paused 2=running 1=aborted ");
	/* The aborted one still has a host in flight. */
	ok(f, mm_store_rollout_each(f->s, true, list_rollout, &live, &f->err));
	assert_string_equal(live.text, "2=running 1=aborted ");
	ok(f, mm_store_rollout_last(f->s, f->a, &r, &f->err));
	assert_int_equal(r.id, 3);
}

static void test_large(void **state)
{
	struct fixture *f = *state;
	struct mm_rollout r = {.revision = 8,
	    .selection = "",
	    .terms = "{}",
	    .seed = "s",
	    .waves = 2,
	    .window = 100,
	    .kind = MM_ROLLOUT_ROLLBACK,
	    .of = 1};
	struct mm_rollout_member *m = mm_arena_alloc(f->a, 20000, sizeof(*m));
	struct mm_rollout_lease l = {.rollout = 2, .owner = "me"};
	struct seen s = {.text = ""};
	int64_t id = 0;

	for (size_t i = 0; i < 20000; i++)
		m[i] = (struct mm_rollout_member){mm_arena_printf(f->a, "big%05zu", i), i >= 100, (int64_t)i};
	ok(f, mm_store_rollout_create(f->s, &r, m, 20000, &id, &f->err));
	assert_int_equal(get(f, id).kind, MM_ROLLOUT_ROLLBACK);
	assert_int_equal(get(f, id).of, 1);
	ok(f, mm_store_rollout_lease(f->s, &l, 60, NULL, NULL, &f->err));
	ok(f, mm_store_rollout_next(f->s, &l, &f->err));
	ok(f, mm_store_begin(f->s, &f->err));
	for (size_t i = 0; i < 20000; i++)
		assert_int_equal(mm_store_rollout_claim(f->s, &l, m[i].host, "r", &f->err), 0);
	ok(f, mm_store_commit(f->s, &f->err));
	ok(f, mm_store_rollout_counts(f->s, id, list_count, &s, &f->err));
	assert_non_null(strstr(s.text, "-1:20000 ok0"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, store_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {T(test_create_and_get), T(test_create_is_all_or_nothing),
	    T(test_before_is_what_it_had), T(test_claim_and_land), T(test_put_back_counts_no_try),
	    T(test_lease), T(test_waves), T(test_no_wave_beyond_the_last), T(test_pause_and_resume),
	    T(test_resume_bakes_anew), T(test_halt_and_resume_forgives), T(test_approve), T(test_abort),
	    T(test_retry), T(test_reclaim), T(test_killed), T(test_checkin_keeps_to_the_window),
	    T(test_offer), T(test_newer_rollout_takes_over), T(test_done_is_not_superseded),
	    T(test_overtaken), T(test_removed_host_holds_up_nothing), T(test_changes_since), T(test_counts),
	    T(test_each), T(test_large)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
