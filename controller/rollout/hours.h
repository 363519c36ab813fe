/*
 * Maintenance hours: when a rollout may send something new.
 *
 *   "Mon-Fri 20:00-06:00"             from each of these days' 20:00 to 06:00 of the next
 *   "Sat,Sun 00:00-24:00"             the whole weekend
 *   "Mon-Thu 20:00-06:00; Fri-Sun 18:00-08:00"   several, parted by ";"
 *   "22:00-05:00"                     every day
 *
 * An end that is not after the start is on the next day. Times are those of
 * the controller's time zone (TZ, /etc/localtime); where summer time begins
 * or ends, mktime(3)'s reading of the wall clock counts.
 */
#ifndef MM_ROLLOUT_HOURS_H
#define MM_ROLLOUT_HOURS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

#define MM_HOURS_MAX 16 /* spans */

struct mm_span {
	unsigned days;  /* bit 0 = Sunday, as tm_wday */
	int start, end; /* minutes since midnight of that day; end may be up to 2880 */
};

struct mm_hours {
	struct mm_span spans[MM_HOURS_MAX];
	size_t n; /* 0 = always */
};

/* One clear sentence on failure (MM_EX_USAGE), *out untouched. */
int mm_hours_parse(const char *text, struct mm_hours *out, struct mm_err *err);
/* In a form that parses to the same. Appends; nothing when n is 0. */
void mm_hours_print(const struct mm_hours *h, struct mm_buf *out);
/* Is `now` (unix seconds) within them? */
bool mm_hours_open(const struct mm_hours *h, int64_t now);
/* The first moment from `now` on that is: `now` itself when they are open. */
int64_t mm_hours_next(const struct mm_hours *h, int64_t now);

#endif
