/*
 * Is a home there to be worked in? Asked as the user, before anything in it
 * is opened, and without waking an automounter.
 */
#ifndef MM_AGENT_HOME_H
#define MM_AGENT_HOME_H

#include "agent/reader.h"

/* NULL: it is. Else one sentence why not (in `a`). May block for as long as
 * a dead file server does: whoever asks watches the clock. */
const char *mm_home_trouble(const struct mm_identity *who, struct mm_arena *a);
/* From /proc/self/mountinfo's text: the type of the file system mounted at or
 * nearest above `path`, or "". For tests. */
const char *mm_mount_type(const char *mountinfo, const char *path, struct mm_arena *a);

#endif
