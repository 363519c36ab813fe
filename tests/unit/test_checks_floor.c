/* The check of the lowest TLS version: the fact decides, and settings only
 * where an older agent tells none. */
#include "store_fixture.h"

#include <string.h>

#include "common/text.h"
#include "controller/checks/baseline.h"

#define CHECK "tls-floor"
#define NONE MM_OUT_COUNT

struct found {
	struct mm_check_result r;
	char why[256], path[256];
	size_t n;
};

static int look(const struct mm_check_result *r, void *arg, struct mm_err *err)
{
	struct found *x = arg;
	(void)err;
	if (!mm_streq(r->check->id, CHECK))
		return 0;
	x->r = *r;
	x->n++;
	snprintf(x->why, sizeof(x->why), "%s", r->why);
	snprintf(x->path, sizeof(x->path), "%s", r->path != NULL ? r->path : "");
	return 0;
}

static struct found find(struct fixture *f)
{
	const struct mm_baseline *b = NULL;
	struct mm_diags d;
	struct found x = {.n = 0};
	mm_diags_init(&d, f->a);
	if (mm_baseline_load_file(MM_SOURCE_DIR "/policies/baselines/rfc8314.conf", f->a, &b, NULL, &d) != 0)
		fail_msg("%s", d.items[0].text);
	ok(f, mm_checks_walk(f->s, b, NULL, look, &x, NULL, &f->err));
	if (x.n == 0)
		x.r.outcome = NONE;
	return x;
}

struct row {
	const char *setting, *found;
	enum mm_state state;
};

static const struct {
	struct row rows[3];
	enum mm_check_outcome want;
} cases[] = {
    {{{"client.tls_min", "1.2", MM_ST_COMPLIANT}}, MM_OUT_COMPLIANT},
    {{{"client.tls_min", "1.3", MM_ST_COMPLIANT}}, MM_OUT_COMPLIANT},
    {{{"client.tls_min", "1.1", MM_ST_UNMANAGED}}, MM_OUT_FAILED},
    {{{"client.tls_min", "1.0", MM_ST_UNMANAGED}}, MM_OUT_FAILED},
    {{{"client.tls_min", "nonsense", MM_ST_UNMANAGED}}, MM_OUT_FAILED},
    {{{"client.tls_min", NULL, MM_ST_UNKNOWN}}, MM_OUT_UNKNOWN},
    {{{"client.tls_min", "no tls", MM_ST_COMPLIANT}}, MM_OUT_NOT_APPLICABLE},
    /* what the program has no setting for does not hide what is known */
    {{{"client.tls_min", "1.2", MM_ST_COMPLIANT}, {"incoming.tls_min", NULL, MM_ST_UNSUPPORTED}},
	MM_OUT_COMPLIANT},
    {{{"client.tls_min", "1.0", MM_ST_UNMANAGED}, {"incoming.tls_min", NULL, MM_ST_UNSUPPORTED}},
	MM_OUT_FAILED},
    {{{"client.tls_min", NULL, MM_ST_UNKNOWN}, {"incoming.tls_min", "1.2", MM_ST_COMPLIANT}}, MM_OUT_UNKNOWN},
    /* an older agent */
    {{{"incoming.tls_min", "1.2", MM_ST_COMPLIANT}}, MM_OUT_COMPLIANT},
    {{{"incoming.tls_min", NULL, MM_ST_UNSUPPORTED}}, MM_OUT_UNKNOWN},
    {{{"incoming.security", "tls", MM_ST_COMPLIANT}}, MM_OUT_UNKNOWN}, /* it talks, and nobody looked */
    {{{"account.real_name", "A", MM_ST_COMPLIANT}}, NONE},             /* it may not talk with a server */
};

static void fact_before_settings(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		void *s;
		struct made m;
		people_setup(&s);
		struct fixture *f = s;
		make_report(&m, "r", "alice");
		for (const struct row *r = cases[i].rows; r < cases[i].rows + 3 && r->setting != NULL; r++)
			add_finding(&m, "alice", r->setting, r->state, r->found);
		store_report(f, &m);
		struct found x = find(f);
		if (x.r.outcome != cases[i].want)
			fail_msg(
			    "case %zu: %d, wanted %d: %s", i, (int)x.r.outcome, (int)cases[i].want, x.why);
		store_teardown(&s);
	}
}

/* A fact of another file says nothing of this one's settings. */
static void of_the_same_file_only(void **state)
{
	struct fixture *f = *state;
	struct made m;
	make_report(&m, "r", "alice");
	add_finding(&m, "alice", "client.tls_min", MM_ST_COMPLIANT, "1.2")->path = "/home/alice/.a";
	add_finding(&m, "alice", "incoming.tls_min", MM_ST_DRIFTED, "1.0")->path = "/home/alice/.b";
	store_report(f, &m);
	assert_int_equal(find(f).r.outcome, MM_OUT_DRIFTED);
}

/* The file of the system is what is named. */
static void names_the_systems_file(void **state)
{
	struct fixture *f = *state;
	struct made m;
	make_report(&m, "r", "alice");
	struct mm_finding *x = add_finding(&m, "alice", "client.tls_min", MM_ST_COMPLIANT, "1.2");
	x->override_path = "/etc/gnutls/config";
	x->line = 3;
	store_report(f, &m);
	struct found r = find(f);
	assert_int_equal(r.r.outcome, MM_OUT_COMPLIANT);
	assert_string_equal(r.path, "/etc/gnutls/config");
	assert_int_equal(r.r.line, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fact_before_settings),
	    cmocka_unit_test_setup_teardown(of_the_same_file_only, people_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(names_the_systems_file, people_setup, store_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
