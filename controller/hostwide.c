#include "controller/hostwide.h"

#include <string.h>

#include "common/text.h"

struct gathering {
	const struct mm_hostwide_job *j;
	struct mm_hostwide all;
};

/* Somebody whose login stands for every login. */
static struct mm_subject anybody(const struct mm_subject *u, struct mm_arena *a)
{
	struct mm_subject s = *u;
	const char *at = u->address != NULL ? strrchr(u->address, '@') : NULL;

	s.login_text = MM_SYSTEM_LOGIN;
	if (at != NULL && mm_streq(mm_arena_strndup(a, u->address, (size_t)(at - u->address)), u->login))
		s.address = mm_arena_printf(a, "%s%s", MM_SYSTEM_LOGIN, at);
	return s;
}

static int add_user(const struct mm_store_user *u, void *arg, struct mm_err *err)
{
	struct gathering *g = arg;
	struct mm_arena *work = mm_arena_new();
	struct mm_subject one = mm_subject_of(u, work), any = anybody(&one, work);
	struct mm_resolved *as_is, *as_any;
	struct mm_diags d;
	int rc = 0;

	mm_diags_init(&d, work);
	if (mm_resolve(g->j->p->policy, &one, g->j->host, 0, work, &as_is, &d) != 0 ||
	    mm_resolve(g->j->p->policy, &any, g->j->host, 0, work, &as_any, &d) != 0) {
		mm_diags_err(&d, err);
		rc = mm_err_prefix(err, "user %s", u->login);
	} else {
		mm_hostwide_add(&g->all, as_is, as_any);
	}
	mm_arena_free(work);
	return rc;
}

static int each(struct gathering *g, struct mm_arena *a, struct mm_err *err)
{
	const struct mm_store_host *h = g->j->users;
	int rc = 0;

	if (h->all_users)
		return mm_store_user_each(g->j->store, NULL, add_user, g, err);
	for (size_t i = 0; rc == 0 && i < h->n_users; i++) {
		struct mm_store_user u;

		rc = mm_store_user_get(g->j->store, h->users[i], a, &u, err);
		if (rc == 1)
			rc = mm_err_set(err, MM_EX_DATAERR, "user %s is not known", h->users[i]);
		else if (rc == 0)
			rc = add_user(&u, g, err);
	}
	return rc;
}

int mm_hostwide_of(
    const struct mm_hostwide_job *j, struct mm_arena *a, const struct mm_sheet **out, struct mm_err *err)
{
	struct gathering g = {.j = j};
	struct mm_sheet *sheet = mm_arena_alloc(a, 1, sizeof(*sheet));

	*out = NULL;
	if (!mm_policy_has_hostwide(j->p->policy))
		return 0;
	mm_hostwide_init(&g.all, a);
	if (each(&g, a, err) != 0)
		return -1;
	if (mm_hostwide_sheet(&g.all, j->p->revision.number, sheet))
		*out = sheet;
	return 0;
}
