/* The journal's rows as JSON. */
#include "agent/journal_json.h"

#include <string.h>

#include "agent/forget.h"
#include "common/json.h"
#include "common/text.h"

#define EDITS_MAX 65536

/* A former value is whatever stood in the user's file: any bytes. What JSON
 * cannot hold goes as base64 under "KEY.b64". */
void mm_journal_put_bytes(json_t *o, const char *key, const char *s)
{
	if (s == NULL)
		return;
	if (mm_is_utf8(s, strlen(s))) {
		mm_json_set(o, key, json_string(s));
		return;
	}
	struct mm_buf b64 = MM_BUF_INIT(MM_JOURNAL_MAX), name = MM_BUF_INIT(64);
	mm_base64(s, strlen(s), &b64);
	mm_buf_addf(&name, "%s.b64", key);
	mm_json_set(o, mm_buf_str(&name), json_string(mm_buf_str(&b64)));
	mm_buf_free(&name);
	mm_buf_free(&b64);
}

int mm_journal_get_bytes(
    const json_t *o, const char *key, struct mm_arena *a, const char **out, struct mm_err *err)
{
	const json_t *v = json_object_get(o, key);
	if (json_is_string(v)) {
		*out = mm_arena_strdup(a, json_string_value(v));
		return 0;
	}
	*out = NULL;
	v = json_object_get(o, mm_arena_printf(a, "%s.b64", key));
	if (v == NULL)
		return 0;
	struct mm_buf raw = MM_BUF_INIT(MM_JOURNAL_MAX);
	const char *b64 = json_string_value(v);
	int rc = b64 != NULL ? mm_unbase64(b64, strlen(b64), &raw) : -1;
	if (rc == 0)
		*out = mm_arena_strndup(a, mm_buf_str(&raw), raw.len);
	else
		mm_err_set(err, MM_EX_DATAERR, "member \"%s.b64\" is not base64", key);
	mm_buf_free(&raw);
	return rc;
}

/* ---- edits */

void mm_journal_put_kind(json_t *o, const char *key, char kind)
{
	const char text[2] = {kind, '\0'};
	if (kind != '\0')
		mm_json_set_str(o, key, text);
}

json_t *mm_journal_edit_json(const struct mm_done_edit *d)
{
	json_t *o = json_object();
	mm_journal_put_bytes(o, "path", d->path);
	mm_json_set_str(o, "format", d->format);
	if (d->created_file)
		mm_json_set_bool(o, "created_file", true);
	if (d->secret)
		mm_json_set_bool(o, "secret", true);
	mm_json_set_str(o, "op", mm_edit_op_name(d->e.op));
	mm_journal_put_bytes(o, "section", d->e.section);
	mm_journal_put_bytes(o, "key", d->e.key);
	mm_journal_put_bytes(o, "value", d->e.value);
	mm_journal_put_kind(o, "kind", d->e.kind);
	if (d->e.had)
		mm_json_set_bool(o, "had", true);
	mm_journal_put_bytes(o, "former", d->e.former);
	mm_journal_put_bytes(o, "former_raw", d->e.former_raw);
	mm_journal_put_kind(o, "former_kind", d->e.former_kind);
	return o;
}

int mm_journal_get_kind(const json_t *o, const char *key, char *out, struct mm_err *err)
{
	const char *s;
	if (mm_json_str_opt(o, key, 1, &s, err) != 0)
		return -1;
	*out = s != NULL ? s[0] : '\0';
	return 0;
}

int mm_journal_edit_parse(const json_t *o, struct mm_arena *a, struct mm_done_edit *d, struct mm_err *err)
{
	const char *op, *format;
	if (mm_journal_get_bytes(o, "path", a, &d->path, err) != 0 ||
	    mm_json_str(o, "format", 64, &format, err) != 0 ||
	    mm_json_bool_opt(o, "created_file", false, &d->created_file, err) != 0 ||
	    mm_json_bool_opt(o, "secret", false, &d->secret, err) != 0 ||
	    mm_json_str(o, "op", 64, &op, err) != 0 ||
	    mm_journal_get_bytes(o, "section", a, &d->e.section, err) != 0 ||
	    mm_journal_get_bytes(o, "key", a, &d->e.key, err) != 0 ||
	    mm_journal_get_bytes(o, "value", a, &d->e.value, err) != 0 ||
	    mm_journal_get_kind(o, "kind", &d->e.kind, err) != 0 ||
	    mm_json_bool_opt(o, "had", false, &d->e.had, err) != 0 ||
	    mm_journal_get_bytes(o, "former", a, &d->e.former, err) != 0 ||
	    mm_journal_get_bytes(o, "former_raw", a, &d->e.former_raw, err) != 0 ||
	    mm_journal_get_kind(o, "former_kind", &d->e.former_kind, err) != 0)
		return -1;
	int known = mm_edit_op_by_name(op);
	if (known < 0 || d->path == NULL)
		return mm_err_set(err, MM_EX_DATAERR, "an edit is of no known kind, or has no file");
	d->e.op = (enum mm_edit_op)known;
	d->e.changed = true;
	d->format = mm_arena_strdup(a, format);
	if (!d->secret)
		mm_forget_secret(d, a); /* written by a version that kept passwords */
	return 0;
}

/* ---- rows */

static json_t *row_json(const struct mm_row *r)
{
	json_t *o = json_object(), *applied = json_object(), *edits = json_array();
	mm_json_set_str(o, "client", r->client);
	mm_journal_put_bytes(o, "path", r->path);
	mm_json_set_str(o, "account", r->account);
	mm_journal_put_bytes(o, "key", r->key);
	mm_json_set_bool(o, "created", r->created);
	if (r->revision != 0) {
		mm_json_set_int(o, "revision", r->revision);
		mm_json_set_str(o, "host", r->host);
		mm_json_set_int(o, "brought", r->brought);
	}
	for (int s = 0; s < MM_SET_COUNT; s++)
		mm_journal_put_bytes(applied, mm_setting_def((enum mm_setting)s)->id, r->applied.v[s]);
	for (size_t i = 0; i < r->n_edits; i++) {
		if (json_array_append_new(edits, mm_journal_edit_json(&r->edits[i])) != 0)
			mm_oom();
	}
	mm_json_set(o, "applied", applied);
	mm_json_set(o, "edits", edits);
	mm_trials_json(o, r);
	return o;
}

json_t *mm_rows_json(const struct mm_rows *rows)
{
	json_t *list = json_array();
	for (size_t i = 0; i < rows->n; i++) {
		if (json_array_append_new(list, row_json(&rows->r[i])) != 0)
			mm_oom();
	}
	return list;
}

/* A setting that this build does not know was applied by a newer one: it is
 * forgotten, and then handled as one that we never set. */
static int applied_parse(const json_t *o, struct mm_arena *a, struct mm_values *v, struct mm_err *err)
{
	for (int s = 0; s < MM_SET_COUNT; s++) {
		if (mm_journal_get_bytes(o, mm_setting_def((enum mm_setting)s)->id, a, &v->v[s], err) != 0)
			return -1;
	}
	return 0;
}

static int row_parse(const json_t *o, struct mm_arena *a, struct mm_row *r, struct mm_err *err)
{
	const char *client, *account, *host;
	const json_t *applied, *edits;
	if (mm_json_str(o, "client", 64, &client, err) != 0 ||
	    mm_journal_get_bytes(o, "path", a, &r->path, err) != 0 ||
	    mm_json_str(o, "account", MM_NAME_MAX, &account, err) != 0 ||
	    mm_journal_get_bytes(o, "key", a, &r->key, err) != 0 ||
	    mm_json_bool_opt(o, "created", false, &r->created, err) != 0 ||
	    mm_json_object(o, "applied", false, &applied, err) != 0 ||
	    applied_parse(applied, a, &r->applied, err) != 0 ||
	    mm_json_array(o, "edits", EDITS_MAX, false, &edits, err) != 0)
		return -1;
	if (r->path == NULL || r->key == NULL)
		return mm_err_set(err, MM_EX_DATAERR, "a row has no path or no key");
	/* an older agent did not keep these */
	if ((json_object_get(o, "revision") != NULL &&
		(mm_json_int(o, "revision", 0, INT64_MAX, &r->revision, err) != 0 ||
		    mm_json_int(o, "brought", 0, INT64_MAX, &r->brought, err) != 0)) ||
	    mm_json_str_opt(o, "host", 255, &host, err) != 0)
		return -1;
	r->host = host != NULL ? mm_arena_strdup(a, host) : NULL;
	r->client = mm_arena_strdup(a, client);
	r->account = mm_arena_strdup(a, account);
	r->n_edits = r->cap_edits = json_array_size(edits);
	r->edits = mm_arena_alloc(a, r->n_edits + 1, sizeof(*r->edits));
	for (size_t i = 0; i < r->n_edits; i++) {
		if (mm_journal_edit_parse(json_array_get(edits, i), a, &r->edits[i], err) != 0)
			return -1;
	}
	return mm_trials_parse(o, a, r, err);
}

int mm_rows_parse(const json_t *list, struct mm_arena *a, struct mm_rows *out, struct mm_err *err)
{
	size_t n = json_array_size(list);
	if (n > MM_JOURNAL_ROWS_MAX)
		return mm_err_set(err, MM_EX_DATAERR, "%zu rows; %d are allowed", n, MM_JOURNAL_ROWS_MAX);
	struct mm_rows rows = {.r = mm_arena_alloc(a, n + 1, sizeof(struct mm_row)), .n = n, .cap = n};
	for (size_t i = 0; i < n; i++) {
		if (row_parse(json_array_get(list, i), a, &rows.r[i], err) != 0)
			return -1;
	}
	*out = rows;
	return 0;
}
