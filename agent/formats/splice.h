/*
 * What the format editors share: cutting and pasting in a text by lines.
 *
 * An editor answers an edit with cuts, "these bytes become those"; the
 * common loop applies them and goes on with the next edit on the new text.
 * Lines end in LF or CR LF. A new line gets the line end of the first line of
 * the text; a text without a final line end stays without one, and taking
 * the added line out again gives the old bytes (law L6).
 */
#ifndef MM_AGENT_FORMATS_SPLICE_H
#define MM_AGENT_FORMATS_SPLICE_H

#include "agent/formats/format.h"

struct mm_cut {
	size_t from, to; /* bytes that go */
	const char *put; /* what comes in their place, not NULL */
};

struct mm_cuts { /* ascending, not overlapping */
	struct mm_arena *a;
	struct mm_cut *v;
	size_t n, cap;
};

void mm_cut_add(struct mm_cuts *c, size_t from, size_t to, const char *put);
/* The lines that the bytes from..to touch go, with their line ends. */
void mm_cut_lines(struct mm_cuts *c, struct mm_text in, size_t from, size_t to);
/* New lines (LF between them, none at the end) come at `at`: the start of a
 * line or the end of the text. */
void mm_put_lines(struct mm_cuts *c, struct mm_text in, size_t at, const char *lines);

/* One edit on one text: fill in the former state of `e` and give the cuts. */
typedef int mm_edit_one(struct mm_text in, struct mm_edit *e, struct mm_cuts *cuts, struct mm_err *err);
/* The loop behind mm_format.edit. */
int mm_edit_run(struct mm_text in, struct mm_edit *edits, size_t n, mm_edit_one *one, struct mm_arena *a,
    struct mm_buf *out, struct mm_err *err);
/* Refuses NUL bytes and texts above MM_FORMAT_TEXT_MAX. */
int mm_text_check(struct mm_text in, struct mm_err *err);

const char *mm_text_eol(struct mm_text in);          /* "\n" or "\r\n" */
size_t mm_line_start(struct mm_text in, size_t pos); /* first byte of the line that holds pos */
size_t mm_line_end(struct mm_text in, size_t pos);   /* its line end (CR or LF), or the text's end */
size_t mm_line_next(struct mm_text in, size_t pos);  /* first byte after its line end */
int mm_line_number(struct mm_text in, size_t pos);   /* 1-based */
bool mm_text_is(struct mm_text in, size_t from, size_t to, const char *s);
const char *mm_text_dup(struct mm_text in, size_t from, size_t to, struct mm_arena *a);
/* Set `wins` of each item: the last of those with the same section and key
 * (commands, kind c, all win). Linear: files may have a million lines. */
void mm_mark_winners(struct mm_item *items, size_t n, struct mm_arena *a);
/* Can these bytes stand in a line as they are? A CR at their end would be half a line end. */
bool mm_one_line(const char *s);
static inline bool mm_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

#endif
