/*
 * One state of the store, seen by several processes side by side, and parts of
 * the fleet.
 *
 * A connection does not survive a fork(): it is left before, and each process
 * returns on its own. A view is a read transaction: what others write
 * meanwhile does not show in it. Two views are of the same state when nothing
 * was committed between them: mm_store_data_version() tells, asked of one
 * handle before the first and in the last.
 *
 * Conventions are those of store.h.
 */
#ifndef MM_CONTROLLER_STORE_VIEW_H
#define MM_CONTROLLER_STORE_VIEW_H

#include "controller/store/store.h"

/* Give the connection up; nothing may be under way. The only thing that may follow is: */
int mm_store_let_go(struct mm_store *s, struct mm_err *err);
/* Connect again; also in a child. An error when another file has taken the store's place. */
int mm_store_reconnect(struct mm_store *s, struct mm_err *err);

/* What is "now" from here on is this moment. Returns what mm_store_set_now() takes to end that. */
int64_t mm_store_fix_now(struct mm_store *s);

/* Nothing is written before mm_store_view_end(). */
int mm_store_view(struct mm_store *s, struct mm_err *err);
void mm_store_view_end(struct mm_store *s);
/* Changes whenever somebody else commits. In a view it is that of the view. */
int mm_store_data_version(struct mm_store *s, int64_t *out, struct mm_err *err);

int mm_store_hosts_count(struct mm_store *s, int64_t *out, struct mm_err *err);
/* The `n`th of all in order, from 0; *out in the arena, 1 = there are fewer. */
int mm_store_host_nth(
    struct mm_store *s, int64_t n, struct mm_arena *a, const char **out, struct mm_err *err);
/* From now on evidence, hosts and places are shown from `from` to `to` alone, both included;
 * NULL: without an end. A filter's own host stands over it. */
void mm_store_part(struct mm_store *s, const char *from, const char *to);

#endif
