#include "controller/push_roll.h"

#include <stdio.h>

#include "common/text.h"
#include "controller/rollout_go.h"
#include "controller/rollout_print.h"

enum verdict { ORDINARY, BEGIN, GO_ON };

struct rolling {
	struct mm_ctl *c;
	const struct mm_push_cmd *o;
	struct mm_arena *a;
	struct mm_target *targets;
	size_t n;
	int64_t revision;
	struct mm_rollout last;
	bool has_last;
};

static bool asked(const struct mm_push_cmd *o)
{
	return mm_rollout_opts_any(&o->rollout);
}

static bool somebody_lacks_it(const struct rolling *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->targets[i].has != r->revision)
			return true;
	return false;
}

static int stands(const struct rolling *r, struct mm_err *err)
{
	const char *state = mm_ro_state_name(r->last.state);
	long long id = (long long)r->last.id;
	return mm_err_set(err, r->last.state == MM_RO_HALTED ? MM_EX_HALTED : MM_EX_DIFF,
	    "rollout %lld of this revision is %s%s%s: mailmuster rollout show %lld; push --now goes round it",
	    id, state, *r->last.why != '\0' ? ", " : "", r->last.why, id);
}

/* The newest rollout, if it is of this revision, has the say. */
static int judge(const struct rolling *r, enum verdict *out, struct mm_err *err)
{
	enum mm_ro_state s = r->last.state;
	bool same = r->has_last && r->last.revision == r->revision;
	bool open = same && (s == MM_RO_RUNNING || s == MM_RO_BAKING);
	/* What was taken back was brought to those who had it, to nobody else. */
	bool brought = same && s == MM_RO_DONE && r->last.kind != MM_ROLLOUT_ROLLBACK;
	*out = ORDINARY;
	if (same && (s == MM_RO_PAUSED || s == MM_RO_HALTED))
		return stands(r, err);
	if (open && asked(r->o))
		return mm_err_set(err, MM_EX_USAGE,
		    "rollout %lld brings this revision already, on its own terms: mailmuster rollout show "
		    "%lld",
		    (long long)r->last.id, (long long)r->last.id);
	if (open)
		*out = GO_ON;
	else if (asked(r->o) || (r->n > 1 && somebody_lacks_it(r) && !brought))
		*out = BEGIN;
	return 0;
}

static int look(struct rolling *r, enum verdict *out, struct mm_err *err)
{
	struct mm_store *s = r->c->store;
	if (mm_select(s, &r->o->sel, r->a, &r->targets, &r->n, err) < 0 ||
	    mm_store_revision_current(s, &r->revision, err) < 0)
		return -1;
	int rc = mm_store_rollout_last(s, r->a, &r->last, err);
	r->has_last = rc == 0;
	*out = ORDINARY;
	/* Without a policy the ordinary way says what is missing. */
	return rc < 0 ? -1 : r->revision > 0 ? judge(r, out, err) : 0;
}

/* ---- what was chosen, in the words of the command line */

static void add_list(struct mm_buf *b, const char *option, const struct mm_opt_list *l)
{
	for (size_t i = 0; i < l->n && i < 8; i++)
		mm_buf_addf(b, "%s--%s %s", b->len > 0 ? " " : "", option, l->items[i]);
	if (l->n > 8)
		mm_buf_addf(b, " (and %zu more)", l->n - 8);
}

static const char *in_words(const struct mm_selection *s, struct mm_arena *a)
{
	struct mm_buf b = MM_BUF_INIT(16384);
	if (s->all)
		mm_buf_adds(&b, "--all");
	add_list(&b, "host", &s->hosts);
	add_list(&b, "tag", &s->tags);
	add_list(&b, "group", &s->groups);
	add_list(&b, "user", &s->users);
	if (s->pending)
		mm_buf_addf(&b, "%s--pending", b.len > 0 ? " " : "");
	if (s->limit > 0)
		mm_buf_addf(&b, " --limit %lld", (long long)s->limit);
	const char *out = mm_arena_strdup(a, mm_buf_str(&b));
	mm_buf_free(&b);
	return out;
}

static int begin(struct rolling *r, int64_t *id, struct mm_err *err)
{
	struct mm_rollout_made made;
	struct mm_rollout_opts opts = r->o->rollout;
	if (opts.in_flight == NULL && r->o->how.parallel > 0)
		opts.in_flight = mm_arena_printf(r->a, "%lld", (long long)r->o->how.parallel);
	const struct mm_rollout_new what = {.revision = r->revision,
	    .kind = MM_ROLLOUT_APPLY,
	    .selection = in_words(&r->o->sel, r->a),
	    .targets = r->targets,
	    .n = r->n};
	mm_store_set_reason(r->c->store, r->o->reason);
	int rc = mm_rollout_make(r->c, &what, &opts, r->a, &made, err);
	mm_store_set_reason(r->c->store, NULL);
	if (rc < 0)
		return -1;
	mm_rollout_print_made(&made, r->revision, r->revision);
	*id = made.id;
	return 0;
}

static int leave(struct rolling *r, int64_t id, struct mm_err *err)
{
	struct mm_rollout now;
	if (mm_store_rollout_get(r->c->store, id, r->a, &now, err) != 0)
		return -1;
	if (r->o->json)
		mm_ctl_json(mm_rollout_head_json(&now));
	else
		printf(
		    "Rollout %lld is stored: mailmuster serve drives it, or mailmuster rollout resume %lld\n",
		    (long long)id, (long long)id);
	return 0;
}

static int roll(struct rolling *r, const char *what, bool *is_one, int *status, struct mm_err *err)
{
	enum verdict v;
	int64_t id = r->last.id;
	if (mm_ctl_open(r->c, err) < 0 || look(r, &v, err) < 0)
		return -1;
	*is_one = v != ORDINARY;
	if (v == ORDINARY || (v == BEGIN && begin(r, &id, err) < 0))
		return v == ORDINARY ? 0 : -1;
	*status = MM_EX_OK;
	if (r->o->rollout.detach)
		return leave(r, v == BEGIN ? id : r->last.id, err);
	const struct mm_rollout_how how = {.rollout = v == BEGIN ? id : r->last.id,
	    .timeout_s = r->o->how.timeout_s,
	    .identity = r->o->how.identity,
	    .patient = true,
	    .events = true,
	    .progress = true};
	*status = mm_rollout_go(r->c, what, &how, r->o->json);
	return 0;
}

bool mm_push_roll(struct mm_ctl *c, const char *what, const struct mm_push_cmd *o, int *status)
{
	struct mm_err err = MM_ERR_NONE;
	bool wanted = asked(o), is_one = true;
	if (!wanted && (o->now || o->file != NULL || !o->sel.all || o->sel.limit > 0))
		return false;
	if (o->now || o->file != NULL) {
		*status = mm_ctl_usage(
		    what, "waves and what belongs to them are of a rollout, not of --now or a plan");
		return true;
	}
	struct rolling r = {.c = c, .o = o, .a = mm_arena_new()};
	if (roll(&r, what, &is_one, status, &err) < 0) {
		*status = err.code == MM_EX_USAGE ? mm_ctl_usage(what, err.text) : mm_ctl_fail(what, &err);
		is_one = true;
	}
	mm_arena_free(r.a);
	return is_one;
}
