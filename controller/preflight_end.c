#include "controller/preflight.h"

#include <stdlib.h>
#include <string.h>

/* ---- those of whom nothing was said */

struct named {
	const char *host, *user;
};

static int by_name(const void *x, const void *y)
{
	const struct named *a = x, *b = y;
	int rc = strcmp(a->host, b->host);
	return rc != 0 ? rc : strcmp(a->user, b->user);
}

/* Everybody in the answers, in order; freed by the caller. */
static struct named *answered(const struct mm_push_summary *s, size_t *n)
{
	size_t n_causes, total = 0;
	const struct mm_cause *const *list = mm_causes_sorted(s->causes, &n_causes);
	for (size_t i = 0; i < n_causes; i++)
		total += list[i]->n_places;
	struct named *all = mm_xcalloc(total + 1, sizeof(*all));
	*n = 0;
	for (size_t i = 0; i < n_causes; i++)
		for (const struct mm_cause_place *p = list[i]->first; p != NULL; p = p->next)
			all[(*n)++] = (struct named){p->host, p->user};
	qsort(all, *n, sizeof(*all), by_name);
	return all;
}

static void missing(struct mm_push_summary *s, const struct mm_host_result *r, const char *user)
{
	const char *host = r->target->host.id;
	if (r->outcome.cls == MM_PC_OK)
		mm_preflight_without_login(
		    s, host, user, MM_CLS_NOT_SERVED, "the host's answer does not name this person");
	else
		/* The host's own sentence stands with the hosts: here it would split the cause. */
		mm_preflight_without_login(
		    s, host, user, MM_CLS_NOT_ANSWERED, mm_push_class_def(r->outcome.cls)->label);
}

int mm_preflight_conclude(struct mm_push_summary *s, struct mm_request_builder *b,
    const struct mm_held_ask *ask, struct mm_err *err)
{
	size_t n_named;
	struct named *all = answered(s, &n_named);
	int rc = 0;
	for (size_t i = 0; i < s->n && rc == 0; i++) {
		const struct mm_host_result *r = &s->hosts[i];
		const char *const *users;
		size_t n = 0;
		/* Who logs in there, only the host knows. */
		if (r->target->host.all_users)
			continue;
		rc = mm_request_people(b, r->target->host.id, ask, s->arena, &users, &n, err);
		for (size_t k = 0; k < n && rc == 0; k++) {
			const struct named key = {r->target->host.id, users[k]};
			if (bsearch(&key, all, n_named, sizeof(*all), by_name) == NULL)
				missing(s, r, users[k]);
		}
	}
	free(all);
	const struct mm_preflight_people p = mm_preflight_count(s);
	if (!s->interrupted && (p.all == 0 || p.works < p.all || p.open_hosts > 0))
		s->exit_status |= MM_EX_DIFF;
	return rc;
}
