#include <stdio.h>

#include "common/json.h"
#include "common/term.h"
#include "common/text.h"
#include "controller/signkey.h"

struct list {
	struct mm_store *store;
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
	int64_t hosts = 0;
	json_t *o;

	if (mm_store_key_hosts(l->store, k->epoch, &hosts, err))
		return -1;
	if (l->json) {
		o = json_object();
		mm_json_set_int(o, "epoch", k->epoch);
		mm_json_set_str(o, "id", k->id);
		mm_json_set_int(o, "added", k->added);
		mm_json_set_bool(o, "in_use", in_use);
		mm_json_set_str(o, "signed_by", *k->former ? k->former : NULL);
		mm_json_set_int(o, "hosts", hosts);
		mm_json_set_str(o, "pem", k->pem);
		json_array_append_new(l->json, o);
		return 0;
	}
	mm_table_cell(l->table, MM_PLAIN, "%lld", (long long)k->epoch);
	mm_table_cell(l->table, MM_PLAIN, "%s", mm_time_utc(k->added, when));
	mm_table_cell(l->table, in_use ? MM_GREEN : MM_DIM, "%s", in_use ? "in use" : "old");
	mm_table_cell(l->table, MM_PLAIN, "%lld", (long long)hosts);
	mm_table_cell(l->table, MM_PLAIN, "%s", k->id);
	mm_table_cell(l->table, *k->former || k->epoch == 1 ? MM_PLAIN : MM_YELLOW, "%.16s",
	    *k->former      ? k->former
	    : k->epoch == 1 ? "the first"
			    : "nobody");
	return 0;
}

static int cmd_list(struct mm_ctl *c, int argc, char **argv)
{
	static const char *const heads[] = {"epoch", "added", "state", "hosts", "id", "signed by", NULL};
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
	l.store = c->store;
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

/* ---- rotate */

static void say_rotated(const struct mm_signkey_rotated *r, bool compromised, bool json)
{
	if (json) {
		json_t *o = json_object();
		mm_json_set_str(o, "id", r->key);
		mm_json_set_int(o, "epoch", r->epoch);
		mm_json_set_str(o, "former", r->former);
		mm_json_set_bool(o, "compromised", compromised);
		mm_ctl_json(o);
		return;
	}
	printf("signing key %s, epoch %lld, in the place of %.16s\n", r->key, (long long)r->epoch, r->former);
	if (compromised)
		printf(
		    "No host believes it: enrol every host anew (mailmuster host enroll HOST). Until then\n"
		    "whoever has the former key can give it orders.\n");
	else
		printf("Each host takes it with the next request that it gets: mailmuster push --all, or its "
		       "check-in.\n");
	printf("Make a backup now: one from before does not know this key.\n");
}

static int cmd_rotate(struct mm_ctl *c, int argc, char **argv)
{
	bool json = false, compromised = false;
	const char *reason = NULL;
	const struct mm_opt opts[] = {
	    {.name = "compromised",
		.kind = MM_OPT_FLAG,
		.dest = &compromised,
		.help = "the key was stolen or lost: it signs for nothing any more"},
	    MM_OPT_REASON(&reason),
	    MM_OPT_JSON(&json),
	    {.name = NULL},
	};
	const struct mm_args args = {.what = "key rotate",
	    .operands = "[options]",
	    .about =
		"Put a new signing key in the place of the one in use, which signs for it; hosts follow\n"
		"that, also after several rotations, and obey the former key no more. With --compromised\n"
		"nobody signs for it, and every host has to be enrolled anew.",
	    .opts = opts};
	struct mm_err err = MM_ERR_NONE;
	struct mm_signkey_rotated r;
	int rc = mm_ctl_args(&args, &argc, argv);

	if (rc >= 0)
		return rc;
	if (mm_ctl_open(c, &err))
		return mm_ctl_fail("key rotate", &err);
	mm_store_set_reason(c->store, reason);
	if (mm_signkey_rotate(c, compromised, &r, &err))
		return mm_ctl_fail("key rotate", &err);
	say_rotated(&r, compromised, json);
	return MM_EX_OK;
}

static const struct mm_subcmd subs[] = {
    {"list", "", "list the signing keys", cmd_list},
    {"rotate", "[options]", "put a new one in the place of the one in use", cmd_rotate},
    {NULL, NULL, NULL, NULL},
};

static int run(struct mm_ctl *c, int argc, char **argv)
{
	return mm_ctl_sub(c, "key", subs, argc, argv);
}

const struct mm_cmd mm_cmd_key = {"key", "list|rotate", "signing keys", run};
