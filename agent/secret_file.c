/* Files that hold a secret: netrc, a private key, systemd's credentials. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/secret_source.h"
#include "common/file.h"
#include "common/mem.h"

static bool below(const char *home, const char *path)
{
	size_t n = strlen(home);
	return strncmp(path, home, n) == 0 && path[n] == '/';
}

static enum mm_credential say(
    const struct mm_finder *f, const char *path, const char *what, const char **why, enum mm_credential c)
{
	*why = mm_arena_printf(f->arena, "%s %s.", path, what);
	return c;
}

/* Of a file of root's the group may be allowed to read it: that is how root
 * hands a key to a user (the group ssl-cert). */
static bool is_open(const struct stat *st, mode_t shared)
{
	mode_t own_group = st->st_uid == 0 && geteuid() != 0 ? S_IRGRP : 0;
	return (st->st_mode & shared & ~own_group) != 0;
}

static enum mm_credential take(const struct mm_finder *f, const struct mm_place_fd *at, const char *path,
    mode_t shared, struct mm_secret *s, const char **why)
{
	enum mm_file_trouble t = MM_FILE_OK;
	struct stat st;
	int fd = mm_file_open_at(at, &st, &t, NULL);
	if (fd < 0 && t == MM_FILE_ABSENT)
		return say(f, path, "does not exist", why, MM_CRED_MISSING);
	if (fd < 0)
		return say(f, path, "cannot be opened", why, MM_CRED_UNAVAILABLE);
	enum mm_credential got = MM_CRED_FOUND;
	if (!mm_file_trusted(&st, at->dirfd, f->who->uid))
		got = say(f, path, "belongs to somebody else", why, MM_CRED_UNSAFE);
	else if (is_open(&st, shared))
		got = say(f, path,
		    mm_arena_printf(f->arena, "has mode %03o and is open to others; chmod go= it",
			(unsigned)(st.st_mode & 0777)),
		    why, MM_CRED_UNSAFE);
	else if (mm_secret_read_fd(s, fd, NULL) != 0)
		got = say(f, path, "cannot be read, or is too long", why, MM_CRED_BAD);
	else if (memchr(mm_secret_bytes(s), '\0', mm_secret_len(s)) != NULL)
		got = say(f, path, "holds a zero byte", why, MM_CRED_BAD);
	close(fd);
	return got;
}

enum mm_credential mm_secret_file(
    const struct mm_finder *f, const char *path, mode_t shared, struct mm_secret *s, const char **why)
{
	const char *base = below(f->who->home, path) ? f->who->home : "/";
	enum mm_file_trouble t = MM_FILE_OK;
	struct mm_place_fd at = {.dirfd = -1};
	if (mm_file_resolve(base, path, f->who->uid, &at, &t, NULL) != 0)
		return t == MM_FILE_ABSENT ? say(f, path, "does not exist", why, MM_CRED_MISSING)
					   : say(f, path, "cannot be reached", why, MM_CRED_UNAVAILABLE);
	enum mm_credential got = take(f, &at, path, shared, s, why);
	close(at.dirfd);
	return got;
}
