/*
 * A result as a person reads it: the ladder with its timings, the verdict
 * with a sentence for the user and one for the admin, and what to do. Pure:
 * from struct mm_login to text. What is from outside is made printable.
 */
#ifndef MM_AGENT_PROBE_SHOW_H
#define MM_AGENT_PROBE_SHOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/buf.h"
#include "common/term.h"
#include "schemas/report.h"

struct mm_style {
	bool colour;
	bool utf8;    /* else ASCII ticks */
	size_t width; /* columns; 0: lines are not broken */
	bool verbose; /* addresses, chain, capabilities as well */
};
/* What suits a stream: colour and a width on a terminal only; UTF-8 as the
 * locale says (setlocale() comes before). */
struct mm_style mm_style_of(FILE *f);

void mm_show_login(const struct mm_login *l, const struct mm_style *s, struct mm_buf *out);
/* "2 of 3 passed, 1 failed"; nothing for one alone. */
void mm_show_summary(
    size_t passed, size_t failed, size_t untested, const struct mm_style *s, struct mm_buf *out);

/* Start and end of a colour; "" without. */
const char *mm_style_colour(const struct mm_style *s, enum mm_colour c);

#endif
