#include <sys/file.h>
#include <sys/xattr.h>

#include "common/digest.h"
#include "common/file.h"
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

static const struct mm_replace_opts plain = {.create_mode = 0600};

/* What mm_replace() says, in one word: kept, changed, created, or the trouble. */
static const char *replace_with(const char *name, const char *text, const struct mm_replace_opts *o)
{
	static const char *const words[] = {"kept", "changed", "created"};
	enum mm_replaced done = MM_KEPT;
	enum mm_file_trouble why = MM_FILE_SYSTEM;
	struct mm_err e = MM_ERR_NONE;
	int rc = mm_replace(home.path, in(name), geteuid(), text, strlen(text), o, &done, &why, &e);
	if (rc == 0) {
		assert_int_equal(why, MM_FILE_OK);
		assert_string_equal(e.text, "");
		return words[done];
	}
	assert_string_not_equal(e.text, "");
	return mm_file_trouble_word(why);
}

static const char *replace(const char *name, const char *text)
{
	return replace_with(name, text, &plain);
}

static struct stat stat_of(const char *name)
{
	struct stat st;
	assert_int_equal(lstat(in(name), &st), 0);
	return st;
}

static void test_create_change_keep(void **state)
{
	(void)state;
	mode_t mask = umask(0);
	assert_string_equal(replace("f", "one\n"), "created");
	umask(mask);
	mm_test_content(in("f"), "one\n");
	assert_int_equal(stat_of("f").st_mode & 07777, 0600);
	ino_t inode = stat_of("f").st_ino;
	assert_string_equal(replace("f", "one\n"), "kept");
	assert_true(stat_of("f").st_ino == inode);
	assert_string_equal(replace("f", "two\n"), "changed");
	mm_test_content(in("f"), "two\n");
	assert_true(stat_of("f").st_ino != inode);
	assert_string_equal(replace("f", ""), "changed");
	mm_test_content(in("f"), "");
	assert_int_equal(mm_test_entries(home.path), 1);
}

static void test_create_mode(void **state)
{
	(void)state;
	const struct mm_replace_opts never = {.create_mode = 0}, wide = {.create_mode = 0644};
	assert_string_equal(replace_with("f", "x", &never), "absent");
	assert_int_equal(mm_test_entries(home.path), 0);
	mode_t mask = umask(077);
	assert_string_equal(replace_with("f", "x", &wide), "created");
	umask(mask);
	assert_int_equal(stat_of("f").st_mode & 07777, 0644);
	assert_string_equal(replace_with("f", "y", &never), "changed");
}

static void test_mode_stays(void **state)
{
	(void)state;
	static const mode_t modes[] = {0400, 0600, 0640, 0666, 0755, 04711};
	mm_test_write_str(in("f"), "x");
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		char text[2] = {(char)('a' + i), 0};
		assert_int_equal(chmod(in("f"), modes[i]), 0);
		assert_string_equal(replace("f", text), "changed");
		assert_int_equal(stat_of("f").st_mode & 07777, modes[i]);
	}
}

static void test_group_stays(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		print_message("skipped: only root can give a file to any group\n");
		return;
	}
	mm_test_write_str(in("f"), "x");
	assert_int_equal(chown(in("f"), 0, 12345), 0);
	assert_string_equal(replace("f", "y"), "changed");
	assert_int_equal(stat_of("f").st_gid, 12345);
}

/* The xattr form of the ACL "u::rw-, u:12345:r--, g::r--, m::r--, o::---". */
static const unsigned char acl[] = {2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 4, 0, 0x39, 0x30, 0, 0,
    4, 0, 4, 0, 255, 255, 255, 255, 0x10, 0, 4, 0, 255, 255, 255, 255, 0x20, 0, 0, 0, 255, 255, 255, 255};

static void test_xattrs_stay(void **state)
{
	(void)state;
	char value[100];
	mm_test_write_str(in("f"), "x");
	if (setxattr(in("f"), "user.note", "hello", 5, 0) < 0 ||
	    setxattr(in("f"), "user.empty", "", 0, 0) < 0) {
		print_message("skipped: this file system has no extended attributes\n");
		return;
	}
	assert_string_equal(replace("f", "y"), "changed");
	assert_int_equal(getxattr(in("f"), "user.note", value, sizeof(value)), 5);
	assert_memory_equal(value, "hello", 5);
	assert_int_equal(getxattr(in("f"), "user.empty", value, sizeof(value)), 0);
}

static void test_acl_stays(void **state)
{
	(void)state;
	char value[100];
	mm_test_write_str(in("f"), "x");
	if (setxattr(in("f"), "system.posix_acl_access", acl, sizeof(acl), 0) < 0) {
		print_message("skipped: this file system has no access lists\n");
		return;
	}
	mode_t mode = stat_of("f").st_mode;
	assert_string_equal(replace("f", "y"), "changed");
	assert_int_equal(getxattr(in("f"), "system.posix_acl_access", value, sizeof(value)), sizeof(acl));
	assert_memory_equal(value, acl, sizeof(acl));
	assert_int_equal(stat_of("f").st_mode, mode);
}

/* A default ACL of the folder gives nothing to a file that had none. */
static void test_no_acl_stays_no_acl(void **state)
{
	(void)state;
	char value[100];
	mm_test_write_str(in("f"), "x");
	if (setxattr(home.path, "system.posix_acl_default", acl, sizeof(acl), 0) < 0) {
		print_message("skipped: this file system has no access lists\n");
		return;
	}
	assert_string_equal(replace("f", "y"), "changed");
	assert_int_equal(getxattr(in("f"), "system.posix_acl_access", value, sizeof(value)), -1);
	assert_int_equal(stat_of("f").st_mode & 07777, 0644);
}

static struct mm_replace_opts expecting(const char *text)
{
	struct mm_replace_opts o = {.create_mode = 0600, .has_expect = true};
	if (text != NULL)
		mm_sha256_hex(text, strlen(text), o.expect_sha256);
	return o;
}

static void test_expect(void **state)
{
	(void)state;
	struct mm_replace_opts absent = expecting(NULL), one = expecting("one"), two = expecting("two");
	assert_string_equal(replace_with("f", "one", &one), "changed");
	assert_int_equal(mm_test_entries(home.path), 0);
	/* "changed" is here the trouble: the file that was expected is not there. */
	assert_string_equal(replace_with("f", "one", &absent), "created");
	assert_string_equal(replace_with("f", "two", &absent), "changed");
	mm_test_content(in("f"), "one");
	assert_string_equal(replace_with("f", "three", &two), "changed");
	mm_test_content(in("f"), "one");
	assert_string_equal(replace_with("f", "two", &one), "changed");
	mm_test_content(in("f"), "two");
	assert_string_equal(replace_with("f", "two", &one), "changed");
	assert_string_equal(replace_with("f", "two", &two), "kept");
}

static void test_folders_are_made(void **state)
{
	(void)state;
	const struct mm_replace_opts o = {.create_mode = 0600, .dir_mode = 0750};
	assert_string_equal(replace("a/b/f", "x"), "absent");
	mode_t mask = umask(077);
	assert_string_equal(replace_with("a/b//f", "x", &o), "created");
	umask(mask);
	mm_test_content(in("a/b/f"), "x");
	assert_int_equal(stat_of("a").st_mode & 07777, 0750);
	assert_int_equal(stat_of("a/b").st_mode & 07777, 0750);
	/* Below a folder that is a link. */
	assert_int_equal(symlink("a", in("l")), 0);
	assert_string_equal(replace_with("l/c/f", "x", &o), "created");
	mm_test_content(in("a/c/f"), "x");
	/* Where no file is to be made, no folder is. */
	const struct mm_replace_opts never = {.create_mode = 0, .dir_mode = 0750};
	assert_string_equal(replace_with("n/f", "x", &never), "absent");
	assert_int_equal(access(in("n"), F_OK), -1);
}

static void test_folders_go_again(void **state)
{
	(void)state;
	struct mm_replace_opts o = expecting("something that is not there");
	o.dir_mode = 0700;
	assert_int_equal(mkdir(in("old"), 0700), 0);
	assert_string_equal(replace_with("old/a/b/f", "x", &o), "changed");
	assert_int_equal(mm_test_entries(in("old")), 0);
	/* A name that cannot be: the folders made for it go, too. */
	char name[300];
	memset(name, 'n', sizeof(name));
	memcpy(name, "new/a/", 6);
	name[270] = '\0';
	const struct mm_replace_opts make = {.create_mode = 0600, .dir_mode = 0700};
	assert_string_equal(replace_with(name, "x", &make), "system");
	assert_int_equal(mm_test_entries(home.path), 1);
}

static void test_links_stay(void **state)
{
	(void)state;
	assert_int_equal(mkdir(in("dotfiles"), 0700), 0);
	mm_test_write_str(in("dotfiles/rc"), "x");
	assert_int_equal(symlink("dotfiles/rc", in("rc")), 0);
	assert_int_equal(symlink("absent", in("dangling")), 0);
	assert_string_equal(replace("rc", "y"), "changed");
	assert_true(S_ISLNK(stat_of("rc").st_mode));
	mm_test_content(in("dotfiles/rc"), "y");
	assert_string_equal(replace("dangling", "y"), "link");
	assert_int_equal(access(in("absent"), F_OK), -1);
	assert_int_equal(mm_test_entries(home.path), 3);
}

static void test_what_is_no_file_of_ours(void **state)
{
	(void)state;
	assert_int_equal(mkdir(in("d"), 0700), 0);
	assert_string_equal(replace("d", "x"), "type");
	assert_int_equal(mkfifo(in("fifo"), 0600), 0);
	assert_string_equal(replace("fifo", "x"), "type");
	if (geteuid() == 0) {
		mm_test_write_str(in("theirs"), "x");
		assert_int_equal(chown(in("theirs"), OTHER, OTHER), 0);
		assert_string_equal(replace("theirs", "y"), "owner");
		mm_test_content(in("theirs"), "x");
	}
}

static void test_stale_files_go(void **state)
{
	(void)state;
	mm_test_write_str(in("f"), "x");
	mm_test_write_str(in(".f.mailmuster.abc234"), "left by a crash");
	mm_test_write_str(in(".f.mailmuster.zzzzzz"), "being written next door");
	mm_test_write_str(in(".f.mailmuster.long-name"), "not ours");
	mm_test_write_str(in(".g.mailmuster.abc234"), "another file's");
	assert_int_equal(symlink("f", in(".f.mailmuster.link22")), 0);
	int busy = open(in(".f.mailmuster.zzzzzz"), O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(busy, LOCK_EX | LOCK_NB), 0);
	assert_string_equal(replace("f", "y"), "changed");
	assert_int_equal(access(in(".f.mailmuster.abc234"), F_OK), -1);
	assert_int_equal(access(in(".f.mailmuster.zzzzzz"), F_OK), 0);
	assert_int_equal(access(in(".f.mailmuster.long-name"), F_OK), 0);
	assert_int_equal(access(in(".g.mailmuster.abc234"), F_OK), 0);
	close(busy);
	assert_string_equal(replace("f", "z"), "changed");
	assert_int_equal(access(in(".f.mailmuster.zzzzzz"), F_OK), -1);
}

static void test_longest_name(void **state)
{
	(void)state;
	char name[300];
	memset(name, 'n', sizeof(name));
	name[255] = '\0';
	assert_string_equal(replace(name, "x"), "created");
	assert_string_equal(replace(name, "y"), "changed");
	mm_test_content(in(name), "y");
	assert_int_equal(mm_test_entries(home.path), 1);
}

static void test_big_file(void **state)
{
	(void)state;
	size_t n = 3 << 20;
	char *big = calloc(1, n);
	enum mm_replaced done = MM_KEPT;
	enum mm_file_trouble why = MM_FILE_OK;
	assert_int_equal(mm_replace(home.path, in("f"), geteuid(), big, n, &plain, &done, &why, NULL), 0);
	assert_int_equal(stat_of("f").st_size, n);
	assert_int_equal(mm_replace(home.path, in("f"), geteuid(), big, n, &plain, &done, &why, NULL), 0);
	assert_int_equal(done, MM_KEPT);
	free(big);
}

/* ---- removing */

static const char *remove_if(const char *name, const char *text)
{
	char hex[MM_SHA256_HEX];
	enum mm_file_trouble why = MM_FILE_SYSTEM;
	struct mm_err e = MM_ERR_NONE;
	mm_sha256_hex(text, strlen(text), hex);
	int rc = mm_file_remove(home.path, in(name), geteuid(), hex, &why, &e);
	assert_int_equal(rc == 0, e.code == 0);
	return mm_file_trouble_word(why);
}

static void test_remove(void **state)
{
	(void)state;
	mm_test_write_str(in("f"), "ours");
	assert_string_equal(remove_if("f", "other"), "changed");
	mm_test_content(in("f"), "ours");
	assert_string_equal(remove_if("f", "ours"), "ok");
	assert_int_equal(access(in("f"), F_OK), -1);
	assert_string_equal(remove_if("f", "ours"), "ok");
	assert_string_equal(remove_if("no/f", "ours"), "ok");
	mm_test_write_str(in("g"), "ours");
	assert_int_equal(symlink("g", in("l")), 0);
	assert_string_equal(remove_if("l", "ours"), "link");
	mm_test_content(in("g"), "ours");
	assert_int_equal(mkdir(in("d"), 0700), 0);
	assert_string_equal(remove_if("d", "ours"), "type");
	assert_int_equal(symlink("absent", in("dangling")), 0);
	assert_string_equal(remove_if("dangling", "ours"), "link");
}

/* ---- our own files */

static void test_write_own(void **state)
{
	(void)state;
	struct mm_err e = MM_ERR_NONE;
	mode_t mask = umask(077);
	assert_int_equal(mm_write_own(in("key"), "secret", 6, 0600, &e), 0);
	assert_int_equal(mm_write_own(in("public"), "pub", 3, 0644, &e), 0);
	umask(mask);
	mm_test_content(in("key"), "secret");
	assert_int_equal(stat_of("key").st_mode & 07777, 0600);
	assert_int_equal(stat_of("public").st_mode & 07777, 0644);
	/* The mode is what was asked for, whatever was there. */
	assert_int_equal(chmod(in("key"), 0666), 0);
	assert_int_equal(mm_write_own(in("key"), "new", 3, 0600, &e), 0);
	mm_test_content(in("key"), "new");
	assert_int_equal(stat_of("key").st_mode & 07777, 0600);
	/* A link is replaced, not followed. */
	assert_int_equal(symlink("key", in("l")), 0);
	assert_int_equal(mm_write_own(in("l"), "x", 1, 0600, &e), 0);
	assert_true(S_ISREG(stat_of("l").st_mode));
	mm_test_content(in("key"), "new");
	assert_int_equal(mm_write_own(in("no/f"), "x", 1, 0600, &e), -1);
	assert_int_equal(mm_write_own(in("d/"), "x", 1, 0600, &e), -1);
	assert_int_equal(mkdir(in("d"), 0700), 0);
	assert_int_equal(mm_write_own(in("d"), "x", 1, 0600, &e), -1);
	assert_int_equal(mm_test_entries(home.path), 4);
	char here[4096];
	assert_non_null(getcwd(here, sizeof(here)));
	assert_int_equal(chdir(home.path), 0);
	assert_int_equal(mm_write_own("relative", "x", 1, 0600, &e), 0);
	assert_int_equal(chdir(here), 0);
	mm_test_content(in("relative"), "x");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(test_create_change_keep),
	    TEST(test_create_mode),
	    TEST(test_mode_stays),
	    TEST(test_group_stays),
	    TEST(test_xattrs_stay),
	    TEST(test_acl_stays),
	    TEST(test_no_acl_stays_no_acl),
	    TEST(test_expect),
	    TEST(test_folders_are_made),
	    TEST(test_folders_go_again),
	    TEST(test_links_stay),
	    TEST(test_what_is_no_file_of_ours),
	    TEST(test_stale_files_go),
	    TEST(test_longest_name),
	    TEST(test_big_file),
	    TEST(test_remove),
	    TEST(test_write_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
