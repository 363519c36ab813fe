#include "agent/formats/muttrc.h"

#include <string.h>

#include "agent/formats/splice.h"
#include "common/text.h"

#define BLOCK_BEGIN "# >>> mailmuster"
#define BLOCK_END "# <<< mailmuster"
#define CONDITIONS_MAX 10 /* within each other */

static void set_item(struct mm_text in, const struct mm_mutt_set *s, struct mm_arena *a, struct mm_item *it)
{
	*it = (struct mm_item){.section = "", .key = s->name, .line = s->line, .kind = 'b'};
	switch (s->op) {
	case '=':
		it->kind = s->value.kind;
		it->value = s->value.kind == 's'   ? s->value.text
			    : s->value.kind == 'e' ? s->value.parts[0].text
						   : mm_text_dup(in, s->value.from, s->value.to, a);
		break;
	case 'y':
		it->value = "yes";
		break;
	case 'n':
		it->value = "no";
		break;
	case 'r':
		it->value = "reset";
		break;
	case '!':
		it->value = "toggle";
		break;
	default:
		it->value = "append";
		break;
	}
}

/* "reset all" takes away whatever was set before it. */
static void forget(struct mm_item *items, size_t n)
{
	size_t last = n;

	while (last > 0 && (items[last - 1].kind != 'b' || strcmp(items[last - 1].key, "all") != 0 ||
			       strcmp(items[last - 1].value, "reset") != 0))
		last--;
	for (size_t i = 0; i < last; i++)
		items[i].wins = items[i].kind == 'c';
}

static const char *joined(const struct mm_mutt_cmd *c, struct mm_arena *a)
{
	struct mm_buf b = MM_BUF_INIT(8 * MM_FORMAT_TEXT_MAX);

	for (size_t i = 0; i < c->n_words; i++)
		mm_buf_addf(&b, "%s%s", i > 0 ? " " : "", c->words[i].text);
	return mm_buf_take(&b, a);
}

static int parse(struct mm_text in, struct mm_arena *a, struct mm_doc *out, struct mm_err *err)
{
	struct mm_item *items = NULL;
	struct mm_mutt_cmd *v;
	size_t n, used = 0, cap = 0;

	if (mm_muttrc_scan(in, a, &v, &n, err) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < v[i].n_sets; j++)
			if (v[i].sets[j].op != '?')
				set_item(in, &v[i].sets[j], a,
				    mm_arena_push(a, &items, &used, &cap, sizeof(*items)));
		if (!v[i].setter)
			*(struct mm_item *)mm_arena_push(a, &items, &used, &cap, sizeof(*items)) =
			    (struct mm_item){.section = "",
				.key = v[i].name,
				.value = joined(&v[i], a),
				.kind = 'c',
				.line = v[i].line};
	}
	mm_mark_winners(items, used, a);
	forget(items, used);
	*out = (struct mm_doc){.items = items, .n = used, .eol = mm_text_eol(in)};
	return 0;
}

const char *mm_muttrc_quote(const char *s, struct mm_arena *a)
{
	static const char names[] = "\r\n\t\f\033", codes[] = "rntfe";
	struct mm_buf b = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);
	const char *out;

	mm_buf_addc(&b, '"');
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;
		const char *k = strchr(names, c);

		if (k != NULL)
			mm_buf_addf(&b, "\\%c", codes[k - names]);
		else if (c < 0x20 || c == 0x7f)
			mm_buf_addf(&b, "\\%03o", c);
		else if (strchr("\"\\$`", c) != NULL)
			mm_buf_addf(&b, "\\%c", c);
		else
			mm_buf_addc(&b, (char)c);
	}
	mm_buf_addc(&b, '"');
	out = mm_arena_strdup(a, mm_buf_str(&b));
	mm_buf_free(&b);
	return out;
}

bool mm_muttrc_command_ok(const char *cmd)
{
	return cmd[0] != '\0' && !mm_has_control(cmd) && strpbrk(cmd, "`\\$") == NULL;
}

/* One `set` with nothing else in it, made of `text`; NULL when it is not that.
 * `behind` is what will stand behind it, NULL at the end of the text: a backslash
 * joins at the end of a line only. */
static const struct mm_mutt_set *lone_set(const char *text, const char *behind, struct mm_arena *a)
{
	const char *line = mm_arena_printf(a, "%s%s", text, behind != NULL ? behind : "");
	struct mm_text in = {.p = line, .n = strlen(line)};
	struct mm_mutt_cmd *v;
	struct mm_err err;
	size_t n;

	if ((behind != NULL && mm_muttrc_open_end(in)) || mm_muttrc_scan(in, a, &v, &n, &err) != 0)
		return NULL;
	if (n != 1 || !v[0].alone || v[0].n_sets != 1 || v[0].sets[0].to != strlen(text))
		return NULL;
	return v[0].sets;
}

static bool means(const char *text, const struct mm_mutt_set *s, const char *key, const char *value,
    char kind, struct mm_arena *a)
{
	struct mm_item it;

	if (s == NULL || strcmp(s->name, key) != 0)
		return false;
	set_item((struct mm_text){.p = text, .n = strlen(text)}, s, a, &it);
	return it.kind == kind && strcmp(it.value, value) == 0;
}

struct spelled {
	const char *value; /* behind '=' */
	const char *whole; /* instead of name, '=' and value: "nobeep" */
};

static bool spell_raw(const struct mm_edit *e, const char *behind, struct mm_arena *a, struct spelled *out)
{
	const char *whole, *value;

	if (e->raw == NULL)
		return false;
	whole = mm_arena_printf(a, "set %s", e->raw);
	value = mm_arena_printf(a, "set %s=%s", e->key, e->raw);
	if (e->kind == 'b' && means(whole, lone_set(whole, behind, a), e->key, e->value, 'b', a))
		out->whole = e->raw;
	else if (means(value, lone_set(value, behind, a), e->key, e->value, e->kind, a))
		out->value = e->raw;
	else
		return false;
	return true;
}

static int spell(
    const struct mm_edit *e, const char *behind, struct mm_arena *a, struct spelled *out, struct mm_err *err)
{
	const char *text;

	*out = (struct spelled){0};
	if (spell_raw(e, behind, a, out))
		return 0;
	if (e->kind == 's')
		out->value = mm_muttrc_quote(e->value, a);
	else if (e->kind == 'b' && (strcmp(e->value, "yes") == 0 || strcmp(e->value, "no") == 0))
		out->value = e->value;
	else if (e->kind == 'e' && mm_muttrc_command_ok(e->value))
		out->value = mm_arena_printf(a, "\"`%s`\"", e->value);
	else if (e->kind == 'v')
		out->value = e->value;
	if (out->value != NULL) {
		text = mm_arena_printf(a, "set %s=%s", e->key, out->value);
		if (means(text, lone_set(text, "", a), e->key, e->value, e->kind == 'b' ? 's' : e->kind, a))
			return 0;
	}
	return mm_err_set(err, MM_EX_DATAERR, "%s: this value cannot be written in a muttrc", e->key);
}

struct found {
	const struct mm_mutt_cmd *cmd;
	const struct mm_mutt_set *set;
};

/* `f`: what set the variable last, if it can be edited in place; go on over
 * one command. */
static void follow(struct found *f, const struct mm_mutt_cmd *c, const char *key)
{
	for (size_t j = 0; j < c->n_sets; j++) {
		const struct mm_mutt_set *s = &c->sets[j];
		bool own = strcmp(c->name, "set") == 0 && (s->op == '=' || s->op == 'y' || s->op == 'n');

		if (s->op != '?' && strcmp(s->name, key) == 0)
			*f = own ? (struct found){.cmd = c, .set = s} : (struct found){0};
		else if (s->op == 'r' && strcmp(s->name, "all") == 0)
			*f = (struct found){0};
	}
}

static struct found winner(const struct mm_mutt_cmd *v, size_t n, const char *key)
{
	struct found f = {0};

	for (size_t i = 0; i < n; i++)
		follow(&f, &v[i], key);
	return f;
}

static void remember(struct mm_text in, struct mm_edit *e, const struct mm_mutt_set *s, struct mm_arena *a)
{
	struct mm_item it;

	set_item(in, s, a, &it);
	e->had = true;
	e->former = it.value;
	e->former_kind = it.kind;
	e->former_raw = s->op == '=' ? mm_text_dup(in, s->value.from, s->value.to, a)
				     : mm_text_dup(in, s->from, s->to, a);
}

static bool same(const struct mm_edit *e)
{
	bool text = (e->kind == 's' || e->kind == 'b') && (e->former_kind == 's' || e->former_kind == 'b');

	return e->had && (e->kind == e->former_kind || text) && strcmp(e->value, e->former) == 0;
}

/* What ends the word as that does which stands there: a blank, the end of the command, a line that goes
 * on in the next one, or nothing at the end of the line; NULL at the end of the text. */
static const char *behind(struct mm_text in, size_t to)
{
	if (to == in.n)
		return NULL;
	if (to == mm_line_end(in, to))
		return "";
	if (in.p[to] == '\\') {
		while (to < in.n && in.p[to] == '\\')
			to = mm_line_next(in, to);
		return to == mm_line_end(in, to) ? "\\\n\n" : "\\\n ";
	}
	return strchr(";#", in.p[to]) != NULL ? ";" : strchr(" \t\v\f\r", in.p[to]) != NULL ? " " : "";
}

static int set(struct mm_text in, const struct mm_mutt_cmd *v, size_t n, struct mm_edit *e,
    struct mm_cuts *cuts, struct mm_err *err)
{
	struct found f = winner(v, n, e->key);
	struct spelled sp;
	const char *whole;

	if (f.set != NULL)
		remember(in, e, f.set, cuts->a);
	if (e->value == NULL)
		return mm_err_set(err, MM_EX_DATAERR, "%s: no value given", e->key);
	if (same(e))
		return 0;
	if (spell(e, f.set != NULL ? behind(in, f.set->to) : "", cuts->a, &sp, err) != 0)
		return -1;
	whole = sp.whole != NULL ? sp.whole : mm_arena_printf(cuts->a, "%s=%s", e->key, sp.value);
	if (f.set != NULL && f.set->op == '=' && sp.whole == NULL)
		mm_cut_add(cuts, f.set->value.from, f.set->value.to, sp.value);
	else if (f.set != NULL)
		mm_cut_add(cuts, f.set->from, f.set->to, whole);
	else if (mm_muttrc_open_end(in))
		return mm_err_set(
		    err, MM_EX_DATAERR, "the last line ends in a backslash: it is not complete");
	else
		mm_put_lines(cuts, in, in.n, mm_arena_printf(cuts->a, "set %s", whole));
	return 0;
}

/* Would the word before take what follows for its value? */
static bool would_merge(struct mm_text in, size_t to)
{
	while (to < in.n && in.p[to] != '\0' && strchr(" \t\v\f\r", in.p[to]) != NULL)
		to++;
	return to < in.n && strchr("=+-?\\", in.p[to]) != NULL;
}

/* The only thing in a line that is joined to the one before, with what is taken out directly before it:
 * without it, that one would go on with nothing. */
static bool ends_joined(struct mm_text in, const struct mm_cuts *cuts, size_t from, size_t to)
{
	for (size_t i = cuts->n; i-- > 0 && cuts->v[i].to == from;)
		from = cuts->v[i].from;
	while (to < in.n && mm_is_blank(in.p[to]))
		to++;
	return from > 0 && in.p[from - 1] == '\n' && to == mm_line_end(in, to);
}

static int drop(struct mm_text in, struct found f, struct mm_cuts *cuts, struct mm_err *err)
{
	/* A blank behind a backslash belongs to the value before. */
	size_t from = f.set->from, least = f.set > f.cmd->sets ? f.set[-1].to : f.cmd->from;

	if (f.cmd->n_sets > 1) {
		if (would_merge(in, f.set->to))
			return mm_err_set(err, MM_EX_DATAERR,
			    "line %d: '%s' cannot be taken out of this line", f.set->line, f.set->name);
		while (from > least && mm_is_blank(in.p[from - 1]))
			from--;
		if (from < f.set->from && strchr("\\\r", in.p[from - 1]) != NULL)
			from++; /* what is escaped there must not become a join, nor a part of a line end */
		if (ends_joined(in, cuts, from, f.set->to))
			return mm_err_set(err, MM_EX_DATAERR,
			    "line %d: '%s' is all there is in a line that goes on with the one before",
			    f.set->line, f.set->name);
		mm_cut_add(cuts, from, f.set->to, "");
	} else if (f.cmd->alone) {
		mm_cut_lines(cuts, in, f.cmd->line_from, f.cmd->line_to);
	} else {
		mm_cut_add(cuts, f.cmd->from, f.cmd->to, "");
	}
	return 0;
}

static int drop_all(struct mm_text in, const struct mm_mutt_cmd *v, size_t n, struct mm_edit *e,
    struct mm_cuts *cuts, struct mm_err *err)
{
	struct found f = {0};
	size_t first = 0;

	for (size_t i = 0; i < n; i++) {
		follow(&f, &v[i], e->key);
		if (f.set == NULL)
			first = i + 1; /* up to here it is not set */
	}
	if (f.set == NULL)
		return 0;
	remember(in, e, f.set, cuts->a);
	for (size_t i = first; i < n; i++)
		for (size_t j = 0; j < v[i].n_sets; j++)
			if (v[i].sets[j].op != '?' && strcmp(v[i].sets[j].name, e->key) == 0 &&
			    drop(in, (struct found){.cmd = &v[i], .set = &v[i].sets[j]}, cuts, err) != 0)
				return -1;
	return 0;
}

static bool is_marker(struct mm_text in, size_t from, size_t end, const char *marker, const char *name)
{
	size_t m = strlen(marker), n = strlen(name);

	while (end > from && mm_is_blank(in.p[end - 1]))
		end--;
	if (end - from < m || memcmp(in.p + from, marker, m) != 0)
		return false;
	from += m;
	if (n == 0)
		return from == end;
	return end - from == n + 1 && in.p[from] == ' ' && memcmp(in.p + from + 1, name, n) == 0;
}

struct block {
	size_t from, to;           /* with both markers, and the empty line before it; no final line end */
	size_t body_from, body_to; /* the lines between, with their line ends */
	int line;                  /* of the first line of the body */
};

/* 1 found (the last one), 0 not there, -1 not closed. `every`: NULL, or cut
 * all that there are. */
static int find_block(struct mm_text in, const char *name, struct block *b, struct mm_cuts *every)
{
	size_t blank = 0, next;
	bool open = false, before_blank = false;
	int found = 0, line = 1;

	for (size_t pos = 0; pos < in.n; pos = next, line++) {
		size_t end = mm_line_end(in, pos);

		next = mm_line_next(in, pos);
		if (is_marker(in, pos, end, BLOCK_BEGIN, name)) {
			if (open)
				return -1;
			open = true;
			*b = (struct block){
			    .from = before_blank ? blank : pos, .body_from = next, .line = line + 1};
		} else if (open && is_marker(in, pos, end, BLOCK_END, name)) {
			open = false;
			found = 1;
			b->body_to = pos;
			b->to = end;
			if (every != NULL)
				mm_cut_lines(every, in, b->from, end);
		}
		before_blank = end == pos;
		blank = pos;
	}
	return open ? -1 : found;
}

static const char *block_lines(struct mm_text in, const struct block *b, struct mm_arena *a)
{
	struct mm_buf t = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);

	for (size_t pos = b->body_from; pos < b->body_to; pos = mm_line_next(in, pos)) {
		if (pos > b->body_from)
			mm_buf_addc(&t, '\n');
		mm_buf_add(&t, in.p + pos, mm_line_end(in, pos) - pos);
	}
	return mm_buf_take(&t, a);
}

const char *mm_muttrc_block(struct mm_text in, const char *name, struct mm_arena *a, int *line)
{
	struct block b;

	if (find_block(in, name, &b, NULL) != 1)
		return NULL;
	*line = b.line;
	return block_lines(in, &b, a);
}

static bool block_value_ok(const char *section, const char *value)
{
	struct mm_text t = {.p = value, .n = value != NULL ? strlen(value) : 0};

	if (value == NULL || strchr(value, '\r') != NULL ||
	    section[strspn(section, "abcdefghijklmnopqrstuvwxyz0123456789_-")] != '\0')
		return false;
	for (size_t pos = 0; pos < t.n; pos = mm_line_next(t, pos))
		if (is_marker(t, pos, mm_line_end(t, pos), BLOCK_BEGIN, section) ||
		    is_marker(t, pos, mm_line_end(t, pos), BLOCK_END, section))
			return false;
	return true;
}

static const char *raw_lines(const char *raw, struct mm_arena *a)
{
	struct mm_text t = {.p = raw, .n = strlen(raw)};

	if (t.n > 0 && raw[t.n - 1] != '\n')
		return "\r"; /* not whole lines: equal to nothing */
	return block_lines(t, &(struct block){.body_to = t.n}, a);
}

/* Also as what is done under a condition, or under one more. */
static bool is_command(const struct mm_mutt_cmd *c, const char *name, struct mm_arena *a, int depth)
{
	struct mm_mutt_cmd *v;
	struct mm_text text;
	size_t n;

	if (strcmp(c->name, name) == 0)
		return true;
	if ((strcmp(c->name, "ifdef") != 0 && strcmp(c->name, "ifndef") != 0) || c->n_words < 2 ||
	    depth == CONDITIONS_MAX)
		return false;
	text = (struct mm_text){.p = c->words[1].text, .n = strlen(c->words[1].text)};
	if (mm_muttrc_scan(text, a, &v, &n, NULL) != 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (is_command(&v[i], name, a, depth + 1))
			return true;
	return false;
}

static void new_block(
    struct mm_text in, const struct mm_mutt_cmd *v, size_t n, const struct mm_edit *e, struct mm_cuts *cuts)
{
	const char *gap = e->section[0] != '\0' ? " " : "", *nl = e->value[0] != '\0' ? "\n" : "";
	size_t at = in.n;

	for (size_t i = n; i-- > 0 && e->key[0] != '\0';)
		if (is_command(&v[i], e->key, cuts->a, 0))
			at = v[i].line_from;
	mm_put_lines(cuts, in, at,
	    mm_arena_printf(cuts->a, "\n" BLOCK_BEGIN "%s%s\n%s%s" BLOCK_END "%s%s", gap, e->section,
		e->value, nl, gap, e->section));
}

static int edit_block(struct mm_text in, const struct mm_mutt_cmd *v, size_t n, struct mm_edit *e,
    struct mm_cuts *cuts, struct mm_err *err)
{
	struct block b;
	int found = find_block(in, e->section, &b, e->op == MM_EDIT_BLOCK_REMOVE ? cuts : NULL);

	if (found < 0)
		return mm_err_set(err, MM_EX_DATAERR, "the managed block '%s' is not closed", e->section);
	e->had = found == 1;
	if (e->had) {
		e->former = block_lines(in, &b, cuts->a);
		e->former_raw = mm_text_dup(in, b.body_from, b.body_to, cuts->a);
	}
	if (e->op == MM_EDIT_BLOCK_REMOVE)
		return 0;
	if (e->had && e->value != NULL && strcmp(e->former, e->value) == 0)
		return 0;
	if (e->had && e->value != NULL && e->raw != NULL &&
	    strcmp(raw_lines(e->raw, cuts->a), e->value) == 0) {
		mm_cut_add(cuts, b.body_from, b.body_to, e->raw);
		return 0;
	}
	if (e->value == NULL || !block_value_ok(e->section, e->value))
		return mm_err_set(err, MM_EX_DATAERR, "these lines cannot stand in a managed block");
	if (!e->had) {
		new_block(in, v, n, e, cuts);
	} else {
		mm_cut_add(cuts, b.body_from, b.body_to, "");
		if (e->value[0] != '\0')
			mm_put_lines(cuts, in, b.body_to, e->value);
	}
	return 0;
}

static int edit_one(struct mm_text in, struct mm_edit *e, struct mm_cuts *cuts, struct mm_err *err)
{
	struct mm_mutt_cmd *v;
	size_t n;

	if (mm_muttrc_scan(in, cuts->a, &v, &n, err) != 0)
		return -1;
	if ((e->op == MM_EDIT_SET || e->op == MM_EDIT_DELETE) && e->section != NULL && e->section[0] != '\0')
		return mm_err_set(err, MM_EX_DATAERR, "a muttrc has no sections");
	switch (e->op) {
	case MM_EDIT_SET:
		return set(in, v, n, e, cuts, err);
	case MM_EDIT_DELETE:
		return drop_all(in, v, n, e, cuts, err);
	case MM_EDIT_BLOCK_SET:
	case MM_EDIT_BLOCK_REMOVE:
		return edit_block(in, v, n, e, cuts, err);
	default:
		return mm_err_set(err, MM_EX_DATAERR, "a muttrc has neither lists nor sections");
	}
}

/* Without what was taken out, the last line would go on with nothing. */
static bool opened(
    struct mm_text in, const struct mm_buf *out, size_t before, const struct mm_edit *edits, size_t n)
{
	bool taken = false;

	for (size_t i = 0; i < n; i++)
		taken = taken || (edits[i].op == MM_EDIT_DELETE && edits[i].changed);
	return taken && !mm_muttrc_open_end(in) &&
	       mm_muttrc_open_end((struct mm_text){.p = out->data + before, .n = out->len - before});
}

static int edit(struct mm_text in, struct mm_edit *edits, size_t n, struct mm_arena *a, struct mm_buf *out,
    struct mm_err *err)
{
	size_t before = out->len;

	if (mm_edit_run(in, edits, n, edit_one, a, out, err) != 0)
		return -1;
	if (out->len > before && opened(in, out, before, edits, n)) {
		out->len = before;
		return mm_err_set(err, MM_EX_DATAERR, "the last line would not be complete any more");
	}
	return 0;
}

const struct mm_format mm_format_muttrc = {.name = "muttrc", .parse = parse, .edit = edit};
