/* A deferral ends: what has been put off for too long is a failure. */
#include <unistd.h>

#include "agent/place.h"
#include "common/text.h"

static const char *overdue(struct mm_place_run *p, int64_t since, const char *reason)
{
	char full[MM_TIME_MAX];
	mm_time_utc(since, full);
	return mm_arena_printf(p->c->arena, "overdue: put off since %.10s: %s", full, reason);
}

static bool any_put_off(const struct mm_place_run *p)
{
	for (size_t i = 0; i < p->n; i++)
		for (int s = 0; s < MM_SET_COUNT; s++)
			if (p->todo[i].s[s].asked && p->todo[i].s[s].state == MM_ST_DEFERRED)
				return true;
	for (size_t i = 0; i < p->n_gone; i++)
		if (p->gone[i].fail != NULL)
			return true;
	return false;
}

void mm_place_put_off(struct mm_place_run *p)
{
	const struct mm_converge *c = p->c;
	int64_t days = c->conf != NULL ? c->conf->deferral_days : MM_DEFERRAL_USUAL;
	/* Where nothing can be written, nothing can be remembered either. */
	if (p->read_only || access(c->state_dir, W_OK) != 0)
		return;
	if (!any_put_off(p)) {
		mm_journal_caught_up(c->journal, p->client->name, p->place->path);
		return;
	}
	int64_t since = mm_journal_put_off(c->journal, p->client->name, p->place->path, c->now);
	if (c->now - since < days * 86400)
		return;
	for (size_t i = 0; i < p->n; i++) {
		for (int s = 0; s < MM_SET_COUNT; s++) {
			struct mm_judged *j = &p->todo[i].s[s];
			if (!j->asked || j->state != MM_ST_DEFERRED)
				continue;
			j->state = MM_ST_ERROR;
			j->reason = overdue(p, since, j->reason);
		}
	}
	for (size_t i = 0; i < p->n_gone; i++) {
		struct mm_removal *g = &p->gone[i];
		g->overdue = g->fail != NULL;
		if (g->overdue)
			g->fail = overdue(p, since, g->fail);
	}
}
