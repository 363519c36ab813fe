/* What the ini grammars share: splitting a text into headers and keys. */
#ifndef MM_AGENT_FORMATS_INIS_SCAN_H
#define MM_AGENT_FORMATS_INIS_SCAN_H

#include "agent/formats/lines.h"

struct mm_ini_rules {
	const char *separators;
	bool fold;    /* keys count in lower case */
	bool strict;  /* no key or section twice, UTF-8 only */
	bool bare;    /* a key may stand without a separator; its value is "true" */
	bool no_head; /* keys may stand before the first header */
	/* The name that begins behind '[' at `i`; *rest: behind the ']'. NULL: none. */
	const char *(*header)(struct mm_text in, size_t i, size_t end, struct mm_arena *a, size_t *rest);
	/* The value that begins at `i`, behind the separator: value, vfrom, vto, and where the entry
	 * ends (end, next). -1: not a value. */
	int (*value)(struct mm_text in, struct mm_line *l, size_t i, struct mm_arena *a);
};

int mm_ini_scan(const struct mm_ini_rules *rules, struct mm_text in, struct mm_arena *a, struct mm_line **out,
    size_t *n, struct mm_err *err);
/* Is this a key that counts as it is spelled? */
bool mm_ini_is_key(const struct mm_ini_rules *rules, const char *key);
/* After editing: does every key that was set read back as it was meant? */
int mm_ini_verify(const struct mm_line_grammar *g, const struct mm_buf *text, const struct mm_edit *edits,
    size_t n, struct mm_arena *a, struct mm_err *err);
/* Blanks at both ends taken off the span. */
void mm_ini_trim(struct mm_text in, size_t *from, size_t *to);

#endif
