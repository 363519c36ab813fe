#include "agent/confirm.h"

#include <string.h>

#include "agent/allowed_back.h"
#include "agent/definite.h"
#include "agent/needs.h"
#include "agent/trial.h"
#include "common/text.h"

const struct mm_settled *mm_settled_find(const struct mm_settled_list *l, const char *client,
    const char *path, const char *account, enum mm_side side)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct mm_settled *s = &l->s[i];
		if (s->side == side && mm_streq(s->client, client) && mm_streq(s->path, path) &&
		    mm_streq(s->account, account))
			return s;
	}
	return NULL;
}

static const struct mm_memory *memory_now(struct mm_converge *c)
{
	struct mm_memory *m = mm_arena_alloc(c->arena, 1, sizeof(*m));
	mm_memory_load(c->state_dir, c->arena, m);
	return m;
}

bool mm_confirm_proven(struct mm_converge *c)
{
	const struct mm_memory *m = NULL;
	bool any = false;
	for (size_t i = 0; i < c->journal->rows.n; i++) {
		struct mm_row *row = &c->journal->rows.r[i];
		for (int side = 0; side < MM_SIDE_COUNT; side++) {
			if (row->trial[side] == NULL)
				continue;
			m = m != NULL ? m : memory_now(c);
			if (mm_trial_is_open(m, row, (enum mm_side)side))
				continue;
			row->trial[side] = NULL;
			mm_journal_drop_reverted(c->journal, row->account, (enum mm_side)side);
			any = true;
		}
	}
	return any;
}

/* ---- the verdict */

static bool is_definite(const struct mm_outcome *o, const struct mm_trial *t)
{
	const char *cls = o->result == MM_LOGIN_FAILED ? o->cls : o->elsewhere;
	switch (cls != NULL ? mm_definite(cls) : MM_DEFINITE_NO) {
	case MM_DEFINITE_YES:
		return true;
	case MM_DEFINITE_SECRET:
		/* Where it is not known what worked, nothing is known about this one. */
		return t->worked == 0 || (t->credential[0] != '\0' && mm_streq(t->credential, o->credential));
	case MM_DEFINITE_NO:
		break;
	}
	return false;
}

static enum mm_settled_how judge(const struct mm_outcome *o, const struct mm_trial *t, const char **why)
{
	*why = "no login has proven it yet";
	if (o == NULL || !o->told || !mm_streq(o->settings, t->settings))
		return MM_SETTLED_OPEN;
	if (o->result == MM_LOGIN_PASSED)
		return MM_SETTLED_CONFIRMED;
	*why = o->admin;
	if (!is_definite(o, t))
		return MM_SETTLED_OPEN;
	return t->worked != 0 ? MM_SETTLED_REVERTED : MM_SETTLED_KEPT;
}

static const struct mm_outcome *outcome_of(const struct mm_converge *c,
    const struct mm_outcome (*outcome)[MM_SIDE_COUNT], const char *account, enum mm_side side)
{
	for (size_t i = 0; i < c->sheet->n_accounts; i++)
		if (mm_streq(c->sheet->accounts[i].name, account))
			return &outcome[i][side];
	return NULL;
}

/* ---- taking back, one place */

struct back { /* one side of one account */
	struct mm_settled *settled;
	const struct mm_outcome *outcome;
	const struct mm_account *acc;
	const struct mm_seen_account *now; /* as it is */
	bool changed;
	bool known; /* it was taken back before, elsewhere */
};

struct taking {
	struct mm_converge *c;
	struct mm_place_run p;
	struct back *b;
	size_t n;
};

static bool is_ours(const struct back *b)
{
	return b->settled->how == MM_SETTLED_REVERTED;
}

static void leave(struct back *b, const char *why)
{
	b->settled->how = MM_SETTLED_OPEN;
	b->settled->why = why;
}

static const struct mm_seen_account *seen_by_key(const struct mm_view *v, const char *key)
{
	for (size_t i = 0; i < v->n; i++)
		if (mm_streq(v->accounts[i].key, key))
			return &v->accounts[i];
	return NULL;
}

static struct mm_row *row_of(struct taking *t, const struct back *b)
{
	return mm_rows_find(&t->p.rows, b->settled->client, b->settled->path, b->settled->account);
}

/* What was tested is what stands there? Else somebody has been here since. */
static bool stands(struct taking *t, struct back *b)
{
	b->now = seen_by_key(&t->p.view, row_of(t, b)->key);
	for (int s = 0; b->now != NULL && s < MM_SET_COUNT; s++) {
		const char *want = b->acc->want.v[s];
		if (mm_setting_def((enum mm_setting)s)->side != b->settled->side || want == NULL ||
		    !mm_place_essential((enum mm_setting)s) || b->now->s[s].value == NULL)
			continue;
		if (!mm_setting_satisfies((enum mm_setting)s, b->now->s[s].value, want))
			return false;
	}
	return b->now != NULL;
}

static int undo_trial(struct taking *t, struct back *b, struct mm_err *err)
{
	struct mm_arena *a = t->c->arena;
	struct mm_row *row = row_of(t, b);
	const struct mm_trial *trial = row->trial[b->settled->side];
	for (size_t i = trial->n; i-- > 0;) {
		const struct mm_trial_edit *e = &trial->edits[i];
		struct mm_done_edit did = e->d;
		bool undone;
		if (mm_undo_edit(t->p.overlay, a, &e->d, false, &undone, err) != 0)
			return -1;
		if (!undone)
			continue;
		b->changed = true;
		mm_row_unrecord(row, e);
		if (mm_edit_inverse(&e->d.e, &did.e))
			*(struct mm_done_edit *)mm_arena_push(
			    a, &t->p.did.edits, &t->p.did.n_edits, &t->p.did.cap_edits, sizeof(did)) = did;
	}
	for (int s = 0; s < MM_SET_COUNT; s++)
		if (mm_setting_def((enum mm_setting)s)->side == b->settled->side)
			row->applied.v[s] = trial->before.v[s];
	row->trial[b->settled->side] = NULL;
	row->revision = 0;
	return 0;
}

/* ---- may it be so again? */

static bool other_is_taken_back(const struct taking *t, const struct back *b, enum mm_side side)
{
	for (size_t i = 0; i < t->n; i++)
		if (is_ours(&t->b[i]) && t->b[i].acc == b->acc && t->b[i].settled->side == side)
			return true;
	return false;
}

static const char *disturbed(const struct taking *t, const struct back *b, const struct mm_seen_account *then)
{
	for (int s = 0; s < MM_SET_COUNT; s++) {
		const struct mm_setting_def *d = mm_setting_def((enum mm_setting)s);
		if (d->side == b->settled->side || other_is_taken_back(t, b, d->side) ||
		    mm_streq(b->now->s[s].value, then->s[s].value))
			continue;
		return mm_arena_printf(
		    t->c->arena, "it cannot be taken back without changing %s, too", d->id);
	}
	return NULL;
}

/* Who had to take up the change has to take this up, too: the adapter says
 * who, for the change the other way round, which is not made. */
static void gather_needs(struct taking *t, const struct back *b, const struct mm_view *view)
{
	struct mm_reader *r = mm_overlay_reader(t->p.overlay);
	struct mm_values want = {.v = {NULL}};
	struct mm_edits e = {.n = 0};
	struct mm_err err = MM_ERR_NONE;
	for (int s = 0; s < MM_SET_COUNT; s++)
		if (mm_setting_def((enum mm_setting)s)->side == b->settled->side)
			want.v[s] = b->now->s[s].value != NULL ? b->acc->want.v[s] : NULL;
	const struct mm_change ch = {.kind = MM_CHANGE_SET,
	    .account = b->acc->name,
	    .label = b->acc->label,
	    .key = b->now->key,
	    .want = &want,
	    .full = &b->acc->want,
	    .index = (size_t)(b->acc - t->c->sheet->accounts)};
	if (t->p.client->change(r, t->p.place, view, &ch, &e, &err) == 0)
		mm_place_gather_needs(&t->p, &e);
}

static bool holds(struct taking *t, struct back *b, const struct mm_view *view)
{
	const struct mm_seen_account *then = seen_by_key(view, b->now->key);
	const char *why = then == NULL ? "the program would not see the account any more"
				       : mm_forbidden_back(t->c, b->settled->side, b->now, then);
	if (why == NULL)
		why = disturbed(t, b, then);
	if (why != NULL)
		leave(b, mm_arena_printf(t->c->arena, "not taken back: %s. %s", why, b->outcome->admin));
	return why == NULL;
}

/* Everything that is still to be taken back, in memory; false: something of
 * it cannot be, and is left out. */
static bool try_back(struct taking *t)
{
	struct mm_converge *c = t->c;
	struct mm_err err = MM_ERR_NONE;
	struct mm_view view = {.n = 0};
	bool good = true;
	t->p.rows = mm_rows_copy(c->arena, &c->journal->rows, t->p.client->name, t->p.place->path);
	t->p.overlay = mm_overlay_new(t->p.reader);
	t->p.did =
	    (struct mm_row){.client = t->p.client->name, .path = t->p.place->path, .account = "", .key = ""};
	for (size_t i = t->n; i-- > 0;) {
		if (!is_ours(&t->b[i]))
			continue;
		t->b[i].changed = false;
		if (!stands(t, &t->b[i])) {
			leave(&t->b[i], "somebody has changed the settings since the login was tested");
			return false;
		}
		if (undo_trial(t, &t->b[i], &err) != 0) {
			leave(&t->b[i], mm_arena_strdup(c->arena, err.text));
			return false;
		}
		if (!t->b[i].changed) { /* somebody has spelled all of it anew: it is theirs */
			t->b[i].settled->how = MM_SETTLED_KEPT;
			return false;
		}
	}
	if (t->p.client->read(mm_overlay_reader(t->p.overlay), t->p.place, &view, &err) != 0) {
		for (size_t i = 0; i < t->n; i++)
			if (is_ours(&t->b[i]))
				leave(&t->b[i], mm_arena_strdup(c->arena, err.text));
		return false;
	}
	t->p.n_needs = 0;
	for (size_t i = 0; i < t->n; i++) {
		if (!is_ours(&t->b[i]))
			continue;
		good &= holds(t, &t->b[i], &view);
		gather_needs(t, &t->b[i], &view);
	}
	return good;
}

static bool any_ours(const struct taking *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (is_ours(&t->b[i]))
			return true;
	return false;
}

/* ---- onto the disk */

static void remember_reverted(struct taking *t, struct back *b)
{
	const struct mm_row *row =
	    mm_rows_find(&t->c->journal->rows, b->settled->client, b->settled->path, b->settled->account);
	const struct mm_trial *trial = row->trial[b->settled->side];
	struct mm_reverted r = {.account = b->acc->name,
	    .side = b->settled->side,
	    .revision = trial->revision,
	    .cls = b->outcome->cls,
	    .text = b->outcome->text,
	    .admin = b->outcome->admin,
	    .when = b->outcome->when};
	memcpy(r.settings, trial->settings, sizeof(r.settings));
	b->known = mm_journal_reverted(t->c->journal, r.account, r.side, r.revision, r.settings) != NULL;
	mm_journal_add_reverted(t->c->journal, &r);
}

static void fail(struct taking *t, const char *why)
{
	for (size_t i = 0; i < t->n; i++) {
		if (!is_ours(&t->b[i]))
			continue;
		leave(&t->b[i],
		    mm_arena_printf(t->c->arena, "not taken back yet: %s. %s", why, t->b[i].outcome->admin));
	}
}

static void write_back(struct taking *t)
{
	struct mm_err err = MM_ERR_NONE;
	enum mm_file_trouble why = MM_FILE_OK;
	for (size_t i = 0; i < t->n; i++)
		if (is_ours(&t->b[i]))
			remember_reverted(t, &t->b[i]);
	if (mm_commit(&t->p, &why, &err) != 0) {
		for (size_t i = 0; i < t->n; i++)
			if (is_ours(&t->b[i]) && !t->b[i].known)
				mm_journal_drop_reverted(
				    t->c->journal, t->b[i].acc->name, t->b[i].settled->side);
		fail(t, err.text);
		return;
	}
	mm_rows_install(t->c->arena, &t->c->journal->rows, t->p.client->name, t->p.place->path, &t->p.rows);
	t->c->changed++;
	mm_needs_meet(t->c->who, t->p.needs, t->p.n_needs, t->c->arena);
}

static void take_back(struct taking *t, struct mm_reader *r)
{
	struct mm_err err = MM_ERR_NONE;
	const struct mm_settled *first = t->b[0].settled;
	int got = mm_converge_place(t->c, r, first->client, first->path, &t->p, &err);
	if (got <= 0) {
		fail(t, got < 0 ? err.text : "the configuration is not there, or not the policy's to change");
		return;
	}
	if (t->p.place->busy != NULL) {
		fail(t, t->p.place->busy);
		return;
	}
	while (any_ours(t) && !try_back(t))
		continue;
	if (any_ours(t))
		write_back(t);
}

/* ---- all of them */

static const struct mm_account *account_of(const struct mm_converge *c, const char *name)
{
	for (size_t i = 0; i < c->sheet->n_accounts; i++)
		if (mm_streq(c->sheet->accounts[i].name, name))
			return &c->sheet->accounts[i];
	return NULL;
}

static void take_back_places(
    struct mm_converge *c, const struct mm_outcome (*outcome)[MM_SIDE_COUNT], struct mm_settled_list *out)
{
	struct mm_reader *r = mm_reader_new(c->arena, c->who);
	bool *done = mm_arena_alloc(c->arena, out->n + 1, sizeof(*done));
	for (size_t i = 0; i < out->n; i++) {
		struct taking t = {.c = c, .b = mm_arena_alloc(c->arena, out->n + 1, sizeof(*t.b))};
		for (size_t k = i; k < out->n; k++) {
			struct mm_settled *s = &out->s[k];
			if (done[k] || s->how != MM_SETTLED_REVERTED ||
			    !mm_streq(s->client, out->s[i].client) || !mm_streq(s->path, out->s[i].path))
				continue;
			done[k] = true;
			t.b[t.n++] = (struct back){.settled = s,
			    .outcome = outcome_of(c, outcome, s->account, s->side),
			    .acc = account_of(c, s->account)};
		}
		if (t.n > 0)
			take_back(&t, r);
	}
}

static void add_settled(struct mm_converge *c, const struct mm_outcome (*outcome)[MM_SIDE_COUNT],
    const struct mm_row *row, enum mm_side side, struct mm_settled_list *out)
{
	struct mm_settled s = {
	    .client = row->client, .path = row->path, .account = row->account, .side = side};
	s.how = judge(outcome_of(c, outcome, row->account, side), row->trial[side], &s.why);
	*(struct mm_settled *)mm_arena_push(c->arena, &out->s, &out->n, &out->cap, sizeof(s)) = s;
}

static void close_trials(struct mm_converge *c, const struct mm_settled_list *out)
{
	for (size_t i = 0; i < out->n; i++) {
		const struct mm_settled *s = &out->s[i];
		struct mm_row *row = mm_rows_find(&c->journal->rows, s->client, s->path, s->account);
		if (row != NULL && (s->how == MM_SETTLED_CONFIRMED || s->how == MM_SETTLED_KEPT))
			row->trial[s->side] = NULL;
		if (s->how == MM_SETTLED_CONFIRMED)
			mm_journal_drop_reverted(c->journal, s->account, s->side);
	}
}

int mm_confirm(struct mm_converge *c, const struct mm_outcome (*outcome)[MM_SIDE_COUNT],
    struct mm_settled_list *out, struct mm_err *err)
{
	for (size_t i = 0; i < c->journal->rows.n; i++)
		for (int side = 0; side < MM_SIDE_COUNT; side++)
			if (c->journal->rows.r[i].trial[side] != NULL)
				add_settled(c, outcome, &c->journal->rows.r[i], (enum mm_side)side, out);
	take_back_places(c, outcome, out);
	close_trials(c, out);
	return mm_journal_save(c->journal, err);
}
