/*
 * Waves: each host exactly once, sizes as the terms say, every combination
 * in wave 0, the same whatever the order of the input; and the worst case.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/rollout/assign.h"

struct fleet {
	struct mm_arena *a;
	struct mm_ro_candidate *hosts;
	size_t n;
	struct mm_ro_terms t;
	struct mm_ro_plan plan;
};

static const struct mm_ro_client clients[] = {
    {"thunderbird", "115"}, {"thunderbird", "128"}, {"mutt", "2.2.9"}, {"evolution", ""}};
static const char *const servers[] = {"imap.a.example", "imap.b.example", "imap.c.example"};
static const char *const systems[] = {"Debian 12", "Debian 11", "Ubuntu 24.04", NULL};

/* A fleet that is uneven, as fleets are: the rarest kind on one host in a thousand. */
static void make_host(struct fleet *f, size_t i)
{
	uint64_t x = mm_ro_hash("make", mm_arena_printf(f->a, "%zu", i));

	f->hosts[i] = (struct mm_ro_candidate){.id = mm_arena_printf(f->a, "host%05zu", i),
	    .os = systems[x % 1000 == 0 ? 2 : x % 7 == 0],
	    .clients = &clients[x % 50 == 0 ? 2 : 0],
	    .n_clients = 1 + (x >> 8) % 2,
	    .servers = &servers[(x >> 16) % 2],
	    .n_servers = 1 + ((x >> 24) % 20 == 0),
	    .last_unreachable = (x >> 32) % 10 == 0};
}

static struct fleet make_fleet(size_t n, const char *waves)
{
	struct fleet f = {.a = mm_arena_new(), .n = n};

	f.hosts = mm_arena_alloc(f.a, n + 1, sizeof(*f.hosts));
	for (size_t i = 0; i < n; i++)
		make_host(&f, i);
	mm_ro_terms_default(&f.t);
	assert_int_equal(mm_ro_terms_set(&f.t, "waves", waves, NULL), 0);
	return f;
}

static void assign(struct fleet *f, const char *seed)
{
	mm_ro_assign(&f->t, seed, f->hosts, f->n, f->a, &f->plan);
}

/* Waves cover all, each host once, ranks are a permutation that goes up with
 * the waves, and who was unreachable comes last in its wave. */
static void check_places(const struct fleet *f)
{
	const struct mm_ro_candidate **by_rank = mm_xcalloc(f->n + 1, sizeof(*by_rank));
	int64_t *sizes = mm_xcalloc(f->plan.n_waves + 1, sizeof(*sizes));
	int64_t total = 0;

	for (size_t i = 0; i < f->n; i++) {
		const struct mm_ro_candidate *h = &f->hosts[i];

		assert_in_range(h->wave, 0, f->plan.n_waves - 1);
		assert_in_range(h->rank, 0, f->n - 1);
		assert_null(by_rank[h->rank]);
		by_rank[h->rank] = h;
		sizes[h->wave]++;
	}
	for (size_t i = 0; i < f->plan.n_waves; i++) {
		assert_int_equal(sizes[i], f->plan.sizes[i]);
		assert_true(sizes[i] > 0);
		total += sizes[i];
	}
	assert_int_equal(total, f->n);
	for (size_t i = 1; i < f->n; i++) {
		assert_true(by_rank[i - 1]->wave <= by_rank[i]->wave);
		if (by_rank[i - 1]->wave == by_rank[i]->wave)
			assert_true(by_rank[i - 1]->last_unreachable <= by_rank[i]->last_unreachable);
	}
	free(by_rank);
	free(sizes);
}

static bool has_client(const struct mm_ro_candidate *h, const struct mm_ro_client *c)
{
	for (size_t i = 0; i < h->n_clients; i++)
		if (strcmp(h->clients[i].name, c->name) == 0 &&
		    strcmp(h->clients[i].version, c->version) == 0)
			return true;
	return false;
}

static bool has_server(const struct mm_ro_candidate *h, const char *s)
{
	for (size_t i = 0; i < h->n_servers; i++)
		if (strcmp(h->servers[i], s) == 0)
			return true;
	return false;
}

static bool holds(const struct mm_ro_candidate *h, size_t c, size_t s, size_t o)
{
	return has_client(h, &clients[c]) && has_server(h, servers[s]) &&
	       strcmp(h->os != NULL ? h->os : "", systems[o] != NULL ? systems[o] : "") == 0;
}

/* By hand, without the numbers that the code under test makes. */
static void check_strata(const struct fleet *f)
{
	int64_t there = 0;

	for (size_t c = 0; c < 4; c++)
		for (size_t s = 0; s < 3; s++)
			for (size_t o = 0; o < 4; o++) {
				bool fleet = false, first = false;

				for (size_t i = 0; i < f->n; i++)
					if (holds(&f->hosts[i], c, s, o)) {
						fleet = true;
						first |= f->hosts[i].wave == 0;
					}
				assert_true(fleet == first);
				there += fleet;
			}
	assert_int_equal(there, f->plan.strata);
}

static void test_properties(void **state)
{
	static const size_t sizes[] = {1, 2, 3, 10, 57, 100, 1000, 20000};
	static const char *const waves[] = {"1,5%,25%,100%", "3", "100%", "10,0.1%,20%", "50%"};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (size_t k = 0; k < sizeof(waves) / sizeof(waves[0]); k++) {
			struct fleet f = make_fleet(sizes[i], waves[k]);

			assign(&f, "seed");
			check_places(&f);
			check_strata(&f);
			mm_arena_free(f.a);
		}
}

static void test_no_hosts(void **state)
{
	struct fleet f = make_fleet(0, "1,100%");

	(void)state;
	assign(&f, "seed");
	assert_int_equal(f.plan.n_waves, 0);
	assert_int_equal(f.plan.hosts, 0);
	assert_string_equal(f.plan.note, "");
	mm_arena_free(f.a);
}

/* Nothing is known of any host: sizes are exactly those of the terms. */
static struct fleet make_unknown(size_t n, const char *waves)
{
	struct fleet f = make_fleet(n, waves);

	for (size_t i = 0; i < n; i++)
		f.hosts[i] = (struct mm_ro_candidate){.id = f.hosts[i].id};
	return f;
}

static void check_sizes(size_t n, const char *waves, size_t n_waves, const int64_t *want)
{
	struct fleet f = make_unknown(n, waves);

	assign(&f, "seed");
	assert_int_equal(f.plan.n_waves, n_waves);
	for (size_t i = 0; i < n_waves; i++)
		assert_int_equal(f.plan.sizes[i], want[i]);
	assert_int_equal(f.plan.strata, 0);
	assert_int_equal(f.plan.unknown, n);
	assert_string_equal(f.plan.note, "");
	mm_arena_free(f.a);
}

static void test_sizes(void **state)
{
	(void)state;
	check_sizes(100, "1,5%,25%,100%", 4, (const int64_t[]){1, 5, 25, 69});
	/* Less than one host is one host. */
	check_sizes(10, "1,5%,25%,100%", 4, (const int64_t[]){1, 1, 2, 6});
	/* The last size repeats; the last wave is what is left. */
	check_sizes(10, "1,4", 4, (const int64_t[]){1, 4, 4, 1});
	check_sizes(3, "50%", 3, (const int64_t[]){1, 1, 1});
	check_sizes(5, "100", 1, (const int64_t[]){5});
	check_sizes(1, "1,5%,25%,100%", 1, (const int64_t[]){1});
	check_sizes(2, "1,5%,25%,100%", 2, (const int64_t[]){1, 1});
}

static int backwards(const void *x, const void *y)
{
	const struct mm_ro_candidate *a = x, *b = y;
	return strcmp(b->id, a->id);
}

static int forwards(const void *x, const void *y)
{
	return backwards(y, x);
}

static void test_order_of_input_does_not_matter(void **state)
{
	struct fleet f = make_fleet(500, "1,5%,25%,100%"), g = make_fleet(500, "1,5%,25%,100%");

	(void)state;
	qsort(g.hosts, g.n, sizeof(*g.hosts), backwards);
	assign(&f, "seed");
	assign(&g, "seed");
	qsort(g.hosts, g.n, sizeof(*g.hosts), forwards);
	for (size_t i = 0; i < f.n; i++) {
		assert_string_equal(f.hosts[i].id, g.hosts[i].id);
		assert_int_equal(f.hosts[i].wave, g.hosts[i].wave);
		assert_int_equal(f.hosts[i].rank, g.hosts[i].rank);
	}
	mm_arena_free(f.a);
	mm_arena_free(g.a);
}

/* How many of the first n hosts are the same with two seeds. */
static size_t same_first(const char *sticky)
{
	struct fleet f = make_unknown(1000, "100,100%"), g = make_unknown(1000, "100,100%");
	size_t same = 0;

	assert_int_equal(mm_ro_terms_set(&f.t, "sticky", sticky, NULL), 0);
	g.t = f.t;
	assign(&f, "one");
	assign(&g, "two");
	for (size_t i = 0; i < f.n; i++)
		same += f.hosts[i].wave == 0 && g.hosts[i].wave == 0;
	mm_arena_free(f.a);
	mm_arena_free(g.a);
	return same;
}

static void test_sticky(void **state)
{
	(void)state;
	assert_int_equal(same_first("yes"), 100);
	/* By chance 10 of 100. */
	assert_true(same_first("no") < 30);
}

static void test_wave_grows_and_says_so(void **state)
{
	struct fleet f = make_unknown(20, "2,100%");
	static const char *const os[] = {"a", "b", "c", "d", "e"};

	(void)state;
	for (size_t i = 0; i < f.n; i++)
		f.hosts[i].os = os[i % 5];
	assign(&f, "seed");
	assert_int_equal(f.plan.sizes[0], 5);
	assert_int_equal(f.plan.asked, 2);
	assert_int_equal(f.plan.strata, 5);
	assert_string_equal(f.plan.note, "the first wave has 5 hosts instead of 2, so that each of 5 "
					 "combinations of client, version, mail "
					 "server and OS release is in it");
	mm_arena_free(f.a);
}

/* One host that has everything is enough. */
static void test_cover_is_greedy(void **state)
{
	struct fleet f = make_unknown(30, "1,100%");

	(void)state;
	for (size_t i = 0; i < f.n; i++) {
		f.hosts[i].clients = &clients[i % 4];
		f.hosts[i].n_clients = 1;
	}
	f.hosts[17].clients = clients;
	f.hosts[17].n_clients = 4;
	assign(&f, "seed");
	assert_int_equal(f.plan.sizes[0], 1);
	assert_int_equal(f.hosts[17].wave, 0);
	mm_arena_free(f.a);
}

static void test_unreachable(void **state)
{
	struct fleet f = make_unknown(40, "5,100%");

	(void)state;
	for (size_t i = 0; i < f.n; i++)
		f.hosts[i].last_unreachable = i >= 10;
	/* Only a host that is off has this one. */
	f.hosts[20].os = "rare";
	assign(&f, "seed");
	check_places(&f);
	assert_int_equal(f.plan.sizes[0], 5);
	for (size_t i = 10; i < f.n; i++)
		assert_int_equal(f.hosts[i].wave == 0, i == 20);
	/* When all others are taken, they fill it nevertheless. */
	assert_int_equal(mm_ro_terms_set(&f.t, "waves", "15,100%", NULL), 0);
	assign(&f, "seed");
	assert_int_equal(f.plan.sizes[0], 15);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(f.hosts[i].wave, 0);
	mm_arena_free(f.a);
}

/* A host that claims thousands of combinations costs no more than the limit. */
static void test_limit_of_one_host(void **state)
{
	struct fleet f = make_unknown(2, "1");
	struct mm_ro_client *many = mm_arena_alloc(f.a, 1000, sizeof(*many));

	(void)state;
	for (size_t i = 0; i < 1000; i++)
		many[i] = (struct mm_ro_client){.name = "x", .version = mm_arena_printf(f.a, "%zu", i)};
	f.hosts[0].clients = many;
	f.hosts[0].n_clients = 1000;
	assign(&f, "seed");
	assert_int_equal(f.plan.strata, MM_RO_HOST_STRATA_MAX);
	mm_arena_free(f.a);
}

/* ---- worst case */

static void test_worst_case(void **state)
{
	struct fleet f = make_unknown(1000, "10,40%,100%");
	struct mm_ro_worst_case w;
	struct mm_buf b = MM_BUF_INIT(4096);

	(void)state;
	assert_int_equal(mm_ro_terms_set(&f.t, "failed", "5%/2%", NULL), 0);
	assert_int_equal(mm_ro_terms_set(&f.t, "login", "0", NULL), 0);
	assert_int_equal(mm_ro_terms_set(&f.t, "window", "8", NULL), 0);
	assign(&f, "seed");
	mm_ro_worst_case(&f.t, &f.plan, f.a, &w);
	/* 5 % of 10 are none: with 8 in flight, 8 at most. 5 % of 400 are 20, but 2 % of all are 20. */
	assert_int_equal(w.waves[0].wave[MM_BUDGET_FAILED], 8);
	assert_int_equal(w.waves[1].wave[MM_BUDGET_FAILED], 28);
	assert_int_equal(w.waves[2].wave[MM_BUDGET_FAILED], 28);
	assert_int_equal(w.waves[2].wave[MM_BUDGET_LOGIN], 8);
	assert_int_equal(w.waves[1].wave[MM_BUDGET_UNREACHABLE], 400);
	assert_int_equal(w.total[MM_BUDGET_FAILED], 28);
	assert_int_equal(w.total[MM_BUDGET_LOGIN], 8);
	assert_int_equal(w.total[MM_BUDGET_UNREACHABLE], 1000);
	assert_int_equal(w.waves[0].total, 10);
	assert_int_equal(w.waves[2].total, 1000);
	mm_ro_worst_print(&f.t, &f.plan, &w, &b);
	assert_string_equal(mm_buf_str(&b),
	    "wave 1: 10 hosts (10 of 1000 so far); worst case 8 failed, 8 with a failed login check, any "
	    "number "
	    "unreachable\n"
	    "wave 2: 400 hosts (410 of 1000 so far); worst case 28 failed, 8 with a failed login check, any "
	    "number "
	    "unreachable\n"
	    "wave 3: 590 hosts (1000 of 1000 so far); worst case 28 failed, 8 with a failed login check, any "
	    "number "
	    "unreachable\n"
	    "in all at most 28 failed, 8 with a failed login check, 1000 unreachable: the budgets, and up to "
	    "8 "
	    "hosts in flight\n");
	mm_buf_free(&b);
	mm_arena_free(f.a);
}

/* ---- times of one host */

static void test_retry_and_jitter(void **state)
{
	static const int64_t waits[] = {60, 120, 240, 480, 960, 1920, 3840, 7680, 15360, 21600, 21600};
	struct mm_ro_terms t;
	int64_t least = INT64_MAX, most = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		int64_t w = mm_ro_retry_after("seed", "host", (int64_t)i + 1);

		assert_in_range(w, waits[i] - waits[i] / 10, waits[i] + waits[i] / 10);
		assert_int_equal(w, mm_ro_retry_after("seed", "host", (int64_t)i + 1));
	}
	assert_in_range(mm_ro_retry_after("seed", "host", INT64_MAX), 19440, 23760);
	mm_ro_terms_default(&t);
	assert_int_equal(mm_ro_jitter(&t, "seed", "host"), 0);
	t.jitter_s = 100;
	for (int i = 0; i < 1000; i++) {
		char name[16];
		int64_t j;

		snprintf(name, sizeof(name), "h%d", i);
		j = mm_ro_jitter(&t, "seed", name);
		least = j < least ? j : least;
		most = j > most ? j : most;
	}
	assert_in_range(least, 0, 5);
	assert_in_range(most, 95, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_properties),
	    cmocka_unit_test(test_no_hosts),
	    cmocka_unit_test(test_sizes),
	    cmocka_unit_test(test_order_of_input_does_not_matter),
	    cmocka_unit_test(test_sticky),
	    cmocka_unit_test(test_wave_grows_and_says_so),
	    cmocka_unit_test(test_cover_is_greedy),
	    cmocka_unit_test(test_unreachable),
	    cmocka_unit_test(test_limit_of_one_host),
	    cmocka_unit_test(test_worst_case),
	    cmocka_unit_test(test_retry_and_jitter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
