/* What a person reads, and how a command line becomes tasks. */
#include "agent/probe/show.h"

#include "agent/probe/hand.h"
#include "tests/lib/testutil.h"

static const struct mm_step steps[] = {
    {MM_RUNG_SETTINGS, MM_STEP_HELD, -1, "IMAP, port 993, TLS"},
    {MM_RUNG_DNS, MM_STEP_HELD, 2, "192.0.2.1"},
    {MM_RUNG_GREETING, MM_STEP_HELD, 7, "* OK [CAPABILITY IMAP4rev1 IDLE] Dovecot ready."},
    {MM_RUNG_LOGIN, MM_STEP_FAILED, 2004, ""},
    {MM_RUNG_MAILBOX, MM_STEP_UNTESTED, -1, ""},
    {MM_RUNG_SENDER, MM_STEP_UNTESTED, -1, NULL},
};
static const struct mm_note notes[] = {{"CERT_EXPIRES_SOON", "", "It expires in 9 days."}};

static struct mm_login sample(void)
{
	struct mm_login l = {.protocol = "imap",
	    .host = "imap.acme.example",
	    .port = 993,
	    .security = "tls",
	    .username = "alice\033[2J",
	    .level = MM_LEVEL_LOGIN,
	    .result = MM_LOGIN_FAILED,
	    .cls = "AUTH_REJECTED",
	    .text = "User name or password not accepted.",
	    .admin = "The server refused the login by PLAIN, and says no more than that, which is usual.",
	    .server_text = "NO [AUTHENTICATIONFAILED] \033]0;x\007"};
	l.ladder.steps = steps;
	l.ladder.n_steps = 6;
	l.ladder.notes = notes;
	l.ladder.n_notes = 1;
	l.ladder.fix = "Enter the password again.";
	return l;
}

static void shows(const struct mm_login *l, struct mm_style style, const char *want)
{
	struct mm_buf b = MM_BUF_INIT(65536);
	mm_show_login(l, &style, &b);
	assert_true(mm_buf_ok(&b));
	assert_string_equal(mm_buf_str(&b), want);
	mm_buf_free(&b);
}

static void test_ascii(void **state)
{
	(void)state;
	struct mm_login l = sample();
	shows(&l, (struct mm_style){.width = 60},
	    "IMAP alice\\x1b[2J at imap.acme.example port 993, TLS\n"
	    "  + settings              IMAP, port 993, TLS\n"
	    "  + dns             2 ms  192.0.2.1\n"
	    "  + greeting        7 ms  * OK Dovecot ready.\n"
	    "  x login        2004 ms\n"
	    "  - not tested: mailbox, sender\n"
	    "  FAILED  AUTH_REJECTED\n"
	    "      user     User name or password not accepted.\n"
	    "      admin    The server refused the login by PLAIN, and\n"
	    "               says no more than that, which is usual.\n"
	    "      fix      Enter the password again.\n"
	    "      server   NO [AUTHENTICATIONFAILED] \\x1b]0;x\\x07\n"
	    "  ! CERT_EXPIRES_SOON\n"
	    "      admin    It expires in 9 days.\n");
}

/* The step says it, and the facts hold it for machines. */
static void test_quota_once(void **state)
{
	(void)state;
	static const struct mm_step step = {
	    MM_RUNG_MAILBOX, MM_STEP_HELD, 5, "2 messages, 7 of 300 KiB used"};
	struct mm_login l = sample();
	l.result = MM_LOGIN_PASSED;
	l.server_text = NULL;
	l.ladder.steps = &step;
	l.ladder.n_steps = 1;
	l.ladder.n_notes = 0;
	l.ladder.mailbox = (struct mm_mailbox_facts){true, true, 2, 7, 300};
	shows(&l, (struct mm_style){.width = 0},
	    "IMAP alice\\x1b[2J at imap.acme.example port 993, TLS\n"
	    "  + mailbox         5 ms  2 messages, 7 of 300 KiB used\n"
	    "  PASSED  login\n");
}

static void test_passed(void **state)
{
	(void)state;
	struct mm_login l = sample();
	l.result = MM_LOGIN_PASSED;
	l.username = "";
	l.ladder.n_steps = 1;
	l.ladder.n_notes = 0;
	shows(&l, (struct mm_style){.utf8 = true},
	    "IMAP imap.acme.example port 993, TLS\n"
	    "  \u2713 settings              IMAP, port 993, TLS\n"
	    "  PASSED  login\n");
	l.result = MM_LOGIN_UNTESTED;
	l.cls = "NO_SECRET";
	l.text = "There is no password.";
	l.admin = l.server_text = NULL;
	l.ladder.fix = "";
	shows(&l, (struct mm_style){.colour = true},
	    "\033[1mIMAP imap.acme.example port 993, TLS\033[0m\n"
	    "  \033[32m+\033[0m settings              IMAP, port 993, TLS\n"
	    "  \033[33mUNTESTED\033[0m  NO_SECRET\n"
	    "      \033[2muser\033[0m     There is no password.\n");
}

/* No line is wider than the terminal, whatever a server says in words of usual length. */
static void test_width(void **state)
{
	(void)state;
	struct mm_login l = sample();
	char words[600];
	for (size_t i = 0; i < sizeof(words) - 1; i++)
		words[i] = i % 7 == 6 ? ' ' : 'x';
	words[sizeof(words) - 1] = '\0';
	l.server_text = l.text = words;
	struct mm_step st = {MM_RUNG_TLS, MM_STEP_HELD, 9, words};
	l.ladder.steps = &st;
	l.ladder.n_steps = 1;
	l.tls.subject = l.tls.san = l.tls.issuer = words;
	for (size_t width = 40; width < 130; width += 11) {
		struct mm_buf b = MM_BUF_INIT(65536);
		mm_show_login(&l, &(struct mm_style){.width = width, .verbose = true}, &b);
		for (const char *s = mm_buf_str(&b); *s != '\0';) {
			size_t n = strcspn(s, "\n");
			assert_true(n <= width || n < 60);
			s += n + 1;
		}
		mm_buf_free(&b);
	}
}

static void summary(size_t passed, size_t failed, size_t untested, const char *want)
{
	struct mm_buf b = MM_BUF_INIT(256);
	mm_show_summary(passed, failed, untested, &(struct mm_style){.width = 80}, &b);
	assert_string_equal(mm_buf_str(&b), want);
	mm_buf_free(&b);
}

static void test_summary(void **state)
{
	(void)state;
	summary(1, 0, 0, "");
	summary(0, 1, 0, "");
	summary(2, 0, 0, "2 of 2 passed\n");
	summary(2, 1, 3, "2 of 6 passed, 1 failed, 3 not tested\n");
}

/* ---- command lines */

static void words(const char *line, const char *const *want)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_err err = MM_ERR_NONE;
	const char *const *got;
	int rc = mm_hand_words(line, a, &got, &err);
	assert_int_equal(rc, want != NULL ? 0 : -1);
	if (want == NULL)
		assert_int_equal(err.code, MM_EX_USAGE);
	for (size_t i = 0; want != NULL && (want[i] != NULL || got[i] != NULL); i++)
		assert_string_equal(got[i], want[i]);
	mm_arena_free(a);
}

static void test_words(void **state)
{
	(void)state;
	words("pass show  mail/alice ", (const char *const[]){"pass", "show", "mail/alice", NULL});
	words("a 'b c' \"d $e\"f \\' ''", (const char *const[]){"a", "b c", "d $ef", "'", "", NULL});
	words("a `id` $(id) ; x | y", (const char *const[]){"a", "`id`", "$(id)", ";", "x", "|", "y", NULL});
	words("a 'b\\' c\\", (const char *const[]){"a", "b\\", "c\\", NULL});
	words("", NULL);
	words("   ", NULL);
	words("a 'b", NULL);
	words("a \"b", NULL);
	char many[200];
	memset(many, ' ', sizeof(many));
	for (size_t i = 0; i < sizeof(many); i += 2)
		many[i] = 'x';
	many[sizeof(many) - 1] = '\0';
	words(many, NULL);
}

static struct mm_probe_task task_of(const char *protocol, const char *user, const char *host)
{
	struct mm_probe_task t = mm_probe_task_none;
	t.protocol = protocol;
	t.username = user;
	t.host = host;
	return t;
}

static bool same(const char *user, const char *host, const char *user2, const char *host2)
{
	struct mm_probe_task a = task_of("imap", user, host), b = task_of("smtp", user2, host2);
	assert_int_equal(mm_hand_same_account(&a, &b), mm_hand_same_account(&b, &a));
	return mm_hand_same_account(&a, &b);
}

static void test_same_account(void **state)
{
	(void)state;
	assert_true(same("alice", "imap.acme.example", "alice", "smtp.acme.example"));
	assert_true(same("alice", "IMAP.acme.example", "alice", "smtp.ACME.example"));
	assert_true(same("alice", "acme.example", "alice", "acme.example"));
	assert_true(same("a@acme.example", "mx1.acme.example", "a@acme.example", "out.other.example"));
	assert_false(same("alice", "imap.acme.example", "bob", "smtp.acme.example"));
	assert_false(same("alice", "imap.acme.example", "alice", "smtp.other.example"));
	assert_false(same("alice", "acme.example", "alice", "other.example"));
	assert_false(same("alice", "a.acme.example", "alice", "b.acme.example"));
	assert_false(same("alice", "imap.example", "alice", "smtp.example"));
	assert_false(same(NULL, "acme.example", NULL, "acme.example"));
}

static int code_of(const struct mm_hand_opts *o, char *const *urls, size_t n)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_err err = MM_ERR_NONE;
	struct mm_input in;
	int rc = mm_hand_tasks(urls, n, o, a, &in, &err);
	if (rc == 0)
		mm_input_free(&in);
	mm_arena_free(a);
	return rc == 0 ? 0 : err.code;
}

static int one(struct mm_hand_opts o, const char *url)
{
	char copy[256];
	char *urls[] = {copy};
	snprintf(copy, sizeof(copy), "%s", url);
	return code_of(&o, urls, 1);
}

static void test_usage(void **state)
{
	(void)state;
	assert_int_equal(one((struct mm_hand_opts){.password_fd = -1}, "imaps://h.example"), 0);
	assert_int_equal(one((struct mm_hand_opts){.password_fd = -1}, "nonsense"), MM_EX_USAGE);
	assert_int_equal(
	    one((struct mm_hand_opts){.password_fd = -1, .ehlo = "a b"}, "imaps://h.example"), MM_EX_USAGE);
	assert_int_equal(
	    one((struct mm_hand_opts){.password_fd = -1, .address = "alice"}, "imaps://h.example"),
	    MM_EX_USAGE);
	assert_int_equal(
	    one((struct mm_hand_opts){.password_fd = 5, .password_command = "x"}, "imaps://a@h.example"),
	    MM_EX_USAGE);
	assert_int_equal(
	    one((struct mm_hand_opts){.password_fd = -1, .security = "none"}, "imap://a@h.example"),
	    MM_EX_USAGE);
	assert_int_equal(
	    one((struct mm_hand_opts){.password_fd = -1, .security = "none"}, "imap://h.example"), 0);
	assert_int_equal(
	    one((struct mm_hand_opts){.password_fd = -1, .round_trip = true}, "imaps://a@h.example"),
	    MM_EX_USAGE);
	assert_int_equal(
	    one((struct mm_hand_opts){.password_fd = -1, .round_trip = true}, "smtps://a@h.example"),
	    MM_EX_USAGE);
	assert_int_equal(
	    one((struct mm_hand_opts){.password_fd = -1, .password_command = "no-such-program-x"},
		"imaps://a@h.example"),
	    MM_EX_FAILED);
	assert_int_equal(
	    one((struct mm_hand_opts){.password_fd = -1, .password_command = "false"}, "imaps://a@h.example"),
	    MM_EX_FAILED);
	assert_int_equal(
	    one((struct mm_hand_opts){.password_fd = -1, .client_cert = "/dev/null"}, "imaps://h.example"),
	    MM_EX_FAILED);
	const char *bad[] = {"a b"};
	assert_int_equal(
	    one((struct mm_hand_opts){.password_fd = -1, .known = {bad, 1}}, "imaps://h.example"),
	    MM_EX_USAGE);
	const char *many[80];
	for (size_t i = 0; i < 80; i++)
		many[i] = "imap.acme.example";
	assert_int_equal(
	    one((struct mm_hand_opts){.password_fd = -1, .known = {many, 80}}, "imaps://h.example"),
	    MM_EX_USAGE);
}

static void test_pairs(void **state)
{
	(void)state;
	char imap[] = "imaps://alice@imap.acme.example", pop[] = "pop3s://alice@pop.acme.example",
	     smtp[] = "smtps://alice@smtp.acme.example", other[] = "imaps://bob@imap.acme.example";
	char *urls[] = {other, pop, imap, smtp};
	const char *known[] = {"imap.acme.example", "smtp://smtp.acme.example:587"};
	const struct mm_hand_opts o = {.password_fd = -1,
	    .round_trip = true,
	    .address = "alice@acme.example",
	    .password_command = "echo hunter2",
	    .known = {known, 2}};
	struct mm_arena *a = mm_arena_new();
	struct mm_err err = MM_ERR_NONE;
	struct mm_input in;
	assert_int_equal(mm_hand_tasks(urls, 4, &o, a, &in, &err), 0);
	assert_int_equal(in.tasks[3].level, MM_LEVEL_ROUNDTRIP);
	assert_int_equal(in.tasks[3].retrieve, in.tasks[2].id);
	assert_string_equal(in.tasks[3].sender, "alice@acme.example");
	assert_null(in.tasks[2].sender);
	assert_int_equal(in.tasks[2].level, MM_LEVEL_LOGIN);
	assert_int_equal(in.n_secrets, 1);
	assert_string_equal(mm_secret_bytes(mm_input_secret(&in, &in.tasks[1])), "hunter2");
	assert_int_equal(in.uses[0], 4);
	/* the bare host on the usual ports of the task's protocol, and the address as it stands */
	assert_int_equal(in.tasks[2].n_known, 3);
	assert_int_equal(in.tasks[2].known[0].port, 993);
	assert_string_equal(in.tasks[2].known[2].host, "smtp.acme.example");
	mm_input_free(&in);
	mm_arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    MM_TEST(test_ascii),
	    MM_TEST(test_quota_once),
	    MM_TEST(test_passed),
	    MM_TEST(test_width),
	    MM_TEST(test_summary),
	    MM_TEST(test_words),
	    MM_TEST(test_same_account),
	    MM_TEST(test_usage),
	    MM_TEST(test_pairs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
