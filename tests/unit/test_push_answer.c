/* An answer while it arrives; what a host offers; how a host's end is told;
 * the talk between driver and workers. */
#include "tests/lib/testutil.h"

#include <sys/socket.h>

#include "common/mem.h"
#include "common/text.h"
#include "controller/push/answer.h"
#include "controller/push/job.h"
#include "controller/push/kexinit.h"
#include "controller/push/local.h"
#include "controller/push/sshbuf.h"
#include "schemas/proto.h"

/* ---- answers */

struct built {
	struct mm_buf out;
	struct mm_tally tally;
};

static void put(struct built *b, enum mm_frame_type type, const char *body)
{
	mm_frame_put(&b->out, (uint16_t)type, body, strlen(body));
	mm_tally_add(&b->tally, (uint16_t)type, body, strlen(body));
}

static struct built begin(void)
{
	struct built b = {.out = MM_BUF_INIT(MM_STREAM_MAX)};
	mm_tally_init(&b.tally);
	mm_frame_magic(&b.out);
	put(&b, MM_FT_HELLO, "{\"agent\":\"0.1.0\",\"proto\":[1,0],\"host\":\"ws1\"}");
	return b;
}

static void end(struct built *b)
{
	struct mm_buf body = MM_BUF_INIT(1024);
	mm_end_encode(&b->tally, &body);
	mm_frame_put(&b->out, MM_FT_END, body.data, body.len);
	mm_buf_free(&body);
}

static int count(void *ctx, const struct mm_frame *f, struct mm_err *err)
{
	if (f->len == 4 && memcmp(f->body, "stop", 4) == 0)
		return mm_err_set(err, MM_EX_DATAERR, "stopped");
	++*(int *)ctx;
	return 0;
}

/* Feed in pieces of `step` bytes; the state at the end. */
static enum mm_answer_state feed(const struct mm_buf *b, size_t step, int *frames, struct mm_err *err)
{
	struct mm_answer a;
	int rc = 0;
	*frames = 0;
	mm_answer_init(&a);
	for (size_t at = 0; at < b->len && rc == 0; at += step)
		rc = mm_answer_feed(
		    &a, b->data + at, b->len - at < step ? b->len - at : step, count, frames, err);
	enum mm_answer_state s = a.state;
	assert_int_equal(rc < 0, s == MM_ANSWER_BAD);
	mm_answer_free(&a);
	return s;
}

static void test_complete(void **state)
{
	struct built b = begin();
	struct mm_err err = MM_ERR_NONE;
	int frames;
	(void)state;
	put(&b, MM_FT_REPORT, "r");
	put(&b, MM_FT_KEEPALIVE, "");
	put(&b, MM_FT_FINDING, "f");
	put(&b, MM_FT_LOGIN, "l");
	end(&b);
	for (size_t step = 1; step < 40; step += 7) {
		assert_int_equal(feed(&b.out, step, &frames, &err), MM_ANSWER_COMPLETE);
		assert_int_equal(frames, 4); /* END is one of them */
	}
	/* Every shorter answer is open: no END, no report. */
	for (size_t n = 0; n < b.out.len; n++) {
		struct mm_buf cut = b.out;
		cut.len = n;
		assert_int_equal(feed(&cut, 1000, &frames, &err), MM_ANSWER_OPEN);
	}
	mm_buf_free(&b.out);
}

static void refuse(struct built *b, const char *why)
{
	struct mm_err err = MM_ERR_NONE;
	int frames;
	assert_int_equal(feed(&b->out, 1000, &frames, &err), MM_ANSWER_BAD);
	assert_int_equal(err.code, MM_EX_DATAERR);
	if (strstr(err.text, why) == NULL)
		fail_msg("\"%s\" lacks \"%s\"", err.text, why);
	mm_buf_free(&b->out);
	mm_tally_free(&b->tally);
}

static void test_what_breaks_the_protocol(void **state)
{
	(void)state;
	struct built b = begin();
	end(&b);
	mm_frame_put(&b.out, MM_FT_FINDING, "late", 4);
	refuse(&b, "after the end");
	b = begin();
	put(&b, MM_FT_HELLO, "{\"agent\":\"0.1.0\",\"proto\":[1,0],\"host\":\"ws1\"}");
	refuse(&b, "HELLO");
	b = begin();
	put(&b, MM_FT_SHEET, "{}");
	refuse(&b, "no place");
	b = begin();
	put(&b, MM_FT_KEEPALIVE, "x");
	refuse(&b, "keep-alive");
	b = begin();
	put(&b, MM_FT_FINDING, "stop");
	refuse(&b, "stopped");
	b = begin();
	put(&b, MM_FT_FINDING, "one");
	mm_frame_put(&b.out, MM_FT_FINDING, "uncounted", 9);
	end(&b);
	refuse(&b, "frames");
	b = (struct built){.out = MM_BUF_INIT(1000)};
	mm_frame_magic(&b.out);
	mm_frame_put(&b.out, MM_FT_REPORT, "r", 1);
	refuse(&b, "begin with HELLO");
}

static void test_refused(void **state)
{
	static const char body[] = "{\"code\":77,\"reason\":\"limits\",\"text\":\"not on this host\"}";
	struct mm_buf b = MM_BUF_INIT(1000);
	struct mm_answer a;
	(void)state;
	mm_frame_magic(&b);
	mm_frame_put(&b, MM_FT_REFUSED, body, strlen(body));
	mm_answer_init(&a);
	assert_int_equal(mm_answer_feed(&a, b.data, b.len, count, NULL, NULL), 0);
	assert_int_equal(a.state, MM_ANSWER_REFUSED);
	assert_int_equal(a.refused_code, 77);
	assert_string_equal(a.refused_reason, "limits");
	assert_string_equal(a.refused_text, "not on this host");
	mm_answer_free(&a);
	mm_buf_free(&b);
}

/* ---- outcomes */

static void test_classes(void **state)
{
	(void)state;
	for (int i = 0; i < MM_PC_COUNT; i++) {
		const struct mm_push_class_def *d = mm_push_class_def((enum mm_push_class)i);
		assert_int_equal(mm_push_class_by_name(d->name), i);
		assert_true(strlen(d->label) > 0);
		assert_true(d->exit_bit == MM_EX_OK || d->exit_bit == MM_EX_HOSTS_FAILED ||
			    d->exit_bit == MM_EX_UNREACHABLE);
	}
	assert_int_equal(mm_push_class_by_name("nonsense"), -1);
}

static void test_texts_of_hosts_are_harmless(void **state)
{
	struct mm_outcome o = MM_OUTCOME_NONE;
	char huge[4000];
	(void)state;
	mm_outcome_set(&o, MM_PC_LOST, "a%sb", "\033[2J\r\n\x7f");
	assert_string_equal(o.text, "a?[2J???b");
	memset(huge, 'x', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	mm_outcome_set(&o, MM_PC_HOSTILE, "%s", huge);
	assert_int_equal(strlen(o.text), MM_OUTCOME_TEXT - 1);
}

static struct mm_job *job(const char *address, const char *login, int port, struct mm_outcome *why)
{
	const struct mm_push_job p = {.host = "h", .address = address, .login = login, .port = port};
	return mm_job_new(&p, why);
}

static void test_only_names_reach_a_command_line(void **state)
{
	struct mm_outcome why;
	(void)state;
	assert_null(job("-oProxyCommand=id", "root", 22, &why));
	assert_int_equal(why.cls, MM_PC_LOCAL);
	assert_null(job("a b", "root", 22, &why));
	assert_null(job("$(id)", "root", 22, &why));
	assert_null(job("host", "-x", 22, &why));
	assert_null(job("host", "a b", 22, &why));
	assert_null(job("host", "root", 0, &why));
	assert_null(job("host", "root", 65536, &why));
	struct mm_job *j = job("ws1.acme.example", "root", 22, &why);
	assert_non_null(j);
	assert_false(j->literal);
	mm_job_free(j);
	j = job("2001:db8::1", "root", 22, &why);
	assert_true(j->literal);
	mm_job_free(j);
}

static void test_who_has_the_last_word(void **state)
{
	struct mm_outcome why, said = MM_OUTCOME_NONE;
	(void)state;
	struct mm_job *j = job("h", "root", 22, &why);
	mm_outcome_set(&said, MM_PC_LOST, "broke");
	assert_int_equal(mm_job_outcome(j, &said).cls, MM_PC_LOST);
	/* A complete answer counts, even if the connection broke behind it. */
	j->answer.state = MM_ANSWER_COMPLETE;
	assert_int_equal(mm_job_outcome(j, &said).cls, MM_PC_OK);
	/* What we decided stays. */
	mm_job_decide(j, MM_PC_HOSTILE, "too much");
	mm_job_decide(j, MM_PC_LOCAL, "second thoughts");
	struct mm_outcome o = mm_job_outcome(j, &said);
	assert_int_equal(o.cls, MM_PC_HOSTILE);
	assert_string_equal(o.text, "too much");
	mm_job_free(j);
}

/* ---- what a host offers */

static void offer(struct mm_buf *b, const char *kex, const char *key, const char *cipher, const char *mac)
{
	struct mm_buf p = MM_BUF_INIT(4096);
	const char *lists[] = {kex, key, cipher, cipher, mac, mac, "none", "none", "", ""};
	mm_buf_reset(b);
	mm_buf_adds(b, "Hello, this is a wrapper\r\nSSH-2.0-OpenSSH_9.2\r\n");
	mm_buf_addc(&p, 4); /* padding length */
	mm_buf_addc(&p, 20);
	mm_buf_add(&p, "0123456789abcdef", 16);
	for (size_t i = 0; i < 10; i++)
		mm_ssh_put_text(&p, lists[i]);
	mm_buf_add(&p, "\0\0\0\0\0pppp", 9);
	mm_ssh_put_string(b, p.data, p.len);
	mm_buf_free(&p);
}

static void test_explain(void **state)
{
	struct mm_buf b = MM_BUF_INIT(8192), why = MM_BUF_INIT(2048);
	(void)state;
	offer(&b, "curve25519-sha256", "ssh-ed25519", "aes128-ctr", "hmac-sha2-256");
	assert_int_equal(mm_kexinit_explain(&b, "ssh-ed25519", &why), MM_KEX_UNKNOWN);
	offer(&b, "sntrup761x25519-sha512@openssh.com", "ssh-ed25519", "aes128-ctr", "hmac-sha2-256");
	assert_int_equal(mm_kexinit_explain(&b, "ssh-ed25519", &why), MM_KEX_NOTHING_IN_COMMON);
	assert_non_null(strstr(mm_buf_str(&why), "key exchange in common: the host offers sntrup761"));
	mm_buf_reset(&why);
	offer(&b, "curve25519-sha256", "ssh-ed25519", "aes128-ctr", "hmac-sha2-512-etm@openssh.com");
	assert_int_equal(mm_kexinit_explain(&b, "ssh-ed25519", &why), MM_KEX_NOTHING_IN_COMMON);
	assert_non_null(strstr(mm_buf_str(&why), "MAC"));
	mm_buf_reset(&why);
	/* Another host key is not a matter of methods. */
	offer(&b, "curve25519-sha256", "rsa-sha2-512,ecdsa-sha2-nistp256", "aes128-ctr", "hmac-sha2-256");
	assert_int_equal(mm_kexinit_explain(&b, "ssh-ed25519", &why), MM_KEX_OTHER_HOSTKEY);
	assert_string_equal(mm_buf_str(&why), "rsa-sha2-512,ecdsa-sha2-nistp256");
	/* A name that merely begins like ours is not ours. */
	offer(&b, "curve25519-sha256", "ssh-ed25519", "aes128-ctr-x", "hmac-sha2-256");
	assert_int_equal(mm_kexinit_explain(&b, "ssh-ed25519", &why), MM_KEX_NOTHING_IN_COMMON);
	mm_buf_free(&b);
	mm_buf_free(&why);
}

static void test_explain_cut_and_broken(void **state)
{
	struct mm_buf b = MM_BUF_INIT(8192), why = MM_BUF_INIT(2048);
	(void)state;
	offer(&b, "x", "ssh-ed25519", "aes128-ctr", "hmac-sha2-256");
	for (size_t n = 0; n < b.len; n++) {
		struct mm_buf cut = {.data = malloc(n + 1), .len = n, .cap = n + 1, .max = n};
		assert_non_null(cut.data);
		memcpy(cut.data, b.data, n);
		cut.data[n] = '\0';
		assert_int_equal(mm_kexinit_explain(&cut, "ssh-ed25519", &why), MM_KEX_UNKNOWN);
		free(cut.data);
	}
	mm_buf_free(&b);
	mm_buf_free(&why);
}

/* ---- driver and worker */

static void test_job_and_outcome_travel(void **state)
{
	int fd[2];
	struct mm_local a, b;
	struct mm_frame f;
	struct mm_arena *arena = mm_arena_new();
	struct mm_worker_job got,
	    j = {.slot = 7, .port = 2222, .name = "n", .addresses = "127.0.0.1 ::1", .login = "root"};
	struct mm_outcome o = MM_OUTCOME_NONE, back;
	struct mm_buf body = MM_BUF_INIT(4096);
	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	mm_local_init(&a, fd[0]);
	mm_local_init(&b, fd[1]);
	mm_local_put_job(&body, &j);
	mm_local_send(&a, MM_LT_JOB, body.data, body.len);
	mm_outcome_set(&o, MM_PC_AUTH, "no");
	o.ms_auth = 5;
	o.delivered = true;
	o.pinned = 2;
	mm_buf_reset(&body);
	mm_local_put_outcome(&body, 7, &o);
	mm_local_send(&a, MM_LT_DONE, body.data, body.len);
	assert_int_equal(mm_local_flush(&a), 0);
	assert_int_equal(mm_local_unsent(&a), 0);
	assert_int_equal(mm_local_fill(&b), 1);
	assert_int_equal(mm_local_next(&b, &f), 1);
	assert_int_equal(f.type, MM_LT_JOB);
	assert_int_equal(mm_local_get_job(&f, arena, &got), 0);
	assert_int_equal(got.slot, 7);
	assert_string_equal(got.addresses, "127.0.0.1 ::1");
	assert_string_equal(got.proxy_command, "");
	assert_int_equal(mm_local_next(&b, &f), 1);
	assert_int_equal(mm_local_get_outcome(&f, &back), 0);
	assert_int_equal(back.cls, MM_PC_AUTH);
	assert_int_equal(back.ms_auth, 5);
	assert_int_equal(back.ms_connect, -1);
	assert_true(back.delivered && !back.early);
	assert_int_equal(back.pinned, 2);
	/* The same, cut: refused, not believed. */
	for (uint32_t n = 0; n < f.len; n++) {
		struct mm_frame cut = {.type = f.type, .len = n, .body = f.body};
		assert_int_equal(mm_local_get_outcome(&cut, &back), -1);
	}
	assert_int_equal(mm_local_fill(&b), 0);
	mm_local_free(&a);
	assert_int_equal(mm_local_fill(&b), -1);
	mm_local_free(&b);
	mm_buf_free(&body);
	mm_arena_free(arena);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    MM_TEST(test_complete),
	    MM_TEST(test_what_breaks_the_protocol),
	    MM_TEST(test_refused),
	    MM_TEST(test_classes),
	    MM_TEST(test_texts_of_hosts_are_harmless),
	    MM_TEST(test_only_names_reach_a_command_line),
	    MM_TEST(test_who_has_the_last_word),
	    MM_TEST(test_explain),
	    MM_TEST(test_explain_cut_and_broken),
	    MM_TEST(test_job_and_outcome_travel),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
