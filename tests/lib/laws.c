#include "tests/lib/laws.h"

#include <string.h>

#include "common/text.h"

struct run {
	const struct mm_format *f;
	struct mm_arena *a;
	struct mm_err err;
};

static int edit(struct run *r, struct mm_text in, struct mm_edit *e, size_t n, struct mm_text *out)
{
	struct mm_buf b = MM_BUF_INIT(2 * MM_FORMAT_TEXT_MAX);
	int rc = r->f->edit(in, e, n, r->a, &b, &r->err);

	if (rc == 0)
		*out = (struct mm_text){.p = mm_arena_strndup(r->a, mm_buf_str(&b), b.len), .n = b.len};
	else if (b.len != 0)
		rc = -2; /* an error must leave the output alone */
	mm_buf_free(&b);
	return rc;
}

static bool same_text(struct mm_text x, struct mm_text y)
{
	return x.n == y.n && (x.n == 0 || memcmp(x.p, y.p, x.n) == 0);
}

static bool same_item(const struct mm_item *x, const struct mm_item *y)
{
	return strcmp(x->section, y->section) == 0 && strcmp(x->key, y->key) == 0 &&
	       mm_streq(x->value, y->value) && x->kind == y->kind;
}

/* Is this the item (or the header) that the edit is about? */
static bool about(const struct mm_item *it, const struct mm_edit *e)
{
	bool section = e->op == MM_EDIT_SECTION_ADD || e->op == MM_EDIT_SECTION_REMOVE;
	bool list = e->op == MM_EDIT_LIST_ADD || e->op == MM_EDIT_LIST_REMOVE;

	if (section)
		return it->kind == 'c' && strcmp(it->section, e->section) == 0;
	return strcmp(it->key, e->key) == 0 && (list || strcmp(it->section, e->section) == 0);
}

static const char *others_touched(
    const struct mm_doc *x, const struct mm_doc *y, const struct mm_edit *e, struct mm_arena *a)
{
	size_t i = 0, j = 0;

	if (e->op == MM_EDIT_BLOCK_SET || e->op == MM_EDIT_BLOCK_REMOVE)
		return NULL; /* the lines of a block are items themselves */
	for (;; i++, j++) {
		while (i < x->n && about(&x->items[i], e))
			i++;
		while (j < y->n && about(&y->items[j], e))
			j++;
		if (i == x->n && j == y->n)
			return NULL;
		if (i == x->n || j == y->n || !same_item(&x->items[i], &y->items[j]))
			return mm_arena_printf(a, "L4: item %zu became another one", i);
	}
}

static bool in_list(const char *list, const char *member)
{
	size_t n = strlen(member);

	for (const char *p = list; p != NULL; p = strchr(p, ',') != NULL ? strchr(p, ',') + 1 : NULL) {
		size_t k = strcspn(p, ",");

		while (k > 0 && (*p == ' ' || *p == '\t')) {
			p++;
			k--;
		}
		while (k > 0 && (p[k - 1] == ' ' || p[k - 1] == '\t'))
			k--;
		if (k == n && memcmp(p, member, n) == 0)
			return true;
	}
	return false;
}

static bool has_header(const struct mm_doc *d, const char *section)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->items[i].kind == 'c' && strcmp(d->items[i].section, section) == 0)
			return true;
	return false;
}

static const char *not_read_back(const struct mm_doc *d, const struct mm_edit *e)
{
	const struct mm_item *it =
	    e->key != NULL
		? mm_doc_find(
		      d, e->op == MM_EDIT_LIST_ADD || e->op == MM_EDIT_LIST_REMOVE ? "" : e->section, e->key)
		: NULL;

	switch (e->op) {
	case MM_EDIT_SET:
		return it != NULL && strcmp(it->value, e->value) == 0 ? NULL
								      : "L2: another value is read back";
	case MM_EDIT_DELETE:
		return it == NULL || it->kind == 'b' || it->kind == 'c' ? NULL
									: "L2: a deleted key is read back";
	case MM_EDIT_LIST_ADD:
		return it != NULL && in_list(it->value, e->value) ? NULL
								  : "L2: the member is not in the list";
	case MM_EDIT_SECTION_ADD:
		return has_header(d, e->section) || e->had ? NULL : "L2: the section is not there";
	default:
		return NULL;
	}
}

static bool undoes_exactly(const struct mm_edit *e)
{
	return e->op == MM_EDIT_SET || e->op == MM_EDIT_LIST_ADD || e->op == MM_EDIT_SECTION_ADD ||
	       e->op == MM_EDIT_BLOCK_SET;
}

static const char *not_undone(struct run *r, struct mm_text in, struct mm_text out, const struct mm_edit *e)
{
	struct mm_edit back;
	struct mm_text again;

	if (!undoes_exactly(e))
		return NULL;
	if (!mm_edit_inverse(e, &back))
		return same_text(in, out) ? NULL : "L6: changed, but there is no inverse";
	if (edit(r, out, &back, 1, &again) != 0)
		return mm_arena_printf(r->a, "L6: the inverse is refused: %s", r->err.text);
	return same_text(in, again) ? NULL : "L6: the inverse does not give the bytes from before";
}

/* L3: every value that stands there, set to what it is. */
static const char *not_stable(struct run *r, struct mm_text in, const struct mm_doc *d)
{
	for (size_t i = 0, done = 0; i < d->n && done < 20; i++) {
		const struct mm_item *it = &d->items[i];
		struct mm_edit e = {.op = MM_EDIT_SET,
		    .section = it->section,
		    .key = it->key,
		    .value = it->value,
		    .kind = it->kind};
		struct mm_text out;

		if (!it->wins || it->kind == 'c' ||
		    (it->kind == 'b' && r->f == mm_format_by_name("muttrc")) ||
		    strcmp(it->section, "default") == 0)
			continue;
		done++;
		if (edit(r, in, &e, 1, &out) != 0)
			return mm_arena_printf(r->a, "L3: %s: %s", it->key, r->err.text);
		if (!same_text(in, out) || e.changed)
			return mm_arena_printf(r->a, "L3: setting %s to what it is changed bytes", it->key);
	}
	return NULL;
}

static const char *malformed(struct run *r, struct mm_text in, struct mm_edit *e, bool *refused)
{
	struct mm_text out;
	int rc = edit(r, in, e, 1, &out);

	*refused = true;
	return rc == -1 ? NULL : "L5: a malformed text was edited, or the error left output";
}

const char *mm_laws_broken(const struct mm_format *f, struct mm_text in, const struct mm_edit *edit_in,
    struct mm_arena *a, bool *refused)
{
	struct run r = {.f = f, .a = a, .err = {.code = 0}};
	struct mm_edit e = *edit_in, twice = *edit_in;
	struct mm_doc before, after;
	struct mm_text out, again;
	const char *broken;
	int rc;

	*refused = false;
	if (f->parse(in, a, &before, &r.err) != 0)
		return malformed(&r, in, &e, refused);
	broken = not_stable(&r, in, &before);
	if (broken != NULL)
		return broken;
	rc = edit(&r, in, &e, 1, &out);
	if (rc != 0) {
		*refused = true;
		return rc == -1 && r.err.code != 0 ? NULL : "an error left output or has no code";
	}
	if (!e.changed && !same_text(in, out))
		return "L3: bytes changed although the edit says they did not";
	if (f->parse(out, a, &after, &r.err) != 0)
		return mm_arena_printf(a, "L2: what was written cannot be read: %s", r.err.text);
	broken = not_read_back(&after, &e);
	if (broken == NULL)
		broken = others_touched(&before, &after, &e, a);
	if (broken == NULL && (edit(&r, out, &twice, 1, &again) != 0 || !same_text(out, again)))
		broken = "L1: editing twice is not editing once";
	return broken != NULL ? broken : not_undone(&r, in, out, &e);
}
