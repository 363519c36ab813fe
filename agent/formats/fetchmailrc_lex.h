/* The words of fetchmail's run control file; grammar: fetchmailrc.h. */
#ifndef MM_AGENT_FORMATS_FETCHMAILRC_LEX_H
#define MM_AGENT_FORMATS_FETCHMAILRC_LEX_H

#include "agent/formats/splice.h"

enum mm_fm_form {
	MM_FM_NOISE,
	MM_FM_POLL,
	MM_FM_DEFAULTS,
	MM_FM_SET,
	MM_FM_NO,
	MM_FM_USER,
	MM_FM_WHERE,
	MM_FM_FLAG,
	MM_FM_ONE,
	MM_FM_LIST
};

struct mm_fm_word {
	const char *word;
	const char *key; /* NULL: the word itself */
	enum mm_fm_form form;
	bool server; /* an option of the server */
};

struct mm_fm_token {
	size_t from, to;
	const char *text;
	bool quoted;
};

/* 1: a word, *pos behind it; 0: the end; -1: a quote is not closed, or goes on behind. */
int mm_fm_next_token(struct mm_text in, size_t *pos, struct mm_arena *a, struct mm_fm_token *out);
/* NULL: a string. */
const struct mm_fm_word *mm_fm_keyword(const struct mm_fm_token *t);
/* The option that a "nokeep" takes back, or NULL. */
const struct mm_fm_word *mm_fm_negated(const struct mm_fm_token *t);
/* The option behind the key of an item. */
const struct mm_fm_word *mm_fm_by_key(const char *key);
/* Is it a string without quotes, and how is it spelled with them? */
bool mm_fm_is_bare(const char *s);
const char *mm_fm_quote(const char *s, struct mm_arena *a);

#endif
