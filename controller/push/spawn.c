#include "controller/push/spawn.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/proc.h"

#define ABOVE 64 /* descriptors are moved out of the way of 0..n first */

_Noreturn static void child(const struct mm_spawn *s)
{
	int moved[MM_SPAWN_FDS];
	for (size_t i = 0; i < s->n_fds; i++) {
		int fd = s->fds[i] >= 0 ? s->fds[i] : open("/dev/null", O_RDWR | O_CLOEXEC);
		moved[i] = fcntl(fd, F_DUPFD_CLOEXEC, ABOVE);
		if (moved[i] < 0)
			_exit(126);
	}
	for (size_t i = 0; i < s->n_fds; i++)
		if (dup2(moved[i], (int)i) < 0)
			_exit(126);
	mm_close_above((int)s->n_fds - 1);
	if (!s->same_session)
		(void)setsid();
	sigset_t none;
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)signal(SIGINT, SIG_DFL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	char *const *argv, *const *env;
	/* execve() takes pointers to non-const for the sake of old programs. */
	_Static_assert(sizeof(argv) == sizeof(s->argv), "pointers");
	__builtin_memcpy(&argv, &s->argv, sizeof(argv));
	__builtin_memcpy(&env, &s->env, sizeof(env));
	execve(s->argv[0], argv, env);
	_exit(127);
}

int mm_spawn(const struct mm_spawn *s, pid_t *pid, struct mm_err *err)
{
	assert(s->n_fds >= 3 && s->n_fds <= MM_SPAWN_FDS);
	pid_t p = fork();
	if (p < 0)
		return mm_err_sys(err, MM_EX_FAILED, "cannot start %s", s->argv[0]);
	if (p == 0)
		child(s);
	*pid = p;
	return 0;
}

int mm_spawn_kill(pid_t pid)
{
	int status = 0;
	/* Before its setsid() the child has no group of its own yet. */
	if (kill(-pid, SIGKILL) < 0)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status;
}

static size_t add_env(struct mm_arena *a, const char **list, size_t n, const char *name)
{
	const char *v = getenv(name);
	if (v != NULL)
		list[n++] = mm_arena_printf(a, "%s=%s", name, v);
	return n;
}

const char *const *mm_spawn_env(struct mm_arena *a, const char *const *extra)
{
	static const char *const usual[] = {"PATH", "HOME", "LANG", "USER", "LOGNAME"};
	size_t n = 0, n_extra = 0;
	while (extra != NULL && extra[n_extra] != NULL)
		n_extra++;
	const char **list = mm_arena_alloc(a, n_extra + 6, sizeof(*list));
	for (size_t i = 0; i < sizeof(usual) / sizeof(*usual); i++)
		n = add_env(a, list, n, usual[i]);
	for (size_t i = 0; i < n_extra; i++)
		n = add_env(a, list, n, extra[i]);
	return list;
}
