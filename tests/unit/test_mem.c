#include "common/mem.h"

#include <stdalign.h>

#include "tests/lib/testutil.h"

static void test_plain(void **state)
{
	(void)state;
	char *p = mm_xcalloc(4, 4);
	for (size_t i = 0; i < 16; i++)
		assert_int_equal(p[i], 0);
	p = mm_xrealloc(p, 100, 1);
	free(p);
	free(mm_xcalloc(0, 0));
	p = mm_xstrdup("text");
	assert_string_equal(p, "text");
	free(p);
}

static void test_arena_is_zeroed_and_aligned(void **state)
{
	(void)state;
	struct mm_arena *a = mm_arena_new();
	assert_int_equal(mm_arena_used(a), 0);
	for (size_t i = 0; i < 5000; i++) {
		unsigned char *p = mm_arena_alloc(a, i % 37, 1);
		assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
		for (size_t k = 0; k < i % 37; k++)
			assert_int_equal(p[k], 0);
		memset(p, 0xff, i % 37);
	}
	assert_true(mm_arena_used(a) >= 5000 * 18);
	mm_arena_free(a);
	mm_arena_free(NULL);
}

static void test_big_things_do_not_waste_the_block(void **state)
{
	(void)state;
	struct mm_arena *a = mm_arena_new();
	char *small = mm_arena_alloc(a, 16, 1);
	char *big = mm_arena_alloc(a, 1 << 20, 1);
	char *next = mm_arena_alloc(a, 16, 1);
	memset(big, 1, 1 << 20);
	assert_ptr_equal(next, small + 16);
	assert_int_equal(mm_arena_used(a), (1 << 20) + 32);
	mm_arena_free(a);
}

static void test_an_arena_begins_again(void **state)
{
	(void)state;
	struct mm_arena *a = mm_arena_new();
	mm_arena_reset(a);
	for (int i = 0; i < 100; i++)
		memset(mm_arena_alloc(a, 1, 3000), 'x', 3000);
	assert_true(mm_arena_used(a) >= 300000);
	mm_arena_reset(a);
	assert_int_equal(mm_arena_used(a), 0);
	const char *zeroed = mm_arena_alloc(a, 1, 100);
	for (int i = 0; i < 100; i++)
		assert_int_equal(zeroed[i], 0);
	mm_arena_free(a);
}

static void test_arena_text(void **state)
{
	(void)state;
	struct mm_arena *a = mm_arena_new();
	assert_null(mm_arena_strdup(a, NULL));
	assert_string_equal(mm_arena_strdup(a, "abc"), "abc");
	assert_string_equal(mm_arena_strndup(a, "abcdef", 3), "abc");
	assert_string_equal(mm_arena_strndup(a, "", 0), "");
	assert_string_equal(mm_arena_printf(a, "%s-%d", "x", 7), "x-7");
	mm_arena_free(a);
}

static void test_push(void **state)
{
	(void)state;
	struct mm_arena *a = mm_arena_new();
	int *items = NULL;
	size_t n = 0, cap = 0;
	for (int i = 0; i < 1000; i++) {
		int *place = mm_arena_push(a, &items, &n, &cap, sizeof(*items));
		assert_int_equal(*place, 0);
		*place = i;
	}
	assert_int_equal(n, 1000);
	assert_true(cap >= n);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(items[i], i);
	mm_arena_free(a);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    MM_TEST(test_plain),
	    MM_TEST(test_arena_is_zeroed_and_aligned),
	    MM_TEST(test_big_things_do_not_waste_the_block),
	    MM_TEST(test_an_arena_begins_again),
	    MM_TEST(test_arena_text),
	    MM_TEST(test_push),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
