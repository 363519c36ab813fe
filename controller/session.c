#include "controller/session.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/text.h"
#include "controller/push/sshkey.h"

uid_t mm_session_uid(void)
{
	const char *sudo = getenv("SUDO_UID");
	int64_t uid = (int64_t)getuid();

	if (geteuid() == 0 && sudo != NULL)
		mm_parse_int(sudo, 0, UINT32_MAX - 1, &uid);
	return (uid_t)uid;
}

/* A file of the user's, which need not be ours: mm_file_read_own() would not do. */
static int read_file(const char *path, uid_t uid, struct mm_buf *out)
{
	char chunk[4096];
	struct stat st;
	ssize_t n = -1;
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == uid &&
	    (st.st_mode & (S_IWGRP | S_IWOTH)) == 0)
		while (
		    mm_buf_ok(out) && ((n = read(fd, chunk, sizeof(chunk))) > 0 || (n < 0 && errno == EINTR)))
			if (n > 0)
				mm_buf_add(out, chunk, (size_t)n);
	close(fd);
	return n == 0 && mm_buf_ok(out) ? 0 : -1;
}

/* Of "publickey TYPE BASE64"; other ways to log in, and certificates, name no key. */
static void add_key(char *line, struct mm_arena *a, size_t *n, struct mm_buf *out)
{
	static const char method[] = "publickey ";
	struct mm_err err = MM_ERR_NONE;
	struct mm_sshkey k;
	char fp[MM_FINGERPRINT_MAX];

	if (*n == MM_SESSION_KEYS_MAX || !mm_starts_with(line, method) ||
	    mm_sshkey_parse(line + strlen(method), a, &k, &err) != 0)
		return;
	mm_sshkey_fingerprint(k.blob, k.len, fp);
	mm_buf_addf(out, ", key %s", fp);
	++*n;
}

static void add_keys(uid_t uid, struct mm_buf *out)
{
	const char *path = getenv("SSH_USER_AUTH");
	struct mm_buf text = MM_BUF_INIT(MM_SESSION_FILE_MAX);
	size_t n = 0;

	if (path != NULL && *path == '/' && read_file(path, uid, &text) == 0) {
		struct mm_arena *a = mm_arena_new();
		char *rest = mm_arena_strdup(a, mm_buf_str(&text)), *line;
		while ((line = strsep(&rest, "\n")) != NULL)
			add_key(line, a, &n, out);
		mm_arena_free(a);
	}
	mm_buf_free(&text);
}

void mm_session_who(uid_t uid, struct mm_buf *out)
{
	const struct passwd *pw = getpwuid(uid);

	if (pw != NULL)
		mm_buf_addf(out, "%s (uid %lld", pw->pw_name, (long long)uid);
	else
		mm_buf_addf(out, "uid %lld", (long long)uid);
	add_keys(uid, out);
	if (pw != NULL)
		mm_buf_addc(out, ')');
}
