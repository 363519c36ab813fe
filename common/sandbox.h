/*
 * Sandboxes: seccomp always, Landlock as far as the kernel has it.
 *
 * Profiles are named for the process that uses them. Entering one is for
 * good. In builds with a sanitizer the seccomp filters are not installed
 * (mm_sandbox_available() says so), because the sanitizers' own calls would hit
 * them; the tests of the sandbox run in a build without.
 */
#ifndef MM_COMMON_SANDBOX_H
#define MM_COMMON_SANDBOX_H

#include <stdbool.h>

#include "common/err.h"

enum mm_sandbox {
	/* Pure computation between descriptors that are already open: decoding
	 * what arrived from outside. No open, no socket, no fork, no exec. */
	MM_SANDBOX_COMPUTE,
	/* The probe: sockets of AF_INET, AF_INET6 and AF_UNIX (name service),
	 * reading of the listed files and folders; no write to any file, no
	 * exec, no ptrace, no kill of others. */
	MM_SANDBOX_PROBE,
	/* A push worker: sockets, epoll, reading; no file writes. Exec is
	 * allowed (the system's ssh as transport) only if asked for. */
	MM_SANDBOX_WORKER,
	/* Editing of root's own files: reads what there is, writes only below
	 * write_paths; no capability beyond owning files, no socket, no
	 * process, no exec. */
	MM_SANDBOX_FILES,
	MM_SANDBOX_COUNT
};

struct mm_sandbox_opts {
	const char *const *read_paths;  /* NULL-terminated; Landlock: readable below */
	const char *const *write_paths; /* likewise, for MM_SANDBOX_FILES */
	bool allow_exec;
};

int mm_sandbox_enter(enum mm_sandbox which, const struct mm_sandbox_opts *opts, struct mm_err *err);
bool mm_sandbox_available(void); /* false in sanitizer builds */

#endif
