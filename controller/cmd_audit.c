#include <stdio.h>

#include "common/json.h"
#include "common/term.h"
#include "common/text.h"
#include "controller/cmd.h"

static int json_row(const struct mm_audit_entry *e, void *arg, struct mm_err *err)
{
	json_t *o = json_object();
	json_t *detail = e->detail ? mm_json_load("detail", e->detail, strlen(e->detail), err) : json_null();

	if (!detail) {
		json_decref(o);
		return -1;
	}
	mm_json_set_int(o, "seq", e->seq);
	mm_json_set_int(o, "time", e->time);
	mm_json_set_str(o, "who", e->who);
	mm_json_set_str(o, "action", e->action);
	mm_json_set_str(o, "object", e->object);
	mm_json_set(o, "detail", detail);
	mm_json_set_str(o, "reason", e->reason);
	mm_json_set_bool(o, "personal", e->personal);
	mm_json_set_str(o, "prev", e->prev);
	mm_json_set_str(o, "sha256", e->sha256);
	json_array_append_new(arg, o);
	return 0;
}

/* "name=value name=value" from the entry's JSON. */
static void summary(const struct mm_audit_entry *e, struct mm_buf *out)
{
	json_t *detail = e->detail ? mm_json_load("detail", e->detail, strlen(e->detail), NULL) : NULL;
	const char *name;
	json_t *v;

	if (!e->detail)
		mm_buf_adds(out, "(erased)");
	json_object_foreach(detail, name, v)
	{
		if (json_is_string(v) && *json_string_value(v))
			mm_buf_addf(out, "%s%s=%s", out->len ? " " : "", name, json_string_value(v));
	}
	json_decref(detail);
	if (*e->reason)
		mm_buf_addf(out, "%sreason: %s", out->len ? "; " : "", e->reason);
}

static int table_row(const struct mm_audit_entry *e, void *arg, struct mm_err *err)
{
	struct mm_buf text = MM_BUF_INIT(1024 * 1024);
	char when[MM_TIME_MAX];

	(void)err;
	summary(e, &text);
	mm_table_cell(arg, MM_PLAIN, "%lld", (long long)e->seq);
	mm_table_cell(arg, MM_PLAIN, "%s", mm_time_utc(e->time, when));
	mm_table_cell(arg, MM_PLAIN, "%s", e->who);
	mm_table_cell(arg, MM_BOLD, "%s", e->action);
	mm_table_cell(arg, MM_PLAIN, "%s", e->object ? e->object : "(erased)");
	mm_table_cell(arg, MM_DIM, "%s", mm_buf_str(&text));
	mm_buf_free(&text);
	return 0;
}

static int print_log(struct mm_ctl *c, int64_t after, bool json, struct mm_err *err)
{
	static const char *const heads[] = {"seq", "time", "who", "action", "object", "detail", NULL};
	struct mm_table *t;
	json_t *list;
	int rc;

	if (json) {
		list = json_array();
		rc = mm_store_audit_each(c->store, after, json_row, list, err);
		if (rc)
			json_decref(list);
		else
			mm_ctl_json(list);
		return rc;
	}
	t = mm_table_new(heads);
	rc = mm_store_audit_each(c->store, after, table_row, t, err);
	if (!rc)
		mm_table_print(t, stdout);
	mm_table_free(t);
	return rc;
}

static int cmd_log(struct mm_ctl *c, int argc, char **argv)
{
	bool json = false;
	int64_t after = 0;
	const struct mm_opt opts[] = {
	    {.name = "after",
		.kind = MM_OPT_INT,
		.dest = &after,
		.min = 0,
		.max = INT64_MAX,
		.arg = "SEQ",
		.help = "only later entries"},
	    MM_OPT_JSON(&json),
	    {.name = NULL},
	};
	const struct mm_args args = {.what = "audit log",
	    .operands = "",
	    .about = "Who did what, and every report, oldest first.",
	    .opts = opts};
	struct mm_err err = MM_ERR_NONE;
	int rc = mm_ctl_args(&args, &argc, argv);

	if (rc >= 0)
		return rc;
	return mm_ctl_open(c, &err) || print_log(c, after, json, &err) ? mm_ctl_fail("audit log", &err)
								       : MM_EX_OK;
}

static int cmd_verify(struct mm_ctl *c, int argc, char **argv)
{
	bool json = false;
	const struct mm_opt opts[] = {MM_OPT_JSON(&json), {.name = NULL}};
	const struct mm_args args = {.what = "audit verify",
	    .operands = "",
	    .about = "Recompute the hash chain: an altered or missing entry is found. Exit status 2 if there "
		     "is one.",
	    .opts = opts};
	struct mm_err err = MM_ERR_NONE;
	int64_t n = 0;
	json_t *o;
	int rc = mm_ctl_args(&args, &argc, argv);

	if (rc >= 0)
		return rc;
	rc = mm_ctl_open(c, &err) || mm_store_audit_verify(c->store, &n, &err) ? err.code : MM_EX_OK;
	if (json && (rc == MM_EX_OK || rc == MM_EX_DIFF)) {
		o = json_object();
		mm_json_set_bool(o, "good", rc == MM_EX_OK);
		if (rc == MM_EX_OK)
			mm_json_set_int(o, "entries", n);
		else
			mm_json_set_str(o, "text", err.text);
		mm_ctl_json(o);
		return rc;
	}
	if (rc)
		return mm_ctl_fail("audit verify", &err);
	printf("%lld entries, every hash is right\n", (long long)n);
	return MM_EX_OK;
}

static const struct mm_subcmd subs[] = {
    {"log", "[--after SEQ]", "print the log", cmd_log},
    {"verify", "", "check the hash chain", cmd_verify},
    {NULL, NULL, NULL, NULL},
};

static int run(struct mm_ctl *c, int argc, char **argv)
{
	return mm_ctl_sub(c, "audit", subs, argc, argv);
}

const struct mm_cmd mm_cmd_audit = {"audit", "log|verify", "who did what", run};
