#include "agent/formats/fdmconf_lex.h"

#include <string.h>

#include "common/text.h"

const struct mm_fdm_word mm_fdm_words[MM_FDM_WORDS] = {{"s", "tls", MM_FDM_TYPE, false, NULL},
    {"server", "server", MM_FDM_SERVER, true, NULL}, {"pipe", "server", MM_FDM_SERVER, true, NULL},
    {"port", "port", MM_FDM_PORT, true, NULL}, {"user", "user", MM_FDM_USER, true, NULL},
    {"pass", "pass", MM_FDM_PASS, true, NULL}, {"folder", "folder", MM_FDM_FOLDER, true, "pop3"},
    {"folders", "folder", MM_FDM_FOLDER, true, "pop3"}, {"new-only", "only", MM_FDM_ONLY, false, NULL},
    {"old-only", "only", MM_FDM_ONLY, false, NULL}, {"no-apop", "no-apop", MM_FDM_FLAGS, false, "imap"},
    {"no-verify", "no-verify", MM_FDM_FLAGS + 1, false, NULL},
    {"no-uidl", "no-uidl", MM_FDM_FLAGS + 2, false, "imap"},
    {"no-cram-md5", "no-cram-md5", MM_FDM_FLAGS + 2, false, "pop3"},
    {"no-login", "no-login", MM_FDM_FLAGS + 3, false, "pop3"},
    {"starttls", "starttls", MM_FDM_FLAGS + 4, false, NULL},
    {"insecure", "insecure", MM_FDM_FLAGS + 5, false, NULL}, {"keep", "keep", MM_FDM_FLAGS + 6, false, NULL}};

#define NAME_MAX_BYTES 62 /* of a macro; fdm's MAXNAMESIZE is 64 with its sign */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool in_word(char c)
{
	return is_alnum(c) || c == '-' || c == '_';
}

static int refuse(const char **why, const char *what)
{
	*why = what;
	return -1;
}

struct reader {
	struct mm_text in;
	size_t pos;
	struct mm_buf *out; /* NULL: only looked at */
	mm_fdm_macro *macro;
	const void *ctx;
	bool open, unknown;
};

static void put(struct reader *r, char c)
{
	if (r->out != NULL)
		mm_buf_addc(r->out, c);
}

static char escaped(char c)
{
	return (char)(c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c);
}

/* The end of a macro's name that begins at `pos`. */
static size_t name_end(struct mm_text in, size_t pos)
{
	if (pos == in.n || !is_alnum(in.p[pos]))
		return pos;
	while (pos < in.n && in_word(in.p[pos]))
		pos++;
	return pos;
}

/* ${x} or %{x} within a string, at its sign. */
static int inner_macro(struct reader *r, const char **why)
{
	size_t from = r->pos + 2, to = name_end(r->in, from);
	char name[NAME_MAX_BYTES + 2];
	const char *value;

	if (to == from || to - from >= NAME_MAX_BYTES || to == r->in.n || r->in.p[to] != '}')
		return refuse(why, "a macro without a proper name");
	name[0] = r->in.p[r->pos];
	memcpy(name + 1, r->in.p + from, to - from);
	name[to - from + 1] = '\0';
	r->pos = to + 1;
	r->open = true;
	value = r->macro != NULL ? r->macro(r->ctx, name) : NULL;
	r->unknown = r->unknown || value == NULL;
	for (; value != NULL && *value != '\0'; value++)
		put(r, *value);
	return 0;
}

/* From behind the opening quote to behind the closing one. */
static int read_string(struct reader *r, const char **why)
{
	char q = r->in.p[r->pos - 1];

	for (; r->pos < r->in.n && r->in.p[r->pos] != q; r->pos++) {
		char c = r->in.p[r->pos];
		bool more = r->pos + 1 < r->in.n;

		if (q == '"' && c == '\\') {
			if (!more)
				return refuse(why, "a quote that is not closed");
			c = escaped(r->in.p[++r->pos]);
		} else if (q == '"' && (c == '$' || c == '%') && more && r->in.p[r->pos + 1] == '{') {
			if (inner_macro(r, why) != 0)
				return -1;
			r->pos--;
			continue;
		}
		put(r, c);
	}
	if (r->pos >= r->in.n)
		return refuse(why, "a quote that is not closed");
	r->pos++;
	return 0;
}

/* From behind the opening parenthesis to behind its partner. */
static int read_command(struct reader *r, const char **why)
{
	unsigned depth = 0;

	while (r->pos < r->in.n) {
		char c = r->in.p[r->pos++];

		if (c == ')' && depth == 0)
			return 0;
		depth += c == '(' ? 1u : 0u;
		depth -= c == ')' ? 1u : 0u;
		put(r, c);
		if (c != '"' && c != '\'')
			continue;
		if (read_string(r, why) != 0)
			return -1;
		put(r, c);
	}
	return refuse(why, "a parenthesis that is not closed");
}

static int quoted(struct reader *r, struct mm_fdm_token *t, struct mm_arena *a, const char **why)
{
	struct mm_buf b = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);
	int rc;

	r->out = &b;
	rc = t->form == MM_FDM_STRING ? read_string(r, why) : read_command(r, why);
	t->to = r->pos;
	t->open = r->open;
	if (rc == 0)
		t->text = r->open ? mm_text_dup(r->in, t->from, t->to, a)
				  : mm_arena_strndup(a, mm_buf_str(&b), b.len);
	mm_buf_free(&b);
	r->out = NULL;
	return rc == 0 ? 1 : -1;
}

/* At $ or %. */
static int signed_token(struct reader *r, struct mm_fdm_token *t, struct mm_arena *a, const char **why)
{
	size_t at = r->pos + 1, from, to;
	bool braces;

	if (at < r->in.n && r->in.p[at] == '(') {
		t->form = MM_FDM_COMMAND;
		r->pos = at + 1;
		return quoted(r, t, a, why);
	}
	braces = at < r->in.n && r->in.p[at] == '{';
	from = braces ? at + 1 : at;
	to = name_end(r->in, from);
	if (to == from || to - from >= NAME_MAX_BYTES || (braces && (to == r->in.n || r->in.p[to] != '}')))
		return refuse(why, "a macro without a proper name");
	t->form = MM_FDM_MACRO;
	t->to = braces ? to + 1 : to;
	t->text = mm_arena_printf(a, "%c%.*s", r->in.p[r->pos], (int)(to - from), r->in.p + from);
	return 1;
}

static void skip(struct mm_text in, size_t *pos)
{
	while (*pos < in.n && (mm_is_blank(in.p[*pos]) || in.p[*pos] == '\n' || in.p[*pos] == '#')) {
		if (in.p[*pos] == '#')
			while (*pos < in.n && in.p[*pos] != '\n')
				(*pos)++;
		else
			(*pos)++;
	}
}

int mm_fdm_next(
    struct mm_text in, size_t *pos, struct mm_arena *a, struct mm_fdm_token *out, const char **why)
{
	struct reader r = {.in = in};
	char c;
	int rc = 1;

	skip(in, pos);
	if (*pos == in.n)
		return 0;
	c = in.p[*pos];
	r.pos = *pos;
	*out = (struct mm_fdm_token){.form = MM_FDM_SIGN, .from = *pos, .to = *pos + 1};
	if (c == '"' || c == '\'') {
		out->form = MM_FDM_STRING;
		r.pos++;
		rc = quoted(&r, out, a, why);
	} else if (c == '$' || c == '%') {
		rc = signed_token(&r, out, a, why);
	} else if (in_word(c)) {
		out->form = is_digit(c) ? MM_FDM_NUMBER : MM_FDM_WORD;
		while (out->to < in.n && (is_digit(c) ? is_digit(in.p[out->to]) : in_word(in.p[out->to])))
			out->to++;
	} else if (strchr("~+(),<>{}*=!", c) == NULL) {
		return refuse(why, c == '\r' ? "a line that ends in CR LF" : "an unexpected character");
	} else if ((c == '=' || c == '!') && out->to < in.n && in.p[out->to] == '=') {
		out->to++;
	}
	if (rc == 1 && out->text == NULL)
		out->text = mm_text_dup(in, out->from, out->to, a);
	*pos = out->to;
	return rc;
}

/* One token's share of a value. */
static bool expand(const struct mm_fdm_token *t, mm_fdm_macro *macro, const void *ctx, struct mm_buf *b)
{
	const char *text = t->text, *why = NULL;
	struct reader r = {
	    .in = {.p = t->text, .n = strlen(t->text)}, .pos = 1, .out = b, .macro = macro, .ctx = ctx};

	if (t->form == MM_FDM_STRING && t->open)
		return read_string(&r, &why) == 0 && !r.unknown;
	if (t->form == MM_FDM_MACRO)
		text = macro(ctx, t->text);
	if (text == NULL || t->form == MM_FDM_COMMAND)
		return false;
	mm_buf_adds(b, text);
	return true;
}

const char *mm_fdm_expand(const char *spelled, mm_fdm_macro *macro, const void *ctx, struct mm_arena *a)
{
	struct mm_text in = {.p = spelled, .n = strlen(spelled)};
	struct mm_buf b = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);
	struct mm_fdm_token t;
	const char *why = NULL, *out = NULL;
	size_t pos = 0;
	bool ok = true;
	int rc;

	while (ok && (rc = mm_fdm_next(in, &pos, a, &t, &why)) != 0)
		ok = rc == 1 && ((t.form == MM_FDM_SIGN && t.text[0] == '+') || expand(&t, macro, ctx, &b));
	if (ok && mm_buf_ok(&b))
		out = mm_arena_strndup(a, mm_buf_str(&b), b.len);
	mm_buf_free(&b);
	return out;
}

/* One token of this form that means this, and nothing else. */
static const char *if_read_back(struct mm_buf *b, enum mm_fdm_form form, const char *s, struct mm_arena *a)
{
	const char *out = mm_buf_ok(b) ? mm_arena_strndup(a, mm_buf_str(b), b->len) : "", *why = NULL;
	struct mm_text in = {.p = out, .n = strlen(out)};
	struct mm_fdm_token t;
	size_t pos = 0;

	mm_buf_free(b);
	if (mm_fdm_next(in, &pos, a, &t, &why) != 1 || t.form != form || t.open || pos != in.n ||
	    strcmp(t.text, s) != 0)
		return NULL;
	return out;
}

static void add_quoted(struct mm_buf *b, char c, bool macro)
{
	if (c == '"' || c == '\\' || macro)
		mm_buf_addc(b, '\\');
	mm_buf_addc(b, c);
}

static bool opens(const char *p)
{
	return (p[0] == '$' || p[0] == '%') && p[1] == '{';
}

const char *mm_fdm_quote(const char *s, struct mm_arena *a)
{
	struct mm_buf b = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);

	if (mm_has_control(s)) {
		mm_buf_free(&b);
		return NULL;
	}
	mm_buf_addc(&b, '"');
	for (const char *p = s; *p != '\0'; p++)
		add_quoted(&b, *p, opens(p));
	mm_buf_addc(&b, '"');
	return if_read_back(&b, MM_FDM_STRING, s, a);
}

/* What the shell sees between double quotes is doubled once more for fdm. */
const char *mm_fdm_command(const char *line, struct mm_arena *a)
{
	struct mm_buf b = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);
	char q = '\0';

	mm_buf_adds(&b, "$(");
	for (const char *p = line; *p != '\0'; p++) {
		bool escape = p[0] == '\\' && p[1] != '\0';

		if (q == '"' && escape) {
			mm_buf_adds(&b, "\\\\");
			p++;
			add_quoted(&b, *p, opens(p));
			continue;
		}
		if (q == '"' && *p != '"' && opens(p))
			mm_buf_addc(&b, '\\');
		mm_buf_addc(&b, *p);
		if (q == '\0' && (*p == '"' || *p == '\''))
			q = *p;
		else if (*p == q)
			q = '\0';
	}
	mm_buf_addc(&b, ')');
	return if_read_back(&b, MM_FDM_COMMAND, line, a);
}

const char *mm_fdm_spell(const char *value, bool command, bool number, struct mm_arena *a)
{
	if (command)
		return mm_fdm_command(value, a);
	if (number && value[0] != '\0' && value[strspn(value, "0123456789")] == '\0')
		return value;
	return mm_fdm_quote(value, a);
}

bool mm_fdm_glued(struct mm_text in, size_t from, size_t to)
{
	return from > 0 && to < in.n && in_word(in.p[from - 1]) && in_word(in.p[to]);
}
