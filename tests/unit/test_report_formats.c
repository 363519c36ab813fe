/* The formats of reports over rows made by hand; with arguments it prints one
 * for validators that others wrote: FORMAT WORKSTATIONS [nasty]. */
#include "tests/lib/testutil.h"

#include <jansson.h>
#include <signal.h>
#include <sys/resource.h>

#include "common/text.h"
#include "controller/report/about.h"
#include "controller/report/oscal.h"
#include "controller/report/spool.h"
#include "controller/report/xml.h"
#include "tests/unit/report_rows.h"

static size_t times(const char *text, const char *word)
{
	size_t n = 0;
	for (const char *p = text; (p = strstr(p, word)) != NULL; p += strlen(word))
		n++;
	return n;
}

static json_t *parsed(const char *format, size_t hosts, bool nasty)
{
	char *text = rows_render(format, hosts, nasty);
	json_error_t e;
	json_t *doc = json_loads(text, JSON_REJECT_DUPLICATES, &e);
	if (doc == NULL)
		fail_msg("%s: line %d: %s", format, e.line, e.text);
	free(text);
	return doc;
}

static const char *str(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static void test_xml_text(void **state)
{
	(void)state;
	struct mm_buf b = MM_BUF_INIT(1024);
	mm_xml_text(&b, "a<b>&\"c\" 'd' ]]> \x01\n \xff \xef\xbf\xbe \xef\xbf\xbd \xc3\xbc");
	assert_string_equal(mm_buf_str(&b),
	    "a&lt;b&gt;&amp;&quot;c&quot; &apos;d&apos; ]]&gt; \\x01\\x0a \\xff \\xef\\xbf\\xbe \xef\xbf\xbd "
	    "\xc3\xbc");
	mm_buf_reset(&b);
	mm_xml_attr(&b, "x", NULL);
	mm_xml_elem(&b, "x", NULL);
	assert_string_equal(mm_buf_str(&b), "");
	mm_buf_free(&b);
}

/* Streams do not mix, whatever their size, and come out as they went in. */
static void test_spool(void **state)
{
	(void)state;
	struct mm_spool *s = mm_spool_new();
	char *text = NULL;
	size_t n = 0, want = 0;
	for (size_t i = 0; i < 40000; i++) {
		char b[32];
		int len = snprintf(b, sizeof(b), "%zu,", i);
		mm_spool_add(s, i % 7, b, (size_t)len);
		want += i % 7 == 3 ? (size_t)len : 0;
	}
	assert_true(mm_spool_empty(s, 7));
	assert_false(mm_spool_empty(s, 6));
	FILE *m = open_memstream(&text, &n);
	assert_non_null(m);
	mm_spool_pour(s, 3, m);
	mm_spool_pour(s, 99, m);
	assert_int_equal(fclose(m), 0);
	assert_int_equal(mm_spool_failed(s), 0);
	assert_int_equal(n, want);
	size_t at = 0;
	for (size_t i = 3; i < 40000; i += 7) {
		char b[32];
		int len = snprintf(b, sizeof(b), "%zu,", i);
		assert_memory_equal(text + at, b, (size_t)len);
		at += (size_t)len;
	}
	mm_spool_free(s);
	free(text);
}

/* A disk that takes no more is an error and no short report. */
static void test_spool_full(void **state)
{
	(void)state;
	struct mm_spool *s = mm_spool_new();
	char block[4096] = "";
	struct rlimit old, none = {.rlim_cur = 16384};
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	none.rlim_max = old.rlim_max;
	void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	for (size_t i = 0; i < 64; i++)
		mm_spool_add(s, 0, block, sizeof(block));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	signal(SIGXFSZ, before);
	assert_int_equal(mm_spool_failed(s), EFBIG);
	mm_spool_free(s);
}

static void test_oscal_names(void **state)
{
	(void)state;
	static const char *const want[] = {"sc-8.1_obj", "cm-6_obj.b"};
	struct mm_oscal_target t;
	for (size_t i = 0; i < 2; i++) {
		assert_true(mm_oscal_target(&rows_baseline, &rows_baseline.checks[0], i, &t));
		assert_string_equal(t.type, "objective-id");
		assert_string_equal(t.id, want[i]);
	}
	assert_false(
	    mm_oscal_target(&rows_baseline, &rows_baseline.checks[0], 2, &t)); /* PCI's is another's */
	assert_true(mm_oscal_target(&rows_baseline, &rows_baseline.checks[2], 0, &t));
	assert_string_equal(t.type, "statement-id");
	assert_string_equal(t.id, "audit-log");
	struct mm_baseline other = rows_baseline;
	other.framework = "pci-dss-4";
	assert_true(mm_oscal_target(&other, &rows_baseline.checks[0], 0, &t));
	assert_string_equal(t.id, "req-4.2.1");
	other.framework = "";
	assert_true(mm_oscal_target(&other, &rows_baseline.checks[0], 0, &t));
	assert_string_equal(t.id, "rfc-8314_req-3.3");
}

static void check_line(const char *in, const char *out)
{
	json_t *o = json_object();
	mm_oscal_set_line(o, "x", in);
	assert_string_equal(str(o, "x"), out);
	json_decref(o);
}

/* No text is empty, ends with a blank or is taken for markup. */
static void test_oscal_text(void **state)
{
	(void)state;
	check_line("", "''");
	check_line(NULL, "''");
	check_line("plain", "plain");
	check_line(" a", "' a'");
	check_line("a\xe3\x80\x80", "'a\xe3\x80\x80'");
	check_line("a\n\xe2\x80\xa8z", "a\\x0a\\xe2\\x80\\xa8z");
	check_line("[a](b) <i>", "\\[a\\](b) \\<i\\>");
}

static void test_uuids(void **state)
{
	(void)state;
	const struct mm_report_meta m = {.fleet_id = "2ed6657d-e927-568b-95e1-2665a8aea6a2"};
	char a[MM_UUID_LEN], b[MM_UUID_LEN];
	MM_REPORT_UUID(&m, a, "a", "bc");
	MM_REPORT_UUID(&m, b, "a", "bc");
	assert_string_equal(a, b);
	MM_REPORT_UUID(&m, b, "ab", "c");
	assert_string_not_equal(a, b);
}

/* The counts at the top are those of the cases beneath. */
static void test_junit_counts(void **state)
{
	(void)state;
	char *text = rows_render("junit", 70, false), want[160];
	size_t failures = times(text, "<failure "), errors = times(text, "<error "),
	       skipped = times(text, "<skipped>");
	assert_int_equal(times(text, "<testcase "), rows_results(70));
	assert_true(failures > 0 && errors > 0 && skipped > 0);
	snprintf(want, sizeof(want), "tests=\"%zu\" failures=\"%zu\" errors=\"%zu\">", rows_results(70),
	    failures, errors);
	assert_non_null(strstr(text, want));
	assert_int_equal(times(text, "<testsuite "), ROWS_CHECKS);
	assert_non_null(strstr(text, "<skipped>waived: "));
	assert_non_null(strstr(text, "waiver 7 of dana EXPIRED on "));
	assert_non_null(strstr(text, "type=\"stale\""));
	assert_non_null(strstr(text, "evidence claimed"));
	free(text);
}

static void test_jsonl(void **state)
{
	(void)state;
	char *text = rows_render("jsonl", 3, true), *line = text;
	size_t n = 0, results = 0;
	for (char *end; (end = strchr(line, '\n')) != NULL; line = end + 1, n++) {
		*end = '\0';
		json_t *o = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(o);
		assert_true((n == 0) == mm_streq(str(o, "kind"), "head"));
		results += mm_streq(str(o, "kind"), "result");
		json_decref(o);
	}
	assert_string_equal(line, "");
	assert_int_equal(results, rows_results(3));
	free(text);
}

static void test_sarif(void **state)
{
	(void)state;
	json_t *doc = parsed("sarif", 14, true), *r;
	const json_t *run = json_array_get(json_object_get(doc, "runs"), 0);
	size_t i, suppressed = 0, open = 0;
	const json_t *driver = json_object_get(json_object_get(run, "tool"), "driver");
	assert_int_equal(json_array_size(json_object_get(driver, "rules")), ROWS_CHECKS);
	json_array_foreach(json_object_get(run, "results"), i, r)
	{
		const char *outcome = str(json_object_get(r, "properties"), "outcome");
		assert_string_not_equal(outcome, "compliant");
		assert_string_not_equal(outcome, "notapplicable");
		assert_true(mm_streq(str(r, "kind"), "fail") == !mm_streq(str(r, "level"), "none"));
		const json_t *s = json_array_get(json_object_get(r, "suppressions"), 0);
		suppressed += mm_streq(str(s, "status"), "accepted");
		assert_true(mm_streq(str(s, "status"), "accepted") == mm_streq(outcome, "waived"));
		open += mm_streq(str(r, "kind"), "open");
	}
	assert_true(suppressed > 0 && open > 0);
	json_decref(doc);
}

/* Two exports of the same evidence are the same, and one that differs differs there only. */
static void test_same_again(void **state)
{
	(void)state;
	static const char *const formats[] = {"oscal", "sarif", "arf", "xccdf", "junit", "prometheus"};
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		char *a = rows_render(formats[i], 9, true), *b = rows_render(formats[i], 9, true);
		assert_string_equal(a, b);
		free(a);
		free(b);
	}
}

static void test_oscal_verdicts(void **state)
{
	(void)state;
	json_t *doc = parsed("oscal", 8, false), *f;
	const json_t *results = json_object_get(json_object_get(doc, "assessment-results"), "results");
	size_t i, satisfied = 0, failed = 0, other = 0;
	json_array_foreach(json_object_get(json_array_get(results, 0), "findings"), i, f)
	{
		const json_t *s = json_object_get(json_object_get(f, "target"), "status");
		satisfied += mm_streq(str(s, "state"), "satisfied");
		failed += mm_streq(str(s, "reason"), "fail");
		other += mm_streq(str(s, "reason"), "other");
		assert_true(mm_streq(str(s, "state"), "satisfied") == mm_streq(str(s, "reason"), "pass"));
	}
	assert_int_equal(satisfied, 1); /* the fleet's own */
	/* implicit-tls, under two controls; of one of them login is evidence, too: the worse counts */
	assert_int_equal(failed, 2);
	assert_int_equal(other, 1); /* login alone: nothing failed, not all is known */
	json_decref(doc);
}

/* A fleet of many is about as large as one of few: grouped, not repeated. */
static void test_grouped(void **state)
{
	(void)state;
	char *few = rows_render("xccdf", 500, false), *many = rows_render("xccdf", 5000, false);
	assert_int_equal(times(few, "<TestResult "), times(many, "<TestResult "));
	assert_int_equal(times(many, "<target>"), 5001);
	assert_true(strlen(many) < 400000);
	free(few);
	free(many);
	many = rows_render("oscal", 5000, false);
	assert_true(strlen(many) < 9000000);
	free(many);
}

static void test_prometheus(void **state)
{
	(void)state;
	char *text = rows_render("prometheus", 14, true);
	assert_non_null(
	    strstr(text, "\nmailmuster_check_results{check=\"implicit-tls\",outcome=\"waived\"} 2\n"));
	assert_non_null(strstr(text, "\nmailmuster_certificates_expiring{within_days=\"7\"} 1\n"));
	assert_null(strstr(text, "ws00000"));
	assert_null(strstr(text, "alice"));
	free(text);
}

static int print(int argc, char **argv)
{
	int64_t hosts;
	if (mm_parse_int(argv[2], 0, 1000000, &hosts) < 0 || mm_output_by_name(argv[1]) == NULL)
		return 64;
	char *text = rows_render(argv[1], (size_t)hosts, argc > 3);
	fputs(text, stdout);
	free(text);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
	    MM_TEST(test_xml_text),
	    MM_TEST(test_spool),
	    MM_TEST(test_spool_full),
	    MM_TEST(test_oscal_names),
	    MM_TEST(test_oscal_text),
	    MM_TEST(test_uuids),
	    MM_TEST(test_junit_counts),
	    MM_TEST(test_jsonl),
	    MM_TEST(test_sarif),
	    MM_TEST(test_same_again),
	    MM_TEST(test_oscal_verdicts),
	    MM_TEST(test_grouped),
	    MM_TEST(test_prometheus),
	};
	if (argc > 2)
		return print(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
