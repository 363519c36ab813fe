#include <string.h>

#include "common/json.h"
#include "controller/rollout_print.h"

static void set_time(json_t *o, const char *key, int64_t t)
{
	if (t > 0)
		mm_json_set_int(o, key, t);
}

json_t *mm_rollout_head_json(const struct mm_rollout *r)
{
	json_t *o = json_object();
	mm_json_set_int(o, "rollout", r->id);
	mm_json_set_int(o, "revision", r->revision);
	if (r->first != r->revision)
		mm_json_set_int(o, "first_revision", r->first);
	mm_json_set_str(o, "kind", mm_rollout_kind_name(r->kind));
	set_time(o, "of", r->of);
	mm_json_set_str(o, "selection", r->selection);
	mm_json_set_str(o, "state", mm_ro_state_name(r->state));
	mm_json_set_str(o, "why", r->why);
	mm_json_set_str(o, "because", r->because);
	mm_json_set_int(o, "wave", r->wave + 1);
	mm_json_set_int(o, "waves", r->waves);
	mm_json_set_int(o, "hosts", r->hosts);
	mm_json_set_str(o, "who", r->who);
	mm_json_set_str(o, "reason", r->reason);
	mm_json_set_int(o, "created", r->created);
	mm_json_set_int(o, "changed", r->changed);
	set_time(o, "wave_since", r->wave_since);
	set_time(o, "bake_since", r->bake_since);
	return o;
}

static json_t *budget_json(int64_t burnt, const struct mm_share *s, int64_t whole)
{
	json_t *o = json_object();
	mm_json_set_int(o, "used", burnt);
	if (s->kind != MM_SHARE_ANY)
		mm_json_set_int(o, "allowed", mm_share_of(s, whole));
	return o;
}

static json_t *count_json(const struct mm_rollout_state *st, int64_t wave)
{
	json_t *o = json_object(), *states = json_object(), *budgets = json_object();
	struct mm_ro_count n;
	mm_ro_count(st->hosts, st->n, wave, &n);
	if (wave >= 0)
		mm_json_set_int(o, "wave", wave + 1);
	mm_json_set_int(o, "hosts", n.hosts);
	for (int i = 0; i < MM_RH_COUNT; i++)
		mm_json_set_int(states, mm_rh_state_name((enum mm_rh_state)i), n.by[i]);
	mm_json_set(o, "states", states);
	for (int b = 0; b < MM_BUDGET_COUNT; b++)
		mm_json_set(budgets, mm_budget_name((enum mm_budget)b),
		    budget_json(n.burnt[b],
			wave >= 0 ? &st->terms.budgets[b].wave : &st->terms.budgets[b].total, n.hosts));
	mm_json_set(o, "budgets", budgets);
	mm_json_set_int(o, "answered", n.answered);
	mm_json_set_int(o, "users", n.users);
	mm_json_set_int(o, "tested", n.tested);
	mm_json_set_int(o, "verified", n.verified);
	return o;
}

static int add_host(const struct mm_rollout_host *h, void *arg, struct mm_err *err)
{
	json_t *o = json_object();
	(void)err;
	mm_json_set_str(o, "host", h->host);
	mm_json_set_int(o, "wave", h->wave + 1);
	mm_json_set_str(o, "state", mm_rh_state_name(h->state));
	mm_json_set_bool(o, "late", h->late);
	mm_json_set_bool(o, "forgiven", h->forgiven);
	mm_json_set_bool(o, "touched", h->touched);
	mm_json_set_int(o, "tries", h->tries);
	set_time(o, "next_try", h->next_try);
	set_time(o, "sent", h->sent);
	set_time(o, "landed", h->landed);
	set_time(o, "before", h->before);
	mm_json_set_int(o, "revision", h->revision);
	mm_json_set_int(o, "users", h->users);
	mm_json_set_int(o, "tested", h->tested);
	mm_json_set_int(o, "verified", h->verified);
	mm_json_set_str(o, "outcome", h->outcome);
	mm_json_set_str(o, "text", h->text);
	json_array_append_new(arg, o);
	return 0;
}

json_t *mm_rollout_json(const struct mm_rollout_state *st, struct mm_err *err)
{
	json_t *o = mm_rollout_head_json(&st->r), *waves = json_array(), *hosts = json_array();
	struct mm_arena *a = mm_arena_new();
	bool driven = mm_rollout_is_driven(&st->r, mm_store_now(st->store));
	mm_json_set_str(o, "next", mm_rollout_next_text(st, a));
	mm_json_set_str(o, "driven_by", driven ? st->r.owner : NULL);
	mm_arena_free(a);
	mm_json_set(o, "terms", json_loads(st->r.terms, 0, NULL));
	for (int64_t w = 0; w < st->r.waves; w++)
		json_array_append_new(waves, count_json(st, w));
	mm_json_set(o, "by_wave", waves);
	mm_json_set(o, "all", count_json(st, -1));
	int rc = mm_store_rollout_hosts(st->store, st->r.id, 0, add_host, hosts, err);
	mm_json_set(o, "host_rows", hosts);
	if (rc == 0)
		return o;
	json_decref(o);
	return NULL;
}
