/* The parent believes nothing that a user's process says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/home.h"
#include "agent/sink.h"
#include "agent/worker.h"
#include "common/frame.h"
#include "common/text.h"
#include "schemas/report.h"

struct seen {
	size_t called, findings, spooled, ticks;
	bool complete, late;
	int exit_bits;
	char trouble[256];
	struct mm_arena *a;
	struct mm_report_head head;
};

static void done(void *ctx, const struct mm_worker_result *r)
{
	struct seen *s = ctx;
	struct mm_frame_decoder d;
	struct mm_frame f;
	s->called++;
	s->complete = r->complete;
	s->late = r->late;
	s->exit_bits = r->exit_bits;
	memset(s->trouble, 0, sizeof(s->trouble));
	if (r->trouble != NULL)
		memcpy(s->trouble, r->trouble, strnlen(r->trouble, sizeof(s->trouble) - 1));
	mm_frame_decoder_init(&d, false);
	assert_int_equal(mm_frame_feed(&d, mm_buf_str(r->findings), r->findings->len, NULL), 0);
	while (mm_frame_next(&d, &f, NULL) > 0)
		s->findings++;
	mm_frame_decoder_free(&d);
	if (r->spool == NULL)
		return;
	mm_frame_decoder_init(&d, false);
	assert_int_equal(mm_frame_feed(&d, mm_buf_str(r->spool), r->spool->len, NULL), 0);
	while (mm_frame_next(&d, &f, NULL) > 0) {
		s->spooled++;
		if (f.type == MM_FT_REPORT)
			assert_int_equal(mm_report_head_decode(f.body, f.len, s->a, &s->head, NULL), 0);
	}
	mm_frame_decoder_free(&d);
}

static void tick(void *ctx)
{
	((struct seen *)ctx)->ticks++;
}

struct clocks {
	int home_ms, hang_ms, total_ms;
};

static struct seen run_child_within(void (*fn)(int fd, void *arg), const struct clocks *c)
{
	struct seen s = {.a = mm_arena_new()};
	const struct mm_worker_job job = {.user = "alice", .run = fn};
	const struct mm_workers w = {.host = "ws1",
	    .parallel = 2,
	    .home_ms = c->home_ms,
	    .hang_ms = c->hang_ms,
	    .total_ms = c->total_ms,
	    .done = done,
	    .tick = tick,
	    .ctx = &s};
	mm_workers_run(&w, &job, 1);
	assert_int_equal(s.called, 1);
	return s;
}

/* With more patience than a busy machine needs. */
static struct seen run_child(void (*fn)(int fd, void *arg))
{
	const struct clocks patient = {20000, 20000, 60000};
	return run_child_within(fn, &patient);
}

/* ---- children */

static void say(int fd, uint16_t type, const char *body)
{
	if (mm_frame_write_fd(fd, type, body, strlen(body), NULL) != 0)
		_exit(9);
}

static void tell(int fd, const char *user, enum mm_state st)
{
	struct mm_buf b = MM_BUF_INIT(65536);
	const struct mm_finding f = {.user = user,
	    .client = "mutt",
	    .path = "/p",
	    .account = "a",
	    .setting = "",
	    .state = st,
	    .reason = ""};
	mm_finding_encode(&f, &b);
	say(fd, MM_FT_FINDING, mm_buf_str(&b));
	mm_buf_free(&b);
}

static void spool_head(int fd, const char *user)
{
	struct mm_buf b = MM_BUF_INIT(65536);
	const char *const users[] = {user, NULL};
	const struct mm_report_head h = {.id = "00112233445566778899aabbccddeeff",
	    .host = "another",
	    .op = "apply",
	    .request_id = "00112233445566778899aabbccddeeff",
	    .evidence = MM_EV_ATTESTED,
	    .agent = "1",
	    .user = user,
	    .users = users};
	mm_report_head_encode(&h, &b);
	say(fd, MM_FT_REPORT, mm_buf_str(&b));
	mm_buf_free(&b);
}

static void good_child(int fd, void *arg)
{
	(void)arg;
	say(fd, MM_FT_WORKER_HOME, "");
	tell(fd, "alice", MM_ST_DRIFTED);
	say(fd, MM_FT_WORKER_RAN, "");
	spool_head(fd, "alice");
	tell(fd, "alice", MM_ST_ERROR);
	say(fd, MM_FT_WORKER_DONE, "");
}

static void other_user(int fd, void *arg)
{
	(void)arg;
	say(fd, MM_FT_WORKER_HOME, "");
	tell(fd, "bob", MM_ST_COMPLIANT);
	say(fd, MM_FT_WORKER_RAN, "");
	say(fd, MM_FT_WORKER_DONE, "");
}

static void claims_for_others(int fd, void *arg)
{
	(void)arg;
	say(fd, MM_FT_WORKER_HOME, "");
	say(fd, MM_FT_WORKER_RAN, "");
	spool_head(fd, "bob");
	say(fd, MM_FT_WORKER_DONE, "");
}

static void no_json(int fd, void *arg)
{
	(void)arg;
	say(fd, MM_FT_WORKER_HOME, "");
	say(fd, MM_FT_FINDING, "{\"user\":");
	say(fd, MM_FT_WORKER_RAN, "");
	say(fd, MM_FT_WORKER_DONE, "");
}

static void forbidden_frame(int fd, void *arg)
{
	(void)arg;
	say(fd, MM_FT_WORKER_HOME, "");
	say(fd, MM_FT_END, "{}");
	say(fd, MM_FT_WORKER_RAN, "");
	say(fd, MM_FT_WORKER_DONE, "");
}

static void garbage(int fd, void *arg)
{
	(void)arg;
	if (write(fd, "\xff\xff\xff\xff\xff\xff\xff\xff\xff", 9) != 9)
		_exit(9);
}

static void report_too_early(int fd, void *arg)
{
	(void)arg;
	say(fd, MM_FT_WORKER_HOME, "");
	spool_head(fd, "alice");
}

static void too_many(int fd, void *arg)
{
	(void)arg;
	say(fd, MM_FT_WORKER_HOME, "");
	for (unsigned i = 0; i < MM_WORKER_FRAMES_MAX + 1; i++)
		say(fd, MM_FT_KEEPALIVE, "");
	say(fd, MM_FT_WORKER_RAN, "");
	say(fd, MM_FT_WORKER_DONE, "");
}

static void too_large(int fd, void *arg)
{
	static char pad[16001];
	(void)arg;
	memset(pad, 'x', sizeof(pad) - 1);
	say(fd, MM_FT_WORKER_HOME, "");
	for (unsigned sent = 0; sent < MM_WORKER_BYTES_MAX + 65536; sent += 16000) {
		struct mm_buf b = MM_BUF_INIT(65536);
		const struct mm_finding f = {.user = "alice",
		    .client = "mutt",
		    .path = "/p",
		    .account = "a",
		    .setting = "",
		    .found = pad,
		    .reason = ""};
		mm_finding_encode(&f, &b);
		say(fd, MM_FT_FINDING, mm_buf_str(&b));
		mm_buf_free(&b);
	}
	say(fd, MM_FT_WORKER_RAN, "");
	say(fd, MM_FT_WORKER_DONE, "");
}

static void dies(int fd, void *arg)
{
	(void)arg;
	say(fd, MM_FT_WORKER_HOME, "");
	tell(fd, "alice", MM_ST_COMPLIANT);
	_exit(3);
}

static void dies_in_the_spool(int fd, void *arg)
{
	(void)arg;
	say(fd, MM_FT_WORKER_HOME, "");
	tell(fd, "alice", MM_ST_COMPLIANT);
	say(fd, MM_FT_WORKER_RAN, "");
	spool_head(fd, "alice");
	_exit(3);
}

static void home_hangs(int fd, void *arg)
{
	(void)fd;
	(void)arg;
	pause();
}

static void hangs_later(int fd, void *arg)
{
	(void)arg;
	say(fd, MM_FT_WORKER_HOME, "");
	tell(fd, "alice", MM_ST_COMPLIANT);
	pause();
}

static void never_ends(int fd, void *arg)
{
	const struct timespec t = {.tv_nsec = 200 * 1000 * 1000};
	(void)arg;
	say(fd, MM_FT_WORKER_HOME, "");
	for (;;) {
		say(fd, MM_FT_KEEPALIVE, "");
		nanosleep(&t, NULL);
	}
}

static void slow_but_alive(int fd, void *arg)
{
	const struct timespec t = {.tv_nsec = 300 * 1000 * 1000};
	(void)arg;
	say(fd, MM_FT_WORKER_HOME, "");
	for (int i = 0; i < 4; i++) {
		nanosleep(&t, NULL);
		say(fd, MM_FT_KEEPALIVE, "");
	}
	say(fd, MM_FT_WORKER_RAN, "");
	say(fd, MM_FT_WORKER_DONE, "");
}

/* Descriptors of the agent (the connection!) must not reach a user's process. */
static void looks_around(int fd, void *arg)
{
	size_t n = 0;
	DIR *d = opendir("/proc/self/fd");
	(void)arg;
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
		n += e->d_name[0] != '.';
	/* 0, 1, 2, the socket, and the folder itself */
	if (n != 5 || fd != 3)
		_exit(3);
	for (int i = 0; i <= 2; i++) {
		struct stat st;
		if (fstat(i, &st) != 0 || !S_ISCHR(st.st_mode))
			_exit(3);
	}
	say(fd, MM_FT_WORKER_HOME, "");
	say(fd, MM_FT_WORKER_RAN, "");
	say(fd, MM_FT_WORKER_DONE, "");
}

/* ---- tests */

static void good(void **state)
{
	(void)state;
	struct seen s = run_child(good_child);
	assert_true(s.complete);
	assert_int_equal(s.findings, 1);
	/* What lies in the spool is an older story: it does not count for this run. */
	assert_int_equal(s.exit_bits, MM_EX_DIFF);
	assert_int_equal(s.spooled, 2);
	/* Whatever the child wrote: this host's, this user's, and only claimed. */
	assert_string_equal(s.head.host, "ws1");
	assert_string_equal(s.head.user, "alice");
	assert_string_equal(s.head.op, "login");
	assert_null(s.head.request_id);
	assert_int_equal(s.head.evidence, MM_EV_CLAIMED);
	assert_string_equal(s.head.users[0], "alice");
	mm_arena_free(s.a);
}

static void others_coverage_is_dropped(void **state)
{
	(void)state;
	struct seen s = run_child(claims_for_others);
	assert_true(s.complete);
	assert_string_equal(s.head.user, "alice");
	assert_null(s.head.users[0]);
	mm_arena_free(s.a);
}

static void misbehaviour(void **state)
{
	static const struct {
		void (*fn)(int fd, void *arg);
		const char *says;
	} cases[] = {{other_user, "bob"}, {no_json, "finding"}, {forbidden_frame, "type 21"}, {garbage, ""},
	    {report_too_early, "before the end"}, {too_many, "frames"}, {too_large, "bytes"}};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct seen s = run_child(cases[i].fn);
		assert_false(s.complete);
		assert_false(s.late);
		if (strstr(s.trouble, cases[i].says) == NULL || s.trouble[0] == '\0')
			fail_msg("case %zu: %s", i, s.trouble);
		assert_int_equal(s.spooled, 0);
		mm_arena_free(s.a);
	}
}

static void death(void **state)
{
	(void)state;
	struct seen s = run_child(dies);
	assert_false(s.complete);
	assert_int_equal(s.findings, 1);
	mm_arena_free(s.a);
	/* The run was complete; the spool will be collected another time. */
	s = run_child(dies_in_the_spool);
	assert_true(s.complete);
	assert_int_equal(s.spooled, 0);
	mm_arena_free(s.a);
}

static void clocks(void **state)
{
	static const struct {
		void (*fn)(int fd, void *arg);
		const char *says;
		struct clocks c;
	} cases[] = {{home_hangs, "home did not answer", {300, 20000, 60000}},
	    {hangs_later, "sign of life", {20000, 700, 60000}},
	    {never_ends, "not finished", {20000, 20000, 2000}}};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct seen s = run_child_within(cases[i].fn, &cases[i].c);
		assert_false(s.complete);
		assert_true(s.late);
		if (strstr(s.trouble, cases[i].says) == NULL)
			fail_msg("case %zu: %s", i, s.trouble);
		assert_true(s.ticks > 0);
		mm_arena_free(s.a);
	}
	/* Longer in all than a silence may be. */
	const struct clocks one_second = {20000, 1000, 60000};
	struct seen s = run_child_within(slow_but_alive, &one_second);
	assert_true(s.complete);
	mm_arena_free(s.a);
}

static void descriptors(void **state)
{
	(void)state;
	struct seen s = run_child(looks_around);
	assert_true(s.complete);
	mm_arena_free(s.a);
}

static void many(void **state)
{
	struct seen s = {.a = mm_arena_new()};
	struct mm_worker_job jobs[40];
	(void)state;
	for (size_t i = 0; i < 40; i++)
		jobs[i] =
		    (struct mm_worker_job){.user = "alice", .run = i % 10 == 3 ? home_hangs : good_child};
	const struct mm_workers w = {.host = "ws1",
	    .parallel = 8,
	    .home_ms = 2000,
	    .hang_ms = 5000,
	    .total_ms = 20000,
	    .done = done,
	    .ctx = &s};
	mm_workers_run(&w, jobs, 40);
	assert_int_equal(s.called, 40);
	assert_int_equal(s.findings, 36);
	mm_arena_free(s.a);
}

/* ---- homes */

static void mounts(void **state)
{
	struct mm_arena *a = mm_arena_new();
	const char *info = "21 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n"
			   "30 21 0:30 / /home rw - autofs systemd-1 rw\n"
			   "31 30 0:31 / /home/alice rw - nfs4 srv:/alice rw\n"
			   "40 21 0:40 / /data rw - autofs systemd-1 rw\n"
			   "41 21 0:41 / /data rw - xfs /dev/sdb rw\n"
			   "50 21 0:50 / /with\\040blank rw - autofs x rw\n";
	(void)state;
	assert_string_equal(mm_mount_type(info, "/home/alice", a), "nfs4");
	assert_string_equal(mm_mount_type(info, "/home/bob", a), "autofs");
	assert_string_equal(mm_mount_type(info, "/homeless", a), "ext4");
	assert_string_equal(mm_mount_type(info, "/data/x", a), "xfs");
	assert_string_equal(mm_mount_type(info, "/with blank/x", a), "autofs");
	assert_string_equal(mm_mount_type("", "/x", a), "");
	assert_string_equal(mm_mount_type("a b - c\nx - \n\n - ", "/x", a), "");
	mm_arena_free(a);
}

static void homes(void **state)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_identity who = {.login = "x", .uid = geteuid(), .home = "/tmp/mm-no-such-home"};
	(void)state;
	assert_non_null(strstr(mm_home_trouble(&who, a), "does not exist"));
	who.home = "/";
	assert_non_null(mm_home_trouble(&who, a));
	who.home = "";
	assert_non_null(mm_home_trouble(&who, a));
	who.home = "/etc/passwd";
	assert_non_null(mm_home_trouble(&who, a));
	who.home = "/proc";
	who.uid = 54321;
	assert_non_null(strstr(mm_home_trouble(&who, a), "belongs to"));
	mm_arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(good),
	    cmocka_unit_test(others_coverage_is_dropped), cmocka_unit_test(misbehaviour),
	    cmocka_unit_test(death), cmocka_unit_test(clocks), cmocka_unit_test(descriptors),
	    cmocka_unit_test(many), cmocka_unit_test(mounts), cmocka_unit_test(homes)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
