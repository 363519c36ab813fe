#include "common/text.h"
#include "controller/store/internal.h"

/* ---- reading */

static int load_attrs(
    struct mm_store *s, int64_t id, struct mm_arena *a, struct mm_store_user *u, struct mm_err *err)
{
	struct mm_store_attr *items = NULL;
	size_t cap = 0;
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_ATTRS, err, "i", id))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1) {
		struct mm_store_attr *slot = mm_arena_push(a, &items, &u->n_attrs, &cap, sizeof(*items));

		slot->name = mm_arena_strdup(a, mm_q_str(&q, 0));
		slot->value = mm_arena_strdup(a, mm_q_str(&q, 1));
	}
	mm_q_done(&q);
	u->attrs = items;
	return rc;
}

static int load_groups(
    struct mm_store *s, int64_t id, struct mm_arena *a, struct mm_store_user *u, struct mm_err *err)
{
	const char **items = NULL;
	const char **slot;
	size_t cap = 0, n = 0;
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_USER_GROUPS, err, "i", id))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1) {
		slot = mm_arena_push(a, &items, &n, &cap, sizeof(*items));
		*slot = mm_arena_strdup(a, mm_q_str(&q, 0));
	}
	mm_q_done(&q);
	u->n_groups = n;
	slot = mm_arena_push(a, &items, &n, &cap, sizeof(*items));
	*slot = NULL;
	u->groups = items;
	return rc;
}

/* Columns: id login name address. */
static int user_from_row(struct mm_q *q, struct mm_arena *a, struct mm_store_user *u, struct mm_err *err)
{
	int64_t id = mm_q_int(q, 0);

	*u = (struct mm_store_user){.login = mm_arena_strdup(a, mm_q_str(q, 1)),
	    .name = mm_arena_strdup(a, mm_q_str(q, 2)),
	    .address = mm_arena_strdup(a, mm_q_str(q, 3))};
	return load_attrs(q->s, id, a, u, err) || load_groups(q->s, id, a, u, err) ? -1 : 0;
}

int mm_store_user_get(
    struct mm_store *s, const char *login, struct mm_arena *a, struct mm_store_user *out, struct mm_err *err)
{
	struct mm_store_user u;
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_USER_GET, err, "t", login))
		return -1;
	rc = mm_q_step(&q, err);
	if (rc == 1 && user_from_row(&q, a, &u, err))
		rc = -1;
	mm_q_done(&q);
	if (rc == 1)
		*out = u;
	return rc < 0 ? -1 : !rc;
}

int mm_store_user_each(struct mm_store *s, const char *group,
    int (*cb)(const struct mm_store_user *u, void *arg, struct mm_err *err), void *arg, struct mm_err *err)
{
	enum mm_sql id = group ? MM_SQL_USER_EACH_GROUP : MM_SQL_USER_EACH;
	struct mm_store_user u;
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, id, err, group ? "t" : "", group))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1) {
		struct mm_arena *a = mm_arena_new();

		rc = user_from_row(&q, a, &u, err) ? -1 : cb(&u, arg, err);
		mm_arena_free(a);
		if (rc)
			break;
	}
	mm_q_done(&q);
	return rc;
}

/* ---- groups */

static int group_id(struct mm_store *s, const char *name, int64_t *id, struct mm_err *err)
{
	return mm_q_one(s, id, MM_SQL_GROUP_ID, err, "t", name);
}

static int group_make(struct mm_store *s, const char *name, const char *source, int64_t *id,
    enum mm_put *done, struct mm_err *err)
{
	int rc;

	if (!mm_is_login(name))
		return mm_err_set(err, MM_EX_DATAERR,
		    "group \"%s\": a name has letters, digits, '_', '.', '@' and '-', and does not begin "
		    "with '-' or '.'",
		    name);
	rc = group_id(s, name, id, err);
	if (rc <= 0) {
		*done = MM_PUT_KEPT;
		return rc;
	}
	if (mm_q_run(s, MM_SQL_GROUP_ADD, err, "tt", name, source) < 0)
		return -1;
	*id = sqlite3_last_insert_rowid(s->db);
	*done = MM_PUT_ADDED;
	return mm_store_audit(s, "group.add", name, NULL, false, err);
}

static int group_put(
    struct mm_store *s, const char *name, const char *source, enum mm_put *done, struct mm_err *err)
{
	int64_t id = 0;
	int n;

	if (group_make(s, name, source, &id, done, err))
		return -1;
	if (*done == MM_PUT_ADDED)
		return 0;
	n = mm_q_run(s, MM_SQL_GROUP_SOURCE, err, "it", id, source);
	if (n > 0)
		*done = MM_PUT_CHANGED;
	return n < 0 ? -1 : 0;
}

int mm_store_group_put(
    struct mm_store *s, const char *name, const char *source, enum mm_put *done, struct mm_err *err)
{
	enum mm_put what = MM_PUT_KEPT;

	if (mm_store_begin(s, err) || mm_store_end(s, group_put(s, name, source, &what, err), err))
		return -1;
	*done = what;
	return 0;
}

/* Columns: name source synced members. */
static void group_from_row(struct mm_q *q, struct mm_store_group *g)
{
	*g = (struct mm_store_group){.name = mm_q_str(q, 0),
	    .source = mm_q_str(q, 1),
	    .synced = mm_q_int(q, 2),
	    .members = mm_q_int(q, 3)};
}

int mm_store_group_get(
    struct mm_store *s, const char *name, struct mm_arena *a, struct mm_store_group *out, struct mm_err *err)
{
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_GROUP_GET, err, "t", name))
		return -1;
	rc = mm_q_step(&q, err);
	if (rc == 1) {
		group_from_row(&q, out);
		out->name = mm_arena_strdup(a, out->name);
		out->source = mm_arena_strdup(a, out->source);
	}
	mm_q_done(&q);
	return rc < 0 ? -1 : !rc;
}

int mm_store_group_each(struct mm_store *s,
    int (*cb)(const struct mm_store_group *g, void *arg, struct mm_err *err), void *arg, struct mm_err *err)
{
	struct mm_store_group g;
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_GROUP_EACH, err, ""))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1) {
		group_from_row(&q, &g);
		if ((rc = cb(&g, arg, err)))
			break;
	}
	mm_q_done(&q);
	return rc;
}

static int group_remove(struct mm_store *s, const char *name, struct mm_err *err)
{
	int n = mm_q_run(s, MM_SQL_GROUP_DELETE, err, "t", name);

	return n <= 0 ? n : mm_store_audit(s, "group.remove", name, NULL, false, err) ? -1 : 1;
}

/* The number of rows that went -> 0, 1 (nothing was there), -1. */
static int end_removal(struct mm_store *s, int n, struct mm_err *err)
{
	if (mm_store_end(s, n < 0 ? -1 : 0, err))
		return -1;
	return n == 0;
}

int mm_store_group_remove(struct mm_store *s, const char *name, struct mm_err *err)
{
	if (mm_store_begin(s, err))
		return -1;
	return end_removal(s, group_remove(s, name, err), err);
}

int mm_store_group_synced(struct mm_store *s, const char *group, struct mm_err *err)
{
	return mm_q_run(s, MM_SQL_GROUP_SYNCED, err, "ti", group, mm_store_now(s)) < 0 ? -1 : 0;
}

/* ---- memberships */

int mm_store_membership_each(struct mm_store *s,
    int (*cb)(const char *login, const char *group, void *arg, struct mm_err *err), void *arg,
    struct mm_err *err)
{
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_MEMBER_EACH, err, ""))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1)
		if ((rc = cb(mm_q_str(&q, 0), mm_q_str(&q, 1), arg, err)))
			break;
	mm_q_done(&q);
	return rc;
}

static int user_id(struct mm_store *s, const char *login, int64_t *id, struct mm_err *err)
{
	return mm_q_one(s, id, MM_SQL_USER_ID, err, "t", login);
}

static int note_member(
    struct mm_store *s, const char *action, const char *group, const char *login, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	int rc = mm_store_audit(s, action, group, mm_detail(a, "login", login, NULL), true, err);

	mm_arena_free(a);
	return rc;
}

static int member_put(
    struct mm_store *s, const char *group, const char *login, enum mm_put *done, struct mm_err *err)
{
	int64_t gid = 0, uid = 0;
	int rc = user_id(s, login, &uid, err);

	if (rc < 0)
		return -1;
	if (rc == 1)
		return mm_err_set(err, MM_EX_FAILED, "user \"%s\" is not known", login);
	if (group_make(s, group, "manual", &gid, done, err))
		return -1;
	rc = mm_q_run(s, MM_SQL_MEMBER_ADD, err, "ii", uid, gid);
	if (rc <= 0) {
		*done = MM_PUT_KEPT;
		return rc;
	}
	*done = MM_PUT_ADDED;
	return note_member(s, "member.add", group, login, err);
}

int mm_store_member_put(
    struct mm_store *s, const char *group, const char *login, enum mm_put *done, struct mm_err *err)
{
	enum mm_put what = MM_PUT_KEPT;

	if (mm_store_begin(s, err) || mm_store_end(s, member_put(s, group, login, &what, err), err))
		return -1;
	*done = what;
	return 0;
}

static int member_remove(struct mm_store *s, const char *group, const char *login, struct mm_err *err)
{
	int n = mm_q_run(s, MM_SQL_MEMBER_DELETE, err, "tt", group, login);

	return n <= 0 ? n : note_member(s, "member.remove", group, login, err) ? -1 : 1;
}

int mm_store_member_remove(struct mm_store *s, const char *group, const char *login, struct mm_err *err)
{
	if (mm_store_begin(s, err))
		return -1;
	return end_removal(s, member_remove(s, group, login, err), err);
}

/* ---- users */

static bool same_attrs(const struct mm_store_user *x, const struct mm_store_user *y)
{
	if (x->n_attrs != y->n_attrs)
		return false;
	for (size_t i = 0; i < x->n_attrs; i++) {
		bool found = false;

		for (size_t k = 0; k < y->n_attrs && !found; k++)
			found = mm_streq(x->attrs[i].name, y->attrs[k].name) &&
				mm_streq(x->attrs[i].value, y->attrs[k].value);
		if (!found)
			return false;
	}
	return true;
}

static bool in_list(const char *const *list, size_t n, const char *s)
{
	for (size_t i = 0; i < n; i++)
		if (mm_streq(list[i], s))
			return true;
	return false;
}

static bool same_groups(const struct mm_store_user *x, const struct mm_store_user *y)
{
	for (size_t i = 0; i < x->n_groups; i++)
		if (!in_list(y->groups, y->n_groups, x->groups[i]))
			return false;
	for (size_t i = 0; i < y->n_groups; i++)
		if (!in_list(x->groups, x->n_groups, y->groups[i]))
			return false;
	return true;
}

static int write_user(struct mm_store *s, int64_t id, const struct mm_store_user *u, struct mm_err *err)
{
	if (mm_q_run(s, MM_SQL_USER_SET, err, "ittt", id, u->login, u->name, u->address) < 0 ||
	    mm_q_run(s, MM_SQL_ATTRS_DELETE, err, "i", id) < 0)
		return -1;
	for (size_t i = 0; i < u->n_attrs; i++)
		if (mm_q_run(s, MM_SQL_ATTR_SET, err, "itt", id, u->attrs[i].name, u->attrs[i].value) < 0)
			return -1;
	return 0;
}

static int write_groups(struct mm_store *s, int64_t id, const struct mm_store_user *u, struct mm_err *err)
{
	enum mm_put ignored;
	int64_t gid = 0;

	if (mm_q_run(s, MM_SQL_MEMBERS_CLEAR, err, "i", id) < 0)
		return -1;
	for (size_t i = 0; i < u->n_groups; i++)
		if (group_make(s, u->groups[i], "manual", &gid, &ignored, err) ||
		    mm_q_run(s, MM_SQL_MEMBER_ADD, err, "ii", id, gid) < 0)
			return -1;
	return 0;
}

static const char *join(struct mm_arena *a, const char *const *list, size_t n)
{
	const char *out = "";

	for (size_t i = 0; i < n; i++)
		out = mm_arena_printf(a, "%s%s%s", out, i ? ";" : "", list[i]);
	return out;
}

static int note_user(struct mm_store *s, const struct mm_store_user *u, bool groups_too, enum mm_put what,
    struct mm_arena *a, struct mm_err *err)
{
	const char *groups = groups_too ? join(a, u->groups, u->n_groups) : NULL;
	const char *detail = mm_detail(a, "name", u->name, "address", u->address, "groups", groups, NULL);

	return mm_store_audit(
	    s, what == MM_PUT_ADDED ? "user.add" : "user.change", u->login, detail, true, err);
}

static int user_put(struct mm_store *s, const struct mm_store_user *u, bool groups_too, enum mm_put *done,
    struct mm_arena *a, struct mm_err *err)
{
	struct mm_store_user old = {0};
	int64_t id = 0;
	int rc = mm_store_user_get(s, u->login, a, &old, err);
	bool same;

	if (rc < 0)
		return -1;
	same = rc == 0 && mm_streq(old.name, u->name) && mm_streq(old.address, u->address) &&
	       same_attrs(&old, u) && (!groups_too || same_groups(&old, u));
	*done = same ? MM_PUT_KEPT : rc ? MM_PUT_ADDED : MM_PUT_CHANGED;
	if (same)
		return 0;
	if (*done == MM_PUT_ADDED) {
		if (mm_q_run(s, MM_SQL_USER_NEW, err, "i", mm_store_now(s)) < 0)
			return -1;
		id = sqlite3_last_insert_rowid(s->db);
	} else if (user_id(s, u->login, &id, err)) {
		return -1;
	}
	if (write_user(s, id, u, err) || (groups_too && write_groups(s, id, u, err)))
		return -1;
	return note_user(s, u, groups_too, *done, a, err);
}

int mm_store_user_put(
    struct mm_store *s, const struct mm_store_user *u, bool groups_too, enum mm_put *done, struct mm_err *err)
{
	enum mm_put what = MM_PUT_KEPT;
	struct mm_arena *a;
	int rc;

	if (!mm_is_login(u->login))
		return mm_err_set(err, MM_EX_DATAERR,
		    "login \"%s\": a login has letters, digits, '_', '.', '@' and '-', and does not begin "
		    "with '-' or '.'",
		    u->login);
	if (mm_store_begin(s, err))
		return -1;
	a = mm_arena_new();
	rc = mm_store_end(s, user_put(s, u, groups_too, &what, a, err), err);
	mm_arena_free(a);
	if (!rc)
		*done = what;
	return rc;
}

static int user_remove(struct mm_store *s, const char *login, struct mm_err *err)
{
	int n = mm_q_run(s, MM_SQL_USER_DELETE, err, "t", login);

	if (n <= 0)
		return n;
	if (mm_q_run(s, MM_SQL_USER_HOSTS_DELETE, err, "t", login) < 0)
		return -1;
	return mm_store_audit(s, "user.remove", login, NULL, true, err) ? -1 : 1;
}

int mm_store_user_remove(struct mm_store *s, const char *login, struct mm_err *err)
{
	if (mm_store_begin(s, err))
		return -1;
	return end_removal(s, user_remove(s, login, err), err);
}
