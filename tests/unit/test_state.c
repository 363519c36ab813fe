/* Words of the contract, and the verdict table: every cell is written down
 * here a second time, in words, so that a change of the table is seen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "common/err.h"
#include "common/text.h"
#include "schemas/facts.h"
#include "schemas/settings.h"
#include "schemas/state.h"

static const char *state_word(int i)
{
	return mm_state_name((enum mm_state)i);
}

static const char *action_word(int i)
{
	return mm_action_name((enum mm_action)i);
}

static const char *mode_word(int i)
{
	return mm_mode_name((enum mm_mode)i);
}

static const char *create_word(int i)
{
	return mm_create_name((enum mm_create)i);
}

static const char *reach_word(int i)
{
	return mm_reach_name((enum mm_reach)i);
}

static const char *result_word(int i)
{
	return mm_result_name((enum mm_result)i);
}

static const char *level_word(int i)
{
	return mm_level_name((enum mm_level)i);
}

struct vocabulary {
	const char *words; /* in the order of the enum; part of the contract */
	const char *(*name)(int i);
	int (*by_name)(const char *s);
};

static void words(void **unused)
{
	(void)unused;
	static const struct vocabulary all[] = {
	    {"compliant pending drifted removed unmanaged overridden unsupported deferred unconfirmed "
	     "unknown error",
		state_word, mm_state_by_name},
	    {"none would-change created adopted corrected removed reported reverted", action_word,
		mm_action_by_name},
	    {"enforce audit default ignore", mode_word, mm_mode_by_name},
	    {"existing always never", create_word, mm_create_by_name},
	    {"user system", reach_word, mm_reach_by_name},
	    {"passed failed untested", result_word, mm_result_by_name},
	    {"reach tls login roundtrip", level_word, mm_level_by_name},
	};
	for (size_t v = 0; v < sizeof(all) / sizeof(*all); v++) {
		char list[256];
		assert_true(strlen(all[v].words) < sizeof(list));
		memcpy(list, all[v].words, strlen(all[v].words) + 1);
		char *rest = list;
		int i = 0;
		for (char *w; (w = strsep(&rest, " ")) != NULL; i++) {
			assert_string_equal(all[v].name(i), w);
			assert_int_equal(all[v].by_name(w), i);
		}
		assert_int_equal(all[v].by_name("nonsense"), -1);
		assert_int_equal(all[v].by_name(""), -1);
		assert_int_equal(all[v].by_name(NULL), -1);
	}
	assert_string_equal(mm_audit_name(MM_AUDIT_PASS), "pass");
	assert_string_equal(mm_audit_name(MM_AUDIT_FAIL), "fail");
	assert_string_equal(mm_audit_name(MM_AUDIT_UNKNOWN), "unknown");
	assert_string_equal(mm_audit_name(MM_AUDIT_NOT_APPLICABLE), "notapplicable");
}

/* Per state a line of "exit+audit" per action, in the order of the enum:
 * none would-change created adopted corrected removed reported reverted */
static const char *const expected[MM_ST_COUNT] = {
    [MM_ST_COMPLIANT] = "0p 2f 0p 0p 0p 0p 2f 2f",
    [MM_ST_PENDING] = "2f 2f 0p 0p 0p 0p 2f 2f",
    [MM_ST_DRIFTED] = "2f 2f 0p 0p 0p 0p 2f 2f",
    [MM_ST_REMOVED] = "2f 2f 0p 0p 0p 0p 2f 2f",
    [MM_ST_UNMANAGED] = "0n 2f 0p 0p 0p 0p 0n 2f",
    [MM_ST_OVERRIDDEN] = "2f 2f 2f 2f 2f 2f 2f 2f",
    [MM_ST_UNSUPPORTED] = "2u 2u 2u 2u 2u 2u 2u 2f",
    [MM_ST_DEFERRED] = "2u 2u 2u 2u 2u 2u 2u 2f",
    [MM_ST_UNCONFIRMED] = "2u 2u 2u 2u 2u 2u 2u 2f",
    [MM_ST_UNKNOWN] = "2u 2u 2u 2u 2u 2u 2u 2f",
    [MM_ST_ERROR] = "1u 1u 1u 1u 1u 1u 1u 1u",
};

static void verdict_table(void **unused)
{
	(void)unused;
	static const char audits[] = {[MM_AUDIT_PASS] = 'p',
	    [MM_AUDIT_FAIL] = 'f',
	    [MM_AUDIT_UNKNOWN] = 'u',
	    [MM_AUDIT_NOT_APPLICABLE] = 'n'};
	for (int s = 0; s < MM_ST_COUNT; s++) {
		for (int a = 0; a < MM_ACT_COUNT; a++) {
			struct mm_verdict v = mm_verdict((enum mm_state)s, (enum mm_action)a);
			const char *want = expected[s] + 3 * a;
			if (v.exit_bit != want[0] - '0' || audits[v.audit] != want[1])
				fail_msg("%s/%s: %d%c, not %.2s", state_word(s), action_word(a), v.exit_bit,
				    audits[v.audit], want);
		}
	}
}

/* What must hold whatever the table says. */
static void verdict_laws(void **unused)
{
	(void)unused;
	for (int s = 0; s < MM_ST_COUNT; s++) {
		for (int a = 0; a < MM_ACT_COUNT; a++) {
			struct mm_verdict v = mm_verdict((enum mm_state)s, (enum mm_action)a);
			/* exit 0 and "nothing wrong" are the same thing */
			bool fine = v.audit == MM_AUDIT_PASS || v.audit == MM_AUDIT_NOT_APPLICABLE;
			assert_int_equal(v.exit_bit == MM_EX_OK, fine);
			bool unseen = s == MM_ST_UNSUPPORTED || s == MM_ST_UNKNOWN || s == MM_ST_DEFERRED ||
				      s == MM_ST_UNCONFIRMED || s == MM_ST_ERROR;
			if (unseen || a == MM_ACT_REVERTED || a == MM_ACT_WOULD_CHANGE)
				assert_int_not_equal(v.audit, MM_AUDIT_PASS);
		}
	}
}

static void login_verdicts(void **unused)
{
	(void)unused;
	static const struct {
		enum mm_result result;
		const char *cls;
		int exit_bit;
		enum mm_audit audit;
	} rows[] = {
	    {MM_LOGIN_PASSED, "", MM_EX_OK, MM_AUDIT_PASS},
	    {MM_LOGIN_FAILED, "AUTH_REJECTED", MM_EX_DIFF, MM_AUDIT_FAIL},
	    {MM_LOGIN_FAILED, "NO_LOGIN_WANTED", MM_EX_DIFF, MM_AUDIT_FAIL},
	    {MM_LOGIN_UNTESTED, "NO_SECRET", MM_EX_DIFF, MM_AUDIT_UNKNOWN},
	    {MM_LOGIN_UNTESTED, "", MM_EX_DIFF, MM_AUDIT_UNKNOWN},
	    {MM_LOGIN_UNTESTED, NULL, MM_EX_DIFF, MM_AUDIT_UNKNOWN},
	    {MM_LOGIN_UNTESTED, "NO_LOGIN_WANTED", MM_EX_OK, MM_AUDIT_NOT_APPLICABLE},
	    {MM_LOGIN_UNTESTED, "NO_TLS_WANTED", MM_EX_OK, MM_AUDIT_NOT_APPLICABLE},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mm_verdict v = mm_login_verdict(rows[i].result, rows[i].cls);
		if (v.exit_bit != rows[i].exit_bit || v.audit != rows[i].audit)
			fail_msg("row %zu: %d %s", i, v.exit_bit, mm_audit_name(v.audit));
	}
}

static void facts_count_for_nothing(void **unused)
{
	(void)unused;
	for (int f = 0; f < MM_FACT_COUNT; f++) {
		const char *id = mm_fact_id((enum mm_fact)f);
		const struct mm_finding x = {
		    .setting = id, .state = MM_ST_UNKNOWN, .action = MM_ACT_REPORTED};
		assert_int_equal(mm_fact_by_id(id), f);
		assert_true(mm_is_fact(id));
		assert_int_equal(mm_finding_verdict(&x).exit_bit, MM_EX_OK);
		assert_int_equal(mm_finding_verdict(&x).audit, MM_AUDIT_NOT_APPLICABLE);
		const char *const *words = mm_fact_words((enum mm_fact)f);
		size_t i = 0;
		while (words != NULL && words[i] != NULL &&
		       !mm_streq(words[i], mm_fact_desired((enum mm_fact)f)))
			i++;
		assert_true(words == NULL || words[i] != NULL);
		/* of all others only the first is well */
		assert_true(i == 0 || f == MM_FACT_TLS_MIN);
	}
	for (int s = 0; s < MM_SET_COUNT; s++)
		assert_false(mm_is_fact(mm_setting_def((enum mm_setting)s)->id));
	const struct mm_finding port = {
	    .setting = "incoming.port", .state = MM_ST_UNKNOWN, .action = MM_ACT_NONE};
	assert_int_equal(mm_finding_verdict(&port).audit, MM_AUDIT_UNKNOWN);
	assert_true(mm_is_fact("client.newer_than_we"));
	assert_int_equal(mm_fact_by_id("client.newer_than_we"), MM_FACT_NONE);
	assert_int_equal(mm_fact_by_id(NULL), MM_FACT_NONE);
	assert_false(mm_is_fact(NULL));
	assert_false(mm_is_fact(""));
	assert_false(mm_is_fact("clients"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(words),
	    cmocka_unit_test(verdict_table),
	    cmocka_unit_test(verdict_laws),
	    cmocka_unit_test(login_verdicts),
	    cmocka_unit_test(facts_count_for_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
