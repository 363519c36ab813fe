/*
 * The commands of a muttrc with their places.
 *
 * Lexer: mutt_extract_token() and mutt_read_line() of mutt 2.2.12 and
 * neomutt 20220429 (init.c, muttlib.c), tried against both. Backticks are
 * opaque: nothing is ever run; variables are not expanded here.
 */
#ifndef MM_AGENT_FORMATS_MUTTRC_LEX_H
#define MM_AGENT_FORMATS_MUTTRC_LEX_H

#include "agent/formats/format.h"

struct mm_mutt_part {
	char kind;        /* 'l' literal, '$' name of a variable, '`' shell command */
	const char *text; /* decoded */
};

struct mm_mutt_word {
	size_t from, to; /* as it is spelled */
	const struct mm_mutt_part *parts;
	size_t n_parts;
	const char *text; /* the parts joined, $name as ${name}, commands in backticks */
	char kind;        /* 's' all literal, 'e' one command and nothing else, 'v' mixed */
};

struct mm_mutt_set { /* one variable of a set, unset, reset or toggle */
	char op;     /* '=' value, 'y' yes, 'n' no or unset, '!' toggle, 'r' reset, '+' changed by
			+= or -= (neomutt) */
	const char *name;
	size_t from, to;
	struct mm_mutt_word value; /* '=' and '+' */
	int line;
};

struct mm_mutt_cmd {
	const char *name;
	size_t from, to;           /* the command itself */
	size_t line_from, line_to; /* its logical line, with the line end */
	int line;
	bool alone;                       /* nothing else on that line, no comment either */
	const struct mm_mutt_word *words; /* all others; of a hook: pattern and command */
	size_t n_words;
	bool setter; /* set, unset, toggle or reset */
	const struct mm_mutt_set *sets;
	size_t n_sets;
};

int mm_muttrc_scan(
    struct mm_text in, struct mm_arena *a, struct mm_mutt_cmd **out, size_t *n, struct mm_err *err);
/* Does the text end in a backslash, so that what is appended would be joined to it? */
bool mm_muttrc_open_end(struct mm_text in);

#endif
