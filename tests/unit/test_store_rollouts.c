/* Rollouts in the store: what each act does to the hosts, and who may act when. */
#include <string.h>

#include "rollout_fixture.h"

static void test_create_and_get(void **state)
{
	struct fixture *f = *state;
	struct mm_rollout r = ro_get(f, 1);

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
	ro_is(f, 1, "h0", MM_RH_RELEASED);
	ro_is(f, 1, "h1", MM_RH_RELEASED);
	ro_is(f, 1, "h2", MM_RH_WAITING);
	ro_audited(f,
	    "rollout.create 1 {\"kind\":\"apply\",\"revision\":\"5\",\"selection\":\"--all\",\"hosts\":\"6\","
	    "\"terms\":\"{}\"} ");
	assert_int_equal(mm_store_rollout_get(f->s, 2, f->a, &r, &f->err), 1);
	struct mm_rollout_host h;
	assert_int_equal(mm_store_rollout_host(f->s, 1, "h9", f->a, &h, &f->err), 1);
}

static void test_create_is_all_or_nothing(void **state)
{
	struct fixture *f = *state;
	const struct mm_rollout_member twice[] = {{"h0", 0, 0, 0}, {"h0", 0, 1, 0}};
	struct mm_rollout r = {
	    .revision = 6, .selection = "", .terms = "{}", .seed = "s", .waves = 1, .window = 1};
	int64_t id = 77, before = count_audit(f);

	assert_int_equal(mm_store_rollout_create(f->s, &r, twice, 2, &id, &f->err), -1);
	assert_non_null(strstr(f->err.text, "h0"));
	assert_int_equal(mm_store_rollout_create(f->s, &r, twice, 0, &id, &f->err), -1);
	assert_int_equal(id, 77);
	assert_int_equal(count_audit(f), before);
	assert_int_equal(mm_store_rollout_get(f->s, 2, f->a, &r, &f->err), 1);
	ro_is(f, 1, "h0", MM_RH_RELEASED);
}

/* A rollback brings each host its own: what is handed out, owed, held and overtaken goes by that. */
static void test_each_its_revision(void **state)
{
	struct fixture *f = *state;
	const struct mm_rollout_member m[] = {
	    {"h0", 0, 0, 7}, {"h1", 0, 1, 8}, {"h2", 1, 2, 9}, {"h3", 0, 3, 0}};
	const struct mm_rollout r = {.revision = 9,
	    .first = 7,
	    .kind = MM_ROLLOUT_ROLLBACK,
	    .of = 1,
	    .selection = "",
	    .terms = "{}",
	    .seed = "s",
	    .waves = 2,
	    .window = 9};
	struct mm_rollout_offer o;
	struct mm_push_state p;
	int64_t id, n = 0;

	ok(f, mm_store_rollout_create(f->s, &r, m, 4, &id, &f->err));
	assert_int_equal(ro_get(f, id).first, 7);
	assert_int_equal(ro_get(f, 1).first, 5);
	assert_int_equal(ro_host(f, id, "h1").revision, 8);
	assert_int_equal(ro_host(f, id, "h3").revision, 9);
	assert_int_equal(ro_host(f, 1, "h1").revision, 5);
	ok(f, mm_store_rollout_offer(f->s, "h1", &o, &f->err));
	assert_int_equal(o.revision, 8);
	assert_true(o.claimable);
	ok(f, mm_store_rollout_offer(f->s, "h2", &o, &f->err));
	assert_int_equal(o.held, 9);
	/* Sent 8 otherwise: that is what h1 was to have, and less than h2 was. */
	ok(f, mm_store_rollout_overtaken(f->s, "h1", 8, &n, &f->err));
	assert_int_equal(n, 1);
	ok(f, mm_store_rollout_overtaken(f->s, "h2", 8, &n, &f->err));
	assert_int_equal(n, 0);
	ro_is(f, id, "h1", MM_RH_SUPERSEDED);
	/* Given up: what this rollout wanted of h0 is owed no more, what somebody else wanted is. */
	ok(f, mm_store_push_want(f->s, "h0", 7, 0, NULL, &f->err));
	ok(f, mm_store_push_want(f->s, "h2", 8, 0, NULL, &f->err));
	ok(f, mm_store_rollout_abort(f->s, id, false, &f->err));
	ok(f, mm_store_push_get(f->s, "h0", f->a, &p, &f->err));
	assert_false(p.pending);
	ok(f, mm_store_push_get(f->s, "h2", f->a, &p, &f->err));
	assert_true(p.pending);
}

static void test_before_is_what_it_had(void **state)
{
	struct fixture *f = *state;
	const struct mm_push_state p = {
	    .host = "h0", .revision = 4, .op = "apply", .request_id = "x", .outcome = "ok", .text = ""};

	ok(f, mm_store_push_result(f->s, &p, &f->err));
	ro_create(f, 6, 0, 2);
	assert_int_equal(ro_host(f, 2, "h0").before, 4);
	assert_int_equal(ro_host(f, 2, "h1").before, 0);
}

static void test_claim_and_land(void **state)
{
	struct fixture *f = *state;
	struct mm_rollout_host h;

	/* Its wave has not begun; it is not in it at all. */
	assert_int_equal(ro_claim(f, "h2", "r1"), 1);
	assert_int_equal(ro_claim(f, "nobody", "r1"), 1);
	ok(f, ro_claim(f, "h0", "r1"));
	h = ro_host(f, 1, "h0");
	assert_int_equal(h.state, MM_RH_SENT);
	assert_int_equal(h.tries, 1);
	assert_int_equal(h.sent, T0);
	assert_string_equal(h.request_id, "r1");
	assert_false(h.by_checkin);
	/* Once only. */
	assert_int_equal(ro_claim(f, "h0", "r2"), 1);
	/* An answer to something else. */
	assert_int_equal(ro_land(f, "h0", "r2", MM_RH_FAILED), 1);
	ro_is(f, 1, "h0", MM_RH_SENT);
	mm_store_set_now(f->s, T0 + 9);
	ok(f, ro_land(f, "h0", "r1", MM_RH_OK));
	h = ro_host(f, 1, "h0");
	assert_int_equal(h.state, MM_RH_OK);
	assert_int_equal(h.landed, T0 + 9);
	assert_true(h.touched);
	assert_int_equal(h.users, 3);
	assert_int_equal(h.tested, 2);
	assert_int_equal(h.verified, 2);
	assert_string_equal(h.text, "a sentence");
	/* The user's next session may show otherwise; a lost attempt may not. */
	ok(f, ro_land(f, "h0", NULL, MM_RH_REVERTED));
	ro_is(f, 1, "h0", MM_RH_REVERTED);
	assert_int_equal(ro_land(f, "h0", NULL, MM_RH_UNREACHABLE), 1);
	ro_is(f, 1, "h0", MM_RH_REVERTED);
	/* What was never sent cannot land. */
	assert_int_equal(ro_land(f, "h2", NULL, MM_RH_OK), 1);
	assert_int_equal(ro_land(f, "h9", NULL, MM_RH_OK), 1);
}

static void test_put_back_counts_no_try(void **state)
{
	struct fixture *f = *state;

	ok(f, ro_claim(f, "h0", "r1"));
	ok(f, ro_land(f, "h0", "r1", MM_RH_RELEASED));
	ro_is(f, 1, "h0", MM_RH_RELEASED);
	assert_int_equal(ro_host(f, 1, "h0").tries, 0);
	assert_int_equal(ro_host(f, 1, "h0").landed, 0);
	assert_false(ro_host(f, 1, "h0").touched);
}

/* ---- the lease */

static void test_lease(void **state)
{
	struct fixture *f = *state;
	struct mm_rollout holder;

	assert_int_equal(
	    mm_store_rollout_lease(f->s, &ro_theirs, 60, f->a, &holder, &f->err), MM_ROLLOUT_LOST);
	assert_string_equal(holder.owner, "ours");
	assert_int_equal(holder.lease_until, T0 + 60);
	assert_int_equal(mm_store_rollout_claim(f->s, &ro_theirs, "h0", "r", &f->err), MM_ROLLOUT_LOST);
	assert_int_equal(mm_store_rollout_bake(f->s, &ro_theirs, &f->err), MM_ROLLOUT_LOST);
	/* Renewed in time. */
	mm_store_set_now(f->s, T0 + 59);
	ok(f, mm_store_rollout_lease(f->s, &ro_ours, 60, NULL, NULL, &f->err));
	mm_store_set_now(f->s, T0 + 118);
	ok(f, ro_claim(f, "h0", "r"));
	assert_int_equal(mm_store_rollout_lease(f->s, &ro_theirs, 60, NULL, NULL, &f->err), MM_ROLLOUT_LOST);
	/* At its end nobody has it, until somebody takes it. */
	mm_store_set_now(f->s, T0 + 119);
	assert_int_equal(ro_claim(f, "h1", "r"), MM_ROLLOUT_LOST);
	ok(f, mm_store_rollout_lease(f->s, &ro_theirs, 60, NULL, NULL, &f->err));
	assert_int_equal(ro_claim(f, "h1", "r"), MM_ROLLOUT_LOST);
	assert_int_equal(mm_store_rollout_lease(f->s, &ro_ours, 60, NULL, NULL, &f->err), MM_ROLLOUT_LOST);
	/* What we sent has landed all the same. */
	ok(f, ro_land(f, "h0", "r", MM_RH_OK));
	/* Only the holder gives it back. */
	ok(f, mm_store_rollout_release(f->s, &ro_ours, &f->err));
	assert_string_equal(ro_get(f, 1).owner, "theirs");
	ok(f, mm_store_rollout_release(f->s, &ro_theirs, &f->err));
	assert_string_equal(ro_get(f, 1).owner, "");
	struct mm_rollout_lease none = {.rollout = 9, .owner = "x"};
	assert_int_equal(mm_store_rollout_lease(f->s, &none, 60, NULL, NULL, &f->err), 1);
}

/* ---- waves */

static void test_waves(void **state)
{
	struct fixture *f = *state;
	struct mm_rollout r;

	ro_send_and_land(f, "h0", MM_RH_OK);
	ro_send_and_land(f, "h1", MM_RH_UNREACHABLE);
	mm_store_set_now(f->s, T0 + 10);
	ok(f, mm_store_rollout_bake(f->s, &ro_ours, &f->err));
	r = ro_get(f, 1);
	assert_int_equal(r.state, MM_RO_BAKING);
	assert_int_equal(r.bake_since, T0 + 10);
	ro_audited(f, "rollout.bake 1 {\"wave\":\"0\"} ");
	assert_int_equal(mm_store_rollout_bake(f->s, &ro_ours, &f->err), 1);
	mm_store_set_now(f->s, T0 + 20);
	ok(f, mm_store_rollout_next(f->s, &ro_ours, &f->err));
	r = ro_get(f, 1);
	assert_int_equal(r.state, MM_RO_RUNNING);
	assert_int_equal(r.wave, 1);
	assert_int_equal(r.wave_since, T0 + 20);
	assert_int_equal(r.bake_since, 0);
	ro_audited(f, "rollout.wave 1 {\"wave\":\"1\"} ");
	ro_is(f, 1, "h1", MM_RH_LATE);
	assert_true(ro_host(f, 1, "h1").late);
	ro_is(f, 1, "h2", MM_RH_RELEASED);
	ro_is(f, 1, "h4", MM_RH_WAITING);
	/* Late and not reached again: late; reached: ok, and still told apart. */
	ro_send_and_land(f, "h1", MM_RH_UNREACHABLE);
	ro_is(f, 1, "h1", MM_RH_LATE);
	ro_send_and_land(f, "h1", MM_RH_OK);
	assert_true(ro_host(f, 1, "h1").late);
	assert_int_equal(ro_host(f, 1, "h1").tries, 3);
	ok(f, mm_store_rollout_next(f->s, &ro_ours, &f->err));
	ro_send_and_land(f, "h4", MM_RH_UNREACHABLE);
	ok(f, mm_store_rollout_done(f->s, &ro_ours, "enough", &f->err));
	assert_int_equal(ro_get(f, 1).state, MM_RO_DONE);
	ro_audited(f, "rollout.done 1 {\"why\":\"enough\"} ");
	ro_is(f, 1, "h4", MM_RH_LATE);
	/* The late lane is served after the end, and nothing else happens. */
	ok(f, ro_claim(f, "h4", "r"));
	assert_int_equal(mm_store_rollout_next(f->s, &ro_ours, &f->err), 1);
	assert_int_equal(mm_store_rollout_done(f->s, &ro_ours, "again", &f->err), 1);
}

static void test_no_wave_beyond_the_last(void **state)
{
	struct fixture *f = *state;

	ok(f, mm_store_rollout_next(f->s, &ro_ours, &f->err));
	ok(f, mm_store_rollout_next(f->s, &ro_ours, &f->err));
	assert_int_equal(mm_store_rollout_next(f->s, &ro_ours, &f->err), -1);
	assert_int_equal(ro_get(f, 1).wave, 2);
}

/* ---- what an admin does */

static void test_pause_and_resume(void **state)
{
	struct fixture *f = *state;

	ok(f, ro_claim(f, "h0", "r"));
	mm_store_set_reason(f->s, "lunch");
	ok(f, mm_store_rollout_pause(f->s, 1, &f->err));
	ro_audited(f, "rollout.pause 1 {\"why\":\"an admin has paused it\"} lunch");
	mm_store_set_reason(f->s, NULL);
	/* Nothing new goes out, and the driver's decisions come too late; what is on its way lands. */
	assert_int_equal(ro_claim(f, "h1", "r"), 1);
	assert_int_equal(mm_store_rollout_next(f->s, &ro_ours, &f->err), 1);
	assert_int_equal(mm_store_rollout_stop(f->s, &ro_ours, MM_RO_HALTED, "budget", "x", &f->err), 1);
	ok(f, ro_land(f, "h0", "r", MM_RH_UNREACHABLE));
	assert_int_equal(ro_host(f, 1, "h0").next_try, T0 + 60);
	assert_int_equal(mm_store_rollout_pause(f->s, 1, &f->err), -1);
	assert_string_equal(f->err.text, "rollout 1 is paused: it cannot be paused");
	ok(f, mm_store_rollout_resume(f->s, 1, &f->err));
	assert_int_equal(ro_get(f, 1).state, MM_RO_RUNNING);
	assert_string_equal(ro_get(f, 1).why, "");
	assert_int_equal(ro_host(f, 1, "h0").next_try, 0);
	ok(f, ro_claim(f, "h0", "r2"));
	assert_int_equal(mm_store_rollout_resume(f->s, 1, &f->err), -1);
	assert_int_equal(mm_store_rollout_resume(f->s, 9, &f->err), -1);
	assert_string_equal(f->err.text, "there is no rollout 9");
}

/* A wave that has settled bakes anew. */
static void test_resume_bakes_anew(void **state)
{
	struct fixture *f = *state;

	ok(f, mm_store_rollout_bake(f->s, &ro_ours, &f->err));
	ok(f, mm_store_rollout_stop(f->s, &ro_ours, MM_RO_PAUSED, "too-few-reported", "why", &f->err));
	assert_string_equal(ro_get(f, 1).because, "too-few-reported");
	assert_string_equal(ro_get(f, 1).why, "why");
	ro_audited(f, "rollout.pause 1 {\"why\":\"why\"} ");
	mm_store_set_now(f->s, T0 + 1000);
	ok(f, mm_store_rollout_resume(f->s, 1, &f->err));
	assert_int_equal(ro_get(f, 1).state, MM_RO_BAKING);
	assert_int_equal(ro_get(f, 1).bake_since, T0 + 1000);
	assert_string_equal(ro_get(f, 1).because, "");
}

static void test_halt_and_resume_forgives(void **state)
{
	struct fixture *f = *state;

	ro_send_and_land(f, "h0", MM_RH_FAILED);
	ok(f, ro_claim(f, "h1", "r"));
	ok(f, mm_store_rollout_stop(f->s, &ro_ours, MM_RO_HALTED, "budget", "1 is failed", &f->err));
	ro_audited(f, "rollout.halt 1 {\"why\":\"1 is failed\"} ");
	assert_int_equal(mm_store_rollout_pause(f->s, 1, &f->err), -1);
	assert_int_equal(mm_store_rollout_approve(f->s, 1, &f->err), -1);
	ok(f, ro_land(f, "h1", "r", MM_RH_OK));
	ok(f, mm_store_rollout_resume(f->s, 1, &f->err));
	assert_true(ro_host(f, 1, "h0").forgiven);
	assert_false(ro_host(f, 1, "h1").forgiven);
	/* The same answer again is what was forgiven; another try is not. */
	ok(f, ro_land(f, "h0", "r", MM_RH_FAILED));
	assert_true(ro_host(f, 1, "h0").forgiven);
	int64_t n = 0;
	ok(f, mm_store_rollout_retry(f->s, 1, true, false, &n, &f->err));
	ro_send_and_land(f, "h0", MM_RH_FAILED);
	assert_false(ro_host(f, 1, "h0").forgiven);
}

static void test_approve(void **state)
{
	struct fixture *f = *state;

	/* Ahead of time. */
	ok(f, mm_store_rollout_approve(f->s, 1, &f->err));
	assert_int_equal(ro_get(f, 1).approved, 0);
	assert_int_equal(ro_get(f, 1).state, MM_RO_RUNNING);
	ok(f, mm_store_rollout_next(f->s, &ro_ours, &f->err));
	ok(f, mm_store_rollout_bake(f->s, &ro_ours, &f->err));
	ok(f, mm_store_rollout_stop(f->s, &ro_ours, MM_RO_PAUSED, "approval", "why", &f->err));
	ok(f, mm_store_rollout_approve(f->s, 1, &f->err));
	ro_audited(f, "rollout.approve 1 {\"wave\":\"1\"} ");
	assert_int_equal(ro_get(f, 1).approved, 1);
	assert_int_equal(ro_get(f, 1).state, MM_RO_BAKING);
	/* What an admin has paused stays paused. */
	ok(f, mm_store_rollout_pause(f->s, 1, &f->err));
	ok(f, mm_store_rollout_approve(f->s, 1, &f->err));
	assert_int_equal(ro_get(f, 1).state, MM_RO_PAUSED);
	assert_string_equal(ro_get(f, 1).why, "an admin has paused it");
}

static void test_abort(void **state)
{
	struct fixture *f = *state;
	int64_t n = 0;

	ok(f, ro_claim(f, "h0", "r"));
	ok(f, mm_store_rollout_abort(f->s, 1, false, &f->err));
	assert_int_equal(ro_get(f, 1).state, MM_RO_ABORTED);
	assert_int_equal(ro_claim(f, "h1", "r"), 1);
	ok(f, ro_land(f, "h0", "r", MM_RH_OK));
	assert_int_equal(mm_store_rollout_abort(f->s, 1, false, &f->err), -1);
	assert_int_equal(mm_store_rollout_resume(f->s, 1, &f->err), -1);
	assert_int_equal(mm_store_rollout_retry(f->s, 1, true, true, &n, &f->err), -1);
	assert_string_equal(f->err.text, "rollout 1 is aborted: it cannot be retried");
}

static void test_retry(void **state)
{
	struct fixture *f = *state;
	int64_t n = 9, before;

	ro_send_and_land(f, "h0", MM_RH_LOGIN);
	ro_send_and_land(f, "h1", MM_RH_UNREACHABLE);
	ok(f, mm_store_rollout_next(f->s, &ro_ours, &f->err));
	ro_send_and_land(f, "h2", MM_RH_FAILED);
	ro_send_and_land(f, "h3", MM_RH_REVERTED);
	ok(f, mm_store_rollout_stop(f->s, &ro_ours, MM_RO_HALTED, "budget", "x", &f->err));
	ok(f, mm_store_rollout_retry(f->s, 1, false, true, &n, &f->err));
	assert_int_equal(n, 1);
	ro_is(f, 1, "h1", MM_RH_RELEASED);
	ro_is(f, 1, "h2", MM_RH_FAILED);
	assert_int_equal(ro_get(f, 1).state, MM_RO_RUNNING);
	ok(f, mm_store_rollout_retry(f->s, 1, true, false, &n, &f->err));
	assert_int_equal(n, 3);
	for (int i = 0; i < 4; i++)
		ro_is(f, 1, ro_names[i], MM_RH_RELEASED);
	assert_int_equal(ro_host(f, 1, "h0").tries, 0);
	assert_int_equal(ro_host(f, 1, "h0").users, 0);
	ro_audited(f, "rollout.retry 1 {\"wave\":\"1\"} ");
	before = count_audit(f);
	ok(f, mm_store_rollout_retry(f->s, 1, true, false, &n, &f->err));
	assert_int_equal(n, 0);
	assert_int_equal(count_audit(f), before);
	/* A paused one stays paused. */
	ro_send_and_land(f, "h0", MM_RH_FAILED);
	ok(f, mm_store_rollout_pause(f->s, 1, &f->err));
	ok(f, mm_store_rollout_retry(f->s, 1, true, false, &n, &f->err));
	assert_int_equal(ro_get(f, 1).state, MM_RO_PAUSED);
	assert_string_equal(ro_get(f, 1).why, "an admin has paused it");
}

#define T(name) cmocka_unit_test_setup_teardown(name, ro_setup, store_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {T(test_create_and_get), T(test_create_is_all_or_nothing),
	    T(test_each_its_revision), T(test_before_is_what_it_had), T(test_claim_and_land),
	    T(test_put_back_counts_no_try), T(test_lease), T(test_waves), T(test_no_wave_beyond_the_last),
	    T(test_pause_and_resume), T(test_resume_bakes_anew), T(test_halt_and_resume_forgives),
	    T(test_approve), T(test_abort), T(test_retry)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
