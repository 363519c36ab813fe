/*
 * Programs of the user that keep a change waiting: which they are, telling
 * the user of them, and waiting until they have ended.
 */
#ifndef MM_AGENT_BLOCKERS_H
#define MM_AGENT_BLOCKERS_H

#include "agent/conf.h"
#include "agent/reader.h"

#define MM_BLOCKERS_MAX 64 /* processes; of more than these the first are waited for */
/* For the notification, when a bus or who shows it does not answer. */
#define MM_NOTIFY_SECONDS 2

struct mm_blockers {
	size_t n;
	struct mm_blocker {
		const struct mm_client *client;
		pid_t pid; /* 0: not known, another namespace's for example */
		bool tell; /* it is the user who can close it */
	} v[MM_BLOCKERS_MAX];
};

/* What the reader has met (mm_reader_met) stands in the way of this client. */
void mm_blockers_add(struct mm_blockers *b, struct mm_reader *r, const struct mm_client *client, bool tell);

/* After a run: say on the user's desktop what is to be closed, once per
 * revision and program, and keep in DIR what was said. DIR/deferred is there
 * as long as something waits. Where nobody shows notifications it is said
 * another time; nothing of this is ever an error, and no service is started. */
void mm_blockers_tell(
    const struct mm_blockers *b, const struct mm_identity *who, const char *dir, int64_t revision);
/* Nothing waits any more, or nobody waits for it. */
void mm_blockers_none(const char *dir);

enum mm_waited {
	MM_WAITED_ENDED, /* all processes of one of the programs */
	MM_WAITED_LATE,  /* the time is over */
	MM_WAITED_OVER,  /* the session is */
	MM_WAITED_NONE,  /* there is no process that could be waited for */
};
/* Sleeps on exactly these processes until all of one program have ended, or
 * CLOCK_BOOTTIME has reached `until` (seconds), or SIGTERM, SIGINT or SIGHUP
 * comes, or our parent is gone. */
enum mm_waited mm_blockers_wait(const struct mm_blockers *b, int64_t until);

#endif
