#include <stdio.h>
#include <string.h>

#include "common/json.h"
#include "common/term.h"
#include "common/text.h"
#include "controller/csv_rows.h"
#include "controller/people.h"

/* ---- add */

struct add_opts {
	const char *name, *address;
	struct mm_opt_list groups, attrs;
	bool json;
	const char *reason;
};

static int split_attr(const char *text, struct mm_arena *a, struct mm_store_attr *out)
{
	const char *eq = strchr(text, '=');

	if (!eq)
		return -1;
	out->name = mm_arena_strndup(a, text, (size_t)(eq - text));
	out->value = mm_arena_strdup(a, eq + 1);
	return 0;
}

/* What was not given stays as it is. */
static int merge(const struct add_opts *o, struct mm_arena *a, struct mm_store_user *u, struct mm_err *err)
{
	struct mm_store_attr *attrs = mm_arena_alloc(a, u->n_attrs + o->attrs.n + 1, sizeof(*attrs));
	struct mm_store_attr one;
	size_t n = 0;

	for (size_t i = 0; i < u->n_attrs; i++)
		attrs[n++] = u->attrs[i];
	for (size_t i = 0; i < o->attrs.n; i++) {
		size_t k = 0;

		if (split_attr(o->attrs.items[i], a, &one))
			return mm_err_set(
			    err, MM_EX_USAGE, "--attr is NAME=VALUE, not \"%s\"", o->attrs.items[i]);
		while (k < n && strcmp(attrs[k].name, one.name) != 0)
			k++;
		attrs[k] = one;
		n += k == n;
	}
	u->attrs = attrs;
	u->n_attrs = n;
	if (o->name)
		u->name = o->name;
	if (o->address)
		u->address = o->address;
	if (o->groups.n > 0) {
		u->groups = o->groups.items;
		u->n_groups = o->groups.n;
	}
	return 0;
}

static int add_user(struct mm_ctl *c, const char *login, const struct add_opts *o, struct mm_arena *a,
    struct mm_tally_put *done, struct mm_err *err)
{
	struct mm_store_user u = {.login = login, .name = "", .address = ""};
	const char *trouble;
	enum mm_put what;

	if (mm_store_user_get(c->store, login, a, &u, err) < 0 || merge(o, a, &u, err))
		return -1;
	trouble = mm_user_trouble(&u, a);
	if (trouble)
		return mm_err_set(err, MM_EX_DATAERR, "%s", trouble);
	if (mm_store_user_put(c->store, &u, true, &what, err))
		return -1;
	done->n[what]++;
	return 0;
}

static int add_in_one(struct mm_ctl *c, const char *login, const struct add_opts *o)
{
	const char *logins[] = {login, NULL};
	struct mm_arena *a = mm_arena_new();
	struct mm_tally_put done = {0};
	struct mm_err err = MM_ERR_NONE;
	struct mm_diags d;
	int rc;

	mm_diags_init(&d, a);
	if (mm_ctl_open(c, &err) || mm_store_begin(c->store, &err)) {
		rc = mm_ctl_fail("user add", &err);
	} else if (mm_store_set_reason(c->store, o->reason), add_user(c, login, o, a, &done, &err)) {
		mm_store_rollback(c->store);
		rc = mm_ctl_fail("user add", &err);
	} else {
		rc = mm_people_end(c, "user add", logins, &d);
		if (!rc)
			mm_people_done(&done, o->json);
	}
	mm_arena_free(a);
	return rc;
}

static int cmd_add(struct mm_ctl *c, int argc, char **argv)
{
	struct add_opts o = {0};
	const struct mm_opt opts[] = {
	    {.name = "name", .kind = MM_OPT_STRING, .dest = &o.name, .arg = "NAME", .help = "real name"},
	    {.name = "address",
		.kind = MM_OPT_STRING,
		.dest = &o.address,
		.arg = "ADDR",
		.help = "mail address"},
	    {.name = "group",
		.kind = MM_OPT_LIST,
		.dest = &o.groups,
		.arg = "GROUP",
		.help = "the user's groups are these"},
	    {.name = "attr",
		.kind = MM_OPT_LIST,
		.dest = &o.attrs,
		.arg = "NAME=VALUE",
		.help = "set an attribute"},
	    MM_OPT_REASON(&o.reason),
	    MM_OPT_JSON(&o.json),
	    {.name = NULL},
	};
	const struct mm_args args = {.what = "user add",
	    .operands = "LOGIN",
	    .about = "Add a user, or change one: what is not given stays as it is.",
	    .opts = opts,
	    .min = 1,
	    .max = 1};
	int rc = mm_ctl_args(&args, &argc, argv);

	if (rc < 0)
		rc = add_in_one(c, argv[0], &o);
	mm_cli_free(opts);
	return rc;
}

/* ---- import */

static const char *const columns[] = {"login", "name", "address", "groups", NULL};
static const char *const required[] = {"login", NULL};

static bool is_column(const char *name)
{
	for (const char *const *k = columns; *k; k++)
		if (strcmp(*k, name) == 0)
			return true;
	return false;
}

/* A column that the file does not have leaves what is stored. */
static int user_of_row(
    struct mm_ctl *c, struct mm_rows *r, struct mm_store_user *u, bool *groups_too, struct mm_err *err)
{
	struct mm_store_attr *attrs = mm_arena_alloc(r->a, r->n_head, sizeof(*attrs));
	const char *groups = mm_rows_get(r, "groups");
	size_t n = 0;

	*u = (struct mm_store_user){.login = mm_rows_get(r, "login"), .name = "", .address = ""};
	if (mm_store_user_get(c->store, u->login, r->a, u, err) < 0)
		return -1;
	if (mm_rows_get(r, "name"))
		u->name = mm_rows_get(r, "name");
	if (mm_rows_get(r, "address"))
		u->address = mm_rows_get(r, "address");
	*groups_too = groups != NULL;
	if (groups)
		u->groups = mm_rows_split(r->a, groups, &u->n_groups);
	for (size_t i = 0; i < r->n_head; i++)
		if (!is_column(r->head[i]) && *r->row.field[i])
			attrs[n++] = (struct mm_store_attr){r->head[i], r->row.field[i]};
	u->attrs = attrs;
	u->n_attrs = n;
	return 0;
}

struct import {
	struct mm_ctl *c;
	struct mm_rows rows;
	struct mm_tally_put done;
};

static int import_row(struct import *in, struct mm_err *err)
{
	struct mm_store_user u;
	const char *trouble;
	bool groups_too;
	enum mm_put what;

	if (user_of_row(in->c, &in->rows, &u, &groups_too, err))
		return -1;
	mm_rows_key(&in->rows, u.login);
	trouble = mm_user_trouble(&u, in->rows.a);
	if (trouble) {
		mm_rows_bad(&in->rows, "%s", trouble);
		return 0;
	}
	if (mm_store_user_put(in->c->store, &u, groups_too, &what, err))
		return -1;
	in->done.n[what]++;
	return 0;
}

static int import_all(struct import *in, const char *file, const struct mm_buf *text, struct mm_arena *a,
    struct mm_diags *d, bool json)
{
	struct mm_err err = MM_ERR_NONE;
	int rc = 0;

	if (mm_store_begin(in->c->store, &err))
		return mm_ctl_fail("user import", &err);
	if (!mm_rows_begin(&in->rows, file, text, required, columns, true, a, d))
		while (!rc && mm_rows_next(&in->rows))
			rc = import_row(in, &err);
	if (rc) {
		mm_store_rollback(in->c->store);
		return mm_ctl_fail("user import", &err);
	}
	rc = mm_people_end(in->c, "user import", mm_rows_keys(&in->rows, "login"), d);
	if (!rc)
		mm_people_done(&in->done, json);
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
	const struct mm_args args = {.what = "user import",
	    .operands = "FILE",
	    .about = "Read users from CSV: login,name,address,groups (separated by ';'); further columns are "
		     "attributes.\n"
		     "The first line names the columns. One bad line, and nothing is stored.",
	    .opts = opts,
	    .min = 1,
	    .max = 1};
	struct mm_buf text = MM_BUF_INIT(MM_CSV_FILE_MAX);
	struct mm_arena *a = mm_arena_new();
	struct mm_err err = MM_ERR_NONE;
	struct import in = {.c = c};
	struct mm_diags d;
	int rc = mm_ctl_args(&args, &argc, argv);

	mm_diags_init(&d, a);
	if (rc < 0) {
		if (mm_ctl_open(c, &err) || mm_ctl_read(argv[0], MM_CSV_FILE_MAX, &text, &err)) {
			rc = mm_ctl_fail("user import", &err);
		} else {
			mm_store_set_reason(c->store, reason);
			rc = import_all(&in, argv[0], &text, a, &d, json);
		}
	}
	mm_buf_free(&text);
	mm_arena_free(a);
	return rc;
}

/* ---- list, show */

static json_t *user_json(const struct mm_store_user *u)
{
	json_t *o = json_object(), *groups = json_array(), *attrs = json_object();

	mm_json_set_str(o, "login", u->login);
	mm_json_set_str(o, "name", u->name);
	mm_json_set_str(o, "address", u->address);
	for (size_t i = 0; i < u->n_groups; i++)
		json_array_append_new(groups, json_string(u->groups[i]));
	for (size_t i = 0; i < u->n_attrs; i++)
		mm_json_set_str(attrs, u->attrs[i].name, u->attrs[i].value);
	mm_json_set(o, "groups", groups);
	mm_json_set(o, "attributes", attrs);
	return o;
}

static int json_row(const struct mm_store_user *u, void *arg, struct mm_err *err)
{
	(void)err;
	json_array_append_new(arg, user_json(u));
	return 0;
}

static int table_row(const struct mm_store_user *u, void *arg, struct mm_err *err)
{
	struct mm_buf groups = MM_BUF_INIT(65536);

	(void)err;
	for (size_t i = 0; i < u->n_groups; i++)
		mm_buf_addf(&groups, "%s%s", i ? ";" : "", u->groups[i]);
	mm_table_cell(arg, MM_PLAIN, "%s", u->login);
	mm_table_cell(arg, MM_PLAIN, "%s", u->name);
	mm_table_cell(arg, MM_PLAIN, "%s", u->address);
	mm_table_cell(arg, MM_PLAIN, "%s", mm_buf_str(&groups));
	mm_buf_free(&groups);
	return 0;
}

static int print_users(struct mm_ctl *c, const char *group, bool json, struct mm_err *err)
{
	static const char *const heads[] = {"login", "name", "address", "groups", NULL};
	json_t *list = json ? json_array() : NULL;
	struct mm_table *t = json ? NULL : mm_table_new(heads);
	int rc = mm_store_user_each(
	    c->store, group, json ? json_row : table_row, json ? (void *)list : (void *)t, err);

	if (json && !rc)
		mm_ctl_json(list);
	else if (json)
		json_decref(list);
	else if (!rc)
		mm_table_print(t, stdout);
	if (t)
		mm_table_free(t);
	return rc;
}

static int cmd_list(struct mm_ctl *c, int argc, char **argv)
{
	bool json = false;
	const char *group = NULL;
	const struct mm_opt opts[] = {
	    {.name = "group",
		.kind = MM_OPT_STRING,
		.dest = &group,
		.arg = "GROUP",
		.help = "only its members"},
	    MM_OPT_JSON(&json),
	    {.name = NULL},
	};
	const struct mm_args args = {
	    .what = "user list", .operands = "", .about = "List the users.", .opts = opts};
	struct mm_err err = MM_ERR_NONE;
	int rc = mm_ctl_args(&args, &argc, argv);

	if (rc >= 0)
		return rc;
	if (mm_ctl_open(c, &err) || print_users(c, group, json, &err))
		return mm_ctl_fail("user list", &err);
	return MM_EX_OK;
}

static void print_user(const struct mm_store_user *u)
{
	struct mm_buf b = MM_BUF_INIT(1024 * 1024);

	mm_buf_addf(&b, "login     %s\nname      %s\naddress   %s\ngroups   ", u->login, u->name, u->address);
	for (size_t i = 0; i < u->n_groups; i++)
		mm_buf_addf(&b, " %s", u->groups[i]);
	mm_buf_addc(&b, '\n');
	for (size_t i = 0; i < u->n_attrs; i++)
		mm_buf_addf(&b, "%-9s %s\n", u->attrs[i].name, u->attrs[i].value);
	fputs(mm_buf_str(&b), stdout);
	mm_buf_free(&b);
}

static int cmd_show(struct mm_ctl *c, int argc, char **argv)
{
	bool json = false;
	const struct mm_opt opts[] = {MM_OPT_JSON(&json), {.name = NULL}};
	const struct mm_args args = {.what = "user show",
	    .operands = "LOGIN",
	    .about = "Show one user.",
	    .opts = opts,
	    .min = 1,
	    .max = 1};
	struct mm_arena *a = mm_arena_new();
	struct mm_err err = MM_ERR_NONE;
	struct mm_store_user u;
	int rc = mm_ctl_args(&args, &argc, argv);

	if (rc < 0) {
		rc = mm_ctl_open(c, &err) ? -1 : mm_store_user_get(c->store, argv[0], a, &u, &err);
		if (rc == 1)
			mm_err_set(&err, MM_EX_FAILED, "user \"%s\" is not known", argv[0]);
		if (rc)
			rc = mm_ctl_fail("user show", &err);
		else if (json)
			mm_ctl_json(user_json(&u));
		else
			print_user(&u);
	}
	mm_arena_free(a);
	return rc;
}

/* ---- remove */

static int remove_all(struct mm_ctl *c, int argc, char **argv, struct mm_err *err)
{
	int rc = 0;

	for (int i = 0; i < argc && !rc; i++) {
		rc = mm_store_user_remove(c->store, argv[i], err);
		if (rc == 1)
			rc = mm_err_set(
			    err, MM_EX_FAILED, "user \"%s\" is not known; nothing was removed", argv[i]);
	}
	return rc;
}

/* Also of somebody who was removed before. */
static int erase_all(struct mm_ctl *c, int n, char **logins, struct mm_err *err)
{
	for (int i = 0; i < n; i++)
		if (mm_store_user_remove(c->store, logins[i], err) < 0 ||
		    mm_store_user_erase(c->store, logins[i], err))
			return -1;
	return 0;
}

static int cmd_remove(struct mm_ctl *c, int argc, char **argv)
{
	bool json = false, erase = false;
	const char *reason = NULL;
	const struct mm_opt opts[] = {
	    {.name = "erase",
		.kind = MM_OPT_FLAG,
		.dest = &erase,
		.help = "also what the audit log and the evidence hold about them"},
	    MM_OPT_REASON(&reason),
	    MM_OPT_JSON(&json),
	    {.name = NULL},
	};
	const struct mm_args args = {.what = "user remove",
	    .operands = "LOGIN...",
	    .about = "Forget users: what is personal is erased, the audit log stays.",
	    .opts = opts,
	    .min = 1,
	    .max = 10000};
	struct mm_err err = MM_ERR_NONE;
	int rc = mm_ctl_args(&args, &argc, argv);

	if (rc >= 0)
		return rc;
	if (mm_ctl_open(c, &err) || mm_store_begin(c->store, &err))
		return mm_ctl_fail("user remove", &err);
	mm_store_set_reason(c->store, reason);
	if ((erase ? erase_all : remove_all)(c, argc, argv, &err)) {
		mm_store_rollback(c->store);
		return mm_ctl_fail("user remove", &err);
	}
	if (mm_store_commit(c->store, &err))
		return mm_ctl_fail("user remove", &err);
	mm_people_done(&(struct mm_tally_put){.removed = argc}, json);
	return MM_EX_OK;
}

static const struct mm_subcmd subs[] = {
    {"add", "LOGIN [options]", "add or change one", cmd_add},
    {"import", "FILE", "read CSV", cmd_import},
    {"list", "[--group GROUP]", "list", cmd_list},
    {"show", "LOGIN", "show one", cmd_show},
    {"remove", "LOGIN...", "forget", cmd_remove},
    {NULL, NULL, NULL, NULL},
};

static int run(struct mm_ctl *c, int argc, char **argv)
{
	return mm_ctl_sub(c, "user", subs, argc, argv);
}

const struct mm_cmd mm_cmd_user = {"user", "add|import|list|show|remove", "the people", run};
