#include "agent/formats/mailrc.h"

#include <string.h>

#include "agent/formats/mailrc_lex.h"
#include "agent/formats/splice.h"
#include "common/text.h"

#define COMPAT "v15-compat"

static bool is_setter(const struct mm_mailrc_cmd *c)
{
	return mm_streq(c->name, "set") || mm_streq(c->name, "unset");
}

/* Commands with one word that are edited like variables. */
static const struct verb {
	const char *key, *command;
	bool outside;
} verbs[] = {{MM_MAILRC_ENTER, "account", true}, {MM_MAILRC_NETRC, "netrc", false}};

static const struct verb *verb_of(const struct mm_mailrc_cmd *c)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (c->n_words == 1 && mm_streq(c->name, verbs[i].command) &&
		    (!verbs[i].outside || c->section[0] == '\0'))
			return &verbs[i];
	return NULL;
}

static const char *command_of(const char *key)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (mm_streq(key, verbs[i].key))
			return verbs[i].command;
	return "set";
}

static bool enters(const struct mm_mailrc_cmd *c)
{
	return verb_of(c) == &verbs[0];
}

static struct mm_mailrc_set meaning(const struct mm_mailrc_cmd *c, size_t i, struct mm_arena *a)
{
	const struct mm_mailrc_word *w = &c->words[i];
	const char *text = w->text != NULL ? w->text : w->raw;
	const struct verb *verb = verb_of(c);

	if (verb != NULL)
		return (struct mm_mailrc_set){.name = verb->key, .value = text, .kind = 's'};
	if (mm_streq(c->name, "unset"))
		return (struct mm_mailrc_set){.name = text, .value = "no", .kind = 'b'};
	return mm_mailrc_set(w, a);
}

static struct mm_item command(const struct mm_mailrc_cmd *c, struct mm_arena *a)
{
	struct mm_buf b = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);
	struct mm_item it = {
	    .section = c->section, .key = c->name, .kind = 'c', .line = c->line, .value = ""};

	if (mm_streq(c->name, "source") && c->shell)
		it.key = "source-v15";
	if (c->close == 0) {
		for (size_t i = 0; i < c->n_words; i++)
			mm_buf_addf(&b, "%s%s", i > 0 ? " " : "",
			    c->words[i].text != NULL ? c->words[i].text : c->words[i].raw);
		it.value = mm_arena_strndup(a, mm_buf_str(&b), b.len);
	}
	mm_buf_free(&b);
	return it;
}

static int parse(struct mm_text in, bool shell, struct mm_arena *a, struct mm_doc *out, struct mm_err *err)
{
	struct mm_item *items = NULL;
	struct mm_mailrc m;
	size_t n = 0, cap = 0;

	if (mm_mailrc_scan(in, shell, a, &m, err) != 0)
		return -1;
	for (size_t i = 0; i < m.n; i++) {
		const struct mm_mailrc_cmd *c = &m.v[i];
		bool each = is_setter(c) || verb_of(c) != NULL;

		for (size_t k = 0; each && k < c->n_words; k++) {
			struct mm_mailrc_set s = meaning(c, k, a);

			*(struct mm_item *)mm_arena_push(a, &items, &n, &cap, sizeof(*items)) =
			    (struct mm_item){.section = c->section,
				.key = s.name,
				.value = s.value,
				.kind = s.kind,
				.line = c->line};
		}
		if (!each)
			*(struct mm_item *)mm_arena_push(a, &items, &n, &cap, sizeof(*items)) = command(c, a);
	}
	mm_mark_winners(items, n, a);
	*out = (struct mm_doc){.items = items, .n = n, .eol = "\n"};
	return 0;
}

/* ---- spelling */

static const char *quote_shell(const char *s, struct mm_arena *a)
{
	struct mm_buf b = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);
	const char *out;

	mm_buf_addc(&b, '\'');
	for (; *s != '\0'; s++) {
		if (*s == '\'')
			mm_buf_adds(&b, "'\\''");
		else
			mm_buf_addc(&b, *s);
	}
	mm_buf_addc(&b, '\'');
	out = mm_arena_strdup(a, mm_buf_str(&b));
	mm_buf_free(&b);
	return out;
}

/* Within quotes a backslash escapes the quote alone: both stand outside. */
static const char *quote_old(const char *s, struct mm_arena *a)
{
	struct mm_buf b = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);
	const char *out;

	mm_buf_addc(&b, '\'');
	for (; *s != '\0'; s++) {
		if (*s == '\'' || *s == '\\')
			mm_buf_addf(&b, "'\\%c'", *s);
		else
			mm_buf_addc(&b, *s);
	}
	mm_buf_addc(&b, '\'');
	out = mm_arena_strdup(a, mm_buf_str(&b));
	mm_buf_free(&b);
	return out;
}

static bool is_plain(const char *s)
{
	static const char ok[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";

	return s[0] != '\0' && s[strspn(s, ok)] == '\0';
}

/* Does `set WORD` (or `account WORD`) say just this in that way of quoting? */
static bool says(const struct mm_edit *e, const char *word, bool shell, struct mm_arena *a)
{
	const char *line = mm_arena_printf(a, "%s %s", command_of(e->key), word);
	struct mm_mailrc_set s;
	struct mm_mailrc m;

	if (mm_mailrc_scan((struct mm_text){.p = line, .n = strlen(line)}, shell, a, &m, NULL) != 0 ||
	    m.n != 1 || m.v[0].n_words != 1 || m.v[0].to != strlen(line) || !m.v[0].alone)
		return false;
	s = meaning(&m.v[0], 0, a);
	return mm_streq(s.name, e->key) && s.kind == e->kind && mm_streq(s.value, e->value);
}

static int spell(
    const struct mm_edit *e, bool shell, struct mm_arena *a, const char **out, struct mm_err *err)
{
	bool verb = !mm_streq(command_of(e->key), "set");
	const char *word = NULL, *value = e->value;

	if (e->raw != NULL && says(e, e->raw, shell, a)) {
		*out = e->raw;
		return 0;
	}
	if (e->kind == 's' && !is_plain(value) && !mm_has_control(value))
		value = shell ? quote_shell(value, a) : quote_old(value, a);
	if (verb)
		word = is_plain(e->value) ? e->value : NULL;
	else if (e->kind == 'b')
		word = mm_streq(value, "yes") ? e->key : mm_arena_printf(a, "no%s", e->key);
	else
		word = mm_arena_printf(a, "%s=%s", e->key, value);
	if (word == NULL || !says(e, word, shell, a))
		return mm_err_set(err, MM_EX_DATAERR, "%s: this value cannot be written in a mailrc", e->key);
	*out = word;
	return 0;
}

/* ---- editing */

struct found {
	const struct mm_mailrc_cmd *cmd;
	size_t word;
	bool unset;   /* by a command that is not edited */
	size_t since; /* up to this command it is not set */
};

static bool names(const struct mm_mailrc_cmd *c, const struct mm_edit *e, size_t i, struct mm_arena *a)
{
	return (is_setter(c) || verb_of(c) != NULL) && mm_streq(c->section, e->section) &&
	       mm_streq(meaning(c, i, a).name, e->key);
}

static struct found winner(const struct mm_mailrc *m, const struct mm_edit *e, struct mm_arena *a)
{
	struct found f = {.cmd = NULL};

	for (size_t i = 0; i < m->n; i++)
		for (size_t k = 0; k < m->v[i].n_words; k++)
			if (names(&m->v[i], e, k, a))
				f = mm_streq(m->v[i].name, "unset")
					? (struct found){.unset = true, .since = i + 1}
					: (struct found){.cmd = &m->v[i], .word = k, .since = f.since};
	return f;
}

static void remember(struct mm_text in, struct mm_edit *e, const struct found *f, struct mm_arena *a)
{
	const struct mm_mailrc_word *w = &f->cmd->words[f->word];
	struct mm_mailrc_set s = meaning(f->cmd, f->word, a);

	e->had = true;
	e->former = s.value;
	e->former_kind = s.kind;
	e->former_raw = mm_text_dup(in, w->from, w->to, a);
}

static const struct mm_mailrc_cmd *opening(const struct mm_mailrc *m, const char *name)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->v[i].close != 0 && mm_streq(m->v[i].name, "account") &&
		    mm_streq(m->v[i].section, name))
			return &m->v[i];
	return NULL;
}

/* Behind the line of the command `i`. */
static void place_behind(struct mm_text in, const struct mm_mailrc *m, size_t i, size_t *at, bool *shell)
{
	*at = mm_line_next(in, m->v[i].line_to);
	for (; i < m->n && m->v[i].line_from < *at; i++)
		*shell = m->v[i].next_shell;
}

/* Where a new line of this section goes; false: there is no such section. `unset`: behind this many commands
 * the variable is not set. */
static bool place(struct mm_text in, const struct mm_mailrc *m, const struct mm_edit *e, size_t unset,
    size_t *at, bool *shell)
{
	const struct mm_mailrc_cmd *c = opening(m, e->section);

	*at = in.n;
	*shell = m->shell;
	if (e->section[0] != '\0') {
		if (c == NULL)
			return false;
		*at = c->close;
		*shell = c->close_shell;
		return true;
	}
	for (size_t i = m->n; i-- > 0 && !mm_streq(e->key, MM_MAILRC_ENTER);)
		if (enters(&m->v[i])) {
			*at = m->v[i].line_from;
			*shell = m->v[i].line_shell;
		}
	if (unset > 0 && m->v[unset - 1].line_from >= *at)
		place_behind(in, m, unset - 1, at, shell);
	return true;
}

static int add(struct mm_text in, const struct mm_mailrc *m, const struct mm_edit *e, size_t unset,
    struct mm_cuts *cuts, struct mm_err *err)
{
	const char *word;
	size_t at;
	bool shell;

	if (!place(in, m, e, unset, &at, &shell))
		return mm_err_set(err, MM_EX_DATAERR, "there is no account '%s' in the file", e->section);
	if (spell(e, shell, cuts->a, &word, err) != 0)
		return -1;
	mm_put_lines(cuts, in, at,
	    mm_arena_printf(cuts->a, "%s%s %s", e->section[0] != '\0' ? "\t" : "", command_of(e->key), word));
	return 0;
}

static int set(
    struct mm_text in, const struct mm_mailrc *m, struct mm_edit *e, struct mm_cuts *cuts, struct mm_err *err)
{
	struct found f = winner(m, e, cuts->a);
	const char *word;

	if (e->value == NULL || (e->kind == 'b' && !mm_streq(e->value, "yes") && !mm_streq(e->value, "no")))
		return mm_err_set(err, MM_EX_DATAERR, "%s: no value given", e->key);
	if (f.unset && e->kind == 'b' && mm_streq(e->value, "no"))
		return 0;
	if (f.cmd == NULL)
		return add(in, m, e, f.since, cuts, err);
	remember(in, e, &f, cuts->a);
	if (e->kind == e->former_kind && mm_streq(e->value, e->former))
		return 0;
	if (spell(e, f.cmd->shell, cuts->a, &word, err) != 0)
		return -1;
	mm_cut_add(cuts, f.cmd->words[f.word].from, f.cmd->words[f.word].to, word);
	return 0;
}

/* Behind the semicolons, if there are any: without a command before them they would be one. */
static size_t behind(struct mm_text in, size_t to)
{
	size_t end = to;
	bool any = false;

	for (;; end++) {
		if (end + 1 < in.n && in.p[end] == '\\' && in.p[end + 1] == '\n')
			end++;
		else if (end < in.n && in.p[end] == ';')
			any = true;
		else if (end == in.n || !mm_is_blank(in.p[end]))
			return any ? end : to;
	}
}

/* Some words of one command go, or all of it. */
static void drop(
    struct mm_text in, const struct mm_mailrc_cmd *c, const struct mm_edit *e, struct mm_cuts *cuts)
{
	size_t left = 0;

	for (size_t k = 0; k < c->n_words; k++)
		left += names(c, e, k, cuts->a) ? 0 : 1;
	if (left == 0 && c->alone) {
		mm_cut_lines(cuts, in, c->line_from, c->line_to);
		return;
	}
	if (left == 0) {
		mm_cut_add(cuts, c->from, behind(in, c->to), "");
		return;
	}
	for (size_t k = 0; k < c->n_words; k++) {
		size_t from = c->words[k].from, low = k > 0 ? c->words[k - 1].to : c->from + 1;

		if (!names(c, e, k, cuts->a))
			continue;
		while (from > low && (mm_is_blank(in.p[from - 1]) || in.p[from - 1] == '\n'))
			from -= in.p[from - 1] == '\n' ? 2 : 1; /* with the backslash that joins the lines */
		mm_cut_add(cuts, from, c->words[k].to, "");
	}
}

static int drop_all(struct mm_text in, const struct mm_mailrc *m, struct mm_edit *e, struct mm_cuts *cuts)
{
	struct found f = winner(m, e, cuts->a);

	if (f.cmd == NULL)
		return 0;
	remember(in, e, &f, cuts->a);
	for (size_t i = f.since; i < m->n; i++) {
		bool any = false;

		for (size_t k = 0; k < m->v[i].n_words; k++)
			any |= names(&m->v[i], e, k, cuts->a);
		if (any)
			drop(in, &m->v[i], e, cuts);
	}
	return 0;
}

static bool can_be_account(const char *name)
{
	return is_plain(name) && name[0] != '-' && strpbrk(name, "=%,/") == NULL;
}

static int section_add(
    struct mm_text in, const struct mm_mailrc *m, struct mm_edit *e, struct mm_cuts *cuts, struct mm_err *err)
{
	if (!can_be_account(e->section))
		return mm_err_set(err, MM_EX_DATAERR, "'%s' cannot be the name of an account", e->section);
	e->had = opening(m, e->section) != NULL;
	if (!e->had)
		mm_put_lines(cuts, in, in.n,
		    mm_arena_printf(cuts->a, "%saccount %s {\n}", in.n > 0 ? "\n" : "", e->section));
	return 0;
}

static bool only_blank(struct mm_text in, size_t from, size_t to)
{
	for (; from < to; from++)
		if (!mm_is_blank(in.p[from]) && in.p[from] != '\n')
			return false;
	return true;
}

static int section_remove(
    struct mm_text in, const struct mm_mailrc *m, struct mm_edit *e, struct mm_cuts *cuts, struct mm_err *err)
{
	const struct mm_mailrc_cmd *c = opening(m, e->section);
	const char *hidden = mm_arena_printf(cuts->a, "\n=%s", e->section);
	size_t from, to;

	e->had = c != NULL;
	if (c == NULL || !only_blank(in, c->line_to, c->close))
		return 0;
	for (size_t i = 0; i < m->n; i++)
		if (mm_streq(m->v[i].section, hidden))
			return mm_err_set(err, MM_EX_DATAERR,
			    "there are several accounts '%s', of which the last counts", e->section);
	if (!c->alone)
		return mm_err_set(err, MM_EX_DATAERR,
		    "line %d: the account '%s' begins behind another command", c->line, e->section);
	from = c->line_from;
	if (from > 0 && (from == 1 || in.p[from - 2] == '\n'))
		from--; /* the empty line before it */
	to = mm_line_end(in, c->close);
	while (to < in.n && in.p[to - 1] == '\\') /* the brace is in a line that goes on */
		to = mm_line_end(in, to + 1);
	mm_cut_lines(cuts, in, from, to);
	return 0;
}

static int edit_one(
    struct mm_text in, bool shell, struct mm_edit *e, struct mm_cuts *cuts, struct mm_err *err)
{
	struct mm_mailrc m;

	if (mm_mailrc_scan(in, shell, cuts->a, &m, err) != 0)
		return -1;
	if (e->section == NULL)
		e->section = "";
	switch (e->op) {
	case MM_EDIT_SET:
		return set(in, &m, e, cuts, err);
	case MM_EDIT_DELETE:
		return drop_all(in, &m, e, cuts);
	case MM_EDIT_SECTION_ADD:
		return section_add(in, &m, e, cuts, err);
	case MM_EDIT_SECTION_REMOVE:
		return section_remove(in, &m, e, cuts, err);
	default:
		return mm_err_set(err, MM_EX_DATAERR, "a mailrc has neither lists nor managed blocks");
	}
}

static bool about(const struct mm_item *it, const struct mm_edit *e)
{
	return mm_streq(it->section, e->section) && mm_streq(it->key, e->key);
}

/* v15-compat says how all that follows is quoted: it may not make other things of it. */
static bool same_others(const struct mm_doc *x, const struct mm_doc *y, const struct mm_edit *e)
{
	size_t i = 0, k = 0;

	for (;; i++, k++) {
		while (i < x->n && about(&x->items[i], e))
			i++;
		while (k < y->n && about(&y->items[k], e))
			k++;
		if (i == x->n || k == y->n)
			return i == x->n && k == y->n;
		if (!mm_streq(x->items[i].section, y->items[k].section) ||
		    !mm_streq(x->items[i].key, y->items[k].key) ||
		    !mm_streq(x->items[i].value, y->items[k].value) || x->items[i].kind != y->items[k].kind)
			return false;
	}
}

/* A line behind an `unset` can be under another condition than that. */
static bool is_so(const struct mm_doc *d, const struct mm_edit *e)
{
	const struct mm_item *it = mm_doc_find(d, e->section, e->key);

	return it != NULL && it->kind == e->kind && mm_streq(it->value, e->value);
}

static int check(struct mm_text before, struct mm_text after, bool shell, const struct mm_edit *e,
    struct mm_arena *a, struct mm_err *err)
{
	struct mm_doc x, y;

	if (!e->changed)
		return 0;
	if (parse(after, shell, a, &y, err) != 0)
		return -1;
	if (e->op == MM_EDIT_SET && !is_so(&y, e))
		return mm_err_set(err, MM_EX_DATAERR,
		    "%s: what stands beside it in the file would keep it from counting", e->key);
	if (!mm_streq(e->key, COMPAT))
		return 0;
	if (parse(before, shell, a, &x, err) != 0)
		return -1;
	if (same_others(&x, &y, e))
		return 0;
	return mm_err_set(err, MM_EX_DATAERR, COMPAT " would change the meaning of other lines");
}

static int edit(struct mm_text in, bool shell, mm_edit_one *one, struct mm_edit *edits, size_t n,
    struct mm_arena *a, struct mm_buf *out, struct mm_err *err)
{
	if (n == 0)
		return mm_edit_run(in, edits, n, one, a, out, err);
	for (size_t i = 0; i < n; i++) {
		struct mm_buf b = MM_BUF_INIT(MM_FORMAT_TEXT_MAX + 1);
		int rc = mm_edit_run(in, &edits[i], 1, one, a, &b, err);
		struct mm_text now = {.p = "", .n = 0};

		if (rc == 0 && b.len > 0)
			now = (struct mm_text){.p = mm_arena_strndup(a, mm_buf_str(&b), b.len), .n = b.len};
		mm_buf_free(&b);
		if (rc != 0 || check(in, now, shell, &edits[i], a, err) != 0)
			return -1;
		in = now;
	}
	mm_buf_add(out, in.p, in.n);
	return mm_buf_ok(out) ? 0 : mm_err_set(err, MM_EX_DATAERR, "the file would become too large");
}

/* The two formats: what holds where the file begins. */
#define FORMAT(prefix, format_name, shell)                                                                   \
	static int prefix##_parse(                                                                           \
	    struct mm_text in, struct mm_arena *a, struct mm_doc *out, struct mm_err *err)                   \
	{                                                                                                    \
		return parse(in, shell, a, out, err);                                                        \
	}                                                                                                    \
	static int prefix##_one(                                                                             \
	    struct mm_text in, struct mm_edit *e, struct mm_cuts *cuts, struct mm_err *err)                  \
	{                                                                                                    \
		return edit_one(in, shell, e, cuts, err);                                                    \
	}                                                                                                    \
	static int prefix##_edit(struct mm_text in, struct mm_edit *edits, size_t n, struct mm_arena *a,     \
	    struct mm_buf *out, struct mm_err *err)                                                          \
	{                                                                                                    \
		return edit(in, shell, prefix##_one, edits, n, a, out, err);                                 \
	}                                                                                                    \
	const struct mm_format mm_format_##prefix = {                                                        \
	    .name = (format_name), .parse = prefix##_parse, .edit = prefix##_edit}

FORMAT(mailrc, "mailrc", false);
FORMAT(mailrc_v15, "mailrc-v15", true);
