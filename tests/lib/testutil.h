/*
 * What every unit test needs: cmocka with its headers, a temporary folder,
 * and a look at the descriptors that a test left open. All of it lies in this
 * header, so that a test is one file.
 *
 *   static const struct CMUnitTest tests[] = {MM_TEST(test_a), MM_TEST(test_b)};
 *
 * MM_TEST() fails a test that ends with other descriptors than it began with.
 */
#ifndef MM_TESTS_TESTUTIL_H
#define MM_TESTS_TESTUTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MM_TEST(f) cmocka_unit_test_setup_teardown(f, mm_test_begin, mm_test_end)

/* Number of open descriptors. */
static inline size_t mm_test_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;
	if (d == NULL)
		return 0;
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static inline int mm_test_begin(void **state)
{
	*state = malloc(sizeof(size_t));
	if (*state == NULL)
		return -1;
	*(size_t *)*state = mm_test_fds();
	return 0;
}

static inline int mm_test_end(void **state)
{
	size_t before = *(size_t *)*state, now = mm_test_fds();
	free(*state);
	if (now == before)
		return 0;
	print_error("%zu descriptors before the test, %zu behind it\n", before, now);
	return -1;
}

/* ---- files */

struct mm_test_dir {
	char path[128]; /* below $TMPDIR or /tmp, without a symbolic link in it */
};

static inline struct mm_test_dir mm_test_mkdir(void)
{
	struct mm_test_dir d;
	const char *tmp = getenv("TMPDIR");
	snprintf(d.path, sizeof(d.path), "%.90s/mmtest.XXXXXX", tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(d.path));
	return d;
}

static inline int mm_test_remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static inline void mm_test_rmdir(const struct mm_test_dir *d)
{
	assert_int_equal(nftw(d->path, mm_test_remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* "DIR/name" in one of eight buffers that are used in turn. */
static inline const char *mm_test_path(const struct mm_test_dir *d, const char *name)
{
	static char paths[8][4096];
	static unsigned turn;
	char *p = paths[turn++ % 8];
	snprintf(p, sizeof(paths[0]), "%s/%s", d->path, name);
	return p;
}

static inline void mm_test_write(const char *path, const void *data, size_t n, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, n), (ssize_t)n);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static inline void mm_test_write_str(const char *path, const char *text)
{
	mm_test_write(path, text, strlen(text), 0644);
}

/* Fails unless the file has exactly this content. */
static inline void mm_test_content(const char *path, const char *text)
{
	char have[8192];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail_msg("%s: %s", path, strerror(errno));
	ssize_t n = read(fd, have, sizeof(have) - 1);
	close(fd);
	assert_true(n >= 0);
	have[n] = '\0';
	assert_string_equal(have, text);
}

/* Number of entries of a folder, without "." and "..". */
static inline size_t mm_test_entries(const char *path)
{
	DIR *d = opendir(path);
	size_t n = 0;
	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	closedir(d);
	return n;
}

#endif
