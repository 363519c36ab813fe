#include "agent/formats/netrc_lex.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_blanks(struct mm_netrc_lexer *l)
{
	for (;;) {
		while (is_blank(*l->p))
			l->p++;
		if (*l->p != '#')
			return;
		l->p += strcspn(l->p, "\n");
	}
}

static int put(struct mm_netrc_lexer *l, char c)
{
	if (l->len == MM_NETRC_WORD_MAX)
		return -1;
	l->word[l->len++] = c;
	l->word[l->len] = '\0';
	return 0;
}

static char escaped(char c)
{
	switch (c) {
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	default:
		return c;
	}
}

static int quoted_word(struct mm_netrc_lexer *l)
{
	for (l->p++; *l->p != '"'; l->p++) {
		char c = *l->p;
		if (c == '\\' && l->p[1] != '\0')
			c = escaped(*++l->p);
		if (c == '\0' || put(l, c) != 0)
			return -1;
	}
	l->p++;
	return 1;
}

int mm_netrc_next(struct mm_netrc_lexer *l)
{
	l->len = 0;
	l->word[0] = '\0';
	skip_blanks(l);
	if (*l->p == '\0')
		return 0;
	l->from = l->p;
	l->quoted = *l->p == '"';
	if (l->quoted)
		return quoted_word(l);
	for (; *l->p != '\0' && !is_blank(*l->p); l->p++)
		if (put(l, *l->p) != 0)
			return -1;
	return 1;
}

bool mm_netrc_is(const struct mm_netrc_lexer *l, const char *key)
{
	return !l->quoted && strcmp(l->word, key) == 0;
}

int mm_netrc_skip_macro(struct mm_netrc_lexer *l)
{
	if (mm_netrc_next(l) <= 0)
		return -1;
	const char *end = strstr(l->p, "\n\n"), *dos = strstr(l->p, "\n\r\n");
	if (end == NULL || (dos != NULL && dos < end))
		end = dos;
	l->p = end != NULL ? end : l->p + strlen(l->p);
	return 0;
}
