#include "agent/formats/pinerc.h"

#include <string.h>

#include "agent/formats/lines.h"
#include "common/text.h"

static size_t skip_blanks(struct mm_text in, size_t from, size_t to)
{
	while (from < to && mm_is_blank(in.p[from]))
		from++;
	return from;
}

static size_t trim_blanks(struct mm_text in, size_t from, size_t to)
{
	while (to > from && (mm_is_blank(in.p[to - 1]) || in.p[to - 1] == '\n'))
		to--; /* a line of blanks goes on with the value and adds nothing */
	return to;
}

static size_t end_of(struct mm_text in, size_t pos)
{
	const char *lf = pos < in.n ? memchr(in.p + pos, '\n', in.n - pos) : NULL;

	return lf != NULL ? (size_t)(lf - in.p) : in.n;
}

static bool goes_on(struct mm_text in, size_t pos)
{
	return pos < in.n && mm_is_blank(in.p[pos]);
}

/* What the program makes of a spelled value. */
static const char *decode(const char *raw, struct mm_arena *a)
{
	struct mm_buf b = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);
	const char *out;
	size_t n;

	for (const char *p = raw; *p != '\0';) {
		n = strcspn(p, "\n");
		mm_buf_add(&b, p, n);
		p += n;
		if (*p == '\n' && !mm_is_blank(p[1])) {
			mm_buf_free(&b);
			return NULL;
		}
		while (*p == '\n' || mm_is_blank(*p))
			p++;
	}
	out = mm_buf_str(&b);
	n = b.len;
	while (n > 0 && mm_is_blank(out[n - 1]))
		n--;
	if (n >= 2 && out[0] == '"' && memchr(out + 1, '"', n - 1) == out + n - 1)
		out = mm_arena_strndup(a, out + 1, n - 2);
	else
		out = mm_arena_strndup(a, out, n);
	mm_buf_free(&b);
	return out;
}

static void key_line(struct mm_text in, struct mm_arena *a, struct mm_line *l, size_t eq)
{
	char *key = mm_arena_strndup(a, in.p + l->from, trim_blanks(in, l->from, eq) - l->from);

	for (char *c = key; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	l->kind = MM_LINE_KEY;
	l->kfrom = l->from;
	l->key = key;
	/* With the blanks at its end, which are nothing: of an empty value nobody
	 * could say which of them had stood before it. */
	l->vfrom = skip_blanks(in, eq + 1, l->end);
	l->vto = l->end;
	l->value = decode(mm_text_dup(in, l->vfrom, l->vto, a), a);
}

/* One line with those that go on with it. */
static void scan_line(struct mm_text in, struct mm_arena *a, size_t pos, struct mm_line *l)
{
	size_t end = end_of(in, pos), eq;
	bool comment = in.p[pos] == '#';
	const char *sign = memchr(in.p + pos, '=', end - pos);

	*l = (struct mm_line){
	    .kind = end == pos ? MM_LINE_BLANK : MM_LINE_COMMENT, .from = pos, .section = ""};
	eq = sign != NULL ? (size_t)(sign - in.p) : end;
	if (!comment && sign != NULL && eq > pos && !mm_is_blank(in.p[pos])) {
		while (end < in.n && goes_on(in, end + 1))
			end = end_of(in, end + 1);
		l->end = end;
		key_line(in, a, l, eq);
	}
	l->end = end;
	l->next = end < in.n ? end + 1 : in.n;
}

static int scan(struct mm_text in, struct mm_arena *a, struct mm_line **out, size_t *n, struct mm_err *err)
{
	struct mm_line *v = NULL;
	size_t used = 0, cap = 0;

	int no = 1;

	if (mm_text_check(in, err) != 0)
		return -1;
	for (size_t pos = 0; pos < in.n;) {
		struct mm_line *l = mm_arena_push(a, &v, &used, &cap, sizeof(*v));

		scan_line(in, a, pos, l);
		l->no = no;
		for (; pos < l->next; pos++) {
			if (in.p[pos] == '\r' && (pos + 1 == in.n || in.p[pos + 1] == '\n'))
				return mm_err_set(err, MM_EX_DATAERR,
				    "line %d: ends in CR LF, which Alpine takes for a part of the value", no);
			no += in.p[pos] == '\n';
		}
	}
	*out = v;
	*n = used;
	return 0;
}

bool mm_pinerc_expands(const char *value)
{
	return strchr(value, '$') != NULL;
}

static int spell(const char *key, const char *value, struct mm_arena *a, const char **out, struct mm_err *err)
{
	size_t n = strlen(value);
	bool edge = n > 0 && (mm_is_blank(value[0]) || mm_is_blank(value[n - 1]));
	bool quotes = strchr(value, '"') != NULL;

	if (key[0] == '\0' || key[0] == '#' || strpbrk(key, "= \t\r\nABCDEFGHIJKLMNOPQRSTUVWXYZ") != NULL)
		return mm_err_set(err, MM_EX_DATAERR, "%s: not a variable of this file", key);
	if (strpbrk(value, "\r\n") != NULL || n > MM_PINERC_LINE_MAX || mm_pinerc_expands(value) ||
	    (edge && quotes))
		return mm_err_set(err, MM_EX_DATAERR, "%s: this value cannot stand in the file", key);
	*out = edge || (n >= 2 && value[0] == '"' && memchr(value + 1, '"', n - 1) == value + n - 1)
		   ? mm_arena_printf(a, "\"%s\"", value)
		   : value;
	if (!mm_streq(decode(*out, a), value))
		return mm_err_set(err, MM_EX_DATAERR, "%s: this value cannot stand in the file", key);
	return 0;
}

static const struct mm_line_grammar grammar = {
    .header_key = "", .scan = scan, .decode = decode, .spell = spell, .between = "=", .flat = true};

MM_LINES_FORMAT(mm_format_pinerc, "pinerc", grammar);
