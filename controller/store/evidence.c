#include "controller/store/internal.h"
#include "schemas/facts.h"

static const struct mm_evidence_filter everything;

static int64_t stale_after(const struct mm_evidence_filter *f)
{
	return f->stale_after > 0 ? f->stale_after : INT64_C(86400) * MM_STALE_DAYS;
}

/* Before this, evidence is stale. */
static int64_t horizon(struct mm_store *s, const struct mm_evidence_filter *f)
{
	return (f->at ? f->at : mm_store_now(s)) - stale_after(f);
}

static int64_t as_of(struct mm_store *s, const struct mm_evidence_filter *f)
{
	return f->at ? f->at : mm_store_now(s);
}

/* WAIVER_COLUMNS in sql_texts.c, from `col` on. */
static struct mm_waiver_of waiver_from_row(struct mm_q *q, int col, int64_t now)
{
	struct mm_waiver_of w = {.id = mm_q_int(q, col),
	    .until = mm_q_int(q, col + 1),
	    .owner = mm_q_str(q, col + 2),
	    .reason = mm_q_str(q, col + 3)};
	w.expired = w.id > 0 && w.until <= now;
	return w;
}

enum mm_audit mm_audit_of(enum mm_audit verdict, bool stale, bool waived)
{
	if (stale)
		return MM_AUDIT_UNKNOWN;
	return waived && (verdict == MM_AUDIT_FAIL || verdict == MM_AUDIT_UNKNOWN) ? MM_AUDIT_WAIVED
										   : verdict;
}

/* Columns: FINDING_COLUMNS in sql_texts.c. */
static void finding_from_row(struct mm_q *q, int64_t edge, int64_t now, struct mm_finding_row *r)
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
	    .expired = mm_q_int(q, 19) != 0};
	r->stale = r->closed == 0 && r->seen < edge;
	r->waiver = waiver_from_row(q, 20, now);
	r->audit =
	    mm_audit_of(mm_finding_verdict(&r->f).audit, r->stale, r->waiver.id > 0 && !r->waiver.expired);
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
	struct mm_finding_row r;
	struct mm_q q;
	int rc;

	f = f ? f : &everything;
	int64_t facts = f->facts || mm_is_fact(f->setting);
	rc = f->history || f->at ? mm_q_start(s, &q, MM_SQL_FINDINGS_HISTORY, err, "tttttittiii", f->host,
				       f->user, f->tag, f->group, f->account, (int64_t)f->differences,
				       f->client, f->setting, f->at, as_of(s, f), facts)
				 : mm_q_start(s, &q, MM_SQL_FINDINGS, err, "tttttittiii", f->host, f->user,
				       f->tag, f->group, f->account, (int64_t)f->differences, f->client,
				       f->setting, (int64_t)0, as_of(s, f), facts);
	if (rc)
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1) {
		finding_from_row(&q, horizon(s, f), as_of(s, f), &r);
		if (f->differences && settled(&r.f))
			continue;
		if ((rc = cb(&r, arg, err)))
			break;
	}
	mm_q_done(&q);
	return rc;
}

/* Columns: LOGIN_COLUMNS in sql_texts.c. */
static int login_from_row(
    struct mm_q *q, int64_t edge, int64_t now, struct mm_arena *a, struct mm_login_row *r, struct mm_err *err)
{
	const char *body = mm_q_str(q, 1);

	*r = (struct mm_login_row){.host = mm_q_str(q, 0),
	    .since = mm_q_int(q, 2),
	    .seen = mm_q_int(q, 3),
	    .closed = mm_q_int(q, 4),
	    .last_passed = mm_q_int(q, 5),
	    .evidence = mm_q_int(q, 6) ? MM_EV_CLAIMED : MM_EV_ATTESTED};
	r->stale = r->closed == 0 && r->seen < edge;
	r->waiver = waiver_from_row(q, 7, now);
	if (mm_login_decode(body, strlen(body), a, &r->l, err))
		return -1;
	r->audit = mm_audit_of(
	    mm_login_verdict(r->l.result, r->l.cls).audit, r->stale, r->waiver.id > 0 && !r->waiver.expired);
	return 0;
}

int mm_store_logins(struct mm_store *s, const struct mm_evidence_filter *f,
    int (*cb)(const struct mm_login_row *r, void *arg, struct mm_err *err), void *arg, struct mm_err *err)
{
	struct mm_login_row r;
	struct mm_q q;
	int rc;

	f = f ? f : &everything;
	rc = f->history || f->at
		 ? mm_q_start(s, &q, MM_SQL_LOGINS_HISTORY, err, "tttttiii", f->host, f->user, f->tag,
		       f->group, f->account, (int64_t)f->differences, f->at, as_of(s, f))
		 : mm_q_start(s, &q, MM_SQL_LOGINS, err, "tttttiii", f->host, f->user, f->tag, f->group,
		       f->account, (int64_t)f->differences, (int64_t)0, as_of(s, f));
	if (rc)
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1) {
		struct mm_arena *a = mm_arena_new();

		rc = login_from_row(&q, horizon(s, f), as_of(s, f), a, &r, err) ? -1 : 0;
		if (!rc && !(f->differences && mm_login_verdict(r.l.result, r.l.cls).exit_bit == MM_EX_OK))
			rc = cb(&r, arg, err);
		mm_arena_free(a);
		if (rc)
			break;
	}
	mm_q_done(&q);
	return rc;
}
