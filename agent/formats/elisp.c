#include "agent/formats/elisp.h"

#include <string.h>

#include "agent/formats/splice.h"
#include "common/text.h"

enum form { FORM_ATOM, FORM_STRING, FORM_LIST };

struct node { /* one datum; those within it follow */
	enum form form;
	size_t from, to; /* with the quote before it */
	size_t inner;    /* where it begins without */
	size_t next;     /* index of what comes behind it */
	unsigned depth;
};

struct scan {
	struct mm_text in;
	struct mm_arena *a;
	struct node *v;
	size_t n, cap;
	struct mm_item *items;
	struct part { /* where an item stands */
		size_t from, to, vfrom, vto;
	} * parts;
	size_t n_items, cap_items, n_parts, cap_parts;
	size_t counted;
	int line;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static bool ends_atom(char c)
{
	return is_space(c) || strchr("()[]\";'`,", c) != NULL;
}

static int broken(const struct scan *s, size_t pos, const char *what, struct mm_err *err)
{
	return mm_err_set(
	    err, MM_EX_DATAERR, "line %d: %s; Emacs stops there", mm_line_number(s->in, pos), what);
}

static void skip(const struct scan *s, size_t *pos)
{
	for (; *pos < s->in.n && (is_space(s->in.p[*pos]) || s->in.p[*pos] == ';'); (*pos)++)
		if (s->in.p[*pos] == ';')
			while (*pos + 1 < s->in.n && s->in.p[*pos + 1] != '\n')
				(*pos)++;
}

/* A backslash that takes the line end into a name: Emacs reads it, but what stands
 * in the next line is then no line of its own. */
static bool takes_line_end(const struct scan *s, size_t pos)
{
	return s->in.p[pos] == '\n' || s->in.p[pos] == '\r';
}

/* An atom or a string that begins at `pos`; its end, or 0. */
static size_t token_end(const struct scan *s, size_t pos)
{
	bool string = s->in.p[pos] == '"';

	if (s->in.p[pos] == '?') { /* the character itself may be anything else */
		pos += pos + 1 < s->in.n && s->in.p[pos + 1] == '\\' ? 2 : 1;
		if (pos >= s->in.n || takes_line_end(s, pos))
			return 0;
		pos++;
	} else if (s->in.p[pos] == '#' && pos + 1 < s->in.n && s->in.p[pos + 1] != '(')
		pos++;
	for (pos += string ? 1 : 0; pos < s->in.n; pos++) {
		if (s->in.p[pos] == '\\') {
			if (++pos == s->in.n || (!string && takes_line_end(s, pos)))
				return 0;
		} else if (string ? s->in.p[pos] == '"' : ends_atom(s->in.p[pos])) {
			return string ? pos + 1 : pos;
		}
	}
	return string ? 0 : pos;
}

static int read_all(struct scan *s, struct mm_err *err)
{
	size_t open[MM_ELISP_DEPTH_MAX], from, end;
	unsigned depth = 0;

	for (size_t pos = 0; skip(s, &pos), pos < s->in.n; pos = end) {
		struct node *x;

		from = pos;
		while (
		    pos < s->in.n && strchr("'`,@", s->in.p[pos]) != NULL) /* quotes belong to what follows */
			pos++;
		skip(s, &pos);
		if (pos == s->in.n)
			return broken(s, from, "a quote without anything behind it", err);
		end = pos + 1;
		if (s->in.p[pos] == ')' || s->in.p[pos] == ']') {
			if (depth == 0 || from != pos)
				return broken(s, pos, "a parenthesis too many", err);
			depth--;
			s->v[open[depth]].to = end;
			s->v[open[depth]].next = s->n;
			continue;
		}
		x = mm_arena_push(s->a, &s->v, &s->n, &s->cap, sizeof(*s->v));
		*x = (struct node){
		    .form = FORM_LIST, .from = from, .inner = pos, .next = s->n, .depth = depth};
		if (s->in.p[pos] == '(' || s->in.p[pos] == '[') {
			if (depth == MM_ELISP_DEPTH_MAX)
				return broken(s, pos, "too many parentheses", err);
			open[depth++] = s->n - 1;
			continue;
		}
		x->form = s->in.p[pos] == '"' ? FORM_STRING : FORM_ATOM;
		end = token_end(s, pos);
		if (end == 0)
			return broken(s, pos, "something that is not closed", err);
		x->to = end;
	}
	return depth == 0 ? 0
			  : broken(s, s->v[open[depth - 1]].from, "a parenthesis that is not closed", err);
}

static const char *spelled(const struct scan *s, const struct node *x)
{
	return mm_text_dup(s->in, x->from, x->to, s->a);
}

/* NULL: an escape that is not understood. */
static const char *decode(const char *raw, struct mm_arena *a)
{
	size_t n = strlen(raw);
	char *out, *w;

	if (n < 2 || raw[0] != '"' || raw[n - 1] != '"')
		return NULL;
	out = w = mm_arena_alloc(a, n, 1);
	for (const char *p = raw + 1; p < raw + n - 1; p++) {
		if (*p == '\\') {
			p++;
			if (*p != '"' && *p != '\\')
				return NULL;
		} else if (*p == '"') {
			return NULL;
		}
		*w++ = *p;
	}
	return mm_has_control(out) ? NULL : out;
}

static bool is_number(const char *s)
{
	return s[0] != '\0' && s[strspn(s, "0123456789")] == '\0' && strlen(s) < 18;
}

static struct mm_item *add(struct scan *s, const struct node *at, const char *section, const char *key)
{
	struct mm_item *it = mm_arena_push(s->a, &s->items, &s->n_items, &s->cap_items, sizeof(*it));
	struct part *p = mm_arena_push(s->a, &s->parts, &s->n_parts, &s->cap_parts, sizeof(*p));

	for (; s->counted < at->from; s->counted++)
		s->line += s->in.p[s->counted] == '\n';
	*it = (struct mm_item){.section = section, .key = key, .value = "", .kind = 'c', .line = s->line};
	*p = (struct part){.from = at->from, .to = at->to};
	return it;
}

static char give(struct scan *s, struct mm_item *it, const struct node *x)
{
	const char *text = x->form == FORM_STRING ? decode(spelled(s, x), s->a) : NULL;

	s->parts[s->n_parts - 1].vfrom = x->from;
	s->parts[s->n_parts - 1].vto = x->to;
	it->value = text != NULL ? text : spelled(s, x);
	return (char)(text != NULL ? 's' : is_number(it->value) ? 'i' : 'v');
}

/* Alone in its line, from its first column on. */
static bool alone(const struct scan *s, const struct node *x)
{
	return mm_line_start(s->in, x->from) == x->from && mm_line_end(s->in, x->to) == x->to &&
	       memchr(s->in.p + x->from, '\n', x->to - x->from) == NULL;
}

static bool is_name(const char *s)
{
	return s[0] != '\0' &&
	       s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_+*/:")] == '\0';
}

/* Data, never a call: a name, a number, or something quoted; one line. */
static bool is_datum(const char *v, struct mm_arena *a)
{
	struct scan s = {.in = {.p = v, .n = strlen(v)}, .a = a, .line = 1};

	return !mm_has_control(v) && read_all(&s, NULL) == 0 && s.n > 0 && s.v[0].next == s.n &&
	       s.v[0].from == 0 && s.v[0].to == s.in.n &&
	       (s.v[0].form == FORM_LIST ? v[0] == '\'' && v[1] == '(' && strpbrk(v, "`,;") == NULL
					 : s.v[0].form == FORM_ATOM && is_name(v[0] == '\'' ? v + 1 : v));
}

/* (setq A 1 B 2); true: a line that can be edited */
static bool assign(struct scan *s, size_t list, const char *section)
{
	const struct node *x = &s->v[list];
	size_t at = list + 2;
	bool editable =
	    section[0] == '\0' && alone(s, x) && mm_text_is(s->in, x->from, x->from + 6, "(setq ");

	for (; at < x->next && s->v[at].next < x->next; at = s->v[s->v[at].next].next) {
		const struct node *name = &s->v[at], *value = &s->v[name->next];
		const char *key = spelled(s, name);
		bool only = at == list + 2 && value->next == x->next;
		struct mm_item *it = add(s, x, section, key);
		char kind = give(s, it, value);

		if (editable && only && is_name(key) && name->from == x->from + 6 &&
		    value->from == name->to + 1 && value->to + 1 == x->to)
			it->kind = kind != 'v' || is_datum(it->value, s->a) ? kind : 'c';
		if (it->kind != 'c')
			return true;
	}
	return false;
}

/* (load "x" t t) and the like. */
static void read_file(struct scan *s, size_t list, const char *head, const char *section)
{
	const struct node *x = &s->v[list], *file = list + 2 < x->next ? &s->v[list + 2] : NULL;
	const char *name = file != NULL && file->form == FORM_STRING ? decode(spelled(s, file), s->a) : NULL;
	const char *ours = name != NULL ? mm_arena_printf(s->a, "(load %s t t)", spelled(s, file)) : "";
	bool own = section[0] == '\0' && alone(s, x) && mm_text_is(s->in, x->from, x->to, ours);
	struct mm_item *it = add(s, x, section, own ? mm_arena_printf(s->a, "load %s", name) : head);

	it->value = own ? "t t" : name != NULL ? name : file != NULL ? spelled(s, file) : "";
	it->kind = own ? 's' : 'c';
	s->parts[s->n_parts - 1].vfrom = s->parts[s->n_parts - 1].vto = x->to;
}

/* '((a 1) (b 2)), and whatever else begins with a name and a value. */
static void pairs(struct scan *s, size_t from, size_t to, const char *section)
{
	for (size_t i = from; i < to; i++) {
		const struct node *x = &s->v[i];

		if (x->form != FORM_LIST || i + 2 >= x->next || s->v[i + 1].form != FORM_ATOM ||
		    s->in.p[x->inner] != '(' || s->v[i + 1].next >= x->next)
			continue;
		const char *head = spelled(s, &s->v[i + 1]);

		if (strncmp(head, "setq", 4) == 0 || strcmp(head, "setopt") == 0)
			(void)assign(s, i, section);
		else if (is_name(head))
			(void)give(s, add(s, x, section, head), &s->v[s->v[i + 1].next]);
	}
}

static void take(struct scan *s, size_t i)
{
	const struct node *x = &s->v[i];
	const char *head = i + 1 < x->next && s->v[i + 1].form == FORM_ATOM ? spelled(s, &s->v[i + 1]) : "";

	if (x->form != FORM_LIST || x->from != x->inner || s->in.p[x->inner] != '(')
		return;
	if (strcmp(head, "setq") == 0 || strcmp(head, "setq-default") == 0 || strcmp(head, "setopt") == 0) {
		if (!assign(s, i, ""))
			pairs(s, i + 1, x->next, "inside");
	} else if (strcmp(head, "custom-set-variables") == 0) {
		pairs(s, i + 1, x->next, "");
	} else if (strcmp(head, "load") == 0 || strcmp(head, "load-file") == 0 ||
		   strcmp(head, "require") == 0) {
		read_file(s, i, head, "");
	} else {
		pairs(s, i + 1, x->next, "inside");
	}
}

static int scan(struct mm_text in, struct mm_arena *a, struct scan *s, struct mm_err *err)
{
	*s = (struct scan){.in = in, .a = a, .line = 1};
	if (mm_text_check(in, err) != 0 || read_all(s, err) != 0)
		return -1;
	for (size_t i = 0; i < s->n; i = s->v[i].next)
		take(s, i);
	mm_mark_winners(s->items, s->n_items, a);
	return 0;
}

static int parse(struct mm_text in, struct mm_arena *a, struct mm_doc *out, struct mm_err *err)
{
	struct scan s;

	if (scan(in, a, &s, err) != 0)
		return -1;
	*out = (struct mm_doc){.items = s.items, .n = s.n_items, .eol = mm_text_eol(in)};
	return 0;
}

/* ---- editing */

static const char *quote(const char *v, struct mm_arena *a)
{
	char *out, *w;

	if (mm_has_control(v))
		return NULL;
	out = w = mm_arena_alloc(a, 2 * strlen(v) + 3, 1);
	*w++ = '"';
	for (; *v != '\0'; v++) {
		if (*v == '"' || *v == '\\')
			*w++ = '\\';
		*w++ = *v;
	}
	*w = '"';
	return out;
}

static const char *spell(const struct mm_edit *e, struct mm_arena *a)
{
	if (e->value == NULL)
		return NULL;
	if (e->kind == 'v')
		return is_datum(e->value, a) && !is_number(e->value) ? e->value : NULL;
	return e->kind == 'i' && is_number(e->value) ? e->value : quote(e->value, a);
}

static const char *whole_line(const struct mm_edit *e, struct mm_arena *a)
{
	const char *value = spell(e, a),
		   *file = mm_starts_with(e->key, "load ") ? quote(e->key + 5, a) : NULL;

	if (file != NULL)
		return mm_streq(e->value, "t t") ? mm_arena_printf(a, "(load %s t t)", file) : NULL;
	return value != NULL && is_name(e->key) ? mm_arena_printf(a, "(setq %s %s)", e->key, value) : NULL;
}

static bool is_it(const struct mm_item *it, const struct mm_edit *e)
{
	return it->kind != 'c' && e->section[0] == '\0' && strcmp(it->key, e->key) == 0;
}

/* `at`: where it stands; NULL = nowhere yet. */
static int set(
    const struct scan *s, struct mm_edit *e, const struct part *at, struct mm_cuts *cuts, struct mm_err *err)
{
	const char *line = whole_line(e, s->a);

	if (e->had && mm_streq(e->value, e->former) &&
	    (e->kind == e->former_kind || mm_streq(e->value, "t t")))
		return 0;
	if (line == NULL || e->section[0] != '\0' || (e->had && mm_starts_with(e->key, "load ")))
		return mm_err_set(err, MM_EX_DATAERR, "%s: this cannot stand in a file of Emacs", e->key);
	if (at == NULL)
		mm_put_lines(cuts, s->in, s->in.n, line);
	else
		mm_cut_add(cuts, at->vfrom, at->vto, spell(e, s->a));
	return 0;
}

static int edit_one(struct mm_text in, struct mm_edit *e, struct mm_cuts *cuts, struct mm_err *err)
{
	struct scan s;
	const struct part *at = NULL;

	if (scan(in, cuts->a, &s, err) != 0)
		return -1;
	if (e->op != MM_EDIT_SET && e->op != MM_EDIT_DELETE)
		return mm_err_set(err, MM_EX_DATAERR, "this kind of file has only single lines");
	for (size_t i = 0; i < s.n_items; i++)
		if (is_it(&s.items[i], e)) {
			at = &s.parts[i];
			e->had = true;
			e->former = s.items[i].value;
			e->former_kind = s.items[i].kind;
		}
	if (e->op == MM_EDIT_SET)
		return set(&s, e, at, cuts, err);
	for (size_t i = 0; i < s.n_items; i++)
		if (is_it(&s.items[i], e))
			mm_cut_lines(cuts, in, s.parts[i].from, s.parts[i].to);
	return 0;
}

static int edit(struct mm_text in, struct mm_edit *edits, size_t n, struct mm_arena *a, struct mm_buf *out,
    struct mm_err *err)
{
	return mm_edit_run(in, edits, n, edit_one, a, out, err);
}

const struct mm_format mm_format_elisp = {.name = "elisp", .parse = parse, .edit = edit};
