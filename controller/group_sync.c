#include "controller/group_sync.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "common/json.h"
#include "common/text.h"
#include "controller/people.h"
#include "schemas/settings.h"

#define GROUPS_MAX 65536 /* of one person: the kernel's own limit */

struct sync {
	struct mm_ctl *c;
	struct mm_arena *a;
	struct mm_diags *d;
	const char *system_group; /* NULL = named like ours */
	const char *domain;       /* of people who are not known yet; NULL = leave them out */
	bool allow_remove;
	struct mm_tally_put done;
	int64_t unknown;      /* members that are not in the store */
	const char **touched; /* logins, for the check of the policy */
	size_t n_touched, cap_touched;
};

/* ---- asking the system */

static int find_group(
    const char *name, gid_t *gid, struct mm_arena *a, const char *const **members, struct mm_err *err)
{
	const char **list = NULL, **slot;
	size_t n = 0, cap = 0;
	struct group *g;

	errno = 0;
	g = getgrnam(name);
	if (!g && errno && errno != ENOENT && errno != ESRCH)
		return mm_err_sys(err, MM_EX_FAILED, "the name service cannot tell about group %s", name);
	if (!g)
		return mm_err_set(err, MM_EX_FAILED, "the system has no group \"%s\"", name);
	*gid = g->gr_gid;
	for (char **m = g->gr_mem; *m; m++) {
		slot = mm_arena_push(a, &list, &n, &cap, sizeof(*list));
		*slot = mm_arena_strdup(a, *m);
	}
	slot = mm_arena_push(a, &list, &n, &cap, sizeof(*list));
	*slot = NULL;
	*members = list;
	return 0;
}

/* 1 = is in it, 0 = is not (or there is no such person), -1 = no answer. */
static int is_member(const char *login, gid_t gid, const char **gecos, struct mm_arena *a, struct mm_err *err)
{
	struct passwd *pw;
	gid_t *list;
	int n = 64, rc = 0;

	errno = 0;
	pw = getpwnam(login);
	if (!pw && errno && errno != ENOENT && errno != ESRCH)
		return mm_err_sys(err, MM_EX_FAILED, "the name service cannot tell about %s", login);
	if (!pw)
		return 0;
	*gecos = mm_arena_strndup(a, pw->pw_gecos, strcspn(pw->pw_gecos, ","));
	list = mm_xcalloc((size_t)n, sizeof(*list));
	if (getgrouplist(login, pw->pw_gid, list, &n) < 0 && n > 0 && n <= GROUPS_MAX) {
		list = mm_xrealloc(list, (size_t)n, sizeof(*list));
		if (getgrouplist(login, pw->pw_gid, list, &n) < 0)
			n = -1;
	}
	if (n < 0 || n > GROUPS_MAX)
		rc = mm_err_set(err, MM_EX_FAILED, "the name service cannot tell the groups of %s", login);
	for (int i = 0; i < n && rc == 0; i++)
		rc = list[i] == gid;
	free(list);
	return rc;
}

/* ---- one group */

struct wanted {
	struct sync *s;
	const char *group;
	gid_t gid;
	const char **add, **remove;
	size_t n_add, cap_add, n_remove, cap_remove;
	int64_t members; /* before */
};

static bool has_group(const struct mm_store_user *u, const char *group)
{
	for (size_t i = 0; i < u->n_groups; i++)
		if (strcmp(u->groups[i], group) == 0)
			return true;
	return false;
}

/* Everybody who is in the store is asked about: primary groups show in no list. */
static int ask(const struct mm_store_user *u, void *arg, struct mm_err *err)
{
	struct wanted *w = arg;
	bool is_in = has_group(u, w->group);
	const char *gecos = NULL, **slot;
	int should = is_member(u->login, w->gid, &gecos, w->s->a, err);

	if (should < 0)
		return -1;
	w->members += is_in;
	if (is_in && !should) {
		slot = mm_arena_push(w->s->a, &w->remove, &w->n_remove, &w->cap_remove, sizeof(*w->remove));
		*slot = mm_arena_strdup(w->s->a, u->login);
	} else if (!is_in && should) {
		slot = mm_arena_push(w->s->a, &w->add, &w->n_add, &w->cap_add, sizeof(*w->add));
		*slot = mm_arena_strdup(w->s->a, u->login);
	}
	return 0;
}

/* A member whom the system names and the store does not know. */
static int new_user(struct wanted *w, const char *login, struct mm_err *err)
{
	const char *gecos = "", *trouble, **slot;
	struct mm_store_user u;
	enum mm_put what;
	int rc;

	if (!w->s->domain || !mm_is_login(login)) {
		w->s->unknown++;
		return 0;
	}
	rc = is_member(login, w->gid, &gecos, w->s->a, err);
	if (rc <= 0)
		return rc;
	u = (struct mm_store_user){
	    .login = login, .name = gecos, .address = mm_arena_printf(w->s->a, "%s@%s", login, w->s->domain)};
	trouble = mm_user_trouble(&u, w->s->a);
	if (trouble)
		return mm_err_set(err, MM_EX_DATAERR, "user %s of the system: %s", login, trouble);
	if (mm_store_user_put(w->s->c->store, &u, false, &what, err))
		return -1;
	slot = mm_arena_push(w->s->a, &w->add, &w->n_add, &w->cap_add, sizeof(*w->add));
	*slot = login;
	return 0;
}

static int ask_all(struct wanted *w, const char *const *named, struct mm_err *err)
{
	struct mm_store_user u;

	if (mm_store_user_each(w->s->c->store, NULL, ask, w, err))
		return -1;
	for (; *named; named++) {
		int rc = mm_store_user_get(w->s->c->store, *named, w->s->a, &u, err);

		if (rc < 0 || (rc == 1 && new_user(w, *named, err)))
			return -1;
	}
	return 0;
}

static void touch(struct sync *s, const char *login)
{
	const char **slot =
	    mm_arena_push(s->a, &s->touched, &s->n_touched, &s->cap_touched, sizeof(*s->touched));

	*slot = login;
}

static int write_group(struct wanted *w, struct mm_err *err)
{
	struct mm_store *store = w->s->c->store;
	enum mm_put what;

	for (size_t i = 0; i < w->n_remove; i++) {
		if (mm_store_member_remove(store, w->group, w->remove[i], err) < 0)
			return -1;
		touch(w->s, w->remove[i]);
	}
	for (size_t i = 0; i < w->n_add; i++) {
		if (mm_store_member_put(store, w->group, w->add[i], &what, err))
			return -1;
		touch(w->s, w->add[i]);
	}
	w->s->done.removed += (int64_t)w->n_remove;
	w->s->done.n[MM_PUT_ADDED] += (int64_t)w->n_add;
	w->s->done.n[MM_PUT_KEPT] += w->members - (int64_t)w->n_remove;
	return mm_store_group_synced(store, w->group, err);
}

static int sync_group(struct sync *s, const char *group, struct mm_err *err)
{
	struct wanted w = {.s = s, .group = group};
	const char *system_group = s->system_group ? s->system_group : group;
	const char *const *named = NULL;
	enum mm_put what;

	if (find_group(system_group, &w.gid, s->a, &named, err) ||
	    mm_store_group_put(s->c->store, group, "system", &what, err) || ask_all(&w, named, err))
		return -1;
	if (!s->allow_remove && (int64_t)w.n_remove * 100 > w.members * MM_SYNC_REMOVE_PERCENT)
		return mm_err_set(err, MM_EX_NOPERM,
		    "group %s: the system's answer would remove %zu of %lld members (%s%s%s), more than %d "
		    "%%; if that is "
		    "right, say --allow-remove",
		    group, w.n_remove, (long long)w.members, w.remove[0], w.n_remove > 1 ? ", " : "",
		    w.n_remove > 1 ? w.remove[1] : "", MM_SYNC_REMOVE_PERCENT);
	return write_group(&w, err);
}

/* ---- the command */

static int sync_all(struct sync *s, int argc, char **argv, struct mm_err *err)
{
	if (mm_ctl_open(s->c, err) || mm_store_begin(s->c->store, err))
		return -1;
	for (int i = 0; i < argc; i++)
		if (sync_group(s, argv[i], err)) {
			mm_store_rollback(s->c->store);
			return -1;
		}
	touch(s, NULL);
	return 0;
}

static int sync_run(struct sync *s, int argc, char **argv, bool json)
{
	struct mm_err err = MM_ERR_NONE;
	int rc;

	if (sync_all(s, argc, argv, &err))
		return mm_ctl_fail("group sync", &err);
	rc = mm_people_end(s->c, "group sync", s->touched, s->d);
	if (rc)
		return rc;
	mm_people_done(&s->done, json);
	if (s->unknown)
		fprintf(stderr,
		    "%lld members of the system's group are not known here; add them with user import or "
		    "--add-users\n",
		    (long long)s->unknown);
	return MM_EX_OK;
}

int mm_group_sync(struct mm_ctl *c, int argc, char **argv)
{
	struct sync s = {.c = c};
	const char *reason = NULL;
	bool json = false;
	const struct mm_opt opts[] = {
	    {.name = "system-group",
		.kind = MM_OPT_STRING,
		.dest = &s.system_group,
		.arg = "NAME",
		.help = "its name in the system, where it differs"},
	    {.name = "add-users",
		.kind = MM_OPT_STRING,
		.dest = &s.domain,
		.arg = "DOMAIN",
		.help = "add members that are not known, as LOGIN@DOMAIN"},
	    {.name = "allow-remove",
		.kind = MM_OPT_FLAG,
		.dest = &s.allow_remove,
		.help = "even if more than 5 % of a group go"},
	    MM_OPT_REASON(&reason),
	    MM_OPT_JSON(&json),
	    {.name = NULL},
	};
	const struct mm_args args = {.what = "group sync",
	    .operands = "GROUP...",
	    .about = "Take memberships from the system's name service, asking about each known user by name.",
	    .opts = opts,
	    .min = 1,
	    .max = 1000};
	struct mm_err err = MM_ERR_NONE;
	struct mm_diags d;
	int rc = mm_ctl_args(&args, &argc, argv);

	if (rc >= 0)
		return rc;
	if (s.system_group && argc > 1)
		return mm_ctl_usage("group sync", "--system-group is for one group");
	if (s.domain && !mm_is_hostname(s.domain))
		return mm_ctl_usage("group sync", "--add-users needs a mail domain");
	if (mm_ctl_open(c, &err))
		return mm_ctl_fail("group sync", &err);
	mm_store_set_reason(c->store, reason);
	s.a = mm_arena_new();
	s.d = &d;
	mm_diags_init(&d, s.a);
	rc = sync_run(&s, argc, argv, json);
	mm_arena_free(s.a);
	return rc;
}
