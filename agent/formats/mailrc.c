#include "agent/formats/mailrc.h"

#include <string.h>

#include "agent/formats/mailrc_lex.h"
#include "agent/formats/splice.h"
#include "common/text.h"

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

/* In quotes. In the old way a backslash within them escapes the quote alone: both stand outside. */
static const char *quote(const char *s, bool shell, struct mm_arena *a)
{
	struct mm_buf b = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);
	const char *out;

	mm_buf_addc(&b, '\'');
	for (; *s != '\0'; s++) {
		if (*s == '\'' || (*s == '\\' && !shell))
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
		value = quote(value, shell, a);
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

/* ---- looking at what came out
 *
 * One line of a mailrc can change what another one means: a quote that is not closed voids a command,
 * v15-compat changes how all that follows is quoted, an account takes the place of another one. So each edit
 * is looked at when it is done, and refused if it is not just what was asked for. */

/* How a file is read and edited. */
struct way {
	bool shell;
	mm_edit_one *one;
	struct mm_arena *a;
};

static bool about(const struct mm_item *it, const struct mm_edit *e)
{
	if (e->op == MM_EDIT_SECTION_ADD || e->op == MM_EDIT_SECTION_REMOVE)
		return it->kind == 'c' && mm_streq(it->section, e->section);
	return mm_streq(it->section, e->section) && mm_streq(it->key, e->key);
}

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

static bool has_account(const struct mm_doc *d, const char *name)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->items[i].kind == 'c' && mm_streq(d->items[i].key, "account") &&
		    mm_streq(d->items[i].section, name))
			return true;
	return false;
}

static bool as_wanted(const struct mm_doc *d, const struct mm_edit *e)
{
	bool section = e->op == MM_EDIT_SECTION_ADD || e->op == MM_EDIT_SECTION_REMOVE;
	const struct mm_item *it = section ? NULL : mm_doc_find(d, e->section, e->key);

	if (section)
		return has_account(d, e->section) == (e->op == MM_EDIT_SECTION_ADD);
	if (e->op == MM_EDIT_DELETE)
		return it == NULL || (it->kind == 'b' && mm_streq(it->value, "no"));
	return it != NULL && it->kind == e->kind && mm_streq(it->value, e->value);
}

static int carry_out(
    const struct way *w, struct mm_text in, struct mm_edit *e, struct mm_text *out, struct mm_err *err)
{
	struct mm_buf b = MM_BUF_INIT(MM_FORMAT_TEXT_MAX + 1);
	int rc = mm_edit_run(in, e, 1, w->one, w->a, &b, err);

	*out = (struct mm_text){.p = "", .n = 0};
	if (rc == 0 && b.len > 0)
		*out = (struct mm_text){.p = mm_arena_strndup(w->a, mm_buf_str(&b), b.len), .n = b.len};
	mm_buf_free(&b);
	return rc;
}

static int unsafe(const struct mm_edit *e, const char *why, struct mm_err *err)
{
	return mm_err_set(err, MM_EX_DATAERR,
	    "%s: the file says it in a way that cannot be changed safely (%s); change it by hand",
	    e->key != NULL && e->key[0] != '\0' ? e->key : e->section, why);
}

/* Does `after` say what the edit asked for, and all else as `before`? */
static int check(const struct way *w, struct mm_text before, struct mm_text after, const struct mm_edit *e,
    struct mm_err *err)
{
	struct mm_doc x, y;
	struct mm_edit again = *e;
	struct mm_text same;

	if (parse(before, w->shell, w->a, &x, err) != 0)
		return -1;
	if (parse(after, w->shell, w->a, &y, NULL) != 0)
		return unsafe(e, "s-nail would not read it to its end", err);
	if (!as_wanted(&y, e))
		return unsafe(e, "other lines would keep it from counting", err);
	if (!same_others(&x, &y, e))
		return unsafe(e, "other lines would change their meaning", err);
	if (carry_out(w, after, &again, &same, NULL) != 0 || again.changed)
		return unsafe(e, "it would change again each time", err);
	return 0;
}

/* What is added or changed can be undone: that gives the bytes from before. */
static int check_undo(const struct way *w, struct mm_text before, struct mm_text after,
    const struct mm_edit *e, struct mm_err *err)
{
	struct mm_edit back;
	struct mm_text undone;

	if ((e->op == MM_EDIT_SET || e->op == MM_EDIT_SECTION_ADD) &&
	    (!mm_edit_inverse(e, &back) || carry_out(w, after, &back, &undone, NULL) != 0 ||
		undone.n != before.n || (before.n > 0 && memcmp(undone.p, before.p, before.n) != 0) ||
		check(w, after, undone, &back, NULL) != 0))
		return unsafe(e, "it could not be undone", err);
	return 0;
}

static int edit(struct mm_text in, bool shell, mm_edit_one *one, struct mm_edit *edits, size_t n,
    struct mm_arena *a, struct mm_buf *out, struct mm_err *err)
{
	const struct way w = {.shell = shell, .one = one, .a = a};

	if (n == 0)
		return mm_edit_run(in, edits, n, one, a, out, err);
	for (size_t i = 0; i < n; i++) {
		struct mm_edit *e = &edits[i];
		bool undoing = e->raw != NULL; /* gives back bytes that were there before */
		struct mm_text now;

		if (carry_out(&w, in, e, &now, err) != 0)
			return -1;
		if (e->changed &&
		    (check(&w, in, now, e, err) != 0 || (!undoing && check_undo(&w, in, now, e, err) != 0)))
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
