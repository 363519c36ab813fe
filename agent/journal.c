#include "agent/journal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "agent/journal_json.h"
#include "common/file.h"
#include "common/json.h"
#include "common/text.h"

/* ---- rows in memory */

struct mm_row *mm_rows_find(
    const struct mm_rows *rows, const char *client, const char *path, const char *account)
{
	for (size_t i = 0; i < rows->n; i++) {
		struct mm_row *r = &rows->r[i];
		if (mm_streq(r->client, client) && mm_streq(r->path, path) &&
		    (account == NULL || mm_streq(r->account, account)))
			return r;
	}
	return NULL;
}

struct mm_row *mm_rows_add(struct mm_arena *a, struct mm_rows *rows)
{
	struct mm_row *r = mm_arena_push(a, &rows->r, &rows->n, &rows->cap, sizeof(*r));
	*r = (struct mm_row){.created = false};
	return r;
}

static struct mm_trial *copy_trial(struct mm_arena *a, const struct mm_trial *t)
{
	struct mm_trial *copy = mm_arena_alloc(a, 1, sizeof(*copy));
	*copy = *t;
	copy->cap = t->n;
	copy->edits = mm_arena_alloc(a, t->n + 1, sizeof(*copy->edits));
	if (t->n > 0)
		memcpy(copy->edits, t->edits, t->n * sizeof(*copy->edits));
	return copy;
}

struct mm_rows mm_rows_copy(
    struct mm_arena *a, const struct mm_rows *from, const char *client, const char *path)
{
	struct mm_rows to = {.n = 0};
	for (size_t i = 0; i < from->n; i++) {
		const struct mm_row *r = &from->r[i];
		if (!mm_streq(r->client, client) || !mm_streq(r->path, path))
			continue;
		struct mm_row *copy = mm_rows_add(a, &to);
		*copy = *r;
		copy->cap_edits = r->n_edits;
		copy->edits = mm_arena_alloc(a, r->n_edits + 1, sizeof(*copy->edits));
		if (r->n_edits > 0)
			memcpy(copy->edits, r->edits, r->n_edits * sizeof(*copy->edits));
		for (int s = 0; s < MM_SIDE_COUNT; s++)
			copy->trial[s] = r->trial[s] != NULL ? copy_trial(a, r->trial[s]) : NULL;
	}
	return to;
}

void mm_rows_remove(struct mm_rows *rows, const struct mm_row *row)
{
	size_t at = (size_t)(row - rows->r);
	memmove(&rows->r[at], &rows->r[at + 1], (rows->n - at - 1) * sizeof(*rows->r));
	rows->n--;
}

void mm_rows_install(struct mm_arena *a, struct mm_rows *rows, const char *client, const char *path,
    const struct mm_rows *with)
{
	const struct mm_row *old;
	while ((old = mm_rows_find(rows, client, path, NULL)) != NULL)
		mm_rows_remove(rows, old);
	for (size_t i = 0; i < with->n; i++)
		*mm_rows_add(a, rows) = with->r[i];
}

/* Do two edits concern the same thing in the file? */
static bool same_slot(const struct mm_done_edit *x, const struct mm_done_edit *y)
{
	static const int family[MM_EDIT_OP_COUNT] = {[MM_EDIT_SET] = 0,
	    [MM_EDIT_DELETE] = 0,
	    [MM_EDIT_LIST_ADD] = 1,
	    [MM_EDIT_LIST_REMOVE] = 1,
	    [MM_EDIT_SECTION_ADD] = 2,
	    [MM_EDIT_SECTION_REMOVE] = 2,
	    [MM_EDIT_BLOCK_SET] = 3,
	    [MM_EDIT_BLOCK_REMOVE] = 3};
	int f = family[x->e.op];
	if (f != family[y->e.op] || !mm_streq(x->path, y->path))
		return false;
	/* Of a list a member is the thing; `section` only says where it went. */
	if (f == 1)
		return mm_streq(x->e.key, y->e.key) && mm_streq(x->e.value, y->e.value);
	if (!mm_streq(x->e.section != NULL ? x->e.section : "", y->e.section != NULL ? y->e.section : ""))
		return false;
	return f != 0 || mm_streq(x->e.key, y->e.key);
}

static struct mm_done_edit *find_slot(const struct mm_row *row, const struct mm_done_edit *done)
{
	for (size_t i = 0; i < row->n_edits; i++)
		if (same_slot(&row->edits[i], done))
			return &row->edits[i];
	return NULL;
}

void mm_row_record(struct mm_arena *a, struct mm_row *row, const struct mm_done_edit *done)
{
	struct mm_done_edit *old = find_slot(row, done);
	if (old != NULL) {
		old->e.op = done->e.op;
		old->e.value = done->e.value;
		old->e.kind = done->e.kind;
		return;
	}
	struct mm_done_edit *d =
	    mm_arena_push(a, &row->edits, &row->n_edits, &row->cap_edits, sizeof(*row->edits));
	*d = *done;
}

void mm_row_record_trial(
    struct mm_arena *a, struct mm_row *row, struct mm_trial *t, const struct mm_done_edit *done)
{
	const struct mm_done_edit *old = find_slot(row, done);
	struct mm_trial_edit *e = mm_arena_push(a, &t->edits, &t->n, &t->cap, sizeof(*t->edits));
	*e = (struct mm_trial_edit){.d = *done, .fresh = old == NULL};
	if (old != NULL) {
		e->op = old->e.op;
		e->value = old->e.value;
		e->kind = old->e.kind;
	}
	mm_row_record(a, row, done);
}

void mm_row_unrecord(struct mm_row *row, const struct mm_trial_edit *e)
{
	struct mm_done_edit *old = find_slot(row, &e->d);
	if (old == NULL)
		return;
	if (e->fresh) {
		size_t at = (size_t)(old - row->edits);
		memmove(old, old + 1, (row->n_edits - at - 1) * sizeof(*old));
		row->n_edits--;
		return;
	}
	old->e.op = e->op;
	old->e.value = e->value;
	old->e.kind = e->kind;
}

/* ---- what was taken back */

static struct mm_reverted *find_reverted(const struct mm_journal *j, const char *account, enum mm_side side)
{
	for (size_t i = 0; i < j->n_reverted; i++)
		if (j->reverted[i].side == side && mm_streq(j->reverted[i].account, account))
			return &j->reverted[i];
	return NULL;
}

const struct mm_reverted *mm_journal_reverted(const struct mm_journal *j, const char *account,
    enum mm_side side, int64_t revision, const char *settings)
{
	const struct mm_reverted *r = find_reverted(j, account, side);
	return r != NULL && r->revision == revision && mm_streq(r->settings, settings) ? r : NULL;
}

void mm_journal_drop_reverted(struct mm_journal *j, const char *account, enum mm_side side)
{
	struct mm_reverted *r = find_reverted(j, account, side);
	if (r == NULL)
		return;
	size_t at = (size_t)(r - j->reverted);
	memmove(r, r + 1, (j->n_reverted - at - 1) * sizeof(*r));
	j->n_reverted--;
}

void mm_journal_add_reverted(struct mm_journal *j, const struct mm_reverted *r)
{
	mm_journal_drop_reverted(j, r->account, r->side);
	if (j->n_reverted == MM_REVERTED_MAX)
		mm_journal_drop_reverted(j, j->reverted[0].account, j->reverted[0].side);
	struct mm_reverted *to =
	    mm_arena_push(j->arena, &j->reverted, &j->n_reverted, &j->cap_reverted, sizeof(*to));
	*to = *r;
}

/* ---- what is put off */

static struct mm_put_off *find_put_off(const struct mm_journal *j, const char *client, const char *path)
{
	for (size_t i = 0; i < j->n_put_off; i++)
		if (mm_streq(j->put_off[i].client, client) && mm_streq(j->put_off[i].path, path))
			return &j->put_off[i];
	return NULL;
}

int64_t mm_journal_put_off(struct mm_journal *j, const char *client, const char *path, int64_t now)
{
	const struct mm_put_off *old = find_put_off(j, client, path);
	if (old != NULL || j->n_put_off == MM_PUT_OFF_MAX)
		return old != NULL && old->since <= now ? old->since : now;
	*(struct mm_put_off *)mm_arena_push(j->arena, &j->put_off, &j->n_put_off, &j->cap_put_off,
	    sizeof(*j->put_off)) = (struct mm_put_off){.client = client, .path = path, .since = now};
	return now;
}

void mm_journal_caught_up(struct mm_journal *j, const char *client, const char *path)
{
	struct mm_put_off *old = find_put_off(j, client, path);
	if (old == NULL)
		return;
	size_t at = (size_t)(old - j->put_off);
	memmove(old, old + 1, (j->n_put_off - at - 1) * sizeof(*old));
	j->n_put_off--;
}

/* ---- the file */

static void put_text(json_t *o, const char *key, const char *s)
{
	if (s == NULL || !mm_is_utf8(s, strlen(s)))
		mm_json_set_str(o, key, "");
	else
		mm_json_set_str(o, key, s);
}

static json_t *intent_json(const struct mm_intent *in)
{
	json_t *o = json_object(), *files = json_array();
	mm_json_set_str(o, "client", in->client);
	put_text(o, "path", in->path);
	for (size_t i = 0; i < in->n; i++) {
		json_t *f = json_object();
		put_text(f, "path", in->files[i].path);
		mm_json_set_str(f, "before", in->files[i].before);
		mm_json_set_str(f, "after", in->files[i].after);
		if (json_array_append_new(files, f) != 0)
			mm_oom();
	}
	mm_json_set(o, "files", files);
	mm_json_set(o, "rows", mm_rows_json(&in->rows));
	return o;
}

static int intent_file_parse(
    const json_t *f, struct mm_arena *a, struct mm_intent_file *out, struct mm_err *err)
{
	const char *path, *before, *after;
	if (mm_json_str(f, "path", 4096, &path, err) != 0 ||
	    mm_json_str(f, "before", MM_SHA256_HEX - 1, &before, err) != 0 ||
	    mm_json_str(f, "after", MM_SHA256_HEX - 1, &after, err) != 0)
		return -1;
	out->path = mm_arena_strdup(a, path);
	memcpy(out->before, before, strlen(before) + 1);
	memcpy(out->after, after, strlen(after) + 1);
	return 0;
}

static int intent_parse(const json_t *o, struct mm_arena *a, struct mm_intent *in, struct mm_err *err)
{
	const json_t *files, *rows;
	const char *client, *path;
	if (mm_json_str(o, "client", 64, &client, err) != 0 ||
	    mm_json_str(o, "path", 4096, &path, err) != 0 ||
	    mm_json_array(o, "files", MM_JOURNAL_ROWS_MAX, false, &files, err) != 0 ||
	    mm_json_array(o, "rows", MM_JOURNAL_ROWS_MAX, false, &rows, err) != 0 ||
	    mm_rows_parse(rows, a, &in->rows, err) != 0)
		return -1;
	in->n = json_array_size(files);
	struct mm_intent_file *list = mm_arena_alloc(a, in->n + 1, sizeof(*list));
	for (size_t i = 0; i < in->n; i++) {
		if (intent_file_parse(json_array_get(files, i), a, &list[i], err) != 0)
			return -1;
	}
	in->files = list;
	in->path = mm_arena_strdup(a, path);
	in->client = mm_arena_strdup(a, client);
	return 0;
}

static int parse(const json_t *o, struct mm_journal *j, struct mm_err *err)
{
	int64_t version;
	const json_t *rows, *intent;
	if (mm_json_int(o, "version", 1, INT64_MAX, &version, err) != 0)
		return -1;
	if (version > MM_JOURNAL_VERSION)
		return mm_err_set(err, MM_EX_DATAERR,
		    "was written by a newer mailmuster-agent (version %lld, known is %d)", (long long)version,
		    MM_JOURNAL_VERSION);
	if (mm_json_int(o, "revision", 0, INT64_MAX, &j->revision, err) != 0 ||
	    (json_object_get(o, "restored") != NULL &&
		mm_json_int(o, "restored", 0, INT64_MAX, &j->restored, err) != 0) ||
	    mm_json_array(o, "rows", MM_JOURNAL_ROWS_MAX, false, &rows, err) != 0 ||
	    mm_rows_parse(rows, j->arena, &j->rows, err) != 0 || mm_reverted_parse(o, j, err) != 0 ||
	    mm_put_off_parse(o, j, err) != 0 || mm_json_object(o, "intent", true, &intent, err) != 0)
		return -1;
	return intent != NULL ? intent_parse(intent, j->arena, &j->intent, err) : 0;
}

int mm_journal_load(const char *dir, struct mm_arena *a, struct mm_journal *out, struct mm_err *err)
{
	struct mm_journal j = {.arena = a, .file = mm_arena_printf(a, "%s/journal.json", dir)};
	struct mm_buf text = MM_BUF_INIT(MM_JOURNAL_MAX);
	if (access(j.file, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR)) {
		*out = j;
		return 0;
	}
	int rc = mm_file_read_own(j.file, MM_JOURNAL_MAX, false, &text, err);
	json_t *o = rc == 0 ? mm_json_load("journal", mm_buf_str(&text), text.len, err) : NULL;
	if (o == NULL || parse(o, &j, err) != 0)
		rc = mm_err_prefix(err, "%s", j.file);
	mm_sha256_hex(mm_buf_str(&text), text.len, j.saved);
	json_decref(o);
	mm_buf_free(&text);
	if (rc == 0)
		*out = j;
	return rc;
}

static int write_out(struct mm_journal *j, const struct mm_buf *text, struct mm_err *err)
{
	char sum[MM_SHA256_HEX];
	mm_sha256_hex(mm_buf_str(text), text->len, sum);
	if (strcmp(sum, j->saved) == 0)
		return 0;
	if (!mm_buf_ok(text))
		return mm_err_set(
		    err, MM_EX_FAILED, "%s would be larger than %u bytes", j->file, MM_JOURNAL_MAX);
	const char *dir = mm_arena_strndup(j->arena, j->file, strlen(j->file) - strlen("/journal.json"));
	if (mm_mkdirs(dir, 0700, err) != 0 ||
	    mm_write_own(j->file, mm_buf_str(text), text->len, 0600, err) != 0)
		return -1;
	memcpy(j->saved, sum, sizeof(sum));
	return 0;
}

int mm_journal_save(struct mm_journal *j, struct mm_err *err)
{
	struct mm_buf text = MM_BUF_INIT(MM_JOURNAL_MAX);
	if (j->saved[0] == '\0' && j->revision == 0 && j->rows.n == 0 && j->intent.client == NULL &&
	    j->n_reverted == 0 && j->n_put_off == 0 && j->restored == 0)
		return 0;
	json_t *o = json_object();
	mm_json_set_int(o, "version", MM_JOURNAL_VERSION);
	mm_json_set_int(o, "revision", j->revision);
	if (j->restored != 0)
		mm_json_set_int(o, "restored", j->restored);
	mm_json_set(o, "rows", mm_rows_json(&j->rows));
	if (j->n_reverted > 0)
		mm_json_set(o, "reverted", mm_reverted_json(j));
	if (j->n_put_off > 0)
		mm_json_set(o, "put_off", mm_put_off_json(j));
	if (j->intent.client != NULL)
		mm_json_set(o, "intent", intent_json(&j->intent));
	mm_json_dump(o, &text);
	json_decref(o);
	mm_buf_addc(&text, '\n');
	int rc = write_out(j, &text, err);
	mm_buf_free(&text);
	return rc;
}

/* ---- recovery */

enum written { WRITTEN_NO, WRITTEN_YES, WRITTEN_SINCE };

/* Was this file replaced before the run died? A file that is neither the old
 * nor the new one was written to since, which nobody did between reading it
 * and dying: so ours came first if it shows anywhere in it. */
static enum written was_written(const struct mm_intent_file *f, mm_text_source *read, void *ctx)
{
	struct mm_text t = {.p = NULL};
	char sum[MM_SHA256_HEX] = "";
	int got = read(ctx, f->path, &t);
	if (got < 0)
		return WRITTEN_SINCE;
	if (got > 0)
		mm_sha256_hex(t.p, t.n, sum);
	if (strcmp(sum, f->after) == 0)
		return WRITTEN_YES;
	return strcmp(sum, f->before) == 0 ? WRITTEN_NO : WRITTEN_SINCE;
}

static bool in_force(
    const struct mm_journal *j, const struct mm_done_edit *d, mm_text_source *read, void *ctx)
{
	const struct mm_format *f = mm_format_by_name(d->format);
	struct mm_text t = {.p = NULL};
	struct mm_doc doc;
	if (f == NULL || d->e.key == NULL || read(ctx, d->path, &t) <= 0 ||
	    f->parse(t, j->arena, &doc, NULL) != 0)
		return false;
	const struct mm_item *it = mm_doc_find(&doc, d->e.section != NULL ? d->e.section : "", d->e.key);
	return it != NULL && mm_streq(it->value, d->e.value);
}

static enum written file_state(const struct mm_journal *j, const char *path, mm_text_source *read, void *ctx)
{
	for (size_t i = 0; i < j->intent.n; i++) {
		if (mm_streq(j->intent.files[i].path, path))
			return was_written(&j->intent.files[i], read, ctx);
	}
	return WRITTEN_NO;
}

/* What is on trial in the files that were replaced. */
static struct mm_trial *half_of_trial(const struct mm_journal *j, const struct mm_trial *meant,
    const struct mm_trial *have, mm_text_source *read, void *ctx)
{
	struct mm_trial *t = copy_trial(j->arena, meant);
	size_t known = have != NULL ? have->n : 0;
	t->n = 0;
	for (size_t i = 0; i < meant->n; i++) {
		const struct mm_done_edit *d = &meant->edits[i].d;
		enum written w = i < known ? WRITTEN_YES : file_state(j, d->path, read, ctx);
		if (w == WRITTEN_YES || (w == WRITTEN_SINCE && in_force(j, d, read, ctx)))
			t->edits[t->n++] = meant->edits[i];
	}
	return t->n > 0 ? t : NULL;
}

/* A taking back that came only half way is begun anew: first everything as
 * the policy has it, and then the trial. */
static void settle_trials(
    struct mm_journal *j, const struct mm_row *meant, struct mm_row *to, mm_text_source *read, void *ctx)
{
	for (int s = 0; s < MM_SIDE_COUNT; s++) {
		if (meant->trial[s] != NULL)
			to->trial[s] = half_of_trial(j, meant->trial[s], to->trial[s], read, ctx);
		else if (to->trial[s] != NULL)
			mm_journal_drop_reverted(j, meant->account, (enum mm_side)s);
	}
}

/* Only some files were replaced: what was edited in those is ours from now
 * on, what was applied counts as it was before. */
static void settle_half(struct mm_journal *j, mm_text_source *read, void *ctx)
{
	struct mm_rows now = mm_rows_copy(j->arena, &j->rows, j->intent.client, j->intent.path);
	for (size_t i = 0; i < j->intent.rows.n; i++) {
		const struct mm_row *meant = &j->intent.rows.r[i];
		struct mm_row *have = mm_rows_find(&now, meant->client, meant->path, meant->account);
		struct mm_row fresh = *meant;
		fresh.applied = (struct mm_values){.v = {NULL}};
		fresh.edits = NULL;
		fresh.n_edits = fresh.cap_edits = 0;
		memset(fresh.trial, 0, sizeof(fresh.trial));
		struct mm_row *to = have != NULL ? have : &fresh;
		for (size_t k = 0; k < meant->n_edits; k++) {
			const struct mm_done_edit *d = &meant->edits[k];
			enum written w = file_state(j, d->path, read, ctx);
			if (w == WRITTEN_YES || (w == WRITTEN_SINCE && in_force(j, d, read, ctx)))
				mm_row_record(j->arena, to, d);
		}
		settle_trials(j, meant, to, read, ctx);
		if (have == NULL && fresh.n_edits > 0)
			*mm_rows_add(j->arena, &now) = fresh;
	}
	mm_rows_install(j->arena, &j->rows, j->intent.client, j->intent.path, &now);
}

int mm_journal_recover(struct mm_journal *j, mm_text_source *read, void *ctx)
{
	size_t yes = 0, no = 0;
	if (j->intent.client == NULL)
		return 0;
	for (size_t i = 0; i < j->intent.n; i++) {
		enum written w = was_written(&j->intent.files[i], read, ctx);
		yes += w == WRITTEN_YES;
		no += w == WRITTEN_NO;
	}
	if (yes == j->intent.n)
		mm_rows_install(j->arena, &j->rows, j->intent.client, j->intent.path, &j->intent.rows);
	else if (no < j->intent.n)
		settle_half(j, read, ctx);
	j->intent = (struct mm_intent){.client = NULL};
	return 1;
}
