/* How many tests fit under the limit of open files. */
#ifndef MM_AGENT_PROBE_ROOM_H
#define MM_AGENT_PROBE_ROOM_H

#include <stddef.h>

#define MM_AT_ONCE_MIN 1

/* At least MM_AT_ONCE_MIN, at most MM_AT_ONCE (engine.h). */
size_t mm_room(void);

#endif
