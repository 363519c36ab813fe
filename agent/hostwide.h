/*
 * The system's own side of a run: the user MM_SYSTEM_USER is root, whose
 * "home" is the whole file system, of which it may write what the routes
 * name. Its journal and generations lie beside the host's other state.
 */
#ifndef MM_AGENT_HOSTWIDE_H
#define MM_AGENT_HOSTWIDE_H

#include "agent/conf.h"
#include "agent/place.h"
#include "agent/reader.h"
#include "agent/routes/route.h"

bool mm_is_hostwide(const struct mm_identity *who);
struct mm_identity mm_hostwide_identity(void);
const char *mm_hostwide_state(const struct mm_conf *c, struct mm_arena *a);
/* A sheet that asks for nothing: what is ours goes. */
struct mm_sheet mm_hostwide_nothing(int64_t revision);

/* A place that common code works on: the files as they are edited, and as
 * they stand. `p` gets its reader; `r` is the one below. */
void mm_hostwide_place(struct mm_place_run *p, struct mm_reader *r, const char *client);
/* May this file of a hostwide place be written: named by its route, and only
 * root can change it or what leads to it? */
int mm_hostwide_may_write(
    const struct mm_place_run *p, const char *path, enum mm_file_trouble *why, struct mm_err *err);

/* Give up whatever is not needed to edit the files of the routes, for good. */
int mm_hostwide_confine(const struct mm_conf *c, const struct mm_sheet *sheet, struct mm_err *err);

#endif
