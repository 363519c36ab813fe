#include "agent/formats/keyfile.h"

#include <string.h>

#include "agent/formats/lines.h"
#include "common/text.h"

/* g_ascii_isspace() */
static bool is_space(char c)
{
	return c != '\0' && strchr(" \t\n\f\r", c) != NULL;
}

/* ---- values */

static char escaped(char c)
{
	static const char from[] = "sntr\\", to[] = " \n\t\r\\";
	const char *at = c != '\0' ? strchr(from, c) : NULL;

	return at != NULL ? to[at - from] : '\0';
}

/* One member up to `;` (with `list`) or the end; NULL: an escape that means nothing. */
static const char *unescape(const char **p, bool list, struct mm_arena *a)
{
	char *out = mm_arena_alloc(a, strlen(*p) + 1, 1), *w = out;
	const char *s = *p;

	for (; *s != '\0' && !(list && *s == ';'); s++) {
		if (*s != '\\') {
			*w++ = *s;
			continue;
		}
		s++;
		*w = list && *s == ';' ? ';' : escaped(*s);
		if (*w++ == '\0')
			return NULL;
	}
	*p = s;
	return out;
}

static const char *decode(const char *raw, struct mm_arena *a)
{
	size_t n = strlen(raw);
	const char *p = raw;

	if (is_space(raw[0]) || strpbrk(raw, "\r\n") != NULL || !mm_is_utf8(raw, n))
		return NULL;
	return unescape(&p, false, a);
}

static void spell_text(struct mm_buf *b, const char *value, bool list)
{
	bool leading = true;

	for (const char *p = value; *p != '\0'; p++) {
		const char *word = *p == '\n'                 ? "\\n"
				   : *p == '\r'               ? "\\r"
				   : *p == '\\'               ? "\\\\"
				   : leading && *p == ' '     ? "\\s"
				   : leading && *p == '\t'    ? "\\t"
				   : p == value && *p == '\f' ? NULL
				   : list && *p == ';'        ? "\\;"
							      : "";

		if (word == NULL)
			b->failed = true; /* GLib skips it, and has no escape for it */
		else if (word[0] != '\0')
			mm_buf_adds(b, word);
		else
			mm_buf_addc(b, *p);
		leading = leading && (*p == ' ' || *p == '\t');
	}
}

static bool is_locale_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c != '\0' && strchr("-_.@", c) != NULL) || (unsigned char)c >= 0x80;
}

/* g_key_file_is_key_name() */
static bool is_key_name(const char *s)
{
	size_t n = strcspn(s, "=[]");

	if (n == 0 || s[0] == ' ' || s[n - 1] == ' ')
		return false;
	if (s[n] == '[') {
		n++;
		while (is_locale_char(s[n]))
			n++;
		if (s[n++] != ']')
			return false;
	}
	return s[n] == '\0';
}

static bool is_group_name(const char *s)
{
	for (const char *p = s; *p != '\0'; p++)
		if (*p == '[' || *p == ']' || (unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
	return s[0] != '\0';
}

static bool other_encoding(const char *key, const char *value)
{
	return strcmp(key, "Encoding") == 0 && !mm_streq_nocase(value, "UTF-8");
}

/* ---- lines */

struct scan {
	struct mm_text in;
	struct mm_arena *a;
	const char *section; /* NULL before the first group */
};

static int header_line(struct scan *s, struct mm_line *l, size_t from, int no, struct mm_err *err)
{
	size_t to = from + 1;

	while (to < l->end && s->in.p[to] != ']')
		to++;
	for (size_t i = to + 1; i < l->end; i++)
		if (!mm_is_blank(s->in.p[i]))
			to = l->end;
	if (to >= l->end)
		return mm_err_set(err, MM_EX_DATAERR, "line %d: neither a group nor a key", no);
	s->section = mm_text_dup(s->in, from + 1, to, s->a);
	if (!is_group_name(s->section))
		return mm_err_set(err, MM_EX_DATAERR, "line %d: not the name of a group", no);
	l->kind = MM_LINE_HEADER;
	l->section = s->section;
	l->value = "";
	return 0;
}

static int key_line(struct scan *s, struct mm_line *l, size_t from, int no, struct mm_err *err)
{
	size_t eq = from, to;
	const char *raw;

	while (eq < l->end && s->in.p[eq] != '=')
		eq++;
	if (eq == l->end || eq == from)
		return mm_err_set(err, MM_EX_DATAERR, "line %d: neither a group nor a key", no);
	if (s->section == NULL)
		return mm_err_set(err, MM_EX_DATAERR, "line %d: a key before the first group", no);
	for (to = eq; is_space(s->in.p[to - 1]);)
		to--;
	for (eq++; eq < l->end && is_space(s->in.p[eq]);)
		eq++;
	raw = mm_text_dup(s->in, eq, l->end, s->a);
	*l = (struct mm_line){.kind = MM_LINE_KEY,
	    .from = l->from,
	    .end = l->end,
	    .next = l->next,
	    .section = s->section,
	    .key = mm_text_dup(s->in, from, to, s->a),
	    .value = decode(raw, s->a),
	    .kfrom = from,
	    .vfrom = eq,
	    .vto = l->end};
	l->unreadable = l->value == NULL;
	if (l->unreadable)
		l->value = raw;
	if (!is_key_name(l->key) || other_encoding(l->key, raw))
		return mm_err_set(err, MM_EX_DATAERR, "line %d: not a key, or not in UTF-8", no);
	return 0;
}

static int scan_line(void *ctx, struct mm_line *l, int no, struct mm_err *err)
{
	struct scan *s = ctx;
	size_t i = l->from;

	if (l->end > l->from && memchr(s->in.p + l->from, '\r', l->end - l->from) != NULL)
		return mm_err_set(err, MM_EX_DATAERR, "line %d: a CR that is no line end", no);
	while (i < l->end && is_space(s->in.p[i]))
		i++;
	if (i == l->end)
		l->kind = MM_LINE_BLANK;
	else if (s->in.p[i] == '#')
		l->kind = MM_LINE_COMMENT;
	else if (s->in.p[i] == '[' && memchr(s->in.p + i, ']', l->end - i) != NULL)
		return header_line(s, l, i, no, err);
	else
		return key_line(s, l, i, no, err);
	return 0;
}

static int scan(struct mm_text in, struct mm_arena *a, struct mm_line **out, size_t *n, struct mm_err *err)
{
	struct scan s = {.in = in, .a = a};

	return mm_lines_scan(in, scan_line, &s, a, out, n, err);
}

static int spell(const char *key, const char *value, struct mm_arena *a, const char **out, struct mm_err *err)
{
	struct mm_buf b = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);

	if (!is_key_name(key) || is_space(key[0]) || key[0] == '#' || is_space(key[strlen(key) - 1]) ||
	    strpbrk(key, "\r\n") != NULL || mm_starts_with(key, "\xef\xbb\xbf"))
		return mm_err_set(err, MM_EX_DATAERR, "%s: not a key of this file", key);
	if (!mm_is_utf8(value, strlen(value)) || other_encoding(key, value))
		return mm_err_set(err, MM_EX_DATAERR, "%s: a value that is not UTF-8", key);
	spell_text(&b, value, false);
	*out = mm_buf_take(&b, a);
	return *out != NULL ? 0 : mm_err_set(err, MM_EX_DATAERR, "%s: cannot be spelled", key);
}

static int header(
    const char *section, const char *value, struct mm_arena *a, const char **out, struct mm_err *err)
{
	(void)value;
	if (!is_group_name(section))
		return mm_err_set(err, MM_EX_DATAERR, "'%s' cannot be the name of a group", section);
	*out = mm_arena_printf(a, "[%s]", section);
	return 0;
}

static const struct mm_line_grammar grammar = {.header_key = "",
    .scan = scan,
    .decode = decode,
    .spell = spell,
    .header = header,
    .between = "=",
    .unreadable = true,
    .no_cr = true};

MM_LINES_FORMAT(mm_format_keyfile, "keyfile", grammar);

/* ---- what adapters ask */

const struct mm_item *mm_keyfile_find(const struct mm_doc *d, const char *group, const char *key)
{
	return mm_doc_find(d, group, key);
}

const char *mm_keyfile_get(const struct mm_doc *d, const char *group, const char *key)
{
	const struct mm_item *it = mm_doc_find(d, group, key);

	return it != NULL && it->kind == 's' ? it->value : NULL;
}

const char *const *mm_keyfile_list(const struct mm_item *it, struct mm_arena *a, size_t *n)
{
	const char **v = NULL, *p = it->value;
	size_t used = 0, cap = 0;

	if (it->kind != 'u') {
		struct mm_buf b = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);

		spell_text(&b, it->value, false);
		p = mm_buf_take(&b, a);
	}
	if (p == NULL || !mm_is_utf8(p, strlen(p)))
		return NULL;
	while (*p != '\0') {
		const char *member = unescape(&p, true, a);

		if (member == NULL)
			return NULL;
		*(const char **)mm_arena_push(a, &v, &used, &cap, sizeof(*v)) = member;
		p += *p == ';';
	}
	*n = used;
	*(const char **)mm_arena_push(a, &v, &used, &cap, sizeof(*v)) = NULL;
	return v;
}

const char *mm_keyfile_list_text(const char *const *members, size_t n, struct mm_arena *a, char *kind)
{
	struct mm_buf b = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);
	const char *raw, *text;

	for (size_t i = 0; i < n; i++) {
		spell_text(&b, members[i], true);
		mm_buf_addc(&b, ';');
	}
	raw = mm_buf_take(&b, a);
	text = raw != NULL ? decode(raw, a) : NULL;
	*kind = text != NULL ? 's' : 'u';
	return text != NULL ? text : raw;
}
