/*
 * Taking changes back: from the newest generation down to the one
 * asked for. A file that still is what we wrote gets its former bytes back,
 * whole; in any other only our own edits are undone. The journal goes back
 * with them.
 */
#ifndef MM_AGENT_RESTORE_H
#define MM_AGENT_RESTORE_H

#include "agent/generations.h"
#include "agent/session.h"

struct mm_restored {
	int64_t generation;
	const char *path;
	const char
	    *how;  /* "former content", "our edits taken back", "removed", "nothing to do"; or why not */
	bool left; /* not taken back: `path` is the place's then */
	const char *client, *place; /* whose generation it is */
};

/* `number` 0: the last run. *n entries in `a`. Stops at the first trouble;
 * what was restored before that stands, and the journal says so. */
/* With a session of mm_session_open_hostwide() it is the system's files. */
int mm_restore(const struct mm_session *s, int64_t number, struct mm_arena *a, struct mm_restored **out,
    size_t *n, struct mm_err *err);

struct mm_restore_job {
	const struct mm_identity *who;
	const char *state_dir;
	struct mm_journal *journal; /* loaded and recovered, under the lock */
	int64_t number;
	/* Why a generation is to stay, and with it the older ones of its place; NULL: it may
	 * go. `after` shows the files as they would be. NULL: nobody has a say. */
	const char *(*forbids)(
	    void *ctx, const struct mm_generation *g, struct mm_reader *now, struct mm_overlay *after);
	void *ctx;
};
/* The same for who has the journal already. */
int mm_restore_by(const struct mm_restore_job *job, struct mm_arena *a, struct mm_restored **out, size_t *n,
    struct mm_err *err);

#endif
