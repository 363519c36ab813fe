#include "agent/formats/inis.h"

#include <string.h>

#include "agent/formats/inis_scan.h"
#include "common/text.h"

static bool space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f';
}

static const char *as_text(const char *p, size_t n, struct mm_arena *a)
{
	return n > 0 ? mm_arena_strndup(a, p, n) : "";
}

static int no_value(const char *key, struct mm_err *err)
{
	return mm_err_set(err, MM_EX_DATAERR, "%s: this key or value cannot stand in such a file", key);
}

/* ---- headers */

static const char *last_bracket(struct mm_text in, size_t i, size_t end, struct mm_arena *a, size_t *rest)
{
	const char *p = i < end ? memrchr(in.p + i, ']', end - i) : NULL;

	if (p == NULL || p == in.p + i)
		return NULL;
	*rest = (size_t)(p - in.p) + 1;
	return mm_text_dup(in, i, *rest - 1, a);
}

static int header(
    const char *section, const char *value, struct mm_arena *a, const char **out, struct mm_err *err)
{
	(void)value;
	if (section[0] == '\0' || strpbrk(section, "[]\r\n") != NULL || mm_has_control(section) ||
	    mm_streq(section, "DEFAULT"))
		return mm_err_set(err, MM_EX_DATAERR, "'%s' cannot be the name of a section", section);
	*out = mm_arena_printf(a, "[%s]", section);
	return 0;
}

/* ---- go-ini */

/* One pair of equal quotes around the whole, and none within. */
static bool is_quoted(const char *s, size_t n)
{
	return n >= 2 && (s[0] == '\'' || s[0] == '"') && memchr(s + 1, s[0], n - 1) == s + n - 1;
}

/* `\` at the end: what the following lines add. Inline comments stay, then. */
static int go_join(struct mm_text in, struct mm_line *l, size_t from, size_t to, struct mm_arena *a)
{
	struct mm_buf b = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);
	bool more = true;

	mm_buf_add(&b, in.p + from, to - 1 - from);
	while (more && l->next < in.n) {
		size_t i = l->next, end = mm_line_end(in, i);

		l->vto = l->end = end;
		l->next = mm_line_next(in, i);
		mm_ini_trim(in, &i, &end);
		mm_buf_add(&b, in.p + i, end - i);
		more = i < end && b.len > 0 && b.data[b.len - 1] == '\\';
		if (more)
			b.data[--b.len] = '\0';
	}
	l->value = b.len > 0 ? mm_arena_strndup(a, b.data, b.len) : "";
	mm_buf_free(&b);
	return more ? -1 : 0; /* what is added behind would be swallowed */
}

static size_t go_comment(const char *s, size_t n)
{
	size_t k = 0;

	while (k < n && s[k] != '#' && s[k] != ';')
		k++;
	while (k > 0 && space(s[k - 1]))
		k--;
	return k;
}

/* Decoded; *used: how many bytes are the value. NULL: it goes on in the next line. */
static const char *go_one(const char *s, size_t n, struct mm_arena *a, size_t *used)
{
	size_t open = n > 3 && memcmp(s, "\"\"\"", 3) == 0 ? 3 : n > 0 && s[0] == '`' ? 1 : 0;

	if (open > 0) {
		const char *last = NULL;

		for (const char *p = s + open; p + open <= s + n; p++)
			if (memcmp(p, s, open) == 0)
				last = p;
		if (last == NULL)
			return NULL;
		*used = (size_t)(last - s) + open;
		return as_text(s + open, (size_t)(last - s) - open, a);
	}
	n = go_comment(s, n);
	*used = n;
	return is_quoted(s, n) ? as_text(s + 1, n - 2, a) : as_text(s, n, a);
}

static int go_value(struct mm_text in, struct mm_line *l, size_t i, struct mm_arena *a)
{
	size_t to = l->end, used;

	l->vfrom = l->vto = to;
	mm_ini_trim(in, &i, &to);
	if (i == to) {
		l->value = "";
		return 0;
	}
	l->vfrom = l->vto = i;
	if (in.p[to - 1] == '\\' && in.p[i] != '`' && !(to - i > 3 && memcmp(in.p + i, "\"\"\"", 3) == 0)) {
		l->vto = to;
		return go_join(in, l, i, to, a);
	}
	l->value = go_one(in.p + i, to - i, a, &used);
	if (l->value == NULL)
		return -1;
	l->vto = i + used;
	if (used > 0 && in.p[l->vto - 1] == '\\')
		l->vto = to; /* without the comment behind it the value would go on in the next line */
	return 0;
}

static const struct mm_ini_rules go_rules = {
    .separators = "=:", .no_head = true, .header = last_bracket, .value = go_value};

static const char *go_decode(const char *raw, struct mm_arena *a)
{
	size_t n = strlen(raw);
	const char *line = mm_arena_printf(a, "%s\n", raw);
	struct mm_text in = {.p = line, .n = n + 1};
	struct mm_line l = {.end = mm_line_end(in, 0), .next = mm_line_next(in, 0)};

	if (go_value(in, &l, 0, a) != 0 || l.vfrom != 0 || l.vto != n)
		return n == 0 ? "" : NULL;
	return l.value;
}

static int go_spell(
    const char *key, const char *value, struct mm_arena *a, const char **out, struct mm_err *err)
{
	const char *meaning = go_decode(value, a);

	if (!mm_ini_is_key(&go_rules, key) || mm_has_control(value))
		return no_value(key, err);
	if (value[0] == '\0')
		*out = "\"\"";
	else
		*out = meaning != NULL && strcmp(meaning, value) == 0 ? value
								      : mm_arena_printf(a, "`%s`", value);
	return 0;
}

/* ---- Python */

static size_t indent(struct mm_text in, size_t from, size_t end)
{
	size_t i = from;

	while (i < end && space(in.p[i]))
		i++;
	return i - from;
}

/* Does the value go on in this line? -1: only if a later one says so. */
static int py_goes_on(struct mm_text in, size_t pos, size_t depth)
{
	size_t end = mm_line_end(in, pos), k = indent(in, pos, end);

	if (pos + k == end || in.p[pos + k] == '#' || in.p[pos + k] == ';')
		return -1;
	return k > depth ? 1 : 0;
}

static const char *py_join(struct mm_text in, size_t from, size_t to, struct mm_arena *a)
{
	struct mm_buf b = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);
	const char *out;

	for (size_t pos = from; pos <= to; pos = mm_line_next(in, pos)) {
		size_t i = pos, end = mm_line_end(in, pos) < to ? mm_line_end(in, pos) : to;

		mm_ini_trim(in, &i, &end);
		if (pos > from && i < end && (in.p[i] == '#' || in.p[i] == ';'))
			continue;
		if (pos > from)
			mm_buf_addc(&b, '\n');
		mm_buf_add(&b, in.p + i, end - i);
		if (mm_line_next(in, pos) <= pos || mm_line_next(in, pos) >= to)
			break;
	}
	while (b.len > 0 && space(b.data[b.len - 1]))
		b.len--;
	out = b.len > 0 ? mm_arena_strndup(a, b.data, b.len) : "";
	mm_buf_free(&b);
	return out;
}

static int py_value(struct mm_text in, struct mm_line *l, size_t i, struct mm_arena *a)
{
	size_t depth = indent(in, l->from, l->end), first = l->end, to = first, from = i;

	for (size_t pos = l->next; pos < in.n; pos = mm_line_next(in, pos)) {
		int on = py_goes_on(in, pos, depth);

		if (on == 0)
			break;
		if (on == 1) {
			l->end = to = mm_line_end(in, pos);
			l->next = mm_line_next(in, pos);
		}
	}
	while (from < first && space(in.p[from]))
		from++;
	while (to > from && space(in.p[to - 1]))
		to--;
	l->vfrom = from;
	l->vto = to;
	l->value = py_join(in, from, to, a);
	return 0;
}

static const struct mm_ini_rules py_rules = {
    .separators = "=:", .fold = true, .strict = true, .header = last_bracket, .value = py_value};

static const char *py_decode(const char *raw, struct mm_arena *a)
{
	struct mm_text in = {.p = raw, .n = strlen(raw)};

	if (in.n > 0 && (space(raw[0]) || space(raw[in.n - 1])) && strchr(raw, '\n') == NULL)
		return NULL;
	return py_join(in, 0, in.n, a);
}

static int py_spell(
    const char *key, const char *value, struct mm_arena *a, const char **out, struct mm_err *err)
{
	const char *meaning = py_decode(value, a);

	if (!mm_ini_is_key(&py_rules, key) || mm_has_control(value) || !mm_is_utf8(value, strlen(value)) ||
	    meaning == NULL || value[0] == '\0' || strcmp(meaning, value) != 0)
		return no_value(key, err);
	*out = value;
	return 0;
}

/* ---- Python with interpolation */

static const char *halved(const char *s, struct mm_arena *a)
{
	char *p = mm_arena_strdup(a, s), *w = p;

	for (; *s != '\0'; s++) {
		if (s[0] == '%' && s[1] == '%')
			s++;
		*w++ = *s;
	}
	*w = '\0';
	return p;
}

static const char *doubled(const char *s, struct mm_arena *a)
{
	char *p = mm_arena_alloc(a, 2 * strlen(s) + 1, 1), *w = p;

	for (; *s != '\0'; s++) {
		if (*s == '%')
			*w++ = '%';
		*w++ = *s;
	}
	return p;
}

static int percent_value(struct mm_text in, struct mm_line *l, size_t i, struct mm_arena *a)
{
	int rc = py_value(in, l, i, a);

	if (rc == 0)
		l->value = halved(l->value, a);
	return rc;
}

static const struct mm_ini_rules percent_rules = {
    .separators = "=:", .fold = true, .strict = true, .header = last_bracket, .value = percent_value};

static const char *percent_decode(const char *raw, struct mm_arena *a)
{
	const char *text = py_decode(raw, a);

	return text != NULL ? halved(text, a) : NULL;
}

static int percent_spell(
    const char *key, const char *value, struct mm_arena *a, const char **out, struct mm_err *err)
{
	return py_spell(key, doubled(value, a), a, out, err);
}

/* ---- git */

static const char *git_header(struct mm_text in, size_t i, size_t end, struct mm_arena *a, size_t *rest)
{
	char *p = mm_arena_alloc(a, end - i + 2, 1), *w = p;

	for (; i < end && in.p[i] != ']' && !mm_is_blank(in.p[i]); i++) {
		char c = in.p[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.'))
			return NULL;
		*w++ = c;
	}
	while (i < end && mm_is_blank(in.p[i]))
		i++;
	if (i < end && in.p[i] == '"') {
		*w++ = '.';
		for (i++; i < end && in.p[i] != '"'; i++) {
			if (in.p[i] == '\\' && i + 1 < end)
				i++;
			*w++ = in.p[i];
		}
		i++;
	}
	if (w == p || i >= end || in.p[i] != ']')
		return NULL;
	*rest = i + 1;
	return p;
}

static int git_escape(char c, char *out)
{
	static const char from[] = "\"\\ntb", to[] = "\"\\\n\t\b";
	const char *p = c != '\0' ? strchr(from, c) : NULL;

	if (p != NULL)
		*out = to[p - from];
	return p != NULL ? 0 : -1;
}

/* What stands behind a backslash at `i`: an escape, or a line end that joins
 * the lines. Gives the last byte that belongs to it. */
static int git_backslash(struct mm_text in, size_t *i, struct mm_buf *b)
{
	char c;

	if (++*i >= in.n)
		return -1;
	c = in.p[*i];
	if (c == '\r' && *i + 1 < in.n && in.p[*i + 1] == '\n')
		c = in.p[++*i];
	if (c == '\n')
		return *i + 1 == in.n ? -1 : 0;
	if (git_escape(c, &c) != 0)
		return -1;
	mm_buf_addc(b, c);
	return 0;
}

/* One value; `used` is behind its last byte, `end` where its last line ends. */
static int git_text(struct mm_text in, size_t i, struct mm_buf *b, size_t *used, size_t *end)
{
	bool quoted = false, comment = false;
	size_t keep = 0, before;

	*used = i;
	for (; i < in.n && in.p[i] != '\n'; i++) {
		char c = in.p[i];

		if (c == '\r' && (i + 1 == in.n || in.p[i + 1] == '\n'))
			continue;
		if (!comment && !quoted && (c == '#' || c == ';'))
			comment = true;
		if (comment)
			continue;
		if (c == '"') {
			quoted = !quoted;
		} else if (c == '\\') {
			before = b->len;
			if (git_backslash(in, &i, b) != 0)
				return -1;
			if (b->len == before)
				continue; /* a join counts only when more follows, too */
		} else {
			mm_buf_addc(b, c);
			if (!quoted && space(c))
				continue; /* counts only when more follows */
		}
		keep = b->len;
		*used = i + 1;
	}
	b->len = keep;
	*end = mm_line_end(in, mm_line_start(in, i));
	return quoted ? -1 : 0;
}

static int git_value(struct mm_text in, struct mm_line *l, size_t i, struct mm_arena *a)
{
	struct mm_buf b = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);
	size_t end = l->end;
	int rc;

	l->vfrom = i;
	while (i < l->end && space(in.p[i]))
		i++;
	rc = git_text(in, i, &b, &l->vto, &end);
	if (l->vto > i)
		l->vfrom = i;
	else
		l->vto = l->vfrom;
	l->value = b.len > 0 ? mm_arena_strndup(a, b.data, b.len) : "";
	mm_buf_free(&b);
	if (end > l->end) {
		l->end = end;
		l->next = mm_line_next(in, end);
	}
	return rc;
}

static const struct mm_ini_rules git_rules = {
    .separators = "=", .fold = true, .bare = true, .header = git_header, .value = git_value};

static const char *git_decode(const char *raw, struct mm_arena *a)
{
	struct mm_text in = {.p = raw, .n = strlen(raw)};
	struct mm_line l = {.end = mm_line_end(in, 0), .next = mm_line_next(in, 0)};

	if (git_value(in, &l, 0, a) != 0 || (in.n > 0 && (l.vfrom != 0 || l.vto != in.n)))
		return NULL;
	return l.value;
}

static const char *git_quote(const char *value, struct mm_arena *a)
{
	char *p = mm_arena_alloc(a, 2 * strlen(value) + 3, 1), *w = p;

	*w++ = '"';
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			*w++ = '\\';
		*w++ = *value;
	}
	*w = '"';
	return p;
}

static int git_spell(
    const char *key, const char *value, struct mm_arena *a, const char **out, struct mm_err *err)
{
	const char *meaning = git_decode(value, a);

	if (!mm_ini_is_key(&git_rules, key) || key[0] < 'a' || mm_has_control(value))
		return no_value(key, err);
	*out =
	    meaning != NULL && strcmp(meaning, value) == 0 && value[0] != '\0' ? value : git_quote(value, a);
	return 0;
}

static int git_new_header(
    const char *section, const char *value, struct mm_arena *a, const char **out, struct mm_err *err)
{
	const char *dot = strchr(section, '.'), *name = section;
	struct mm_text in;
	size_t rest;

	(void)value;
	if (mm_has_control(section))
		return mm_err_set(err, MM_EX_DATAERR, "'%s' cannot be the name of a section", section);
	if (dot != NULL)
		name = mm_arena_printf(a, "%.*s %s", (int)(dot - section), section, git_quote(dot + 1, a));
	*out = mm_arena_printf(a, "[%s]", name);
	in = (struct mm_text){.p = *out, .n = strlen(*out)};
	name = git_header(in, 1, in.n, a, &rest);
	if (name == NULL || rest != in.n || strcmp(name, section) != 0)
		return mm_err_set(err, MM_EX_DATAERR, "'%s' cannot be the name of a section", section);
	return 0;
}

/* ---- the formats */

#define INI_FORMAT(name, rules, bare, decoder, speller, new_header, variable, format_name)                   \
	static int name##_scan(                                                                              \
	    struct mm_text in, struct mm_arena *a, struct mm_line **out, size_t *n, struct mm_err *err)      \
	{                                                                                                    \
		return mm_ini_scan(&(rules), in, a, out, n, err);                                            \
	}                                                                                                    \
	static const struct mm_line_grammar name = {.header_key = "",                                        \
	    .scan = name##_scan,                                                                             \
	    .decode = (decoder),                                                                             \
	    .spell = (speller),                                                                              \
	    .header = (new_header),                                                                          \
	    .verify = mm_ini_verify,                                                                         \
	    .alone = (bare),                                                                                 \
	    .between = " = "};                                                                               \
	MM_LINES_FORMAT(variable, format_name, name)

INI_FORMAT(go, go_rules, NULL, go_decode, go_spell, header, mm_format_goini, "go-ini");
INI_FORMAT(py, py_rules, NULL, py_decode, py_spell, header, mm_format_pyini, "python-ini");
INI_FORMAT(percent, percent_rules, NULL, percent_decode, percent_spell, header, mm_format_pyini_percent,
    "python-ini-percent");
INI_FORMAT(git, git_rules, "true", git_decode, git_spell, git_new_header, mm_format_gitconfig, "gitconfig");
