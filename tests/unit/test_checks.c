/* Compliance checks: what each test says of each piece of evidence, and what
 * becomes of it: stale, waived, missing, the worst of several. */
#include "store_fixture.h"

#include <string.h>

#include "common/text.h"
#include "controller/checks/baseline.h"

#define ALL "nist-800-53-moderate" /* selects every check of the library */
#define NONE MM_OUT_COUNT          /* no result at all */

static const struct mm_baseline *baseline(struct fixture *f, const char *name)
{
	const struct mm_baseline *b = NULL;
	struct mm_diags d;
	char path[512];
	snprintf(path, sizeof(path), "%s/policies/baselines/%s.conf", MM_SOURCE_DIR, name);
	mm_diags_init(&d, f->a);
	if (mm_baseline_load_file(path, f->a, &b, NULL, &d) != 0)
		fail_msg("%s: %s", path, d.items[0].text);
	return b;
}

/* ---- one result, looked for */

struct wanted {
	const char *check, *client, *account;
	struct mm_check_result r;
	char why[512], path[512], fix[512];
	size_t n;
};

static int look(const struct mm_check_result *r, void *arg, struct mm_err *err)
{
	struct wanted *w = arg;
	(void)err;
	if (!mm_streq(r->check->id, w->check) || (w->client != NULL && !mm_streq(r->client, w->client)) ||
	    (w->account != NULL && !mm_streq(r->account, w->account)))
		return 0;
	w->n++;
	w->r = *r;
	snprintf(w->why, sizeof(w->why), "%s", r->why);
	snprintf(w->path, sizeof(w->path), "%s", r->path != NULL ? r->path : "");
	snprintf(w->fix, sizeof(w->fix), "%s", r->fix);
	return 0;
}

static struct wanted find(struct fixture *f, const char *check, const char *client, const char *account)
{
	struct wanted w = {.check = check, .client = client, .account = account};
	ok(f, mm_checks_walk(f->s, baseline(f, ALL), NULL, look, &w, NULL, &f->err));
	assert_true(w.n <= 1);
	if (w.n == 0)
		w.r.outcome = NONE;
	return w;
}

static struct mm_check_sum sum_of(struct fixture *f, const char *check)
{
	const struct mm_baseline *b = baseline(f, ALL);
	struct mm_check_sum *sums = mm_arena_alloc(f->a, b->n, sizeof(*sums));
	ok(f, mm_checks_walk(f->s, b, NULL, NULL, NULL, sums, &f->err));
	for (size_t i = 0; i < b->n; i++)
		if (mm_streq(b->checks[i].id, check))
			return sums[i];
	fail_msg("no check %s", check);
	return sums[0];
}

/* ---- findings: one setting or fact of account work in mutt */

struct finding_case {
	const char *check, *setting, *desired, *found;
	enum mm_state state;
	enum mm_action action;
	enum mm_check_outcome want;
};

#define GOOD MM_OUT_COMPLIANT
#define BAD MM_OUT_FAILED
#define DUNNO MM_OUT_UNKNOWN
#define IN_SEC "incoming.security"

static const struct finding_case finding_cases[] = {
    {"implicit-tls", IN_SEC, "tls", "tls", MM_ST_COMPLIANT, MM_ACT_NONE, GOOD},
    {"implicit-tls", IN_SEC, "starttls", "starttls", MM_ST_COMPLIANT, MM_ACT_NONE, BAD},
    {"implicit-tls", IN_SEC, "tls", "none", MM_ST_DRIFTED, MM_ACT_CORRECTED,
	GOOD}, /* corrected: tls is in effect */
    {"implicit-tls", IN_SEC, "tls", "starttls", MM_ST_DRIFTED, MM_ACT_REPORTED, MM_OUT_DRIFTED},
    {"implicit-tls", IN_SEC, "tls", "starttls", MM_ST_PENDING, MM_ACT_WOULD_CHANGE, BAD},
    {"implicit-tls", IN_SEC, "tls", "starttls", MM_ST_PENDING, MM_ACT_REVERTED, BAD},
    {"implicit-tls", IN_SEC, "tls", "none", MM_ST_OVERRIDDEN, MM_ACT_NONE, BAD},
    {"implicit-tls", IN_SEC, "tls", NULL, MM_ST_PENDING, MM_ACT_NONE, DUNNO},
    {"implicit-tls", IN_SEC, "tls", "tls", MM_ST_UNSUPPORTED, MM_ACT_NONE, DUNNO},
    {"implicit-tls", IN_SEC, "tls", "tls", MM_ST_UNKNOWN, MM_ACT_NONE, DUNNO},
    {"implicit-tls", IN_SEC, "tls", "tls", MM_ST_ERROR, MM_ACT_NONE, DUNNO},
    {"implicit-tls", IN_SEC, "tls", "tls", MM_ST_UNCONFIRMED, MM_ACT_CORRECTED, DUNNO},
    {"implicit-tls", IN_SEC, "tls", "tls", MM_ST_DEFERRED, MM_ACT_NONE, MM_OUT_DEFERRED},
    {"implicit-tls", IN_SEC, "tls", "none", MM_ST_UNMANAGED, MM_ACT_REPORTED,
	NONE}, /* not what the program uses */
    {"starttls-required", IN_SEC, "starttls", "starttls", MM_ST_COMPLIANT, MM_ACT_NONE, GOOD},
    {"starttls-required", IN_SEC, "none", "none", MM_ST_COMPLIANT, MM_ACT_NONE, BAD},
    {"starttls-required", "client.cleartext", "no", "opportunistic", MM_ST_UNMANAGED, MM_ACT_REPORTED, BAD},
    {"starttls-required", "client.cleartext", "no", "no", MM_ST_COMPLIANT, MM_ACT_NONE, GOOD},
    {"no-cleartext", IN_SEC, "starttls", "starttls", MM_ST_COMPLIANT, MM_ACT_NONE, GOOD},
    {"no-cleartext", "outgoing.security", "none", "none", MM_ST_COMPLIANT, MM_ACT_NONE, BAD},
    {"no-cleartext", "client.cleartext", "no", "yes", MM_ST_UNMANAGED, MM_ACT_REPORTED, BAD},
    {"no-cleartext", "client.cleartext", "no", NULL, MM_ST_UNKNOWN, MM_ACT_NONE, DUNNO},
    {"tls-floor", "incoming.tls_min", "1.2", "1.3", MM_ST_COMPLIANT, MM_ACT_NONE, GOOD},
    {"tls-floor", "incoming.tls_min", "1.2", "1.1", MM_ST_PENDING, MM_ACT_REPORTED, BAD},
    {"tls-floor", "incoming.tls_min", "1.2", "ssl3", MM_ST_DRIFTED, MM_ACT_REPORTED, MM_OUT_DRIFTED},
    {"tls-floor", "incoming.tls_min", "1.2", NULL, MM_ST_UNSUPPORTED, MM_ACT_NONE, DUNNO},
    {"certificate-verified", "client.certificate_check", "yes", "yes", MM_ST_COMPLIANT, MM_ACT_NONE, GOOD},
    {"certificate-verified", "client.certificate_check", "yes", "no", MM_ST_UNMANAGED, MM_ACT_REPORTED, BAD},
    {"certificate-verified", "client.certificate_check", "yes", "chain only", MM_ST_UNMANAGED,
	MM_ACT_REPORTED, BAD},
    {"certificate-verified", "client.certificate_check", "yes", "no dates", MM_ST_UNMANAGED, MM_ACT_REPORTED,
	BAD},
    {"certificate-verified", "client.certificate_check", "yes", "no tls", MM_ST_UNMANAGED, MM_ACT_REPORTED,
	MM_OUT_NOT_APPLICABLE},
    {"certificate-verified", "client.certificate_check", "yes", NULL, MM_ST_UNKNOWN, MM_ACT_NONE, DUNNO},
    {"certificate-exception", "client.certificate_exception", "none", "none", MM_ST_COMPLIANT, MM_ACT_NONE,
	GOOD},
    {"certificate-exception", "client.certificate_exception", "none", "imap.old.example:993", MM_ST_UNMANAGED,
	MM_ACT_REPORTED, BAD},
    {"password-in-clear", "client.password", "no", "no", MM_ST_COMPLIANT, MM_ACT_NONE, GOOD},
    {"password-in-clear", "client.password", "no", "in clear", MM_ST_UNMANAGED, MM_ACT_REPORTED, BAD},
    {"password-in-clear", "client.password", "no", NULL, MM_ST_UNKNOWN, MM_ACT_NONE, DUNNO},
    {"sasl-mechanism", "incoming.auth", "oauthbearer", "oauthbearer", MM_ST_COMPLIANT, MM_ACT_NONE, GOOD},
    {"sasl-mechanism", "incoming.auth", "oauthbearer", "password", MM_ST_PENDING, MM_ACT_REPORTED, BAD},
    {"sasl-mechanism", "incoming.auth", "password", "plain", MM_ST_COMPLIANT, MM_ACT_NONE, NONE},
    {"sasl-mechanism", IN_SEC, "none", "none", MM_ST_COMPLIANT, MM_ACT_NONE, BAD},
    {"approved-servers", "incoming.host", "imap.acme.example", "imap.acme.example", MM_ST_COMPLIANT,
	MM_ACT_NONE, GOOD},
    {"approved-servers", "incoming.host", "imap.acme.example", "mail.evil.example", MM_ST_DRIFTED,
	MM_ACT_REPORTED, MM_OUT_DRIFTED},
    {"approved-servers", "incoming.host", "imap.acme.example", NULL, MM_ST_PENDING, MM_ACT_NONE, DUNNO},
    {"unmanaged-account", "incoming.host", "h.example", "h.example", MM_ST_COMPLIANT, MM_ACT_NONE, GOOD},
    {"unmanaged-account", "", NULL, "home.example", MM_ST_UNMANAGED, MM_ACT_NONE, BAD},
    {"unmanaged-account", "client.unmanaged_account", NULL, "home.example", MM_ST_UNMANAGED, MM_ACT_REPORTED,
	BAD},
    {"settings-as-desired", "account.real_name", "Alice", "Alice", MM_ST_COMPLIANT, MM_ACT_NONE, GOOD},
    {"settings-as-desired", "account.real_name", "Alice", "Al", MM_ST_PENDING, MM_ACT_REPORTED, BAD},
    {"settings-as-desired", "account.real_name", "Alice", "Al", MM_ST_DRIFTED, MM_ACT_CORRECTED, GOOD},
    {"settings-as-desired", "account.real_name", "Alice", NULL, MM_ST_REMOVED, MM_ACT_REPORTED,
	MM_OUT_DRIFTED},
    {"settings-as-desired", "account.new_one", "x", NULL, MM_ST_UNSUPPORTED, MM_ACT_NONE, DUNNO},
    {"settings-as-desired", "", NULL, NULL, MM_ST_PENDING, MM_ACT_REPORTED, BAD},
    {"settings-as-desired", "client.password", "no", "in clear", MM_ST_UNMANAGED, MM_ACT_REPORTED, NONE},
    {"implicit-tls", "", NULL, NULL, MM_ST_DEFERRED, MM_ACT_NONE, MM_OUT_DEFERRED}, /* all of the account */
};

static void one_finding(const struct finding_case *c, size_t i)
{
	void *state;
	struct made m;
	people_setup(&state);
	struct fixture *f = state;
	make_report(&m, "r", "alice");
	struct mm_finding *x = add_finding(&m, "alice", c->setting, c->state, c->found);
	x->desired = c->desired;
	x->action = c->action;
	store_report(f, &m);
	struct wanted w = find(f, c->check, "mutt", "work");
	if (w.r.outcome != c->want)
		fail_msg("case %zu: %s of %s %s: %d, wanted %d: %s", i, c->check, c->setting,
		    c->found != NULL ? c->found : "NULL", (int)w.r.outcome, (int)c->want, w.why);
	if (c->want != NONE && c->want != GOOD && c->want != MM_OUT_NOT_APPLICABLE)
		assert_true(w.fix[0] != '\0');
	store_teardown(&state);
}

static void test_findings(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(finding_cases) / sizeof(finding_cases[0]); i++)
		one_finding(&finding_cases[i], i);
}

/* ---- files: of the client as a whole */

static void test_files(void **state)
{
	static const struct {
		const char *fact, *desired, *found;
		enum mm_check_outcome want;
	} cases[] = {
	    {"file.mode", "0600", "0600", GOOD},
	    {"file.mode", "0600", "0400", GOOD},
	    {"file.mode", "0644", "0644", GOOD},
	    {"file.mode", "0600", "0640", BAD},
	    {"file.mode", "0644", "0666", BAD},
	    {"file.mode", "0600", "rw-------", DUNNO},
	    {"file.mode", "0600", NULL, DUNNO},
	    {"file.owner", "alice", "alice", GOOD},
	    {"file.owner", "alice", "mallory", BAD},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		void *s;
		struct made m;
		people_setup(&s);
		make_report(&m, "r", "alice");
		struct mm_finding *x =
		    add_finding(&m, "alice", cases[i].fact, MM_ST_COMPLIANT, cases[i].found);
		x->desired = cases[i].desired;
		x->account = "";
		store_report(s, &m);
		struct wanted w = find(s, "file-mode", "mutt", "");
		if (w.r.outcome != cases[i].want)
			fail_msg("case %zu: %d", i, (int)w.r.outcome);
		store_teardown(&s);
	}
}

/* ---- logins */

static void no_tls(struct mm_login *l)
{
	l->security = "none";
	l->port = 143;
	l->tls.version = NULL;
}

static void old_tls(struct mm_login *l)
{
	l->tls.version = "TLSv1.1";
}

static void not_reached(struct mm_login *l)
{
	l->result = MM_LOGIN_FAILED;
	l->cls = "CONN_TIMEOUT";
	l->any = false;
	l->tls.version = NULL;
}

static void wrong_name(struct mm_login *l)
{
	l->result = MM_LOGIN_FAILED;
	l->cls = "CERT_NAME_MISMATCH";
	l->text = "wrong name";
}

static void soon(struct mm_login *l)
{
	l->tls.not_after = T0 + 13 * 86400;
}

static void later(struct mm_login *l)
{
	l->tls.not_after = T0 + 15 * 86400;
}

static void past(struct mm_login *l)
{
	l->tls.not_after = T0 - 1;
}

static void plain(struct mm_login *l)
{
	l->ladder.endpoint.mechanism = "PLAIN";
}

static void plain_in_clear(struct mm_login *l)
{
	no_tls(l);
	plain(l);
}

static void cram_in_clear(struct mm_login *l)
{
	no_tls(l);
	l->ladder.endpoint.mechanism = "CRAM-MD5";
}

static void untested(struct mm_login *l)
{
	l->result = MM_LOGIN_UNTESTED;
	l->cls = "NO_SECRET";
}

static void refused(struct mm_login *l)
{
	l->result = MM_LOGIN_FAILED;
	l->cls = "AUTH_REJECTED";
	l->reached = MM_LEVEL_TLS;
}

static void offers_clear(struct mm_login *l)
{
	l->security = "starttls";
	l->ladder.endpoint.cleartext_login = MM_YES;
}

static void as_it_is(struct mm_login *l)
{
	(void)l;
}

static void test_logins(void **state)
{
	static const struct {
		const char *check;
		void (*make)(struct mm_login *l);
		enum mm_check_outcome want;
	} cases[] = {
	    {"no-cleartext", as_it_is, GOOD},
	    {"no-cleartext", no_tls, BAD},
	    {"no-cleartext", not_reached, DUNNO},
	    {"cleartext-offered", offers_clear, BAD},
	    {"cleartext-offered", as_it_is, MM_OUT_NOT_APPLICABLE},
	    {"tls-negotiated", as_it_is, GOOD},
	    {"tls-negotiated", old_tls, BAD},
	    {"tls-negotiated", not_reached, DUNNO},
	    {"tls-negotiated", no_tls, MM_OUT_NOT_APPLICABLE},
	    {"certificate-verified", as_it_is, GOOD},
	    {"certificate-verified", refused, GOOD}, /* the certificate was right, the password was not */
	    {"certificate-verified", wrong_name, BAD},
	    {"certificate-verified", not_reached, DUNNO},
	    {"certificate-verified", no_tls, MM_OUT_NOT_APPLICABLE},
	    {"certificate-expiry", later, GOOD},
	    {"certificate-expiry", soon, BAD},
	    {"certificate-expiry", past, BAD},
	    {"certificate-expiry", as_it_is, DUNNO}, /* no date was seen */
	    {"certificate-expiry", no_tls, MM_OUT_NOT_APPLICABLE},
	    {"sasl-mechanism", plain, GOOD},
	    {"sasl-mechanism", plain_in_clear, BAD},
	    {"sasl-mechanism", cram_in_clear, GOOD},
	    {"sasl-mechanism", untested, DUNNO},
	    {"login-proven", as_it_is, GOOD},
	    {"login-proven", refused, BAD},
	    {"login-proven", untested, DUNNO},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		void *s;
		struct made m;
		people_setup(&s);
		make_report(&m, "r", "alice");
		cases[i].make(add_login(&m, "alice", MM_LOGIN_PASSED, ""));
		store_report(s, &m);
		struct wanted w = find(s, cases[i].check, "", "work");
		if (w.r.outcome != cases[i].want)
			fail_msg("case %zu: %s: %d, %s", i, cases[i].check, (int)w.r.outcome, w.why);
		assert_int_equal(w.r.method, MM_METHOD_TEST);
		assert_non_null(strstr(w.path, "imap.acme.example:"));
		store_teardown(&s);
	}
}

/* ---- what stands over evidence */

static void bad_security(struct fixture *f)
{
	struct made m;
	make_report(&m, "r", "alice");
	struct mm_finding *x = add_finding(&m, "alice", IN_SEC, MM_ST_PENDING, "none");
	x->desired = "tls";
	store_report(f, &m);
}

static void waive(struct fixture *f, const char *check, const char *group, int64_t until)
{
	const struct mm_waiver w = {.host = "",
	    .user = "",
	    .group = group,
	    .client = "",
	    .account = "",
	    .check = check,
	    .reason = "the scanner",
	    .owner = "bob",
	    .until = until};
	int64_t id;
	ok(f, mm_store_waiver_add(f->s, &w, &id, &f->err));
}

static void test_stale(void **state)
{
	struct fixture *f = *state;
	bad_security(f);
	waive(f, "implicit-tls", "", T0 + 365 * 86400);
	mm_store_set_now(f->s, T0 + 8 * 86400);
	struct wanted w = find(f, "implicit-tls", "mutt", "work");
	assert_int_equal(
	    w.r.outcome, MM_OUT_UNKNOWN); /* neither failed nor waived: nobody has seen it lately */
	assert_true(w.r.stale);
	assert_int_equal(w.r.seen, T0);
	assert_int_equal(w.r.expires, T0 + 7 * 86400);
	assert_int_equal(w.r.since, T0 + 7 * 86400);
	struct mm_check_sum s = sum_of(f, "implicit-tls");
	assert_int_equal(s.results, 1);
	assert_int_equal(s.by[MM_OUT_UNKNOWN], 1);
	assert_int_equal(s.stale, 1);
}

static void test_waived(void **state)
{
	static const char *const names[] = {"implicit-tls", IN_SEC, ""};
	struct fixture *f = *state;
	bad_security(f);
	assert_int_equal(find(f, "implicit-tls", "mutt", "work").r.outcome, MM_OUT_FAILED);
	waive(f, "tls-floor", "", T0 + 5);         /* another check's */
	waive(f, "implicit-tls", "sales", T0 + 5); /* another group's */
	assert_int_equal(find(f, "implicit-tls", "mutt", "work").r.outcome, MM_OUT_FAILED);
	for (size_t i = 0; i < 3; i++) {
		waive(f, names[i], "staff", T0 + 100 + (int64_t)i);
		struct wanted w = find(f, "implicit-tls", "mutt", "work");
		assert_int_equal(w.r.outcome, MM_OUT_WAIVED);
		assert_int_equal(w.r.waiver.until, T0 + 100 + (int64_t)i);
	}
	mm_store_set_now(f->s, T0 + 200);
	struct wanted w = find(f, "implicit-tls", "mutt", "work");
	assert_int_equal(w.r.outcome, MM_OUT_FAILED);
	assert_true(w.r.waiver.expired);
	struct mm_check_sum s = sum_of(f, "implicit-tls");
	assert_int_equal(s.expired_waivers, 1);
	assert_int_equal(s.users_failing, 1);
}

/* Of what no agent told there is a result, and it is no pass. */
static void test_unseen(void **state)
{
	static const char *const checks[] = {
	    "password-in-clear", "certificate-exception", "certificate-verified", NULL};
	struct fixture *f = *state;
	struct made m;
	make_report(&m, "r", "alice");
	add_finding(&m, "alice", IN_SEC, MM_ST_COMPLIANT, "tls")->desired = "tls";
	store_report(f, &m);
	for (size_t i = 0; checks[i] != NULL; i++) {
		struct wanted w = find(f, checks[i], "mutt", "work");
		assert_int_equal(w.r.outcome, MM_OUT_UNKNOWN);
		assert_int_equal(w.r.seen, 0);
		assert_non_null(strstr(w.why, "has not looked"));
	}
	assert_int_equal(find(f, "file-mode", "mutt", "").r.outcome, MM_OUT_UNKNOWN);
	/* told of the file as a whole, it holds for its accounts */
	make_report(&m, "r2", "alice");
	m.head.request_id = "req2";
	add_finding(&m, "alice", IN_SEC, MM_ST_COMPLIANT, "tls")->desired = "tls";
	add_finding(&m, "alice", "client.password", MM_ST_COMPLIANT, "no")->account = "";
	store_report(f, &m);
	assert_int_equal(find(f, "password-in-clear", "mutt", "work").r.outcome, NONE);
	assert_int_equal(find(f, "password-in-clear", "mutt", "").r.outcome, GOOD);
}

/* Listed for a host that was never heard: unknown, for every check of a user's. */
static void test_unheard(void **state)
{
	struct fixture *f = *state;
	add_host(f, "ws2", "bob");
	struct mm_check_sum s = sum_of(f, "no-cleartext");
	assert_int_equal(s.results, 1);
	assert_int_equal(s.by[MM_OUT_UNKNOWN], 1);
	assert_int_equal(s.users, 1);
	assert_int_equal(s.stale, 0);
	assert_int_equal(sum_of(f, "login-proven").by[MM_OUT_UNKNOWN], 1);
	assert_int_equal(sum_of(f, "inventory").by[MM_OUT_UNKNOWN], 2);
}

/* The worst of an account's sides and files wins, and names its place. */
static void test_worst(void **state)
{
	struct fixture *f = *state;
	struct made m;
	make_report(&m, "r", "alice");
	struct mm_finding *x = add_finding(&m, "alice", IN_SEC, MM_ST_COMPLIANT, "tls");
	x->desired = "tls";
	x = add_finding(&m, "alice", "outgoing.security", MM_ST_PENDING, "none");
	x->desired = "tls";
	x->path = "/home/u/.other";
	x->line = 7;
	x = add_finding(&m, "alice", IN_SEC, MM_ST_DEFERRED, "tls");
	x->path = "/home/u/.third";
	store_report(f, &m);
	struct wanted w = find(f, "no-cleartext", "mutt", "work");
	assert_int_equal(w.r.outcome, MM_OUT_FAILED);
	assert_string_equal(w.path, "/home/u/.other");
	assert_int_equal(w.r.line, 7);
	assert_string_equal(w.fix, "Write imaps:// and smtps:// and set ssl_force_tls = yes.");
	assert_int_equal(sum_of(f, "no-cleartext").results, 1);
}

/* A password in clear only where the session is: auth and security together. */
static void test_auth_and_security(void **state)
{
	struct fixture *f = *state;
	struct made m;
	make_report(&m, "r", "alice");
	add_finding(&m, "alice", "incoming.auth", MM_ST_COMPLIANT, "cram-md5")->desired = "cram-md5";
	add_finding(&m, "alice", IN_SEC, MM_ST_COMPLIANT, "none")->desired = "none";
	add_finding(&m, "alice", "outgoing.auth", MM_ST_COMPLIANT, "plain")->desired = "password";
	add_finding(&m, "alice", "outgoing.security", MM_ST_COMPLIANT, "tls")->desired = "tls";
	store_report(f, &m);
	assert_int_equal(find(f, "sasl-mechanism", "mutt", "work").r.outcome, GOOD);
	make_report(&m, "r2", "alice");
	m.head.request_id = "req2";
	add_finding(&m, "alice", "outgoing.auth", MM_ST_COMPLIANT, "plain")->desired = "password";
	add_finding(&m, "alice", "outgoing.security", MM_ST_COMPLIANT, "none")->desired = "none";
	store_report(f, &m);
	assert_int_equal(find(f, "sasl-mechanism", "mutt", "work").r.outcome, BAD);
}

/* A user who could not be looked at at all. */
static void test_whole_user(void **state)
{
	struct fixture *f = *state;
	struct made m;
	make_report(&m, "r", "alice");
	struct mm_finding *x = add_finding(&m, "alice", "", MM_ST_DEFERRED, NULL);
	x->client = "agent";
	x->path = x->account = "";
	x->reason = "the home is not there";
	store_report(f, &m);
	struct wanted w = find(f, "password-in-clear", "agent", "");
	assert_int_equal(w.r.outcome, MM_OUT_DEFERRED);
	assert_string_equal(w.why, "the home is not there");
	assert_int_equal(find(f, "login-proven", "agent", "").r.outcome, MM_OUT_DEFERRED);
}

static void test_fleet_checks(void **state)
{
	struct fixture *f = *state;
	struct made m;
	assert_int_equal(find(f, "change-approved", "", "").r.outcome, MM_OUT_NOT_APPLICABLE);
	assert_int_equal(find(f, "audit-record", "", "").r.outcome, GOOD);
	int64_t n = add_revision(f, "format = 1;\n", 1000, 0);
	assert_int_equal(find(f, "change-approved", "", "").r.outcome, BAD);
	ok(f, mm_store_revision_approve(f->s, n, "carol", 1001, &f->err));
	assert_int_equal(find(f, "change-approved", "", "").r.outcome, GOOD);
	assert_int_equal(find(f, "generations-kept", "", "").r.outcome, GOOD);
	assert_int_equal(find(f, "policy-integrity", "", "").r.outcome, BAD); /* no key */
	assert_int_equal(find(f, "change-tested", "", "").r.outcome, MM_OUT_NOT_APPLICABLE);
	assert_int_equal(find(f, "monitoring-fresh", "", "").r.outcome, BAD);
	assert_int_equal(find(f, "policy-current", "", "").r.outcome, DUNNO);
	make_report(&m, "r", "alice");
	add_finding(&m, "alice", IN_SEC, MM_ST_COMPLIANT, "tls");
	store_report(f, &m);
	assert_int_equal(find(f, "monitoring-fresh", "", "").r.outcome, GOOD);
	assert_int_equal(find(f, "policy-current", "", "").r.outcome, GOOD);
	assert_int_equal(find(f, "change-tested", "", "").r.outcome, BAD); /* went out without a rollout */
	add_revision(f, "format = 1; \n", 1000, 0);
	assert_int_equal(find(f, "policy-current", "", "").r.outcome, BAD);
	mm_store_set_now(f->s, T0 + 8 * 86400);
	assert_int_equal(find(f, "monitoring-fresh", "", "").r.outcome, BAD);
	struct wanted w = find(f, "policy-current", "", "");
	assert_int_equal(w.r.outcome, DUNNO);
	assert_true(w.r.stale);
	waive(f, "monitoring-fresh", "", T0 + 30 * 86400);
	assert_int_equal(find(f, "monitoring-fresh", "", "").r.outcome, MM_OUT_WAIVED);
}

/* A hostile report: more accounts than anybody has. */
static void test_many_accounts(void **state)
{
	struct fixture *f = *state;
	struct mm_finding *v = mm_arena_alloc(f->a, 1000, sizeof(*v));
	struct made m;
	make_report(&m, "r", "alice");
	for (size_t i = 0; i < 1000; i++)
		v[i] = (struct mm_finding){.user = "alice",
		    .client = "mutt",
		    .path = "/p",
		    .account = mm_arena_printf(f->a, "a%04zu", i),
		    .setting = IN_SEC,
		    .desired = "tls",
		    .found = i == 999 ? "none" : "tls",
		    .state = i == 999 ? MM_ST_PENDING : MM_ST_COMPLIANT,
		    .action = i == 999 ? MM_ACT_REPORTED : MM_ACT_NONE,
		    .reason = ""};
	m.in.findings = v;
	m.in.n_findings = 1000;
	store_report(f, &m);
	struct mm_check_sum s = sum_of(f, "implicit-tls");
	assert_int_equal(s.results, 256);
	assert_int_equal(s.by[MM_OUT_FAILED], 1); /* it is not lost */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_findings),
	    cmocka_unit_test(test_files),
	    cmocka_unit_test(test_logins),
	    cmocka_unit_test_setup_teardown(test_stale, people_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_waived, people_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_unseen, people_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_unheard, people_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_worst, people_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_auth_and_security, people_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_whole_user, people_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_fleet_checks, people_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_many_accounts, people_setup, store_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
