#include "controller/push_run.h"

#include <string.h>

#include "common/text.h"
#include "controller/push_judge.h"
#include "controller/push_overtaken.h"
#include "controller/rollout/assign.h"
#include "controller/rollout_heard.h"
#include "controller/rollout_land.h"
#include "schemas/proto.h"

int mm_push_transaction(struct mm_push_run *o, struct mm_err *err)
{
	if (o->in_transaction)
		return 0;
	if (mm_store_begin(o->c->store, err) < 0)
		return -1;
	o->in_transaction = true;
	return 0;
}

static int64_t retry_at(struct mm_push_run *o, const char *host)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_push_state p = {.attempts = 0};
	if (mm_store_push_get(o->c->store, host, a, &p, NULL) != 0)
		p.attempts = 0;
	mm_arena_free(a);
	return mm_store_now(o->c->store) + mm_ro_retry_after("push", host, p.attempts + 1);
}

static int remember_transport(struct mm_push_run *o, const struct mm_target *t, struct mm_err *err)
{
	struct mm_store_host h = t->host;
	enum mm_put done;
	h.transport = "ssh";
	h.enrolled = 0; /* stays as it is */
	return mm_store_host_put(o->c->store, &h, &done, err);
}

static int record(
    struct mm_push_run *o, const struct mm_target *t, struct mm_host_result *r, struct mm_err *err)
{
	const struct mm_ended *out = &r->outcome;
	bool ok = out->cls == MM_PC_OK;
	/* What a plan does not hold for waits for another plan, not for a retry. */
	bool moved = mm_ended_moved(out);
	struct mm_push_state p = {
	    .host = t->host.id,
	    .revision = t->owed != 0 ? t->owed : o->s->revision,
	    .op = mm_op_name(o->how->op),
	    .request_id = r->made.id,
	    .pending = !ok && !moved,
	    .next_retry = ok ? 0 : retry_at(o, t->host.id),
	    .outcome = mm_push_class_def(out->cls)->name,
	    .text = out->text,
	    .unreachable = mm_push_class_def(out->cls)->exit_bit == MM_EX_UNREACHABLE,
	};
	if (mm_store_push_result(o->c->store, &p, err) < 0)
		return -1;
	/* A rollout hears of what was done beside it; what it sent itself it counts in done(). */
	if (o->how->op == MM_OP_APPLY && o->how->feed == NULL && !p.unreachable && out->cls != MM_PC_LOCAL &&
	    mm_rollout_hear(o->c->store, t->host.id, p.revision, r, err) < 0)
		return -1;
	/* It worked, but not over libssh2: spare it the attempt the next time. */
	if (out->by_ssh && (ok || out->cls == MM_PC_REFUSED) && !mm_streq(t->host.transport, "ssh") &&
	    t->host.proxy_command == NULL)
		return remember_transport(o, t, err);
	return 0;
}

/* Whoever asks for proof, or wants something back, is not content with a host that has nothing. */
static void check_verify(const struct mm_push_run *o, struct mm_host_result *r)
{
	bool restore = o->how->op == MM_OP_RESTORE;
	if ((o->how->op != MM_OP_VERIFY && !restore) || r->covered + r->findings > 0)
		return;
	struct mm_trouble t = {.host = r->target->host.id,
	    .user = o->users != NULL ? "(those asked about)" : "(everybody)",
	    .client = "",
	    .account = "",
	    .what = restore ? "nothing to restore" : "nothing to verify",
	    .text = "this host holds no settings for them: mailmuster push"};
	mm_trouble_add(o->s, &t);
	r->exit_bits |= MM_EX_DIFF;
}

/* The reports of one host: all or none, and what is wrong with them is the
 * host's trouble, not the run's. */
static int store_answer(
    struct mm_push_run *o, struct mm_collect *a, struct mm_host_result *r, struct mm_err *err)
{
	struct mm_err why = MM_ERR_NONE;
	if (o->how->op == MM_OP_APPLY &&
	    mm_push_judge(o->c->store, a, r->made.id, o->s->arena, &r->people, err) < 0)
		return -1;
	if (mm_store_begin(o->c->store, err) < 0)
		return -1;
	if (mm_collect_store(a, o->c->store, r, o->s, &why) == 0) {
		check_verify(o, r);
		return mm_store_commit(o->c->store, err);
	}
	mm_store_rollback(o->c->store);
	if (why.code != MM_EX_DATAERR) {
		*err = why;
		return -1;
	}
	mm_ended_set(&r->outcome, o->s->arena, MM_PC_HOSTILE, "its report cannot be stored: %s", why.text);
	return 0;
}

/* Was another run of ours faster? 1: this host is asked again. */
static int overtaken(struct mm_push_run *o, size_t i, struct mm_err *err)
{
	struct mm_host_result *r = &o->s->hosts[i];
	enum mm_overtaken what = MM_OV_NO;
	bool replay = mm_streq(r->outcome.reason, MM_REFUSED_REPLAY);
	mm_overtaken_key(&r->made, &r->outcome, o->s->arena);
	if (mm_overtaken(o->c->store, r->target->host.id, o->how->op, &r->made, &r->outcome, o->s->arena,
		&what, &r->by, err) < 0)
		return -1;
	/* A rollout must know itself what becomes of the host. */
	if (what == MM_OV_DONE && o->how->feed != NULL && r->by.revision == r->made.revision)
		what = MM_OV_AGAIN;
	if (what == MM_OV_AGAIN && o->round < MM_PUSH_ROUNDS) {
		o->again[o->n_again++] = i;
		o->finished--;
		r->outcome = MM_ENDED_NONE;
		return 1;
	}
	if (what == MM_OV_DONE || (what == MM_OV_AGAIN && replay)) {
		mm_ended_set(&r->outcome, o->s->arena, MM_PC_SUPERSEDED,
		    "another run was there first (%s, revision %lld), and has not ended yet", r->by.op,
		    (long long)r->by.revision);
		r->exit_bits |= MM_EX_DIFF; /* until its end is known */
	}
	return 0;
}

static int store_one(struct mm_push_run *o, size_t i, struct mm_err *err)
{
	struct mm_host_result *r = &o->s->hosts[i];
	int rc = 0;
	if (r->outcome.cls == MM_PC_OK && o->answers[i] != NULL)
		rc = store_answer(o, o->answers[i], r, err);
	mm_collect_free(o->answers[i]);
	o->answers[i] = NULL;
	if (rc == 0)
		rc = overtaken(o, i, err);
	o->out--;
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	/* What the other run writes down of this host stands. */
	if (r->outcome.cls != MM_PC_SUPERSEDED)
		rc = record(o, r->target, r, err);
	r->exit_bits |= mm_push_class_def(r->outcome.cls)->exit_bit;
	o->s->by_class[r->outcome.cls]++;
	o->decided[i] = true;
	const struct mm_push_feed *f = o->how->feed;
	if (rc == 0 && f != NULL)
		rc = f->done(f->ctx, i, r, err);
	if (rc == 0 && r->spooled > 0)
		rc = mm_rollout_heard(o->c->store, r->target->host.id, err);
	return rc;
}

int mm_push_store_ready(struct mm_push_run *o, struct mm_err *err)
{
	size_t n = o->n_ready;
	if (n == 0)
		return 0;
	o->n_ready = 0;
	if (mm_push_transaction(o, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (store_one(o, o->ready[i], err) < 0)
			return -1;
	return 0;
}
