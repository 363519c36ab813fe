/* The settings table, and the check and canonical form of every type of value. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>

#include "common/text.h"
#include "schemas/settings.h"

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

/* The canonical form, or NULL when refused; a refusal is a data error with a text. */
static const char *canon(enum mm_setting s, const char *text)
{
	struct mm_err err = MM_ERR_NONE;
	const char *out = "untouched";
	if (mm_setting_canon(s, text, arena, &out, &err) == 0)
		return out;
	assert_string_equal(out, "untouched");
	assert_int_equal(err.code, MM_EX_DATAERR);
	assert_true(err.text[0] != '\0');
	return NULL;
}

static void accepts(enum mm_setting s, const char *text, const char *want)
{
	const char *got = canon(s, text);
	if (got == NULL)
		fail_msg("%s refused \"%s\"", mm_setting_def(s)->id, text);
	else
		assert_string_equal(got, want);
}

static void refuses(enum mm_setting s, const char *text)
{
	if (canon(s, text) != NULL)
		fail_msg("%s accepted \"%s\"", mm_setting_def(s)->id, text);
}

static char *repeat(const char *s, size_t n)
{
	char *out = mm_arena_strdup(arena, "");
	for (size_t i = 0; i < n; i++)
		out = mm_arena_printf(arena, "%s%s", out, s);
	return out;
}

static char *letters(size_t n)
{
	char *out = mm_arena_alloc(arena, n + 1, 1);
	memset(out, 'x', n);
	return out;
}

static void table_is_whole(void **state)
{
	(void)state;
	for (int i = 0; i < MM_SET_COUNT; i++) {
		enum mm_setting s = (enum mm_setting)i;
		const struct mm_setting_def *d = mm_setting_def(s);
		assert_string_equal(d->id, mm_arena_printf(arena, "%s.%s", mm_side_name(d->side), d->key));
		assert_int_equal(mm_setting_by_id(d->id), s);
		assert_int_equal(mm_setting_by_key(d->side, d->key), s);
		assert_true(mm_ends_with(d->help, "."));
		assert_true(d->label[0] != '\0');
		assert_int_equal(d->type == MM_TYPE_WORD, d->words != NULL);
		if (d->dflt != NULL)
			accepts(s, d->dflt, d->dflt);
		for (size_t w = 0; d->words != NULL && d->words[w] != NULL; w++)
			accepts(s, d->words[w], d->words[w]);
	}
}

static void look_ups(void **state)
{
	(void)state;
	assert_int_equal(mm_setting_by_id("incoming.hosts"), MM_SET_NONE);
	assert_int_equal(mm_setting_by_id(""), MM_SET_NONE);
	assert_int_equal(mm_setting_by_id(NULL), MM_SET_NONE);
	assert_int_equal(mm_setting_by_key(MM_SIDE_ACCOUNT, "host"), MM_SET_NONE);
	assert_int_equal(mm_setting_by_key(MM_SIDE_OUTGOING, "leave_on_server"), MM_SET_NONE);
	assert_int_equal(mm_setting_on_side(MM_SET_IN_HOST, MM_SIDE_OUTGOING), MM_SET_OUT_HOST);
	assert_int_equal(mm_setting_on_side(MM_SET_OUT_PIN, MM_SIDE_INCOMING), MM_SET_IN_PIN);
	assert_int_equal(mm_setting_on_side(MM_SET_IN_HOST, MM_SIDE_INCOMING), MM_SET_IN_HOST);
	assert_int_equal(mm_setting_on_side(MM_SET_IN_LEAVE_ON_SERVER, MM_SIDE_OUTGOING), MM_SET_NONE);
	assert_int_equal(mm_setting_on_side(MM_SET_ADDRESS, MM_SIDE_INCOMING), MM_SET_NONE);
}

static void hosts(void **state)
{
	(void)state;
	accepts(MM_SET_IN_HOST, "imap.acme.example", "imap.acme.example");
	accepts(MM_SET_IN_HOST, "IMAP.Acme.Example", "imap.acme.example");
	accepts(MM_SET_IN_HOST, "mail_1", "mail_1");
	accepts(MM_SET_OUT_HOST, "192.0.2.7", "192.0.2.7");
	accepts(MM_SET_OUT_HOST, "2001:DB8::1", "2001:db8::1");
	accepts(MM_SET_OUT_HOST, "0:0:0:0:0:0:0:1", "::1");
	const char *const bad[] = {"", "imap.acme.example:993", "[::1]", "[::1]:993", "host:993", "::1:zz",
	    "a b", " host", "host ", "host.", ".host", "a..b", "-a.b", "imap.acme.example/x", "ho\"st",
	    "h\xc3\xb6st", "h\xc3st", "a\nb", "a\tb"};
	for (size_t i = 0; i < LEN(bad); i++)
		refuses(MM_SET_IN_HOST, bad[i]);
	char *longest = mm_arena_printf(arena, "%s%s", repeat("abcdefg.", 31), "abcde");
	assert_int_equal(strlen(longest), 253);
	accepts(MM_SET_IN_HOST, longest, longest);
	refuses(MM_SET_IN_HOST, mm_arena_printf(arena, "%sf", longest));
}

static void host_with_port_says_so(void **state)
{
	(void)state;
	struct mm_err err = MM_ERR_NONE;
	const char *out;
	assert_int_equal(mm_setting_canon(MM_SET_IN_HOST, "imap.acme.example:993", arena, &out, &err), -1);
	assert_non_null(strstr(err.text, "port"));
}

static void ports(void **state)
{
	(void)state;
	accepts(MM_SET_IN_PORT, "1", "1");
	accepts(MM_SET_IN_PORT, "65535", "65535");
	accepts(MM_SET_OUT_PORT, "00465", "465");
	const char *const bad[] = {"", "0", "65536", "-1", "4294967297", "18446744073709551617", "99x",
	    " 993", "993 ", "0x10", "1e3", "9.5"};
	for (size_t i = 0; i < LEN(bad); i++)
		refuses(MM_SET_OUT_PORT, bad[i]);
}

static void addresses(void **state)
{
	(void)state;
	accepts(MM_SET_ADDRESS, "alice@acme.example", "alice@acme.example");
	accepts(MM_SET_ADDRESS, "Alice.Smith+x@ACME.example", "Alice.Smith+x@acme.example");
	accepts(MM_SET_REPLY_TO, "o'brien@acme.example", "o'brien@acme.example");
	const char *const bad[] = {"", "alice", "@acme.example", "alice@", "a@b@c", "a b@c.d", ".a@c.d",
	    "a.@c.d", "a..b@c.d", "\"a b\"@c.d", "a@[192.0.2.1]", "a@192.0.2.1", "a@::1", "a@c:25", "a\n@c.d",
	    "a,b@c.d", "<a@c.d>", "a@c.d ", "z\xc3\xb6@c.d"};
	for (size_t i = 0; i < LEN(bad); i++)
		refuses(MM_SET_ADDRESS, bad[i]);
	accepts(MM_SET_ADDRESS, mm_arena_printf(arena, "%s@c.d", letters(64)),
	    mm_arena_printf(arena, "%s@c.d", letters(64)));
	refuses(MM_SET_ADDRESS, mm_arena_printf(arena, "%s@c.d", letters(65)));
	char *domain = repeat("abcdefg.", 23);
	char *fits = mm_arena_printf(arena, "%s@%sabcde", letters(64), domain);
	assert_int_equal(strlen(fits), 254);
	accepts(MM_SET_ADDRESS, fits, fits);
	refuses(MM_SET_ADDRESS, mm_arena_printf(arena, "%sf", fits));
}

static void texts(void **state)
{
	(void)state;
	const char *tricky = "`id`\"; $(x) | y \\ ' % # Zo\xc3\xab \xe2\x82\xac \xf0\x9f\x93\xa7";
	accepts(MM_SET_REAL_NAME, tricky, tricky);
	accepts(MM_SET_ORGANISATION, letters(1024), letters(1024));
	refuses(MM_SET_ORGANISATION, letters(1025));
	accepts(MM_SET_IN_USERNAME, letters(320), letters(320));
	refuses(MM_SET_IN_USERNAME, letters(321));
	refuses(MM_SET_OUT_USERNAME, letters(321));
	accepts(MM_SET_IN_USERNAME, "DOMAIN\\alice", "DOMAIN\\alice");
	const char *const bad[] = {"", " ", " Alice", "Alice ", "a\nb", "a\tb", "a\rb", "a\x1b[31m", "a\x7f",
	    "a\xc2\x9b\x31m", "\xff", "a\xc0\xaf", "a\xed\xa0\x80", "a\xc3"};
	for (size_t i = 0; i < LEN(bad); i++)
		refuses(MM_SET_REAL_NAME, bad[i]);
}

static void words(void **state)
{
	(void)state;
	accepts(MM_SET_IN_SECURITY, "STARTTLS", "starttls");
	accepts(MM_SET_OUT_TLS_MIN, "1.3", "1.3");
	accepts(MM_SET_IN_LEAVE_ON_SERVER, "No", "no");
	accepts(MM_SET_IN_AUTH, "SCRAM-SHA-256", "scram-sha-256");
	refuses(MM_SET_IN_SECURITY, "ssl");
	refuses(MM_SET_IN_SECURITY, "");
	refuses(MM_SET_IN_PROTOCOL, "smtp");
	refuses(MM_SET_OUT_PROTOCOL, "imap");
	refuses(MM_SET_IN_TLS_MIN, "1.1");
	refuses(MM_SET_IN_LEAVE_ON_SERVER, "true");
	struct mm_err err = MM_ERR_NONE;
	const char *out;
	assert_int_equal(mm_setting_canon(MM_SET_IN_SECURITY, "ssl", arena, &out, &err), -1);
	assert_non_null(strstr(err.text, "tls, starttls, none"));
}

static void paths(void **state)
{
	(void)state;
	accepts(MM_SET_IN_CA_FILE, "/etc/ssl/acme ca.pem", "/etc/ssl/acme ca.pem");
	accepts(MM_SET_IN_CA_FILE, "/a/..b/c..", "/a/..b/c..");
	const char *const bad[] = {
	    "", "/", "ca.pem", "./ca.pem", "/etc/../x", "/etc/..", "/..", "/a\nb", "~/ca.pem"};
	for (size_t i = 0; i < LEN(bad); i++)
		refuses(MM_SET_OUT_CA_FILE, bad[i]);
	char *fits = mm_arena_printf(arena, "/%s", letters(4094));
	accepts(MM_SET_IN_CA_FILE, fits, fits);
	refuses(MM_SET_IN_CA_FILE, mm_arena_printf(arena, "/%s", letters(4095)));
}

static void folders(void **state)
{
	(void)state;
	const char *tricky = "`id`\"; $(x) | y \\ ' & Entw\xc3\xbcrfe/B";
	accepts(MM_SET_FOLDER_SENT, "Sent", "Sent");
	accepts(MM_SET_FOLDER_DRAFTS, "inbox/Drafts", "INBOX/Drafts");
	accepts(MM_SET_FOLDER_TRASH, "Inboxes/a.b", "Inboxes/a.b");
	accepts(MM_SET_FOLDER_JUNK, tricky, tricky);
	const char *const bad[] = {"", " ", "Sent ", " Sent", "INBOX", "inbox", "/Sent", "Sent/", "a//b", ".",
	    "..", "a/../b", "a/.", "a*", "a%", "#news", "~a", "=Sent", "+Sent", "!", "a\nb", "a\tb", "a\x7f",
	    "\xff"};
	for (size_t i = 0; i < LEN(bad); i++)
		refuses(MM_SET_FOLDER_SENT, bad[i]);
	accepts(MM_SET_FOLDER_SENT, letters(255), letters(255));
	refuses(MM_SET_FOLDER_SENT, letters(256));
}

#define PIN "sha256//AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

static void pins(void **state)
{
	(void)state;
	accepts(MM_SET_IN_PIN, PIN, PIN);
	accepts(MM_SET_IN_PIN, PIN ";" PIN, PIN ";" PIN);
	const char *const bad[] = {"", "sha256//",
	    "sha1//AAECAwQFBgcICQoLDA0ODxAREhM=", "SHA256//AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
	    "sha256//AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
	    "sha256//AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=", PIN ";", ";" PIN, PIN " ", PIN ";;" PIN,
	    "sha256//AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg=="};
	for (size_t i = 0; i < LEN(bad); i++)
		refuses(MM_SET_OUT_PIN, bad[i]);
	char *eight = mm_arena_printf(arena, "%s" PIN, repeat(PIN ";", MM_PINS_MAX - 1));
	accepts(MM_SET_IN_PIN, eight, eight);
	refuses(MM_SET_IN_PIN, mm_arena_printf(arena, "%s;" PIN, eight));
}

static void argument_vectors(void **state)
{
	(void)state;
	accepts(MM_SET_IN_PASSWORD_COMMAND, " [ \"/usr/bin/pass\" , \"show\",\"\" ] ",
	    "[\"/usr/bin/pass\",\"show\",\"\"]");
	accepts(
	    MM_SET_IN_PASSWORD_COMMAND, "[\"/bin/x\",\"\\u00e9 \\\"\"]", "[\"/bin/x\",\"\xc3\xa9 \\\"\"]");
	const char *const bad[] = {"", "pass show", "[]", "[\"\"]", "[\"pass\"]", "[\"./pass\"]",
	    "[\"/bin/../x\"]", "[1]", "[\"/bin/x\",1]", "[\"/bin/x\",null]", "[\"/bin/x\",[\"y\"]]",
	    "{\"0\":\"/bin/x\"}", "\"/bin/x\"", "[\"/bin/x\"", "[\"/bin/x\"]x", "[\"/bin/x\",\"a\\nb\"]",
	    "[\"/bin/x\",\"a\\u0000b\"]", "[\"/bin/x\",\"\\u009b\"]", "[\"/bin/x\",\"\\u007f\"]", "[\"/\"]"};
	for (size_t i = 0; i < LEN(bad); i++)
		refuses(MM_SET_OUT_PASSWORD_COMMAND, bad[i]);
}

static void argument_vector_limits(void **state)
{
	(void)state;
	char *most = mm_arena_printf(arena, "[\"/x\"%s]", repeat(",\"y\"", MM_ARGV_MAX - 1));
	accepts(MM_SET_IN_PASSWORD_COMMAND, most, most);
	refuses(
	    MM_SET_IN_PASSWORD_COMMAND, mm_arena_printf(arena, "[\"/x\"%s]", repeat(",\"y\"", MM_ARGV_MAX)));
	char *widest = mm_arena_printf(arena, "[\"/x\",\"%s\"]", letters(MM_ARG_MAX));
	accepts(MM_SET_IN_PASSWORD_COMMAND, widest, widest);
	refuses(
	    MM_SET_IN_PASSWORD_COMMAND, mm_arena_printf(arena, "[\"/x\",\"%s\"]", letters(MM_ARG_MAX + 1)));
	/* ["/x", then three full entries and one that fills the rest exactly */
	char *full = mm_arena_printf(arena, ",\"%s\"", letters(MM_ARG_MAX));
	size_t rest = MM_VALUE_MAX - 6 - 3 * strlen(full) - 3;
	char *fits = mm_arena_printf(arena, "[\"/x\"%s,\"%s\"]", repeat(full, 3), letters(rest));
	assert_int_equal(strlen(fits), MM_VALUE_MAX);
	accepts(MM_SET_IN_PASSWORD_COMMAND, fits, fits);
	refuses(MM_SET_IN_PASSWORD_COMMAND,
	    mm_arena_printf(arena, "[\"/x\"%s,\"%s\"]", repeat(full, 3), letters(rest + 1)));
}

static void argv_round_trip(void **state)
{
	(void)state;
	const char *const argv[] = {"/usr/bin/pass", "show", "mail/`id` $(x) \"q\" \\ '", "", NULL};
	const char *const *again = NULL;
	size_t n = 0;
	struct mm_err err = MM_ERR_NONE;
	assert_int_equal(mm_argv_parse(mm_argv_text(argv, arena), arena, &again, &n, &err), 0);
	assert_int_equal(n, 4);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(again[i], argv[i]);
	assert_null(again[n]);
}

static void argv_text_takes_any_bytes(void **state)
{
	(void)state;
	const char *const argv[] = {"pass\x01", "\xff\xfe", NULL};
	assert_string_equal(mm_argv_text(argv, arena), "[\"pass?\",\"\xef\xbf\xbd\xef\xbf\xbd\"]");
	const char *const none[] = {NULL};
	assert_string_equal(mm_argv_text(none, arena), "[]");
}

static void equality(void **state)
{
	(void)state;
	assert_true(mm_setting_equal(MM_SET_IN_HOST, "IMAP.acme.example", "imap.ACME.example"));
	assert_true(mm_setting_equal(MM_SET_IN_HOST, "::1", "0:0:0:0:0:0:0:1"));
	assert_false(mm_setting_equal(MM_SET_IN_HOST, "imap.acme.example", "imap.acme.example:993"));
	assert_true(mm_setting_equal(MM_SET_IN_PORT, "0993", "993"));
	assert_false(mm_setting_equal(MM_SET_IN_PORT, "993", "143"));
	assert_true(mm_setting_equal(MM_SET_ADDRESS, "Alice@acme.example", "alice@Acme.example"));
	assert_false(mm_setting_equal(MM_SET_IN_USERNAME, "Alice", "alice"));
	assert_false(mm_setting_equal(MM_SET_REAL_NAME, "Alice", "alice"));
	assert_true(
	    mm_setting_equal(MM_SET_IN_PASSWORD_COMMAND, "[\"/bin/x\", \"y\"]", "[\"/bin/x\",\"y\"]"));
	assert_false(
	    mm_setting_equal(MM_SET_IN_PASSWORD_COMMAND, "[\"/bin/x\",\"Y\"]", "[\"/bin/x\",\"y\"]"));
	assert_true(mm_setting_equal(MM_SET_IN_SECURITY, "TLS", "tls"));
	/* What cannot be a value is still compared, as a client may hold it. */
	assert_true(mm_setting_equal(MM_SET_IN_PORT, "zero", "zero"));
	assert_false(mm_setting_equal(MM_SET_IN_PORT, "zero", "0"));
	assert_true(mm_setting_equal(MM_SET_IN_HOST, NULL, NULL));
	assert_false(mm_setting_equal(MM_SET_IN_HOST, NULL, ""));
	assert_false(mm_setting_equal(MM_SET_IN_HOST, "a", NULL));
}

static void as_good_as(void **state)
{
	(void)state;
	assert_true(mm_setting_satisfies(MM_SET_IN_TLS_MIN, "1.3", "1.2"));
	assert_true(mm_setting_satisfies(MM_SET_OUT_TLS_MIN, "1.2", "1.2"));
	assert_false(mm_setting_satisfies(MM_SET_IN_TLS_MIN, "1.2", "1.3"));
	assert_false(mm_setting_satisfies(MM_SET_IN_TLS_MIN, "1.30", "1.2"));
	assert_false(mm_setting_satisfies(MM_SET_IN_TLS_MIN, "2", "1.2"));
	assert_false(mm_setting_satisfies(MM_SET_IN_TLS_MIN, NULL, "1.2"));
	assert_false(mm_setting_satisfies(MM_SET_IN_PORT, "995", "993"));
	assert_true(mm_setting_satisfies(MM_SET_IN_AUTH, "plain", "password"));
	assert_true(mm_setting_satisfies(MM_SET_OUT_AUTH, "login", "password"));
	assert_false(mm_setting_satisfies(MM_SET_OUT_AUTH, "password", "plain"));
	assert_false(mm_setting_satisfies(MM_SET_OUT_AUTH, "cram-md5", "password"));
	assert_false(mm_setting_satisfies(MM_SET_OUT_AUTH, NULL, "password"));
	assert_true(mm_setting_satisfies(MM_SET_IN_HOST, "A.example", "a.example"));
}

static void usual_ports(void **state)
{
	(void)state;
	assert_int_equal(mm_default_port("imap", "tls"), 993);
	assert_int_equal(mm_default_port("imap", "starttls"), 143);
	assert_int_equal(mm_default_port("imap", "none"), 143);
	assert_int_equal(mm_default_port("pop3", "tls"), 995);
	assert_int_equal(mm_default_port("pop3", "starttls"), 110);
	assert_int_equal(mm_default_port("smtp", "tls"), 465);
	assert_int_equal(mm_default_port("smtp", "starttls"), 587);
	assert_int_equal(mm_default_port("smtp", "ssl"), 0);
	assert_int_equal(mm_default_port("nntp", "tls"), 0);
	assert_int_equal(mm_default_port(NULL, "tls"), 0);
	assert_int_equal(mm_default_port("imap", NULL), 0);
}

static void names(void **state)
{
	(void)state;
	assert_true(mm_is_account_name("work_1-a"));
	assert_true(mm_is_account_name(letters(32)));
	assert_false(mm_is_account_name(letters(33)));
	assert_false(mm_is_account_name(""));
	assert_false(mm_is_account_name(NULL));
	assert_false(mm_is_account_name("Work"));
	assert_false(mm_is_account_name("a.b"));
	assert_true(mm_is_login("alice.smith"));
	assert_true(mm_is_login("_svc"));
	assert_true(mm_is_login("alice@acme.example"));
	assert_true(mm_is_login(letters(255)));
	assert_false(mm_is_login(letters(256)));
	const char *const bad[] = {
	    "", "-rf", ".", "..", ".ssh", "a/b", "a b", "a\n", "z\xc3\xb6", "a:b", "a\\b", "*"};
	for (size_t i = 0; i < LEN(bad); i++)
		assert_false(mm_is_login(bad[i]));
	assert_false(mm_is_login(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(table_is_whole),
	    cmocka_unit_test(look_ups),
	    cmocka_unit_test(hosts),
	    cmocka_unit_test(host_with_port_says_so),
	    cmocka_unit_test(ports),
	    cmocka_unit_test(addresses),
	    cmocka_unit_test(texts),
	    cmocka_unit_test(words),
	    cmocka_unit_test(paths),
	    cmocka_unit_test(folders),
	    cmocka_unit_test(pins),
	    cmocka_unit_test(argument_vectors),
	    cmocka_unit_test(argument_vector_limits),
	    cmocka_unit_test(argv_round_trip),
	    cmocka_unit_test(argv_text_takes_any_bytes),
	    cmocka_unit_test(equality),
	    cmocka_unit_test(as_good_as),
	    cmocka_unit_test(usual_ports),
	    cmocka_unit_test(names),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
