/*
 * Taking changes back by hand: from the newest generation down to the one
 * asked for. A file that still is what we wrote gets its former bytes back,
 * whole; in any other only our own edits are undone. The journal goes back
 * with them.
 */
#ifndef MM_AGENT_RESTORE_H
#define MM_AGENT_RESTORE_H

#include "agent/session.h"

struct mm_restored {
	int64_t generation;
	const char *path;
	const char *how; /* "former content", "our edits taken back", "removed", "nothing to do" */
};

/* `number` 0: the last run. *n entries in `a`. Stops at the first trouble;
 * what was restored before that stands, and the journal says so. */
/* With a session of mm_session_open_hostwide() it is the system's files. */
int mm_restore(const struct mm_session *s, int64_t number, struct mm_arena *a, struct mm_restored **out,
    size_t *n, struct mm_err *err);

#endif
