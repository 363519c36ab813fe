#include "agent/formats/prefsjs_lex.h"

#include <stdint.h>
#include <string.h>

#include "agent/formats/splice.h"
#include "common/text.h"

enum tok_kind { TOK_END, TOK_CHAR, TOK_WORD, TOK_STRING, TOK_DIGITS, TOK_WRONG };

struct tok {
	enum tok_kind kind;
	size_t from, to;
	char c;           /* TOK_CHAR */
	const char *text; /* TOK_WORD, TOK_STRING (decoded), TOK_DIGITS; TOK_WRONG: what */
	int line;
};

struct lex {
	struct mm_text in;
	size_t pos;
	int line;
	struct mm_arena *a;
};

static bool at(const struct lex *l, size_t i, char c)
{
	return l->pos + i < l->in.n && l->in.p[l->pos + i] == c;
}

static void step(struct lex *l)
{
	if (l->in.p[l->pos++] == '\n')
		l->line++;
}

static void skip_line(struct lex *l)
{
	while (l->pos < l->in.n && !at(l, 0, '\n') && !at(l, 0, '\r'))
		l->pos++;
}

/* False: a comment is not closed. */
static bool skip_comment(struct lex *l)
{
	l->pos += 2;
	while (l->pos < l->in.n) {
		if (at(l, 0, '*') && at(l, 1, '/')) {
			l->pos += 2;
			return true;
		}
		step(l);
	}
	return false;
}

static bool skip_blanks(struct lex *l)
{
	while (l->pos < l->in.n) {
		char c = l->in.p[l->pos];

		if (c == '#' || (c == '/' && at(l, 1, '/')))
			skip_line(l);
		else if (c == '/' && at(l, 1, '*')) {
			if (!skip_comment(l))
				return false;
		} else if (strchr(" \t\v\f\r\n", c) != NULL && c != '\0')
			step(l);
		else
			break;
	}
	return true;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* n hex digits at the cursor; -1 when they are not there. */
static int32_t hex_digits(struct lex *l, size_t n)
{
	int32_t v = 0;

	for (size_t i = 0; i < n; i++) {
		int d = l->pos + i < l->in.n ? hex(l->in.p[l->pos + i]) : -1;

		if (d < 0)
			return -1;
		v = v * 16 + d;
	}
	l->pos += n;
	return v;
}

static size_t put_utf8(char *w, uint32_t c)
{
	if (c < 0x80) {
		w[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		w[0] = (char)(0xc0 | (c >> 6));
		w[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		w[0] = (char)(0xe0 | (c >> 12));
		w[1] = (char)(0x80 | ((c >> 6) & 0x3f));
		w[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	w[0] = (char)(0xf0 | (c >> 18));
	w[1] = (char)(0x80 | ((c >> 12) & 0x3f));
	w[2] = (char)(0x80 | ((c >> 6) & 0x3f));
	w[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* The cursor is behind "\u". 0 when it is no character. */
static uint32_t utf16(struct lex *l)
{
	int32_t hi = hex_digits(l, 4), lo;

	if (hi < 0 || (hi >= 0xdc00 && hi <= 0xdfff))
		return 0;
	if (hi < 0xd800 || hi > 0xdbff)
		return (uint32_t)hi;
	if (!at(l, 0, '\\') || !at(l, 1, 'u'))
		return 0;
	l->pos += 2;
	lo = hex_digits(l, 4);
	if (lo < 0xdc00 || lo > 0xdfff)
		return 0;
	return 0x10000u + (((uint32_t)hi & 0x3ff) << 10) + ((uint32_t)lo & 0x3ff);
}

/* The cursor is behind the backslash. Bytes written, 0 = not an escape. */
static size_t escape(struct lex *l, char *w)
{
	static const char names[] = "\"'\\nr", bytes[] = "\"'\\\n\r";
	char c = l->pos < l->in.n ? l->in.p[l->pos] : '\0';
	const char *k = c != '\0' ? strchr(names, c) : NULL;
	uint32_t u = 0;

	if (k != NULL) {
		l->pos++;
		*w = bytes[k - names];
		return 1;
	}
	if (c == 'x') {
		int32_t v;

		l->pos++;
		v = hex_digits(l, 2);
		u = v > 0 ? (uint32_t)v : 0;
	} else if (c == 'u') {
		l->pos++;
		u = utf16(l);
	}
	return u == 0 ? 0 : put_utf8(w, u);
}

static struct tok string(struct lex *l, struct tok t)
{
	char quote = l->in.p[l->pos++], *w, *start;
	size_t end = l->pos, n;

	while (end < l->in.n && l->in.p[end] != quote)
		end += l->in.p[end] == '\\' ? 2 : 1;
	if (end >= l->in.n) {
		t.kind = TOK_WRONG;
		t.text = "a string is not closed";
		return t;
	}
	w = start = mm_arena_alloc(l->a, end - l->pos + 1, 1);
	while (l->pos < end) {
		if (at(l, 0, '\\')) {
			l->pos++;
			n = escape(l, w);
			w += n;
			if (n == 0) {
				t.kind = TOK_WRONG;
				t.text = "an escape that Thunderbird does not know";
				return t;
			}
		} else {
			*w++ = l->in.p[l->pos];
			step(l);
		}
	}
	*w = '\0';
	l->pos++;
	t.kind = TOK_STRING;
	t.text = start;
	return t;
}

static bool word_char(char c, bool digits_only)
{
	if (c >= '0' && c <= '9')
		return true;
	return !digits_only && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_');
}

static struct tok next(struct lex *l)
{
	struct tok t = {.kind = TOK_END};
	bool digits;

	if (!skip_blanks(l))
		return (struct tok){.kind = TOK_WRONG, .text = "a comment is not closed", .line = l->line};
	t.from = l->pos;
	t.line = l->line;
	if (l->pos == l->in.n)
		return t;
	t.c = l->in.p[l->pos];
	if (t.c == '"' || t.c == '\'') {
		t = string(l, t);
	} else if (word_char(t.c, false)) {
		digits = word_char(t.c, true);
		while (l->pos < l->in.n && word_char(l->in.p[l->pos], digits))
			l->pos++;
		t.kind = digits ? TOK_DIGITS : TOK_WORD;
		t.text = mm_text_dup(l->in, t.from, l->pos, l->a);
		if (digits && l->pos < l->in.n && word_char(l->in.p[l->pos], false))
			return (struct tok){
			    .kind = TOK_WRONG, .text = "a number that goes on in letters", .line = t.line};
	} else {
		t.kind = TOK_CHAR;
		l->pos++;
	}
	t.to = l->pos;
	return t;
}

static int wrong(const struct tok *t, const char *expected, struct mm_err *err)
{
	if (t->kind == TOK_WRONG)
		return mm_err_set(err, MM_EX_DATAERR, "line %d: %s", t->line, t->text);
	if (t->kind == TOK_END)
		return mm_err_set(
		    err, MM_EX_DATAERR, "line %d: the file ends where %s should stand", t->line, expected);
	return mm_err_set(err, MM_EX_DATAERR, "line %d: here should stand %s", t->line, expected);
}

static int expect(struct lex *l, char c, size_t *end, struct mm_err *err)
{
	struct tok t = next(l);

	if (t.kind != TOK_CHAR || t.c != c)
		return wrong(&t, (const char[]){'\'', c, '\'', '\0'}, err);
	if (end != NULL)
		*end = t.to;
	return 0;
}

static int number(struct lex *l, struct tok t, struct mm_pref *p, struct mm_err *err)
{
	bool minus = t.kind == TOK_CHAR && t.c == '-';
	int64_t v = 0;

	if (t.kind == TOK_CHAR)
		t = next(l);
	if (t.kind != TOK_DIGITS)
		return wrong(&t, "a number", err);
	while (t.text[0] == '0' && t.text[1] != '\0')
		t.text++;
	if (mm_parse_int(t.text, 0, (int64_t)INT32_MAX + (minus ? 1 : 0), &v) != 0)
		return mm_err_set(err, MM_EX_DATAERR, "line %d: the number does not fit in 32 bits", t.line);
	p->vto = t.to;
	p->kind = 'i';
	p->value = mm_arena_printf(l->a, "%s%lld", minus && v != 0 ? "-" : "", (long long)v);
	return 0;
}

static int value(struct lex *l, struct mm_pref *p, struct mm_err *err)
{
	struct tok t = next(l);

	p->vfrom = t.from;
	p->vto = t.to;
	p->value = t.text;
	if (t.kind == TOK_STRING) {
		p->kind = 's';
		p->vto = l->pos;
		return 0;
	}
	if (t.kind == TOK_WORD && (mm_streq(t.text, "true") || mm_streq(t.text, "false"))) {
		p->kind = 'b';
		return 0;
	}
	if (t.kind == TOK_DIGITS || (t.kind == TOK_CHAR && (t.c == '-' || t.c == '+')))
		return number(l, t, p, err);
	return wrong(&t, "a string, a number, true or false", err);
}

/* Behind the value: ")" or, in default files, ", locked" and ", sticky". */
static int close_paren(struct lex *l, bool defaults, struct mm_pref *p, struct mm_err *err)
{
	for (;;) {
		struct tok t = next(l);

		if (t.kind == TOK_CHAR && t.c == ')')
			return 0;
		if (!defaults || p->section[0] == '\0' || t.kind != TOK_CHAR || t.c != ',')
			return wrong(&t, "')'", err);
		t = next(l);
		if (t.kind != TOK_WORD || (!mm_streq(t.text, "locked") && !mm_streq(t.text, "sticky")))
			return wrong(&t, "'locked' or 'sticky'", err);
		if (mm_streq(t.text, "locked"))
			p->section = "locked";
	}
}

static int statement(struct lex *l, struct tok t, bool defaults, struct mm_pref *p, struct mm_err *err)
{
	*p = (struct mm_pref){.from = t.from, .line = t.line};
	if (t.kind == TOK_WORD && mm_streq(t.text, "user_pref"))
		p->section = "";
	else if (t.kind == TOK_WORD && (mm_streq(t.text, "pref") || mm_streq(t.text, "sticky_pref")))
		p->section = "default";
	else
		return wrong(&t, "user_pref", err);
	if (expect(l, '(', NULL, err) != 0)
		return -1;
	t = next(l);
	if (t.kind != TOK_STRING)
		return wrong(&t, "the name of a preference in quotes", err);
	p->key = t.text;
	if (expect(l, ',', NULL, err) != 0 || value(l, p, err) != 0 || close_paren(l, defaults, p, err) != 0)
		return -1;
	return expect(l, ';', &p->to, err);
}

int mm_prefs_scan(
    struct mm_text in, bool defaults, struct mm_arena *a, struct mm_pref **out, size_t *n, struct mm_err *err)
{
	struct lex l = {.in = in, .line = 1, .a = a};
	struct mm_pref *v = NULL, p;
	size_t used = 0, cap = 0;

	if (mm_text_check(in, err) != 0)
		return -1;
	if (in.n >= 3 && memcmp(in.p, "\xef\xbb\xbf", 3) == 0)
		l.pos = 3;
	for (;;) {
		struct tok t = next(&l);

		if (t.kind == TOK_END)
			break;
		if (statement(&l, t, defaults, &p, err) != 0)
			return -1;
		*(struct mm_pref *)mm_arena_push(a, &v, &used, &cap, sizeof(*v)) = p;
	}
	*out = v;
	*n = used;
	return 0;
}
