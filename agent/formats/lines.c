#include "agent/formats/lines.h"

#include <string.h>

#include "common/text.h"

static bool is_key(const struct mm_line *l, const char *section, const char *key)
{
	return l->kind == MM_LINE_KEY && strcmp(l->section, section) == 0 && strcmp(l->key, key) == 0;
}

int mm_lines_scan(struct mm_text in, mm_line_scan *one, void *ctx, struct mm_arena *a, struct mm_line **out,
    size_t *n, struct mm_err *err)
{
	struct mm_line *v = NULL;
	size_t used = 0, cap = 0, pos = 0;

	if (mm_text_check(in, err) != 0)
		return -1;
	while (pos < in.n) {
		struct mm_line *l = mm_arena_push(a, &v, &used, &cap, sizeof(*v));

		*l = (struct mm_line){
		    .from = pos, .end = mm_line_end(in, pos), .next = mm_line_next(in, pos), .section = ""};
		pos = l->next;
		if (one(ctx, l, (int)used, err) != 0)
			return -1;
	}
	*out = v;
	*n = used;
	return 0;
}

int mm_lines_parse(const struct mm_line_grammar *g, struct mm_text in, struct mm_arena *a, struct mm_doc *out,
    struct mm_err *err)
{
	struct mm_line *v;
	struct mm_item *items = NULL;
	size_t n, used = 0, cap = 0;

	if (g->scan(in, a, &v, &n, err) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		bool header = v[i].kind == MM_LINE_HEADER;
		struct mm_item *it;

		if (!header && v[i].kind != MM_LINE_KEY)
			continue;
		it = mm_arena_push(a, &items, &used, &cap, sizeof(*items));
		*it = (struct mm_item){
		    .section = v[i].section,
		    .key = header ? g->header_key : v[i].key,
		    .value = v[i].value,
		    .kind = header            ? 'c'
			    : v[i].unreadable ? 'u'
					      : 's',
		    .line = v[i].no != 0 ? v[i].no : (int)i + 1,
		};
	}
	mm_mark_winners(items, used, a);
	*out = (struct mm_doc){.items = items, .n = used, .eol = mm_text_eol(in)};
	return 0;
}

/* Nothing but a blank between key and value: a key without a value has none. */
static bool blank_parts(const struct mm_line_grammar *g)
{
	return strcmp(g->between, " ") == 0;
}

static const struct mm_line *winner(const struct mm_line *v, size_t n, const struct mm_edit *e)
{
	while (n-- > 0)
		if (is_key(&v[n], e->section, e->key))
			return &v[n];
	return NULL;
}

static const struct mm_line *header_of(const struct mm_line *v, size_t n, const char *section)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].kind == MM_LINE_HEADER && strcmp(v[i].section, section) == 0)
			return &v[i];
	return NULL;
}

/* The line behind which a new key of the section goes: its last key, or its
 * header where it has none. NULL: the section is not there. */
static const struct mm_line *last_of(const struct mm_line *v, size_t n, const char *section)
{
	const struct mm_line *last = NULL;

	for (size_t i = 0; i < n; i++)
		if ((v[i].kind == MM_LINE_KEY || (v[i].kind == MM_LINE_HEADER && last == NULL)) &&
		    strcmp(v[i].section, section) == 0)
			last = &v[i];
	return last;
}

static const char *indent_of(struct mm_text in, const struct mm_line *l, struct mm_arena *a)
{
	return l->kind == MM_LINE_KEY ? mm_text_dup(in, l->from, l->kfrom, a) : "";
}

/* Only what could have stood there: it ends with its line, and is not another value's spelling. */
static int spell_unreadable(const struct mm_line_grammar *g, const struct mm_edit *e, struct mm_arena *a,
    const char **out, struct mm_err *err)
{
	const char *v = e->value;

	if (v[0] == '\0' || strchr(" \t\f", v[0]) != NULL || !mm_one_line(v) ||
	    (g->no_cr && strchr(v, '\r') != NULL) || g->decode(v, a) != NULL)
		return mm_err_set(err, MM_EX_DATAERR, "%s: not a value as it can be spelled", e->key);
	if (g->spell(e->key, "", a, out, err) != 0) /* is it a key? */
		return -1;
	*out = v;
	return 0;
}

static int spell(const struct mm_line_grammar *g, const struct mm_edit *e, struct mm_arena *a,
    const char **out, struct mm_err *err)
{
	const char *meaning = e->raw != NULL ? g->decode(e->raw, a) : NULL;

	if (e->value == NULL)
		return mm_err_set(err, MM_EX_DATAERR, "%s: no value given", e->key);
	if (g->unreadable && e->kind == 'u')
		return spell_unreadable(g, e, a, out, err);
	if (e->raw != NULL && meaning != NULL && strcmp(meaning, e->value) == 0) {
		*out = e->raw;
		return 0;
	}
	return g->spell(e->key, e->value, a, out, err);
}

static int add_key(const struct mm_line_grammar *g, struct mm_text in, const struct mm_line *v, size_t n,
    const struct mm_edit *e, const char *spelled, struct mm_cuts *cuts, struct mm_err *err)
{
	const struct mm_line *last = last_of(v, n, e->section);
	const char *gap = spelled[0] == '\0' && blank_parts(g) ? "" : g->between;

	if (last == NULL && g->flat && e->section[0] == '\0') {
		mm_put_lines(cuts, in, in.n, mm_arena_printf(cuts->a, "%s%s%s", e->key, gap, spelled));
		return 0;
	}
	if (last == NULL)
		return mm_err_set(err, MM_EX_DATAERR, "there is no section '%s'", e->section);
	mm_put_lines(cuts, in, last->next,
	    mm_arena_printf(cuts->a, "%s%s%s%s", indent_of(in, last, cuts->a), e->key, gap, spelled));
	return 0;
}

static int set(const struct mm_line_grammar *g, struct mm_text in, const struct mm_line *v, size_t n,
    struct mm_edit *e, struct mm_cuts *cuts, struct mm_err *err)
{
	const struct mm_line *l = winner(v, n, e);
	const char *spelled;

	if (l != NULL && e->value != NULL && strcmp(l->value, e->value) == 0 &&
	    (!g->unreadable || l->unreadable == (e->kind == 'u')))
		return 0;
	if (l != NULL && g->alone != NULL && mm_streq(e->raw, "") && mm_streq(e->value, g->alone)) {
		mm_cut_add(cuts, l->kto, l->vto, "");
		return 0;
	}
	if (spell(g, e, cuts->a, &spelled, err) != 0)
		return -1;
	if (l != NULL && l->alone) {
		mm_cut_add(cuts, l->kto, l->vto, mm_arena_printf(cuts->a, "%s%s", g->between, spelled));
		return 0;
	}
	if (l == NULL)
		return add_key(g, in, v, n, e, spelled, cuts, err);
	/* A key that stood alone ("auth") has no gap before its value yet, and
	 * gets it back without one. */
	if (l->vfrom == l->vto && l->vto > 0 && !mm_is_blank(in.p[l->vfrom - 1]) && blank_parts(g))
		spelled = mm_arena_printf(cuts->a, " %s", spelled);
	if (e->raw != NULL && spelled == e->raw && spelled[0] == '\0' && l->vfrom > 0 &&
	    in.p[l->vfrom - 1] == ' ' && blank_parts(g))
		mm_cut_add(cuts, l->vfrom - 1, l->vto, spelled);
	else
		mm_cut_add(cuts, l->vfrom, l->vto, spelled);
	return 0;
}

static void drop_keys(
    struct mm_text in, const struct mm_line *v, size_t n, const struct mm_edit *e, struct mm_cuts *cuts)
{
	for (size_t i = 0; i < n; i++)
		if (is_key(&v[i], e->section, e->key)) {
			if (v[i].inside)
				mm_cut_add(cuts, v[i].from, v[i].end, "");
			else
				mm_cut_lines(cuts, in, v[i].from, v[i].end);
		}
}

static int section_add(const struct mm_line_grammar *g, struct mm_text in, const struct mm_edit *e,
    struct mm_cuts *cuts, struct mm_err *err)
{
	const char *line;

	if (g->header == NULL)
		return mm_err_set(err, MM_EX_DATAERR, "this kind of file has no sections");
	if (g->header(e->section, e->value, cuts->a, &line, err) != 0)
		return -1;
	mm_put_lines(cuts, in, in.n, in.n == 0 ? line : mm_arena_printf(cuts->a, "\n%s", line));
	return 0;
}

static void section_remove(
    struct mm_text in, const struct mm_line *v, size_t n, const char *section, struct mm_cuts *cuts)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].kind == MM_LINE_KEY && strcmp(v[i].section, section) == 0)
			return; /* somebody put a key into it */
	for (size_t i = 0; i < n; i++) {
		bool gap = i > 0 && v[i - 1].kind == MM_LINE_BLANK && v[i - 1].from == v[i - 1].end;

		if (v[i].kind == MM_LINE_HEADER && strcmp(v[i].section, section) == 0)
			mm_cut_lines(cuts, in, v[gap ? i - 1 : i].from, v[i].end);
	}
}

static int edit_section(const struct mm_line_grammar *g, struct mm_text in, const struct mm_line *v, size_t n,
    struct mm_edit *e, struct mm_cuts *cuts, struct mm_err *err)
{
	const struct mm_line *h = header_of(v, n, e->section);

	e->had = h != NULL || last_of(v, n, e->section) != NULL; /* msmtp's "default" may have no header */
	e->former = h != NULL ? h->value : NULL;
	if (e->op == MM_EDIT_SECTION_ADD)
		return e->had ? 0 : section_add(g, in, e, cuts, err);
	section_remove(in, v, n, e->section, cuts);
	return 0;
}

int mm_lines_edit_one(const struct mm_line_grammar *g, struct mm_text in, struct mm_edit *e,
    struct mm_cuts *cuts, struct mm_err *err)
{
	const struct mm_line *l;
	struct mm_line *v;
	size_t n;

	if (g->scan(in, cuts->a, &v, &n, err) != 0)
		return -1;
	if (e->op == MM_EDIT_SECTION_ADD || e->op == MM_EDIT_SECTION_REMOVE)
		return edit_section(g, in, v, n, e, cuts, err);
	if (e->op != MM_EDIT_SET && e->op != MM_EDIT_DELETE)
		return mm_err_set(err, MM_EX_DATAERR, "this kind of file has neither lists nor blocks");
	l = winner(v, n, e);
	e->had = l != NULL;
	if (l != NULL) {
		e->former = l->value;
		e->former_raw = mm_text_dup(in, l->vfrom, l->vto, cuts->a);
		e->former_kind = l->unreadable ? 'u' : 's';
	}
	if (e->op == MM_EDIT_SET)
		return set(g, in, v, n, e, cuts, err);
	drop_keys(in, v, n, e, cuts);
	return 0;
}

int mm_lines_edit(const struct mm_line_grammar *g, mm_edit_one *one, struct mm_text in, struct mm_edit *edits,
    size_t n, struct mm_arena *a, struct mm_buf *out, struct mm_err *err)
{
	size_t before = out->len;
	struct mm_line *v;
	size_t nv;
	int rc;

	rc = mm_edit_run(in, edits, n, one, a, out, err);
	/* A line that comes first because the one above it went may be one that is refused there. */
	if (rc == 0)
		rc = g->scan(
		    (struct mm_text){.p = mm_buf_str(out) + before, .n = out->len - before}, a, &v, &nv, err);
	if (rc == 0 && g->verify != NULL)
		rc = g->verify(g, out, edits, n, a, err);
	if (rc != 0)
		out->len = before;
	return rc;
}
