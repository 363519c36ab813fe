#include "tests/lib/clientrun.h"

#include <string.h>

#include "common/text.h"

static bool has_side(const struct mm_client *cl, enum mm_setting s)
{
	enum mm_side side = mm_setting_def(s)->side;

	return side == MM_SIDE_ACCOUNT || (side == MM_SIDE_INCOMING ? cl->incoming : cl->outgoing);
}

static bool asked(const struct mm_client *cl, const struct mm_account *acc, enum mm_setting s)
{
	const char *v = acc->want.v[s];

	return v != NULL && has_side(cl, s) && mm_client_cannot(cl, s, v, &acc->want) == NULL;
}

static bool host_is(const struct mm_account *acc, enum mm_setting s, const char *found)
{
	if (found == NULL || acc->want.v[s] == NULL)
		return false;
	if (mm_streq_nocase(found, acc->want.v[s]))
		return true;
	for (const char *const *p = acc->replaces; *p != NULL; p++)
		if (mm_streq_nocase(found, *p))
			return true;
	return false;
}

static bool is_account(const struct mm_account *acc, const struct mm_seen_account *seen)
{
	bool in = seen->has_incoming && acc->want.v[MM_SET_IN_HOST] != NULL;
	enum mm_setting host = in ? MM_SET_IN_HOST : MM_SET_OUT_HOST;
	enum mm_setting user = in ? MM_SET_IN_USERNAME : MM_SET_OUT_USERNAME;
	const struct mm_seen *address = &seen->s[MM_SET_ADDRESS];

	if (!host_is(acc, host, seen->s[host].value))
		return false;
	if (address->value != NULL && !address->from_default)
		return mm_streq_nocase(address->value, acc->want.v[MM_SET_ADDRESS]);
	return mm_streq(seen->s[user].value, acc->want.v[user]);
}

static const struct mm_seen_account *match(const struct mm_view *view, const struct mm_account *acc)
{
	for (size_t i = 0; i < view->n; i++)
		if (is_account(acc, &view->accounts[i]))
			return &view->accounts[i];
	return NULL;
}

static bool wanted_here(const struct mm_seen_account *seen, enum mm_setting s, const char *want)
{
	if (seen == NULL)
		return true;
	return seen->s[s].over_path == NULL &&
	       (seen->s[s].unsure_open || !mm_setting_satisfies(s, seen->s[s].value, want));
}

static int run_account(struct mm_client_run *run, size_t index, struct mm_err *err)
{
	struct mm_run_account *a = &run->v[index];
	struct mm_values want = {{NULL}};
	struct mm_view now = {0};
	const struct mm_seen_account *seen;
	bool any = false;

	if (run->client->read(mm_overlay_reader(run->o), run->place, &now, err) != 0)
		return -1;
	seen = match(&now, a->acc);
	for (enum mm_setting s = 0; s < MM_SET_COUNT; s++)
		if (asked(run->client, a->acc, s) && wanted_here(seen, s, a->acc->want.v[s])) {
			want.v[s] = a->acc->want.v[s];
			any = true;
		}
	a->created = seen == NULL;
	a->key = seen != NULL ? seen->key : NULL;
	if (!any && seen == NULL)
		return mm_err_set(
		    err, MM_EX_DIFF, "nothing of account '%s' can be written here", a->acc->name);
	if (!any)
		return 0;
	struct mm_change c = {.kind = seen != NULL ? MM_CHANGE_SET : MM_CHANGE_ADD,
	    .account = a->acc->name,
	    .label = a->acc->label,
	    .key = a->key,
	    .want = &want,
	    .full = &a->acc->want,
	    .index = index};
	if (run->client->change(mm_overlay_reader(run->o), run->place, &now, &c, &a->done, err) != 0)
		return -1;
	if (a->created)
		a->key = a->done.key;
	return mm_overlay_apply(run->o, &a->done, err);
}

int mm_client_run(struct mm_client_run *run, struct mm_reader *r, const struct mm_client *client,
    const struct mm_sheet *sheet, struct mm_err *err)
{
	struct mm_place *places;
	size_t n;

	*run = (struct mm_client_run){.r = r, .client = client, .o = mm_overlay_new(r)};
	if (client->find(r, sheet->create == MM_CREATE_ALWAYS, &places, &n, err) != 0)
		return -1;
	for (size_t i = 0; i < n && run->place == NULL; i++)
		if (places[i].in_use)
			run->place = &places[i];
	if (run->place == NULL)
		return 0;
	if (run->place->busy != NULL)
		return mm_err_set(err, MM_EX_FAILED, "%s", run->place->busy);
	run->v = mm_arena_alloc(r->arena, sheet->n_accounts + 1, sizeof(*run->v));
	for (size_t i = 0; i < sheet->n_accounts; i++, run->n++) {
		run->v[i].acc = &sheet->accounts[i];
		if (run_account(run, i, err) != 0)
			return -1;
	}
	return 0;
}

static const struct mm_seen_account *by_key(const struct mm_view *view, const char *key)
{
	for (size_t i = 0; i < view->n; i++)
		if (mm_streq(view->accounts[i].key, key))
			return &view->accounts[i];
	return NULL;
}

const char *mm_client_unproven(struct mm_client_run *run)
{
	struct mm_view view;
	struct mm_err err = MM_ERR_NONE;

	if (run->client->read(mm_overlay_reader(run->o), run->place, &view, &err) != 0)
		return mm_arena_strdup(run->r->arena, err.text);
	for (size_t i = 0; i < run->n; i++) {
		const struct mm_seen_account *seen = by_key(&view, run->v[i].key);

		if (seen == NULL)
			return "the account is not read back";
		for (enum mm_setting s = 0; s < MM_SET_COUNT; s++) {
			const char *want = run->v[i].acc->want.v[s];

			if (!asked(run->client, run->v[i].acc, s) || seen->s[s].over_path != NULL)
				continue;
			if (!mm_setting_satisfies(s, seen->s[s].value, want))
				return mm_arena_printf(run->r->arena, "%s: wanted %s, read back %s",
				    mm_setting_def(s)->id, want,
				    seen->s[s].value != NULL ? seen->s[s].value : "nothing");
		}
	}
	return NULL;
}

static int undo_account(struct mm_client_run *run, const struct mm_run_account *a, struct mm_err *err)
{
	struct mm_change c = {
	    .kind = MM_CHANGE_REMOVE, .account = a->acc->name, .key = a->key, .created = a->created};
	struct mm_edits extra = {0};
	struct mm_view now = {0};

	for (size_t i = a->done.n; i-- > 0;)
		for (size_t k = a->done.files[i].n; k-- > 0;) {
			struct mm_edit inverse;
			struct mm_file_edit file = a->done.files[i];
			struct mm_edits one = {.files = &file, .n = 1};

			if (!mm_edit_inverse(&a->done.files[i].edits[k], &inverse))
				continue;
			file.edits = &inverse;
			file.n = 1;
			if (mm_overlay_apply(run->o, &one, err) != 0)
				return -1;
		}
	if (run->client->read(mm_overlay_reader(run->o), run->place, &now, err) != 0 ||
	    run->client->change(mm_overlay_reader(run->o), run->place, &now, &c, &extra, err) != 0)
		return -1;
	return extra.n > 0 ? mm_overlay_apply(run->o, &extra, err) : 0;
}

int mm_client_undo(struct mm_client_run *run, struct mm_err *err)
{
	for (size_t i = run->n; i-- > 0;)
		if (run->v[i].key != NULL && undo_account(run, &run->v[i], err) != 0)
			return -1;
	return 0;
}

static void show_account(const struct mm_seen_account *acc, struct mm_buf *out)
{
	for (enum mm_setting s = 0; s < MM_SET_COUNT; s++) {
		const struct mm_seen *x = &acc->s[s];

		if (x->value == NULL && x->over_path == NULL && x->unsure_path == NULL)
			continue;
		mm_buf_addf(
		    out, "%s %s = %s", acc->key, mm_setting_def(s)->id, x->value != NULL ? x->value : "-");
		if (x->from_default)
			mm_buf_adds(out, " (default)");
		else if (x->path != NULL)
			mm_buf_addf(out, " (%s:%d)", x->path, x->line);
		if (x->over_path != NULL)
			mm_buf_addf(out, " overridden by %s (%s:%d)", x->over_by, x->over_path, x->over_line);
		if (x->unsure_path != NULL)
			mm_buf_addf(out, " unsure%s, %s (%s:%d)", x->unsure_open ? " until written" : "",
			    x->unsure_why, x->unsure_path, x->unsure_line);
		mm_buf_addc(out, '\n');
	}
}

void mm_client_show(struct mm_reader *r, const struct mm_client *client, struct mm_buf *out)
{
	struct mm_place *places;
	struct mm_err err = MM_ERR_NONE;
	size_t n = 0;

	if (client->find(r, false, &places, &n, &err) != 0)
		mm_buf_addf(out, "error: %s\n", err.text);
	for (size_t i = 0; i < n; i++) {
		struct mm_view view;

		mm_buf_addf(out, "place %s%s%s%s%s\n", places[i].path, places[i].in_use ? " in use" : "",
		    places[i].label[0] != '\0' ? ", " : "", places[i].label,
		    places[i].busy != NULL ? ", busy" : "");
		if (client->read(r, &places[i], &view, &err) != 0) {
			mm_buf_addf(out, "error: %s\n", err.text);
			continue;
		}
		for (size_t k = 0; k < view.n; k++)
			show_account(&view.accounts[k], out);
		for (size_t k = 0; k < view.n_traps; k++)
			if (!view.traps[k].quiet)
				mm_buf_addf(out, "%s %s:%d: %s\n",
				    view.traps[k].kind == MM_TRAP_PASSWORD ? "secret" : "trap",
				    view.traps[k].path, view.traps[k].line, view.traps[k].text);
	}
}
