/*
 * `mailmuster-agent receive`: one signed request on standard input, one
 * answer on standard output. The only way in which a controller makes this
 * host do anything.
 */
#ifndef MM_AGENT_RECEIVE_H
#define MM_AGENT_RECEIVE_H

#include "agent/conf.h"

struct mm_receive {
	const struct mm_conf *conf;
	int in, out;
	int64_t now;
	int hang_s; /* a worker without a sign of life */
};

#define MM_RECEIVE_HANG_S 60
#define MM_RECEIVE_REQUEST_S 60 /* for the request to arrive */

/* The exit status (enum mm_exit). `err` holds what should stand in the
 * host's own log, if anything. */
int mm_receive(const struct mm_receive *r, struct mm_err *err);

#endif
