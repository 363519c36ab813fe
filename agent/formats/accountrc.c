#include "agent/formats/accountrc.h"

#include <string.h>

#include "agent/formats/lines.h"
#include "common/text.h"

#define BOM "\xef\xbb\xbf"
#define NAME_MAX_LEN 256

struct scan {
	struct mm_text in;
	struct mm_arena *a;
	const char *section; /* NULL before the first header */
	const char **names;  /* of the blocks so far */
	size_t n, cap;
};

static int header_line(struct scan *s, struct mm_line *l, int no, struct mm_err *err)
{
	size_t to = l->from + 1;

	while (to < l->end && s->in.p[to] != ']')
		to++;
	if (to == l->end)
		return mm_err_set(err, MM_EX_DATAERR, "line %d: '[' without ']'", no);
	s->section = mm_text_dup(s->in, l->from + 1, to, s->a);
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->names[i], s->section) == 0)
			return mm_err_set(err, MM_EX_DATAERR,
			    "line %d: a second block [%s]; the program reads only the first", no, s->section);
	*(const char **)mm_arena_push(s->a, &s->names, &s->n, &s->cap, sizeof(*s->names)) = s->section;
	l->kind = MM_LINE_HEADER;
	l->section = s->section;
	l->value = "";
	return 0;
}

static void key_line(struct scan *s, struct mm_line *l)
{
	size_t eq = l->from;

	while (eq < l->end && s->in.p[eq] != '=')
		eq++;
	if (eq == l->end || eq == l->from || s->section == NULL)
		return; /* no more than a remark to the program */
	l->kind = MM_LINE_KEY;
	l->section = s->section;
	l->kfrom = l->from;
	l->key = mm_text_dup(s->in, l->from, eq, s->a);
	l->vfrom = eq + 1;
	l->vto = l->end;
	l->value = mm_text_dup(s->in, l->vfrom, l->vto, s->a);
}

static int scan_line(void *ctx, struct mm_line *l, int no, struct mm_err *err)
{
	struct scan *s = ctx;
	char first;

	while (l->end > l->from && s->in.p[l->end - 1] == '\r')
		l->end--; /* all of them, not only that of a CR LF */
	if (l->end > l->from && memchr(s->in.p + l->from, '\r', l->end - l->from) != NULL)
		return mm_err_set(err, MM_EX_DATAERR, "line %d: a carriage return within the line", no);
	first = l->end > l->from ? s->in.p[l->from] : '\0';

	if (l->end - l->from > MM_ACCOUNTRC_LINE_MAX)
		return mm_err_set(err, MM_EX_DATAERR, "line %d: longer than the program reads", no);
	l->kind = l->end == l->from ? MM_LINE_BLANK : MM_LINE_COMMENT;
	if (first == '[')
		return header_line(s, l, no, err);
	if (first != '\0' && first != '#')
		key_line(s, l);
	return 0;
}

static int scan(struct mm_text in, struct mm_arena *a, struct mm_line **out, size_t *n, struct mm_err *err)
{
	struct scan s = {.in = in, .a = a};

	if (in.n >= 3 && mm_text_is(in, 0, 3, BOM))
		return mm_err_set(
		    err, MM_EX_DATAERR, "line 1: a byte order mark, which the program does not skip");
	return mm_lines_scan(in, scan_line, &s, a, out, n, err);
}

static const char *decode(const char *raw, struct mm_arena *a)
{
	(void)a;
	return mm_one_line(raw) ? raw : NULL;
}

static int spell(const char *key, const char *value, struct mm_arena *a, const char **out, struct mm_err *err)
{
	(void)a;
	if (key[0] == '\0' || key[0] == '[' || key[0] == '#' || strpbrk(key, "=\r\n") != NULL ||
	    mm_starts_with(key, BOM))
		return mm_err_set(err, MM_EX_DATAERR, "%s: not a key of this file", key);
	if (strpbrk(value, "\r\n") != NULL || strlen(key) + 1 + strlen(value) > MM_ACCOUNTRC_LINE_MAX)
		return mm_err_set(err, MM_EX_DATAERR, "%s: this value cannot stand in one line", key);
	*out = value;
	return 0;
}

static int header(
    const char *section, const char *value, struct mm_arena *a, const char **out, struct mm_err *err)
{
	(void)value;
	if (strpbrk(section, "]\r\n") != NULL || strlen(section) > NAME_MAX_LEN)
		return mm_err_set(err, MM_EX_DATAERR, "'%s' cannot be the name of a block", section);
	*out = mm_arena_printf(a, "[%s]", section);
	return 0;
}

static const struct mm_line_grammar grammar = {
    .header_key = "", .scan = scan, .decode = decode, .spell = spell, .header = header, .between = "="};

MM_LINES_FORMAT(mm_format_accountrc, "accountrc", grammar);
