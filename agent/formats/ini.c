#include "agent/formats/ini.h"

#include <string.h>

#include "agent/formats/lines.h"
#include "common/text.h"

struct scan {
	struct mm_text in;
	struct mm_arena *a;
	const char *section; /* NULL before the first */
};

static int header_line(struct scan *s, struct mm_line *l, size_t i, int no, struct mm_err *err)
{
	size_t to = i + 1;

	while (to < l->end && s->in.p[to] != ']')
		to++;
	if (to == l->end)
		return mm_err_set(err, MM_EX_DATAERR, "line %d: '[' without ']'", no);
	s->section = mm_text_dup(s->in, i + 1, to, s->a);
	l->kind = MM_LINE_HEADER;
	l->section = s->section;
	l->value = "";
	return 0;
}

static int key_line(struct scan *s, struct mm_line *l, size_t i, int no, struct mm_err *err)
{
	size_t eq = i;

	while (eq < l->end && s->in.p[eq] != '=')
		eq++;
	if (eq == l->end)
		return mm_err_set(err, MM_EX_DATAERR, "line %d: neither '[section]' nor 'key=value'", no);
	if (s->section == NULL)
		return mm_err_set(err, MM_EX_DATAERR, "line %d: a key before the first '[section]'", no);
	l->kind = MM_LINE_KEY;
	l->section = s->section;
	l->kfrom = i;
	l->key = mm_text_dup(s->in, i, eq, s->a);
	l->vfrom = eq + 1;
	l->vto = l->end;
	l->value = mm_text_dup(s->in, l->vfrom, l->vto, s->a);
	return 0;
}

static int scan_line(void *ctx, struct mm_line *l, int no, struct mm_err *err)
{
	struct scan *s = ctx;
	size_t i = l->from;

	if (i == 0 && mm_text_is(s->in, 0, 3, "\xef\xbb\xbf"))
		i += 3;
	while (i < l->end && mm_is_blank(s->in.p[i]))
		i++;
	if (i == l->end)
		l->kind = MM_LINE_BLANK;
	else if (s->in.p[i] == '#' || s->in.p[i] == ';')
		l->kind = MM_LINE_COMMENT;
	else if (s->in.p[i] == '[')
		return header_line(s, l, i, no, err);
	else
		return key_line(s, l, i, no, err);
	return 0;
}

static int scan(struct mm_text in, struct mm_arena *a, struct mm_line **out, size_t *n, struct mm_err *err)
{
	struct scan s = {.in = in, .a = a};

	if (in.n > 0 && in.p[in.n - 1] == '\r')
		return mm_err_set(
		    err, MM_EX_DATAERR, "line %d: ends in CR without LF", mm_line_number(in, in.n));
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
	if (strpbrk(value, "\r\n") != NULL || key[0] == '\0' || strpbrk(key, "=\r\n") != NULL ||
	    strchr("#;[ \t", key[0]) != NULL)
		return mm_err_set(
		    err, MM_EX_DATAERR, "%s: this key or value cannot stand in an ini file", key);
	*out = value;
	return 0;
}

static int header(
    const char *section, const char *value, struct mm_arena *a, const char **out, struct mm_err *err)
{
	(void)value;
	if (strpbrk(section, "]\r\n") != NULL)
		return mm_err_set(err, MM_EX_DATAERR, "'%s' cannot be the name of a section", section);
	*out = mm_arena_printf(a, "[%s]", section);
	return 0;
}

static const struct mm_line_grammar grammar = {
    .header_key = "", .scan = scan, .decode = decode, .spell = spell, .header = header, .between = "="};

MM_LINES_FORMAT(mm_format_ini, "ini", grammar);
