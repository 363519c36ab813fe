/*
 * What the commands that a user runs have in common: who we are, what we
 * were asked to apply, where our state lies.
 */
#ifndef MM_AGENT_SESSION_H
#define MM_AGENT_SESSION_H

#include "agent/conf.h"
#include "agent/held.h"
#include "agent/reader.h"

struct mm_session {
	const struct mm_conf *conf;
	struct mm_arena *a;
	int64_t now;
	struct mm_identity who;
	const char *state_dir; /* the user's */
	struct mm_held held;
	struct mm_sheet sheet;
};

/* 1: there is a sheet for us, 0: there is none, -1: error. With 0 and 1 the
 * caller closes. A sheet that the host's limits no longer allow is an error. */
int mm_session_open(const struct mm_conf *c, struct mm_session *s, struct mm_err *err);
/* The system's own, for root; there is no sheet in it. */
int mm_session_open_hostwide(const struct mm_conf *c, struct mm_session *s, struct mm_err *err);
void mm_session_close(struct mm_session *s);

#endif
