#include "agent/take_back.h"

#include "agent/allowed_back.h"
#include "agent/place.h"
#include "common/text.h"

/* ---- may it be so again? */

static const struct mm_seen_account *seen_by_key(const struct mm_view *v, const char *key)
{
	for (size_t i = 0; i < v->n; i++)
		if (mm_streq(v->accounts[i].key, key))
			return &v->accounts[i];
	return NULL;
}

static const char *weaker(const struct mm_converge *c, const struct mm_view *now, const struct mm_view *then)
{
	const char *why = NULL;
	for (size_t i = 0; why == NULL && i < then->n; i++) {
		const struct mm_seen_account *is = &then->accounts[i], *was = seen_by_key(now, is->key);
		why = mm_forbidden_back(c, MM_SIDE_INCOMING, was, is);
		if (why == NULL)
			why = mm_forbidden_back(c, MM_SIDE_OUTGOING, was, is);
	}
	return why;
}

static bool anything_left(const struct mm_generation *g, struct mm_reader *after)
{
	for (size_t i = 0; i < g->n; i++) {
		struct mm_text text = {.p = NULL};
		enum mm_file_trouble why;
		if (after->file(after, g->files[i].path, &text, &why, NULL) != 0)
			return true;
	}
	return false;
}

static const char *forbids(
    void *ctx, const struct mm_generation *g, struct mm_reader *now, struct mm_overlay *after)
{
	struct mm_converge *c = ctx;
	struct mm_place_run p;
	struct mm_view then = {.n = 0};
	struct mm_err err = MM_ERR_NONE;
	int rc = mm_converge_place(c, now, g->client, g->path, &p, &err);
	if (rc == 0)
		return "the policy does not let us change this program's settings there now";
	if (rc < 0)
		return mm_arena_strdup(c->arena, err.text);
	if (p.place->busy != NULL)
		return p.place->busy;
	/* Where nothing comes back, nothing weaker does. */
	if (!anything_left(g, mm_overlay_reader(after)))
		return NULL;
	if (p.client->read(mm_overlay_reader(after), p.place, &then, &err) != 0)
		return mm_arena_strdup(c->arena, err.text);
	return weaker(c, &p.view, &then);
}

/* ---- telling */

/* The newest went first: how far back it is in the end says the last one. */
static const struct mm_restored *taken(const struct mm_taken *t, const struct mm_finding *f)
{
	for (size_t i = t->n; i-- > 0;)
		if (!t->done[i].left && mm_streq(t->done[i].client, f->client) &&
		    mm_streq(t->done[i].place, f->path))
			return &t->done[i];
	return NULL;
}

static bool is_ours(const struct mm_taken *t, const struct mm_finding *f)
{
	for (size_t i = 0; i < t->c->sheet->n_accounts; i++)
		if (mm_streq(t->c->sheet->accounts[i].name, f->account))
			return f->state != MM_ST_COMPLIANT && f->state != MM_ST_UNSUPPORTED;
	return false;
}

static void take_finding(struct mm_sink *s, const struct mm_finding *f)
{
	struct mm_taken *t = (struct mm_taken *)s;
	const struct mm_restored *d = is_ours(t, f) ? taken(t, f) : NULL;
	struct mm_finding told = *f;
	if (d != NULL) {
		told.action = MM_ACT_REVERTED;
		if (f->reason[0] == '\0')
			told.reason = mm_arena_printf(t->c->arena,
			    "taken back, as an admin asked: as it was before generation %lld",
			    (long long)d->generation);
	}
	t->to->finding(t->to, &told);
}

static void take_login(struct mm_sink *s, const struct mm_login *l)
{
	struct mm_taken *t = (struct mm_taken *)s;
	t->to->login(t->to, l);
}

static void take_alive(struct mm_sink *s)
{
	struct mm_taken *t = (struct mm_taken *)s;
	if (t->to->alive != NULL)
		t->to->alive(t->to);
}

static bool tell_left(struct mm_converge *c, const struct mm_taken *t)
{
	bool any = false;
	for (size_t i = 0; i < t->n; i++) {
		const struct mm_restored *d = &t->done[i];
		any |= !d->left;
		if (d->left)
			mm_report_whole(c, d->client, d->place, MM_ST_DEFERRED,
			    mm_arena_printf(c->arena, "generation %lld is not taken back: %s",
				(long long)d->generation, d->how));
	}
	return any;
}

/* ---- the whole */

static int64_t up_to(const struct mm_converge *c)
{
	return c->journal->revision > c->sheet->revision ? c->journal->revision : c->sheet->revision;
}

/* True when there is nothing to do: there was no change, or it is taken back already. */
static int is_done(const struct mm_converge *c, int64_t generation, struct mm_err *err)
{
	bool already = c->journal->restored >= c->sheet->revision && c->journal->restored > 0;
	int64_t *all;
	size_t n;
	if (mm_generation_list(c->state_dir, c->arena, &all, &n, err) != 0)
		return -1;
	if (n == 0)
		return already || generation == 0;
	return already && (generation == 0 || generation > all[n - 1]);
}

int mm_take_back(struct mm_converge *c, int64_t generation, struct mm_taken *out, struct mm_err *err)
{
	struct mm_journal *j = c->journal;
	const int64_t before = j->restored;
	const struct mm_restore_job job = {.who = c->who,
	    .state_dir = c->state_dir,
	    .journal = j,
	    .number = generation,
	    .forbids = forbids,
	    .ctx = c};
	*out = (struct mm_taken){.sink = {.finding = take_finding, .login = take_login, .alive = take_alive},
	    .to = c->sink,
	    .c = c};
	int rc = is_done(c, generation, err);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	/* Before the files: nobody who comes in between does it again. */
	j->restored = up_to(c);
	if (mm_journal_save(j, err) != 0)
		return -1;
	rc = mm_restore_by(&job, c->arena, &out->done, &out->n, err);
	if (tell_left(c, out))
		return rc;
	struct mm_err later = MM_ERR_NONE;
	j->restored = before;
	return mm_journal_save(j, rc == 0 ? err : &later) != 0 ? -1 : rc;
}

bool mm_is_taken_back(struct mm_converge *c)
{
	struct mm_journal *j = c->journal;
	if (j->restored == 0 || c->how == MM_HOW_AUDIT)
		return false;
	if (c->sheet->revision <= j->restored)
		return true;
	if (c->how == MM_HOW_APPLY)
		j->restored = 0;
	return false;
}
