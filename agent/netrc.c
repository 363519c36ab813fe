#include "agent/netrc.h"

#include <stdbool.h>
#include <string.h>

#include "common/text.h"

#define WORD_MAX 1024

struct lexer {
	const char *p;
	char word[WORD_MAX + 1]; /* wiped at the end: it may hold a password */
	size_t len;
	bool quoted;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_blanks(struct lexer *l)
{
	for (;;) {
		while (is_blank(*l->p))
			l->p++;
		if (*l->p != '#')
			return;
		l->p += strcspn(l->p, "\n");
	}
}

static int put(struct lexer *l, char c)
{
	if (l->len == WORD_MAX)
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

static int quoted_word(struct lexer *l)
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

/* 1: there is a word, 0: the end, -1: it is too long, or a quotation is open. */
static int next(struct lexer *l)
{
	l->len = 0;
	l->word[0] = '\0';
	skip_blanks(l);
	if (*l->p == '\0')
		return 0;
	l->quoted = *l->p == '"';
	if (l->quoted)
		return quoted_word(l);
	for (; *l->p != '\0' && !is_blank(*l->p); l->p++)
		if (put(l, *l->p) != 0)
			return -1;
	return 1;
}

/* A word that has to be there behind a keyword. */
static int value(struct lexer *l)
{
	return next(l) > 0 ? 0 : -1;
}

static bool is_key(const struct lexer *l, const char *key)
{
	return !l->quoted && strcmp(l->word, key) == 0;
}

static int skip_macro(struct lexer *l)
{
	if (value(l) != 0)
		return -1;
	const char *end = strstr(l->p, "\n\n"), *dos = strstr(l->p, "\n\r\n");
	if (end == NULL || (dos != NULL && dos < end))
		end = dos;
	l->p = end != NULL ? end : l->p + strlen(l->p);
	return 0;
}

struct entry {
	bool open; /* the machine is the one that is looked for */
	bool login_fits, has_password;
};

static bool is_ours(const struct entry *e)
{
	return e->open && e->login_fits && e->has_password;
}

static int take_machine(struct lexer *l, const char *machine, struct entry *e)
{
	if (value(l) != 0)
		return -1;
	*e = (struct entry){.open = mm_streq_nocase(l->word, machine)};
	return 0;
}

static int take_login(struct lexer *l, const char *login, struct entry *e)
{
	if (value(l) != 0)
		return -1;
	e->login_fits = strcmp(l->word, login) == 0;
	return 0;
}

static int take_password(struct lexer *l, struct entry *e, struct mm_secret *out)
{
	if (value(l) != 0)
		return -1;
	if (!e->open)
		return 0;
	e->has_password = true;
	return mm_secret_set(out, l->word, l->len, NULL);
}

static bool begins_entry(const struct lexer *l)
{
	return is_key(l, "machine") || is_key(l, "default");
}

static int take(
    struct lexer *l, const char *machine, const char *login, struct entry *e, struct mm_secret *out)
{
	if (is_key(l, "machine"))
		return take_machine(l, machine, e);
	if (is_key(l, "default")) {
		*e = (struct entry){.open = true};
		return 0;
	}
	if (is_key(l, "login"))
		return take_login(l, login, e);
	if (is_key(l, "password"))
		return take_password(l, e, out);
	if (is_key(l, "account"))
		return value(l);
	/* others have words of their own (port); everybody skips what they do not know */
	return is_key(l, "macdef") ? skip_macro(l) : 0;
}

static int search(struct lexer *l, const char *machine, const char *login, struct mm_secret *out)
{
	struct entry e = {.open = false};
	int rc;
	while ((rc = next(l)) > 0) {
		/* an entry ends where the next begins */
		if (begins_entry(l) && is_ours(&e))
			return 1;
		if (take(l, machine, login, &e, out) != 0)
			return -1;
	}
	return rc < 0 ? -1 : is_ours(&e);
}

int mm_netrc_find(const char *text, const char *machine, const char *login, struct mm_secret *out)
{
	struct lexer l = {.p = text};
	int rc = search(&l, machine, login, out);
	explicit_bzero(&l, sizeof(l));
	if (rc != 1)
		mm_secret_set(out, "", 0, NULL);
	return rc;
}
