/* Are there the workstation, the people and the mail program that a query names? An empty
 * report about a name that was mistyped reads as if all were well. */
#include "controller/known_clients.h"
#include "controller/query.h"

#include "common/text.h"

static const char *const known_clients[] = {MM_KNOWN_CLIENTS};

#define NAMES_MAX 4096 /* that a mistyped one is compared with */

struct names {
	struct mm_arena *a;
	const char **v;
	size_t n;
};

static int take(struct names *x, const char *name)
{
	if (x->n < NAMES_MAX)
		x->v[x->n++] = mm_arena_strdup(x->a, name);
	return 0;
}

static int take_host(const struct mm_store_host *h, void *arg, struct mm_err *err)
{
	(void)err;
	return take(arg, h->id);
}

static int take_tags(const struct mm_store_host *h, void *arg, struct mm_err *err)
{
	(void)err;
	for (size_t i = 0; i < h->n_tags; i++)
		take(arg, h->tags[i]);
	return 0;
}

static int take_user(const struct mm_store_user *u, void *arg, struct mm_err *err)
{
	(void)err;
	return take(arg, u->login);
}

static int take_group(const struct mm_store_group *g, void *arg, struct mm_err *err)
{
	(void)err;
	return take(arg, g->name);
}

static int no_such(const char *what, const char *name, const struct names *x, struct mm_err *err)
{
	const char *near = mm_nearest(name, x->v);
	return mm_err_set(err, MM_EX_FAILED, "there is no %s \"%s\"%s%s%s", what, name,
	    near != NULL ? "; did you mean \"" : "", near != NULL ? near : "", near != NULL ? "\"?" : "");
}

/* ---- also those that have gone: their evidence stays */

static int seen_finding(const struct mm_finding_row *r, void *arg, struct mm_err *err)
{
	(void)r;
	(void)err;
	*(bool *)arg = true;
	return 1;
}

static int seen_login(const struct mm_login_row *r, void *arg, struct mm_err *err)
{
	(void)r;
	(void)err;
	*(bool *)arg = true;
	return 1;
}

static int was_seen(struct mm_store *s, const char *host, const char *user, bool *seen, struct mm_err *err)
{
	const struct mm_evidence_filter f = {
	    .host = host, .user = user, .facts = true, .history = true, .lean = true};
	*seen = false;
	if (mm_store_findings(s, &f, seen_finding, seen, err) < 0)
		return -1;
	return *seen ? 0 : mm_store_logins(s, &f, seen_login, seen, err) < 0 ? -1 : 0;
}

static int check_host(struct mm_store *s, const char *id, struct names *x, struct mm_err *err)
{
	struct mm_store_host h;
	bool seen = true;
	int rc = id != NULL ? mm_store_host_get(s, id, x->a, &h, err) : 0;
	if (rc == 1)
		rc = was_seen(s, id, NULL, &seen, err);
	if (rc < 0 || seen)
		return rc;
	return mm_store_host_each(s, NULL, take_host, x, err) < 0 ? -1 : no_such("workstation", id, x, err);
}

static int check_user(struct mm_store *s, const char *login, struct names *x, struct mm_err *err)
{
	struct mm_store_user u;
	bool seen = true;
	int rc = login != NULL ? mm_store_user_get(s, login, x->a, &u, err) : 0;
	if (rc == 1)
		rc = was_seen(s, NULL, login, &seen, err);
	if (rc < 0 || seen)
		return rc;
	return mm_store_user_each(s, NULL, take_user, x, err) < 0 ? -1 : no_such("user", login, x, err);
}

static int check_group(struct mm_store *s, const char *name, struct names *x, struct mm_err *err)
{
	struct mm_store_group g;
	int rc = name != NULL ? mm_store_group_get(s, name, x->a, &g, err) : 0;
	if (rc != 1)
		return rc;
	return mm_store_group_each(s, take_group, x, err) < 0 ? -1 : no_such("group", name, x, err);
}

static int check_tag(struct mm_store *s, const char *tag, struct names *x, struct mm_err *err)
{
	struct names with = *x;
	if (tag == NULL)
		return 0;
	if (mm_store_host_each(s, tag, take_host, &with, err) < 0)
		return -1;
	if (with.n > x->n)
		return 0;
	return mm_store_host_each(s, NULL, take_tags, x, err) < 0
		   ? -1
		   : no_such("workstation with the tag", tag, x, err);
}

static int check_client(const char *name, struct names *x, struct mm_err *err)
{
	if (name == NULL)
		return 0;
	for (const char *const *k = known_clients; *k != NULL; k++) {
		if (mm_streq(*k, name))
			return 0;
		take(x, *k);
	}
	return no_such("mail program", name, x, err);
}

int mm_query_names(struct mm_store *s, const struct mm_evidence_filter *f, struct mm_err *err)
{
	struct names x = {.a = mm_arena_new()};
	x.v = mm_arena_alloc(x.a, NAMES_MAX + 1, sizeof(*x.v));
	int rc = check_host(s, f->host, &x, err);
	if (rc == 0)
		rc = check_user(s, f->user, &x, err);
	if (rc == 0)
		rc = check_group(s, f->group, &x, err);
	if (rc == 0)
		rc = check_tag(s, f->tag, &x, err);
	if (rc == 0)
		rc = check_client(f->client, &x, err);
	mm_arena_free(x.a);
	return rc;
}
