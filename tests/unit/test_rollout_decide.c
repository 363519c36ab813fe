/*
 * What a rollout does next: each rule by itself, each budget at N and N + 1,
 * and whole rollouts of fleets with machines that are off, that fail and that
 * come late.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "common/mem.h"
#include "controller/rollout/assign.h"
#include "controller/rollout/decide.h"

#define T0 1800000000 /* a Friday, 08:00 UTC */
#define MANY 20000

struct world {
	struct mm_ro_terms t;
	struct mm_ro_now now;
	struct mm_ro_host *hosts;
	size_t n;
	size_t *send;
	struct mm_ro_decision d;
};

/* `sizes` ends with 0; wave 0 is released. */
static struct world make(const int64_t *sizes)
{
	struct world w = {.now = {.now = T0, .wave_since = T0, .approved = -1}};
	size_t at = 0;

	mm_ro_terms_default(&w.t);
	for (; sizes[w.now.n_waves] > 0; w.now.n_waves++)
		w.n += (size_t)sizes[w.now.n_waves];
	w.hosts = mm_xcalloc(w.n, sizeof(*w.hosts));
	w.send = mm_xcalloc(w.n, sizeof(*w.send));
	for (int64_t i = 0; i < w.now.n_waves; i++)
		for (int64_t k = 0; k < sizes[i]; k++, at++)
			w.hosts[at] = (struct mm_ro_host){
			    .wave = i, .rank = (int64_t)at, .state = i == 0 ? MM_RH_RELEASED : MM_RH_WAITING};
	return w;
}

#define MAKE(...) make((const int64_t[]){__VA_ARGS__, 0})

static void drop(struct world *w)
{
	free(w->hosts);
	free(w->send);
}

static void set(struct world *w, const char *name, const char *value)
{
	struct mm_err err = MM_ERR_NONE;

	if (mm_ro_terms_set(&w->t, name, value, &err) != 0)
		fail_msg("%s", err.text);
}

static enum mm_ro_act ask(struct world *w)
{
	mm_ro_decide(&w->t, &w->now, w->hosts, w->n, w->send, w->n, &w->d);
	assert_true(*w->d.text != '\0');
	return w->d.act;
}

static void expect(struct world *w, enum mm_ro_act act, enum mm_ro_because because)
{
	if (ask(w) != act || w->d.because != because)
		fail_msg("act %d (%s) \"%s\"", w->d.act, mm_ro_because_name(w->d.because), w->d.text);
}

/* So many hosts from `from` on end like this, with one user each whose login passed if it is ok. */
static void land(struct world *w, size_t from, size_t n, enum mm_rh_state state)
{
	for (size_t i = from; i < from + n; i++) {
		struct mm_ro_host *h = &w->hosts[i];

		h->state = state;
		h->sent = w->now.now;
		if (!mm_rh_answered(state))
			continue;
		h->users = 1;
		h->tested = state != MM_RH_FAILED;
		h->verified = state == MM_RH_OK;
	}
}

/* ---- sending */

static void test_window(void **state)
{
	struct world w = MAKE(10, 5);

	(void)state;
	set(&w, "window", "4");
	expect(&w, MM_ROA_SEND, MM_ROB_NONE);
	assert_int_equal(w.d.n_send, 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(w.send[i], i);
	land(&w, 0, 4, MM_RH_SENT);
	expect(&w, MM_ROA_WAIT, MM_ROB_FLIGHT);
	assert_int_equal(w.d.until, 0);
	land(&w, 1, 1, MM_RH_OK);
	expect(&w, MM_ROA_SEND, MM_ROB_NONE);
	assert_int_equal(w.d.n_send, 1);
	assert_int_equal(w.send[0], 4);
	/* The caller may take fewer. */
	land(&w, 0, 4, MM_RH_OK);
	mm_ro_decide(&w.t, &w.now, w.hosts, w.n, w.send, 2, &w.d);
	assert_int_equal(w.d.n_send, 2);
	drop(&w);
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
	expect(&w, MM_ROA_SEND, MM_ROB_NONE);
	assert_int_equal(w.d.n_send, 6);
	static const size_t want[] = {3, 2, 1, 0, 4, 5};
	assert_memory_equal(w.send, want, sizeof(want));
	drop(&w);
}

static void test_jitter(void **state)
{
	struct world w = MAKE(3, 1);

	(void)state;
	w.hosts[0].not_before = 10;
	w.hosts[1].not_before = 5;
	w.hosts[2].not_before = 5;
	expect(&w, MM_ROA_WAIT, MM_ROB_JITTER);
	assert_int_equal(w.d.until, T0 + 5);
	w.now.now = T0 + 5;
	expect(&w, MM_ROA_SEND, MM_ROB_NONE);
	assert_int_equal(w.d.n_send, 2);
	land(&w, 1, 2, MM_RH_OK);
	expect(&w, MM_ROA_WAIT, MM_ROB_JITTER);
	assert_int_equal(w.d.until, T0 + 10);
	drop(&w);
}

static void test_hours(void **state)
{
	struct world w = MAKE(2, 1);

	(void)state;
	set(&w, "hours", "20:00-22:00");
	set(&w, "bake", "0");
	expect(&w, MM_ROA_WAIT, MM_ROB_HOURS);
	assert_int_equal(w.d.until, T0 + 12 * 3600);
	w.now.now = T0 + 12 * 3600;
	expect(&w, MM_ROA_SEND, MM_ROB_NONE);
	land(&w, 0, 2, MM_RH_OK);
	expect(&w, MM_ROA_NEXT, MM_ROB_NONE);
	/* A wave is not opened at other times either: its hosts might fetch it. */
	w.now.now = T0 + 14 * 3600;
	expect(&w, MM_ROA_WAIT, MM_ROB_HOURS);
	assert_int_equal(w.d.until, T0 + 36 * 3600);
	/* A halt is said at any time. */
	land(&w, 0, 2, MM_RH_FAILED);
	expect(&w, MM_ROA_HALT, MM_ROB_BUDGET);
	drop(&w);
}

static void test_rate(void **state)
{
	static const struct mm_ro_load three = {.server = 1, .logins = 3}, big = {.server = 0, .logins = 50};
	struct world w = MAKE(6, 1);

	(void)state;
	set(&w, "rate", "7");
	w.now.n_servers = 2;
	for (size_t i = 0; i < 5; i++) {
		w.hosts[i].loads = &three;
		w.hosts[i].n_loads = 1;
	}
	/* One host alone is more than the rate: it goes while its server is idle. */
	w.hosts[5].loads = &big;
	w.hosts[5].n_loads = 1;
	expect(&w, MM_ROA_SEND, MM_ROB_NONE);
	assert_int_equal(w.d.n_send, 3);
	static const size_t want[] = {0, 1, 5};
	assert_memory_equal(w.send, want, sizeof(want));
	land(&w, 0, 2, MM_RH_OK);
	land(&w, 5, 1, MM_RH_OK);
	w.hosts[1].sent = T0 + 20;
	w.now.now = T0 + 30;
	expect(&w, MM_ROA_WAIT, MM_ROB_RATE);
	assert_int_equal(w.d.until, T0 + 60);
	w.now.now = T0 + 60;
	expect(&w, MM_ROA_SEND, MM_ROB_NONE);
	assert_int_equal(w.d.n_send, 1);
	assert_int_equal(w.send[0], 2);
	drop(&w);
}

/* ---- budgets */

static void budget_at(const char *name, enum mm_rh_state state, bool total)
{
	/* 100 hosts in the wave and 1000 in all: 3 % of one, 2.5 % of the other. */
	struct world w = MAKE(100, 100, 800);
	size_t allowed = total ? 25 : 3;
	size_t begin = total ? 0 : 100;

	for (int b = 0; b < MM_BUDGET_COUNT; b++)
		set(&w, mm_budget_name((enum mm_budget)b), "any");
	set(&w, name, total ? "any/2.5%" : "3%/any");
	set(&w, "gate", "0");
	w.now.wave = 1;
	land(&w, 0, 100, MM_RH_OK);
	for (size_t i = 100; i < 200; i++)
		w.hosts[i].state = MM_RH_RELEASED;
	land(&w, begin, allowed, state);
	for (size_t i = begin; i < begin + allowed; i++)
		w.hosts[i].next_try = T0 + 3600;
	expect(&w, MM_ROA_SEND, MM_ROB_NONE);
	land(&w, begin + allowed, 1, state);
	expect(&w, MM_ROA_HALT, MM_ROB_BUDGET);
	assert_string_equal(mm_budget_name(w.d.budget), name);
	assert_non_null(strstr(w.d.text, name));
	assert_non_null(strstr(w.d.text, total ? "26 of 1000 hosts" : "4 of 100 hosts"));
	assert_non_null(
	    strstr(w.d.text, total ? "25 are allowed in the whole rollout" : "3 are allowed in a wave"));
	/* A resume forgives. */
	w.hosts[begin].forgiven = true;
	expect(&w, MM_ROA_SEND, MM_ROB_NONE);
	drop(&w);
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
	set(&w, "failed", "3/any");
	w.now.wave = 1;
	land(&w, 0, 50, MM_RH_FAILED);
	land(&w, 100, 3, MM_RH_FAILED);
	w.hosts[150].state = MM_RH_RELEASED;
	expect(&w, MM_ROA_SEND, MM_ROB_NONE);
	drop(&w);
}

/* No budget is eaten by machines that are off, and no other number either. */
static void test_unreachable_burns_only_its_own(void **state)
{
	struct world w = MAKE(10, 90);

	(void)state;
	set(&w, "failed", "0");
	set(&w, "login", "0");
	set(&w, "bake", "0");
	land(&w, 0, 6, MM_RH_UNREACHABLE);
	land(&w, 6, 4, MM_RH_OK);
	for (size_t i = 0; i < 6; i++)
		w.hosts[i].next_try = T0 + 60;
	expect(&w, MM_ROA_PAUSE, MM_ROB_REPORTED);
	assert_string_equal(w.d.text, "inconclusive: 4 of 10 hosts of wave 1 have answered, 5 are wanted");
	land(&w, 0, 1, MM_RH_OK);
	expect(&w, MM_ROA_NEXT, MM_ROB_NONE);
	/* All of them failing burns nothing of unreachable. */
	set(&w, "unreachable", "0");
	set(&w, "failed", "any");
	set(&w, "gate", "0");
	land(&w, 0, 10, MM_RH_FAILED);
	set(&w, "min_tested", "0");
	expect(&w, MM_ROA_NEXT, MM_ROB_NONE);
	drop(&w);
}

/* ---- the end of a wave */

static void test_bake(void **state)
{
	struct world w = MAKE(4, 4);

	(void)state;
	land(&w, 0, 3, MM_RH_OK);
	land(&w, 3, 1, MM_RH_UNREACHABLE);
	w.hosts[3].next_try = T0 + 60;
	expect(&w, MM_ROA_BAKE, MM_ROB_BAKE);
	w.now.state = MM_RO_BAKING;
	w.now.bake_since = T0;
	/* Who is off is tried again meanwhile. */
	expect(&w, MM_ROA_WAIT, MM_ROB_RETRY);
	assert_int_equal(w.d.until, T0 + 60);
	w.now.now = T0 + 60;
	expect(&w, MM_ROA_SEND, MM_ROB_NONE);
	assert_int_equal(w.send[0], 3);
	land(&w, 3, 1, MM_RH_SENT);
	expect(&w, MM_ROA_WAIT, MM_ROB_FLIGHT);
	land(&w, 3, 1, MM_RH_UNREACHABLE);
	w.hosts[3].next_try = T0 + 1000;
	expect(&w, MM_ROA_WAIT, MM_ROB_BAKE);
	assert_int_equal(w.d.until, T0 + 600);
	w.now.now = T0 + 599;
	expect(&w, MM_ROA_WAIT, MM_ROB_BAKE);
	w.now.now = T0 + 600;
	expect(&w, MM_ROA_NEXT, MM_ROB_NONE);
	assert_int_equal(w.d.wave, 1);
	/* What is in flight at the end of the time lands first. */
	land(&w, 3, 1, MM_RH_SENT);
	expect(&w, MM_ROA_WAIT, MM_ROB_FLIGHT);
	drop(&w);
}

/* A gate of 90 % at the very number, and one below. */
static void test_gate(void **state)
{
	struct world w = MAKE(20, 20);

	(void)state;
	set(&w, "bake", "0");
	set(&w, "gate", "90%");
	set(&w, "login", "any");
	land(&w, 0, 18, MM_RH_OK);
	land(&w, 18, 2, MM_RH_LOGIN);
	expect(&w, MM_ROA_NEXT, MM_ROB_NONE);
	land(&w, 17, 1, MM_RH_LOGIN);
	expect(&w, MM_ROA_HALT, MM_ROB_GATE);
	assert_string_equal(w.d.text, "gate: 17 of 20 tested users of wave 1 are verified, 90% are wanted");
	/* Users whose login was not tested neither pass nor fail. */
	for (size_t i = 0; i < 20; i++)
		w.hosts[i].users = 10;
	assert_int_equal(ask(&w), MM_ROA_HALT);
	w.hosts[17].tested = 0;
	expect(&w, MM_ROA_HALT, MM_ROB_GATE);
	w.hosts[18].tested = 0;
	w.hosts[19].tested = 0;
	expect(&w, MM_ROA_NEXT, MM_ROB_NONE);
	drop(&w);
}

static void test_min_tested(void **state)
{
	struct world w = MAKE(10, 10);

	(void)state;
	set(&w, "bake", "0");
	set(&w, "min_tested", "4");
	land(&w, 0, 10, MM_RH_OK);
	for (size_t i = 0; i < 10; i++)
		w.hosts[i].tested = w.hosts[i].verified = i < 3;
	expect(&w, MM_ROA_PAUSE, MM_ROB_TESTED);
	assert_string_equal(
	    w.d.text, "inconclusive: the logins of 3 of 10 users of wave 1 were tested, 4 are wanted");
	w.hosts[3].tested = w.hosts[3].verified = 1;
	expect(&w, MM_ROA_NEXT, MM_ROB_NONE);
	/* No more can be asked than there are users ... */
	set(&w, "min_tested", "50");
	expect(&w, MM_ROA_PAUSE, MM_ROB_TESTED);
	for (size_t i = 0; i < 10; i++)
		w.hosts[i].users = i < 4;
	expect(&w, MM_ROA_NEXT, MM_ROB_NONE);
	/* ... but nobody at all proves nothing. */
	for (size_t i = 0; i < 10; i++)
		w.hosts[i].users = w.hosts[i].tested = w.hosts[i].verified = 0;
	expect(&w, MM_ROA_PAUSE, MM_ROB_TESTED);
	set(&w, "min_tested", "0");
	expect(&w, MM_ROA_NEXT, MM_ROB_NONE);
	/* A share of the users, rounded up. */
	set(&w, "min_tested", "15%");
	for (size_t i = 0; i < 10; i++) {
		w.hosts[i].users = 1;
		w.hosts[i].tested = w.hosts[i].verified = i < 1;
	}
	expect(&w, MM_ROA_PAUSE, MM_ROB_TESTED);
	w.hosts[1].tested = w.hosts[1].verified = 1;
	expect(&w, MM_ROA_NEXT, MM_ROB_NONE);
	drop(&w);
}

static void test_approval(void **state)
{
	struct world w = MAKE(2, 2, 2);

	(void)state;
	set(&w, "approve", "yes");
	land(&w, 0, 2, MM_RH_OK);
	w.now.state = MM_RO_BAKING;
	w.now.bake_since = T0 - 600;
	expect(&w, MM_ROA_PAUSE, MM_ROB_APPROVAL);
	assert_string_equal(w.d.text, "wave 2 of 3 waits for an approval");
	w.now.approved = 0;
	expect(&w, MM_ROA_NEXT, MM_ROB_NONE);
	/* It is for this wave, not for all that follow. */
	w.now.wave = 1;
	land(&w, 2, 2, MM_RH_OK);
	expect(&w, MM_ROA_PAUSE, MM_ROB_APPROVAL);
	/* It lets an inconclusive wave pass, and no budget. */
	w.now.approved = 1;
	land(&w, 2, 2, MM_RH_UNREACHABLE);
	w.hosts[2].next_try = w.hosts[3].next_try = T0 + 60;
	expect(&w, MM_ROA_NEXT, MM_ROB_NONE);
	land(&w, 2, 2, MM_RH_FAILED);
	expect(&w, MM_ROA_HALT, MM_ROB_BUDGET);
	drop(&w);
}

static void test_superseded(void **state)
{
	struct world w = MAKE(4, 4, 4);
	struct mm_ro_count c;

	(void)state;
	set(&w, "bake", "0");
	land(&w, 0, 3, MM_RH_SUPERSEDED);
	land(&w, 3, 1, MM_RH_OK);
	mm_ro_count(w.hosts, w.n, 0, &c);
	assert_int_equal(c.hosts, 1);
	assert_int_equal(c.by[MM_RH_SUPERSEDED], 3);
	expect(&w, MM_ROA_NEXT, MM_ROB_NONE);
	/* A wave of which nobody is left has nothing to prove. */
	land(&w, 3, 1, MM_RH_SUPERSEDED);
	expect(&w, MM_ROA_NEXT, MM_ROB_NONE);
	land(&w, 4, 8, MM_RH_SUPERSEDED);
	w.now.wave = 2;
	expect(&w, MM_ROA_DONE, MM_ROB_NONE);
	drop(&w);
}

/* ---- the late lane */

static void test_late(void **state)
{
	struct world w = MAKE(10, 10);

	(void)state;
	set(&w, "bake", "0");
	w.now.wave = 1;
	land(&w, 0, 9, MM_RH_OK);
	land(&w, 9, 1, MM_RH_LATE);
	w.hosts[9].late = true;
	w.hosts[9].next_try = T0 + 100;
	land(&w, 10, 10, MM_RH_OK);
	/* It does not hold up the end. */
	expect(&w, MM_ROA_DONE, MM_ROB_NONE);
	assert_string_equal(
	    w.d.text, "19 of 20 hosts have answered, 1 not reached yet; 19 of 19 tested users verified");
	w.now.state = MM_RO_DONE;
	expect(&w, MM_ROA_REST, MM_ROB_RETRY);
	assert_int_equal(w.d.until, T0 + 100);
	w.now.now = T0 + 100;
	expect(&w, MM_ROA_SEND, MM_ROB_NONE);
	assert_int_equal(w.send[0], 9);
	land(&w, 9, 1, MM_RH_SENT);
	expect(&w, MM_ROA_WAIT, MM_ROB_FLIGHT);
	land(&w, 9, 1, MM_RH_OK);
	expect(&w, MM_ROA_REST, MM_ROB_NONE);
	assert_int_equal(w.d.until, 0);
	drop(&w);
}

/* In flight or failing, a late host is none of the present wave's business. */
static void test_late_is_counted_apart(void **state)
{
	struct world w = MAKE(10, 10, 1);
	struct mm_ro_count c;

	(void)state;
	set(&w, "bake", "0");
	set(&w, "failed", "0/1");
	w.now.wave = 1;
	land(&w, 0, 10, MM_RH_OK);
	w.hosts[0].late = w.hosts[1].late = true;
	land(&w, 0, 1, MM_RH_SENT);
	land(&w, 10, 10, MM_RH_OK);
	expect(&w, MM_ROA_NEXT, MM_ROB_NONE);
	land(&w, 0, 1, MM_RH_FAILED);
	mm_ro_count(w.hosts, w.n, 0, &c);
	assert_int_equal(c.burnt[MM_BUDGET_FAILED], 0);
	assert_int_equal(c.answered, 8);
	assert_int_equal(c.late, 2);
	expect(&w, MM_ROA_NEXT, MM_ROB_NONE);
	land(&w, 1, 1, MM_RH_FAILED);
	expect(&w, MM_ROA_HALT, MM_ROB_BUDGET);
	/* Also after the end. */
	land(&w, 20, 1, MM_RH_OK);
	w.now.wave = 2;
	w.now.state = MM_RO_DONE;
	expect(&w, MM_ROA_HALT, MM_ROB_BUDGET);
	drop(&w);
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
		land(&w, 0, 3, MM_RH_FAILED);
		land(&w, 3, 1, MM_RH_RELEASED);
		expect(&w, MM_ROA_REST, MM_ROB_NONE);
		assert_int_equal(w.d.n_send, 0);
		/* What is in flight lands. */
		land(&w, 3, 1, MM_RH_SENT);
		expect(&w, MM_ROA_WAIT, MM_ROB_FLIGHT);
	}
	drop(&w);
}

static void test_retry_of_an_earlier_wave(void **state)
{
	struct world w = MAKE(2, 2);

	(void)state;
	set(&w, "bake", "0");
	w.now.wave = 1;
	land(&w, 0, 4, MM_RH_OK);
	w.hosts[1].state = MM_RH_RELEASED;
	w.hosts[1].not_before = 100;
	expect(&w, MM_ROA_SEND, MM_ROB_NONE);
	assert_int_equal(w.send[0], 1);
	land(&w, 1, 1, MM_RH_SENT);
	expect(&w, MM_ROA_WAIT, MM_ROB_FLIGHT);
	land(&w, 1, 1, MM_RH_OK);
	expect(&w, MM_ROA_DONE, MM_ROB_NONE);
	drop(&w);
}

static void test_last_wave(void **state)
{
	struct world w = MAKE(10);

	(void)state;
	/* No bake, no approval: nothing waits for them. */
	set(&w, "approve", "yes");
	set(&w, "login", "any");
	land(&w, 0, 10, MM_RH_UNREACHABLE);
	for (size_t i = 0; i < 10; i++)
		w.hosts[i].next_try = T0 + 60;
	expect(&w, MM_ROA_DONE, MM_ROB_NONE);
	land(&w, 0, 10, MM_RH_LOGIN);
	expect(&w, MM_ROA_HALT, MM_ROB_GATE);
	drop(&w);
}

/* ---- whole rollouts, in a fleet that is simulated here */

struct sim {
	struct world w;
	const char *seed;
	int64_t failing, off, comes; /* of a hundred; off ones come back at `comes` */
	int64_t most_in_flight, sent_after_halt, sends[MANY];
	int64_t burnt_at_halt;
};

static int64_t dice(const struct sim *s, size_t i)
{
	char name[32];

	snprintf(name, sizeof(name), "%zu", i);
	return (int64_t)(mm_ro_hash(s->seed, name) % 100);
}

static void land_one(struct sim *s, size_t i)
{
	struct world *w = &s->w;
	int64_t d = dice(s, i);
	bool off = d >= s->failing && d < s->failing + s->off && w->now.now < s->comes;

	land(w, i, 1, d < s->failing ? MM_RH_FAILED : off ? MM_RH_UNREACHABLE : MM_RH_OK);
	if (off) {
		w->hosts[i].state = w->hosts[i].late ? MM_RH_LATE : MM_RH_UNREACHABLE;
		w->hosts[i].next_try = w->now.now + mm_ro_retry_after(s->seed, "x", ++w->hosts[i].tries);
	}
}

/* About a third of what is in flight lands; false: nothing is. */
static bool land_some(struct sim *s)
{
	int64_t flight = 0, landed = 0;

	for (size_t i = 0; i < s->w.n; i++)
		flight += s->w.hosts[i].state == MM_RH_SENT;
	if (flight > s->most_in_flight)
		s->most_in_flight = flight;
	for (size_t i = 0; i < s->w.n && landed * 3 < flight; i++)
		if (s->w.hosts[i].state == MM_RH_SENT) {
			land_one(s, i);
			landed++;
		}
	return flight > 0;
}

static void open_next(struct world *w, bool last)
{
	for (size_t i = 0; i < w->n; i++) {
		struct mm_ro_host *h = &w->hosts[i];

		if (h->state == MM_RH_UNREACHABLE) {
			h->state = MM_RH_LATE;
			h->late = true;
		}
		if (!last && h->state == MM_RH_WAITING && h->wave == w->now.wave + 1)
			h->state = MM_RH_RELEASED;
	}
	if (last)
		return;
	w->now.wave++;
	w->now.wave_since = w->now.now;
	w->now.state = MM_RO_RUNNING;
}

/* One decision carried out; false at rest. */
static bool turn(struct sim *s)
{
	struct world *w = &s->w;

	switch (ask(w)) {
	case MM_ROA_SEND:
		for (size_t i = 0; i < w->d.n_send; i++) {
			land(w, w->send[i], 1, MM_RH_SENT);
			s->sends[w->send[i]]++;
		}
		return true;
	case MM_ROA_WAIT:
		/* What lands is looked at before the time is up. */
		if (land_some(s)) {
			w->now.now++;
			return true;
		}
		assert_true(w->d.until > w->now.now);
		w->now.now = w->d.until;
		return true;
	case MM_ROA_BAKE:
		w->now.state = MM_RO_BAKING;
		w->now.bake_since = w->now.now;
		return true;
	case MM_ROA_NEXT:
		assert_int_equal(w->d.wave, w->now.wave + 1);
		open_next(w, false);
		return true;
	case MM_ROA_DONE:
		open_next(w, true);
		w->now.state = MM_RO_DONE;
		return true;
	case MM_ROA_HALT:
		w->now.state = MM_RO_HALTED;
		return true;
	case MM_ROA_PAUSE:
		w->now.state = MM_RO_PAUSED;
		return true;
	case MM_ROA_REST:
		if (w->d.until == 0)
			return false;
		w->now.now = w->d.until;
		return true;
	}
	return false;
}

static void run(struct sim *s)
{
	for (int i = 0; i < 1000000; i++)
		if (!turn(s))
			return;
	fail_msg("no end: %s", s->w.d.text);
}

static struct sim make_sim(size_t n, const char *seed)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_ro_candidate *c = mm_arena_alloc(a, n, sizeof(*c));
	struct sim s = {.seed = seed};
	struct mm_ro_terms t;
	struct mm_ro_plan p;

	mm_ro_terms_default(&t);
	for (size_t i = 0; i < n; i++)
		c[i].id = mm_arena_printf(a, "%zu", i);
	mm_ro_assign(&t, seed, c, n, a, &p);
	s.w = make(p.sizes);
	/* In the order of the inventory, not of the waves. */
	for (size_t i = 0; i < n; i++)
		s.w.hosts[i] = (struct mm_ro_host){.wave = c[i].wave,
		    .rank = c[i].rank,
		    .state = c[i].wave == 0 ? MM_RH_RELEASED : MM_RH_WAITING};
	mm_arena_free(a);
	return s;
}

static void test_all_well(void **state)
{
	static const size_t sizes[] = {1, 2, 10, 100, 1000, MANY};

	(void)state;
	for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		struct sim s = make_sim(sizes[k], "well");

		run(&s);
		assert_int_equal(s.w.now.state, MM_RO_DONE);
		assert_true(s.most_in_flight <= 100);
		for (size_t i = 0; i < s.w.n; i++) {
			assert_int_equal(s.w.hosts[i].state, MM_RH_OK);
			assert_int_equal(s.sends[i], 1);
		}
		drop(&s.w);
	}
}

/* Machines that are off get it when they appear; all others once. */
static void test_late_ones_catch_up(void **state)
{
	struct sim s = make_sim(1000, "late");

	(void)state;
	s.off = 30;
	s.comes = T0 + 5 * 86400;
	set(&s.w, "min_reported", "1");
	run(&s);
	assert_int_equal(s.w.now.state, MM_RO_DONE);
	for (size_t i = 0; i < s.w.n; i++) {
		assert_int_equal(s.w.hosts[i].state, MM_RH_OK);
		assert_true(s.w.hosts[i].late == (dice(&s, i) < 30));
		assert_true(s.w.hosts[i].late ? s.sends[i] > 1 : s.sends[i] == 1);
	}
	drop(&s.w);
}

/* It stops within budget + window, whatever the fleet, and sends nothing after it. */
static void test_worst_case_holds(void **state)
{
	static const size_t sizes[] = {10, 100, 1000, 5000};
	char seed[16];

	(void)state;
	for (size_t k = 0; k < 40; k++) {
		size_t n = sizes[k % 4];
		struct mm_ro_count c;
		int64_t allowed, window = k % 3 == 0 ? 1 : 30, sent = 0;

		snprintf(seed, sizeof(seed), "bad%zu", k);
		struct sim s = make_sim(n, seed);
		s.failing = 10 + (int64_t)(k % 5) * 20;
		s.off = 5;
		s.comes = INT64_MAX;
		s.w.t.window = window;
		set(&s.w, "min_tested", "0");
		set(&s.w, "min_reported", "0");
		set(&s.w, "gate", "0");
		while (s.w.now.state != MM_RO_HALTED && s.w.now.state != MM_RO_DONE && turn(&s))
			;
		for (size_t i = 0; i < n; i++)
			sent += s.sends[i];
		while (land_some(&s))
			;
		mm_ro_count(s.w.hosts, n, -1, &c);
		allowed = mm_share_of(&s.w.t.budgets[MM_BUDGET_FAILED].total, (int64_t)n);
		assert_true(c.burnt[MM_BUDGET_FAILED] <= allowed + window);
		if (s.w.now.state == MM_RO_HALTED) {
			assert_true(turn(&s) == false);
			for (size_t i = 0; i < n; i++)
				sent -= s.sends[i];
			assert_int_equal(sent, 0);
		} else {
			assert_true(c.burnt[MM_BUDGET_FAILED] <= allowed);
		}
		drop(&s.w);
	}
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
	    cmocka_unit_test(test_all_well),
	    cmocka_unit_test(test_late_ones_catch_up),
	    cmocka_unit_test(test_worst_case_holds),
	};

	assert_int_equal(setenv("TZ", "UTC0", 1), 0);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
