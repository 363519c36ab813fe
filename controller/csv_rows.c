#include "controller/csv_rows.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

struct mm_origin mm_rows_at(const struct mm_rows *r, int line)
{
	return (struct mm_origin){.file = r->file, .line = line};
}

static bool in(const char *const *list, const char *s)
{
	for (; *list; list++)
		if (strcmp(*list, s) == 0)
			return true;
	return false;
}

static void check_head(struct mm_rows *r, const char *const *required, const char *const *known, bool others)
{
	struct mm_origin at = mm_rows_at(r, r->head_line);

	for (size_t i = 0; i < r->n_head; i++) {
		const char *near = mm_nearest(r->head[i], known);

		if (!*r->head[i])
			mm_diag_error(r->d, at, "column %zu has no name", i + 1);
		else if (!others && !in(known, r->head[i]))
			mm_diag_error(r->d, at, "unknown column \"%s\"%s%s%s", r->head[i],
			    near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
		for (size_t k = 0; k < i; k++)
			if (strcmp(r->head[i], r->head[k]) == 0)
				mm_diag_error(r->d, at, "column \"%s\" is there twice", r->head[i]);
	}
	for (; *required; required++) {
		bool found = false;

		for (size_t i = 0; i < r->n_head && !found; i++)
			found = strcmp(r->head[i], *required) == 0;
		if (!found)
			mm_diag_error(r->d, at, "column \"%s\" is missing; the first line names the columns",
			    *required);
	}
}

int mm_rows_begin(struct mm_rows *r, const char *file, const struct mm_buf *text, const char *const *required,
    const char *const *known, bool others, struct mm_arena *a, struct mm_diags *d)
{
	struct mm_err err = MM_ERR_NONE;
	int rc;

	*r = (struct mm_rows){.a = a, .d = d, .file = mm_arena_strdup(a, file)};
	mm_csv_init(&r->csv, mm_buf_str(text), text->len);
	rc = mm_csv_next(&r->csv, a, &r->row, &err);
	r->head_line = r->row.line;
	if (rc <= 0) {
		mm_diag_error(d, mm_rows_at(r, r->row.line), "%s", rc ? err.text : "the file is empty");
		return -1;
	}
	r->n_head = r->row.n;
	memcpy(r->head, r->row.field, sizeof(r->head));
	check_head(r, required, known, others);
	return d->errors ? -1 : 0;
}

int mm_rows_next(struct mm_rows *r)
{
	struct mm_err err = MM_ERR_NONE;
	int rc;

	while ((rc = mm_csv_next(&r->csv, r->a, &r->row, &err)) != 0) {
		if (rc < 0)
			mm_diag_error(r->d, mm_rows_at(r, r->row.line), "%s", err.text);
		else if (r->row.n != r->n_head)
			mm_rows_bad(
			    r, "%zu fields, but the first line names %zu columns", r->row.n, r->n_head);
		else
			return 1;
	}
	return 0;
}

const char *mm_rows_get(const struct mm_rows *r, const char *name)
{
	for (size_t i = 0; i < r->n_head; i++)
		if (strcmp(r->head[i], name) == 0)
			return r->row.field[i];
	return NULL;
}

void mm_rows_bad(struct mm_rows *r, const char *fmt, ...)
{
	char text[MM_ERR_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	mm_diag_error(r->d, mm_rows_at(r, r->row.line), "%s", text);
}

void mm_rows_key(struct mm_rows *r, const char *text)
{
	struct mm_row_key *k = mm_arena_push(r->a, &r->keys, &r->n_keys, &r->cap_keys, sizeof(*r->keys));

	*k = (struct mm_row_key){.text = text, .line = r->row.line};
}

static int by_key(const void *x, const void *y)
{
	const struct mm_row_key *a = x, *b = y;
	int order = strcmp(a->text, b->text);

	return order ? order : (a->line > b->line) - (a->line < b->line);
}

const char *const *mm_rows_keys(struct mm_rows *r, const char *what)
{
	const char **out = mm_arena_alloc(r->a, r->n_keys + 1, sizeof(*out));

	if (r->n_keys > 0)
		qsort(r->keys, r->n_keys, sizeof(*r->keys), by_key);
	for (size_t i = 0; i < r->n_keys; i++) {
		out[i] = r->keys[i].text;
		if (i > 0 && strcmp(out[i], out[i - 1]) == 0)
			mm_diag_error(r->d, mm_rows_at(r, r->keys[i].line),
			    "%s \"%s\" is there already, in line %d", what, out[i], r->keys[i - 1].line);
	}
	return out;
}

static int by_text(const void *x, const void *y)
{
	const char *const *a = x, *const *b = y;

	return strcmp(*a, *b);
}

const char *const *mm_rows_split(struct mm_arena *a, const char *text, size_t *n)
{
	const char **items = mm_arena_alloc(a, strlen(text) / 2 + 2, sizeof(*items));
	size_t count = 0, out = 0;

	while (*text) {
		size_t len = strcspn(text, ";"), skip = strspn(text, " "), end = len;

		while (end > skip && text[end - 1] == ' ')
			end--;
		if (end > skip)
			items[count++] = mm_arena_strndup(a, text + skip, end - skip);
		text += len + (text[len] == ';');
	}
	qsort(items, count, sizeof(*items), by_text);
	for (size_t i = 0; i < count; i++)
		if (out == 0 || strcmp(items[out - 1], items[i]) != 0)
			items[out++] = items[i];
	items[out] = NULL;
	*n = out;
	return items;
}
