/*
 * The three-way comparison of one setting, as pure functions.
 *
 *   A = what we last applied (the journal), C = what the program sees now,
 *   D = what is desired; NULL = unknown or absent. D is never NULL here.
 *
 *   C == D, or better          compliant
 *   A unknown, C absent        pending
 *   A unknown, C present       unmanaged (may be adopted)
 *   A known, C absent          removed
 *   A == C, C != D             pending (an intended change)
 *   A != C, C != D             drifted
 */
#ifndef MM_AGENT_CLASSIFY_H
#define MM_AGENT_CLASSIFY_H

#include <stdbool.h>

#include "common/file.h"
#include "schemas/settings.h"
#include "schemas/state.h"

enum mm_state mm_classify(enum mm_setting s, const char *applied, const char *found, const char *desired);

struct mm_decision {
	enum mm_state state; /* what to report */
	bool write;
	enum mm_action action; /* when nothing is written */
	const char *reason;    /* "" or one sentence */
};
/* What a mode makes of a state. MM_MODE_IGNORE is not asked about. */
struct mm_decision mm_decide(enum mm_state state, enum mm_mode mode);

/* How a file that cannot be used is reported: what may be different next
 * time is deferred, the rest is an error. */
enum mm_state mm_trouble_state(enum mm_file_trouble t);

#endif
