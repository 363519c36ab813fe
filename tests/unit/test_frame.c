#include "common/frame.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "tests/lib/testutil.h"

static struct mm_buf stream(void)
{
	struct mm_buf b = MM_BUF_INIT((size_t)80 << 20);
	mm_frame_magic(&b);
	mm_frame_put(&b, 1, "hello", 5);
	mm_frame_put(&b, 0x1234, "", 0);
	mm_frame_put(&b, 65535, "a\0b", 3);
	return b;
}

static void expect(struct mm_frame_decoder *d, uint16_t type, const char *body, uint32_t len)
{
	struct mm_frame f;
	struct mm_err e = MM_ERR_NONE;
	assert_int_equal(mm_frame_next(d, &f, &e), 1);
	assert_int_equal(f.type, type);
	assert_int_equal(f.len, len);
	assert_memory_equal(f.body, body, len);
}

static void test_bytes_on_the_wire(void **state)
{
	(void)state;
	struct mm_buf b = stream();
	assert_int_equal(b.len, 8 + 13 + 8 + 11);
	assert_memory_equal(b.data, "MMUSTR1\n\x00\x01\x00\x00\x00\x00\x00\x05hello\x12\x34\x00\x00", 25);
	mm_buf_free(&b);
}

static void test_whole(void **state)
{
	(void)state;
	struct mm_buf b = stream();
	struct mm_frame_decoder d;
	struct mm_frame f;
	mm_frame_decoder_init(&d, true);
	assert_false(mm_frame_at_boundary(&d));
	assert_int_equal(mm_frame_feed(&d, b.data, b.len, NULL), 0);
	assert_false(mm_frame_at_boundary(&d));
	expect(&d, 1, "hello", 5);
	expect(&d, 0x1234, "", 0);
	expect(&d, 65535, "a\0b", 3);
	assert_int_equal(mm_frame_next(&d, &f, NULL), 0);
	assert_true(mm_frame_at_boundary(&d));
	mm_frame_decoder_free(&d);
	mm_buf_free(&b);
}

static void test_byte_by_byte_behind_noise(void **state)
{
	(void)state;
	static const char noise[] = "Welcome!\nMMUSTR1 is nice, MMUSTR1";
	struct mm_buf b = MM_BUF_INIT(1000), s = stream();
	mm_buf_adds(&b, noise);
	mm_buf_add(&b, s.data, s.len);
	struct mm_frame_decoder d;
	struct mm_frame f;
	int frames = 0;
	mm_frame_decoder_init(&d, true);
	for (size_t i = 0; i < b.len; i++) {
		assert_int_equal(mm_frame_feed(&d, b.data + i, 1, NULL), 0);
		int rc = 0;
		while ((rc = mm_frame_next(&d, &f, NULL)) == 1)
			frames++;
		assert_int_equal(rc, 0);
	}
	assert_int_equal(frames, 3);
	assert_int_equal(d.noise, strlen(noise));
	assert_int_equal(d.total, s.len - 8);
	assert_true(mm_frame_at_boundary(&d));
	mm_frame_decoder_free(&d);
	mm_buf_free(&b);
	mm_buf_free(&s);
}

static void test_without_magic(void **state)
{
	(void)state;
	struct mm_buf b = stream();
	struct mm_frame_decoder d;
	mm_frame_decoder_init(&d, false);
	assert_true(mm_frame_at_boundary(&d));
	assert_int_equal(mm_frame_feed(&d, b.data + 8, b.len - 8, NULL), 0);
	expect(&d, 1, "hello", 5);
	mm_frame_decoder_free(&d);
	mm_buf_free(&b);
}

/* Once broken, broken for good, and with words of its own. */
static void expect_broken(struct mm_frame_decoder *d, struct mm_err *e, const char *words)
{
	struct mm_frame f;
	assert_int_equal(e->code, MM_EX_DATAERR);
	if (strstr(e->text, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", e->text, words);
	assert_int_equal(mm_frame_feed(d, "x", 1, NULL), -1);
	assert_int_equal(mm_frame_next(d, &f, NULL), -1);
	assert_false(mm_frame_at_boundary(d));
	mm_frame_decoder_free(d);
}

static void feed_noise(size_t n, bool in_pieces, int want)
{
	char *noise = malloc(n + 8);
	assert_non_null(noise);
	memset(noise, 'M', n);
	memcpy(noise + n, MM_FRAME_MAGIC, 8);
	struct mm_frame_decoder d;
	struct mm_err e = MM_ERR_NONE;
	mm_frame_decoder_init(&d, true);
	int rc = 0;
	for (size_t i = 0; i < n + 8 && rc == 0; i += in_pieces ? 1 : n + 8)
		rc = mm_frame_feed(&d, noise + i, in_pieces ? 1 : n + 8, &e);
	assert_int_equal(rc, want);
	if (want < 0) {
		expect_broken(&d, &e, "no stream of frames begins within 4096 bytes");
	} else {
		assert_true(d.started);
		mm_frame_decoder_free(&d);
	}
	free(noise);
}

static void test_noise_limit(void **state)
{
	(void)state;
	for (int pieces = 0; pieces < 2; pieces++) {
		feed_noise(MM_FRAME_NOISE, pieces == 1, 0);
		feed_noise(MM_FRAME_NOISE + 1, pieces == 1, -1);
		feed_noise(100000, pieces == 1, -1);
	}
}

static void test_reserved_field(void **state)
{
	(void)state;
	struct mm_frame_decoder d;
	struct mm_frame f;
	struct mm_err e = MM_ERR_NONE;
	mm_frame_decoder_init(&d, false);
	assert_int_equal(mm_frame_feed(&d, "\0\1\0\1\0\0\0\0", 8, &e), 0);
	assert_int_equal(mm_frame_next(&d, &f, &e), -1);
	expect_broken(&d, &e, "reserved field");
}

static void test_frame_limit(void **state)
{
	(void)state;
	struct mm_frame_decoder d;
	struct mm_frame f;
	struct mm_err e = MM_ERR_NONE;
	mm_frame_decoder_init(&d, false);
	assert_int_equal(mm_frame_feed(&d, "\0\1\0\0\0\x10\0\1", 8, &e), 0);
	assert_int_equal(mm_frame_next(&d, &f, &e), -1);
	expect_broken(&d, &e, "a frame of 1048577 bytes");

	/* The largest that may be. */
	char *body = calloc(1, MM_FRAME_MAX);
	struct mm_buf b = MM_BUF_INIT(2 << 20);
	mm_frame_put(&b, 7, body, MM_FRAME_MAX);
	mm_frame_decoder_init(&d, false);
	assert_int_equal(mm_frame_feed(&d, b.data, b.len, NULL), 0);
	expect(&d, 7, body, MM_FRAME_MAX);
	mm_frame_decoder_free(&d);
	mm_buf_free(&b);
	free(body);
}

static void test_stream_limit(void **state)
{
	(void)state;
	char *body = calloc(1, MM_FRAME_MAX);
	struct mm_buf b = MM_BUF_INIT(2 << 20);
	mm_frame_put(&b, 7, body, MM_FRAME_MAX - MM_FRAME_HEADER);
	struct mm_frame_decoder d;
	struct mm_frame f;
	struct mm_err e = MM_ERR_NONE;
	mm_frame_decoder_init(&d, true);
	assert_int_equal(mm_frame_feed(&d, MM_FRAME_MAGIC, 8, NULL), 0);
	for (int i = 0; i < 64; i++) {
		assert_int_equal(mm_frame_feed(&d, b.data, b.len, &e), 0);
		assert_int_equal(mm_frame_next(&d, &f, &e), 1);
	}
	assert_int_equal(d.total, MM_STREAM_MAX);
	assert_true(d.in.cap < 8 << 20);
	assert_int_equal(mm_frame_feed(&d, "x", 1, &e), -1);
	expect_broken(&d, &e, "a stream of frames is larger than 67108864 bytes");
	mm_buf_free(&b);
	free(body);
}

static void test_all_at_once_over_the_limit(void **state)
{
	(void)state;
	size_t n = (size_t)MM_STREAM_MAX + 9;
	char *big = calloc(1, n);
	struct mm_frame_decoder d;
	struct mm_err e = MM_ERR_NONE;
	memcpy(big, MM_FRAME_MAGIC, 8);
	mm_frame_decoder_init(&d, true);
	assert_int_equal(mm_frame_feed(&d, big, n - 1, &e), 0);
	mm_frame_decoder_free(&d);
	mm_frame_decoder_init(&d, true);
	assert_int_equal(mm_frame_feed(&d, big, n, &e), -1);
	expect_broken(&d, &e, "a stream of frames is larger");
	free(big);
}

/* ---- descriptors */

static void test_fd_round_trip(void **state)
{
	(void)state;
	int p[2];
	struct mm_frame_decoder d;
	struct mm_frame f;
	struct mm_err e = MM_ERR_NONE;
	assert_int_equal(pipe(p), 0);
	assert_int_equal(mm_write_all(p[1], MM_FRAME_MAGIC, 8, &e), 0);
	assert_int_equal(mm_frame_write_fd(p[1], 3, "abc", 3, &e), 0);
	assert_int_equal(mm_frame_write_fd(p[1], 4, NULL, 0, &e), 0);
	close(p[1]);
	mm_frame_decoder_init(&d, true);
	assert_int_equal(mm_frame_read_fd(&d, p[0], 1000, &f, &e), 1);
	assert_int_equal(f.type, 3);
	assert_int_equal(mm_frame_read_fd(&d, p[0], 1000, &f, &e), 1);
	assert_int_equal(f.type, 4);
	assert_int_equal(mm_frame_read_fd(&d, p[0], 1000, &f, &e), 0);
	mm_frame_decoder_free(&d);
	close(p[0]);
}

/* Feed these bytes, then end: what does the reader say? */
static void expect_end(const char *bytes, size_t n, bool magic, int want, const char *words)
{
	int p[2];
	struct mm_frame_decoder d;
	struct mm_frame f;
	struct mm_err e = MM_ERR_NONE;
	assert_int_equal(pipe(p), 0);
	assert_int_equal(mm_write_all(p[1], bytes, n, &e), 0);
	close(p[1]);
	mm_frame_decoder_init(&d, magic);
	assert_int_equal(mm_frame_read_fd(&d, p[0], -1, &f, &e), want);
	if (words != NULL && strstr(e.text, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", e.text, words);
	mm_frame_decoder_free(&d);
	close(p[0]);
}

static void test_ends(void **state)
{
	(void)state;
	expect_end("", 0, true, -1, "before its stream of frames began");
	expect_end("sh: not found\n", 14, true, -1, "before its stream of frames began");
	expect_end(MM_FRAME_MAGIC, 8, true, 0, NULL);
	expect_end("", 0, false, 0, NULL);
	expect_end("\0\1\0\0\0\0\0", 7, false, -1, "in the middle of a frame");
	expect_end("\0\1\0\0\0\0\0\2x", 9, false, -1, "in the middle of a frame");
}

static void test_timeout(void **state)
{
	(void)state;
	int p[2];
	struct mm_frame_decoder d;
	struct mm_frame f;
	struct mm_err e = MM_ERR_NONE;
	assert_int_equal(pipe(p), 0);
	mm_frame_decoder_init(&d, false);
	assert_int_equal(mm_frame_read_fd(&d, p[0], 30, &f, &e), -1);
	assert_non_null(strstr(e.text, "timed out"));
	/* Bytes that trickle in do not prolong the time. */
	assert_int_equal(mm_write_all(p[1], "\0\1\0", 3, &e), 0);
	assert_int_equal(mm_frame_read_fd(&d, p[0], 30, &f, &e), -1);
	assert_non_null(strstr(e.text, "timed out"));
	mm_frame_decoder_free(&d);
	close(p[0]);
	close(p[1]);
}

static void *slow_reader(void *arg)
{
	char chunk[4096];
	size_t *got = arg;
	ssize_t n = 0;
	usleep(20000);
	while ((n = read((int)*got, chunk, sizeof(chunk))) > 0)
		got[1] += (size_t)n;
	return NULL;
}

static void test_write_all_to_a_full_nonblocking_pipe(void **state)
{
	(void)state;
	int p[2];
	size_t n = 1 << 20;
	char *big = calloc(1, n);
	pthread_t reader;
	assert_int_equal(pipe(p), 0);
	assert_int_equal(fcntl(p[1], F_SETFL, O_NONBLOCK), 0);
	size_t got[2] = {(size_t)p[0], 0};
	assert_int_equal(pthread_create(&reader, NULL, slow_reader, got), 0);
	assert_int_equal(mm_write_all(p[1], big, n, NULL), 0);
	close(p[1]);
	assert_int_equal(pthread_join(reader, NULL), 0);
	assert_int_equal(got[1], n);
	close(p[0]);
	free(big);
}

static void test_write_to_one_who_does_not_read(void **state)
{
	(void)state;
	int p[2];
	struct mm_err e = MM_ERR_NONE;
	size_t n = 1 << 20;
	char *big = calloc(1, n);
	assert_int_equal(pipe(p), 0);
	assert_int_equal(fcntl(p[1], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(mm_write_within(p[1], "x", 1, 20, &e), 0);
	assert_int_equal(mm_write_within(p[1], big, n, 20, &e), -1);
	assert_int_equal(e.code, MM_EX_FAILED);
	assert_non_null(strstr(e.text, "timed out"));
	close(p[0]);
	close(p[1]);
	free(big);
}

static void test_write_errors(void **state)
{
	(void)state;
	int p[2];
	struct mm_err e = MM_ERR_NONE;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(p), 0);
	close(p[0]);
	assert_int_equal(mm_write_all(p[1], "x", 1, &e), -1);
	assert_non_null(strstr(e.text, "Broken pipe"));
	assert_int_equal(mm_frame_write_fd(p[1], 1, "x", 1, &e), -1);
	close(p[1]);
	signal(SIGPIPE, SIG_DFL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    MM_TEST(test_bytes_on_the_wire),
	    MM_TEST(test_whole),
	    MM_TEST(test_byte_by_byte_behind_noise),
	    MM_TEST(test_without_magic),
	    MM_TEST(test_noise_limit),
	    MM_TEST(test_reserved_field),
	    MM_TEST(test_frame_limit),
	    MM_TEST(test_stream_limit),
	    MM_TEST(test_all_at_once_over_the_limit),
	    MM_TEST(test_fd_round_trip),
	    MM_TEST(test_ends),
	    MM_TEST(test_timeout),
	    MM_TEST(test_write_all_to_a_full_nonblocking_pipe),
	    MM_TEST(test_write_to_one_who_does_not_read),
	    MM_TEST(test_write_errors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
