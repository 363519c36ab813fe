#include "rollout_world.h"

#include <stdlib.h>

#include "common/mem.h"

struct world world_make(const int64_t *sizes)
{
	struct world w = {.now = {.now = T0, .wave_since = T0, .approved = -1}};
	size_t at = 0;

	mm_ro_terms_default(&w.t);
	for (; sizes[w.now.n_waves] > 0; w.now.n_waves++)
		w.n += (size_t)sizes[w.now.n_waves];
	w.hosts = mm_xcalloc(w.n, sizeof(*w.hosts));
	w.send = mm_xcalloc(w.n, sizeof(*w.send));
	for (int64_t i = 0; i < w.now.n_waves; i++)
		for (int64_t k = 0; k < sizes[i]; k++, at++)
			w.hosts[at] = (struct mm_ro_host){
			    .wave = i, .rank = (int64_t)at, .state = i == 0 ? MM_RH_RELEASED : MM_RH_WAITING};
	return w;
}

void world_drop(struct world *w)
{
	free(w->hosts);
	free(w->send);
}

void world_set(struct world *w, const char *name, const char *value)
{
	struct mm_err err = MM_ERR_NONE;

	if (mm_ro_terms_set(&w->t, name, value, &err) != 0)
		fail_msg("%s", err.text);
}

enum mm_ro_act world_ask(struct world *w)
{
	mm_ro_decide(&w->t, &w->now, w->hosts, w->n, w->send, w->n, &w->d);
	assert_true(*w->d.text != '\0');
	return w->d.act;
}

void world_expect(struct world *w, enum mm_ro_act act, enum mm_ro_because because)
{
	if (world_ask(w) != act || w->d.because != because)
		fail_msg("act %d (%s) \"%s\"", w->d.act, mm_ro_because_name(w->d.because), w->d.text);
}

void world_land(struct world *w, size_t from, size_t n, enum mm_rh_state state)
{
	for (size_t i = from; i < from + n; i++) {
		struct mm_ro_host *h = &w->hosts[i];

		h->state = state;
		h->sent = w->now.now;
		if (!mm_rh_answered(state))
			continue;
		h->users = 1;
		h->tested = state != MM_RH_FAILED;
		h->verified = state == MM_RH_OK;
	}
}
