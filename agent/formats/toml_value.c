#include "agent/formats/toml_value.h"

#include <string.h>

#include "agent/formats/splice.h"
#include "common/text.h"

static int peek(const struct mm_toml_cursor *c, size_t ahead)
{
	return c->at + ahead < c->in.n ? (unsigned char)c->in.p[c->at + ahead] : -1;
}

int mm_toml_wrong(const struct mm_toml_cursor *c, const char *what, struct mm_err *err)
{
	return mm_err_set(err, MM_EX_DATAERR, "line %d: %s", mm_line_number(c->in, c->at), what);
}

void mm_toml_blanks(struct mm_toml_cursor *c)
{
	while (c->at < c->in.n && mm_is_blank(c->in.p[c->at]))
		c->at++;
}

bool mm_toml_at_newline(const struct mm_toml_cursor *c)
{
	return peek(c, 0) == '\n' || (peek(c, 0) == '\r' && peek(c, 1) == '\n');
}

void mm_toml_newline(struct mm_toml_cursor *c)
{
	c->at += peek(c, 0) == '\r' ? 2 : 1;
}

static bool is_control(int ch)
{
	return (ch >= 0 && ch < 0x20 && ch != '\t') || ch == 0x7f;
}

int mm_toml_comment(struct mm_toml_cursor *c, struct mm_err *err)
{
	if (peek(c, 0) != '#')
		return 0;
	for (; c->at < c->in.n && !mm_toml_at_newline(c); c->at++)
		if (is_control(peek(c, 0)))
			return mm_toml_wrong(c, "a control character in a comment", err);
	return 0;
}

/* ---- strings */

static bool put_code_point(struct mm_buf *b, uint32_t cp)
{
	if (cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000))
		return false;
	if (cp < 0x80) {
		mm_buf_addc(b, (char)cp);
	} else if (cp < 0x800) {
		mm_buf_addc(b, (char)(0xc0 | (cp >> 6)));
	} else if (cp < 0x10000) {
		mm_buf_addc(b, (char)(0xe0 | (cp >> 12)));
		mm_buf_addc(b, (char)(0x80 | ((cp >> 6) & 0x3f)));
	} else {
		mm_buf_addc(b, (char)(0xf0 | (cp >> 18)));
		mm_buf_addc(b, (char)(0x80 | ((cp >> 12) & 0x3f)));
		mm_buf_addc(b, (char)(0x80 | ((cp >> 6) & 0x3f)));
	}
	if (cp >= 0x80)
		mm_buf_addc(b, (char)(0x80 | (cp & 0x3f)));
	return true;
}

static int hex_digit(int ch)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *at = ch > 0 ? strchr(digits, ch) : NULL;

	return at != NULL ? (int)((at - digits) % 16) : -1;
}

/* \uXXXX and \UXXXXXXXX; the cursor is behind the letter. */
static int code_point(struct mm_toml_cursor *c, int digits, struct mm_buf *b, struct mm_err *err)
{
	uint32_t cp = 0;

	for (int i = 0; i < digits; i++) {
		int d = hex_digit(peek(c, 0));

		if (d < 0)
			return mm_toml_wrong(c, "an escape without its digits", err);
		cp = cp << 4 | (uint32_t)d;
		c->at++;
	}
	return put_code_point(b, cp) ? 0 : mm_toml_wrong(c, "an escape that is no character", err);
}

/* A backslash that ends its line: it goes, with all white space up to the next character. */
static bool skip_fold(struct mm_toml_cursor *c)
{
	struct mm_toml_cursor look = *c;

	mm_toml_blanks(&look);
	if (!mm_toml_at_newline(&look))
		return false;
	while (mm_toml_at_newline(&look)) {
		mm_toml_newline(&look);
		mm_toml_blanks(&look);
	}
	c->at = look.at;
	return true;
}

static int escape(struct mm_toml_cursor *c, bool lines, struct mm_buf *b, struct mm_err *err)
{
	static const char from[] = "btnfr\"\\", to[] = "\b\t\n\f\r\"\\";
	int ch = peek(c, 1);
	const char *at = ch > 0 ? strchr(from, ch) : NULL;

	c->at++;
	if (at != NULL) {
		mm_buf_addc(b, to[at - from]);
		c->at++;
		return 0;
	}
	if (lines && skip_fold(c))
		return 0;
	if (ch != 'u' && ch != 'U')
		return mm_toml_wrong(c, "an escape that means nothing", err);
	c->at++;
	return code_point(c, ch == 'u' ? 4 : 8, b, err);
}

/* A run of quotes within a string of several lines: at most two belong to it. */
static bool closes(struct mm_toml_cursor *c, char quote, struct mm_buf *b)
{
	size_t run = 0;

	while (run < 5 && peek(c, run) == quote)
		run++;
	for (size_t i = 0; i < (run < 3 ? run : run - 3); i++)
		mm_buf_addc(b, quote);
	c->at += run;
	return run >= 3;
}

/* What comes next inside of a string; *end when that was its end. */
static int string_part(
    struct mm_toml_cursor *c, char quote, bool lines, struct mm_buf *b, bool *end, struct mm_err *err)
{
	int ch = peek(c, 0);

	if (ch == quote && lines) {
		*end = closes(c, quote, b);
	} else if (ch == quote) {
		*end = true;
		c->at++;
	} else if (ch == '\\' && quote == '"') {
		return escape(c, lines, b, err);
	} else if (lines && mm_toml_at_newline(c)) {
		mm_buf_addc(b, '\n');
		mm_toml_newline(c);
	} else if (ch < 0 || is_control(ch)) {
		return mm_toml_wrong(
		    c, ch < 0 ? "a string without its end" : "a control character in a string", err);
	} else {
		mm_buf_addc(b, (char)ch);
		c->at++;
	}
	return 0;
}

/* `lines`: it may be one of several lines. The bytes are appended to `b`. */
static int string(struct mm_toml_cursor *c, bool lines, struct mm_buf *b, struct mm_err *err)
{
	char quote = (char)peek(c, 0);
	bool end = false;

	lines = lines && peek(c, 1) == quote && peek(c, 2) == quote;
	c->at += lines ? 3 : 1;
	if (lines && mm_toml_at_newline(c))
		mm_toml_newline(c);
	while (!end)
		if (string_part(c, quote, lines, b, &end, err) != 0)
			return -1;
	return mm_buf_ok(b) ? 0 : mm_toml_wrong(c, "a string that is too long", err);
}

const char *mm_toml_quote(const char *s, size_t n, struct mm_arena *a)
{
	static const char from[] = "\b\t\n\f\r\"\\", to[] = "btnfr\"\\";
	struct mm_buf b = MM_BUF_INIT(2 * MM_FORMAT_TEXT_MAX);

	mm_buf_addc(&b, '"');
	for (size_t i = 0; i < n; i++) {
		const char *at = s[i] != '\0' ? strchr(from, s[i]) : NULL;

		if (at != NULL)
			mm_buf_addf(&b, "\\%c", to[at - from]);
		else if (is_control((unsigned char)s[i]))
			mm_buf_addf(&b, "\\u%04X", (unsigned)s[i]);
		else
			mm_buf_addc(&b, s[i]);
	}
	mm_buf_addc(&b, '"');
	return mm_buf_take(&b, a);
}

bool mm_toml_is_literal(const char *s)
{
	for (; *s != '\0'; s++)
		if (*s == '\'' || is_control((unsigned char)*s))
			return false;
	return true;
}

/* ---- keys */

static bool is_bare(int ch)
{
	return (ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
	       ch == '_' || ch == '-';
}

static const char *canonical_key(const struct mm_buf *b, struct mm_arena *a)
{
	bool bare = b->len > 0;

	for (size_t i = 0; i < b->len; i++)
		bare = bare && is_bare((unsigned char)b->data[i]);
	return bare ? mm_arena_strndup(a, b->data, b->len) : mm_toml_quote(mm_buf_str(b), b->len, a);
}

int mm_toml_key(struct mm_toml_cursor *c, const char **name, struct mm_err *err)
{
	struct mm_buf b = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);
	size_t from = c->at;
	int rc = 0;

	if (peek(c, 0) == '"' || peek(c, 0) == '\'') {
		rc = string(c, false, &b, err);
		*name = rc == 0 ? canonical_key(&b, c->a) : NULL;
	} else {
		while (is_bare(peek(c, 0)))
			c->at++;
		*name = mm_text_dup(c->in, from, c->at, c->a);
		if (c->at == from)
			rc = mm_toml_wrong(c, "neither a key nor a table", err);
	}
	mm_buf_free(&b);
	if (rc == 0 && *name == NULL)
		rc = mm_toml_wrong(c, "a key that is too long", err);
	return rc;
}

int mm_toml_path(struct mm_toml_cursor *c, const char **names, size_t *n, struct mm_err *err)
{
	*n = 0;
	for (;;) {
		if (*n == MM_TOML_DEPTH_MAX)
			return mm_toml_wrong(c, "a key with too many dots", err);
		if (mm_toml_key(c, &names[*n], err) != 0)
			return -1;
		++*n;
		mm_toml_blanks(c);
		if (peek(c, 0) != '.')
			return 0;
		c->at++;
		mm_toml_blanks(c);
	}
}

/* ---- numbers and dates */

/* Digits of a base with single underscores between them. */
static const char *digits(const char *s, int base)
{
	const char *p = s;

	while (hex_digit((unsigned char)*p) >= 0 && hex_digit((unsigned char)*p) < base) {
		p++;
		if (*p == '_' && hex_digit((unsigned char)p[1]) >= 0 && hex_digit((unsigned char)p[1]) < base)
			p++;
	}
	return p > s ? p : NULL;
}

/* [+-] and digits without leading zeros, or NULL. */
static const char *decimal(const char *s)
{
	if (*s == '+' || *s == '-')
		s++;
	if (s[0] == '0' && ((s[1] >= '0' && s[1] <= '9') || s[1] == '_'))
		return NULL;
	return digits(s, 10);
}

static bool is_float(const char *s)
{
	const char *p = s + (*s == '+' || *s == '-' ? 1 : 0);

	if (mm_streq(p, "inf") || mm_streq(p, "nan"))
		return true;
	s = decimal(s);
	if (s == NULL || *s == '\0')
		return false;
	if (*s == '.')
		s = digits(s + 1, 10);
	if (s != NULL && (*s == 'e' || *s == 'E')) {
		s++;
		s = digits(s + (*s == '+' || *s == '-' ? 1 : 0), 10);
	}
	return s != NULL && *s == '\0';
}

static int base_of(const char *s)
{
	if (s[0] != '0')
		return 10;
	return s[1] == 'x' ? 16 : s[1] == 'o' ? 8 : s[1] == 'b' ? 2 : 10;
}

/* The decimal text of an integer, NULL: it is none, or does not fit 64 bits. */
static const char *integer(const char *s, struct mm_arena *a)
{
	int base = base_of(s);
	bool minus = *s == '-';
	const char *p = base == 10 ? s + (*s == '+' || minus ? 1 : 0) : s + 2;
	const char *end = base == 10 ? decimal(s) : digits(p, base);
	uint64_t v = 0, max = minus ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;

	if (end == NULL || *end != '\0')
		return NULL;
	for (; *p != '\0'; p++) {
		uint64_t d = (uint64_t)(*p != '_' ? hex_digit((unsigned char)*p) : 0);

		if (*p == '_')
			continue;
		if (v > (max - d) / (uint64_t)base)
			return NULL;
		v = v * (uint64_t)base + d;
	}
	return mm_arena_printf(a, "%s%llu", minus && v != 0 ? "-" : "", (unsigned long long)v);
}

/* `n` digits, at most `max`; NULL: they are not there. */
static const char *number(const char *s, int n, int max, int *out)
{
	*out = 0;
	for (int i = 0; i < n; i++, s++) {
		if (*s < '0' || *s > '9')
			return NULL;
		*out = *out * 10 + (*s - '0');
	}
	return *out <= max ? s : NULL;
}

static const char *expect(const char *s, char c)
{
	return s != NULL && *s == c ? s + 1 : NULL;
}

static const char *date(const char *s)
{
	static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int y = 0, m = 0, d = 0;

	s = expect(number(s, 4, 9999, &y), '-');
	if (s != NULL)
		s = expect(number(s, 2, 12, &m), '-');
	if (s != NULL)
		s = number(s, 2, 31, &d);
	if (s == NULL || m == 0 || d == 0 || d > days[m - 1])
		return NULL;
	if (m == 2 && d == 29 && !(y % 4 == 0 && (y % 100 != 0 || y % 400 == 0)))
		return NULL;
	return s;
}

static const char *clock_time(const char *s)
{
	int v;

	s = expect(number(s, 2, 23, &v), ':');
	if (s != NULL)
		s = expect(number(s, 2, 59, &v), ':');
	if (s != NULL)
		s = number(s, 2, 60, &v);
	if (s == NULL || *s != '.')
		return s;
	for (s++, v = 0; *s >= '0' && *s <= '9'; s++)
		v = 1;
	return v == 1 ? s : NULL;
}

static bool is_offset(const char *s)
{
	int v;

	if (mm_streq(s, "Z") || mm_streq(s, "z"))
		return true;
	if (*s != '+' && *s != '-')
		return false;
	s = expect(number(s + 1, 2, 23, &v), ':');
	if (s != NULL)
		s = number(s, 2, 59, &v);
	return s != NULL && *s == '\0';
}

static bool is_date_or_time(const char *s)
{
	const char *p = clock_time(s);

	if (p != NULL && *p == '\0')
		return true;
	p = date(s);
	if (p == NULL || *p == '\0')
		return p != NULL;
	if (*p != 'T' && *p != 't' && *p != ' ')
		return false;
	p = clock_time(p + 1);
	return p != NULL && (*p == '\0' || is_offset(p));
}

static size_t word_end(const struct mm_toml_cursor *c, size_t at)
{
	while (at < c->in.n && strchr(" \t\r\n,]}#", c->in.p[at]) == NULL)
		at++;
	return at;
}

/* A date may have a blank before its time. */
static const char *word(struct mm_toml_cursor *c)
{
	size_t end = word_end(c, c->at);
	const char *s;

	if (end - c->at == 10 && end + 3 < c->in.n && c->in.p[end] == ' ' && c->in.p[end + 3] == ':' &&
	    date(mm_text_dup(c->in, c->at, end, c->a)) != NULL)
		end = word_end(c, end + 1);
	s = mm_text_dup(c->in, c->at, end, c->a);
	c->at = end;
	return s;
}

int mm_toml_scalar(struct mm_toml_cursor *c, struct mm_toml_value *out, struct mm_err *err)
{
	struct mm_buf b = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);
	size_t from = c->at;
	int rc = 0;

	*out = (struct mm_toml_value){.kind = 'u'};
	if (peek(c, 0) == '"' || peek(c, 0) == '\'') {
		rc = string(c, true, &b, err);
		if (rc == 0 && memchr(mm_buf_str(&b), '\0', b.len) == NULL) {
			out->kind = 's';
			out->text = b.len > 0 ? mm_arena_strndup(c->a, b.data, b.len) : "";
		} else if (rc == 0) { /* \u0000: no text of ours can hold it */
			out->text = mm_text_dup(c->in, from, c->at, c->a);
		}
		mm_buf_free(&b);
		return rc;
	}
	out->text = word(c);
	if (mm_streq(out->text, "true") || mm_streq(out->text, "false")) {
		out->kind = 'b';
	} else if (integer(out->text, c->a) != NULL) {
		out->kind = 'i';
		out->text = integer(out->text, c->a);
	} else if (!is_float(out->text) && !is_date_or_time(out->text)) {
		c->at = from;
		return mm_toml_wrong(c, "not a value", err);
	}
	return 0;
}
