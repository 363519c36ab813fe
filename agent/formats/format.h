/*
 * Lossless editors, one per file grammar.
 *
 * An editor knows a grammar and nothing of mail. It finds items (section,
 * key, value, line) as the program that owns the file would, and carries out
 * edits so that every byte outside the touched items stays (comments, order,
 * line ends, blanks, encoding, unknown lines). It works on text in memory;
 * files are the business of others.
 *
 * Values are *decoded*: what the program would see, quoted again by the
 * editor for its grammar when written. A value the grammar cannot hold is an
 * error (code MM_EX_DATAERR), and the text is left alone.
 *
 * Laws (tests/unit/test_format_laws.c, tests/fuzz):
 *   L1 editing twice is editing once      L2 reading back gives what was set
 *   L3 nothing to change: the same bytes  L4 other bytes untouched
 *   L5 malformed input: an error          L6 edits, then their inverse: the bytes from before
 */
#ifndef MM_AGENT_FORMATS_FORMAT_H
#define MM_AGENT_FORMATS_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/mem.h"

#define MM_FORMAT_TEXT_MAX (8u * 1024u * 1024u) /* a config larger than this is refused */

struct mm_text {
	const char *p; /* not NUL-terminated */
	size_t n;
};

/* One thing that stands in a file. */
struct mm_item {
	const char *section; /* "" where the grammar has none; block or account name */
	const char
	    *key; /* pref name, variable, keyword; grammar-specific for commands (see the editor's header) */
	const char *value; /* decoded text */
	char kind;         /* 's' string, 'i' integer, 'b' bool (true/false), 'c' other command; muttrc
			      adds 'e' (a shell command whose output is the value) and 'v' (a text
			      with $x or `x` in it, as it is spelled), keyfile 'u' (a value that
			      the program cannot read, as it is spelled) */
	int line;          /* 1-based line where it begins */
	bool wins;         /* not shadowed by a later (or, where the grammar says so, earlier) item */
};

struct mm_doc { /* a parsed text, in document order */
	struct mm_item *items;
	size_t n;
	const char *eol; /* "\n" or "\r\n": what new lines get */
};

enum mm_edit_op {
	MM_EDIT_SET,      /* key = value; added in the grammar's right place when absent */
	MM_EDIT_DELETE,   /* remove key; absent is fine */
	MM_EDIT_LIST_ADD, /* add `value` as a member of the list that `key` holds; before the member
			     that `section` names, if it names one, else at the end */
	MM_EDIT_LIST_REMOVE,
	MM_EDIT_SECTION_ADD,    /* section exists afterwards; `value`: what it inherits from (msmtprc) */
	MM_EDIT_SECTION_REMOVE, /* its header goes if nothing of others is left in it */
	MM_EDIT_BLOCK_SET,      /* managed block named `section` has exactly the lines in `value` */
	MM_EDIT_BLOCK_REMOVE,
	MM_EDIT_OP_COUNT
};
const char *mm_edit_op_name(enum mm_edit_op op);
int mm_edit_op_by_name(const char *s);

struct mm_edit {
	enum mm_edit_op op;
	const char *section; /* "" = none */
	const char *key;
	const char *value;
	char kind; /* as in mm_item: how to write it */
	/* NULL, or how the value was spelled once (only mm_edit_inverse() sets it): taken over byte
	 * for byte when it still means `value`, so that undoing gives back the old bytes. It may be
	 * dropped at any time: then the value is the same and its quoting may differ. */
	const char *raw;
	/* filled in by the editor: */
	bool had; /* the item (member, section, block) was there before */
	const char
	    *former; /* its decoded value then (of a list: the whole list), NULL when it was not there */
	const char *former_raw; /* its spelling then, or NULL */
	char former_kind;
	bool changed; /* this edit changed bytes */
};

struct mm_format {
	const char *name; /* "prefs.js", "muttrc", "msmtprc": stands in journals, so it is permanent */
	/* L5: an error names the line. Strings live in `a`. */
	int (*parse)(struct mm_text in, struct mm_arena *a, struct mm_doc *out, struct mm_err *err);
	/* Carry out all edits in order; `out` receives the whole new text. */
	int (*edit)(struct mm_text in, struct mm_edit *edits, size_t n, struct mm_arena *a,
	    struct mm_buf *out, struct mm_err *err);
};

extern const struct mm_format *const mm_formats[]; /* NULL-terminated */
const struct mm_format *mm_format_by_name(const char *name);

/* The edit that undoes a carried-out edit. False: nothing to undo. */
bool mm_edit_inverse(const struct mm_edit *done, struct mm_edit *out);

/* The last winning item with this key that is no command (kind c), or NULL. */
const struct mm_item *mm_doc_find(const struct mm_doc *d, const char *section, const char *key);

#endif
