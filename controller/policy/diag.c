#include "controller/policy/diag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/text.h"

void mm_diags_init(struct mm_diags *d, struct mm_arena *a)
{
	*d = (struct mm_diags){.arena = a, .folder = ""};
}

static bool same(const struct mm_diag *x, bool warning, struct mm_origin at, const char *text)
{
	return x->warning == warning && x->at.line == at.line && mm_streq(x->at.file, at.file) &&
	       mm_streq(x->text, text);
}

static void __attribute__((format(printf, 4, 0)))
add(struct mm_diags *d, bool warning, struct mm_origin at, const char *fmt, va_list ap)
{
	struct mm_err e;
	mm_err_vset(&e, MM_EX_DATAERR, fmt, ap);
	for (size_t i = 0; i < d->n; i++)
		if (same(&d->items[i], warning, at, e.text))
			return;
	if (warning)
		d->warnings++;
	else
		d->errors++;
	if (d->n == MM_DIAGS_MAX) {
		d->dropped++;
		return;
	}
	struct mm_diag *x = mm_arena_push(d->arena, &d->items, &d->n, &d->cap, sizeof(*x));
	*x = (struct mm_diag){
	    .warning = warning, .at = at, .text = mm_arena_strdup(d->arena, e.text), .seq = d->n};
}

void mm_diag_error(struct mm_diags *d, struct mm_origin at, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	add(d, false, at, fmt, ap);
	va_end(ap);
}

void mm_diag_warn(struct mm_diags *d, struct mm_origin at, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	add(d, true, at, fmt, ap);
	va_end(ap);
}

static int by_place(const void *a, const void *b)
{
	const struct mm_diag *x = a, *y = b;
	int c = strcmp(x->at.file != NULL ? x->at.file : "", y->at.file != NULL ? y->at.file : "");
	if (c != 0)
		return c;
	if (x->at.line != y->at.line)
		return x->at.line < y->at.line ? -1 : 1;
	return x->seq < y->seq ? -1 : 1;
}

void mm_diags_sort(struct mm_diags *d)
{
	if (d->n > 1)
		qsort(d->items, d->n, sizeof(*d->items), by_place);
}

void mm_diags_demote(struct mm_diags *d)
{
	for (size_t i = 0; i < d->n; i++)
		d->items[i].warning = true;
	d->warnings += d->errors;
	d->errors = 0;
}

void mm_diags_join(struct mm_diags *d, const struct mm_diags *more)
{
	for (size_t i = 0; i < more->n; i++) {
		const struct mm_diag *x = &more->items[i];
		(x->warning ? mm_diag_warn : mm_diag_error)(d, x->at, "%s", x->text);
	}
}

void mm_diag_line(const struct mm_diags *d, const struct mm_diag *one, struct mm_buf *out)
{
	if (one->at.file != NULL)
		mm_buf_addf(out, "%s%s:", d->folder, one->at.file);
	if (one->at.file != NULL && one->at.line > 0)
		mm_buf_addf(out, "%d:", one->at.line);
	mm_buf_addf(
	    out, "%s%s%s", one->at.file != NULL ? " " : "", one->warning ? "warning: " : "", one->text);
}

void mm_diags_print(const struct mm_diags *d, FILE *f)
{
	struct mm_buf b = MM_BUF_INIT(16384);
	for (size_t i = 0; i < d->n; i++) {
		mm_buf_reset(&b);
		mm_diag_line(d, &d->items[i], &b);
		fprintf(f, "%s\n", mm_buf_str(&b));
	}
	if (d->dropped > 0)
		fprintf(f, "%zu more not shown\n", d->dropped);
	mm_buf_free(&b);
}

json_t *mm_diags_json(const struct mm_diags *d)
{
	json_t *list = json_array();
	for (size_t i = 0; i < d->n; i++) {
		const struct mm_diag *x = &d->items[i];
		json_t *o = json_object();
		mm_json_set_str(o, "severity", x->warning ? "warning" : "error");
		mm_json_set_str(o, "file", x->at.file);
		if (x->at.line > 0)
			mm_json_set_int(o, "line", x->at.line);
		mm_json_set_str(o, "text", x->text);
		if (json_array_append_new(list, o) != 0)
			mm_oom();
	}
	return list;
}

int mm_diags_err(const struct mm_diags *d, struct mm_err *err)
{
	if (d->errors == 0)
		return 0;
	const struct mm_diag *first = d->items;
	while (first->warning)
		first++;
	struct mm_buf b = MM_BUF_INIT(16384);
	mm_diag_line(d, first, &b);
	if (d->errors > 1)
		mm_buf_addf(&b, " (and %zu more)", d->errors - 1);
	mm_err_set(err, MM_EX_DATAERR, "%s", mm_buf_str(&b));
	mm_buf_free(&b);
	return -1;
}

const char *mm_origin_text(struct mm_origin at, struct mm_arena *a)
{
	if (at.file == NULL)
		return "-";
	return at.line > 0 ? mm_arena_printf(a, "%s:%d", at.file, at.line) : at.file;
}
