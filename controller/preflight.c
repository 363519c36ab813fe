#include "controller/preflight.h"

#include <stdlib.h>
#include <string.h>

#include "common/text.h"

void mm_preflight_without_login(
    struct mm_push_summary *s, const char *host, const char *user, const char *cls, const char *text)
{
	const struct mm_login l = {.user = user,
	    .account = "",
	    .side = "",
	    .protocol = "",
	    .host = "",
	    .security = "",
	    .auth = "",
	    .username = "",
	    .result = MM_LOGIN_UNTESTED,
	    .cls = cls,
	    .text = text,
	    .admin = text};
	mm_causes_add(s->causes, host, &l);
}

void mm_preflight_login(struct mm_push_summary *s, const char *host, const struct mm_login *l)
{
	struct mm_login x = *l;
	/* Who was only reached has not logged in. */
	if (l->result == MM_LOGIN_PASSED && l->level < MM_LEVEL_LOGIN) {
		x.result = MM_LOGIN_UNTESTED;
		x.cls = MM_CLS_NOT_LOGGED_IN;
		x.text = x.admin = "The server is there, but rules.check of the policy asks for no login.";
	}
	mm_causes_add(s->causes, host, &x);
}

void mm_preflight_finding(
    struct mm_push_summary *s, const struct mm_host_result *r, const struct mm_finding *f)
{
	const char *text = *f->reason != '\0' ? f->reason : "the host says nothing of the login";
	/* Of a host for whoever logs in there, the people of the whole fleet are asked about. */
	if (r->target->host.all_users && mm_streq(f->reason, MM_REASON_NO_SUCH_USER))
		return;
	mm_preflight_without_login(s, r->target->host.id, f->user, MM_CLS_NOT_SERVED, text);
}

/* ---- counting */

enum rank { RANK_NOTHING, RANK_WORKS, RANK_UNKNOWN, RANK_FAILS };

struct person {
	const char *user;
	enum rank rank;
};

static enum rank rank_of(const struct mm_cause *g)
{
	static const enum rank ranks[] = {[MM_AUDIT_PASS] = RANK_WORKS,
	    [MM_AUDIT_FAIL] = RANK_FAILS,
	    [MM_AUDIT_UNKNOWN] = RANK_UNKNOWN,
	    [MM_AUDIT_NOT_APPLICABLE] = RANK_NOTHING};
	return ranks[mm_login_verdict(g->result, g->cls).audit];
}

/* The worst of each person first. */
static int by_person(const void *x, const void *y)
{
	const struct person *a = x, *b = y;
	int rc = strcmp(a->user, b->user);
	return rc != 0 ? rc : (int)b->rank - (int)a->rank;
}

static struct person *everybody(const struct mm_push_summary *s, size_t *n)
{
	size_t n_causes, total = 0;
	const struct mm_cause *const *list = mm_causes_sorted(s->causes, &n_causes);
	for (size_t i = 0; i < n_causes; i++)
		total += list[i]->n_places;
	struct person *all = mm_xcalloc(total + 1, sizeof(*all));
	*n = 0;
	for (size_t i = 0; i < n_causes; i++)
		for (const struct mm_cause_place *p = list[i]->first; p != NULL; p = p->next)
			all[(*n)++] = (struct person){p->user, rank_of(list[i])};
	qsort(all, *n, sizeof(*all), by_person);
	return all;
}

struct mm_preflight_people mm_preflight_count(const struct mm_push_summary *s)
{
	struct mm_preflight_people c = {0};
	size_t n;
	struct person *all = everybody(s, &n);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && strcmp(all[i - 1].user, all[i].user) == 0)
			continue;
		c.all++;
		c.works += all[i].rank == RANK_WORKS;
		c.fails += all[i].rank == RANK_FAILS;
	}
	c.unknown = c.all - c.works - c.fails;
	for (size_t i = 0; i < s->n; i++)
		c.open_hosts += s->hosts[i].outcome.cls != MM_PC_OK && s->targets[i].host.all_users;
	free(all);
	return c;
}
