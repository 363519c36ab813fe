/*
 * A password command for s-nail: it has none, but reads what netrc-pipe prints as
 * a netrc. So each command's first line becomes the password of one entry.
 */
#include <string.h>

#include "agent/clients/s_nail.h"
#include "agent/clients/sh.h"
#include "common/text.h"

#define HEAD                                                                                                 \
	"f(){ printf 'machine \"%s\" login \"%s\" password \"%s\"\\n' \"$1\" \"$2\" "                        \
	"\"$(head -n1|sed 's/[\\\\\"]/\\\\&/g')\";}"
#define PIPE_MAX 65536u

/* Quotes do not hide these from its parser. */
static bool is_keyword(const char *s)
{
	return mm_among("machine default login password account macdef", s);
}

static const char *netrc_word(const char *s, struct mm_arena *a)
{
	char *p = mm_arena_alloc(a, 2 * strlen(s) + 1, 1), *w = p;

	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			*w++ = '\\';
		*w++ = *s;
	}
	return p;
}

/* `f HOST USER`, quoted for the shell. */
static const char *entry(const char *host, const char *user, struct mm_arena *a, struct mm_err *err)
{
	const char *const words[] = {"/f", host, netrc_word(user, a), NULL};
	const char *line = mm_sh_line(mm_argv_text(words, a), a, err);

	return line != NULL ? line + 1 : NULL;
}

const char *mm_snail_pipe(const struct mm_snail_secret *v, size_t n, struct mm_arena *a, struct mm_err *err)
{
	struct mm_buf b = MM_BUF_INIT(PIPE_MAX);
	const char *out = NULL;
	bool fine = true;

	mm_buf_adds(&b, HEAD);
	for (size_t i = 0; fine && i < n; i++) {
		const char *line = mm_sh_line(v[i].argv, a, err), *to = entry(v[i].host, v[i].user, a, err);

		fine = line != NULL && to != NULL;
		if (fine && is_keyword(v[i].user)) {
			mm_err_set(
			    err, MM_EX_DIFF, "s-nail cannot find the password of a user with this name");
			fine = false;
		}
		mm_buf_addf(&b, ";%s|%s", fine ? line : "", fine ? to : "");
	}
	if (fine && mm_buf_ok(&b))
		out = mm_arena_strdup(a, mm_buf_str(&b));
	else if (fine)
		mm_err_set(err, MM_EX_DATAERR, "the password commands are longer than %u bytes", PIPE_MAX);
	mm_buf_free(&b);
	return out;
}

/* Up to one of these bytes that is not quoted. */
static size_t reach(const char *s, const char *bytes)
{
	size_t n = 0;

	for (char q = '\0'; s[n] != '\0' && (q != '\0' || strchr(bytes, s[n]) == NULL); n++) {
		if (q != '\0' && s[n] == q)
			q = '\0';
		else if (q == '\0' && (s[n] == '\'' || s[n] == '"'))
			q = s[n];
		else if (q == '\0' && s[n] == '\\' && s[n + 1] != '\0')
			n++;
	}
	return n;
}

const char *mm_snail_from_pipe(const char *pipe, const char *host, const char *user, struct mm_arena *a)
{
	const char *want = user != NULL ? entry(host, user, a, NULL) : NULL, *p = pipe + strlen(HEAD);

	if (!mm_starts_with(pipe, HEAD))
		return mm_sh_argv(pipe, a);
	while (*p == ';') {
		const char *line = ++p, *to;
		size_t n = reach(p, "|;");

		if (p[n] != '|')
			return mm_sh_argv(pipe, a);
		to = p + n + 1;
		p = to + reach(to, ";");
		if (want != NULL && strlen(want) == (size_t)(p - to) && strncmp(want, to, strlen(want)) == 0)
			return mm_sh_argv(mm_arena_strndup(a, line, n), a);
	}
	return *p == '\0' ? NULL : mm_sh_argv(pipe, a);
}
