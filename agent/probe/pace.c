#include "agent/probe/pace.h"

#define US_PER_S 1000000
#define US_PER_MS 1000

void mm_pace_init(struct mm_pace *p, size_t most, size_t per_second)
{
	*p = (struct mm_pace){.most = most, .per_second = (int64_t)per_second, .penalty_ms = MM_PENALTY_MS};
}

static int64_t step_us(const struct mm_pace *p)
{
	return US_PER_S / p->per_second;
}

/* As many as may be open may also begin at once. */
static int64_t due_us(const struct mm_pace *p)
{
	return p->credit_us - step_us(p) * (int64_t)(p->most - 1);
}

bool mm_pace_free(const struct mm_pace *p, int64_t now)
{
	return p->active < p->most && now >= p->paused_until && now * US_PER_MS >= due_us(p);
}

void mm_pace_take(struct mm_pace *p, int64_t now)
{
	int64_t us = now * US_PER_MS;
	p->credit_us = (p->credit_us > us ? p->credit_us : us) + step_us(p);
	p->active++;
}

void mm_pace_give(struct mm_pace *p)
{
	p->active--;
}

void mm_pace_penalty(struct mm_pace *p, int64_t now)
{
	/* what many connections tell at the same moment was one event */
	if (now < p->paused_until)
		return;
	p->most = p->most > 1 ? p->most / 2 : 1;
	p->paused_until = now + p->penalty_ms;
	if (p->penalty_ms < MM_PENALTY_MAX_MS)
		p->penalty_ms *= 2;
}

int64_t mm_pace_wake(const struct mm_pace *p)
{
	if (p->active >= p->most)
		return INT64_MAX;
	int64_t due = (due_us(p) + US_PER_MS - 1) / US_PER_MS;
	return due > p->paused_until ? due : p->paused_until;
}
