#include "agent/formats/ini.h"

#include <string.h>

#include "agent/formats/lines.h"
#include "common/text.h"

static int header_line(struct mm_text in, struct mm_line *l, size_t i, int no, struct mm_arena *a,
    const char **section, struct mm_err *err)
{
	size_t to = i + 1;

	while (to < l->end && in.p[to] != ']')
		to++;
	if (to == l->end)
		return mm_err_set(err, MM_EX_DATAERR, "line %d: '[' without ']'", no);
	*section = mm_text_dup(in, i + 1, to, a);
	l->kind = MM_LINE_HEADER;
	l->section = *section;
	l->value = "";
	return 0;
}

static int key_line(struct mm_text in, struct mm_line *l, size_t i, int no, struct mm_arena *a,
    const char *section, struct mm_err *err)
{
	size_t eq = i;

	while (eq < l->end && in.p[eq] != '=')
		eq++;
	if (eq == l->end)
		return mm_err_set(err, MM_EX_DATAERR, "line %d: neither '[section]' nor 'key=value'", no);
	if (section == NULL)
		return mm_err_set(err, MM_EX_DATAERR, "line %d: a key before the first '[section]'", no);
	l->kind = MM_LINE_KEY;
	l->section = section;
	l->kfrom = i;
	l->key = mm_text_dup(in, i, eq, a);
	l->vfrom = eq + 1;
	l->vto = l->end;
	l->value = mm_text_dup(in, l->vfrom, l->vto, a);
	return 0;
}

static int scan(struct mm_text in, struct mm_arena *a, struct mm_line **out, size_t *n, struct mm_err *err)
{
	const char *section = NULL;
	struct mm_line *v = NULL;
	size_t used = 0, cap = 0, pos = 0;
	int rc = 0;

	if (mm_text_check(in, err) != 0)
		return -1;
	if (in.n > 0 && in.p[in.n - 1] == '\r')
		return mm_err_set(
		    err, MM_EX_DATAERR, "line %d: ends in CR without LF", mm_line_number(in, in.n));
	while (pos < in.n && rc == 0) {
		struct mm_line *l = mm_arena_push(a, &v, &used, &cap, sizeof(*v));
		size_t i = pos;

		*l =
		    (struct mm_line){.from = pos, .end = mm_line_end(in, pos), .next = mm_line_next(in, pos)};
		l->section = "";
		if (pos == 0 && in.n >= 3 && memcmp(in.p, "\xef\xbb\xbf", 3) == 0)
			i += 3;
		while (i < l->end && mm_is_blank(in.p[i]))
			i++;
		if (i == l->end)
			l->kind = MM_LINE_BLANK;
		else if (in.p[i] == '#' || in.p[i] == ';')
			l->kind = MM_LINE_COMMENT;
		else if (in.p[i] == '[')
			rc = header_line(in, l, i, (int)used, a, &section, err);
		else
			rc = key_line(in, l, i, (int)used, a, section, err);
		pos = l->next;
	}
	*out = v;
	*n = used;
	return rc;
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

static int parse(struct mm_text in, struct mm_arena *a, struct mm_doc *out, struct mm_err *err)
{
	return mm_lines_parse(&grammar, in, a, out, err);
}

static int edit_one(struct mm_text in, struct mm_edit *e, struct mm_cuts *cuts, struct mm_err *err)
{
	return mm_lines_edit_one(&grammar, in, e, cuts, err);
}

static int edit(struct mm_text in, struct mm_edit *edits, size_t n, struct mm_arena *a, struct mm_buf *out,
    struct mm_err *err)
{
	struct mm_line *v;
	size_t nv;

	if (scan(in, a, &v, &nv, err) != 0)
		return -1;
	return mm_edit_run(in, edits, n, edit_one, a, out, err);
}

const struct mm_format mm_format_ini = {.name = "ini", .parse = parse, .edit = edit};
