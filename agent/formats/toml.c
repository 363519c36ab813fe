#include "agent/formats/toml.h"

#include <string.h>

#include "agent/formats/splice.h"
#include "agent/formats/toml_scan.h"
#include "common/text.h"

static int parse(struct mm_text in, struct mm_arena *a, struct mm_doc *out, struct mm_err *err)
{
	struct mm_toml t;
	struct mm_item *items;

	if (mm_toml_scan(in, a, &t, err) != 0)
		return -1;
	items = mm_arena_alloc(a, t.n_entries + 1, sizeof(*items));
	for (size_t i = 0; i < t.n_entries; i++) {
		const struct mm_toml_entry *e = &t.entries[i];

		items[i] = (struct mm_item){.section = e->section,
		    .key = e->key,
		    .value = e->value,
		    .kind = e->kind,
		    .line = e->line,
		    .wins = true};
	}
	*out = (struct mm_doc){.items = items, .n = t.n_entries, .eol = mm_text_eol(in)};
	return 0;
}

/* ---- paths of edits */

struct path {
	const char *names[MM_TOML_DEPTH_MAX];
	size_t n;
};

/* [0] behind the name of an array of tables. */
static const char *with_index(struct mm_toml_cursor *c, const char *name)
{
	size_t from = c->at;

	if (c->at == c->in.n || c->in.p[c->at] != '[')
		return name;
	while (c->at < c->in.n && c->in.p[c->at] != ']')
		c->at++;
	c->at += c->at < c->in.n ? 1 : 0;
	return mm_arena_printf(c->a, "%s%s", name, mm_text_dup(c->in, from, c->at, c->a));
}

/* Only as items have it: each path has one spelling. */
static int parse_path(const char *s, struct mm_arena *a, struct path *out, struct mm_err *err)
{
	struct mm_toml_cursor c = {.in = {.p = s, .n = strlen(s)}, .a = a};
	struct mm_buf again = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);
	bool same;

	out->n = 0;
	if (!mm_is_utf8(s, c.in.n))
		return mm_err_set(err, MM_EX_DATAERR, "a name that is not UTF-8");
	while (c.at < c.in.n) {
		const char *name;

		if (out->n == MM_TOML_DEPTH_MAX || mm_toml_key(&c, &name, err) != 0)
			break;
		out->names[out->n++] = name = with_index(&c, name);
		mm_buf_addf(&again, "%s%s", again.len > 0 ? "." : "", name);
		c.at += c.at < c.in.n && s[c.at] == '.' ? 1 : 0;
	}
	same = strcmp(mm_buf_str(&again), s) == 0;
	mm_buf_free(&again);
	return same ? 0 : mm_err_set(err, MM_EX_DATAERR, "'%s' is not the path of a table", s);
}

static bool is_index(const char *name)
{
	return name[0] != '\0' && name[strlen(name) - 1] == ']';
}

static bool is_table(const struct mm_toml *t, size_t node)
{
	return t->nodes[node].kind != MM_TOML_VALUE && t->nodes[node].kind != MM_TOML_TABLES;
}

/* The nearest table of the path that keys can be written into. */
static int base_of(const struct mm_toml *t, const struct path *p, size_t *base, struct mm_err *err)
{
	size_t at = 0;

	*base = 0;
	for (size_t i = 0; i < p->n; i++) {
		size_t child = at != MM_TOML_NONE ? mm_toml_child(t, at, p->names[i]) : MM_TOML_NONE;

		if (child == MM_TOML_NONE && is_index(p->names[i]))
			return mm_err_set(err, MM_EX_DATAERR, "there is no table '%s'", p->names[i]);
		if (child != MM_TOML_NONE && !is_table(t, child))
			return mm_err_set(err, MM_EX_DATAERR, "'%s' is not a table", p->names[i]);
		if (child != MM_TOML_NONE && t->nodes[child].box != MM_TOML_NONE)
			*base = child;
		at = child;
	}
	return 0;
}

static const struct mm_toml_entry *entry_of(const struct mm_toml *t, const char *section, const char *key)
{
	for (size_t i = 0; i < t->n_entries; i++)
		if (t->entries[i].kind != 'c' && strcmp(t->entries[i].key, key) == 0 &&
		    strcmp(t->entries[i].section, section) == 0)
			return &t->entries[i];
	return NULL;
}

/* ---- values */

/* What a spelling means. False: it is not one value. */
static bool meaning(const char *raw, struct mm_arena *a, struct mm_toml_entry *out)
{
	const char *line = mm_arena_printf(a, "k=%s", raw);
	struct mm_text in = {.p = line, .n = strlen(line)};
	struct mm_toml t;

	if (mm_toml_scan(in, a, &t, NULL) != 0 || t.n_entries != 1 || t.entries[0].kind == 'c' ||
	    t.entries[0].vfrom != 2 || t.entries[0].vto != in.n)
		return false;
	*out = t.entries[0];
	return true;
}

static bool means(const char *raw, const struct mm_edit *e, struct mm_arena *a)
{
	struct mm_toml_entry m;

	return meaning(raw, a, &m) && m.kind == e->kind && strcmp(m.value, e->value) == 0;
}

static int spell(
    const struct mm_edit *e, bool literal, struct mm_arena *a, const char **out, struct mm_err *err)
{
	if (e->value == NULL || !mm_is_utf8(e->value, strlen(e->value)))
		return mm_err_set(err, MM_EX_DATAERR, "%s: no value, or one that is not UTF-8", e->key);
	if (e->raw != NULL && means(e->raw, e, a))
		*out = e->raw;
	else if (e->kind == 's' && literal && mm_toml_is_literal(e->value))
		*out = mm_arena_printf(a, "'%s'", e->value);
	else if (e->kind == 's')
		*out = mm_toml_quote(e->value, strlen(e->value), a);
	else
		*out = means(e->value, e, a) ? e->value : NULL;
	return *out != NULL ? 0 : mm_err_set(err, MM_EX_DATAERR, "%s: not a value of its kind", e->key);
}

/* ---- edits */

static const char *indent(struct mm_text in, size_t pos, struct mm_arena *a)
{
	size_t from = mm_line_start(in, pos);

	return mm_is_blank(from < in.n ? in.p[from] : '\0') ? mm_text_dup(in, from, pos, a) : "";
}

static void put_line(struct mm_cuts *cuts, const struct mm_toml *t, size_t base, const char *text)
{
	const struct mm_toml_node *n = &t->nodes[base];
	const struct mm_toml_box *b = &t->boxes[n->box];
	struct mm_text in = t->c.in;
	size_t at = b->to, from = b->from;

	if (n->last != MM_TOML_NONE) {
		at = t->entries[n->last].vto;
		from = t->entries[n->last].from;
	}
	if (n->last != MM_TOML_NONE || n->box != 0)
		at = mm_line_next(in, at);
	else if (t->n_boxes == 1) /* nothing but comments */
		at = in.n;
	mm_put_lines(cuts, in, at, mm_arena_printf(cuts->a, "%s%s", indent(in, from, cuts->a), text));
}

static void put_inside(struct mm_cuts *cuts, const struct mm_toml *t, size_t base, const char *text)
{
	size_t last = t->nodes[base].last, at;

	at = last != MM_TOML_NONE ? t->entries[last].vto : t->boxes[t->nodes[base].box].to;
	mm_cut_add(cuts, at, at, last != MM_TOML_NONE ? mm_arena_printf(cuts->a, ", %s", text) : text);
}

static int add_key(struct mm_toml *t, const struct path *p, const struct mm_edit *e, const char *spelled,
    struct mm_cuts *cuts, struct mm_err *err)
{
	const char *full =
	    e->section[0] != '\0' ? mm_arena_printf(cuts->a, "%s.%s", e->section, e->key) : e->key;
	const struct mm_toml_box *b;
	size_t base, skip;
	const char *text;

	if (base_of(t, p, &base, err) != 0)
		return -1;
	b = &t->boxes[t->nodes[base].box];
	skip = strlen(t->nodes[b->node].path);
	text = mm_arena_printf(cuts->a, "%s = %s", full + skip + (skip > 0 ? 1 : 0), spelled);
	(b->is_inline ? put_inside : put_line)(cuts, t, base, text);
	return 0;
}

static int set(struct mm_toml *t, const struct path *p, const struct mm_edit *e,
    const struct mm_toml_entry *now, struct mm_cuts *cuts, struct mm_err *err)
{
	bool literal = now != NULL && now->kind == 's' && t->c.in.p[now->vfrom] == '\'';
	const char *spelled;

	if (now != NULL && now->kind == e->kind && mm_streq(now->value, e->value))
		return 0;
	if (spell(e, literal, cuts->a, &spelled, err) != 0)
		return -1;
	if (now == NULL)
		return add_key(t, p, e, spelled, cuts, err);
	mm_cut_add(cuts, now->vfrom, now->vto, spelled);
	return 0;
}

/* The lines of from..to go, but not a byte order mark before them. */
static void cut_lines(const struct mm_toml *t, size_t from, size_t to, struct mm_cuts *cuts)
{
	size_t first = t->boxes[0].to; /* where the root begins */

	if (first > 0 && mm_line_start(t->c.in, from) == 0)
		mm_cut_add(cuts, first, mm_line_next(t->c.in, to), "");
	else
		mm_cut_lines(cuts, t->c.in, from, to);
}

/* In an inline table a comma goes with it. */
static void drop(const struct mm_toml *t, const struct mm_toml_entry *now, struct mm_cuts *cuts)
{
	size_t before = MM_TOML_NONE, behind = MM_TOML_NONE, at = (size_t)(now - t->entries);

	if (!t->boxes[now->box].is_inline) {
		cut_lines(t, now->from, now->vto, cuts);
		return;
	}
	for (size_t i = 0; i < t->n_entries && behind == MM_TOML_NONE; i++) {
		if (i < at && t->entries[i].box == now->box)
			before = i;
		else if (i > at && t->entries[i].box == now->box)
			behind = i;
	}
	if (before != MM_TOML_NONE)
		mm_cut_add(cuts, t->entries[before].vto, now->vto, "");
	else
		mm_cut_add(cuts, now->from, behind != MM_TOML_NONE ? t->entries[behind].from : now->vto, "");
}

static int edit_key(struct mm_toml *t, struct mm_edit *e, struct mm_cuts *cuts, struct mm_err *err)
{
	const struct mm_toml_entry *now;
	struct path p, key;

	if (parse_path(e->section, cuts->a, &p, err) != 0 || parse_path(e->key, cuts->a, &key, err) != 0)
		return -1;
	if (key.n != 1 || is_index(e->key))
		return mm_err_set(err, MM_EX_DATAERR, "'%s' is not one key", e->key);
	now = entry_of(t, e->section, e->key);
	e->had = now != NULL;
	if (now != NULL) {
		e->former = now->value;
		e->former_kind = now->kind;
		e->former_raw = mm_text_dup(t->c.in, now->vfrom, now->vto, cuts->a);
	}
	if (e->op == MM_EDIT_SET)
		return set(t, &p, e, now, cuts, err);
	if (now != NULL)
		drop(t, now, cuts);
	return 0;
}

static size_t node_of(const struct mm_toml *t, const struct path *p)
{
	size_t at = 0;

	for (size_t i = 0; i < p->n && at != MM_TOML_NONE; i++)
		at = mm_toml_child(t, at, p->names[i]);
	return at;
}

static int add_table(
    struct mm_toml *t, const struct path *p, struct mm_edit *e, struct mm_cuts *cuts, struct mm_err *err)
{
	size_t node = node_of(t, p);

	for (size_t i = 0; i < p->n; i++)
		if (node == MM_TOML_NONE && is_index(p->names[i]))
			return mm_err_set(
			    err, MM_EX_DATAERR, "'%s' cannot be the name of a table", e->section);
	if (p->n == 0 || (node != MM_TOML_NONE && !is_table(t, node)))
		return mm_err_set(err, MM_EX_DATAERR, "'%s' cannot be the name of a table", e->section);
	e->had = node != MM_TOML_NONE && t->nodes[node].box != MM_TOML_NONE;
	if (!e->had)
		mm_put_lines(cuts, t->c.in, t->c.in.n,
		    mm_arena_printf(cuts->a, "%s[%s]", t->c.in.n == 0 ? "" : "\n", e->section));
	return 0;
}

/* Only a header below which nothing is left; the blank line before it goes with it. */
static void remove_table(const struct mm_toml *t, struct mm_edit *e, struct mm_cuts *cuts)
{
	const struct mm_toml_entry *own = NULL;
	size_t from, gap;

	for (size_t i = 0; i < t->n_entries; i++) {
		const struct mm_toml_entry *x = &t->entries[i];

		if (x->kind == 'c' && x->value[0] == '\0' && strcmp(x->section, e->section) == 0)
			own = x;
		else if (own != NULL && x->box == own->box)
			return; /* somebody put a key into it */
	}
	e->had = own != NULL;
	if (own == NULL || is_index(e->section))
		return;
	from = mm_line_start(t->c.in, own->from);
	gap = from > 0 ? mm_line_start(t->c.in, from - 1) : from;
	cut_lines(t, mm_line_end(t->c.in, gap) == gap ? gap : from, own->vto, cuts);
}

static int edit_one(struct mm_text in, struct mm_edit *e, struct mm_cuts *cuts, struct mm_err *err)
{
	struct mm_toml t;
	struct path p;

	if (mm_toml_scan(in, cuts->a, &t, err) != 0)
		return -1;
	if (e->op == MM_EDIT_SET || e->op == MM_EDIT_DELETE)
		return edit_key(&t, e, cuts, err);
	if (e->op != MM_EDIT_SECTION_ADD && e->op != MM_EDIT_SECTION_REMOVE)
		return mm_err_set(err, MM_EX_DATAERR, "this kind of file has neither lists nor blocks");
	if (parse_path(e->section, cuts->a, &p, err) != 0)
		return -1;
	if (e->op == MM_EDIT_SECTION_ADD)
		return add_table(&t, &p, e, cuts, err);
	remove_table(&t, e, cuts);
	return 0;
}

/* The new text is read once more: a key that is a table elsewhere shows then. */
static int edit(struct mm_text in, struct mm_edit *edits, size_t n, struct mm_arena *a, struct mm_buf *out,
    struct mm_err *err)
{
	size_t before = out->len;
	struct mm_toml t;
	int rc;

	rc = mm_edit_run(in, edits, n, edit_one, a, out, err);
	if (rc == 0)
		rc = mm_toml_scan(
		    (struct mm_text){.p = mm_buf_str(out) + before, .n = out->len - before}, a, &t, err);
	if (rc != 0)
		out->len = before;
	return rc;
}

const struct mm_format mm_format_toml = {.name = "toml", .parse = parse, .edit = edit};

/* ---- meli: lines of m4 among those of TOML */

#define INCLUDE "include("
#define MASKED "#m4 inc("

static bool line_is(struct mm_text in, size_t at, const char *what, size_t *from)
{
	while (at < in.n && mm_is_blank(in.p[at]))
		at++;
	*from = at;
	return mm_text_is(in, at, at + strlen(what), what);
}

/* Replace the beginning of each line that has it; both are as long. */
static struct mm_text replace_lines(struct mm_text in, const char *what, const char *by, struct mm_arena *a)
{
	char *p = mm_arena_alloc(a, in.n + 1, 1);
	size_t at;

	if (in.n > 0)
		memcpy(p, in.p, in.n);
	for (size_t i = 0; i < in.n; i = mm_line_next(in, i))
		if (line_is(in, i, what, &at))
			memcpy(p + at, by, strlen(by));
	return (struct mm_text){.p = p, .n = in.n};
}

static int mask(struct mm_text in, struct mm_arena *a, struct mm_text *out, struct mm_err *err)
{
	size_t at;

	if (mm_text_check(in, err) != 0)
		return -1;
	for (size_t i = 0; i < in.n; i = mm_line_next(in, i))
		if (line_is(in, i, MASKED, &at))
			return mm_err_set(err, MM_EX_DATAERR, "line %d: " MASKED " is kept for other things",
			    mm_line_number(in, i));
	*out = replace_lines(in, INCLUDE, MASKED, a);
	return 0;
}

static const char *included(struct mm_text in, size_t at, struct mm_arena *a)
{
	const char *s = mm_text_dup(in, at + strlen(INCLUDE), mm_line_end(in, at), a);
	size_t n;

	n = s[0] == '"' ? strcspn(s + 1, "\"") : 0;
	return n > 0 ? mm_arena_strndup(a, s + 1, n) : NULL;
}

static int parse_meli(struct mm_text in, struct mm_arena *a, struct mm_doc *out, struct mm_err *err)
{
	struct mm_text masked;
	struct mm_item *items;
	size_t n, at, cap;

	if (mask(in, a, &masked, err) != 0 || parse(masked, a, out, err) != 0)
		return -1;
	n = out->n;
	items = out->items;
	cap = n;
	for (size_t i = 0; i < in.n; i = mm_line_next(in, i)) {
		const char *path = line_is(in, i, INCLUDE, &at) ? included(in, at, a) : NULL;

		if (path != NULL)
			*(struct mm_item *)mm_arena_push(a, &items, &n, &cap, sizeof(*items)) =
			    (struct mm_item){.section = "",
				.key = "include",
				.value = path,
				.kind = 'c',
				.line = mm_line_number(in, at),
				.wins = true};
	}
	out->items = items;
	out->n = n;
	return 0;
}

static int edit_meli(struct mm_text in, struct mm_edit *edits, size_t n, struct mm_arena *a,
    struct mm_buf *out, struct mm_err *err)
{
	size_t before = out->len;
	struct mm_text masked, text;

	if (mask(in, a, &masked, err) != 0 || edit(masked, edits, n, a, out, err) != 0)
		return -1;
	text = (struct mm_text){.p = mm_buf_str(out) + before, .n = out->len - before};
	text = replace_lines(text, MASKED, INCLUDE, a);
	out->len = before;
	mm_buf_add(out, text.p, text.n);
	return 0;
}

const struct mm_format mm_format_meli = {.name = "meli", .parse = parse_meli, .edit = edit_meli};

/* ---- what adapters ask */

const char *mm_toml_name(const char *spelled, struct mm_arena *a)
{
	struct mm_toml_entry m;

	if (spelled[0] != '"')
		return spelled;
	return meaning(spelled, a, &m) && m.kind == 's' ? m.value : spelled;
}

const char *mm_toml_spell_name(const char *name, struct mm_arena *a)
{
	struct mm_toml_cursor c = {.a = a};
	const char *quoted = mm_toml_quote(name, strlen(name), a), *out;

	if (quoted == NULL || !mm_is_utf8(name, strlen(name)))
		return NULL;
	c.in = (struct mm_text){.p = quoted, .n = strlen(quoted)};
	return mm_toml_key(&c, &out, NULL) == 0 ? out : NULL;
}

const char *const *mm_toml_strings(const char *spelled, struct mm_arena *a, size_t *n)
{
	struct mm_toml_cursor c = {.in = {.p = spelled, .n = strlen(spelled)}, .at = 1, .a = a};
	const char **v = NULL;
	size_t used = 0, cap = 0;

	if (spelled[0] != '[')
		return NULL;
	for (;;) {
		struct mm_toml_value x;

		while (c.at < c.in.n && strchr(" \t\r\n,", spelled[c.at]) != NULL)
			c.at++;
		if (c.at == c.in.n || spelled[c.at] == ']')
			break;
		if (spelled[c.at] == '#') {
			c.at = mm_line_next(c.in, c.at);
			continue;
		}
		if (mm_toml_scalar(&c, &x, NULL) != 0 || x.kind != 's')
			return NULL;
		*(const char **)mm_arena_push(a, &v, &used, &cap, sizeof(*v)) = x.text;
	}
	*n = used;
	*(const char **)mm_arena_push(a, &v, &used, &cap, sizeof(*v)) = NULL;
	return v;
}

const char *mm_toml_array(const char *const *strings, struct mm_arena *a)
{
	const char *out = "[";

	for (size_t i = 0; strings[i] != NULL; i++) {
		const char *one = mm_toml_quote(strings[i], strlen(strings[i]), a);

		if (one == NULL || !mm_is_utf8(strings[i], strlen(strings[i])))
			return NULL;
		out = mm_arena_printf(a, "%s%s%s", out, i > 0 ? ", " : "", one);
	}
	return mm_arena_printf(a, "%s]", out);
}
