/*
 * The words of ~/.netrc, as ftp(1), curl and GNU inetutils read it: parted by
 * blanks and line ends; a word may stand in double quotes, in which \" \\ \n \r \t
 * are escapes (curl, lib/netrc.c); a # before a word begins a comment.
 * Behind "macdef NAME" come lines up to an empty one.
 */
#ifndef MM_AGENT_FORMATS_NETRC_LEX_H
#define MM_AGENT_FORMATS_NETRC_LEX_H

#include <stdbool.h>
#include <stddef.h>

#define MM_NETRC_WORD_MAX 1024

struct mm_netrc_lexer {
	const char *p;                    /* what is left; to begin with, the text */
	const char *from;                 /* where the word begins that was read last; it ends at p */
	char word[MM_NETRC_WORD_MAX + 1]; /* it may hold a password: to be wiped by who is done */
	size_t len;
	bool quoted;
};

/* 1: there is a word, 0: the end, -1: it is too long, or a quotation is open. */
int mm_netrc_next(struct mm_netrc_lexer *l);
/* Is it this keyword? Quoted, it is none. */
bool mm_netrc_is(const struct mm_netrc_lexer *l, const char *key);
/* Behind the word macdef: over its lines. 0 or -1. */
int mm_netrc_skip_macro(struct mm_netrc_lexer *l);

#endif
