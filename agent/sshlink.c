#include "agent/sshlink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/proc.h"

#define SSH "/usr/bin/ssh"
/* The account's forced command decides what runs; without one this must
 * fail, and it does: a host has to be named there. */
#define REMOTE_COMMAND "mailmuster checkin"

/* ---- the command line */

static const char *const fixed[] = {"BatchMode=yes", "StrictHostKeyChecking=yes",
    "GlobalKnownHostsFile=/dev/null", "UpdateHostKeys=no", "CheckHostIP=no", "IdentitiesOnly=yes",
    "IdentityAgent=none", "PreferredAuthentications=publickey", "ConnectionAttempts=1",
    "ServerAliveInterval=15", "ServerAliveCountMax=4", "ClearAllForwardings=yes", "ForwardAgent=no",
    "ForwardX11=no", "PermitLocalCommand=no", "ControlMaster=no", "ControlPath=none", "EscapeChar=none",
    "LogLevel=ERROR", NULL};

struct args {
	struct mm_arena *a;
	char *v[80];
	size_t n;
};

static void arg(struct args *l, const char *s)
{
	if (l->n + 1 < sizeof(l->v) / sizeof(l->v[0]))
		l->v[l->n++] = mm_arena_strdup(l->a, s);
}

static void option(struct args *l, const char *text)
{
	arg(l, "-o");
	arg(l, text);
}

static void build(const struct mm_checkin_conf *k, unsigned connect_s, struct args *l)
{
	unsigned limit = connect_s < MM_SSHLINK_CONNECT_S ? connect_s : MM_SSHLINK_CONNECT_S;
	arg(l, SSH);
	arg(l, "-F");
	arg(l, "none");
	arg(l, "-T");
	for (const char *const *f = fixed; *f != NULL; f++)
		option(l, *f);
	option(l, mm_arena_printf(l->a, "ConnectTimeout=%u", limit));
	option(l, mm_arena_printf(l->a, "UserKnownHostsFile=\"%s\"", k->known_hosts));
	option(l, mm_arena_printf(l->a, "IdentityFile=\"%s\"", k->identity));
	arg(l, "-p");
	arg(l, mm_arena_printf(l->a, "%d", k->port));
	arg(l, "-l");
	arg(l, k->account);
	arg(l, "--");
	arg(l, k->host);
	arg(l, REMOTE_COMMAND);
	l->v[l->n] = NULL;
}

/* ---- starting */

static _Noreturn void become_ssh(
    const struct args *l, pid_t parent, unsigned life_s, int in, int out, int err)
{
	char path[] = "PATH=/usr/bin:/bin", lang[] = "LANG=C.UTF-8";
	char *env[] = {path, lang, NULL};
	/* What the other side has to say on standard error is bounded like this:
	 * a write beyond it fails, and nobody waits. */
	const struct rlimit said = {MM_SSHLINK_SAID_MAX, MM_SSHLINK_SAID_MAX};
	int i = fcntl(in, F_DUPFD, 10), o = fcntl(out, F_DUPFD, 10), e = fcntl(err, F_DUPFD, 10);
	if (i < 0 || o < 0 || e < 0 || dup2(i, 0) < 0 || dup2(o, 1) < 0 || dup2(e, 2) < 0)
		_exit(MM_SSHLINK_LOST);
	mm_close_above(2);
	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent || setrlimit(RLIMIT_FSIZE, &said) < 0)
		_exit(MM_SSHLINK_LOST);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGALRM, SIG_DFL);
	signal(SIGXFSZ, SIG_IGN);
	alarm(life_s); /* stays over execve (alarm(2)) */
	execve(SSH, l->v, env);
	(void)!write(2, "cannot start " SSH "\n", sizeof("cannot start " SSH "\n") - 1);
	_exit(MM_SSHLINK_LOST);
}

static void shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int lay(struct mm_sshlink *l, int in[2], int out[2])
{
	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
		return -1;
	l->in = in[1];
	l->out = out[0];
	l->err = memfd_create("said", MFD_CLOEXEC);
	return l->err < 0 || fcntl(l->in, F_SETFL, O_NONBLOCK) < 0 ? -1 : 0;
}

int mm_sshlink_open(const struct mm_checkin_conf *k, unsigned connect_s, unsigned life_s,
    struct mm_sshlink *out, struct mm_err *err)
{
	struct mm_sshlink l = {.pid = -1, .in = -1, .out = -1, .err = -1};
	struct args args = {.a = mm_arena_new()};
	int in[2] = {-1, -1}, back[2] = {-1, -1};
	pid_t self = getpid();
	build(k, connect_s, &args);
	if (lay(&l, in, back) == 0)
		l.pid = fork();
	if (l.pid == 0)
		become_ssh(&args, self, life_s, in[0], back[1], l.err);
	int rc = l.pid < 0 ? mm_err_sys(err, MM_EX_FAILED, "cannot start " SSH) : 0;
	shut(&in[0]);
	shut(&back[1]);
	if (rc == 0) {
		*out = l;
	} else {
		shut(&in[1]);
		shut(&back[0]);
		shut(&l.err);
	}
	mm_arena_free(args.a);
	return rc;
}

/* ---- ending */

static void last_line(int fd, struct mm_buf *said)
{
	char text[MM_SSHLINK_SAID_MAX];
	ssize_t got = pread(fd, text, sizeof(text), 0);
	size_t end = got > 0 ? (size_t)got : 0, start;
	while (end > 0 && strchr("\r\n \t", text[end - 1]) != NULL)
		end--;
	for (start = end; start > 0 && text[start - 1] != '\n';)
		start--;
	mm_buf_add(said, text + start, end - start);
}

static bool ends_within(pid_t pid, int ms)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0), rc;
	struct pollfd p = {.fd = fd, .events = POLLIN};
	if (fd < 0)
		return false;
	do
		rc = poll(&p, 1, ms);
	while (rc < 0 && errno == EINTR);
	close(fd);
	return rc > 0;
}

int mm_sshlink_close(struct mm_sshlink *l, int wait_ms, struct mm_buf *said)
{
	int status = 0;
	shut(&l->in);
	shut(&l->out);
	if (!ends_within(l->pid, wait_ms))
		kill(l->pid, SIGKILL);
	while (waitpid(l->pid, &status, 0) < 0 && errno == EINTR)
		;
	last_line(l->err, said);
	shut(&l->err);
	/* From 128 on the shell over there says that a signal ended its child. */
	return WIFEXITED(status) && WEXITSTATUS(status) < 128 ? WEXITSTATUS(status) : MM_SSHLINK_LOST;
}
