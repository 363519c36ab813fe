/*
 * The system's ssh as a pipe to the controller: started with an argument
 * vector and no configuration file, the host's own key, and the controller's
 * host key out of one known_hosts file. It never asks anything.
 *
 * ssh is killed by the kernel when its life is over or when this process
 * dies: no peer can hold us longer than that.
 */
#ifndef MM_AGENT_SSHLINK_H
#define MM_AGENT_SSHLINK_H

#include <sys/types.h>

#include "agent/conf.h"

#define MM_SSHLINK_SAID_MAX 16384 /* bytes of standard error that are kept */
#define MM_SSHLINK_CONNECT_S 30
#define MM_SSHLINK_LOST 255 /* ssh's own exit status when there was no connection, or it broke */

struct mm_sshlink {
	pid_t pid;
	int in;  /* ssh's standard input; O_NONBLOCK */
	int out; /* ssh's standard output */
	int err; /* memory file behind ssh's standard error */
};

/* `connect_s`: until the connection stands, at most MM_SSHLINK_CONNECT_S. */
int mm_sshlink_open(const struct mm_checkin_conf *k, unsigned connect_s, unsigned life_s,
    struct mm_sshlink *out, struct mm_err *err);
/* Close our ends and wait for the end of ssh, at most `wait_ms`; it is killed
 * then. Returns the exit status of the command over there, or MM_SSHLINK_LOST.
 * The last line that was said on standard error is appended to `said`. */
int mm_sshlink_close(struct mm_sshlink *l, int wait_ms, struct mm_buf *said);

#endif
