/* The report outputs, over a real store with a fleet in every condition. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/text.h"
#include "controller/report/report.h"

#define NOW 1790000000
#define DAY 86400
#define NASTY "<script>alert(1)</script>\"&'"

struct fixture {
	char dir[64];
	struct mm_store *store;
};

static void ok(int rc, const struct mm_err *err)
{
	if (rc < 0)
		fail_msg("%s", err->text);
}

static void add_host(struct mm_store *s, const char *id)
{
	struct mm_err err = MM_ERR_NONE;
	enum mm_put done;
	const char *const tags[] = {"berlin"};
	struct mm_store_host h = {.id = id,
	    .address = "127.0.2.1",
	    .port = 22,
	    .account = "root",
	    .transport = "libssh2",
	    .tags = tags,
	    .n_tags = 1,
	    .all_users = true};
	ok(mm_store_host_put(s, &h, &done, &err), &err);
}

static struct mm_finding finding(const char *user, const char *setting, const char *want, const char *is,
    enum mm_state state, enum mm_action action)
{
	return (struct mm_finding){.user = user,
	    .client = "msmtp",
	    .path = "/home/x/.msmtprc",
	    .account = "work",
	    .setting = setting,
	    .desired = want,
	    .found = is,
	    .line = 12,
	    .state = state,
	    .action = action,
	    .reason = ""};
}

static struct mm_login login(const char *user, enum mm_result result, const char *cls, const char *text)
{
	return (struct mm_login){.user = user,
	    .account = "work",
	    .side = "incoming",
	    .protocol = "imap",
	    .host = "imap.acme.example",
	    .security = "tls",
	    .auth = "password",
	    .username = user,
	    .port = 993,
	    .level = MM_LEVEL_LOGIN,
	    .reached = result == MM_LOGIN_PASSED ? MM_LEVEL_LOGIN : MM_LEVEL_TLS,
	    .any = true,
	    .result = result,
	    .cls = cls,
	    .text = text,
	    .admin = result == MM_LOGIN_PASSED ? "" : "535 5.7.8 on imap.acme.example; last change 2 d ago",
	    .timing = {1, 2, 3, 4, 5},
	    .when = NOW};
}

static void report(struct mm_store *s, const char *host, const char *id, const char *user, int64_t when,
    const struct mm_finding *f, size_t nf, const struct mm_login *l, size_t nl)
{
	struct mm_err err = MM_ERR_NONE;
	const char *const users[] = {user, NULL};
	struct mm_report_head head = {.id = id,
	    .host = host,
	    .op = "apply",
	    .evidence = MM_EV_ATTESTED,
	    .epoch = 1,
	    .serial = when,
	    .revision = 1,
	    .collected = when,
	    .agent = "0.1.0",
	    .users = users};
	struct mm_report_in in = {
	    .head = &head, .findings = f, .n_findings = nf, .logins = l, .n_logins = nl, .direct = true};
	bool fresh;
	mm_store_set_now(s, when);
	ok(mm_store_report(s, &in, &fresh, &err), &err);
	assert_true(fresh);
	mm_store_set_now(s, NOW);
}

/* ws1 alice: all well. ws2 bob: drift. ws3 carol: refused. ws4 dave: well, but long ago. ws5: never. */
static void fill(struct mm_store *s)
{
	static const char *const hosts[] = {"ws1", "ws2", "ws3", "ws4", "ws5"};
	mm_store_set_now(s, NOW - 20 * DAY);
	for (size_t i = 0; i < 5; i++)
		add_host(s, hosts[i]);
	struct mm_finding good[] = {finding("alice", "outgoing.host", "smtp.acme.example",
					"smtp.acme.example", MM_ST_COMPLIANT, MM_ACT_NONE),
	    finding("alice", "outgoing.port", "465", "465", MM_ST_COMPLIANT, MM_ACT_NONE)};
	static const struct mm_note soon[] = {
	    {"CERT_EXPIRES_SOON", "", "The certificate of <imap> expires on 2026-12-01."}};
	struct mm_login pass = login("alice", MM_LOGIN_PASSED, "", "");
	pass.ladder.notes = soon;
	pass.ladder.n_notes = 1;
	report(s, "ws1", "00000000000000000000000000000001", "alice", NOW - 3600, good, 2, &pass, 1);
	struct mm_finding bad[] = {
	    finding("bob", "outgoing.host", "smtp.acme.example", NASTY, MM_ST_DRIFTED, MM_ACT_REPORTED),
	    finding("bob", "outgoing.username", "bob", "=cmd|x", MM_ST_DRIFTED, MM_ACT_REPORTED)};
	report(s, "ws2", "00000000000000000000000000000002", "bob", NOW - 7200, bad, 2, NULL, 0);
	struct mm_finding c = finding("carol", "incoming.port", "993", "993", MM_ST_COMPLIANT, MM_ACT_NONE);
	struct mm_login refused =
	    login("carol", MM_LOGIN_FAILED, "AUTH_REJECTED", "User name or password not accepted.");
	refused.ladder.fix = "Ask <carol> for the password.";
	refused.ladder.notes = soon;
	refused.ladder.n_notes = 1;
	report(s, "ws3", "00000000000000000000000000000003", "carol", NOW - 60, &c, 1, &refused, 1);
	struct mm_finding d = finding("dave", "incoming.port", "993", "993", MM_ST_COMPLIANT, MM_ACT_NONE);
	struct mm_login old = login("dave", MM_LOGIN_PASSED, "", "");
	report(s, "ws4", "00000000000000000000000000000004", "dave", NOW - 10 * DAY, &d, 1, &old, 1);
}

static int setup(void **state)
{
	static struct fixture f;
	struct mm_err err = MM_ERR_NONE;
	char path[80];
	snprintf(f.dir, sizeof(f.dir), "/tmp/mm-outputs.XXXXXX");
	assert_non_null(mkdtemp(f.dir));
	snprintf(path, sizeof(path), "%s/store.db", f.dir);
	ok(mm_store_create(path, &f.store, &err), &err);
	fill(f.store);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = {"store.db", "store.db-wal", "store.db-shm"};
	char path[80];
	mm_store_close(f->store);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", f->dir, names[i]);
		unlink(path);
	}
	rmdir(f->dir);
	return 0;
}

static char *render_as(
    struct fixture *f, const struct mm_output *out, const struct mm_evidence_filter *filter)
{
	struct mm_err err = MM_ERR_NONE;
	char *text = NULL;
	size_t n = 0;
	FILE *m = open_memstream(&text, &n);
	assert_non_null(m);
	ok(mm_report_write(f->store, out, filter, NULL, m, &err), &err);
	fclose(m);
	return text;
}

static char *render(struct fixture *f, const char *format, const struct mm_evidence_filter *filter)
{
	const struct mm_output *out = mm_output_by_name(format);
	assert_non_null(out);
	return render_as(f, out->in_full != NULL ? out->in_full : out, filter);
}

static size_t times(const char *text, const char *word)
{
	size_t n = 0;
	for (const char *p = text; (p = strstr(p, word)) != NULL; p += strlen(word))
		n++;
	return n;
}

static const char *text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static void test_json(void **state)
{
	char *text = render(*state, "json", NULL);
	json_t *doc = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(doc);
	assert_int_equal(json_array_size(json_object_get(doc, "hosts")), 5);
	assert_int_equal(json_array_size(json_object_get(doc, "findings")), 6);
	assert_int_equal(json_array_size(json_object_get(doc, "logins")), 3);
	static const char *const want[][2] = {
	    {"alice", "pass"}, {"bob", "fail"}, {"carol", "fail"}, {"dave", "unknown"}};
	const json_t *places = json_object_get(doc, "places");
	assert_int_equal(json_array_size(places), 4);
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(text_of(json_array_get(places, i), "user"), want[i][0]);
		assert_string_equal(text_of(json_array_get(places, i), "result"), want[i][1]);
	}
	const json_t *remarks = json_object_get(doc, "remarks"), *remark = json_array_get(remarks, 0);
	assert_int_equal(json_array_size(remarks), 1); /* two saw it, of one server */
	assert_string_equal(text_of(remark, "class"), "CERT_EXPIRES_SOON");
	assert_int_equal(json_integer_value(json_object_get(remark, "users")), 2);
	assert_int_equal(json_integer_value(json_object_get(remark, "hosts")), 2);
	assert_true(json_is_false(json_object_get(remark, "stale")));
	json_decref(doc);
	free(text);
}

/* The head's numbers and the rows beneath must tell the same story. */
static void test_head_agrees_with_rows(void **state)
{
	char *text = render(*state, "json", NULL);
	json_t *doc = json_loads(text, 0, NULL);
	const json_t *by =
	    json_object_get(json_object_get(json_object_get(doc, "fleet"), "places"), "by_result");
	size_t i;
	json_t *row;
	json_int_t pass = 0, bad = 0, unknown = 0;
	json_array_foreach(json_object_get(doc, "places"), i, row)
	{
		pass += mm_streq(text_of(row, "result"), "pass");
		bad += mm_streq(text_of(row, "result"), "fail");
		unknown += mm_streq(text_of(row, "result"), "unknown");
	}
	assert_int_equal(json_integer_value(json_object_get(by, "pass")), pass);
	assert_int_equal(json_integer_value(json_object_get(by, "fail")), bad);
	assert_int_equal(json_integer_value(json_object_get(by, "unknown")), unknown);
	json_decref(doc);
	free(text);
}

/* Without the line of names and the rows that say what the report is about. */
static size_t csv_rows(const char *text)
{
	return times(text, "\r\n") - 1 - times(text, "\r\n\"report\",");
}

static void test_csv(void **state)
{
	char *text = render(*state, "csv", NULL);
	assert_int_equal(csv_rows(text), 6 + 3);
	assert_non_null(strstr(text, "\"'=cmd|x\""));
	assert_non_null(strstr(text, "<script>alert(1)</script>\"\"&'"));
	free(text);
}

static void test_html(void **state)
{
	char *text = render(*state, "html", NULL);
	const char *path = getenv("MM_HTML"); /* to look at the page */
	if (path != NULL) {
		FILE *f = fopen(path, "w");
		assert_non_null(f);
		fputs(text, f);
		fclose(f);
	}
	assert_null(strstr(text, "<script"));
	assert_non_null(strstr(text, "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&amp;&#39;"));
	assert_null(strstr(text, "http://"));
	assert_null(strstr(text, "https://"));
	assert_non_null(strstr(text, "1 of 4"));
	assert_non_null(strstr(text, "User name or password not accepted."));
	assert_non_null(strstr(text, "Ask &lt;carol&gt; for the password."));
	assert_int_equal(times(text, "The certificate of &lt;imap&gt; expires on 2026-12-01."), 1);
	free(text);
}

static void test_text(void **state)
{
	char *text = render(*state, "text", NULL);
	assert_non_null(strstr(text, "people        1 of 4 have the settings of the policy and can log in, 2 "
				     "not, 0 waived, 1 unknown (1 stale, 0 never heard of)"));
	assert_non_null(strstr(text, "/home/x/.msmtprc:12"));
	assert_non_null(strstr(text, "AUTH_REJECTED"));
	assert_non_null(strstr(text, "to do: Ask <carol> for the password."));
	assert_non_null(strstr(text, "by 2 on 2 workstations"));
	assert_non_null(strstr(text, "held: tls, since "));
	free(text);
}

/* What an agent only retells was not looked at; that nothing held is said of what was. */
static void test_held(void **state)
{
	(void)state;
	static const struct mm_step dns = {MM_RUNG_DNS, MM_STEP_FAILED, 3, "no such name"};
	struct mm_login l = login("carol", MM_LOGIN_FAILED, "AUTH_REJECTED", "No.");
	assert_string_equal(mm_login_held(&l), "tls");
	l.any = false;
	assert_string_equal(mm_login_held(&l), "not looked at again");
	l.result = MM_LOGIN_UNTESTED;
	assert_string_equal(mm_login_held(&l), "not looked at");
	l.ladder.steps = &dns;
	l.ladder.n_steps = 1;
	assert_string_equal(mm_login_held(&l), "nothing");
}

/* What is stale never counts as passed, in no format. */
static void test_stale_is_not_pass(void **state)
{
	const struct mm_evidence_filter dave = {.host = "ws4"};
	char *text = render(*state, "csv", &dave);
	assert_int_equal(times(text, "\"pass\""), 0);
	assert_int_equal(times(text, "\"unknown\""), 2);
	free(text);
}

static void test_filter(void **state)
{
	const struct mm_evidence_filter bob = {.user = "bob"};
	char *text = render(*state, "csv", &bob);
	assert_int_equal(csv_rows(text), 2);
	assert_non_null(strstr(text, "\"only-user\",\"\",\"bob\""));
	free(text);
}

static void test_unknown_format(void **state)
{
	(void)state;
	assert_null(mm_output_by_name("pdf"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_json),
	    cmocka_unit_test(test_head_agrees_with_rows),
	    cmocka_unit_test(test_csv),
	    cmocka_unit_test(test_html),
	    cmocka_unit_test(test_text),
	    cmocka_unit_test(test_held),
	    cmocka_unit_test(test_stale_is_not_pass),
	    cmocka_unit_test(test_filter),
	    cmocka_unit_test(test_unknown_format),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
