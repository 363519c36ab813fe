/* What explain and the policy diff print. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/policy/diff.h"
#include "controller/policy/explain.h"
#include "tests/unit/policy_util.h"

static const char text[] = POLICY_HEAD POLICY_IN POLICY_OUT
    "accounts = { work = { address = \"%{address}\"; label = \"Work\"; incoming = \"in\"; outgoing = "
    "\"out\"; }; };\n"
    "groups = { staff = { priority = 10; accounts = [ \"work\" ]; clients = { mutt = \"enforce\"; };\n"
    "  override = { work = { incoming = { port = 1993; }; }; }; };\n"
    "  sales = { priority = 20; override = { work = { incoming = { port = 2993; }; }; }; }; };\n"
    "final = [ \"incoming.host\" ];\n"
    "users = ( { user = \"alice\"; override = { work = { incoming = { host = \"x.example\"; }; }; }; } );\n";

/* The same endpoints in another order, one of them changed. */
#define POLICY_OUT_FIRST                                                                                     \
	"endpoints = { out = { protocol = \"smtp\"; host = \"smtp.acme.example\"; username = \"%{login}\"; " \
	"};\n"                                                                                               \
	"in = { username = \"%{login}\"; protocol = \"imap\"; host = \"imap2.acme.example\"; }; };\n"

static const char *const groups[] = {"staff", NULL};
static const struct mm_subject alice = {.login = "alice", .address = "a@acme.example", .groups = groups};

struct explained {
	struct loaded l;
	struct mm_resolved *r;
	char *out;
	size_t n;
	struct mm_err err;
	int rc;
};

static void explain(struct explained *x, const struct mm_subject *u, const char *setting)
{
	*x = (struct explained){.err = MM_ERR_NONE};
	load(&x->l, text);
	assert_non_null(x->l.policy);
	assert_int_equal(
	    mm_resolve(x->l.policy, u, "h1", MM_RESOLVE_EXPLAIN, x->l.arena, &x->r, &x->l.diags), 0);
	FILE *f = open_memstream(&x->out, &x->n);
	assert_non_null(f);
	x->rc = mm_explain_print(x->r, setting, f, &x->err);
	fclose(f);
}

static void done(struct explained *x)
{
	free(x->out);
	unload(&x->l);
}

/* Is there a line with all these words in this order? */
static bool has_line(const char *out, const char *const *words)
{
	for (const char *line = out; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
		line += *line == '\n';
		const char *end = strchrnul(line, '\n'), *at = line;
		size_t i = 0;
		for (; words[i] != NULL; i++) {
			at = strstr(at, words[i]);
			if (at == NULL || at >= end)
				break;
			at += strlen(words[i]);
		}
		if (words[i] == NULL)
			return true;
	}
	return false;
}

#define LINE(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_table(void **state)
{
	struct explained x;
	(void)state;
	explain(&x, &alice, NULL);
	assert_int_equal(x.rc, 0);
	assert_true(has_line(x.out, LINE("alice on h1")));
	assert_true(has_line(x.out, LINE("account work (Work)")));
	assert_true(has_line(x.out, LINE("SETTING", "LAYER", "WHERE", "VALUE", "VERDICT")));
	assert_true(has_line(x.out,
	    LINE("account.address", "organisation", "p.conf:4", "a@acme.example (from %{address})", "won")));
	assert_true(has_line(
	    x.out, LINE("incoming.port", "built-in", "-", "993", "overridden by group staff (p.conf:6)")));
	assert_true(has_line(
	    x.out, LINE("group sales (20)", "p.conf:7", "2993", "not applicable: alice is not in sales")));
	assert_true(has_line(x.out, LINE("group staff (10)", "p.conf:6", "1993", "won")));
	assert_true(
	    has_line(x.out, LINE("user alice", "p.conf:9", "x.example", "blocked: final (p.conf:8)")));
	assert_true(has_line(x.out, LINE("clients.mutt", "built-in", "audit", "overridden by group staff")));
	assert_true(has_line(x.out, LINE("create", "built-in", "existing", "won")));
	done(&x);
}

static void test_choice(void **state)
{
	static const struct {
		const char *setting, *in, *out;
	} cases[] = {{"incoming.port", "incoming.port", "incoming.host"},
	    {"incoming", "incoming.host", "outgoing.host"},
	    {"work:outgoing", "outgoing.host", "incoming.host"}, {"clients", "clients.mutt", "create"},
	    {"clients.mutt", "clients.mutt", "account.address"}, {"create", "create", "clients.mutt"},
	    {"work:", "account.address", "create"}};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct explained x;
		explain(&x, &alice, cases[i].setting);
		assert_int_equal(x.rc, 0);
		assert_non_null(strstr(x.out, cases[i].in));
		assert_null(strstr(x.out, cases[i].out));
		done(&x);
	}
}

static void test_not_found(void **state)
{
	static const struct {
		const char *setting, *want;
	} cases[] = {{"incoming.hots", "no setting incoming.hots; did you mean incoming.host?"},
	    {"zzzzzzzzzzzzzz",
		"no setting zzzzzzzzzzzzzz; try incoming.host, or leave it away for all settings"},
	    {"incoming.pin", "no layer says anything about incoming.pin"},
	    {"workx:incoming.host", "alice has no account workx"},
	    {"work:clients.mut", "no setting work:clients.mut; did you mean clients.mutt?"}};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct explained x;
		json_t *j;
		explain(&x, &alice, cases[i].setting);
		assert_int_equal(x.rc, -1);
		assert_string_equal(x.err.text, cases[i].want);
		assert_int_equal(x.err.code, MM_EX_FAILED);
		assert_int_equal(x.n, 0);
		assert_int_equal(mm_explain_json(x.r, cases[i].setting, &j, &x.err), -1);
		done(&x);
	}
}

static void test_json(void **state)
{
	struct explained x;
	json_t *j;
	(void)state;
	explain(&x, &alice, NULL);
	assert_int_equal(mm_explain_json(x.r, "incoming.port", &j, &x.err), 0);
	assert_string_equal(json_string_value(json_object_get(j, "user")), "alice");
	assert_string_equal(json_string_value(json_object_get(j, "host")), "h1");
	assert_string_equal(json_string_value(json_object_get(j, "policy_sha256")), x.l.policy->sha256);
	const json_t *list = json_object_get(j, "settings");
	assert_int_equal(json_array_size(list), 1);
	const json_t *one = json_array_get(list, 0), *trail = json_object_get(one, "trail");
	assert_string_equal(json_string_value(json_object_get(one, "account")), "work");
	assert_string_equal(json_string_value(json_object_get(one, "value")), "1993");
	assert_int_equal(json_array_size(trail), 3);
	const json_t *won = json_array_get(trail, 2);
	assert_string_equal(json_string_value(json_object_get(won, "layer")), "group");
	assert_string_equal(json_string_value(json_object_get(won, "name")), "staff");
	assert_int_equal(json_integer_value(json_object_get(won, "priority")), 10);
	assert_int_equal(json_integer_value(json_object_get(won, "line")), 6);
	assert_string_equal(json_string_value(json_object_get(won, "verdict")), "won");
	assert_string_equal(
	    json_string_value(json_object_get(json_array_get(trail, 1), "verdict")), "not applicable");
	assert_true(json_is_null(json_object_get(json_array_get(trail, 1), "value")));
	json_decref(j);
	done(&x);
}

static void test_nobody(void **state)
{
	static const struct mm_subject zed = {.login = "zed"};
	struct explained x;
	(void)state;
	explain(&x, &zed, NULL);
	assert_int_equal(x.rc, 0);
	assert_true(has_line(x.out, LINE("no account: no group of this user gives one")));
	done(&x);
}

/* ---- diff */

static char *diff_text(const char *before, const char *after, struct mm_policy_diff *d, struct loaded l[2])
{
	char *out;
	size_t n;
	l[0].policy = NULL;
	if (before != NULL)
		load(&l[0], before);
	load(&l[1], after);
	assert_non_null(l[1].policy);
	mm_policy_diff(l[0].policy, l[1].policy, l[1].arena, d);
	FILE *f = open_memstream(&out, &n);
	assert_non_null(f);
	mm_policy_diff_print(d, f);
	fclose(f);
	return out;
}

static void test_diff(void **state)
{
	struct loaded l[2];
	struct mm_policy_diff d;
	(void)state;
	char *out = diff_text(POLICY_BASE
	    "users = ( { user = \"u\"; override = { work = { unset = [ \"incoming.pin\" ]; }; }; } );",
	    POLICY_HEAD POLICY_OUT_FIRST POLICY_ACCOUNTS "groups = { staff = { priority = 11; accounts = [ "
							 "\"work\" ]; create = \"always\"; }; };\n# comment\n"
							 "rules = { check = \"tls\"; };\n",
	    &d, l);
	assert_string_equal(out, "~ endpoints.in.host: imap.acme.example -> imap2.acme.example (p.conf:3)\n"
				 "+ groups.staff.create: always (p.conf:5)\n"
				 "~ groups.staff.priority: 10 -> 11 (p.conf:5)\n"
				 "~ rules.check: login -> tls (p.conf:7)\n"
				 "- users.u (p.conf:6)\n"
				 "- users.u.override.work.incoming.pin: (unset) (p.conf:6)\n");
	json_t *j = mm_policy_diff_json(&d);
	assert_int_equal(json_array_size(j), 6);
	assert_string_equal(json_string_value(json_object_get(json_array_get(j, 0), "change")), "changed");
	assert_string_equal(
	    json_string_value(json_object_get(json_array_get(j, 0), "old")), "imap.acme.example");
	assert_string_equal(json_string_value(json_object_get(json_array_get(j, 1), "change")), "added");
	assert_string_equal(json_string_value(json_object_get(json_array_get(j, 4), "change")), "removed");
	json_decref(j);
	free(out);
	unload(&l[0]);
	unload(&l[1]);
}

static void test_diff_same(void **state)
{
	struct loaded l[2];
	struct mm_policy_diff d;
	(void)state;
	char *out =
	    diff_text(POLICY_BASE, POLICY_BASE "# only a comment\nrules = { approvals = 0; };\n", &d, l);
	assert_int_equal(d.n, 0);
	assert_string_equal(out, "");
	free(out);
	unload(&l[0]);
	unload(&l[1]);
}

static void test_diff_first(void **state)
{
	struct loaded l[2];
	struct mm_policy_diff d;
	(void)state;
	char *out = diff_text(NULL, POLICY_BASE, &d, l);
	assert_non_null(strstr(out, "+ endpoints.in.host: imap.acme.example (p.conf:2)\n"));
	assert_null(strstr(out, "\n- "));
	free(out);
	unload(&l[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_table),
	    cmocka_unit_test(test_choice),
	    cmocka_unit_test(test_not_found),
	    cmocka_unit_test(test_json),
	    cmocka_unit_test(test_nobody),
	    cmocka_unit_test(test_diff),
	    cmocka_unit_test(test_diff_same),
	    cmocka_unit_test(test_diff_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
