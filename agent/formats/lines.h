/*
 * Files of lines with sections: one editor for several grammars.
 *
 * A grammar splits the text into lines and says what each line is; placing,
 * replacing and removing is the same for all of them. A new key comes behind
 * the last key of its section, indented like that one. A new section comes at
 * the end, behind one blank line, which goes with it.
 */
#ifndef MM_AGENT_FORMATS_LINES_H
#define MM_AGENT_FORMATS_LINES_H

#include "agent/formats/format.h"
#include "agent/formats/splice.h"

enum mm_line_kind { MM_LINE_BLANK, MM_LINE_COMMENT, MM_LINE_HEADER, MM_LINE_KEY };

struct mm_line {
	enum mm_line_kind kind;
	int no;                 /* 1-based line in the text; 0: each entry so far was one line */
	size_t from, end, next; /* end: before the line end; next: behind it */
	const char *section;
	const char *key;   /* MM_LINE_KEY */
	const char *value; /* decoded; MM_LINE_HEADER: what stands behind the name */
	size_t kfrom;      /* where the key begins */
	size_t kto;        /* where it ends; only for a grammar with `alone` */
	size_t vfrom, vto; /* the value as spelled */
	bool unreadable;   /* the program cannot decode it: `value` is as spelled, the item's kind u */
	bool inside;       /* it shares its line with what stands before it */
	bool alone;        /* a key without a separator */
};

struct mm_line_grammar {
	const char *header_key; /* key of the item that stands for a header: "account" */
	int (*scan)(
	    struct mm_text in, struct mm_arena *a, struct mm_line **out, size_t *n, struct mm_err *err);
	/* Is this a value spelled, and what does it mean? NULL: it is not. */
	const char *(*decode)(const char *raw, struct mm_arena *a);
	/* The spelling of a value, or -1: the grammar cannot hold it. */
	int (*spell)(
	    const char *key, const char *value, struct mm_arena *a, const char **out, struct mm_err *err);
	/* The header line of a new section; `value` may be NULL. NULL: the file has no sections. */
	int (*header)(
	    const char *section, const char *value, struct mm_arena *a, const char **out, struct mm_err *err);
	const char *between; /* key and value of a new line */
	bool flat;           /* no sections: keys may stand in an empty file */
	bool unreadable;     /* it has such values: an edit of kind u writes one as it is spelled */
	bool no_cr;          /* a CR that is no line end makes a text that is refused */
	const char *alone;   /* NULL, or the value of a key that stands without one */
	/* NULL, or what is looked at once more in the new text before it is given out. */
	int (*verify)(const struct mm_line_grammar *g, const struct mm_buf *text, const struct mm_edit *edits,
	    size_t n, struct mm_arena *a, struct mm_err *err);
};

/* The scan of a grammar whose entries are lines: one() is given each of them with
 * its bytes and the section "", and says what it is. */
typedef int mm_line_scan(void *ctx, struct mm_line *l, int no, struct mm_err *err);
int mm_lines_scan(struct mm_text in, mm_line_scan *one, void *ctx, struct mm_arena *a, struct mm_line **out,
    size_t *n, struct mm_err *err);

int mm_lines_parse(const struct mm_line_grammar *g, struct mm_text in, struct mm_arena *a, struct mm_doc *out,
    struct mm_err *err);
int mm_lines_edit_one(const struct mm_line_grammar *g, struct mm_text in, struct mm_edit *e,
    struct mm_cuts *cuts, struct mm_err *err);
/* The edits in their order, one() for each of them; mm_lines_edit_one() where
 * it is all there is to do. A text that is not of this grammar is an error. */
int mm_lines_edit(const struct mm_line_grammar *g, mm_edit_one *one, struct mm_text in, struct mm_edit *edits,
    size_t n, struct mm_arena *a, struct mm_buf *out, struct mm_err *err);

/* Defines the format of a grammar that needs nothing of its own. */
#define MM_LINES_FORMAT(variable, format_name, grammar)                                                      \
	static int grammar##_parse(                                                                          \
	    struct mm_text in, struct mm_arena *a, struct mm_doc *out, struct mm_err *err)                   \
	{                                                                                                    \
		return mm_lines_parse(&(grammar), in, a, out, err);                                          \
	}                                                                                                    \
	static int grammar##_edit_one(                                                                       \
	    struct mm_text in, struct mm_edit *e, struct mm_cuts *cuts, struct mm_err *err)                  \
	{                                                                                                    \
		return mm_lines_edit_one(&(grammar), in, e, cuts, err);                                      \
	}                                                                                                    \
	static int grammar##_edit(struct mm_text in, struct mm_edit *edits, size_t n, struct mm_arena *a,    \
	    struct mm_buf *out, struct mm_err *err)                                                          \
	{                                                                                                    \
		return mm_lines_edit(&(grammar), grammar##_edit_one, in, edits, n, a, out, err);             \
	}                                                                                                    \
	const struct mm_format variable = {                                                                  \
	    .name = (format_name), .parse = grammar##_parse, .edit = grammar##_edit}

#endif
