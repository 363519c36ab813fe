/* What the agent keeps does not grow without end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/stat.h>

#include "agent/generations.h"
#include "tests/unit/converge_world.h"

#define W struct world *w = *state

static void generations_are_bounded(void **state)
{
	W;
	int64_t *all;
	size_t n;
	struct mm_err err;
	put_file(w, ".fakerc", "");
	for (int i = 0; i < MM_GENERATIONS_KEEP + 5; i++) {
		w->acc[0].want.v[MM_SET_IN_PORT] = mm_arena_printf(w->a, "%d", 1000 + i);
		apply(w);
	}
	assert_int_equal(mm_generation_list(w->state, w->a, &all, &n, &err), 0);
	assert_int_equal(n, MM_GENERATIONS_KEEP);
	assert_int_equal(all[n - 1], MM_GENERATIONS_KEEP + 5);
}

/* The journal does not grow with the number of changes. */
static void journal_is_bounded(void **state)
{
	W;
	struct stat first, last;
	const char *journal = mm_arena_printf(w->a, "%s/journal.json", w->state);
	put_file(w, ".fakerc", "");
	apply(w);
	assert_int_equal(stat(journal, &first), 0);
	for (int i = 0; i < 20; i++) {
		w->acc[0].want.v[MM_SET_IN_PORT] = i % 2 == 0 ? "111" : "222";
		apply(w);
	}
	assert_int_equal(stat(journal, &last), 0);
	assert_int_equal(first.st_size, last.st_size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(generations_are_bounded, mm_world_setup, mm_world_teardown),
	    cmocka_unit_test_setup_teardown(journal_is_bounded, mm_world_setup, mm_world_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
