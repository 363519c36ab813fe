/* What the host is: read from files that the test writes, kept, and found out
 * anew when one of them has changed. */
#include "agent/inventory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct world {
	struct mm_arena *a;
	char dir[64];
	struct mm_conf conf;
	const char *release[3], *programs[2];
	struct mm_inventory_places places;
};

static const char *in(struct world *w, const char *name)
{
	return mm_arena_printf(w->a, "%s/%s", w->dir, name);
}

static void put(struct world *w, const char *name, const char *text, mode_t mode)
{
	int fd = open(in(w, name), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, mode);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static int setup(void **state)
{
	struct world *w = mm_xcalloc(1, sizeof(*w));

	w->a = mm_arena_new();
	memcpy(w->dir, "/tmp/mm-inve-XXXXXX", 20);
	assert_non_null(mkdtemp(w->dir));
	assert_int_equal(mkdir(in(w, "bin"), 0755), 0);
	assert_int_equal(mkdir(in(w, "state"), 0700), 0);
	w->release[0] = in(w, "os-release");
	w->release[1] = in(w, "os-release-2");
	w->programs[0] = in(w, "bin");
	w->places = (struct mm_inventory_places){
	    .os_release = w->release, .dpkg_status = in(w, "status"), .programs = w->programs};
	w->conf = (struct mm_conf){.state_dir = in(w, "state")};
	*state = w;
	return 0;
}

static int unlink_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	struct world *w = *state;

	assert_int_equal(nftw(w->dir, unlink_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
	mm_arena_free(w->a);
	free(w);
	return 0;
}

static struct mm_system get(struct world *w)
{
	struct mm_system s = {.os = NULL};

	mm_inventory_get(&w->places, &w->conf, w->a, &s);
	return s;
}

static void expect_os(struct world *w, const char *text, const char *want)
{
	put(w, "os-release", text, 0644);
	assert_string_equal(get(w).os, want);
}

/* os-release(5), "EXAMPLES" and the rules for quotes. */
static void test_os(void **state)
{
	struct world *w = *state;

	if (getuid() != 0)
		skip(); /* the files have to be root's */
	assert_string_equal(get(w).os, "");
	expect_os(w, "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\n",
	    "Debian GNU/Linux 12 (bookworm)");
	expect_os(w, "ID=fedora\nVERSION_ID=41\n", "fedora 41");
	expect_os(w, "ID='arch'", "arch");
	expect_os(w, "PRETTY_NAME=\"a \\\"b\\\" \\$c\"\n", "a \"b\" $c");
	expect_os(w, "PRETTY_NAME='a \\b'\n", "a \\b");
	expect_os(w, "PRETTY_NAME=one\n#PRETTY_NAME=no\nPRETTY_NAME=two\nXPRETTY_NAME=x\n", "two");
	expect_os(w, "PRETTY_NAME=\"open\nID=x\n", "open");
	expect_os(w, "", "");
	/* The second place counts when the first is not there. */
	unlink(in(w, "os-release"));
	put(w, "os-release-2", "PRETTY_NAME=Second\n", 0644);
	assert_string_equal(get(w).os, "Second");
}

static void test_clients(void **state)
{
	struct world *w = *state;
	struct mm_system s;

	if (getuid() != 0)
		skip();
	/* A program without a package, one with, and a package without a program. */
	put(w, "bin/aerc", "", 0755);
	put(w, "bin/mutt", "", 0755);
	put(w, "bin/neomutt", "", 0644);
	put(w, "status",
	    "Package: mutt\nStatus: install ok installed\nVersion: 2.2.9-1\n\n"
	    "Package: neomutt\nStatus: install ok installed\nVersion: 1\n",
	    0644);
	s = get(w);
	assert_int_equal(s.n_clients, 2);
	for (size_t i = 0; i < 2; i++)
		if (strcmp(s.clients[i].client, "mutt") == 0)
			assert_string_equal(s.clients[i].version, "2.2.9-1");
		else
			assert_string_equal(s.clients[i].client, "aerc");
}

static ino_t inode(struct world *w)
{
	struct stat st;

	assert_int_equal(stat(in(w, "state/inventory.json"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	return st.st_ino;
}

static void set_time(struct world *w, const char *name, time_t when)
{
	const struct timespec t[2] = {{.tv_sec = when}, {.tv_sec = when}};

	assert_int_equal(utimensat(AT_FDCWD, in(w, name), t, 0), 0);
}

static void test_kept_until_something_changes(void **state)
{
	struct world *w = *state;
	ino_t first;

	if (getuid() != 0)
		skip();
	put(w, "os-release", "PRETTY_NAME=One\n", 0644);
	set_time(w, "os-release", 1000);
	assert_string_equal(get(w).os, "One");
	first = inode(w);
	/* Were it read again, it would show. */
	put(w, "os-release", "PRETTY_NAME=Two\n", 0644);
	set_time(w, "os-release", 1000);
	assert_string_equal(get(w).os, "One");
	assert_true(inode(w) == first);
	set_time(w, "os-release", 1001);
	assert_string_equal(get(w).os, "Two");
	/* A program that is installed is seen, and one that goes. */
	assert_int_equal(get(w).n_clients, 0);
	put(w, "bin/mutt", "", 0755);
	assert_int_equal(get(w).n_clients, 1);
	unlink(in(w, "bin/mutt"));
	set_time(w, "bin", 5);
	assert_int_equal(get(w).n_clients, 0);
}

/* What was kept is not believed when it is not what we wrote. */
static void test_spoilt(void **state)
{
	static const char *const spoilt[] = {
	    "", "{", "{}", "[]", "{\"key\":\"x\",\"system\":{\"os\":\"Lie\"}}"};
	struct world *w = *state;

	if (getuid() != 0)
		skip();
	put(w, "os-release", "PRETTY_NAME=One\n", 0644);
	for (size_t i = 0; i < sizeof(spoilt) / sizeof(spoilt[0]); i++) {
		put(w, "state/inventory.json", spoilt[i], 0600);
		assert_string_equal(get(w).os, "One");
		assert_string_equal(get(w).os, "One");
	}
	/* A folder that is not there: it is found out each time. */
	w->conf.state_dir = in(w, "nowhere");
	assert_string_equal(get(w).os, "One");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_os), T(test_clients), T(test_kept_until_something_changes), T(test_spoilt)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
