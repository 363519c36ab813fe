#include "agent/probe/redact.h"

#include "agent/probe/trace.h"
#include "common/digest.h"
#include "tests/lib/testutil.h"

static bool reveals(const char *text, const char *secret)
{
	return mm_reveals(text, strlen(text), secret, strlen(secret));
}

static void redacted(const char *text, const char *secret, char *out, size_t size)
{
	struct mm_buf b = MM_BUF_INIT(8192);
	struct mm_secret *s = secret != NULL ? mm_secret_new() : NULL;
	if (s != NULL)
		assert_int_equal(mm_secret_set(s, secret, strlen(secret), NULL), 0);
	mm_redact(&b, text, strlen(text), s);
	assert_true(mm_buf_ok(&b));
	snprintf(out, size, "%s", mm_buf_str(&b));
	mm_buf_free(&b);
	mm_secret_free(s);
}

static void test_plain(void **state)
{
	(void)state;
	assert_true(reveals("-ERR wrong: hunter2", "hunter2"));
	assert_true(reveals("-ERR wrong: HUNTER2", "hunter2"));
	assert_true(reveals("NO LOGIN \"a\" \"with \\\"quotes\\\"\"", "with \"quotes\""));
	assert_false(reveals("-ERR wrong password", "hunter2"));
	assert_false(reveals("", "hunter2"));
	assert_false(reveals("anything", ""));
}

static void test_cut_short(void **state)
{
	(void)state;
	assert_true(reveals("NO LOGIN alice correct-ho...", "correct-horse-ba"));
	assert_true(reveals("...horse-ba", "correct-horse-ba"));
	assert_false(reveals("correct", "correct-horse-ba"));
	/* half of a short one is an ordinary word */
	assert_false(reveals("Authentication failed", "fail7xy"));
}

/* As in AUTH PLAIN, whole, from the middle, or without its end. */
static void test_base64(void **state)
{
	(void)state;
	static const char plain[] = "\0alice\0correct-horse-ba";
	struct mm_buf b = MM_BUF_INIT(256);
	mm_base64(plain, sizeof(plain) - 1, &b);
	char text[512];
	snprintf(text, sizeof(text), "500 unknown command AUTH PLAIN %s!", mm_buf_str(&b));
	assert_true(reveals(text, "correct-horse-ba"));
	for (size_t skip = 0; skip < 8; skip++) {
		snprintf(text, sizeof(text), "500 %s", mm_buf_str(&b) + skip);
		assert_true(reveals(text, "correct-horse-ba"));
	}
	snprintf(text, sizeof(text), "500 %.24s", mm_buf_str(&b));
	assert_true(reveals(text, "correct-horse-ba"));
	mm_buf_free(&b);
	assert_false(reveals("NO [AUTHENTICATIONFAILED] Authentication failed.", "correct-horse-ba"));
}

static void test_withheld_as_a_whole(void **state)
{
	(void)state;
	char out[1024];
	redacted("-ERR no such password: hunter2 for alice", "hunter2", out, sizeof(out));
	assert_string_equal(out, MM_REDACT_WITHHELD);
	redacted("-ERR no", "hunter2", out, sizeof(out));
	assert_string_equal(out, "-ERR no");
}

static void test_echoed_commands(void **state)
{
	(void)state;
	static const struct {
		const char *in, *out;
	} rows[] = {
	    {"500 what is AUTH PLAIN AGEAYg==", "500 what is AUTH PLAIN ***"},
	    {"BAD A1 AUTHENTICATE PLAIN AGEAYg== x", "BAD A1 AUTHENTICATE PLAIN ***"},
	    {"-ERR PASS s3cret word", "-ERR PASS ***"},
	    {"BAD A1 LOGIN alice s3cret", "BAD A1 LOGIN alice ***"},
	    {"A1 NO LOGIN failed.", "A1 NO LOGIN failed."},
	    {"535 5.7.8 Error: authentication failed", "535 5.7.8 Error: authentication failed"},
	};
	char out[1024];
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		redacted(rows[i].in, NULL, out, sizeof(out));
		assert_string_equal(out, rows[i].out);
	}
}

static void test_printable_and_short(void **state)
{
	(void)state;
	char out[1024], text[4000];
	redacted("a\033[2Jb", NULL, out, sizeof(out));
	assert_null(strchr(out, '\033'));
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	redacted(text, NULL, out, sizeof(out));
	assert_int_equal(strlen(out), MM_REDACT_MAX);
	for (size_t i = 0; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xbc", 2);
	text[0] = 'x'; /* so that the limit falls into a character */
	memmove(text + 1, text + 2, sizeof(text) - 2);
	redacted(text, NULL, out, sizeof(out));
	assert_int_equal(strlen(out), MM_REDACT_MAX - 1);
}

static void command(const char *line, bool login, const char *secret, const char *want)
{
	struct mm_buf b = MM_BUF_INIT(8192);
	struct mm_secret *s = mm_secret_new();
	assert_int_equal(mm_secret_set(s, secret, strlen(secret), NULL), 0);
	mm_redact_command(&b, line, strlen(line), login, s);
	assert_string_equal(mm_buf_str(&b), want);
	mm_buf_free(&b);
	mm_secret_free(s);
}

static void test_command(void **state)
{
	(void)state;
	command("A1 CAPABILITY", false, "hunter2", "A1 CAPABILITY");
	command("A2 LOGIN alice hunter2", true, "hunter2", "A2 LOGIN alice ***");
	command("A2 LOGIN \"al ice\" \"hun ter2\"", true, "hun ter2", "A2 LOGIN \"al ***");
	command("A2 AUTHENTICATE PLAIN AGFsaWNlAGh1bnRlcjI=", true, "hunter2", "A2 AUTHENTICATE PLAIN ***");
	command("A2 AUTHENTICATE PLAIN", true, "hunter2", "A2 AUTHENTICATE PLAIN");
	command("AUTH PLAIN AGFsaWNlAGh1bnRlcjI=", true, "hunter2", "AUTH PLAIN ***");
	command("PASS hunter2", true, "hunter2", "PASS ***");
	command("USER hunter2", false, "hunter2", "USER ***");
	command("XMAGIC hunter2", true, "other", "XMAGIC ***");
	command("AGFsaWNlAGh1bnRlcjI=", false, "hunter2", "***");
	command("MAIL FROM:<alice@acme.example>", false, "hunter2", "MAIL FROM:<alice@acme.example>");
	command("MAIL FROM:<hunter2@acme.example>", false, "hunter2", "MAIL ***");
}

struct seen {
	char text[4096];
};

static void look_on(void *ctx, enum mm_said who, const char *text)
{
	struct seen *s = ctx;
	size_t n = strlen(s->text);
	snprintf(s->text + n, sizeof(s->text) - n, "%c%s|", "<>*"[who], text);
}

static void test_trace(void **state)
{
	(void)state;
	struct seen seen = {.text = ""};
	const struct mm_trace t = {look_on, &seen};
	struct mm_secret *s = mm_secret_new();
	assert_int_equal(mm_secret_set(s, "hunter2", 7, NULL), 0);
	const char hello[] = "220-hello\r\n220 \033[2Jworld\r\n", echo[] = "500 AUTH LOGIN hunter2\r\n";
	mm_trace_server(&t, hello, strlen(hello), s);
	mm_trace_client(&t, "AUTH LOGIN\r\n", 12, MM_VEIL_BEGINS, s);
	mm_trace_server(&t, "334 VXNlcm5hbWU6\r\n", 18, s);
	mm_trace_client(&t, "YWxpY2U=\r\n", 10, MM_VEIL_INSIDE, s);
	mm_trace_server(&t, echo, strlen(echo), s);
	mm_trace_client(&t, "QUIT\r\n", 6, MM_VEIL_OPEN, s);
	mm_trace_note(&t, "%s\n", "TLSv1.3");
	assert_string_equal(seen.text,
	    "<220-hello|<220 \\x1b[2Jworld|>AUTH LOGIN|<334 VXNlcm5hbWU6|>***|<" MM_REDACT_WITHHELD
	    "|>QUIT|*TLSv1.3\\x0a|");
	mm_trace_server(NULL, hello, strlen(hello), s);
	mm_trace_client(NULL, hello, strlen(hello), MM_VEIL_OPEN, s);
	mm_trace_note(NULL, "nobody");
	mm_secret_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    MM_TEST(test_plain),
	    MM_TEST(test_cut_short),
	    MM_TEST(test_base64),
	    MM_TEST(test_withheld_as_a_whole),
	    MM_TEST(test_echoed_commands),
	    MM_TEST(test_printable_and_short),
	    MM_TEST(test_command),
	    MM_TEST(test_trace),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
