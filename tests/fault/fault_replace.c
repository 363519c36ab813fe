/*
 * mm_replace() and its kin when something goes wrong at any moment: the file
 * is the old one or the new one, whole, with its mode and attributes, and no
 * temporary file stays, or only until the next replacement.
 */
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "common/digest.h"
#include "common/file.h"
#include "common/proc.h"
#include "tests/fault/faults.h"
#include "tests/lib/testutil.h"

static const char old_text[] = "# my own file\nset from = \"alice@old.example\"\n";
static const char new_text[] = "# my own file\nset from = \"alice@new.example\"\n# more than before\n";

static struct mm_test_dir home;
static bool has_xattrs;

static const char *in(const char *name)
{
	return mm_test_path(&home, name);
}

/* What is in the file: 'o'ld, 'n'ew, 'a'bsent, or '?' for anything else. */
static char content_of(const char *name)
{
	char have[1024];
	int fd = open(in(name), O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 'a' : '?';
	ssize_t n = read(fd, have, sizeof(have));
	close(fd);
	if (n == (ssize_t)strlen(old_text) && memcmp(have, old_text, (size_t)n) == 0)
		return 'o';
	if (n == (ssize_t)strlen(new_text) && memcmp(have, new_text, (size_t)n) == 0)
		return 'n';
	return '?';
}

/* ---- what is done, from what beginning */

struct scene {
	const char *name;
	void (*prepare)(void);
	int (*act)(enum mm_file_trouble *why, struct mm_err *err);
	const char *file;
	char before, after; /* as content_of() says */
	mode_t mode;        /* whatever happens, once the file is there */
	bool keeps_xattr;
};

static void old_file(void)
{
	mm_test_write(in("rc"), old_text, strlen(old_text), 0640);
	has_xattrs = setxattr(in("rc"), "user.note", "mine", 4, 0) == 0;
}

static void old_file_behind_link(void)
{
	assert_int_equal(mkdir(in("dotfiles"), 0700), 0);
	mm_test_write(in("dotfiles/rc"), old_text, strlen(old_text), 0640);
	assert_int_equal(symlink("dotfiles/rc", in("rc")), 0);
	has_xattrs = false;
}

static void nothing(void)
{
	has_xattrs = false;
}

static int replace_in(
    const char *name, const struct mm_replace_opts *o, enum mm_file_trouble *why, struct mm_err *err)
{
	enum mm_replaced done = MM_KEPT;
	return mm_replace(home.path, in(name), geteuid(), new_text, strlen(new_text), o, &done, why, err);
}

static int change(enum mm_file_trouble *why, struct mm_err *err)
{
	struct mm_replace_opts o = {.create_mode = 0, .has_expect = true};
	mm_sha256_hex(old_text, strlen(old_text), o.expect_sha256);
	return replace_in("rc", &o, why, err);
}

static int create(enum mm_file_trouble *why, struct mm_err *err)
{
	const struct mm_replace_opts o = {.create_mode = 0640, .dir_mode = 0700};
	return replace_in("a/b/rc", &o, why, err);
}

static int write_own(enum mm_file_trouble *why, struct mm_err *err)
{
	*why = MM_FILE_SYSTEM;
	return mm_write_own(in("rc"), new_text, strlen(new_text), 0640, err);
}

static int remove_it(enum mm_file_trouble *why, struct mm_err *err)
{
	char hex[MM_SHA256_HEX];
	mm_sha256_hex(old_text, strlen(old_text), hex);
	return mm_file_remove(home.path, in("rc"), geteuid(), hex, why, err);
}

static const struct scene scenes[] = {
    {"change", old_file, change, "rc", 'o', 'n', 0640, true},
    {"change behind a link", old_file_behind_link, change, "dotfiles/rc", 'o', 'n', 0640, false},
    {"create with folders", nothing, create, "a/b/rc", 'a', 'n', 0640, false},
    {"write our own", old_file, write_own, "rc", 'o', 'n', 0640, false},
    {"remove", old_file, remove_it, "rc", 'o', 'a', 0640, false},
};
#define SCENES (sizeof(scenes) / sizeof(scenes[0]))

/* ---- one attempt, in a process of its own */

enum { SUCCEEDED = 0, FAILED = 1, NO_WORDS = 2, LEAK = 3 };

static int attempt(const struct scene *s, const struct mm_fault *f)
{
	enum mm_file_trouble why = MM_FILE_OK;
	struct mm_err err = MM_ERR_NONE;
	size_t fds = mm_test_fds();
	mm_fault_arm(f);
	int rc = s->act(&why, &err);
	mm_fault_disarm();
	if (mm_test_fds() != fds)
		return LEAK;
	if (rc < 0 && (err.text[0] == '\0' || err.code == 0 || why == MM_FILE_OK))
		return NO_WORDS;
	return rc < 0 ? FAILED : SUCCEEDED;
}

static int in_child(const struct scene *s, const struct mm_fault *f)
{
	fflush(NULL);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(attempt(s, f));
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static size_t calls_of(const struct scene *s)
{
	const struct mm_fault count = {.kind = MM_FAULT_COUNT};
	home = mm_test_mkdir();
	s->prepare();
	mm_fault_arm(&count);
	enum mm_file_trouble why = MM_FILE_OK;
	struct mm_err err = MM_ERR_NONE;
	assert_int_equal(s->act(&why, &err), 0);
	size_t n = mm_fault_disarm();
	assert_int_equal(content_of(s->file), s->after);
	mm_test_rmdir(&home);
	return n;
}

static size_t temporaries(const char *file)
{
	char folder[4096];
	size_t n = 0;
	snprintf(folder, sizeof(folder), "%s", in(file));
	*strrchr(folder, '/') = '\0';
	DIR *d = opendir(folder);
	if (d == NULL)
		return 0;
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		n += strstr(e->d_name, ".mailmuster.") != NULL;
	closedir(d);
	return n;
}

/* The file is whole, and what is said about it is true. */
static void check_file(const struct scene *s, const char *what, size_t at)
{
	struct stat st;
	char value[8];
	char c = content_of(s->file);
	if (c != s->before && c != s->after)
		fail_msg("%s, %s at call %zu: the file is neither old nor new: %c", s->name, what, at, c);
	if (c == 'a')
		return;
	assert_int_equal(stat(in(s->file), &st), 0);
	if ((st.st_mode & 07777) != s->mode)
		fail_msg("%s, %s at call %zu: mode %o", s->name, what, at, (unsigned)(st.st_mode & 07777));
	if (has_xattrs && s->keeps_xattr && getxattr(in(s->file), "user.note", value, sizeof(value)) != 4)
		fail_msg("%s, %s at call %zu: an attribute is lost", s->name, what, at);
}

/* ---- every call fails once */

static void fail_at(const struct scene *s, size_t at, int error)
{
	const struct mm_fault f = {.kind = MM_FAULT_FAIL, .at = at, .error = error};
	home = mm_test_mkdir();
	s->prepare();
	size_t entries = mm_test_entries(home.path);
	int status = in_child(s, &f);
	if (!WIFEXITED(status) || WEXITSTATUS(status) > FAILED)
		fail_msg("%s, error %d at call %zu: status %d", s->name, error, at, status);
	bool ok = WEXITSTATUS(status) == SUCCEEDED;
	check_file(s, strerror(error), at);
	if (ok && content_of(s->file) != s->after)
		fail_msg("%s, error %d at call %zu: claims success", s->name, error, at);
	if (temporaries(s->file) != 0)
		fail_msg("%s, error %d at call %zu: a temporary file stays", s->name, error, at);
	if (!ok && content_of(s->file) == 'a' && s->after != 'a')
		assert_int_equal(mm_test_entries(home.path), entries);
	mm_test_rmdir(&home);
}

static void test_every_call_fails_once(void **state)
{
	(void)state;
	static const int errors[] = {EIO, ENOSPC, EACCES, EINTR};
	for (size_t i = 0; i < SCENES; i++) {
		size_t calls = calls_of(&scenes[i]);
		assert_true(calls > 8);
		for (size_t at = 1; at <= calls; at++) {
			for (size_t e = 0; e < sizeof(errors) / sizeof(errors[0]); e++)
				fail_at(&scenes[i], at, errors[e]);
		}
	}
}

/* Number of the first call of this name in the trace, from 1. */
static size_t index_of(const char *trace, const char *call)
{
	size_t n = 1;
	for (const char *p = trace; *p != '\0'; n++) {
		size_t k = strcspn(p, " ");
		if (k == strlen(call) && memcmp(p, call, k) == 0)
			return n;
		p += k + strspn(p + k, " ");
	}
	return 0;
}

/* What tells of a disk that did not take the content counts as failure: a
 * success here would be one by inference. */
static void test_content_that_did_not_reach_the_disk(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		calls_of(&scenes[i]);
		size_t written = index_of(mm_fault_trace(), "write");
		size_t synced = index_of(mm_fault_trace(), "fsync");
		assert_true(written > 0 && synced > written);
		/* The temporary file is closed right after its fsync. */
		const size_t at[] = {written, synced, synced + 1};
		for (size_t k = 0; k < 3; k++) {
			const struct mm_fault f = {.kind = MM_FAULT_FAIL, .at = at[k], .error = EIO};
			home = mm_test_mkdir();
			scenes[i].prepare();
			int status = in_child(&scenes[i], &f);
			assert_true(WIFEXITED(status));
			assert_int_equal(WEXITSTATUS(status), FAILED);
			assert_int_equal(content_of(scenes[i].file), scenes[i].before);
			mm_test_rmdir(&home);
		}
	}
}

/* ---- killed at every call */

static void kill_at(const struct scene *s, size_t at)
{
	const struct mm_fault f = {.kind = MM_FAULT_KILL, .at = at}, none = {.kind = MM_FAULT_COUNT};
	home = mm_test_mkdir();
	s->prepare();
	int status = in_child(s, &f);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	check_file(s, "kill", at);
	assert_true(temporaries(s->file) <= 1);
	/* What is left is cleared away by the next replacement, whatever its content. */
	if (content_of(s->file) == s->before) {
		assert_int_equal(in_child(s, &none), SUCCEEDED);
		assert_int_equal(content_of(s->file), s->after);
	}
	if (temporaries(s->file) != 0)
		fail_msg("%s, killed at call %zu: a temporary file stays for good", s->name, at);
	mm_test_rmdir(&home);
}

static void test_killed_at_every_call(void **state)
{
	(void)state;
	for (size_t i = 0; i < SCENES; i++) {
		size_t calls = calls_of(&scenes[i]);
		for (size_t at = 1; at <= calls; at++)
			kill_at(&scenes[i], at);
	}
}

/* ---- power loss: the order in which things reach the disk */

static void test_order(void **state)
{
	(void)state;
	static const char *const renames[] = {"renameat ", "renameat ", "renameat2 ", "renameat "};
	for (size_t i = 0; i < 4; i++) {
		const struct mm_fault count = {.kind = MM_FAULT_COUNT};
		enum mm_file_trouble why = MM_FILE_OK;
		struct mm_err err = MM_ERR_NONE;
		home = mm_test_mkdir();
		scenes[i].prepare();
		mm_fault_arm(&count);
		assert_int_equal(scenes[i].act(&why, &err), 0);
		mm_fault_disarm();
		/* write, fsync of the file, rename, fsync of the folder */
		const char *p = strstr(mm_fault_trace(), "write ");
		assert_non_null(p);
		p = strstr(p, "fsync ");
		assert_non_null(p);
		p = strstr(p, renames[i]);
		assert_non_null(p);
		assert_non_null(strstr(p, "fsync "));
		mm_test_rmdir(&home);
	}
}

/* ---- somebody else writes while we do */

static void user_appends(void)
{
	int fd = open(in("rc"), O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(write(fd, "mine\n", 5), 5);
	close(fd);
}

static void user_replaces(void)
{
	mm_test_write(in("other"), "mine\n", 5, 0640);
	assert_int_equal(rename(in("other"), in("rc")), 0);
}

static void user_removes(void)
{
	assert_int_equal(unlink(in("rc")), 0);
}

static void user_links(void)
{
	assert_int_equal(unlink(in("rc")), 0);
	assert_int_equal(symlink("/etc/passwd", in("rc")), 0);
}

static void user_creates(void)
{
	mm_test_write_str(in("a/b/rc"), "mine\n");
}

static void meddle(const struct scene *s, const char *call, void (*hook)(void))
{
	const struct mm_fault f = {.kind = MM_FAULT_HOOK, .name = call, .hook = hook};
	enum mm_file_trouble why = MM_FILE_OK;
	struct mm_err err = MM_ERR_NONE;
	home = mm_test_mkdir();
	s->prepare();
	mm_fault_arm(&f);
	int rc = s->act(&why, &err);
	mm_fault_disarm();
	assert_int_equal(rc, -1);
	assert_string_equal(mm_file_trouble_word(why), "changed");
	assert_int_equal(temporaries(s->file), 0);
	/* What the user did stays done. */
	struct stat st;
	if (hook == user_removes)
		assert_int_equal(content_of(s->file), 'a');
	else if (hook == user_links)
		assert_true(lstat(in(s->file), &st) == 0 && S_ISLNK(st.st_mode));
	else
		assert_int_equal(content_of(s->file), '?');
	mm_test_rmdir(&home);
}

static void test_somebody_else_writes(void **state)
{
	(void)state;
	/* While the new content goes to the disk, the slowest moment. */
	meddle(&scenes[0], "fsync", user_appends);
	meddle(&scenes[0], "fsync", user_replaces);
	meddle(&scenes[0], "fsync", user_removes);
	meddle(&scenes[0], "fsync", user_links);
	meddle(&scenes[2], "fsync", user_creates);
	/* At the very last moment: a new file never covers another. */
	meddle(&scenes[2], "renameat2", user_creates);
}

/* ---- real file systems that do not want */

static bool own_mounts(const char *what)
{
	if (geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0)
		return true;
	print_message("skipped: %s needs a mount of its own\n", what);
	return false;
}

/* Big enough not to fit beside the old one on a disk of 64 KiB. */
static int replace_big(enum mm_file_trouble *why, struct mm_err *err)
{
	static char big[60000];
	const struct mm_replace_opts o = {.create_mode = 0};
	enum mm_replaced done = MM_KEPT;
	memset(big, 'b', sizeof(big));
	return mm_replace(home.path, in("rc"), geteuid(), big, sizeof(big), &o, &done, why, err);
}

static int on_a_full_disk(void)
{
	enum mm_file_trouble why = MM_FILE_OK;
	struct mm_err err = MM_ERR_NONE;
	char fill[20000];
	memset(fill, 'f', sizeof(fill));
	if (mount("none", home.path, "tmpfs", 0, "size=64k") < 0)
		return 1;
	old_file();
	mm_test_write(in("fill"), fill, sizeof(fill), 0600);
	int rc = replace_big(&why, &err);
	if (rc == 0 || why != MM_FILE_SYSTEM || strstr(err.text, "No space left") == NULL)
		return 2;
	if (content_of("rc") != 'o' || temporaries("rc") != 0)
		return 3;
	/* A small change fits, and a disk that is writable no more is told apart. */
	if (change(&why, &err) < 0 || content_of("rc") != 'n')
		return 4;
	if (mount(NULL, home.path, NULL, MS_REMOUNT | MS_RDONLY, NULL) < 0)
		return 5;
	rc = replace_big(&why, &err);
	if (rc == 0 || why != MM_FILE_READONLY || content_of("rc") != 'n')
		return 6;
	return umount(home.path) < 0 ? 7 : 0;
}

static void test_full_disk(void **state)
{
	(void)state;
	home = mm_test_mkdir();
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(own_mounts("a full disk") ? on_a_full_disk() : 0);
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	mm_test_rmdir(&home);
}

/* For an ordinary user: root may write everywhere. */
static int in_a_readonly_folder(void)
{
	enum mm_file_trouble why = MM_FILE_OK;
	struct mm_err err = MM_ERR_NONE;
	if (geteuid() == 0) {
		if (chown(home.path, 12345, 12345) < 0 || mm_drop_to_user(NULL, 12345, 12345, &err) < 0)
			return 1;
	}
	old_file();
	if (chmod(home.path, 0500) < 0)
		return 2;
	if (change(&why, &err) == 0 || why != MM_FILE_READONLY)
		return 3;
	if (content_of("rc") != 'o' || mm_test_entries(home.path) != 1)
		return 4;
	if (remove_it(&why, &err) == 0 || why != MM_FILE_READONLY)
		return 5;
	if (create(&why, &err) == 0 || why != MM_FILE_READONLY)
		return 6;
	/* A folder that can be written, but not listed, is enough. */
	if (chmod(home.path, 0300) < 0 || change(&why, &err) < 0)
		return 7;
	return chmod(home.path, 0700) < 0 || content_of("rc") != 'n' ? 8 : 0;
}

static void test_readonly_folder(void **state)
{
	(void)state;
	home = mm_test_mkdir();
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(in_a_readonly_folder());
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(chmod(home.path, 0700), 0);
	mm_test_rmdir(&home);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    MM_TEST(test_every_call_fails_once),
	    MM_TEST(test_content_that_did_not_reach_the_disk),
	    MM_TEST(test_killed_at_every_call),
	    MM_TEST(test_order),
	    MM_TEST(test_somebody_else_writes),
	    MM_TEST(test_full_disk),
	    MM_TEST(test_readonly_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
