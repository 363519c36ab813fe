#include "controller/policy/scan.h"

#include <string.h>

#include "common/text.h"

/* What may stand next. */
enum want {
	WANT_NAME, /* in a group: a name or the end */
	WANT_ASSIGN,
	WANT_VALUE,
	WANT_FIRST, /* in a list: a value or the end */
	WANT_MORE   /* behind a value: the separator, a further part of a string, or the end */
};

struct name {
	const char *p;
	size_t n;
	size_t line;
};

struct level {
	char kind;   /* '{', '(' or '[' */
	size_t line; /* where it was opened */
	enum want want;
	char elem; /* kind of the elements of an array: 's', 'i', 'b', or 0 */
	struct name *names;
	size_t n_names, cap_names;
};

struct scan {
	const struct mm_source *src;
	struct mm_arena *arena;
	struct mm_buf *out;
	struct mm_diags *diags;
	const char *p, *end;
	size_t line;     /* of *p */
	size_t pending;  /* newlines that are not in `out` yet */
	size_t twice;    /* names given twice so far */
	const char *key; /* last name, for messages */
	bool was_string;
	struct level stack[MM_POLICY_DEPTH + 1];
	size_t depth; /* index of the innermost level */
};

static struct mm_origin here(const struct scan *s)
{
	return mm_source_at(s->src, s->line);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_name(char c)
{
	return is_alpha(c) || is_digit(c) || c == '-' || c == '_';
}

/* libconfig takes the line of an element from the token behind it: closing
 * ones are put before the newlines, so that both are on one line. */
static void flush(struct scan *s)
{
	for (; s->pending > 0; s->pending--)
		mm_buf_addc(s->out, '\n');
	mm_buf_addc(s->out, ' ');
}

/* ---- blanks and comments */

static int skip_block(struct scan *s)
{
	size_t from = s->line;
	for (s->p += 2; s->end - s->p >= 2; s->p++) {
		if (s->p[0] == '*' && s->p[1] == '/') {
			s->p += 2;
			return 0;
		}
		if (*s->p == '\n') {
			s->line++;
			s->pending++;
		}
	}
	mm_diag_error(s->diags, mm_source_at(s->src, from), "comment is never closed; end it with */");
	return -1;
}

static int skip_blank(struct scan *s)
{
	while (s->p < s->end) {
		char c = *s->p;
		bool pair = s->end - s->p >= 2;
		if (c == '\n') {
			s->line++;
			s->pending++;
			s->p++;
		} else if (c == ' ' || c == '\t' || c == '\r') {
			s->p++;
		} else if (c == '#' || (pair && c == '/' && s->p[1] == '/')) {
			while (s->p < s->end && *s->p != '\n')
				s->p++;
		} else if (pair && c == '/' && s->p[1] == '*') {
			if (skip_block(s) != 0)
				return -1;
		} else {
			return 0;
		}
	}
	return 0;
}

/* ---- the grammar */

static struct level *top(struct scan *s)
{
	return &s->stack[s->depth];
}

/* The next word, or the next character. */
static const char *shown(struct scan *s)
{
	size_t n = 0;
	while (n < 24 && s->p + n < s->end && strchr(" \t\r\n;,", s->p[n]) == NULL)
		n++;
	return mm_arena_strndup(s->arena, s->p, n > 0 ? n : 1);
}

static int unexpected(struct scan *s)
{
	struct mm_origin at = here(s);
	const char *got = shown(s);
	switch (top(s)->want) {
	case WANT_NAME:
		mm_diag_error(s->diags, at, "unexpected '%s'; a name = value must stand here", got);
		break;
	case WANT_ASSIGN:
		mm_diag_error(
		    s->diags, at, "unexpected '%s' behind %s; write %s = value;", got, s->key, s->key);
		break;
	case WANT_VALUE:
	case WANT_FIRST:
		mm_diag_error(
		    s->diags, at, "unexpected '%s'; a value must stand here, texts in double quotes", got);
		break;
	default:
		mm_diag_error(s->diags, at, "unexpected '%s'; %s", got,
		    top(s)->kind == '{' ? "end the value before it with ;" : "separate elements with ,");
	}
	return -1;
}

static bool value_fits(struct scan *s, char kind)
{
	struct level *t = top(s);
	if (t->want == WANT_MORE && kind == 's' && s->was_string)
		return true;
	if (t->want != WANT_VALUE && t->want != WANT_FIRST)
		return false;
	if (t->kind != '[')
		return true;
	if (kind == 'x' && t->elem == 0)
		return true;
	if (t->elem != 0 && kind != 'x' && t->elem != kind)
		return false;
	if (kind != 'x')
		t->elem = kind;
	return strchr("sibx", kind) != NULL;
}

static void value_done(struct scan *s, char kind)
{
	top(s)->want = WANT_MORE;
	s->was_string = kind == 's';
}

static int open_level(struct scan *s)
{
	char c = *s->p;
	if (!value_fits(s, c))
		return unexpected(s);
	if (s->depth == MM_POLICY_DEPTH) {
		mm_diag_error(s->diags, here(s),
		    "nested deeper than %d levels; a policy needs no more than 8", MM_POLICY_DEPTH);
		return -1;
	}
	flush(s);
	/* Arrays become lists, which may hold a value that was reported. */
	mm_buf_addc(s->out, c == '[' ? '(' : c);
	value_done(s, c);
	s->depth++;
	*top(s) = (struct level){.kind = c, .line = s->line, .want = c == '{' ? WANT_NAME : WANT_FIRST};
	s->p++;
	return 0;
}

static int close_level(struct scan *s)
{
	struct level *t = top(s);
	char c = *s->p, open = c == '}' ? '{' : c == ')' ? '(' : '[';
	if (s->depth == 0) {
		mm_diag_error(s->diags, here(s), "'%c' closes nothing; remove it", c);
		return -1;
	}
	if (t->kind != open) {
		struct mm_origin at = mm_source_at(s->src, t->line);
		mm_diag_error(s->diags, here(s), "'%c' closes the '%c' of %s:%d; close that one first", c,
		    t->kind, at.file, at.line);
		return -1;
	}
	if (t->want == WANT_ASSIGN || t->want == WANT_VALUE)
		return unexpected(s);
	mm_buf_addc(s->out, c == ']' ? ')' : c);
	s->depth--;
	s->was_string = false;
	s->p++;
	return 0;
}

static int separator(struct scan *s)
{
	struct level *t = top(s);
	char c = *s->p;
	if (t->want != WANT_MORE || (t->kind != '{' && c == ';'))
		return unexpected(s);
	mm_buf_addc(s->out, c);
	t->want = t->kind == '{' ? WANT_NAME : WANT_VALUE;
	s->p++;
	return 0;
}

static int assign(struct scan *s)
{
	if (top(s)->want != WANT_ASSIGN)
		return unexpected(s);
	flush(s);
	mm_buf_addc(s->out, '=');
	top(s)->want = WANT_VALUE;
	s->p++;
	return 0;
}

/* ---- words and values */

static const struct name *find_name(const struct level *t, const char *p, size_t n)
{
	for (size_t i = 0; i < t->n_names; i++)
		if (t->names[i].n == n && memcmp(t->names[i].p, p, n) == 0)
			return &t->names[i];
	return NULL;
}

static int key(struct scan *s, const char *from, size_t n)
{
	struct level *t = top(s);
	s->key = mm_arena_strndup(s->arena, from, n < MM_POLICY_NAME_MAX ? n : MM_POLICY_NAME_MAX);
	if (n > MM_POLICY_NAME_MAX || t->n_names == MM_POLICY_NAMES_MAX) {
		mm_diag_error(s->diags, here(s),
		    "name %s: longer than %d bytes, or one of more than %d in a group; shorten", s->key,
		    MM_POLICY_NAME_MAX, MM_POLICY_NAMES_MAX);
		return -1;
	}
	const struct name *first = find_name(t, from, n);
	flush(s);
	if (first != NULL) {
		struct mm_origin at = mm_source_at(s->src, first->line);
		mm_diag_error(s->diags, here(s), "duplicate %s, first given at %s:%d; keep one of the two",
		    s->key, at.file, at.line);
		mm_buf_addf(s->out, "*%zu", ++s->twice);
	} else {
		struct name *x = mm_arena_push(s->arena, &t->names, &t->n_names, &t->cap_names, sizeof(*x));
		*x = (struct name){from, n, s->line};
		mm_buf_add(s->out, from, n);
	}
	t->want = WANT_ASSIGN;
	return 0;
}

static void bad_value(struct scan *s)
{
	flush(s);
	mm_buf_adds(s->out, MM_SCAN_BAD);
}

static int word(struct scan *s)
{
	const char *from = s->p;
	size_t n = 0;
	while (from + n < s->end && is_name(from[n]))
		n++;
	if (top(s)->want == WANT_NAME || (top(s)->want == WANT_MORE && top(s)->kind == '{')) {
		s->p += n;
		return key(s, from, n);
	}
	const char *w = mm_arena_strndup(s->arena, from, n < 40 ? n : 40);
	bool truth = mm_streq_nocase(w, "true"), is_bool = truth || mm_streq_nocase(w, "false");
	if (!value_fits(s, is_bool ? 'b' : 'x'))
		return unexpected(s);
	s->p += n;
	if (is_bool) {
		flush(s);
		mm_buf_adds(s->out, truth ? "true" : "false");
	} else {
		mm_diag_error(s->diags, here(s),
		    "%s is not a value; put it in double quotes, or write true or false", w);
		bad_value(s);
	}
	value_done(s, is_bool ? 'b' : 'x');
	return 0;
}

/* Plain decimal only: whatever else libconfig reads as a number (0x10, 1L,
 * 1.5, 010, +5, and everything that wraps) is an error. */
static int number(struct scan *s)
{
	size_t n = 1;
	while (s->p + n < s->end && (is_name(s->p[n]) || s->p[n] == '.' || s->p[n] == '+'))
		n++;
	const char *w = mm_arena_strndup(s->arena, s->p, n < 40 ? n : 40);
	const char *digits = w[0] == '-' ? w + 1 : w;
	size_t run = strspn(digits, "0123456789");
	bool plain = run > 0 && digits[run] == '\0' && (digits[0] != '0' || run == 1);
	int64_t v = 0;
	bool fits = plain && mm_parse_int(w, INT32_MIN, INT32_MAX, &v) == 0;
	if (!value_fits(s, fits ? 'i' : 'x'))
		return unexpected(s);
	if (fits) {
		flush(s);
		mm_buf_add(s->out, s->p, n);
	} else {
		mm_diag_error(s->diags, here(s), "%s%s%s", w,
		    plain ? " is out of range" : " is not a plain decimal number",
		    plain ? "; write a smaller number" : "; write digits only, or a text in double quotes");
		bad_value(s);
	}
	value_done(s, fits ? 'i' : 'x');
	s->p += n;
	return 0;
}

static int string(struct scan *s)
{
	const char *from = s->p;
	bool nul = false;
	for (s->p++; s->p < s->end && *s->p != '"' && *s->p != '\n'; s->p++) {
		if (*s->p != '\\' || s->p + 1 == s->end || s->p[1] == '\n')
			continue;
		/* libconfig would end the text at \x00 */
		nul = nul || (s->end - s->p > 3 && s->p[1] == 'x' && s->p[2] == '0' && s->p[3] == '0');
		s->p++;
	}
	if (s->p == s->end || *s->p != '"') {
		mm_diag_error(
		    s->diags, here(s), "text is not closed on its line; end it with a double quote");
		return -1;
	}
	const char *stop = ++s->p;
	s->p = from;
	if (!value_fits(s, nul ? 'x' : 's'))
		return unexpected(s);
	if (nul) {
		mm_diag_error(s->diags, here(s), "control character in a text (\\x00); remove it");
		bad_value(s);
	} else {
		flush(s);
		mm_buf_add(s->out, from, (size_t)(stop - from));
	}
	value_done(s, nul ? 'x' : 's');
	s->p = stop;
	return 0;
}

static int token(struct scan *s)
{
	char c = *s->p;
	switch (c) {
	case '{':
	case '(':
	case '[':
		return open_level(s);
	case '}':
	case ')':
	case ']':
		return close_level(s);
	case ';':
	case ',':
		return separator(s);
	case '=':
	case ':':
		return assign(s);
	case '"':
		return string(s);
	default:
		if (is_alpha(c))
			return word(s);
		if (is_digit(c) || c == '-' || c == '+' || c == '.')
			return number(s);
		return unexpected(s);
	}
}

/* ---- bytes that are no text, each once per line */

static void check_line(struct scan *s, size_t line, const char *p, size_t n)
{
	if (n > 0 && p[n - 1] == '\r')
		n--;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];
		if ((c < 0x20 && c != '\t') || c == 0x7f) {
			mm_diag_error(
			    s->diags, mm_source_at(s->src, line), "control character 0x%02x; remove it", c);
			break;
		}
	}
	if (!mm_is_utf8(p, n))
		mm_diag_error(s->diags, mm_source_at(s->src, line), "invalid UTF-8; save the file as UTF-8");
}

static int check_bytes(struct scan *s)
{
	size_t before = s->diags->errors, line = 1;
	for (const char *p = s->p; p < s->end; line++) {
		const char *eol = memchr(p, '\n', (size_t)(s->end - p));
		const char *stop = eol != NULL ? eol : s->end;
		check_line(s, line, p, (size_t)(stop - p));
		p = stop + 1;
	}
	return s->diags->errors == before ? 0 : -1;
}

static int at_end(struct scan *s)
{
	struct level *t = top(s);
	if (s->depth > 0) {
		mm_diag_error(s->diags, mm_source_at(s->src, t->line),
		    "'%c' is never closed; add the missing '%c'", t->kind,
		    t->kind == '{'   ? '}'
		    : t->kind == '(' ? ')'
				     : ']');
		return -1;
	}
	if (t->want == WANT_ASSIGN || t->want == WANT_VALUE) {
		mm_diag_error(s->diags, here(s), "%s has no value; write %s = value;", s->key, s->key);
		return -1;
	}
	return 0;
}

int mm_scan(const struct mm_source *src, struct mm_arena *a, struct mm_buf *out, struct mm_diags *d)
{
	struct scan s = {.src = src,
	    .arena = a,
	    .out = out,
	    .diags = d,
	    .p = src->text,
	    .end = src->text + src->len,
	    .line = 1,
	    .key = "",
	    .stack = {{.kind = '{', .line = 1, .want = WANT_NAME}}};
	if (src->len >= 3 && memcmp(src->text, "\xef\xbb\xbf", 3) == 0)
		s.p += 3;
	if (check_bytes(&s) != 0)
		return -1;
	while (skip_blank(&s) == 0) {
		if (s.p == s.end)
			return at_end(&s);
		if (token(&s) != 0)
			return -1;
	}
	return -1;
}
