#include "common/file.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/lib/testutil.h"

#define OTHER 65534 /* nobody */

static struct mm_test_dir home;

static const char *in(const char *name)
{
	return mm_test_path(&home, name);
}

static int begin(void **state)
{
	home = mm_test_mkdir();
	return mm_test_begin(state);
}

static int end(void **state)
{
	mm_test_rmdir(&home);
	return mm_test_end(state);
}

static bool is_root(void)
{
	if (geteuid() == 0)
		return true;
	print_message("skipped in part: only root can make files of others\n");
	return false;
}

/* ---- resolve */

static void resolves(const char *name, const char *want, bool through_link)
{
	struct mm_place_fd at;
	enum mm_file_trouble why = MM_FILE_OK;
	struct mm_err e = MM_ERR_NONE;
	if (mm_file_resolve(home.path, in(name), geteuid(), &at, &why, &e) < 0)
		fail_msg("%s: %s", name, e.text);
	assert_string_equal(at.path, in(want));
	assert_string_equal(at.name, strrchr(in(want), '/') + 1);
	assert_int_equal(at.through_link, through_link);
	close(at.dirfd);
}

static void trouble(const char *name, enum mm_file_trouble want)
{
	struct mm_place_fd at;
	enum mm_file_trouble why = MM_FILE_OK;
	struct mm_err e = MM_ERR_NONE;
	if (mm_file_resolve(home.path, in(name), geteuid(), &at, &why, &e) == 0)
		fail_msg("%s was resolved", name);
	assert_string_equal(mm_file_trouble_word(why), mm_file_trouble_word(want));
	assert_non_null(strstr(e.text, name));
}

static void test_resolve_plain(void **state)
{
	(void)state;
	assert_int_equal(mkdir(in("d"), 0700), 0);
	mm_test_write_str(in("d/f"), "x");
	resolves("d/f", "d/f", false);
	resolves("d//./f", "d/f", false);
	resolves("d/../d/f", "d/f", false);
	resolves("d/absent", "d/absent", false);
	trouble("no/f", MM_FILE_ABSENT);
	trouble("d/f/g", MM_FILE_TYPE);
	trouble("d/..", MM_FILE_TYPE);
	struct mm_place_fd at;
	enum mm_file_trouble why = MM_FILE_OK;
	assert_int_equal(mm_file_resolve(home.path, "relative", geteuid(), &at, &why, NULL), -1);
	assert_int_equal(mm_file_resolve(home.path, home.path, geteuid(), &at, &why, NULL), -1);
	assert_int_equal(why, MM_FILE_TYPE);
}

static void test_resolve_limits(void **state)
{
	(void)state;
	char name[300], path[5000];
	memset(name, 'n', sizeof(name));
	name[256] = '\0';
	trouble(name, MM_FILE_SYSTEM);
	name[255] = '\0';
	resolves(name, name, false);
	struct mm_place_fd at;
	enum mm_file_trouble why = MM_FILE_OK;
	memset(path, '/', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(mm_file_resolve("/", path, geteuid(), &at, &why, NULL), -1);
	assert_int_equal(why, MM_FILE_SYSTEM);
}

/* A path beside the base is walked from the root: nothing is skipped. */
static void test_resolve_outside_base(void **state)
{
	(void)state;
	struct mm_place_fd at;
	enum mm_file_trouble why = MM_FILE_OK;
	char base[200];
	mm_test_write_str(in("f"), "x");
	snprintf(base, sizeof(base), "%.100s/oth", home.path);
	assert_int_equal(mm_file_resolve(base, in("f"), geteuid(), &at, &why, NULL), 0);
	assert_string_equal(at.path, in("f"));
	close(at.dirfd);
	/* "/tmp/x" is no base of "/tmp/xy". */
	snprintf(base, sizeof(base), "%.*s", (int)strlen(home.path) - 1, home.path);
	assert_int_equal(mm_file_resolve(base, in("f"), geteuid(), &at, &why, NULL), 0);
	assert_string_equal(at.path, in("f"));
	close(at.dirfd);
}

static void test_links_of_the_user(void **state)
{
	(void)state;
	assert_int_equal(mkdir(in("dotfiles"), 0700), 0);
	assert_int_equal(mkdir(in("dotfiles/mutt"), 0700), 0);
	mm_test_write_str(in("dotfiles/mutt/rc"), "x");
	assert_int_equal(symlink("dotfiles/mutt/rc", in(".muttrc")), 0);
	assert_int_equal(symlink(in("dotfiles/mutt"), in(".mutt")), 0);
	assert_int_equal(symlink(".muttrc", in("twice")), 0);
	assert_int_equal(symlink("./../.muttrc", in("dotfiles/up")), 0);
	resolves(".muttrc", "dotfiles/mutt/rc", true);
	resolves(".mutt/rc", "dotfiles/mutt/rc", true);
	resolves(".mutt/new", "dotfiles/mutt/new", true);
	resolves("twice", "dotfiles/mutt/rc", true);
	resolves("dotfiles/up", "dotfiles/mutt/rc", true);
	struct mm_place_fd at;
	enum mm_file_trouble why = MM_FILE_OK;
	assert_int_equal(mm_file_resolve(home.path, in(".muttrc"), geteuid(), &at, &why, NULL), 0);
	assert_true(at.final_link);
	close(at.dirfd);
	assert_int_equal(mm_file_resolve(home.path, in(".mutt/rc"), geteuid(), &at, &why, NULL), 0);
	assert_false(at.final_link);
	close(at.dirfd);
}

static void test_links_that_lead_nowhere(void **state)
{
	(void)state;
	assert_int_equal(symlink("absent", in("dangling")), 0);
	assert_int_equal(symlink("absent/deeper", in("dangling2")), 0);
	assert_int_equal(symlink("dangling", in("chain")), 0);
	assert_int_equal(symlink("loop", in("loop")), 0);
	trouble("dangling", MM_FILE_LINK);
	trouble("dangling2", MM_FILE_LINK);
	trouble("dangling/f", MM_FILE_LINK);
	trouble("chain", MM_FILE_LINK);
	trouble("loop", MM_FILE_LINK);
	trouble("loop/f", MM_FILE_LINK);
	assert_int_equal(mkdir(in("e"), 0700), 0);
	assert_int_equal(symlink("../e", in("e/self")), 0);
	assert_int_equal(symlink("e/self/absent/x", in("dangling3")), 0);
	trouble("dangling3", MM_FILE_LINK);
	/* Behind a link that is right, what is absent is merely absent. */
	assert_int_equal(mkdir(in("d"), 0700), 0);
	assert_int_equal(symlink("d", in("ok")), 0);
	resolves("ok/f", "d/f", true);
	trouble("ok/no/f", MM_FILE_ABSENT);
	trouble("ok/../dangling", MM_FILE_LINK);
}

static void test_sixteen_links(void **state)
{
	(void)state;
	char from[16], to[16];
	mm_test_write_str(in("l0"), "x");
	for (int i = 1; i <= 17; i++) {
		snprintf(from, sizeof(from), "l%d", i);
		snprintf(to, sizeof(to), "l%d", i - 1);
		assert_int_equal(symlink(to, in(from)), 0);
	}
	resolves("l16", "l0", true);
	trouble("l17", MM_FILE_LINK);
}

static void test_links_and_owners(void **state)
{
	(void)state;
	if (!is_root())
		return;
	assert_int_equal(mkdir(in("shared"), 01777), 0);
	assert_int_equal(chmod(in("shared"), 01777), 0);
	mm_test_write_str(in("mine"), "x");
	mm_test_write_str(in("theirs"), "x");
	assert_int_equal(chown(in("theirs"), OTHER, OTHER), 0);
	assert_int_equal(symlink("../mine", in("shared/planted")), 0);
	assert_int_equal(lchown(in("shared/planted"), OTHER, OTHER), 0);
	assert_int_equal(symlink("theirs", in("to_theirs")), 0);
	trouble("shared/planted", MM_FILE_LINK);
	trouble("to_theirs", MM_FILE_LINK);
}

/* Root's links and files count for a user where only root can put things. */
static void test_links_of_root(void **state)
{
	(void)state;
	if (!is_root())
		return;
	struct mm_place_fd at;
	enum mm_file_trouble why = MM_FILE_OK;
	assert_int_equal(mkdir(in("etc"), 0755), 0);
	mm_test_write_str(in("etc/rc"), "x");
	assert_int_equal(symlink("rc", in("etc/link")), 0);
	assert_int_equal(mm_file_resolve(home.path, in("etc/link"), OTHER, &at, &why, NULL), 0);
	close(at.dirfd);
	assert_int_equal(chmod(in("etc"), 0775), 0);
	assert_int_equal(mm_file_resolve(home.path, in("etc/link"), OTHER, &at, &why, NULL), -1);
	assert_int_equal(why, MM_FILE_LINK);
	assert_int_equal(chmod(in("etc"), 0755), 0);
	assert_int_equal(chown(in("etc"), OTHER, OTHER), 0);
	assert_int_equal(mm_file_resolve(home.path, in("etc/link"), OTHER, &at, &why, NULL), -1);
	assert_int_equal(why, MM_FILE_LINK);
}

/* ---- read */

static int read_file(const char *name, size_t max, struct mm_buf *b, enum mm_file_trouble *why)
{
	struct mm_err e = MM_ERR_NONE;
	int rc = mm_file_read(home.path, in(name), geteuid(), max, b, NULL, why, &e);
	if (rc < 0)
		assert_string_not_equal(e.text, "");
	return rc;
}

static void read_trouble(const char *name, enum mm_file_trouble want)
{
	struct mm_buf b = MM_BUF_INIT(1000);
	enum mm_file_trouble why = MM_FILE_OK;
	assert_int_equal(read_file(name, 1000, &b, &why), -1);
	assert_string_equal(mm_file_trouble_word(why), mm_file_trouble_word(want));
	mm_buf_free(&b);
}

static void test_read(void **state)
{
	(void)state;
	struct mm_buf b = MM_BUF_INIT(1000);
	struct stat st;
	enum mm_file_trouble why = MM_FILE_OK;
	mm_test_write(in("f"), "a\0b", 3, 0640);
	mm_buf_adds(&b, "before:");
	assert_int_equal(mm_file_read(home.path, in("f"), geteuid(), 3, &b, &st, &why, NULL), 0);
	assert_int_equal(b.len, 10);
	assert_memory_equal(b.data, "before:a\0b", 10);
	assert_int_equal(st.st_mode & 07777, 0640);
	mm_buf_free(&b);
}

static void test_read_limit(void **state)
{
	(void)state;
	char big[40000];
	memset(big, 'x', sizeof(big));
	mm_test_write(in("f"), big, sizeof(big), 0600);
	struct mm_buf b = MM_BUF_INIT(50000);
	enum mm_file_trouble why = MM_FILE_OK;
	assert_int_equal(read_file("f", 40000, &b, &why), 0);
	assert_int_equal(b.len, 40000);
	mm_buf_reset(&b);
	assert_int_equal(read_file("f", 39999, &b, &why), -1);
	assert_int_equal(why, MM_FILE_TOO_BIG);
	mm_buf_free(&b);
	b = MM_BUF_INIT(39999);
	assert_int_equal(read_file("f", 40000, &b, &why), -1);
	assert_int_equal(why, MM_FILE_TOO_BIG);
	mm_buf_free(&b);
	/* 50 MiB, without writing them. */
	assert_int_equal(truncate(in("f"), 50 << 20), 0);
	b = MM_BUF_INIT(1 << 20);
	assert_int_equal(read_file("f", 1 << 20, &b, &why), -1);
	assert_int_equal(why, MM_FILE_TOO_BIG);
	assert_int_equal(b.len, 0);
	mm_buf_free(&b);
}

/* A file that grows, or does not tell its size, is limited all the same. */
static void test_read_limit_without_a_size(void **state)
{
	(void)state;
	struct mm_buf b = MM_BUF_INIT(1000);
	enum mm_file_trouble why = MM_FILE_OK;
	assert_int_equal(mm_file_read("/", "/proc/version", geteuid(), 10, &b, NULL, &why, NULL), -1);
	assert_int_equal(why, MM_FILE_TOO_BIG);
	mm_buf_reset(&b);
	assert_int_equal(mm_file_read("/", "/proc/version", geteuid(), 1000, &b, NULL, &why, NULL), 0);
	mm_buf_free(&b);
}

static void test_read_what_is_no_file(void **state)
{
	(void)state;
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	read_trouble("absent", MM_FILE_ABSENT);
	read_trouble("no/where", MM_FILE_ABSENT);
	assert_int_equal(mkdir(in("folder"), 0700), 0);
	read_trouble("folder", MM_FILE_TYPE);
	assert_int_equal(mkfifo(in("fifo"), 0600), 0);
	read_trouble("fifo", MM_FILE_TYPE);
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	memcpy(sun.sun_path, in("socket"), strlen(in("socket")) + 1);
	assert_int_equal(bind(s, (struct sockaddr *)&sun, sizeof(sun)), 0);
	close(s);
	read_trouble("socket", MM_FILE_TYPE);
	assert_int_equal(symlink("/dev/null", in("null")), 0);
	read_trouble("null", MM_FILE_TYPE);
}

static void test_read_owner(void **state)
{
	(void)state;
	if (!is_root())
		return;
	mm_test_write_str(in("f"), "x");
	assert_int_equal(chown(in("f"), OTHER, OTHER), 0);
	read_trouble("f", MM_FILE_OWNER);
	/* A file that root left in the user's folder is not the user's either. */
	struct mm_buf b = MM_BUF_INIT(100);
	enum mm_file_trouble why = MM_FILE_OK;
	mm_test_write_str(in("roots"), "x");
	assert_int_equal(chown(home.path, OTHER, OTHER), 0);
	assert_int_equal(mm_file_read(home.path, in("roots"), OTHER, 10, &b, NULL, &why, NULL), -1);
	assert_int_equal(why, MM_FILE_OWNER);
	assert_int_equal(mm_file_read(home.path, in("f"), OTHER, 10, &b, NULL, &why, NULL), 0);
	mm_buf_free(&b);
}

/* ---- our own files */

static void own_fails(const char *name, bool private, int code, const char *words)
{
	struct mm_buf b = MM_BUF_INIT(100);
	struct mm_err e = MM_ERR_NONE;
	assert_int_equal(mm_file_read_own(in(name), 10, private, &b, &e), -1);
	assert_int_equal(e.code, code);
	if (strstr(e.text, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", e.text, words);
	mm_buf_free(&b);
}

static void test_read_own(void **state)
{
	(void)state;
	struct mm_buf b = MM_BUF_INIT(100);
	mm_test_write(in("f"), "0123456789", 10, 0600);
	assert_int_equal(mm_file_read_own(in("f"), 10, true, &b, NULL), 0);
	assert_string_equal(mm_buf_str(&b), "0123456789");
	mm_buf_free(&b);
	assert_int_equal(chmod(in("f"), 0640), 0);
	own_fails("f", true, MM_EX_NOPERM, "must be private");
	assert_int_equal(mm_file_read_own(in("f"), 10, false, &b, NULL), 0);
	mm_buf_free(&b);
	assert_int_equal(chmod(in("f"), 0646), 0);
	own_fails("f", false, MM_EX_NOPERM, "written by everybody");
	assert_int_equal(chmod(in("f"), 0600), 0);
	assert_int_equal(symlink("f", in("link")), 0);
	own_fails("link", false, MM_EX_FAILED, "symbolic link");
	own_fails("absent", false, MM_EX_FAILED, "No such file");
	assert_int_equal(mkdir(in("d"), 0700), 0);
	own_fails("d", false, MM_EX_FAILED, "not a regular file");
	mm_test_write(in("f"), "0123456789a", 11, 0600);
	own_fails("f", true, MM_EX_DATAERR, "larger than 10 bytes");
	if (is_root()) {
		assert_int_equal(chown(in("f"), OTHER, OTHER), 0);
		own_fails("f", false, MM_EX_NOPERM, "belongs to user number");
	}
}

static mode_t mode_of(const char *name)
{
	struct stat st;
	assert_int_equal(stat(in(name), &st), 0);
	return st.st_mode & 07777;
}

static void test_mkdirs(void **state)
{
	(void)state;
	struct mm_err e = MM_ERR_NONE;
	mode_t mask = umask(077);
	assert_int_equal(mm_mkdirs(in("a/b//c/"), 0755, &e), 0);
	umask(mask);
	assert_int_equal(mode_of("a"), 0755);
	assert_int_equal(mode_of("a/b/c"), 0755);
	assert_int_equal(chmod(in("a"), 0711), 0);
	assert_int_equal(mm_mkdirs(in("a/b/d"), 0700, &e), 0);
	assert_int_equal(mode_of("a"), 0711);
	assert_int_equal(mode_of("a/b/d"), 0700);
	mm_test_write_str(in("f"), "x");
	assert_int_equal(mm_mkdirs(in("f/x"), 0700, &e), -1);
	assert_int_equal(mm_mkdirs(in("f"), 0700, &e), -1);
	assert_int_equal(symlink("a", in("l")), 0);
	assert_int_equal(mm_mkdirs(in("l/new"), 0700, &e), 0);
	assert_int_equal(mode_of("a/new"), 0700);
	char here[4096];
	assert_non_null(getcwd(here, sizeof(here)));
	assert_int_equal(chdir(home.path), 0);
	assert_int_equal(mm_mkdirs("rel/x", 0700, &e), 0);
	assert_int_equal(chdir(here), 0);
	assert_int_equal(mode_of("rel/x"), 0700);
	if (!is_root())
		return;
	assert_int_equal(chown(in("a"), OTHER, OTHER), 0);
	assert_int_equal(mm_mkdirs(in("a/b/e"), 0700, &e), -1);
	assert_int_equal(e.code, MM_EX_NOPERM);
	assert_int_equal(lchown(in("l"), OTHER, OTHER), 0);
	assert_int_equal(chown(in("a"), 0, 0), 0);
	assert_int_equal(mm_mkdirs(in("l/other"), 0700, &e), -1);
	assert_int_equal(e.code, MM_EX_NOPERM);
}

/* ---- locks */

static void test_lock(void **state)
{
	(void)state;
	struct mm_err e = MM_ERR_NONE;
	int fd = mm_lock_file(in("lock"), 0, &e);
	assert_true(fd >= 0);
	assert_int_equal(mode_of("lock"), 0600);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	assert_int_equal(mm_lock_file(in("lock"), 50, &e), -1);
	assert_non_null(strstr(e.text, "locked by another process"));
	close(fd);
	fd = mm_lock_file(in("lock"), 0, &e);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(symlink("lock", in("link")), 0);
	assert_int_equal(mm_lock_file(in("link"), 0, &e), -1);
	assert_int_equal(mkfifo(in("fifo"), 0600), 0);
	assert_int_equal(mm_lock_file(in("fifo"), 0, &e), -1);
	assert_int_equal(e.code, MM_EX_NOPERM);
	assert_int_equal(mm_lock_file(in("no/lock"), 0, &e), -1);
}

static void *unlock_later(void *arg)
{
	const int *fd = arg;
	usleep(60000);
	close(*fd);
	return NULL;
}

static void test_lock_waits(void **state)
{
	(void)state;
	pthread_t other;
	int held = mm_lock_file(in("lock"), 0, NULL);
	assert_true(held >= 0);
	assert_int_equal(pthread_create(&other, NULL, unlock_later, &held), 0);
	int fd = mm_lock_file(in("lock"), 5000, NULL);
	assert_true(fd >= 0);
	assert_int_equal(pthread_join(other, NULL), 0);
	close(fd);
}

static void *unlink_and_unlock(void *arg)
{
	const int *fd = arg;
	usleep(60000);
	unlink(in("lock"));
	mm_test_write(in("lock"), "", 0, 0600);
	close(*fd);
	return NULL;
}

/* Who waited on a file that was removed gets a lock on the one that is there. */
static void test_lock_on_a_removed_file(void **state)
{
	(void)state;
	pthread_t other;
	int held = mm_lock_file(in("lock"), 0, NULL);
	assert_int_equal(pthread_create(&other, NULL, unlink_and_unlock, &held), 0);
	int fd = mm_lock_file(in("lock"), 5000, NULL);
	assert_true(fd >= 0);
	assert_int_equal(pthread_join(other, NULL), 0);
	struct stat a, b;
	assert_int_equal(fstat(fd, &a), 0);
	assert_int_equal(stat(in("lock"), &b), 0);
	assert_true(a.st_ino == b.st_ino);
	close(fd);
}

static void test_words(void **state)
{
	(void)state;
	for (int i = MM_FILE_OK; i <= MM_FILE_SYSTEM; i++) {
		assert_non_null(mm_file_trouble_word((enum mm_file_trouble)i));
		for (int k = MM_FILE_OK; k < i; k++)
			assert_string_not_equal(mm_file_trouble_word((enum mm_file_trouble)i),
			    mm_file_trouble_word((enum mm_file_trouble)k));
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(test_resolve_plain),
	    TEST(test_resolve_limits),
	    TEST(test_resolve_outside_base),
	    TEST(test_links_of_the_user),
	    TEST(test_links_that_lead_nowhere),
	    TEST(test_sixteen_links),
	    TEST(test_links_and_owners),
	    TEST(test_links_of_root),
	    TEST(test_read),
	    TEST(test_read_limit),
	    TEST(test_read_limit_without_a_size),
	    TEST(test_read_what_is_no_file),
	    TEST(test_read_owner),
	    TEST(test_read_own),
	    TEST(test_mkdirs),
	    TEST(test_lock),
	    TEST(test_lock_waits),
	    TEST(test_lock_on_a_removed_file),
	    TEST(test_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
