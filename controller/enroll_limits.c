#include "controller/enroll_limits.h"

#include <string.h>

#include "common/text.h"
#include "controller/policy_store.h"

struct names {
	const char **items;
	size_t n, cap;
};

static void add(struct names *l, struct mm_arena *a, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (mm_streq(l->items[i], name))
			return;
	const char **place = mm_arena_push(a, &l->items, &l->n, &l->cap, sizeof(*place));
	*place = name;
}

static const char *const *as_list(const struct mm_opt_list *l, struct mm_arena *a)
{
	const char **out = mm_arena_alloc(a, l->n + 1, sizeof(*out));
	for (size_t i = 0; i < l->n; i++)
		out[i] = l->items[i];
	return out;
}

static const char *const *finished(struct names *l, struct mm_arena *a)
{
	const char **out = mm_arena_alloc(a, l->n + 1, sizeof(*out));
	for (size_t i = 0; i < l->n; i++)
		out[i] = l->items[i];
	return out;
}

/* Is the server below one of the domains already? */
static bool below(const struct names *l, const char *host)
{
	for (size_t i = 0; i < l->n; i++) {
		size_t d = strlen(l->items[i]), h = strlen(host);
		if (mm_streq_nocase(l->items[i], host) ||
		    (h > d && host[h - d - 1] == '.' && mm_streq_nocase(host + h - d, l->items[i])))
			return true;
	}
	return false;
}

static void take_block(
    const struct mm_block *b, struct mm_arena *a, struct names *domains, struct names *programs)
{
	static const enum mm_setting hosts[] = {MM_SET_IN_HOST, MM_SET_OUT_HOST};
	static const enum mm_setting commands[] = {MM_SET_IN_PASSWORD_COMMAND, MM_SET_OUT_PASSWORD_COMMAND};
	for (size_t i = 0; i < 2; i++) {
		const struct mm_pvalue *h = &b->v[hosts[i]], *c = &b->v[commands[i]];
		const char *const *argv;
		size_t n;
		if (h->text != NULL && !h->template && !below(domains, h->text))
			add(domains, a, h->text);
		if (c->text != NULL && mm_argv_parse(c->text, a, &argv, &n, NULL) == 0 && n > 0)
			add(programs, a, argv[0]);
	}
}

static void take_scopes(
    const struct mm_scopes *s, struct mm_arena *a, struct names *domains, struct names *programs)
{
	for (size_t i = 0; i < s->n; i++)
		for (size_t k = 0; k < s->items[i].n_overrides; k++)
			take_block(s->items[i].overrides[k].set, a, domains, programs);
}

static void from_policy(
    const struct mm_policy *p, struct mm_arena *a, struct names *domains, struct names *programs)
{
	if (p->domain.text != NULL)
		add(domains, a, p->domain.text);
	for (size_t i = 0; i < p->n_endpoints; i++)
		take_block(&p->endpoints[i].set, a, domains, programs);
	for (size_t i = 0; i < p->n_accounts; i++)
		take_block(&p->accounts[i].set, a, domains, programs);
	take_scopes(&p->groups, a, domains, programs);
	take_scopes(&p->hosts, a, domains, programs);
	take_scopes(&p->users, a, domains, programs);
}

int mm_enroll_limits(struct mm_store *s, const struct mm_opt_list *domains,
    const struct mm_opt_list *programs, const struct mm_opt_list *clients, struct mm_arena *a,
    struct mm_enrolment *out, struct mm_err *err)
{
	struct mm_stored_policy p = {.policy = NULL};
	struct names d = {0}, c = {0};
	int rc = 1;
	if (domains->n == 0 || programs->n == 0)
		rc = mm_policy_stored(s, 0, a, &p, err);
	if (rc < 0)
		return -1;
	if (rc == 0)
		from_policy(p.policy, a, &d, &c);
	out->domains = domains->n > 0 ? as_list(domains, a) : finished(&d, a);
	out->programs = programs->n > 0 ? as_list(programs, a) : finished(&c, a);
	out->clients = clients->n > 0 ? as_list(clients, a) : NULL;
	if (out->domains[0] == NULL)
		return mm_err_set(err, MM_EX_USAGE,
		    "which mail servers may be configured there? Say --allow-domain DOMAIN, or import the "
		    "policy first");
	return 0;
}
