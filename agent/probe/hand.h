/*
 * For people: the addresses of a command line become tasks, with the
 * password asked for, and a result becomes a ladder of what held.
 */
#ifndef MM_AGENT_PROBE_HAND_H
#define MM_AGENT_PROBE_HAND_H

#include "agent/probe/input.h"

struct mm_hand_opts {
	const char *security, *level, *auth; /* NULL: as the address says, and the usual */
	const char *tls_min, *ca_file, *pin; /* NULL: none */
	int password_fd;                     /* -1: ask on the terminal */
};

/* One task per address; those that log in get the index of a secret. */
int mm_hand_tasks(char *const *urls, size_t n, const struct mm_hand_opts *o, struct mm_arena *mem,
    struct mm_input *out, struct mm_err *err);
/* Print a result to stdout. */
void mm_hand_print(const struct mm_login *l);

#endif
