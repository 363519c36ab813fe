/* What `host enroll --checkin` writes: on the host, and into authorized_keys. */
#include "tests/lib/testutil.h"

#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "controller/enroll_checkin.h"

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g"
#define OTHER "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKGio6SlpqeoqaqrrK2ur7CxsrO0tba3uLm6u7y9vr/A"

struct world {
	struct mm_arena *a;
	char dir[64];
	const char *known, *authorized;
	struct mm_ctl ctl;
	struct mm_enroll_checkin k;
	struct mm_err err;
};

static void write_text(struct world *w, const char *path, const char *text)
{
	assert_int_equal(mm_write_own(path, text, strlen(text), 0600, &w->err), 0);
}

static int setup(void **state)
{
	static char plain[] = "/srv/mm";
	struct world *w = mm_xcalloc(1, sizeof(*w));
	w->a = mm_arena_new();
	memcpy(w->dir, "/tmp/mm-enrol-XXXXXX", 21);
	assert_non_null(mkdtemp(w->dir));
	w->known = mm_arena_printf(w->a, "%s/known", w->dir);
	w->authorized = mm_arena_printf(w->a, "%s/authorized", w->dir);
	w->ctl.state = plain;
	write_text(w, w->known,
	    "admin " KEY "\n[admin]:2222 " OTHER "\n[2001:db8::1]:2222 " OTHER "\n2001:db8::1 " KEY "\n");
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	unlink(w->known);
	unlink(w->authorized);
	assert_int_equal(rmdir(w->dir), 0);
	mm_arena_free(w->a);
	free(w);
	return 0;
}

#define W struct world *w = *state

static int prepare(struct world *w, const char *destination)
{
	const struct mm_checkin_opts o = {.destination = destination, .known_hosts = w->known};
	return mm_enroll_checkin_prepare(&o, w->a, &w->k, &w->err);
}

static void destinations(void **state)
{
	W;
	static const struct {
		const char *text, *host;
		int port;
		const char *known;
	} good[] = {{"mm@admin", "admin", 22, "admin " KEY "\n"},
	    {"mm@admin:2222", "admin", 2222, "[admin]:2222 " OTHER "\n"},
	    {"mm@[2001:db8::1]:2222", "2001:db8::1", 2222, "[2001:db8::1]:2222 " OTHER "\n"},
	    {"mm@[2001:db8::1]", "2001:db8::1", 22, "2001:db8::1 " KEY "\n"}};
	static const char *const bad[] = {"admin", "@admin", "mm@", "mm@admin:", "mm@admin:0",
	    "mm@admin:65536", "mm@admin:22x", "mm@2001:db8::1", "mm@[admin", "mm@[admin]x", "m m@admin",
	    "mm@-oX", "mm@a;b"};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct mm_buf b = MM_BUF_INIT(4096);
		if (prepare(w, good[i].text) != 0)
			fail_msg("%s: %s", good[i].text, w->err.text);
		assert_string_equal(w->k.account, "mm");
		assert_string_equal(w->k.host, good[i].host);
		assert_int_equal(w->k.port, good[i].port);
		mm_enroll_checkin_known(&w->k, &b);
		assert_string_equal(mm_buf_str(&b), good[i].known);
		mm_buf_free(&b);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (prepare(w, bad[i]) != -1 || w->err.code != MM_EX_USAGE)
			fail_msg("%s", bad[i]);
	}
	assert_int_equal(prepare(w, "mm@stranger"), -1);
	assert_int_equal(w->err.code, MM_EX_DATAERR);
}

static void the_block(void **state)
{
	W;
	struct mm_buf b = MM_BUF_INIT(4096);
	assert_int_equal(prepare(w, "mm@admin:2222"), 0);
	mm_enroll_checkin_conf(&w->k, "/etc/mailmuster/agent.conf", &b);
	assert_string_equal(mm_buf_str(&b),
	    "checkin = { destination = \"mm@admin\"; port = 2222; identity = "
	    "\"/var/lib/mailmuster-agent/ssh_key\"; known_hosts = \"/etc/mailmuster/known_hosts\"; };\n");
	mm_buf_reset(&b);
	mm_enroll_checkin_conf(&w->k, "/etc/\"; x = \"/agent.conf", &b);
	assert_null(strstr(mm_buf_str(&b), "known_hosts"));
	mm_buf_free(&b);
}

static void finish(struct world *w, const char *host, const char *key, const char *written)
{
	const struct mm_checkin_opts o = {.destination = "mm@admin", .authorized_keys = w->authorized};
	if (mm_enroll_checkin_finish(&w->ctl, &o, host, key, w->a, &w->k, &w->err) != 0)
		fail_msg("%s", w->err.text);
	assert_string_equal(w->k.written, written);
}

static void expect_lines(struct world *w, const char *text)
{
	struct mm_buf b = MM_BUF_INIT(1 << 16);
	assert_int_equal(mm_file_read_own(w->authorized, 1 << 16, true, &b, &w->err), 0);
	assert_string_equal(mm_buf_str(&b), text);
	mm_buf_free(&b);
}

static void lines(void **state)
{
	W;
	assert_int_equal(prepare(w, "mm@admin"), 0);
	finish(w, "ws1", KEY " some comment", "written");
	const char *ws1 = w->k.line;
	assert_non_null(strstr(ws1, "command=\"/"));
	assert_non_null(
	    strstr(ws1, " --state /srv/mm checkin --host ws1\",restrict " KEY " mailmuster-agent@ws1"));
	expect_lines(w, mm_arena_printf(w->a, "%s\n", ws1));
	finish(w, "ws1", KEY, "kept");
	finish(w, "ws10", OTHER, "written");
	const char *ws10 = w->k.line;
	expect_lines(w, mm_arena_printf(w->a, "%s\n%s\n", ws1, ws10));
	finish(w, "ws1", KEY, "kept");
}

/* A host that was made anew has a new key; one key speaks for one host. */
static void older_lines(void **state)
{
	W;
	assert_int_equal(prepare(w, "mm@admin"), 0);
	write_text(w, w->authorized,
	    "# checkin --host ws1\" is a comment\nssh-ed25519 AAAA me@home\n\n"
	    "command=\"/x --state /y checkin --host ws1\",restrict " OTHER " old\n"
	    "command=\"/x --state /y checkin --host ws9\",restrict " KEY " wrong\n"
	    "last without end");
	finish(w, "ws1", KEY, "written");
	expect_lines(
	    w, mm_arena_printf(w->a,
		   "# checkin --host ws1\" is a comment\nssh-ed25519 AAAA me@home\n\nlast without end\n%s\n",
		   w->k.line));
	finish(w, "ws1", KEY, "kept");
}

static void given_to_the_owner_of_the_folder(void **state)
{
	W;
	struct stat st;
	if (geteuid() != 0)
		skip();
	assert_int_equal(prepare(w, "mm@admin"), 0);
	assert_int_equal(chown(w->dir, 12345, 12346), 0);
	finish(w, "ws1", KEY, "written");
	assert_int_equal(stat(w->authorized, &st), 0);
	assert_int_equal(st.st_uid, 12345);
	assert_int_equal(st.st_gid, 12346);
	assert_int_equal(st.st_mode & 0777, 0600);
	finish(w, "ws1", KEY, "kept");
	finish(w, "ws2", OTHER, "written");
	assert_int_equal(stat(w->authorized, &st), 0);
	assert_int_equal(st.st_uid, 12345);
}

static void no_line(void **state)
{
	W;
	static char odd[] = "/srv/m m";
	static const char *const bad[] = {NULL, "", "ssh-ed25519", "ssh-ed25519 AAAA", "rubbish " KEY};
	const struct mm_checkin_opts o = {.destination = "mm@admin"};
	assert_int_equal(prepare(w, "mm@admin"), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(
		    mm_enroll_checkin_finish(&w->ctl, &o, "ws1", bad[i], w->a, &w->k, &w->err), -1);
		assert_int_equal(w->err.code, MM_EX_FAILED);
	}
	assert_int_equal(mm_enroll_checkin_finish(&w->ctl, &o, "ws1", KEY, w->a, &w->k, &w->err), 0);
	assert_null(w->k.written);
	w->ctl.state = odd;
	assert_int_equal(mm_enroll_checkin_finish(&w->ctl, &o, "ws1", KEY, w->a, &w->k, &w->err), -1);
	assert_int_equal(w->err.code, MM_EX_USAGE);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {T(destinations), T(the_block), T(lines), T(older_lines),
	    T(given_to_the_owner_of_the_folder), T(no_line)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
