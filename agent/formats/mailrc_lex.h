/*
 * The words of a mailrc as s-nail 14.9 takes them apart; tried against 14.9.24.
 *
 * A line ends at a line feed behind an even number of backslashes; blanks in
 * front of what goes on are skipped. `#` at its start makes a comment of the
 * whole line, also of what goes on. Commands may be cut short. Words are
 * quoted in two ways:
 *
 *   old    "..." and '...' with \" or \' in them and nothing else; \c outside; a quote that is
 *          not closed ends with the line; `#`, `$`, and `;` are like any other byte
 *   shell  '...', "..." with \$ \` \" \\, $'...' with escapes; $NAME and ${NAME}; `;` ends a
 *          command, `#` begins a comment; a quote that is not closed voids the command
 *
 * The second way holds behind the word `wysh`, and everywhere once v15-compat
 * is set to something that is not empty. `account NAME {` ... `}` keeps lines for
 * later, which are read as they are once the file is at its end.
 */
#ifndef MM_AGENT_FORMATS_MAILRC_LEX_H
#define MM_AGENT_FORMATS_MAILRC_LEX_H

#include "agent/formats/format.h"

#define MM_MAILRC_ACCOUNTS_MAX 256
#define MM_MAILRC_IFS_MAX 64 /* conditions within each other */

struct mm_mailrc_word {
	size_t from, to;  /* in the text, as spelled */
	const char *text; /* decoded; NULL: it has variables in it, or what cannot be read */
	const char *raw;  /* as spelled, lines joined */
};

struct mm_mailrc_cmd {
	const char *name;    /* whole, where it is cut short and one that counts here */
	const char *section; /* "", an account, or one of those with a line feed first: under a condition, or
				shadowed by a later block of its name */
	int line;
	size_t from, to;             /* up to the end of its last word */
	size_t line_from, line_to;   /* the whole line, without its line end */
	bool alone;                  /* nothing else is on the line */
	bool shell;                  /* the second way of quoting */
	bool line_shell, next_shell; /* ... where the line begins, and behind the command */
	struct mm_mailrc_word *words;
	size_t n_words;
	size_t close;     /* account NAME {: where the line of its } begins */
	bool close_shell; /* ... and the way of quoting there */
};

struct mm_mailrc {
	struct mm_mailrc_cmd *v;
	size_t n, cap;
	bool shell; /* the way of quoting at the end */
};

/* `shell`: v15-compat is set before the file begins. What makes s-nail leave the
 * file before its end (an account or a condition that is not closed) is an
 * error, and so is a CR, which it takes for a part of values. */
int mm_mailrc_scan(
    struct mm_text in, bool shell, struct mm_arena *a, struct mm_mailrc *out, struct mm_err *err);

/* The value of a spelled word. lookup() gives the values of variables; NULL:
 * not known. NULL: not known, or not a word. */
typedef const char *mm_mailrc_lookup(const void *ctx, const char *name);
const char *mm_mailrc_decode(
    const char *raw, bool shell, mm_mailrc_lookup *lookup, const void *ctx, struct mm_arena *a);

/* `set NAME`, `set NAME=VALUE`, `set noNAME`: the parts of one word. */
struct mm_mailrc_set {
	const char *name, *value; /* value: as in struct mm_item, with its kind */
	char kind;
};
struct mm_mailrc_set mm_mailrc_set(const struct mm_mailrc_word *w, struct mm_arena *a);

#endif
