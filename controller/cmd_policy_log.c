/* mailmuster policy export, log, diff: the commands that only read. */
#include <stdio.h>
#include <string.h>

#include "common/file.h"
#include "common/json.h"
#include "common/term.h"
#include "common/text.h"
#include "controller/cmd_policy.h"
#include "controller/policy/diff.h"
#include "controller/policy_store.h"

static int no_revision(int64_t number, struct mm_err *err)
{
	if (number)
		return mm_err_set(err, MM_EX_FAILED, "there is no revision %lld", (long long)number);
	return mm_err_set(err, MM_EX_FAILED, "there is no policy yet; run: mailmuster policy import FILE");
}

/* ---- export */

static int export_to(
    struct mm_ctl *c, int64_t number, const char *output, bool json, struct mm_arena *a, struct mm_err *err)
{
	struct mm_revision r;
	json_t *o;
	int rc = mm_ctl_open(c, err) ? -1 : mm_store_revision_get(c->store, number, a, &r, err);

	if (rc == 1)
		return no_revision(number, err);
	if (rc)
		return -1;
	if (output)
		return mm_write_own(output, r.text, r.len, 0644, err);
	if (json) {
		o = json_object();
		mm_json_set_int(o, "revision", r.number);
		mm_json_set_str(o, "sha256", r.sha256);
		mm_json_set_str(o, "source", r.source);
		mm_json_set_str(o, "text", r.text);
		mm_ctl_json(o);
	} else {
		fwrite(r.text, 1, r.len, stdout);
	}
	return 0;
}

int mm_policy_cmd_export(struct mm_ctl *c, int argc, char **argv)
{
	bool json = false;
	const char *output = NULL;
	const struct mm_opt opts[] = {
	    {.name = "output",
		.letter = 'o',
		.kind = MM_OPT_STRING,
		.dest = &output,
		.arg = "FILE",
		.help = "write to a file"},
	    MM_OPT_JSON(&json),
	    {.name = NULL},
	};
	const struct mm_args args = {.what = "policy export",
	    .operands = "[REVISION]",
	    .about = "Print a stored policy (default: the current one), with its includes resolved.",
	    .opts = opts,
	    .max = 1};
	struct mm_err err = MM_ERR_NONE;
	struct mm_arena *a;
	int64_t number = 0;
	int rc = mm_ctl_args(&args, &argc, argv);

	if (rc >= 0)
		return rc;
	if (argc && mm_parse_int(argv[0], 1, INT64_MAX, &number))
		return mm_ctl_usage("policy export", "REVISION is a number, see mailmuster policy log");
	a = mm_arena_new();
	rc = export_to(c, number, output, json, a, &err) ? mm_ctl_fail("policy export", &err) : MM_EX_OK;
	mm_arena_free(a);
	return rc;
}

/* ---- log */

static int json_row(const struct mm_revision *r, void *arg, struct mm_err *err)
{
	json_t *o = json_object();

	(void)err;
	mm_json_set_int(o, "revision", r->number);
	mm_json_set_int(o, "parent", r->parent);
	mm_json_set_bool(o, "current", r->current);
	mm_json_set_int(o, "time", r->time);
	mm_json_set_str(o, "author", r->author);
	mm_json_set_int(o, "author_uid", r->author_uid);
	mm_json_set_str(o, "message", r->message);
	mm_json_set_str(o, "source", r->source);
	mm_json_set_str(o, "sha256", r->sha256);
	mm_json_set_int(o, "approvals_needed", r->needed);
	mm_json_set_int(o, "approvals", r->n_approved);
	mm_json_set_str(o, "approvers", r->approvers);
	mm_json_set_bool(o, "pushable", r->n_approved >= r->needed);
	json_array_append_new(arg, o);
	return 0;
}

static int table_row(const struct mm_revision *r, void *arg, struct mm_err *err)
{
	bool waits = r->n_approved < r->needed;
	char when[MM_TIME_MAX];

	(void)err;
	mm_table_cell(
	    arg, r->current ? MM_BOLD : MM_PLAIN, "%lld%s", (long long)r->number, r->current ? " *" : "");
	mm_table_cell(arg, MM_PLAIN, "%s", mm_time_utc(r->time, when));
	mm_table_cell(arg, MM_PLAIN, "%s", r->author);
	if (r->needed == 0)
		mm_table_cell(arg, MM_DIM, "not needed");
	else
		mm_table_cell(arg, waits ? MM_YELLOW : MM_GREEN, "%lld of %lld%s%s%s",
		    (long long)r->n_approved, (long long)r->needed, *r->approvers ? " (" : "", r->approvers,
		    *r->approvers ? ")" : "");
	mm_table_cell(arg, MM_PLAIN, "%.12s", r->sha256);
	mm_table_cell(arg, MM_PLAIN, "%s", r->message);
	return 0;
}

int mm_policy_cmd_log(struct mm_ctl *c, int argc, char **argv)
{
	static const char *const heads[] = {
	    "revision", "time", "author", "approvals", "sha256", "message", NULL};
	bool json = false;
	const struct mm_opt opts[] = {MM_OPT_JSON(&json), {.name = NULL}};
	const struct mm_args args = {
	    .what = "policy log", .operands = "", .about = "List the revisions, newest first.", .opts = opts};
	struct mm_err err = MM_ERR_NONE;
	struct mm_table *t;
	json_t *list;
	int rc = mm_ctl_args(&args, &argc, argv);

	if (rc >= 0)
		return rc;
	if (mm_ctl_open(c, &err))
		return mm_ctl_fail("policy log", &err);
	if (json) {
		list = json_array();
		rc = mm_store_revision_each(c->store, json_row, list, &err);
		mm_ctl_json(list);
	} else {
		t = mm_table_new(heads);
		rc = mm_store_revision_each(c->store, table_row, t, &err);
		mm_table_print(t, stdout);
		mm_table_free(t);
	}
	return rc ? mm_ctl_fail("policy log", &err) : MM_EX_OK;
}

/* ---- diff */

/* What an admin names: a revision by its number, or a file. NULL in *out: nothing. */
static int load_named(
    struct mm_ctl *c, const char *name, struct mm_arena *a, const struct mm_policy **out, struct mm_err *err)
{
	struct mm_stored_policy stored;
	struct mm_policy *p;
	struct mm_diags d;
	int64_t number;
	int rc;

	if (mm_parse_int(name, 1, INT64_MAX, &number)) {
		mm_diags_init(&d, a);
		if (mm_policy_load_file(name, NULL, a, &p, &d)) {
			mm_diags_print(&d, stderr);
			return mm_err_set(err, MM_EX_DATAERR, "%s cannot be read", name);
		}
		*out = p;
		return 0;
	}
	rc = mm_policy_stored(c->store, number, a, &stored, err);
	if (rc == 1)
		return no_revision(number, err);
	*out = rc ? NULL : stored.policy;
	return rc;
}

static int load_current(
    struct mm_ctl *c, struct mm_arena *a, struct mm_stored_policy *out, struct mm_err *err)
{
	int rc = mm_policy_stored(c->store, 0, a, out, err);

	return rc == 1 ? no_revision(0, err) : rc;
}

/* No names: what the current revision changed. One: a file against the current
 * revision, or what came after a revision. Two: from the first to the second. */
static int load_both(struct mm_ctl *c, int argc, char **argv, struct mm_arena *a,
    const struct mm_policy **before, const struct mm_policy **after, struct mm_err *err)
{
	struct mm_stored_policy current;
	int64_t number;

	*before = *after = NULL;
	if (mm_ctl_open(c, err))
		return -1;
	if (argc == 2)
		return load_named(c, argv[0], a, before, err) || load_named(c, argv[1], a, after, err) ? -1
												       : 0;
	if (load_current(c, a, &current, err))
		return -1;
	if (argc == 1 && mm_parse_int(argv[0], 1, INT64_MAX, &number)) {
		*before = current.policy;
		return load_named(c, argv[0], a, after, err);
	}
	*after = current.policy;
	if (argc == 1)
		return load_named(c, argv[0], a, before, err);
	if (current.revision.parent == 0)
		return 0;
	return load_named(c, mm_arena_printf(a, "%lld", (long long)current.revision.parent), a, before, err);
}

int mm_policy_cmd_diff(struct mm_ctl *c, int argc, char **argv)
{
	bool json = false;
	const struct mm_opt opts[] = {MM_OPT_JSON(&json), {.name = NULL}};
	const struct mm_args args = {.what = "policy diff",
	    .operands = "[OLD [NEW]]",
	    .about =
		"What two policies want differently, key by key; each is a revision's number or a file.\n"
		"FILE alone: what importing it would change. REVISION alone: what has changed since.\n"
		"Nothing: what the current revision changed. Exit status 2 when there are differences.",
	    .opts = opts,
	    .max = 2};
	const struct mm_policy *before, *after;
	struct mm_err err = MM_ERR_NONE;
	struct mm_policy_diff d = {0};
	struct mm_arena *a;
	int rc = mm_ctl_args(&args, &argc, argv);

	if (rc >= 0)
		return rc;
	a = mm_arena_new();
	if (load_both(c, argc, argv, a, &before, &after, &err)) {
		rc = mm_ctl_fail("policy diff", &err);
	} else {
		mm_policy_diff(before, after, a, &d);
		if (json)
			mm_ctl_json(mm_policy_diff_json(&d));
		else
			mm_policy_diff_print(&d, stdout);
		rc = d.n ? MM_EX_DIFF : MM_EX_OK;
	}
	mm_arena_free(a);
	return rc;
}
