/*
 * Running another program, and dropping rights.
 */
#ifndef MM_COMMON_PROC_H
#define MM_COMMON_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/secret.h"

struct mm_run {
	const char *const *argv; /* absolute path first; no shell */
	const char *const *env;  /* NULL: PATH, HOME, LANG, USER and LOGNAME of this process */
	const char *stdin_data;  /* NULL: /dev/null */
	size_t stdin_len;
	int timeout_ms;   /* whole run, 0: none; then SIGTERM to the process group, 500 ms later SIGKILL */
	bool new_session; /* no controlling terminal for it */
};

enum mm_run_end { MM_RUN_EXITED, MM_RUN_SIGNALED, MM_RUN_TIMEOUT, MM_RUN_OVERFLOW };

struct mm_run_result {
	enum mm_run_end how;
	int status; /* exit status or signal number */
};

/* Run to completion, standard output into `out` (its limit bounds it; more is
 * MM_RUN_OVERFLOW), the beginning of standard error into `errout` (NULL:
 * /dev/null). -1: could not start. All other descriptors are closed in the
 * child, its signals are as by default. A descendant that keeps the output
 * open after the program ended is waited for 250 ms at most. */
int mm_run(const struct mm_run *r, struct mm_buf *out, struct mm_buf *errout, struct mm_run_result *res,
    struct mm_err *err);
/* The same with the output kept as a secret. */
int mm_run_secret(
    const struct mm_run *r, struct mm_secret *out, struct mm_run_result *res, struct mm_err *err);

/* Become this user for good: setgroups/initgroups, setresgid, setresuid, and
 * proof that there is no way back. No-op with success when we already are. */
int mm_drop_to_user(const char *login, uid_t uid, gid_t gid, struct mm_err *err);

/* Where a program of ours is that nobody types: beside the running one (as
 * built), or in ../libexec/mailmuster (as installed). */
int mm_find_beside(const char *name, char *out, size_t size, struct mm_err *err);

/* No core dumps, not traceable by other processes of the user. */
void mm_no_core(void);
/* Close every descriptor above `last`. */
void mm_close_above(int last);
/* SIGPIPE ignored, umask 077, standard descriptors open. First thing in main. Returns the umask
 * that the program was started with, for files that people are to hand on. */
mode_t mm_process_init(void);

#endif
