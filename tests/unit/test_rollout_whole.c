/*
 * Whole rollouts, in fleets that are simulated here: machines that are off,
 * that fail, that come late.
 */
#include "rollout_world.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/mem.h"
#include "controller/rollout/assign.h"

#define MANY 20000

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

	world_land(w, i, 1, d < s->failing ? MM_RH_FAILED : off ? MM_RH_UNREACHABLE : MM_RH_OK);
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

	switch (world_ask(w)) {
	case MM_ROA_SEND:
		for (size_t i = 0; i < w->d.n_send; i++) {
			world_land(w, w->send[i], 1, MM_RH_SENT);
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
	s.w = world_make(p.sizes);
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
		world_drop(&s.w);
	}
}

/* Machines that are off get it when they appear; all others once. */
static void test_late_ones_catch_up(void **state)
{
	struct sim s = make_sim(1000, "late");

	(void)state;
	s.off = 30;
	s.comes = T0 + 5 * 86400;
	world_set(&s.w, "min_reported", "1");
	run(&s);
	assert_int_equal(s.w.now.state, MM_RO_DONE);
	for (size_t i = 0; i < s.w.n; i++) {
		assert_int_equal(s.w.hosts[i].state, MM_RH_OK);
		assert_true(s.w.hosts[i].late == (dice(&s, i) < 30));
		assert_true(s.w.hosts[i].late ? s.sends[i] > 1 : s.sends[i] == 1);
	}
	world_drop(&s.w);
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
		world_set(&s.w, "min_tested", "0");
		world_set(&s.w, "min_reported", "0");
		world_set(&s.w, "gate", "0");
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
		world_drop(&s.w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_all_well),
	    cmocka_unit_test(test_late_ones_catch_up), cmocka_unit_test(test_worst_case_holds)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
