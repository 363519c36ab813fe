#include <stdio.h>
#include <string.h>

#include "common/json.h"
#include "common/term.h"
#include "common/text.h"
#include "controller/cmd_enroll.h"
#include "controller/csv_rows.h"
#include "controller/people.h"

/* ---- add */

struct add_opts {
	const char *address, *account, *proxy_command, *transport, *reason;
	int64_t port;
	struct mm_opt_list tags, users;
	bool all_users, json;
};

static const struct mm_store_host fresh_host = {
    .address = "", .port = 22, .account = "root", .transport = "libssh2", .all_users = true};

static const char *const *sorted(struct mm_arena *a, const struct mm_opt_list *l, size_t *n)
{
	const char *text = "";

	for (size_t i = 0; i < l->n; i++)
		text = mm_arena_printf(a, "%s;%s", text, l->items[i]);
	return mm_rows_split(a, text, n);
}

/* What was not given stays as it is. */
static void merge(const struct add_opts *o, struct mm_arena *a, struct mm_store_host *h)
{
	if (o->address)
		h->address = o->address;
	if (o->account)
		h->account = o->account;
	if (o->transport)
		h->transport = o->transport;
	if (o->proxy_command)
		h->proxy_command = *o->proxy_command ? o->proxy_command : NULL;
	if (o->port)
		h->port = (int)o->port;
	if (o->tags.n)
		h->tags = sorted(a, &o->tags, &h->n_tags);
	if (o->users.n) {
		h->users = sorted(a, &o->users, &h->n_users);
		h->all_users = false;
	}
	if (o->all_users) {
		h->all_users = true;
		h->n_users = 0;
	}
}

/* The first user in the list whom the store does not know, or NULL. */
static int stranger(
    struct mm_ctl *c, const struct mm_store_host *h, struct mm_arena *a, const char **who, struct mm_err *err)
{
	struct mm_store_user u;

	*who = NULL;
	for (size_t i = 0; !h->all_users && i < h->n_users; i++) {
		int rc = mm_store_user_get(c->store, h->users[i], a, &u, err);

		if (rc < 0)
			return -1;
		if (rc == 1) {
			*who = h->users[i];
			return 0;
		}
	}
	return 0;
}

static int add_host(struct mm_ctl *c, const char *id, const struct add_opts *o, struct mm_arena *a,
    struct mm_tally_put *done, struct mm_err *err)
{
	struct mm_store_host h = fresh_host;
	const char *who;
	enum mm_put what;

	h.id = id;
	if (mm_ctl_open(c, err) || mm_store_host_get(c->store, id, a, &h, err) < 0)
		return -1;
	merge(o, a, &h);
	if (stranger(c, &h, a, &who, err))
		return -1;
	if (who)
		return mm_err_set(err, MM_EX_DATAERR, "user \"%s\" is not known", who);
	mm_store_set_reason(c->store, o->reason);
	if (mm_store_host_put(c->store, &h, &what, err))
		return -1;
	done->n[what]++;
	return 0;
}

static int cmd_add(struct mm_ctl *c, int argc, char **argv)
{
	struct add_opts o = {0};
	const struct mm_opt opts[] = {
	    {.name = "address",
		.kind = MM_OPT_STRING,
		.dest = &o.address,
		.arg = "NAME",
		.help = "SSH address (default: the host id)"},
	    {.name = "port",
		.kind = MM_OPT_INT,
		.dest = &o.port,
		.min = 1,
		.max = 65535,
		.arg = "N",
		.help = "SSH port (default 22)"},
	    {.name = "account",
		.kind = MM_OPT_STRING,
		.dest = &o.account,
		.arg = "NAME",
		.help = "SSH account (default root)"},
	    {.name = "user",
		.kind = MM_OPT_LIST,
		.dest = &o.users,
		.arg = "LOGIN",
		.help = "the host's users are these"},
	    {.name = "all-users",
		.kind = MM_OPT_FLAG,
		.dest = &o.all_users,
		.help = "whoever has accounts (the default)"},
	    {.name = "tag",
		.kind = MM_OPT_LIST,
		.dest = &o.tags,
		.arg = "TAG",
		.help = "the host's tags are these"},
	    {.name = "transport",
		.kind = MM_OPT_STRING,
		.dest = &o.transport,
		.arg = "libssh2|ssh",
		.help = "how to speak SSH (default libssh2)"},
	    {.name = "proxy-command",
		.kind = MM_OPT_STRING,
		.dest = &o.proxy_command,
		.arg = "CMD",
		.help = "as ssh's ProxyCommand; \"\" for none"},
	    MM_OPT_REASON(&o.reason),
	    MM_OPT_JSON(&o.json),
	    {.name = NULL},
	};
	const struct mm_args args = {.what = "host add",
	    .operands = "HOST",
	    .about = "Add a workstation, or change one: what is not given stays as it is.",
	    .opts = opts,
	    .min = 1,
	    .max = 1};
	struct mm_arena *a = mm_arena_new();
	struct mm_tally_put done = {0};
	struct mm_err err = MM_ERR_NONE;
	int rc = mm_ctl_args(&args, &argc, argv);

	if (rc < 0) {
		rc = add_host(c, argv[0], &o, a, &done, &err) ? mm_ctl_fail("host add", &err) : MM_EX_OK;
		if (rc == MM_EX_OK)
			mm_people_done(&done, o.json);
	}
	mm_cli_free(opts);
	mm_arena_free(a);
	return rc;
}

/* ---- import */

static const char *const columns[] = {
    "host", "address", "port", "account", "tags", "users", "transport", "proxy_command", NULL};
static const char *const required[] = {"host", NULL};

struct import {
	struct mm_ctl *c;
	struct mm_rows rows;
	struct mm_tally_put done;
};

static void set_text(const struct mm_rows *r, const char *column, const char **out)
{
	const char *v = mm_rows_get(r, column);

	if (v && *v)
		*out = v;
}

/* A column that the file does not have leaves what is stored. */
static int host_of_row(struct mm_rows *r, struct mm_store_host *h)
{
	const char *port = mm_rows_get(r, "port"), *tags = mm_rows_get(r, "tags"),
		   *users = mm_rows_get(r, "users");
	const char *proxy = mm_rows_get(r, "proxy_command");
	int64_t number = h->port;

	set_text(r, "address", &h->address);
	set_text(r, "account", &h->account);
	set_text(r, "transport", &h->transport);
	if (proxy)
		h->proxy_command = *proxy ? proxy : NULL;
	if (port && *port && mm_parse_int(port, 1, 65535, &number)) {
		mm_rows_bad(r, "port \"%s\" is not a number in 1..65535", port);
		return -1;
	}
	h->port = (int)number;
	if (tags)
		h->tags = mm_rows_split(r->a, tags, &h->n_tags);
	if (users) {
		h->all_users = strcmp(users, "*") == 0;
		h->users = mm_rows_split(r->a, h->all_users ? "" : users, &h->n_users);
	}
	return 0;
}

static int import_row(struct import *in, struct mm_err *err)
{
	struct mm_store_host h = fresh_host;
	struct mm_err own = MM_ERR_NONE;
	const char *who;
	enum mm_put what;

	h.id = mm_rows_get(&in->rows, "host");
	mm_rows_key(&in->rows, h.id);
	if (mm_store_host_get(in->c->store, h.id, in->rows.a, &h, err) < 0)
		return -1;
	if (host_of_row(&in->rows, &h))
		return 0;
	if (stranger(in->c, &h, in->rows.a, &who, err))
		return -1;
	if (who)
		mm_rows_bad(&in->rows, "user \"%s\" is not known", who);
	if (mm_store_host_put(in->c->store, &h, &what, &own)) {
		if (own.code != MM_EX_DATAERR) {
			*err = own;
			return -1;
		}
		mm_rows_bad(&in->rows, "%s", own.text);
		return 0;
	}
	in->done.n[what]++;
	return 0;
}

static int import_all(struct import *in, const char *file, const struct mm_buf *text, bool json)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_err err = MM_ERR_NONE;
	const char *nobody[] = {NULL};
	struct mm_diags d;
	int rc = mm_store_begin(in->c->store, &err);

	mm_diags_init(&d, a);
	if (!rc && !mm_rows_begin(&in->rows, file, text, required, columns, false, a, &d)) {
		while (!rc && mm_rows_next(&in->rows))
			rc = import_row(in, &err);
		mm_rows_keys(&in->rows, "host");
		if (rc)
			mm_store_rollback(in->c->store);
	}
	/* Hosts change nobody's groups: there is nothing to ask the policy. */
	rc = rc ? mm_ctl_fail("host import", &err) : mm_people_end(in->c, "host import", nobody, &d);
	if (!rc)
		mm_people_done(&in->done, json);
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
	const struct mm_args args = {.what = "host import",
	    .operands = "FILE",
	    .about =
		"Read workstations from CSV: host,address,port,account,tags,users (lists separated by ';',\n"
		"users \"*\" = whoever has accounts). One bad line, and nothing is stored.",
	    .opts = opts,
	    .min = 1,
	    .max = 1};
	struct mm_buf text = MM_BUF_INIT(MM_CSV_FILE_MAX);
	struct mm_err err = MM_ERR_NONE;
	struct import in = {.c = c};
	int rc = mm_ctl_args(&args, &argc, argv);

	if (rc < 0 && (mm_ctl_open(c, &err) || mm_ctl_read(argv[0], MM_CSV_FILE_MAX, &text, &err)))
		rc = mm_ctl_fail("host import", &err);
	if (rc < 0) {
		mm_store_set_reason(c->store, reason);
		rc = import_all(&in, argv[0], &text, json);
	}
	mm_buf_free(&text);
	return rc;
}

/* ---- list, show */

static json_t *texts(const char *const *items, size_t n)
{
	json_t *l = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(l, json_string(items[i]));
	return l;
}

static json_t *host_json(const struct mm_store_host *h)
{
	json_t *o = json_object();

	mm_json_set_str(o, "host", h->id);
	mm_json_set_str(o, "address", *h->address ? h->address : h->id);
	mm_json_set_int(o, "port", h->port);
	mm_json_set_str(o, "account", h->account);
	mm_json_set_str(o, "transport", h->transport);
	mm_json_set_str(o, "proxy_command", h->proxy_command);
	mm_json_set(o, "tags", texts(h->tags, h->n_tags));
	mm_json_set_bool(o, "all_users", h->all_users);
	mm_json_set(o, "users", texts(h->users, h->n_users));
	mm_json_set_bool(o, "enrolled", h->enrolled != 0);
	if (h->enrolled)
		mm_json_set_int(o, "enrolled_at", h->enrolled);
	return o;
}

static int json_row(const struct mm_store_host *h, void *arg, struct mm_err *err)
{
	(void)err;
	json_array_append_new(arg, host_json(h));
	return 0;
}

static void join(struct mm_buf *b, const char *const *items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		mm_buf_addf(b, "%s%s", i ? ";" : "", items[i]);
}

static int table_row(const struct mm_store_host *h, void *arg, struct mm_err *err)
{
	struct mm_buf tags = MM_BUF_INIT(65536), users = MM_BUF_INIT(1024 * 1024);
	char when[MM_TIME_MAX];

	(void)err;
	join(&tags, h->tags, h->n_tags);
	join(&users, h->users, h->n_users);
	mm_table_cell(arg, MM_PLAIN, "%s", h->id);
	mm_table_cell(arg, MM_PLAIN, "%s@%s:%d", h->account, *h->address ? h->address : h->id, h->port);
	mm_table_cell(arg, MM_PLAIN, "%s", h->transport);
	mm_table_cell(arg, MM_PLAIN, "%s", h->enrolled ? mm_time_utc(h->enrolled, when) : "no");
	mm_table_cell(arg, MM_PLAIN, "%s", mm_buf_str(&tags));
	mm_table_cell(arg, MM_PLAIN, "%s", h->all_users ? "*" : mm_buf_str(&users));
	mm_buf_free(&tags);
	mm_buf_free(&users);
	return 0;
}

static int cmd_list(struct mm_ctl *c, int argc, char **argv)
{
	static const char *const heads[] = {"host", "ssh", "transport", "enrolled", "tags", "users", NULL};
	bool json = false;
	const char *tag = NULL;
	const struct mm_opt opts[] = {
	    {.name = "tag",
		.kind = MM_OPT_STRING,
		.dest = &tag,
		.arg = "TAG",
		.help = "only hosts with this tag"},
	    MM_OPT_JSON(&json),
	    {.name = NULL},
	};
	const struct mm_args args = {
	    .what = "host list", .operands = "", .about = "List the workstations.", .opts = opts};
	struct mm_err err = MM_ERR_NONE;
	struct mm_table *t;
	json_t *list;
	int rc = mm_ctl_args(&args, &argc, argv);

	if (rc >= 0)
		return rc;
	if (mm_ctl_open(c, &err))
		return mm_ctl_fail("host list", &err);
	if (json) {
		list = json_array();
		rc = mm_store_host_each(c->store, tag, json_row, list, &err);
		mm_ctl_json(list);
	} else {
		t = mm_table_new(heads);
		rc = mm_store_host_each(c->store, tag, table_row, t, &err);
		mm_table_print(t, stdout);
		mm_table_free(t);
	}
	return rc ? mm_ctl_fail("host list", &err) : MM_EX_OK;
}

static int key_row(const struct mm_hostkey *k, void *arg, struct mm_err *err)
{
	struct mm_buf b = MM_BUF_INIT(128);
	uint8_t sum[MM_SHA256_LEN];
	json_t *o = json_object();

	(void)err;
	mm_sha256(k->blob, k->len, sum);
	mm_base64(sum, sizeof(sum), &b);
	while (b.len > 0 && b.data[b.len - 1] == '=')
		b.data[--b.len] = '\0'; /* as ssh-keygen -l prints it */
	mm_json_set_str(o, "algorithm", k->algorithm);
	mm_json_set(o, "fingerprint", json_sprintf("SHA256:%s", mm_buf_str(&b)));
	mm_json_set_str(o, "source", k->source);
	json_array_append_new(arg, o);
	mm_buf_free(&b);
	return 0;
}

static void print_host(const json_t *o)
{
	const json_t *v, *k;
	const char *name;
	size_t i;

	json_object_foreach((json_t *)(uintptr_t)o, name, v)
	{
		if (json_is_string(v))
			printf("%-14s %s\n", name, json_string_value(v));
		else if (json_is_integer(v))
			printf("%-14s %lld\n", name, (long long)json_integer_value(v));
		else if (json_is_boolean(v))
			printf("%-14s %s\n", name, json_is_true(v) ? "yes" : "no");
		json_array_foreach(v, i, k)
		{
			if (json_is_string(k))
				printf("%-14s %s\n", i ? "" : name, json_string_value(k));
			else
				printf("%-14s %s %s (%s)\n", i ? "" : name,
				    json_string_value(json_object_get(k, "algorithm")),
				    json_string_value(json_object_get(k, "fingerprint")),
				    json_string_value(json_object_get(k, "source")));
		}
	}
}

static int show_host(struct mm_ctl *c, const char *id, bool json, struct mm_arena *a, struct mm_err *err)
{
	struct mm_store_host h;
	json_t *o, *keys;
	int rc = mm_store_host_get(c->store, id, a, &h, err);

	if (rc == 1)
		return mm_err_set(err, MM_EX_FAILED, "host \"%s\" is not known", id);
	if (rc)
		return -1;
	keys = json_array();
	if (mm_store_hostkey_each(c->store, id, key_row, keys, err)) {
		json_decref(keys);
		return -1;
	}
	o = host_json(&h);
	mm_json_set(o, "host_keys", keys);
	if (json) {
		mm_ctl_json(o);
	} else {
		print_host(o);
		json_decref(o);
	}
	return 0;
}

static int cmd_show(struct mm_ctl *c, int argc, char **argv)
{
	bool json = false;
	const struct mm_opt opts[] = {MM_OPT_JSON(&json), {.name = NULL}};
	const struct mm_args args = {.what = "host show",
	    .operands = "HOST",
	    .about = "Show one workstation with its pinned host keys.",
	    .opts = opts,
	    .min = 1,
	    .max = 1};
	struct mm_err err = MM_ERR_NONE;
	struct mm_arena *a;
	int rc = mm_ctl_args(&args, &argc, argv);

	if (rc >= 0)
		return rc;
	a = mm_arena_new();
	rc = mm_ctl_open(c, &err) || show_host(c, argv[0], json, a, &err) ? mm_ctl_fail("host show", &err)
									  : MM_EX_OK;
	mm_arena_free(a);
	return rc;
}

/* ---- remove */

static int remove_all(struct mm_ctl *c, int argc, char **argv, struct mm_err *err)
{
	if (mm_store_begin(c->store, err))
		return -1;
	for (int i = 0; i < argc; i++) {
		int rc = mm_store_host_remove(c->store, argv[i], err);

		if (rc == 1)
			rc = mm_err_set(
			    err, MM_EX_FAILED, "host \"%s\" is not known; nothing was removed", argv[i]);
		if (rc) {
			mm_store_rollback(c->store);
			return -1;
		}
	}
	return mm_store_commit(c->store, err);
}

static int cmd_remove(struct mm_ctl *c, int argc, char **argv)
{
	bool json = false;
	const char *reason = NULL;
	const struct mm_opt opts[] = {
	    MM_OPT_REASON(&reason),
	    MM_OPT_JSON(&json),
	    {.name = NULL},
	};
	const struct mm_args args = {.what = "host remove",
	    .operands = "HOST...",
	    .about = "Take workstations out of the inventory. Past evidence stays; nothing is changed on the "
		     "host.",
	    .opts = opts,
	    .min = 1,
	    .max = 100000};
	struct mm_err err = MM_ERR_NONE;
	int rc = mm_ctl_args(&args, &argc, argv);

	if (rc >= 0)
		return rc;
	if (mm_ctl_open(c, &err))
		return mm_ctl_fail("host remove", &err);
	mm_store_set_reason(c->store, reason);
	if (remove_all(c, argc, argv, &err))
		return mm_ctl_fail("host remove", &err);
	mm_people_done(&(struct mm_tally_put){.removed = argc}, json);
	return MM_EX_OK;
}

static const struct mm_subcmd subs[] = {
    {"add", "HOST [options]", "add or change one", cmd_add},
    {"import", "FILE", "read CSV", cmd_import},
    {"list", "[--tag TAG]", "list", cmd_list},
    {"show", "HOST", "show one with its host keys", cmd_show},
    {"remove", "HOST...", "take out of the inventory", cmd_remove},
    {"enroll", "HOST [options]", "take into the fleet, with your own SSH login", mm_cmd_host_enroll},
    {"keys", "import|list|remove", "pinned SSH host keys", mm_cmd_host_keys},
    {NULL, NULL, NULL, NULL},
};

static int run(struct mm_ctl *c, int argc, char **argv)
{
	return mm_ctl_sub(c, "host", subs, argc, argv);
}

const struct mm_cmd mm_cmd_host = {
    "host", "add|import|list|show|remove|enroll|keys", "the workstations", run};
