#include "controller/policy_store.h"

#include <string.h>

int mm_policy_stored(
    struct mm_store *s, int64_t number, struct mm_arena *a, struct mm_stored_policy *out, struct mm_err *err)
{
	const struct mm_policy_opts opts = {.stored = true};
	struct mm_stored_policy p;
	struct mm_diags d;
	int rc = mm_store_revision_get(s, number, a, &p.revision, err);

	if (rc)
		return rc;
	mm_diags_init(&d, a);
	if (mm_policy_load_text(
		p.revision.source, p.revision.text, p.revision.len, &opts, a, &p.policy, &d)) {
		mm_diags_err(&d, err);
		return mm_err_prefix(err, "revision %lld", (long long)p.revision.number);
	}
	*out = p;
	return 0;
}

struct mm_subject mm_subject_of(const struct mm_store_user *u, struct mm_arena *a)
{
	struct mm_attr *attrs = mm_arena_alloc(a, u->n_attrs + 1, sizeof(*attrs));

	for (size_t i = 0; i < u->n_attrs; i++)
		attrs[i] = (struct mm_attr){.name = u->attrs[i].name, .value = u->attrs[i].value};
	return (struct mm_subject){.login = u->login,
	    .name = u->name,
	    .address = u->address,
	    .attributes = attrs,
	    .n_attributes = u->n_attrs,
	    .groups = u->groups};
}

struct holds {
	struct mm_store *s;
	const struct mm_policy *p;
	const char *const *logins; /* NULL = everybody */
	struct mm_diags *d;
	struct mm_arena *a; /* the memberships */
	struct mm_membership *members;
	size_t n, cap;
};

typedef int each_user(const struct mm_store_user *u, void *arg, struct mm_err *err);

static int walk(struct holds *h, each_user *cb, struct mm_err *err)
{
	struct mm_store_user u;

	if (!h->logins)
		return mm_store_user_each(h->s, NULL, cb, h, err);
	for (const char *const *l = h->logins; *l; l++) {
		int rc = mm_store_user_get(h->s, *l, h->a, &u, err);

		if (rc < 0 || (rc == 0 && cb(&u, h, err)))
			return -1;
	}
	return 0;
}

static int take_membership(const struct mm_store_user *u, void *arg, struct mm_err *err)
{
	struct holds *h = arg;
	struct mm_membership *m = mm_arena_push(h->a, &h->members, &h->n, &h->cap, sizeof(*h->members));
	const char **groups = mm_arena_alloc(h->a, u->n_groups + 1, sizeof(*groups));

	(void)err;
	for (size_t i = 0; i < u->n_groups; i++)
		groups[i] = mm_arena_strdup(h->a, u->groups[i]);
	*m = (struct mm_membership){.login = mm_arena_strdup(h->a, u->login), .groups = groups};
	return 0;
}

static int resolve_one(const struct mm_store_user *u, void *arg, struct mm_err *err)
{
	struct holds *h = arg;
	struct mm_arena *a = mm_arena_new();
	struct mm_subject subject = mm_subject_of(u, a);
	struct mm_resolved *r;
	struct mm_diags own;

	(void)err;
	mm_diags_init(&own, a);
	mm_resolve(h->p, &subject, NULL, 0, a, &r, &own);
	for (size_t i = 0; i < own.n; i++) {
		struct mm_origin at = own.items[i].at;

		at.file = mm_arena_strdup(h->d->arena, at.file);
		if (!own.items[i].warning)
			mm_diag_error(h->d, at, "%s", own.items[i].text);
	}
	mm_arena_free(a);
	return 0;
}

int mm_policy_holds(struct mm_store *s, const struct mm_policy *p, const char *const *logins,
    struct mm_diags *d, struct mm_err *err)
{
	struct holds h = {.s = s, .p = p, .logins = logins, .d = d, .a = mm_arena_new()};
	int rc = walk(&h, take_membership, err);

	/* A contradiction is said once, not once for each user: resolve would repeat it. */
	if (!rc && mm_policy_conflicts(p, h.members, h.n, d) == 0)
		rc = walk(&h, resolve_one, err);
	mm_diags_sort(d);
	mm_arena_free(h.a);
	return rc;
}
