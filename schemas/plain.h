/*
 * JSON objects of the plainest kind, read without a tree and without memory
 * of their own: no blanks, names of lower-case letters and '_', texts of
 * printable ASCII in which at most quotes and
 * backslashes are escaped, whole numbers from 0. So
 * programs write most of what they report.
 *
 * This accepts less than JSON allows, and nothing that a JSON parser (RFC
 * 8259) would read otherwise, but for a name that stands twice, which the
 * caller must look for. What is refused here is for the real parser, which
 * says what is wrong with it, if anything is.
 */
#ifndef MM_SCHEMAS_PLAIN_H
#define MM_SCHEMAS_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/mem.h"

struct mm_plain {
	const char *name, *text; /* in the JSON, not terminated; text NULL = a number */
	size_t name_len, len;
	bool escaped; /* there are backslashes in the text: mm_plain_copy() */
	int64_t number;
};

/* The number of members, or -1: not plain, or more than `max` members. */
int mm_plain_read(const char *json, size_t n, struct mm_plain *out, size_t max);
/* The text as it is meant, in `a`. */
const char *mm_plain_copy(const struct mm_plain *m, struct mm_arena *a);

#endif
