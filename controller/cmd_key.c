#include <stdio.h>

#include "common/json.h"
#include "common/term.h"
#include "common/text.h"
#include "controller/cmd.h"

struct list {
	json_t *json;
	struct mm_table *table;
	int64_t n;
};

/* Newest first: the first one signs. */
static int row(const struct mm_store_key *k, void *arg, struct mm_err *err)
{
	struct list *l = arg;
	bool in_use = l->n++ == 0;
	char when[MM_TIME_MAX];
	json_t *o;

	(void)err;
	if (l->json) {
		o = json_object();
		mm_json_set_int(o, "epoch", k->epoch);
		mm_json_set_str(o, "id", k->id);
		mm_json_set_int(o, "added", k->added);
		mm_json_set_bool(o, "in_use", in_use);
		mm_json_set_str(o, "pem", k->pem);
		json_array_append_new(l->json, o);
		return 0;
	}
	mm_table_cell(l->table, MM_PLAIN, "%lld", (long long)k->epoch);
	mm_table_cell(l->table, MM_PLAIN, "%s", mm_time_utc(k->added, when));
	mm_table_cell(l->table, in_use ? MM_GREEN : MM_DIM, "%s", in_use ? "in use" : "old");
	mm_table_cell(l->table, MM_PLAIN, "%s", k->id);
	return 0;
}

static int cmd_list(struct mm_ctl *c, int argc, char **argv)
{
	static const char *const heads[] = {"epoch", "added", "state", "id", NULL};
	bool json = false;
	const struct mm_opt opts[] = {MM_OPT_JSON(&json), {.name = NULL}};
	const struct mm_args args = {.what = "key list",
	    .operands = "",
	    .about = "List the signing keys (public parts).",
	    .opts = opts};
	struct mm_err err = MM_ERR_NONE;
	struct list l = {0};
	int rc = mm_ctl_args(&args, &argc, argv);

	if (rc >= 0)
		return rc;
	if (mm_ctl_open(c, &err))
		return mm_ctl_fail("key list", &err);
	if (json)
		l.json = json_array();
	else
		l.table = mm_table_new(heads);
	rc = mm_store_key_each(c->store, row, &l, &err);
	if (json) {
		mm_ctl_json(l.json);
	} else {
		mm_table_print(l.table, stdout);
		mm_table_free(l.table);
	}
	return rc ? mm_ctl_fail("key list", &err) : MM_EX_OK;
}

static const struct mm_subcmd subs[] = {
    {"list", "", "list the signing keys", cmd_list},
    {NULL, NULL, NULL, NULL},
};

static int run(struct mm_ctl *c, int argc, char **argv)
{
	return mm_ctl_sub(c, "key", subs, argc, argv);
}

const struct mm_cmd mm_cmd_key = {"key", "list", "signing keys", run};
