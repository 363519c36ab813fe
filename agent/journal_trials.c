/* The journal's trials, and what was taken back, as JSON. */
#include <string.h>

#include "agent/journal_json.h"
#include "common/json.h"
#include "common/text.h"
#include "schemas/report.h"

#define EDITS_MAX 65536
#define TEXT_MAX (4 * MM_REPORT_TEXT_MAX)

static int hash_member(const json_t *o, const char *key, char out[MM_SHA256_HEX], struct mm_err *err)
{
	const char *s;
	if (mm_json_str(o, key, MM_SHA256_HEX - 1, &s, err) != 0)
		return -1;
	memcpy(out, s, strlen(s) + 1);
	return 0;
}

static int side_member(const json_t *o, enum mm_side *out, struct mm_err *err)
{
	const char *s;
	if (mm_json_str(o, "side", 16, &s, err) != 0)
		return -1;
	for (int side = MM_SIDE_INCOMING; side < MM_SIDE_COUNT; side++) {
		if (mm_streq(mm_side_name((enum mm_side)side), s)) {
			*out = (enum mm_side)side;
			return 0;
		}
	}
	return mm_err_set(err, MM_EX_DATAERR, "\"%s\" is no side that is logged in to", s);
}

static void append(json_t *list, json_t *o)
{
	if (json_array_append_new(list, o) != 0)
		mm_oom();
}

/* ---- trials */

static json_t *trial_edit_json(const struct mm_trial_edit *e)
{
	json_t *o = mm_journal_edit_json(&e->d);
	if (e->fresh) {
		mm_json_set_bool(o, "fresh", true);
		return o;
	}
	mm_json_set_str(o, "own_op", mm_edit_op_name(e->op));
	mm_journal_put_bytes(o, "own_value", e->value);
	mm_journal_put_kind(o, "own_kind", e->kind);
	return o;
}

static int trial_edit_parse(const json_t *o, struct mm_arena *a, struct mm_trial_edit *e, struct mm_err *err)
{
	const char *op;
	if (mm_journal_edit_parse(o, a, &e->d, err) != 0 ||
	    mm_json_bool_opt(o, "fresh", false, &e->fresh, err) != 0)
		return -1;
	if (e->fresh)
		return 0;
	if (mm_json_str(o, "own_op", 64, &op, err) != 0 ||
	    mm_journal_get_bytes(o, "own_value", a, &e->value, err) != 0 ||
	    mm_journal_get_kind(o, "own_kind", &e->kind, err) != 0)
		return -1;
	int known = mm_edit_op_by_name(op);
	if (known < 0)
		return mm_err_set(err, MM_EX_DATAERR, "an edit on trial is of no known kind");
	e->op = (enum mm_edit_op)known;
	return 0;
}

static json_t *trial_json(const struct mm_trial *t)
{
	json_t *o = json_object(), *before = json_object(), *edits = json_array();
	mm_json_set_str(o, "side", mm_side_name(t->side));
	mm_json_set_int(o, "revision", t->revision);
	mm_json_set_int(o, "since", t->since);
	mm_json_set_str(o, "settings", t->settings);
	mm_json_set_int(o, "worked", t->worked);
	mm_json_set_str(o, "credential", t->credential);
	for (int s = 0; s < MM_SET_COUNT; s++)
		mm_journal_put_bytes(before, mm_setting_def((enum mm_setting)s)->id, t->before.v[s]);
	for (size_t i = 0; i < t->n; i++)
		append(edits, trial_edit_json(&t->edits[i]));
	mm_json_set(o, "before", before);
	mm_json_set(o, "edits", edits);
	return o;
}

static int trial_parse(const json_t *o, struct mm_arena *a, struct mm_trial *t, struct mm_err *err)
{
	const json_t *before, *edits;
	if (side_member(o, &t->side, err) != 0 ||
	    mm_json_int(o, "revision", 0, INT64_MAX, &t->revision, err) != 0 ||
	    mm_json_int(o, "since", 0, INT64_MAX, &t->since, err) != 0 ||
	    hash_member(o, "settings", t->settings, err) != 0 ||
	    mm_json_int(o, "worked", 0, INT64_MAX, &t->worked, err) != 0 ||
	    hash_member(o, "credential", t->credential, err) != 0 ||
	    mm_json_object(o, "before", false, &before, err) != 0 ||
	    mm_json_array(o, "edits", EDITS_MAX, false, &edits, err) != 0)
		return -1;
	for (int s = 0; s < MM_SET_COUNT; s++)
		if (mm_journal_get_bytes(
			before, mm_setting_def((enum mm_setting)s)->id, a, &t->before.v[s], err) != 0)
			return -1;
	t->n = t->cap = json_array_size(edits);
	t->edits = mm_arena_alloc(a, t->n + 1, sizeof(*t->edits));
	for (size_t i = 0; i < t->n; i++)
		if (trial_edit_parse(json_array_get(edits, i), a, &t->edits[i], err) != 0)
			return -1;
	return 0;
}

void mm_trials_json(json_t *row, const struct mm_row *r)
{
	json_t *list = json_array();
	for (int s = 0; s < MM_SIDE_COUNT; s++)
		if (r->trial[s] != NULL)
			append(list, trial_json(r->trial[s]));
	if (json_array_size(list) > 0)
		mm_json_set(row, "trials", list);
	else
		json_decref(list);
}

int mm_trials_parse(const json_t *row, struct mm_arena *a, struct mm_row *r, struct mm_err *err)
{
	const json_t *list;
	if (json_object_get(row, "trials") == NULL)
		return 0;
	if (mm_json_array(row, "trials", MM_SIDE_COUNT, false, &list, err) != 0)
		return -1;
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct mm_trial *t = mm_arena_alloc(a, 1, sizeof(*t));
		if (trial_parse(json_array_get(list, i), a, t, err) != 0)
			return -1;
		r->trial[t->side] = t;
	}
	return 0;
}

/* ---- what was taken back */

json_t *mm_reverted_json(const struct mm_journal *j)
{
	json_t *list = json_array();
	for (size_t i = 0; i < j->n_reverted; i++) {
		const struct mm_reverted *r = &j->reverted[i];
		json_t *o = json_object();
		mm_json_set_str(o, "account", r->account);
		mm_json_set_str(o, "side", mm_side_name(r->side));
		mm_json_set_int(o, "revision", r->revision);
		mm_json_set_str(o, "settings", r->settings);
		mm_json_set_str(o, "class", r->cls);
		mm_json_set_str(o, "text", r->text);
		mm_json_set_str(o, "admin", r->admin);
		mm_json_set_int(o, "when", r->when);
		append(list, o);
	}
	return list;
}

static int one_reverted(const json_t *o, struct mm_arena *a, struct mm_reverted *r, struct mm_err *err)
{
	const char *account, *cls, *text, *admin;
	if (mm_json_str(o, "account", MM_NAME_MAX, &account, err) != 0 ||
	    side_member(o, &r->side, err) != 0 ||
	    mm_json_int(o, "revision", 0, INT64_MAX, &r->revision, err) != 0 ||
	    hash_member(o, "settings", r->settings, err) != 0 ||
	    mm_json_str(o, "class", 64, &cls, err) != 0 ||
	    mm_json_str(o, "text", TEXT_MAX, &text, err) != 0 ||
	    mm_json_str(o, "admin", TEXT_MAX, &admin, err) != 0 ||
	    mm_json_int(o, "when", 0, INT64_MAX, &r->when, err) != 0)
		return -1;
	r->account = mm_arena_strdup(a, account);
	r->cls = mm_arena_strdup(a, cls);
	r->text = mm_arena_strdup(a, text);
	r->admin = mm_arena_strdup(a, admin);
	return 0;
}

int mm_reverted_parse(const json_t *o, struct mm_journal *j, struct mm_err *err)
{
	const json_t *list;
	if (json_object_get(o, "reverted") == NULL)
		return 0;
	if (mm_json_array(o, "reverted", MM_REVERTED_MAX, false, &list, err) != 0)
		return -1;
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct mm_reverted r;
		if (one_reverted(json_array_get(list, i), j->arena, &r, err) != 0)
			return -1;
		mm_journal_add_reverted(j, &r);
	}
	return 0;
}

/* ---- what is put off */

json_t *mm_put_off_json(const struct mm_journal *j)
{
	json_t *list = json_array();
	for (size_t i = 0; i < j->n_put_off; i++) {
		json_t *o = json_object();
		mm_json_set_str(o, "client", j->put_off[i].client);
		mm_journal_put_bytes(o, "path", j->put_off[i].path);
		mm_json_set_int(o, "since", j->put_off[i].since);
		append(list, o);
	}
	return list;
}

int mm_put_off_parse(const json_t *o, struct mm_journal *j, struct mm_err *err)
{
	const json_t *list;
	if (json_object_get(o, "put_off") == NULL)
		return 0;
	if (mm_json_array(o, "put_off", MM_PUT_OFF_MAX, false, &list, err) != 0)
		return -1;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *p = json_array_get(list, i);
		const char *client, *path;
		int64_t since;
		if (mm_json_str(p, "client", 64, &client, err) != 0 ||
		    mm_journal_get_bytes(p, "path", j->arena, &path, err) != 0 ||
		    mm_json_int(p, "since", 0, INT64_MAX, &since, err) != 0)
			return -1;
		if (path == NULL)
			return mm_err_set(err, MM_EX_DATAERR, "what is put off has no path");
		mm_journal_put_off(j, mm_arena_strdup(j->arena, client), path, since);
	}
	return 0;
}
