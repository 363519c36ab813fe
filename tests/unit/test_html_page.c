/* The HTML report's page, fed with rows: what it keeps, what it says, how large it gets. */
#include "store_fixture.h"

#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "controller/report/dims.h"
#include "controller/report/report.h"

#define DAY INT64_C(86400)
#define NASTY "<script>alert('1')</script>\"&\x1b[31m\xe2\x80\xae"

static const struct mm_rule_ref refs[] = {
    {"RFC 8314", "3.3", "Submission is done over implicit TLS on port 465."}};
static const struct mm_control controls[] = {
    {"nist-800-53-r5", "SC-8"}, {"nist-800-53-r5", "SC-8(1)"}, {"pci-dss-4", "4.2.1"}};
static const struct mm_check checks[] = {
    {.id = "implicit-tls",
	.title = "IMAP, POP3 and submission use implicit TLS",
	.rationale = "A session that begins in clear can be kept there by whoever stands in between.",
	.severity = MM_SEV_HIGH,
	.test = "",
	.refs = refs,
	.n_refs = 1,
	.controls = controls,
	.n_controls = 3},
    {.id = "no-cleartext",
	.title = "No session and no password travels in clear",
	.rationale = "Whoever listens has the password.",
	.severity = MM_SEV_CRITICAL,
	.test = "",
	.controls = controls,
	.n_controls = 2,
	.index = 1},
    {.id = "file-mode",
	.title = "Configuration files belong to their user alone",
	.rationale = "",
	.severity = MM_SEV_LOW,
	.test = "",
	.index = 2},
    {.id = "turned-off",
	.title = "Not looked at",
	.severity = MM_SEV_LOW,
	.test = "",
	.off = "no " NASTY,
	.index = 3},
};
static const struct mm_baseline baseline = {.id = "rfc8314",
    .title = "RFC 8314: cleartext considered obsolete",
    .framework = "",
    .version = "",
    .href = "",
    .sha256 = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
    .checks = checks,
    .n = 4};

struct drive {
	struct fixture *f;
	struct mm_report_meta meta;
	struct mm_out o;
	struct mm_dims *dims;
	char *text;
	size_t len;
};

static void drive_begin(struct drive *d, struct fixture *f)
{
	*d = (struct drive){.f = f, .o = {.output = mm_output_by_name("html"), .arena = f->a}};
	d->meta = (struct mm_report_meta){.title = "Mail settings of the fleet",
	    .version = "test",
	    .fleet = {.now = T0, .stale_after = 7 * DAY},
	    .baseline = &baseline};
	ok(f, mm_dims_new(f->s, NULL, f->a, &d->dims, &f->err));
	d->o.dims = d->dims;
	d->o.meta = &d->meta;
	d->o.f = open_memstream(&d->text, &d->len);
	assert_non_null(d->o.f);
}

static void feed(struct drive *d, enum mm_section sec, union mm_report_row row)
{
	d->o.section = sec;
	d->o.output->row(&d->o, row);
}

static void drive_end(struct drive *d)
{
	const char *path = getenv("MM_HTML"); /* to look at the page */
	d->o.output->end(&d->o);
	assert_int_equal(fclose(d->o.f), 0);
	if (path != NULL) {
		FILE *out = fopen(path, "w");
		assert_non_null(out);
		fputs(d->text, out);
		fclose(out);
	}
}

static struct mm_check_result result(
    const struct mm_check *c, const char *host, const char *user, enum mm_check_outcome o)
{
	return (struct mm_check_result){.check = c,
	    .host = host,
	    .user = user,
	    .client = "mutt",
	    .account = "work",
	    .path = "/home/alice/.muttrc",
	    .line = 12,
	    .found = o == MM_OUT_COMPLIANT ? "tls" : "none",
	    .wanted = "tls",
	    .outcome = o,
	    .why = "",
	    .fix = "set ssl_force_tls = yes",
	    .since = T0 - 3 * DAY,
	    .seen = T0 - 3600,
	    .expires = T0 + DAY};
}

static void feed_result(struct drive *d, const struct mm_check_result *r)
{
	mm_dims_add(d->dims, r);
	d->o.output->judged(&d->o, r);
}

static size_t times(const char *text, const char *word)
{
	size_t n = 0;
	for (const char *p = text; (p = strstr(p, word)) != NULL; p += strlen(word))
		n++;
	return n;
}

static void has(const struct drive *d, const char *word)
{
	if (strstr(d->text, word) == NULL)
		fail_msg("the page does not say '%s'", word);
}

static void has_not(const struct drive *d, const char *word)
{
	if (strstr(d->text, word) != NULL)
		fail_msg("the page says '%s'", word);
}

static void test_nothing_yet(void **state)
{
	struct drive d;
	drive_begin(&d, *state);
	drive_end(&d);
	has(&d, "Nothing has been evaluated yet");
	has(&d, "The record begins today");
	has(&d, "No login has been tried yet.");
	has(&d, "There are no workstations in the store.");
	has_not(&d, "100<small>");
	has_not(&d, "nan");
	free(d.text);
}

static void test_all_fine(void **state)
{
	struct drive d;
	drive_begin(&d, *state);
	d.meta.fleet.hosts = d.meta.fleet.hosts_fresh = 1;
	struct mm_check_result r = result(&checks[0], "ws1", "alice", MM_OUT_COMPLIANT);
	feed_result(&d, &r);
	drive_end(&d);
	has(&d, "<strong>100 %</strong> of what was checked is as it should be: 1 of 1 result.");
	has(&d, "Nothing fails in what was looked at.");
	has(&d, "Every workstation has reported lately.");
	has_not(&d, "class=\"fold\"");
	free(d.text);
}

/* Worst first is by severity, then by number; every share has its whole and what is stale. */
static void test_worst_first(void **state)
{
	struct drive d;
	drive_begin(&d, *state);
	for (int i = 0; i < 3; i++) {
		struct mm_check_result r = result(&checks[0], "ws1", "alice", MM_OUT_FAILED);
		feed_result(&d, &r);
	}
	struct mm_check_result r = result(&checks[1], "ws1", "alice", MM_OUT_DRIFTED);
	feed_result(&d, &r);
	r = result(&checks[2], "ws2", "bob", MM_OUT_UNKNOWN);
	r.stale = true;
	r.seen = T0 - 9 * DAY;
	feed_result(&d, &r);
	r = result(&checks[2], "ws2", "bob", MM_OUT_COMPLIANT);
	r.evidence = MM_EV_CLAIMED;
	feed_result(&d, &r);
	drive_end(&d);
	const char *worst = strstr(d.text, "class=\"worst\""), *critical = strstr(worst, "#c-no-cleartext"),
		   *high = strstr(worst, "#c-implicit-tls");
	assert_true(critical != NULL && high != NULL && critical < high);
	has(&d, "<strong>16 %</strong> of what was checked is as it should be: 1 of 6 results. 4 fail, 1 are "
		"unknown (1 of them because the evidence is stale)");
	has(&d, "5 of 6 results are attested by the agent with its own rights, 1 claimed");
	has(&d, "1 <span class=\"dim\">(1 stale)</span>");
	has(&d, "<code>/home/alice/.muttrc</code><code>:12</code>");
	has(&d, "set ssl_force_tls = yes");
	has(&d, "attested, stale");
	free(d.text);
}

/* A fleet of any size gives a page of bounded size that says what it leaves out. */
static void test_bounded(void **state)
{
	struct drive d;
	char host[32], user[32], client[32];
	drive_begin(&d, *state);
	for (int i = 0; i < 20000; i++) {
		snprintf(host, sizeof(host), "ws%06d", i);
		snprintf(user, sizeof(user), "user%06d", i);
		snprintf(client, sizeof(client), "client%d", i % 3);
		struct mm_check_result r =
		    result(&checks[i % 3], host, user, i % 2 ? MM_OUT_FAILED : MM_OUT_UNKNOWN);
		r.client = client;
		feed_result(&d, &r);
		const struct mm_host_row h = {
		    .host = host, .address = "", .seen = i < 500 ? 0 : T0 - 30 * DAY + i, .stale = i >= 500};
		feed(&d, MM_SEC_HOSTS, (union mm_report_row){.host = &h});
	}
	d.meta.fleet.hosts = 20000;
	drive_end(&d);
	assert_true(d.len < 400000);
	has(&d, "more of this kind: <code>mailmuster report --format csv</code>");
	has(&d, "and 19,960 more workstations that are silent");
	assert_int_equal(times(d.text, "<article "), 3);
	free(d.text);
}

static void test_hostile(void **state)
{
	struct drive d;
	drive_begin(&d, *state);
	d.meta.revision =
	    (struct mm_revision){.number = 1, .author = NASTY, .approvers = NASTY, .sha256 = NASTY};
	d.meta.filter = (struct mm_evidence_filter){.group = NASTY, .client = NASTY};
	struct mm_check_result r = result(&checks[0], NASTY, NASTY, MM_OUT_FAILED);
	r.client = r.account = r.path = r.found = r.wanted = r.why = r.fix = NASTY;
	r.waiver =
	    (struct mm_waiver_of){.id = 1, .until = T0 - 1, .expired = true, .owner = NASTY, .reason = NASTY};
	feed_result(&d, &r);
	const struct mm_finding_row fr = {.host = NASTY,
	    .f = {.user = NASTY,
		.client = NASTY,
		.path = NASTY,
		.account = NASTY,
		.setting = NASTY,
		.desired = NASTY,
		.found = NASTY,
		.override_path = NASTY,
		.state = MM_ST_DRIFTED,
		.reason = NASTY},
	    .audit = MM_AUDIT_FAIL};
	feed(&d, MM_SEC_DIFFERENCES, (union mm_report_row){.finding = &fr});
	const struct mm_login_row l = {.host = NASTY,
	    .l = {.user = NASTY,
		.account = NASTY,
		.side = "incoming",
		.protocol = NASTY,
		.host = NASTY,
		.cls = NASTY,
		.text = NASTY,
		.admin = NASTY,
		.ladder = {.fix = NASTY},
		.result = MM_LOGIN_FAILED},
	    .audit = MM_AUDIT_FAIL};
	feed(&d, MM_SEC_LOGINS, (union mm_report_row){.login = &l});
	const struct mm_cert_row c = {
	    .protocol = NASTY, .server = NASTY, .subject = NASTY, .issuer = NASTY, .not_after = T0 - DAY};
	feed(&d, MM_SEC_CERTS, (union mm_report_row){.cert = &c});
	const struct mm_remark_row m = {.protocol = NASTY, .server = NASTY, .cls = NASTY, .admin = NASTY};
	feed(&d, MM_SEC_REMARKS, (union mm_report_row){.remark = &m});
	const struct mm_waiver w = {.host = NASTY,
	    .user = NASTY,
	    .group = NASTY,
	    .client = NASTY,
	    .account = NASTY,
	    .check = NASTY,
	    .reason = NASTY,
	    .owner = NASTY,
	    .added_by = NASTY};
	feed(&d, MM_SEC_WAIVERS, (union mm_report_row){.waiver = &w});
	const struct mm_host_row h = {
	    .host = NASTY, .address = NASTY, .push = {.host = NASTY, .pending = true, .text = NASTY}};
	feed(&d, MM_SEC_HOSTS, (union mm_report_row){.host = &h});
	drive_end(&d);
	has_not(&d, "<script");
	has_not(&d, "('1')");
	has_not(&d, "\x1b");
	has_not(&d, "\xe2\x80\xae");
	has(&d, "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&amp;\xef\xbf\xbd[31m\xef\xbf\xbd");
	free(d.text);
}

static void feed_sample(
    struct drive *d, const char *dimension, const char *name, int64_t day, int64_t good, int64_t bad)
{
	const struct mm_sample v = {.day = T0 - T0 % DAY - day * DAY,
	    .dimension = dimension,
	    .name = name,
	    .baseline = "rfc8314",
	    .compliant = good,
	    .failed = bad};
	feed(d, MM_SEC_SAMPLES, (union mm_report_row){.sample = &v});
}

/* A day without a measurement is left out, not guessed; today is what this report counts. */
static void test_over_time(void **state)
{
	struct drive d;
	drive_begin(&d, *state);
	feed_sample(&d, "all", "", 9, 50, 50);
	feed_sample(&d, "check", "implicit-tls", 9, 50, 50);
	feed_sample(&d, "all", "", 8, 60, 40);
	feed_sample(&d, "check", "implicit-tls", 8, 60, 40);
	feed_sample(&d, "all", "", 0, 1, 99);
	feed_sample(&d, "check", "implicit-tls", 0, 1, 99);
	struct mm_check_result r = result(&checks[0], "ws1", "alice", MM_OUT_COMPLIANT);
	feed_result(&d, &r);
	drive_end(&d);
	has(&d, "Compliant were 50 % on 2026-09-12 and 100 % on 2026-09-21.");
	has(&d, "On 7 of these 10 days nothing was measured: these are gaps.");
	has(&d, "x=\"90.00%\" width=\"10.00%\" y=\"0\" height=\"200\"");
	assert_int_equal(times(d.text, "x=\"10.00%\" width=\"10.00%\""), 2);
	assert_int_equal(times(d.text, "x=\"20.00%\" width=\"10.00%\""), 0);
	has(&d, "from 50 % to 1 %");
	free(d.text);
}

/* Over time the whole fleet is measured: of a part nothing is shown. */
static void test_a_part_has_no_past(void **state)
{
	struct drive d;
	drive_begin(&d, *state);
	d.meta.filter.group = "sales";
	feed_sample(&d, "all", "", 9, 50, 50);
	drive_end(&d);
	has(&d, "Measured over time is the whole fleet; this report is of a part of it.");
	has(&d, "only group <strong>sales</strong>");
	has_not(&d, "plot-time");
	free(d.text);
}

/* Doubt about the record stands before all numbers. */
static void test_record_in_doubt(void **state)
{
	struct drive d;
	drive_begin(&d, *state);
	d.meta.fleet.alarms = 1;
	d.meta.fleet.seals_bad = 2;
	drive_end(&d);
	const char *alarm = strstr(d.text, "The record is in doubt:");
	assert_true(alarm != NULL && alarm < strstr(d.text, "class=\"cards\""));
	has(&d,
	    "1 checkpoint that workstations have seen do not stand in it; 2 reports bear no good signature");
	has(&d, "No checkpoint of it was signed yet: nothing of it is witnessed.");
	free(d.text);
}

static void test_record(void **state)
{
	struct drive d;
	drive_begin(&d, *state);
	d.meta.checkpoint = (struct mm_checkpoint_row){.c = {.seq = 1234, .time = T0}, .witnesses = 2};
	d.meta.checkpoint_hosts = 1;
	d.meta.checkpoint_seen = 1200;
	drive_end(&d);
	has(&d, "newest checkpoint is of entry 1,234, ");
	has(&d, "; 2 witnesses outside have taken it.");
	has(&d, "1 workstation has handed back a checkpoint, the newest of entry 1,200.");
	has_not(&d, "in doubt");
	free(d.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_nothing_yet, store_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_all_fine, store_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_worst_first, store_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_bounded, store_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_hostile, store_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_over_time, store_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_a_part_has_no_past, store_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_record_in_doubt, store_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_record, store_setup, store_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
