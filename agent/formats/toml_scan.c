#include "agent/formats/toml_scan.h"

#include <stdint.h>
#include <string.h>

#include "agent/formats/splice.h"
#include "common/text.h"

#define BOM "\xef\xbb\xbf"

static int value(
    struct mm_toml *t, size_t parent, const char *name, struct mm_toml_entry *e, struct mm_err *err);

/* ---- the tree */

static size_t slot_of(const struct mm_toml *t, size_t parent, const char *name)
{
	uint64_t h = 1469598103934665603u ^ (parent * 1099511628211u);
	size_t at;

	for (const char *p = name; *p != '\0'; p++)
		h = (h ^ (unsigned char)*p) * 1099511628211u;
	for (at = (size_t)(h ^ (h >> 32)) & (t->n_slots - 1); t->slots[at] != 0;
	     at = (at + 1) & (t->n_slots - 1)) {
		const struct mm_toml_node *n = &t->nodes[t->slots[at] - 1];

		if (n->parent == parent && strcmp(n->name, name) == 0)
			break;
	}
	return at;
}

size_t mm_toml_child(const struct mm_toml *t, size_t parent, const char *name)
{
	size_t found = t->slots[slot_of(t, parent, name)];

	return found == 0 ? MM_TOML_NONE : found - 1;
}

static void grow(struct mm_toml *t)
{
	t->n_slots = t->n_slots == 0 ? 64 : t->n_slots * 2;
	t->slots = mm_arena_alloc(t->c.a, t->n_slots, sizeof(*t->slots));
	for (size_t i = 0; i < t->n_nodes; i++)
		if (t->nodes[i].parent != MM_TOML_NONE)
			t->slots[slot_of(t, t->nodes[i].parent, t->nodes[i].name)] = i + 1;
}

/* A parent of MM_TOML_NONE: the root, or a table inside of an array. */
static int add_node(struct mm_toml *t, size_t parent, const char *name, enum mm_toml_kind kind, size_t *out,
    struct mm_err *err)
{
	const struct mm_toml_node *up = parent != MM_TOML_NONE ? &t->nodes[parent] : NULL;
	struct mm_toml_node node = {.kind = kind,
	    .parent = parent,
	    .name = name,
	    .path = "",
	    .box = MM_TOML_NONE,
	    .last = MM_TOML_NONE};

	if (t->n_nodes == MM_TOML_KEYS_MAX)
		return mm_toml_wrong(&t->c, "too many keys", err);
	if (up != NULL) {
		node.depth = up->depth + 1;
		node.path = up->path[0] != '\0' ? mm_arena_printf(t->c.a, "%s.%s", up->path, name) : name;
	}
	if (node.depth > MM_TOML_DEPTH_MAX)
		return mm_toml_wrong(&t->c, "tables too deep in each other", err);
	if (2 * t->n_nodes >= t->n_slots)
		grow(t);
	*(struct mm_toml_node *)mm_arena_push(
	    t->c.a, &t->nodes, &t->n_nodes, &t->cap_nodes, sizeof(*t->nodes)) = node;
	*out = t->n_nodes - 1;
	if (up != NULL)
		t->slots[slot_of(t, parent, name)] = t->n_nodes;
	return 0;
}

static size_t add_box(struct mm_toml *t, size_t node, bool is_inline, size_t from)
{
	struct mm_toml_box *b =
	    mm_arena_push(t->c.a, &t->boxes, &t->n_boxes, &t->cap_boxes, sizeof(*t->boxes));

	*b = (struct mm_toml_box){.node = node, .is_inline = is_inline, .from = from, .to = t->c.at};
	t->nodes[node].box = t->n_boxes - 1;
	return t->n_boxes - 1;
}

static int line_at(struct mm_toml *t, size_t pos)
{
	for (; t->counted < pos; t->counted++)
		t->line += t->c.in.p[t->counted] == '\n';
	return t->line;
}

static size_t add_entry(struct mm_toml *t, const struct mm_toml_entry *e)
{
	struct mm_toml_entry *x =
	    mm_arena_push(t->c.a, &t->entries, &t->n_entries, &t->cap_entries, sizeof(*t->entries));

	*x = *e;
	x->line = line_at(t, e->from);
	return t->n_entries - 1;
}

/* ---- [header] */

/* The table of all names but the last; those that are not there yet come into being. */
static int to_super_table(
    struct mm_toml *t, const char *const *names, size_t n, size_t *at, struct mm_err *err)
{
	*at = 0;
	for (size_t i = 0; i + 1 < n; i++) {
		size_t child = mm_toml_child(t, *at, names[i]);

		if (child == MM_TOML_NONE) {
			if (add_node(t, *at, names[i], MM_TOML_IMPLICIT, &child, err) != 0)
				return -1;
		} else if (t->nodes[child].kind == MM_TOML_VALUE || t->nodes[child].kind == MM_TOML_INLINE) {
			return mm_toml_wrong(&t->c, "a table below something that is complete", err);
		} else if (t->nodes[child].kind == MM_TOML_TABLES) {
			child = t->nodes[child].last;
		}
		*at = child;
	}
	return 0;
}

static int open_table(struct mm_toml *t, size_t super, const char *name, size_t *node, struct mm_err *err)
{
	*node = mm_toml_child(t, super, name);
	if (*node == MM_TOML_NONE)
		return add_node(t, super, name, MM_TOML_HEADER, node, err);
	if (t->nodes[*node].kind != MM_TOML_IMPLICIT)
		return mm_toml_wrong(&t->c, "a table that is there already", err);
	t->nodes[*node].kind = MM_TOML_HEADER;
	return 0;
}

static int open_element(struct mm_toml *t, size_t super, const char *name, size_t *node, struct mm_err *err)
{
	size_t all = mm_toml_child(t, super, name);

	if (all == MM_TOML_NONE) {
		if (add_node(t, super, name, MM_TOML_TABLES, &all, err) != 0)
			return -1;
	} else if (t->nodes[all].kind != MM_TOML_TABLES) {
		return mm_toml_wrong(&t->c, "no array of tables", err);
	}
	if (add_node(t, super, mm_arena_printf(t->c.a, "%s[%zu]", name, t->nodes[all].n), MM_TOML_HEADER,
		node, err) != 0)
		return -1;
	t->nodes[all].n++;
	t->nodes[all].last = *node;
	return 0;
}

static int header(struct mm_toml *t, size_t *box, struct mm_err *err)
{
	const char *names[MM_TOML_DEPTH_MAX] = {NULL};
	struct mm_toml_cursor *c = &t->c;
	size_t from = c->at, n, super = 0, node = 0;
	bool many = from + 1 < c->in.n && c->in.p[from + 1] == '[';

	c->at += many ? 2 : 1;
	mm_toml_blanks(c);
	if (mm_toml_path(c, names, &n, err) != 0)
		return -1;
	if (!mm_text_is(c->in, c->at, c->at + (many ? 2 : 1), many ? "]]" : "]"))
		return mm_toml_wrong(c, "a table's name without its end", err);
	if (to_super_table(t, names, n, &super, err) != 0 ||
	    (many ? open_element : open_table)(t, super, names[n - 1], &node, err) != 0)
		return -1;
	c->at += many ? 2 : 1;
	*box = add_box(t, node, false, from);
	add_entry(t, &(struct mm_toml_entry){.section = t->nodes[node].path,
			 .key = "",
			 .value = "",
			 .kind = 'c',
			 .from = from,
			 .vfrom = c->at,
			 .vto = c->at,
			 .box = *box});
	return 0;
}

/* ---- key = value */

/* The table that the dots of a key lead to. */
static int to_dotted(
    struct mm_toml *t, size_t box, const char *const *names, size_t n, size_t *at, struct mm_err *err)
{
	*at = t->boxes[box].node;
	for (size_t i = 0; i + 1 < n; i++) {
		size_t child = mm_toml_child(t, *at, names[i]);
		struct mm_toml_node *x;

		if (child == MM_TOML_NONE && add_node(t, *at, names[i], MM_TOML_IMPLICIT, &child, err) != 0)
			return -1;
		x = &t->nodes[child];
		if (x->kind != MM_TOML_IMPLICIT && (x->kind != MM_TOML_DOTTED || x->box != box))
			return mm_toml_wrong(&t->c, "a key of a table that stands elsewhere", err);
		x->kind = MM_TOML_DOTTED;
		x->box = box;
		*at = child;
	}
	return 0;
}

/* It is the last one in its table, and in those around it up to the box. */
static void note_last(struct mm_toml *t, size_t table, size_t box, size_t entry)
{
	for (size_t at = table; at != MM_TOML_NONE && t->nodes[at].box == box; at = t->nodes[at].parent)
		t->nodes[at].last = entry;
}

static int key_value(struct mm_toml *t, size_t box, struct mm_err *err)
{
	const char *names[MM_TOML_DEPTH_MAX] = {NULL};
	struct mm_toml_entry e = {.from = t->c.at, .box = box};
	size_t n, table, entry = t->n_entries;

	if (mm_toml_path(&t->c, names, &n, err) != 0)
		return -1;
	if (t->c.at >= t->c.in.n || t->c.in.p[t->c.at] != '=')
		return mm_toml_wrong(&t->c, "a key without a value", err);
	if (to_dotted(t, box, names, n, &table, err) != 0)
		return -1;
	if (mm_toml_child(t, table, names[n - 1]) != MM_TOML_NONE)
		return mm_toml_wrong(&t->c, "a key that is there already", err);
	t->c.at++;
	mm_toml_blanks(&t->c);
	e.vfrom = t->c.at;
	e.section = t->nodes[table].path;
	e.key = names[n - 1];
	if (value(t, table, names[n - 1], &e, err) != 0)
		return -1;
	if (t->quiet > 0)
		return 0;
	if (e.kind != 'c')
		add_entry(t, &e);
	t->entries[entry].vto = t->c.at;
	note_last(t, table, box, entry);
	return 0;
}

/* ---- arrays and inline tables */

/* White space, comments and line ends inside of an array. */
static int array_space(struct mm_toml *t, struct mm_err *err)
{
	for (;;) {
		mm_toml_blanks(&t->c);
		if (mm_toml_comment(&t->c, err) != 0)
			return -1;
		if (!mm_toml_at_newline(&t->c))
			return 0;
		mm_toml_newline(&t->c);
	}
}

static bool take(struct mm_toml *t, char ch)
{
	bool is = t->c.at < t->c.in.n && t->c.in.p[t->c.at] == ch;

	t->c.at += is ? 1 : 0;
	return is;
}

static int array(struct mm_toml *t, struct mm_err *err)
{
	struct mm_toml_entry ignored;

	t->c.at++;
	t->quiet++;
	for (bool more = true;;) {
		if (array_space(t, err) != 0)
			return -1;
		if (take(t, ']'))
			break;
		if (!more)
			return mm_toml_wrong(&t->c, "an array without its end", err);
		if (value(t, MM_TOML_NONE, "", &ignored, err) != 0 || array_space(t, err) != 0)
			return -1;
		more = take(t, ',');
	}
	t->quiet--;
	return 0;
}

static int inline_table(
    struct mm_toml *t, size_t parent, const char *name, const struct mm_toml_entry *e, struct mm_err *err)
{
	size_t node = 0, box, from = t->c.at;

	if (add_node(t, parent, name, MM_TOML_INLINE, &node, err) != 0)
		return -1;
	t->c.at++;
	box = add_box(t, node, true, from);
	if (t->quiet == 0)
		add_entry(t, &(struct mm_toml_entry){.section = t->nodes[node].path,
				 .key = "",
				 .value = "{",
				 .kind = 'c',
				 .from = e->from,
				 .vfrom = from,
				 .box = e->box});
	mm_toml_blanks(&t->c);
	if (take(t, '}'))
		return 0;
	do {
		mm_toml_blanks(&t->c);
		if (key_value(t, box, err) != 0)
			return -1;
		mm_toml_blanks(&t->c);
	} while (take(t, ','));
	return take(t, '}') ? 0 : mm_toml_wrong(&t->c, "an inline table without its end", err);
}

/* `e` gets value and kind (c: an inline table, whose entry is there already). */
static int value(
    struct mm_toml *t, size_t parent, const char *name, struct mm_toml_entry *e, struct mm_err *err)
{
	size_t from = t->c.at, node;
	char ch = from < t->c.in.n ? t->c.in.p[from] : '\0';
	struct mm_toml_value v = {.kind = 'c'};
	int rc;

	if (++t->depth > MM_TOML_DEPTH_MAX)
		return mm_toml_wrong(&t->c, "arrays and tables too deep in each other", err);
	if (ch == '{') {
		rc = inline_table(t, parent, name, e, err);
	} else if (parent != MM_TOML_NONE && add_node(t, parent, name, MM_TOML_VALUE, &node, err) != 0) {
		return -1;
	} else if (ch == '[') {
		rc = array(t, err);
		v = (struct mm_toml_value){.kind = 'u', .text = mm_text_dup(t->c.in, from, t->c.at, t->c.a)};
	} else {
		rc = mm_toml_scalar(&t->c, &v, err);
	}
	t->depth--;
	e->kind = v.kind;
	e->value = v.text;
	return rc;
}

/* ---- the whole */

static int statement(struct mm_toml *t, size_t *box, struct mm_err *err)
{
	int rc = 0;

	mm_toml_blanks(&t->c);
	if (t->c.at < t->c.in.n && t->c.in.p[t->c.at] == '[')
		rc = header(t, box, err);
	else if (t->c.at < t->c.in.n && t->c.in.p[t->c.at] != '#' && !mm_toml_at_newline(&t->c))
		rc = key_value(t, *box, err);
	mm_toml_blanks(&t->c);
	if (rc != 0 || mm_toml_comment(&t->c, err) != 0)
		return -1;
	if (t->c.at < t->c.in.n && !mm_toml_at_newline(&t->c))
		return mm_toml_wrong(&t->c, "more than one thing in a line", err);
	if (t->c.at < t->c.in.n)
		mm_toml_newline(&t->c);
	return 0;
}

int mm_toml_scan(struct mm_text in, struct mm_arena *a, struct mm_toml *out, struct mm_err *err)
{
	struct mm_toml t = {.c = {.in = in, .a = a}, .line = 1};
	size_t root, box, bad = 0;
	uint32_t cp;

	if (mm_text_check(in, err) != 0)
		return -1;
	if (in.n > 0 && !mm_is_utf8(in.p, in.n)) {
		for (size_t k; (k = mm_utf8_next(in.p + bad, in.n - bad, &cp)) > 0;)
			bad += k;
		return mm_err_set(err, MM_EX_DATAERR, "line %d: not UTF-8", mm_line_number(in, bad));
	}
	if (mm_text_is(in, 0, 3, BOM))
		t.c.at = 3;
	if (add_node(&t, MM_TOML_NONE, "", MM_TOML_HEADER, &root, err) != 0)
		return -1;
	box = add_box(&t, root, false, t.c.at);
	while (t.c.at < in.n)
		if (statement(&t, &box, err) != 0)
			return -1;
	*out = t;
	return 0;
}
