#include "agent/receive.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/answer.h"
#include "agent/checkpoints.h"
#include "agent/hostwide.h"
#include "agent/inventory.h"
#include "agent/planned.h"
#include "agent/serve_users.h"
#include "agent/trust.h"
#include "common/file.h"
#include "common/frame.h"
#include "common/text.h"

#define LOCK_MS 2000
#define PARALLEL 4
#define HOME_MS 5000
#define TOTAL_MS (15 * 60 * 1000)

struct job {
	const struct mm_receive *r;
	struct mm_arena *a;
	struct mm_answer answer;
	struct mm_blob envelope;
	struct mm_blob *sheets;
	size_t n_sheets, cap_sheets;
	struct mm_held_state state;
	struct mm_trusted t;
	struct mm_user_job *users;
	size_t n_users;
	struct mm_held held; /* what reports say is in force */
	struct mm_checkpoint seen;
	struct mm_system machine;
	bool told_system; /* a report said what this host is */
	int exit_bits;
	struct mm_err *err;
};

/* ---- refusing */

static int refuse(struct job *j, const char *word)
{
	int code = j->err->code != 0 ? j->err->code : MM_EX_FAILED;
	struct mm_refused r = {.code = code, .reason = word, .text = j->err->text};
	if (mm_streq(word, MM_REFUSED_REPLAY)) {
		r.epoch = j->state.last.epoch;
		r.serial = j->state.last.serial;
	}
	mm_answer_refuse(&j->answer, &r);
	return code;
}

/* ---- reading the request */

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct mm_blob keep(struct job *j, const struct mm_frame *f)
{
	return (struct mm_blob){mm_arena_strndup(j->a, f->body, f->len), f->len};
}

/* 1: more to come, 0: complete, -1: trouble. */
static int take_frame(struct job *j, const struct mm_frame *f)
{
	if (f->type == MM_FT_REQUEST_END)
		return 0;
	if (f->type == MM_FT_ENVELOPE && j->envelope.p == NULL) {
		j->envelope = keep(j, f);
		return 1;
	}
	if (f->type == MM_FT_SHEET && j->envelope.p != NULL && j->n_sheets < MM_MANIFEST_MAX) {
		struct mm_blob *b =
		    mm_arena_push(j->a, &j->sheets, &j->n_sheets, &j->cap_sheets, sizeof(*j->sheets));
		*b = keep(j, f);
		return 1;
	}
	return mm_err_set(j->err, MM_EX_DATAERR, "a frame of type %u has no place here", (unsigned)f->type);
}

static int read_request(struct job *j)
{
	struct mm_frame_decoder d;
	struct mm_frame f;
	int64_t deadline = now_ms() + MM_RECEIVE_REQUEST_S * 1000;
	int rc = 1;
	mm_frame_decoder_init(&d, true);
	while (rc > 0) {
		int64_t left = deadline - now_ms();
		rc = mm_frame_read_fd(&d, j->r->in, left > 0 ? (int)left : 0, &f, j->err);
		if (rc == 0)
			rc = mm_err_set(j->err, MM_EX_DATAERR, "the request is not complete");
		if (rc > 0)
			rc = take_frame(j, &f);
	}
	if (rc == 0 && j->envelope.p == NULL)
		rc = mm_err_set(j->err, MM_EX_DATAERR, "the request has no envelope");
	mm_frame_decoder_free(&d);
	return rc;
}

/* ---- keeping it, before it is used */

static struct mm_held held_of(const struct mm_request *q)
{
	return (struct mm_held){.request_id = q->id,
	    .epoch = q->epoch,
	    .serial = q->serial,
	    .revision = q->revision,
	    .issued = q->issued,
	    .expires = q->expires};
}

/* What it no longer asks for is kept until it has been taken back. */
static int store_hostwide(struct job *j, const struct mm_held *h)
{
	const struct mm_user_job *u = j->users;
	struct mm_buf text = MM_BUF_INIT(MM_FRAME_MAX);
	if (j->n_users == j->t.n || u->sheet == NULL)
		return 0;
	mm_sheet_encode(u->sheet, &text);
	int rc = mm_held_put_sheet(j->r->conf, h, MM_SYSTEM_USER, 0, 0, mm_buf_str(&text), text.len, j->err);
	mm_buf_free(&text);
	return rc;
}

/* That it has been here; and with `held`, that it is in force. */
static int store_number(struct job *j, bool held)
{
	const struct mm_request *q = &j->t.request;
	struct mm_held_state s = j->state;
	s.last.epoch = q->epoch;
	s.last.serial = q->serial;
	memcpy(s.last.digest, j->t.digest, sizeof(s.last.digest));
	memcpy(s.last.key, j->t.keyid, sizeof(s.last.key));
	if (held)
		s.held = held_of(q);
	if (!j->t.repeated && mm_held_save(j->r->conf, &s, j->err) != 0)
		return -1;
	j->state = s;
	return 0;
}

static int store(struct job *j)
{
	bool apply = j->t.request.op == MM_OP_APPLY;
	if (store_number(j, apply) != 0)
		return -1;
	const struct mm_held *held = &j->state.held;
	if (apply && store_hostwide(j, held) != 0)
		return -1;
	/* The sheets of a repeated request may not have got as far as the disk. */
	for (size_t i = 0; apply && i < j->t.n; i++) {
		const struct mm_user_job *u = &j->users[j->n_users - j->t.n + i];
		const struct mm_wanted *w = &j->t.wanted[i];
		if (u->sheet != NULL && mm_held_put_sheet(j->r->conf, held, u->user, u->who.uid, u->who.gid,
					    w->bytes.p, w->bytes.n, j->err) != 0)
			return -1;
	}
	return 0;
}

/* ---- whom it is about */

/* A request that says nothing of the system's files wants nothing of ours in
 * them; where nothing is held, there is nothing. */
static const struct mm_sheet *hostwide_of_request(struct job *j)
{
	const struct mm_request *q = &j->t.request;
	struct mm_sheet *sheet = mm_arena_alloc(j->a, 1, sizeof(*sheet));
	struct mm_held held;
	if (q->hostwide != NULL)
		return q->hostwide;
	if (mm_held_get_sheet(j->r->conf, MM_SYSTEM_USER, j->a, &held, sheet, NULL) == 0)
		return NULL;
	*sheet = mm_hostwide_nothing(q->revision);
	return sheet;
}

static void users_of_request(struct job *j)
{
	/* Nobody logs in with the system's files. */
	const struct mm_sheet *hostwide = j->t.request.op != MM_OP_PREFLIGHT ? hostwide_of_request(j) : NULL;
	j->users = mm_arena_alloc(j->a, j->t.n + 2, sizeof(*j->users));
	if (hostwide != NULL)
		j->users[j->n_users++] = (struct mm_user_job){
		    .user = MM_SYSTEM_USER, .sheet = hostwide, .held = held_of(&j->t.request)};
	for (size_t i = 0; i < j->t.n; i++)
		j->users[j->n_users++] = (struct mm_user_job){.user = j->t.wanted[i].user,
		    .sheet = &j->t.wanted[i].sheet,
		    .held = held_of(&j->t.request)};
	for (size_t i = 0; i < j->n_users; i++)
		mm_user_job_resolve(j->r->conf, &j->users[i], j->a);
}

static bool has_arg(const struct mm_request *q, const char *arg)
{
	for (size_t i = 0; i < q->n_op_args; i++) {
		if (mm_streq(q->op_args[i], arg))
			return true;
	}
	return false;
}

/* A verify, and a restore, may name those whom they are about. */
static bool asked_about(const struct mm_request *q, const char *user)
{
	size_t names = 0;
	for (size_t i = 0; i < q->n_op_args; i++)
		names += mm_is_login(q->op_args[i]);
	if (q->op == MM_OP_RESTORE && mm_streq(user, MM_SYSTEM_USER))
		return false;
	return (q->op != MM_OP_VERIFY && q->op != MM_OP_RESTORE) || names == 0 || has_arg(q, user);
}

/* Which generation; 0 = the last run. */
static int64_t generation_of(const struct mm_request *q)
{
	int64_t number = 0;
	for (size_t i = 0; q->op == MM_OP_RESTORE && i < q->n_op_args; i++)
		(void)mm_restore_generation(q->op_args[i], &number);
	return number;
}

static void load_held(struct job *j, struct mm_user_job *u)
{
	struct mm_sheet *sheet = mm_arena_alloc(j->a, 1, sizeof(*sheet));
	struct mm_err why = MM_ERR_NONE;
	u->sheet = sheet;
	mm_user_job_resolve(j->r->conf, u, j->a);
	if (u->sheet == NULL)
		return;
	int got = mm_held_get_sheet(j->r->conf, u->user, j->a, &u->held, sheet, &why);
	/* A verify runs programs and meets servers: agent.conf may have become stricter. */
	if (got > 0 && j->t.request.op == MM_OP_VERIFY && mm_trust_limits(j->r->conf, sheet, &why) != 0)
		got = -1;
	if (got <= 0) {
		u->sheet = NULL;
		u->why = mm_arena_strdup(j->a, why.text);
	}
	u->expired = mm_held_expired(&u->held, j->r->now);
}

/* A verify, and a status request without a manifest, ask about what is held. */
static int users_held(struct job *j)
{
	const char *const *names;
	size_t n;
	if (mm_held_users(j->r->conf, j->a, &names, &n, j->err) != 0)
		return -1;
	j->users = mm_arena_alloc(j->a, n + 1, sizeof(*j->users));
	for (size_t i = 0; i < n; i++) {
		if (!asked_about(&j->t.request, names[i]))
			continue;
		struct mm_user_job *u = &j->users[j->n_users++];
		*u = (struct mm_user_job){.user = names[i]};
		load_held(j, u);
	}
	return 0;
}

/* A discover may name many: those who are not here are left out. */
static int users_asked_about(struct job *j, struct mm_discover_ask *ask)
{
	const struct mm_request *q = &j->t.request;
	struct mm_sheet *nothing = mm_arena_alloc(j->a, 1, sizeof(*nothing));
	if (mm_discover_decode(q->op_args, q->n_op_args, j->a, ask, j->err) != 0)
		return -1;
	j->users = mm_arena_alloc(j->a, ask->n_users + 1, sizeof(*j->users));
	for (size_t i = 0; i < ask->n_users; i++) {
		struct mm_user_job *u = &j->users[j->n_users];
		*u = (struct mm_user_job){.user = ask->users[i], .sheet = nothing};
		mm_user_job_resolve(j->r->conf, u, j->a);
		if (u->sheet != NULL || !mm_streq(u->why, MM_REASON_NO_SUCH_USER))
			j->n_users++;
	}
	return 0;
}

/* ---- telling */

static struct mm_report_head head_for(struct job *j, const char *const *users, char id[MM_ID_LEN])
{
	bool tell = !j->told_system;
	mm_random_id(id);
	if (tell)
		mm_inventory_get(&mm_inventory_system, j->r->conf, j->a, &j->machine);
	j->told_system = true;
	return (struct mm_report_head){.id = id,
	    .host = j->r->conf->host,
	    .request_id = j->t.request.id,
	    .op = mm_op_name(j->t.request.op),
	    .evidence = MM_EV_ATTESTED,
	    .epoch = j->held.epoch,
	    .serial = j->held.serial,
	    .revision = j->held.revision,
	    .collected = time(NULL),
	    .agent = MM_VERSION,
	    .users = users,
	    .expired = mm_held_expired(&j->held, j->r->now),
	    .machine = tell ? &j->machine : NULL};
}

static void add_trouble(struct mm_buf *frames, const struct mm_worker_result *res)
{
	struct mm_buf body = MM_BUF_INIT(MM_FRAME_MAX);
	const struct mm_finding f = {.user = res->job->user,
	    .client = MM_CLIENT_AGENT,
	    .path = "",
	    .account = "",
	    .setting = "",
	    .state = res->late ? MM_ST_DEFERRED : MM_ST_ERROR,
	    .action = MM_ACT_NONE,
	    .reason = res->trouble};
	mm_finding_encode(&f, &body);
	mm_frame_put(frames, MM_FT_FINDING, mm_buf_str(&body), body.len);
	mm_buf_free(&body);
}

/* Everything of ours was taken back, and the controller knows: this report says nothing. */
static void forget_hostwide(struct job *j, const struct mm_worker_result *res)
{
	const struct mm_request *q = &j->t.request;
	struct mm_err later = MM_ERR_NONE; /* it is tried again with the next request */
	if (q->op == MM_OP_APPLY && q->hostwide == NULL && res->complete && res->exit_bits == 0 &&
	    res->findings->len == 0 && mm_streq(res->job->user, MM_SYSTEM_USER))
		mm_held_drop_sheet(j->r->conf, MM_SYSTEM_USER, &later);
}

static void user_done(void *ctx, const struct mm_worker_result *res)
{
	struct job *j = ctx;
	char id[MM_ID_LEN];
	const char *const one[] = {res->job->user, NULL}, *const none[] = {NULL};
	const struct mm_report_head h = head_for(j, res->complete ? one : none, id);
	struct mm_buf frames = MM_BUF_INIT((size_t)MM_STREAM_MAX);
	mm_buf_add(&frames, mm_buf_str(res->findings), res->findings->len);
	j->exit_bits |= res->exit_bits;
	if (res->trouble != NULL) {
		add_trouble(&frames, res);
		j->exit_bits |= res->late ? MM_EX_DIFF : MM_EX_FAILED;
	}
	mm_answer_report(&j->answer, &h, &frames);
	forget_hostwide(j, res);
	if (res->spool != NULL && res->spool->len > 0)
		mm_answer_report(&j->answer, NULL, res->spool);
	mm_buf_free(&frames);
}

static void tick(void *ctx)
{
	struct job *j = ctx;
	mm_answer_keepalive(&j->answer);
}

/* No user, no report: the controller still wants to know what is held. */
static void report_nobody(struct job *j)
{
	char id[MM_ID_LEN];
	const char *const none[] = {NULL};
	const struct mm_report_head h = head_for(j, none, id);
	struct mm_buf frames = MM_BUF_INIT(64);
	mm_answer_report(&j->answer, &h, &frames);
	mm_buf_free(&frames);
}

static int finish(struct job *j)
{
	if (j->n_users == 0)
		report_nobody(j);
	if (j->answer.overflow) {
		mm_err_set(j->err, MM_EX_FAILED, "the answer would be larger than %u bytes", MM_STREAM_MAX);
		j->exit_bits |= MM_EX_FAILED;
	}
	if (!mm_answer_end(&j->answer))
		return mm_err_set(j->err, MM_EX_FAILED, "the controller closed the connection"), MM_EX_FAILED;
	return (j->exit_bits & MM_EX_FAILED) != 0 ? MM_EX_FAILED : j->exit_bits;
}

/* ---- carrying it out */

static enum mm_how how_of(enum mm_op op)
{
	if (op == MM_OP_APPLY)
		return MM_HOW_APPLY;
	return op == MM_OP_PLAN ? MM_HOW_PLAN : MM_HOW_AUDIT;
}

static int carry_out(struct job *j)
{
	const struct mm_request *q = &j->t.request;
	bool preflight = q->op == MM_OP_PREFLIGHT, discover = q->op == MM_OP_DISCOVER;
	struct mm_discover_ask ask = {.users = NULL};
	bool restore = q->op == MM_OP_RESTORE;
	if (q->op == MM_OP_VERIFY || restore || (q->op == MM_OP_STATUS && q->n_manifest == 0)) {
		if (users_held(j) != 0)
			return refuse(j, MM_REFUSED_BUSY);
	} else if (discover) {
		if (users_asked_about(j, &ask) != 0)
			return refuse(j, MM_REFUSED_OP);
	} else {
		users_of_request(j);
	}
	bool keeps = !preflight && !discover; /* what it answers is stored at the controller */
	const struct mm_user_batch b = {.conf = j->r->conf,
	    .how = how_of(q->op),
	    .probe = q->op == MM_OP_APPLY,
	    .verify = q->op == MM_OP_VERIFY,
	    .preflight = preflight,
	    .restore = restore,
	    .generation = generation_of(q),
	    .discover = discover ? &ask : NULL,
	    .again = (preflight || q->op == MM_OP_VERIFY) && has_arg(q, MM_VERIFY_AGAIN),
	    .ack = q->ack,
	    .n_ack = keeps ? q->n_ack : 0,
	    .collect = keeps,
	    .w = {.host = j->r->conf->host,
		.parallel = PARALLEL,
		.home_ms = HOME_MS,
		.hang_ms = j->r->hang_s * 1000,
		.total_ms = TOTAL_MS,
		.done = user_done,
		.tick = tick,
		.ctx = j}};
	/* The sheets of a plan that does not hold are not kept: the next login would carry them out. */
	if (q->op == MM_OP_APPLY && q->expect != NULL &&
	    mm_planned_holds(&b, j->users, j->n_users, q->expect, j->err) != 0) {
		const struct mm_err moved = *j->err;
		if (store_number(j, false) != 0)
			return refuse(j, MM_REFUSED_BUSY);
		*j->err = moved;
		return refuse(j, MM_REFUSED_MOVED);
	}
	if (store(j) != 0)
		return refuse(j, MM_REFUSED_BUSY);
	j->held = j->state.held;
	mm_serve_users(&b, j->users, j->n_users);
	return finish(j);
}

/* The new key is kept before anything is done that it asks for, and also when
 * the rest of the request is no good: the former key is out from here on. */
static int check(struct job *j, const char **word)
{
	struct mm_keyring *keys;
	if (mm_keyring_load(j->r->conf, &keys, j->err) != 0)
		return *word = MM_REFUSED_BUSY, -1;
	int rc = mm_trust_check(j->r->conf, keys, &j->state.last, j->r->now, j->envelope, j->sheets,
	    j->n_sheets, j->a, &j->t, word, j->err);
	struct mm_err unsaved = MM_ERR_NONE;
	if (mm_keyring_changed(keys) && mm_keyring_save(keys, j->r->conf, &unsaved) != 0 && rc == 0) {
		*j->err = unsaved;
		*word = MM_REFUSED_BUSY;
		rc = -1;
	}
	mm_keyring_free(keys);
	return rc;
}

static int check_and_run(struct job *j)
{
	const struct mm_conf *c = j->r->conf;
	const char *word = MM_REFUSED_MALFORMED;
	struct mm_disabled off = {.reason = NULL};
	if (mm_held_load(c, j->a, &j->state, j->err) != 0)
		return refuse(j, MM_REFUSED_BUSY);
	if (check(j, &word) != 0)
		return refuse(j, word);
	if (mm_disabled_get(c, j->r->now, j->a, &off, j->err) > 0) {
		mm_err_set(j->err, MM_EX_FAILED, "switched off on this host: %s", off.reason);
		return refuse(j, MM_REFUSED_DISABLED);
	}
	struct mm_err unseen = MM_ERR_NONE; /* a witness that cannot write is no reason to stop */
	if (mm_checkpoints_keep(c, j->t.request.checkpoint, &j->seen, &unseen) == 0)
		mm_sealer_checkpoint(j->answer.sealer, &j->seen);
	return carry_out(j);
}

static int run_locked(struct job *j)
{
	const struct mm_conf *c = j->r->conf;
	if (mm_held_prepare(c, j->err) != 0)
		return refuse(j, MM_REFUSED_BUSY);
	int lock = mm_lock_file(mm_arena_printf(j->a, "%s/run.lock", c->state_dir), LOCK_MS, j->err);
	if (lock < 0)
		return refuse(j, MM_REFUSED_BUSY);
	int status = check_and_run(j);
	close(lock);
	return status;
}

int mm_receive(const struct mm_receive *r, struct mm_err *err)
{
	struct job j = {.r = r, .a = mm_arena_new(), .err = err};
	int status;
	mm_answer_begin(&j.answer, r->out, r->conf->host);
	j.answer.sealer = mm_sealer_new(r->conf);
	if (read_request(&j) != 0) {
		err->code = MM_EX_NOPERM;
		status = refuse(&j, MM_REFUSED_MALFORMED);
	} else {
		status = run_locked(&j);
	}
	mm_sealer_free(j.answer.sealer);
	mm_tally_free(&j.answer.tally);
	mm_arena_free(j.a);
	return status;
}
