#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "controller/push/session.h"
#include "controller/push/spawn.h"
#include "controller/push/sshcmd.h"

struct mm_sshcmd {
	pid_t pid;
	int pidfd, in, out, err; /* -1 = closed */
};

/* ---- the command line; every part is data that was checked before */

struct args {
	struct mm_arena *a;
	const char *v[64];
	size_t n;
};

static void arg(struct args *l, const char *s)
{
	if (l->n + 1 < sizeof(l->v) / sizeof(*l->v))
		l->v[l->n++] = s;
}

static void option(struct args *l, const char *name, const char *value)
{
	arg(l, "-o");
	arg(l, mm_arena_printf(l->a, "%s=%s", name, value));
}

static void identity(struct args *l, const struct mm_worker_config *c)
{
	bool file = c->identity_file[0] != '\0';
	option(l, "IdentityFile", file ? mm_arena_printf(l->a, "\"%s\"", c->identity_file) : "none");
	option(l, "IdentitiesOnly", file ? "yes" : "no");
	option(l, "IdentityAgent",
	    c->agent_path[0] != '\0' ? mm_arena_printf(l->a, "\"%s\"", c->agent_path) : "none");
}

static void build(struct mm_session *s, struct args *l)
{
	const struct mm_worker_config *c = mm_session_config(s);
	const struct mm_worker_job *j = &s->job;
	struct mm_buf algorithms = MM_BUF_INIT(512);
	mm_sshkey_algorithms(j->keys, j->n_keys, false, &algorithms);
	arg(l, c->ssh_program);
	/* Nothing of the admin's own configuration: a push is the same for all. */
	arg(l, "-F");
	arg(l, "none");
	arg(l, "-T");
	option(l, "BatchMode", "yes");
	option(l, "StrictHostKeyChecking", "yes");
	option(l, "UserKnownHostsFile", j->known_hosts);
	option(l, "GlobalKnownHostsFile", "/dev/null");
	option(l, "HostKeyAlias", MM_HOSTKEY_ALIAS);
	option(l, "CheckHostIP", "no");
	option(l, "UpdateHostKeys", "no");
	option(l, "HostKeyAlgorithms", mm_arena_strdup(s->arena, mm_buf_str(&algorithms)));
	option(l, "PreferredAuthentications", "publickey");
	option(l, "ConnectionAttempts", "1");
	option(l, "ConnectTimeout", mm_arena_printf(s->arena, "%u", c->connect_ms / 1000 + 1));
	option(l, "ClearAllForwardings", "yes");
	option(l, "ForwardAgent", "no");
	option(l, "ControlPath", "none");
	option(l, "EscapeChar", "none");
	option(l, "LogLevel", "ERROR");
	identity(l, c);
	if (j->proxy_command[0] != '\0')
		option(l, "ProxyCommand", j->proxy_command);
	arg(l, "-p");
	arg(l, mm_arena_printf(s->arena, "%u", j->port));
	arg(l, "-l");
	arg(l, j->login);
	arg(l, "--");
	arg(l, j->addresses);
	arg(l, MM_REMOTE_COMMAND);
	l->v[l->n] = NULL;
	mm_buf_free(&algorithms);
}

/* ---- descriptors */

static void close_fd(struct mm_session *s, int *fd)
{
	if (*fd < 0)
		return;
	mm_session_unwatch(s, *fd);
	close(*fd);
	*fd = -1;
}

static int lay_pipes(int in[2], int out[2], int err[2])
{
	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0)
		return -1;
	return fcntl(in[1], F_SETFL, O_NONBLOCK) < 0 || fcntl(out[0], F_SETFL, O_NONBLOCK) < 0 ||
		       fcntl(err[0], F_SETFL, O_NONBLOCK) < 0
		   ? -1
		   : 0;
}

static int launch(struct mm_session *s, int in[2], int out[2], int errp[2])
{
	static const char *const extra[] = {"SSH_AUTH_SOCK", NULL};
	struct mm_sshcmd *x = s->own.cmd;
	struct args l = {.a = s->arena};
	build(s, &l);
	if (lay_pipes(in, out, errp) < 0)
		return -1;
	struct mm_spawn spawn = {
	    .argv = l.v, .env = mm_spawn_env(s->arena, extra), .fds = {in[0], out[1], errp[1]}, .n_fds = 3};
	if (mm_spawn(&spawn, &x->pid, NULL) < 0)
		return -1;
	x->pidfd = (int)syscall(SYS_pidfd_open, x->pid, 0);
	return x->pidfd < 0 || mm_session_watch(s, x->pidfd, EPOLLIN, true) < 0 ||
		       mm_session_watch(s, out[0], EPOLLIN, true) < 0 ||
		       mm_session_watch(s, errp[0], EPOLLIN, true) < 0 ||
		       mm_session_watch(s, in[1], 0, true) < 0
		   ? -1
		   : 0;
}

static void start(struct mm_session *s)
{
	struct mm_sshcmd *x = mm_arena_alloc(s->arena, 1, sizeof(*x));
	int in[2] = {-1, -1}, out[2] = {-1, -1}, errp[2] = {-1, -1};
	*x = (struct mm_sshcmd){.pid = -1, .pidfd = -1};
	s->own.cmd = x;
	int rc = launch(s, in, out, errp);
	int saved = errno;
	if (in[0] >= 0)
		close(in[0]);
	if (out[1] >= 0)
		close(out[1]);
	if (errp[1] >= 0)
		close(errp[1]);
	x->in = in[1];
	x->out = out[0];
	x->err = errp[0];
	if (rc < 0) {
		mm_session_end(s, MM_PC_LOCAL, "cannot start %s: %s", mm_session_config(s)->ssh_program,
		    strerror(saved));
		return;
	}
	/* ssh does not say how far it is: what it needs is made ready at once. */
	mm_session_need(s);
}

/* ---- what ssh said when it gave up (exit status 255) */

static const struct {
	const char *words;
	enum mm_push_class cls;
} complaints[] = {
    {"REMOTE HOST IDENTIFICATION HAS CHANGED", MM_PC_HOSTKEY_CHANGED},
    {"host key is known for", MM_PC_HOSTKEY_UNKNOWN},
    {"Host key verification failed", MM_PC_HOSTKEY_CHANGED},
    {"no matching host key type", MM_PC_HOSTKEY_CHANGED},
    {"Unable to negotiate", MM_PC_NO_METHOD},
    {"Permission denied", MM_PC_AUTH},
    {"Too many authentication failures", MM_PC_AUTH},
    {"Connection refused", MM_PC_CONN_REFUSED},
    {"banner exchange", MM_PC_SILENT},
    {"imed out", MM_PC_CONN_TIMEOUT},
    {"No route to host", MM_PC_NO_ROUTE},
    {"Network is unreachable", MM_PC_NO_ROUTE},
    {"Could not resolve hostname", MM_PC_DNS},
    {NULL, MM_PC_LOST},
};

/* "... sent by the remote host is\nSHA256:...\n" */
static void take_fingerprint(struct mm_session *s)
{
	const char *p = strstr(mm_buf_str(&s->errout), "SHA256:");
	size_t n = p != NULL ? strcspn(p, ". \r\n") : 0;
	if (n > 0 && n < sizeof(s->outcome.fingerprint)) {
		memcpy(s->outcome.fingerprint, p, n);
		s->outcome.fingerprint[n] = '\0';
	}
}

static void gave_up(struct mm_session *s)
{
	size_t i = 0;
	while (complaints[i].words != NULL && strstr(mm_buf_str(&s->errout), complaints[i].words) == NULL)
		i++;
	enum mm_push_class cls = complaints[i].cls;
	s->outcome.delivered = false; /* a pipe took it, the host did not */
	if (cls == MM_PC_HOSTKEY_CHANGED || cls == MM_PC_HOSTKEY_UNKNOWN) {
		char fp[MM_FINGERPRINT_MAX] = "none";
		if (s->job.n_keys > 0)
			mm_sshkey_fingerprint(s->job.keys[0].blob, s->job.keys[0].len, fp);
		take_fingerprint(s);
		mm_session_end(s, cls, "the host key has changed: pinned is %s, the host shows %s", fp,
		    s->outcome.fingerprint[0] != '\0' ? s->outcome.fingerprint : "one of another type");
		return;
	}
	const char *line = mm_session_first_line(s);
	mm_session_end(s, cls, "ssh: %s", *line != '\0' ? line : "gave up without a word");
}

/* ---- the loop's turn */

static bool write_request(struct mm_session *s)
{
	struct mm_sshcmd *x = s->own.cmd;
	while (x->in >= 0 && s->request_sent < s->request.len) {
		ssize_t n = write(x->in, s->request.data + s->request_sent, s->request.len - s->request_sent);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return false;
		if (n < 0) {
			close_fd(s, &x->in); /* it reads no more; what it says counts */
			return true;
		}
		s->request_sent += (size_t)n;
		s->heard = mm_now_ms();
	}
	mm_buf_reset(&s->request);
	s->request_sent = 0;
	if (s->request_complete && x->in >= 0) {
		close_fd(s, &x->in);
		s->outcome.delivered = true;
	}
	return true;
}

static void read_pipe(struct mm_session *s, int *fd, bool answer)
{
	char chunk[32768];
	while (*fd >= 0 && !mm_session_choked(s)) {
		ssize_t n = read(*fd, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			close_fd(s, fd);
			return;
		}
		s->heard = mm_now_ms();
		if (!answer) {
			mm_session_stderr(s, chunk, (size_t)n);
			continue;
		}
		if (s->phase < MM_PH_ANSWER) {
			mm_session_live(s);
			mm_session_phase(s, MM_PH_ANSWER);
		}
		mm_session_data(s, chunk, (size_t)n);
	}
}

static void check_exit(struct mm_session *s)
{
	struct mm_sshcmd *x = s->own.cmd;
	int status;
	if (waitpid(x->pid, &status, WNOHANG) != x->pid)
		return;
	x->pid = -1;
	read_pipe(s, &x->out, true);
	read_pipe(s, &x->err, false);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 255 && s->phase < MM_PH_ANSWER)
		gave_up(s);
	else if (WIFEXITED(status) && WEXITSTATUS(status) != 255)
		mm_session_exited(s, WEXITSTATUS(status));
	else
		mm_session_end(s, MM_PC_LOST, "the connection broke: ssh ended with status %d",
		    WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
}

static void pump(struct mm_session *s)
{
	struct mm_sshcmd *x = s->own.cmd;
	bool written = write_request(s);
	if (x->in >= 0)
		(void)mm_session_watch(s, x->in, written ? 0 : EPOLLOUT, false);
	read_pipe(s, &x->out, true);
	read_pipe(s, &x->err, false);
	if (!mm_session_choked(s))
		check_exit(s);
}

/* ssh has its own limit for connecting, and one for key exchange; this one
 * is for a ssh, a ProxyCommand or an agent that hangs before its first word. */
static bool try_next(struct mm_session *s)
{
	const struct mm_worker_config *c = mm_session_config(s);
	unsigned limit = c->connect_ms + c->banner_ms + c->handshake_ms + MM_START_FACTOR * c->silence_ms;
	if (mm_now_ms() - s->phase_began >= limit)
		mm_session_end(s, MM_PC_HANDSHAKE_TIMEOUT, "ssh did not get through to an answer within %u s",
		    limit / 1000);
	return false;
}

static void stop(struct mm_session *s)
{
	struct mm_sshcmd *x = s->own.cmd;
	if (x == NULL)
		return;
	if (x->pid > 0)
		(void)mm_spawn_kill(x->pid);
	close_fd(s, &x->pidfd);
	close_fd(s, &x->in);
	close_fd(s, &x->out);
	close_fd(s, &x->err);
}

const struct mm_transport mm_transport_ssh = {
    .start = start,
    .pump = pump,
    .try_next = try_next,
    .stop = stop,
};
