#include "common/secret.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>

#include "common/frame.h"

struct mm_secret {
	size_t len, max;
	char bytes[]; /* max + 1 */
};

static size_t whole_size(const struct mm_secret *s)
{
	return sizeof(*s) + s->max + 1;
}

struct mm_secret *mm_secret_new_max(size_t max)
{
	size_t size = sizeof(struct mm_secret) + max + 1;
	struct mm_secret *s = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (s == MAP_FAILED)
		mm_oom();
	/* Both are wishes: RLIMIT_MEMLOCK may be 0, and a kernel may lack the advice. */
	int locked = mlock(s, size);
	int hidden = madvise(s, size, MADV_DONTDUMP);
	(void)locked;
	(void)hidden;
	s->max = max;
	return s;
}

struct mm_secret *mm_secret_new(void)
{
	return mm_secret_new_max(MM_SECRET_MAX);
}

void mm_secret_free(struct mm_secret *s)
{
	if (s == NULL)
		return;
	size_t size = whole_size(s);
	explicit_bzero(s, size);
	munmap(s, size);
}

const char *mm_secret_bytes(const struct mm_secret *s)
{
	return s->bytes;
}

size_t mm_secret_len(const struct mm_secret *s)
{
	return s->len;
}

static void clear(struct mm_secret *s)
{
	explicit_bzero(s->bytes, s->max + 1);
	s->len = 0;
}

static int too_long(const struct mm_secret *s, struct mm_err *err)
{
	return mm_err_set(err, MM_EX_DATAERR, "a secret is longer than %zu bytes", s->max);
}

int mm_secret_add(struct mm_secret *s, const void *p, size_t n, struct mm_err *err)
{
	if (n > s->max - s->len)
		return too_long(s, err);
	if (n > 0)
		memcpy(s->bytes + s->len, p, n);
	s->len += n;
	s->bytes[s->len] = '\0';
	return 0;
}

int mm_secret_set(struct mm_secret *s, const void *p, size_t n, struct mm_err *err)
{
	if (n > s->max)
		return too_long(s, err);
	clear(s);
	return mm_secret_add(s, p, n, err);
}

int mm_secret_read_fd(struct mm_secret *s, int fd, struct mm_err *err)
{
	clear(s);
	for (;;) {
		/* Straight into the locked memory; the NUL's place tells "too long". */
		ssize_t n = read(fd, s->bytes + s->len, s->max + 1 - s->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			clear(s);
			return mm_err_sys(err, MM_EX_FAILED, "cannot read a secret");
		}
		if (n == 0)
			break;
		s->len += (size_t)n;
		if (s->len > s->max) {
			clear(s);
			return too_long(s, err);
		}
	}
	s->bytes[s->len] = '\0';
	return 0;
}

void mm_secret_first_line(struct mm_secret *s)
{
	size_t n = strcspn(s->bytes, "\n");
	if (n > s->len)
		n = s->len;
	if (n > 0 && s->bytes[n] == '\n' && s->bytes[n - 1] == '\r')
		n--;
	explicit_bzero(s->bytes + n, s->max + 1 - n);
	s->len = n;
}

/* One key of the answer. 1: the line is complete, 0: go on, -1: error. */
static int take_key(struct mm_secret *s, char c, struct mm_err *err)
{
	switch (c) {
	case '\r':
	case '\n':
	case 4: /* ^D */
		return 1;
	case 3: /* ^C */
		return mm_err_set(err, MM_EX_INTERRUPTED, "interrupted");
	case 8:
	case 127:
		if (s->len > 0)
			s->bytes[--s->len] = '\0';
		return 0;
	case 21: /* ^U */
		clear(s);
		return 0;
	default:
		return mm_secret_add(s, &c, 1, err);
	}
}

static bool signal_waits(void)
{
	sigset_t pending;
	sigemptyset(&pending);
	sigpending(&pending);
	return sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1 ||
	       sigismember(&pending, SIGHUP) == 1 || sigismember(&pending, SIGQUIT) == 1;
}

static int read_keys(struct mm_secret *s, int tty, struct mm_err *err)
{
	int rc = 0;
	while (rc == 0) {
		if (signal_waits())
			return mm_err_set(err, MM_EX_INTERRUPTED, "interrupted");
		struct pollfd p = {.fd = tty, .events = POLLIN};
		int ready = poll(&p, 1, 200);
		if (ready == 0 || (ready < 0 && errno == EINTR))
			continue;
		char c = 0;
		ssize_t n = ready < 0 ? -1 : read(tty, &c, 1);
		if (n < 0)
			return mm_err_sys(err, MM_EX_FAILED, "cannot read from the terminal");
		if (n == 0)
			return mm_err_set(err, MM_EX_FAILED, "the terminal was closed");
		rc = take_key(s, c, err);
		explicit_bzero(&c, sizeof(c));
	}
	return rc < 0 ? -1 : 0;
}

/* Echo and the terminal's own signals are off while we read; a signal from
 * elsewhere is held back, so that the terminal is never left without echo. */
static int ask(struct mm_secret *s, int tty, const char *prompt, struct mm_err *err)
{
	struct termios old;
	if (tcgetattr(tty, &old) < 0)
		return mm_err_sys(err, MM_EX_FAILED, "cannot ask for a password");
	sigset_t held, before;
	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGHUP);
	sigaddset(&held, SIGQUIT);
	sigprocmask(SIG_BLOCK, &held, &before);
	struct termios raw = old;
	raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	int rc = -1;
	if (tcsetattr(tty, TCSAFLUSH, &raw) < 0)
		mm_err_sys(err, MM_EX_FAILED, "cannot switch the terminal's echo off");
	else if (mm_write_all(tty, prompt, strlen(prompt), err) == 0)
		rc = read_keys(s, tty, err);
	tcsetattr(tty, TCSAFLUSH, &old);
	mm_write_all(tty, "\n", 1, NULL);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return rc;
}

int mm_secret_prompt(struct mm_secret *s, const char *prompt, struct mm_err *err)
{
	clear(s);
	int tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (tty < 0)
		return mm_err_set(
		    err, MM_EX_FAILED, "cannot ask for a password: there is no terminal to ask on");
	int rc = ask(s, tty, prompt, err);
	close(tty);
	if (rc < 0)
		clear(s);
	return rc;
}
