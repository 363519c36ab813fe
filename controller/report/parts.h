/*
 * The fleet in parts, walked by a few processes side by side.
 *
 * Whoever begins (the parent) starts up to MM_PARTS_PROCESSES - 1 others, no
 * more than there are CPUs for. Each has its own connection, and all see the
 * store in one state. Parts are taken one at a time, by whoever is free, so
 * that none waits for another. What is made of a part lies in memory that all
 * of them see: at the same address, so that it may hold pointers, and pointers
 * to whatever was there before the others were started.
 *
 * The others open nothing but the store and what they were given, and end with
 * the parent. One that dies or fails makes the whole fail, and is named.
 */
#ifndef MM_CONTROLLER_REPORT_PARTS_H
#define MM_CONTROLLER_REPORT_PARTS_H

#include <stddef.h>

#include "common/err.h"
#include "common/mem.h"
#include "controller/store/view.h"

#define MM_PARTS_PROCESSES 8
#define MM_PARTS_HOSTS 500 /* a smaller fleet is walked by one */

struct mm_parts;

/* Of the CPUs that this process may use, so many that it pays for `hosts` workstations; at most
 * MM_PARTS_PROCESSES. 1 = alone. */
size_t mm_parts_processes(int64_t hosts);

/* NULL: there is no memory that can be shared; walk alone. */
struct mm_parts *mm_parts_new(size_t processes);
/* Ends what still runs, and takes the memory that was shared away. NULL is allowed. */
void mm_parts_free(struct mm_parts *p);
/* What lies here is seen by all; to be used before they are started. */
struct mm_arena *mm_parts_arena(struct mm_parts *p);

/* Work on part number `part`; what it makes for the parent lies in `a`. `s` is connected. */
typedef int mm_part_work(struct mm_store *s, size_t part, struct mm_arena *a, void *arg, struct mm_err *err);

/* Start the others, on parts 0 to n - 1. Afterwards `s` is in the view that all of them see, until
 * mm_store_view_end(). 1: it cannot be done here and now, nothing runs, and `s` is as before: walk alone. */
int mm_parts_start(
    struct mm_parts *p, struct mm_store *s, size_t n, mm_part_work *work, void *arg, struct mm_err *err);
/* Take parts, too, in `a`, until there are none; wait for the others. */
int mm_parts_finish(struct mm_parts *p, struct mm_arena *a, struct mm_err *err);

#endif
