/* known_hosts files as a source of pinned keys. */
#include "tests/lib/testutil.h"

#include <sys/wait.h>

#include "common/digest.h"
#include "common/mem.h"
#include "controller/push/knownhosts.h"
#include "controller/push/sshbuf.h"

struct seen {
	char found[2048], skipped[2048];
	int fail_after; /* found() fails after this many, 0 = never */
	int n;
};

static int found(void *ctx, size_t i, const struct mm_sshkey *key, int line, struct mm_err *err)
{
	struct seen *s = ctx;
	size_t n = strlen(s->found);
	if (s->fail_after > 0 && ++s->n >= s->fail_after)
		return mm_err_set(err, MM_EX_FAILED, "stop");
	(void)snprintf(
	    s->found + n, sizeof(s->found) - n, "%zu:%d:%c ", i, line, (char)key->blob[key->len - 1]);
	return 0;
}

static void skipped(void *ctx, int line, const char *why)
{
	struct seen *s = ctx;
	size_t n = strlen(s->skipped);
	(void)snprintf(s->skipped + n, sizeof(s->skipped) - n, "%d:%s|", line, why);
}

/* A key whose last byte tells which it is. */
static const char *key(struct mm_arena *a, char last)
{
	struct mm_buf b = MM_BUF_INIT(256), text = MM_BUF_INIT(512);
	char raw[32];
	memset(raw, 'k', sizeof(raw));
	raw[31] = last;
	mm_ssh_put_text(&b, "ssh-ed25519");
	mm_ssh_put_string(&b, raw, sizeof(raw));
	mm_buf_adds(&text, "ssh-ed25519 ");
	mm_base64(b.data, b.len, &text);
	const char *out = mm_arena_strdup(a, mm_buf_str(&text));
	mm_buf_free(&b);
	mm_buf_free(&text);
	return out;
}

static const char *hashed(struct mm_arena *a, const char *name)
{
	unsigned char salt[MM_SHA1_LEN] = "abcdefghijklmnopqrs", hash[MM_SHA1_LEN];
	struct mm_buf b = MM_BUF_INIT(256);
	mm_hmac_sha1(salt, sizeof(salt), name, strlen(name), hash);
	mm_buf_adds(&b, "|1|");
	mm_base64(salt, sizeof(salt), &b);
	mm_buf_addc(&b, '|');
	mm_base64(hash, sizeof(hash), &b);
	const char *out = mm_arena_strdup(a, mm_buf_str(&b));
	mm_buf_free(&b);
	return out;
}

static const struct mm_known_host hosts[] = {
    {"ws1", "ws1.acme.example", 22}, {"ws2", "", 22}, {"ws3", "192.0.2.3", 2222}, {"ws4", "2001:db8::4", 22}};

static void read_text(const char *text, struct seen *s, struct mm_known_stats *stats)
{
	static const struct mm_known_ops ops = {.found = found, .skipped = skipped};
	struct mm_err err = MM_ERR_NONE;
	*s = (struct seen){.n = 0};
	assert_int_equal(mm_knownhosts_read(text, strlen(text), hosts, 4, &ops, s, stats, &err), 0);
}

static void test_plain_names(void **state)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_known_stats st;
	struct seen s;
	(void)state;
	read_text(mm_arena_printf(a,
		      "# a comment\n\nws1.acme.example,10.0.0.1 %s comment\r\nWS2 %s\n[192.0.2.3]:2222 %s\n"
		      "2001:db8::4 %s\n192.0.2.3 %s\nother %s\n",
		      key(a, 'a'), key(a, 'b'), key(a, 'c'), key(a, 'd'), key(a, 'e'), key(a, 'f')),
	    &s, &st);
	/* Port 2222 is not port 22; the id is a name, too. */
	assert_string_equal(s.found, "0:3:a 1:4:b 2:5:c 3:6:d ");
	assert_int_equal(st.unknown, 2);
	assert_int_equal(st.used, 4);
	assert_string_equal(s.skipped, "");
	mm_arena_free(a);
}

static void test_hashed_names(void **state)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_known_stats st;
	struct seen s;
	(void)state;
	read_text(mm_arena_printf(a, "%s %s\n%s %s\n%s %s\n|1|short|x %s\n", hashed(a, "ws1"), key(a, 'a'),
		      hashed(a, "[192.0.2.3]:2222"), key(a, 'b'), hashed(a, "ws9"), key(a, 'c'), key(a, 'd')),
	    &s, &st);
	assert_string_equal(s.found, "0:1:a 2:2:b ");
	assert_int_equal(st.unknown, 1);
	assert_int_equal(st.bad, 1);
	mm_arena_free(a);
}

/* OpenSSH's own hash of a name: `ssh-keygen -H` over "ws1 ssh-ed25519 ...". */
static void test_hash_of_openssh(void **state)
{
	struct mm_arena *a = mm_arena_new();
	const struct mm_test_dir dir = mm_test_mkdir();
	const char *path = mm_test_path(&dir, "known");
	(void)state;
	struct mm_known_stats st;
	struct seen s;
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	fprintf(f, "ws1 %s\n", key(a, 'z'));
	fclose(f);
	pid_t p = fork();
	if (p == 0) {
		(void)!freopen("/dev/null", "w", stdout);
		(void)!freopen("/dev/null", "w", stderr);
		execl("/usr/bin/ssh-keygen", "ssh-keygen", "-Hf", path, (char *)NULL);
		_exit(127);
	}
	int status;
	assert_int_equal(waitpid(p, &status, 0), p);
	assert_int_equal(status, 0);
	char text[4096] = "";
	f = fopen(path, "re");
	assert_non_null(f);
	assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
	fclose(f);
	assert_memory_equal(text, "|1|", 3);
	read_text(text, &s, &st);
	assert_string_equal(s.found, "0:1:z ");
	mm_arena_free(a);
	mm_test_rmdir(&dir);
}

static void test_revoked_is_refused_wherever_it_stands(void **state)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_known_stats st;
	struct seen s;
	(void)state;
	read_text(
	    mm_arena_printf(a, "ws1 %s\nws2 %s\n@revoked * %s\n", key(a, 'a'), key(a, 'b'), key(a, 'a')), &s,
	    &st);
	assert_string_equal(s.found, "1:2:b ");
	assert_int_equal(st.revoked, 2);
	assert_non_null(strstr(s.skipped, "1:this key is marked @revoked"));
	mm_arena_free(a);
}

static void test_what_cannot_be_pinned(void **state)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_known_stats st;
	struct seen s;
	(void)state;
	read_text(mm_arena_printf(a,
		      "@cert-authority ws1 %s\n*.acme.example %s\n!ws1,ws2 %s\nws?,ws2 %s\n@strange ws1 %s\n",
		      key(a, 'a'), key(a, 'b'), key(a, 'c'), key(a, 'd'), key(a, 'e')),
	    &s, &st);
	assert_string_equal(s.found, "1:4:d "); /* a plain name beside a wildcard is used */
	assert_int_equal(st.unusable, 3);
	assert_int_equal(st.bad, 1);
	mm_arena_free(a);
}

static void test_a_bad_line_costs_itself(void **state)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_known_stats st;
	struct seen s;
	char *huge = mm_xcalloc(MM_KNOWNHOSTS_LINE + 2, 1);
	(void)state;
	memset(huge, 'x', MM_KNOWNHOSTS_LINE);
	read_text(
	    mm_arena_printf(a, "ws1\nws1 ssh-ed25519\nws1 ssh-ed25519 ????\nws1 ssh-dss AAAA\n%s\nws1 %s",
		huge, key(a, 'a')),
	    &s, &st);
	assert_string_equal(s.found, "0:6:a ");
	assert_int_equal(st.bad, 5);
	free(huge);
	mm_arena_free(a);
}

static void test_nul_in_a_line(void **state)
{
	struct mm_arena *a = mm_arena_new();
	static const struct mm_known_ops ops = {.found = found, .skipped = skipped};
	struct mm_known_stats st;
	struct seen s = {.n = 0};
	char text[512];
	(void)state;
	int n = snprintf(text, sizeof(text), "ws1 %s\nws2 %s\n", key(a, 'a'), key(a, 'b'));
	text[1] = '\0';
	assert_int_equal(mm_knownhosts_read(text, (size_t)n, hosts, 4, &ops, &s, &st, NULL), 0);
	assert_string_equal(s.found, "1:2:b ");
	assert_int_equal(st.bad, 1);
	mm_arena_free(a);
}

static void test_found_may_stop(void **state)
{
	struct mm_arena *a = mm_arena_new();
	static const struct mm_known_ops ops = {.found = found, .skipped = skipped};
	struct seen s = {.fail_after = 2};
	struct mm_err err = MM_ERR_NONE;
	(void)state;
	char *text = mm_arena_printf(a, "ws1 %s\nws2 %s\nws1 %s\n", key(a, 'a'), key(a, 'b'), key(a, 'c'));
	assert_int_equal(mm_knownhosts_read(text, strlen(text), hosts, 4, &ops, &s, NULL, &err), -1);
	assert_string_equal(err.text, "stop");
	assert_string_equal(s.found, "0:1:a ");
	mm_arena_free(a);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    MM_TEST(test_plain_names),
	    MM_TEST(test_hashed_names),
	    MM_TEST(test_hash_of_openssh),
	    MM_TEST(test_revoked_is_refused_wherever_it_stands),
	    MM_TEST(test_what_cannot_be_pinned),
	    MM_TEST(test_a_bad_line_costs_itself),
	    MM_TEST(test_nul_in_a_line),
	    MM_TEST(test_found_may_stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
