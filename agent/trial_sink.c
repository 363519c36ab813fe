#include "agent/trial_sink.h"

#include "agent/trial.h"
#include "common/text.h"

static enum mm_side side_of(const struct mm_finding *f)
{
	enum mm_setting s = mm_setting_by_id(f->setting);
	return s == MM_SET_NONE ? MM_SIDE_ACCOUNT : mm_setting_def(s)->side;
}

/* ---- while the run goes on */

/* Is this value one that was changed, and is it there? */
static bool is_on_trial(const struct mm_row *row, const struct mm_finding *f)
{
	enum mm_setting s = mm_setting_by_id(f->setting);
	const struct mm_trial *t = row->trial[side_of(f)];
	if (t == NULL)
		return false;
	if (f->action == MM_ACT_ADOPTED || f->action == MM_ACT_CORRECTED)
		return true;
	return f->state == MM_ST_COMPLIANT && !mm_streq(t->before.v[s], row->applied.v[s]);
}

/* Programs share files: whoever has the account is told of when it is decided. */
static bool waits(const struct mm_trial_sink *t, const struct mm_finding *f)
{
	enum mm_side side = side_of(f);
	const struct mm_journal *j = t->c->journal;
	for (size_t i = 0; j != NULL && side != MM_SIDE_ACCOUNT && i < j->rows.n; i++)
		if (j->rows.r[i].trial[side] != NULL && mm_streq(j->rows.r[i].account, f->account))
			return true;
	return false;
}

static void take_finding(struct mm_sink *s, const struct mm_finding *f)
{
	struct mm_trial_sink *t = (struct mm_trial_sink *)s;
	if (waits(t, f))
		t->kept.sink.finding(&t->kept.sink, f);
	else
		t->to->finding(t->to, f);
}

static void take_login(struct mm_sink *s, const struct mm_login *l)
{
	struct mm_trial_sink *t = (struct mm_trial_sink *)s;
	t->to->login(t->to, l);
}

static void take_alive(struct mm_sink *s)
{
	struct mm_trial_sink *t = (struct mm_trial_sink *)s;
	if (t->to->alive != NULL)
		t->to->alive(t->to);
}

void mm_trial_sink_begin(struct mm_trial_sink *t, struct mm_converge *c, struct mm_sink *to)
{
	*t = (struct mm_trial_sink){
	    .sink = {.finding = take_finding, .login = take_login, .alive = take_alive}, .to = to, .c = c};
	mm_collect_init(&t->kept, c->arena);
}

/* ---- telling */

struct teller {
	struct mm_sink sink; /* first member: takes what a second look finds */
	struct mm_sink *to;
	struct mm_converge *c;
	const struct mm_settled_list *settled; /* NULL: nothing was decided */
	struct mm_memory memory;
	enum mm_settled_how least; /* a second look tells of sides of which this much was decided */
};

static void tell_open(const struct teller *t, const struct mm_finding *f, const char *why)
{
	struct mm_finding told = *f;
	told.state = MM_ST_UNCONFIRMED;
	told.reason = mm_arena_printf(t->c->arena, "changed, and not confirmed: %s%s%s", why,
	    f->reason[0] != '\0' ? "; " : "", f->reason);
	t->to->finding(t->to, &told);
}

/* Nobody decides in a run that only looks; but a login of this run proves all the same. */
static void tell(const struct teller *t, const struct mm_finding *f)
{
	const struct mm_row *row = mm_rows_find(&t->c->journal->rows, f->client, f->path, f->account);
	const struct mm_settled *s =
	    t->settled != NULL ? mm_settled_find(t->settled, f->client, f->path, f->account, side_of(f))
			       : NULL;
	if (row != NULL && is_on_trial(row, f) && mm_trial_is_open(&t->memory, row, side_of(f)))
		tell_open(t, f, s != NULL ? s->why : "no login has proven it yet");
	else
		t->to->finding(t->to, f);
}

/* The most that was decided on a side, in any program. */
static enum mm_settled_how decided(const struct mm_settled_list *l, const struct mm_finding *f)
{
	enum mm_settled_how most = MM_SETTLED_OPEN;
	for (size_t i = 0; l != NULL && i < l->n; i++)
		if (l->s[i].side == side_of(f) && mm_streq(l->s[i].account, f->account) && l->s[i].how > most)
			most = l->s[i].how;
	return most;
}

static void second_finding(struct mm_sink *s, const struct mm_finding *f)
{
	const struct teller *t = (const struct teller *)s;
	if (decided(t->settled, f) >= t->least)
		tell(t, f);
}

static void second_login(struct mm_sink *s, const struct mm_login *l)
{
	(void)s;
	(void)l;
}

static struct teller teller_of(struct mm_converge *c, struct mm_sink *to,
    const struct mm_settled_list *settled, enum mm_settled_how least)
{
	struct teller t = {.sink = {.finding = second_finding, .login = second_login},
	    .to = to,
	    .c = c,
	    .settled = settled,
	    .least = least};
	mm_memory_load(c->state_dir, c->arena, &t.memory);
	return t;
}

static void look_again(struct teller *t)
{
	struct mm_converge again = *t->c;
	bool any = false;
	for (size_t i = 0; i < t->settled->n; i++)
		any |= t->settled->s[i].how >= t->least;
	again.how = MM_HOW_AUDIT;
	again.sink = &t->sink;
	if (any)
		mm_converge(&again, NULL);
}

void mm_trial_sink_end(struct mm_trial_sink *t, const struct mm_settled_list *settled)
{
	if (t->kept.n_findings == 0)
		return;
	struct teller teller = teller_of(t->c, t->to, settled, MM_SETTLED_REVERTED);
	for (size_t i = 0; i < t->kept.n_findings; i++)
		if (decided(settled, &t->kept.findings[i]) != MM_SETTLED_REVERTED)
			tell(&teller, &t->kept.findings[i]);
	if (settled != NULL)
		look_again(&teller);
}

void mm_settled_tell(struct mm_converge *c, const struct mm_settled_list *settled)
{
	struct teller teller = teller_of(c, c->sink, settled, MM_SETTLED_CONFIRMED);
	look_again(&teller);
}
