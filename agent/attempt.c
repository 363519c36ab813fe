/* Doing in memory what is to be written, and reading it back. */
#include <string.h>

#include "agent/forget.h"
#include "agent/trial.h"
#include "common/text.h"

static const char *text_of(const struct mm_err *e, struct mm_arena *a)
{
	return mm_arena_strdup(a, e->text[0] != '\0' ? e->text : "failed");
}

/* ---- bookkeeping of edits */

static bool is_new_file(const struct mm_overlay *o, const char *path)
{
	size_t n;
	const struct mm_overlay_file *f = mm_overlay_files(o, &n);
	for (size_t i = 0; i < n; i++) {
		if (mm_streq(f[i].path, path))
			return f[i].before.p == NULL;
	}
	return false;
}

static void record(
    struct mm_place_run *p, struct mm_row *row, struct mm_trial *trial, const struct mm_edits *e)
{
	for (size_t i = 0; i < e->n; i++) {
		const struct mm_file_edit *f = &e->files[i];
		bool created = is_new_file(p->overlay, f->path);
		for (size_t k = 0; k < f->n; k++) {
			struct mm_done_edit d = {.path = f->path,
			    .format = f->format->name,
			    .created_file = created,
			    .e = f->edits[k]};
			if (!d.e.changed)
				continue;
			mm_forget_secret(&d, p->c->arena);
			if (trial != NULL)
				mm_row_record_trial(p->c->arena, row, trial, &d);
			else if (row != NULL)
				mm_row_record(p->c->arena, row, &d);
			*(struct mm_done_edit *)mm_arena_push(
			    p->c->arena, &p->did.edits, &p->did.n_edits, &p->did.cap_edits, sizeof(d)) = d;
		}
	}
}

static bool same_need(const struct mm_need *x, const struct mm_need *y)
{
	return x->kind == y->kind && mm_streq(x->service, y->service) && mm_streq(x->path, y->path) &&
	       mm_streq(x->method, y->method) && mm_streq(x->arg, y->arg);
}

void mm_place_gather_needs(struct mm_place_run *p, const struct mm_edits *e)
{
	for (size_t i = 0; i < e->n_needs; i++) {
		size_t k = 0;
		while (k < p->n_needs && !same_need(&p->needs[k], &e->needs[i]))
			k++;
		if (k == p->n_needs)
			*(struct mm_need *)mm_arena_push(p->c->arena, &p->needs, &p->n_needs, &p->cap_needs,
			    sizeof(*p->needs)) = e->needs[i];
	}
}

static int change(struct mm_place_run *p, const struct mm_change *ch, struct mm_edits *e, struct mm_err *err)
{
	struct mm_reader *r = mm_overlay_reader(p->overlay);
	struct mm_view now = {.n = 0};
	if (p->place->exists || ch->kind != MM_CHANGE_ADD || is_new_file(p->overlay, p->place->path)) {
		if (p->client->read(r, p->place, &now, err) != 0)
			return -1;
	}
	if (p->client->change(r, p->place, &now, ch, e, err) != 0)
		return -1;
	mm_place_gather_needs(p, e);
	return e->n > 0 ? mm_overlay_apply(p->overlay, e, err) : 0;
}

/* ---- one account */

static struct mm_row *row_for(struct mm_place_run *p, const struct mm_todo *t)
{
	struct mm_row *row = mm_rows_find(&p->rows, p->client->name, p->place->path, t->m.acc->name);
	if (row == NULL) {
		row = mm_rows_add(p->c->arena, &p->rows);
		*row = (struct mm_row){
		    .client = p->client->name, .path = p->place->path, .account = t->m.acc->name};
	}
	if (t->m.seen == NULL)
		row->created = true;
	row->key = t->key;
	return row;
}

/* Nobody is asked for a password where a ticket or a certificate logs in. */
static bool by_password(const struct mm_values *v, enum mm_setting host, enum mm_setting auth)
{
	static const char *const others[] = {"gssapi", "external", "none"};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (mm_streq(v->v[auth], others[i]))
			return false;
	return v->v[host] != NULL;
}

static unsigned costs_of(const struct mm_edits *e, const struct mm_values *full)
{
	bool asks = by_password(full, MM_SET_IN_HOST, MM_SET_IN_AUTH) ||
		    by_password(full, MM_SET_OUT_HOST, MM_SET_OUT_AUTH);

	return asks ? e->costs : e->costs & ~MM_COST_PASSWORD;
}

/* What is to be written of one side; of all of them when the account is new. */
static bool part_of(const struct mm_todo *t, enum mm_side side, struct mm_values *want)
{
	bool add = t->m.seen == NULL, any = false;
	*want = (struct mm_values){.v = {NULL}};
	for (int s = 0; s < MM_SET_COUNT; s++) {
		const struct mm_judged *j = &t->s[s];
		if (j->asked && (j->write || (add && j->unproven)) &&
		    (add || mm_setting_def((enum mm_setting)s)->side == side))
			want->v[s] = j->desired;
		any |= want->v[s] != NULL;
	}
	return any;
}

static int write_part(struct mm_place_run *p, struct mm_todo *t, enum mm_side side,
    const struct mm_values *want, struct mm_err *err)
{
	bool add = t->m.seen == NULL;
	struct mm_change ch = {.kind = add ? MM_CHANGE_ADD : MM_CHANGE_SET,
	    .account = t->m.acc->name,
	    .label = t->m.acc->label,
	    .key = add ? NULL : t->m.seen->key,
	    .want = want,
	    .full = &t->m.acc->want,
	    .index = t->m.index};
	struct mm_edits e = {.n = 0};
	if (change(p, &ch, &e, err) != 0) {
		t->later = e.later != NULL;
		return -1;
	}
	t->key = add ? e.key : t->m.seen->key;
	if (t->note == NULL)
		t->note = e.note;
	t->costs |= costs_of(&e, ch.full);
	if (t->key == NULL)
		return mm_err_set(err, MM_EX_FAILED, "%s: the new account got no name", p->client->name);
	struct mm_row *row = row_for(p, t);
	struct mm_trial *trial = mm_trial_open(p, t, row, side);
	record(p, row, trial, &e);
	if (trial != NULL && trial->n == 0)
		row->trial[side] = NULL;
	return 0;
}

/* Each side by itself, so that it can be taken back by itself. */
static int write_account(struct mm_place_run *p, struct mm_todo *t, struct mm_err *err)
{
	struct mm_values want;
	t->note = NULL;
	t->costs = 0;
	for (int side = 0; side < MM_SIDE_COUNT; side++) {
		if (!part_of(t, (enum mm_side)side, &want))
			continue;
		if (write_part(p, t, (enum mm_side)side, &want, err) != 0)
			return -1;
		if (t->m.seen == NULL)
			break;
	}
	return 0;
}

/* ---- removal */

static bool removal_path(const struct mm_row *row, const char *path)
{
	for (size_t i = 0; i < row->n_edits; i++) {
		if (row->edits[i].created_file && mm_streq(row->edits[i].path, path))
			return true;
	}
	return false;
}

/* Only blanks, and comments that carry our name. */
static bool is_hollow(struct mm_text t)
{
	for (size_t i = 0; i < t.n;) {
		const char *line = t.p + i, *nl = memchr(line, '\n', t.n - i);
		size_t len = nl != NULL ? (size_t)(nl - line) : t.n - i, k = 0;
		while (k < len && strchr(" \t\r", line[k]) != NULL)
			k++;
		if (k < len && memmem(line, len, "ailmuster", 9) == NULL)
			return false;
		if (k < len && strchr("#/;", line[k]) == NULL)
			return false;
		i += len + 1;
	}
	return true;
}

/* A file that we made goes with the last of what we put into it. */
static void drop_hollow_files(struct mm_place_run *p, const struct mm_row *row)
{
	size_t n;
	const struct mm_overlay_file *f = mm_overlay_files(p->overlay, &n);
	for (size_t i = 0; i < n; i++) {
		if (f[i].after.p != NULL && removal_path(row, f[i].path) && is_hollow(f[i].after))
			mm_overlay_put(p->overlay, f[i].path, (struct mm_text){.p = NULL}, 0);
	}
}

static int remove_account(struct mm_place_run *p, struct mm_removal *g, struct mm_err *err)
{
	struct mm_row *row = mm_rows_find(&p->rows, p->client->name, p->place->path, g->account);
	struct mm_change ch = {.kind = MM_CHANGE_REMOVE,
	    .account = g->account,
	    .label = g->account,
	    .key = g->key,
	    .created = g->created};
	struct mm_edits e = {.n = 0};
	if (mm_undo_row(p->overlay, p->c->arena, row, g->created, err) != 0 || change(p, &ch, &e, err) != 0)
		return -1;
	record(p, NULL, NULL, &e);
	for (size_t i = 0; i < row->n_edits; i++) {
		struct mm_done_edit d = row->edits[i];
		g->secret |= d.secret;
		if (mm_edit_inverse(&row->edits[i].e, &d.e))
			*(struct mm_done_edit *)mm_arena_push(
			    p->c->arena, &p->did.edits, &p->did.n_edits, &p->did.cap_edits, sizeof(d)) = d;
	}
	drop_hollow_files(p, row);
	mm_rows_remove(&p->rows, row);
	return 0;
}

/* ---- reading back */

static const struct mm_seen_account *seen_by_key(const struct mm_view *v, const char *key)
{
	for (size_t i = 0; i < v->n; i++) {
		if (mm_streq(v->accounts[i].key, key))
			return &v->accounts[i];
	}
	return NULL;
}

static void give_up(struct mm_place_run *p, struct mm_todo *t, int culprit, const char *why)
{
	t->failed = true;
	t->write = false;
	for (int s = 0; s < MM_SET_COUNT; s++) {
		struct mm_judged *j = &t->s[s];
		if (!j->write)
			continue;
		j->write = false;
		j->action = MM_ACT_NONE;
		j->state = MM_ST_ERROR;
		j->reason = s == culprit || culprit < 0
				? why
				: mm_arena_printf(p->c->arena, "not written, because of %s",
				      mm_setting_def((enum mm_setting)culprit)->id);
	}
}

/* Something else wins over what we write: that one setting is left out. */
static void yield(struct mm_place_run *p, struct mm_todo *t, int s, const struct mm_seen *now)
{
	struct mm_judged *j = &t->s[s];
	struct mm_seen *seen = mm_arena_alloc(p->c->arena, 1, sizeof(*seen));
	*seen = *now;
	j->seen = seen;
	j->found = now->value;
	j->state = MM_ST_OVERRIDDEN;
	j->write = false;
	j->unproven = true;
	j->reason = mm_arena_printf(
	    p->c->arena, "%s wins over this setting", now->over_by != NULL ? now->over_by : "something else");
	t->write = false;
	for (int k = 0; k < MM_SET_COUNT; k++)
		t->write |= t->s[k].write;
}

/* It is what is wanted; is that certain, now that it has been written? */
static void weigh(struct mm_place_run *p, struct mm_judged *j, const struct mm_seen *now)
{
	if (now->unsure_path != NULL) {
		struct mm_seen *seen = mm_arena_alloc(p->c->arena, 1, sizeof(*seen));
		*seen = *now;
		j->seen = seen;
		j->state = MM_ST_UNKNOWN;
		j->reason = mm_unsure_reason(p->c->arena, now);
	} else if (j->state == MM_ST_UNKNOWN) {
		j->state = MM_ST_PENDING; /* as desired only by chance until then */
	}
}

/* True when everything that was written is in effect. */
static bool proven(struct mm_place_run *p, struct mm_todo *t, const struct mm_view *view)
{
	const struct mm_seen_account *acc = seen_by_key(view, t->key);
	if (acc == NULL) {
		give_up(p, t, -1, "the program would not see the account after the change");
		return false;
	}
	for (int s = 0; s < MM_SET_COUNT; s++) {
		struct mm_judged *j = &t->s[s];
		if (!j->write)
			continue;
		if (mm_setting_satisfies((enum mm_setting)s, acc->s[s].value, j->desired)) {
			weigh(p, j, &acc->s[s]);
			continue;
		}
		if (acc->s[s].over_path != NULL)
			yield(p, t, s, &acc->s[s]);
		else
			give_up(p, t, s,
			    mm_arena_printf(p->c->arena, "would not take effect: the program would see %s",
				acc->s[s].value != NULL ? acc->s[s].value : "nothing"));
		return false;
	}
	return true;
}

/* Putting former values back must not bring cleartext back. */
static bool weakens(const struct mm_place_run *p, const struct mm_removal *g, const struct mm_view *view)
{
	static const enum mm_setting security[] = {MM_SET_IN_SECURITY, MM_SET_OUT_SECURITY};
	const struct mm_seen_account *after = seen_by_key(view, g->key);
	const struct mm_seen_account *before = seen_by_key(&p->view, g->key);
	if (after == NULL || before == NULL || p->c->sheet->allow_cleartext)
		return false;
	for (size_t i = 0; i < 2; i++) {
		if (mm_streq(after->s[security[i]].value, "none") &&
		    !mm_streq(before->s[security[i]].value, "none"))
			return true;
	}
	return false;
}

static void fail_removal(struct mm_removal *g, const char *why)
{
	g->write = false;
	g->fail = why;
}

static bool removed(struct mm_place_run *p, struct mm_removal *g, const struct mm_view *view)
{
	if (weakens(p, g, view)) {
		g->write = false;
		g->released = true;
	} else if (g->created && seen_by_key(view, g->key) != NULL) {
		fail_removal(g, "would still be there after the removal");
	}
	return g->write;
}

static bool read_back(struct mm_place_run *p)
{
	struct mm_view view = {.n = 0};
	struct mm_err err = MM_ERR_NONE;
	size_t n = 0;
	mm_overlay_files(p->overlay, &n);
	if (n == 0)
		return true;
	if (p->client->read(mm_overlay_reader(p->overlay), p->place, &view, &err) != 0) {
		mm_place_fail(p, MM_ST_ERROR, text_of(&err, p->c->arena));
		return false;
	}
	bool good = true;
	for (size_t i = 0; i < p->n; i++)
		good &= !p->todo[i].write || proven(p, &p->todo[i], &view);
	for (size_t i = 0; i < p->n_gone; i++)
		good &= !p->gone[i].write || removed(p, &p->gone[i], &view);
	return good;
}

/* An adapter that says "not here" is no failure. */
static void cannot(struct mm_place_run *p, struct mm_todo *t, const struct mm_err *err)
{
	bool asked[MM_SET_COUNT];
	for (int s = 0; s < MM_SET_COUNT; s++)
		asked[s] = t->s[s].write;
	give_up(p, t, -1, text_of(err, p->c->arena));
	for (int s = 0; s < MM_SET_COUNT && (t->later || err->code == MM_EX_DIFF); s++)
		if (asked[s])
			t->s[s].state = t->later ? MM_ST_DEFERRED : MM_ST_UNSUPPORTED;
}

/* False when something was left out and the rest must be done anew. */
static bool try_all(struct mm_place_run *p)
{
	struct mm_err err = MM_ERR_NONE;
	for (size_t i = 0; i < p->n_gone; i++) {
		if (p->gone[i].write && remove_account(p, &p->gone[i], &err) != 0) {
			fail_removal(&p->gone[i], text_of(&err, p->c->arena));
			return false;
		}
	}
	for (size_t i = 0; i < p->n; i++) {
		if (p->todo[i].write && write_account(p, &p->todo[i], &err) != 0) {
			cannot(p, &p->todo[i], &err);
			return false;
		}
	}
	return read_back(p);
}

void mm_place_attempt(struct mm_place_run *p)
{
	const struct mm_rows before = mm_rows_copy(p->c->arena, &p->rows, p->client->name, p->place->path);
	/* Each round that fails leaves at least one setting or removal out. */
	do {
		p->rows = mm_rows_copy(p->c->arena, &before, p->client->name, p->place->path);
		p->overlay = mm_overlay_new(p->reader);
		p->n_needs = 0;
		p->did = (struct mm_row){
		    .client = p->client->name, .path = p->place->path, .account = "", .key = ""};
	} while (!try_all(p) && mm_place_pending(p));
	if (!mm_place_pending(p))
		p->rows = mm_rows_copy(p->c->arena, &before, p->client->name, p->place->path);
	for (size_t i = 0; i < p->n_gone; i++) {
		const struct mm_removal *g = &p->gone[i];
		struct mm_row *row = mm_rows_find(&p->rows, p->client->name, p->place->path, g->account);
		if (g->released && row != NULL)
			mm_rows_remove(&p->rows, row);
	}
}
