/* What enrolment runs on a host: data stays data. And changes of many hosts,
 * grouped. */
#include "tests/lib/testutil.h"

#include <sys/wait.h>

#include "common/mem.h"
#include "controller/enroll_script.h"
#include "controller/push_changes.h"

#define HOSTILE "x'; touch /tmp/pwned; echo $(id) `id` \"\\"

static const char *const domains[] = {"acme.example", HOSTILE, NULL};
static const char *const programs[] = {"/usr/bin/pass", NULL};
static const char *const none[] = {NULL};

static struct mm_enrolment usual(void)
{
	return (struct mm_enrolment){.host = "ws1",
	    .account = "root",
	    .agent = "/usr/bin/mailmuster-agent",
	    .config = "/etc/mailmuster/agent.conf",
	    .signing_key = "-----BEGIN\nx\n",
	    .ssh_key = "ssh-ed25519 AAAA c",
	    .domains = domains,
	    .programs = programs};
}

/* Run sh over a text; its standard output. */
static int run_sh(const char *option, const struct mm_buf *script, char *out, size_t size)
{
	int in[2], from[2], status;
	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(from), 0);
	pid_t p = fork();
	if (p == 0) {
		dup2(in[0], 0);
		dup2(from[1], 1);
		close(in[1]);
		close(from[0]);
		execl("/bin/sh", "sh", option, "-s", (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(from[1]);
	assert_int_equal(write(in[1], script->data, script->len), (ssize_t)script->len);
	close(in[1]);
	ssize_t n = read(from[0], out, size - 1);
	out[n > 0 ? n : 0] = '\0';
	close(from[0]);
	assert_int_equal(waitpid(p, &status, 0), p);
	return WEXITSTATUS(status);
}

static void test_quoting(void **state)
{
	static const char *const texts[] = {"", "a", HOSTILE, "'", "''", "a'b\nc", "$x", "-n"};
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct mm_buf b = MM_BUF_INIT(4096);
		char out[256];
		mm_buf_adds(&b, "printf %s ");
		mm_sh_quote(texts[i], &b);
		mm_buf_addc(&b, '\n');
		assert_int_equal(run_sh("-u", &b, out, sizeof(out)), 0);
		assert_string_equal(out, texts[i]);
		mm_buf_free(&b);
	}
}

static void test_conf_escapes(void **state)
{
	struct mm_enrolment e = usual();
	struct mm_buf b = MM_BUF_INIT(65536);
	(void)state;
	mm_enroll_conf(&e, &b);
	assert_non_null(strstr(mm_buf_str(&b), "host = \"ws1\";\n"));
	assert_non_null(strstr(mm_buf_str(&b), "keys = [ \"-----BEGIN\\nx\\n\" ];"));
	assert_non_null(strstr(mm_buf_str(&b), "echo $(id) `id` \\\"\\\\\" ];"));
	assert_null(strstr(mm_buf_str(&b), "clients"));
	mm_buf_reset(&b);
	e.clients = none;
	mm_enroll_conf(&e, &b);
	assert_non_null(strstr(mm_buf_str(&b), "clients = [  ];"));
	mm_buf_free(&b);
}

static void test_script_is_a_script(void **state)
{
	char bytes[] = "!<arch>\n\0\1\2";
	const struct mm_buf deb = {.data = bytes, .len = sizeof(bytes)};
	static const char *const accounts[] = {"root", "mailmuster"};
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct mm_enrolment e = usual();
		struct mm_buf b = MM_BUF_INIT(1024 * 1024);
		char out[64];
		e.account = accounts[i % 2];
		e.deb = i < 2 ? NULL : &deb;
		e.ssh_key = HOSTILE;
		mm_enroll_script(&e, &b);
		assert_true(mm_buf_ok(&b));
		/* It parses, and nothing of the data stands outside of quotes. */
		assert_int_equal(run_sh("-n", &b, out, sizeof(out)), 0);
		assert_null(strstr(mm_buf_str(&b), "\nx'; touch"));
		assert_int_equal(strstr(mm_buf_str(&b), "NOPASSWD") != NULL, i % 2 == 1);
		assert_int_equal(strstr(mm_buf_str(&b), "dpkg") != NULL, e.deb != NULL);
		mm_buf_free(&b);
	}
}

/* ---- grouped changes */

static struct mm_finding would(const char *user, const char *setting, const char *found, const char *desired)
{
	return (struct mm_finding){.user = user,
	    .client = "mutt",
	    .path = "/x",
	    .account = "work",
	    .setting = setting,
	    .found = found,
	    .desired = desired,
	    .state = MM_ST_PENDING,
	    .action = MM_ACT_WOULD_CHANGE,
	    .reason = ""};
}

static void test_changes_are_grouped(void **state)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_changes *c = mm_changes_new(a);
	size_t n;
	(void)state;
	struct mm_finding f[] = {would("u1", "incoming.port", "143", "993"),
	    would("u2", "incoming.port", "143", "993"), would("u1", "incoming.port", "110", "993"),
	    would("u1", "incoming.username", "a", "u1@x"), would("u2", "incoming.username", "a", "u2@x"),
	    would("u3", "incoming.username", NULL, "u3@x"), would("u1", "incoming.host", "old1", "new"),
	    would("u2", "incoming.host", "old2", "new")};
	for (size_t i = 0; i < sizeof(f) / sizeof(*f); i++)
		mm_changes_add(c, i < 2 ? "h1" : "h2", &f[i]);
	const struct mm_change *const *list = mm_changes_sorted(c, &n);
	assert_int_equal(n, 5);
	/* Each user's own values are one group, and say so. */
	assert_string_equal(list[0]->setting, "incoming.username");
	assert_int_equal(list[0]->count, 3);
	assert_true(list[0]->desired_differs && list[0]->found_differs);
	/* The same change twice, on one host. */
	assert_string_equal(list[1]->setting, "incoming.port");
	assert_int_equal(list[1]->count, 2);
	assert_int_equal(list[1]->hosts, 1);
	assert_false(list[1]->desired_differs || list[1]->found_differs);
	assert_string_equal(list[1]->first->next->user, "u2");
	/* Servers are told apart. */
	assert_int_equal(list[2]->count + list[3]->count + list[4]->count, 3);
	struct mm_changes_sum sum = mm_changes_sum(c);
	assert_int_equal(sum.changes, 8);
	assert_int_equal(sum.users, 3);
	assert_int_equal(sum.hosts, 2);
	assert_int_equal(sum.removals, 0);
	assert_non_null(sum.clients[0]);
	assert_null(sum.clients[1]);
	mm_changes_free(c);
	mm_arena_free(a);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    MM_TEST(test_quoting),
	    MM_TEST(test_conf_escapes),
	    MM_TEST(test_script_is_a_script),
	    MM_TEST(test_changes_are_grouped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
