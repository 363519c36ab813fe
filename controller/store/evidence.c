/*
 * Findings and logins, row by row, with what stands over them: up to when
 * their place is known (covers.c), and waivers.
 */
#include "common/text.h"
#include "controller/store/walks.h"
#include "schemas/facts.h"

const struct mm_evidence_filter mm_everything;

struct mm_moment mm_moment_of(struct mm_store *s, const struct mm_evidence_filter *f)
{
	int64_t now = f->at ? f->at : mm_store_now(s);
	int64_t age = f->stale_after > 0 ? f->stale_after : INT64_C(86400) * MM_STALE_DAYS;

	return (struct mm_moment){.now = now, .edge = now - age, .past = f->at};
}

int mm_audit_weight(enum mm_audit a)
{
	static const int w[MM_AUDIT_COUNT] = {[MM_AUDIT_FAIL] = 4,
	    [MM_AUDIT_UNKNOWN] = 3,
	    [MM_AUDIT_WAIVED] = 2,
	    [MM_AUDIT_PASS] = 1,
	    [MM_AUDIT_NOT_APPLICABLE] = 0};

	return w[a];
}

enum mm_audit mm_audit_of(enum mm_audit verdict, bool stale, bool waived)
{
	if (stale)
		return MM_AUDIT_UNKNOWN;
	return waived && (verdict == MM_AUDIT_FAIL || verdict == MM_AUDIT_UNKNOWN) ? MM_AUDIT_WAIVED
										   : verdict;
}

/* ---- findings */

/* Columns: FINDING_COLUMNS in sql_texts.c. */
static void finding_from_row(struct mm_q *q, struct mm_finding_row *r)
{
	int state = mm_state_by_name(mm_q_str(q, 10)), action = mm_action_by_name(mm_q_str(q, 11));

	*r = (struct mm_finding_row){.host = mm_q_str(q, 0),
	    .f = {.user = mm_q_str(q, 1),
		.client = mm_q_str(q, 2),
		.path = mm_q_str(q, 3),
		.account = mm_q_str(q, 4),
		.setting = mm_q_str(q, 5),
		.desired = mm_q_text(q, 6),
		.found = mm_q_text(q, 7),
		.line = (int)mm_q_int(q, 8),
		.override_path = mm_q_text(q, 9),
		.state = state < 0 ? MM_ST_UNKNOWN : (enum mm_state)state,
		.action = action < 0 ? MM_ACT_NONE : (enum mm_action)action,
		.reason = mm_q_str(q, 12)},
	    .evidence = mm_q_int(q, 13) ? MM_EV_CLAIMED : MM_EV_ATTESTED,
	    .revision = mm_q_int(q, 14),
	    .since = mm_q_int(q, 15),
	    .first_seen = mm_q_int(q, 16),
	    .seen = mm_q_int(q, 17),
	    .closed = mm_q_int(q, 18),
	    .waiver = {.owner = "", .reason = ""}};
}

/* In a view of the past what a later report said of the row is not known. */
static void as_it_was(struct mm_finding_row *r)
{
	r->closed = 0;
	r->seen = r->first_seen;
}

/* What a report covers is seen in it, without a write to the row. */
static void covered(const struct mm_cover *c, struct mm_finding_row *r)
{
	r->expired = c->expired;
	if (r->closed || c->seen < r->seen)
		return;
	r->seen = c->seen;
	r->evidence = c->evidence;
	r->revision = c->revision;
}

static int place_of(
    struct mm_finding_walk *w, const struct mm_finding_row *r, bool *waivable, struct mm_err *err)
{
	return mm_waivers_place(w->waivers, r->host, r->f.user, waivable, err) ||
		       mm_cover_of(&w->cover, r->host, r->f.user, &w->at, err)
		   ? -1
		   : 0;
}

int mm_finding_walk_next(struct mm_finding_walk *w, struct mm_err *err)
{
	struct mm_finding_row *r = &w->r;
	bool waivable = false;

	w->row = mm_q_step(&w->q, err);
	if (w->row <= 0)
		return w->row;
	finding_from_row(&w->q, r);
	if (place_of(w, r, &waivable, err))
		return -1;
	if (w->m.past && !w->history)
		as_it_was(r);
	covered(&w->at, r);
	r->stale = r->closed == 0 && r->seen < w->m.edge;
	if (waivable)
		r->waiver = mm_waivers_find_either(w->waivers, r->f.client, r->f.account, r->f.setting,
		    mm_is_fact(r->f.setting) ? r->f.setting : MM_CHECK_SETTINGS);
	r->audit =
	    mm_audit_of(mm_finding_verdict(&r->f).audit, r->stale, r->waiver.id > 0 && !r->waiver.expired);
	return 0;
}

/* A statement takes the first of the parameters, as many as it has. */
struct statement {
	enum mm_sql sql;
	const char *fmt;
};

static struct statement findings_sql(const struct mm_evidence_filter *f, enum mm_which which)
{
	if (f->history || f->at)
		return (struct statement){MM_SQL_FINDINGS_HISTORY, "tttttttiii"};
	if (which == MM_WHICH_DIFFERING)
		return (struct statement){MM_SQL_FINDINGS_DIFFERING, "ttttttti"};
	return (struct statement){MM_SQL_FINDINGS, "tttttttii"};
}

static struct statement logins_sql(const struct mm_evidence_filter *f, enum mm_which which)
{
	if (f->history || f->at)
		return (struct statement){MM_SQL_LOGINS_HISTORY, "tttttii"};
	if (which == MM_WHICH_DIFFERING)
		return (struct statement){MM_SQL_LOGINS_DIFFERING, "ttttt"};
	return (struct statement){MM_SQL_LOGINS, "ttttti"};
}

static int get_waivers(struct mm_store *s, const struct mm_moment *m, struct mm_waivers *given, bool *own,
    struct mm_waivers **out, struct mm_err *err)
{
	*own = !given;
	*out = given;
	return given ? 0 : mm_waivers_load(s, m, out, err);
}

int mm_finding_walk_open(struct mm_finding_walk *w, struct mm_store *s, const struct mm_evidence_filter *f,
    enum mm_which which, struct mm_waivers *waivers, struct mm_err *err)
{
	struct statement st = findings_sql(f, which);

	*w = (struct mm_finding_walk){.s = s, .m = mm_moment_of(s, f), .history = f->history};
	if (get_waivers(s, &w->m, waivers, &w->own_waivers, &w->waivers, err))
		return -1;
	if (mm_cover_open(&w->cover, s, f, &w->m, err))
		goto fail;
	if (mm_q_start(s, &w->q, st.sql, err, st.fmt, f->host, f->user, f->tag, f->group, f->account,
		f->client, f->setting, (int64_t)(f->facts || mm_is_fact(f->setting)),
		(int64_t)(which == MM_WHICH_DIFFERING), f->at))
		goto fail;
	if (mm_finding_walk_next(w, err)) {
		mm_finding_walk_close(w);
		return -1;
	}
	return 0;
fail:
	mm_cover_close(&w->cover);
	if (w->own_waivers)
		mm_waivers_free(w->waivers);
	return -1;
}

void mm_finding_walk_close(struct mm_finding_walk *w)
{
	mm_q_done(&w->q);
	mm_cover_close(&w->cover);
	if (w->own_waivers)
		mm_waivers_free(w->waivers);
}

/* What was corrected, and what is nobody's business, is no difference. */
static bool settled(const struct mm_finding *f)
{
	enum mm_audit audit = mm_finding_verdict(f).audit;

	return audit == MM_AUDIT_PASS || audit == MM_AUDIT_NOT_APPLICABLE;
}

int mm_store_findings(struct mm_store *s, const struct mm_evidence_filter *f,
    int (*cb)(const struct mm_finding_row *r, void *arg, struct mm_err *err), void *arg, struct mm_err *err)
{
	struct mm_finding_walk w;
	int rc = 0;

	f = f ? f : &mm_everything;
	if (mm_finding_walk_open(&w, s, f, f->differences ? MM_WHICH_DIFFERING : MM_WHICH_ALL, NULL, err))
		return -1;
	while (!rc && w.row) {
		if (!(f->differences && settled(&w.r.f)))
			rc = cb(&w.r, arg, err);
		if (!rc)
			rc = mm_finding_walk_next(&w, err);
	}
	mm_finding_walk_close(&w);
	return rc;
}

/* ---- logins */

/* What a later check said of the same interval was not known then: the result
 * and whom it was made to stay, the rest goes. */
static int login_as_it_was(struct mm_login_walk *w, int64_t known_seen, struct mm_err *err)
{
	struct mm_login_row *r = &w->r;
	struct mm_login *l = &r->l;
	int64_t seen = 0;

	r->closed = 0;
	if (mm_login_seen_at(w->s, &w->m, r->host, l->user, l->account, l->side, &seen, err))
		return -1;
	if (seen < known_seen)
		seen = known_seen;
	if (r->seen <= seen)
		return 0;
	r->seen = seen;
	if (l->result == MM_LOGIN_PASSED)
		r->last_passed = seen;
	l->when = seen;
	l->text = l->admin = "";
	l->server_text = NULL;
	l->tls = (struct mm_tls_facts){.version = NULL};
	l->timing = (struct mm_timing){-1, -1, -1, -1, -1};
	l->ladder = (struct mm_ladder){.n_steps = 0};
	return 0;
}

/* Columns: LOGIN_COLUMNS in sql_texts.c. */
static int login_from_row(struct mm_login_walk *w, struct mm_err *err)
{
	struct mm_login_row *r = &w->r;
	struct mm_q *q = &w->q;
	const char *body = mm_q_str(q, 1);

	*r = (struct mm_login_row){.host = mm_q_str(q, 0),
	    .since = mm_q_int(q, 2),
	    .seen = mm_q_int(q, 3),
	    .closed = mm_q_int(q, 4),
	    .last_passed = mm_q_int(q, 5),
	    .evidence = mm_q_int(q, 6) ? MM_EV_CLAIMED : MM_EV_ATTESTED,
	    .waiver = {.owner = "", .reason = ""}};
	return w->lean ? mm_login_read_lean(w->lean, body, w->a, &r->l, err)
		       : mm_login_decode(body, strlen(body), w->a, &r->l, err);
}

int mm_login_walk_next(struct mm_login_walk *w, struct mm_err *err)
{
	struct mm_login_row *r = &w->r;
	bool waivable = false;

	mm_arena_reset(w->a);
	w->row = mm_q_step(&w->q, err);
	if (w->row <= 0)
		return w->row;
	if (login_from_row(w, err) || mm_waivers_place(w->waivers, r->host, r->l.user, &waivable, err) ||
	    (w->m.past && !w->history && login_as_it_was(w, mm_q_int(&w->q, 10), err)))
		return -1;
	r->stale = r->closed == 0 && r->seen < w->m.edge;
	if (waivable)
		r->waiver = mm_waivers_find_either(
		    w->waivers, "", r->l.account, MM_CHECK_LOGIN, MM_CHECK_LOGIN_PROVEN);
	r->audit = mm_audit_of(
	    mm_login_verdict(r->l.result, r->l.cls).audit, r->stale, r->waiver.id > 0 && !r->waiver.expired);
	return 0;
}

int mm_login_walk_open(struct mm_login_walk *w, struct mm_store *s, const struct mm_evidence_filter *f,
    enum mm_which which, struct mm_waivers *waivers, struct mm_err *err)
{
	struct statement st = logins_sql(f, which);

	*w = (struct mm_login_walk){.s = s,
	    .m = mm_moment_of(s, f),
	    .history = f->history,
	    .lean = f->lean ? mm_login_reader_new() : NULL,
	    .a = mm_arena_new()};
	if (get_waivers(s, &w->m, waivers, &w->own_waivers, &w->waivers, err)) {
		mm_login_reader_free(w->lean);
		mm_arena_free(w->a);
		return -1;
	}
	if (mm_q_start(s, &w->q, st.sql, err, st.fmt, f->host, f->user, f->tag, f->group, f->account,
		(int64_t)(which == MM_WHICH_DIFFERING), f->at)) {
		mm_login_reader_free(w->lean);
		mm_arena_free(w->a);
		if (w->own_waivers)
			mm_waivers_free(w->waivers);
		return -1;
	}
	if (mm_login_walk_next(w, err)) {
		mm_login_walk_close(w);
		return -1;
	}
	return 0;
}

void mm_login_walk_close(struct mm_login_walk *w)
{
	mm_q_done(&w->q);
	mm_arena_free(w->a);
	mm_login_reader_free(w->lean);
	if (w->own_waivers)
		mm_waivers_free(w->waivers);
}

int mm_store_logins(struct mm_store *s, const struct mm_evidence_filter *f,
    int (*cb)(const struct mm_login_row *r, void *arg, struct mm_err *err), void *arg, struct mm_err *err)
{
	struct mm_login_walk w;
	int rc = 0;

	f = f ? f : &mm_everything;
	if (mm_login_walk_open(&w, s, f, f->differences ? MM_WHICH_DIFFERING : MM_WHICH_ALL, NULL, err))
		return -1;
	while (!rc && w.row) {
		const struct mm_login *l = &w.r.l;

		if (!(f->differences && mm_login_verdict(l->result, l->cls).exit_bit == MM_EX_OK))
			rc = cb(&w.r, arg, err);
		if (!rc)
			rc = mm_login_walk_next(&w, err);
	}
	mm_login_walk_close(&w);
	return rc;
}
