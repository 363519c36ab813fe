/*
 * What a rollout does next: each rule by itself, and each budget at N and N + 1.
 */
#include "rollout_world.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- sending */

static void test_window(void **state)
{
	struct world w = MAKE(10, 5);

	(void)state;
	world_set(&w, "window", "4");
	world_expect(&w, MM_ROA_SEND, MM_ROB_NONE);
	assert_int_equal(w.d.n_send, 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(w.send[i], i);
	world_land(&w, 0, 4, MM_RH_SENT);
	world_expect(&w, MM_ROA_WAIT, MM_ROB_FLIGHT);
	assert_int_equal(w.d.until, 0);
	world_land(&w, 1, 1, MM_RH_OK);
	world_expect(&w, MM_ROA_SEND, MM_ROB_NONE);
	assert_int_equal(w.d.n_send, 1);
	assert_int_equal(w.send[0], 4);
	/* The caller may take fewer. */
	world_land(&w, 0, 4, MM_RH_OK);
	mm_ro_decide(&w.t, &w.now, w.hosts, w.n, w.send, 2, &w.d);
	assert_int_equal(w.d.n_send, 2);
	world_drop(&w);
}

static void test_order(void **state)
{
	struct world w = MAKE(6);

	(void)state;
	for (size_t i = 0; i < w.n; i++)
		w.hosts[i].rank = (int64_t)(w.n - 1 - i);
	w.hosts[5].state = MM_RH_LATE;
	w.hosts[5].late = true;
	w.hosts[4].state = MM_RH_UNREACHABLE;
	world_expect(&w, MM_ROA_SEND, MM_ROB_NONE);
	assert_int_equal(w.d.n_send, 6);
	static const size_t want[] = {3, 2, 1, 0, 4, 5};
	assert_memory_equal(w.send, want, sizeof(want));
	world_drop(&w);
}

static void test_jitter(void **state)
{
	struct world w = MAKE(3, 1);

	(void)state;
	w.hosts[0].not_before = 10;
	w.hosts[1].not_before = 5;
	w.hosts[2].not_before = 5;
	world_expect(&w, MM_ROA_WAIT, MM_ROB_JITTER);
	assert_int_equal(w.d.until, T0 + 5);
	w.now.now = T0 + 5;
	world_expect(&w, MM_ROA_SEND, MM_ROB_NONE);
	assert_int_equal(w.d.n_send, 2);
	world_land(&w, 1, 2, MM_RH_OK);
	world_expect(&w, MM_ROA_WAIT, MM_ROB_JITTER);
	assert_int_equal(w.d.until, T0 + 10);
	world_drop(&w);
}

static void test_hours(void **state)
{
	struct world w = MAKE(2, 1);

	(void)state;
	world_set(&w, "hours", "20:00-22:00");
	world_set(&w, "bake", "0");
	world_expect(&w, MM_ROA_WAIT, MM_ROB_HOURS);
	assert_int_equal(w.d.until, T0 + 12 * 3600);
	w.now.now = T0 + 12 * 3600;
	world_expect(&w, MM_ROA_SEND, MM_ROB_NONE);
	world_land(&w, 0, 2, MM_RH_OK);
	world_expect(&w, MM_ROA_NEXT, MM_ROB_NONE);
	/* A wave is not opened at other times either: its hosts might fetch it. */
	w.now.now = T0 + 14 * 3600;
	world_expect(&w, MM_ROA_WAIT, MM_ROB_HOURS);
	assert_int_equal(w.d.until, T0 + 36 * 3600);
	/* A halt is said at any time. */
	world_land(&w, 0, 2, MM_RH_FAILED);
	world_expect(&w, MM_ROA_HALT, MM_ROB_BUDGET);
	world_drop(&w);
}

static void test_rate(void **state)
{
	static const struct mm_ro_load three = {.server = 1, .logins = 3}, big = {.server = 0, .logins = 50};
	struct world w = MAKE(6, 1);

	(void)state;
	world_set(&w, "rate", "7");
	w.now.n_servers = 2;
	for (size_t i = 0; i < 5; i++) {
		w.hosts[i].loads = &three;
		w.hosts[i].n_loads = 1;
	}
	/* One host alone is more than the rate: it goes while its server is idle. */
	w.hosts[5].loads = &big;
	w.hosts[5].n_loads = 1;
	world_expect(&w, MM_ROA_SEND, MM_ROB_NONE);
	assert_int_equal(w.d.n_send, 3);
	static const size_t want[] = {0, 1, 5};
	assert_memory_equal(w.send, want, sizeof(want));
	world_land(&w, 0, 2, MM_RH_OK);
	world_land(&w, 5, 1, MM_RH_OK);
	w.hosts[1].sent = T0 + 20;
	w.now.now = T0 + 30;
	world_expect(&w, MM_ROA_WAIT, MM_ROB_RATE);
	assert_int_equal(w.d.until, T0 + 60);
	w.now.now = T0 + 60;
	world_expect(&w, MM_ROA_SEND, MM_ROB_NONE);
	assert_int_equal(w.d.n_send, 1);
	assert_int_equal(w.send[0], 2);
	world_drop(&w);
}

/* ---- budgets */

static void budget_at(const char *name, enum mm_rh_state state, bool total)
{
	/* 100 hosts in the wave and 1000 in all: 3 % of one, 2.5 % of the other. */
	struct world w = MAKE(100, 100, 800);
	size_t allowed = total ? 25 : 3;
	size_t begin = total ? 0 : 100;

	for (int b = 0; b < MM_BUDGET_COUNT; b++)
		world_set(&w, mm_budget_name((enum mm_budget)b), "any");
	world_set(&w, name, total ? "any/2.5%" : "3%/any");
	world_set(&w, "gate", "0");
	w.now.wave = 1;
	world_land(&w, 0, 100, MM_RH_OK);
	for (size_t i = 100; i < 200; i++)
		w.hosts[i].state = MM_RH_RELEASED;
	world_land(&w, begin, allowed, state);
	for (size_t i = begin; i < begin + allowed; i++)
		w.hosts[i].next_try = T0 + 3600;
	world_expect(&w, MM_ROA_SEND, MM_ROB_NONE);
	world_land(&w, begin + allowed, 1, state);
	world_expect(&w, MM_ROA_HALT, MM_ROB_BUDGET);
	assert_string_equal(mm_budget_name(w.d.budget), name);
	assert_non_null(strstr(w.d.text, mm_budget_clause(w.d.budget, 2)));
	assert_non_null(strstr(w.d.text, total ? "26 of 1000 hosts " : "4 of 100 hosts of wave 2 "));
	assert_non_null(
	    strstr(w.d.text, total ? ", 25 are allowed in the whole rollout" : ", 3 are allowed"));
	/* A resume forgives. */
	w.hosts[begin].forgiven = true;
	world_expect(&w, MM_ROA_SEND, MM_ROB_NONE);
	world_drop(&w);
}

static void test_budgets_at_n_and_one_more(void **state)
{
	(void)state;
	for (int total = 0; total < 2; total++) {
		budget_at("failed", MM_RH_FAILED, total != 0);
		budget_at("login", MM_RH_LOGIN, total != 0);
		budget_at("login", MM_RH_REVERTED, total != 0);
		budget_at("unreachable", MM_RH_UNREACHABLE, total != 0);
	}
	/* What another wave did counts for the total alone. */
	struct world w = MAKE(100, 100);
	world_set(&w, "failed", "3/any");
	w.now.wave = 1;
	world_land(&w, 0, 50, MM_RH_FAILED);
	world_land(&w, 100, 3, MM_RH_FAILED);
	w.hosts[150].state = MM_RH_RELEASED;
	world_expect(&w, MM_ROA_SEND, MM_ROB_NONE);
	world_drop(&w);
}

/* No budget is eaten by machines that are off, and no other number either. */
static void test_unreachable_burns_only_its_own(void **state)
{
	struct world w = MAKE(10, 90);

	(void)state;
	world_set(&w, "failed", "0");
	world_set(&w, "login", "0");
	world_set(&w, "bake", "0");
	world_land(&w, 0, 6, MM_RH_UNREACHABLE);
	world_land(&w, 6, 4, MM_RH_OK);
	for (size_t i = 0; i < 6; i++)
		w.hosts[i].next_try = T0 + 60;
	world_expect(&w, MM_ROA_PAUSE, MM_ROB_REPORTED);
	assert_string_equal(w.d.text, "inconclusive: 4 of 10 hosts of wave 1 have answered, 5 are wanted");
	world_land(&w, 0, 1, MM_RH_OK);
	world_expect(&w, MM_ROA_NEXT, MM_ROB_NONE);
	/* All of them failing burns nothing of unreachable. */
	world_set(&w, "unreachable", "0");
	world_set(&w, "failed", "any");
	world_set(&w, "gate", "0");
	world_land(&w, 0, 10, MM_RH_FAILED);
	world_set(&w, "min_tested", "0");
	world_expect(&w, MM_ROA_NEXT, MM_ROB_NONE);
	world_drop(&w);
}

/* ---- the end of a wave */

static void test_bake(void **state)
{
	struct world w = MAKE(4, 4);

	(void)state;
	world_land(&w, 0, 3, MM_RH_OK);
	world_land(&w, 3, 1, MM_RH_UNREACHABLE);
	w.hosts[3].next_try = T0 + 60;
	world_expect(&w, MM_ROA_BAKE, MM_ROB_BAKE);
	w.now.state = MM_RO_BAKING;
	w.now.bake_since = T0;
	/* Who is off is tried again meanwhile. */
	world_expect(&w, MM_ROA_WAIT, MM_ROB_RETRY);
	assert_int_equal(w.d.until, T0 + 60);
	w.now.now = T0 + 60;
	world_expect(&w, MM_ROA_SEND, MM_ROB_NONE);
	assert_int_equal(w.send[0], 3);
	world_land(&w, 3, 1, MM_RH_SENT);
	world_expect(&w, MM_ROA_WAIT, MM_ROB_FLIGHT);
	world_land(&w, 3, 1, MM_RH_UNREACHABLE);
	w.hosts[3].next_try = T0 + 1000;
	world_expect(&w, MM_ROA_WAIT, MM_ROB_BAKE);
	assert_int_equal(w.d.until, T0 + 600);
	w.now.now = T0 + 599;
	world_expect(&w, MM_ROA_WAIT, MM_ROB_BAKE);
	w.now.now = T0 + 600;
	world_expect(&w, MM_ROA_NEXT, MM_ROB_NONE);
	assert_int_equal(w.d.wave, 1);
	/* What is in flight at the end of the time lands first. */
	world_land(&w, 3, 1, MM_RH_SENT);
	world_expect(&w, MM_ROA_WAIT, MM_ROB_FLIGHT);
	world_drop(&w);
}

/* A gate of 90 % at the very number, and one below. */
static void test_gate(void **state)
{
	struct world w = MAKE(20, 20);

	(void)state;
	world_set(&w, "bake", "0");
	world_set(&w, "gate", "90%");
	world_set(&w, "login", "any");
	world_land(&w, 0, 18, MM_RH_OK);
	world_land(&w, 18, 2, MM_RH_LOGIN);
	world_expect(&w, MM_ROA_NEXT, MM_ROB_NONE);
	world_land(&w, 17, 1, MM_RH_LOGIN);
	world_expect(&w, MM_ROA_HALT, MM_ROB_GATE);
	assert_string_equal(w.d.text, "gate: 17 of 20 tested users of wave 1 are verified, 90% are wanted");
	/* Users whose login was not tested neither pass nor fail. */
	for (size_t i = 0; i < 20; i++)
		w.hosts[i].users = 10;
	assert_int_equal(world_ask(&w), MM_ROA_HALT);
	w.hosts[17].tested = 0;
	world_expect(&w, MM_ROA_HALT, MM_ROB_GATE);
	w.hosts[18].tested = 0;
	w.hosts[19].tested = 0;
	world_expect(&w, MM_ROA_NEXT, MM_ROB_NONE);
	world_drop(&w);
}

static void test_min_tested(void **state)
{
	struct world w = MAKE(10, 10);

	(void)state;
	world_set(&w, "bake", "0");
	world_set(&w, "min_tested", "4");
	world_land(&w, 0, 10, MM_RH_OK);
	for (size_t i = 0; i < 10; i++)
		w.hosts[i].tested = w.hosts[i].verified = i < 3;
	world_expect(&w, MM_ROA_PAUSE, MM_ROB_TESTED);
	assert_string_equal(
	    w.d.text, "inconclusive: the logins of 3 of 10 users of wave 1 were tested, 4 are wanted");
	w.hosts[3].tested = w.hosts[3].verified = 1;
	world_expect(&w, MM_ROA_NEXT, MM_ROB_NONE);
	/* No more can be asked than there are users ... */
	world_set(&w, "min_tested", "50");
	world_expect(&w, MM_ROA_PAUSE, MM_ROB_TESTED);
	for (size_t i = 0; i < 10; i++)
		w.hosts[i].users = i < 4;
	world_expect(&w, MM_ROA_NEXT, MM_ROB_NONE);
	/* ... but nobody at all proves nothing. */
	for (size_t i = 0; i < 10; i++)
		w.hosts[i].users = w.hosts[i].tested = w.hosts[i].verified = 0;
	world_expect(&w, MM_ROA_PAUSE, MM_ROB_TESTED);
	world_set(&w, "min_tested", "0");
	world_expect(&w, MM_ROA_NEXT, MM_ROB_NONE);
	/* A share of the users, rounded up. */
	world_set(&w, "min_tested", "15%");
	for (size_t i = 0; i < 10; i++) {
		w.hosts[i].users = 1;
		w.hosts[i].tested = w.hosts[i].verified = i < 1;
	}
	world_expect(&w, MM_ROA_PAUSE, MM_ROB_TESTED);
	w.hosts[1].tested = w.hosts[1].verified = 1;
	world_expect(&w, MM_ROA_NEXT, MM_ROB_NONE);
	world_drop(&w);
}

static void test_approval(void **state)
{
	struct world w = MAKE(2, 2, 2);

	(void)state;
	world_set(&w, "approve", "yes");
	world_land(&w, 0, 2, MM_RH_OK);
	w.now.state = MM_RO_BAKING;
	w.now.bake_since = T0 - 600;
	world_expect(&w, MM_ROA_PAUSE, MM_ROB_APPROVAL);
	assert_string_equal(w.d.text, "wave 2 of 3 waits for an approval");
	w.now.approved = 0;
	world_expect(&w, MM_ROA_NEXT, MM_ROB_NONE);
	/* It is for this wave, not for all that follow. */
	w.now.wave = 1;
	world_land(&w, 2, 2, MM_RH_OK);
	world_expect(&w, MM_ROA_PAUSE, MM_ROB_APPROVAL);
	/* It lets an inconclusive wave pass, and no budget. */
	w.now.approved = 1;
	world_land(&w, 2, 2, MM_RH_UNREACHABLE);
	w.hosts[2].next_try = w.hosts[3].next_try = T0 + 60;
	world_expect(&w, MM_ROA_NEXT, MM_ROB_NONE);
	world_land(&w, 2, 2, MM_RH_FAILED);
	world_expect(&w, MM_ROA_HALT, MM_ROB_BUDGET);
	world_drop(&w);
}

static void test_superseded(void **state)
{
	struct world w = MAKE(4, 4, 4);
	struct mm_ro_count c;

	(void)state;
	world_set(&w, "bake", "0");
	world_land(&w, 0, 3, MM_RH_SUPERSEDED);
	world_land(&w, 3, 1, MM_RH_OK);
	mm_ro_count(w.hosts, w.n, 0, &c);
	assert_int_equal(c.hosts, 1);
	assert_int_equal(c.by[MM_RH_SUPERSEDED], 3);
	world_expect(&w, MM_ROA_NEXT, MM_ROB_NONE);
	/* A wave of which nobody is left has nothing to prove. */
	world_land(&w, 3, 1, MM_RH_SUPERSEDED);
	world_expect(&w, MM_ROA_NEXT, MM_ROB_NONE);
	world_land(&w, 4, 8, MM_RH_SUPERSEDED);
	w.now.wave = 2;
	world_expect(&w, MM_ROA_DONE, MM_ROB_NONE);
	world_drop(&w);
}

/* ---- the late lane */

static void test_late(void **state)
{
	struct world w = MAKE(10, 10);

	(void)state;
	world_set(&w, "bake", "0");
	w.now.wave = 1;
	world_land(&w, 0, 9, MM_RH_OK);
	world_land(&w, 9, 1, MM_RH_LATE);
	w.hosts[9].late = true;
	w.hosts[9].next_try = T0 + 100;
	world_land(&w, 10, 10, MM_RH_OK);
	/* It does not hold up the end. */
	world_expect(&w, MM_ROA_DONE, MM_ROB_NONE);
	assert_string_equal(
	    w.d.text, "19 of 20 hosts have answered, 1 not reached yet; 19 of 19 tested users verified");
	w.now.state = MM_RO_DONE;
	world_expect(&w, MM_ROA_REST, MM_ROB_RETRY);
	assert_int_equal(w.d.until, T0 + 100);
	w.now.now = T0 + 100;
	world_expect(&w, MM_ROA_SEND, MM_ROB_NONE);
	assert_int_equal(w.send[0], 9);
	world_land(&w, 9, 1, MM_RH_SENT);
	world_expect(&w, MM_ROA_WAIT, MM_ROB_FLIGHT);
	world_land(&w, 9, 1, MM_RH_OK);
	world_expect(&w, MM_ROA_REST, MM_ROB_NONE);
	assert_int_equal(w.d.until, 0);
	world_drop(&w);
}

/* In flight or failing, a late host is none of the present wave's business. */
static void test_late_is_counted_apart(void **state)
{
	struct world w = MAKE(10, 10, 1);
	struct mm_ro_count c;

	(void)state;
	world_set(&w, "bake", "0");
	world_set(&w, "failed", "0/1");
	w.now.wave = 1;
	world_land(&w, 0, 10, MM_RH_OK);
	w.hosts[0].late = w.hosts[1].late = true;
	world_land(&w, 0, 1, MM_RH_SENT);
	world_land(&w, 10, 10, MM_RH_OK);
	world_expect(&w, MM_ROA_NEXT, MM_ROB_NONE);
	world_land(&w, 0, 1, MM_RH_FAILED);
	mm_ro_count(w.hosts, w.n, 0, &c);
	assert_int_equal(c.burnt[MM_BUDGET_FAILED], 0);
	assert_int_equal(c.answered, 8);
	assert_int_equal(c.late, 2);
	world_expect(&w, MM_ROA_NEXT, MM_ROB_NONE);
	world_land(&w, 1, 1, MM_RH_FAILED);
	world_expect(&w, MM_ROA_HALT, MM_ROB_BUDGET);
	/* Also after the end. */
	world_land(&w, 20, 1, MM_RH_OK);
	w.now.wave = 2;
	w.now.state = MM_RO_DONE;
	world_expect(&w, MM_ROA_HALT, MM_ROB_BUDGET);
	world_drop(&w);
}

/* ---- states in which nothing new is sent */

static void test_rest(void **state)
{
	static const enum mm_ro_state states[] = {
	    MM_RO_PAUSED, MM_RO_HALTED, MM_RO_ABORTED, MM_RO_SUPERSEDED};
	struct world w = MAKE(4, 4);

	(void)state;
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		w.now.state = states[i];
		world_land(&w, 0, 3, MM_RH_FAILED);
		world_land(&w, 3, 1, MM_RH_RELEASED);
		world_expect(&w, MM_ROA_REST, MM_ROB_NONE);
		assert_int_equal(w.d.n_send, 0);
		/* What is in flight lands. */
		world_land(&w, 3, 1, MM_RH_SENT);
		world_expect(&w, MM_ROA_WAIT, MM_ROB_FLIGHT);
	}
	world_drop(&w);
}

static void test_retry_of_an_earlier_wave(void **state)
{
	struct world w = MAKE(2, 2);

	(void)state;
	world_set(&w, "bake", "0");
	w.now.wave = 1;
	world_land(&w, 0, 4, MM_RH_OK);
	w.hosts[1].state = MM_RH_RELEASED;
	w.hosts[1].not_before = 100;
	world_expect(&w, MM_ROA_SEND, MM_ROB_NONE);
	assert_int_equal(w.send[0], 1);
	world_land(&w, 1, 1, MM_RH_SENT);
	world_expect(&w, MM_ROA_WAIT, MM_ROB_FLIGHT);
	world_land(&w, 1, 1, MM_RH_OK);
	world_expect(&w, MM_ROA_DONE, MM_ROB_NONE);
	world_drop(&w);
}

static void test_last_wave(void **state)
{
	struct world w = MAKE(10);

	(void)state;
	/* No bake, no approval: nothing waits for them. */
	world_set(&w, "approve", "yes");
	world_set(&w, "login", "any");
	world_land(&w, 0, 10, MM_RH_UNREACHABLE);
	for (size_t i = 0; i < 10; i++)
		w.hosts[i].next_try = T0 + 60;
	world_expect(&w, MM_ROA_DONE, MM_ROB_NONE);
	world_land(&w, 0, 10, MM_RH_LOGIN);
	world_expect(&w, MM_ROA_HALT, MM_ROB_GATE);
	world_drop(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_window),
	    cmocka_unit_test(test_order),
	    cmocka_unit_test(test_jitter),
	    cmocka_unit_test(test_hours),
	    cmocka_unit_test(test_rate),
	    cmocka_unit_test(test_budgets_at_n_and_one_more),
	    cmocka_unit_test(test_unreachable_burns_only_its_own),
	    cmocka_unit_test(test_bake),
	    cmocka_unit_test(test_gate),
	    cmocka_unit_test(test_min_tested),
	    cmocka_unit_test(test_approval),
	    cmocka_unit_test(test_superseded),
	    cmocka_unit_test(test_late),
	    cmocka_unit_test(test_late_is_counted_apart),
	    cmocka_unit_test(test_rest),
	    cmocka_unit_test(test_retry_of_an_earlier_wave),
	    cmocka_unit_test(test_last_wave),
	};

	assert_int_equal(setenv("TZ", "UTC0", 1), 0);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
