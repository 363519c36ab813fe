#include "controller/push_cmd.h"

#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "controller/plan_file.h"
#include "controller/push_print.h"
#include "controller/push_roll.h"

/* The current revision must still be the plan's text, whatever its number. */
static int check_plan(struct mm_ctl *c, const struct mm_push_cmd *o, const struct mm_plan_file *p,
    struct mm_arena *a, struct mm_err *err)
{
	struct mm_revision now;
	int rc = mm_store_revision_get(c->store, p->revision, a, &now, err);
	if (rc < 0)
		return -1;
	if (rc == 1 || !mm_streq(now.sha256, p->sha256))
		return mm_err_set(err, MM_EX_NOPERM, "%s is a plan of another store's policy", o->file);
	if (p->removals > o->allow_remove)
		return mm_err_set(err, MM_EX_NOPERM,
		    "the plan takes away %lld account%s: say --allow-remove %lld if that is meant",
		    (long long)p->removals, p->removals == 1 ? "" : "s", (long long)p->removals);
	if (p->n_hosts == 0)
		return mm_err_set(err, MM_EX_FAILED, "no host stands in the plan");
	return 0;
}

/* Its hosts, and nothing else. */
static int take_plan(
    struct mm_ctl *c, struct mm_push_cmd *o, struct mm_plan_file *p, struct mm_arena *a, struct mm_err *err)
{
	const struct mm_selection *sel = &o->sel;
	if (sel->all || sel->pending || sel->limit > 0 ||
	    sel->hosts.n + sel->tags.n + sel->groups.n + sel->users.n > 0)
		return mm_err_set(err, MM_EX_USAGE, "a plan says itself which hosts it is for");
	if (mm_plan_file_read(o->file, a, p, err) != 0 || mm_ctl_open(c, err) != 0 ||
	    check_plan(c, o, p, a, err) != 0)
		return -1;
	o->sel.hosts.items = mm_arena_alloc(a, p->n_hosts, sizeof(*o->sel.hosts.items));
	memcpy(o->sel.hosts.items, p->hosts, p->n_hosts * sizeof(*p->hosts));
	o->sel.hosts.n = p->n_hosts;
	o->how.planned = mm_plan_file_of;
	o->how.plan = p;
	o->how.plan_revision = p->revision;
	o->how.plan_sha256 = p->file_sha256;
	return 0;
}

static int save_plan(struct mm_ctl *c, const char *path, const struct mm_push_summary *s, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_revision r;
	int rc = mm_store_revision_get(c->store, s->revision, a, &r, err);
	if (rc == 0)
		rc = mm_plan_file_write(path, s, r.sha256, mm_store_now(c->store), err);
	mm_arena_free(a);
	return rc;
}

static int failure(const char *what, const struct mm_err *err)
{
	return err->code == MM_EX_USAGE ? mm_ctl_usage(what, err->text) : mm_ctl_fail(what, err);
}

static int said(const char *path, const struct mm_push_summary *s)
{
	size_t missing = s->n - s->by_class[MM_PC_OK];
	(void)fflush(stdout);
	if (missing > 0)
		fprintf(stderr, "saved, without %zu host%s that gave no answer", missing,
		    missing == 1 ? "" : "s");
	else
		fputs("saved", stderr);
	fprintf(stderr, "; to carry it out: mailmuster push %s\n", path);
	return s->exit_status;
}

static int run(struct mm_ctl *c, const char *what, struct mm_push_cmd *o)
{
	struct mm_push_summary s = {0};
	struct mm_err err = MM_ERR_NONE;
	int status;
	o->how.progress = true;
	o->how.reason = o->reason;
	if ((o->out != NULL && mm_ctl_can_create(o->out, &err) < 0) ||
	    mm_push_run_op(c, &o->sel, &o->how, &s, &err) < 0) {
		status = failure(what, &err);
	} else {
		if (o->json)
			mm_push_print_json(&s, NULL, NULL);
		else
			mm_push_print(&s);
		status = s.exit_status;
		if (o->out != NULL)
			status =
			    save_plan(c, o->out, &s, &err) < 0 ? mm_ctl_fail(what, &err) : said(o->out, &s);
	}
	if (s.arena != NULL)
		mm_push_summary_free(&s);
	return status;
}

int mm_push_command(struct mm_ctl *c, const char *what, struct mm_push_cmd *o)
{
	struct mm_plan_file plan = {.revision = 0};
	struct mm_err err = MM_ERR_NONE;
	struct mm_arena *a = mm_arena_new();
	int status;
	if (o->file != NULL && take_plan(c, o, &plan, a, &err) != 0)
		status = failure(what, &err);
	else if (!o->may_roll || !mm_push_roll(c, what, o, &status))
		status = run(c, what, o);
	if (plan.hosts != NULL)
		o->sel.hosts = (struct mm_opt_list){.n = 0};
	mm_plan_file_free(&plan);
	mm_arena_free(a);
	return status;
}
