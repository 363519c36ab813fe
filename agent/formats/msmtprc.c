#include "agent/formats/msmtprc.h"

#include <string.h>

#include "agent/formats/lines.h"
#include "common/text.h"

struct scan {
	struct mm_text in;
	struct mm_arena *a;
	struct mm_line *v;
	size_t n, cap;
	const char *section; /* where the cursor is; NULL: before the first header */
	const char **accounts;
	size_t n_accounts, cap_accounts;
};

static bool space(char c)
{
	return mm_is_blank(c) || c == '\r' || c == '\n';
}

/* Take blanks and then one pair of quotes off. */
static void unquote(const char *p, size_t *from, size_t *to)
{
	while (*from < *to && space(p[*from]))
		(*from)++;
	while (*to > *from && space(p[*to - 1]))
		(*to)--;
	if (*to - *from >= 2 && p[*from] == '"' && p[*to - 1] == '"') {
		(*from)++;
		(*to)--;
	}
}

static const char *trimmed(const char *s, size_t n, struct mm_arena *a)
{
	while (n > 0 && space(*s)) {
		s++;
		n--;
	}
	while (n > 0 && space(s[n - 1]))
		n--;
	return mm_arena_strndup(a, s, n);
}

static int open_account(struct scan *s, const char *name, int no, struct mm_err *err)
{
	if (name[0] == '\0')
		return mm_err_set(err, MM_EX_DATAERR, "line %d: an account without a name", no);
	for (size_t i = 0; i < s->n_accounts; i++)
		if (strcmp(s->accounts[i], name) == 0)
			return mm_err_set(err, MM_EX_DATAERR,
			    "line %d: account '%s' is defined twice; msmtp refuses the file", no, name);
	if (s->n_accounts == MM_MSMTPRC_ACCOUNTS_MAX)
		return mm_err_set(
		    err, MM_EX_DATAERR, "line %d: more than %d accounts", no, MM_MSMTPRC_ACCOUNTS_MAX);
	*(const char **)mm_arena_push(
	    s->a, &s->accounts, &s->n_accounts, &s->cap_accounts, sizeof(*s->accounts)) = name;
	s->section = name;
	return 0;
}

static int header_line(struct scan *s, struct mm_line *l, int no, struct mm_err *err)
{
	const char *colon = strchr(l->value, ':');
	size_t n = colon != NULL ? (size_t)(colon - l->value) : strlen(l->value);

	if (open_account(s, trimmed(l->value, n, s->a), no, err) != 0)
		return -1;
	l->kind = MM_LINE_HEADER;
	l->section = s->section;
	l->value = colon != NULL ? trimmed(colon + 1, strlen(colon + 1), s->a) : "";
	return 0;
}

static int key_line(struct scan *s, struct mm_line *l, size_t i, struct mm_err *err)
{
	size_t kend = i, vfrom, vto = l->end, from, to;

	while (kend < l->end && !space(s->in.p[kend]))
		kend++;
	vfrom = kend;
	while (vfrom < vto && space(s->in.p[vfrom]))
		vfrom++;
	while (vto > vfrom && space(s->in.p[vto - 1]))
		vto--;
	if (vfrom == vto)
		vfrom = vto = kend;
	from = vfrom;
	to = vto;
	unquote(s->in.p, &from, &to);
	l->kind = MM_LINE_KEY;
	l->key = mm_text_dup(s->in, i, kend, s->a);
	l->value = mm_text_dup(s->in, from, to, s->a);
	l->kfrom = i;
	l->vfrom = vfrom;
	l->vto = vto;
	if (strcmp(l->key, "account") == 0)
		return header_line(s, l, (int)s->n, err);
	if (strcmp(l->key, "defaults") == 0) {
		l->kind = MM_LINE_HEADER;
		s->section = "";
	} else if (s->section == NULL && open_account(s, "default", (int)s->n, err) != 0) {
		return -1;
	}
	l->section = s->section;
	return 0;
}

static int scan(struct mm_text in, struct mm_arena *a, struct mm_line **out, size_t *n, struct mm_err *err)
{
	struct scan s = {.in = in, .a = a};

	if (mm_text_check(in, err) != 0)
		return -1;
	for (size_t pos = 0; pos < in.n;) {
		struct mm_line *l = mm_arena_push(a, &s.v, &s.n, &s.cap, sizeof(*s.v));
		size_t i = pos;

		*l =
		    (struct mm_line){.from = pos, .end = mm_line_end(in, pos), .next = mm_line_next(in, pos)};
		l->section = s.section != NULL ? s.section : "default";
		if (l->end - l->from > MM_MSMTPRC_LINE_MAX)
			return mm_err_set(err, MM_EX_DATAERR,
			    "line %zu: longer than %d bytes; msmtp refuses the file", s.n,
			    MM_MSMTPRC_LINE_MAX);
		while (i < l->end && space(in.p[i]))
			i++;
		if (i == l->end)
			l->kind = MM_LINE_BLANK;
		else if (in.p[i] == '#')
			l->kind = MM_LINE_COMMENT;
		else if (key_line(&s, l, i, err) != 0)
			return -1;
		pos = l->next;
	}
	*out = s.v;
	*n = s.n;
	return 0;
}

static const char *decode(const char *raw, struct mm_arena *a)
{
	size_t from = 0, to = strlen(raw);

	if (strchr(raw, '\n') != NULL || (to > 0 && (space(raw[0]) || space(raw[to - 1]))))
		return NULL;
	unquote(raw, &from, &to);
	return mm_arena_strndup(a, raw + from, to - from);
}

static bool fits(const char *key, const char *value)
{
	return strlen(key) + strlen(value) + 16 <= MM_MSMTPRC_LINE_MAX;
}

static int spell(const char *key, const char *value, struct mm_arena *a, const char **out, struct mm_err *err)
{
	size_t n = strlen(value);
	const char *meaning;

	if (strpbrk(value, "\r\n") != NULL)
		return mm_err_set(
		    err, MM_EX_DATAERR, "%s: a line end cannot stand in msmtp's configuration", key);
	if (key[0] == '\0' || strpbrk(key, " \t\r\n") != NULL || key[0] == '#' ||
	    strcmp(key, "account") == 0 || strcmp(key, "defaults") == 0)
		return mm_err_set(err, MM_EX_DATAERR, "'%s' is not a command of an account", key);
	if (!fits(key, value))
		return mm_err_set(err, MM_EX_DATAERR, "%s: msmtp takes lines of at most %d bytes", key,
		    MM_MSMTPRC_LINE_MAX);
	meaning = decode(value, a);
	*out = n > 0 && meaning != NULL && strcmp(meaning, value) == 0 ? value
								       : mm_arena_printf(a, "\"%s\"", value);
	return 0;
}

static int header(
    const char *section, const char *value, struct mm_arena *a, const char **out, struct mm_err *err)
{
	const char *meaning = decode(section, a);

	if (section[0] == '\0' || meaning == NULL || strcmp(meaning, section) != 0 ||
	    strpbrk(section, ":,\"") != NULL || !fits(section, value != NULL ? value : ""))
		return mm_err_set(err, MM_EX_DATAERR, "'%s' cannot be the name of an account", section);
	if (value != NULL && strpbrk(value, ":\"\r\n") != NULL)
		return mm_err_set(err, MM_EX_DATAERR, "'%s' cannot be inherited from", value);
	*out = value != NULL && value[0] != '\0' ? mm_arena_printf(a, "account %s : %s", section, value)
						 : mm_arena_printf(a, "account %s", section);
	return 0;
}

static const struct mm_line_grammar grammar = {.header_key = "account",
    .scan = scan,
    .decode = decode,
    .spell = spell,
    .header = header,
    .between = " "};

MM_LINES_FORMAT(mm_format_msmtprc, "msmtprc", grammar);
