/* Sheets: round trip, determinism, unknown settings, every form and limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "common/frame.h"
#include "common/json.h"
#include "schemas/proto.h"
#include "schemas/sheet.h"

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

#define HEAD                                                                                                 \
	"\"user\":\"alice\",\"revision\":3,\"create\":\"existing\",\"allow_cleartext\":false,\"tls_min\":"   \
	"\"1.2\","                                                                                           \
	"\"check\":\"login\""
#define ACCOUNT(rows)                                                                                        \
	"{\"name\":\"work\",\"label\":\"Acme mail\",\"replaces\":[\"mail.old.example\"],\"settings\":[" rows \
	"]}"
#define ROWS "[\"account.address\",\"alice@acme.example\"],[\"incoming.host\",\"imap.acme.example\"]"
#define CLIENT "{\"client\":\"mutt\",\"mode\":\"enforce\",\"settings\":[[\"account.real_name\",\"ignore\"]]}"
#define SHEET(proto, accounts, clients)                                                                      \
	"{\"proto\":" proto "," HEAD ",\"accounts\":[" accounts "],\"clients\":[" clients "]}"

static const char good[] = SHEET("[1,0]", ACCOUNT(ROWS), CLIENT);

static int decode(const char *json, struct mm_sheet *s, struct mm_err *err)
{
	*err = MM_ERR_NONE;
	return mm_sheet_decode(json, strlen(json), arena, s, err);
}

static void accepted(const char *json, struct mm_sheet *s)
{
	struct mm_err err;
	if (decode(json, s, &err) != 0)
		fail_msg("%s", err.text);
}

static void refused(const char *json, int code, const char *word)
{
	struct mm_sheet s = {.revision = 4711};
	struct mm_err err;
	if (decode(json, &s, &err) == 0)
		fail_msg("accepted: %.300s", json);
	assert_int_equal(s.revision, 4711);
	assert_int_equal(err.code, code);
	if (strstr(err.text, word) == NULL)
		fail_msg("\"%s\" does not name \"%s\"", err.text, word);
}

static char *encode(const struct mm_sheet *s)
{
	struct mm_buf b = MM_BUF_INIT(MM_FRAME_MAX);
	mm_sheet_encode(s, &b);
	assert_true(mm_buf_ok(&b));
	char *text = mm_arena_strdup(arena, mm_buf_str(&b));
	mm_buf_free(&b);
	return text;
}

static void decodes(void **state)
{
	(void)state;
	struct mm_sheet s;
	accepted(good, &s);
	assert_string_equal(s.user, "alice");
	assert_int_equal(s.revision, 3);
	assert_int_equal(s.create, MM_CREATE_EXISTING);
	assert_false(s.allow_cleartext);
	assert_string_equal(s.tls_min, "1.2");
	assert_int_equal(s.check, MM_LEVEL_LOGIN);
	assert_int_equal(s.n_accounts, 1);
	const struct mm_account *a = &s.accounts[0];
	assert_string_equal(a->name, "work");
	assert_string_equal(a->label, "Acme mail");
	assert_null(a->renamed_from);
	assert_string_equal(a->replaces[0], "mail.old.example");
	assert_null(a->replaces[1]);
	assert_string_equal(a->want.v[MM_SET_ADDRESS], "alice@acme.example");
	assert_string_equal(a->want.v[MM_SET_IN_HOST], "imap.acme.example");
	assert_null(a->want.v[MM_SET_OUT_HOST]);
	assert_int_equal(a->n_unknown, 0);
}

static void modes(void **state)
{
	(void)state;
	struct mm_sheet s;
	accepted(good, &s);
	assert_int_equal(mm_sheet_mode(&s, "mutt", MM_SET_IN_HOST), MM_MODE_ENFORCE);
	assert_int_equal(mm_sheet_mode(&s, "mutt", MM_SET_REAL_NAME), MM_MODE_IGNORE);
	assert_int_equal(mm_sheet_mode(&s, "mutt", MM_SET_NONE), MM_MODE_ENFORCE);
	/* what no policy names is only looked at */
	assert_int_equal(mm_sheet_mode(&s, "thunderbird", MM_SET_IN_HOST), MM_MODE_AUDIT);
	assert_int_equal(mm_sheet_mode(&s, "thunderbird", MM_SET_NONE), MM_MODE_AUDIT);
}

static void deterministic(void **state)
{
	(void)state;
	struct mm_sheet s, again;
	accepted(good, &s);
	const char *first = encode(&s);
	assert_string_equal(first, good);
	assert_string_equal(encode(&s), first);
	/* the order of rows in a foreign document does not matter */
	accepted(
	    SHEET("[1,0]",
		ACCOUNT(
		    "[\"incoming.host\",\"imap.acme.example\"],[\"account.address\",\"alice@acme.example\"]"),
		CLIENT),
	    &again);
	assert_string_equal(encode(&again), first);
}

/* Every setting, a name that is hostile to every grammar, all rules set. */
static void whole_round_trip(void **state)
{
	(void)state;
	static const char *const replaces[] = {"a.example", "b.example", NULL};
	static const struct mm_unknown_row unknown[] = {{"account.signature", "x"}};
	struct mm_account acc[2] = {
	    {.name = "work", .replaces = replaces, .unknown = unknown, .n_unknown = 1},
	    {.name = "new", .renamed_from = "old", .label = "L \"q\" \\"}};
	for (int i = 0; i < MM_SET_COUNT; i++) {
		const struct mm_setting_def *d = mm_setting_def((enum mm_setting)i);
		const char *by_type[] = {[MM_TYPE_TEXT] = "`id`\"; $(x) | y",
		    [MM_TYPE_ADDRESS] = "a@b.example",
		    [MM_TYPE_HOST] = "h.example",
		    [MM_TYPE_INT] = "993",
		    [MM_TYPE_WORD] = d->words != NULL ? d->words[0] : NULL,
		    [MM_TYPE_BOOL] = "no",
		    [MM_TYPE_ARGV] = "[\"/bin/x\",\"a b\"]",
		    [MM_TYPE_PATH] = "/etc/ca.pem",
		    [MM_TYPE_PIN] = "sha256//AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
		    [MM_TYPE_FOLDER] = "INBOX/`id` & \"Gesendet\""};
		acc[0].want.v[i] = by_type[d->type];
	}
	struct mm_client_rule rule = {.client = "msmtp", .mode = MM_MODE_DEFAULT};
	for (int i = 0; i < MM_SET_COUNT; i++)
		rule.setting_mode[i] = i % (MM_MODE_COUNT + 1) - 1;
	struct mm_sheet in = {.user = "bob",
	    .revision = 9,
	    .accounts = acc,
	    .n_accounts = 2,
	    .clients = &rule,
	    .n_clients = 1,
	    .create = MM_CREATE_ALWAYS,
	    .allow_cleartext = true,
	    .tls_min = "1.3",
	    .check = MM_LEVEL_ROUNDTRIP};
	struct mm_sheet out;
	accepted(encode(&in), &out);
	assert_string_equal(encode(&out), encode(&in));
	for (int i = 0; i < MM_SET_COUNT; i++) {
		assert_string_equal(out.accounts[0].want.v[i], acc[0].want.v[i]);
		assert_int_equal(out.clients[0].setting_mode[i], rule.setting_mode[i]);
	}
	assert_int_equal(out.accounts[0].n_unknown, 1);
	assert_string_equal(out.accounts[1].renamed_from, "old");
	assert_string_equal(out.accounts[1].label, acc[1].label);
	assert_non_null(out.accounts[1].replaces);
	assert_true(out.allow_cleartext);
	assert_int_equal(out.create, MM_CREATE_ALWAYS);
	assert_int_equal(out.check, MM_LEVEL_ROUNDTRIP);
}

static void unknown_settings_are_kept(void **state)
{
	(void)state;
	struct mm_sheet s;
	/* also when the sheet says our own minor: rows are the open part */
	accepted(SHEET("[1,0]", ACCOUNT(ROWS ",[\"account.signature\",\"-- x\"]"), CLIENT), &s);
	assert_int_equal(s.accounts[0].n_unknown, 1);
	assert_string_equal(s.accounts[0].unknown[0].id, "account.signature");
	assert_string_equal(s.accounts[0].unknown[0].value, "-- x");
	assert_string_equal(s.accounts[0].want.v[MM_SET_IN_HOST], "imap.acme.example");
}

static void values_of_a_newer_minor(void **state)
{
	(void)state;
	struct mm_sheet s;
	accepted(SHEET("[1,4]", ACCOUNT(ROWS ",[\"incoming.auth\",\"passkey\"]"), CLIENT), &s);
	assert_null(s.accounts[0].want.v[MM_SET_IN_AUTH]);
	assert_int_equal(s.accounts[0].n_unknown, 1);
	assert_string_equal(s.accounts[0].unknown[0].id, "incoming.auth");
	refused(SHEET("[1,0]", ACCOUNT(ROWS ",[\"incoming.auth\",\"passkey\"]"), CLIENT), MM_EX_DATAERR,
	    "incoming.auth");
}

static void members_of_a_newer_minor(void **state)
{
	(void)state;
	struct mm_sheet s;
	const char *const places[] = {
	    "{\"proto\":[1,%d],\"novelty\":1," HEAD ",\"accounts\":[],\"clients\":[]}",
	    "{\"proto\":[1,%d]," HEAD
	    ",\"accounts\":[{\"name\":\"a\",\"novelty\":{},\"settings\":[]}],\"clients\":[]}",
	    "{\"proto\":[1,%d]," HEAD
	    ",\"accounts\":[],\"clients\":[{\"client\":\"a\",\"mode\":\"audit\",\"novelty\":[]}]}",
	};
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		struct mm_buf b = MM_BUF_INIT(4096);
		const char *at = strstr(places[i], "%d");
		for (int minor = MM_PROTO_MINOR; minor <= MM_PROTO_MINOR + 1; minor++) {
			mm_buf_reset(&b);
			mm_buf_add(&b, places[i], (size_t)(at - places[i]));
			mm_buf_addf(&b, "%d%s", minor, at + 2);
			if (minor == MM_PROTO_MINOR)
				refused(mm_buf_str(&b), MM_EX_DATAERR, "novelty");
			else
				accepted(mm_buf_str(&b), &s);
		}
		mm_buf_free(&b);
	}
	refused(SHEET("[2,0]", "", ""), MM_EX_NOPERM, "1.0 to 1.3");
}

static void values_are_checked(void **state)
{
	(void)state;
	struct mm_sheet s;
	accepted(SHEET("[1,0]",
		     ACCOUNT("[\"incoming.host\",\"IMAP.Acme.Example\"],[\"incoming.port\",\"0993\"]"), ""),
	    &s);
	assert_string_equal(s.accounts[0].want.v[MM_SET_IN_HOST], "imap.acme.example");
	assert_string_equal(s.accounts[0].want.v[MM_SET_IN_PORT], "993");
	refused(SHEET("[1,0]", ACCOUNT("[\"incoming.port\",\"0\"]"), ""), MM_EX_DATAERR, "incoming.port");
	refused(SHEET("[1,0]", ACCOUNT("[\"incoming.host\",\"h:993\"]"), ""), MM_EX_DATAERR, "incoming.host");
}

static void malformed(void **state)
{
	(void)state;
	static const char *const all[] = {
	    "",
	    "[]",
	    "{}",
	    "null",
	    "{\"proto\":[1,0],\"user\":\"-x\",\"revision\":3,\"create\":\"existing\",\"tls_min\":\"1.2\","
	    "\"check\":\"login\",\"accounts\":[],\"clients\":[]}",
	    "{\"proto\":[1,0],\"user\":\"a\",\"revision\":-1,\"create\":\"existing\",\"tls_min\":\"1.2\","
	    "\"check\":\"login\",\"accounts\":[],\"clients\":[]}",
	    "{\"proto\":[1,0],\"user\":\"a\",\"revision\":1,\"create\":\"maybe\",\"tls_min\":\"1.2\","
	    "\"check\":\"login\",\"accounts\":[],\"clients\":[]}",
	    "{\"proto\":[1,0],\"user\":\"a\",\"revision\":1,\"create\":\"never\",\"tls_min\":\"1.1\","
	    "\"check\":\"login\",\"accounts\":[],\"clients\":[]}",
	    "{\"proto\":[1,0],\"user\":\"a\",\"revision\":1,\"create\":\"never\",\"tls_min\":\"1.2\","
	    "\"check\":\"hope\",\"accounts\":[],\"clients\":[]}",
	    "{\"proto\":[1,0],\"user\":\"a\",\"revision\":1,\"create\":\"never\",\"tls_min\":\"1.2\","
	    "\"check\":\"tls\",\"clients\":[]}",
	    "{\"proto\":[1,0],\"user\":\"a\",\"revision\":1,\"create\":\"never\",\"tls_min\":\"1.2\","
	    "\"check\":\"tls\",\"accounts\":[]}",
	    "{\"proto\":[1,0],\"user\":\"a\",\"revision\":1,\"create\":\"never\",\"allow_cleartext\":1,\"tls_"
	    "min\":\"1.2\",\"check\":\"tls\",\"accounts\":[],\"clients\":[]}",
	    SHEET("[1,0]", "1", ""),
	    SHEET("[1,0]", "{\"settings\":[]}", ""),
	    SHEET("[1,0]", "{\"name\":\"Work\",\"settings\":[]}", ""),
	    SHEET("[1,0]", "{\"name\":\"a\"}", ""),
	    SHEET("[1,0]", "{\"name\":\"a\",\"settings\":{}}", ""),
	    SHEET("[1,0]", "{\"name\":\"a\",\"renamed_from\":\"B\",\"settings\":[]}", ""),
	    SHEET("[1,0]", "{\"name\":\"a\",\"replaces\":[\"a b\"],\"settings\":[]}", ""),
	    SHEET("[1,0]", "{\"name\":\"a\",\"replaces\":[\"x\",\"x\"],\"settings\":[]}", ""),
	    SHEET("[1,0]", "{\"name\":\"a\",\"label\":\"x\\ny\",\"settings\":[]}", ""),
	    SHEET("[1,0]", ACCOUNT(ROWS) "," ACCOUNT(ROWS), ""),
	    SHEET("[1,0]", ACCOUNT(ROWS ",[\"incoming.host\",\"other\"]"), ""),
	    SHEET("[1,0]", ACCOUNT("[\"account.new\",\"1\"],[\"account.new\",\"2\"]"), ""),
	    SHEET("[1,0]", ACCOUNT("\"incoming.host\""), ""),
	    SHEET("[1,0]", ACCOUNT("[\"incoming.host\"]"), ""),
	    SHEET("[1,0]", ACCOUNT("[\"incoming.host\",1]"), ""),
	    SHEET("[1,0]", ACCOUNT("[\"incoming.host\",\"a\",\"b\"]"), ""),
	    SHEET("[1,0]", ACCOUNT("[\"Incoming Host\",\"a\"]"), ""),
	    SHEET("[1,0]", ACCOUNT("[\"account.new\",\"a\\u0000b\"]"), ""),
	    SHEET("[1,0]", ACCOUNT("[\"account.new\",\"a\\u001bb\"]"), ""),
	    SHEET("[1,0]", ACCOUNT("[\"account.new\",\"a\\u009bb\"]"), ""),
	    SHEET("[1,0]", "", "1"),
	    SHEET("[1,0]", "", "{\"mode\":\"audit\"}"),
	    SHEET("[1,0]", "", "{\"client\":\"mutt\"}"),
	    SHEET("[1,0]", "", "{\"client\":\"mutt\",\"mode\":\"force\"}"),
	    SHEET("[1,0]", "", "{\"client\":\"a/b\",\"mode\":\"audit\"}"),
	    SHEET("[1,0]", "", CLIENT "," CLIENT),
	    SHEET("[1,0]", "",
		"{\"client\":\"mutt\",\"mode\":\"audit\",\"settings\":[[\"incoming.host\",\"maybe\"]]}"),
	    SHEET("[1,0]", "",
		"{\"client\":\"mutt\",\"mode\":\"audit\",\"settings\":[[\"incoming.host\",\"audit\"],["
		"\"incoming.host\",\"audit\"]]}"),
	};
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		refused(all[i], MM_EX_DATAERR, "sheet");
}

/* n times a pattern in which every %d becomes 0, 1, 2 ... */
static char *many(int n, const char *before, const char *after)
{
	struct mm_buf b = MM_BUF_INIT(8 * MM_FRAME_MAX);
	for (int i = 0; i < n; i++)
		mm_buf_addf(&b, "%s%s%d%s", i == 0 ? "" : ",", before, i, after);
	char *text = mm_arena_strdup(arena, mm_buf_str(&b));
	mm_buf_free(&b);
	return text;
}

static char *sheet_of(const char *accounts, const char *clients)
{
	return mm_arena_printf(
	    arena, "{\"proto\":[1,0]," HEAD ",\"accounts\":[%s],\"clients\":[%s]}", accounts, clients);
}

static char *account_of(const char *member, const char *settings)
{
	return sheet_of(mm_arena_printf(arena, "{\"name\":\"a\",%s\"settings\":[%s]}", member, settings), "");
}

static void limits(void **state)
{
	(void)state;
	struct mm_sheet s;
	accepted(sheet_of(many(MM_SHEET_ACCOUNTS_MAX, "{\"name\":\"a", "\",\"settings\":[]}"), ""), &s);
	assert_int_equal(s.n_accounts, MM_SHEET_ACCOUNTS_MAX);
	refused(sheet_of(many(MM_SHEET_ACCOUNTS_MAX + 1, "{\"name\":\"a", "\",\"settings\":[]}"), ""),
	    MM_EX_DATAERR, "accounts");
	accepted(sheet_of("", many(MM_SHEET_CLIENTS_MAX, "{\"client\":\"c", "\",\"mode\":\"audit\"}")), &s);
	assert_int_equal(s.n_clients, MM_SHEET_CLIENTS_MAX);
	refused(sheet_of("", many(MM_SHEET_CLIENTS_MAX + 1, "{\"client\":\"c", "\",\"mode\":\"audit\"}")),
	    MM_EX_DATAERR, "clients");
	accepted(account_of("", many(MM_ROWS_MAX, "[\"x.y", "\",\"\"]")), &s);
	assert_int_equal(s.accounts[0].n_unknown, MM_ROWS_MAX);
	refused(account_of("", many(MM_ROWS_MAX + 1, "[\"x.y", "\",\"\"]")), MM_EX_DATAERR, "settings");
	accepted(
	    account_of(mm_arena_printf(arena, "\"replaces\":[%s],", many(MM_REPLACES_MAX, "\"h", "\"")), ""),
	    &s);
	refused(account_of(
		    mm_arena_printf(arena, "\"replaces\":[%s],", many(MM_REPLACES_MAX + 1, "\"h", "\"")), ""),
	    MM_EX_DATAERR, "replaces");
	accepted(account_of("", mm_arena_printf(arena, "[\"x.y\",\"%0*d\"]", MM_VALUE_MAX, 0)), &s);
	refused(account_of("", mm_arena_printf(arena, "[\"x.y\",\"%0*d\"]", MM_VALUE_MAX + 1, 0)),
	    MM_EX_DATAERR, "x.y");
	accepted(account_of(mm_arena_printf(arena, "\"label\":\"%0*d\",", 256, 0), ""), &s);
	refused(
	    account_of(mm_arena_printf(arena, "\"label\":\"%0*d\",", 257, 0), ""), MM_EX_DATAERR, "label");
	refused(account_of("", mm_arena_printf(arena, "[\"%065d\",\"\"]", 0)), MM_EX_DATAERR, "row");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(decodes),
	    cmocka_unit_test(modes),
	    cmocka_unit_test(deterministic),
	    cmocka_unit_test(whole_round_trip),
	    cmocka_unit_test(unknown_settings_are_kept),
	    cmocka_unit_test(values_of_a_newer_minor),
	    cmocka_unit_test(members_of_a_newer_minor),
	    cmocka_unit_test(values_are_checked),
	    cmocka_unit_test(malformed),
	    cmocka_unit_test(limits),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
