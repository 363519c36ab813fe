#include "agent/formats/mhprofile.h"

#include <string.h>

#include "agent/formats/lines.h"
#include "common/text.h"

static bool is_space(char c)
{
	return mm_is_blank(c) || c == '\n';
}

static size_t end_of(struct mm_text in, size_t pos)
{
	const char *lf = pos < in.n ? memchr(in.p + pos, '\n', in.n - pos) : NULL;

	return lf != NULL ? (size_t)(lf - in.p) : in.n;
}

/* What the programs make of a spelled value. NULL: a line does not go on. */
static const char *decode(const char *raw, struct mm_arena *a)
{
	struct mm_buf b = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);
	const char *out = NULL, *p = raw + strspn(raw, " \t\n");
	bool broken = strchr(raw, '\r') != NULL;

	for (const char *lf = strchr(raw, '\n'); lf != NULL && !broken; lf = strchr(lf + 1, '\n'))
		broken = !mm_is_blank(lf[1]);
	while (!broken && *p != '\0') {
		size_t n = strspn(p, " \t\n"), lines = strcspn(p, "\n");

		if (p[n] == '\0')
			break;
		if (n > 0 && lines < n)
			mm_buf_addc(&b, ' ');
		else
			mm_buf_add(&b, p, n > 0 ? n : 1);
		p += n > 0 ? n : 1;
	}
	if (!broken && mm_buf_ok(&b))
		out = mm_arena_strndup(a, mm_buf_str(&b), b.len);
	mm_buf_free(&b);
	return out;
}

static void key_line(struct mm_text in, struct mm_arena *a, struct mm_line *l, size_t colon)
{
	size_t to = colon;
	char *key;

	while (to > l->from && mm_is_blank(in.p[to - 1]))
		to--;
	key = mm_arena_strndup(a, in.p + l->from, to - l->from);
	for (char *c = key; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	l->kind = key[0] == '#' ? MM_LINE_COMMENT : MM_LINE_KEY;
	l->kfrom = l->from;
	l->key = key;
	l->vfrom = colon + 1;
	while (l->vfrom < l->end && mm_is_blank(in.p[l->vfrom]))
		l->vfrom++;
	l->vto = l->end;
	while (l->vto > l->vfrom && is_space(in.p[l->vto - 1]))
		l->vto--;
	if (l->vfrom == l->end)
		l->vfrom = l->vto = colon + 1;
	l->value = decode(mm_text_dup(in, l->vfrom, l->vto, a), a);
}

/* The first of several counts: the others go by another name. */
static void shadow(struct mm_line *v, size_t n, struct mm_arena *a)
{
	unsigned before = 1;

	for (size_t i = 0; i + 1 < n; i++)
		if (v[i].kind == MM_LINE_KEY &&
		    strncmp(v[i].key, v[n - 1].key, strcspn(v[i].key, "\n")) == 0 &&
		    strlen(v[n - 1].key) == strcspn(v[i].key, "\n"))
			before++;
	if (v[n - 1].kind == MM_LINE_KEY && before > 1)
		v[n - 1].key = mm_arena_printf(a, "%s\n%u", v[n - 1].key, before);
}

static int scan_line(struct mm_text in, struct mm_arena *a, size_t pos, struct mm_line *l, struct mm_err *err)
{
	size_t end = end_of(in, pos);
	const char *colon = memchr(in.p + pos, ':', end - pos);

	*l = (struct mm_line){.from = pos, .section = "", .no = mm_line_number(in, pos)};
	if (colon == NULL || mm_is_blank(in.p[pos]) || in.p + pos == colon)
		return mm_err_set(
		    err, MM_EX_DATAERR, "line %d: not a component of a profile; nmh refuses the file", l->no);
	while (end + 1 < in.n && mm_is_blank(in.p[end + 1]))
		end = end_of(in, end + 1);
	l->end = end;
	l->next = end < in.n ? end + 1 : in.n;
	if (memchr(in.p + pos, '\r', end - pos) != NULL)
		return mm_err_set(
		    err, MM_EX_DATAERR, "line %d: a CR, which nmh takes for a part of the value", l->no);
	key_line(in, a, l, (size_t)(colon - in.p));
	return 0;
}

static int scan(struct mm_text in, struct mm_arena *a, struct mm_line **out, size_t *n, struct mm_err *err)
{
	struct mm_line *v = NULL;
	size_t used = 0, cap = 0;

	if (mm_text_check(in, err) != 0)
		return -1;
	for (size_t pos = 0; pos < in.n; pos = v[used - 1].next) {
		struct mm_line *l = mm_arena_push(a, &v, &used, &cap, sizeof(*v));

		if (scan_line(in, a, pos, l, err) != 0)
			return -1;
		if (used > MM_MHPROFILE_ENTRIES_MAX)
			return mm_err_set(err, MM_EX_DATAERR, "line %d: too many components", l->no);
		shadow(v, used, a);
	}
	*out = v;
	*n = used;
	return 0;
}

static int spell(const char *key, const char *value, struct mm_arena *a, const char **out, struct mm_err *err)
{
	if (key[0] == '\0' || strpbrk(key, "#: \t\r\nABCDEFGHIJKLMNOPQRSTUVWXYZ") != NULL)
		return mm_err_set(err, MM_EX_DATAERR, "%s: not a component of this file", key);
	if (value[0] == '\0' || mm_has_control(value) || strlen(value) > MM_MHPROFILE_LINE_MAX ||
	    !mm_streq(decode(value, a), value))
		return mm_err_set(err, MM_EX_DATAERR, "%s: this value cannot stand in the file", key);
	*out = value;
	return 0;
}

static const struct mm_line_grammar grammar = {
    .header_key = "", .scan = scan, .decode = decode, .spell = spell, .between = ": ", .flat = true};

static int parse(struct mm_text in, struct mm_arena *a, struct mm_doc *out, struct mm_err *err)
{
	return mm_lines_parse(&grammar, in, a, out, err);
}

/* What is taken out must not let a second one of its name come up. */
static int edit_one(struct mm_text in, struct mm_edit *e, struct mm_cuts *cuts, struct mm_err *err)
{
	struct mm_doc d;

	if (e->op == MM_EDIT_DELETE) {
		if (parse(in, cuts->a, &d, err) != 0)
			return -1;
		if (strchr(e->key, '\n') != NULL ||
		    mm_doc_find(&d, "", mm_arena_printf(cuts->a, "%s\n2", e->key)) != NULL)
			return mm_err_set(
			    err, MM_EX_DATAERR, "%s: there are several, of which the first counts", e->key);
	}
	return mm_lines_edit_one(&grammar, in, e, cuts, err);
}

static int edit(struct mm_text in, struct mm_edit *edits, size_t n, struct mm_arena *a, struct mm_buf *out,
    struct mm_err *err)
{
	return mm_lines_edit(&grammar, edit_one, in, edits, n, a, out, err);
}

const struct mm_format mm_format_mhprofile = {.name = "mhprofile", .parse = parse, .edit = edit};
