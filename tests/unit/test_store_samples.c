/* Samples: one set a day, the latest of today counts, the past stays as it is. */
#include "store_fixture.h"

#include "common/text.h"
#include "controller/store/store_samples.h"

#define DAY INT64_C(86400)
#define TODAY (T0 - T0 % DAY)

struct seen {
	size_t n;
	int64_t day[8], good[8];
	char name[8][16];
};

static int take(const struct mm_sample *v, void *arg, struct mm_err *err)
{
	(void)err;
	struct seen *seen = arg;

	assert_true(seen->n < 8);
	seen->day[seen->n] = v->day;
	seen->good[seen->n] = v->compliant;
	snprintf(seen->name[seen->n], sizeof(seen->name[0]), "%s", v->name);
	seen->n++;
	return 0;
}

static struct seen all(struct fixture *f, int64_t from, int64_t until)
{
	struct seen seen = {0};

	ok(f, mm_store_samples_each(f->s, from, until, take, &seen, &f->err));
	return seen;
}

static void put(struct fixture *f, int64_t good)
{
	const struct mm_sample v[] = {
	    {.dimension = "all", .name = "", .baseline = "rfc8314", .revision = 3, .compliant = good},
	    {.dimension = "client", .name = "mutt", .baseline = "rfc8314", .revision = 3, .failed = 2}};

	ok(f, mm_store_samples_put(f->s, v, 2, &f->err));
}

static void test_none_yet(void **state)
{
	struct fixture *f = *state;
	int64_t taken = 7;

	ok(f, mm_store_samples_taken(f->s, &taken, &f->err));
	assert_int_equal(taken, 0);
	assert_int_equal(all(f, 0, INT64_MAX).n, 0);
}

static void test_today_is_renewed(void **state)
{
	struct fixture *f = *state;
	int64_t taken = 0;
	struct seen seen;

	put(f, 5);
	mm_store_set_now(f->s, T0 + 60);
	put(f, 6);
	ok(f, mm_store_samples_taken(f->s, &taken, &f->err));
	assert_int_equal(taken, T0 + 60);
	seen = all(f, 0, INT64_MAX);
	assert_int_equal(seen.n, 2);
	assert_int_equal(seen.day[0], TODAY);
	assert_int_equal(seen.good[0], 6);
	assert_string_equal(seen.name[1], "mutt");
}

static void test_the_past_stays(void **state)
{
	struct fixture *f = *state;
	int64_t taken = 0;
	struct seen seen;

	put(f, 5);
	mm_store_set_now(f->s, TODAY + DAY - 1);
	ok(f, mm_store_samples_taken(f->s, &taken, &f->err));
	assert_int_equal(taken, T0);
	mm_store_set_now(f->s, TODAY + DAY);
	ok(f, mm_store_samples_taken(f->s, &taken, &f->err));
	assert_int_equal(taken, 0);
	put(f, 9);
	seen = all(f, 0, INT64_MAX);
	assert_int_equal(seen.n, 4);
	assert_int_equal(seen.good[0], 5);
	assert_int_equal(seen.good[2], 9);
	assert_int_equal(all(f, 0, TODAY + DAY - 1).n, 2);
	assert_int_equal(all(f, TODAY + 1, INT64_MAX).n, 2);
}

static void test_all_or_nothing(void **state)
{
	struct fixture *f = *state;
	const struct mm_sample twice[] = {{.dimension = "all", .name = "", .baseline = ""},
	    {.dimension = "all", .name = "", .baseline = ""}};

	put(f, 5);
	assert_int_equal(mm_store_samples_put(f->s, twice, 2, &f->err), -1);
	assert_int_equal(all(f, 0, INT64_MAX).n, 2);
}

static void test_limit(void **state)
{
	struct fixture *f = *state;
	static struct mm_sample v[MM_SAMPLES_A_DAY + 1];
	static char name[MM_SAMPLES_A_DAY + 1][16];

	for (size_t i = 0; i <= MM_SAMPLES_A_DAY; i++) {
		snprintf(name[i], sizeof(name[i]), "g%zu", i);
		v[i] = (struct mm_sample){.dimension = "group", .name = name[i], .baseline = ""};
	}
	assert_int_equal(mm_store_samples_put(f->s, v, MM_SAMPLES_A_DAY + 1, &f->err), -1);
	assert_int_equal(f->err.code, MM_EX_DATAERR);
	assert_int_equal(all(f, 0, INT64_MAX).n, 0);
	ok(f, mm_store_samples_put(f->s, v, MM_SAMPLES_A_DAY, &f->err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_none_yet, store_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_today_is_renewed, store_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_the_past_stays, store_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_all_or_nothing, store_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_limit, store_setup, store_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
