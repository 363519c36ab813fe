/* What comes back, and in which order: whatever mix of revisions the hosts had. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "controller/rollout/former.h"

static void check(const int64_t *before, size_t n, const struct mm_ro_former *want, size_t n_want)
{
	struct mm_arena *a = mm_arena_new();
	size_t got = 77;
	const struct mm_ro_former *f = mm_ro_formers(before, n, a, &got);

	assert_int_equal(got, n_want);
	for (size_t i = 0; i < n_want; i++) {
		assert_int_equal(f[i].before, want[i].before);
		assert_int_equal(f[i].hosts, want[i].hosts);
	}
	mm_arena_free(a);
}

#define N(list) (sizeof(list) / sizeof((list)[0]))

static void test_one(void **state)
{
	static const int64_t same[] = {4, 4, 4}, none[] = {0, 0};
	static const struct mm_ro_former four[] = {{4, 3}}, nothing[] = {{0, 2}};

	(void)state;
	check(same, N(same), four, 1);
	check(none, N(none), nothing, 1);
	check(NULL, 0, NULL, 0);
}

/* Nothing is first, however many had it: it is the current policy only where it is all there is. */
static void test_nothing_first(void **state)
{
	static const int64_t mostly[] = {0, 0, 3, 0, 0, 0}, few[] = {7, 7, 0, 7};
	static const struct mm_ro_former a[] = {{0, 5}, {3, 1}}, b[] = {{0, 1}, {7, 3}};

	(void)state;
	check(mostly, N(mostly), a, N(a));
	check(few, N(few), b, N(b));
}

static void test_most_last(void **state)
{
	static const int64_t before[] = {4, 2, 4, 3, 2, 4, 0, 9};
	static const struct mm_ro_former want[] = {{0, 1}, {3, 1}, {9, 1}, {2, 2}, {4, 3}};
	static const int64_t newer_is_fewer[] = {9, 2, 2}, even[] = {9, 2, 2, 9};
	static const struct mm_ro_former old_last[] = {{9, 1}, {2, 2}}, new_last[] = {{2, 2}, {9, 2}};

	(void)state;
	check(before, N(before), want, N(want));
	check(newer_is_fewer, N(newer_is_fewer), old_last, N(old_last));
	check(even, N(even), new_last, N(new_last));
}

/* Whatever order the hosts come in. */
static void test_many(void **state)
{
	static int64_t before[20000];
	static const int64_t of[] = {0, 3, 4, 5, 3, 4};
	/* 20000 = 3333 times all six, and two more. */
	static const struct mm_ro_former want[] = {{0, 3334}, {5, 3333}, {4, 6666}, {3, 6667}};

	(void)state;
	for (size_t i = 0; i < N(before); i++)
		before[i] = of[i % N(of)];
	check(before, N(before), want, N(want));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_one),
	    cmocka_unit_test(test_nothing_first),
	    cmocka_unit_test(test_most_last),
	    cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
