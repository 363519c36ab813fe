/* What an agent tells: heads, findings, hello, refusal; logins are in
 * test_probe_proto.c, the end in test_report_end.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <string.h>

#include "common/frame.h"
#include "common/json.h"
#include "common/text.h"
#include "schemas/proto.h"
#include "schemas/report.h"
#include "tests/unit/edited.h"

#define ID "00112233445566778899aabbccddeeff"

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

/* What a decoder said to a document; the four decoders look alike. */
struct said {
	int rc;
	struct mm_err err;
};

static struct said say_head(const char *json)
{
	struct mm_report_head out;
	struct said s = {.err = MM_ERR_NONE};
	s.rc = mm_report_head_decode(json, strlen(json), arena, &out, &s.err);
	return s;
}

static struct said say_finding(const char *json)
{
	struct mm_finding out;
	struct said s = {.err = MM_ERR_NONE};
	s.rc = mm_finding_decode(json, strlen(json), arena, &out, &s.err);
	return s;
}

static struct said say_hello(const char *json)
{
	struct mm_hello out;
	struct said s = {.err = MM_ERR_NONE};
	s.rc = mm_hello_decode(json, strlen(json), arena, &out, &s.err);
	return s;
}

static struct said say_refused(const char *json)
{
	struct mm_refused out;
	struct said s = {.err = MM_ERR_NONE};
	s.rc = mm_refused_decode(json, strlen(json), arena, &out, &s.err);
	return s;
}

/* `good` with one member replaced, or removed when value is NULL. */
static char *with(const char *good, const char *key, const char *value)
{
	return edited(arena, good, key, value);
}

static char *quoted(size_t n)
{
	return mm_arena_printf(arena, "\"%0*d\"", (int)n, 0);
}

struct wrong {
	const char *key, *value;
};

static void refuse_all(struct said (*say)(const char *), const char *good, const struct wrong *all, size_t n)
{
	assert_int_equal(say(good).rc, 0);
	for (size_t i = 0; i < n; i++) {
		struct said s = say(with(good, all[i].key, all[i].value));
		if (s.rc == 0)
			fail_msg(
			    "accepted %s = %s", all[i].key, all[i].value != NULL ? all[i].value : "(absent)");
		assert_int_equal(s.err.code, MM_EX_DATAERR);
		assert_non_null(strstr(s.err.text, all[i].key));
	}
	assert_int_equal(say(with(good, "novelty", "{}")).rc, 0);
	static const char *const broken[] = {"", "[]", "7", "{", "{\"a\":1,\"a\":2}"};
	for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++)
		assert_int_equal(say(broken[i]).err.code, MM_EX_DATAERR);
}

/* ---- heads */

static const char good_head[] = "{\"id\":\"" ID "\",\"host\":\"ws1\",\"request_id\":\"" ID
				"\",\"op\":\"apply\",\"evidence\":\"attested\","
				"\"epoch\":1,\"serial\":2,\"revision\":3,\"collected\":4,\"agent\":\"0.1.0\","
				"\"users\":[\"alice\",\"bob\"],"
				"\"expired\":false}";

static void head_round_trip(void **state)
{
	(void)state;
	struct mm_report_head h;
	struct mm_err err = MM_ERR_NONE;
	assert_int_equal(mm_report_head_decode(good_head, strlen(good_head), arena, &h, &err), 0);
	assert_string_equal(h.id, ID);
	assert_string_equal(h.op, "apply");
	assert_int_equal(h.evidence, MM_EV_ATTESTED);
	assert_int_equal(h.epoch, 1);
	assert_int_equal(h.serial, 2);
	assert_int_equal(h.revision, 3);
	assert_int_equal(h.collected, 4);
	assert_null(h.user);
	assert_string_equal(h.users[1], "bob");
	assert_null(h.users[2]);
	struct mm_buf b = MM_BUF_INIT(MM_FRAME_MAX);
	mm_report_head_encode(&h, &b);
	assert_string_equal(mm_buf_str(&b), good_head);
	mm_buf_free(&b);
}

static void head_of_a_login_run(void **state)
{
	(void)state;
	struct mm_report_head in = {.id = ID,
				  .host = "ws1",
				  .op = "login",
				  .evidence = MM_EV_CLAIMED,
				  .agent = "1",
				  .user = "alice",
				  .expired = true},
			      out;
	struct mm_buf b = MM_BUF_INIT(MM_FRAME_MAX);
	struct mm_err err = MM_ERR_NONE;
	mm_report_head_encode(&in, &b);
	assert_int_equal(mm_report_head_decode(b.data, b.len, arena, &out, &err), 0);
	assert_null(out.request_id);
	assert_int_equal(out.evidence, MM_EV_CLAIMED);
	assert_string_equal(out.user, "alice");
	assert_true(out.expired);
	assert_null(out.users[0]);
	mm_buf_free(&b);
}

static void head_with_the_system(void **state)
{
	(void)state;
	static const struct mm_installed clients[] = {{"mutt", "2.2.9-1+b1"}, {"new-one", ""}};
	static const struct mm_system sys = {"Debian GNU/Linux 12 \n(bookworm)", clients, 2};
	const struct mm_report_head in = {.id = ID,
	    .host = "ws1",
	    .op = "apply",
	    .evidence = MM_EV_ATTESTED,
	    .agent = "1",
	    .machine = &sys};
	struct mm_report_head out;
	struct mm_buf b = MM_BUF_INIT(MM_FRAME_MAX);
	struct mm_err err = MM_ERR_NONE;
	mm_report_head_encode(&in, &b);
	assert_int_equal(mm_report_head_decode(b.data, b.len, arena, &out, &err), 0);
	assert_non_null(out.machine);
	assert_string_equal(out.machine->os, "Debian GNU/Linux 12 ?(bookworm)");
	assert_int_equal(out.machine->n_clients, 2);
	assert_string_equal(out.machine->clients[0].client, "mutt");
	assert_string_equal(out.machine->clients[0].version, "2.2.9-1+b1");
	assert_string_equal(out.machine->clients[1].client, "new-one");
	assert_string_equal(out.machine->clients[1].version, "");
	mm_buf_free(&b);
}

static void system_malformed(void **state)
{
	(void)state;
	static const struct wrong all[] = {{"system", "7"}, {"system", "[]"}, {"system", "{\"os\":1}"},
	    {"system", "{\"os\":\"a\\nb\"}"}, {"system", "{\"clients\":{}}"}, {"system", "{\"clients\":[1]}"},
	    {"system", "{\"clients\":[{}]}"}, {"system", "{\"clients\":[{\"client\":\"a b\"}]}"},
	    {"system", "{\"clients\":[{\"client\":\"a\",\"version\":2}]}"},
	    {"system", "{\"clients\":[{\"client\":\"a\"},{\"client\":\"a\"}]}"}};
	refuse_all(say_head, good_head, all, sizeof(all) / sizeof(*all));
	/* Nothing, and more than this version knows, are fine. */
	assert_int_equal(say_head(with(good_head, "system", "null")).rc, 0);
	assert_int_equal(say_head(with(good_head, "system", "{}")).rc, 0);
	assert_int_equal(say_head(with(good_head, "system", "{\"os\":\"x\",\"kernel\":[1]}")).rc, 0);
	struct mm_buf b = MM_BUF_INIT(MM_FRAME_MAX);
	for (int n = MM_INVENTORY_CLIENTS_MAX; n <= MM_INVENTORY_CLIENTS_MAX + 1; n++) {
		mm_buf_reset(&b);
		for (int i = 0; i < n; i++)
			mm_buf_addf(&b, "%s{\"client\":\"c%d\"}", i == 0 ? "{\"clients\":[" : ",", i);
		mm_buf_adds(&b, "]}");
		assert_int_equal(say_head(with(good_head, "system", mm_buf_str(&b))).rc,
		    n > MM_INVENTORY_CLIENTS_MAX ? -1 : 0);
	}
	mm_buf_free(&b);
}

static void head_malformed(void **state)
{
	(void)state;
	static const struct wrong all[] = {{"id", NULL}, {"id", "\"x\""}, {"host", NULL}, {"host", "\"a b\""},
	    {"request_id", "\"x\""}, {"op", NULL}, {"op", "\"fly\""}, {"evidence", NULL},
	    {"evidence", "\"sworn\""}, {"epoch", "-1"}, {"serial", NULL}, {"revision", "\"3\""},
	    {"collected", "-5"}, {"agent", "7"}, {"agent", "\"a\\nb\""}, {"user", "\"../x\""},
	    {"users", "{}"}, {"users", "[\"-x\"]"}, {"users", "[\"a\",\"a\"]"}, {"expired", "0"}};
	refuse_all(say_head, good_head, all, sizeof(all) / sizeof(*all));
	assert_int_equal(say_head(with(good_head, "agent", quoted(64))).rc, 0);
	assert_int_equal(say_head(with(good_head, "agent", quoted(65))).rc, -1);
	struct mm_buf b = MM_BUF_INIT(MM_FRAME_MAX);
	for (int n = MM_MANIFEST_MAX; n <= MM_MANIFEST_MAX + 1; n++) {
		mm_buf_reset(&b);
		for (int i = 0; i < n; i++)
			mm_buf_addf(&b, "%s\"u%d\"", i == 0 ? "[" : ",", i);
		mm_buf_addc(&b, ']');
		assert_int_equal(
		    say_head(with(good_head, "users", mm_buf_str(&b))).rc, n > MM_MANIFEST_MAX ? -1 : 0);
	}
	mm_buf_free(&b);
}

/* ---- findings */

static const char good_finding[] =
    "{\"user\":\"alice\",\"client\":\"mutt\",\"path\":\"/home/alice/.muttrc\",\"account\":\"work\","
    "\"setting\":\"incoming.host\",\"desired\":\"imap.acme.example\",\"found\":\"mail.old.example\",\"line\":"
    "12,"
    "\"override_path\":\"/etc/Muttrc\",\"state\":\"drifted\",\"action\":\"corrected\",\"reason\":\"why\","
    "\"costs\":[\"password\",\"fetch\"]}";

static void finding_round_trip(void **state)
{
	(void)state;
	struct mm_finding f;
	struct mm_err err = MM_ERR_NONE;
	assert_int_equal(mm_finding_decode(good_finding, strlen(good_finding), arena, &f, &err), 0);
	assert_string_equal(f.path, "/home/alice/.muttrc");
	assert_string_equal(f.found, "mail.old.example");
	assert_string_equal(f.override_path, "/etc/Muttrc");
	assert_int_equal(f.line, 12);
	assert_int_equal(f.state, MM_ST_DRIFTED);
	assert_int_equal(f.action, MM_ACT_CORRECTED);
	assert_int_equal(f.costs, MM_COST_PASSWORD | MM_COST_FETCH);
	struct mm_buf b = MM_BUF_INIT(MM_FRAME_MAX);
	mm_finding_encode(&f, &b);
	assert_string_equal(mm_buf_str(&b), good_finding);
	mm_buf_free(&b);
}

/* A newer agent knows more of them; the rest is read all the same. */
static void finding_costs(void **state)
{
	(void)state;
	const char *newer =
		       "{\"user\":\"alice\",\"client\":\"mutt\",\"state\":\"pending\",\"action\":\"none\","
		       "\"costs\":[\"coffee\",\"fetch\"]}",
		   *wrong =
		       "{\"user\":\"alice\",\"client\":\"mutt\",\"state\":\"pending\",\"action\":\"none\","
		       "\"costs\":\"fetch\"}";
	struct mm_finding f;
	struct mm_err err = MM_ERR_NONE;
	assert_int_equal(mm_finding_decode(newer, strlen(newer), arena, &f, &err), 0);
	assert_int_equal(f.costs, MM_COST_FETCH);
	assert_int_equal(mm_finding_decode(wrong, strlen(wrong), arena, &f, &err), -1);
}

static void finding_defaults(void **state)
{
	(void)state;
	const char *least =
	    "{\"user\":\"alice\",\"client\":\"mutt\",\"state\":\"deferred\",\"action\":\"none\"}";
	struct mm_finding f;
	struct mm_err err = MM_ERR_NONE;
	assert_int_equal(mm_finding_decode(least, strlen(least), arena, &f, &err), 0);
	assert_string_equal(f.path, "");
	assert_string_equal(f.account, "");
	assert_string_equal(f.setting, "");
	assert_string_equal(f.reason, "");
	assert_null(f.desired);
	assert_null(f.found);
	assert_null(f.override_path);
	assert_int_equal(f.line, 0);
}

static void finding_of_an_unknown_setting(void **state)
{
	(void)state;
	struct mm_finding f;
	struct mm_err err = MM_ERR_NONE;
	const char *json = with(good_finding, "setting", "\"account.signature\"");
	assert_int_equal(mm_finding_decode(json, strlen(json), arena, &f, &err), 0);
	assert_string_equal(f.setting, "account.signature");
}

#define PLAIN(members)                                                                                       \
	"{\"user\":\"alice\",\"client\":\"mutt\",\"state\":\"drifted\",\"action\":\"none\"" members "}"

/* What is read without the JSON parser is what that reads, and nothing else is taken. */
static void finding_plain_or_parsed(void **state)
{
	(void)state;
	static const char *const all[] = {PLAIN(""), PLAIN(",\"line\":0"), PLAIN(",\"line\":2147483647"),
	    PLAIN(",\"line\":2147483648"), PLAIN(",\"line\":01"), PLAIN(",\"line\":-1"),
	    PLAIN(",\"line\":1.0"), PLAIN(",\"line\":1e1"), PLAIN(",\"line\":\"1\""),
	    PLAIN(",\"line\":999999999999999999999"), PLAIN(",\"line\":"), PLAIN(",\"path\":7"),
	    PLAIN(",\"path\":null"), PLAIN(",\"path\":\"a b~\""), PLAIN(",\"path\":\"a\\\"b\""),
	    PLAIN(",\"path\":\"\\\\\""), PLAIN(",\"path\":\"\\\\\\\"x\""), PLAIN(",\"path\":\"a\\\""),
	    PLAIN(",\"path\":\"a\\/\""), PLAIN(",\"path\":\"a\\u0041\""), PLAIN(",\"path\":\"a\tb\""),
	    PLAIN(",\"path\":\"\x7f\""), PLAIN(",\"path\":\"\xc3\xa4\""), PLAIN(",\"path\":\"\xc3\""),
	    PLAIN(",\"path\":\"a\",\"path\":\"a\""), PLAIN(",\"user\":\"alice\""), PLAIN(",\"x\":1"),
	    PLAIN(",\"X\":1"), PLAIN(",\"pat\":\"a\""), PLAIN(",\"paths\":\"a\""), PLAIN(",\"\":\"a\""),
	    PLAIN(","), PLAIN(",\"setting\":\"\""), PLAIN(",\"setting\":\"a b\""),
	    PLAIN(",\"desired\":\"\",\"found\":\"\""), PLAIN(", \"path\":\"a\""), PLAIN(",\"path\":\"a"),
	    PLAIN("") " ", PLAIN("") "x", "{}", "{", "", "[]",
	    "{\"user\":\"a b\",\"client\":\"mutt\",\"state\":\"drifted\",\"action\":\"none\"}",
	    "{\"client\":\"mutt\",\"state\":\"drifted\",\"action\":\"none\"}",
	    "{\"user\":\"alice\",\"client\":\"mutt\",\"state\":\"drifte\",\"action\":\"none\"}",
	    "{\"user\":\"alice\",\"client\":\"mutt\",\"state\":1,\"action\":\"none\"}"};
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct mm_finding f = {.user = NULL}, parsed = f;
		struct mm_err err = MM_ERR_NONE, same = MM_ERR_NONE;
		int rc = mm_finding_decode_parsed(all[i], strlen(all[i]), arena, &parsed, &same);
		assert_int_equal(mm_finding_decode(all[i], strlen(all[i]), arena, &f, &err), rc);
		if (rc != 0) {
			assert_string_equal(err.text, same.text);
			continue;
		}
		assert_string_equal(f.user, parsed.user);
		assert_string_equal(f.path, parsed.path);
		assert_string_equal(f.setting, parsed.setting);
		assert_true(mm_streq(f.desired, parsed.desired) && mm_streq(f.found, parsed.found));
		assert_int_equal(f.line, parsed.line);
		assert_int_equal(f.state, parsed.state);
	}
}

/* Texts that the finding before has, too, are there once. */
static void finding_shares_texts(void **state)
{
	(void)state;
	struct mm_finding one, two;
	struct mm_err err = MM_ERR_NONE;
	const char *first = PLAIN(",\"path\":\"/a\",\"desired\":\"x\",\"found\":\"x\""),
		   *second = PLAIN(",\"path\":\"/a\",\"desired\":\"xy\",\"found\":\"\"");
	assert_int_equal(mm_finding_decode(first, strlen(first), arena, &one, &err), 0);
	assert_int_equal(mm_finding_decode_after(second, strlen(second), arena, &one, &two, &err), 0);
	assert_ptr_equal(one.desired, one.found);
	assert_ptr_equal(two.path, one.path);
	assert_ptr_equal(two.user, one.user);
	assert_string_equal(two.desired, "xy");
	assert_string_equal(two.found, "");
	assert_string_equal(one.desired, "x");
}

/* The longest text that is allowed, whichever way it is read, and one byte more. */
static void finding_limits(void **state)
{
	(void)state;
	for (size_t n = MM_REPORT_PATH_MAX; n <= MM_REPORT_PATH_MAX + 1; n++) {
		struct mm_buf b = MM_BUF_INIT(MM_FRAME_MAX);
		struct mm_finding f;
		struct mm_err err = MM_ERR_NONE;
		mm_buf_adds(&b, "{\"user\":\"alice\",\"client\":\"mutt\",\"state\":\"drifted\",\"action\":"
				"\"none\",\"path\":\"");
		for (size_t i = 0; i < n; i++)
			mm_buf_addc(&b, '/');
		mm_buf_adds(&b, "\"}");
		assert_int_equal(
		    mm_finding_decode(b.data, b.len, arena, &f, &err), n > MM_REPORT_PATH_MAX ? -1 : 0);
		mm_buf_free(&b);
	}
}

static void finding_malformed(void **state)
{
	(void)state;
	static const struct wrong all[] = {{"user", NULL}, {"user", "\"a b\""}, {"client", NULL},
	    {"client", "\"Mutt!\""}, {"path", "1"}, {"path", "\"/a\\u001bb\""}, {"account", "[]"},
	    {"setting", "\"no such setting\""}, {"desired", "1"}, {"found", "\"a\\u009bb\""},
	    {"found", "\"a\\nb\""}, {"line", "-1"}, {"line", "2147483648"}, {"override_path", "{}"},
	    {"state", NULL}, {"state", "\"fine\""}, {"action", NULL}, {"action", "\"hoped\""},
	    {"reason", "\"a\\u007fb\""}};
	refuse_all(say_finding, good_finding, all, sizeof(all) / sizeof(*all));
	static const struct {
		const char *key;
		size_t max;
	} limits[] = {{"path", MM_REPORT_PATH_MAX}, {"account", MM_REPORT_NAME_MAX}, {"setting", 64},
	    {"desired", MM_VALUE_MAX}, {"found", MM_VALUE_MAX}, {"override_path", MM_REPORT_PATH_MAX},
	    {"reason", MM_REPORT_TEXT_MAX}};
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		assert_int_equal(say_finding(with(good_finding, limits[i].key, quoted(limits[i].max))).rc, 0);
		assert_int_equal(
		    say_finding(with(good_finding, limits[i].key, quoted(limits[i].max + 1))).rc, -1);
	}
	assert_int_equal(say_finding(with(good_finding, "line", "2147483647")).rc, 0);
}

/* What stands in a user's file must not be able to spoil the report. */
static void finding_is_cleaned(void **state)
{
	(void)state;
	char *huge = mm_arena_alloc(arena, 3 * MM_VALUE_MAX, 1);
	/* two-byte characters, so that the limit falls into one of them */
	for (size_t i = 0; i + 2 < 3 * MM_VALUE_MAX; i += 2)
		memcpy(huge + i, "\xc3\xa9", 2);
	struct mm_finding in = {.user = "alice",
	    .client = "mutt",
	    .path = "/home/alice/\xff\x1b[2J",
	    .account = "",
	    .setting = "incoming.host",
	    .desired = huge,
	    .found = "a\nb\xc2\x9b\xe2\x82\xac\xc3",
	    .reason = "\x7f"};
	struct mm_finding out;
	struct mm_buf b = MM_BUF_INIT(MM_FRAME_MAX);
	struct mm_err err = MM_ERR_NONE;
	mm_finding_encode(&in, &b);
	assert_int_equal(mm_finding_decode(b.data, b.len, arena, &out, &err), 0);
	assert_string_equal(out.path, "/home/alice/\xef\xbf\xbd?[2J");
	assert_string_equal(out.found, "a?b?\xe2\x82\xac\xef\xbf\xbd");
	assert_string_equal(out.reason, "?");
	size_t n = strlen(out.desired);
	assert_in_range(n, MM_VALUE_MAX - 4, MM_VALUE_MAX);
	assert_string_equal(out.desired + n - 5, "\xc3\xa9...");
	mm_buf_free(&b);
}

/* Cleaning grows bytes to three each: also then the limit holds. */
static void cut_after_cleaning(void **state)
{
	(void)state;
	char *raw = mm_arena_alloc(arena, 2000, 1);
	memset(raw, 0xff, 1999);
	struct mm_finding in = {.user = "alice",
			      .client = "mutt",
			      .path = "",
			      .account = "",
			      .setting = "",
			      .reason = raw},
			  out;
	struct mm_buf b = MM_BUF_INIT(MM_FRAME_MAX);
	struct mm_err err = MM_ERR_NONE;
	mm_finding_encode(&in, &b);
	assert_int_equal(mm_finding_decode(b.data, b.len, arena, &out, &err), 0);
	assert_in_range(strlen(out.reason), MM_REPORT_TEXT_MAX - 6, MM_REPORT_TEXT_MAX);
	mm_buf_free(&b);
}

static void largest_finding_fits_a_frame(void **state)
{
	(void)state;
	char *q = mm_arena_alloc(arena, MM_VALUE_MAX + 1, 1);
	memset(q, '"', MM_VALUE_MAX); /* is doubled by JSON */
	struct mm_finding f = {.user = "alice",
	    .client = "mutt",
	    .path = q,
	    .account = q,
	    .setting = "",
	    .desired = q,
	    .found = q,
	    .line = INT_MAX,
	    .override_path = q,
	    .reason = q};
	struct mm_buf b = MM_BUF_INIT(MM_FRAME_MAX);
	mm_finding_encode(&f, &b);
	assert_true(mm_buf_ok(&b));
	mm_buf_free(&b);
}

/* ---- hello, refusal, end */

static void hello(void **state)
{
	(void)state;
	struct mm_hello in = {.agent = "0.1.0", .major = 1, .minor = 0, .host = "ws1"}, out;
	struct mm_buf b = MM_BUF_INIT(4096);
	struct mm_err err = MM_ERR_NONE;
	mm_hello_encode(&in, &b);
	assert_string_equal(mm_buf_str(&b), "{\"agent\":\"0.1.0\",\"proto\":[1,0],\"host\":\"ws1\"}");
	assert_int_equal(mm_hello_decode(b.data, b.len, arena, &out, &err), 0);
	assert_string_equal(out.agent, "0.1.0");
	assert_string_equal(out.host, "ws1");
	assert_int_equal(out.major, 1);
	/* a foreign version is told, not refused: the caller says what it means */
	const char *newer = with(mm_buf_str(&b), "proto", "[2,7]");
	assert_int_equal(mm_hello_decode(newer, strlen(newer), arena, &out, &err), 0);
	assert_int_equal(out.major, 2);
	assert_int_equal(out.minor, 7);
	static const struct wrong all[] = {{"agent", "1"}, {"proto", NULL}, {"proto", "[1]"},
	    {"proto", "[-1,0]"}, {"host", NULL}, {"host", "\"-x\""}};
	refuse_all(say_hello, mm_buf_str(&b), all, sizeof(all) / sizeof(*all));
	mm_buf_free(&b);
}

static void refusal(void **state)
{
	(void)state;
	struct mm_refused in = {.code = 77, .reason = MM_REFUSED_REPLAY, .text = "serial 4 is\nold"}, out;
	struct mm_buf b = MM_BUF_INIT(4096);
	struct mm_err err = MM_ERR_NONE;
	mm_refused_encode(&in, &b);
	assert_int_equal(mm_refused_decode(b.data, b.len, arena, &out, &err), 0);
	assert_int_equal(out.code, 77);
	assert_string_equal(out.reason, "replay");
	assert_string_equal(out.text, "serial 4 is?old");
	static const struct wrong all[] = {{"code", NULL}, {"code", "0"}, {"code", "256"}, {"reason", NULL},
	    {"reason", "\"\""}, {"reason", "\"Two Words\""}, {"text", "7"}, {"text", "\"a\\u0007b\""}};
	refuse_all(say_refused, mm_buf_str(&b), all, sizeof(all) / sizeof(*all));
	mm_buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(head_round_trip),
	    cmocka_unit_test(head_of_a_login_run),
	    cmocka_unit_test(head_with_the_system),
	    cmocka_unit_test(system_malformed),
	    cmocka_unit_test(head_malformed),
	    cmocka_unit_test(finding_round_trip),
	    cmocka_unit_test(finding_defaults),
	    cmocka_unit_test(finding_costs),
	    cmocka_unit_test(finding_of_an_unknown_setting),
	    cmocka_unit_test(finding_plain_or_parsed),
	    cmocka_unit_test(finding_shares_texts),
	    cmocka_unit_test(finding_limits),
	    cmocka_unit_test(finding_malformed),
	    cmocka_unit_test(finding_is_cleaned),
	    cmocka_unit_test(cut_after_cleaning),
	    cmocka_unit_test(largest_finding_fits_a_frame),
	    cmocka_unit_test(hello),
	    cmocka_unit_test(refusal),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
