/* Baselines as texts: the ones that are shipped, faults, tailoring. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "common/text.h"
#include "controller/checks/baseline.h"
#include "policy_util.h"

#define CHECK(id, more)                                                                                      \
	"{ id = \"" id                                                                                       \
	"\"; title = \"t\"; rationale = \"r\"; test = \"tls-floor\"; severity = \"low\"; " more " }"
#define LIBRARY(all) "checks = ( " all " );\n"
#define HEAD "format = 1;\nbaseline = { id = \"b\"; title = \"B\"; "
#define GOOD HEAD "select = ( { check = \"one\"; } ); };\n" LIBRARY(CHECK("one", "threshold = 12;"))

struct read {
	struct mm_arena *a;
	struct mm_diags d;
	const struct mm_baseline *b;
};

static void read_text(struct read *r, const char *text)
{
	*r = (struct read){.a = mm_arena_new()};
	mm_diags_init(&r->d, r->a);
	int rc = mm_baseline_load_text("b.conf", text, r->a, &r->b, &r->d);
	assert_int_equal(rc == 0, r->d.errors == 0);
}

static void test_shipped(void **state)
{
	static const char *const names[] = {
	    "rfc8314", "nist-800-53-moderate", "pci-dss-4", "bsi-grundschutz", NULL};
	(void)state;
	for (size_t i = 0; names[i] != NULL; i++) {
		struct mm_arena *a = mm_arena_new();
		const struct mm_baseline *b = NULL;
		struct mm_diags d;
		mm_diags_init(&d, a);
		const char *path =
		    mm_arena_printf(a, "%s/policies/baselines/%s.conf", MM_SOURCE_DIR, names[i]);
		assert_int_equal(mm_baseline_load_file(path, a, &b, NULL, &d), 0);
		assert_string_equal(b->id, names[i]);
		assert_int_equal(strlen(b->sha256), 64);
		for (size_t k = 0; k < b->n; k++) {
			const struct mm_check *c = &b->checks[k];
			assert_int_equal(c->index, k);
			assert_true(c->n_refs > 0);
			assert_true(
			    mm_check_fix(c, "")[0] != '\0'); /* whatever the client, something can be done */
			for (size_t n = 0; n < c->n_controls; n++) {
				assert_string_not_equal(c->controls[n].id, "CM-6(1)");
				assert_string_not_equal(c->controls[n].id, "CM-3(1)");
				assert_string_not_equal(c->controls[n].id, "AU-10");
			}
		}
		mm_arena_free(a);
	}
}

static void test_faults(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
	    {HEAD "select = ( { check = \"two\"; } ); };\n" LIBRARY(CHECK("one", "")),
		"b.conf:2: there is no check two"},
	    {HEAD "select = ( { check = \"one\"; severity = \"dire\"; } ); };\n" LIBRARY(CHECK("one", "")),
		"b.conf:2: "},
	    {HEAD "select = ( { check = \"one\"; threshold = 4294967297; } ); };\n" LIBRARY(CHECK("one", "")),
		"b.conf:2: "},
	    {HEAD "select = ( { check = \"one\"; }, { check = \"one\"; } ); };\n" LIBRARY(CHECK("one", "")),
		"twice"},
	    {HEAD "select = ( { check = \"one\"; } ); };\n" LIBRARY(CHECK("one", "") "," CHECK("one", "")),
		"already"},
	    {HEAD "select = ( { check = \"one\"; } ); };\n" LIBRARY("{ id = \"One\"; }"), "is no id"},
	    {HEAD
		"select = ( { check = \"one\"; } ); };\nchecks = ( { id = \"one\"; test = \"tls-flor\"; } );",
		"did you mean tls-floor"},
	    {HEAD "select = ( { check = \"one\"; } ); };\nchecks = ( { id = \"one\"; title = \"t\"; "
		  "rationale = \"r\"; } );",
		"test is missing"},
	    {HEAD "select = ( ); };\n", "at least one check"},
	    {"format = 2;\nbaseline = { id = \"b\"; };", "format 2"},
	    {"@include \"/etc/passwd\"\n" GOOD, "b.conf:1: "},
	    {GOOD "rubbish", "rubbish has no value"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct read r;
		bool found = false;
		read_text(&r, cases[i].text);
		assert_true(r.d.errors > 0);
		for (size_t k = 0; k < r.d.n; k++) {
			struct mm_buf line = MM_BUF_INIT(4096);
			mm_diag_line(&r.d, &r.d.items[k], &line);
			found |= strstr(mm_buf_str(&line), cases[i].says) != NULL;
			mm_buf_free(&line);
		}
		if (!found)
			fail_msg("case %zu says: %s", i, r.d.items[0].text);
		mm_arena_free(r.a);
	}
}

static const char *tailored(struct read *r, const char *audit, const struct mm_baseline **out)
{
	struct loaded l;
	const char *says = "";
	load(&l, mm_arena_printf(r->a, "%s%s", POLICY_BASE, audit));
	if (l.policy == NULL)
		says = mm_arena_strdup(r->a, l.diags.items[0].text);
	else if (mm_baseline_tailor(r->b, &l.policy->audit, r->a, out, &r->d) != 0)
		says = r->d.items[r->d.n - 1].text;
	else /* its texts are the policy's */
		for (size_t i = 0; i < (*out)->n; i++)
			assert_true((*out)->checks[i].off == NULL || (*out)->checks[i].off[0] != '\0');
	unload(&l);
	return says;
}

static void test_tailoring(void **state)
{
	static const struct {
		const char *audit, *says;
	} cases[] = {
	    {"audit = { tailor = ( { check = \"one\"; threshold = 13; severity = \"high\"; } ); };", ""},
	    {"audit = { tailor = ( { check = \"onne\"; threshold = 13; } ); };", "did you mean one?"},
	    {"audit = { tailor = ( { check = \"one\"; severity = \"hihg\"; } ); };",
		"severity \"hihg\" is not known"},
	    {"audit = { tailor = ( { check = \"one\"; off = true; } ); };", "needs a reason"},
	    {"audit = { tailor = ( { check = \"one\"; off = \"\"; } ); };", "empty"},
	    {"audit = { tailor = ( { threshold = 3; } ); };", "check is missing"},
	    {"audit = { tailor = ( { check = \"one\"; threshold = 1; }, { check = \"one\"; threshold = 2; } "
	     "); };",
		"twice"},
	    {"audit = { baseline = \"../../etc/passwd\"; };", "is no name of a baseline"},
	    {"audit = { baselin = \"rfc8314\"; };", "did you mean baseline"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct mm_baseline *b = NULL;
		struct read r;
		read_text(&r, GOOD);
		const char *says = tailored(&r, cases[i].audit, &b);
		if (strstr(says, cases[i].says) == NULL || (says[0] != '\0') != (cases[i].says[0] != '\0'))
			fail_msg("case %zu says: %s", i, says);
		if (says[0] == '\0') {
			assert_int_equal(b->checks[0].threshold, 13);
			assert_int_equal(b->checks[0].severity, MM_SEV_HIGH);
			assert_string_equal(b->checks[0].tailored,
			    "severity high instead of low, threshold 13 instead of 12");
		}
		mm_arena_free(r.a);
	}
}

/* A stored text gives the same baseline as the files that it came from. */
static void test_stored(void **state)
{
	struct mm_arena *a = mm_arena_new();
	const struct mm_baseline *b = NULL, *again = NULL;
	struct mm_said text = {NULL, {NULL, 0}};
	struct mm_diags d;
	(void)state;
	mm_diags_init(&d, a);
	const char *path = mm_arena_printf(a, "%s/policies/baselines/pci-dss-4.conf", MM_SOURCE_DIR);
	assert_int_equal(mm_baseline_load_file(path, a, &b, &text, &d), 0);
	assert_int_equal(mm_baseline_load_text(text.at.file, text.text, a, &again, &d), 0);
	assert_string_equal(b->sha256, again->sha256);
	assert_int_equal(b->n, again->n);
	mm_arena_free(a);
}

static void test_one_alone(void **state)
{
	struct read r;
	(void)state;
	read_text(&r, GOOD);
	assert_null(mm_baseline_only(r.b, "two", r.a));
	const struct mm_baseline *one = mm_baseline_only(r.b, "one", r.a);
	assert_int_equal(one->n, 1);
	assert_int_equal(one->checks[0].index, 0);
	mm_arena_free(r.a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_shipped),
	    cmocka_unit_test(test_faults),
	    cmocka_unit_test(test_tailoring),
	    cmocka_unit_test(test_stored),
	    cmocka_unit_test(test_one_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
