/* mailmuster checkin: a workstation calls. The forced command of an
 * unprivileged account; the host's own SSH key says which host it is. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/json.h"
#include "common/text.h"
#include "controller/checkin_talk.h"
#include "controller/cmd.h"
#include "controller/push_judge.h"
#include "controller/push_op.h"
#include "controller/push_overtaken.h"
#include "controller/rollout_heard.h"
#include "controller/rollout_land.h"
#include "controller/signkey.h"

/* An agent collects its spool before it calls, and shows life every
 * MM_KEEPALIVE_S while it works on a request. */
static const struct mm_checkin_limits for_spool = {60000, 300000}, for_answer = {60000, 1200000};
#define WRITE_SILENCE_MS 60000
#define SEALS_AT_ONCE 64 /* signatures looked at while a host waits */
#define AGAIN_S 900      /* a host that went away with its request is tried again after this time */

struct checkin {
	struct mm_ctl *c;
	struct mm_store *store;
	const char *host;
	struct mm_arena *a;
	struct mm_push_summary sum; /* what mm_collect_store() counts into */
	struct mm_host_result result;
	struct mm_push_state owed;     /* as it was when the request was made */
	struct mm_rollout_offer offer; /* what the rollouts say of the host */
	int64_t due;                   /* the revision that it gets, 0 = none */
	bool claims, claimed;          /* it is due by the rollout; and taken from there */
	enum mm_op op;
	struct mm_request_made made;
	struct mm_buf request;
	bool made_one;
	int64_t carried; /* reports of the spool */
};

/* ---- whose turn it is */

static int identify(struct checkin *k, struct mm_err *err)
{
	struct mm_store_host h;
	int rc = mm_store_host_get(k->store, k->host, k->a, &h, err);
	if (rc < 0)
		return -1;
	if (rc == 1 || h.enrolled == 0)
		return mm_err_set(err, MM_EX_NOPERM, "host %s is not enrolled", k->host);
	/* Not the account that runs us: the host did this. */
	mm_store_set_who(k->store, mm_arena_printf(k->a, "host %s (check-in)", k->host));
	return 0;
}

/* ---- what it brings */

static int store_reports(struct checkin *k, struct mm_collect *reports, struct mm_err *err)
{
	int64_t looked, bad;
	if (mm_store_begin(k->store, err) != 0)
		return -1;
	if (mm_collect_store(reports, k->store, &k->result, &k->sum, err) == 0)
		return mm_store_commit(k->store, err) == 0
			   ? mm_store_seals_check(k->store, SEALS_AT_ONCE, &looked, &bad, err)
			   : -1;
	mm_store_rollback(k->store);
	return -1;
}

/* Stored before anything else is tried: whatever fails later, these need
 * not come again. */
static int take_spool(struct checkin *k, struct mm_err *err)
{
	struct mm_checkin_stream s;
	int rc = mm_checkin_read(STDIN_FILENO, k->host, &for_spool, &s, err);
	if (rc == 0 && s.answer.state != MM_ANSWER_COMPLETE)
		rc = mm_err_set(err, MM_EX_DATAERR, "the host refuses, and was asked nothing");
	if (rc == 0)
		rc = store_reports(k, s.reports, err);
	mm_checkin_stream_free(&s);
	k->carried = k->result.spooled;
	return rc;
}

/* ---- what it is asked */

/* The newest revision that this host's wave has released, or that was pushed
 * to it by hand. What a rollout holds back (its wave has not begun, or it is
 * paused or halted) is not handed out. */
static void look_up(struct checkin *k)
{
	const struct mm_rollout_offer *f = &k->offer;
	bool held = f->held != 0 && k->owed.revision == f->held;
	bool under_way = f->state == MM_RH_SENT && k->owed.revision == f->revision;
	k->claims = f->rollout > 0 && f->claimable;
	k->due = k->claims ? f->revision : 0;
	if (k->owed.pending && !held && !under_way && k->owed.revision > k->due) {
		k->due = k->owed.revision;
		k->claims = false;
	}
}

/* Apply what is due, if that may be pushed (yet); else only ask how the host
 * is, and acknowledge. */
static int choose(struct checkin *k, struct mm_err *err)
{
	int rc = mm_store_push_get(k->store, k->host, k->a, &k->owed, err);
	k->op = MM_OP_STATUS;
	if (rc < 0 || mm_store_rollout_offer(k->store, k->host, &k->offer, err) < 0)
		return -1;
	look_up(k);
	if (k->due == 0)
		return 0;
	struct mm_err why = MM_ERR_NONE;
	if (mm_store_revision_pushable(k->store, k->due, &why) == 0)
		k->op = MM_OP_APPLY;
	else if (why.code != MM_EX_NOPERM)
		return *err = why, -1;
	return 0;
}

/* Taken from the rollout before it is sent. 1: not now. */
static int claim(struct checkin *k, struct mm_err *err)
{
	bool wanted = k->owed.pending && k->owed.revision == k->due;
	if (!k->claims)
		return 0;
	int rc = mm_store_rollout_checkin(k->store, k->offer.rollout, k->host, k->made.id, err);
	if (rc == 0 && !wanted)
		rc = mm_store_push_want(k->store, k->host, k->due, 0, NULL, err);
	k->claimed = rc == 0;
	return rc;
}

static int prepare_apply(struct checkin *k, struct mm_request_builder *b, struct mm_err *err)
{
	if (mm_store_begin(k->store, err) < 0)
		return -1;
	int rc = mm_request_prepare(b, k->host, MM_OP_APPLY, 0, &k->request, &k->made, err);
	if (rc == 0)
		rc = claim(k, err);
	if (rc == 0)
		return mm_store_commit(k->store, err);
	mm_store_rollback(k->store);
	mm_buf_reset(&k->request);
	return rc;
}

static int prepare(struct checkin *k, const struct mm_key *key, struct mm_err *err)
{
	const struct mm_held_ask ask = {.op = MM_OP_STATUS};
	struct mm_request_builder *b = NULL;
	int rc = 1;
	if (k->op == MM_OP_APPLY) {
		rc = mm_request_builder_new(k->store, key, k->due, false, &b, err);
		if (rc == 0)
			rc = prepare_apply(k, b, err);
		mm_request_builder_free(b);
		b = NULL;
	}
	if (rc != 1)
		return rc;
	k->op = MM_OP_STATUS;
	rc = mm_request_builder_new(k->store, key, 0, true, &b, err);
	if (rc == 0)
		rc = mm_request_prepare_held(b, k->host, &ask, &k->request, &k->made, err);
	mm_request_builder_free(b);
	return rc;
}

static int make_request(struct checkin *k, struct mm_err *err)
{
	struct mm_key *key = NULL;
	int rc = mm_signkey_load(k->c, &key, err);
	if (rc != 0) {
		err->code = MM_EX_NOPERM;
		return mm_err_prefix(err, "no request can be signed here");
	}
	rc = choose(k, err);
	if (rc == 0)
		rc = prepare(k, key, err);
	k->made_one = rc == 0;
	if (rc == 0)
		k->result.made = k->made;
	mm_key_free(key);
	return rc;
}

static int send_request(struct checkin *k, struct mm_err *err)
{
	int flags = fcntl(STDOUT_FILENO, F_GETFL);
	if (flags < 0 || fcntl(STDOUT_FILENO, F_SETFL, flags | O_NONBLOCK) < 0)
		return mm_err_sys(err, MM_EX_FAILED, "cannot answer");
	int rc =
	    mm_write_within(STDOUT_FILENO, mm_buf_str(&k->request), k->request.len, WRITE_SILENCE_MS, err);
	(void)fcntl(STDOUT_FILENO, F_SETFL, flags);
	if (rc != 0)
		err->code = MM_EX_UNREACHABLE;
	return rc;
}

/* ---- what it answers */

/* What a failure means for the host's row in the push state. */
static enum mm_push_class class_of(const struct mm_err *err)
{
	if (err->code == MM_EX_UNREACHABLE)
		return MM_PC_LOST;
	return err->code == MM_EX_DATAERR || err->code == MM_EX_NOPERM ? MM_PC_HOSTILE : MM_PC_LOCAL;
}

/* Between the request and now another process may have served the host: only
 * a success settles what is owed, and only what is still owed is left. */
static int record(struct checkin *k, struct mm_err *err)
{
	const struct mm_ended *o = &k->result.outcome;
	struct mm_push_state now = {.pending = true};
	if (k->op != MM_OP_APPLY || o->cls == MM_PC_SUPERSEDED)
		return 0;
	if (mm_store_push_get(k->store, k->host, k->a, &now, err) < 0)
		return -1;
	const struct mm_push_state p = {.host = k->host,
	    .revision = k->made.revision,
	    .op = mm_op_name(k->op),
	    .request_id = k->made.id,
	    .pending = o->cls != MM_PC_OK && now.pending,
	    .next_retry = o->cls != MM_PC_OK ? now.next_retry : 0,
	    .outcome = mm_push_class_def(o->cls)->name,
	    .text = o->text,
	    .unreachable = mm_push_class_def(o->cls)->exit_bit == MM_EX_UNREACHABLE};
	return mm_store_push_result(k->store, &p, err);
}

/* What it means for the rollout that the host is in. */
static int tell_rollout(struct checkin *k, struct mm_err *err)
{
	enum mm_push_class cls = k->result.outcome.cls;
	struct mm_rollout_host h = mm_rollout_host_of(&k->result, k->host);
	if (k->op != MM_OP_APPLY)
		return 0;
	if (!k->claimed)
		return mm_push_class_def(cls)->exit_bit == MM_EX_UNREACHABLE || cls == MM_PC_LOCAL
			   ? 0
			   : mm_rollout_hear(k->store, k->host, k->made.revision, &k->result, err);
	/* A push is there at this moment, or nothing went out: it is as it was before. */
	if (cls == MM_PC_SUPERSEDED || cls == MM_PC_LOCAL)
		h.state = MM_RH_RELEASED;
	h.request_id = k->made.id;
	h.next_try = mm_store_now(k->store) + AGAIN_S;
	return mm_store_rollout_landed(k->store, k->offer.rollout, &h, err) < 0 ? -1 : 0;
}

static int refused(struct checkin *k, const struct mm_answer *a, struct mm_err *err)
{
	struct mm_ended *o = &k->result.outcome;
	enum mm_overtaken what;
	struct mm_issued by;
	mm_ended_set(o, k->a, MM_PC_REFUSED, "%s: %s", a->refused_reason, a->refused_text);
	o->reason = mm_arena_strdup(k->a, a->refused_reason);
	o->code = a->refused_code;
	o->seen_epoch = a->refused_epoch;
	o->seen_serial = a->refused_serial;
	if (mm_overtaken(k->store, k->host, k->op, &k->made, o, k->a, &what, &by, err) < 0)
		return -1;
	/* A push serves the host at this moment: it has what it needs. */
	if (what != MM_OV_NO)
		mm_ended_set(o, k->a, MM_PC_SUPERSEDED, "another request of ours was there first");
	return 0;
}

static int take_answer(struct checkin *k, struct mm_err *err)
{
	struct mm_checkin_stream s;
	int rc = mm_checkin_read(STDIN_FILENO, k->host, &for_answer, &s, err);
	if (rc == 0 && s.answer.state == MM_ANSWER_REFUSED) {
		rc = refused(k, &s.answer, err);
	} else if (rc == 0) {
		k->result.outcome.delivered = true;
		rc = mm_push_judge(k->store, s.reports, k->made.id, k->a, &k->result.people, err);
		if (rc == 0)
			rc = store_reports(k, s.reports, err);
		if (rc == 0 && k->result.reports == 0)
			rc = mm_err_set(err, MM_EX_DATAERR, "the answer is none to this request");
	}
	mm_checkin_stream_free(&s);
	return rc;
}

/* ---- the whole */

static int audit(struct checkin *k, struct mm_err *err)
{
	struct mm_buf text = MM_BUF_INIT(8192);
	json_t *o = json_object();
	mm_json_set_str(o, "outcome", mm_push_class_def(k->result.outcome.cls)->name);
	mm_json_set_int(o, "spooled", k->carried);
	if (k->made_one) {
		mm_json_set_str(o, "op", mm_op_name(k->op));
		mm_json_set_str(o, "request", k->made.id);
		mm_json_set_int(o, "revision", k->made.revision);
		mm_json_set_int(o, "acknowledged", (int64_t)k->made.n_acks);
	}
	if (k->result.outcome.text[0] != '\0')
		mm_json_set_str(o, "text", k->result.outcome.text);
	mm_json_dump(o, &text);
	json_decref(o);
	int rc = mm_store_audit(k->store, "checkin", k->host, mm_buf_str(&text), false, err);
	mm_buf_free(&text);
	return rc;
}

static int conclude(struct checkin *k, struct mm_err *err)
{
	if (mm_store_begin(k->store, err) != 0)
		return -1;
	if ((!k->made_one || (record(k, err) == 0 && tell_rollout(k, err) == 0)) &&
	    (k->carried == 0 || mm_rollout_heard(k->store, k->host, err) == 0) && audit(k, err) == 0)
		return mm_store_commit(k->store, err);
	mm_store_rollback(k->store);
	return -1;
}

static int talk(struct checkin *k, struct mm_err *err)
{
	if (take_spool(k, err) != 0 || make_request(k, err) != 0 || send_request(k, err) != 0)
		return -1;
	return take_answer(k, err);
}

static int serve(struct checkin *k, struct mm_err *err)
{
	struct mm_err later = MM_ERR_NONE;
	if (identify(k, err) != 0)
		return -1;
	int rc = talk(k, err);
	if (rc != 0)
		mm_ended_set(&k->result.outcome, k->a, class_of(err), "%s", err->text);
	/* The first trouble is the one to tell. */
	if (conclude(k, rc == 0 ? err : &later) != 0)
		rc = -1;
	return rc;
}

static int run_for(struct mm_ctl *c, const char *host)
{
	struct mm_err err = MM_ERR_NONE;
	struct checkin k = {.c = c,
	    .host = host,
	    .a = mm_arena_new(),
	    .result = {.outcome = MM_ENDED_NONE, .agent = ""},
	    .request = MM_BUF_INIT(MM_STREAM_MAX)};
	int status = MM_EX_OK;
	k.sum = (struct mm_push_summary){.arena = k.a, .op = MM_OP_STATUS, .causes = mm_causes_new(k.a)};
	c->remote = true;
	int rc = mm_ctl_open(c, &err);
	k.store = c->store;
	if (rc != 0 || serve(&k, &err) != 0)
		status = mm_ctl_fail("checkin", &err);
	else if (mm_push_class_def(k.result.outcome.cls)->exit_bit != MM_EX_OK)
		status = MM_EX_HOSTS_FAILED;
	mm_buf_free(&k.request);
	mm_arena_free(k.a);
	return status;
}

static int run(struct mm_ctl *c, int argc, char **argv)
{
	const char *host = NULL;
	const struct mm_opt opts[] = {
	    {.name = "host",
		.kind = MM_OPT_STRING,
		.dest = &host,
		.arg = "HOST",
		.help = "whose key this is"},
	    {.name = NULL},
	};
	const struct mm_args args = {.what = "checkin",
	    .operands = "--host HOST",
	    .about = "A workstation calls: take its waiting reports, and hand it what is owed to it. Speaks "
		     "frames on\n"
		     "standard input and output, as the forced command of an unprivileged account:\n"
		     "    command=\"mailmuster --state DIR checkin --host ws1\",restrict ssh-ed25519 AAAA...",
	    .opts = opts};
	int rc = mm_ctl_args(&args, &argc, argv);
	if (rc >= 0)
		return rc;
	if (host == NULL || !mm_is_login(host))
		return mm_ctl_usage("checkin", "which host? --host HOST");
	return run_for(c, host);
}

extern const struct mm_cmd mm_cmd_checkin;
const struct mm_cmd mm_cmd_checkin = {"checkin", "--host HOST", "a workstation calls (forced command)", run};
