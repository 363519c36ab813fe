/* One result for each check and account out of many pieces of evidence. */
#include "controller/checks/engine.h"

#include <stdlib.h>
#include <string.h>

/* Accounts of one client of one user; a hostile report's further ones are
 * one account together, of which the worst counts. */
#define ACCOUNTS_MAX 256
#define ACCOUNTS_OTHER "(further accounts)"

/* ---- folding */

static int badness(enum mm_check_outcome o)
{
	static const int rank[MM_OUT_COUNT] = {
	    [MM_OUT_NOT_APPLICABLE] = 0,
	    [MM_OUT_COMPLIANT] = 1,
	    [MM_OUT_WAIVED] = 2,
	    [MM_OUT_DEFERRED] = 3,
	    [MM_OUT_UNKNOWN] = 4,
	    [MM_OUT_DRIFTED] = 5,
	    [MM_OUT_FAILED] = 6,
	};
	return rank[o];
}

static const char *keep(const struct mm_engine *e, const char *s)
{
	return e->texts != NULL && s != NULL ? mm_arena_strdup(e->texts, s) : NULL;
}

static bool is_good(enum mm_check_outcome o)
{
	return o == MM_OUT_COMPLIANT || o == MM_OUT_NOT_APPLICABLE;
}

/* A pass rests on all that was seen; what is wrong rests on what is wrong alone, and is not older
 * for something else that was seen long ago. */
static void take_item(const struct mm_engine *e, struct mm_cell *c, const struct mm_item *it)
{
	bool older = c->used && c->seen < it->seen && is_good(it->outcome);
	int64_t seen = older ? c->seen : it->seen;
	bool claimed = c->claimed || it->claimed;
	*c = (struct mm_cell){.used = true,
	    .stale = it->stale,
	    .claimed = claimed,
	    .outcome = it->outcome,
	    .method = it->method,
	    .path = keep(e, it->path),
	    .found = keep(e, it->found),
	    .wanted = keep(e, it->wanted),
	    .why = keep(e, it->why),
	    .line = it->line,
	    .since = it->since,
	    .seen = seen};
}

/* The same again: a failure is as old as its oldest, a pass as young as its
 * youngest, evidence as old as its oldest, a waiver as short as its shortest. */
static void join_item(struct mm_cell *c, const struct mm_item *it, const struct mm_waiver_of *w)
{
	bool good = is_good(it->outcome);
	c->stale |= it->stale;
	if (it->since != 0 && (c->since == 0 || (good ? it->since > c->since : it->since < c->since)))
		c->since = it->since;
	if (it->outcome == MM_OUT_WAIVED && w->until < c->waiver.until)
		c->waiver = *w;
}

static bool can_be_waived(const struct mm_item *it)
{
	return !it->stale && badness(it->outcome) >= badness(MM_OUT_DEFERRED);
}

/* A waiver names the check, or the setting or login that it was about. */
static struct mm_waiver_of waiver_for(
    const struct mm_engine *e, const char *account, const char *check, const char *setting)
{
	return mm_waivers_find_either(
	    e->waivers, e->client, account, check, setting[0] != '\0' ? setting : check);
}

void mm_cell_fold(
    struct mm_engine *e, struct mm_cell *c, size_t check, const char *account, struct mm_item *it)
{
	struct mm_waiver_of w = {.id = 0};
	if (it->stale) {
		it->outcome = MM_OUT_UNKNOWN;
		it->why = "the evidence is too old";
		it->since = it->seen + e->stale_after;
	} else if (it->outcome == MM_OUT_FAILED && it->changed) {
		it->outcome = MM_OUT_DRIFTED;
	}
	if (e->waivable && badness(it->outcome) > badness(MM_OUT_WAIVED))
		w = waiver_for(e, account, e->b->checks[check].id, it->setting);
	if (w.id > 0 && !w.expired && can_be_waived(it))
		it->outcome = MM_OUT_WAIVED;
	if (!c->used || badness(it->outcome) > badness(c->outcome)) {
		take_item(e, c, it);
		c->waiver = w;
		return;
	}
	if (it->seen < c->seen && (it->outcome == c->outcome || is_good(c->outcome)))
		c->seen = it->seen;
	c->claimed |= it->claimed;
	if (it->outcome == c->outcome)
		join_item(c, it, &w);
}

/* ---- handing out */

static void sum_up(struct mm_engine *e, size_t check, const struct mm_cell *c)
{
	struct mm_check_sum *s = &e->sums[check];
	s->results++;
	s->by[c->outcome]++;
	s->stale += c->stale;
	s->claimed += c->claimed;
	s->expired_waivers += c->waiver.id > 0 && c->waiver.expired;
	if (c->seen > 0 && (s->oldest == 0 || c->seen < s->oldest))
		s->oldest = c->seen;
	e->counted[check] = true;
	e->failing[check] |= c->outcome == MM_OUT_FAILED || c->outcome == MM_OUT_DRIFTED;
}

/* Where nobody looked, or not lately, the check's own fix would be a guess. */
#define LOOK_AGAIN                                                                                           \
	"mailmuster status --refresh asks the workstation anew; one that stays silent is off, not enrolled " \
	"or has an old agent."

static const char *fix_of(const struct mm_engine *e, const struct mm_check *k, const struct mm_cell *c)
{
	if (is_good(c->outcome))
		return "";
	bool unseen = c->stale || c->seen == 0;
	return unseen && e->user[0] != '\0' ? LOOK_AGAIN : mm_check_fix(k, e->client);
}

int mm_cell_emit(
    struct mm_engine *e, size_t check, const char *account, const struct mm_cell *c, struct mm_err *err)
{
	const struct mm_check *k = &e->b->checks[check];
	sum_up(e, check, c);
	if (e->cb == NULL)
		return 0;
	const struct mm_check_result r = {.check = k,
	    .host = e->host,
	    .user = e->user,
	    .client = e->client,
	    .account = account,
	    .path = c->path,
	    .line = c->line,
	    .found = c->found,
	    .wanted = c->wanted,
	    .outcome = c->outcome,
	    .why = c->why != NULL ? c->why : "",
	    .fix = fix_of(e, k, c),
	    .method = c->method,
	    .evidence = c->claimed ? MM_EV_CLAIMED : MM_EV_ATTESTED,
	    .since = c->since,
	    .seen = c->seen,
	    .expires = c->seen > 0 ? c->seen + e->stale_after : 0,
	    .stale = c->stale,
	    .waiver = c->waiver};
	return e->cb(&r, e->arg, err);
}

/* ---- the accounts of the client at hand */

static struct mm_cells *account_at(struct mm_engine *e, size_t i)
{
	if (i >= e->cap) {
		size_t cap = e->cap == 0 ? 8 : e->cap * 2;
		e->accounts = mm_xrealloc(e->accounts, cap, sizeof(*e->accounts));
		for (size_t k = e->cap; k < cap; k++)
			e->accounts[k].cells = mm_xcalloc(e->b->n, sizeof(struct mm_cell));
		e->cap = cap;
	}
	struct mm_cells *a = &e->accounts[i];
	a->name[0] = '\0';
	a->live = a->speaks = false;
	memset(a->cells, 0, e->b->n * sizeof(struct mm_cell));
	return a;
}

struct mm_cells *mm_cells_of(struct mm_engine *e, const char *name)
{
	for (size_t i = e->n; i-- > 0;)
		if (strcmp(e->accounts[i].name, name) == 0)
			return &e->accounts[i];
	if (e->n == ACCOUNTS_MAX) /* the last one takes them all */
		return &e->accounts[ACCOUNTS_MAX - 1];
	struct mm_cells *a = account_at(e, e->n++);
	snprintf(a->name, sizeof(a->name), "%s", e->n == ACCOUNTS_MAX ? ACCOUNTS_OTHER : name);
	return a;
}

static void unseen(struct mm_engine *e, struct mm_cells *a, size_t check)
{
	struct mm_item it = {.outcome = MM_OUT_UNKNOWN,
	    .method = MM_METHOD_EXAMINE,
	    .setting = "",
	    .why = e->plan.tests[check]->unseen};
	mm_cell_fold(e, &a->cells[check], check, a->name, &it);
}

/* What every configured account must have, and no agent has told. */
static void missing_of_accounts(struct mm_engine *e, size_t check)
{
	const struct mm_test *t = e->plan.tests[check];
	for (size_t k = 0; k < e->n; k++) {
		struct mm_cells *a = &e->accounts[k];
		if ((t->unseen_speaks ? a->speaks : a->live) && !a->cells[check].used)
			unseen(e, a, check);
	}
}

/* What was told of the client as a whole holds for its accounts. */
static void missing(struct mm_engine *e)
{
	bool live = false;
	struct mm_cells *whole = NULL;
	for (size_t i = 0; i < e->n; i++) {
		live |= e->accounts[i].live;
		if (e->accounts[i].name[0] == '\0')
			whole = &e->accounts[i];
	}
	for (size_t i = 0; i < e->plan.account.n; i++) {
		size_t check = e->plan.account.v[i];
		if (e->plan.tests[check]->unseen != NULL && (whole == NULL || !whole->cells[check].used))
			missing_of_accounts(e, check);
	}
	if (!live || e->plan.client.n == 0)
		return;
	whole = mm_cells_of(e, "");
	for (size_t i = 0; i < e->plan.client.n; i++) {
		size_t check = e->plan.client.v[i];
		if (e->plan.tests[check]->unseen != NULL && !whole->cells[check].used)
			unseen(e, whole, check);
	}
}

static int by_name(const void *x, const void *y)
{
	return strcmp(((const struct mm_cells *)x)->name, ((const struct mm_cells *)y)->name);
}

int mm_cells_flush(struct mm_engine *e, struct mm_err *err)
{
	if (e->client[0] != '\0' && strcmp(e->client, MM_CHECKS_AGENT) != 0)
		missing(e);
	if (e->n > 1)
		qsort(e->accounts, e->n, sizeof(*e->accounts), by_name);
	for (size_t i = 0; i < e->n; i++)
		for (size_t check = 0; check < e->b->n; check++)
			if (e->accounts[i].cells[check].used && mm_cell_emit(e, check, e->accounts[i].name,
								    &e->accounts[i].cells[check], err) != 0)
				return -1;
	e->n = 0;
	return 0;
}
