#include "controller/store/events.h"

#include <string.h>

#include "common/text.h"
#include "controller/store/internal.h"
#include "schemas/facts.h"

static const char *const names[MM_EVENT_COUNT] = {"act", "finding", "login"};

const char *mm_event_kind_name(enum mm_event_kind k)
{
	return names[k];
}

struct telling {
	struct mm_store *s;
	mm_event_cb *cb;
	void *arg;
	struct mm_audit_entry entry;
	int64_t received; /* when the entry's report came */
	struct mm_arena *a;
};

static int tell(struct telling *t, struct mm_event *e, struct mm_err *err)
{
	e->seq = t->entry.seq;
	e->time = t->entry.time;
	e->entry = &t->entry;
	return t->cb(e, t->arg, err);
}

/* ---- findings: those that began or ended with this report */

struct finding {
	int64_t id, known;
	struct mm_finding_row r;
};

static const char *keep(struct telling *t, const char *s)
{
	return s ? mm_arena_strdup(t->a, s) : NULL;
}

/* Columns of MM_SQL_EVENT_FINDINGS. */
static void finding_from_row(struct telling *t, struct mm_q *q, struct finding *f)
{
	int state = mm_state_by_name(mm_q_str(q, 10)), action = mm_action_by_name(mm_q_str(q, 11));

	*f = (struct finding){.id = mm_q_int(q, 0),
	    .known = mm_q_int(q, 18),
	    .r = {.host = t->entry.object,
		.f = {.user = keep(t, mm_q_str(q, 1)),
		    .client = keep(t, mm_q_str(q, 2)),
		    .path = keep(t, mm_q_str(q, 3)),
		    .account = keep(t, mm_q_str(q, 4)),
		    .setting = keep(t, mm_q_str(q, 5)),
		    .desired = keep(t, mm_q_text(q, 6)),
		    .found = keep(t, mm_q_text(q, 7)),
		    .line = (int)mm_q_int(q, 8),
		    .override_path = keep(t, mm_q_text(q, 9)),
		    .state = state < 0 ? MM_ST_UNKNOWN : (enum mm_state)state,
		    .action = action < 0 ? MM_ACT_NONE : (enum mm_action)action,
		    .reason = keep(t, mm_q_str(q, 12))},
		.evidence = mm_q_int(q, 13) ? MM_EV_CLAIMED : MM_EV_ATTESTED,
		.revision = mm_q_int(q, 14),
		.since = mm_q_int(q, 15),
		.first_seen = mm_q_int(q, 16),
		.seen = mm_q_int(q, 17),
		.waiver = {.owner = "", .reason = ""}}};
	f->r.audit = mm_verdict(f->r.f.state, f->r.f.action).audit;
}

static bool same_identity(const struct mm_finding *x, const struct mm_finding *y)
{
	return mm_streq(x->user, y->user) && mm_streq(x->client, y->client) && mm_streq(x->path, y->path) &&
	       mm_streq(x->account, y->account) && mm_streq(x->setting, y->setting);
}

/* A fact that is not as it should be has no verdict of its own, and is news all the same. */
static bool is_well(const struct finding *f)
{
	return f->r.audit == MM_AUDIT_PASS ||
	       (f->r.audit == MM_AUDIT_NOT_APPLICABLE && !mm_is_fact(f->r.f.setting));
}

static bool is_news(const struct finding *was, const struct finding *now)
{
	if (!was || !now)
		return !is_well(was ? was : now);
	if (was->r.f.state != now->r.f.state || was->r.f.action != now->r.f.action)
		return true;
	return !is_well(now) &&
	       (!mm_streq(was->r.f.found, now->r.f.found) || !mm_streq(was->r.f.desired, now->r.f.desired));
}

static int tell_finding(
    struct telling *t, const struct finding *was, const struct finding *now, struct mm_err *err)
{
	struct mm_event e = {.kind = MM_EVENT_FINDING,
	    .row = now ? now->id : was->id,
	    .finding = now ? &now->r : &was->r,
	    .was = was ? mm_state_name(was->r.f.state) : "",
	    .gone = !now};

	return is_news(was, now) ? tell(t, &e, err) : 0;
}

/* In order of identity, what ended before what began. */
static int pair_findings(struct telling *t, struct mm_q *q, struct mm_err *err)
{
	struct finding ended, f;
	bool open = false;
	int rc;

	while ((rc = mm_q_step(q, err)) == 1) {
		finding_from_row(t, q, &f);
		bool began = f.known == t->received;
		bool pair = open && began && same_identity(&ended.r.f, &f.r.f);
		if (open && !pair && tell_finding(t, &ended, NULL, err))
			return -1;
		open = false;
		if (began && tell_finding(t, pair ? &ended : NULL, &f, err))
			return -1;
		if (!began) {
			ended = f;
			open = true;
		}
	}
	if (!rc && open)
		rc = tell_finding(t, &ended, NULL, err);
	return rc;
}

/* ---- login checks */

struct login {
	int64_t id, known;
	const char *word;
	struct mm_login_row r;
};

/* Columns of MM_SQL_EVENT_LOGINS. */
static int login_from_row(struct telling *t, struct mm_q *q, struct login *l, struct mm_err *err)
{
	const char *body = keep(t, mm_q_str(q, 1));

	*l = (struct login){.id = mm_q_int(q, 0),
	    .known = mm_q_int(q, 6),
	    .r = {.host = t->entry.object,
		.evidence = mm_q_int(q, 2) ? MM_EV_CLAIMED : MM_EV_ATTESTED,
		.since = mm_q_int(q, 3),
		.seen = mm_q_int(q, 4),
		.last_passed = mm_q_int(q, 5),
		.waiver = {.owner = "", .reason = ""}}};
	if (mm_login_decode(body, strlen(body), t->a, &l->r.l, err))
		return -1;
	l->r.audit = mm_login_verdict(l->r.l.result, l->r.l.cls).audit;
	l->word = mm_arena_printf(
	    t->a, "%s%s%s", mm_result_name(l->r.l.result), *l->r.l.cls ? " " : "", l->r.l.cls);
	return 0;
}

static int tell_login(struct telling *t, const struct login *was, const struct login *now, struct mm_err *err)
{
	const struct login *l = now ? now : was;
	struct mm_event e = {
	    .kind = MM_EVENT_LOGIN, .row = l->id, .login = &l->r, .was = was ? was->word : "", .gone = !now};
	bool well = l->r.audit == MM_AUDIT_PASS || l->r.audit == MM_AUDIT_NOT_APPLICABLE;

	if (was && now ? mm_streq(was->word, now->word) : well)
		return 0;
	return tell(t, &e, err);
}

static int pair_logins(struct telling *t, struct mm_q *q, struct mm_err *err)
{
	struct login ended, l;
	bool open = false;
	int rc;

	while ((rc = mm_q_step(q, err)) == 1) {
		if (login_from_row(t, q, &l, err))
			return -1;
		bool began = l.known == t->received;
		bool pair = open && began && mm_streq(ended.r.l.user, l.r.l.user) &&
			    mm_streq(ended.r.l.account, l.r.l.account) &&
			    mm_streq(ended.r.l.side, l.r.l.side);
		if (open && !pair && tell_login(t, &ended, NULL, err))
			return -1;
		open = false;
		if (began && tell_login(t, pair ? &ended : NULL, &l, err))
			return -1;
		if (!began) {
			ended = l;
			open = true;
		}
	}
	if (!rc && open)
		rc = tell_login(t, &ended, NULL, err);
	return rc;
}

/* ---- entries */

/* When the report of this entry came; 1: it is not in the store any more. */
static int find_report(struct telling *t, struct mm_err *err)
{
	json_t *detail =
	    t->entry.detail ? mm_json_load("detail", t->entry.detail, strlen(t->entry.detail), err) : NULL;
	const char *id = json_string_value(json_object_get(detail, "id"));
	int rc = 1;

	if (t->entry.detail && !detail)
		return -1;
	if (id && t->entry.object)
		rc = mm_q_one(t->s, &t->received, MM_SQL_EVENT_REPORT, err, "tt", t->entry.object, id);
	json_decref(detail);
	return rc;
}

static int tell_rows(struct telling *t, enum mm_sql sql,
    int (*pair)(struct telling *t, struct mm_q *q, struct mm_err *err), struct mm_err *err)
{
	struct mm_q q;
	int rc;

	if (mm_q_start(t->s, &q, sql, err, "ti", t->entry.object, t->received))
		return -1;
	rc = pair(t, &q, err);
	mm_q_done(&q);
	return rc;
}

static int tell_report(struct telling *t, struct mm_err *err)
{
	int rc = find_report(t, err);

	if (rc)
		return rc < 0 ? -1 : 0;
	t->a = mm_arena_new();
	rc = tell_rows(t, MM_SQL_EVENT_FINDINGS, pair_findings, err);
	if (!rc)
		rc = tell_rows(t, MM_SQL_EVENT_LOGINS, pair_logins, err);
	mm_arena_free(t->a);
	return rc;
}

struct reading {
	struct telling t;
	int64_t left, last;
	bool enough;
};

static int take_entry(const struct mm_audit_entry *e, void *arg, struct mm_err *err)
{
	struct reading *r = arg;
	struct mm_event act = {.kind = MM_EVENT_ACT, .was = ""};
	int rc;

	if (r->left-- == 0) {
		r->enough = true;
		return -1;
	}
	r->t.entry = *e;
	rc = mm_streq(e->action, "report") ? tell_report(&r->t, err) : tell(&r->t, &act, err);
	if (!rc)
		r->last = e->seq;
	return rc;
}

int mm_store_events(struct mm_store *s, int64_t after, int64_t entries, mm_event_cb *cb, void *arg,
    int64_t *last, struct mm_err *err)
{
	struct reading r = {.t = {.s = s, .cb = cb, .arg = arg}, .left = entries, .last = after};
	int rc = mm_store_audit_each(s, after, take_entry, &r, err);

	if (rc && !r.enough)
		return -1;
	*last = r.last;
	return 0;
}

int mm_store_events_newest(struct mm_store *s, int64_t *seq, struct mm_err *err)
{
	char sha256[MM_SHA256_HEX];

	return mm_audit_last(s, seq, sha256, err);
}

int mm_store_events_before(struct mm_store *s, int64_t time, int64_t *seq, struct mm_err *err)
{
	*seq = 0;
	return mm_q_one(s, seq, MM_SQL_EVENT_BEFORE, err, "i", time) < 0 ? -1 : 0;
}
