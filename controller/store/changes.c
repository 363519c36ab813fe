#include "controller/store/changes.h"

#include <string.h>

#include "common/text.h"
#include "controller/store/walks.h"

const char *mm_turn_name(enum mm_turn c)
{
	static const char *const name[MM_TURN_COUNT] = {"worse", "better", "new", "gone", "changed"};

	return name[c];
}

/* The order of the walks: SQLite compares bytes, too. */
static int compare(const char *const *x, const char *const *y, size_t n)
{
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++)
		rc = strcmp(x[i], y[i]);
	return rc;
}

/* Which of two rows comes first; a walk that has ended comes last. */
static int first(int then, int now, int order)
{
	if (then <= 0 || now <= 0)
		return then > 0 ? -1 : 1;
	return order;
}

static enum mm_turn direction(enum mm_audit then, enum mm_audit now)
{
	int rc = mm_audit_weight(now) - mm_audit_weight(then);

	return rc > 0 ? MM_TURN_WORSE : rc < 0 ? MM_TURN_BETTER : MM_TURN_OTHER;
}

/* ---- findings */

static int finding_order(const struct mm_finding_row *x, const struct mm_finding_row *y)
{
	const char *const a[] = {x->host, x->f.user, x->f.client, x->f.path, x->f.account, x->f.setting};
	const char *const b[] = {y->host, y->f.user, y->f.client, y->f.path, y->f.account, y->f.setting};

	return compare(a, b, sizeof(a) / sizeof(a[0]));
}

static bool same_finding(const struct mm_finding_row *x, const struct mm_finding_row *y)
{
	return x->f.state == y->f.state && x->audit == y->audit && mm_streq(x->f.found, y->f.found) &&
	       mm_streq(x->f.desired, y->f.desired);
}

static int findings(struct mm_finding_walk *then, struct mm_finding_walk *now,
    const struct mm_change_cbs *cbs, void *arg, struct mm_err *err)
{
	int rc = 0;

	while (!rc && (then->row > 0 || now->row > 0)) {
		int at = then->row > 0 && now->row > 0 ? finding_order(&then->r, &now->r) : 0;

		at = first(then->row, now->row, at);
		if (at < 0)
			rc = cbs->finding(MM_TURN_GONE, &then->r, NULL, arg, err);
		else if (at > 0)
			rc = cbs->finding(MM_TURN_NEW, NULL, &now->r, arg, err);
		else if (!same_finding(&then->r, &now->r))
			rc =
			    cbs->finding(direction(then->r.audit, now->r.audit), &then->r, &now->r, arg, err);
		if (!rc && at <= 0 && mm_finding_walk_next(then, err) < 0)
			rc = -1;
		if (!rc && at >= 0 && mm_finding_walk_next(now, err) < 0)
			rc = -1;
	}
	return rc;
}

static int all_findings(struct mm_store *s, const struct mm_evidence_filter *from,
    const struct mm_evidence_filter *to, const struct mm_change_cbs *cbs, void *arg, struct mm_err *err)
{
	struct mm_finding_walk then, now;

	if (mm_finding_walk_open(&then, s, from, MM_WHICH_ALL, NULL, err))
		return -1;
	if (mm_finding_walk_open(&now, s, to, MM_WHICH_ALL, NULL, err)) {
		mm_finding_walk_close(&then);
		return -1;
	}
	int rc = findings(&then, &now, cbs, arg, err);
	mm_finding_walk_close(&now);
	mm_finding_walk_close(&then);
	return rc;
}

/* ---- logins */

static int login_order(const struct mm_login_row *x, const struct mm_login_row *y)
{
	const char *const a[] = {x->host, x->l.user, x->l.account, x->l.side};
	const char *const b[] = {y->host, y->l.user, y->l.account, y->l.side};

	return compare(a, b, sizeof(a) / sizeof(a[0]));
}

static bool same_login(const struct mm_login_row *x, const struct mm_login_row *y)
{
	return x->l.result == y->l.result && x->audit == y->audit && mm_streq(x->l.cls, y->l.cls) &&
	       mm_streq(x->l.host, y->l.host) && x->l.port == y->l.port;
}

static int logins(struct mm_login_walk *then, struct mm_login_walk *now, const struct mm_change_cbs *cbs,
    void *arg, struct mm_err *err)
{
	int rc = 0;

	while (!rc && (then->row > 0 || now->row > 0)) {
		int at = then->row > 0 && now->row > 0 ? login_order(&then->r, &now->r) : 0;

		at = first(then->row, now->row, at);
		if (at < 0)
			rc = cbs->login(MM_TURN_GONE, &then->r, NULL, arg, err);
		else if (at > 0)
			rc = cbs->login(MM_TURN_NEW, NULL, &now->r, arg, err);
		else if (!same_login(&then->r, &now->r))
			rc = cbs->login(direction(then->r.audit, now->r.audit), &then->r, &now->r, arg, err);
		if (!rc && at <= 0 && mm_login_walk_next(then, err) < 0)
			rc = -1;
		if (!rc && at >= 0 && mm_login_walk_next(now, err) < 0)
			rc = -1;
	}
	return rc;
}

static int all_logins(struct mm_store *s, const struct mm_evidence_filter *from,
    const struct mm_evidence_filter *to, const struct mm_change_cbs *cbs, void *arg, struct mm_err *err)
{
	struct mm_login_walk then, now;

	if (mm_login_walk_open(&then, s, from, MM_WHICH_ALL, NULL, err))
		return -1;
	if (mm_login_walk_open(&now, s, to, MM_WHICH_ALL, NULL, err)) {
		mm_login_walk_close(&then);
		return -1;
	}
	int rc = logins(&then, &now, cbs, arg, err);
	mm_login_walk_close(&now);
	mm_login_walk_close(&then);
	return rc;
}

int mm_store_changes(struct mm_store *s, const struct mm_evidence_filter *f, int64_t since,
    const struct mm_change_cbs *cbs, void *arg, struct mm_err *err)
{
	struct mm_evidence_filter to = f ? *f : mm_everything;

	to.lean = true;
	to.history = to.differences = false;
	struct mm_evidence_filter from = to;
	from.at = since;
	int rc = cbs->finding ? all_findings(s, &from, &to, cbs, arg, err) : 0;
	if (!rc && cbs->login)
		rc = all_logins(s, &from, &to, cbs, arg, err);
	return rc;
}
