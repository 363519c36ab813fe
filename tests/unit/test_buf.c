#include "common/buf.h"
#include "common/mem.h"

#include "tests/lib/testutil.h"

static void test_append(void **state)
{
	(void)state;
	struct mm_buf b = MM_BUF_INIT(1000);
	assert_string_equal(mm_buf_str(&b), "");
	assert_null(b.data);
	mm_buf_adds(&b, "one");
	mm_buf_addc(&b, ' ');
	mm_buf_add(&b, "two\0!", 5);
	mm_buf_addf(&b, "%03d", 7);
	assert_int_equal(b.len, 12);
	assert_memory_equal(b.data, "one two\0!007", 13);
	assert_true(mm_buf_ok(&b));
	mm_buf_free(&b);
	assert_null(b.data);
	assert_int_equal(b.max, 1000);
}

static void test_limit_is_exact_and_sticky(void **state)
{
	(void)state;
	struct mm_buf b = MM_BUF_INIT(10);
	mm_buf_adds(&b, "0123456789");
	assert_true(mm_buf_ok(&b));
	mm_buf_add(&b, "", 0);
	assert_true(mm_buf_ok(&b));
	mm_buf_addc(&b, 'x');
	assert_false(mm_buf_ok(&b));
	assert_string_equal(mm_buf_str(&b), "0123456789");

	mm_buf_consume(&b, 5);
	mm_buf_addc(&b, 'y');
	assert_false(mm_buf_ok(&b));
	assert_string_equal(mm_buf_str(&b), "56789");

	mm_buf_reset(&b);
	assert_true(mm_buf_ok(&b));
	assert_string_equal(mm_buf_str(&b), "");
	mm_buf_addf(&b, "%s", "0123456789");
	assert_true(mm_buf_ok(&b));
	mm_buf_reset(&b);
	mm_buf_addf(&b, "%s", "0123456789a");
	assert_false(mm_buf_ok(&b));
	assert_int_equal(b.len, 0);
	mm_buf_free(&b);
	assert_true(mm_buf_ok(&b));
}

static void test_zero_limit(void **state)
{
	(void)state;
	struct mm_buf b = MM_BUF_INIT(0);
	mm_buf_adds(&b, "");
	assert_true(mm_buf_ok(&b));
	mm_buf_addc(&b, 'a');
	assert_false(mm_buf_ok(&b));
	mm_buf_free(&b);
}

static void test_grows(void **state)
{
	(void)state;
	struct mm_buf b = MM_BUF_INIT(1 << 20);
	for (int i = 0; i < 1 << 20; i++)
		mm_buf_addc(&b, (char)('a' + i % 26));
	assert_true(mm_buf_ok(&b));
	assert_int_equal(b.len, 1 << 20);
	assert_int_equal(b.data[1000], 'a' + 1000 % 26);
	assert_true(b.cap <= b.max + 1);
	mm_buf_free(&b);
}

static void test_consume(void **state)
{
	(void)state;
	struct mm_buf b = MM_BUF_INIT(100);
	mm_buf_consume(&b, 0);
	mm_buf_adds(&b, "abcdef");
	mm_buf_consume(&b, 2);
	assert_string_equal(mm_buf_str(&b), "cdef");
	mm_buf_consume(&b, 4);
	assert_string_equal(mm_buf_str(&b), "");
	mm_buf_free(&b);
}

static void test_taken_whole_or_not_at_all(void **state)
{
	(void)state;
	struct mm_arena *a = mm_arena_new();
	struct mm_buf b = MM_BUF_INIT(3);

	assert_string_equal(mm_buf_take(&b, a), "");
	mm_buf_adds(&b, "abc");
	assert_string_equal(mm_buf_take(&b, a), "abc");
	assert_null(b.data);
	mm_buf_adds(&b, "abcd");
	assert_null(mm_buf_take(&b, a));
	assert_true(mm_buf_ok(&b)); /* freed: it begins anew */
	assert_null(b.data);
	mm_arena_free(a);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    MM_TEST(test_append),
	    MM_TEST(test_limit_is_exact_and_sticky),
	    MM_TEST(test_zero_limit),
	    MM_TEST(test_grows),
	    MM_TEST(test_consume),
	    MM_TEST(test_taken_whole_or_not_at_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
