/* Logins as they travel in frames and in the probe's answers; probe tasks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "common/frame.h"
#include "common/json.h"
#include "schemas/probe.h"
#include "tests/unit/edited.h"

#define LEN(x) (sizeof(x) / sizeof(*(x)))

static struct mm_arena *arena;

static int setup(void **state)
{
	(void)state;
	arena = mm_arena_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mm_arena_free(arena);
	return 0;
}

static char *with(const char *good, const char *key, const char *value)
{
	return edited(arena, good, key, value);
}

static char *quoted(size_t n)
{
	return mm_arena_printf(arena, "\"%0*d\"", (int)n, 0);
}

static int say_login(const char *json, struct mm_err *err)
{
	struct mm_login l;
	return mm_login_decode(json, strlen(json), arena, &l, err);
}

static int say_answer(const char *json, struct mm_err *err)
{
	struct mm_login l;
	int64_t id;
	return mm_probe_answer_decode(json, strlen(json), arena, &id, &l, err);
}

static int say_task(const char *json, struct mm_err *err)
{
	struct mm_probe_task t;
	return mm_probe_task_decode(json, strlen(json), arena, &t, err);
}

struct wrong {
	const char *key, *value;
};

static void refuse_all(
    int (*say)(const char *, struct mm_err *), const char *good, const struct wrong *all, size_t n)
{
	struct mm_err err = MM_ERR_NONE;
	assert_int_equal(say(good, &err), 0);
	for (size_t i = 0; i < n; i++) {
		if (say(with(good, all[i].key, all[i].value), &err) == 0)
			fail_msg(
			    "accepted %s = %s", all[i].key, all[i].value != NULL ? all[i].value : "(absent)");
		assert_int_equal(err.code, MM_EX_DATAERR);
		assert_non_null(strstr(err.text, all[i].key));
	}
	assert_int_equal(say(with(good, "novelty", "{}"), &err), 0);
	static const char *const broken[] = {"", "[]", "7", "{", "{\"id\":1,\"id\":1}"};
	for (size_t i = 0; i < LEN(broken); i++)
		assert_int_equal(say(broken[i], &err), -1);
}

/* ---- logins */

#define ENDPOINT                                                                                             \
	"\"side\":\"incoming\",\"protocol\":\"imap\",\"host\":\"imap.acme.example\",\"port\":993,"           \
	"\"security\":\"tls\",\"auth\":\"password\",\"username\":\"alice\""
#define OUTCOME                                                                                              \
	"\"level\":\"login\",\"reached\":\"login\",\"result\":\"passed\",\"class\":\"\",\"text\":\"t\","     \
	"\"admin\":\"a\",\"server_text\":\"OK\",\"tls\":{\"version\":\"TLSv1.3\",\"cipher\":\"C\","          \
	"\"subject\":\"S\",\"issuer\":\"I\",\"san\":\"N\",\"not_before\":10,\"not_after\":20},"              \
	"\"timing\":{\"dns\":1,\"tcp\":2,\"tls\":3,\"greeting\":4,\"login\":5},\"when\":100"

static const char good_login[] = "{\"user\":\"alice\",\"account\":\"work\"," ENDPOINT "," OUTCOME "}";
static const char good_answer[] = "{\"id\":3," ENDPOINT "," OUTCOME "}";

static void check_outcome(const struct mm_login *l)
{
	assert_string_equal(l->side, "incoming");
	assert_string_equal(l->protocol, "imap");
	assert_string_equal(l->host, "imap.acme.example");
	assert_int_equal(l->port, 993);
	assert_string_equal(l->security, "tls");
	assert_string_equal(l->auth, "password");
	assert_string_equal(l->username, "alice");
	assert_int_equal(l->level, MM_LEVEL_LOGIN);
	assert_true(l->any);
	assert_int_equal(l->reached, MM_LEVEL_LOGIN);
	assert_int_equal(l->result, MM_LOGIN_PASSED);
	assert_string_equal(l->cls, "");
	assert_string_equal(l->server_text, "OK");
	assert_string_equal(l->tls.version, "TLSv1.3");
	assert_string_equal(l->tls.san, "N");
	assert_int_equal(l->tls.not_before, 10);
	assert_int_equal(l->tls.not_after, 20);
	assert_int_equal(l->timing.dns, 1);
	assert_int_equal(l->timing.login, 5);
	assert_int_equal(l->when, 100);
}

static void login_round_trip(void **state)
{
	(void)state;
	struct mm_login l;
	struct mm_err err = MM_ERR_NONE;
	assert_int_equal(mm_login_decode(good_login, strlen(good_login), arena, &l, &err), 0);
	assert_string_equal(l.user, "alice");
	assert_string_equal(l.account, "work");
	check_outcome(&l);
	struct mm_buf b = MM_BUF_INIT(MM_FRAME_MAX);
	mm_login_encode(&l, &b);
	assert_string_equal(mm_buf_str(&b), good_login);
	mm_buf_free(&b);
}

static void answer_round_trip(void **state)
{
	(void)state;
	struct mm_login l;
	int64_t id = 0;
	struct mm_err err = MM_ERR_NONE;
	assert_int_equal(mm_probe_answer_decode(good_answer, strlen(good_answer), arena, &id, &l, &err), 0);
	assert_int_equal(id, 3);
	assert_string_equal(l.user, "");
	assert_string_equal(l.account, "");
	check_outcome(&l);
	struct mm_buf b = MM_BUF_INIT(MM_FRAME_MAX);
	mm_probe_answer_encode(id, &l, &b);
	assert_string_equal(mm_buf_str(&b), good_answer);
	mm_buf_free(&b);
}

static void login_that_reached_nothing(void **state)
{
	(void)state;
	struct mm_login in = {.user = "alice",
			    .account = "work",
			    .side = "outgoing",
			    .protocol = "smtp",
			    .host = "smtp.acme.example",
			    .port = 465,
			    .security = "tls",
			    .level = MM_LEVEL_TLS,
			    .result = MM_LOGIN_FAILED,
			    .cls = "DNS_NXDOMAIN",
			    .text = "no such host",
			    .admin = "",
			    .timing = {-1, -1, -1, -1, -1}},
			out;
	struct mm_buf b = MM_BUF_INIT(MM_FRAME_MAX);
	struct mm_err err = MM_ERR_NONE;
	mm_login_encode(&in, &b);
	assert_null(strstr(mm_buf_str(&b), "\"tls\":{"));
	assert_null(strstr(mm_buf_str(&b), "reached"));
	assert_int_equal(mm_login_decode(b.data, b.len, arena, &out, &err), 0);
	assert_false(out.any);
	assert_string_equal(out.cls, "DNS_NXDOMAIN");
	assert_null(out.tls.version);
	assert_null(out.server_text);
	assert_string_equal(out.auth, "");
	mm_buf_reset(&b);
	mm_login_encode(&out, &b); /* "" and absent are the same */
	assert_int_equal(mm_login_decode(b.data, b.len, arena, &out, &err), 0);
	assert_string_equal(out.username, "");
	assert_int_equal(out.timing.tcp, -1);
	mm_buf_free(&b);
}

/* Never a pass by inference: not even when the other side says so. */
static void passed_needs_its_level(void **state)
{
	(void)state;
	struct mm_err err = MM_ERR_NONE;
	assert_int_equal(say_login(with(good_login, "reached", "\"tls\""), &err), -1);
	assert_non_null(strstr(err.text, "passed"));
	assert_int_equal(say_login(with(good_login, "reached", NULL), &err), -1);
	assert_int_equal(say_login(with(good_login, "reached", "\"roundtrip\""), &err), 0);
	char *failed = with(good_login, "result", "\"failed\"");
	assert_int_equal(say_login(with(failed, "reached", "\"tls\""), &err), 0);
	char *untested = with(good_login, "result", "\"untested\"");
	assert_int_equal(say_login(with(untested, "reached", NULL), &err), 0);
}

static void side_follows_from_the_protocol(void **state)
{
	(void)state;
	struct mm_login l;
	int64_t id;
	struct mm_err err = MM_ERR_NONE;
	char *json = with(good_answer, "side", NULL);
	assert_int_equal(mm_probe_answer_decode(json, strlen(json), arena, &id, &l, &err), 0);
	assert_string_equal(l.side, "incoming");
	json = with(json, "protocol", "\"smtp\"");
	assert_int_equal(mm_probe_answer_decode(json, strlen(json), arena, &id, &l, &err), 0);
	assert_string_equal(l.side, "outgoing");
}

static const struct wrong login_wrongs[] = {{"side", "\"left\""}, {"protocol", NULL},
    {"protocol", "\"nntp\""}, {"host", NULL}, {"host", "\"h:1\""}, {"host", "\"h\\u001b\""}, {"port", NULL},
    {"port", "0"}, {"port", "65536"}, {"security", NULL}, {"security", "\"ssl\""}, {"auth", "\"hope\""},
    {"username", "\"a\\nb\""}, {"level", NULL}, {"level", "\"deep\""}, {"reached", "\"deep\""},
    {"result", NULL}, {"result", "\"ok\""}, {"class", "\"lower\""}, {"class", "\"A B\""}, {"text", "1"},
    {"admin", "\"\\u009b\""}, {"server_text", "\"a\\rb\""}, {"tls", "[]"}, {"tls", "{\"version\":1}"},
    {"tls", "{\"subject\":\"a\\nb\"}"}, {"tls", "{\"not_after\":\"1\"}"}, {"timing", "7"},
    {"timing", "{\"dns\":-2}"}, {"timing", "{\"login\":3600001}"}, {"when", NULL}, {"when", "-1"}};

static void login_malformed(void **state)
{
	(void)state;
	struct mm_err err = MM_ERR_NONE;
	for (size_t i = 0; i < LEN(login_wrongs); i++) {
		refuse_all(say_login, good_login, &login_wrongs[i], 1);
		refuse_all(say_answer, good_answer, &login_wrongs[i], 1);
	}
	static const struct wrong own[] = {{"user", NULL}, {"user", "\"a/b\""}, {"account", "1"}};
	refuse_all(say_login, good_login, own, LEN(own));
	static const struct wrong id[] = {{"id", NULL}, {"id", "-1"}, {"id", "\"1\""}};
	refuse_all(say_answer, good_answer, id, LEN(id));
	static const struct {
		const char *key;
		size_t max;
	} limits[] = {{"class", 64}, {"text", MM_REPORT_TEXT_MAX}, {"admin", MM_REPORT_TEXT_MAX},
	    {"server_text", MM_SERVER_TEXT_MAX}, {"username", MM_REPORT_NAME_MAX},
	    {"account", MM_REPORT_NAME_MAX}};
	for (size_t i = 0; i < LEN(limits); i++) {
		assert_int_equal(say_login(with(good_login, limits[i].key, quoted(limits[i].max)), &err), 0);
		assert_int_equal(
		    say_login(with(good_login, limits[i].key, quoted(limits[i].max + 1)), &err), -1);
	}
}

/* Server texts and certificates come from strangers. */
static void login_is_cleaned(void **state)
{
	(void)state;
	struct mm_login in, out;
	struct mm_err err = MM_ERR_NONE;
	assert_int_equal(mm_login_decode(good_login, strlen(good_login), arena, &in, &err), 0);
	char *long_text = mm_arena_alloc(arena, 601, 1);
	memset(long_text, 'x', 600);
	in.server_text = long_text;
	in.tls.subject = "CN=\x1b]0;evil\x07\xff";
	in.text = "\xe2\x82";
	struct mm_buf b = MM_BUF_INIT(MM_FRAME_MAX);
	mm_login_encode(&in, &b);
	assert_int_equal(mm_login_decode(b.data, b.len, arena, &out, &err), 0);
	assert_int_equal(strlen(out.server_text), MM_SERVER_TEXT_MAX);
	assert_string_equal(out.server_text + MM_SERVER_TEXT_MAX - 4, "x...");
	assert_string_equal(out.tls.subject, "CN=?]0;evil?\xef\xbf\xbd");
	assert_string_equal(out.text, "\xef\xbf\xbd\xef\xbf\xbd");
	mm_buf_free(&b);
}

/* ---- tasks */

static const char good_task[] =
    "{\"id\":1,\"level\":\"login\",\"protocol\":\"imap\",\"host\":\"h\",\"port\":993,\"security\":\"tls\","
    "\"auth\":\"password\",\"username\":\"alice\",\"secret\":0,\"tls_min\":\"1.2\",\"ca_file\":\"/etc/"
    "ca.pem\","
    "\"pin\":\"sha256//AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\",\"sender\":\"alice@acme.example\"}";

static void task_round_trip(void **state)
{
	(void)state;
	struct mm_probe_task t;
	struct mm_err err = MM_ERR_NONE;
	assert_int_equal(mm_probe_task_decode(good_task, strlen(good_task), arena, &t, &err), 0);
	assert_int_equal(t.id, 1);
	assert_int_equal(t.level, MM_LEVEL_LOGIN);
	assert_string_equal(t.protocol, "imap");
	assert_string_equal(t.host, "h");
	assert_int_equal(t.port, 993);
	assert_int_equal(t.secret, 0);
	assert_string_equal(t.ca_file, "/etc/ca.pem");
	assert_string_equal(t.sender, "alice@acme.example");
	struct mm_buf b = MM_BUF_INIT(MM_PROBE_LINE_MAX);
	mm_probe_task_encode(&t, &b);
	assert_string_equal(mm_buf_str(&b), good_task);
	mm_buf_free(&b);
}

static void task_defaults(void **state)
{
	(void)state;
	const char *least = "{\"id\":0,\"level\":\"reach\",\"protocol\":\"smtp\",\"host\":\"H\",\"port\":25,"
			    "\"security\":\"none\"}";
	struct mm_probe_task t;
	struct mm_err err = MM_ERR_NONE;
	assert_int_equal(mm_probe_task_decode(least, strlen(least), arena, &t, &err), 0);
	assert_string_equal(t.host, "h");
	assert_int_equal(t.secret, -1);
	assert_string_equal(t.auth, "password");
	assert_null(t.username);
	assert_null(t.tls_min);
	assert_null(t.ca_file);
	assert_null(t.pin);
	assert_null(t.sender);
	assert_false(t.survey);
	assert_int_equal(t.n_known, 0);
	assert_int_equal(t.certificate, -1);
	assert_int_equal(t.retrieve, -1);
}

/* What later versions of the task brought. */
static void task_more(void **state)
{
	(void)state;
	static const char json[] =
	    "{\"id\":1,\"level\":\"roundtrip\",\"protocol\":\"smtp\",\"host\":\"h\",\"port\":465,"
	    "\"security\":\"tls\","
	    "\"auth\":\"external\",\"username\":\"alice\",\"address\":\"alice@acme.example\",\"ehlo\":"
	    "\"ws7\","
	    "\"ccache\":\"/tmp/"
	    "cc\",\"certificate\":1,\"retrieve\":7,\"timeouts\":{\"connect\":8,\"answer\":20,"
	    "\"login\":30,\"roundtrip\":60},\"survey\":true,\"known\":[{\"protocol\":\"imap\",\"host\":\"i\","
	    "\"port\":993,\"security\":\"tls\"}]}";
	struct mm_probe_task t;
	struct mm_err err = MM_ERR_NONE;
	assert_int_equal(mm_probe_task_decode(json, strlen(json), arena, &t, &err), 0);
	assert_string_equal(t.address, "alice@acme.example");
	assert_string_equal(t.ehlo, "ws7");
	assert_string_equal(t.ccache, "/tmp/cc");
	assert_int_equal(t.certificate, 1);
	assert_int_equal(t.retrieve, 7);
	assert_int_equal(t.connect_s, 8);
	assert_int_equal(t.login_s, 30);
	assert_true(t.survey);
	assert_int_equal(t.n_known, 1);
	assert_string_equal(t.known[0].host, "i");
	struct mm_buf b = MM_BUF_INIT(MM_PROBE_LINE_MAX);
	mm_probe_task_encode(&t, &b);
	assert_string_equal(mm_buf_str(&b), json);
	mm_buf_free(&b);
	static const struct wrong all[] = {{"address", "\"alice\""}, {"ehlo", "\"a b\""},
	    {"ccache", "\"cc\""}, {"certificate", "65536"}, {"retrieve", "-1"},
	    {"timeouts", "{\"login\":601}"}, {"timeouts", "7"}, {"survey", "1"}, {"survey", "\"yes\""},
	    {"known", "{}"}, {"known", "[{\"protocol\":\"imap\"}]"}};
	refuse_all(say_task, json, all, LEN(all));
}

static void task_malformed(void **state)
{
	(void)state;
	static const struct wrong all[] = {{"id", NULL}, {"id", "-1"}, {"level", NULL}, {"level", "\"all\""},
	    {"protocol", NULL}, {"protocol", "\"http\""}, {"host", NULL}, {"host", "\"\""},
	    {"host", "\"h:993\""}, {"host", "\"h/x\""}, {"port", NULL}, {"port", "0"}, {"port", "65536"},
	    {"port", "\"993\""}, {"security", NULL}, {"security", "\"tls \""}, {"auth", "\"x\""},
	    {"username", "\"a\\nb\""}, {"username", "\"\""}, {"secret", "-1"}, {"secret", "65536"},
	    {"tls_min", "\"1.0\""}, {"ca_file", "\"ca.pem\""}, {"ca_file", "\"/a/../b\""},
	    {"pin", "\"sha256//x\""}, {"sender", "\"alice\""}, {"sender", "\"a@b>\""}};
	refuse_all(say_task, good_task, all, LEN(all));
}

static void lines_have_a_limit(void **state)
{
	(void)state;
	struct mm_err err = MM_ERR_NONE;
	struct mm_probe_task t;
	struct mm_login l;
	int64_t id;
	size_t n = MM_PROBE_LINE_MAX + 1;
	/* blanks at the end are legal JSON: only the length is wrong */
	char *line = mm_arena_alloc(arena, n + 1, 1);
	memset(line, ' ', n);
	memcpy(line, good_task, strlen(good_task));
	assert_int_equal(mm_probe_task_decode(line, n - 1, arena, &t, &err), 0);
	assert_int_equal(mm_probe_task_decode(line, n, arena, &t, &err), -1);
	memset(line, ' ', n);
	memcpy(line, good_answer, strlen(good_answer));
	assert_int_equal(mm_probe_answer_decode(line, n - 1, arena, &id, &l, &err), 0);
	assert_int_equal(mm_probe_answer_decode(line, n, arena, &id, &l, &err), -1);
	assert_int_equal(err.code, MM_EX_DATAERR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(login_round_trip),
	    cmocka_unit_test(answer_round_trip),
	    cmocka_unit_test(login_that_reached_nothing),
	    cmocka_unit_test(passed_needs_its_level),
	    cmocka_unit_test(side_follows_from_the_protocol),
	    cmocka_unit_test(login_malformed),
	    cmocka_unit_test(login_is_cleaned),
	    cmocka_unit_test(task_round_trip),
	    cmocka_unit_test(task_defaults),
	    cmocka_unit_test(task_more),
	    cmocka_unit_test(task_malformed),
	    cmocka_unit_test(lines_have_a_limit),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
