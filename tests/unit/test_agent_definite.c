/* For which failures a change may be taken back: every class of outcome is decided on. */
#include "agent/definite.h"
#include "agent/probe/classes.h"
#include "common/text.h"
#include "tests/lib/testutil.h"

static size_t rows_of(const char *cls)
{
	size_t n, found = 0;
	const struct mm_definite_row *rows = mm_definite_rows(&n);
	for (size_t i = 0; i < n; i++)
		found += mm_streq(rows[i].cls, cls);
	return found;
}

static void one_row_for_each_class(void **state)
{
	size_t n;
	(void)state;
	for (int c = MM_CLS_NONE + 1; c < MM_CLS_COUNT; c++) {
		const char *word = mm_cls_def((enum mm_cls)c)->word;
		if (rows_of(word) != 1)
			fail_msg("%s has %zu rows", word, rows_of(word));
	}
	mm_definite_rows(&n);
	assert_int_equal(n, MM_CLS_COUNT - 1);
}

/* What may pass by itself, what nobody has tested, and what looks like somebody in between. */
static void never_for_these(void **state)
{
	(void)state;
	for (int c = 0; c < MM_CLS_COUNT; c++) {
		const struct mm_cls_def *d = mm_cls_def((enum mm_cls)c);
		bool undecided = mm_cls_result((enum mm_cls)c) != MM_LOGIN_FAILED ||
				 d->severity == MM_SEV_TEMPORARY ||
				 (d->severity == MM_SEV_ALARM && c != MM_CLS_CERT_PIN) ||
				 mm_starts_with(d->word, "DNS_") || mm_starts_with(d->word, "CONN_") ||
				 mm_starts_with(d->word, "NET_") || mm_starts_with(d->word, "HOST_");
		if (undecided && mm_definite(d->word) != MM_DEFINITE_NO)
			fail_msg("%s is no reason to take a change back", d->word);
	}
	assert_int_equal(mm_definite("OF_A_NEWER_PROBE"), MM_DEFINITE_NO);
	assert_int_equal(mm_definite(""), MM_DEFINITE_NO);
}

static void for_these(void **state)
{
	(void)state;
	assert_int_equal(mm_definite("CERT_NAME_MISMATCH"), MM_DEFINITE_YES);
	assert_int_equal(mm_definite("AUTH_MECH_NOT_OFFERED"), MM_DEFINITE_YES);
	assert_int_equal(mm_definite("AUTH_REJECTED"), MM_DEFINITE_SECRET);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    MM_TEST(one_row_for_each_class), MM_TEST(never_for_these), MM_TEST(for_these)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
