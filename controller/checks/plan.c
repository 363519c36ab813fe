#include "controller/checks/plan.h"

#include <assert.h>
#include <string.h>

#include "common/text.h"

static uint32_t hash(const char *s)
{
	uint32_t h = 2166136261u; /* FNV-1a */
	for (; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return h;
}

static struct mm_plan_slot *slot(struct mm_plan *p, const char *id)
{
	uint32_t i = hash(id) % MM_PLAN_SLOTS;
	while (p->slots[i].id != NULL && strcmp(p->slots[i].id, id) != 0)
		i = (i + 1) % MM_PLAN_SLOTS;
	return &p->slots[i];
}

const struct mm_plan_slot *mm_plan_slot(const struct mm_plan *p, const char *id)
{
	uint32_t i = hash(id) % MM_PLAN_SLOTS;
	for (; p->slots[i].id != NULL; i = (i + 1) % MM_PLAN_SLOTS)
		if (strcmp(p->slots[i].id, id) == 0)
			return &p->slots[i];
	return NULL;
}

static void add(struct mm_plan_ids *l, size_t check, const struct mm_plan *p, struct mm_arena *a)
{
	if (l->v == NULL)
		l->v = mm_arena_alloc(a, p->b->n, sizeof(*l->v));
	l->v[l->n++] = (uint16_t)check;
}

static void known_ids(struct mm_plan *p)
{
	for (int i = 0; i < MM_SET_COUNT; i++) {
		const char *id = mm_setting_def((enum mm_setting)i)->id;
		*slot(p, id) =
		    (struct mm_plan_slot){.id = id, .set = (enum mm_setting)i, .fact = MM_FACT_NONE};
	}
	for (int i = 0; i < MM_FACT_COUNT; i++) {
		const char *id = mm_fact_id((enum mm_fact)i);
		*slot(p, id) = (struct mm_plan_slot){.id = id, .set = MM_SET_NONE, .fact = (enum mm_fact)i};
	}
	_Static_assert(MM_SET_COUNT + MM_FACT_COUNT < MM_PLAN_SLOTS / 2, "MM_PLAN_SLOTS");
}

static void plan_ids(struct mm_plan *p, const struct mm_test *t, size_t check, struct mm_arena *a)
{
	for (size_t k = 0; t->looks_at != NULL && t->looks_at[k] != NULL; k++) {
		if (strcmp(t->looks_at[k], "*") == 0) {
			add(&p->every, check, p, a);
			continue;
		}
		struct mm_plan_slot *s = slot(p, t->looks_at[k]);
		assert(s->id != NULL); /* a test of an id that does not exist */
		add(&s->ids, check, p, a);
	}
}

void mm_plan_make(struct mm_plan *p, const struct mm_baseline *b, struct mm_arena *a)
{
	*p = (struct mm_plan){.b = b, .tests = mm_arena_alloc(a, b->n + 1, sizeof(*p->tests))};
	known_ids(p);
	for (size_t i = 0; i < b->n; i++) {
		const struct mm_test *t = mm_test_by_name(b->checks[i].test);
		if (t == NULL || b->checks[i].off != NULL)
			continue;
		p->tests[i] = t;
		plan_ids(p, t, i, a);
		if (t->login != NULL)
			add(&p->login, i, p, a);
		if (t->host != NULL)
			add(&p->host, i, p, a);
		if (t->fleet != NULL)
			add(&p->fleet, i, p, a);
		if (t->scope == MM_SCOPE_ACCOUNT)
			add(&p->account, i, p, a);
		if (t->scope == MM_SCOPE_CLIENT)
			add(&p->client, i, p, a);
		if (t->scope == MM_SCOPE_LOGIN)
			add(&p->only_login, i, p, a);
	}
}
