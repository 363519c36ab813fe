#include "controller/outside.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LOG_SOCKET "/dev/log"

int mm_outside_append(const char *what, const char *path, const char *p, size_t n, struct mm_err *err)
{
	struct stat st;
	int fd =
	    open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0640);
	int rc = 0;
	if (fd < 0)
		return mm_err_sys(err, MM_EX_FAILED, "%s %s", what, path);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		rc = mm_err_set(err, MM_EX_FAILED, "%s %s: not a regular file", what, path);
	} else if (write(fd, p, n) != (ssize_t)n || fsync(fd) != 0) {
		rc = mm_err_sys(err, MM_EX_FAILED, "%s %s", what, path);
		/* A disk that is full: half a line would spoil the next one. */
		if (ftruncate(fd, st.st_size) != 0)
			mm_err_prefix(err, "half a line was left behind");
	}
	close(fd);
	return rc;
}

int mm_outside_log(const char *text, struct mm_err *err)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = LOG_SOCKET};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int rc = 0;
	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0 ||
	    send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		rc = mm_err_sys(err, MM_EX_FAILED, "the system's log, %s", LOG_SOCKET);
	if (fd >= 0)
		close(fd);
	return rc;
}
