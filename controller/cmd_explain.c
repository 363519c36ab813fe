#include <stdio.h>
#include <string.h>

#include "common/json.h"
#include "common/term.h"
#include "common/text.h"
#include "controller/cmd.h"
#include "controller/policy/explain.h"
#include "controller/policy_store.h"

struct explain {
	const char *user, *setting, *host;
	bool json;
	json_t *seen; /* what was last observed */
	int64_t now;
};

/* "ACCOUNT:" in front of a setting. */
static bool wanted(const struct explain *x, const struct mm_finding_row *r)
{
	const char *colon = x->setting ? strchr(x->setting, ':') : NULL;
	const char *id = colon ? colon + 1 : x->setting;

	if (colon && (strlen(r->f.account) != (size_t)(colon - x->setting) ||
			 strncmp(r->f.account, x->setting, (size_t)(colon - x->setting)) != 0))
		return false;
	return !id || !*id || mm_starts_with(r->f.setting, id);
}

static int take_seen(const struct mm_finding_row *r, void *arg, struct mm_err *err)
{
	struct explain *x = arg;
	json_t *o;

	(void)err;
	if (!wanted(x, r))
		return 0;
	o = json_object();
	mm_json_set_str(o, "host", r->host);
	mm_json_set_str(o, "client", r->f.client);
	mm_json_set_str(o, "account", r->f.account);
	mm_json_set_str(o, "setting", r->f.setting);
	mm_json_set_str(o, "found", r->f.found);
	mm_json_set_str(o, "path", r->f.path);
	if (r->f.line)
		mm_json_set_int(o, "line", r->f.line);
	mm_json_set_str(o, "state", mm_state_name(r->f.state));
	mm_json_set_str(o, "action", mm_action_name(r->f.action));
	mm_json_set_int(o, "since", r->since);
	mm_json_set_int(o, "seen", r->seen);
	mm_json_set_bool(o, "stale", r->stale);
	json_array_append_new(x->seen, o);
	return 0;
}

static const char *member(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "-";
}

static void print_seen(const struct explain *x)
{
	static const char *const heads[] = {
	    "HOST", "CLIENT", "ACCOUNT", "SETTING", "FOUND", "STATE", "DONE", "SEEN", NULL};
	static const char *const keys[] = {
	    "host", "client", "account", "setting", "found", "state", "action"};
	struct mm_table *t;
	char age[MM_TIME_MAX];
	json_t *o;
	size_t i;

	if (json_array_size(x->seen) == 0) {
		printf("\nNothing of it has been observed on a workstation yet.\n");
		return;
	}
	printf("\nLast observed:\n");
	t = mm_table_new(heads);
	json_array_foreach(x->seen, i, o)
	{
		bool stale = json_is_true(json_object_get(o, "stale"));

		for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
			mm_table_cell(t, MM_PLAIN, "%s", member(o, keys[k]));
		mm_table_cell(t, stale ? MM_YELLOW : MM_PLAIN, "%s ago%s",
		    mm_duration(x->now - json_integer_value(json_object_get(o, "seen")), age),
		    stale ? ", stale" : "");
	}
	mm_table_print(t, stdout);
	mm_table_free(t);
}

static int print(struct explain *x, const struct mm_resolved *r, int64_t revision, struct mm_err *err)
{
	json_t *o;

	if (!x->json) {
		if (mm_explain_print(r, x->setting, stdout, err))
			return -1;
		print_seen(x);
		return 0;
	}
	if (mm_explain_json(r, x->setting, &o, err))
		return -1;
	mm_json_set_int(o, "revision", revision);
	json_object_set(o, "observed", x->seen);
	mm_ctl_json(o);
	return 0;
}

static int resolve_user(struct mm_ctl *c, struct explain *x, struct mm_stored_policy *p, struct mm_arena *a,
    struct mm_resolved **out, struct mm_err *err)
{
	struct mm_subject subject;
	struct mm_store_user u;
	struct mm_diags d;
	int rc = mm_store_user_get(c->store, x->user, a, &u, err);

	if (rc == 1)
		return mm_err_set(err, MM_EX_FAILED, "user \"%s\" is not known", x->user);
	if (rc)
		return -1;
	rc = mm_policy_stored(c->store, 0, a, p, err);
	if (rc == 1)
		return mm_err_set(
		    err, MM_EX_FAILED, "there is no policy yet; run: mailmuster policy import FILE");
	if (rc)
		return -1;
	mm_diags_init(&d, a);
	subject = mm_subject_of(&u, a);
	if (mm_resolve(p->policy, &subject, x->host, MM_RESOLVE_EXPLAIN, a, out, &d))
		return mm_diags_err(&d, err);
	return 0;
}

static int explain(struct mm_ctl *c, struct explain *x, struct mm_arena *a, struct mm_err *err)
{
	const struct mm_evidence_filter f = {.user = x->user, .host = x->host};
	struct mm_stored_policy p;
	struct mm_store_host h;
	struct mm_resolved *r;
	int rc;

	if (mm_ctl_open(c, err))
		return -1;
	rc = x->host ? mm_store_host_get(c->store, x->host, a, &h, err) : 0;
	if (rc == 1)
		return mm_err_set(err, MM_EX_FAILED, "host \"%s\" is not known", x->host);
	if (rc || resolve_user(c, x, &p, a, &r, err) || mm_store_findings(c->store, &f, take_seen, x, err))
		return -1;
	x->now = mm_store_now(c->store);
	return print(x, r, p.revision.number, err);
}

static int run(struct mm_ctl *c, int argc, char **argv)
{
	struct explain x = {0};
	const struct mm_opt opts[] = {
	    {.name = "host",
		.kind = MM_OPT_STRING,
		.dest = &x.host,
		.arg = "HOST",
		.help = "on this workstation"},
	    MM_OPT_JSON(&x.json),
	    {.name = NULL},
	};
	const struct mm_args args = {.what = "explain",
	    .operands = "USER [SETTING]",
	    .about = "Why has USER this value: every layer with file:line, value and verdict, and what was "
		     "last seen on the\n"
		     "workstations. SETTING is an id (incoming.host) or its beginning; \"ACCOUNT:\" in front "
		     "keeps to one\n"
		     "account. Exit status 1 when there is no such user or setting.",
	    .opts = opts,
	    .min = 1,
	    .max = 2};
	struct mm_err err = MM_ERR_NONE;
	struct mm_arena *a;
	int rc = mm_ctl_args(&args, &argc, argv);

	if (rc >= 0)
		return rc;
	x.user = argv[0];
	x.setting = argc > 1 ? argv[1] : NULL;
	x.seen = json_array();
	a = mm_arena_new();
	rc = explain(c, &x, a, &err) ? mm_ctl_fail("explain", &err) : MM_EX_OK;
	mm_arena_free(a);
	json_decref(x.seen);
	return rc;
}

const struct mm_cmd mm_cmd_explain = {"explain", "USER [SETTING]", "why a user has a value", run};
