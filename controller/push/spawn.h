/*
 * Start a program that runs beside us (common/proc.h runs one to its end):
 * workers, the system's ssh, a private ssh-agent.
 */
#ifndef MM_PUSH_SPAWN_H
#define MM_PUSH_SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/err.h"

#define MM_SPAWN_FDS 5

struct mm_spawn {
	const char *const *argv; /* absolute path first, ends with NULL */
	const char *const *env;  /* ends with NULL */
	/* What becomes descriptor 0, 1, ...; -1 = /dev/null. All others are
	 * closed in the child. */
	int fds[MM_SPAWN_FDS];
	size_t n_fds;      /* at least 3 */
	bool same_session; /* it may speak with the person at our terminal */
};

/* The child leads a session of its own, unless said otherwise (a Ctrl-C on
 * our terminal is not for it), and dies with the thread that started it. -1: it could not be
 * started; a program that is not there shows as exit status 127. */
int mm_spawn(const struct mm_spawn *s, pid_t *pid, struct mm_err *err);
/* Kill the child's whole session and wait for the child; returns the status
 * as of waitpid(), or -1. */
int mm_spawn_kill(pid_t pid);

/* PATH, HOME, LANG, USER, LOGNAME of this process, and the named extra
 * variables if they are set. */
struct mm_arena;
const char *const *mm_spawn_env(struct mm_arena *a, const char *const *extra);

#endif
