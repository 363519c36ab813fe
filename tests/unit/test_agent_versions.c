/* Versions out of dpkg's list. */
#include "agent/versions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void find(const char *text, struct mm_version *v, size_t n, struct mm_arena *a)
{
	char path[] = "/tmp/mmtest.XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	mm_versions_find(path, v, n, a);
	unlink(path);
}

static void paragraphs(void **state)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_version v[] = {
	    {"mutt", NULL}, {"gone", NULL}, {"half", NULL}, {"last", NULL}, {"mut", NULL}};
	(void)state;
	if (getuid() != 0)
		skip(); /* the list has to be root's */
	find("Package: mutt\nStatus: install ok installed\nDescription: mail\n Version: 9\nVersion: 2.2-1\n\n"
	     "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n"
	     "Package: half\nStatus: install reinstreq half-installed\nVersion: 1\n\n\n"
	     "Version: 3\nStatus: hold ok installed\nPackage: last",
	    v, 5, a);
	assert_string_equal(v[0].version, "2.2-1");
	assert_null(v[1].version);
	assert_null(v[2].version);
	assert_string_equal(v[3].version, "3");
	assert_null(v[4].version);
	mm_arena_free(a);
}

static void no_list(void **state)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_version v[] = {{"mutt", NULL}};
	(void)state;
	mm_versions_find("/nonexistent/status", v, 1, a);
	assert_null(v[0].version);
	mm_arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(paragraphs), cmocka_unit_test(no_list)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
