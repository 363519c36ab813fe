/* Taking our own edits back, against the text as it is now. */
#include <string.h>

#include "agent/place.h"
#include "common/text.h"

/* Does the thing that we edited still have the value that we gave it? */
static bool still_ours(
    struct mm_text text, const struct mm_format *f, const struct mm_edit *e, struct mm_arena *a)
{
	struct mm_doc doc;
	if (e->op != MM_EDIT_SET)
		return true;
	if (f->parse(text, a, &doc, NULL) != 0)
		return false;
	const struct mm_item *it = mm_doc_find(&doc, e->section != NULL ? e->section : "", e->key);
	return it != NULL && mm_streq(it->value, e->value);
}

int mm_undo_edit(struct mm_overlay *o, struct mm_arena *a, const struct mm_done_edit *d, bool whole,
    bool *undone, struct mm_err *err)
{
	struct mm_reader *r = mm_overlay_reader(o);
	const struct mm_format *f = mm_format_by_name(d->format);
	struct mm_edit inverse;
	struct mm_text text = {.p = NULL};
	enum mm_file_trouble why = MM_FILE_OK;
	if (f == NULL)
		return mm_err_set(err, MM_EX_DATAERR, "the journal names the unknown format %s", d->format);
	int got = r->file(r, d->path, &text, &why, err);
	*undone = got == 0;
	if (got <= 0)
		return got; /* the file is gone, and our edit with it */
	if (d->secret && d->e.op == MM_EDIT_DELETE && d->e.former == NULL)
		return 0; /* a password that is not kept */
	if (!mm_edit_inverse(&d->e, &inverse) || (!whole && !still_ours(text, f, &d->e, a)))
		return 0;
	struct mm_file_edit file = {.path = d->path, .format = f, .edits = &inverse, .n = 1};
	struct mm_edits edits = {.files = &file, .n = 1};
	*undone = true;
	return mm_overlay_apply(o, &edits, err);
}

int mm_undo_row(
    struct mm_overlay *o, struct mm_arena *a, const struct mm_row *row, bool whole, struct mm_err *err)
{
	bool undone;
	for (size_t i = row->n_edits; i-- > 0;) {
		if (mm_undo_edit(o, a, &row->edits[i], whole, &undone, err) != 0)
			return -1;
	}
	return 0;
}
