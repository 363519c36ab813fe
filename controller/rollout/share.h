/*
 * "5", "5%", "any": how many of a whole.
 */
#ifndef MM_ROLLOUT_SHARE_H
#define MM_ROLLOUT_SHARE_H

#include <stdint.h>

#include "common/buf.h"

#define MM_SHARE_COUNT_MAX 1000000
#define MM_PERCENT 100 /* percentages are kept in hundredths */

enum mm_share_kind { MM_SHARE_COUNT, MM_SHARE_PERCENT, MM_SHARE_ANY };

struct mm_share {
	enum mm_share_kind kind;
	int64_t n; /* a count, or hundredths of a percent */
};

/* "5", "5%", "0.25%" (two decimals at most, up to 100%), "any". -1: none of these. */
int mm_share_parse(const char *text, struct mm_share *out);
void mm_share_print(const struct mm_share *s, struct mm_buf *out); /* appends */
/* How many of `whole`, rounded down; INT64_MAX for MM_SHARE_ANY. */
int64_t mm_share_of(const struct mm_share *s, int64_t whole);
/* The same, rounded up: for what must be reached, not what may be used up. */
int64_t mm_share_need(const struct mm_share *s, int64_t whole);

#endif
