#include "agent/place.h"

#include <string.h>

#include "agent/classify.h"
#include "agent/hostwide.h"
#include "agent/trial.h"
#include "common/text.h"

/* ---- one setting */

const char *mm_unsure_reason(struct mm_arena *a, const struct mm_seen *s)
{
	if (s->unsure_line == 0)
		return mm_arena_printf(a, "%s may win over this setting: %s", s->unsure_path, s->unsure_why);
	return mm_arena_printf(
	    a, "%s:%d may win over this setting: %s", s->unsure_path, s->unsure_line, s->unsure_why);
}

static bool client_has(const struct mm_client *cl, enum mm_side side)
{
	if (side == MM_SIDE_INCOMING)
		return cl->incoming;
	return side == MM_SIDE_OUTGOING ? cl->outgoing : true;
}

/* The program's built-in value counts as absent, unless it is what we want. */
static const char *found_value(enum mm_setting s, const struct mm_seen *seen, const char *desired)
{
	if (seen == NULL || seen->value == NULL)
		return NULL;
	return seen->from_default && !mm_setting_satisfies(s, seen->value, desired) ? NULL : seen->value;
}

/* What the program will see cannot be known from here: never compliant, and
 * no difference either. What is written may be certain afterwards: reading
 * back tells. The user's own choice is allowed, whatever it is. */
static void judge_unsure(struct mm_place_run *p, struct mm_judged *j, enum mm_mode mode)
{
	bool same = j->state == MM_ST_COMPLIANT;
	if (same && j->reason[0] != '\0')
		return;
	if (same && mode == MM_MODE_ENFORCE)
		j->write = j->seen->unsure_open;
	else if (j->write && p->c->how != MM_HOW_AUDIT)
		return;
	j->state = MM_ST_UNKNOWN;
	j->reason = mm_unsure_reason(p->c->arena, j->seen);
}

static void judge_found(struct mm_place_run *p, const struct mm_todo *t, enum mm_setting s, enum mm_mode mode)
{
	struct mm_judged *j = &p->todo[t->m.index].s[s];
	const char *applied = t->m.row != NULL ? t->m.row->applied.v[s] : NULL;
	enum mm_state st = mm_classify(s, applied, found_value(s, j->seen, j->desired), j->desired);
	struct mm_decision d = mm_decide(st, mode);
	j->state = d.state;
	j->action = d.action;
	j->reason = d.reason;
	j->write = d.write;
	bool holds = j->seen != NULL && j->seen->over_holds && j->state == MM_ST_COMPLIANT;
	if (j->seen != NULL && j->seen->over_path != NULL && !holds) {
		j->state = MM_ST_OVERRIDDEN;
		j->write = false;
		j->reason = mm_arena_printf(p->c->arena, "%s wins over this setting",
		    j->seen->over_by != NULL ? j->seen->over_by : "something else");
	} else if (j->seen != NULL && j->seen->unsure_path != NULL) {
		judge_unsure(p, j, mode);
	}
}

/* A program that only sends or only fetches writes no headers: names and the
 * like are the business of another one. */
static bool is_foreign(const struct mm_client *cl, enum mm_setting s)
{
	return mm_setting_def(s)->side == MM_SIDE_ACCOUNT && cl->incoming != cl->outgoing;
}

static void judge_setting(struct mm_place_run *p, struct mm_todo *t, enum mm_setting s)
{
	const struct mm_values *want = &t->m.acc->want;
	struct mm_judged *j = &t->s[s];
	enum mm_mode mode = mm_sheet_mode(p->c->sheet, p->client->name, s);
	const struct mm_setting_def *def = mm_setting_def(s);
	if ((want->v[s] == NULL && !t->m.acc->differs[s]) || mode == MM_MODE_IGNORE ||
	    !client_has(p->client, def->side) || (def->flags & MM_SETF_TEST) != 0)
		return;
	if (t->m.acc->differs[s]) {
		j->asked = !is_foreign(p->client, s);
		j->state = MM_ST_UNSUPPORTED;
		j->reason = "differs between the users of this host, and one file holds it for all";
		return;
	}
	const struct mm_seen *seen = t->m.seen != NULL ? &t->m.seen->s[s] : NULL;
	const char *found = seen != NULL ? seen->value : NULL, *why = NULL;
	if (!mm_setting_satisfies(s, found, want->v[s]))
		why = mm_client_cannot(p->client, s, want->v[s], want);
	if (why == MM_CLIENT_NOT_ITS_BUSINESS)
		return;
	j->asked = true;
	j->desired = want->v[s];
	j->seen = seen;
	j->found = found;
	if (why != NULL) {
		j->asked = !is_foreign(p->client, s);
		j->state = MM_ST_UNSUPPORTED;
		j->reason = why;
		return;
	}
	judge_found(p, t, s, mode);
}

/* ---- one account */

bool mm_place_essential(enum mm_setting s)
{
	switch (s) {
	case MM_SET_IN_PROTOCOL:
	case MM_SET_IN_HOST:
	case MM_SET_IN_PORT:
	case MM_SET_IN_SECURITY:
	case MM_SET_IN_AUTH:
	case MM_SET_IN_USERNAME:
	case MM_SET_OUT_PROTOCOL:
	case MM_SET_OUT_HOST:
	case MM_SET_OUT_PORT:
	case MM_SET_OUT_SECURITY:
	case MM_SET_OUT_AUTH:
	case MM_SET_OUT_USERNAME:
		return true;
	default:
		return false;
	}
}

static void fail_account(struct mm_todo *t, enum mm_state state, const char *reason)
{
	t->failed = true;
	t->write = false;
	for (int s = 0; s < MM_SET_COUNT; s++) {
		if (!t->s[s].write)
			continue;
		t->s[s].write = false;
		t->s[s].state = state;
		t->s[s].action = MM_ACT_NONE;
		t->s[s].reason = reason;
	}
}

/* May an account be written of which the client cannot hold everything? */
static void check_expressible(struct mm_place_run *p, struct mm_todo *t)
{
	for (int s = 0; s < MM_SET_COUNT; s++) {
		const struct mm_judged *j = &t->s[s];
		if (j->asked && j->state == MM_ST_UNSUPPORTED && mm_place_essential((enum mm_setting)s)) {
			fail_account(t, MM_ST_UNSUPPORTED,
			    mm_arena_printf(p->c->arena, "not written, because %s cannot be expressed here",
				mm_setting_def((enum mm_setting)s)->id));
			return;
		}
	}
}

/* An account that is not there: is it to be made, only missed, or no matter? */
static void judge_absent(struct mm_place_run *p, struct mm_todo *t)
{
	if (p->may_create)
		return;
	bool missed = t->m.row != NULL || (p->named && p->place->exists && !p->read_only &&
					      p->c->sheet->create != MM_CREATE_NEVER);
	t->absent = missed;
	for (int s = 0; s < MM_SET_COUNT; s++)
		t->s[s].asked = false;
}

static void judge_account(struct mm_place_run *p, struct mm_todo *t)
{
	for (int s = 0; s < MM_SET_COUNT; s++)
		judge_setting(p, t, (enum mm_setting)s);
	if (t->m.seen == NULL)
		judge_absent(p, t);
	mm_trial_hold(p, t);
	for (int s = 0; s < MM_SET_COUNT; s++)
		t->write |= t->s[s].asked && t->s[s].write;
	if (t->write)
		check_expressible(p, t);
	t->key = t->m.seen != NULL ? t->m.seen->key : NULL;
}

/* Looked at only: differences are told, and count for nothing. */
static void only_look(struct mm_todo *t)
{
	t->write = false;
	for (int s = 0; s < MM_SET_COUNT; s++) {
		struct mm_judged *j = &t->s[s];
		j->write = false;
		if (!j->asked || j->state == MM_ST_COMPLIANT)
			continue;
		j->state = MM_ST_UNMANAGED;
		j->action = MM_ACT_REPORTED;
		j->reason = "not the configuration that the program uses";
	}
}

/* ---- the place */

static bool in_sheet(const struct mm_sheet *sheet, const struct mm_row *row)
{
	for (size_t i = 0; i < sheet->n_accounts; i++) {
		if (mm_streq(sheet->accounts[i].name, row->account) ||
		    mm_streq(sheet->accounts[i].renamed_from, row->account))
			return true;
	}
	return false;
}

/* Ours goes when the policy drops it; a policy that only audits this client,
 * or leaves it alone, says so by name. */
static bool may_remove(const struct mm_place_run *p)
{
	const struct mm_sheet *s = p->c->sheet;
	if (p->read_only)
		return false;
	for (size_t i = 0; i < s->n_clients; i++) {
		if (mm_streq(s->clients[i].client, p->client->name))
			return s->clients[i].mode == MM_MODE_ENFORCE || s->clients[i].mode == MM_MODE_DEFAULT;
	}
	return true;
}

static void judge_removals(struct mm_place_run *p)
{
	p->gone = mm_arena_alloc(p->c->arena, p->rows.n + 1, sizeof(*p->gone));
	for (size_t i = 0; i < p->rows.n; i++) {
		const struct mm_row *row = &p->rows.r[i];
		if (in_sheet(p->c->sheet, row))
			continue;
		p->gone[p->n_gone++] = (struct mm_removal){.account = row->account,
		    .key = row->key,
		    .created = row->created,
		    .write = may_remove(p)};
		for (size_t k = 0; k < p->view.n; k++) {
			if (mm_streq(p->view.accounts[k].key, row->key))
				p->claimed[k] = true;
		}
	}
}

void mm_place_judge(struct mm_place_run *p)
{
	struct mm_arena *a = p->c->arena;
	const struct mm_sheet *sheet = p->c->sheet;
	struct mm_match *m = mm_arena_alloc(a, sheet->n_accounts + 1, sizeof(*m));
	p->claimed = mm_arena_alloc(a, p->view.n + 1, sizeof(*p->claimed));
	p->todo = mm_arena_alloc(a, sheet->n_accounts + 1, sizeof(*p->todo));
	p->n = sheet->n_accounts;
	mm_match_accounts(p->client, sheet, &p->rows, &p->view, m, p->claimed);
	for (size_t i = 0; i < p->n; i++) {
		p->todo[i].m = m[i];
		if (m[i].acc == NULL)
			continue;
		judge_account(p, &p->todo[i]);
		if (p->read_only)
			only_look(&p->todo[i]);
	}
	judge_removals(p);
}

bool mm_place_pending(const struct mm_place_run *p)
{
	for (size_t i = 0; i < p->n; i++) {
		if (p->todo[i].write)
			return true;
	}
	for (size_t i = 0; i < p->n_gone; i++) {
		if (p->gone[i].write)
			return true;
	}
	return false;
}

void mm_place_fail(struct mm_place_run *p, enum mm_state state, const char *reason)
{
	for (size_t i = 0; i < p->n; i++) {
		if (p->todo[i].write)
			fail_account(&p->todo[i], state, reason);
	}
	for (size_t i = 0; i < p->n_gone; i++) {
		if (p->gone[i].write) {
			p->gone[i].write = false;
			p->gone[i].fail = reason;
		}
	}
}

/* A sheet without clients: the policy's own run is about the system's files,
 * and what this program gets from them is not an account of the user's. */
bool mm_place_is_shared(const struct mm_place_run *p, const struct mm_seen_account *acc)
{
	if (p->c->sheet->n_clients > 0 || mm_is_hostwide(p->c->who))
		return false;
	size_t n = strlen(p->c->who->home);
	for (int s = 0; s < MM_SET_COUNT; s++) {
		const char *path = acc->s[s].path;
		if (path != NULL && strncmp(path, p->c->who->home, n) == 0 && path[n] == '/')
			return false;
	}
	return true;
}

/* ---- what is ours from now on */

static bool own_setting(const struct mm_judged *j, enum mm_mode mode)
{
	if (!j->asked || j->state == MM_ST_UNSUPPORTED || mode == MM_MODE_AUDIT)
		return false;
	return j->write || (j->state == MM_ST_COMPLIANT && j->reason[0] == '\0');
}

/* Which revision is it, and who brought it into this home? */
static void stamp(const struct mm_place_run *p, const struct mm_todo *t, struct mm_row *row)
{
	int64_t revision = p->c->sheet->revision;
	for (int s = 0; s < MM_SET_COUNT; s++)
		if (row->applied.v[s] != NULL && t->s[s].asked && t->s[s].desired != NULL &&
		    !mm_setting_satisfies((enum mm_setting)s, row->applied.v[s], t->s[s].desired))
			return;
	if (p->c->conf == NULL)
		return;
	bool own = mm_streq(row->host, p->c->conf->host);
	int64_t age = p->c->now - row->brought;
	if (row->revision == revision && age < (own ? 86400 : MM_HOST_GONE_SECONDS))
		return;
	row->revision = revision;
	row->host = p->c->conf->host;
	row->brought = p->c->now;
}

static void own_account(struct mm_place_run *p, struct mm_todo *t)
{
	struct mm_values applied = {.v = {NULL}};
	struct mm_row *row = mm_rows_find(&p->rows, p->client->name, p->place->path, t->m.acc->name);
	bool any = false;
	for (int s = 0; s < MM_SET_COUNT; s++) {
		const struct mm_judged *j = &t->s[s];
		enum mm_mode mode = mm_sheet_mode(p->c->sheet, p->client->name, (enum mm_setting)s);
		if (own_setting(j, mode))
			applied.v[s] = j->desired;
		else if (row != NULL && j->asked)
			applied.v[s] = row->applied.v[s];
		any |= applied.v[s] != NULL;
	}
	if (!any || t->key == NULL || t->absent)
		return;
	if (row == NULL) {
		row = mm_rows_add(p->c->arena, &p->rows);
		*row = (struct mm_row){.client = p->client->name,
		    .path = p->place->path,
		    .account = t->m.acc->name,
		    .created = t->m.seen == NULL};
	}
	row->key = t->key;
	row->applied = applied;
	stamp(p, t, row);
	mm_trial_renew(p, t, row);
}

void mm_place_own(struct mm_place_run *p)
{
	for (size_t i = 0; i < p->n && !p->read_only; i++) {
		if (p->todo[i].m.acc != NULL)
			own_account(p, &p->todo[i]);
	}
}
