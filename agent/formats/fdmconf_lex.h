/* The tokens of fdm's configuration; grammar: fdmconf.h. */
#ifndef MM_AGENT_FORMATS_FDMCONF_LEX_H
#define MM_AGENT_FORMATS_FDMCONF_LEX_H

#include "agent/formats/splice.h"

enum mm_fdm_form {
	MM_FDM_WORD,
	MM_FDM_STRING,
	MM_FDM_COMMAND, /* $(...) and %(...) */
	MM_FDM_MACRO,   /* $x, ${x}, %x */
	MM_FDM_NUMBER,
	MM_FDM_SIGN /* one character, or == and != */
};

struct mm_fdm_token {
	enum mm_fdm_form form;
	size_t from, to;
	/* Decoded, what ${x} and %{x} stand for apart: then `open` is set, and it is as spelled.
	 * A macro: with its $ or %, without braces. */
	const char *text;
	bool open;
};

/* 1: a token, *pos behind it; 0: the end; -1: fdm refuses the file, *why says for what. */
int mm_fdm_next(
    struct mm_text in, size_t *pos, struct mm_arena *a, struct mm_fdm_token *out, const char **why);

/* A value as it stands ("a" + $b): what it means where macros are known. NULL: the output of a
 * command is in it, or a macro that is not known. */
typedef const char *mm_fdm_macro(const void *ctx, const char *name);
const char *mm_fdm_expand(const char *spelled, mm_fdm_macro *macro, const void *ctx, struct mm_arena *a);

/* The words of an account, in the order in which fdm wants them; the first is the s of a type. */
enum mm_fdm_rank {
	MM_FDM_TYPE,
	MM_FDM_SERVER,
	MM_FDM_PORT,
	MM_FDM_USER,
	MM_FDM_PASS,
	MM_FDM_FOLDER,
	MM_FDM_ONLY,
	MM_FDM_FLAGS
};
struct mm_fdm_word {
	const char *word;
	const char *key;
	int rank;
	bool value;        /* a value follows */
	const char * not ; /* the protocol that it has no meaning for, or NULL */
};
#define MM_FDM_WORDS 18
extern const struct mm_fdm_word mm_fdm_words[MM_FDM_WORDS];

/* Would what ends at `from` and what begins at `to` be one word? */
bool mm_fdm_glued(struct mm_text in, size_t from, size_t to);

/* How a string and a command are spelled; NULL: this cannot be. */
const char *mm_fdm_quote(const char *s, struct mm_arena *a);
const char *mm_fdm_command(const char *line, struct mm_arena *a);
/* One of them, or a bare number where one may stand. */
const char *mm_fdm_spell(const char *value, bool command, bool number, struct mm_arena *a);

#endif
