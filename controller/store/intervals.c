/*
 * How a report becomes intervals: the host's open findings are walked once
 * and compared with what came; only differences are written. A finding that
 * did not change costs no write, because what a report covers is seen in
 * `coverage`.
 */
#include <assert.h>

#include "common/text.h"
#include "controller/store/internal.h"

#define LOGIN_MAX (256u * 1024u)

struct incoming {
	const struct mm_finding *f;
	int64_t since; /* 0 = from now */
	bool stored;   /* the open interval says the same */
	bool old;      /* of evidence that is older than what we have: changes nothing */
};

/* An open interval that ends, once the walk over them is over. */
struct ending {
	int64_t id, covered;
	const char *user, *account;
};

struct endings {
	struct ending *items;
	size_t n, cap;
};

struct index {
	struct incoming *items;
	size_t n;
	size_t *slots; /* hash -> 1 + place in items, 0 = free */
	size_t mask;
};

struct user_facts { /* of the user asked about last: reports come user by user */
	const char *name;
	bool covered, newer;
	int64_t known; /* when a report covered them last, 0 = never */
};

bool mm_intake_covers(const struct mm_intake *t, const char *user)
{
	const char *const *u = t->in->head->users;

	while (u && *u && strcmp(*u, user) != 0)
		u++;
	return u && *u;
}

static int last_covered(struct mm_intake *t, const char *user, int64_t *known, struct mm_err *err)
{
	*known = 0;
	return mm_q_one(t->s, known, MM_SQL_COVERAGE_GET, err, "tt", t->in->head->host, user) < 0 ? -1 : 0;
}

int mm_intake_newer(struct mm_intake *t, const char *user, bool *newer, struct mm_err *err)
{
	int64_t known;

	if (last_covered(t, user, &known, err))
		return -1;
	*newer = t->seen >= known;
	return 0;
}

static int facts_of(struct mm_intake *t, const char *user, struct user_facts *u, struct mm_err *err)
{
	if (u->name && strcmp(u->name, user) == 0)
		return 0;
	u->name = mm_arena_strdup(t->a, user);
	u->covered = mm_intake_covers(t, user);
	if (last_covered(t, user, &u->known, err))
		return -1;
	u->newer = t->seen >= u->known;
	return 0;
}

/* ---- what came, by identity */

static uint64_t mix(uint64_t h, const char *s)
{
	/* FNV-1a; the byte between the parts keeps "a","b" from being "ab","". */
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * UINT64_C(1099511628211);
	return (h ^ 0x1f) * UINT64_C(1099511628211);
}

static uint64_t hash_of(
    const char *user, const char *client, const char *path, const char *account, const char *setting)
{
	return mix(mix(mix(mix(mix(UINT64_C(14695981039346656037), user), client), path), account), setting);
}

static struct incoming *find(struct index *x, const char *user, const char *client, const char *path,
    const char *account, const char *setting, size_t **slot)
{
	size_t at = (size_t)hash_of(user, client, path, account, setting) & x->mask;

	for (; x->slots[at]; at = (at + 1) & x->mask) {
		const struct mm_finding *f = x->items[x->slots[at] - 1].f;

		if (!strcmp(f->setting, setting) && !strcmp(f->path, path) && !strcmp(f->user, user) &&
		    !strcmp(f->client, client) && !strcmp(f->account, account))
			return &x->items[x->slots[at] - 1];
	}
	if (slot)
		*slot = &x->slots[at];
	return NULL;
}

/* A report of one user's own run says nothing of others. */
bool mm_intake_speaks_for(const struct mm_intake *t, const char *user)
{
	return !t->in->head->user || mm_streq(t->in->head->user, user);
}

/* An identity that comes twice counts once, at its worse. */
static void index_make(struct mm_intake *t, struct index *x)
{
	size_t n = t->in->n_findings, used = 0, size = 16;

	while (size < 2 * n + 2)
		size *= 2;
	x->items = mm_arena_alloc(t->a, n + 1, sizeof(*x->items));
	x->slots = mm_arena_alloc(t->a, size, sizeof(*x->slots));
	x->mask = size - 1;
	for (size_t i = 0; i < n; i++) {
		const struct mm_finding *f = &t->in->findings[i];
		size_t *slot = NULL;
		struct incoming *have;

		if (!mm_intake_speaks_for(t, f->user))
			continue;
		have = find(x, f->user, f->client, f->path, f->account, f->setting, &slot);

		if (have && have->f->state == MM_ST_COMPLIANT)
			have->f = f;
		if (have)
			continue;
		assert(slot);
		x->items[used].f = f;
		*slot = ++used;
	}
	x->n = used;
}

/* ---- against what is open */

/* Columns of MM_SQL_FINDINGS_OPEN. */
enum {
	C_ID,
	C_USER,
	C_CLIENT,
	C_PATH,
	C_ACCOUNT,
	C_SETTING,
	C_DESIRED,
	C_FOUND,
	C_LINE,
	C_OVERRIDE,
	C_STATE,
	C_ACTION,
	C_REASON,
	C_SINCE
};

static bool same_state(struct mm_q *q, const struct mm_finding *f)
{
	return mm_streq(mm_q_str(q, C_STATE), mm_state_name(f->state)) &&
	       mm_streq(mm_q_text(q, C_DESIRED), f->desired);
}

/* A moved line or a reworded reason is the same finding. */
static bool same_interval(struct mm_q *q, const struct mm_finding *f)
{
	return same_state(q, f) && mm_streq(mm_q_text(q, C_FOUND), f->found) &&
	       mm_streq(mm_q_str(q, C_ACTION), mm_action_name(f->action));
}

static bool same_place(struct mm_q *q, const struct mm_finding *f)
{
	return mm_q_int(q, C_LINE) == f->line && mm_streq(mm_q_text(q, C_OVERRIDE), f->override_path) &&
	       mm_streq(mm_q_str(q, C_REASON), f->reason);
}

static int touch(struct mm_intake *t, int64_t id, const struct mm_finding *f, struct mm_err *err)
{
	const struct mm_report_head *h = t->in->head;
	int n = mm_q_run(t->s, MM_SQL_FINDING_TOUCH, err, "iittiii", id, (int64_t)f->line, f->override_path,
	    f->reason, (int64_t)h->evidence, h->revision, t->seen);

	mm_intake_changed(t, f->user, MM_CHANGED_SETTINGS);
	return n < 0 ? -1 : 0;
}

static void end_it(struct mm_intake *t, struct mm_q *q, const struct user_facts *u, struct endings *e)
{
	struct ending *d = mm_arena_push(t->a, &e->items, &e->n, &e->cap, sizeof(*e->items));

	*d = (struct ending){.id = mm_q_int(q, C_ID),
	    .covered = u->known,
	    .user = u->name,
	    .account = mm_arena_strdup(t->a, mm_q_str(q, C_ACCOUNT))};
	mm_intake_changed(t, d->user, MM_CHANGED_SETTINGS | MM_CHANGED_ENDED);
}

/* One open interval against what came. */
static int compare(struct mm_intake *t, struct mm_q *q, struct index *x, struct user_facts *u,
    struct endings *e, struct mm_err *err)
{
	struct incoming *c = find(x, mm_q_str(q, C_USER), mm_q_str(q, C_CLIENT), mm_q_str(q, C_PATH),
	    mm_q_str(q, C_ACCOUNT), mm_q_str(q, C_SETTING), NULL);

	if (facts_of(t, mm_q_str(q, C_USER), u, err))
		return -1;
	t->strangers = t->strangers || !u->covered;
	if (!u->newer) {
		if (c)
			c->old = true;
		return 0;
	}
	if (!c) {
		if (u->covered)
			end_it(t, q, u, e);
		return 0;
	}
	c->stored = same_interval(q, c->f);
	if (c->stored)
		return u->covered && same_place(q, c->f) ? 0 : touch(t, mm_q_int(q, C_ID), c->f, err);
	if (same_state(q, c->f))
		c->since = mm_q_int(q, C_SINCE);
	end_it(t, q, u, e);
	return 0;
}

static int walk_open(struct mm_intake *t, struct index *x, struct endings *e, struct mm_err *err)
{
	struct user_facts u = {0};
	struct mm_q q;
	int rc;

	if (mm_q_start(t->s, &q, MM_SQL_FINDINGS_OPEN, err, "tt", t->in->head->host, t->in->head->user))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1)
		if ((rc = compare(t, &q, x, &u, e, err)))
			break;
	mm_q_done(&q);
	return rc;
}

static int insert(struct mm_intake *t, const struct incoming *c, struct mm_err *err)
{
	const struct mm_report_head *h = t->in->head;
	const struct mm_finding *f = c->f;
	int n = mm_q_run(t->s, MM_SQL_FINDING_ADD, err, "ttttttttittttiiiii", h->host, f->user, f->client,
	    f->path, f->account, f->setting, f->desired, f->found, (int64_t)f->line, f->override_path,
	    mm_state_name(f->state), mm_action_name(f->action), f->reason, (int64_t)h->evidence, h->revision,
	    c->since ? c->since : t->seen, t->seen, t->now);

	mm_intake_changed(t, f->user, MM_CHANGED_SETTINGS);
	return n < 0 ? -1 : 0;
}

static int write_all(struct mm_intake *t, struct index *x, struct endings *e, struct mm_err *err)
{
	struct user_facts u = {0};

	for (size_t i = 0; i < e->n; i++)
		if (mm_q_run(t->s, MM_SQL_FINDING_CLOSE, err, "iiiii", e->items[i].id, t->seen, t->now,
			e->items[i].covered, t->entry) < 0)
			return -1;
	for (size_t i = 0; i < x->n; i++) {
		struct incoming *c = &x->items[i];

		if (c->stored || c->old)
			continue;
		if (facts_of(t, c->f->user, &u, err))
			return -1;
		if (u.newer && insert(t, c, err))
			return -1;
	}
	return 0;
}

/* An account of which nothing is left has no login checks either. */
static int end_logins(struct mm_intake *t, struct endings *e, struct mm_err *err)
{
	const struct ending *last = NULL;

	for (size_t i = 0; i < e->n; i++) {
		const struct ending *d = &e->items[i];

		if (last && mm_streq(last->user, d->user) && mm_streq(last->account, d->account))
			continue;
		last = d;
		int n = mm_q_run(t->s, MM_SQL_LOGIN_CLOSE_ACCOUNT, err, "tttiii", t->in->head->host, d->user,
		    d->account, t->seen, t->now, t->entry);

		if (n < 0)
			return -1;
		if (n > 0)
			mm_intake_changed(t, d->user, MM_CHANGED_LOGINS | MM_CHANGED_ENDED);
	}
	return 0;
}

static int intake_findings(struct mm_intake *t, struct endings *e, struct mm_err *err)
{
	struct index x;

	index_make(t, &x);
	return walk_open(t, &x, e, err) || write_all(t, &x, e, err) ? -1 : 0;
}

/* ---- login checks */

struct open_login {
	int64_t id; /* 0 = none */
	int64_t since, seen, last_passed;
	bool same_result, same_endpoint;
};

static const char *endpoint_of(struct mm_arena *a, const struct mm_login *l)
{
	return mm_arena_printf(
	    a, "%s://%s@%s:%d %s %s", l->protocol, l->username, l->host, l->port, l->security, l->auth);
}

static int open_login(struct mm_intake *t, const struct mm_login *l, const char *endpoint,
    struct open_login *o, struct mm_err *err)
{
	struct mm_q q;
	int rc;

	*o = (struct open_login){0};
	if (mm_q_start(
		t->s, &q, MM_SQL_LOGIN_OPEN, err, "tttt", t->in->head->host, l->user, l->account, l->side))
		return -1;
	rc = mm_q_step(&q, err);
	if (rc == 1) {
		o->id = mm_q_int(&q, 0);
		o->same_result =
		    mm_streq(mm_q_str(&q, 1), mm_result_name(l->result)) && mm_streq(mm_q_str(&q, 2), l->cls);
		o->same_endpoint = mm_streq(mm_q_str(&q, 3), endpoint);
		o->since = mm_q_int(&q, 4);
		o->seen = mm_q_int(&q, 5);
		o->last_passed = mm_q_int(&q, 6);
	}
	mm_q_done(&q);
	return rc < 0 ? -1 : 0;
}

/* When these very settings passed last: a login elsewhere, or as somebody else, says nothing of them. */
static int last_passed(struct mm_intake *t, const struct mm_login *l, const char *endpoint,
    const struct open_login *o, int64_t *out, struct mm_err *err)
{
	*out = l->result == MM_LOGIN_PASSED ? t->seen : o->last_passed;
	if (l->result == MM_LOGIN_PASSED || (o->id && o->same_endpoint))
		return 0;
	return mm_q_one(t->s, out, MM_SQL_LOGIN_LAST_PASSED, err, "ttttt", t->in->head->host, l->user,
		   l->account, l->side, endpoint) < 0
		   ? -1
		   : 0;
}

static int write_login(struct mm_intake *t, const struct mm_login *l, const char *endpoint,
    const struct open_login *o, const char *body, struct mm_err *err)
{
	int64_t passed = 0;
	int64_t evidence = t->in->head->evidence;

	bool touch = o->id && o->same_endpoint && o->same_result;

	mm_intake_changed(t, l->user, MM_CHANGED_LOGINS | (o->id && !touch ? MM_CHANGED_ENDED : 0u));
	if (last_passed(t, l, endpoint, o, &passed, err))
		return -1;
	if (touch)
		return mm_q_run(
			   t->s, MM_SQL_LOGIN_TOUCH, err, "itiii", o->id, body, evidence, t->seen, passed) < 0
			   ? -1
			   : 0;
	if (o->id && mm_q_run(t->s, MM_SQL_LOGIN_CLOSE, err, "iiii", o->id, t->seen, t->now, t->entry) < 0)
		return -1;
	return mm_q_run(t->s, MM_SQL_LOGIN_ADD, err, "ttttttttiiiii", t->in->head->host, l->user, l->account,
		   l->side, mm_result_name(l->result), l->cls, endpoint, body, evidence,
		   o->same_result ? o->since : t->seen, t->seen, passed, t->now) < 0
		   ? -1
		   : 0;
}

static int intake_login(
    struct mm_intake *t, const struct mm_login *l, struct mm_buf *body, struct mm_err *err)
{
	const char *endpoint = endpoint_of(t->a, l);
	struct open_login o;

	if (!mm_intake_speaks_for(t, l->user))
		return 0;
	if (open_login(t, l, endpoint, &o, err))
		return -1;
	if (o.id && o.seen > t->seen)
		return 0;
	mm_buf_reset(body);
	mm_login_encode(l, body);
	if (!mm_buf_ok(body))
		return mm_err_set(err, MM_EX_DATAERR, "login check of %s: too long", l->user);
	return write_login(t, l, endpoint, &o, mm_buf_str(body), err);
}

int mm_intake_evidence(struct mm_intake *t, struct mm_err *err)
{
	struct mm_buf body = MM_BUF_INIT(LOGIN_MAX);
	struct endings e = {0};
	int rc = intake_findings(t, &e, err);

	for (size_t i = 0; !rc && i < t->in->n_logins; i++)
		rc = intake_login(t, &t->in->logins[i], &body, err);
	mm_buf_free(&body);
	return rc ? -1 : end_logins(t, &e, err);
}
