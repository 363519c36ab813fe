#include "controller/rollout/decide.h"

/* Does it stand for this budget, whatever wave is looked at? */
static bool burns(const struct mm_ro_host *h, enum mm_budget b)
{
	if (h->forgiven)
		return false;
	switch (b) {
	case MM_BUDGET_FAILED:
		return h->state == MM_RH_FAILED;
	case MM_BUDGET_LOGIN:
		return h->state == MM_RH_LOGIN || h->state == MM_RH_REVERTED;
	case MM_BUDGET_UNREACHABLE:
		return h->state == MM_RH_UNREACHABLE || h->state == MM_RH_LATE;
	case MM_BUDGET_COUNT:
		break;
	}
	return false;
}

/* What it did itself; in a wave's count a late host has done nothing. */
static void count_outcome(const struct mm_ro_host *h, struct mm_ro_count *c)
{
	if (burns(h, MM_BUDGET_FAILED))
		c->burnt[MM_BUDGET_FAILED]++;
	if (burns(h, MM_BUDGET_LOGIN))
		c->burnt[MM_BUDGET_LOGIN]++;
	if (!mm_rh_answered(h->state))
		return;
	c->answered++;
	if (h->forgiven)
		return;
	c->users += h->users;
	c->tested += h->tested;
	c->verified += h->verified;
}

void mm_ro_count(const struct mm_ro_host *hosts, size_t n, int64_t wave, struct mm_ro_count *out)
{
	struct mm_ro_count c = {.hosts = 0};

	for (size_t i = 0; i < n; i++) {
		const struct mm_ro_host *h = &hosts[i];

		if (wave >= 0 && h->wave != wave)
			continue;
		c.by[h->state]++;
		if (h->state == MM_RH_SUPERSEDED)
			continue;
		c.hosts++;
		c.late += h->late;
		if (burns(h, MM_BUDGET_UNREACHABLE))
			c.burnt[MM_BUDGET_UNREACHABLE]++;
		if (wave < 0 || !h->late)
			count_outcome(h, &c);
	}
	*out = c;
}
