/* What cannot be seen without running somebody's code is never compliant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "common/text.h"
#include "converge_world.h"

#define W struct world *w = *state
#define GOOD "[work]\nfrom=alice@acme.example\nprotocol=imap\nhost=imap.acme.example\nport=993\nuser=alice\n"
#define BAD "[work]\nfrom=alice@acme.example\nprotocol=imap\nhost=imap.acme.example\nport=1\nuser=alice\n"

static void unknown(struct world *w, enum mm_action act)
{
	expect(w, "work", "incoming.port", MM_ST_UNKNOWN, act);
	assert_non_null(strstr(finding(w, "work", "incoming.port")->reason, ".fakerc:7 may win"));
	assert_int_equal(finding(w, "work", "incoming.port")->line, 7);
	assert_int_equal(mm_collect_status(&w->found), MM_EX_DIFF);
	assert_false(w->c.effect[0][MM_SIDE_INCOMING].in_effect);
	assert_true(w->c.effect[0][MM_SIDE_INCOMING].present);
}

/* As desired as far as can be seen: in every mode, and however it is asked. */
static void never_compliant(void **state)
{
	static const enum mm_mode modes[] = {MM_MODE_ENFORCE, MM_MODE_AUDIT, MM_MODE_DEFAULT};
	static const enum mm_how hows[] = {MM_HOW_AUDIT, MM_HOW_PLAN, MM_HOW_APPLY};
	W;

	put_file(w, ".fakerc", GOOD "unseen_port=behind\n");
	for (size_t m = 0; m < 3; m++)
		for (size_t h = 0; h < 3; h++) {
			w->rule.mode = modes[m];
			assert_int_equal(run(w, hows[h]), 0);
			unknown(w, MM_ACT_NONE);
			expect(w, "work", "incoming.host", MM_ST_COMPLIANT, MM_ACT_NONE);
		}
	assert_string_equal(get_file(w, ".fakerc"), GOOD "unseen_port=behind\n");
}

/* What the policy asks is written all the same; the verdict stays. */
static void written_and_unknown(void **state)
{
	W;

	put_file(w, ".fakerc", BAD "unseen_port=behind\n");
	assert_int_equal(run(w, MM_HOW_AUDIT), 0);
	unknown(w, MM_ACT_NONE);
	assert_int_equal(run(w, MM_HOW_PLAN), 0);
	unknown(w, MM_ACT_WOULD_CHANGE);
	assert_string_equal(get_file(w, ".fakerc"), BAD "unseen_port=behind\n");
	apply(w);
	unknown(w, MM_ACT_CORRECTED);
	assert_string_equal(get_file(w, ".fakerc"), GOOD "unseen_port=behind\n");
	apply(w);
	unknown(w, MM_ACT_NONE);
	assert_int_equal(w->c.changed, 0);
}

static void difference_is_reported_as_unknown(void **state)
{
	W;

	w->rule.mode = MM_MODE_AUDIT;
	put_file(w, ".fakerc", BAD "unseen_port=behind\n");
	apply(w);
	unknown(w, MM_ACT_REPORTED);
	assert_string_equal(get_file(w, ".fakerc"), BAD "unseen_port=behind\n");
}

/* Written again, it is certain: as desired, corrected, and quiet from then on. */
static void made_certain(void **state)
{
	W;

	put_file(w, ".fakerc", GOOD "unseen_port=open\n");
	assert_int_equal(run(w, MM_HOW_AUDIT), 0);
	unknown(w, MM_ACT_NONE);
	apply(w);
	expect(w, "work", "incoming.port", MM_ST_PENDING, MM_ACT_CORRECTED);
	assert_int_equal(mm_collect_status(&w->found), MM_EX_OK);
	assert_true(w->c.effect[0][MM_SIDE_INCOMING].in_effect);
	apply(w);
	expect(w, "work", "incoming.port", MM_ST_COMPLIANT, MM_ACT_NONE);
	assert_int_equal(w->c.changed, 0);
}

/* Who may choose his value has a value that is allowed, whatever it is. */
static void own_choice(void **state)
{
	W;

	w->rule.setting_mode[MM_SET_IN_PORT] = MM_MODE_DEFAULT;
	put_file(w, ".fakerc", BAD "unseen_port=behind\n");
	apply(w);
	expect(w, "work", "incoming.port", MM_ST_COMPLIANT, MM_ACT_NONE);
	assert_string_not_equal(finding(w, "work", "incoming.port")->reason, "");
	assert_false(w->c.effect[0][MM_SIDE_INCOMING].in_effect);
}

/* What is seen to win is known. */
static void override_is_known(void **state)
{
	W;

	put_file(w, ".fakerc", GOOD "unseen_port=behind\nhook_port=1143\n");
	apply(w);
	expect(w, "work", "incoming.port", MM_ST_OVERRIDDEN, MM_ACT_NONE);
}

/* A value that stands behind it is certain. */
static void behind_it(void **state)
{
	W;

	put_file(w, ".fakerc",
	    "[work]\nunseen_port=behind\nfrom=alice@acme.example\nprotocol=imap\nhost=imap.acme.example\n"
	    "port=993\nuser=alice\n");
	apply(w);
	expect(w, "work", "incoming.port", MM_ST_COMPLIANT, MM_ACT_NONE);
	assert_true(w->c.effect[0][MM_SIDE_INCOMING].in_effect);
}

#define T(f) cmocka_unit_test_setup_teardown(f, mm_world_setup, mm_world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {T(never_compliant), T(written_and_unknown),
	    T(difference_is_reported_as_unknown), T(made_certain), T(own_choice), T(override_is_known),
	    T(behind_it)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
