#include <stdio.h>
#include <string.h>

#include "common/json.h"
#include "common/term.h"
#include "common/text.h"
#include "controller/csv_rows.h"
#include "controller/group_sync.h"
#include "controller/people.h"

/* ---- add, remove */

struct change {
	struct mm_ctl *c;
	const char *what; /* "group add" */
	const char *group;
	char **logins; /* operands behind the group */
	int n;
	struct mm_tally_put done;
};

static int add_members(struct change *ch, struct mm_err *err)
{
	enum mm_put what;

	if (mm_store_group_put(ch->c->store, ch->group, "manual", &what, err))
		return -1;
	if (ch->n == 0)
		ch->done.n[what]++;
	for (int i = 0; i < ch->n; i++) {
		if (mm_store_member_put(ch->c->store, ch->group, ch->logins[i], &what, err))
			return -1;
		ch->done.n[what]++;
	}
	return 0;
}

/* Without logins the group itself goes. */
static int remove_members(struct change *ch, struct mm_err *err)
{
	int rc = ch->n ? 0 : mm_store_group_remove(ch->c->store, ch->group, err);

	if (rc == 1)
		return mm_err_set(err, MM_EX_FAILED, "group \"%s\" is not known", ch->group);
	for (int i = 0; i < ch->n && !rc; i++) {
		rc = mm_store_member_remove(ch->c->store, ch->group, ch->logins[i], err);
		if (rc == 1)
			return mm_err_set(err, MM_EX_FAILED, "\"%s\" is not in group %s; nothing was removed",
			    ch->logins[i], ch->group);
	}
	ch->done.removed = ch->n ? ch->n : 1;
	return rc;
}

static int change(
    struct change *ch, int (*act)(struct change *, struct mm_err *), const char *reason, bool json)
{
	struct mm_arena *a = mm_arena_new();
	/* A group that goes takes something from everybody in it. */
	const char *const *logins = mm_list(a, (const char *const *)ch->logins, (size_t)ch->n);
	struct mm_err err = MM_ERR_NONE;
	struct mm_diags d;
	int rc;

	mm_diags_init(&d, a);
	if (mm_ctl_open(ch->c, &err) || mm_store_begin(ch->c->store, &err)) {
		rc = mm_ctl_fail(ch->what, &err);
	} else if (mm_store_set_reason(ch->c->store, reason), act(ch, &err)) {
		mm_store_rollback(ch->c->store);
		rc = mm_ctl_fail(ch->what, &err);
	} else {
		rc = mm_people_end(ch->c, ch->what, ch->n ? logins : NULL, &d);
		if (!rc)
			mm_people_done(&ch->done, json);
	}
	mm_arena_free(a);
	return rc;
}

static int change_cmd(struct mm_ctl *c, const char *what, const char *about,
    int (*act)(struct change *, struct mm_err *), int argc, char **argv)
{
	bool json = false;
	const char *reason = NULL;
	const struct mm_opt opts[] = {
	    MM_OPT_REASON(&reason),
	    MM_OPT_JSON(&json),
	    {.name = NULL},
	};
	const struct mm_args args = {.what = what,
	    .operands = "GROUP [LOGIN...]",
	    .about = about,
	    .opts = opts,
	    .min = 1,
	    .max = 100000};
	int rc = mm_ctl_args(&args, &argc, argv);

	if (rc < 0) {
		struct change ch = {
		    .c = c, .what = what, .group = argv[0], .logins = argv + 1, .n = argc - 1};

		rc = change(&ch, act, reason, json);
	}
	return rc;
}

static int cmd_add(struct mm_ctl *c, int argc, char **argv)
{
	return change_cmd(c, "group add", "Make a group, or put users into it.", add_members, argc, argv);
}

static int cmd_remove(struct mm_ctl *c, int argc, char **argv)
{
	return change_cmd(c, "group remove", "Take users out of a group; without LOGIN, forget the group.",
	    remove_members, argc, argv);
}

/* ---- import */

static int import_rows(struct mm_ctl *c, struct mm_rows *r, struct mm_tally_put *done, struct mm_err *err)
{
	struct mm_store_user u;
	enum mm_put what;

	while (mm_rows_next(r)) {
		const char *group = mm_rows_get(r, "group"), *login = mm_rows_get(r, "login");
		int known = mm_store_user_get(c->store, login, r->a, &u, err);

		if (known < 0)
			return -1;
		if (known == 1)
			mm_rows_bad(r, "user \"%s\" is not known", login);
		if (!mm_is_login(group))
			mm_rows_bad(r, "\"%s\" cannot be a group", group);
		if (known == 1 || !mm_is_login(group))
			continue;
		if (mm_store_member_put(c->store, group, login, &what, err))
			return -1;
		done->n[what]++;
	}
	return 0;
}

static int import_text(struct mm_ctl *c, const char *file, const struct mm_buf *text, bool json)
{
	static const char *const columns[] = {"group", "login", NULL};
	struct mm_arena *a = mm_arena_new();
	struct mm_tally_put done = {0};
	struct mm_err err = MM_ERR_NONE;
	struct mm_diags d;
	struct mm_rows r;
	int rc = mm_store_begin(c->store, &err);

	mm_diags_init(&d, a);
	if (!rc && !mm_rows_begin(&r, file, text, columns, columns, false, a, &d) &&
	    import_rows(c, &r, &done, &err)) {
		mm_store_rollback(c->store);
		rc = -1;
	}
	if (rc)
		rc = mm_ctl_fail("group import", &err);
	else
		rc = mm_people_end(c, "group import", NULL, &d);
	if (!rc)
		mm_people_done(&done, json);
	mm_arena_free(a);
	return rc;
}

static int cmd_import(struct mm_ctl *c, int argc, char **argv)
{
	bool json = false;
	const char *reason = NULL;
	const struct mm_opt opts[] = {
	    MM_OPT_REASON(&reason),
	    MM_OPT_JSON(&json),
	    {.name = NULL},
	};
	const struct mm_args args = {.what = "group import",
	    .operands = "FILE",
	    .about = "Read memberships from CSV with the columns group,login: each line puts a user into a "
		     "group.\n"
		     "One bad line, and nothing is stored.",
	    .opts = opts,
	    .min = 1,
	    .max = 1};
	struct mm_buf text = MM_BUF_INIT(MM_CSV_FILE_MAX);
	struct mm_err err = MM_ERR_NONE;
	int rc = mm_ctl_args(&args, &argc, argv);

	if (rc < 0 && (mm_ctl_open(c, &err) || mm_ctl_read(argv[0], MM_CSV_FILE_MAX, &text, &err)))
		rc = mm_ctl_fail("group import", &err);
	if (rc < 0) {
		mm_store_set_reason(c->store, reason);
		rc = import_text(c, argv[0], &text, json);
	}
	mm_buf_free(&text);
	return rc;
}

/* ---- list, show */

static json_t *group_json(const struct mm_store_group *g)
{
	json_t *o = json_object();

	mm_json_set_str(o, "group", g->name);
	mm_json_set_str(o, "source", g->source);
	mm_json_set_int(o, "members", g->members);
	if (g->synced)
		mm_json_set_int(o, "synced", g->synced);
	return o;
}

static int json_row(const struct mm_store_group *g, void *arg, struct mm_err *err)
{
	(void)err;
	json_array_append_new(arg, group_json(g));
	return 0;
}

static int table_row(const struct mm_store_group *g, void *arg, struct mm_err *err)
{
	char when[MM_TIME_MAX];

	(void)err;
	mm_table_cell(arg, MM_PLAIN, "%s", g->name);
	mm_table_cell(arg, MM_PLAIN, "%lld", (long long)g->members);
	mm_table_cell(arg, MM_PLAIN, "%s", g->source);
	mm_table_cell(arg, MM_PLAIN, "%s", g->synced ? mm_time_utc(g->synced, when) : "-");
	return 0;
}

static int cmd_list(struct mm_ctl *c, int argc, char **argv)
{
	static const char *const heads[] = {"group", "members", "source", "synced", NULL};
	bool json = false;
	const struct mm_opt opts[] = {MM_OPT_JSON(&json), {.name = NULL}};
	const struct mm_args args = {
	    .what = "group list", .operands = "", .about = "List the groups.", .opts = opts};
	struct mm_err err = MM_ERR_NONE;
	struct mm_table *t;
	json_t *list;
	int rc = mm_ctl_args(&args, &argc, argv);

	if (rc >= 0)
		return rc;
	if (mm_ctl_open(c, &err))
		return mm_ctl_fail("group list", &err);
	if (json) {
		list = json_array();
		rc = mm_store_group_each(c->store, json_row, list, &err);
		mm_ctl_json(list);
	} else {
		t = mm_table_new(heads);
		rc = mm_store_group_each(c->store, table_row, t, &err);
		mm_table_print(t, stdout);
		mm_table_free(t);
	}
	return rc ? mm_ctl_fail("group list", &err) : MM_EX_OK;
}

static int add_login(const struct mm_store_user *u, void *arg, struct mm_err *err)
{
	(void)err;
	json_array_append_new(arg, json_string(u->login));
	return 0;
}

static int show_group(struct mm_ctl *c, const char *name, bool json, struct mm_arena *a, struct mm_err *err)
{
	struct mm_store_group g;
	json_t *members, *o;
	int rc = mm_store_group_get(c->store, name, a, &g, err);

	if (rc == 1)
		return mm_err_set(err, MM_EX_FAILED, "group \"%s\" is not known", name);
	members = json_array();
	if (rc || mm_store_user_each(c->store, name, add_login, members, err)) {
		json_decref(members);
		return -1;
	}
	if (json) {
		o = group_json(&g);
		mm_json_set(o, "logins", members);
		mm_ctl_json(o);
		return 0;
	}
	printf("group    %s\nsource   %s\nmembers  %lld\n", g.name, g.source, (long long)g.members);
	for (size_t i = 0; i < json_array_size(members); i++)
		printf("  %s\n", json_string_value(json_array_get(members, i)));
	json_decref(members);
	return 0;
}

static int cmd_show(struct mm_ctl *c, int argc, char **argv)
{
	bool json = false;
	const struct mm_opt opts[] = {MM_OPT_JSON(&json), {.name = NULL}};
	const struct mm_args args = {.what = "group show",
	    .operands = "GROUP",
	    .about = "Show one group with its members.",
	    .opts = opts,
	    .min = 1,
	    .max = 1};
	struct mm_err err = MM_ERR_NONE;
	struct mm_arena *a;
	int rc = mm_ctl_args(&args, &argc, argv);

	if (rc >= 0)
		return rc;
	a = mm_arena_new();
	rc = mm_ctl_open(c, &err) || show_group(c, argv[0], json, a, &err) ? mm_ctl_fail("group show", &err)
									   : MM_EX_OK;
	mm_arena_free(a);
	return rc;
}

static const struct mm_subcmd subs[] = {
    {"add", "GROUP [LOGIN...]", "make a group, add members", cmd_add},
    {"import", "FILE", "read CSV", cmd_import},
    {"list", "", "list", cmd_list},
    {"show", "GROUP", "show one with its members", cmd_show},
    {"remove", "GROUP [LOGIN...]", "take members out, or forget the group", cmd_remove},
    {"sync", "GROUP...", "take members from the system", mm_group_sync},
    {NULL, NULL, NULL, NULL},
};

static int run(struct mm_ctl *c, int argc, char **argv)
{
	return mm_ctl_sub(c, "group", subs, argc, argv);
}

const struct mm_cmd mm_cmd_group = {"group", "add|import|list|show|remove|sync", "groups of people", run};
