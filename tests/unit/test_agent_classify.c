/* The three-way table and the modes, as tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/classify.h"

static void three_way(void **state)
{
	static const struct {
		const char *a, *c, *d;
		enum mm_state want;
	} cases[] = {
	    {NULL, "x.test", "x.test", MM_ST_COMPLIANT}, /* equal by itself */
	    {"x.test", "x.test", "x.test", MM_ST_COMPLIANT},
	    {"y.test", "x.test", "x.test", MM_ST_COMPLIANT}, /* somebody was faster */
	    {NULL, "X.TEST", "x.test", MM_ST_COMPLIANT},     /* host names: no case */
	    {NULL, NULL, "x.test", MM_ST_PENDING}, {NULL, "y.test", "x.test", MM_ST_UNMANAGED},
	    {"y.test", NULL, "x.test", MM_ST_REMOVED}, {"x.test", NULL, "x.test", MM_ST_REMOVED},
	    {"y.test", "y.test", "x.test", MM_ST_PENDING}, /* the policy changed */
	    {"Y.TEST", "y.test", "x.test", MM_ST_PENDING},
	    {"x.test", "y.test", "x.test", MM_ST_DRIFTED}, /* the user changed it */
	    {"y.test", "z.test", "x.test", MM_ST_DRIFTED}, /* both did */
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (mm_classify(MM_SET_IN_HOST, cases[i].a, cases[i].c, cases[i].d) != cases[i].want)
			fail_msg("case %zu", i);
	}
}

static void modes(void **state)
{
	static const struct {
		enum mm_state found;
		enum mm_mode mode;
		enum mm_state told;
		bool write;
		enum mm_action action;
		bool reason;
	} cases[] = {
	    {MM_ST_COMPLIANT, MM_MODE_ENFORCE, MM_ST_COMPLIANT, false, MM_ACT_NONE, false},
	    {MM_ST_PENDING, MM_MODE_ENFORCE, MM_ST_PENDING, true, MM_ACT_NONE, false},
	    {MM_ST_DRIFTED, MM_MODE_ENFORCE, MM_ST_DRIFTED, true, MM_ACT_NONE, false},
	    {MM_ST_REMOVED, MM_MODE_ENFORCE, MM_ST_REMOVED, true, MM_ACT_NONE, false},
	    {MM_ST_UNMANAGED, MM_MODE_ENFORCE, MM_ST_UNMANAGED, true, MM_ACT_NONE, false},
	    {MM_ST_COMPLIANT, MM_MODE_AUDIT, MM_ST_COMPLIANT, false, MM_ACT_NONE, false},
	    {MM_ST_PENDING, MM_MODE_AUDIT, MM_ST_PENDING, false, MM_ACT_REPORTED, false},
	    {MM_ST_DRIFTED, MM_MODE_AUDIT, MM_ST_DRIFTED, false, MM_ACT_REPORTED, false},
	    {MM_ST_REMOVED, MM_MODE_AUDIT, MM_ST_REMOVED, false, MM_ACT_REPORTED, false},
	    {MM_ST_UNMANAGED, MM_MODE_AUDIT, MM_ST_PENDING, false, MM_ACT_REPORTED, false},
	    {MM_ST_COMPLIANT, MM_MODE_DEFAULT, MM_ST_COMPLIANT, false, MM_ACT_NONE, false},
	    {MM_ST_PENDING, MM_MODE_DEFAULT, MM_ST_PENDING, true, MM_ACT_NONE, false},
	    {MM_ST_DRIFTED, MM_MODE_DEFAULT, MM_ST_COMPLIANT, false, MM_ACT_NONE, true},
	    {MM_ST_REMOVED, MM_MODE_DEFAULT, MM_ST_COMPLIANT, false, MM_ACT_NONE, true},
	    {MM_ST_UNMANAGED, MM_MODE_DEFAULT, MM_ST_COMPLIANT, false, MM_ACT_NONE, true},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mm_decision d = mm_decide(cases[i].found, cases[i].mode);
		if (d.state != cases[i].told || d.write != cases[i].write || d.action != cases[i].action ||
		    (d.reason[0] != '\0') != cases[i].reason)
			fail_msg("case %zu", i);
	}
}

/* An audited difference must never come out as "all is well". */
static void audit_counts(void **state)
{
	(void)state;
	for (int s = MM_ST_PENDING; s <= MM_ST_UNMANAGED; s++) {
		struct mm_decision d = mm_decide((enum mm_state)s, MM_MODE_AUDIT);
		assert_int_equal(mm_verdict(d.state, d.action).exit_bit, MM_EX_DIFF);
	}
}

static void troubles(void **state)
{
	(void)state;
	assert_int_equal(mm_trouble_state(MM_FILE_READONLY), MM_ST_DEFERRED);
	assert_int_equal(mm_trouble_state(MM_FILE_OWNER), MM_ST_DEFERRED);
	assert_int_equal(mm_trouble_state(MM_FILE_LINK), MM_ST_DEFERRED);
	assert_int_equal(mm_trouble_state(MM_FILE_CHANGED), MM_ST_DEFERRED);
	assert_int_equal(mm_trouble_state(MM_FILE_TOO_BIG), MM_ST_ERROR);
	assert_int_equal(mm_trouble_state(MM_FILE_TYPE), MM_ST_ERROR);
	assert_int_equal(mm_trouble_state(MM_FILE_SYSTEM), MM_ST_ERROR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(three_way), cmocka_unit_test(modes),
	    cmocka_unit_test(audit_counts), cmocka_unit_test(troubles)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
