/* Layers, final, templates, conflicts, and the sheet that comes out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/policy/resolve.h"
#include "tests/unit/policy_util.h"

static const char *const in_staff[] = {"staff", NULL};
static const char *const in_both[] = {"sales", "staff", "unknown", NULL};
static const char *const in_three[] = {"staff", "sales", "support", NULL};
static const struct mm_attr attrs[] = {{"site", "berlin"}, {"bad", "a\nb"}};

static struct mm_subject alice(const char *const *groups)
{
	return (struct mm_subject){.login = "alice",
	    .name = "Alice",
	    .address = "a.smith@acme.example",
	    .attributes = attrs,
	    .n_attributes = 2,
	    .groups = groups};
}

/* Line of each layer: organisation 2, staff 6, sales 7, support 8, host 10, user 11. */
static const char layered[] = POLICY_HEAD
    "endpoints = { in = { protocol = \"imap\"; host = \"org.example\"; username = \"%{login}\"; "
    "};\n" POLICY_OUT "accounts = { work = { address = \"%{address}\"; real_name = \"%{name}\"; label = "
    "\"Work\"; incoming = \"in\"; outgoing = "
    "\"out\"; replaces = [ \"old.example\" ]; }; };\n"
    "groups = {\n"
    "staff = { priority = 10; accounts = [ \"work\" ]; create = \"always\"; clients = { mutt = \"enforce\"; "
    "thunderbird = "
    "\"enforce\"; }; override = { work = { incoming = { host = \"staff.example\"; port = 1993; }; }; }; };\n"
    "sales = { priority = 20; clients = { mutt = { mode = \"default\"; settings = { account = { real_name = "
    "\"ignore\"; }; }; "
    "}; }; override = { work = { incoming = { host = \"sales.example\"; }; }; }; };\n"
    "support = { priority = 20; override = { work = { incoming = { host = \"support.example\"; }; }; }; };\n"
    "};\n"
    "hosts = ( { host = \"kiosk\"; override = { work = { incoming = { host = \"kiosk.example\"; }; }; }; } "
    ");\n"
    "users = ( { user = \"alice\"; override = { work = { incoming = { host = \"alice.example\"; }; }; }; }, "
    "{ user = \"bob\"; "
    "clients = { mutt = \"ignore\"; }; } );\n";

struct resolved {
	struct loaded l;
	struct mm_resolved *r;
	struct mm_diags d;
};

static int resolve(
    struct resolved *x, const char *text, const struct mm_subject *u, const char *host, unsigned flags)
{
	load(&x->l, text);
	assert_non_null(x->l.policy);
	x->r = NULL;
	mm_diags_init(&x->d, x->l.arena);
	int rc = mm_resolve(x->l.policy, u, host, flags, x->l.arena, &x->r, &x->d);
	assert_true((rc == 0) == (x->r != NULL) && (rc == 0) == (x->d.errors == 0));
	return rc;
}

static const char *value(const struct resolved *x, enum mm_setting s)
{
	return x->r->accounts[0].set[s].value;
}

/* What resolve said, one line each. */
static const char *trouble(struct resolved *x)
{
	struct loaded l = {.arena = x->l.arena, .diags = x->d};
	return said(&l);
}

static void test_builtin(void **state)
{
	struct resolved x;
	struct mm_subject u = alice(in_staff);
	(void)state;
	assert_int_equal(resolve(&x, POLICY_BASE, &u, NULL, 0), 0);
	assert_int_equal(x.r->n_accounts, 1);
	assert_string_equal(value(&x, MM_SET_ADDRESS), "a.smith@acme.example");
	assert_string_equal(value(&x, MM_SET_IN_USERNAME), "alice");
	assert_string_equal(value(&x, MM_SET_IN_SECURITY), "tls");
	assert_string_equal(value(&x, MM_SET_IN_PORT), "993");
	assert_string_equal(value(&x, MM_SET_OUT_PORT), "465");
	assert_string_equal(value(&x, MM_SET_IN_AUTH), "password");
	assert_string_equal(value(&x, MM_SET_IN_TLS_MIN), "1.2");
	assert_null(value(&x, MM_SET_REAL_NAME));
	assert_null(value(&x, MM_SET_IN_LEAVE_ON_SERVER));
	assert_string_equal(x.r->create.value, "existing");
	assert_int_equal(x.r->n_clients, 0);
	unload(&x.l);
}

static void test_ports_follow(void **state)
{
	static const struct {
		const char *in, *port, *leave;
	} cases[] = {{"protocol = \"imap\"; security = \"starttls\";", "143", NULL},
	    {"protocol = \"pop3\";", "995", "yes"},
	    {"protocol = \"pop3\"; security = \"starttls\"; leave_on_server = false;", "110", "no"},
	    {"protocol = \"imap\"; port = 10143; security = \"starttls\";", "10143", NULL}};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct resolved x;
		struct mm_subject u = alice(in_staff);
		char text[2048];
		snprintf(text, sizeof(text),
		    "%sendpoints = { in = { host = \"h.example\"; username = \"u\"; %s };\n%s", POLICY_HEAD,
		    cases[i].in, POLICY_OUT POLICY_ACCOUNTS POLICY_GROUPS);
		assert_int_equal(resolve(&x, text, &u, NULL, 0), 0);
		assert_string_equal(value(&x, MM_SET_IN_PORT), cases[i].port);
		if (cases[i].leave != NULL)
			assert_string_equal(value(&x, MM_SET_IN_LEAVE_ON_SERVER), cases[i].leave);
		else
			assert_null(value(&x, MM_SET_IN_LEAVE_ON_SERVER));
		unload(&x.l);
	}
}

static void test_layers(void **state)
{
	static const struct {
		const char *login;
		const char *const *groups;
		const char *host, *want;
	} cases[] = {{"carol", in_staff, NULL, "staff.example"}, {"carol", in_both, NULL, "sales.example"},
	    {"carol", in_both, "kiosk", "kiosk.example"}, {"carol", in_both, "other", "sales.example"},
	    {"alice", in_both, "kiosk", "alice.example"}, {"alice", in_staff, NULL, "alice.example"}};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct resolved x;
		struct mm_subject u = alice(cases[i].groups);
		u.login = cases[i].login;
		assert_int_equal(resolve(&x, layered, &u, cases[i].host, 0), 0);
		assert_string_equal(value(&x, MM_SET_IN_HOST), cases[i].want);
		assert_string_equal(value(&x, MM_SET_IN_PORT), "1993");
		unload(&x.l);
	}
}

static void expect_step(const struct mm_trail *t, size_t i, enum mm_layer layer, int line, const char *value,
    enum mm_trail_verdict verdict, const char *why)
{
	assert_true(i < t->n);
	assert_int_equal(t->steps[i].layer, layer);
	assert_int_equal(t->steps[i].at.line, line);
	assert_string_equal(t->steps[i].value != NULL ? t->steps[i].value : "-", value);
	assert_int_equal(t->steps[i].verdict, verdict);
	assert_string_equal(t->steps[i].why, why);
}

static void test_trail(void **state)
{
	struct resolved x;
	struct mm_subject u = alice(in_both);
	(void)state;
	assert_int_equal(resolve(&x, layered, &u, "kiosk", MM_RESOLVE_EXPLAIN), 0);
	const struct mm_trail *t = &x.r->accounts[0].set[MM_SET_IN_HOST];
	const char *over = "overridden by user alice (p.conf:11)";
	assert_int_equal(t->n, 6);
	expect_step(t, 0, MM_LAYER_ORGANISATION, 2, "org.example", MM_TRAIL_OVERRIDDEN, over);
	expect_step(
	    t, 1, MM_LAYER_GROUP, 8, "-", MM_TRAIL_NOT_APPLICABLE, "not applicable: alice is not in support");
	assert_string_equal(t->steps[1].written, "support.example");
	expect_step(t, 2, MM_LAYER_GROUP, 6, "staff.example", MM_TRAIL_OVERRIDDEN, over);
	expect_step(t, 3, MM_LAYER_GROUP, 7, "sales.example", MM_TRAIL_OVERRIDDEN, over);
	expect_step(t, 4, MM_LAYER_HOST, 10, "kiosk.example", MM_TRAIL_OVERRIDDEN, over);
	expect_step(t, 5, MM_LAYER_USER, 11, "alice.example", MM_TRAIL_WON, "won");
	t = &x.r->accounts[0].set[MM_SET_IN_PORT];
	expect_step(
	    t, 0, MM_LAYER_BUILTIN, 0, "993", MM_TRAIL_OVERRIDDEN, "overridden by group staff (p.conf:6)");
	t = &x.r->accounts[0].set[MM_SET_REAL_NAME];
	assert_string_equal(t->winner->written, "%{name}");
	assert_string_equal(t->winner->value, "Alice");
	t = &x.r->accounts[0].set[MM_SET_IN_LEAVE_ON_SERVER];
	expect_step(
	    t, 0, MM_LAYER_BUILTIN, 0, "yes", MM_TRAIL_NOT_APPLICABLE, "not applicable: for pop3 only");
	unload(&x.l);
	assert_int_equal(resolve(&x, layered, &u, NULL, MM_RESOLVE_EXPLAIN), 0);
	t = &x.r->accounts[0].set[MM_SET_IN_HOST];
	expect_step(
	    t, 2, MM_LAYER_HOST, 10, "-", MM_TRAIL_NOT_APPLICABLE, "not applicable: on host kiosk only");
	unload(&x.l);
}

static char *with(const char *base, const char *more)
{
	size_t n = strlen(base) + strlen(more) + 1;
	char *text = malloc(n);
	assert_non_null(text);
	snprintf(text, n, "%s%s", base, more);
	return text;
}

static void test_final(void **state)
{
	struct resolved x;
	struct mm_subject u = alice(in_both);
	char *text = with(layered, "final = [ \"incoming.host\",\n \"incoming.port\" ];");
	(void)state;
	/* Nobody asks why: who wins is the same. */
	assert_int_equal(resolve(&x, text, &u, "kiosk", 0), 0);
	const struct mm_trail *t = &x.r->accounts[0].set[MM_SET_IN_HOST];
	expect_step(t, 0, MM_LAYER_ORGANISATION, 2, "org.example", MM_TRAIL_WON, "won");
	expect_step(t, 1, MM_LAYER_GROUP, 6, "staff.example", MM_TRAIL_BLOCKED, "blocked: final");
	unload(&x.l);
	assert_int_equal(resolve(&x, text, &u, "kiosk", MM_RESOLVE_EXPLAIN), 0);
	t = &x.r->accounts[0].set[MM_SET_IN_HOST];
	expect_step(t, 0, MM_LAYER_ORGANISATION, 2, "org.example", MM_TRAIL_WON, "won");
	expect_step(t, 2, MM_LAYER_GROUP, 6, "staff.example", MM_TRAIL_BLOCKED, "blocked: final (p.conf:12)");
	expect_step(t, 5, MM_LAYER_USER, 11, "alice.example", MM_TRAIL_BLOCKED, "blocked: final (p.conf:12)");
	/* A built-in value is no reason to block: the lowest layer that says something wins. */
	t = &x.r->accounts[0].set[MM_SET_IN_PORT];
	expect_step(t, 1, MM_LAYER_GROUP, 6, "1993", MM_TRAIL_WON, "won");
	unload(&x.l);
	free(text);
}

static void test_rules_floor(void **state)
{
	struct resolved x;
	struct mm_subject u = alice(in_both);
	char *text = with(layered, "rules = { tls_min = \"1.3\"; };");
	(void)state;
	assert_int_equal(resolve(&x, text, &u, NULL, 0), 0);
	const struct mm_trail *t = &x.r->accounts[0].set[MM_SET_IN_TLS_MIN];
	assert_string_equal(t->value, "1.3");
	expect_step(t, 1, MM_LAYER_ORGANISATION, 12, "1.3", MM_TRAIL_WON, "won");
	unload(&x.l);
	free(text);
}

static void test_unset(void **state)
{
	struct resolved x;
	struct mm_subject u = alice(in_both);
	char *text = with(POLICY_HEAD
	    "endpoints = { in = { protocol = \"imap\"; host = \"h.example\"; username = \"u\"; ca_file = "
	    "\"/ca.pem\"; };\n" POLICY_OUT POLICY_ACCOUNTS,
	    "groups = { staff = { priority = 1; accounts = [ \"work\" ]; };\n"
	    "sales = { priority = 2; override = { work = { unset = [ \"incoming.ca_file\" ]; }; }; }; };");
	(void)state;
	assert_int_equal(resolve(&x, text, &u, NULL, 0), 0);
	assert_null(value(&x, MM_SET_IN_CA_FILE));
	const struct mm_trail *t = &x.r->accounts[0].set[MM_SET_IN_CA_FILE];
	expect_step(t, 1, MM_LAYER_GROUP, 6, "-", MM_TRAIL_WON, "won");
	unload(&x.l);
	free(text);
}

/* ---- templates */

struct filled {
	const char *written; /* incoming.username */
	const char *want;    /* value, or the diagnostic when it begins with "p.conf" */
};

static void test_templates(void **state)
{
	static const struct filled cases[] = {
	    {"%{login}", "alice"},
	    {"%{address.local}+%{address.domain}", "a.smith+acme.example"},
	    {"100%%%{name}", "100%Alice"},
	    {"%{attr.SITE}", "berlin"},
	    {"x%{attr.bad}", "p.conf:2: incoming.username of account work cannot be filled in: "},
	    {"%{attr.room}", "p.conf:2: incoming.username of account work cannot be filled in: alice has no "
			     "attribute room; "
			     "complete or correct user alice\n"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct resolved x;
		struct mm_subject u = alice(in_staff);
		char text[2048];
		snprintf(text, sizeof(text),
		    "%sendpoints = { in = { protocol = \"imap\"; host = \"h.example\"; username = \"%s\"; "
		    "};\n%s",
		    POLICY_HEAD, cases[i].written, POLICY_OUT POLICY_ACCOUNTS POLICY_GROUPS);
		int rc = resolve(&x, text, &u, NULL, 0);
		bool fails = strncmp(cases[i].want, "p.conf", 6) == 0;
		assert_int_equal(rc, fails ? -1 : 0);
		if (fails)
			assert_memory_equal(trouble(&x), cases[i].want, strlen(cases[i].want));
		else
			assert_string_equal(value(&x, MM_SET_IN_USERNAME), cases[i].want);
		unload(&x.l);
	}
}

static void test_missing_person(void **state)
{
	struct resolved x;
	struct mm_subject u = {.login = "bob", .groups = in_staff};
	(void)state;
	assert_int_equal(resolve(&x, POLICY_BASE, &u, NULL, 0), -1);
	assert_string_equal(trouble(&x),
	    "p.conf:4: account.address of account work cannot be filled in: bob has no address; "
	    "complete or correct user bob\n");
	unload(&x.l);
}

/* Names are data: nothing in them is expanded again or becomes an argument. */
static void test_argv(void **state)
{
	struct resolved x;
	struct mm_subject u = alice(in_staff);
	u.name = "`id`\"; $(x) | y %{login}";
	(void)state;
	assert_int_equal(
	    resolve(&x,
		POLICY_HEAD
		"endpoints = { in = { protocol = \"imap\"; host = \"h.example\"; username = \"u\"; "
		"password_command = [ \"/bin/x\", \"%{name}\", \"a b\" ]; };\n" POLICY_OUT POLICY_ACCOUNTS
		    POLICY_GROUPS,
		&u, NULL, 0),
	    0);
	const char *const *argv;
	size_t n;
	assert_int_equal(mm_argv_parse(value(&x, MM_SET_IN_PASSWORD_COMMAND), x.l.arena, &argv, &n, NULL), 0);
	assert_int_equal(n, 3);
	assert_string_equal(argv[1], u.name);
	assert_string_equal(argv[2], "a b");
	unload(&x.l);
}

/* ---- contradictions */

static void test_conflict(void **state)
{
	struct resolved x;
	struct mm_subject u = alice(in_three);
	(void)state;
	assert_int_equal(resolve(&x, layered, &u, NULL, 0), -1);
	assert_string_equal(trouble(&x),
	    "p.conf:8: incoming.host of account work: group support wants support.example here, group sales "
	    "wants sales.example "
	    "at p.conf:7, both have priority 20, and alice is in both; give one a higher priority\n");
	unload(&x.l);
}

static void test_conflict_blocked(void **state)
{
	struct resolved x;
	struct mm_subject u = alice(in_three);
	char *text = with(layered, "final = [ \"incoming.host\" ];");
	(void)state;
	assert_int_equal(resolve(&x, text, &u, NULL, 0), 0);
	unload(&x.l);
	free(text);
}

static void test_conflicts_of_all(void **state)
{
	const struct mm_membership all[] = {
	    {"carol", in_both}, {"dave", in_three}, {"erin", in_three}, {"frank", NULL}, {"gina", in_three}};
	struct loaded l;
	(void)state;
	load(&l, layered);
	assert_int_equal(mm_policy_conflicts(l.policy, all, 1, &l.diags), 0);
	assert_int_equal(mm_policy_conflicts(l.policy, all, 5, &l.diags), 1);
	assert_non_null(strstr(said(&l), "p.conf:8: incoming.host of account work: "));
	assert_non_null(strstr(said(&l), "and dave and 2 more is in both"));
	unload(&l);
}

static void test_conflicts_of_modes(void **state)
{
	static const char text[] = POLICY_HEAD POLICY_IN POLICY_OUT POLICY_ACCOUNTS
	    "groups = { staff = { priority = 5; accounts = [ \"work\" ]; create = \"always\"; clients = { "
	    "mutt = \"enforce\"; }; };\n"
	    "sales = { priority = 5; create = \"never\"; clients = { mutt = { mode = \"audit\"; settings = { "
	    "account = { address = "
	    "\"ignore\"; }; }; }; }; };\n"
	    "support = { priority = 5; clients = { mutt = { settings = { account = { address = \"audit\"; }; "
	    "}; }; }; }; };";
	const struct mm_membership all[] = {{"dave", in_three}};
	struct resolved x;
	struct mm_subject u = alice(in_three);
	(void)state;
	assert_int_equal(resolve(&x, text, &u, NULL, 0), -1);
	assert_int_equal(x.d.errors, 3);
	assert_non_null(strstr(trouble(&x),
	    "p.conf:6: create: group sales wants never here, group staff wants always at p.conf:5"));
	assert_non_null(strstr(
	    trouble(&x), "mode of client mutt: group sales wants audit here, group staff wants enforce"));
	assert_non_null(
	    strstr(trouble(&x), "mode of account.address of client mutt: group support wants audit here"));
	struct mm_diags d;
	mm_diags_init(&d, x.l.arena);
	assert_int_equal(mm_policy_conflicts(x.l.policy, all, 1, &d), 3);
	unload(&x.l);
}

static void test_same_value_twice(void **state)
{
	static const char text[] = POLICY_HEAD POLICY_IN POLICY_OUT POLICY_ACCOUNTS
	    "groups = { staff = { priority = 5; accounts = [ \"work\" ]; override = { work = { incoming = { "
	    "host = \"X.example\"; }; "
	    "}; }; };\n"
	    "sales = { priority = 5; override = { work = { incoming = { host = \"x.example\"; }; }; }; }; };";
	struct resolved x;
	struct mm_subject u = alice(in_both);
	(void)state;
	assert_int_equal(resolve(&x, text, &u, NULL, 0), 0);
	assert_string_equal(value(&x, MM_SET_IN_HOST), "x.example");
	unload(&x.l);
}

static void test_twins(void **state)
{
	static const char text[] = POLICY_HEAD POLICY_IN POLICY_OUT
	    "accounts = { work = { address = \"%{address}\"; incoming = \"in\"; outgoing = \"out\"; };\n"
	    "second = { address = \"%{address}\"; incoming = \"in\"; outgoing = \"out\"; }; };\n"
	    "groups = { staff = { priority = 1; accounts = [ \"work\" ]; }; sales = { priority = 2; accounts "
	    "= [ \"second\" ]; }; };";
	struct resolved x;
	struct mm_subject u = alice(in_both);
	(void)state;
	assert_int_equal(resolve(&x, text, &u, NULL, 0), -1);
	assert_string_equal(trouble(&x),
	    "p.conf:5: accounts work and second of alice have the same protocol, user name and host; a "
	    "client would drop one, give only one of them\n");
	unload(&x.l);
}

static void test_required(void **state)
{
	static const char text[] = POLICY_HEAD
	    "endpoints = { in = { protocol = \"imap\"; host = \"h.example\"; };\n" POLICY_OUT POLICY_ACCOUNTS
	    "groups = { staff = { priority = 1; accounts = [ \"work\" ]; override = { work = { unset = [ "
	    "\"outgoing.host\" ]; }; }; }; };";
	struct resolved x;
	struct mm_subject u = alice(in_staff);
	(void)state;
	assert_int_equal(resolve(&x, text, &u, NULL, 0), -1);
	assert_string_equal(trouble(&x),
	    "p.conf:5: account work of alice has no outgoing.host; give it a value, or do not unset it\n"
	    "p.conf:4: account work of alice has no incoming.username; write username = \"%{login}\"\n");
	unload(&x.l);
}

/* Overrides that are harmless alone and wrong together. */
static void test_combined(void **state)
{
	static const char text[] =
	    POLICY_HEAD "endpoints = { in = { protocol = \"imap\"; host = \"h.example\"; username = \"u\"; "
			"};\n" POLICY_OUT POLICY_ACCOUNTS
			"groups = { staff = { priority = 1; accounts = [ \"work\" ]; override = { work = { "
			"outgoing = { auth = \"gssapi\"; }; }; }; };\n"
			"sales = { priority = 2; override = { work = { outgoing = { password_command = [ "
			"\"/bin/x\" ]; }; }; }; }; };";
	struct resolved x;
	struct mm_subject u = alice(in_both);
	(void)state;
	assert_int_equal(resolve(&x, text, &u, NULL, 0), -1);
	assert_string_equal(trouble(&x),
	    "p.conf:6: account work of alice: auth \"gssapi\" uses no password; remove password_command "
	    "or change auth\n");
	unload(&x.l);
}

/* ---- clients, and the sheet */

static void test_sheet(void **state)
{
	struct resolved x;
	struct mm_subject u = alice(in_both);
	(void)state;
	assert_int_equal(resolve(&x, layered, &u, "kiosk", 0), 0);
	struct mm_sheet s = mm_resolve_sheet(x.r, 42, x.l.arena);
	assert_string_equal(s.user, "alice");
	assert_int_equal(s.revision, 42);
	assert_int_equal(s.n_accounts, 1);
	assert_string_equal(s.accounts[0].label, "Work");
	assert_string_equal(s.accounts[0].replaces[0], "old.example");
	assert_null(s.accounts[0].replaces[1]);
	assert_string_equal(s.accounts[0].want.v[MM_SET_IN_HOST], "alice.example");
	assert_int_equal(s.create, MM_CREATE_ALWAYS);
	assert_int_equal(s.check, MM_LEVEL_LOGIN);
	assert_string_equal(s.tls_min, "1.2");
	assert_false(s.allow_cleartext);
	assert_int_equal(mm_sheet_mode(&s, "thunderbird", MM_SET_IN_HOST), MM_MODE_ENFORCE);
	assert_int_equal(mm_sheet_mode(&s, "mutt", MM_SET_IN_HOST), MM_MODE_DEFAULT);
	assert_int_equal(mm_sheet_mode(&s, "mutt", MM_SET_REAL_NAME), MM_MODE_IGNORE);
	assert_int_equal(mm_sheet_mode(&s, "kmail", MM_SET_IN_HOST), MM_MODE_AUDIT);
	struct mm_buf b = MM_BUF_INIT(1u << 16);
	struct mm_sheet back;
	struct mm_err err = MM_ERR_NONE;
	mm_sheet_encode(&s, &b);
	assert_int_equal(mm_sheet_decode(mm_buf_str(&b), b.len, x.l.arena, &back, &err), 0);
	assert_string_equal(back.accounts[0].want.v[MM_SET_IN_HOST], "alice.example");
	mm_buf_free(&b);
	unload(&x.l);
}

static void test_user_clients(void **state)
{
	struct resolved x;
	struct mm_subject u = alice(in_staff);
	u.login = "bob";
	(void)state;
	assert_int_equal(resolve(&x, layered, &u, NULL, 0), 0);
	struct mm_sheet s = mm_resolve_sheet(x.r, 1, x.l.arena);
	assert_int_equal(mm_sheet_mode(&s, "mutt", MM_SET_IN_HOST), MM_MODE_IGNORE);
	unload(&x.l);
}

static void test_nobody(void **state)
{
	struct resolved x;
	struct mm_subject u = {.login = "zed"};
	(void)state;
	assert_int_equal(resolve(&x, layered, &u, NULL, 0), 0);
	assert_int_equal(x.r->n_accounts, 0);
	struct mm_sheet s = mm_resolve_sheet(x.r, 1, x.l.arena);
	assert_int_equal(s.create, MM_CREATE_EXISTING);
	unload(&x.l);
}

static void test_too_many_accounts(void **state)
{
	struct resolved x;
	struct mm_subject u = alice(in_staff);
	struct mm_buf b = MM_BUF_INIT(1u << 16);
	(void)state;
	mm_buf_adds(&b,
	    POLICY_HEAD "endpoints = {"
			"out = { protocol = \"smtp\"; host = \"h.example\"; username = \"u\"; };\n");
	for (int i = 0; i <= MM_SHEET_ACCOUNTS_MAX; i++)
		mm_buf_addf(
		    &b, "i%d = { protocol = \"imap\"; host = \"h%d.example\"; username = \"u\"; };\n", i, i);
	mm_buf_adds(&b, "};\naccounts = {\n");
	for (int i = 0; i <= MM_SHEET_ACCOUNTS_MAX; i++)
		mm_buf_addf(&b,
		    "a%d = { address = \"%%{address}\"; incoming = \"i%d\"; outgoing = \"out\"; };\n", i, i);
	mm_buf_adds(&b, "};\ngroups = { staff = { priority = 1; accounts = [ \"a0\"");
	for (int i = 1; i <= MM_SHEET_ACCOUNTS_MAX; i++)
		mm_buf_addf(&b, ", \"a%d\"", i);
	mm_buf_adds(&b, " ]; }; };");
	assert_int_equal(resolve(&x, mm_buf_str(&b), &u, NULL, 0), -1);
	assert_string_equal(
	    trouble(&x), "p.conf: alice has more than 64 accounts or 64 clients; give fewer\n");
	mm_buf_free(&b);
	unload(&x.l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_builtin),
	    cmocka_unit_test(test_ports_follow),
	    cmocka_unit_test(test_layers),
	    cmocka_unit_test(test_trail),
	    cmocka_unit_test(test_final),
	    cmocka_unit_test(test_rules_floor),
	    cmocka_unit_test(test_unset),
	    cmocka_unit_test(test_templates),
	    cmocka_unit_test(test_missing_person),
	    cmocka_unit_test(test_argv),
	    cmocka_unit_test(test_conflict),
	    cmocka_unit_test(test_conflict_blocked),
	    cmocka_unit_test(test_conflicts_of_all),
	    cmocka_unit_test(test_conflicts_of_modes),
	    cmocka_unit_test(test_same_value_twice),
	    cmocka_unit_test(test_twins),
	    cmocka_unit_test(test_required),
	    cmocka_unit_test(test_combined),
	    cmocka_unit_test(test_sheet),
	    cmocka_unit_test(test_user_clients),
	    cmocka_unit_test(test_nobody),
	    cmocka_unit_test(test_too_many_accounts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
