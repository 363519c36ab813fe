#include "agent/formats/muttrc_lex.h"

#include <ctype.h>
#include <string.h>

#include "agent/formats/splice.h"
#include "common/text.h"

/* How far a word reaches; the names are mutt's. */
#define TOKEN_EQUAL 0x01u     /* '=' ends it */
#define TOKEN_SPACE 0x02u     /* blanks do not end it */
#define TOKEN_QUOTE 0x04u     /* quotes are ordinary characters */
#define TOKEN_PLUSMINUS 0x08u /* so do "+=" and "-=" */

struct lex {
	struct mm_text in;
	struct mm_arena *a;
	size_t pos, end; /* of the logical line, without its line end */
	int line;
	size_t line_pos; /* up to where `line` has been counted */
};

struct parts {
	struct mm_arena *a;
	struct mm_mutt_part *v;
	size_t n, cap;
	struct mm_buf literal, text;
	bool broken; /* mutt gives up on the rest of the line */
	size_t to;   /* behind the last character, before a join that may follow */
};

static size_t eol_at(struct mm_text in, size_t i)
{
	if (i < in.n && in.p[i] == '\n')
		return 1;
	return i + 1 < in.n && in.p[i] == '\r' && in.p[i + 1] == '\n' ? 2 : 0;
}

/* The next character of the logical line, -1 at its end. A backslash at the
 * end of a line joins the next one, whatever stands around it. */
static int peek(struct lex *l)
{
	while (l->pos < l->end && l->in.p[l->pos] == '\\') {
		size_t n = eol_at(l->in, l->pos + 1);

		if (n == 0)
			break;
		l->pos += 1 + n;
	}
	return l->pos < l->end ? (unsigned char)l->in.p[l->pos] : -1;
}

static int get(struct lex *l)
{
	int c = peek(l);

	if (c >= 0)
		l->pos++;
	return c;
}

static bool space(int c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void skip_space(struct lex *l)
{
	while (space(peek(l)))
		l->pos++;
}

static bool more(struct lex *l)
{
	int c = peek(l);

	return c >= 0 && c != ';' && c != '#';
}

static const char *keep(struct mm_arena *a, const struct mm_buf *b)
{
	return mm_arena_strdup(a, mm_buf_str(b));
}

static void add_part(struct parts *p, char kind, const char *text)
{
	struct mm_mutt_part *part = mm_arena_push(p->a, &p->v, &p->n, &p->cap, sizeof(*p->v));

	*part = (struct mm_mutt_part){.kind = kind, .text = text};
}

static void flush(struct parts *p)
{
	if (p->literal.len == 0)
		return;
	add_part(p, 'l', keep(p->a, &p->literal));
	mm_buf_reset(&p->literal);
}

static void literal(struct parts *p, int c)
{
	if (c == 0) { /* cannot be held as text */
		p->broken = true;
		return;
	}
	mm_buf_addc(&p->literal, (char)c);
	mm_buf_addc(&p->text, (char)c);
}

static int octal(struct lex *l, int first)
{
	size_t save = l->pos;
	int second = get(l), third = second >= 0 && isdigit(second) ? get(l) : -1;

	if (third >= 0 && isdigit(third))
		return ((first << 6) + (second << 3) + third - 3504) & 0xff;
	l->pos = save;
	return -1;
}

static void escape(struct lex *l, struct parts *p)
{
	static const char names[] = "rntfe", bytes[] = "\r\n\t\f\033";
	int c = get(l), o;
	const char *k;

	if (c < 0) {
		p->broken = true;
		return;
	}
	k = c != 0 ? strchr(names, c) : NULL;
	if (c == 'c' || c == 'C') {
		c = get(l);
		if (c < 0)
			p->broken = true;
		else
			literal(p, (toupper(c) - '@') & 0x7f);
	} else if (k != NULL) {
		literal(p, bytes[k - names]);
	} else if (isdigit(c) && (o = octal(l, c)) >= 0) {
		literal(p, o);
	} else {
		literal(p, c);
	}
}

static void command(struct lex *l, struct parts *p)
{
	struct mm_buf b = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);
	int c;

	while ((c = get(l)) >= 0 && c != '`') {
		mm_buf_addc(&b, (char)c);
		if (c == '\\' && (c = get(l)) >= 0)
			mm_buf_addc(&b, (char)c);
	}
	if (c < 0)
		p->broken = true;
	flush(p);
	add_part(p, '`', keep(p->a, &b));
	mm_buf_addf(&p->text, "`%s`", mm_buf_str(&b));
	mm_buf_free(&b);
}

static bool name_char(int c)
{
	return c >= 0 && c < 128 && (isalnum(c) || c == '_');
}

/* Behind a '$', and then behind its name, before a join that may follow. False: it was an ordinary
 * character. */
static bool variable(struct lex *l, struct parts *p)
{
	struct mm_buf b = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);
	size_t to = l->pos;
	int c = peek(l);
	bool brace = c == '{';

	if (!brace && (c < 0 || c >= 128 || !isalpha(c))) {
		l->pos = to;
		return false;
	}
	if (brace)
		to = ++l->pos;
	while ((c = peek(l)) >= 0 && (brace ? c != '}' : name_char(c))) {
		mm_buf_addc(&b, (char)c);
		to = ++l->pos;
	}
	if (brace && c == '}')
		to = l->pos + 1;
	l->pos = to;
	flush(p);
	add_part(p, '$', keep(p->a, &b));
	mm_buf_addf(&p->text, "${%s}", mm_buf_str(&b));
	mm_buf_free(&b);
	return true;
}

static bool ends(struct lex *l, int c, unsigned flags)
{
	if (space(c))
		return (flags & TOKEN_SPACE) == 0;
	if ((flags & TOKEN_PLUSMINUS) != 0 && (c == '+' || c == '-'))
		return l->pos + 1 < l->end && l->in.p[l->pos + 1] == '=';
	return c == '#' || c == ';' || ((flags & TOKEN_EQUAL) != 0 && c == '=');
}

static void word_parts(struct lex *l, unsigned flags, struct parts *p)
{
	int quote = 0, c;

	while ((c = peek(l)) >= 0 && !p->broken) {
		if (quote == 0 && ends(l, c, flags))
			break;
		l->pos++;
		if (c == quote)
			quote = 0;
		else if (quote == 0 && (c == '\'' || c == '"') && (flags & TOKEN_QUOTE) == 0)
			quote = c;
		else if (c == '\\' && quote != '\'')
			escape(l, p);
		else if (c == '`' && quote != '\'')
			command(l, p);
		else if (c != '$' || quote == '\'' || !variable(l, p))
			literal(p, c);
		p->to = l->pos;
	}
}

/* False: mutt gives up on the line here. */
static bool word(struct lex *l, unsigned flags, struct mm_mutt_word *w)
{
	struct parts p = {.a = l->a,
	    .literal = MM_BUF_INIT(MM_FORMAT_TEXT_MAX),
	    .text = MM_BUF_INIT(8 * MM_FORMAT_TEXT_MAX)};

	skip_space(l);
	peek(l);
	w->from = p.to = l->pos;
	word_parts(l, flags, &p);
	w->to = p.to;
	flush(&p);
	w->parts = p.v;
	w->n_parts = p.n;
	w->text = keep(l->a, &p.text);
	w->kind = 's';
	for (size_t i = 0; i < p.n; i++)
		if (p.v[i].kind != 'l')
			w->kind = p.n == 1 && p.v[i].kind == '`' ? 'e' : 'v';
	mm_buf_free(&p.literal);
	mm_buf_free(&p.text);
	skip_space(l);
	return !p.broken;
}

static int line_at(struct lex *l, size_t pos)
{
	for (; l->line_pos < pos; l->line_pos++)
		if (l->in.p[l->line_pos] == '\n')
			l->line++;
	return l->line;
}

static bool looking_at(struct lex *l, const char *s)
{
	size_t save = l->pos;
	bool same = true;

	for (; same && *s != '\0'; s++)
		same = get(l) == (unsigned char)*s;
	if (!same)
		l->pos = save;
	return same;
}

/* "no", "inv", '?' and '&' before the name. */
static char prefix(struct lex *l, char op)
{
	if (looking_at(l, "no"))
		return op == 'n' ? 'y' : 'n';
	if (looking_at(l, "inv"))
		return '!';
	if (looking_at(l, "&"))
		return 'r';
	if (looking_at(l, "?"))
		return '?';
	return op;
}

/* Only `set` takes values. */
static bool may_assign(struct lex *l, char op)
{
	return op == 'y' || (peek(l) != '=' && peek(l) != '+' && peek(l) != '-');
}

/* Behind the name: "=value", "+=value", or nothing. */
static bool assigned(struct lex *l, struct mm_mutt_set *s)
{
	int c = peek(l);

	if (c == '=' || c == '+' || c == '-') {
		l->pos++;
		if (c != '=' && get(l) != '=')
			return false;
		if (s->op == 'y')
			s->op = c == '=' ? '=' : '+';
		return word(l, 0, &s->value);
	}
	return true;
}

static bool variables(struct lex *l, char op, struct mm_mutt_cmd *cmd)
{
	struct mm_mutt_set *v = NULL;
	size_t n = 0, cap = 0;
	bool fine = true;

	while (fine && more(l)) {
		struct mm_mutt_set s = {.from = l->pos};
		struct mm_mutt_word name;

		s.op = prefix(l, op);
		fine = word(l, TOKEN_EQUAL | TOKEN_PLUSMINUS, &name);
		s.name = name.text;
		s.to = name.to;
		s.line = line_at(l, s.from);
		if (!fine || name.to == s.from)
			break;
		if (mm_ends_with(s.name, "?")) /* neomutt's other way to ask */
			s.op = '?';
		fine = s.op == '?' || (may_assign(l, op) && assigned(l, &s));
		if (s.value.to > s.to)
			s.to = s.value.to;
		if (fine)
			*(struct mm_mutt_set *)mm_arena_push(l->a, &v, &n, &cap, sizeof(*v)) = s;
		if (!more(l) || l->pos == s.from || s.op == '?') /* a question ends the command */
			break;
		skip_space(l);
	}
	cmd->sets = v;
	cmd->n_sets = n;
	return fine;
}

static bool words(struct lex *l, unsigned flags, size_t plain, struct mm_mutt_cmd *cmd)
{
	struct mm_mutt_word *v = NULL, w;
	size_t n = 0, cap = 0;
	bool fine = true;

	while (fine && more(l)) {
		fine = word(l, n >= plain ? flags : 0, &w);
		if (fine)
			*(struct mm_mutt_word *)mm_arena_push(l->a, &v, &n, &cap, sizeof(*v)) = w;
	}
	cmd->words = v;
	cmd->n_words = n;
	return fine;
}

static bool arguments(struct lex *l, struct mm_mutt_cmd *cmd)
{
	static const struct {
		const char *name;
		char op;
	} setters[] = {{"set", 'y'}, {"unset", 'n'}, {"toggle", '!'}, {"reset", 'r'}};
	const char *s = cmd->name;

	for (size_t i = 0; i < sizeof(setters) / sizeof(setters[0]); i++) {
		cmd->setter = strcmp(s, setters[i].name) == 0;
		if (cmd->setter)
			return variables(l, setters[i].op, cmd);
	}
	if (strcmp(s, "my_hdr") == 0)
		return words(l, TOKEN_SPACE | TOKEN_QUOTE, 0, cmd);
	if (mm_ends_with(s, "-hook"))
		return words(l, TOKEN_SPACE, 1, cmd);
	return words(l, 0, 0, cmd);
}

static size_t reach(const struct mm_mutt_cmd *c, size_t to)
{
	if (c->n_sets > 0)
		return c->sets[c->n_sets - 1].to;
	return c->n_words > 0 ? c->words[c->n_words - 1].to : to;
}

struct cmds {
	struct mm_mutt_cmd *v;
	size_t n, cap;
};

static void logical_line(struct lex *l, size_t line_from, size_t line_to, struct cmds *out)
{
	size_t first = out->n;
	bool comment = false, fine = true;

	skip_space(l);
	while (fine && peek(l) >= 0) {
		struct mm_mutt_cmd cmd = {.line_from = line_from, .line_to = line_to};
		struct mm_mutt_word name;

		if (peek(l) == '#') {
			comment = true;
			break;
		}
		if (peek(l) == ';') {
			l->pos++;
			skip_space(l);
			continue;
		}
		fine = word(l, 0, &name);
		cmd.from = name.from;
		cmd.name = name.text;
		cmd.line = line_at(l, cmd.from);
		fine = fine && arguments(l, &cmd);
		cmd.to = fine ? reach(&cmd, name.to) : l->end; /* mutt drops the rest */
		*(struct mm_mutt_cmd *)mm_arena_push(l->a, &out->v, &out->n, &out->cap, sizeof(*out->v)) =
		    cmd;
	}
	if (out->n == first + 1)
		out->v[first].alone = !comment && fine;
}

/* The end of the logical line that begins at pos. False: the text ends in a
 * join, and mutt drops the whole line. */
static bool line_reach(struct mm_text in, size_t pos, size_t *end, size_t *next)
{
	for (;; pos = *next) {
		*end = mm_line_end(in, pos);
		*next = mm_line_next(in, pos);
		if (*end == *next || *end == pos || in.p[*end - 1] != '\\')
			return true;
		if (*next == in.n)
			return false;
	}
}

bool mm_muttrc_open_end(struct mm_text in)
{
	size_t end = in.n;

	if (end > 0 && in.p[end - 1] == '\n')
		end -= end > 1 && in.p[end - 2] == '\r' ? 2 : 1;
	return end > 0 && in.p[end - 1] == '\\';
}

int mm_muttrc_scan(
    struct mm_text in, struct mm_arena *a, struct mm_mutt_cmd **out, size_t *n, struct mm_err *err)
{
	struct lex l = {.in = in, .a = a, .line = 1};
	struct cmds cmds = {0};
	size_t next;

	if (mm_text_check(in, err) != 0)
		return -1;
	for (size_t pos = 0; pos < in.n; pos = next) {
		l.pos = pos;
		if (line_reach(in, pos, &l.end, &next))
			logical_line(&l, pos, next, &cmds);
	}
	*out = cmds.v;
	*n = cmds.n;
	return 0;
}
