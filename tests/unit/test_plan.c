#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "schemas/plan.h"

static const struct mm_finding first = {.user = "alice",
    .client = "mutt",
    .path = "/home/alice/.muttrc",
    .account = "work",
    .setting = "incoming.port",
    .desired = "993",
    .found = "143",
    .line = 3,
    .state = MM_ST_PENDING,
    .action = MM_ACT_WOULD_CHANGE,
    .reason = ""};

static size_t number(const struct mm_finding *f, size_t n, char hex[MM_SHA256_HEX])
{
	struct mm_plan_digest *d = mm_plan_digest_new();

	for (size_t i = 0; i < n; i++)
		mm_plan_digest_add(d, &f[i]);
	return mm_plan_digest_end(d, hex);
}

static void users_in_any_order(void **state)
{
	struct mm_finding f[3] = {first, first, first};
	char here[MM_SHA256_HEX], there[MM_SHA256_HEX];

	(void)state;
	f[1].setting = "incoming.host";
	f[2].user = "bob";
	assert_int_equal(number(f, 3, here), 3);
	f[0] = f[2];
	f[1] = first;
	f[2] = first;
	f[2].setting = "incoming.host";
	number(f, 3, there);
	assert_string_equal(here, there);
	f[1].setting = "incoming.host"; /* the order within one user counts */
	f[2].setting = "incoming.port";
	number(f, 3, there);
	assert_string_not_equal(here, there);
}

static void what_changes_nothing_does_not_count(void **state)
{
	struct mm_finding f[2] = {first, first};
	char here[MM_SHA256_HEX], there[MM_SHA256_HEX];

	(void)state;
	f[1].action = MM_ACT_REPORTED;
	f[1].user = "bob";
	assert_int_equal(number(f, 1, here), 1);
	assert_int_equal(number(f, 2, there), 1);
	assert_string_equal(here, there);
	f[0].line = 77;
	f[0].reason = "another sentence";
	number(f, 1, there);
	assert_string_equal(here, there);
	assert_int_equal(number(f, 0, there), 0);
}

static void each_text_counts(void **state)
{
	char here[MM_SHA256_HEX], there[MM_SHA256_HEX];
	struct mm_finding other[8];

	(void)state;
	for (size_t i = 0; i < 8; i++)
		other[i] = first;
	other[0].user = "bob";
	other[1].client = "neomutt";
	other[2].path = "";
	other[3].account = "wor";
	other[3].setting = "kincoming.port"; /* texts do not run into each other */
	other[4].desired = NULL;
	other[5].found = "";
	other[6].found = NULL;
	other[7].state = MM_ST_DRIFTED;
	number(&first, 1, here);
	for (size_t i = 0; i < 8; i++) {
		number(&other[i], 1, there);
		assert_string_not_equal(here, there);
		for (size_t k = 0; k < i; k++) {
			char third[MM_SHA256_HEX];
			number(&other[k], 1, third);
			assert_string_not_equal(there, third);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(users_in_any_order),
	    cmocka_unit_test(what_changes_nothing_does_not_count),
	    cmocka_unit_test(each_text_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
